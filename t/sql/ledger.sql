-- The adoption ledger, against numbers worked out by hand; and that its role sees nothing else.
BEGIN;
SET LOCAL search_path = weir, public;
SET LOCAL client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap SCHEMA public;
SELECT no_plan();

CREATE TEMPORARY TABLE said (tenant text, person text, name text, at timestamptz, properties jsonb);
INSERT INTO said VALUES
  ('acme', 'ann', 'onboarding_checkpoint_completed', '2026-03-02T10:00Z', '{"workspace_id": "w1"}'),
  ('acme', 'ann', 'operation_started', '2026-03-02T11:00Z', '{"workspace_id": "w1"}'),
  ('acme', 'ben', 'operation_started', '2026-03-02T12:00Z', '{"workspace_id": "w1"}'),
  ('acme', 'ben', 'operation_started', '2026-03-03T23:30Z', '{"workspace_id": "w2"}'),
  ('acme', 'ben', 'stored_report_created', '2026-03-03T12:00Z', '{"workspace_id": "w2"}'),
  ('acme', 'cat', 'operation_started', '2026-03-03T12:00Z', '{}'),
  ('acme', NULL, 'operation_started', '2026-03-03T12:00Z', '{"workspace_id": "w7"}'),
  ('acme', 'cat', 'app_opened', '2026-03-03T12:00Z', '{"workspace_id": "w9"}'),
  ('acme', 'cat', 'review_pack_generation_requested', '2026-03-09T12:00Z', '{"workspace_id": "w3"}'),
  ('globex', 'eve', 'support_diagnostics_opened', '2026-03-02T12:00Z', '{"workspace_id": "w1"}');
CREATE FUNCTION pg_temp.store(people text[]) RETURNS void LANGUAGE sql AS $$
  INSERT INTO weir.events (event_id, tenant_id, user_id, event, "timestamp", client_timestamp, properties)
  SELECT gen_random_uuid(), tenant, person, name, at, at, properties FROM said WHERE coalesce(person, 'cat') = ANY (people);
  INSERT INTO weir.touched_days (tenant_id, day)
  SELECT DISTINCT tenant, (at AT TIME ZONE 'UTC')::date FROM said WHERE coalesce(person, 'cat') = ANY (people);
$$;
\ir lib/build.sql
SELECT pg_temp.store(ARRAY['ann', 'ben', 'cat', 'eve']);
SELECT pg_temp.build();

CREATE TEMPORARY TABLE answer AS SELECT ledger_answer('acme', '2026-03-02', '2026-03-04') AS a;
SELECT is(a - '{as_of,days}'::text[], '{"tenant": "acme", "from": "2026-03-02", "to": "2026-03-04", "zone": "UTC", "exact": true, "active_workspaces": 2,
  "events": 5, "users": 2, "families": [
  {"family": "onboarding_checkpoint", "event": "onboarding_checkpoint_completed", "events": 1, "users": 1, "workspaces": 1},
  {"family": "support_diagnostics", "event": "support_diagnostics_opened", "events": 0, "users": 0, "workspaces": 0},
  {"family": "operation", "event": "operation_started", "events": 3, "users": 2, "workspaces": 2},
  {"family": "stored_report", "event": "stored_report_created", "events": 1, "users": 1, "workspaces": 1},
  {"family": "review_pack", "event": "review_pack_generation_requested", "events": 0, "users": 0, "workspaces": 0}]}', 'five families, whatever there is') FROM answer;
SELECT is(a -> 'days', '[{"start": "2026-03-02", "events": 3, "active_workspaces": 1}, {"start": "2026-03-03", "events": 2, "active_workspaces": 1},
  {"start": "2026-03-04", "events": 0, "active_workspaces": 0}]', 'by day') FROM answer;
SELECT is(ledger_answer('acme', '2026-03-04', '2026-03-04', 'Europe/Berlin') -> 'active_workspaces', '1', 'in a zone that is not kept: half past eleven is another day');
SELECT is(ledger_answer('nobody', '2026-03-04', '2026-03-04') -> 'active_workspaces', '0', 'of an unknown tenant there is none');

-- As the role, of all tenants: w1 of globex is another one.
SET LOCAL ROLE weir_ledger;
SELECT is(weir_ledger.summary('2026-03-02', '2026-03-09') - '{as_of,days,families}'::text[], '{"tenant": null, "from": "2026-03-02", "to": "2026-03-09",
  "zone": "UTC", "exact": true, "active_workspaces": 4, "events": 7, "users": 4}', 'all tenants together');
SELECT is(weir_ledger.summary('2026-03-02', '2026-03-04', 'UTC', 'acme') -> 'active_workspaces', '2', 'one tenant');
SELECT throws_ok($$SELECT weir_ledger.summary('2026-03-02', '2026-03-01')$$, '22023', NULL, 'a window that ends before it begins');
SELECT throws_ok($$SELECT weir_ledger.summary('2020-03-02', '2026-03-01')$$, '22023', NULL, 'too long a window');
SELECT throws_ok($$SELECT weir_ledger.summary(NULL, '2026-03-01')$$, '22023', NULL, 'no window');
SELECT throws_ok($$SELECT weir_ledger.summary('2026-03-02', '2026-03-04', 'Mars/Olympus')$$, '22023', NULL, 'no zone');
SELECT ok(weir_ledger.summary('2026-03-02', '2026-03-09')::text !~ '"(ann|ben|cat|eve|w1|w2|w3|acme|globex)"', 'names nobody and no workspace');
RESET ROLE;

-- Every table, view and sequence there is: tried by the role itself.
CREATE FUNCTION pg_temp.refused(statement text) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
  SET LOCAL ROLE weir_ledger;
  EXECUTE statement;
  RESET ROLE;
  RETURN false;
EXCEPTION WHEN insufficient_privilege THEN
  RESET ROLE;
  RETURN true;
END
$$;
SELECT ok(pg_temp.refused(format('SELECT * FROM %I.%I LIMIT 1', n.nspname, c.relname)), format('%s.%s cannot be read', n.nspname, c.relname))
FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S') AND n.nspname ~ '^weir';
SELECT cmp_ok(count(*), '>', 20::bigint, 'which are not few') FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S') AND n.nspname ~ '^weir';
SELECT is_empty($$SELECT c.oid::regclass, a.attname FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
  JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
  WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND n.nspname ~ '^weir'
    AND has_column_privilege('weir_ledger', c.oid, a.attnum, 'SELECT, INSERT, UPDATE, REFERENCES')$$, 'nor any column of them, or written');
SELECT set_eq($$SELECT p.oid::regprocedure::text, p.prorettype::regtype::text, p.proretset FROM pg_proc AS p JOIN pg_namespace AS n ON n.oid = p.pronamespace
  WHERE n.nspname ~ '^weir' AND has_function_privilege('weir_ledger', p.oid, 'EXECUTE') AND has_schema_privilege('weir_ledger', n.oid, 'USAGE')$$,
  $$VALUES ('weir_ledger.window_of(date,date,text)', 'daterange', false), ('weir_ledger.summary(date,date,text,text)', 'jsonb', false)$$,
  'it can call two functions, of which none returns a row');
SELECT is_empty($$SELECT r.rolname FROM pg_roles AS r WHERE r.rolname <> 'weir_ledger' AND pg_has_role('weir_ledger', r.oid, 'MEMBER')$$, 'it is a member of no role');
SELECT is_empty($$SELECT n.nspname FROM pg_namespace AS n WHERE has_schema_privilege('weir_ledger', n.oid, 'CREATE') AND n.nspname !~ '^pg_temp'$$, 'it can make nothing');
SELECT ok(pg_temp.refused($$SELECT weir.ledger_answer('acme', '2026-03-02', '2026-03-04')$$), 'nor call what the sums are made of');
SELECT ok(pg_temp.refused($$SELECT weir_api.users('root', 'acme', NULL, NULL, NULL)$$), 'nor the doors of others');

-- Two servers, users split between them: w1 is on both.
CREATE FUNCTION pg_temp.server(people text[]) RETURNS void LANGUAGE sql AS $$
  DELETE FROM weir.events; DELETE FROM weir.day_sets; DELETE FROM weir.day_counts; DELETE FROM weir.day_sessions; DELETE FROM weir.user_numbers;
  SELECT pg_temp.store(people); SELECT pg_temp.build();
$$;
CREATE TEMPORARY TABLE parts AS SELECT p FROM ledger_partial('acme', '2026-03-02', '2026-03-04', 'UTC') AS p WHERE false;
SELECT pg_temp.server(ARRAY['ann', 'cat']);
INSERT INTO parts SELECT p FROM ledger_partial('acme', '2026-03-02', '2026-03-04', 'UTC') AS p;
SELECT pg_temp.server(ARRAY['ben', 'eve']);
INSERT INTO parts SELECT p FROM ledger_partial('acme', '2026-03-02', '2026-03-04', 'UTC') AS p;
SELECT is(ledger_merge(ARRAY(SELECT p FROM parts), '2026-03-02', '2026-03-04'), (SELECT a - '{tenant,from,to,zone,as_of}'::text[] FROM answer),
  'two servers together say what one says');

-- A day keeps a thousand workspaces; what is beyond is counted, and said.
INSERT INTO weir.events (event_id, tenant_id, user_id, event, "timestamp", client_timestamp, properties)
SELECT gen_random_uuid(), 'wide', 'u', 'operation_started', '2026-03-02T12:00Z', '2026-03-02T12:00Z', jsonb_build_object('workspace_id', 'w' || n)
FROM generate_series(1, 1005) AS n;
INSERT INTO weir.touched_days (tenant_id, day) VALUES ('wide', '2026-03-02');
SELECT pg_temp.build();
SELECT is(ledger_answer('wide', '2026-03-02', '2026-03-02') - '{tenant,from,to,zone,as_of,families,days,users}'::text[],
  '{"exact": false, "active_workspaces": 1000, "events": 1005}', 'more than a thousand workspaces a day');
SELECT * FROM finish();
ROLLBACK;
