-- Which events of a pack have a value of a property: what a pattern or a filter asks for is looked up, instead of unpacking each event's properties.
-- docs/decisions/0026 has what it was measured against.
SET LOCAL ROLE weir_owner;

CREATE TABLE weir.pack_values (
  tenant_id text NOT NULL,
  day date NOT NULL,
  event text NOT NULL,
  part integer NOT NULL,
  name text COLLATE "C" NOT NULL,
  hashes bigint[] NOT NULL,
  places smallint[] NOT NULL,
  PRIMARY KEY (tenant_id, day, event, part, name)
);
COMMENT ON TABLE weir.pack_values IS
  'The values of a property in a pack of 64 events or more, in the order of their hashes: element n of both columns is of one event. A line without a name, and '
  'without values, says that the pack has properties that have no line.';
COMMENT ON COLUMN weir.pack_values.hashes IS 'weir.value_hash() of the value, if it is a text, a number, true or false.';
COMMENT ON COLUMN weir.pack_values.places IS 'Where the event stands in the pack, from 1.';
GRANT SELECT ON weir.pack_values TO weir_reader;

-- Compressed as packs are.
DO $$
BEGIN
  ALTER TABLE weir.pack_values ALTER COLUMN hashes SET COMPRESSION lz4, ALTER COLUMN places SET COMPRESSION lz4;
EXCEPTION WHEN feature_not_supported THEN
  NULL;
END
$$;

-- 63 bits of a value, so that there is always a number just below. As the values of a pattern are compared, 5 and 5.0 are one.
CREATE FUNCTION weir.value_hash(value jsonb) RETURNS bigint
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT jsonb_hash_extended(value, 0) >> 1 $$;

-- Whether a pack's values are listed: of one with fewer events all are read as fast, and of names that clients make up anew for each event there would
-- be more lines than events.
CREATE FUNCTION weir.has_values(moments timestamptz[]) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT moments[64] IS NOT NULL $$;

-- The values of a day's packs: of the 32 properties of each event that most of its events have, with names of 256 bytes at most. (Each is looked for
-- by its name, and sorted by itself: to take apart all properties at once, and sort them by name, takes twice as long.)
CREATE FUNCTION weir.values_of_day(tenant text, day date) RETURNS SETOF weir.pack_values
LANGUAGE sql STABLE
SET jit = off SET work_mem = '64MB' SET enable_nestloop = on
AS $$
  WITH said AS MATERIALIZED (
    SELECT p.event, p.part, p.properties FROM weir.packs AS p
    WHERE p.tenant_id = tenant AND p.day = values_of_day.day AND NOT weir.is_made(p.event) AND weir.has_values(p.moments)
  ), names AS MATERIALIZED (
    SELECT s.event, s.part, n.name, n.times
    FROM said AS s
    CROSS JOIN LATERAL (
      SELECT k.name, count(*) AS times
      FROM (
        SELECT jsonb_object_keys(CASE WHEN jsonb_typeof(u.properties) = 'object' THEN u.properties END) COLLATE "C" AS name FROM unnest(s.properties) AS u (properties)
      ) AS k
      GROUP BY k.name
    ) AS n
  ), listed AS MATERIALIZED (
    SELECT n.event, n.name, n.rank <= 32 AND octet_length(n.name) BETWEEN 1 AND 256 AS is_listed
    FROM (
      SELECT n.event, n.name, row_number() OVER (PARTITION BY n.event ORDER BY sum(n.times) DESC, n.name) AS rank FROM names AS n GROUP BY n.event, n.name
    ) AS n
  )
  SELECT tenant, values_of_day.day, n.event, n.part, n.name, v.hashes, v.places
  FROM names AS n
  JOIN listed AS l ON l.event = n.event AND l.name = n.name
  JOIN said AS s ON s.event = n.event AND s.part = n.part
  CROSS JOIN LATERAL (
    SELECT array_agg(v.hash) AS hashes, array_agg(v.place) AS places
    FROM (
      SELECT weir.value_hash(u.value) AS hash, u.place
      FROM (
        SELECT unnest(s.properties) -> n.name AS value, generate_series(1, cardinality(s.properties))::smallint AS place
      ) AS u
      WHERE jsonb_typeof(u.value) IN ('string', 'number', 'boolean')
      ORDER BY hash, u.place
    ) AS v
  ) AS v
  WHERE l.is_listed AND v.places IS NOT NULL
  UNION ALL
  SELECT DISTINCT tenant, values_of_day.day, n.event, n.part, '', '{}'::bigint[], '{}'::smallint[]
  FROM names AS n JOIN listed AS l ON l.event = n.event AND l.name = n.name
  WHERE NOT l.is_listed
$$;

-- What differs is replaced.
CREATE FUNCTION weir.list_values(tenant text, day date) RETURNS void
LANGUAGE sql
AS $$
  WITH fresh AS MATERIALIZED (
    SELECT * FROM weir.values_of_day(tenant, list_values.day)
  ), gone AS (
    DELETE FROM weir.pack_values AS v
    WHERE v.tenant_id = tenant AND v.day = list_values.day
      AND NOT EXISTS (SELECT FROM fresh AS f WHERE (f.event, f.part, f.name) = (v.event, v.part, v.name))
  )
  INSERT INTO weir.pack_values AS v SELECT * FROM fresh
  ON CONFLICT (tenant_id, day, event, part, name) DO UPDATE SET hashes = excluded.hashes, places = excluded.places
  WHERE (v.hashes, v.places) IS DISTINCT FROM (excluded.hashes, excluded.places)
$$;

CREATE OR REPLACE FUNCTION weir.pack_day(tenant text, day date) RETURNS void
LANGUAGE sql
AS $$
  INSERT INTO weir.packed_days (tenant_id, day) VALUES (tenant, pack_day.day) ON CONFLICT DO NOTHING;
  SELECT weir.replace_packs(tenant, pack_day.day, false);
  SELECT weir.list_values(tenant, pack_day.day);
  SELECT weir.sum_up_day(tenant, pack_day.day);
$$;

CREATE OR REPLACE FUNCTION weir.drop_packs_of_gone_days(tenant text) RETURNS void
LANGUAGE sql
AS $$
  DELETE FROM weir.packs AS p USING weir.gone_days AS g WHERE p.tenant_id = tenant AND g.tenant_id = tenant AND p.day = g.day;
  DELETE FROM weir.pack_values AS v USING weir.gone_days AS g WHERE v.tenant_id = tenant AND g.tenant_id = tenant AND v.day = g.day;
  DELETE FROM weir.day_tallies AS t USING weir.gone_days AS g WHERE t.tenant_id = tenant AND g.tenant_id = tenant AND t.day = g.day;
  DELETE FROM weir.day_viewers AS v USING weir.gone_days AS g WHERE v.tenant_id = tenant AND g.tenant_id = tenant AND v.day = g.day;
  DELETE FROM weir.packed_days AS p USING weir.gone_days AS g WHERE p.tenant_id = tenant AND g.tenant_id = tenant AND p.day = g.day;
$$;

-- As 0038 has it, and the values.
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
      cardinality(k.places) || ' events', cardinality(c.places) || ' events'
    FROM (SELECT * FROM weir.pack_values AS v WHERE v.tenant_id = compare_packs.tenant AND v.day = compare_packs.day) AS k
    FULL JOIN weir.values_of_day(compare_packs.tenant, compare_packs.day) AS c ON c.event = k.event AND c.part = k.part AND c.name = k.name
    WHERE (k.hashes, k.places) IS DISTINCT FROM (c.hashes, c.places)
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

GRANT EXECUTE ON FUNCTION weir.value_hash(jsonb), weir.has_values(timestamptz[]), weir.values_of_day(text, date) TO weir_reader;

-- They say more since (analytics/happened.sql, moments.sql). Where one was never made there is nothing to say.
SET LOCAL client_min_messages = warning;
DROP FUNCTION IF EXISTS weir.packs_to_read(integer, bigint, bigint, text, jsonb, timestamptz, timestamptz, text[]);

-- Days that are packed already.
SELECT weir.list_values(p.tenant_id, p.day) FROM weir.packed_days AS p;
