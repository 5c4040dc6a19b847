-- How days are built: what it costs to number users, and that a rebuild mends what verify finds.
BEGIN;
SET LOCAL search_path = weir, public;
SET LOCAL client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap SCHEMA public;
SELECT no_plan();
\ir lib/build.sql

-- Five hundred users who come first on the third; the flusher has counted days of each, of which some are earlier and not built yet.
INSERT INTO events (event_id, tenant_id, user_id, event, "timestamp", client_timestamp)
SELECT gen_random_uuid(), 'acme', 'u' || n, 'open', '2026-03-03T10:00Z', '2026-03-03T10:00Z' FROM generate_series(1, 500) AS n;
INSERT INTO user_days (tenant_id, user_id, day, events, first_at, last_at)
SELECT 'acme', 'u' || n, d::date, 1, d + interval '9 hours', d + interval '9 hours'
FROM generate_series(1, 500) AS n, generate_series('2026-03-01Z'::timestamptz, '2026-03-10Z', interval '1 day') AS d
WHERE d >= '2026-03-03Z' OR n <= 3;
CREATE TEMPORARY TABLE read AS SELECT seq_tup_read + coalesce(idx_tup_fetch, 0) AS rows FROM pg_stat_xact_user_tables WHERE relid = 'weir.user_days'::regclass;
SELECT number_users('acme', '2026-03-03');
SELECT is((SELECT count(*)::integer FROM user_numbers WHERE tenant_id = 'acme'), 500, 'all have numbers');
SELECT cmp_ok((SELECT seq_tup_read + coalesce(idx_tup_fetch, 0) FROM pg_stat_xact_user_tables WHERE relid = 'weir.user_days'::regclass) - (SELECT r.rows FROM read AS r),
  '<=', 2 * (SELECT count(*) FROM user_days), 'the days of all of them are read once, not once for each');
SELECT results_eq($$SELECT first_at, count(*)::integer FROM user_numbers WHERE tenant_id = 'acme' GROUP BY 1 ORDER BY 1$$,
  $$VALUES ('2026-03-01T09:00Z'::timestamptz, 3), ('2026-03-03T09:00Z', 497)$$, 'who came before, came first then');
SELECT set_eq($$SELECT day FROM touched_days WHERE tenant_id = 'acme'$$, ARRAY['2026-03-01'::date], 'and that day is built, too');

-- A sum that is wrong, beside hours that are right.
SELECT pg_temp.build();
SELECT ok(rebuild_day('acme', '2026-03-03', false), 'the day is built');
UPDATE day_counts SET events = events + 1 WHERE tenant_id = 'acme' AND subject = 'event' AND value = 'open' AND day = '2026-03-03';
SELECT set_eq($$SELECT v.part, v.subject, v.value, substring(v.kept FROM '^\d+ events') AS kept, substring(v.counted FROM '^\d+ events') AS counted FROM verify_day('acme', 'UTC', '2026-03-03') AS v$$,
  $$VALUES ('day_counts', 'event', 'open', '501 events', '500 events')$$, 'is found, and said');
SELECT ok(rebuild_day('acme', '2026-03-03', false), 'a rebuild');
SELECT is_empty($$SELECT FROM verify_day('acme', 'UTC', '2026-03-03')$$, 'mends it');
SELECT * FROM finish();
ROLLBACK;
