-- Rows that came by COPY may hold what no front door lets in: times that no calendar of PostgreSQL can go on from, numbers
-- of which two make more than numeric holds. One of them must not keep a rebuild from all other days and tenants.
SET LOCAL ROLE weir_owner;

-- Times that figures are made of: the years 1 to 9999, as at the front door (core/event/timestamp.h). Rows beyond are
-- stored, and counted nowhere.
CREATE FUNCTION weir.first_time() RETURNS timestamptz
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT timestamptz '0001-01-01T00:00:00Z' $$;

CREATE FUNCTION weir.end_of_time() RETURNS timestamptz
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT timestamptz '10000-01-01T00:00:00Z' $$;

CREATE OR REPLACE FUNCTION weir.next_day_with_rows(tenant text, since timestamptz) RETURNS date
LANGUAGE sql STABLE
AS $$
  SELECT (least(
    (SELECT min(e."timestamp") FROM weir.events AS e
      WHERE e.tenant_id = tenant AND e."timestamp" >= greatest(since, weir.first_time()) AND e."timestamp" < weir.end_of_time()),
    (SELECT min(c."timestamp") FROM weir.crashes AS c
      WHERE c.tenant_id = tenant AND c."timestamp" >= greatest(since, weir.first_time()) AND c."timestamp" < weir.end_of_time())
  ) AT TIME ZONE 'UTC')::date
$$;

-- How many rows of each tenant are in no figures for their time's sake; nobody that has none.
CREATE FUNCTION weir.rows_out_of_time(only_tenant text) RETURNS TABLE (tenant_id text, rows bigint)
LANGUAGE sql STABLE
AS $$
  SELECT t.tenant, o.rows
  FROM (SELECT w.tenant FROM weir.tenants_with_rows() AS w (tenant) WHERE only_tenant IS NULL
    UNION ALL SELECT only_tenant WHERE only_tenant IS NOT NULL) AS t (tenant)
  CROSS JOIN LATERAL (
    SELECT (SELECT count(*) FROM weir.events AS e WHERE e.tenant_id = t.tenant AND e."timestamp" < weir.first_time())
      + (SELECT count(*) FROM weir.events AS e WHERE e.tenant_id = t.tenant AND e."timestamp" >= weir.end_of_time())
      + (SELECT count(*) FROM weir.crashes AS c WHERE c.tenant_id = t.tenant AND c."timestamp" < weir.first_time())
      + (SELECT count(*) FROM weir.crashes AS c WHERE c.tenant_id = t.tenant AND c."timestamp" >= weir.end_of_time()) AS rows
  ) AS o
  WHERE o.rows > 0
$$;

-- Of each user that crashed, as the rows say.
CREATE OR REPLACE FUNCTION weir.first_crashes(tenant text) RETURNS TABLE (user_id text, first_crash_at timestamptz)
LANGUAGE sql STABLE
AS $$
  SELECT c.user_id, min(c."timestamp")
  FROM weir.crashes AS c
  WHERE c.tenant_id = first_crashes.tenant AND c.user_id IS NOT NULL
    AND c."timestamp" >= weir.first_time() AND c."timestamp" < weir.end_of_time()
  GROUP BY c.user_id
$$;

-- Of numbers what the front door takes at the most, whatever weir_limit says (docs/directives.md, `exponent`): all that a
-- flusher can have added up, so that both say the same, and far from where a sum overflows.
CREATE OR REPLACE FUNCTION weir.sums_of_day(tenant text, day date)
RETURNS TABLE (kind text, name text, events bigint, total numeric, first_at timestamptz, last_at timestamptz)
LANGUAGE sql STABLE
SET jit = off SET work_mem = '64MB' SET enable_nestloop = off SET enable_mergejoin = off SET enable_sort = off
SET enable_indexscan = off
AS $$
  WITH happened AS MATERIALIZED (
    SELECT e.user_id, e.event, e."timestamp" AS at, e.properties
    FROM weir.events AS e
    WHERE e.tenant_id = sums_of_day.tenant
      AND e."timestamp" >= sums_of_day.day::timestamp AT TIME ZONE 'UTC'
      AND e."timestamp" < (sums_of_day.day + 1)::timestamp AT TIME ZONE 'UTC'
  ), wanted AS MATERIALIZED (
    SELECT m.measure, m.event, m.property, m.factor
    FROM weir.measures AS m
    WHERE m.tenant_id = sums_of_day.tenant OR m.tenant_id = '*' AND NOT EXISTS (
      SELECT FROM weir.measures AS own WHERE own.tenant_id = sums_of_day.tenant AND own.measure = m.measure)
  )
  SELECT 'user', h.user_id, count(*), NULL::numeric, min(h.at), max(h.at)
  FROM happened AS h
  WHERE h.user_id IS NOT NULL
  GROUP BY h.user_id
  UNION ALL
  SELECT 'measure', f.measure, sum(f.events)::bigint, sum(f.total), NULL, NULL
  FROM (
    SELECT w.measure, k.events, w.factor * k.events AS total
    FROM (SELECT h.event, count(*) AS events FROM happened AS h GROUP BY h.event) AS k
    JOIN wanted AS w ON w.event IN (k.event, '*')
    WHERE w.property IS NULL
    UNION ALL
    SELECT w.measure, 1, w.factor * (h.properties -> w.property)::numeric
    FROM happened AS h
    JOIN wanted AS w ON w.event IN (h.event, '*')
    WHERE w.property IS NOT NULL
      AND CASE jsonb_typeof(h.properties -> w.property) WHEN 'number' THEN abs((h.properties -> w.property)::numeric) < 1e16001 ELSE false END
  ) AS f
  GROUP BY f.measure
  UNION ALL
  SELECT 'crash', '', count(*), NULL, NULL, NULL
  FROM weir.crashes AS c
  WHERE c.tenant_id = sums_of_day.tenant
    AND c."timestamp" >= sums_of_day.day::timestamp AT TIME ZONE 'UTC'
    AND c."timestamp" < (sums_of_day.day + 1)::timestamp AT TIME ZONE 'UTC'
  HAVING count(*) > 0
$$;

GRANT EXECUTE ON FUNCTION weir.first_time(), weir.end_of_time(), weir.rows_out_of_time(text) TO weir_reader;
