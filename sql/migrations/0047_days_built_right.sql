-- What building days did wrong, what verify did not say, and what is asked no more.
SET LOCAL ROLE weir_owner;

-- As 0031 has it, but the days of users who have no number yet are looked for once for all of them: user_days is in the order of days, so that for each user all
-- of it was walked through, which took minutes for a day with many new ones.
CREATE OR REPLACE FUNCTION weir.number_users(tenant text, day date, marked_at timestamptz DEFAULT now()) RETURNS void
LANGUAGE sql
SET jit = off SET work_mem = '64MB' SET enable_nestloop = off SET enable_mergejoin = off
AS $$
  WITH seen AS (
    SELECT h.user_id, min(h.at) AS first_at, min(h."timestamp") FILTER (WHERE h.at IS NULL) AS first_crash_at
    FROM (
      SELECT e.user_id, e."timestamp", e."timestamp" AS at FROM weir.events AS e WHERE e.tenant_id = number_users.tenant
      UNION ALL
      SELECT c.user_id, c."timestamp", NULL FROM weir.crashes AS c WHERE c.tenant_id = number_users.tenant
    ) AS h
    WHERE h.user_id IS NOT NULL AND h."timestamp" >= number_users.day::timestamp AT TIME ZONE 'UTC'
      AND h."timestamp" < (number_users.day + 1)::timestamp AT TIME ZONE 'UTC'
    GROUP BY h.user_id
  ), found AS MATERIALIZED (
    SELECT s.user_id, s.first_at, s.first_crash_at, u.number, u.first_at AS was_at
    FROM seen AS s
    LEFT JOIN weir.user_numbers AS u ON u.tenant_id = number_users.tenant AND u.user_id = s.user_id
    WHERE u.number IS NULL OR s.first_at < coalesce(u.first_at, 'infinity')
      OR s.first_crash_at < coalesce(u.first_crash_at, 'infinity')
  ), earlier AS MATERIALIZED (
    SELECT d.user_id, min(d.first_at) AS first_at FROM weir.user_days AS d
    WHERE d.tenant_id = number_users.tenant AND d.user_id IN (SELECT f.user_id FROM found AS f)
    GROUP BY d.user_id
  ), known AS MATERIALIZED (
    SELECT f.user_id, f.first_crash_at, f.number, f.was_at, least(f.first_at, e.first_at) AS first_at
    FROM found AS f LEFT JOIN earlier AS e ON e.user_id = f.user_id
  ), lowered AS (
    UPDATE weir.user_numbers AS u
    SET first_at = least(u.first_at, k.first_at), first_crash_at = least(u.first_crash_at, k.first_crash_at)
    FROM known AS k
    WHERE u.tenant_id = number_users.tenant AND u.number = k.number
    RETURNING CASE WHEN k.first_at < k.was_at THEN (k.was_at AT TIME ZONE 'UTC')::date END AS day
  ), moved AS (
    SELECT l.day FROM lowered AS l WHERE l.day <> number_users.day
    UNION
    SELECT f.day FROM (SELECT DISTINCT (k.first_at AT TIME ZONE 'UTC')::date AS day FROM known AS k
      WHERE k.was_at IS NULL OR k.first_at < k.was_at) AS f
    WHERE f.day <> number_users.day AND NOT EXISTS (
      SELECT FROM weir.touched_days AS t WHERE t.tenant_id = number_users.tenant AND t.day = f.day AND t.zone IS NULL)
  ), marked AS (
    INSERT INTO weir.touched_days (tenant_id, day, neighbours, marked_at, added_at)
    SELECT number_users.tenant, m.day, false, number_users.marked_at, number_users.marked_at FROM moved AS m
  )
  INSERT INTO weir.user_numbers (tenant_id, user_id, number, first_at, first_crash_at)
  SELECT number_users.tenant, k.user_id,
    (SELECT coalesce(max(u.number), -1) FROM weir.user_numbers AS u WHERE u.tenant_id = number_users.tenant)
      + row_number() OVER (ORDER BY k.first_at, k.user_id COLLATE "C"),
    k.first_at, k.first_crash_at
  FROM known AS k
  WHERE k.number IS NULL
$$;

-- As 0017 has it, but a count of which the sum alone is wrong is replaced, too.
CREATE OR REPLACE FUNCTION weir.build_facts(tenant text, zone text, day date, only_newcomers boolean) RETURNS void
LANGUAGE sql
AS $$
  WITH fresh AS MATERIALIZED (
    SELECT * FROM weir.facts_of_day(tenant, zone, day) WHERE NOT only_newcomers
    UNION ALL
    SELECT *, NULL, NULL, NULL, NULL, NULL FROM weir.newcomers_of_day(tenant, zone, day)
  ), sets_gone AS (
    DELETE FROM weir.day_sets AS d
    WHERE d.tenant_id = build_facts.tenant AND d.zone = build_facts.zone AND d.day = build_facts.day
      AND (NOT only_newcomers OR d.subject = 'new')
      AND NOT EXISTS (SELECT FROM fresh AS f WHERE f.kind = 'set'
        AND (f.subject, f.value, f.chunk) = (d.subject, d.value, d.chunk))
  ), counts_gone AS (
    DELETE FROM weir.day_counts AS d
    WHERE d.tenant_id = build_facts.tenant AND d.zone = build_facts.zone AND d.day = build_facts.day
      AND (NOT only_newcomers OR d.subject = 'new')
      AND NOT EXISTS (SELECT FROM fresh AS f WHERE f.kind = 'count' AND (f.subject, f.value) = (d.subject, d.value))
  ), numbers_gone AS (
    DELETE FROM weir.day_numbers AS d
    WHERE d.tenant_id = build_facts.tenant AND d.zone = build_facts.zone AND d.day = build_facts.day
      AND NOT only_newcomers
      AND NOT EXISTS (SELECT FROM fresh AS f WHERE f.kind = 'number' AND (f.subject, f.value) = (d.event, d.property))
  ), sets AS (
    INSERT INTO weir.day_sets AS d (tenant_id, zone, subject, value, day, chunk, users)
    SELECT tenant, zone, f.subject, f.value, day, f.chunk, f.users FROM fresh AS f WHERE f.kind = 'set'
    ON CONFLICT (tenant_id, zone, subject, value, day, chunk) DO UPDATE SET users = excluded.users
    WHERE d.users <> excluded.users
  ), counts AS (
    INSERT INTO weir.day_counts AS d (tenant_id, zone, subject, value, day, events, hours)
    SELECT tenant, zone, f.subject, f.value, day, f.events, f.hours FROM fresh AS f WHERE f.kind = 'count'
    ON CONFLICT (tenant_id, zone, subject, value, day) DO UPDATE SET events = excluded.events, hours = excluded.hours
    WHERE (d.events, d.hours) IS DISTINCT FROM (excluded.events, excluded.hours)
  )
  INSERT INTO weir.day_numbers AS d
    (tenant_id, zone, event, property, day, numbers, total, lowest, highest, slots, counts)
  SELECT tenant, zone, f.subject, f.value, day, f.events, f.total, f.lowest, f.highest, f.slots, f.counts
  FROM fresh AS f WHERE f.kind = 'number'
  ON CONFLICT (tenant_id, zone, event, property, day) DO UPDATE SET numbers = excluded.numbers,
    total = excluded.total, lowest = excluded.lowest, highest = excluded.highest, slots = excluded.slots,
    counts = excluded.counts
  WHERE (d.numbers, d.total, d.lowest, d.highest, d.slots, d.counts)
    IS DISTINCT FROM (excluded.numbers, excluded.total, excluded.lowest, excluded.highest, excluded.slots, excluded.counts)
$$;

-- As 0019 has it, but of a count the sum is said, too, and of numbers the lowest and the highest: all that is compared, but slots.
CREATE OR REPLACE FUNCTION weir.compare_facts(tenant text, zone text, day date)
RETURNS TABLE (part text, subject text, value text, kept text, counted text)
LANGUAGE sql STABLE
AS $$
  WITH counted AS MATERIALIZED (
    SELECT * FROM weir.facts_of_day(tenant, zone, day)
    UNION ALL
    SELECT *, NULL, NULL, NULL, NULL, NULL FROM weir.newcomers_of_day(tenant, zone, day)
  )
  SELECT 'day_sets', coalesce(k.subject, c.subject), coalesce(k.value, c.value), bit_count(k.users) || ' users',
    bit_count(c.users) || ' users'
  FROM (SELECT * FROM weir.day_sets AS d
    WHERE d.tenant_id = compare_facts.tenant AND d.zone = compare_facts.zone AND d.day = compare_facts.day) AS k
  FULL JOIN (SELECT * FROM counted AS c WHERE c.kind = 'set') AS c
    ON c.subject = k.subject AND c.value = k.value AND c.chunk = k.chunk
  WHERE k.users IS DISTINCT FROM c.users
  UNION ALL
  SELECT 'day_counts', coalesce(k.subject, c.subject), coalesce(k.value, c.value),
    k.events || ' events, by hour ' || array_to_string(k.hours, ' '), c.events || ' events, by hour ' || array_to_string(c.hours, ' ')
  FROM (SELECT * FROM weir.day_counts AS d
    WHERE d.tenant_id = compare_facts.tenant AND d.zone = compare_facts.zone AND d.day = compare_facts.day) AS k
  FULL JOIN (SELECT * FROM counted AS c WHERE c.kind = 'count') AS c ON c.subject = k.subject AND c.value = k.value
  WHERE (k.events, k.hours) IS DISTINCT FROM (c.events, c.hours)
  UNION ALL
  SELECT 'day_numbers', coalesce(k.event, c.subject), coalesce(k.property, c.value),
    k.numbers || format(' numbers from %s to %s, %s together', k.lowest, k.highest, k.total),
    c.events || format(' numbers from %s to %s, %s together', c.lowest, c.highest, c.total)
  FROM (SELECT * FROM weir.day_numbers AS d
    WHERE d.tenant_id = compare_facts.tenant AND d.zone = compare_facts.zone AND d.day = compare_facts.day) AS k
  FULL JOIN (SELECT * FROM counted AS c WHERE c.kind = 'number') AS c ON c.subject = k.event AND c.value = k.property
  WHERE (k.numbers, k.total, k.lowest, k.highest, k.slots, k.counts)
    IS DISTINCT FROM (c.events, c.total, c.lowest, c.highest, c.slots, c.counts)
$$;

-- They are read in other ways now (analytics/keyed_tasks.sql, happened.sql). Where one was never made there is nothing to say.
SET LOCAL client_min_messages = warning;
DROP FUNCTION IF EXISTS
  weir.happened_to(bigint, bigint, text, jsonb, timestamptz, timestamptz, text[]),
  weir.task_slots_by_user(bigint, bigint, text, date, date, text, jsonb, boolean, bigint, weir.moments[]),
  weir.keyed_task_slots(bigint, bigint, text, date, date, text, jsonb, boolean, bigint, text),
  weir.keyed_events(bigint, bigint, weir.asked, jsonb, text, integer),
  weir.small_turns_of_users(text, bigint, bigint);
