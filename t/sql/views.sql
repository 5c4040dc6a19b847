-- The views that give rows the shapes people asked for, odd rows included.
BEGIN;
SET LOCAL search_path = weir, public;
SET LOCAL client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap SCHEMA public;
SELECT plan(14);

CREATE FUNCTION pg_temp.id(n integer) RETURNS uuid LANGUAGE sql IMMUTABLE AS $$
  SELECT format('00000000-0000-4000-8000-%s', lpad(n::text, 12, '0'))::uuid
$$;

-- telemetry_events
INSERT INTO events (event_id, tenant_id, session_id, event, app_version, properties, client_timestamp,
  "timestamp", received_at) VALUES
  (pg_temp.id(1), 'v', '3f2504e0-4f89-41d3-9a0c-0305e82c3301', 'cli_command', '1.0.0',
    '{"command": "icon", "success": true, "execution_time": 3450, "prompt_length": 45, "output_format": "png", "model_used": "dall-e-3"}',
    '2022-01-01T00:00:00.123Z', '2022-01-01T00:00:09Z', '2022-01-01T00:00:10Z'),
  (pg_temp.id(2), 'v', '3F2504E0-4F89-41D3-9A0C-0305E82C3302', 'cli_command', '1.0.1',
    '{"command": "icon", "success": false, "execution_time": 0, "error_type": "quota", "prompt_length": 0}',
    '2022-01-01T00:00:01Z', '2022-01-01T00:00:01Z', '2022-01-01T00:00:10Z'),
  -- what /track may have taken under the same name
  (pg_temp.id(3), 'v', 'not a uuid', 'cli_command', NULL,
    '{"command": 5, "success": "yes", "execution_time": 1e99, "prompt_length": 1.5, "error_type": null}',
    '1969-12-31T23:59:59.999Z', '2022-01-01T00:00:02Z', '2022-01-01T00:00:10Z'),
  (pg_temp.id(4), 'v', NULL, 'cli_command', NULL, NULL, now(), now(), now()),
  (pg_temp.id(5), 'v', NULL, 'cli_command', NULL, '[1, 2]', now(), now(), now()),
  (pg_temp.id(6), 'v', NULL, 'app_opened', NULL, '{"command": "icon"}', now(), now(), now());
SELECT results_eq(
  $$ SELECT session_id, command, success, timestamp, version, execution_time, error_type, prompt_length,
       output_format, model_used, created_at
     FROM telemetry_events WHERE id IN (pg_temp.id(1), pg_temp.id(2)) ORDER BY id $$,
  $$ VALUES
    ('3f2504e0-4f89-41d3-9a0c-0305e82c3301'::uuid, 'icon', true, 1640995200123::bigint, '1.0.0', 3450,
      NULL, 45, 'png', 'dall-e-3', '2022-01-01T00:00:10Z'::timestamptz),
    ('3f2504e0-4f89-41d3-9a0c-0305e82c3302', 'icon', false, 1640995201000, '1.0.1', 0,
      'quota', 0, NULL, NULL, '2022-01-01T00:00:10Z') $$,
  'telemetry_events shows a command as it was sent');
SELECT results_eq(
  $$ SELECT session_id, command, success, timestamp, execution_time, error_type, prompt_length
     FROM telemetry_events WHERE id = pg_temp.id(3) $$,
  $$ VALUES (NULL::uuid, '5', NULL::boolean, -1::bigint, NULL::integer, NULL, 2) $$,
  'what does not fit a column is NULL there, and no error');
SELECT is((SELECT count(*) FROM telemetry_events WHERE tenant_id = 'v'), 5::bigint,
  'only commands are in it, and all of them');
SELECT is(json_integer(object, 'k'), expected, format('json_integer of %s', object))
FROM (VALUES
  ('{"k": 2147483647}'::jsonb, 2147483647), ('{"k": 2147483648}', NULL), ('{"k": -2147483648}', -2147483648),
  ('{"k": -2147483649}', NULL), ('{"k": 2147483647.5}', NULL)
) AS tried (object, expected);

-- product_usage_events
INSERT INTO events (event_id, tenant_id, user_id, event, properties, "timestamp", received_at) VALUES
  (pg_temp.id(11), 'v', 'u1', 'report_created',
    '{"workspace_id": "w1", "tenant_id": "t1", "feature_area": "reports", "subject_type": "stored_report", "subject_id": 17, "metadata": {"type": "roles"}}',
    '2026-03-01T10:00Z', '2026-03-01T10:00:01Z'),
  (pg_temp.id(12), 'v', 'u1', 'operation_started',
    '{"workspace_id": 5, "feature_area": "operations", "operation_type": "backup"}',
    '2026-03-01T11:00Z', '2026-03-01T11:00:01Z'),
  (pg_temp.id(13), 'v', NULL, 'operation_started', '{"workspace_id": "w1"}', now(), now()),
  (pg_temp.id(14), 'v', 'u1', 'operation_started', '{"workspace_id": null}', now(), now()),
  (pg_temp.id(15), 'v', 'u1', 'operation_started', '["workspace_id"]', now(), now()),
  (pg_temp.id(16), 'v', 'u1', 'operation_started', NULL, now(), now());
SELECT results_eq(
  $$ SELECT id, workspace_id, tenant_id, user_id, event_name, feature_area, subject_type, subject_id,
       metadata, occurred_at, created_at
     FROM product_usage_events WHERE tenant_id = 'v' ORDER BY id $$,
  $$ VALUES
    (pg_temp.id(11), 'w1', 'v', 'u1', 'report_created', 'reports', 'stored_report', '17',
      '{"type": "roles"}'::jsonb, '2026-03-01T10:00Z'::timestamptz, '2026-03-01T10:00:01Z'::timestamptz),
    (pg_temp.id(12), '5', 'v', 'u1', 'operation_started', 'operations', NULL, NULL,
      '{"operation_type": "backup"}', '2026-03-01T11:00Z', '2026-03-01T11:00:01Z') $$,
  'product_usage_events holds what a user did in a workspace, and nothing else');

-- feature_usage_samples
INSERT INTO events (event_id, tenant_id, user_id, event, properties, "timestamp") VALUES
  (pg_temp.id(21), 'v', 'u1', 'feature_usage', '{"feature": "pos", "action": "view", "pathname": "/pos", "source": "admin"}', '2026-03-01T10:00Z'),
  (pg_temp.id(22), 'v', 'u2', 'feature_usage', '{"feature": "pos", "action": "view", "pathname": "/pos", "source": "admin"}', '2026-03-01T23:59Z'),
  (pg_temp.id(23), 'v', 'u2', 'feature_usage', '{"feature": "pos", "action": "view", "pathname": "/pos", "source": "admin"}', '2026-03-02T00:00Z'),
  (pg_temp.id(24), 'v', 'u2', 'feature_usage', '{"feature": "help", "action": "command", "source": "bot"}', '2026-03-01T10:00Z'),
  (pg_temp.id(25), 'w', 'u2', 'feature_usage', '{"feature": "pos", "action": "view", "pathname": "/pos", "source": "admin"}', '2026-03-01T10:00Z'),
  (pg_temp.id(26), 'v', 'u2', 'other', '{"feature": "pos"}', '2026-03-01T10:00Z');
SET LOCAL timezone = 'Asia/Tokyo';
SELECT results_eq(
  $$ SELECT tenant_id, day, feature, action, pathname, source, count, first_at, last_at
     FROM feature_usage_samples WHERE tenant_id IN ('v', 'w') ORDER BY 1, 2, 3 $$,
  $$ VALUES
    ('v', '2026-03-01'::date, 'help', 'command', NULL, 'bot', 1::bigint,
      '2026-03-01T10:00Z'::timestamptz, '2026-03-01T10:00Z'::timestamptz),
    ('v', '2026-03-01', 'pos', 'view', '/pos', 'admin', 2, '2026-03-01T10:00Z', '2026-03-01T23:59Z'),
    ('v', '2026-03-02', 'pos', 'view', '/pos', 'admin', 1, '2026-03-02T00:00Z', '2026-03-02T00:00Z'),
    ('w', '2026-03-01', 'pos', 'view', '/pos', 'admin', 1, '2026-03-01T10:00Z', '2026-03-01T10:00Z') $$,
  'feature_usage_samples counts by tenant, UTC day, feature, action, path and source');

-- Through the reader's eyes.
SET LOCAL ROLE weir_reader;
CREATE TEMPORARY TABLE read AS SELECT
  (SELECT count(*) FROM telemetry_events WHERE tenant_id = 'v') AS commands,
  (SELECT sum(execution_time) FROM telemetry_events WHERE tenant_id = 'v') AS time,
  (SELECT count(*) FROM product_usage_events WHERE tenant_id = 'v') AS milestones,
  (SELECT sum(count) FROM feature_usage_samples WHERE tenant_id = 'v') AS samples;
RESET ROLE;
SELECT is(commands, 5::bigint, 'weir_reader reads telemetry_events') FROM read;
SELECT is(time, 3450::bigint, 'with its numbers') FROM read;
SELECT is(milestones, 2::bigint, 'product_usage_events') FROM read;
SELECT is(samples, 4::numeric, 'and feature_usage_samples') FROM read;

SELECT * FROM finish();
ROLLBACK;
