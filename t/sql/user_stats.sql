-- The daily figures, against numbers worked out by hand.
BEGIN;
SET LOCAL search_path = weir, public;
SET LOCAL client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap SCHEMA public;
SELECT plan(16);
SELECT open_session();
\ir lib/add_up.sql

-- Tenant a: u1 on the 1st and 3rd, u2 on the 3rd and 4th, nobody on the 2nd but a crash.
INSERT INTO added_events VALUES
  ('a', 'u1', 'app_opened', '2026-03-01T10:00Z', '{}'),
  ('a', 'u1', 'recording_completed', '2026-03-01T11:00Z', '{"audio_duration_seconds": 100, "estimated_cost_usd": 0.01}'),
  ('a', 'u1', 'recording_completed', '2026-03-03T11:00Z', '{"audio_duration_seconds": 30, "estimated_cost_usd": 0.003}'),
  ('a', 'u2', 'recording_completed', '2026-03-03T12:00Z', '{"audio_duration_seconds": 60, "estimated_cost_usd": 0.006}'),
  ('a', 'u2', 'app_opened', '2026-03-04T12:00Z', '{}'),
  ('b', 'u1', 'app_opened', '2026-03-03T12:00Z', '{}'),
  ('c', NULL, 'cli_command', '2026-03-03T12:00Z', '{}');
SELECT pg_temp.roll_up();
INSERT INTO added_crashes VALUES
  ('a', NULL, '2026-03-02T10:00Z'),
  ('a', 'u1', '2026-03-03T10:00Z'), ('a', 'u1', '2026-03-03T10:00Z'), ('a', 'u3', '2026-03-03T10:00Z'),
  ('d', 'u1', '2026-03-03T10:00Z');
SELECT roll_up_crashes();

CREATE FUNCTION pg_temp.stats(tenant text) RETURNS SETOF text LANGUAGE sql AS $$
  SELECT concat_ws(' | ', date, 'users ' || total_users, 'active ' || active_users,
    'new ' || new_users, 'recordings ' || total_recordings, 'minutes ' || round(total_minutes, 4),
    'cost ' || total_cost_usd, 'crashes ' || crash_count,
    'rate ' || coalesce(round(crash_rate, 4)::text, 'null'))
  FROM weir.user_stats WHERE tenant_id = tenant ORDER BY date
$$;

SELECT results_eq($$ SELECT pg_temp.stats('a') $$, ARRAY[
  '2026-03-01 | users 1 | active 1 | new 1 | recordings 1 | minutes 1.6667 | cost 0.01 | crashes 0 | rate 0.0000',
  '2026-03-02 | users 1 | active 0 | new 0 | recordings 0 | minutes 0.0000 | cost 0 | crashes 1 | rate null',
  '2026-03-03 | users 2 | active 2 | new 1 | recordings 2 | minutes 1.5000 | cost 0.009 | crashes 3 | rate 1.5000',
  '2026-03-04 | users 2 | active 1 | new 0 | recordings 0 | minutes 0.0000 | cost 0 | crashes 0 | rate 0.0000'
], 'every day on which there is anything has its figures');
SELECT results_eq($$ SELECT pg_temp.stats('b') $$, ARRAY[
  '2026-03-03 | users 1 | active 1 | new 1 | recordings 0 | minutes 0.0000 | cost 0 | crashes 0 | rate 0.0000'
], 'another tenant''s users are other users');
SELECT results_eq($$ SELECT pg_temp.stats('c') $$, ARRAY[
  '2026-03-03 | users 0 | active 0 | new 0 | recordings 0 | minutes 0.0000 | cost 0 | crashes 0 | rate null'
], 'a day of events without users is a day');
SELECT results_eq($$ SELECT pg_temp.stats('d') $$, ARRAY[
  '2026-03-03 | users 0 | active 0 | new 0 | recordings 0 | minutes 0.0000 | cost 0 | crashes 1 | rate null'
], 'so is a day of crashes alone');

-- u2 turns out to have been there on the 1st, and u0 in February.
TRUNCATE added_events;
INSERT INTO added_events VALUES
  ('a', 'u2', 'app_opened', '2026-03-01T23:00Z', '{}'), ('a', 'u0', 'app_opened', '2026-02-10T00:00Z', '{}');
SELECT pg_temp.roll_up();
SELECT results_eq($$ SELECT split_part(stats, ' | rec', 1) FROM pg_temp.stats('a') AS stats $$, ARRAY[
  '2026-02-10 | users 1 | active 1 | new 1',
  '2026-03-01 | users 3 | active 2 | new 2',
  '2026-03-02 | users 3 | active 0 | new 0',
  '2026-03-03 | users 3 | active 2 | new 0',
  '2026-03-04 | users 3 | active 1 | new 0'
], 'late events change the days they belong to, and the totals after');

SELECT is(total_minutes, 100 / 60.0, 'minutes are exact to the last digit that PostgreSQL keeps')
FROM user_stats WHERE tenant_id = 'a' AND date = '2026-03-01';
SELECT results_eq(
  $$ SELECT tenant_id, date, active_users FROM user_stats
     WHERE tenant_id IN ('a', 'b') AND date >= '2026-03-03' ORDER BY 1, 2 $$,
  $$ VALUES ('a', '2026-03-03'::date, 2::bigint), ('a', '2026-03-04', 1), ('b', '2026-03-03', 1) $$,
  'a window of it holds the same figures');

-- The view agrees with what the rows say.
INSERT INTO events (event_id, tenant_id, user_id, event, properties, "timestamp")
SELECT gen_random_uuid(), 'e', 'u' || n % 7, CASE WHEN n % 3 = 0 THEN 'recording_completed' ELSE 'app_opened' END,
  jsonb_build_object('audio_duration_seconds', n % 50, 'estimated_cost_usd', n / 1000.0),
  '2026-03-01T00:00Z'::timestamptz + n * interval '37 minutes'
FROM generate_series(1, 400) AS n;
TRUNCATE added_events;
INSERT INTO added_events
SELECT tenant_id, user_id, event, "timestamp", properties::text FROM events WHERE tenant_id = 'e';
SELECT pg_temp.roll_up();
SELECT results_eq(
  $$ SELECT date, active_users, total_recordings, total_minutes, total_cost_usd FROM user_stats
     WHERE tenant_id = 'e' ORDER BY 1 $$,
  $$ SELECT ("timestamp" AT TIME ZONE 'UTC')::date, count(DISTINCT user_id),
       count(*) FILTER (WHERE event = 'recording_completed'),
       sum((properties ->> 'audio_duration_seconds')::numeric) FILTER (WHERE event = 'recording_completed') / 60,
       sum((properties ->> 'estimated_cost_usd')::numeric) FILTER (WHERE event = 'recording_completed')
     FROM events WHERE tenant_id = 'e' GROUP BY 1 ORDER BY 1 $$,
  'user_stats equals what events says');

-- A measure of one's own over a property, and clients that send what no integer holds.
INSERT INTO measures (tenant_id, measure, event, property) VALUES
  ('huge', 'recordings', 'e', 'n'), ('huge', 'seconds', 'e', 'n'), ('huge', 'cost_usd', 'e', 'n');
TRUNCATE added_events;
INSERT INTO added_events VALUES
  ('huge', 'u1', 'e', '2026-03-01T10:00Z', '{"n": 1e300}'), ('huge', 'u1', 'e', '2026-03-01T10:00Z', '{"n": 1e300}'),
  ('huge', 'u1', 'e', '2026-03-02T10:00Z', '{"n": -1e300}'), ('huge', 'u1', 'e', '2026-03-03T10:00Z', '{"n": 9223372036854775807}'),
  ('huge', 'u1', 'e', '2026-03-04T10:00Z', '{"n": 2.5}');
SELECT pg_temp.roll_up();
SELECT results_eq(
  $$ SELECT date, active_users, total_recordings, total_cost_usd FROM user_stats WHERE tenant_id = 'huge' ORDER BY 1 $$,
  $$ VALUES ('2026-03-01'::date, 1::bigint, 9223372036854775807::bigint, 2e300::numeric),
      ('2026-03-02', 1, -9223372036854775808, -1e300), ('2026-03-03', 1, 9223372036854775807, 9223372036854775807),
      ('2026-03-04', 1, 3, 2.5) $$,
  'a day of huge numbers has its figures, as far as their types hold them');
SELECT results_eq(format('SELECT * FROM daily_figures(%L, ''2026-03-02'', ''2026-03-05'') ORDER BY 1', t),
  format('SELECT date, total_users, active_users, new_users, total_recordings, total_minutes, total_cost_usd, crash_count, crash_rate
    FROM user_stats WHERE tenant_id = %L AND date BETWEEN ''2026-03-02'' AND ''2026-03-05'' ORDER BY 1', t),
  'a window of one tenant is what the view has: ' || t)
FROM unnest(ARRAY['a', 'huge']) AS t;
-- A measure of a tenant's own makes a day, too; one that is called as a figure is no such figure.
INSERT INTO day_measures (tenant_id, day, measure, events, total) VALUES ('own', '2026-03-02', 'active', 1, 7), ('own', '2026-03-03', 'crashes', 1, 8), ('own', '2026-03-04', 'new', 1, 9), ('own', '2026-03-05', 'known', 1, 9);
SELECT results_eq($$SELECT * FROM daily_figures('own', '2026-03-01', '2026-03-31') ORDER BY 1$$,
  $$SELECT d, 0::bigint, 0::bigint, 0::bigint, 0::bigint, 0::numeric, 0::numeric, 0::bigint, NULL::numeric FROM unnest('{2026-03-02,2026-03-03,2026-03-04,2026-03-05}'::date[]) AS d$$,
  'measures of one''s own');
-- Two servers: each has users, a day of its own and one of both; what is too much is cut when all is added, and who came before the window is among all.
SELECT results_eq($$SELECT * FROM daily_merge(ARRAY[('known', '2026-03-01', 5), ('active', '2026-03-02', 2), ('new', '2026-03-02', 1), ('measure_recordings', '2026-03-02', 9e18),
    ('measure_seconds', '2026-03-02', 90), ('crashes', '2026-03-03', 4),
    ('known', '2026-03-01', 2), ('active', '2026-03-02', 1), ('new', '2026-03-02', 1), ('new', '2026-03-04', 3), ('measure_recordings', '2026-03-02', 9e18), ('measure_cost_usd', '2026-03-02', 0.5),
    ('active', '2026-03-03', 8)]::part[]) ORDER BY 1$$,
  $$VALUES (date '2026-03-02', 9::bigint, 3::bigint, 2::bigint, 9223372036854775807::bigint, 1.5, 0.5, 0::bigint, 0::numeric), ('2026-03-03', 9, 8, 0, 0, 0, 0, 4, 0.5)$$, 'of two servers');
SELECT lives_ok('SELECT * FROM user_stats', 'and takes no other day away');

-- A condition on tenant and date reaches the roll-ups.
CREATE FUNCTION pg_temp.plan_of(query text) RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
  SET LOCAL enable_seqscan = off;
  RETURN QUERY EXECUTE 'EXPLAIN (COSTS off) ' || query;
END
$$;
SELECT ok(bool_or(line ~ 'Index Cond.*tenant_id.*day >=') , 'a condition on date reaches the index of user_days')
FROM pg_temp.plan_of($$ SELECT * FROM user_stats WHERE tenant_id = 'a' AND date >= '2026-03-03' $$) AS line;
SELECT ok(bool_and(line !~ 'Seq Scan'), 'nothing is read from end to end')
FROM pg_temp.plan_of($$ SELECT * FROM user_stats WHERE tenant_id = 'a' AND date >= '2026-03-03' $$) AS line;

SELECT * FROM finish();
ROLLBACK;
