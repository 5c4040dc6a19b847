-- Views for people and their tools (psql, Metabase, Grafana): figures by the day and the hour, from the roll-ups.
-- docs/sql.md has worked queries.
--
--   weir_bi    a group for logins that read these views and nothing else: no row of an event, no user
--
-- What a login sees of them stands in weir.viewers, under its own name: the tenants that were added with
-- `weirctl viewers add NAME TENANT…`, before that nothing. A view asks with its owner's rights and filters by
-- current_user; security_barrier keeps conditions of a query from seeing rows that are not its.
--
-- Days are those of UTC. Beyond the thousand values that a day keeps of a subject, `value` is '(others)'.
-- The views call no function but PostgreSQL's own, since who asks would need the right to call it.
--
-- Where the role that migrates may not make roles, and no administrator has made weir_bi, it is left out until he has.
DO $$
BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'weir_bi') THEN
    CREATE ROLE weir_bi NOLOGIN;
  END IF;
EXCEPTION WHEN insufficient_privilege OR duplicate_object OR unique_violation THEN
  NULL;  -- another database's migration was faster, or it is the administrator's to make
END
$$;

CREATE SCHEMA weir_bi AUTHORIZATION weir_owner;

SET LOCAL ROLE weir_owner;

CREATE VIEW weir_bi.daily WITH (security_barrier) AS
SELECT d.tenant_id AS tenant, d.day, d.events,
  (SELECT coalesce(sum(bit_count(s.users)), 0)::bigint FROM weir.day_sets AS s
    WHERE (s.tenant_id, s.zone, s.subject, s.value, s.day) = (d.tenant_id, 'UTC', 'active', '', d.day)) AS active_users,
  d.new_users,
  (SELECT coalesce(sum(n.events), 0)::bigint FROM weir.day_counts AS n
    WHERE (n.tenant_id, n.zone, n.subject, n.value) = (d.tenant_id, 'UTC', 'new', '') AND n.day <= d.day) AS total_users,
  coalesce(k.sessions, 0) AS sessions, coalesce(k.crashed, 0) AS crashed_sessions,
  round(k.seconds / nullif(k.sessions, 0), 1) AS seconds_per_session,
  d.crashes,
  (SELECT coalesce(sum(bit_count(s.users)), 0)::bigint FROM weir.day_sets AS s
    WHERE (s.tenant_id, s.zone, s.subject, s.value, s.day) = (d.tenant_id, 'UTC', 'crash', '', d.day)) AS crashed_users
FROM (
  SELECT c.tenant_id, c.day,
    coalesce(sum(c.events) FILTER (WHERE c.subject = 'active'), 0)::bigint AS events,
    coalesce(sum(c.events) FILTER (WHERE c.subject = 'new'), 0)::bigint AS new_users,
    coalesce(sum(c.events) FILTER (WHERE c.subject = 'crash'), 0)::bigint AS crashes
  FROM weir.day_counts AS c
  WHERE c.zone = 'UTC' AND c.subject IN ('active', 'new', 'crash') AND c.value = ''
  GROUP BY c.tenant_id, c.day
) AS d
LEFT JOIN weir.day_sessions AS k ON k.tenant_id = d.tenant_id AND k.zone = 'UTC' AND k.day = d.day
WHERE EXISTS (SELECT FROM weir.viewers AS v WHERE v.viewer = current_user::text AND v.tenant_id IN (d.tenant_id, '*'));
COMMENT ON VIEW weir_bi.daily IS 'A line for each tenant and day on which there was anything.';

CREATE VIEW weir_bi.values_by_day WITH (security_barrier) AS
SELECT c.tenant_id AS tenant, c.day,
  regexp_replace(c.subject, '_other$', '') AS subject,
  CASE WHEN c.subject LIKE '%\_other' THEN '(others)' ELSE c.value END AS value,
  c.events,
  (SELECT coalesce(sum(bit_count(s.users)), 0)::bigint FROM weir.day_sets AS s
    WHERE (s.tenant_id, s.zone, s.subject, s.value, s.day) = (c.tenant_id, c.zone, c.subject, c.value, c.day)) AS users
FROM weir.day_counts AS c
WHERE c.zone = 'UTC' AND c.subject NOT IN ('active', 'new', 'crash')
  AND EXISTS (SELECT FROM weir.viewers AS v WHERE v.viewer = current_user::text AND v.tenant_id IN (c.tenant_id, '*'));
COMMENT ON VIEW weir_bi.values_by_day IS
  'How often each value of each subject was there on a day, and with how many users: browser, device, feature, '
  'error_type and whatever else weir.dimensions names. Users of several values count in each.';

CREATE VIEW weir_bi.events_by_day WITH (security_barrier) AS
SELECT b.tenant, b.day, b.value AS event, b.events, b.users FROM weir_bi.values_by_day AS b WHERE b.subject = 'event';

CREATE VIEW weir_bi.versions_by_day WITH (security_barrier) AS
SELECT b.tenant, b.day, b.value AS version, b.events, b.users FROM weir_bi.values_by_day AS b WHERE b.subject = 'version';

CREATE VIEW weir_bi.platforms_by_day WITH (security_barrier) AS
SELECT b.tenant, b.day, b.value AS platform, b.events, b.users FROM weir_bi.values_by_day AS b WHERE b.subject = 'platform';

CREATE VIEW weir_bi.countries_by_day WITH (security_barrier) AS
SELECT b.tenant, b.day, b.value AS country, b.events, b.users FROM weir_bi.values_by_day AS b WHERE b.subject = 'country';

CREATE VIEW weir_bi.crashes_by_day WITH (security_barrier) AS
SELECT b.tenant, b.day, b.value AS crash_group, b.events AS crashes, b.users
FROM weir_bi.values_by_day AS b WHERE b.subject = 'crash_group';

CREATE VIEW weir_bi.crash_groups WITH (security_barrier) AS
SELECT c.tenant_id AS tenant, c.fingerprint AS crash_group,
  (array_agg(c.crash_type ORDER BY c."timestamp" DESC))[1] AS type,
  left((array_agg(c.error_message ORDER BY c."timestamp" DESC))[1], 200) AS message,
  count(*) AS crashes, count(DISTINCT c.user_id) AS users, min(c."timestamp") AS first_seen, max(c."timestamp") AS last_seen
FROM weir.crashes AS c
WHERE c.fingerprint IS NOT NULL
  AND EXISTS (SELECT FROM weir.viewers AS v WHERE v.viewer = current_user::text AND v.tenant_id IN (c.tenant_id, '*'))
GROUP BY c.tenant_id, c.fingerprint;
COMMENT ON VIEW weir_bi.crash_groups IS
  'What the groups of crashes_by_day are, with the newest one''s type and message. Read from the rows of crashes.';

CREATE VIEW weir_bi.events_by_hour WITH (security_barrier) AS
SELECT c.tenant_id AS tenant, (c.day + (h.place - 1) * interval '1 hour') AT TIME ZONE 'UTC' AS at,
  CASE c.subject WHEN 'event' THEN c.value ELSE '(others)' END AS event, h.events
FROM weir.day_counts AS c, unnest(c.hours) WITH ORDINALITY AS h (events, place)
WHERE c.zone = 'UTC' AND c.subject IN ('event', 'event_other') AND h.events > 0
  AND EXISTS (SELECT FROM weir.viewers AS v WHERE v.viewer = current_user::text AND v.tenant_id IN (c.tenant_id, '*'));

CREATE VIEW weir_bi.measures_by_day WITH (security_barrier) AS
SELECT m.tenant_id AS tenant, m.day, m.measure, m.events, m.total
FROM weir.day_measures AS m
WHERE EXISTS (SELECT FROM weir.viewers AS v WHERE v.viewer = current_user::text AND v.tenant_id IN (m.tenant_id, '*'));
COMMENT ON VIEW weir_bi.measures_by_day IS
  'Recordings, seconds, cost_usd and whatever else weir.measures adds up, as it was defined when the events came.';

CREATE VIEW weir_bi.numbers_by_day WITH (security_barrier) AS
SELECT n.tenant_id AS tenant, n.day, n.event, n.property, n.numbers, n.total, n.lowest, n.highest
FROM weir.day_numbers AS n
WHERE n.zone = 'UTC'
  AND EXISTS (SELECT FROM weir.viewers AS v WHERE v.viewer = current_user::text AND v.tenant_id IN (n.tenant_id, '*'));
COMMENT ON VIEW weir_bi.numbers_by_day IS 'Numbers in properties: how many, their sum, the lowest and the highest one.';

CREATE VIEW weir_bi.cohorts_by_week WITH (security_barrier) AS
SELECT f.tenant_id AS tenant, f.week, (a.week - f.week) / 7 AS weeks_later,
  (SELECT sum(n.events)::bigint FROM weir.day_counts AS n
    WHERE (n.tenant_id, n.zone, n.subject, n.value) = (f.tenant_id, 'UTC', 'new', '') AND n.day BETWEEN f.week AND f.week + 6) AS new_users,
  sum(bit_count(f.users & a.users))::bigint AS active_users
FROM (
  SELECT s.tenant_id, date_trunc('week', s.day::timestamp)::date AS week, s.chunk, bit_or(s.users) AS users
  FROM weir.day_sets AS s
  WHERE s.zone = 'UTC' AND s.subject = 'new' AND s.value = ''
  GROUP BY 1, 2, 3
) AS f
JOIN (
  SELECT s.tenant_id, date_trunc('week', s.day::timestamp)::date AS week, s.chunk, bit_or(s.users) AS users
  FROM weir.day_sets AS s
  WHERE s.zone = 'UTC' AND s.subject = 'active' AND s.value = ''
  GROUP BY 1, 2, 3
) AS a ON a.tenant_id = f.tenant_id AND a.chunk = f.chunk AND a.week >= f.week
WHERE EXISTS (SELECT FROM weir.viewers AS v WHERE v.viewer = current_user::text AND v.tenant_id IN (f.tenant_id, '*'))
GROUP BY f.tenant_id, f.week, a.week;
COMMENT ON VIEW weir_bi.cohorts_by_week IS
  'Of those who were new in a week (from Monday on), how many were active so many weeks later.';

-- Lets the role in, if it is there: `weirctl migrate` calls it each time, as weir.admit_api().
CREATE FUNCTION weir.admit_bi() RETURNS boolean
LANGUAGE plpgsql
AS $$
BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'weir_bi') THEN
    RETURN false;
  END IF;
  GRANT USAGE ON SCHEMA weir_bi TO weir_bi;
  GRANT SELECT ON ALL TABLES IN SCHEMA weir_bi TO weir_bi;
  RETURN true;
END
$$;
SELECT weir.admit_bi();
