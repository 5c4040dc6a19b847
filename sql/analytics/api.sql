-- The doors of weir-api to the answers of this folder (0021_viewers.sql says what a door promises): each asks
-- whether the viewer may see the tenant, and fills in what was not given.
SET LOCAL ROLE weir_owner;
SET LOCAL check_function_bodies = off;

-- The zone, or an error that names the parameter.
CREATE OR REPLACE FUNCTION weir.known_zone(zone text) RETURNS text
LANGUAGE plpgsql STABLE
AS $$
BEGIN
  PERFORM now() AT TIME ZONE zone;
  RETURN coalesce(zone, 'UTC');
EXCEPTION WHEN invalid_parameter_value THEN
  RAISE invalid_parameter_value USING
    MESSAGE = 'There is no time zone of that name: write it as Europe/Berlin', COLUMN = 'tz';
END
$$;

CREATE OR REPLACE FUNCTION weir_api.users(viewer text, tenant text, first_day date, last_day date, zone text) RETURNS jsonb
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, weir, pg_temp
AS $$
  SELECT weir.users_answer(
    weir.viewed_tenant(users.viewer, users.tenant),
    coalesce(first_day, coalesce(last_day, (now() AT TIME ZONE z.name)::date) - 29),
    coalesce(last_day, (now() AT TIME ZONE z.name)::date),
    z.name)
  FROM weir.known_zone(users.zone) AS z (name)
$$;

CREATE OR REPLACE FUNCTION weir_api.crashes(
  viewer text, tenant text, first_day date, last_day date, zone text, most integer) RETURNS jsonb
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, weir, pg_temp
AS $$
  SELECT weir.crashes_answer(
    weir.viewed_tenant(crashes.viewer, crashes.tenant),
    coalesce(first_day, coalesce(last_day, (now() AT TIME ZONE z.name)::date) - 29),
    coalesce(last_day, (now() AT TIME ZONE z.name)::date),
    z.name, coalesce(most, 20))
  FROM weir.known_zone(crashes.zone) AS z (name)
$$;

CREATE OR REPLACE FUNCTION weir_api.crash_releases(
  viewer text, tenant text, first_day date, last_day date, zone text, most integer) RETURNS jsonb
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, weir, pg_temp
AS $$
  SELECT weir.crash_releases_answer(
    weir.viewed_tenant(crash_releases.viewer, crash_releases.tenant),
    coalesce(first_day, coalesce(last_day, (now() AT TIME ZONE z.name)::date) - 29),
    coalesce(last_day, (now() AT TIME ZONE z.name)::date),
    z.name, coalesce(most, 20))
  FROM weir.known_zone(crash_releases.zone) AS z (name)
$$;

CREATE OR REPLACE FUNCTION weir_api.audience(
  viewer text, tenant text, first_day date, last_day date, zone text, most integer) RETURNS jsonb
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, weir, pg_temp
AS $$
  SELECT weir.audience_answer(
    weir.viewed_tenant(audience.viewer, audience.tenant),
    coalesce(first_day, coalesce(last_day, (now() AT TIME ZONE z.name)::date) - 29),
    coalesce(last_day, (now() AT TIME ZONE z.name)::date),
    z.name, coalesce(most, 20))
  FROM weir.known_zone(audience.zone) AS z (name)
$$;

CREATE OR REPLACE FUNCTION weir_api.costs(
  viewer text, tenant text, first_day date, last_day date, zone text, measure text) RETURNS jsonb
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, weir, pg_temp
AS $$
  SELECT weir.costs_answer(
    weir.viewed_tenant(costs.viewer, costs.tenant),
    coalesce(first_day, coalesce(last_day, (now() AT TIME ZONE z.name)::date) - 29),
    coalesce(last_day, (now() AT TIME ZONE z.name)::date),
    z.name, coalesce(measure, 'cost_usd'))
  FROM weir.known_zone(costs.zone) AS z (name)
$$;

CREATE OR REPLACE FUNCTION weir_api.usage(viewer text, tenant text, first_day date, last_day date, zone text, event text,
  property text) RETURNS jsonb
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, weir, pg_temp
AS $$
  SELECT weir.usage_answer(
    weir.viewed_tenant(usage.viewer, usage.tenant),
    coalesce(first_day, coalesce(last_day, (now() AT TIME ZONE z.name)::date) - 29),
    coalesce(last_day, (now() AT TIME ZONE z.name)::date),
    z.name, usage.event, usage.property)
  FROM weir.known_zone(usage.zone) AS z (name)
$$;

CREATE OR REPLACE FUNCTION weir_api.features(viewer text, tenant text, first_day date, last_day date, zone text, feature text,
  split text) RETURNS jsonb
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, weir, pg_temp
AS $$
  SELECT weir.features_answer(
    weir.viewed_tenant(features.viewer, features.tenant),
    coalesce(first_day, coalesce(last_day, (now() AT TIME ZONE z.name)::date) - 29),
    coalesce(last_day, (now() AT TIME ZONE z.name)::date),
    z.name, coalesce(features.feature, 'feature'), coalesce(features.split, 'source'))
  FROM weir.known_zone(features.zone) AS z (name)
$$;

DO $$
BEGIN
  IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'weir_api') THEN
    GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA weir_api TO weir_api;
  END IF;
END
$$;
