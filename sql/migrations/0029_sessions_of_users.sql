-- Sessions are of users: events of nobody, such as commands of the command line, are none. They had been counted, and
-- since each took no time and none could have a crash, they made sessions shorter and safer than they were.
SET LOCAL ROLE weir_owner;

-- As in 0016, of rows that have a user.
CREATE OR REPLACE FUNCTION weir.sessions_of_day(tenant text, zone text, day date)
RETURNS TABLE (sessions bigint, crashed bigint, seconds numeric, slots integer[], counts bigint[])
LANGUAGE sql STABLE
SET jit = off SET work_mem = '64MB' SET enable_nestloop = off SET enable_mergejoin = off SET enable_sort = off
SET enable_indexscan = off
AS $$
  WITH bounds AS MATERIALIZED (
    SELECT lower(span) - interval '24 hours' AS first, upper(span) + interval '24 hours' AS last
    FROM weir.span_of_day(sessions_of_day.zone, sessions_of_day.day) AS span
  ), near AS NOT MATERIALIZED (
    SELECT e.user_id, e.session_id, e."timestamp" AS at, (e."timestamp" AT TIME ZONE sessions_of_day.zone)::date AS day
    FROM weir.events AS e
    WHERE e.tenant_id = sessions_of_day.tenant AND e.user_id IS NOT NULL AND e.session_id IS NOT NULL
      AND e."timestamp" >= (SELECT first FROM bounds) AND e."timestamp" < (SELECT last FROM bounds)
  ), seen AS (
    SELECT n.user_id, n.session_id, max(n.at) FILTER (WHERE n.day < sessions_of_day.day) AS before,
      min(n.at) FILTER (WHERE n.day = sessions_of_day.day) AS first_at, max(n.at) AS last_at
    FROM near AS n
    GROUP BY n.user_id, n.session_id
  ), fresh AS MATERIALIZED (
    SELECT row_number() OVER () AS n, s.user_id, s.session_id, s.first_at, s.last_at,
      s.last_at > s.first_at + interval '24 hours' AS goes_on
    FROM seen AS s
    WHERE s.first_at IS NOT NULL AND (s.before IS NULL OR s.before <= s.first_at - interval '24 hours')
  ), ends AS (
    -- Of those whose session_id comes again on a later day: only where there are any are the rows read once more.
    SELECT f.n, max(near.at) AS last_at
    FROM near
    JOIN fresh AS f ON f.goes_on AND f.session_id = near.session_id AND f.user_id = near.user_id
    WHERE near.at BETWEEN f.first_at AND f.first_at + interval '24 hours'
    GROUP BY f.n
  ), begun AS MATERIALIZED (
    SELECT f.n, f.user_id, f.first_at, coalesce(e.last_at, f.last_at) AS last_at FROM fresh AS f LEFT JOIN ends AS e ON e.n = f.n
  ), crashed AS MATERIALIZED (
    SELECT DISTINCT b.n
    FROM begun AS b
    JOIN weir.crashes AS c ON c.user_id = b.user_id AND c."timestamp" BETWEEN b.first_at AND b.last_at
    WHERE c.tenant_id = sessions_of_day.tenant
      AND c."timestamp" >= (SELECT first FROM bounds) AND c."timestamp" < (SELECT last FROM bounds)
  ), by_slot AS (
    SELECT weir.slot_of(extract(epoch FROM b.last_at - b.first_at)) AS slot, count(*) AS sessions,
      sum(extract(epoch FROM b.last_at - b.first_at)) AS seconds
    FROM begun AS b
    GROUP BY slot
  )
  SELECT sum(s.sessions)::bigint, (SELECT count(*) FROM crashed), sum(s.seconds),
    array_agg(s.slot ORDER BY s.slot), array_agg(s.sessions ORDER BY s.slot)
  FROM by_slot AS s
  HAVING count(*) > 0
$$;

-- Days that have sessions may have too many. On whatever clock one begins, its first event begins one of the UTC day too:
-- so these are all. Days whose rows are gone keep what was counted.
INSERT INTO weir.touched_days (tenant_id, day, neighbours)
SELECT s.tenant_id, s.day, false FROM weir.day_sessions AS s WHERE s.zone = 'UTC';
