-- Values of packs (0044) in the order of the pack's events instead of their own: beside the other columns they can be unpacked as one, and so tell the
-- key of a task without each event's properties. What has a value is found as fast, by looking through 4096 numbers.
-- And what of them is a number, for measures and pages.
SET LOCAL ROLE weir_owner;

-- As 0044 has it, but numbers are told apart by all that they are: PostgreSQL's hash of a number knows no sign, and hardly its size, so that a filter by 5 had what has
-- -5 or 50000, too. (What numeric_send() says of one is as short as its digits, however large it is; 5 and 5.0 are still one.)
CREATE OR REPLACE FUNCTION weir.value_hash(value jsonb) RETURNS bigint
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
  SELECT CASE WHEN jsonb_typeof(value) = 'number' THEN hashtextextended(encode(numeric_send(trim_scale(value::numeric)), 'hex'), 1)
    ELSE jsonb_hash_extended(value, 0) END >> 1
$$;

TRUNCATE weir.pack_values;
ALTER TABLE weir.pack_values DROP COLUMN places, ADD COLUMN are_texts boolean NOT NULL, ADD COLUMN amounts numeric[];
COMMENT ON TABLE weir.pack_values IS
  'The values of a property in a pack of 64 events or more. A line without a name, and without values, says that the pack has properties that have no line.';
COMMENT ON COLUMN weir.pack_values.hashes IS
  'Of each event of the pack, in its order, weir.value_hash() of the value, if it is a text, a number, true or false; else NULL.';
COMMENT ON COLUMN weir.pack_values.are_texts IS 'Whether all of them are texts of 1 to 256 bytes, so that equal hashes are equal texts.';

COMMENT ON COLUMN weir.pack_values.amounts IS 'Of each event of the pack, in its order, weir.number_at() of the property; NULL where no event has a number.';

-- Compressed as packs are.
DO $$
BEGIN
  ALTER TABLE weir.pack_values ALTER COLUMN amounts SET COMPRESSION lz4;
EXCEPTION WHEN feature_not_supported THEN
  NULL;
END
$$;

-- A JSON value as weir.number_at() takes a property's, which looks for it once more for each thing that it asks.
CREATE OR REPLACE FUNCTION weir.number_said(said jsonb) RETURNS numeric
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT CASE WHEN jsonb_typeof(said) = 'number' AND abs(said::numeric) < 1e300 THEN said::numeric END $$;
GRANT EXECUTE ON FUNCTION weir.number_said(jsonb) TO weir_reader;

-- As 0044 has it, in the order of events. (Each property is looked for by its name: to take apart all at once takes twice as long.)
CREATE OR REPLACE FUNCTION weir.values_of_day(tenant text, day date) RETURNS SETOF weir.pack_values
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
  SELECT tenant, values_of_day.day, n.event, n.part, n.name, v.hashes, v.are_texts, v.amounts
  FROM names AS n
  JOIN listed AS l ON l.event = n.event AND l.name = n.name
  JOIN said AS s ON s.event = n.event AND s.part = n.part
  CROSS JOIN LATERAL (
    SELECT array_agg(CASE WHEN u.kind IN ('string', 'number', 'boolean') THEN weir.value_hash(u.value) END) AS hashes,
      bool_and(u.kind NOT IN ('number', 'boolean') AND (u.kind <> 'string' OR octet_length(u.value #>> '{}') BETWEEN 1 AND 256)) AS are_texts,
      bool_or(u.kind IN ('string', 'number', 'boolean')) AS has_some,
      CASE WHEN count(u.amount) > 0 THEN array_agg(u.amount) END AS amounts
    FROM (
      SELECT p.value, jsonb_typeof(p.value) AS kind, weir.number_said(p.value) AS amount FROM (SELECT unnest(s.properties) -> n.name AS value) AS p
    ) AS u
  ) AS v
  WHERE l.is_listed AND v.has_some
  UNION ALL
  SELECT DISTINCT tenant, values_of_day.day, n.event, n.part, '', '{}'::bigint[], false, NULL::numeric[]
  FROM names AS n JOIN listed AS l ON l.event = n.event AND l.name = n.name
  WHERE NOT l.is_listed
$$;

-- Who did something with which value of a property, of a day's events of one name: what ends a task with a key is looked up by its user and key, and of what
-- has no end not a single number is unpacked (analytics/tasks.sql).
CREATE TABLE weir.day_keys (
  tenant_id text NOT NULL,
  day date NOT NULL,
  event text NOT NULL,
  name text COLLATE "C" NOT NULL,
  part integer NOT NULL,
  tasks bigint[] NOT NULL,
  moments bigint[] NOT NULL,
  PRIMARY KEY (tenant_id, day, event, name, part)
);
COMMENT ON TABLE weir.day_keys IS
  'All events of a UTC day and name that have a user, in the order of tasks and moments, some 4096 to a part, where a property is like a key: its values are short '
  'texts, most of them of one event. Element n of both columns is of one event; what is of one task is in one part.';
COMMENT ON COLUMN weir.day_keys.tasks IS 'A user and a key in one: weir.value_hash() of the property''s value, or 0 where it has none, # the user''s number.';
COMMENT ON COLUMN weir.day_keys.moments IS 'Microseconds of the day.';
GRANT SELECT ON weir.day_keys TO weir_reader;
DO $$
BEGIN
  ALTER TABLE weir.day_keys ALTER COLUMN tasks SET COMPRESSION lz4, ALTER COLUMN moments SET COMPRESSION lz4;
EXCEPTION WHEN feature_not_supported THEN
  NULL;
END
$$;

-- The hash of a property's text (weir.text_at()), as packs have it of texts.
CREATE OR REPLACE FUNCTION weir.key_of(properties jsonb, name text) RETURNS bigint
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT weir.value_hash(to_jsonb(weir.text_at(properties, name))) $$;

-- A sorted list cut into parts of 4096, or a little more, so that equal ones stay together. Nothing if more than a thousand are equal: so a part has a bound.
CREATE FUNCTION weir.cut_keys(tasks bigint[]) RETURNS TABLE (part integer, low integer, high integer)
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
AS $$
BEGIN
  IF EXISTS (SELECT FROM (SELECT unnest(tasks) AS task, unnest(tasks[1001:]) AS later) AS t WHERE t.task = t.later) THEN
    RETURN;
  END IF;
  part := 0;
  high := 0;
  WHILE high < cardinality(tasks) LOOP
    low := high + 1;
    high := coalesce(width_bucket(tasks[low + 4095], tasks), cardinality(tasks));
    RETURN NEXT;
    part := part + 1;
  END LOOP;
END
$$;

-- The properties whose values are listed that are like keys: at least half as many values as events. Most others are seen from the first events of each pack.
CREATE FUNCTION weir.keys_among_values(tenant text, day date) RETURNS TABLE (event text, name text)
LANGUAGE sql STABLE
SET jit = off SET work_mem = '64MB'
AS $$
  WITH likely AS MATERIALIZED (
    SELECT v.event, v.name
    FROM weir.pack_values AS v
    CROSS JOIN LATERAL (SELECT count(*) AS events, count(DISTINCT u.hash) AS keys FROM unnest(v.hashes[1:64]) AS u (hash)) AS f
    WHERE v.tenant_id = tenant AND v.day = keys_among_values.day AND v.name <> ''
    GROUP BY v.event, v.name
    HAVING bool_and(v.are_texts) AND 2 * sum(f.keys) >= sum(f.events)
  )
  SELECT h.event, h.name
  FROM (
    SELECT v.event, v.name, unnest(v.hashes) AS hash
    FROM likely AS l JOIN weir.pack_values AS v ON (v.tenant_id, v.day, v.event, v.name) = (tenant, keys_among_values.day, l.event, l.name)
  ) AS h
  GROUP BY h.event, h.name
  HAVING 2 * count(DISTINCT h.hash) >= count(*)
$$;

-- The keys of a day.
CREATE FUNCTION weir.keys_of_day(tenant text, day date) RETURNS SETOF weir.day_keys
LANGUAGE sql STABLE
SET jit = off SET work_mem = '64MB' SET enable_nestloop = on
AS $$
  SELECT tenant, keys_of_day.day, k.event, k.name, c.part, k.tasks[c.low:c.high], k.moments[c.low:c.high]
  FROM (
    SELECT l.event, l.name, e.tasks, e.moments
    FROM weir.keys_among_values(tenant, keys_of_day.day) AS l
    CROSS JOIN LATERAL (
      SELECT array_agg(s.task) AS tasks, array_agg(s.moment) AS moments
      FROM (
        SELECT coalesce(CASE WHEN u.is_hashed THEN u.hash ELSE weir.key_of(u.properties, l.name) END, 0) # u.number AS task, u.code & 137438953471 AS moment
        FROM (
          SELECT unnest(p.codes) AS code, unnest(p.numbers) AS number, unnest(v.hashes) AS hash,
            unnest(CASE WHEN v.hashes IS NULL THEN p.properties END) AS properties, v.hashes IS NOT NULL AS is_hashed
          FROM weir.packs AS p
          LEFT JOIN weir.pack_values AS v ON (v.tenant_id, v.day, v.event, v.part, v.name) = (p.tenant_id, p.day, p.event, p.part, l.name)
          WHERE p.tenant_id = tenant AND p.day = keys_of_day.day AND p.event = l.event
        ) AS u
        WHERE u.code IS NOT NULL
        ORDER BY task, moment
      ) AS s
    ) AS e
    OFFSET 0
  ) AS k
  CROSS JOIN LATERAL weir.cut_keys(k.tasks) AS c
$$;

CREATE FUNCTION weir.list_keys(tenant text, day date) RETURNS void
LANGUAGE sql
AS $$
  WITH fresh AS MATERIALIZED (
    SELECT * FROM weir.keys_of_day(tenant, list_keys.day)
  ), gone AS (
    DELETE FROM weir.day_keys AS k
    WHERE k.tenant_id = tenant AND k.day = list_keys.day
      AND NOT EXISTS (SELECT FROM fresh AS f WHERE (f.event, f.name, f.part) = (k.event, k.name, k.part))
  )
  INSERT INTO weir.day_keys AS k SELECT * FROM fresh
  ON CONFLICT (tenant_id, day, event, name, part) DO UPDATE SET tasks = excluded.tasks, moments = excluded.moments
  WHERE (k.tasks, k.moments) IS DISTINCT FROM (excluded.tasks, excluded.moments)
$$;
GRANT EXECUTE ON FUNCTION weir.key_of(jsonb, text), weir.cut_keys(bigint[]), weir.keys_among_values(text, date),
  weir.keys_of_day(text, date) TO weir_reader;

-- As 0044 has it, and the keys.
CREATE OR REPLACE FUNCTION weir.drop_packs_of_gone_days(tenant text) RETURNS void
LANGUAGE sql
AS $$
  DELETE FROM weir.packs AS p USING weir.gone_days AS g WHERE p.tenant_id = tenant AND g.tenant_id = tenant AND p.day = g.day;
  DELETE FROM weir.pack_values AS v USING weir.gone_days AS g WHERE v.tenant_id = tenant AND g.tenant_id = tenant AND v.day = g.day;
  DELETE FROM weir.day_keys AS k USING weir.gone_days AS g WHERE k.tenant_id = tenant AND g.tenant_id = tenant AND k.day = g.day;
  DELETE FROM weir.day_tallies AS t USING weir.gone_days AS g WHERE t.tenant_id = tenant AND g.tenant_id = tenant AND t.day = g.day;
  DELETE FROM weir.day_viewers AS v USING weir.gone_days AS g WHERE v.tenant_id = tenant AND g.tenant_id = tenant AND v.day = g.day;
  DELETE FROM weir.packed_days AS p USING weir.gone_days AS g WHERE p.tenant_id = tenant AND g.tenant_id = tenant AND p.day = g.day;
$$;

-- What differs is replaced; then what is made of it.
CREATE OR REPLACE FUNCTION weir.list_values(tenant text, day date) RETURNS void
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
  ON CONFLICT (tenant_id, day, event, part, name) DO UPDATE
  SET hashes = excluded.hashes, are_texts = excluded.are_texts, amounts = excluded.amounts
  WHERE (v.hashes, v.are_texts, v.amounts) IS DISTINCT FROM (excluded.hashes, excluded.are_texts, excluded.amounts);
  SELECT weir.list_keys(tenant, list_values.day);
$$;

-- As 0044 has it, and the keys.
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
    SELECT 'viewers', coalesce(k.dimension, c.dimension), concat_ws(' ', nullif(coalesce(k.value, c.value), ''), coalesce(k.chunk, c.chunk)),
      bit_count(k.users) || ' users', bit_count(c.users) || ' users'
    FROM (SELECT * FROM weir.day_viewers AS v WHERE v.tenant_id = compare_packs.tenant AND v.day = compare_packs.day) AS k
    FULL JOIN weir.viewers_of_day(compare_packs.tenant, compare_packs.day) AS c ON c.dimension = k.dimension AND c.value = k.value AND c.chunk = k.chunk
    WHERE k.users IS DISTINCT FROM c.users
  ) AS f
  WHERE EXISTS (SELECT FROM weir.packed_days AS p WHERE p.tenant_id = compare_packs.tenant AND p.day = compare_packs.day)
$$;

-- They say more since (analytics/happened.sql, moments.sql, tasks.sql). Where one was never made there is nothing to say.
SET LOCAL client_min_messages = warning;
DROP FUNCTION IF EXISTS weir.packs_to_read(integer, bigint, bigint, text, jsonb, timestamptz, timestamptz, text[]),
  weir.cut_packs(bigint, bigint, weir.asked, jsonb, text[], boolean), weir.places_with(text, date, text, integer, jsonb),
  weir.picked(anyarray, smallint[]), weir.narrowed_column(anyarray, smallint[]), weir.key_of(jsonb, text, text),
  weir.all_task_slots(text, date, date, text, jsonb, boolean, bigint, text, bigint[], weir.moments[]);

-- Days that are packed already.
SELECT weir.list_values(p.tenant_id, p.day) FROM weir.packed_days AS p;
