-- A zone that is not kept is answered from the rows, up to a bound; beyond it the error names the remedy.
BEGIN;
SET LOCAL search_path = weir, public;
SET LOCAL client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap SCHEMA public;
SELECT no_plan();

-- Four events on March 2nd, one on the 20th.
INSERT INTO weir.events (event_id, tenant_id, user_id, event, "timestamp", client_timestamp)
SELECT gen_random_uuid(), 'acme', 'ann', 'opened', at, at
FROM unnest(ARRAY['2026-03-02T10:00Z', '2026-03-02T11:00Z', '2026-03-02T12:00Z', '2026-03-02T13:00Z', '2026-03-20T10:00Z']::timestamptz[]) AS at;
INSERT INTO weir.touched_days (tenant_id, day) VALUES ('acme', '2026-03-02'), ('acme', '2026-03-20');
\ir lib/build.sql
SELECT pg_temp.build();

CREATE FUNCTION pg_temp.asked(what text, zone text, since date) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  place text;
BEGIN
  EXECUTE format('SELECT weir.%I(%L, %L, %L, %L)', what || '_answer', 'acme', since, '2026-03-20', zone);
  RETURN 'answered';
EXCEPTION WHEN invalid_parameter_value THEN
  GET STACKED DIAGNOSTICS place = COLUMN_NAME;
  RETURN place || ': ' || SQLERRM;
END
$$;

SELECT is(pg_temp.asked(what, 'Europe/Berlin', '2026-03-01'), 'answered', what || ' of few rows are answered in any zone')
FROM unnest(ARRAY['users', 'usage', 'features', 'crashes', 'audience', 'costs']) AS what;
SET LOCAL weir.read_at_most = 4;
SELECT is(pg_temp.asked(v.what, 'Europe/Berlin', '2026-03-01'), 'tz: Days in Europe/Berlin are not kept, and those that this looks at, ' || v.since
  || ' to 2026-03-21 in UTC, have 5 events, more than the 4 that are read: ask for fewer days or for UTC, or have them kept '
  '(`weirctl rollup zones --tenant TENANT --add Europe/Berlin`)', v.what || ' of more rows are refused, with what is looked at and the remedy')
FROM (VALUES ('users', '2026-02-18'), ('usage', '2026-02-28'), ('features', '2026-02-18'), ('crashes', '2026-02-28'), ('audience', '2026-02-28'),
  ('costs', '2026-02-08')) AS v (what, since);
SELECT throws_like($$SELECT weir.cohorts_answer('acme', '2026-02-01', '2026-02-20', 'Europe/Berlin', '{"did": [{"event": "opened"}]}')$$,
  'Days in Europe/Berlin are not kept, and those that this looks at, 2026-01-31 to 2026-03-21 in UTC, have 5 events%', 'so is a rule, which looks at the four weeks after it, too');
SELECT is(pg_temp.asked(what, 'UTC', '2026-03-01'), 'answered', what || ' in UTC are answered') FROM unnest(ARRAY['users', 'usage']) AS what;
SELECT is(pg_temp.asked('usage', 'Europe/Berlin', '2026-03-04'), 'answered', 'so is a shorter window');
SELECT matches(pg_temp.asked('users', 'Europe/Berlin', '2026-03-04'), '^tz: ', 'but what looks back for thirty days reads these too');

SELECT is(pg_temp.asked(what, 'Europe/Berlin', '2026-03-04'), 'tz: Days in Europe/Berlin, which this needs, are not kept: ask for UTC, or have them kept by '
  '`weirctl rollup zones --tenant TENANT --add Europe/Berlin`', what || ' need the days, few as the rows may be')
FROM unnest(ARRAY['stats', 'segments']) AS what;

SELECT keep_zone('acme', 'Europe/Berlin');
SELECT is(pg_temp.asked('stats', 'Europe/Berlin', '2026-03-04'), 'tz: Days in Europe/Berlin, which this needs, are still being built '
  '(`weirctl rollup status`): ask for UTC until they are', 'they say, too, that a zone is being built');
SELECT matches(pg_temp.asked('usage', 'Europe/Berlin', '2026-03-01'), '^tz: Days in Europe/Berlin are still being built', 'while a zone is built it says so');
SELECT pg_temp.build();
SELECT is(pg_temp.asked('usage', 'Europe/Berlin', '2026-03-01'), 'answered', 'then it is answered');
SELECT * FROM finish();
ROLLBACK;
