-- Which ways users go through the screens, and where they leave.
--
--   SELECT weir.paths_answer('acme', '2026-03-01', '2026-03-31', 'Europe/Berlin', length => 5, filter => '{"platform": "iOS"}');
--
-- The window is from one day to another, both counted, in a time zone.
--
--   view         an event of a user's that shows a screen or page: `event`, or one of screen, screen_view, screen_viewed,
--                page, page_view, page_viewed, $screen, $pageview. Which one, `property` says, or the first of screen, page,
--                pathname, path, $screen_name, $pathname, name that it has (the character U+0001 in it is shown as U+FFFD).
--                One without is no view
--   visit        the views of a user with one session_id, or with none, until 30 minutes go by without one: what comes then begins
--                another. What the window cuts off, ends there
--   step         a view of another screen than just before in the visit; views of one moment follow each other by name
--   entries      visits that begin with the screen
--   exits        visits that end with it; drop_off: of the steps to it, those after which no other came
--   next         to which screens users went on from it, how often, and the share of its steps
--   paths        the first `length` steps of visits, one to ten; shorter ones ended there. share: of visits
--
-- The filter holds for each view. Late events count at their own time. Of days that are packed, what all visits have in common is read from
-- tallies, also with a filter by one version, platform, country or property that is tallied, and with one by several of these each visit
-- from its pack (migrations/0038, 0040). There visits end at midnight (UTC): those that went on are taken out, and put together from what
-- is kept beside. Views are read one by one at the window's ends, of today, of visits that are not in packs (migrations/0034) or, where a
-- filter asks for a property, are of several values of it; and of all where an event that is not the only one of these, a property that not
-- all screens come from or a filter by a property that some day has not tallied is given (happened.sql). Exact; where a server has more
-- than 1,000 screens, 5,000 pairs or 5,000 paths, those that occur least are left out of the lists, and `exact` is false.
SET LOCAL ROLE weir_owner;
SET LOCAL check_function_bodies = off;

-- Views of users from one number up to another that are read one by one. `loose` are the patterns for those of visits that are not
-- in packs; these have no `property`, since they are read only where all screens come from it. Without settings of its own,
-- so that it becomes part of what asks.
CREATE OR REPLACE FUNCTION weir.path_views(lowest bigint, beyond bigint, asked weir.asked, patterns jsonb, loose jsonb, property text)
RETURNS TABLE (number bigint, session bigint, at timestamptz, screen text)
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
  SELECT v.*
  FROM (
    SELECT e.number, e.session, e.at,
      weir.path_screen(CASE WHEN path_views.property IS NULL OR weir.is_made(e.event) THEN e.screen
        ELSE weir.first_text(e.properties, ARRAY[path_views.property]) END) AS screen
    FROM weir.happened_beside(lowest, beyond, asked, patterns, loose,
      CASE WHEN path_views.property IS NULL THEN '{session,screen}'::text[] ELSE '{session,screen,properties}' END) AS e
  ) AS v
  WHERE v.screen IS NOT NULL
$$;

-- The screens of a pack's events, by hashes of texts that are all among `known`. (In PL/pgSQL, which finds each by its place.)
CREATE OR REPLACE FUNCTION weir.screens_known(hashes bigint[], known bigint[], screens text[]) RETURNS text[]
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE COST 1
SET plan_cache_mode = force_generic_plan
AS $$
BEGIN
  RETURN ARRAY(SELECT screens[width_bucket(h, known)] FROM unnest(hashes) AS h);
END
$$;

-- The texts of a property that packs list by their hashes (migrations/0046), each looked up in one event, in the order of hashes.
CREATE OR REPLACE FUNCTION weir.path_texts(lowest bigint, beyond bigint, asked weir.asked, patterns jsonb, property text)
RETURNS TABLE (known bigint[], screens text[])
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
  SELECT array_agg(t.hash ORDER BY t.hash), array_agg(weir.path_screen(t.text) ORDER BY t.hash)
  FROM (
    SELECT array_agg(h.hash) AS hashes, array_agg(h.pack) AS packs
    FROM (
      SELECT u.hash, min(u.pack) AS pack
      FROM (
        SELECT weir.pack_number(k.day, k.place, k.part) AS pack, unnest(k.hashes) AS hash
        FROM weir.packs_to_read(NULL, lowest, beyond, asked.tenant, patterns, asked.since, asked.until, '{}', property) AS k
      ) AS u
      WHERE u.hash IS NOT NULL
      GROUP BY u.hash
    ) AS h
  ) AS h
  CROSS JOIN LATERAL weir.texts_of_hashes(asked.tenant, patterns, property, h.hashes, h.packs) AS t
$$;

-- Views whose screens are texts of a property that not all screens come from: those in packs, day by day, so that what sorts them has to sort each
-- day alone.
CREATE OR REPLACE FUNCTION weir.path_views_of(lowest bigint, beyond bigint, asked weir.asked, patterns jsonb, property text)
RETURNS TABLE (day date, number bigint, session bigint, at timestamptz, screen text)
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
  SELECT v.day, v.number, v.session, v.at, CASE WHEN v.listed THEN v.screen ELSE weir.path_screen(v.screen) END
  FROM (
    SELECT k.day, unnest(k.numbers) AS number, unnest(k.sessions) AS session, unnest(k.moments) AS at,
      unnest(CASE WHEN k.hashes IS NULL THEN weir.pages_said(k.properties, property) ELSE weir.screens_known(k.hashes, t.known, t.screens) END) COLLATE "C" AS screen,
      unnest(k.versions) AS version, unnest(k.platforms) AS platform, unnest(k.countries) AS country, unnest(k.properties) AS properties,
      k.hashes IS NOT NULL AS listed, k.has, k.of_version, k.of_platform, k.of_country, k.anything, k.sure, k.first, k.last
    FROM weir.path_texts(lowest, beyond, asked, patterns, property) AS t
    CROSS JOIN weir.packs_to_read(NULL, lowest, beyond, asked.tenant, patterns, asked.since, asked.until, '{session}', property) AS k
    ORDER BY k.day
  ) AS v
  WHERE v.screen IS NOT NULL AND v.number >= lowest AND v.number < beyond
    AND (v.sure OR v.at >= v.first AND v.at < v.last AND (v.at AT TIME ZONE asked.zone)::date BETWEEN asked.first_day AND asked.last_day)
    AND (v.anything OR weir.is_like(v.has, v.of_version, v.of_platform, v.of_country, v.properties, v.version, v.platform, v.country))
$$;

-- And those of days that are not packed.
CREATE OR REPLACE FUNCTION weir.path_rows_of(lowest bigint, beyond bigint, asked weir.asked, patterns jsonb, property text)
RETURNS TABLE (number bigint, session bigint, at timestamptz, screen text)
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
  SELECT r.number, r.session, r.at, r.screen
  FROM (
    SELECT r.number, r.session, r.at, weir.path_screen(weir.text_at(r.properties, property)) AS screen
    FROM weir.happened_in_rows(asked.tenant, patterns, asked.since, asked.until, '{session,properties}') AS r
    WHERE r.number >= lowest AND r.number < beyond AND (r.sure OR (r.at AT TIME ZONE asked.zone)::date BETWEEN asked.first_day AND asked.last_day)
  ) AS r
  WHERE r.screen IS NOT NULL
$$;

-- Visits that stand in packs. What is said of all of them is unpacked alone where that is all that is asked for.
CREATE OR REPLACE FUNCTION weir.path_visits(lowest bigint, beyond bigint, asked weir.asked, visits jsonb)
RETURNS TABLE (number bigint, way text)
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
  SELECT v.number, v.way
  FROM (
    SELECT unnest(k.numbers) AS number, unnest(k.screens) AS way
    FROM weir.packs_to_read(NULL, lowest, beyond, asked.tenant, weir.patterns_of_name(visits, true), asked.first, asked.last, '{screen}') AS k
    WHERE asked.first < asked.last
  ) AS v
  WHERE v.number >= lowest AND v.number < beyond
  UNION ALL
  SELECT h.number, h.screen
  FROM weir.happened_in_packs(NULL, lowest, beyond, asked.tenant, weir.patterns_of_name(visits, false), asked.first, asked.last, '{screen}') AS h
  WHERE asked.first < asked.last
$$;

-- Of visits in packs those that begin or end near midnight, and so may be parts of one (migrations/0040).
CREATE OR REPLACE FUNCTION weir.path_parts(lowest bigint, beyond bigint, asked weir.asked, parts jsonb)
RETURNS TABLE (number bigint, session bigint, since timestamptz, until timestamptz, way text)
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
  SELECT p.number, p.session, p.at, p.at + p.duration::float8 * interval '1 second', p.screen
  FROM weir.happened_in_packs(NULL, lowest, beyond, asked.tenant, parts, asked.first, asked.last, '{session,screen,duration}') AS p
  WHERE asked.first < asked.last
$$;

-- Of which session each of them is, whatever a filter asks for; of one without a name its user.
CREATE OR REPLACE FUNCTION weir.path_part_sessions(lowest bigint, beyond bigint, asked weir.asked, parts jsonb) RETURNS TABLE (session bigint)
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
  SELECT coalesce(s.session, s.number)
  FROM (
    SELECT unnest(k.numbers) AS number, unnest(k.sessions) AS session
    FROM weir.packs_to_read(NULL, lowest, beyond, asked.tenant, parts, asked.first, asked.last, '{session}') AS k
    WHERE asked.first < asked.last
  ) AS s
$$;

-- Each way through a visit, all its views one after the other, and how many visits had it; and how many users there were, in the
-- row without a way: those who are not among day_viewers where visits have a `tally`, and so are not read here. `sessions` are the views of a user with one
-- session_id, or with none: of each packed UTC day where a property of its own is asked for, and of all else together. Few are so long that they have to be looked
-- at for half an hour without a view. A visit that neither begins in a UTC day's first half hour nor ends in its last is whole; of others the parts are strung
-- together. Visits in packs that are parts of one are taken out again: a way may be there a negative number of times. (Which sessions may have several parts is
-- asked first, told by who stands beside the same in a sorted list. What is looked up is asked for with IS TRUE or IS NOT TRUE, so that it is hashed whatever the
-- planner thinks of its number. And enable_sort is off so that what comes day by day gets an incremental sort, of one day at a time.)
CREATE OR REPLACE FUNCTION weir.path_ways(lowest bigint, beyond bigint, asked weir.asked, patterns jsonb, visits jsonb, parts jsonb, loose jsonb,
  property text, tally text[])
RETURNS TABLE (way text, times bigint)
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET plan_cache_mode = force_custom_plan SET jit = off SET work_mem = '256MB' SET enable_nestloop = on SET enable_sort = off
AS $$
#variable_conflict use_column
DECLARE
  by_day constant boolean := asked.first = asked.last AND property IS NOT NULL;
BEGIN
  RETURN QUERY WITH packed AS MATERIALIZED (
    SELECT p.number, p.way FROM weir.path_visits(lowest, beyond, asked, visits) AS p WHERE tally IS NULL
  ), sessions AS MATERIALIZED (
    SELECT v.number, v.session, v.way, v.since, v.until, CASE WHEN v.until - v.since > interval '30 minutes' THEN v.moments END AS moments
    FROM (
      SELECT v.number, v.session, string_agg(v.screen, weir.path_mark()) AS way, array_agg(v.at) AS moments, min(v.at) AS since, max(v.at) AS until
      FROM (
        SELECT * FROM weir.path_views(lowest, beyond, asked, patterns, loose, property) AS v WHERE NOT by_day
        UNION ALL
        SELECT * FROM weir.path_rows_of(lowest, beyond, asked, patterns, property) AS v WHERE by_day
        ORDER BY number, session, at, screen
      ) AS v
      GROUP BY v.number, v.session
      UNION ALL
      SELECT v.number, v.session, string_agg(v.screen, weir.path_mark()), array_agg(v.at), min(v.at), max(v.at)
      FROM (
        SELECT * FROM weir.path_views_of(lowest, beyond, asked, patterns, property) AS v WHERE by_day
        ORDER BY v.day, v.number, v.session, v.at, v.screen COLLATE "default"
      ) AS v
      GROUP BY v.day, v.number, v.session
    ) AS v
  ), cut AS (
    SELECT v.number, v.session, min(v.at) AS since, max(v.at) AS until, string_agg(v.screen, weir.path_mark() ORDER BY v.place) AS way
    FROM (
      SELECT s.number, s.session, s.since, v.at, v.screen, v.place,
        count(*) FILTER (WHERE v.at - v.former_at > interval '30 minutes') OVER (PARTITION BY s.number, s.session, s.since ORDER BY v.place) AS visit
      FROM sessions AS s,
        unnest(string_to_array(s.way, weir.path_mark()), s.moments, array_prepend(NULL, s.moments)) WITH ORDINALITY AS v (screen, at, former_at, place)
      WHERE s.moments IS NOT NULL AND v.screen IS NOT NULL
    ) AS v
    GROUP BY v.number, v.session, v.since, v.visit
  ), viewed AS NOT MATERIALIZED (
    SELECT v.*, (v.since AT TIME ZONE 'UTC')::time >= time '00:30' AND (v.until AT TIME ZONE 'UTC')::time < time '23:30' AS is_whole
    FROM (
      SELECT s.number, s.session, s.since, s.until, s.way FROM sessions AS s WHERE s.moments IS NULL
      UNION ALL
      SELECT c.number, c.session, c.since, c.until, c.way FROM cut AS c
    ) AS v
  ), several AS MATERIALIZED (
    SELECT s.session
    FROM (
      SELECT unnest(s.sorted) AS session, unnest(s.sorted[2:]) AS next
      FROM (SELECT array_agg(p.session ORDER BY p.session) AS sorted FROM weir.path_part_sessions(lowest, beyond, asked, parts) AS p) AS s
    ) AS s
    WHERE s.session = s.next
    UNION
    SELECT coalesce(v.session, v.number) FROM viewed AS v WHERE NOT v.is_whole
  ), lines AS (
    SELECT p.number, p.session, p.since, p.until, p.way, true AS is_counted FROM weir.path_parts(lowest, beyond, asked, parts) AS p
    WHERE (coalesce(p.session, p.number) IN (SELECT s.session FROM several AS s)) IS TRUE
    UNION ALL
    SELECT v.number, v.session, v.since, v.until, v.way, false FROM viewed AS v WHERE NOT v.is_whole
  ), strung AS MATERIALIZED (
    SELECT string_agg(l.way, weir.path_mark() ORDER BY l.since, l.way) AS way, array_agg(l.way) FILTER (WHERE l.is_counted) AS parts,
      count(*) > 1 OR NOT bool_or(l.is_counted) AS is_new
    FROM (
      SELECT l.*, count(*) FILTER (WHERE l.begins) OVER (PARTITION BY l.number, l.session ORDER BY l.since, l.way) AS visit
      FROM (
        SELECT l.*, l.since - lag(l.until) OVER (PARTITION BY l.number, l.session ORDER BY l.since, l.way) > interval '30 minutes' AS begins
        FROM lines AS l
      ) AS l
    ) AS l
    GROUP BY l.number, l.session, l.visit
  ), known AS MATERIALIZED (
    SELECT v.chunk, bit_or(v.users) AS users FROM weir.day_viewers AS v
    WHERE v.tenant_id = asked.tenant AND v.day = ANY (ARRAY(SELECT weir.made_days(asked))) AND v.dimension = tally[1] AND v.value = tally[2]
    GROUP BY v.chunk
  )
  SELECT w.way, sum(w.times)
  FROM (
    SELECT p.way, 1 AS times FROM packed AS p
    UNION ALL
    SELECT v.way, 1 FROM viewed AS v WHERE v.is_whole
    UNION ALL
    SELECT s.way, 1 FROM strung AS s WHERE s.is_new
    UNION ALL
    SELECT unnest(s.parts), -1 FROM strung AS s WHERE s.is_new
  ) AS w
  GROUP BY w.way
  UNION ALL
  SELECT NULL::text, count(*)
  FROM (SELECT p.number FROM packed AS p UNION SELECT s.number FROM sessions AS s) AS u
  LEFT JOIN known AS k ON u.number >= 0 AND k.chunk = u.number / 20480
  WHERE k.users IS NULL OR get_bit(k.users, (u.number % 20480)::integer) = 0;
END
$$;

-- Whether one of the first `length` views, ten at most, is of the same screen as the one before: else they are the first steps.
-- Written out, since each way would be a query else.
CREATE OR REPLACE FUNCTION weir.stays_at_first(screens text[], length integer) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
  SELECT length > 1 AND screens[1] = screens[2] OR length > 2 AND screens[2] = screens[3] OR length > 3 AND screens[3] = screens[4]
    OR length > 4 AND screens[4] = screens[5] OR length > 5 AND screens[5] = screens[6] OR length > 6 AND screens[6] = screens[7]
    OR length > 7 AND screens[7] = screens[8] OR length > 8 AND screens[8] = screens[9] OR length > 9 AND screens[9] = screens[10]
$$;

-- Of these users: by `kind` how often a screen came after another, and how often the visit ended there, how often a way was gone to
-- its `length` first steps, and how many users there were. One process does all of it. (weir.first_steps() would not
-- become part of the query, and take three times as long.)
CREATE OR REPLACE FUNCTION weir.path_cells(lowest bigint, beyond bigint, asked weir.asked, patterns jsonb, visits jsonb, parts jsonb, loose jsonb, property text,
  length integer, tally text[])
RETURNS TABLE (kind text, screen text, former text, way text, times bigint, exits bigint)
LANGUAGE plpgsql STABLE PARALLEL SAFE COST 1000000000 ROWS 10000
SET plan_cache_mode = force_custom_plan SET jit = off SET work_mem = '128MB' SET enable_nestloop = on SET max_parallel_workers_per_gather = 0
AS $$
#variable_conflict use_column
BEGIN
  RETURN QUERY WITH ways AS MATERIALIZED (
    SELECT w.way, string_to_array(w.way, weir.path_mark()) AS screens, w.times
    FROM weir.path_ways(lowest, beyond, asked, patterns, visits, parts, loose, property, tally) AS w
    WHERE lowest < beyond
  )
  SELECT 'step', s.screen, s.former, NULL::text, sum(s.times)::bigint, coalesce(sum(s.times) FILTER (WHERE s.next IS NULL), 0)::bigint
  FROM (
    SELECT unnest(w.screens) AS screen, unnest(array_prepend(weir.path_mark(), w.screens)) AS former, unnest(w.screens[2:]) AS next, w.times
    FROM ways AS w WHERE w.way IS NOT NULL
  ) AS s
  WHERE s.screen IS NOT NULL
  GROUP BY s.screen, s.former
  UNION ALL
  SELECT 'way', NULL::text, NULL::text, CASE
    WHEN weir.stays_at_first(w.screens, length) THEN array_to_string(ARRAY(
      SELECT s.screen FROM unnest(w.screens, array_prepend(NULL, w.screens)) WITH ORDINALITY AS s (screen, former, place)
      WHERE s.place = 1 OR s.screen <> s.former
      ORDER BY s.place LIMIT length), weir.path_mark())
    WHEN cardinality(w.screens) <= length THEN w.way ELSE array_to_string(w.screens[:length], weir.path_mark()) END AS steps, sum(w.times)::bigint, NULL::bigint
  FROM ways AS w WHERE w.way IS NOT NULL
  GROUP BY steps
  UNION ALL
  SELECT 'users', NULL::text, NULL::text, NULL::text, w.times, NULL::bigint FROM ways AS w WHERE w.way IS NULL;
END
$$;

-- A way as a list of JSON.
CREATE OR REPLACE FUNCTION weir.path_key(way text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
  SELECT '[' || string_agg(to_json(s.screen)::text, ', ' ORDER BY s.place) || ']'
  FROM unnest(string_to_array(way, weir.path_mark())) WITH ORDINALITY AS s (screen, place)
$$;

-- All of it of all users: a half to a process.
CREATE OR REPLACE FUNCTION weir.all_path_cells(halves bigint[], asked weir.asked, patterns jsonb, visits jsonb, parts jsonb, loose jsonb, property text,
  length integer, tally text[])
RETURNS TABLE (kind text, screen text, former text, way text, times bigint, exits bigint)
LANGUAGE sql STABLE
SET jit = off
AS $$
  SELECT * FROM weir.path_cells(halves[1], halves[2], asked, patterns, visits, parts, loose, property, length, tally)
  UNION ALL
  SELECT * FROM weir.path_cells(halves[2], halves[3], asked, patterns, visits, parts, loose, property, length, tally)
$$;

-- What a server can say of its own users: `visits`, `users`; by screen `views`, `steps`, `entries`, `exits`; `next` by
-- [from, to] of the screens that are told; `path` by its screens, with weir.path_mark() between. All of it adds up. `beyond` says how many keys were left out.
-- With `most` it is for an answer of this server alone that tells so many ways: less frequent ones may be left out, or have fewer visits than they had, and `beyond` may count a way
-- once for each day.
CREATE OR REPLACE FUNCTION weir.paths_partial(tenant text, first_day date, last_day date, zone text, event text DEFAULT NULL,
  property text DEFAULT NULL, length integer DEFAULT 4, filter jsonb DEFAULT '{}', most integer DEFAULT NULL)
RETURNS SETOF weir.part
LANGUAGE sql STABLE
SET jit = off SET work_mem = '256MB' SET enable_sort = off
AS $$
  WITH question AS MATERIALIZED (
    SELECT weir.asked_of(tenant, zone, first_day, last_day, e.made) AS asked,
      weir.narrowed(weir.patterns_named(CASE WHEN paths_partial.event IS NULL THEN weir.screen_events() ELSE ARRAY[paths_partial.event] END), filter) AS patterns,
      weir.narrowed(weir.patterns_named(ARRAY[weir.made_pack('visits')]), filter) AS visits,
      weir.narrowed(weir.patterns_named(ARRAY[weir.made_pack('loose ways')]), filter) AS parts,
      weir.narrowed(weir.patterns_named(ARRAY[weir.made_pack('loose views')] ||
        CASE WHEN filter ? 'properties' THEN ARRAY[weir.made_pack('mixed views')] END), filter) AS loose,
      CASE WHEN e.made THEN weir.tallied_by(filter) END AS tally
    FROM (
      SELECT (paths_partial.event IS NULL OR weir.is_only_event(tenant, first_day, last_day, paths_partial.event, weir.screen_events()))
        AND weir.are_all_from(tenant, first_day, last_day, 'screens', property) AND weir.tells_properties(tenant, first_day, last_day, filter) AS made
      OFFSET 0
    ) AS e
  ), beside AS MATERIALIZED (
    SELECT c.*
    FROM question AS q
    CROSS JOIN LATERAL weir.all_path_cells(weir.halves_of_users(tenant, q.patterns, (q.asked).since, (q.asked).until),
      q.asked, q.patterns, q.visits, q.parts, q.loose, property, length, q.tally) AS c
  ), tallied AS MATERIALIZED (
    SELECT t.*
    FROM question AS q
    CROSS JOIN LATERAL weir.path_tallies(q.asked, length, q.tally,
      ARRAY(SELECT b.screen FROM beside AS b WHERE b.kind = 'step' AND q.tally IS NOT NULL), ARRAY(SELECT b.former FROM beside AS b WHERE b.kind = 'step' AND q.tally IS NOT NULL),
      ARRAY(SELECT b.way FROM beside AS b WHERE b.kind = 'way' AND q.tally IS NOT NULL),
      ARRAY(SELECT b.times FROM beside AS b WHERE b.kind = 'way' AND q.tally IS NOT NULL), most) AS t
    WHERE q.tally IS NOT NULL
  ), said AS NOT MATERIALIZED (
    SELECT * FROM beside UNION ALL SELECT * FROM tallied
  ), steps AS MATERIALIZED (
    SELECT s.screen, s.former, sum(s.times) AS times, sum(s.exits) AS exits FROM said AS s WHERE s.kind = 'step'
    GROUP BY s.screen, s.former
    HAVING sum(s.times) > 0
  ), screens AS MATERIALIZED (
    SELECT s.screen, sum(s.times) AS views, coalesce(sum(s.times) FILTER (WHERE s.former <> s.screen), 0) AS steps,
      coalesce(sum(s.times) FILTER (WHERE s.former = weir.path_mark()), 0) AS entries, sum(s.exits) AS exits
    FROM steps AS s
    GROUP BY s.screen
  ), told AS MATERIALIZED (
    SELECT * FROM screens AS s ORDER BY s.steps DESC, s.screen COLLATE "C" LIMIT 1000
  ), next AS MATERIALIZED (
    SELECT s.former, s.screen, s.times FROM steps AS s WHERE s.former <> s.screen AND s.former NOT IN (weir.path_mark(), '')
  ), ways AS MATERIALIZED (
    SELECT s.way, sum(s.times) AS times FROM said AS s WHERE s.kind = 'way'
    GROUP BY s.way
    HAVING sum(s.times) > 0
  ), left_out AS MATERIALIZED (
    SELECT coalesce(sum(t.times) FILTER (WHERE t.kind = 'more steps'), 0) AS steps, coalesce(sum(t.times) FILTER (WHERE t.kind = 'more ways'), 0) AS ways,
      coalesce(sum(t.exits) FILTER (WHERE t.kind = 'more ways'), 0) AS visits
    FROM tallied AS t
  )
  SELECT f.figure, s.screen, f.amount
  FROM told AS s,
    LATERAL (VALUES ('views', s.views), ('steps', s.steps), ('entries', s.entries), ('exits', s.exits)) AS f (figure, amount)
  UNION ALL
  SELECT 'next', jsonb_build_array(n.former, n.screen)::text, n.times
  FROM (SELECT * FROM next AS n ORDER BY n.times DESC, n.former COLLATE "C", n.screen COLLATE "C" LIMIT weir.most_paths()) AS n
  WHERE n.former IN (SELECT t.screen FROM told AS t)
  UNION ALL
  SELECT 'path', w.way, w.times FROM (SELECT * FROM ways AS w ORDER BY w.times DESC, w.way COLLATE "C" LIMIT weir.most_paths()) AS w
  UNION ALL
  SELECT 'beyond', c.figure, c.keys - c.most
  FROM (
    SELECT 'screen' AS figure, count(*) AS keys, 1000 AS most FROM screens
    UNION ALL
    SELECT 'next', (SELECT count(*) FROM next) + l.steps, weir.most_paths() FROM left_out AS l
    UNION ALL
    SELECT 'path', (SELECT count(*) FROM ways) + l.ways, weir.most_paths() FROM left_out AS l
  ) AS c
  WHERE c.keys > c.most
  UNION ALL
  SELECT 'users', '', sum(s.times) FROM said AS s WHERE s.kind = 'users' HAVING count(*) > 0
  UNION ALL
  SELECT 'visits', '', v.visits + l.visits
  FROM (SELECT coalesce(sum(s.times), 0) AS visits FROM said AS s WHERE s.kind = 'way') AS v, left_out AS l
  WHERE v.visits + l.visits > 0
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
    SELECT weir.path_key(t.way) AS key, t.visits
    FROM (
      SELECT p.key AS way, sum(p.amount) AS visits FROM unnest(parts) AS p WHERE p.figure = 'path' GROUP BY p.key
      ORDER BY visits DESC FETCH FIRST most ROWS WITH TIES
    ) AS t
    ORDER BY t.visits DESC, weir.path_key(t.way) COLLATE "C" LIMIT most
  ), whole AS MATERIALIZED (
    SELECT weir.amount_of(parts, 'visits') AS visits
  )
  SELECT jsonb_build_object('visits', (SELECT a.visits FROM whole AS a), 'users', weir.amount_of(parts, 'users'),
    'screens', coalesce((
      SELECT jsonb_agg(jsonb_build_object('screen', t.screen, 'views', t.views, 'steps', t.steps, 'entries', t.entries, 'exits', t.exits,
        'drop_off', weir.ratio(t.exits, t.steps), 'next', coalesce(n.next, '[]')) ORDER BY t.steps DESC, t.screen COLLATE "C")
      FROM top AS t LEFT JOIN weir.path_next(parts) AS n ON n.screen = t.screen), '[]'),
    'more_screens', greatest((SELECT count(*) FROM screens) - most, 0),
    'paths', coalesce((
      SELECT jsonb_agg(jsonb_build_object('screens', w.key::jsonb, 'visits', w.visits, 'share', weir.ratio(w.visits, a.visits))
        ORDER BY w.visits DESC, w.key COLLATE "C")
      FROM ways AS w, whole AS a), '[]'),
    'exact', NOT EXISTS (SELECT FROM unnest(parts) AS p WHERE p.figure = 'beyond'))
$$;

CREATE OR REPLACE FUNCTION weir.paths_answer(tenant text, first_day date, last_day date, zone text DEFAULT 'UTC', event text DEFAULT NULL,
  property text DEFAULT NULL, length integer DEFAULT 4, filter text DEFAULT NULL, most integer DEFAULT 20) RETURNS jsonb
LANGUAGE sql STABLE
AS $$
  SELECT weir.answered(tenant, first_day, last_day, zone, 'rows', jsonb_build_object('length', a.length) || weir.paths_merge(ARRAY(
      SELECT p FROM weir.paths_partial(tenant, first_day, last_day, zone, a.event, property, a.length, a.filter, a.most) AS p), a.most))
  FROM (
    SELECT weir.named_event('event', paths_answer.event) AS event,
      weir.bounded('length', length, 1, 10) AS length, weir.filter_of('filter', filter) AS filter, weir.bounded('top', most, 1, 100) AS most
    OFFSET 0
  ) AS a
$$;
COMMENT ON FUNCTION weir.paths_answer(text, date, date, text, text, text, integer, text, integer) IS
  'Ways through the screens, and where visits end. sql/analytics/paths.sql defines them.';

GRANT EXECUTE ON FUNCTION weir.path_views(bigint, bigint, weir.asked, jsonb, jsonb, text), weir.screens_known(bigint[], bigint[], text[]),
  weir.path_texts(bigint, bigint, weir.asked, jsonb, text), weir.path_views_of(bigint, bigint, weir.asked, jsonb, text),
  weir.path_rows_of(bigint, bigint, weir.asked, jsonb, text),
  weir.path_visits(bigint, bigint, weir.asked, jsonb), weir.path_parts(bigint, bigint, weir.asked, jsonb),
  weir.path_part_sessions(bigint, bigint, weir.asked, jsonb), weir.path_ways(bigint, bigint, weir.asked, jsonb, jsonb, jsonb, jsonb, text, text[]),
  weir.stays_at_first(text[], integer), weir.path_cells(bigint, bigint, weir.asked, jsonb, jsonb, jsonb, jsonb, text, integer, text[]),
  weir.path_key(text),
  weir.all_path_cells(bigint[], weir.asked, jsonb, jsonb, jsonb, jsonb, text, integer, text[]),
  weir.paths_partial(text, date, date, text, text, text, integer, jsonb, integer), weir.path_next(weir.part[]), weir.paths_merge(weir.part[], integer),
  weir.paths_answer(text, date, date, text, text, text, integer, text, integer) TO weir_reader;
