-- The rows and roll-ups in the shapes that people asked for.
SET LOCAL ROLE weir_owner;

-- Members of a JSON object by type. What a client sent in another type is NULL and not an error:
-- one odd row must not take a whole view away.
CREATE FUNCTION weir.json_integer(object jsonb, key text) RETURNS integer
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
  SELECT CASE WHEN jsonb_typeof(object -> key) = 'number' THEN
    CASE WHEN (object -> key)::numeric BETWEEN -2147483648 AND 2147483647
      THEN (object -> key)::integer END
  END
$$;

CREATE FUNCTION weir.json_boolean(object jsonb, key text) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT CASE WHEN jsonb_typeof(object -> key) = 'boolean' THEN (object -> key)::boolean END $$;

CREATE FUNCTION weir.text_uuid(value text) RETURNS uuid
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
  SELECT CASE WHEN value ~* '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' THEN value::uuid END
$$;

-- A day's figures of a tenant. Written as one GROUP BY over everything, so that a condition on
-- tenant_id or date reaches the roll-ups' indexes; growth is small, a row for each day with new users.
CREATE VIEW weir.user_stats AS
SELECT
  figures.tenant_id,
  figures.day AS date,
  coalesce(growth.total_users, 0)::bigint AS total_users,
  figures.active_users,
  CASE WHEN growth.day = figures.day THEN growth.new_users ELSE 0 END AS new_users,
  figures.total_recordings,
  figures.total_minutes,
  figures.total_cost_usd,
  figures.crash_count,
  figures.crash_count::numeric / nullif(figures.active_users, 0) AS crash_rate
FROM (
  SELECT tenant_id, day,
    sum(users)::bigint AS active_users,
    coalesce(sum(total) FILTER (WHERE measure = 'recordings'), 0)::bigint AS total_recordings,
    coalesce(sum(total) FILTER (WHERE measure = 'seconds'), 0) / 60 AS total_minutes,
    coalesce(sum(total) FILTER (WHERE measure = 'cost_usd'), 0) AS total_cost_usd,
    sum(crashes)::bigint AS crash_count
  FROM (
    SELECT tenant_id, day, 1 AS users, NULL AS measure, NULL::numeric AS total, 0 AS crashes
    FROM weir.user_days
    UNION ALL
    SELECT tenant_id, day, 0, measure, total, 0 FROM weir.day_measures
    UNION ALL
    SELECT tenant_id, day, 0, NULL, NULL, crashes FROM weir.crash_days
  ) AS facts
  GROUP BY tenant_id, day
) AS figures
LEFT JOIN (
  SELECT tenant_id, first_day AS day, count(*) AS new_users,
    sum(count(*)) OVER so_far AS total_users,
    lead(first_day, 1, 'infinity') OVER so_far AS next_day
  FROM weir.users
  GROUP BY tenant_id, first_day
  WINDOW so_far AS (PARTITION BY tenant_id ORDER BY first_day)
) AS growth
ON growth.tenant_id = figures.tenant_id
  AND growth.day <= figures.day AND figures.day < growth.next_day;
COMMENT ON VIEW weir.user_stats IS
  'One row for each tenant and day on which there is anything; crash_rate is crashes per active user.';

-- Events of the command line endpoint, with the columns that its table had.
CREATE VIEW weir.telemetry_events AS
SELECT
  event_id AS id,
  weir.text_uuid(session_id) AS session_id,
  properties ->> 'command' AS command,
  weir.json_boolean(properties, 'success') AS success,
  trunc(extract(epoch FROM client_timestamp) * 1000)::bigint AS "timestamp",
  app_version AS version,
  weir.json_integer(properties, 'execution_time') AS execution_time,
  properties ->> 'error_type' AS error_type,
  weir.json_integer(properties, 'prompt_length') AS prompt_length,
  properties ->> 'output_format' AS output_format,
  properties ->> 'model_used' AS model_used,
  received_at AS created_at,
  tenant_id
FROM weir.events
WHERE event = 'cli_command';

-- The adoption ledger: milestones that a user reached in a workspace.
CREATE VIEW weir.product_usage_events AS
SELECT
  event_id AS id,
  properties ->> 'workspace_id' AS workspace_id,
  tenant_id,
  user_id,
  event AS event_name,
  properties ->> 'feature_area' AS feature_area,
  properties ->> 'subject_type' AS subject_type,
  properties ->> 'subject_id' AS subject_id,
  CASE WHEN jsonb_typeof(properties -> 'metadata') = 'object' THEN properties -> 'metadata'
    ELSE properties - '{workspace_id,tenant_id,feature_area,subject_type,subject_id}'::text[]
  END AS metadata,
  "timestamp" AS occurred_at,
  received_at AS created_at
FROM weir.events
WHERE jsonb_typeof(properties) = 'object' AND properties ->> 'workspace_id' IS NOT NULL
  AND user_id IS NOT NULL;

-- How often each feature was used on a day.
CREATE VIEW weir.feature_usage_samples AS
SELECT
  tenant_id,
  ("timestamp" AT TIME ZONE 'UTC')::date AS day,
  properties ->> 'feature' AS feature,
  properties ->> 'action' AS action,
  properties ->> 'pathname' AS pathname,
  properties ->> 'source' AS source,
  count(*) AS count,
  min("timestamp") AS first_at,
  max("timestamp") AS last_at
FROM weir.events
WHERE event = 'feature_usage'
GROUP BY tenant_id, day, feature, action, pathname, source;

GRANT SELECT ON weir.user_stats, weir.telemetry_events, weir.product_usage_events,
  weir.feature_usage_samples TO weir_reader;
GRANT EXECUTE ON FUNCTION weir.json_integer(jsonb, text), weir.json_boolean(jsonb, text),
  weir.text_uuid(text) TO weir_reader;
