-- What roll_up_events() and roll_up_crashes() make of a batch. Every number is worked out by hand.
BEGIN;
SET LOCAL search_path = weir, public;
SET LOCAL client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap SCHEMA public;
SELECT plan(20);
-- Days are UTC days wherever the flusher runs.
SET LOCAL timezone = 'America/Los_Angeles';
SELECT open_session();
\ir lib/add_up.sql

CREATE FUNCTION pg_temp.store(VARIADIC events text[]) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  line text;
BEGIN
  DELETE FROM added_events;
  FOREACH line IN ARRAY events LOOP
    INSERT INTO added_events
    SELECT part[1], nullif(part[2], '-'), part[3], part[4]::timestamptz, nullif(part[5], '-')
    FROM string_to_array(line, ' | ') AS part;
  END LOOP;
  PERFORM pg_temp.roll_up();
END
$$;

SELECT pg_temp.store(
  'a | u1 | app_opened | 2026-03-01T23:59:59.5Z | {"source": "widget"}',
  'a | u1 | recording_completed | 2026-03-02T00:00:00Z | {"audio_duration_seconds": 120, "estimated_cost_usd": 0.012}',
  'a | u1 | recording_completed | 2026-03-02T10:00:00Z | {"audio_duration_seconds": "90", "estimated_cost_usd": 0.5}',
  'a | u2 | recording_completed | 2026-03-02T12:00:00Z | {"audio_duration_seconds": 30.5}',
  'a | - | recording_completed | 2026-03-02T13:00:00Z | {"audio_duration_seconds": 10, "estimated_cost_usd": null}',
  'a | - | cli_command | 2026-03-02T14:00:00Z | {"success": true}',
  'a | u2 | app_opened | 2026-03-02T15:00:00Z | -',
  'b | u1 | recording_completed | 2026-03-02T16:00:00Z | [120]',
  'b | u1 | recording_completed | 2026-03-02T17:00:00Z | -',
  'b | u1 | recording_completed | 2026-03-02T18:00:00Z | {"audio_duration_seconds": {"audio_duration_seconds": 5}}'
);

SELECT results_eq(
  $$ SELECT tenant_id, user_id, day, events, first_at, last_at FROM user_days
     WHERE tenant_id IN ('a', 'b') ORDER BY 1, 2, 3 $$,
  $$ VALUES
    ('a', 'u1', '2026-03-01'::date, 1::bigint, '2026-03-01T23:59:59.5Z'::timestamptz, '2026-03-01T23:59:59.5Z'::timestamptz),
    ('a', 'u1', '2026-03-02', 2, '2026-03-02T00:00:00Z', '2026-03-02T10:00:00Z'),
    ('a', 'u2', '2026-03-02', 2, '2026-03-02T12:00:00Z', '2026-03-02T15:00:00Z'),
    ('b', 'u1', '2026-03-02', 3, '2026-03-02T16:00:00Z', '2026-03-02T18:00:00Z') $$,
  'user_days: a row for each user and UTC day; events without a user are nobody''s');
SELECT results_eq(
  $$ SELECT tenant_id, user_id, first_day FROM users WHERE tenant_id IN ('a', 'b') ORDER BY 1, 2 $$,
  $$ VALUES ('a', 'u1', '2026-03-01'::date), ('a', 'u2', '2026-03-02'), ('b', 'u1', '2026-03-02') $$,
  'users: the day of each user''s first event, by tenant');
SELECT results_eq(
  $$ SELECT day, measure, events, total FROM day_measures WHERE tenant_id = 'a' ORDER BY 1, 2 $$,
  $$ VALUES
    ('2026-03-01'::date, 'events', 1::bigint, 1::numeric),
    ('2026-03-02', 'cost_usd', 2, 0.512),
    ('2026-03-02', 'events', 6, 6),
    ('2026-03-02', 'recordings', 4, 4),
    ('2026-03-02', 'seconds', 3, 160.5) $$,
  'day_measures: texts and nulls where a number belongs do not count');
SELECT results_eq(
  $$ SELECT day, measure, events, total FROM day_measures WHERE tenant_id = 'b' ORDER BY 1, 2 $$,
  $$ VALUES ('2026-03-02'::date, 'events', 3::bigint, 3::numeric), ('2026-03-02', 'recordings', 3, 3) $$,
  'nor do properties that are no object, are missing, or hold the name deeper down');

-- Later batches add; a late event changes the past.
SELECT pg_temp.store(
  'a | u2 | app_opened | 2026-02-20T08:00:00Z | {}',
  'a | u1 | app_opened | 2026-03-05T08:00:00Z | {}',
  'a | u1 | recording_completed | 2026-03-02T09:00:00Z | {"audio_duration_seconds": 1e2, "estimated_cost_usd": -0.012}',
  'a | u1 | app_opened | 2026-03-02T23:00:00Z | {}'
);
SELECT results_eq(
  $$ SELECT user_id, first_day FROM users WHERE tenant_id = 'a' ORDER BY 1 $$,
  $$ VALUES ('u1', '2026-03-01'::date), ('u2', '2026-02-20') $$,
  'a late event lowers first_day, a new one does not raise it');
SELECT results_eq(
  $$ SELECT user_id, day, events, first_at, last_at FROM user_days
     WHERE tenant_id = 'a' AND (day, user_id) IN (('2026-03-02', 'u1'), ('2026-02-20', 'u2')) ORDER BY 1 $$,
  $$ VALUES
    ('u1', '2026-03-02'::date, 4::bigint, '2026-03-02T00:00:00Z'::timestamptz, '2026-03-02T23:00:00Z'::timestamptz),
    ('u2', '2026-02-20', 1, '2026-02-20T08:00:00Z', '2026-02-20T08:00:00Z') $$,
  'user_days: counts add up, times widen');
SELECT results_eq(
  $$ SELECT measure, events, total FROM day_measures
     WHERE tenant_id = 'a' AND day = '2026-03-02' ORDER BY 1 $$,
  $$ VALUES ('cost_usd', 3::bigint, 0.5), ('events', 8, 8), ('recordings', 5, 5), ('seconds', 4, 260.5) $$,
  'day_measures: counts and totals add up');
SELECT pg_temp.store('a | u2 | app_opened | 2026-03-02T01:00:00Z | {}');
SELECT is((SELECT first_at FROM user_days WHERE (tenant_id, user_id, day) = ('a', 'u2', '2026-03-02')),
  '2026-03-02T01:00:00Z'::timestamptz, 'a late event of the same day moves first_at');
SELECT is((SELECT first_day FROM users WHERE (tenant_id, user_id) = ('a', 'u2')), '2026-02-20'::date,
  'first_day stays at the earliest');

-- The edges of what can arrive.
SELECT pg_temp.store(VARIADIC '{}');
SELECT is((SELECT sum(events) FROM user_days WHERE tenant_id = 'a'), 10::numeric, 'no event, no change');
SELECT pg_temp.store('d | u | recording_completed | 2026-03-02T01:00:00Z | {"audio_duration_seconds": 1e308}',
  'd | u | recording_completed | 2026-03-02T01:00:00Z | {"audio_duration_seconds": 1e-308}');
SELECT is((SELECT total FROM day_measures WHERE tenant_id = 'd' AND measure = 'seconds'),
  1e308::numeric + 1e-308::numeric, 'numbers add up exactly');
SELECT pg_temp.store('d | ü🙂 | 🙂 | 2026-03-02T01:00:00Z | not JSON');
SELECT is((SELECT events FROM user_days WHERE (tenant_id, user_id) = ('d', 'ü🙂')), 1::bigint,
  'properties that nothing measures do not matter');

-- What counts is data.
INSERT INTO measures (tenant_id, measure, event, property, factor) VALUES
  ('c', 'recordings', 'meeting_finished', NULL, 1),
  ('c', 'recordings', 'call_finished', NULL, 1),
  ('c', 'seconds', 'meeting_finished', 'length_ms', 0.001),
  ('*', 'pages', 'page_viewed', 'pages', 1);
SELECT pg_temp.store(
  'c | u1 | recording_completed | 2026-03-02T01:00:00Z | {"audio_duration_seconds": 7, "estimated_cost_usd": 3}',
  'c | u1 | meeting_finished | 2026-03-02T01:00:00Z | {"length_ms": 1500}',
  'c | u1 | call_finished | 2026-03-02T01:00:00Z | {"length_ms": 9999}',
  'c | u1 | page_viewed | 2026-03-02T01:00:00Z | {"pages": 2}',
  'a | u1 | meeting_finished | 2026-03-02T01:00:00Z | {"length_ms": 1500}',
  'a | u1 | page_viewed | 2026-03-02T01:00:00Z | {"pages": 4}'
);
SELECT results_eq(
  $$ SELECT measure, events, total FROM day_measures WHERE tenant_id = 'c' ORDER BY 1 $$,
  $$ VALUES ('cost_usd', 1::bigint, 3::numeric), ('events', 4, 4), ('pages', 1, 2),
    ('recordings', 2, 2), ('seconds', 1, 1.5) $$,
  'a tenant''s own rows for a measure stand in for everybody''s');
SELECT results_eq(
  $$ SELECT measure, total FROM day_measures
     WHERE tenant_id = 'a' AND day = '2026-03-02' AND measure IN ('pages', 'recordings', 'seconds')
     ORDER BY 1 $$,
  $$ VALUES ('pages', 4::numeric), ('recordings', 5), ('seconds', 260.5) $$,
  'and not for another tenant''s');
SELECT throws_ok($$ INSERT INTO measures (measure, event) VALUES ('recordings', 'recording_completed') $$,
  '23505', NULL, 'an event is counted once for a measure');

-- Crashes.
INSERT INTO added_crashes VALUES
  ('a', 'u1', '2026-03-01T23:59:59Z'), ('a', NULL, '2026-03-02T00:00:00Z'),
  ('a', 'u9', '2026-03-02T23:59:59.999999Z'), ('b', 'u1', '2026-03-02T00:00:00Z');
SELECT roll_up_crashes();
SELECT results_eq(
  $$ SELECT tenant_id, day, crashes FROM crash_days WHERE tenant_id IN ('a', 'b') ORDER BY 1, 2 $$,
  $$ VALUES ('a', '2026-03-01'::date, 1::bigint), ('a', '2026-03-02', 2), ('b', '2026-03-02', 1) $$,
  'crash_days: crashes by tenant and UTC day');
DELETE FROM added_crashes WHERE tenant_id = 'b';
SELECT roll_up_crashes();
SELECT is((SELECT crashes FROM crash_days WHERE tenant_id = 'a' AND day = '2026-03-02'), 4::bigint,
  'and they add up');
SELECT is((SELECT count(*) FROM users WHERE user_id = 'u9'), 0::bigint, 'a crash makes nobody a user');

-- A replay of a batch is the flusher's to avoid: whatever is in added_events counts.
SELECT is((SELECT count(*) FROM user_days WHERE tenant_id IN ('a', 'b', 'c', 'd')), 9::bigint,
  'no row more than was brought');

-- A backlog makes all users' rows newer at once: none of that may go into an index.
CREATE FUNCTION pg_temp.all_users_come() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  DELETE FROM added_user_days;
  INSERT INTO added_user_days
  SELECT 'e', md5(n::text)::uuid::text, 1, '2026-03-02T01:00:00Z', '2026-03-02T02:00:00Z'
  FROM generate_series(1, 3000) AS n;
  PERFORM roll_up_events();
END
$$;
SELECT pg_temp.all_users_come();
CREATE TEMPORARY TABLE so_far AS
SELECT pg_stat_get_xact_tuples_updated('user_days'::regclass) AS updated,
  pg_stat_get_xact_tuples_hot_updated('user_days'::regclass) AS hot;
SELECT pg_temp.all_users_come();
SELECT results_eq(
  $$ SELECT pg_stat_get_xact_tuples_updated('user_days'::regclass) - updated,
       pg_stat_get_xact_tuples_hot_updated('user_days'::regclass) - hot FROM so_far $$,
  $$ VALUES (3000::bigint, 3000::bigint) $$,
  'pages of user_days have room for the newer version of each of their rows');

SELECT * FROM finish();
ROLLBACK;
