-- Weekly partitions: which ones there are, and how make_partitions() brings them.
BEGIN;
SET LOCAL search_path = weir, public;
SET LOCAL client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap SCHEMA public;
SELECT plan(26);

-- Monday 00:00 UTC of a week, counted from this one.
CREATE FUNCTION pg_temp.monday(weeks integer) RETURNS timestamptz LANGUAGE sql STABLE AS $$
  SELECT date_trunc('week', now(), 'UTC') + weeks * interval '168 hours'
$$;
CREATE FUNCTION pg_temp.week(parent text, weeks integer) RETURNS text LANGUAGE sql STABLE AS $$
  SELECT parent || to_char(pg_temp.monday(weeks) AT TIME ZONE 'UTC', '"_"IYYY"w"IW')
$$;

SELECT is(make_partitions() >= 0, true, 'make_partitions() brings what is missing');
SELECT is(make_partitions(), 0, 'and then makes nothing');
SELECT has_table('weir', pg_temp.week('events', weeks), format('there is one for week %s', weeks))
FROM unnest(ARRAY[-14, -1, 0, 1, 4]) AS weeks;
SELECT has_table('weir', pg_temp.week('crashes', weeks), format('and for crashes of week %s', weeks))
FROM unnest(ARRAY[-14, 0, 4]) AS weeks;
SELECT hasnt_table('weir', pg_temp.week('events', 5), 'there is none five weeks ahead');

-- Bounds, in a session whose days begin elsewhere.
SET LOCAL timezone = 'Pacific/Auckland';
INSERT INTO events (event_id, tenant_id, event, client_timestamp) VALUES
  ('00000000-0000-4000-8000-000000000001', 'p', 'first', pg_temp.monday(0)),
  ('00000000-0000-4000-8000-000000000002', 'p', 'last', pg_temp.monday(1) - interval '1 microsecond'),
  ('00000000-0000-4000-8000-000000000003', 'p', 'next', pg_temp.monday(1)),
  ('00000000-0000-4000-8000-000000000004', 'p', 'old', '1970-01-01Z'),
  ('00000000-0000-4000-8000-000000000005', 'p', 'far', '9999-12-31Z');
SELECT results_eq(
  $$ SELECT event, tableoid::regclass::text FROM events WHERE tenant_id = 'p' ORDER BY event_id $$,
  format($$ VALUES ('first', %1$L), ('last', %1$L), ('next', %2$L),
    ('old', 'events_default'), ('far', 'events_default') $$,
    pg_temp.week('events', 0), pg_temp.week('events', 1)),
  'a week runs from Monday 00:00 UTC to the next, and wrong clocks have the default partition');
RESET timezone;

-- Every partition has the indexes.
SELECT is_empty($$
  SELECT inhrelid::regclass FROM pg_inherits
  WHERE inhparent IN ('weir.events'::regclass, 'weir.crashes'::regclass) AND NOT EXISTS (
    SELECT FROM pg_index WHERE indrelid = inhrelid AND indisunique AND indnkeyatts = 2
      AND pg_get_indexdef(indexrelid, 1, false) = 'tenant_id'
      AND pg_get_indexdef(indexrelid, 2, false) IN ('event_id', 'crash_id'))
$$, 'every partition has its own unique index on tenant and id');
SELECT is_empty($$
  SELECT inhrelid::regclass FROM pg_inherits
  WHERE inhparent IN ('weir.events'::regclass, 'weir.crashes'::regclass) AND NOT EXISTS (
    SELECT FROM pg_index WHERE indrelid = inhrelid
      AND pg_get_indexdef(indexrelid, 1, false) = 'tenant_id'
      AND pg_get_indexdef(indexrelid, 2, false) = '"timestamp"')
$$, 'and the parent''s index on tenant and time');

-- A week whose partition comes late: its rows wait in the default partition, and move.
DO $$
BEGIN
  EXECUTE format('DROP TABLE weir.%I', pg_temp.week('events', -3));
  EXECUTE format('DROP TABLE weir.%I', pg_temp.week('events', -2));
  EXECUTE format('DROP TABLE weir.%I', pg_temp.week('crashes', -2));
END
$$;
INSERT INTO events (event_id, tenant_id, user_id, event, properties, client_timestamp) VALUES
  ('00000000-0000-4000-8000-000000000011', 'p', 'u', 'begin', '{"a": [1, "é"]}', pg_temp.monday(-2)),
  ('00000000-0000-4000-8000-000000000012', 'p', NULL, 'end', NULL,
    pg_temp.monday(-1) - interval '1 microsecond'),
  ('00000000-0000-4000-8000-000000000013', 'p', NULL, 'before', NULL,
    pg_temp.monday(-2) - interval '1 microsecond');
INSERT INTO crashes (crash_id, tenant_id, client_timestamp) VALUES
  ('00000000-0000-4000-8000-000000000021', 'p', pg_temp.monday(-2));
SELECT is((SELECT count(*) FROM events_default WHERE event IN ('begin', 'end', 'before')), 3::bigint,
  'rows of a week without a partition are in the default one');
SELECT is(make_partitions(), 3, 'make_partitions() makes what was lost');
SELECT results_eq(
  $$ SELECT event, tableoid::regclass::text FROM events
     WHERE tenant_id = 'p' AND event IN ('begin', 'end', 'before') ORDER BY client_timestamp $$,
  format($$ VALUES ('before', %L), ('begin', %2$L), ('end', %2$L) $$,
    pg_temp.week('events', -3), pg_temp.week('events', -2)),
  'and their rows are where they belong');
SELECT is((SELECT tableoid::regclass::text FROM crashes WHERE tenant_id = 'p'),
  pg_temp.week('crashes', -2), 'crashes too');
SELECT results_eq(
  $$ SELECT user_id, properties FROM events WHERE event = 'begin' AND tenant_id = 'p' $$,
  $$ VALUES ('u', '{"a": [1, "é"]}'::jsonb) $$, 'as they were');
SELECT is((SELECT count(*) FROM events_default WHERE tenant_id = 'p'), 2::bigint,
  'and what belongs to no week stays');
SELECT throws_ok(format($$
  INSERT INTO events (event_id, tenant_id, event, client_timestamp)
  VALUES ('00000000-0000-4000-8000-000000000011', 'p', 'again', %L)
$$, pg_temp.monday(-2) + interval '1 day'), '23505', NULL, 'a moved row still guards its id');
SELECT is((SELECT pg_get_userbyid(relowner) FROM pg_class
  WHERE oid = ('weir.' || pg_temp.week('events', -2))::regclass), 'weir_owner',
  'whoever calls, weir_owner owns the partition');

-- As the flusher calls it.
DO $$ BEGIN EXECUTE format('DROP TABLE weir.%I', pg_temp.week('events', 4)); END $$;
CREATE TEMPORARY TABLE made (partitions integer);
GRANT INSERT ON made TO weir_flusher;
SET LOCAL ROLE weir_flusher;
INSERT INTO made SELECT weir.make_partitions();
RESET ROLE;
SELECT is((SELECT partitions FROM made), 1, 'weir_flusher can have partitions made');
SELECT ok(has_table_privilege('weir_reader', 'weir.' || pg_temp.week('events', 4), 'SELECT'),
  'which weir_reader can read');

-- Nobody can smuggle an object of his own into the function.
CREATE TEMPORARY TABLE events_default (client_timestamp timestamptz);
CREATE FUNCTION pg_temp.missing_partitions() RETURNS TABLE (parent text, partition text, first_day timestamp)
LANGUAGE sql AS $$ SELECT 'events', 'smuggled', '2001-01-01'::timestamp $$;
SELECT is(make_partitions(), 0, 'temporary objects of the same names are not looked at');
SELECT hasnt_table('weir', 'smuggled', 'nothing was smuggled in');

SELECT * FROM finish();
ROLLBACK;
