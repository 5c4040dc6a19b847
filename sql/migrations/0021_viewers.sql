-- Who may see which tenant's figures, and the doors through which weir-api sees them.
--
--   weir_api    calls the functions of the schema weir_api, and can do nothing else: it reads no table, and
--               none of the functions that the figures are made of
--
-- A door takes the viewer's name first and the tenant second, and asks weir.viewed_tenant() before it answers.
-- So whatever statement the server might be brought to send, it gets what some viewer may see. Doors are
-- SECURITY DEFINER, STABLE, and named like the path that they answer; a name with `_rows` returns a table, for
-- CSV. One that does not like an argument raises a data exception whose COLUMN is the parameter's name.
--
-- Where the role that migrates may not make roles, and no administrator has made weir_api, it is left out.
DO $$
BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'weir_api') THEN
    CREATE ROLE weir_api LOGIN;
    ALTER ROLE weir_api SET search_path = pg_catalog;
    ALTER ROLE weir_api SET default_transaction_read_only = on;
    ALTER ROLE weir_api SET statement_timeout = '10s';
  END IF;
EXCEPTION WHEN insufficient_privilege OR duplicate_object OR unique_violation THEN
  NULL;  -- another database's migration was faster, or it is the administrator's to make
END
$$;

CREATE SCHEMA weir_api AUTHORIZATION weir_owner;

SET LOCAL ROLE weir_owner;

CREATE TABLE weir.viewers (
  tenant_id text NOT NULL CHECK (tenant_id <> ''),
  viewer text NOT NULL CHECK (viewer <> ''),
  added_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, viewer)
);
COMMENT ON TABLE weir.viewers IS
  'Which tenants'' figures somebody may see whom the web server calls by that name. See `weirctl viewers`.';
COMMENT ON COLUMN weir.viewers.tenant_id IS '''*'': every tenant.';
GRANT SELECT ON weir.viewers TO weir_reader;

CREATE FUNCTION weir.viewed_tenant(viewer text, tenant text) RETURNS text
LANGUAGE plpgsql STABLE
AS $$
BEGIN
  IF NOT EXISTS (
    SELECT FROM weir.viewers AS v
    WHERE v.tenant_id IN (viewed_tenant.tenant, '*') AND v.viewer = viewed_tenant.viewer)
  THEN
    RAISE insufficient_privilege USING MESSAGE = 'this viewer may not see this tenant';
  END IF;
  RETURN viewed_tenant.tenant;
END
$$;
COMMENT ON FUNCTION weir.viewed_tenant(text, text) IS
  'The tenant, if the viewer may see it, be there one or not; an error else.';

CREATE FUNCTION weir_api.tenants(viewer text) RETURNS TABLE (tenant text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, weir, pg_temp
AS $$
  SELECT v.tenant_id FROM weir.viewers AS v WHERE v.viewer = tenants.viewer ORDER BY v.tenant_id
$$;

CREATE FUNCTION weir_api.daily_rows(viewer text, tenant text, first_day date, last_day date)
RETURNS TABLE (
  date date, total_users bigint, active_users bigint, new_users bigint, total_recordings bigint,
  total_minutes numeric, total_cost_usd numeric, crash_count bigint, crash_rate numeric)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, weir, pg_temp
AS $$
  SELECT s.date, s.total_users, s.active_users, s.new_users, s.total_recordings,
    round(s.total_minutes, 3), round(s.total_cost_usd, 6), s.crash_count, round(s.crash_rate, 6)
  FROM weir.user_stats AS s
  WHERE s.tenant_id = weir.viewed_tenant(daily_rows.viewer, daily_rows.tenant)
    AND s.date >= coalesce(first_day, coalesce(last_day, (now() AT TIME ZONE 'UTC')::date) - 29)
    AND s.date <= coalesce(last_day, (now() AT TIME ZONE 'UTC')::date)
  ORDER BY s.date
$$;

CREATE FUNCTION weir_api.daily(viewer text, tenant text, first_day date, last_day date) RETURNS json
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, weir, pg_temp
AS $$
  SELECT json_build_object(
    'tenant', weir.viewed_tenant(daily.viewer, daily.tenant),
    'from', coalesce(first_day, coalesce(last_day, (now() AT TIME ZONE 'UTC')::date) - 29),
    'to', coalesce(last_day, (now() AT TIME ZONE 'UTC')::date),
    'tz', 'UTC',
    'days', coalesce((
      SELECT json_agg(d) FROM weir_api.daily_rows(daily.viewer, daily.tenant, first_day, last_day) AS d),
      '[]'))
$$;

DO $$
BEGIN
  IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'weir_api') THEN
    GRANT USAGE ON SCHEMA weir_api TO weir_api;
    GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA weir_api TO weir_api;
  END IF;
END
$$;
