-- Where many days wait, each is built once: a user's earliest event is what the flusher has added up, not what the days
-- that were built so far have. What is still to be built can be counted as it is chosen.
SET LOCAL ROLE weir_owner;

-- Gives a number to each user of a UTC day that has none, and remembers their earliest event and crash. The flusher has
-- added the event up (user_days) in the transaction that stored it, so that the earliest one is known though its day is
-- still to be built: else newer days, which are built first, would be built anew for each older one after them. Where
-- a late event lowers the first, the day that has lost a new user is marked, as of when the late one was, and the day
-- that gets one, unless it waits anyway.
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
  ), known AS MATERIALIZED (
    SELECT f.user_id, f.first_crash_at, f.number, f.was_at,
      least(f.first_at, (
        SELECT d.first_at FROM weir.user_days AS d
        WHERE d.tenant_id = number_users.tenant AND d.user_id = f.user_id ORDER BY d.day LIMIT 1)) AS first_at
    FROM found AS f
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

-- Days that may be built now, of those that were marked by then, with the time since which each waits. A day is due when
-- all of its marks are: a new one does not hurry one that fails. Marks of a rebuild wait for it.
CREATE FUNCTION weir.days_to_build(only_tenant text, marked_before timestamptz)
RETURNS TABLE (tenant_id text, day date, since timestamptz)
LANGUAGE sql STABLE
AS $$
  SELECT t.tenant_id, t.day, min(t.added_at) AS since
  FROM weir.touched_days AS t
  WHERE only_tenant IS NULL OR t.tenant_id = only_tenant
  GROUP BY t.tenant_id, t.day
  HAVING coalesce(max(t.due_at) FILTER (WHERE isfinite(t.marked_at)), max(t.due_at)) <= clock_timestamp()
    AND min(t.added_at) <= coalesce(marked_before, 'infinity')
$$;

-- Whose turn it is, and which day of theirs. Tenants take turns, whoever waits longest for one first; of a tenant the
-- newest day and the one that waits longest in turn, so that today is soon there and a year that was loaded gets done.
CREATE OR REPLACE FUNCTION weir.next_day_to_build(only_tenant text, marked_before timestamptz)
RETURNS TABLE (tenant_id text, day date)
LANGUAGE sql STABLE
AS $$
  WITH due AS MATERIALIZED (
    SELECT * FROM weir.days_to_build(only_tenant, marked_before)
  ), turn AS (
    SELECT d.tenant_id, coalesce(r.turns, 0) AS turns
    FROM (SELECT DISTINCT d.tenant_id FROM due AS d) AS d
    LEFT JOIN weir.roll_up_turns AS r ON r.tenant_id = d.tenant_id
    ORDER BY r.last_at NULLS FIRST, d.tenant_id COLLATE "C"
    LIMIT 1
  )
  SELECT d.tenant_id, d.day
  FROM due AS d JOIN turn AS t ON t.tenant_id = d.tenant_id
  ORDER BY CASE t.turns % 2 WHEN 1 THEN d.since END, d.day DESC
  LIMIT 1
$$;
