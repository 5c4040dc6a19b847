-- The doors of weir-api to the answers of this folder (0021_viewers.sql says what a door promises): each asks
-- whether the viewer may see the tenant, and fills in what was not given.
SET LOCAL ROLE weir_owner;
SET LOCAL check_function_bodies = off;

-- The zone, or an error that names the parameter. Only names count, as they are spelled: PostgreSQL itself takes
-- any case, and rules such as FOO+5.
CREATE OR REPLACE FUNCTION weir.known_zone(zone text) RETURNS text
LANGUAGE plpgsql STABLE
AS $$
BEGIN
  IF zone IS NULL OR zone = 'UTC' OR EXISTS (SELECT FROM weir.zone_names AS z WHERE z.name = zone)
    OR zone !~ '^(posix/|right/|posixrules$|localtime$|Factory$)' AND EXISTS (SELECT FROM pg_timezone_names AS z WHERE z.name = zone)
  THEN
    RETURN coalesce(zone, 'UTC');
  END IF;
  RAISE invalid_parameter_value USING
    MESSAGE = 'There is no time zone of that name: write it as Europe/Berlin', COLUMN = 'tz';
END
$$;

-- The first day, if it has begun; an error that names the parameter if not.
CREATE OR REPLACE FUNCTION weir.begun(first_day date, today date, parameter text) RETURNS date
LANGUAGE plpgsql IMMUTABLE
AS $$
BEGIN
  IF first_day > today THEN
    RAISE datetime_field_overflow USING
      MESSAGE = 'The window has not begun yet: let it begin on a day that is not after today', COLUMN = parameter;
  END IF;
  RETURN first_day;
END
$$;

-- The window that was asked for: its last day is today in the zone, its first one 29 days before, if not given.
CREATE OR REPLACE FUNCTION weir.asked_window(first_day date, last_day date, asked text)
RETURNS TABLE (since date, until date, zone text)
LANGUAGE sql STABLE
AS $$
  SELECT weir.begun(coalesce(first_day, coalesce(last_day, today.day) - 29), today.day,
      CASE WHEN first_day IS NULL THEN 'to' ELSE 'from' END),
    coalesce(last_day, today.day), z.name
  FROM weir.known_zone(asked) AS z (name) CROSS JOIN LATERAL (SELECT (now() AT TIME ZONE z.name)::date) AS today (day)
$$;

-- What every answer of a tenant stands for: it is another one when rows were stored or counted, what counts was changed, or
-- the clock has come to another quarter of an hour, and so perhaps, in some zone, to another day. Rows that somebody loads
-- by hand change it once they are counted.
CREATE OR REPLACE FUNCTION weir_api.version(viewer text, tenant text) RETURNS text
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, weir, pg_temp
AS $$
  SELECT md5(concat_ws(E'\n', k.tenant, floor(extract(epoch FROM now()) / 900),
    (SELECT r.builds FROM weir.roll_up_turns AS r WHERE r.tenant_id = k.tenant),
    (SELECT concat_ws(' ', count(*), max(t.added_at), sum(hashtextextended(concat_ws(' ', t.day, t.zone, t.added_at), 0)))
      FROM weir.touched_days AS t WHERE t.tenant_id = k.tenant),
    (SELECT string_agg(concat_ws(E'\t', m.tenant_id, m.measure, m.event, m.property, m.factor), E'\n' ORDER BY m.tenant_id, m.measure, m.event, m.property)
      FROM weir.measures AS m WHERE m.tenant_id IN (k.tenant, '*')),
    (SELECT string_agg(d::text, E'\n' ORDER BY d::text) FROM weir.dimensions AS d WHERE d.tenant_id IN (k.tenant, '*')),
    (SELECT concat_ws(' ', count(*), max(g.found_at), count(*) FILTER (WHERE g.came_late)) FROM weir.gone_days AS g WHERE g.tenant_id = k.tenant),
    (SELECT max(f.applied_at) FROM weir.repeatable_files AS f)))
  FROM (SELECT weir.viewed_tenant(version.viewer, version.tenant) AS tenant) AS k
$$;

CREATE OR REPLACE FUNCTION weir_api.daily_rows(viewer text, tenant text, first_day date, last_day date)
RETURNS TABLE (
  date date, total_users bigint, active_users bigint, new_users bigint, total_recordings bigint,
  total_minutes numeric, total_cost_usd numeric, crash_count bigint, crash_rate numeric)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, weir, pg_temp
AS $$
  SELECT s.date, s.total_users, s.active_users, s.new_users, s.total_recordings,
    round(s.total_minutes, 3), round(s.total_cost_usd, 6), s.crash_count, round(s.crash_rate, 6)
  FROM weir.asked_window(first_day, last_day, 'UTC') AS w,
    LATERAL weir.daily_figures(weir.viewed_tenant(daily_rows.viewer, daily_rows.tenant), w.since, w.until) AS s
  ORDER BY s.date
$$;

CREATE OR REPLACE FUNCTION weir_api.daily(viewer text, tenant text, first_day date, last_day date) RETURNS json
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, weir, pg_temp
AS $$
  SELECT weir.answered(
    weir.viewed_tenant(daily.viewer, daily.tenant), w.since, w.until, w.zone, 'sums', jsonb_build_object(
      'days', coalesce((
        SELECT jsonb_agg(d ORDER BY d.date)
        FROM weir_api.daily_rows(daily.viewer, daily.tenant, daily.first_day, daily.last_day) AS d), '[]')))::json
  FROM weir.asked_window(first_day, last_day, 'UTC') AS w
$$;

CREATE OR REPLACE FUNCTION weir_api.stats(viewer text, tenant text, first_day date, last_day date, zone text) RETURNS jsonb
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, weir, pg_temp
AS $$
  SELECT weir.stats_answer(
    weir.viewed_tenant(stats.viewer, stats.tenant),
    w.since, w.until, w.zone)
  FROM weir.asked_window(stats.first_day, stats.last_day, stats.zone) AS w
$$;

-- What a session plans at its first key figures, planned before anybody asks for them: of a tenant that nobody can be.
CREATE OR REPLACE FUNCTION weir_api.warm_up() RETURNS void
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, weir, pg_temp
AS $$
  SELECT FROM weir.stats_answer('', current_date - 29, current_date) AS s OFFSET 0
$$;

CREATE OR REPLACE FUNCTION weir_api.ledger(viewer text, tenant text, first_day date, last_day date, zone text) RETURNS jsonb
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, weir, pg_temp
AS $$
  SELECT weir.ledger_answer(
    weir.viewed_tenant(ledger.viewer, ledger.tenant),
    w.since, w.until, w.zone)
  FROM weir.asked_window(ledger.first_day, ledger.last_day, ledger.zone) AS w
$$;

CREATE OR REPLACE FUNCTION weir_api.heavy_users(
  viewer text, tenant text, first_day date, last_day date, zone text, measure text, most integer) RETURNS jsonb
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, weir, pg_temp
AS $$
  SELECT weir.heavy_users_answer(
    weir.viewed_tenant(heavy_users.viewer, heavy_users.tenant),
    w.since, w.until, w.zone, coalesce(measure, 'events'), coalesce(most, 20))
  FROM weir.asked_window(heavy_users.first_day, heavy_users.last_day, heavy_users.zone) AS w
$$;

CREATE OR REPLACE FUNCTION weir_api.segments(viewer text, tenant text, first_day date, last_day date, zone text) RETURNS jsonb
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, weir, pg_temp
AS $$
  SELECT weir.segments_answer(
    weir.viewed_tenant(segments.viewer, segments.tenant),
    w.since, w.until, w.zone)
  FROM weir.asked_window(segments.first_day, segments.last_day, segments.zone) AS w
$$;

CREATE OR REPLACE FUNCTION weir_api.churn_risk(viewer text, tenant text, last_day date, zone text, most integer) RETURNS jsonb
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, weir, pg_temp
AS $$
  SELECT weir.churn_risk_answer(
    weir.viewed_tenant(churn_risk.viewer, churn_risk.tenant),
    w.until, w.zone, coalesce(most, 20))
  FROM weir.asked_window(NULL, churn_risk.last_day, churn_risk.zone) AS w
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

CREATE OR REPLACE FUNCTION weir_api.paths(viewer text, tenant text, first_day date, last_day date, zone text,
  event text, property text, length integer, filter text, most integer) RETURNS jsonb
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, weir, pg_temp
AS $$
  SELECT weir.paths_answer(
    weir.viewed_tenant(paths.viewer, paths.tenant),
    w.since, w.until, w.zone, paths.event, paths.property, coalesce(paths.length, 4), paths.filter, coalesce(paths.most, 20))
  FROM weir.asked_window(paths.first_day, paths.last_day, paths.zone) AS w
$$;

CREATE OR REPLACE FUNCTION weir_api.tasks(viewer text, tenant text, first_day date, last_day date, zone text,
  start text, finish text, key text, within integer, filter text) RETURNS jsonb
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, weir, pg_temp
AS $$
  SELECT weir.tasks_answer(
    weir.viewed_tenant(tasks.viewer, tasks.tenant),
    w.since, w.until, w.zone, tasks.start, tasks.finish, tasks.key, coalesce(tasks.within, 86400), tasks.filter)
  FROM weir.asked_window(tasks.first_day, tasks.last_day, tasks.zone) AS w
$$;

CREATE OR REPLACE FUNCTION weir_api.pages(viewer text, tenant text, first_day date, last_day date, zone text,
  event text, property text, page text, at_least integer, filter text, most integer) RETURNS jsonb
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, weir, pg_temp
AS $$
  SELECT weir.pages_answer(
    weir.viewed_tenant(pages.viewer, pages.tenant),
    w.since, w.until, w.zone, pages.event, pages.property, pages.page, coalesce(pages.at_least, 10), pages.filter, coalesce(pages.most, 20))
  FROM weir.asked_window(pages.first_day, pages.last_day, pages.zone) AS w
$$;

CREATE OR REPLACE FUNCTION weir_api.rage_clicks(viewer text, tenant text, first_day date, last_day date, zone text,
  event text, clicks integer, seconds integer, filter text, most integer) RETURNS jsonb
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, weir, pg_temp
AS $$
  SELECT weir.rage_clicks_answer(
    weir.viewed_tenant(rage_clicks.viewer, rage_clicks.tenant),
    w.since, w.until, w.zone, rage_clicks.event, coalesce(rage_clicks.clicks, 3), coalesce(rage_clicks.seconds, 1), rage_clicks.filter, coalesce(rage_clicks.most, 20))
  FROM weir.asked_window(rage_clicks.first_day, rage_clicks.last_day, rage_clicks.zone) AS w
$$;

CREATE OR REPLACE FUNCTION weir_api.nps(viewer text, tenant text, first_day date, last_day date, zone text,
  event text, property text, filter text) RETURNS jsonb
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, weir, pg_temp
AS $$
  SELECT weir.nps_answer(
    weir.viewed_tenant(nps.viewer, nps.tenant),
    w.since, w.until, w.zone, nps.event, coalesce(nps.property, 'score'), nps.filter)
  FROM weir.asked_window(nps.first_day, nps.last_day, nps.zone) AS w
$$;

CREATE OR REPLACE FUNCTION weir_api.cohorts(viewer text, tenant text, first_day date, last_day date, zone text,
  rule text) RETURNS jsonb
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, weir, pg_temp
AS $$
  SELECT weir.cohorts_answer(
    weir.viewed_tenant(cohorts.viewer, cohorts.tenant),
    w.since, w.until, w.zone, cohorts.rule)
  FROM weir.asked_window(cohorts.first_day, cohorts.last_day, cohorts.zone) AS w
$$;

CREATE OR REPLACE FUNCTION weir_api.correlation(viewer text, tenant text, first_day date, last_day date, zone text,
  feature text, outcome text) RETURNS jsonb
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, weir, pg_temp
AS $$
  SELECT weir.correlation_answer(
    weir.viewed_tenant(correlation.viewer, correlation.tenant),
    w.since, w.until, w.zone, correlation.feature, correlation.outcome)
  FROM weir.asked_window(correlation.first_day, correlation.last_day, correlation.zone) AS w
$$;

SELECT weir.admit_api();
