-- What the analytics read instead of the rows: a day's users as sets of bits, its counts, the numbers in
-- its properties, its sessions. All of it can be made anew from the rows, and is made so, a whole day at a
-- time, by the functions of the next two files; so nothing is ever counted twice, and late events,
-- duplicates and rows that COPY brought are no cases of their own. docs/rollups.md tells it for people,
-- docs/decisions/0018 why it is so.
--
--   rows stored ──► touched_days ──► refresh_roll_ups() ──► user_numbers, day_…, one day at a time
--   (the flusher's      a mark          (one builder)
--    transaction)
SET LOCAL ROLE weir_owner;

-- Append only: no key that two flushers could wait for.
CREATE TABLE weir.touched_days (
  tenant_id text NOT NULL,
  day date NOT NULL,
  zone text,
  neighbours boolean NOT NULL DEFAULT true,
  marked_at timestamptz NOT NULL DEFAULT now(),
  added_at timestamptz NOT NULL DEFAULT now(),
  due_at timestamptz NOT NULL DEFAULT now(),
  tries integer NOT NULL DEFAULT 0,
  trouble text
);
CREATE INDEX touched_days_by_day ON weir.touched_days (tenant_id, day);
COMMENT ON TABLE weir.touched_days IS
  'Days of which rows were stored and not yet counted: whoever stores rows adds a mark in the same transaction.';
COMMENT ON COLUMN weir.touched_days.day IS 'A UTC day.';
COMMENT ON COLUMN weir.touched_days.zone IS 'Only this zone''s days are to be made; NULL: all of the tenant''s.';
COMMENT ON COLUMN weir.touched_days.neighbours IS
  'Sessions of the days beside it may have changed too; false where these days have marks of their own.';
COMMENT ON COLUMN weir.touched_days.marked_at IS 'All that was stored before is to be counted; -infinity: a rebuild''s.';
COMMENT ON COLUMN weir.touched_days.due_at IS
  'Not to be tried before: moved before each try, so that one that ends its session does not come again at once.';
COMMENT ON COLUMN weir.touched_days.trouble IS 'SQLSTATE and place of the last failure; it quotes no row.';

CREATE TABLE weir.roll_up_turns (
  tenant_id text PRIMARY KEY,
  turns bigint NOT NULL,
  last_at timestamptz NOT NULL,
  builds bigint NOT NULL DEFAULT 0
);
COMMENT ON TABLE weir.roll_up_turns IS 'Whose day was chosen last to be built: tenants take turns.';
COMMENT ON COLUMN weir.roll_up_turns.builds IS 'Grows with each transaction that has built some of its days, or dropped them.';

CREATE TABLE weir.gone_days (
  tenant_id text NOT NULL,
  day date NOT NULL,
  found_at timestamptz NOT NULL DEFAULT now(),
  came_late boolean NOT NULL DEFAULT false,
  PRIMARY KEY (tenant_id, day)
);
COMMENT ON TABLE weir.gone_days IS 'UTC days whose rows are gone by retention: what was counted of them is all that is left.';
COMMENT ON COLUMN weir.gone_days.came_late IS 'Rows that came after that are counted nowhere.';
CREATE TABLE weir.report_zones (
  tenant_id text NOT NULL,
  zone text NOT NULL,
  added_at timestamptz NOT NULL DEFAULT now(),
  ready_at timestamptz,
  PRIMARY KEY (tenant_id, zone)
);
COMMENT ON TABLE weir.report_zones IS
  'The time zones in which a tenant''s days are kept, beside UTC, which always is.';
COMMENT ON COLUMN weir.report_zones.ready_at IS
  'NULL until all days of before the zone was added are made; until then it is answered from the rows.';

-- Which properties make sets and counts as versions and platforms do.
CREATE TABLE weir.dimensions (
  tenant_id text NOT NULL DEFAULT '*',
  subject text NOT NULL CHECK (subject ~ '^[a-z][a-z0-9_]{0,39}$' AND subject !~ '_other$'
    AND subject <> ALL (ARRAY['active', 'load', 'new', 'event', 'version', 'platform', 'country'])
    AND NOT starts_with(subject, 'crash')),
  event text NOT NULL DEFAULT '*',
  property text NOT NULL,
  by_event boolean NOT NULL DEFAULT false,
  of_users boolean NOT NULL DEFAULT false,
  PRIMARY KEY (tenant_id, subject, event, property)
);
COMMENT ON TABLE weir.dimensions IS
  'A top-level member of properties whose values are kept as a subject. Texts, numbers and true or false '
  'are values, anything else is none. A change counts for days that are made from then on.';
COMMENT ON COLUMN weir.dimensions.tenant_id IS
  '''*'': every tenant that has no row of its own for this subject.';
COMMENT ON COLUMN weir.dimensions.event IS
  '''*'': every event; other rows of the same subject and property are then without effect.';
COMMENT ON COLUMN weir.dimensions.by_event IS
  'Also kept of each event by itself, as the subject EVENT.SUBJECT, so that it can be told of one event alone.';
COMMENT ON COLUMN weir.dimensions.of_users IS
  'Only what a user has done counts: events without a user have no value.';
INSERT INTO weir.dimensions (subject, event, property) VALUES
  ('browser', '*', 'browser'),
  ('device', '*', 'device'),
  ('source', '*', 'source'),
  ('feature', 'feature_usage', 'feature'),
  ('error_type', '*', 'error_type');

CREATE TABLE weir.user_numbers (
  tenant_id text NOT NULL,
  user_id text NOT NULL,
  number integer NOT NULL,
  first_at timestamptz,
  first_crash_at timestamptz,
  PRIMARY KEY (tenant_id, user_id),
  UNIQUE (tenant_id, number)
);
CREATE INDEX user_numbers_by_first ON weir.user_numbers (tenant_id, first_at);
CREATE INDEX user_numbers_by_first_crash ON weir.user_numbers (tenant_id, first_crash_at) INCLUDE (first_at)
  WHERE first_crash_at IS NOT NULL;
COMMENT ON TABLE weir.user_numbers IS
  'Each user''s place in the sets of bits: from 0 on without gaps, in the order in which they were met.';
COMMENT ON COLUMN weir.user_numbers.first_at IS
  'Their earliest event, which one that arrives late lowers; NULL for who is known by crashes alone.';
COMMENT ON COLUMN weir.user_numbers.first_crash_at IS
  'Their earliest crash, likewise. It stays when the rows of its day are gone by retention.';

-- Three rows fill a page as they are; a sparse one is over the 2 kB from which on PostgreSQL compresses,
-- and shrinks to a few dozen bytes.
CREATE TABLE weir.day_sets (
  tenant_id text NOT NULL,
  zone text NOT NULL,
  subject text NOT NULL,
  value text NOT NULL,
  day date NOT NULL,
  chunk integer NOT NULL,
  users bit(20480) NOT NULL,
  PRIMARY KEY (tenant_id, zone, subject, value, day, chunk)
) WITH (toast_tuple_target = 256);
ALTER TABLE weir.day_sets ALTER COLUMN users SET STORAGE MAIN;
CREATE INDEX day_sets_by_day ON weir.day_sets (tenant_id, zone, day);
COMMENT ON COLUMN weir.day_sets.users IS 'Bit n of chunk c: the user whose number is c * 20480 + n.';
COMMENT ON COLUMN weir.day_sets.subject IS
  'active (value ''''), new (''''), event (its name), version, platform, country, crash (''''), crash_version, '
  'crash_os, crash_type, crash_group, one of weir.dimensions, or EVENT.X where one is kept by event. X_other '
  '(value '''') has the users of those values of X that were too many for the day. load: how many events each user had, '
  'bit by bit: who has bit k of that number stands under the value k.';

-- Windows of months would read each day of every value that they list; so the days of a week are kept together, too.
CREATE TABLE weir.week_sets (
  tenant_id text NOT NULL,
  zone text NOT NULL,
  subject text NOT NULL,
  value text NOT NULL,
  week date NOT NULL,
  chunk integer NOT NULL,
  users bit(20480) NOT NULL,
  PRIMARY KEY (tenant_id, zone, subject, value, week, chunk)
) WITH (toast_tuple_target = 256);
ALTER TABLE weir.week_sets ALTER COLUMN users SET STORAGE MAIN;
CREATE INDEX week_sets_by_week ON weir.week_sets (tenant_id, zone, week);
COMMENT ON TABLE weir.week_sets IS
  'The sets of a week''s days in one, but for load: made anew of day_sets, in the transaction that has changed one of these.';
COMMENT ON COLUMN weir.week_sets.week IS 'The week''s Monday.';
COMMENT ON COLUMN weir.week_sets.subject IS
  'As in day_sets; and X troubled, of version, platform, country, browser and device: who had a value of X on a day on which '
  'they had an event with error_type.';

CREATE TABLE weir.day_counts (
  tenant_id text NOT NULL,
  zone text NOT NULL,
  subject text NOT NULL,
  value text NOT NULL,
  day date NOT NULL,
  events bigint NOT NULL,
  hours bigint[] NOT NULL,
  PRIMARY KEY (tenant_id, zone, subject, value, day)
);
CREATE INDEX day_counts_by_day ON weir.day_counts (tenant_id, zone, day);
-- The answers read all values of a subject in a window: from the index alone.
CREATE INDEX day_counts_by_subject ON weir.day_counts (tenant_id, zone, subject, day) INCLUDE (value, events);
COMMENT ON COLUMN weir.day_counts.events IS
  'Events, those without a user too; crashes under crash…; users under new.';
COMMENT ON COLUMN weir.day_counts.hours IS
  'The same by the hour on the clock of the zone, 24 of them: an hour that a change of clock repeats holds both.';

CREATE TABLE weir.day_numbers (
  tenant_id text NOT NULL,
  zone text NOT NULL,
  event text NOT NULL,
  property text NOT NULL,
  day date NOT NULL,
  numbers bigint NOT NULL,
  total numeric NOT NULL,
  lowest numeric NOT NULL,
  highest numeric NOT NULL,
  slots integer[] NOT NULL,
  counts bigint[] NOT NULL,
  PRIMARY KEY (tenant_id, zone, event, property, day)
);
CREATE INDEX day_numbers_by_day ON weir.day_numbers (tenant_id, zone, day);
COMMENT ON TABLE weir.day_numbers IS
  'Numbers that are top-level members of properties. Those of 1e300 and beyond are left out.';
COMMENT ON COLUMN weir.day_numbers.slots IS
  'A logarithmic histogram: weir.slot_of(number), in order; counts has how many fell in each. Histograms are added '
  'by adding counts, and weir.value_of_slot() is off by one in a hundred at most.';

CREATE TABLE weir.day_sessions (
  tenant_id text NOT NULL,
  zone text NOT NULL,
  day date NOT NULL,
  sessions bigint NOT NULL,
  crashed bigint NOT NULL,
  seconds numeric NOT NULL,
  slots integer[] NOT NULL,
  counts bigint[] NOT NULL,
  PRIMARY KEY (tenant_id, zone, day)
);
COMMENT ON TABLE weir.day_sessions IS
  'Sessions that began on the day. A session is the events of a user with one session_id; of one that goes on for '
  'longer, what is within 24 hours of its first event, and what comes 24 hours after nothing begins another.';
COMMENT ON COLUMN weir.day_sessions.crashed IS 'Of these, those with a crash of their user between first and last event.';
COMMENT ON COLUMN weir.day_sessions.slots IS 'The histogram of their seconds, as in day_numbers.';

GRANT SELECT ON weir.touched_days, weir.roll_up_turns, weir.gone_days, weir.report_zones, weir.dimensions, weir.user_numbers, weir.day_sets,
  weir.week_sets, weir.day_counts, weir.day_numbers, weir.day_sessions TO weir_reader;
GRANT INSERT ON weir.touched_days TO weir_flusher;

-- The functions below name temporary tables, which are not there when they are created.
SET LOCAL check_function_bodies = off;

-- From here on until this file is committed nobody stores: a batch of which rows are stored already is waited for,
-- and the next one finds the functions below. So a flusher that was connected before marks what it stores, and rows
-- of before are all seen by who marks them (0019).
LOCK TABLE weir.events, weir.crashes IN SHARE ROW EXCLUSIVE MODE;

-- What every flusher has called since it adds up by itself, and now also the marks: one small insert each, of what it
-- has brought for its own roll-ups. A mark that is there twice does no harm.
ALTER FUNCTION weir.roll_up_events() RENAME TO add_up_events;
ALTER FUNCTION weir.roll_up_crashes() RENAME TO add_up_crashes;

CREATE FUNCTION weir.roll_up_events() RETURNS void
LANGUAGE sql
AS $$
  SELECT weir.add_up_events();
  INSERT INTO weir.touched_days (tenant_id, day)
  SELECT DISTINCT tenant_id, (first_at AT TIME ZONE 'UTC')::date FROM pg_temp.added_kinds
$$;

CREATE FUNCTION weir.roll_up_crashes() RETURNS void
LANGUAGE sql
AS $$
  SELECT weir.add_up_crashes();
  INSERT INTO weir.touched_days (tenant_id, day)
  SELECT DISTINCT tenant_id, ("timestamp" AT TIME ZONE 'UTC')::date FROM pg_temp.added_crashes
$$;
GRANT EXECUTE ON FUNCTION weir.roll_up_events(), weir.roll_up_crashes() TO weir_flusher;
