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

-- The window that was asked for: its last day is today in the zone, its first one 29 days before, if not given.
CREATE OR REPLACE FUNCTION weir.asked_window(first_day date, last_day date, asked text)
RETURNS TABLE (since date, until date, zone text)
LANGUAGE sql STABLE
AS $$
  SELECT coalesce(first_day, coalesce(last_day, today.day) - 29), coalesce(last_day, today.day), z.name
  FROM weir.known_zone(asked) AS z (name) CROSS JOIN LATERAL (SELECT (now() AT TIME ZONE z.name)::date) AS today (day)
$$;

CREATE OR REPLACE FUNCTION weir_api.users(viewer text, tenant text, first_day date, last_day date, zone text) RETURNS jsonb
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, weir, pg_temp
AS $$
  SELECT weir.users_answer(
    weir.viewed_tenant(users.viewer, users.tenant),
    w.since, w.until, w.zone)
  FROM weir.asked_window(users.first_day, users.last_day, users.zone) AS w
$$;

CREATE OR REPLACE FUNCTION weir_api.crashes(
  viewer text, tenant text, first_day date, last_day date, zone text, most integer) RETURNS jsonb
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, weir, pg_temp
AS $$
  SELECT weir.crashes_answer(
    weir.viewed_tenant(crashes.viewer, crashes.tenant),
    w.since, w.until, w.zone, coalesce(most, 20))
  FROM weir.asked_window(crashes.first_day, crashes.last_day, crashes.zone) AS w
$$;

CREATE OR REPLACE FUNCTION weir_api.crash_releases(
  viewer text, tenant text, first_day date, last_day date, zone text, most integer) RETURNS jsonb
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, weir, pg_temp
AS $$
  SELECT weir.crash_releases_answer(
    weir.viewed_tenant(crash_releases.viewer, crash_releases.tenant),
    w.since, w.until, w.zone, coalesce(most, 20))
  FROM weir.asked_window(crash_releases.first_day, crash_releases.last_day, crash_releases.zone) AS w
$$;

CREATE OR REPLACE FUNCTION weir_api.audience(
  viewer text, tenant text, first_day date, last_day date, zone text, most integer) RETURNS jsonb
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, weir, pg_temp
AS $$
  SELECT weir.audience_answer(
    weir.viewed_tenant(audience.viewer, audience.tenant),
    w.since, w.until, w.zone, coalesce(most, 20))
  FROM weir.asked_window(audience.first_day, audience.last_day, audience.zone) AS w
$$;

CREATE OR REPLACE FUNCTION weir_api.costs(
  viewer text, tenant text, first_day date, last_day date, zone text, measure text) RETURNS jsonb
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, weir, pg_temp
AS $$
  SELECT weir.costs_answer(
    weir.viewed_tenant(costs.viewer, costs.tenant),
    w.since, w.until, w.zone, coalesce(measure, 'cost_usd'))
  FROM weir.asked_window(costs.first_day, costs.last_day, costs.zone) AS w
$$;

CREATE OR REPLACE FUNCTION weir_api.usage(viewer text, tenant text, first_day date, last_day date, zone text, event text,
  property text) RETURNS jsonb
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, weir, pg_temp
AS $$
  SELECT weir.usage_answer(
    weir.viewed_tenant(usage.viewer, usage.tenant),
    w.since, w.until, w.zone, usage.event, usage.property)
  FROM weir.asked_window(usage.first_day, usage.last_day, usage.zone) AS w
$$;

CREATE OR REPLACE FUNCTION weir_api.features(viewer text, tenant text, first_day date, last_day date, zone text, feature text,
  split text) RETURNS jsonb
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, weir, pg_temp
AS $$
  SELECT weir.features_answer(
    weir.viewed_tenant(features.viewer, features.tenant),
    w.since, w.until, w.zone, coalesce(features.feature, 'feature'), coalesce(features.split, 'source'))
  FROM weir.asked_window(features.first_day, features.last_day, features.zone) AS w
$$;

CREATE OR REPLACE FUNCTION weir_api.funnels(viewer text, tenant text, first_day date, last_day date, zone text, steps text,
  within integer, split text, filter text, most integer) RETURNS jsonb
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, weir, pg_temp
AS $$
  SELECT weir.funnels_answer(
    weir.viewed_tenant(funnels.viewer, funnels.tenant),
    w.since, w.until, w.zone, funnels.steps, coalesce(funnels.within, 604800), funnels.split, funnels.filter, coalesce(most, 20))
  FROM weir.asked_window(funnels.first_day, funnels.last_day, funnels.zone) AS w
$$;

DO $$
BEGIN
  IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'weir_api') THEN
    GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA weir_api TO weir_api;
  END IF;
END
$$;
