-- The most frequent ways without adding up all of them: where a third of a million visits begin in ways of their own, nearly all lines of day_tallies are of one visit,
-- and can be among the most frequent ones only as far as others of their way are. docs/decisions/0024 says more.
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
COMMENT ON COLUMN weir.day_ways.ways IS 'Those that several visits went, and in times how many.';
COMMENT ON COLUMN weir.day_ways.rare IS 'weir.way_hash() of those that one visit went.';
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

-- Of a day's tallies.
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
    SELECT w.dimension, w.value, w.length, array_agg(w.way ORDER BY w.way) FILTER (WHERE w.times > 1) AS ways,
      array_agg(w.times ORDER BY w.way) FILTER (WHERE w.times > 1) AS times, array_agg(w.hash ORDER BY w.hash) FILTER (WHERE w.times = 1) AS rare
    FROM (
      SELECT w.*, weir.way_hash(w.way) AS hash
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
