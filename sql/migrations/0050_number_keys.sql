-- Numbers may be keys, too: a task is as often told by a row of a database as by a text. Tasks by such a key were put together from all events.
--
-- A key is a text, whoever says it, so that 5 and "5" are one task (weir.key_of()). Of a number it is read from `amounts`, which has all of its digits. Whole numbers
-- alone, since what is measured mostly has fractions; of those that are whole (milliseconds) few events have a value of their own.
SET LOCAL ROLE weir_owner;

COMMENT ON TABLE weir.day_keys IS
  'All events of a UTC day and name that have a user, in the order of tasks and moments, some 4096 to a part, where a property is like a key: its values are short '
  'texts, or whole numbers, most of them of one event. Element n of both columns is of one event; what is of one task is in one part.';
COMMENT ON COLUMN weir.day_keys.tasks IS 'A user and a key in one: weir.key_of() the property, or 0 where it has none, # the user''s number.';

CREATE FUNCTION weir.key_of_number(amount numeric) RETURNS bigint
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT weir.value_hash(to_jsonb(left(amount::text, 256))) $$;

-- As in 0046, and whole numbers.
CREATE OR REPLACE FUNCTION weir.keys_among_values(tenant text, day date) RETURNS TABLE (event text, name text)
LANGUAGE sql STABLE
SET jit = off SET work_mem = '64MB'
AS $$
  WITH likely AS MATERIALIZED (
    SELECT v.event, v.name
    FROM weir.pack_values AS v
    CROSS JOIN LATERAL (
      SELECT count(*) AS events, count(DISTINCT u.hash) AS keys, bool_and(u.hash IS NULL OR scale(u.amount) = 0) IS TRUE AS are_whole
      FROM unnest(v.hashes[1:64], v.amounts[1:64]) AS u (hash, amount)
    ) AS f
    WHERE v.tenant_id = tenant AND v.day = keys_among_values.day AND v.name <> ''
    GROUP BY v.event, v.name
    HAVING bool_and(v.are_texts OR f.are_whole) AND 2 * sum(f.keys) >= sum(f.events)
  )
  SELECT h.event, h.name
  FROM (
    SELECT v.event, v.name, v.are_texts, unnest(v.hashes) AS hash, unnest(v.amounts) AS amount
    FROM likely AS l JOIN weir.pack_values AS v ON (v.tenant_id, v.day, v.event, v.name) = (tenant, keys_among_values.day, l.event, l.name)
  ) AS h
  GROUP BY h.event, h.name
  HAVING 2 * count(DISTINCT h.hash) >= count(*) AND bool_and(h.are_texts OR h.hash IS NULL OR coalesce(scale(h.amount) = 0, false))
$$;

-- As in 0046, and numbers.
CREATE OR REPLACE FUNCTION weir.keys_of_day(tenant text, day date) RETURNS SETOF weir.day_keys
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
        SELECT coalesce(CASE WHEN u.amount IS NOT NULL THEN weir.key_of_number(u.amount) WHEN u.is_hashed THEN u.hash ELSE weir.key_of(u.properties, l.name) END, 0)
          # u.number AS task, u.code & 137438953471 AS moment
        FROM (
          SELECT unnest(p.codes) AS code, unnest(p.numbers) AS number, unnest(v.hashes) AS hash, unnest(v.amounts) AS amount,
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

GRANT EXECUTE ON FUNCTION weir.key_of_number(numeric) TO weir_reader;

-- Days that are packed already, as far as they have such a property.
SELECT weir.list_keys(p.tenant_id, p.day) FROM weir.packed_days AS p
WHERE EXISTS (
  SELECT FROM weir.keys_among_values(p.tenant_id, p.day) AS k
  WHERE NOT EXISTS (SELECT FROM weir.day_keys AS d WHERE (d.tenant_id, d.day, d.event, d.name, d.part) = (p.tenant_id, p.day, k.event, k.name, 0)));
