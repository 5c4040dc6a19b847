-- The tables and columns that others rely on (what each is for: docs and sql/migrations).
BEGIN;
SET LOCAL search_path = weir, public;
SET LOCAL client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap SCHEMA public;
SELECT plan(28);

-- A relation's columns as "name type, name type, …", in their order.
CREATE FUNCTION pg_temp.columns_of(relation regclass) RETURNS text LANGUAGE sql AS $$
  SELECT string_agg(attname || ' ' || format_type(atttypid, atttypmod), ', ' ORDER BY attnum)
  FROM pg_attribute WHERE attrelid = relation AND attnum > 0 AND NOT attisdropped
$$;

SELECT is(pg_temp.columns_of('weir.events'),
  'event_id uuid, tenant_id text, user_id text, session_id text, event text, app_version text, '
  'platform text, country text, properties jsonb, timestamp timestamp with time zone, '
  'client_timestamp timestamp with time zone, received_at timestamp with time zone',
  'events has the columns of a record, in the order of a record');
SELECT is(pg_temp.columns_of('weir.crashes'),
  'crash_id uuid, tenant_id text, user_id text, app_version text, os_version text, '
  'crash_type text, error_message text, stack_trace text, fingerprint text, context jsonb, '
  'timestamp timestamp with time zone, client_timestamp timestamp with time zone, '
  'received_at timestamp with time zone',
  'crashes has the columns of a record, in the order of a record');
SELECT is(pg_temp.columns_of('weir.user_days'),
  'tenant_id text, user_id text, day date, events bigint, first_at timestamp with time zone, '
  'last_at timestamp with time zone', 'user_days has the documented columns');
SELECT is(pg_temp.columns_of('weir.user_stats'),
  'tenant_id text, date date, total_users bigint, active_users bigint, new_users bigint, '
  'total_recordings bigint, total_minutes numeric, total_cost_usd numeric, crash_count bigint, '
  'crash_rate numeric', 'user_stats has the documented columns');
SELECT is(pg_temp.columns_of('weir.dead_letters'),
  'id bigint, tenant_id text, received_at timestamp with time zone, reason text, payload bytea',
  'dead_letters has the documented columns');
SELECT is(pg_temp.columns_of('weir.stream_positions'),
  'stream text, position text, epoch text, updated_at timestamp with time zone, '
  'previous text', 'stream_positions has the documented columns');
SELECT is(pg_temp.columns_of('weir.telemetry_events'),
  'id uuid, session_id uuid, command text, success boolean, timestamp bigint, version text, '
  'execution_time integer, error_type text, prompt_length integer, output_format text, '
  'model_used text, created_at timestamp with time zone, tenant_id text',
  'telemetry_events has the columns of the command line''s table');
SELECT is(pg_temp.columns_of('weir.product_usage_events'),
  'id uuid, workspace_id text, tenant_id text, user_id text, event_name text, feature_area text, '
  'subject_type text, subject_id text, metadata jsonb, occurred_at timestamp with time zone, '
  'created_at timestamp with time zone', 'product_usage_events has the ledger''s columns');
SELECT is(pg_temp.columns_of('weir.feature_usage_samples'),
  'tenant_id text, day date, feature text, action text, pathname text, source text, count bigint, '
  'first_at timestamp with time zone, last_at timestamp with time zone',
  'feature_usage_samples has a sample''s columns');

SELECT col_not_null('weir', 'events', unnest, unnest || ' of an event is never null')
FROM unnest(ARRAY['event_id', 'tenant_id', 'event', 'timestamp', 'client_timestamp', 'received_at']);
SELECT col_is_null('weir', 'crashes', unnest, unnest || ' of a crash may be null')
FROM unnest(ARRAY['user_id', 'error_message', 'context']);

-- What spreads over servers by tenant has the tenant in front of every key.
SELECT is_empty($$
  SELECT indrelid::regclass, indexrelid::regclass FROM pg_index
  JOIN pg_class ON pg_class.oid = indrelid
  WHERE relnamespace = 'weir'::regnamespace AND relkind = 'r'
    AND relname NOT IN ('schema_migrations', 'repeatable_files', 'stream_positions', 'zone_names')
    AND pg_get_indexdef(indexrelid, 1, false) <> 'tenant_id'
$$, 'every index begins with tenant_id');
SELECT is_empty($$
  SELECT relname FROM pg_class
  WHERE relnamespace IN ('weir'::regnamespace, 'weir_lease'::regnamespace) AND relkind IN ('r', 'p', 'v', 'S')
    AND pg_get_userbyid(relowner) <> 'weir_owner'
$$, 'weir_owner owns every table and view');
SELECT is_empty($$
  SELECT proname FROM pg_proc
  WHERE pronamespace = 'weir'::regnamespace AND pg_get_userbyid(proowner) <> 'weir_owner'
$$, 'weir_owner owns every function');
SELECT is_empty($$
  SELECT proname FROM pg_proc WHERE pronamespace = 'weir'::regnamespace AND prosecdef
    AND NOT coalesce(proconfig, '{}') && ARRAY['search_path=pg_catalog, weir, pg_temp']
$$, 'every SECURITY DEFINER function pins its search_path');
SELECT is(schema_version(), (SELECT max(version) FROM schema_migrations),
  'schema_version() is the last migration''s number');
SELECT cmp_ok(schema_version(), '>=', 7, 'and counts all of them');
SELECT col_type_is('weir', 'schema_migrations', 'checksum', 'text', 'each migration''s checksum is kept');
SELECT is((SELECT count(*) FROM schema_migrations WHERE checksum !~ '^[0-9a-f]{64}$'), 0::bigint,
  'as SHA-256');

-- Without statistics, as just after the first load, the planner may ask a condition's function for each row.
SELECT is_empty($$SELECT p.proname FROM pg_proc AS p WHERE p.pronamespace = 'weir'::regnamespace AND p.prosrc ~ '[^:]= weir\.kept_as\('$$,
  'under which name a subject is kept is asked in a SELECT, once for all rows');
SELECT results_eq($$SELECT DISTINCT attcompression FROM pg_attribute
    WHERE attname = 'users' AND attrelid IN ('weir.day_sets'::regclass, 'weir.week_sets'::regclass, 'weir.day_viewers'::regclass)$$,
  $$SELECT attcompression FROM pg_attribute WHERE attname = 'numbers' AND attrelid = 'weir.packs'::regclass$$,
  'sets of users are compressed as packs are: with what unpacks fastest, where PostgreSQL has it');
SELECT * FROM finish();
ROLLBACK;
