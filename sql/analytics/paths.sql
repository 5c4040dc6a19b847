-- Which ways users go through the screens, and where they leave.
--
--   SELECT weir.paths_answer('acme', '2026-03-01', '2026-03-31', 'Europe/Berlin', length => 5, filter => '{"platform": "iOS"}');
--
-- The window is from one day to another, both counted, in a time zone.
--
--   view         an event of a user's that shows a screen or page: `event`, or one of screen, screen_view, screen_viewed,
--                page, page_view, page_viewed, $screen, $pageview. Which one, `property` says, or the first of screen, page,
--                pathname, path, $screen_name, $pathname, name that it has. One without is no view
--   visit        the views of a user with one session_id; of those without, each that comes more than 30 minutes after the
--                one before begins another. What the window cuts off, ends there
--   step         a view of another screen than just before in the visit; views of one moment follow each other by name
--   entries      visits that begin with the screen
--   exits        visits that end with it; drop_off: of the steps to it, those after which no other came
--   next         to which screens users went on from it, how often, and the share of its steps
--   paths        the first `length` steps of visits, one to ten; shorter ones ended there. share: of visits
--
-- The filter holds for each view. Late events count at their own time. Read event by event (happened.sql). Exact; where a server has more
-- than 1,000 screens, 5,000 pairs or 5,000 paths, those that occur least are left out of the lists, and `exact` is false.
SET LOCAL ROLE weir_owner;
SET LOCAL check_function_bodies = off;

-- All views, with whether each is a step, and begins or ends its visit; former is the screen before it in the visit. One
-- sorting of all of them, and one look at each one's neighbours: views of one user lie together, then those of a session.
CREATE OR REPLACE FUNCTION weir.path_views(tenant text, first_day date, last_day date, zone text, event text, property text, filter jsonb)
RETURNS TABLE (number bigint, session bigint, at timestamptz, screen text, former text, is_step boolean, begins boolean, ends boolean,
  of_another_user boolean)
LANGUAGE sql STABLE
SET jit = off SET work_mem = '256MB'
AS $$
  WITH seen AS (
    SELECT e.number, e.session, e.at, CASE WHEN (SELECT property IS NULL) THEN e.screen
      ELSE weir.first_text(e.properties, ARRAY[property]) END COLLATE "C" AS screen
    FROM weir.events_in(tenant, zone, first_day, last_day,
      CASE WHEN path_views.event IS NULL THEN weir.screen_events() ELSE ARRAY[path_views.event] END, filter,
      CASE WHEN property IS NULL THEN '{session,screen}'::text[] ELSE '{session,properties}' END) AS e
    WHERE e.number IS NOT NULL
  ), neighbours AS (
    SELECT s.number, s.session, s.at, s.screen, lag(s.number) OVER w AS former_number, lag(s.session) OVER w AS former_session,
      lag(s.at) OVER w AS former_at, lag(s.screen) OVER w AS former, lead(s.number) OVER w AS next_number, lead(s.session) OVER w AS next_session,
      lead(s.at) OVER w AS next_at
    FROM seen AS s
    WHERE s.screen IS NOT NULL
    WINDOW w AS (ORDER BY s.number, s.session, s.at, s.screen)
  ), bounded AS (
    SELECT n.*, n.former_number IS DISTINCT FROM n.number OR n.former_session IS DISTINCT FROM n.session
        OR n.session IS NULL AND n.at - n.former_at > interval '30 minutes' AS begins,
      n.next_number IS DISTINCT FROM n.number OR n.next_session IS DISTINCT FROM n.session
        OR n.session IS NULL AND n.next_at - n.at > interval '30 minutes' AS ends
    FROM neighbours AS n
  )
  SELECT b.number, b.session, b.at, b.screen, CASE WHEN NOT b.begins THEN b.former END, b.begins OR b.former <> b.screen, b.begins, b.ends,
    b.former_number IS DISTINCT FROM b.number
  FROM bounded AS b
$$;

-- What a server can say of its own users: `visits`, `users`; by screen `views`, `steps`, `entries`, `exits`; `next` by
-- [from, to]; `path` by its screens. All of it adds up. `beyond` says how many keys were left out. Visits of a single view,
-- of which there are many, are paths as they stand; the others' steps are put together.
CREATE OR REPLACE FUNCTION weir.paths_partial(tenant text, first_day date, last_day date, zone text, event text DEFAULT NULL,
  property text DEFAULT NULL, length integer DEFAULT 4, filter jsonb DEFAULT '{}')
RETURNS SETOF weir.part
LANGUAGE sql STABLE
SET jit = off SET work_mem = '256MB'
AS $$
  WITH views AS MATERIALIZED (
    SELECT * FROM weir.path_views(tenant, first_day, last_day, zone, paths_partial.event, property, filter)
  ), cells AS MATERIALIZED (
    SELECT v.screen, v.former, v.is_step, v.begins, v.ends, v.of_another_user, count(*) AS times
    FROM views AS v
    GROUP BY v.screen, v.former, v.is_step, v.begins, v.ends, v.of_another_user
  ), screens AS (
    SELECT c.screen, sum(c.times) AS views, coalesce(sum(c.times) FILTER (WHERE c.is_step), 0) AS steps,
      coalesce(sum(c.times) FILTER (WHERE c.begins), 0) AS entries, coalesce(sum(c.times) FILTER (WHERE c.ends), 0) AS exits
    FROM cells AS c
    GROUP BY c.screen
  ), numbered AS (
    SELECT v.number, v.session, v.at, v.screen, v.is_step, count(*) FILTER (WHERE v.begins) OVER w AS visit
    FROM views AS v
    WHERE NOT (v.begins AND v.ends)
    WINDOW w AS (ORDER BY v.number, v.session, v.at, v.screen ROWS UNBOUNDED PRECEDING)
  ), placed AS (
    SELECT n.visit, n.screen, row_number() OVER (PARTITION BY n.visit ORDER BY n.number, n.session, n.at, n.screen) AS place
    FROM numbered AS n
    WHERE n.is_step
  ), ways AS (
    SELECT array_agg(p.screen ORDER BY p.place) AS way, 1 AS times FROM placed AS p WHERE p.place <= length GROUP BY p.visit
    UNION ALL
    SELECT ARRAY[c.screen], c.times FROM cells AS c WHERE c.begins AND c.ends
  ), keyed AS (
    SELECT 'screen' AS figure, s.screen AS key, s.steps AS times FROM screens AS s
    UNION ALL
    SELECT 'next', jsonb_build_array(c.former, c.screen)::text, sum(c.times) FROM cells AS c WHERE c.is_step AND NOT c.begins GROUP BY c.former, c.screen
    UNION ALL
    SELECT 'path', (SELECT '[' || string_agg(to_json(s.screen)::text, ', ' ORDER BY s.place) || ']' FROM unnest(g.way) WITH ORDINALITY AS s (screen, place)),
      g.times
    FROM (SELECT w.way, sum(w.times) AS times FROM ways AS w GROUP BY w.way) AS g
  ), ranked AS MATERIALIZED (
    SELECT k.*, row_number() OVER (PARTITION BY k.figure ORDER BY k.times DESC, k.key COLLATE "C")
      > CASE k.figure WHEN 'screen' THEN 1000 ELSE 5000 END AS beyond
    FROM keyed AS k
  )
  SELECT r.figure, r.key, r.times FROM ranked AS r WHERE NOT r.beyond AND r.figure <> 'screen'
  UNION ALL
  SELECT f.figure, s.screen, f.amount
  FROM ranked AS r JOIN screens AS s ON s.screen = r.key,
    LATERAL (VALUES ('views', s.views), ('steps', s.steps), ('entries', s.entries), ('exits', s.exits)) AS f (figure, amount)
  WHERE r.figure = 'screen' AND NOT r.beyond
  UNION ALL
  SELECT 'beyond', r.figure, count(*) FROM ranked AS r WHERE r.beyond GROUP BY r.figure
  UNION ALL
  SELECT 'visits', '', sum(c.times) FROM cells AS c WHERE c.begins HAVING count(*) > 0
  UNION ALL
  SELECT 'users', '', sum(c.times) FROM cells AS c WHERE c.of_another_user HAVING count(*) > 0
$$;

-- The ten screens that most often come after each.
CREATE OR REPLACE FUNCTION weir.path_next(parts weir.part[]) RETURNS TABLE (screen text, next jsonb)
LANGUAGE sql IMMUTABLE
AS $$
  SELECT r.screen, jsonb_agg(jsonb_build_object('screen', r.next, 'count', r.times, 'share', weir.ratio(r.times, r.steps)) ORDER BY r.rank)
  FROM (
    SELECT n.*, s.steps, row_number() OVER (PARTITION BY n.screen ORDER BY n.times DESC, n.next COLLATE "C") AS rank
    FROM (
      SELECT p.key::jsonb ->> 0 AS screen, p.key::jsonb ->> 1 AS next, sum(p.amount) AS times
      FROM unnest(parts) AS p WHERE p.figure = 'next'
      GROUP BY p.key
    ) AS n
    JOIN (
      SELECT p.key AS screen, sum(p.amount) AS steps FROM unnest(parts) AS p WHERE p.figure = 'steps' GROUP BY p.key
    ) AS s ON s.screen = n.screen
  ) AS r
  WHERE r.rank <= 10
  GROUP BY r.screen
$$;

-- The answer, from the parts of all servers.
CREATE OR REPLACE FUNCTION weir.paths_merge(parts weir.part[], most integer DEFAULT 20) RETURNS jsonb
LANGUAGE sql IMMUTABLE
SET jit = off SET enable_nestloop = off
AS $$
  WITH screens AS (
    SELECT p.key AS screen, sum(p.amount) FILTER (WHERE p.figure = 'views') AS views, sum(p.amount) FILTER (WHERE p.figure = 'steps') AS steps,
      sum(p.amount) FILTER (WHERE p.figure = 'entries') AS entries, sum(p.amount) FILTER (WHERE p.figure = 'exits') AS exits
    FROM unnest(parts) AS p
    WHERE p.figure IN ('views', 'steps', 'entries', 'exits')
    GROUP BY p.key
  ), top AS (
    SELECT * FROM screens AS s ORDER BY s.steps DESC, s.screen COLLATE "C" LIMIT most
  ), ways AS (
    SELECT p.key, sum(p.amount) AS visits FROM unnest(parts) AS p WHERE p.figure = 'path' GROUP BY p.key
    ORDER BY 2 DESC, p.key COLLATE "C" LIMIT most
  )
  SELECT jsonb_build_object('visits', weir.amount_of(parts, 'visits'), 'users', weir.amount_of(parts, 'users'),
    'screens', coalesce((
      SELECT jsonb_agg(jsonb_build_object('screen', t.screen, 'views', t.views, 'steps', t.steps, 'entries', t.entries, 'exits', t.exits,
        'drop_off', weir.ratio(t.exits, t.steps), 'next', coalesce(n.next, '[]')) ORDER BY t.steps DESC, t.screen COLLATE "C")
      FROM top AS t LEFT JOIN weir.path_next(parts) AS n ON n.screen = t.screen), '[]'),
    'more_screens', greatest((SELECT count(*) FROM screens) - most, 0),
    'paths', coalesce((
      SELECT jsonb_agg(jsonb_build_object('screens', w.key::jsonb, 'visits', w.visits, 'share', weir.ratio(w.visits, weir.amount_of(parts, 'visits')))
        ORDER BY w.visits DESC, w.key COLLATE "C")
      FROM ways AS w), '[]'),
    'exact', NOT EXISTS (SELECT FROM unnest(parts) AS p WHERE p.figure = 'beyond'))
$$;

CREATE OR REPLACE FUNCTION weir.paths_answer(tenant text, first_day date, last_day date, zone text DEFAULT 'UTC', event text DEFAULT NULL,
  property text DEFAULT NULL, length integer DEFAULT 4, filter text DEFAULT NULL, most integer DEFAULT 20) RETURNS jsonb
LANGUAGE sql STABLE
AS $$
  SELECT weir.answered(tenant, first_day, last_day, zone, 'rows', jsonb_build_object('length', a.length) || weir.paths_merge(ARRAY(
      SELECT p FROM weir.paths_partial(tenant, first_day, last_day, zone, paths_answer.event, property, a.length, a.filter) AS p), a.most))
  FROM (
    SELECT weir.bounded('length', length, 1, 10) AS length, weir.filter_of('filter', filter) AS filter, weir.bounded('top', most, 1, 100) AS most
    OFFSET 0
  ) AS a
$$;
COMMENT ON FUNCTION weir.paths_answer(text, date, date, text, text, text, integer, text, integer) IS
  'Ways through the screens, and where visits end. sql/analytics/paths.sql defines them.';

GRANT EXECUTE ON FUNCTION weir.path_views(text, date, date, text, text, text, jsonb),
  weir.paths_partial(text, date, date, text, text, text, integer, jsonb), weir.path_next(weir.part[]),
  weir.paths_merge(weir.part[], integer),
  weir.paths_answer(text, date, date, text, text, text, integer, text, integer) TO weir_reader;
