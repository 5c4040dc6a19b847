-- What the flusher does before roll_up_events(), in SQL: adds up the rows of added_events. In a session
-- after open_session():
--
--   \ir lib/add_up.sql
--   INSERT INTO added_events VALUES ('a', 'u1', 'app_opened', '2026-03-01T10:00Z', '{}');
--   SELECT pg_temp.roll_up();
CREATE TEMPORARY TABLE added_events (
  tenant_id text NOT NULL,
  user_id text,
  event text NOT NULL,
  "timestamp" timestamptz NOT NULL,
  properties text
);

CREATE FUNCTION pg_temp.roll_up() RETURNS void LANGUAGE sql AS $$
  DELETE FROM added_user_days;
  DELETE FROM added_kinds;
  DELETE FROM added_sums;

  INSERT INTO added_user_days
  SELECT tenant_id, user_id, count(*), min("timestamp"), max("timestamp")
  FROM added_events
  WHERE user_id IS NOT NULL
  GROUP BY tenant_id, user_id, ("timestamp" AT TIME ZONE 'UTC')::date;

  INSERT INTO added_kinds
  SELECT tenant_id, event, count(*), min("timestamp")
  FROM added_events
  GROUP BY tenant_id, event, ("timestamp" AT TIME ZONE 'UTC')::date;

  INSERT INTO added_sums
  SELECT e.tenant_id, e.event, wanted.property, count(*), sum((e.properties::jsonb -> wanted.property)::numeric)::text,
    min(e."timestamp")
  FROM added_events AS e,
    LATERAL (
      SELECT DISTINCT m.property FROM weir.measured_properties() AS m
      WHERE m.tenant_id IN (e.tenant_id, '*') AND m.event IN (e.event, '*')) AS wanted
  WHERE CASE WHEN jsonb_typeof(e.properties::jsonb -> wanted.property) = 'number' THEN true ELSE false END
  GROUP BY e.tenant_id, e.event, wanted.property, (e."timestamp" AT TIME ZONE 'UTC')::date;

  SELECT weir.roll_up_events();
$$;
