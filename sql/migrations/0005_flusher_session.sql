-- What a flusher's session does besides COPY: asks which rows are there already, and adds the new
-- ones to the roll-ups. The rows' narrow columns come in temporary tables.
--
--   SELECT weir.open_session();              -- once a connection
--   BEGIN;
--   COPY arriving_ids FROM STDIN …;          -- only if duplicates are to be expected
--   SELECT weir.known_events();
--   COPY weir.events FROM STDIN …;
--   COPY added_events FROM STDIN …;          -- one row for each row of the COPY before
--   SELECT weir.roll_up_events();            -- events before crashes: all lock in one order
--   SELECT weir.roll_up_crashes();
--   SELECT weir.advance_position(…);
--   COMMIT;                                  -- empties the temporary tables
SET LOCAL ROLE weir_owner;

-- The functions below name temporary tables, which are not there when they are created.
SET LOCAL check_function_bodies = off;

CREATE FUNCTION weir.open_session() RETURNS void
LANGUAGE plpgsql
AS $$
BEGIN
  CREATE TEMPORARY TABLE IF NOT EXISTS arriving_ids (
    n integer NOT NULL,
    tenant_id text NOT NULL,
    id uuid NOT NULL,
    client_timestamp timestamptz NOT NULL,
    wide boolean NOT NULL
  ) ON COMMIT DELETE ROWS;
  CREATE TEMPORARY TABLE IF NOT EXISTS added_events (
    tenant_id text NOT NULL,
    user_id text,
    event text NOT NULL,
    "timestamp" timestamptz NOT NULL,
    properties text
  ) ON COMMIT DELETE ROWS;
  CREATE TEMPORARY TABLE IF NOT EXISTS added_crashes (
    tenant_id text NOT NULL,
    user_id text,
    "timestamp" timestamptz NOT NULL
  ) ON COMMIT DELETE ROWS;
END
$$;

-- Which rows of arriving_ids are stored already, as their n. A row is looked for in its own week,
-- and a wide one (its client gave no time that a retry repeats) seven days either way; and in the
-- default partition, whose unique index knows no weeks.
--
-- OR keeps the two lookups from becoming joins, and OFFSET 0 the second from becoming a hash of the
-- whole default partition: they are index probes, row by row, and of the partitions only those that
-- the row's time allows are touched. A partition that has just been filled has no statistics yet, so
-- the planner is told not to read one from end to end. JIT would take longer than the query.
CREATE FUNCTION weir.known_events() RETURNS SETOF integer
LANGUAGE sql STABLE
SET enable_seqscan = off SET jit = off
AS $$
  SELECT a.n
  FROM pg_temp.arriving_ids AS a
  WHERE EXISTS (
    SELECT FROM weir.events AS e
    WHERE e.tenant_id = a.tenant_id AND e.event_id = a.id
      AND e.client_timestamp >= date_trunc('week',
        a.client_timestamp - CASE WHEN a.wide THEN interval '168 hours' ELSE interval '0' END, 'UTC')
      AND e.client_timestamp < interval '168 hours' + date_trunc('week',
        a.client_timestamp + CASE WHEN a.wide THEN interval '168 hours' ELSE interval '0' END, 'UTC'))
  OR EXISTS (
    SELECT FROM weir.events_default AS e WHERE e.tenant_id = a.tenant_id AND e.event_id = a.id
    OFFSET 0)
$$;

CREATE FUNCTION weir.known_crashes() RETURNS SETOF integer
LANGUAGE sql STABLE
SET enable_seqscan = off SET jit = off
AS $$
  SELECT a.n
  FROM pg_temp.arriving_ids AS a
  WHERE EXISTS (
    SELECT FROM weir.crashes AS c
    WHERE c.tenant_id = a.tenant_id AND c.crash_id = a.id
      AND c.client_timestamp >= date_trunc('week',
        a.client_timestamp - CASE WHEN a.wide THEN interval '168 hours' ELSE interval '0' END, 'UTC')
      AND c.client_timestamp < interval '168 hours' + date_trunc('week',
        a.client_timestamp + CASE WHEN a.wide THEN interval '168 hours' ELSE interval '0' END, 'UTC'))
  OR EXISTS (
    SELECT FROM weir.crashes_default AS c WHERE c.tenant_id = a.tenant_id AND c.crash_id = a.id
    OFFSET 0)
$$;

-- Adds the rows of added_events to the roll-ups. Every upsert goes through its rows in the order of
-- their keys, so that two flushers wait for each other but never in a circle.
CREATE FUNCTION weir.roll_up_events() RETURNS void
LANGUAGE sql
AS $$
  INSERT INTO weir.user_days AS d (tenant_id, user_id, day, events, first_at, last_at)
  SELECT tenant_id, user_id, ("timestamp" AT TIME ZONE 'UTC')::date AS day,
    count(*), min("timestamp"), max("timestamp")
  FROM pg_temp.added_events
  WHERE user_id IS NOT NULL
  GROUP BY tenant_id, user_id, day
  ORDER BY tenant_id, user_id, day
  ON CONFLICT (tenant_id, user_id, day) DO UPDATE SET
    events = d.events + excluded.events,
    first_at = least(d.first_at, excluded.first_at),
    last_at = greatest(d.last_at, excluded.last_at);

  -- Users who are known already, which is nearly all of them, are not even locked.
  INSERT INTO weir.users AS u (tenant_id, user_id, first_day)
  SELECT seen.* FROM (
    SELECT tenant_id, user_id, min(("timestamp" AT TIME ZONE 'UTC')::date) AS first_day
    FROM pg_temp.added_events
    WHERE user_id IS NOT NULL
    GROUP BY tenant_id, user_id
  ) AS seen
  WHERE NOT EXISTS (
    SELECT FROM weir.users AS known
    WHERE known.tenant_id = seen.tenant_id AND known.user_id = seen.user_id
      AND known.first_day <= seen.first_day)
  ORDER BY tenant_id, user_id
  ON CONFLICT (tenant_id, user_id) DO UPDATE SET first_day = excluded.first_day
  WHERE excluded.first_day < u.first_day;

  -- First which measures each kind of event has. Those that count events need no more than the
  -- number of events of a kind; for the others properties are parsed, once for all of a row's measures.
  WITH kinds AS MATERIALIZED (
    SELECT tenant_id, event, ("timestamp" AT TIME ZONE 'UTC')::date AS day, count(*) AS events
    FROM pg_temp.added_events
    GROUP BY tenant_id, event, day
  ), wanted AS MATERIALIZED (
    SELECT kind.tenant_id, kind.event, m.measure, m.property, m.factor
    FROM (SELECT DISTINCT tenant_id, event FROM kinds) AS kind
    JOIN weir.measures AS m ON m.event IN (kind.event, '*') AND (
      m.tenant_id = kind.tenant_id
      OR m.tenant_id = '*' AND NOT EXISTS (
        SELECT FROM weir.measures AS own
        WHERE own.tenant_id = kind.tenant_id AND own.measure = m.measure))
  ), parsed AS MATERIALIZED (
    SELECT tenant_id, event, ("timestamp" AT TIME ZONE 'UTC')::date AS day,
      properties::jsonb AS properties
    FROM pg_temp.added_events
    WHERE (tenant_id, event) IN (SELECT tenant_id, event FROM wanted WHERE property IS NOT NULL)
  ), figures AS (
    SELECT tenant_id, day, measure, events, factor * events AS total
    FROM kinds JOIN wanted USING (tenant_id, event)
    WHERE property IS NULL
    UNION ALL
    SELECT tenant_id, day, measure, 1, factor * CASE
        WHEN jsonb_typeof(properties -> property) = 'number'
          THEN (properties -> property)::numeric
      END
    FROM parsed JOIN wanted USING (tenant_id, event)
    WHERE property IS NOT NULL
  )
  INSERT INTO weir.day_measures AS d (tenant_id, day, measure, events, total)
  SELECT tenant_id, day, measure, sum(events), sum(total)
  FROM figures
  WHERE total IS NOT NULL
  GROUP BY tenant_id, day, measure
  ORDER BY tenant_id, day, measure
  ON CONFLICT (tenant_id, day, measure) DO UPDATE SET
    events = d.events + excluded.events,
    total = d.total + excluded.total;
$$;

CREATE FUNCTION weir.roll_up_crashes() RETURNS void
LANGUAGE sql
AS $$
  INSERT INTO weir.crash_days AS d (tenant_id, day, crashes)
  SELECT tenant_id, ("timestamp" AT TIME ZONE 'UTC')::date AS day, count(*)
  FROM pg_temp.added_crashes
  GROUP BY tenant_id, day
  ORDER BY tenant_id, day
  ON CONFLICT (tenant_id, day) DO UPDATE SET crashes = d.crashes + excluded.crashes;
$$;

GRANT EXECUTE ON FUNCTION weir.open_session(), weir.known_events(), weir.known_crashes(),
  weir.roll_up_events(), weir.roll_up_crashes() TO weir_flusher;
