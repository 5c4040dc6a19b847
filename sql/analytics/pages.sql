-- Which pages are slow: the distribution of a duration by page.
--
--   SELECT weir.pages_answer('acme', '2026-03-01', '2026-03-31', 'Europe/Berlin', event => 'page_viewed', property => 'load_ms');
--
-- The window is from one day to another, both counted, in a time zone.
--
--   measurement  an event, `event` or one of those that show a screen (paths.sql) or are called web_vital, web_vitals or
--                page_load, that has a number in `property`, or in the first of load_ms, duration_ms, duration, value that is
--                one. Texts that look like numbers are none. Its unit is what the client sends
--   page         as paths.sql finds a screen, by `page` if it is given; measurements without one have NULL
--   pages        count, mean, median, p75, p95 of the pages with at least `at_least` measurements, those with the highest p75
--                first: the share of visitors that web vitals go by. `left_out` are the pages with fewer
--
-- Those without a user count, too. Of days that are packed, read from tallies, also with a filter by one version, platform, country or property
-- that is tallied (migrations/0038, 0040); event by event (happened.sql) at the window's ends, of today, and where another event, a property that
-- not all durations come from, a page that not all screens come from, or another filter is given, with numbers and texts of properties from lists beside
-- packs (migrations/0046). Counts are exact, percentiles off by 1 % at most.
-- Where a server has more than 1,000 pages, those with the fewest measurements are together in `other`, else null.
SET LOCAL ROLE weir_owner;
SET LOCAL check_function_bodies = off;

-- The numbers of a pack's events, NULL instead of those that lie outside of a window.
CREATE OR REPLACE FUNCTION weir.numbers_within(asked weir.asked, numbers numeric[], moments timestamptz[]) RETURNS numeric[]
LANGUAGE plpgsql STABLE PARALLEL SAFE COST 1
SET plan_cache_mode = force_generic_plan
AS $$
BEGIN
  RETURN ARRAY(
    SELECT CASE WHEN u.at >= asked.since AND u.at < asked.until AND (u.at AT TIME ZONE asked.zone)::date BETWEEN asked.first_day AND asked.last_day THEN u.number END
    FROM unnest(numbers, moments) AS u (number, at));
END
$$;

-- The pages of a pack's events, from their properties.
CREATE OR REPLACE FUNCTION weir.pages_said(properties jsonb[], property text) RETURNS text[]
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE COST 1
SET plan_cache_mode = force_generic_plan
AS $$
BEGIN
  RETURN ARRAY(SELECT weir.text_at(u.about, property) FROM unnest(properties) AS u (about));
END
$$;

-- Which pack it is: its day, the place of its pattern, its part.
CREATE OR REPLACE FUNCTION weir.pack_number(day date, place integer, part integer) RETURNS bigint
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT ((day - '2000-01-01')::bigint << 40) + (place::bigint << 32) + part $$;

-- The packs, or a third of them, of a span of a window, with pages and numbers. Where lists tell, pages are hashes; `pack` says of which pack these are. Numbers outside of
-- the window are NULL.
CREATE OR REPLACE FUNCTION weir.measured_packs(third integer, asked weir.asked, patterns jsonb, since timestamptz, until timestamptz, by_property text,
  by_page text)
RETURNS TABLE (pack bigint, hashes bigint[], pages text[], measured numeric[], versions text[], platforms text[], countries text[], properties jsonb[], has jsonb,
  of_version text, of_platform text, of_country text, anything boolean)
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
  SELECT weir.pack_number(k.day, k.place, k.part), k.hashes,
    CASE WHEN by_page IS NULL THEN k.screens WHEN k.hashes IS NULL THEN weir.pages_said(k.properties, by_page) END,
    CASE WHEN k.sure THEN CASE WHEN by_property IS NULL THEN k.durations ELSE k.amounts END
      ELSE weir.numbers_within(asked, CASE WHEN by_property IS NULL THEN k.durations ELSE k.amounts END, k.moments) END,
    k.versions, k.platforms, k.countries, k.properties, k.has, k.of_version, k.of_platform, k.of_country, k.anything
  FROM weir.packs_to_read(third, NULL, NULL, asked.tenant, patterns, since, until,
    CASE WHEN by_page IS NULL THEN '{screen}'::text[] ELSE '{}' END || CASE WHEN by_property IS NULL THEN '{duration}'::text[] ELSE '{}' END,
    by_page, by_property) AS k
$$;

-- Measurements in them. Where patterns are names alone, nothing else is unpacked, and the other half is no part of the plan.
CREATE OR REPLACE FUNCTION weir.measured_in_packs(third integer, asked weir.asked, patterns jsonb, since timestamptz, until timestamptz, by_property text,
  by_page text)
RETURNS TABLE (page text, hash bigint, pack bigint, number numeric)
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
  SELECT u.page, u.hash, u.pack, u.number
  FROM (
    SELECT k.pack, unnest(k.hashes) AS hash, unnest(k.pages) AS page, unnest(k.measured) AS number
    FROM weir.measured_packs(third, asked, patterns, since, until, by_property, by_page) AS k
  ) AS u
  WHERE u.number IS NOT NULL AND weir.are_names(patterns)
  UNION ALL
  SELECT u.page, u.hash, u.pack, u.number
  FROM (
    SELECT k.pack, unnest(k.hashes) AS hash, unnest(k.pages) AS page, unnest(k.measured) AS number, unnest(k.versions) AS version,
      unnest(k.platforms) AS platform, unnest(k.countries) AS country, unnest(k.properties) AS properties, k.has, k.of_version, k.of_platform, k.of_country, k.anything
    FROM weir.measured_packs(third, asked, patterns, since, until, by_property, by_page) AS k
  ) AS u
  WHERE u.number IS NOT NULL AND NOT weir.are_names(patterns)
    AND (u.anything OR weir.is_like(u.has, u.of_version, u.of_platform, u.of_country, u.properties, u.version, u.platform, u.country))
$$;

-- All of them (why in thirds, happened.sql says).
CREATE OR REPLACE FUNCTION weir.measured(asked weir.asked, patterns jsonb, since timestamptz, until timestamptz, by_property text, by_page text)
RETURNS TABLE (page text, hash bigint, pack bigint, number numeric)
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
  SELECT * FROM weir.measured_in_packs(0, asked, patterns, since, until, by_property, by_page)
  UNION ALL
  SELECT * FROM weir.measured_in_packs(1, asked, patterns, since, until, by_property, by_page)
  UNION ALL
  SELECT * FROM weir.measured_in_packs(2, asked, patterns, since, until, by_property, by_page)
$$;

-- The texts of hashes of a property, each looked up in a pack that has it.
CREATE OR REPLACE FUNCTION weir.texts_of_hashes(tenant text, patterns jsonb, property text, hashes bigint[], packs bigint[])
RETURNS TABLE (hash bigint, text text)
LANGUAGE sql STABLE PARALLEL SAFE
SET jit = off SET enable_nestloop = on
AS $$
  SELECT t.hash, weir.text_at(t.properties, property)
  FROM (
    SELECT date '2000-01-01' + (h.pack >> 40)::integer AS day, (h.pack >> 32 & 255)::integer AS place, (h.pack & 4294967295)::integer AS part,
      array_agg(h.hash) AS hashes
    FROM unnest(hashes, packs) AS h (hash, pack)
    GROUP BY h.pack
  ) AS h
  JOIN weir.listed_patterns(patterns) AS w ON w.place = h.place
  JOIN weir.pack_values AS v ON (v.tenant_id, v.day, v.event, v.part, v.name) = (tenant, h.day, w.event, h.part, property)
  JOIN weir.packs AS p ON (p.tenant_id, p.day, p.event, p.part) = (tenant, h.day, w.event, h.part)
  CROSS JOIN LATERAL (
    SELECT array_agg(f.hash) AS hashes, array_agg(f.place) AS places
    FROM (
      SELECT u.hash, min(u.place)::integer AS place
      FROM unnest(v.hashes) WITH ORDINALITY AS u (hash, place)
      WHERE u.hash IN (SELECT unnest(h.hashes))
      GROUP BY u.hash
    ) AS f
  ) AS f
  CROSS JOIN LATERAL unnest(f.hashes, weir.picked(p.properties, f.places)) AS t (hash, properties)
$$;

-- How many measurements of a page fell in which slot, and their sum: of days whose tallies are not read.
CREATE OR REPLACE FUNCTION weir.page_slots(asked weir.asked, patterns jsonb, by_property text, by_page text)
RETURNS TABLE (page text, slot integer, times bigint, total numeric)
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET plan_cache_mode = force_custom_plan SET jit = off SET work_mem = '128MB' SET enable_sort = off SET enable_nestloop = on
SET cpu_tuple_cost = 1 SET parallel_tuple_cost = 5
AS $$
#variable_conflict use_column
DECLARE
  needs constant text[] := CASE WHEN by_page IS NULL THEN '{screen}'::text[] ELSE '{}' END || CASE WHEN by_property IS NULL THEN '{duration}'::text[] ELSE '{}' END;
BEGIN
  -- Most numbers are whole and small, and quickly made a float8.
  RETURN QUERY
  WITH slots AS MATERIALIZED (
    SELECT n.page, n.hash, weir.quick_slot(n.quick) AS slot, count(*) AS times, sum(n.number) AS total, min(n.pack) AS pack
    FROM (
      SELECT m.page, m.hash, m.pack, m.number, CASE WHEN scale(m.number) = 0 AND abs(m.number) < 1e9 THEN m.number::integer::float8
        WHEN abs(m.number) < 1e-300 THEN 0 ELSE m.number::float8 END AS quick
      FROM (
        SELECT * FROM weir.measured(asked, patterns, asked.since, asked.first, by_property, by_page) WHERE asked.since < asked.first
        UNION ALL
        SELECT * FROM weir.measured(asked, patterns, asked.last, asked.until, by_property, by_page) WHERE asked.last < asked.until
        UNION ALL
        SELECT CASE WHEN by_page IS NULL THEN r.screen ELSE weir.text_at(r.properties, by_page) END, NULL, NULL,
          CASE WHEN by_property IS NULL THEN r.duration ELSE weir.number_at(r.properties, by_property) END
        FROM weir.happened_in_rows(asked.tenant, patterns, asked.since, asked.until, needs) AS r
        WHERE r.sure OR (r.at AT TIME ZONE asked.zone)::date BETWEEN asked.first_day AND asked.last_day
      ) AS m
      WHERE m.number IS NOT NULL
      OFFSET bigint '0'
    ) AS n
    GROUP BY n.page, n.hash, slot
  ), held AS (
    SELECT array_agg(h.hash) AS hashes, array_agg(h.pack) AS packs
    FROM (SELECT s.hash, min(s.pack) AS pack FROM slots AS s WHERE s.hash IS NOT NULL GROUP BY s.hash) AS h
  )
  SELECT coalesce(s.page, t.text), s.slot, s.times, s.total
  FROM slots AS s
  LEFT JOIN (SELECT t.* FROM held AS h CROSS JOIN LATERAL weir.texts_of_hashes(asked.tenant, patterns, by_page, h.hashes, h.packs) AS t) AS t ON t.hash = s.hash;
END
$$;

-- The same of the others, of a half of them: of a day's parts, which are in the order of pages, the first or the last, or, where a day has one part, of every other
-- day. How many in which slot, and in the rows without a slot what a page's numbers add up to: of a slot's it would take as long as all else. (Counted as float8, which is
-- exact and has its place in the table of sums, where a bigint's sum would be made beside it.)
CREATE OR REPLACE FUNCTION weir.page_tallies(half integer, asked weir.asked, events text[], tally text[]) RETURNS TABLE (page text, slot integer, times bigint, total numeric)
LANGUAGE plpgsql STABLE PARALLEL SAFE COST 1000000000 ROWS 10000
SET plan_cache_mode = force_custom_plan SET jit = off SET work_mem = '128MB' SET enable_sort = off SET max_parallel_workers_per_gather = 0
AS $$
#variable_conflict use_column
BEGIN
  RETURN QUERY WITH parts AS NOT MATERIALIZED (
    SELECT p.*
    FROM (
      SELECT t.*, max(t.part) OVER (PARTITION BY t.day) AS last
      FROM weir.day_tallies AS t
      WHERE t.tenant_id = asked.tenant AND t.day = ANY (ARRAY(SELECT weir.made_days(asked))) AND t.dimension = tally[1] AND t.value = tally[2]
        AND t.subject = 'page'
    ) AS p
    WHERE half = CASE WHEN p.last = 0 THEN abs(p.day - '2000-01-01') % 2 ELSE (p.part * 2 >= p.last)::integer END
  )
  SELECT l.page, l.slot, sum(l.times::float8)::bigint, NULL::numeric
  FROM (SELECT unnest(p.formers) AS event, unnest(p.names) COLLATE "C" AS page, unnest(p.slots) AS slot, unnest(p.times) AS times FROM parts AS p) AS l
  WHERE l.event = ANY (events)
  GROUP BY l.page, l.slot
  UNION ALL
  SELECT l.page, NULL, 0, sum(l.total)
  FROM (SELECT unnest(p.formers) AS event, unnest(p.names) COLLATE "C" AS page, unnest(p.totals) AS total FROM parts AS p) AS l
  WHERE l.event = ANY (events)
  GROUP BY l.page;
END
$$;

-- Of all days, pages and slots; some come several times.
CREATE OR REPLACE FUNCTION weir.page_cells(asked weir.asked, patterns jsonb, events text[], tally text[], by_property text, by_page text)
RETURNS TABLE (page text, slot integer, times bigint, total numeric)
LANGUAGE sql STABLE
SET jit = off
AS $$
  SELECT * FROM weir.page_tallies(0, asked, events, tally) WHERE asked.first < asked.last
  UNION ALL
  SELECT * FROM weir.page_tallies(1, asked, events, tally) WHERE asked.first < asked.last
  UNION ALL
  SELECT * FROM weir.page_slots(asked, patterns, by_property, by_page)
$$;

-- What a server can say: `count` and `total` by page, a JSON text or null; `slot` by [page, slot]. All of it adds up, also what comes several times. What
-- is beyond the thousand has the key 'other', and '' is all together.
CREATE OR REPLACE FUNCTION weir.pages_partial(tenant text, first_day date, last_day date, zone text, event text DEFAULT NULL,
  property text DEFAULT NULL, page text DEFAULT NULL, filter jsonb DEFAULT '{}')
RETURNS SETOF weir.part
LANGUAGE sql STABLE
SET jit = off SET work_mem = '128MB' SET enable_sort = off SET enable_nestloop = off
AS $$
  WITH cells AS MATERIALIZED (
    SELECT coalesce(m.page, '') AS page, m.page IS NULL AS is_none, m.slot, m.times, m.total
    FROM (
      SELECT weir.asked_of(tenant, zone, first_day, last_day, e.events <@ weir.page_events() AND e.tally IS NOT NULL
          AND weir.are_all_from(tenant, first_day, last_day, 'durations', property) AND weir.are_all_from(tenant, first_day, last_day, 'screens', pages_partial.page)
          AND weir.tells_properties(tenant, first_day, last_day, filter)) AS asked,
        weir.narrowed(weir.patterns_named(e.events), filter) AS patterns, e.events, e.tally
      FROM (
        SELECT CASE WHEN pages_partial.event IS NULL THEN weir.page_events() ELSE ARRAY[pages_partial.event] END AS events, weir.tallied_by(filter) AS tally
      ) AS e
      OFFSET 0
    ) AS a
    CROSS JOIN LATERAL weir.page_cells(a.asked, a.patterns, a.events, a.tally, property, pages_partial.page) AS m
  ), pages AS MATERIALIZED (
    SELECT p.*, row_number() OVER (ORDER BY p.times DESC, p.key COLLATE "C") > 1000 AS beyond
    FROM (
      SELECT c.page, c.is_none, CASE WHEN c.is_none THEN 'null' ELSE to_json(c.page)::text END AS key, sum(c.times) AS times, sum(c.total) AS total
      FROM cells AS c
      GROUP BY c.page, c.is_none
    ) AS p
  )
  SELECT f.figure, k.key, f.amount
  FROM (
    SELECT CASE WHEN p.beyond THEN 'other' ELSE p.key END AS key, sum(p.times) AS times, sum(p.total) AS total FROM pages AS p GROUP BY 1
    UNION ALL
    SELECT '', sum(p.times), sum(p.total) FROM pages AS p HAVING count(*) > 0
  ) AS k,
    LATERAL (VALUES ('count', k.times), ('total', k.total)) AS f (figure, amount)
  UNION ALL
  SELECT 'slot', p.start || c.slot || ']', c.times
  FROM cells AS c
  JOIN (SELECT p.page, p.is_none, '[' || to_json(p.key) || ', ' AS start FROM pages AS p WHERE NOT p.beyond) AS p ON p.page = c.page AND p.is_none = c.is_none
  WHERE c.slot IS NOT NULL
  UNION ALL
  SELECT 'slot', format('["other", %s]', c.slot), sum(c.times)
  FROM cells AS c JOIN pages AS p ON p.page = c.page AND p.is_none = c.is_none
  WHERE p.beyond AND c.slot IS NOT NULL
  GROUP BY c.slot
  UNION ALL
  SELECT 'slot', format('["", %s]', c.slot), sum(c.times) FROM cells AS c WHERE c.slot IS NOT NULL GROUP BY c.slot
$$;

-- The answer, from the parts of all servers.
CREATE OR REPLACE FUNCTION weir.pages_merge(parts weir.part[], at_least integer DEFAULT 10, most integer DEFAULT 20) RETURNS jsonb
LANGUAGE sql IMMUTABLE
SET jit = off SET work_mem = '64MB' SET enable_nestloop = off
AS $$
  WITH lines AS MATERIALIZED (
    SELECT s.page, s.times, jsonb_build_object('count', s.times) || weir.percentiles_with_mean(s.total, s.times, l.percentiles) AS about,
      (l.percentiles ->> 'p75')::numeric AS p75
    FROM (
      SELECT p.key AS page, sum(p.amount) FILTER (WHERE p.figure = 'count') AS times, sum(p.amount) FILTER (WHERE p.figure = 'total') AS total
      FROM unnest(parts) AS p WHERE p.figure IN ('count', 'total')
      GROUP BY p.key
    ) AS s
    JOIN weir.listed_percentiles(parts, 'slot') AS l ON l.list = s.page
  ), slow AS (
    SELECT l.page, l.about, row_number() OVER (ORDER BY l.p75 DESC, l.times DESC, l.page COLLATE "C") AS rank
    FROM lines AS l WHERE l.page NOT IN ('', 'other') AND l.times >= at_least
  )
  SELECT jsonb_build_object(
    'all', coalesce((SELECT l.about FROM lines AS l WHERE l.page = ''), '{"count": 0, "mean": null, "median": null, "p75": null, "p95": null}'),
    'pages', coalesce((SELECT jsonb_agg(jsonb_build_object('page', s.page::jsonb) || s.about ORDER BY s.rank) FROM slow AS s WHERE s.rank <= most), '[]'),
    'more', greatest((SELECT count(*) FROM slow) - most, 0),
    'left_out', (SELECT count(*) FROM lines AS l WHERE l.page NOT IN ('', 'other') AND l.times < at_least),
    'other', (SELECT l.about FROM lines AS l WHERE l.page = 'other'))
$$;

CREATE OR REPLACE FUNCTION weir.pages_answer(tenant text, first_day date, last_day date, zone text DEFAULT 'UTC', event text DEFAULT NULL,
  property text DEFAULT NULL, page text DEFAULT NULL, at_least integer DEFAULT 10, filter text DEFAULT NULL, most integer DEFAULT 20) RETURNS jsonb
LANGUAGE sql STABLE
AS $$
  SELECT weir.answered(tenant, first_day, last_day, zone, 'rows',
    jsonb_build_object('at_least', a.at_least, 'error', '{"percentiles": 0.01}'::jsonb) || weir.pages_merge(ARRAY(
      SELECT p FROM weir.pages_partial(tenant, first_day, last_day, zone, a.event, property, page, a.filter) AS p), a.at_least, a.most))
  FROM (
    SELECT weir.named_event('event', pages_answer.event) AS event,
      weir.bounded('at_least', at_least, 1, 1000000) AS at_least, weir.filter_of('filter', filter) AS filter, weir.bounded('top', most, 1, 100) AS most
    OFFSET 0
  ) AS a
$$;
COMMENT ON FUNCTION weir.pages_answer(text, date, date, text, text, text, text, integer, text, integer) IS
  'Durations by page, the slowest first. sql/analytics/pages.sql defines them.';

GRANT EXECUTE ON FUNCTION weir.pack_number(date, integer, integer), weir.numbers_within(weir.asked, numeric[], timestamptz[]), weir.pages_said(jsonb[], text),
  weir.measured_packs(integer, weir.asked, jsonb, timestamptz, timestamptz, text, text),
  weir.measured_in_packs(integer, weir.asked, jsonb, timestamptz, timestamptz, text, text),
  weir.measured(weir.asked, jsonb, timestamptz, timestamptz, text, text), weir.texts_of_hashes(text, jsonb, text, bigint[], bigint[]),
  weir.page_slots(weir.asked, jsonb, text, text), weir.page_tallies(integer, weir.asked, text[], text[]),
  weir.page_cells(weir.asked, jsonb, text[], text[], text, text),
  weir.pages_partial(text, date, date, text, text, text, text, jsonb),
  weir.pages_merge(weir.part[], integer, integer),
  weir.pages_answer(text, date, date, text, text, text, text, integer, text, integer) TO weir_reader;
