-- Daily figures, kept by the flusher in the transaction that stores the rows. A day is a UTC day of
-- the corrected "timestamp". Figures are sums or extremes, so that a late event can be added to a
-- day long past, and several servers' figures to each other.
SET LOCAL ROLE weir_owner;

-- Every event makes its row newer: space in the page keeps the indexes out of it.
CREATE TABLE weir.user_days (
  tenant_id text NOT NULL,
  user_id text NOT NULL,
  day date NOT NULL,
  events bigint NOT NULL,
  first_at timestamptz NOT NULL,
  last_at timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, user_id, day)
) WITH (fillfactor = 80);
CREATE INDEX user_days_by_day ON weir.user_days (tenant_id, day);

CREATE TABLE weir.users (
  tenant_id text NOT NULL,
  user_id text NOT NULL,
  first_day date NOT NULL,
  PRIMARY KEY (tenant_id, user_id)
);
COMMENT ON COLUMN weir.users.first_day IS
  'Day of the user''s earliest event; an event that arrives late lowers it.';

CREATE TABLE weir.day_measures (
  tenant_id text NOT NULL,
  day date NOT NULL,
  measure text NOT NULL,
  events bigint NOT NULL,
  total numeric NOT NULL,
  PRIMARY KEY (tenant_id, day, measure)
) WITH (fillfactor = 50);

CREATE TABLE weir.crash_days (
  tenant_id text NOT NULL,
  day date NOT NULL,
  crashes bigint NOT NULL,
  PRIMARY KEY (tenant_id, day)
) WITH (fillfactor = 50);

-- Which events make which measure. A change counts from then on; days past stay as they are.
CREATE TABLE weir.measures (
  tenant_id text NOT NULL DEFAULT '*',
  measure text NOT NULL,
  event text NOT NULL,
  property text,
  factor numeric NOT NULL DEFAULT 1,
  UNIQUE NULLS NOT DISTINCT (tenant_id, measure, event, property)
);
COMMENT ON TABLE weir.measures IS
  'A measure adds up property * factor over its events, or factor alone where property is NULL.';
COMMENT ON COLUMN weir.measures.tenant_id IS
  '''*'': every tenant that has no row of its own for this measure.';
COMMENT ON COLUMN weir.measures.event IS '''*'': every event.';
COMMENT ON COLUMN weir.measures.property IS
  'A top-level member of properties. Events in which it is no number do not count.';

-- user_stats shows recordings, seconds (as minutes) and cost_usd.
INSERT INTO weir.measures (measure, event, property) VALUES
  ('events', '*', NULL),
  ('recordings', 'recording_completed', NULL),
  ('seconds', 'recording_completed', 'audio_duration_seconds'),
  ('cost_usd', 'recording_completed', 'estimated_cost_usd');

GRANT SELECT, INSERT, UPDATE ON weir.user_days, weir.users, weir.day_measures, weir.crash_days
  TO weir_flusher;
GRANT SELECT ON weir.measures TO weir_flusher;
GRANT SELECT ON weir.user_days, weir.users, weir.day_measures, weir.crash_days, weir.measures
  TO weir_reader;
