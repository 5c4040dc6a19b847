-- Which rows are stored already (0005), found for half the time. Most of that went into date_trunc() with a
-- time zone, twice for each row. A week is the same by plain division: all have 168 hours in UTC, and the year
-- 1 began with a Monday.
SET LOCAL ROLE weir_owner;

-- The functions below name temporary tables, which are not there when they are created.
SET LOCAL check_function_bodies = off;

CREATE FUNCTION weir.week_of(moment timestamptz) RETURNS timestamptz
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT date_bin('168 hours', moment, '0001-01-01 00:00Z') $$;
COMMENT ON FUNCTION weir.week_of(timestamptz) IS 'When its week began, which is on a Monday in UTC: a partition''s bound.';

-- As in 0005 but for week_of().
CREATE OR REPLACE FUNCTION weir.known_events() RETURNS SETOF integer
LANGUAGE sql STABLE
SET enable_seqscan = off SET jit = off
AS $$
  SELECT a.n
  FROM pg_temp.arriving_ids AS a
  WHERE EXISTS (
    SELECT FROM weir.events AS e
    WHERE e.tenant_id = a.tenant_id AND e.event_id = a.id
      AND e.client_timestamp >= weir.week_of(
        a.client_timestamp - CASE WHEN a.wide THEN interval '168 hours' ELSE interval '0' END)
      AND e.client_timestamp < interval '168 hours' + weir.week_of(
        a.client_timestamp + CASE WHEN a.wide THEN interval '168 hours' ELSE interval '0' END))
  OR EXISTS (
    SELECT FROM weir.events_default AS e WHERE e.tenant_id = a.tenant_id AND e.event_id = a.id
    OFFSET 0)
$$;

CREATE OR REPLACE FUNCTION weir.known_crashes() RETURNS SETOF integer
LANGUAGE sql STABLE
SET enable_seqscan = off SET jit = off
AS $$
  SELECT a.n
  FROM pg_temp.arriving_ids AS a
  WHERE EXISTS (
    SELECT FROM weir.crashes AS c
    WHERE c.tenant_id = a.tenant_id AND c.crash_id = a.id
      AND c.client_timestamp >= weir.week_of(
        a.client_timestamp - CASE WHEN a.wide THEN interval '168 hours' ELSE interval '0' END)
      AND c.client_timestamp < interval '168 hours' + weir.week_of(
        a.client_timestamp + CASE WHEN a.wide THEN interval '168 hours' ELSE interval '0' END))
  OR EXISTS (
    SELECT FROM weir.crashes_default AS c WHERE c.tenant_id = a.tenant_id AND c.crash_id = a.id
    OFFSET 0)
$$;

GRANT EXECUTE ON FUNCTION weir.week_of(timestamptz) TO weir_flusher;
