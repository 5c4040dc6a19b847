-- The flusher brings the roll-ups sums instead of rows: what a batch holds of each user, of each kind of
-- event and of each number in its properties, within a UTC day. What a figure means still stands here and
-- nowhere else; the flusher only puts together what every figure would put together anyway, since all of
-- them are sums, earliests or latests within a day. So 100,000 rows of 8,000 users reach PostgreSQL as some
-- 8,000 narrow ones. docs/decisions/0013-sums-from-the-flusher.md has what that was measured against.
--
--   BEGIN;
--   SELECT * FROM weir.measured_properties();   -- whose numbers have to be added up
--   COPY weir.events FROM STDIN …;
--   COPY added_user_days FROM STDIN …;          -- tenant, user and UTC day: each once
--   COPY added_kinds FROM STDIN …;              -- tenant, event and UTC day
--   COPY added_sums FROM STDIN …;               -- tenant, event, property and UTC day
--   SELECT weir.roll_up_events();
SET LOCAL ROLE weir_owner;

-- The functions below name temporary tables, which are not there when they are created.
SET LOCAL check_function_bodies = off;

-- As in 0007 but for the tables that the flusher fills.
CREATE OR REPLACE FUNCTION weir.open_session() RETURNS void
LANGUAGE plpgsql
AS $$
BEGIN
  PERFORM set_config(wanted.name, wanted.value, false)
  FROM (VALUES
    ('synchronous_commit', 'off', 'on'),
    ('idle_in_transaction_session_timeout', '0', '10s'),
    ('client_connection_check_interval', '0', '2s')) AS wanted (name, unsafe, value)
  WHERE current_setting(wanted.name) = wanted.unsafe;
  PERFORM set_config('idle_session_timeout', '0', false);
  CREATE TEMPORARY TABLE IF NOT EXISTS arriving_ids (
    n integer NOT NULL,
    tenant_id text NOT NULL,
    id uuid NOT NULL,
    client_timestamp timestamptz NOT NULL,
    wide boolean NOT NULL
  ) ON COMMIT DELETE ROWS;
  CREATE TEMPORARY TABLE IF NOT EXISTS added_user_days (
    tenant_id text NOT NULL,
    user_id text NOT NULL,
    events bigint NOT NULL,
    first_at timestamptz NOT NULL,
    last_at timestamptz NOT NULL
  ) ON COMMIT DELETE ROWS;
  CREATE TEMPORARY TABLE IF NOT EXISTS added_kinds (
    tenant_id text NOT NULL,
    event text NOT NULL,
    events bigint NOT NULL,
    first_at timestamptz NOT NULL
  ) ON COMMIT DELETE ROWS;
  CREATE TEMPORARY TABLE IF NOT EXISTS added_sums (
    tenant_id text NOT NULL,
    event text NOT NULL,
    property text NOT NULL,
    events bigint NOT NULL,
    total text NOT NULL,
    first_at timestamptz NOT NULL
  ) ON COMMIT DELETE ROWS;
  CREATE TEMPORARY TABLE IF NOT EXISTS added_crashes (
    tenant_id text NOT NULL,
    user_id text,
    "timestamp" timestamptz NOT NULL
  ) ON COMMIT DELETE ROWS;
END
$$;

CREATE FUNCTION weir.measured_properties() RETURNS TABLE (tenant_id text, event text, property text)
LANGUAGE sql STABLE
AS $$
  SELECT DISTINCT m.tenant_id, m.event, m.property FROM weir.measures AS m WHERE m.property IS NOT NULL
$$;
COMMENT ON FUNCTION weir.measured_properties() IS
  'The top-level members of properties whose numbers the flusher adds up, and in which events; ''*'' '
  'stands for every tenant, or every event.';
GRANT EXECUTE ON FUNCTION weir.measured_properties() TO weir_flusher;

-- Every upsert goes through its rows in the order of their keys, so that two flushers wait for each other
-- but never in a circle. The flusher brings them in that order (by bytes), and sorting what is sorted is
-- cheap.
CREATE OR REPLACE FUNCTION weir.roll_up_events() RETURNS void
LANGUAGE sql
AS $$
  -- A user of whom that day is known already is known since that day or longer, and that is nearly all
  -- of them: only of the others weir.users is asked. A row that was inserted has no xmax, one that was
  -- there before has been locked.
  WITH days AS (
    INSERT INTO weir.user_days AS d (tenant_id, user_id, day, events, first_at, last_at)
    SELECT tenant_id, user_id, (first_at AT TIME ZONE 'UTC')::date AS day, events, first_at, last_at
    FROM pg_temp.added_user_days
    ORDER BY tenant_id COLLATE "C", user_id COLLATE "C", day
    ON CONFLICT (tenant_id, user_id, day) DO UPDATE SET
      events = d.events + excluded.events,
      first_at = least(d.first_at, excluded.first_at),
      last_at = greatest(d.last_at, excluded.last_at)
    RETURNING d.tenant_id, d.user_id, d.day, d.xmax = 0 AS is_new
  )
  INSERT INTO weir.users AS u (tenant_id, user_id, first_day)
  SELECT tenant_id, user_id, min(day)
  FROM days
  WHERE is_new
  GROUP BY tenant_id, user_id
  ORDER BY tenant_id COLLATE "C", user_id COLLATE "C"
  ON CONFLICT (tenant_id, user_id) DO UPDATE SET first_day = excluded.first_day
  WHERE excluded.first_day < u.first_day;

  -- First which measures each kind of event has. Those that count events need no more than their number.
  WITH kinds AS MATERIALIZED (
    SELECT tenant_id, event, (first_at AT TIME ZONE 'UTC')::date AS day, events
    FROM pg_temp.added_kinds
  ), wanted AS MATERIALIZED (
    SELECT kind.tenant_id, kind.event, m.measure, m.property, m.factor
    FROM (SELECT DISTINCT tenant_id, event FROM kinds) AS kind
    JOIN weir.measures AS m ON m.event IN (kind.event, '*') AND (
      m.tenant_id = kind.tenant_id
      OR m.tenant_id = '*' AND NOT EXISTS (
        SELECT FROM weir.measures AS own
        WHERE own.tenant_id = kind.tenant_id AND own.measure = m.measure))
  ), figures AS (
    SELECT tenant_id, day, measure, events, factor * events AS total
    FROM kinds JOIN wanted USING (tenant_id, event)
    WHERE property IS NULL
    UNION ALL
    SELECT tenant_id, (first_at AT TIME ZONE 'UTC')::date, measure, events, factor * total::numeric
    FROM pg_temp.added_sums JOIN wanted USING (tenant_id, event, property)
  )
  INSERT INTO weir.day_measures AS d (tenant_id, day, measure, events, total)
  SELECT tenant_id, day, measure, sum(events), sum(total)
  FROM figures
  GROUP BY tenant_id, day, measure
  ORDER BY tenant_id, day, measure
  ON CONFLICT (tenant_id, day, measure) DO UPDATE SET
    events = d.events + excluded.events,
    total = d.total + excluded.total;
$$;
