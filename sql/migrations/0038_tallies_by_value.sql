-- Tallies and viewers of a packed day (0034), of everything as before, and of each version, platform and country, too: what a filter by one
-- of these asks for. Visits that are in packs are alike in all three. docs/decisions/0024 has what it was measured against.
SET LOCAL ROLE weir_owner;

-- The day stands first: of a window, the days of one value are looked up one by one, and a day that is built anew is one range.
ALTER TABLE weir.day_tallies
  ADD COLUMN dimension text COLLATE "C" NOT NULL DEFAULT '',
  ADD COLUMN value text COLLATE "C" NOT NULL DEFAULT '',
  DROP CONSTRAINT day_tallies_pkey,
  ADD PRIMARY KEY (tenant_id, day, dimension, value, subject, part);
COMMENT ON TABLE weir.day_tallies IS
  'What is asked of all views of a UTC day that is packed, or of those of one value, counted once, 4096 lines at most in a part: '
  'element n of each column is of one line.';
COMMENT ON COLUMN weir.day_tallies.dimension IS 'version, platform or country, or empty: of everything.';
COMMENT ON COLUMN weir.day_tallies.value IS 'Which version, platform or country, as a filter may ask for it.';

ALTER TABLE weir.day_viewers
  ADD COLUMN dimension text COLLATE "C" NOT NULL DEFAULT '',
  ADD COLUMN value text COLLATE "C" NOT NULL DEFAULT '',
  DROP CONSTRAINT day_viewers_pkey,
  ADD PRIMARY KEY (tenant_id, day, dimension, value, chunk);
COMMENT ON TABLE weir.day_viewers IS 'The users of a UTC day''s visits in packs, of all or of those of one value, as in day_sets.';
COMMENT ON COLUMN weir.day_viewers.dimension IS 'As in day_tallies.';
COMMENT ON COLUMN weir.day_viewers.value IS 'As in day_tallies.';

-- Of what an event with these is counted: of everything, and of each value that a filter can ask for (weir.check_text()).
CREATE FUNCTION weir.tallied_values(version text, platform text, country text) RETURNS TABLE (dimension text, value text)
LANGUAGE sql IMMUTABLE PARALLEL SAFE ROWS 4
AS $$
  SELECT d.dimension COLLATE "C", d.value COLLATE "C"
  FROM (SELECT unnest('{"",version,platform,country}'::text[]) AS dimension, unnest(ARRAY['', version, platform, country]) AS value) AS d
  WHERE d.dimension = '' OR char_length(d.value) BETWEEN 1 AND 256
$$;

-- As 0034 has it, of each value. (Of what is in arrays PostgreSQL expects so little that it would sort all of it to put together what is
-- alike. And values first, many times the same each, would take longest to sort: so lines are put in order before they are parted.)
CREATE OR REPLACE FUNCTION weir.tallies_of_day(tenant text, day date) RETURNS SETOF weir.day_tallies
LANGUAGE sql STABLE
SET jit = off SET work_mem = '64MB' SET enable_nestloop = off SET enable_sort = off
AS $$
  WITH ways AS MATERIALIZED (
    SELECT w.way, w.version, w.platform, w.country, count(*) AS times
    FROM (
      SELECT unnest(p.screens) COLLATE "C" AS way, unnest(p.versions) COLLATE "C" AS version, unnest(p.platforms) COLLATE "C" AS platform,
        unnest(p.countries) COLLATE "C" AS country
      FROM weir.packs AS p
      WHERE p.tenant_id = tenant AND p.day = tallies_of_day.day AND p.event = weir.made_pack('visits')
    ) AS w
    GROUP BY w.way, w.version, w.platform, w.country
  ), beginnings AS MATERIALIZED (
    SELECT w.way, l.subject, weir.first_steps(w.way, l.length) COLLATE "C" AS steps
    FROM (SELECT DISTINCT w.way FROM ways AS w) AS w, (VALUES ('way', 4), ('long way', 10)) AS l (subject, length)
  ), counted AS MATERIALIZED (
    SELECT b.subject, b.steps AS name, NULL::text AS former, cardinality(string_to_array(b.steps, weir.path_mark())) AS slot,
      w.version, w.platform, w.country, w.times, NULL::numeric AS total
    FROM ways AS w JOIN beginnings AS b ON b.way = w.way
    UNION ALL
    SELECT 'step', s.screen, s.former, (s.next IS NULL)::integer AS slot, s.version, s.platform, s.country, sum(s.times)::bigint, NULL
    FROM (
      SELECT unnest(w.screens) COLLATE "C" AS screen, unnest(array_prepend(NULL, w.screens)) COLLATE "C" AS former, unnest(w.screens[2:]) AS next,
        w.version, w.platform, w.country, w.times
      FROM (SELECT w.*, string_to_array(w.way, weir.path_mark()) AS screens FROM ways AS w OFFSET 0) AS w
    ) AS s
    WHERE s.screen IS NOT NULL
    GROUP BY s.screen, s.former, slot, s.version, s.platform, s.country
    UNION ALL
    SELECT 'page', d.page, d.event, CASE WHEN abs(d.number) < 1e-300 THEN 0 ELSE weir.quick_slot(d.number::float8) END,
      d.version, d.platform, d.country, 1, d.number
    FROM (
      SELECT p.event, unnest(p.screens) COLLATE "C" AS page, unnest(p.durations) AS number, unnest(p.versions) COLLATE "C" AS version,
        unnest(p.platforms) COLLATE "C" AS platform, unnest(p.countries) COLLATE "C" AS country
      FROM weir.packs AS p
      WHERE p.tenant_id = tenant AND p.day = tallies_of_day.day AND p.event = ANY (weir.page_events())
    ) AS d
    WHERE d.number IS NOT NULL
  ), lines AS MATERIALIZED (
    SELECT v.dimension, v.value, c.subject, c.name, c.former, c.slot, sum(c.times)::bigint AS times, sum(c.total) AS total
    FROM counted AS c CROSS JOIN LATERAL weir.tallied_values(c.version, c.platform, c.country) AS v
    GROUP BY v.dimension, v.value, c.subject, c.name, c.former, c.slot
  ), lists AS MATERIALIZED (
    SELECT l.dimension, l.value, l.subject, array_agg(l.name) AS names, array_agg(l.former) AS formers, array_agg(l.slot) AS slots,
      array_agg(l.times) AS times, array_agg(l.total) AS totals
    FROM (SELECT l.* FROM lines AS l ORDER BY l.name, l.former, l.slot) AS l
    GROUP BY l.dimension, l.value, l.subject
  )
  SELECT tenant, tallies_of_day.day, l.subject, p.part, l.names[p.first:p.last], l.formers[p.first:p.last], l.slots[p.first:p.last],
    l.times[p.first:p.last], l.totals[p.first:p.last], l.dimension, l.value
  FROM lists AS l, LATERAL (SELECT n, 4096 * n + 1, 4096 * (n + 1) FROM generate_series(0, (cardinality(l.times) - 1) / 4096) AS n) AS p (part, first, last)
$$;

-- Likewise.
CREATE OR REPLACE FUNCTION weir.viewers_of_day(tenant text, day date) RETURNS SETOF weir.day_viewers
LANGUAGE sql STABLE
SET jit = off SET work_mem = '64MB' SET enable_sort = off
AS $$
  SELECT tenant, viewers_of_day.day, (v.number / 20480)::integer AS chunk, weir.at_bits((v.number % 20480)::integer, 1), d.dimension, d.value
  FROM (
    SELECT unnest(p.numbers) AS number, unnest(p.versions) AS version, unnest(p.platforms) AS platform, unnest(p.countries) AS country
    FROM weir.packs AS p
    WHERE p.tenant_id = tenant AND p.day = viewers_of_day.day AND p.event = weir.made_pack('visits')
  ) AS v
  CROSS JOIN LATERAL weir.tallied_values(v.version, v.platform, v.country) AS d
  GROUP BY d.dimension, d.value, chunk
$$;

-- What is counted of a day's packs: what differs is replaced. (Without enable_nestloop, since nobody knows before how many values there are.)
CREATE FUNCTION weir.tally_day(tenant text, day date) RETURNS void
LANGUAGE sql
SET enable_nestloop = off
AS $$
  WITH fresh AS MATERIALIZED (
    SELECT * FROM weir.tallies_of_day(tenant, tally_day.day)
  ), gone AS (
    DELETE FROM weir.day_tallies AS t
    WHERE t.tenant_id = tenant AND t.day = tally_day.day
      AND NOT EXISTS (SELECT FROM fresh AS f WHERE (f.dimension, f.value, f.subject, f.part) = (t.dimension, t.value, t.subject, t.part))
  )
  INSERT INTO weir.day_tallies AS t SELECT * FROM fresh
  ON CONFLICT (tenant_id, day, dimension, value, subject, part) DO UPDATE SET names = excluded.names, formers = excluded.formers,
    slots = excluded.slots, times = excluded.times, totals = excluded.totals
  WHERE (t.names, t.formers, t.slots, t.times, t.totals) IS DISTINCT FROM
    (excluded.names, excluded.formers, excluded.slots, excluded.times, excluded.totals);
  WITH fresh AS MATERIALIZED (
    SELECT * FROM weir.viewers_of_day(tenant, tally_day.day)
  ), gone AS (
    DELETE FROM weir.day_viewers AS v
    WHERE v.tenant_id = tenant AND v.day = tally_day.day
      AND NOT EXISTS (SELECT FROM fresh AS f WHERE (f.dimension, f.value, f.chunk) = (v.dimension, v.value, v.chunk))
  )
  INSERT INTO weir.day_viewers AS v SELECT * FROM fresh
  ON CONFLICT (tenant_id, day, dimension, value, chunk) DO UPDATE SET users = excluded.users WHERE v.users IS DISTINCT FROM excluded.users;
$$;

-- What is made of a day's packs.
CREATE OR REPLACE FUNCTION weir.sum_up_day(tenant text, day date) RETURNS void
LANGUAGE sql
AS $$
  SELECT weir.replace_packs(tenant, sum_up_day.day, true);
  SELECT weir.tally_day(tenant, sum_up_day.day);
$$;

-- As 0034 has it, of each value.
CREATE OR REPLACE FUNCTION weir.compare_packs(tenant text, day date)
RETURNS TABLE (part text, subject text, value text, kept text, counted text)
LANGUAGE sql STABLE
AS $$
  SELECT f.*
  FROM (
    SELECT 'packs', rtrim(coalesce(k.event, c.event), '.'), coalesce(k.part, c.part)::text, cardinality(k.numbers) || ' events',
      cardinality(c.numbers) || ' events'
    FROM (SELECT * FROM weir.packs AS p WHERE p.tenant_id = compare_packs.tenant AND p.day = compare_packs.day) AS k
    FULL JOIN (
      SELECT * FROM weir.packs_of_day(compare_packs.tenant, compare_packs.day)
      UNION ALL
      SELECT * FROM weir.made_packs_of_day(compare_packs.tenant, compare_packs.day)
    ) AS c ON c.event = k.event AND c.part = k.part
    WHERE (k.numbers, k.sessions, k.moments, k.versions, k.platforms, k.countries, k.screens, k.durations, k.properties) IS DISTINCT FROM
      (c.numbers, c.sessions, c.moments, c.versions, c.platforms, c.countries, c.screens, c.durations, c.properties)
    UNION ALL
    SELECT 'tallies', concat_ws(' of ', coalesce(k.subject, c.subject), nullif(coalesce(k.dimension, c.dimension), '')),
      concat_ws(' ', nullif(coalesce(k.value, c.value), ''), coalesce(k.part, c.part)), cardinality(k.times) || ' lines', cardinality(c.times) || ' lines'
    FROM (SELECT * FROM weir.day_tallies AS t WHERE t.tenant_id = compare_packs.tenant AND t.day = compare_packs.day) AS k
    FULL JOIN weir.tallies_of_day(compare_packs.tenant, compare_packs.day) AS c
      ON c.dimension = k.dimension AND c.value = k.value AND c.subject = k.subject AND c.part = k.part
    WHERE (k.names, k.formers, k.slots, k.times, k.totals) IS DISTINCT FROM (c.names, c.formers, c.slots, c.times, c.totals)
    UNION ALL
    SELECT 'viewers', coalesce(k.dimension, c.dimension), concat_ws(' ', nullif(coalesce(k.value, c.value), ''), coalesce(k.chunk, c.chunk)),
      bit_count(k.users) || ' users', bit_count(c.users) || ' users'
    FROM (SELECT * FROM weir.day_viewers AS v WHERE v.tenant_id = compare_packs.tenant AND v.day = compare_packs.day) AS k
    FULL JOIN weir.viewers_of_day(compare_packs.tenant, compare_packs.day) AS c ON c.dimension = k.dimension AND c.value = k.value AND c.chunk = k.chunk
    WHERE k.users IS DISTINCT FROM c.users
  ) AS f
  WHERE EXISTS (SELECT FROM weir.packed_days AS p WHERE p.tenant_id = compare_packs.tenant AND p.day = compare_packs.day)
$$;

GRANT EXECUTE ON FUNCTION weir.tallied_values(text, text, text), weir.tallies_of_day(text, date), weir.viewers_of_day(text, date) TO weir_reader;

-- Those of analytics/ that ask whose tallies are read have other parameters now. Where one was never made there is nothing to say.
SET LOCAL client_min_messages = warning;
DROP FUNCTION IF EXISTS
  weir.path_ways(bigint, bigint, weir.asked, jsonb, jsonb, jsonb, text, boolean),
  weir.path_cells(bigint, bigint, weir.asked, jsonb, jsonb, jsonb, text, integer, boolean),
  weir.all_path_cells(bigint[], weir.asked, jsonb, jsonb, jsonb, text, integer, boolean),
  weir.path_tallies(weir.asked, integer),
  weir.page_tallies(weir.asked, text[]);

-- Days that are packed already.
SELECT weir.tally_day(p.tenant_id, p.day) FROM weir.packed_days AS p;
