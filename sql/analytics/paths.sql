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

-- Each way through a visit, all its views one after the other, once or twice: how many visits had it, and how many of them
-- were a user's first; of users from one number up to another. Views are sorted once; a user's without a session are one list,
-- which is cut where half an hour lies between. (An xid has no order: so ways are grouped by their hashes, and not sorted.)
CREATE OR REPLACE FUNCTION weir.path_ways(lowest bigint, beyond bigint, tenant text, first_day date, last_day date, zone text,
  patterns jsonb, property text)
RETURNS TABLE (screens text[], times bigint, users bigint)
LANGUAGE sql STABLE PARALLEL SAFE
SET jit = off SET work_mem = '256MB' SET enable_nestloop = on
AS $$
  WITH lists AS (
    SELECT s.number, s.session, array_agg(s.screen) AS screens, array_agg(s.at) FILTER (WHERE s.session IS NULL) AS moments
    FROM (
      SELECT e.number, e.session, e.at, CASE WHEN path_ways.property IS NULL THEN e.screen
        ELSE weir.first_text(e.properties, ARRAY[path_ways.property]) END COLLATE "C" AS screen
      FROM weir.happened_to(lowest, beyond, tenant, patterns, lower(weir.span_of_day(zone, first_day)), upper(weir.span_of_day(zone, last_day)),
        CASE WHEN path_ways.property IS NULL THEN '{session,screen}'::text[] ELSE '{session,properties}' END) AS e
      WHERE (e.sure OR (e.at AT TIME ZONE zone)::date BETWEEN first_day AND last_day) AND CASE WHEN path_ways.property IS NULL THEN e.screen
        ELSE weir.first_text(e.properties, ARRAY[path_ways.property]) END IS NOT NULL
      ORDER BY e.number, e.session, e.at, screen
    ) AS s
    GROUP BY s.number, s.session
  ), ways AS MATERIALIZED (
    SELECT t.screens, t.moments, count(*) AS times, count(*) FILTER (WHERE t.of_another_user) AS users
    FROM (
      SELECT l.screens, l.moments, row_number() OVER (PARTITION BY l.number ORDER BY l.session) = 1 AS of_another_user FROM lists AS l
    ) AS t
    GROUP BY t.screens, t.moments, xid '0'
  )
  SELECT w.screens, w.times, w.users FROM ways AS w WHERE w.moments IS NULL
  UNION ALL
  SELECT c.screens, sum(w.times)::bigint, coalesce(sum(w.users) FILTER (WHERE c.visit = 1), 0)::bigint
  FROM ways AS w, LATERAL weir.cut_visits(w.screens, w.moments) AS c
  WHERE w.moments IS NOT NULL
  GROUP BY c.screens
$$;

-- Views in the order of their moments, cut where more than half an hour lies between.
CREATE OR REPLACE FUNCTION weir.cut_visits(screens text[], moments timestamptz[]) RETURNS TABLE (visit bigint, screens text[])
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
  SELECT n.visit, array_agg(n.screen ORDER BY n.place)
  FROM (
    SELECT g.screen, g.place, count(*) FILTER (WHERE g.begins) OVER (ORDER BY g.place) AS visit
    FROM (
      SELECT s.screen, s.place, s.former_at IS NULL OR s.at - s.former_at > interval '30 minutes' AS begins
      FROM unnest(screens, moments, array_prepend(NULL, moments)) WITH ORDINALITY AS s (screen, at, former_at, place)
      WHERE s.place <= cardinality(screens)
    ) AS g
  ) AS n
  GROUP BY n.visit
$$;

-- The first steps of a way: views of another screen than just before.
CREATE OR REPLACE FUNCTION weir.first_steps(screens text[], most integer) RETURNS text[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
  SELECT ARRAY(
    SELECT s.screen FROM unnest(screens, array_prepend(NULL, screens)) WITH ORDINALITY AS s (screen, former, place)
    WHERE s.place = 1 OR s.screen <> s.former
    ORDER BY s.place LIMIT most)
$$;

-- Of these users: by `kind` how often a screen came after another, how often a way was gone to its `length` first steps, and
-- how many visits and users there were. One process does all of it.
CREATE OR REPLACE FUNCTION weir.path_cells(lowest bigint, beyond bigint, tenant text, first_day date, last_day date, zone text,
  patterns jsonb, property text,
  length integer)
RETURNS TABLE (kind text, screen text, former text, is_step boolean, begins boolean, ends boolean, way text[], times bigint)
LANGUAGE sql STABLE PARALLEL SAFE COST 1000000000 ROWS 10000
SET jit = off SET work_mem = '128MB' SET enable_nestloop = on SET max_parallel_workers_per_gather = 0
AS $$
  WITH ways AS MATERIALIZED (
    SELECT w.screens, w.times, w.users
    FROM weir.path_ways(lowest, beyond, tenant, first_day, last_day, zone, patterns, property) AS w WHERE lowest < beyond
  )
  SELECT 'cell', s.screen, s.former, s.place = 1 OR s.former <> s.screen AS is_step, s.place = 1 AS begins, s.place = cardinality(w.screens) AS ends,
    NULL::text[], sum(w.times)::bigint
  FROM ways AS w, LATERAL unnest(w.screens, array_prepend(NULL, w.screens)) WITH ORDINALITY AS s (screen, former, place)
  WHERE s.place <= cardinality(w.screens)
  GROUP BY s.screen, s.former, is_step, begins, ends
  UNION ALL
  SELECT 'way', NULL, NULL, NULL, NULL, NULL, CASE WHEN cardinality(w.screens) = 1 THEN w.screens ELSE weir.first_steps(w.screens, length) END AS way,
    sum(w.times)::bigint
  FROM ways AS w
  GROUP BY way
  UNION ALL
  SELECT f.kind, NULL, NULL, NULL, NULL, NULL, NULL, f.times
  FROM (SELECT sum(w.times)::bigint AS visits, sum(w.users)::bigint AS users FROM ways AS w HAVING count(*) > 0) AS n,
    LATERAL (VALUES ('visits', n.visits), ('users', n.users)) AS f (kind, times)
$$;

-- The same of all users, a half to a process.
CREATE OR REPLACE FUNCTION weir.all_path_cells(halves bigint[], tenant text, first_day date, last_day date, zone text, patterns jsonb, property text,
  length integer)
RETURNS TABLE (kind text, screen text, former text, is_step boolean, begins boolean, ends boolean, way text[], times bigint)
LANGUAGE sql STABLE
SET jit = off
AS $$
  SELECT * FROM weir.path_cells(halves[1], halves[2], tenant, first_day, last_day, zone, patterns, property, length)
  UNION ALL
  SELECT * FROM weir.path_cells(halves[2], halves[3], tenant, first_day, last_day, zone, patterns, property, length)
$$;

-- What a server can say of its own users: `visits`, `users`; by screen `views`, `steps`, `entries`, `exits`; `next` by
-- [from, to]; `path` by its screens. All of it adds up. `beyond` says how many keys were left out.
CREATE OR REPLACE FUNCTION weir.paths_partial(tenant text, first_day date, last_day date, zone text, event text DEFAULT NULL,
  property text DEFAULT NULL, length integer DEFAULT 4, filter jsonb DEFAULT '{}')
RETURNS SETOF weir.part
LANGUAGE sql STABLE
SET jit = off SET work_mem = '256MB'
AS $$
  WITH said AS MATERIALIZED (
    SELECT c.kind, c.screen, c.former, c.is_step, c.begins, c.ends, c.way, c.times
    FROM (
      SELECT weir.narrowed(weir.patterns_named(CASE WHEN paths_partial.event IS NULL THEN weir.screen_events() ELSE ARRAY[paths_partial.event] END),
        filter) AS patterns
      OFFSET 0
    ) AS a
    CROSS JOIN LATERAL weir.all_path_cells(
      weir.halves_of_users(tenant, a.patterns, lower(weir.span_of_day(zone, first_day)), upper(weir.span_of_day(zone, last_day))),
      tenant, first_day, last_day, zone, a.patterns, property, length) AS c
  ), cells AS MATERIALIZED (
    SELECT c.screen, c.former, c.is_step, c.begins, c.ends, sum(c.times) AS times
    FROM said AS c WHERE c.kind = 'cell'
    GROUP BY c.screen, c.former, c.is_step, c.begins, c.ends
  ), screens AS (
    SELECT c.screen, sum(c.times) AS views, coalesce(sum(c.times) FILTER (WHERE c.is_step), 0) AS steps,
      coalesce(sum(c.times) FILTER (WHERE c.begins), 0) AS entries, coalesce(sum(c.times) FILTER (WHERE c.ends), 0) AS exits
    FROM cells AS c
    GROUP BY c.screen
  ), keyed AS (
    SELECT 'screen' AS figure, s.screen AS key, s.steps AS times FROM screens AS s
    UNION ALL
    SELECT 'next', jsonb_build_array(c.former, c.screen)::text, sum(c.times) FROM cells AS c WHERE c.is_step AND NOT c.begins GROUP BY c.former, c.screen
    UNION ALL
    SELECT 'path', (SELECT '[' || string_agg(to_json(s.screen)::text, ', ' ORDER BY s.place) || ']' FROM unnest(g.way) WITH ORDINALITY AS s (screen, place)),
      g.times
    FROM (SELECT w.way, sum(w.times) AS times FROM said AS w WHERE w.kind = 'way' GROUP BY w.way) AS g
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
  SELECT n.kind, '', sum(n.times) FROM said AS n WHERE n.kind IN ('visits', 'users') GROUP BY n.kind
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

GRANT EXECUTE ON FUNCTION weir.path_ways(bigint, bigint, text, date, date, text, jsonb, text), weir.cut_visits(text[], timestamptz[]),
  weir.first_steps(text[], integer), weir.path_cells(bigint, bigint, text, date, date, text, jsonb, text, integer),
  weir.all_path_cells(bigint[], text, date, date, text, jsonb, text, integer),
  weir.paths_partial(text, date, date, text, text, text, integer, jsonb), weir.path_next(weir.part[]),
  weir.paths_merge(weir.part[], integer),
  weir.paths_answer(text, date, date, text, text, text, integer, text, integer) TO weir_reader;
