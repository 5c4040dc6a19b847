-- The most frequent ways without adding up all of them: where 1.6 million visits begin in 330,000 different ways, most lines of day_tallies are of one visit, and
-- can be among the most frequent ones only as far as other days have more of their way. docs/decisions/0024 says more.
SET LOCAL ROLE weir_owner;

CREATE TABLE weir.day_ways (
  tenant_id text NOT NULL,
  day date NOT NULL,
  dimension text COLLATE "C" NOT NULL,
  value text COLLATE "C" NOT NULL,
  length integer NOT NULL,
  part integer NOT NULL,
  ways text[] NOT NULL,
  times bigint[] NOT NULL,
  rare bigint[] NOT NULL,
  PRIMARY KEY (tenant_id, day, dimension, value, length, part)
);
COMMENT ON TABLE weir.day_ways IS
  'Ways of day_tallies by how often they were gone on the day, 4096 of each kind at most in a part: of everything cut to each length, of each value to four steps.';
COMMENT ON COLUMN weir.day_ways.length IS 'How many steps a way has at most.';
COMMENT ON COLUMN weir.day_ways.ways IS 'Those that several visits went; also those that one visit went, where these are 1024 at most. In times how many visits.';
COMMENT ON COLUMN weir.day_ways.rare IS 'weir.way_hash() of the others, each of which one visit went.';
GRANT SELECT ON weir.day_ways TO weir_reader;
DO $$
BEGIN
  ALTER TABLE weir.day_ways ALTER COLUMN ways SET COMPRESSION lz4, ALTER COLUMN times SET COMPRESSION lz4, ALTER COLUMN rare SET COMPRESSION lz4;
EXCEPTION WHEN feature_not_supported THEN
  NULL;
END
$$;

CREATE FUNCTION weir.way_hash(way text) RETURNS bigint
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT hashtextextended(way COLLATE "C", 0) $$;

-- From a day's tallies: of everything and of each value four steps, as they have them (`way`); of everything other lengths, too, cut from ten steps (`long way`).
CREATE FUNCTION weir.ways_of_day(tenant text, day date) RETURNS SETOF weir.day_ways
LANGUAGE sql STABLE
SET jit = off SET work_mem = '64MB' SET enable_nestloop = off
AS $$
  WITH tallied AS MATERIALIZED (
    SELECT t.dimension, t.value, t.subject, unnest(t.names) COLLATE "C" AS way, unnest(t.times) AS times
    FROM weir.day_tallies AS t
    WHERE t.tenant_id = tenant AND t.day = ways_of_day.day AND (t.subject = 'way' OR t.subject = 'long way' AND t.dimension = '')
  ), cut AS (
    SELECT l.length, array_to_string((string_to_array(t.way, weir.path_mark()))[:l.length], weir.path_mark()) COLLATE "C" AS way, sum(t.times)::bigint AS times
    FROM tallied AS t CROSS JOIN generate_series(1, 10) AS l (length)
    WHERE t.subject = 'long way' AND l.length <> 4
    GROUP BY 1, 2
  ), lists AS MATERIALIZED (
    SELECT w.dimension, w.value, w.length, array_agg(w.way ORDER BY w.way) FILTER (WHERE NOT w.is_rare) AS ways,
      array_agg(w.times ORDER BY w.way) FILTER (WHERE NOT w.is_rare) AS times, array_agg(w.hash ORDER BY w.hash) FILTER (WHERE w.is_rare) AS rare
    FROM (
      SELECT w.*, weir.way_hash(w.way) AS hash,
        w.times = 1 AND count(*) FILTER (WHERE w.times = 1) OVER (PARTITION BY w.dimension, w.value, w.length) > 1024 AS is_rare
      FROM (
        SELECT '' AS dimension, '' AS value, c.length, c.way, c.times FROM cut AS c
        UNION ALL
        SELECT t.dimension, t.value, 4, t.way, t.times FROM tallied AS t WHERE t.subject = 'way'
      ) AS w
    ) AS w
    GROUP BY w.dimension, w.value, w.length
  )
  SELECT tenant, ways_of_day.day, l.dimension, l.value, l.length, p.part, coalesce(l.ways[p.first:p.last], '{}'), coalesce(l.times[p.first:p.last], '{}'),
    coalesce(l.rare[p.first:p.last], '{}')
  FROM lists AS l,
    LATERAL (SELECT n, 4096 * n + 1, 4096 * (n + 1) FROM generate_series(0, (greatest(cardinality(l.ways), cardinality(l.rare)) - 1) / 4096) AS n) AS p (part, first, last)
$$;

-- What differs is replaced.
CREATE FUNCTION weir.rank_ways(tenant text, day date) RETURNS void
LANGUAGE sql
SET enable_nestloop = off
AS $$
  WITH fresh AS MATERIALIZED (
    SELECT * FROM weir.ways_of_day(tenant, rank_ways.day)
  ), gone AS (
    DELETE FROM weir.day_ways AS w
    WHERE w.tenant_id = tenant AND w.day = rank_ways.day
      AND NOT EXISTS (SELECT FROM fresh AS f WHERE (f.dimension, f.value, f.length, f.part) = (w.dimension, w.value, w.length, w.part))
  )
  INSERT INTO weir.day_ways AS w SELECT * FROM fresh
  ON CONFLICT (tenant_id, day, dimension, value, length, part) DO UPDATE SET ways = excluded.ways, times = excluded.times, rare = excluded.rare
  WHERE (w.ways, w.times, w.rare) IS DISTINCT FROM (excluded.ways, excluded.times, excluded.rare)
$$;

-- As 0038 has it, and the ways. (Without enable_nestloop, since nobody knows before how many values there are.)
CREATE OR REPLACE FUNCTION weir.tally_day(tenant text, day date) RETURNS void
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
  SELECT weir.rank_ways(tenant, tally_day.day);
$$;

-- As 0046 has it, and the ways.
CREATE OR REPLACE FUNCTION weir.drop_packs_of_gone_days(tenant text) RETURNS void
LANGUAGE sql
AS $$
  DELETE FROM weir.packs AS p USING weir.gone_days AS g WHERE p.tenant_id = tenant AND g.tenant_id = tenant AND p.day = g.day;
  DELETE FROM weir.pack_values AS v USING weir.gone_days AS g WHERE v.tenant_id = tenant AND g.tenant_id = tenant AND v.day = g.day;
  DELETE FROM weir.day_keys AS k USING weir.gone_days AS g WHERE k.tenant_id = tenant AND g.tenant_id = tenant AND k.day = g.day;
  DELETE FROM weir.day_tallies AS t USING weir.gone_days AS g WHERE t.tenant_id = tenant AND g.tenant_id = tenant AND t.day = g.day;
  DELETE FROM weir.day_ways AS w USING weir.gone_days AS g WHERE w.tenant_id = tenant AND g.tenant_id = tenant AND w.day = g.day;
  DELETE FROM weir.day_viewers AS v USING weir.gone_days AS g WHERE v.tenant_id = tenant AND g.tenant_id = tenant AND v.day = g.day;
  DELETE FROM weir.packed_days AS p USING weir.gone_days AS g WHERE p.tenant_id = tenant AND g.tenant_id = tenant AND p.day = g.day;
$$;

-- As 0046 has it, and the ways.
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
    SELECT 'values', concat_ws(' of ', nullif(coalesce(k.name, c.name), ''), coalesce(k.event, c.event)), coalesce(k.part, c.part)::text,
      cardinality(array_remove(k.hashes, NULL)) || ' events',
      cardinality(array_remove(c.hashes, NULL)) || ' events'
    FROM (SELECT * FROM weir.pack_values AS v WHERE v.tenant_id = compare_packs.tenant AND v.day = compare_packs.day) AS k
    FULL JOIN weir.values_of_day(compare_packs.tenant, compare_packs.day) AS c ON c.event = k.event AND c.part = k.part AND c.name = k.name
    WHERE (k.hashes, k.are_texts, k.amounts) IS DISTINCT FROM (c.hashes, c.are_texts, c.amounts)
    UNION ALL
    SELECT 'keys', concat_ws(' of ', coalesce(k.name, c.name), coalesce(k.event, c.event)), coalesce(k.part, c.part)::text,
      cardinality(k.tasks) || ' events', cardinality(c.tasks) || ' events'
    FROM (SELECT * FROM weir.day_keys AS k WHERE k.tenant_id = compare_packs.tenant AND k.day = compare_packs.day) AS k
    FULL JOIN weir.keys_of_day(compare_packs.tenant, compare_packs.day) AS c ON c.event = k.event AND c.name = k.name AND c.part = k.part
    WHERE (k.tasks, k.moments) IS DISTINCT FROM (c.tasks, c.moments)
    UNION ALL
    SELECT 'tallies', concat_ws(' of ', coalesce(k.subject, c.subject), nullif(coalesce(k.dimension, c.dimension), '')),
      concat_ws(' ', nullif(coalesce(k.value, c.value), ''), coalesce(k.part, c.part)), cardinality(k.times) || ' lines', cardinality(c.times) || ' lines'
    FROM (SELECT * FROM weir.day_tallies AS t WHERE t.tenant_id = compare_packs.tenant AND t.day = compare_packs.day) AS k
    FULL JOIN weir.tallies_of_day(compare_packs.tenant, compare_packs.day) AS c
      ON c.dimension = k.dimension AND c.value = k.value AND c.subject = k.subject AND c.part = k.part
    WHERE (k.names, k.formers, k.slots, k.times, k.totals) IS DISTINCT FROM (c.names, c.formers, c.slots, c.times, c.totals)
    UNION ALL
    SELECT 'ways', concat_ws(' of ', coalesce(k.length, c.length) || ' steps', nullif(coalesce(k.dimension, c.dimension), '')),
      concat_ws(' ', nullif(coalesce(k.value, c.value), ''), coalesce(k.part, c.part)), cardinality(k.ways) + cardinality(k.rare) || ' lines',
      cardinality(c.ways) + cardinality(c.rare) || ' lines'
    FROM (SELECT * FROM weir.day_ways AS w WHERE w.tenant_id = compare_packs.tenant AND w.day = compare_packs.day) AS k
    FULL JOIN weir.ways_of_day(compare_packs.tenant, compare_packs.day) AS c
      ON c.dimension = k.dimension AND c.value = k.value AND c.length = k.length AND c.part = k.part
    WHERE (k.ways, k.times, k.rare) IS DISTINCT FROM (c.ways, c.times, c.rare)
    UNION ALL
    SELECT 'viewers', coalesce(k.dimension, c.dimension), concat_ws(' ', nullif(coalesce(k.value, c.value), ''), coalesce(k.chunk, c.chunk)),
      bit_count(k.users) || ' users', bit_count(c.users) || ' users'
    FROM (SELECT * FROM weir.day_viewers AS v WHERE v.tenant_id = compare_packs.tenant AND v.day = compare_packs.day) AS k
    FULL JOIN weir.viewers_of_day(compare_packs.tenant, compare_packs.day) AS c ON c.dimension = k.dimension AND c.value = k.value AND c.chunk = k.chunk
    WHERE k.users IS DISTINCT FROM c.users
  ) AS f
  WHERE EXISTS (SELECT FROM weir.packed_days AS p WHERE p.tenant_id = compare_packs.tenant AND p.day = compare_packs.day)
$$;

GRANT EXECUTE ON FUNCTION weir.way_hash(text), weir.ways_of_day(text, date) TO weir_reader;

-- They ask for more (analytics/path_tallies.sql, paths.sql). Where one was never made there is nothing to say.
SET LOCAL client_min_messages = warning;
DROP FUNCTION IF EXISTS
  weir.tallied_ways(weir.asked, integer, text[], text[]),
  weir.path_tallies(weir.asked, integer, text[], text[], text[], text[]),
  weir.paths_partial(text, date, date, text, text, text, integer, jsonb);

-- Days that are packed already.
SELECT weir.rank_ways(p.tenant_id, p.day) FROM weir.packed_days AS p;
