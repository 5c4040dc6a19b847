-- Each role can do its work, and nothing else.
BEGIN;
SET LOCAL search_path = weir, public;
SET LOCAL client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap SCHEMA public;
SELECT no_plan();

CREATE FUNCTION pg_temp.may(role text, statement text, claim text) RETURNS text LANGUAGE sql AS $$
  SELECT lives_ok(format('SET LOCAL ROLE %I; %s; RESET ROLE', role, statement), role || ' ' || claim)
$$;
CREATE FUNCTION pg_temp.may_not(role text, statement text, claim text) RETURNS text LANGUAGE sql AS $$
  SELECT throws_ok(format('SET LOCAL ROLE %I; %s', role, statement), '42501', NULL,
    role || ' ' || claim)
$$;

-- The flusher's work.
SELECT pg_temp.may('weir_flusher', statement, 'may: ' || statement) FROM unnest(ARRAY[
  'SELECT weir.open_session()',
  'SELECT weir.schema_version()',
  'SELECT weir.make_partitions()',
  'SELECT * FROM weir.tend_leases(''me'', ''{s}'', pg_backend_pid(), 5, ''{}'')',
  'SELECT weir.end_session(1, now())',
  'SELECT weir.unread_streams(''{s}'')',
  'SELECT weir.lock_weeks(''{2900}'')',
  'SELECT * FROM weir.refresh_roll_ups()',
  'SELECT * FROM weir.roll_up_backlog()',
  'SELECT * FROM weir.read_position(''s'')',
  'SELECT weir.advance_position(''s'', 1, NULL, ''1-0'', ''e'')',
  'SELECT weir.advance_position(''s'', 1, ''1-0'', ''2-0'', ''e'')',
  'INSERT INTO weir.events (event_id, tenant_id, event) VALUES (gen_random_uuid(), ''p'', ''e'')',
  'INSERT INTO weir.crashes (crash_id, tenant_id) VALUES (gen_random_uuid(), ''p'')',
  'INSERT INTO weir.dead_letters (tenant_id, received_at, reason, payload)'
    ' VALUES (''p'', now(), ''odd'', ''\x00'')',
  'SELECT tenant_id, event_id, client_timestamp FROM weir.events',
  'SELECT tenant_id, crash_id, client_timestamp FROM weir.crashes'
]) AS statement;
-- Its temporary tables are its own: the next ones belong to the role that opens the session.
SELECT pg_temp.may('weir_flusher',
  'INSERT INTO arriving_ids VALUES (1, ''p'', gen_random_uuid(), now(), true);'
  'SELECT * FROM weir.measured_properties();'
  'INSERT INTO added_user_days VALUES (''p'', ''u'', 1, now(), now());'
  'INSERT INTO added_kinds VALUES (''p'', ''recording_completed'', 1, now());'
  'INSERT INTO added_sums VALUES (''p'', ''recording_completed'', ''estimated_cost_usd'', 1, ''0.5'', now());'
  'INSERT INTO added_crashes VALUES (''p'', ''u'', now());'
  'SELECT weir.known_events(); SELECT weir.known_crashes();'
  'SELECT weir.roll_up_events(); SELECT weir.roll_up_crashes();'
  'SELECT weir.roll_up_events()', 'may look up ids and add to the roll-ups, new rows and old');

-- What it may not.
SELECT pg_temp.may_not('weir_flusher', statement, 'may not: ' || statement) FROM unnest(ARRAY[
  'SELECT properties FROM weir.events',
  'SELECT user_id FROM weir.events',
  'SELECT * FROM weir.events',
  'SELECT properties FROM weir.events_default',
  'SELECT stack_trace FROM weir.crashes',
  'SELECT context FROM weir.crashes_default',
  'SELECT payload FROM weir.dead_letters',
  'SELECT * FROM weir.user_stats',
  'UPDATE weir.events SET event = ''x''',
  'UPDATE weir.crashes SET user_id = NULL',
  'DELETE FROM weir.events',
  'DELETE FROM weir.crashes',
  'DELETE FROM weir.events_default',
  'DELETE FROM weir.dead_letters',
  'DELETE FROM weir.user_days',
  'DELETE FROM weir.users',
  'DELETE FROM weir.stream_positions',
  'DELETE FROM weir_lease.stream_leases',
  'TRUNCATE weir.events',
  'TRUNCATE weir.crashes',
  'TRUNCATE weir.user_days',
  'DELETE FROM weir.touched_days',
  'SELECT * FROM weir.day_sets',
  'SELECT * FROM weir.user_numbers',
  'SELECT weir.work_off(''p'', ''2026-03-01'')',
  'SELECT * FROM weir.facts_of_day(''p'', ''UTC'', ''2026-03-01'')',
  'SELECT * FROM weir.begin_rebuild(NULL, true)',
  'SELECT weir.keep_zone(''p'', ''Europe/Berlin'')',
  'UPDATE weir.measures SET factor = 2',
  'INSERT INTO weir.measures (measure, event) VALUES (''m'', ''e'')',
  'INSERT INTO weir.schema_migrations VALUES (9999, ''x'', ''y'')',
  'CREATE TABLE weir.mine ()',
  'DROP TABLE weir.events',
  'ALTER TABLE weir.events ADD COLUMN mine text',
  'ALTER TABLE weir.events DETACH PARTITION weir.events_default',
  'CREATE FUNCTION weir.mine() RETURNS int LANGUAGE sql AS ''SELECT 1''',
  'CREATE SCHEMA mine',
  'SELECT weir.make_partition(''events'', ''events_mine'', ''2001-01-01'')',
  'SELECT weir.lock_for_attaching()'
]) AS statement;
SELECT is_empty($$
  SELECT relname FROM pg_class WHERE relnamespace IN ('weir'::regnamespace, 'weir_lease'::regnamespace) AND relispartition
    AND has_table_privilege('weir_flusher', oid, 'INSERT, SELECT, UPDATE, DELETE, TRUNCATE')
$$, 'weir_flusher reaches partitions through their parents only');
SELECT ok(has_database_privilege('weir_flusher', current_database(), 'TEMPORARY'),
  'weir_flusher may make temporary tables');

-- The reader.
SELECT pg_temp.may('weir_reader', 'SELECT count(*) FROM ' || relation, 'may read ' || relation)
FROM unnest(ARRAY['events', 'crashes', 'user_days', 'users', 'day_measures', 'crash_days', 'measures',
  'dead_letters', 'stream_positions', 'weir_lease.stream_leases', 'weir_lease.flushers', 'schema_migrations', 'repeatable_files', 'user_stats',
  'telemetry_events', 'product_usage_events', 'feature_usage_samples', 'touched_days', 'roll_up_turns', 'gone_days', 'report_zones', 'dimensions',
  'user_numbers', 'day_sets', 'week_sets', 'day_first_uses', 'toggle_sets', 'day_counts', 'day_numbers', 'day_sessions', 'day_crash_groups', 'command_sessions', 'day_command_sessions', 'packs', 'packed_days']) AS relation;
SELECT pg_temp.may('weir_reader', 'SELECT weir.schema_version()', 'may ask for the version');
SELECT is_empty($$
  SELECT relname, privilege FROM pg_class,
    unnest(ARRAY['INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'REFERENCES', 'TRIGGER']) AS privilege
  WHERE relnamespace IN ('weir'::regnamespace, 'weir_lease'::regnamespace) AND relkind IN ('r', 'p', 'v')
    AND has_table_privilege('weir_reader', oid, privilege)
$$, 'weir_reader may only select');
SELECT is_empty($$
  SELECT relname FROM pg_class
  WHERE relnamespace IN ('weir'::regnamespace, 'weir_lease'::regnamespace) AND relkind IN ('r', 'p', 'v')
    AND NOT has_table_privilege('weir_reader', oid, 'SELECT')
$$, 'weir_reader may read every table, partition and view');
SELECT set_eq($$
  SELECT proname FROM pg_proc WHERE pronamespace = 'weir'::regnamespace
    AND has_function_privilege('weir_reader', oid, 'EXECUTE') AND (prosecdef OR provolatile = 'v')
$$, ARRAY['roll_up_backlog'::name], 'weir_reader may call what reads only, with its own rights, and ask how much waits');
SELECT is_empty($$
  SELECT proname FROM pg_proc, aclexplode(coalesce(proacl, acldefault('f', proowner)))
  WHERE pronamespace = 'weir'::regnamespace AND grantee = 0
$$, 'nobody else may call anything');
SELECT pg_temp.may_not('weir_reader', statement, 'may not: ' || statement) FROM unnest(ARRAY[
  'CREATE TABLE weir.mine ()', 'SELECT weir.make_partitions()', 'SELECT weir.open_session()',
  'SELECT * FROM weir.refresh_roll_ups()', 'SELECT weir.build_day(''p'', ''UTC'', ''2026-03-01'')'
]) AS statement;

-- The operator of dead letters.
SELECT pg_temp.may('weir_operator', statement, 'may: ' || statement) FROM unnest(ARRAY[
  'SELECT * FROM weir.dead_letters',
  'SELECT * FROM weir.find_dead_letters(NULL, NULL, NULL, NULL, NULL, 0)',
  'DELETE FROM weir.dead_letters'
]) AS statement;
SELECT set_eq($$
  SELECT relname, privilege FROM pg_class,
    unnest(ARRAY['INSERT', 'SELECT', 'UPDATE', 'DELETE', 'TRUNCATE', 'REFERENCES', 'TRIGGER']) AS privilege
  WHERE relnamespace IN ('weir'::regnamespace, 'weir_lease'::regnamespace) AND relkind IN ('r', 'p', 'v')
    AND has_table_privilege('weir_operator', oid, privilege)
$$, $$VALUES ('dead_letters'::name, 'SELECT'), ('dead_letters', 'DELETE')$$,
  'weir_operator reads and deletes dead letters, and reaches no other table');
SELECT set_eq($$
  SELECT proname FROM pg_proc WHERE pronamespace = 'weir'::regnamespace
    AND has_function_privilege('weir_operator', oid, 'EXECUTE')
$$, ARRAY['find_dead_letters'::name], 'weir_operator may find dead letters');

-- Whoever reads figures in psql needs every function that one is made of.
SET LOCAL ROLE weir_reader;
SELECT lives_ok($$SELECT weir.funnels_answer('acme', '2026-03-01', '2026-03-02', steps => '[{"event": "a"}, {"event": "b", "platform": "iOS"}]', split => 'x')$$,
  'weir_reader asks for a funnel');
SELECT lives_ok($$SELECT weir.correlation_answer('acme', '2026-03-01', '2026-03-02', 'Asia/Kolkata', '{"event": "a"}', '{"event": "b"}')$$, 'for a correlation');
SELECT lives_ok($$SELECT weir.tasks_answer('acme', '2026-03-01', '2026-03-02', start => '{"event": "a"}', finish => '{"event": "b"}')$$, 'for a task');
SELECT lives_ok($$SELECT weir.rage_clicks_answer('acme', '2026-03-01', '2026-03-02', event => 'click', clicks => 2)$$, 'for rage clicks');
SELECT lives_ok($$SELECT weir.paths_answer('acme', '2026-03-01', '2026-03-02', property => 'screen', filter => '{"properties": {"browser": "x"}}')$$, 'for paths');
SELECT lives_ok($$SELECT weir.pages_answer('acme', '2026-03-01', '2026-03-02', property => 'load_ms', filter => '{"properties": {"browser": "x"}}')$$, 'for pages');
SELECT lives_ok($$SELECT weir.heavy_users_answer('acme', '2026-03-01', '2026-03-02', 'UTC', 'cost_usd')$$, 'and for heavy users');
RESET ROLE;

-- The roles themselves.
SELECT is((SELECT rolcanlogin FROM pg_roles WHERE rolname = 'weir_owner'), false,
  'nobody logs in as weir_owner');
SELECT is_empty($$
  SELECT rolname FROM pg_roles WHERE rolname ~ '^weir_(owner|flusher|reader|operator)$'
    AND (rolsuper OR rolcreaterole OR rolcreatedb OR rolreplication OR rolbypassrls)
$$, 'no role is more than an ordinary one');
SELECT is_empty($$
  SELECT * FROM pg_auth_members
  WHERE member::regrole::text IN ('weir_flusher', 'weir_reader', 'weir_operator')
$$, 'no role that logs in is a member of another');
SELECT set_has($$SELECT rolname, unnest(rolconfig) FROM pg_roles$$, $$VALUES
  ('weir_flusher'::name, 'search_path=weir, public'),
  ('weir_reader', 'search_path=weir, public'),
  ('weir_reader', 'statement_timeout=30s')
$$, 'their settings are those of the first migration');

SELECT * FROM finish();
ROLLBACK;
