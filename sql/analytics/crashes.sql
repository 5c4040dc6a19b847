-- How often it crashes, for whom, and what.
--
--   SELECT weir.crashes_answer('acme', '2026-03-01', '2026-03-31', 'Europe/Berlin');
--
-- The window is from one day to another, both counted, in a time zone.
--
--   crashes             crash reports within the window
--   crashed_users       users of whom one came
--   crash_free_users    of the users with an event within the window, those without a crash in it. Who has
--                       crashes alone, as one whose client sends no usage, is in neither number: of their
--                       kind those who never crash are not known
--   crash_free_sessions of the sessions that began within the window, those without a crash of their user
--                       between their first and last event (usage.sql says what one is). A crash report names none
--   crashes_per_user    crashes for each user with an event within the window
--   days, weeks, months the same for each; what the window cuts counts what is within it
--   versions            the values with the most crashes, with crashes, their share of all, and users; of
--   systems, types      versions also how many used it and went without a crash on it
--   groups              the fingerprints with the most crashes: crashes, users, versions within the window;
--                       first_seen, the group's first crash ever; last_seen, and that crash's type and message,
--                       as a sample: null where that row is gone. Of days whose rows were gone before their groups were
--                       kept (crash_groups.sql), first_seen is the midnight (UTC), and else nothing is known
--   first_crash         of users whose first crash ever is within the window: seconds since their first event,
--                       as percentiles. `without`: those who had none by then
--
-- `exact` is false where a day had more values of one kind than are kept (docs/rollups.md): lists then lack crashes
-- of those, totals do not. Percentiles are off by `error` at most.
SET LOCAL ROLE weir_owner;
SET LOCAL check_function_bodies = off;

-- What a server can say of its own users before it is known what to name: counts of everything, and users
-- by day, week, month and in all. 'both' are active users who crashed.
CREATE OR REPLACE FUNCTION weir.crashes_partial(tenant text, first_day date, last_day date, zone text)
RETURNS SETOF weir.part
LANGUAGE sql STABLE
SET jit = off SET work_mem = '64MB' SET enable_nestloop = off SET enable_sort = off
AS $$
  WITH days AS MATERIALIZED (
    SELECT 'active' AS kind, a.day, a.chunk, a.users FROM weir.active_users(tenant, zone, first_day, last_day) AS a
    UNION ALL
    SELECT 'crashed', c.day, c.chunk, bit_or(c.users) FROM weir.sets_in(tenant, zone, 'crash', NULL, first_day, last_day) AS c
    WHERE c.value = '' GROUP BY c.day, c.chunk
  ), months AS MATERIALIZED (
    SELECT d.kind, date_trunc('month', d.day::timestamp)::date AS start, d.chunk, bit_or(d.users) AS users FROM days AS d GROUP BY d.kind, start, d.chunk
  ), spans AS MATERIALIZED (
    SELECT d.kind, 'day' AS unit, d.day AS start, d.chunk, d.users FROM days AS d
    UNION ALL
    SELECT d.kind, 'week', date_trunc('week', d.day::timestamp)::date AS start, d.chunk, bit_or(d.users) FROM days AS d GROUP BY d.kind, start, d.chunk
    UNION ALL
    SELECT m.kind, 'month', m.start, m.chunk, m.users FROM months AS m
    UNION ALL
    SELECT m.kind, 'all', first_day, m.chunk, bit_or(m.users) FROM months AS m GROUP BY m.kind, m.chunk
  )
  SELECT s.kind || '_' || s.unit, s.start::text, sum(bit_count(s.users)) FROM spans AS s GROUP BY s.kind, s.unit, s.start
  UNION ALL
  SELECT 'both_' || h.unit, h.start::text, sum(bit_count(a.users & h.users))
  FROM spans AS h JOIN spans AS a ON a.unit = h.unit AND a.start = h.start AND a.chunk = h.chunk
  WHERE h.kind = 'crashed' AND a.kind = 'active'
  GROUP BY h.unit, h.start
  UNION ALL
  SELECT 'crashes', c.day::text, c.events FROM weir.counts_in(tenant, zone, 'crash', NULL, first_day, last_day) AS c
  UNION ALL
  SELECT f.figure, s.day::text, f.amount
  FROM weir.sessions_in(tenant, zone, first_day, last_day) AS s,
    LATERAL (VALUES ('sessions', s.sessions), ('crashed_sessions', s.crashed)) AS f (figure, amount)
  UNION ALL
  SELECT * FROM weir.values_partial(tenant, first_day, last_day, zone,
    ARRAY['crash_version', 'crash_os', 'crash_type', 'crash_group'])
  UNION ALL
  SELECT * FROM weir.first_crashes_partial(tenant, first_day, last_day, zone)
$$;

-- A histogram of the seconds from a user's first event to their first crash. Clocks are asked of what is near the window's ends
-- alone, and slots are those of slot_of(), which takes its time for numbers of any kind.
CREATE OR REPLACE FUNCTION weir.first_crashes_partial(tenant text, first_day date, last_day date, zone text)
RETURNS SETOF weir.part
LANGUAGE plpgsql STABLE
SET jit = off SET work_mem = '64MB' SET plan_cache_mode = force_custom_plan
AS $$
DECLARE
  since constant timestamptz := lower(weir.span_of_day(zone, first_day));
  surely_since constant timestamptz := since + interval '6 hours';
  until constant timestamptz := upper(weir.span_of_day(zone, last_day));
  surely_until constant timestamptz := until - interval '6 hours';
BEGIN
  RETURN QUERY
  SELECT CASE WHEN k.slot IS NULL THEN 'first_without' ELSE 'first_crash_slot' END, coalesce(k.slot::text, ''), count(*)::numeric
  FROM (
    SELECT CASE WHEN n.seconds < 1e-300::float8 THEN 0 ELSE 40000 + ceil(ln(n.seconds) / ln(101 / 99.0::float8))::integer END AS slot
    FROM (
      SELECT CASE WHEN u.first_at <= u.first_crash_at THEN date_part('epoch', u.first_crash_at - u.first_at) END AS seconds
      FROM weir.user_numbers AS u
      WHERE u.tenant_id = tenant AND u.first_crash_at >= since AND u.first_crash_at < until
        AND CASE WHEN u.first_crash_at >= surely_since AND u.first_crash_at < surely_until THEN true
          ELSE (u.first_crash_at AT TIME ZONE zone)::date BETWEEN first_day AND last_day END
      OFFSET 0
    ) AS n
  ) AS k
  GROUP BY k.slot;
END
$$;

-- Of the wanted versions: who used one, who crashed on one, and who did both. Figures have a space, which no
-- subject has.
CREATE OR REPLACE FUNCTION weir.crash_versions_partial(tenant text, first_day date, last_day date, zone text, wanted text[])
RETURNS SETOF weir.part
LANGUAGE sql STABLE
SET jit = off SET work_mem = '64MB' SET enable_nestloop = off
AS $$
  WITH used AS MATERIALIZED (
    SELECT v.value, v.chunk, bit_or(v.users) AS users
    FROM weir.weeks_in(tenant, zone, 'version', first_day, last_day) AS v
    WHERE v.value = ANY (wanted)
    GROUP BY v.value, v.chunk
  ), crashed AS MATERIALIZED (
    SELECT v.value, v.chunk, bit_or(v.users) AS users
    FROM weir.weeks_in(tenant, zone, 'crash_version', first_day, last_day) AS v
    WHERE v.value = ANY (wanted)
    GROUP BY v.value, v.chunk
  )
  SELECT 'version active', u.value, sum(bit_count(u.users)) FROM used AS u GROUP BY u.value
  UNION ALL
  SELECT 'crash_version_users', c.value, sum(bit_count(c.users)) FROM crashed AS c GROUP BY c.value
  UNION ALL
  SELECT 'version both', u.value, sum(bit_count(u.users & c.users))
  FROM used AS u JOIN crashed AS c ON c.value = u.value AND c.chunk = u.chunk
  GROUP BY u.value
$$;

-- What the wanted groups are. 'group in VERSION' is how many crashes a group had in a version; 'group first' and 'group sample' are seconds since
-- 1970, of which the merge takes the first and the last. Keys of samples are JSON.
CREATE OR REPLACE FUNCTION weir.crash_groups_partial(tenant text, first_day date, last_day date, zone text, wanted text[])
RETURNS SETOF weir.part
LANGUAGE plpgsql STABLE
SET jit = off SET work_mem = '64MB' SET plan_cache_mode = force_custom_plan
AS $$
BEGIN
  RETURN QUERY
  WITH happened AS MATERIALIZED (
    SELECT * FROM weir.grouped_crashes(tenant, crash_groups_partial.zone, first_day, last_day, wanted)
  ), bounds AS MATERIALIZED (
    SELECT h.grp, min(h.first_at) AS first, max(h.last_at) AS last FROM happened AS h GROUP BY h.grp
  ), begun AS MATERIALIZED (
    SELECT w AS grp, (SELECT min(d.day) FROM weir.day_counts AS d WHERE (d.tenant_id, d.zone, d.subject, d.value)
      = (crash_groups_partial.tenant, 'UTC', 'crash_group', w)) AS day
    FROM unnest(wanted) AS w
  ), known AS MATERIALIZED (
    SELECT b.grp, b.day, k.day IS NOT NULL AS is_kept,
      CASE WHEN k.day IS NOT NULL THEN (SELECT min(g.first_at) FROM weir.day_crash_groups AS g
        WHERE (g.tenant_id, g.crash_group, g.day) = (crash_groups_partial.tenant, b.grp, b.day)) END AS first
    FROM begun AS b
    LEFT JOIN weir.days_with_groups(tenant, '-infinity', 'infinity') AS k (day) ON k.day = b.day
  ), early AS MATERIALIZED (
    SELECT k.grp, min(r.at) AS first
    FROM (SELECT DISTINCT k.day FROM known AS k WHERE k.day IS NOT NULL AND NOT k.is_kept) AS d
    CROSS JOIN LATERAL (
      SELECT left(c.fingerprint, 256) AS grp, min(c."timestamp") AS at
      FROM weir.crashes AS c
      WHERE c.tenant_id = crash_groups_partial.tenant AND c."timestamp" >= d.day::timestamp AT TIME ZONE 'UTC'
        AND c."timestamp" < (d.day + 1)::timestamp AT TIME ZONE 'UTC'
      GROUP BY 1
      OFFSET 0
    ) AS r
    JOIN known AS k ON k.grp = r.grp AND k.day = d.day
    GROUP BY k.grp
  )
  SELECT 'group in ' || h.version, h.grp, h.crashes FROM happened AS h WHERE h.version IS NOT NULL
  UNION ALL
  SELECT 'group first', f.grp, extract(epoch FROM f.at)
  FROM (
    -- On its first day, before the window, say.
    SELECT k.grp, least(b.first, coalesce(k.first, e.first, k.day::timestamp AT TIME ZONE 'UTC')) AS at
    FROM known AS k
    LEFT JOIN bounds AS b ON b.grp = k.grp
    LEFT JOIN early AS e ON e.grp = k.grp
  ) AS f
  WHERE f.at IS NOT NULL
  UNION ALL
  SELECT 'group sample', jsonb_build_array(b.grp, s.crash_type, s.message)::text, extract(epoch FROM b.last)
  FROM bounds AS b
  LEFT JOIN LATERAL (
    -- Of one moment there are few: OFFSET keeps the planner from walking over all crashes in the order of their ids.
    SELECT left(c.crash_type, 256) AS crash_type, left(c.error_message, 500) AS message
    FROM (
      SELECT * FROM weir.crashes AS r
      WHERE r.tenant_id = tenant AND r."timestamp" = b.last AND left(r.fingerprint, 256) = b.grp
      OFFSET 0
    ) AS c
    ORDER BY c.crash_id
    LIMIT 1
  ) AS s ON true;
END
$$;

-- All that is asked for once the parts of all servers have said what is most common.
CREATE OR REPLACE FUNCTION weir.crash_details_partial(
  tenant text, first_day date, last_day date, zone text, so_far weir.part[], most integer)
RETURNS SETOF weir.part
LANGUAGE sql STABLE
AS $$
  SELECT * FROM weir.crash_versions_partial(tenant, first_day, last_day, zone, weir.most_common(so_far, 'crash_version', most))
  UNION ALL
  SELECT p.*
  FROM unnest(ARRAY['crash_os', 'crash_type', 'crash_group']) AS s,
    LATERAL weir.value_users_partial(tenant, first_day, last_day, zone, s, weir.most_common(so_far, s, most)) AS p
  UNION ALL
  SELECT * FROM weir.crash_groups_partial(tenant, first_day, last_day, zone, weir.most_common(so_far, 'crash_group', most))
$$;

-- A list of the most common values: what they are called, crashes, share, users.
CREATE OR REPLACE FUNCTION weir.crash_list(parts weir.part[], subject text, name text, most integer) RETURNS jsonb
LANGUAGE sql IMMUTABLE
AS $$
  WITH sums AS MATERIALIZED (
    SELECT p.figure, p.key, sum(p.amount) AS amount
    FROM unnest(parts) AS p
    WHERE p.figure IN (subject, subject || '_users', 'version active', 'version both')
    GROUP BY p.figure, p.key
  ), listed AS (
    SELECT m AS key, coalesce(max(s.amount) FILTER (WHERE s.figure = subject), 0) AS crashes,
      coalesce(max(s.amount) FILTER (WHERE s.figure = subject || '_users'), 0) AS users,
      coalesce(max(s.amount) FILTER (WHERE s.figure = 'version active'), 0) AS active,
      coalesce(max(s.amount) FILTER (WHERE s.figure = 'version both'), 0) AS both
    FROM unnest(weir.most_common(parts, subject, most)) AS m
    LEFT JOIN sums AS s ON s.key = m
    GROUP BY m
  )
  SELECT coalesce(jsonb_agg(
    jsonb_build_object(name, l.key, 'crashes', l.crashes, 'share', weir.ratio(l.crashes, crashes.total), 'users', l.users)
    || CASE subject WHEN 'crash_version' THEN weir.crash_freedom(l.active, l.both)
      ELSE coalesce(g.about, '{}') END
    ORDER BY l.crashes DESC, l.key COLLATE "C"), '[]')
  FROM listed AS l
  CROSS JOIN (SELECT sum(p.amount) AS total FROM unnest(parts) AS p WHERE p.figure = 'crashes') AS crashes
  LEFT JOIN weir.crash_groups(CASE subject WHEN 'crash_group' THEN parts END) AS g ON g.grp = l.key
$$;

CREATE OR REPLACE FUNCTION weir.crash_freedom(active numeric, crashed numeric) RETURNS jsonb
LANGUAGE sql IMMUTABLE
AS $$
  SELECT jsonb_build_object('active', active, 'crash_free', active - crashed, 'crash_free_share', weir.ratio(active - crashed, active))
$$;

-- What the parts say of each group.
CREATE OR REPLACE FUNCTION weir.crash_groups(parts weir.part[]) RETURNS TABLE (grp text, about jsonb)
LANGUAGE sql IMMUTABLE
SET jit = off SET enable_nestloop = off
AS $$
  WITH said AS MATERIALIZED (
    SELECT p.figure, p.key, p.amount FROM unnest(parts) AS p WHERE starts_with(p.figure, 'group ')
  ), samples AS (
    SELECT DISTINCT ON (s.about ->> 0) s.about ->> 0 AS grp, s.about, s.amount
    FROM (SELECT s.key::jsonb AS about, s.amount FROM said AS s WHERE s.figure = 'group sample' OFFSET 0) AS s
    ORDER BY s.about ->> 0, s.amount DESC, s.about
  ), sums AS (
    SELECT s.key AS grp, min(s.amount) FILTER (WHERE s.figure = 'group first') AS first_seen,
      jsonb_agg(DISTINCT to_jsonb(substr(s.figure, 10))) FILTER (WHERE starts_with(s.figure, 'group in ')) AS versions
    FROM said AS s
    WHERE s.figure <> 'group sample'
    GROUP BY s.key
  )
  SELECT u.grp, jsonb_build_object('first_seen', weir.moment(u.first_seen), 'last_seen', weir.moment(l.amount),
    'type', l.about -> 1, 'message', l.about -> 2, 'versions', coalesce(u.versions, '[]'))
  FROM sums AS u
  LEFT JOIN samples AS l ON l.grp = u.grp
$$;

-- Seconds since 1970 as a text of RFC 3339.
CREATE OR REPLACE FUNCTION weir.moment(seconds numeric) RETURNS text
LANGUAGE sql IMMUTABLE
AS $$
  SELECT to_char(timestamp '1970-01-01' + seconds * interval '1 second', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
$$;

CREATE OR REPLACE FUNCTION weir.crashes_trend(parts weir.part[], unit text, first_day date, last_day date) RETURNS jsonb
LANGUAGE sql IMMUTABLE
AS $$
  WITH sums AS MATERIALIZED (
    SELECT p.figure, CASE unit WHEN 'all' THEN first_day ELSE date_trunc(unit, p.key::timestamp)::date END AS start,
      sum(p.amount) AS amount
    FROM unnest(parts) AS p
    WHERE p.figure IN ('crashes', 'sessions', 'crashed_sessions', 'active_' || unit, 'crashed_' || unit, 'both_' || unit)
    GROUP BY 1, 2
  )
  SELECT jsonb_agg(jsonb_build_object('start', l.start, 'crashes', l.crashes, 'crashed_users', l.crashed,
    'crashes_per_user', weir.ratio(l.crashes, l.active), 'crash_free_users', weir.crash_freedom(l.active, l.both),
    'crash_free_sessions', jsonb_build_object('sessions', l.sessions, 'crash_free', l.sessions - l.crashed_sessions,
      'crash_free_share', weir.ratio(l.sessions - l.crashed_sessions, l.sessions))) ORDER BY l.start)
  FROM (
    SELECT s.start, coalesce(max(f.amount) FILTER (WHERE f.figure = 'crashes'), 0) AS crashes,
      coalesce(max(f.amount) FILTER (WHERE f.figure = 'sessions'), 0) AS sessions,
      coalesce(max(f.amount) FILTER (WHERE f.figure = 'crashed_sessions'), 0) AS crashed_sessions,
      coalesce(max(f.amount) FILTER (WHERE f.figure = 'active_' || unit), 0) AS active,
      coalesce(max(f.amount) FILTER (WHERE f.figure = 'crashed_' || unit), 0) AS crashed,
      coalesce(max(f.amount) FILTER (WHERE f.figure = 'both_' || unit), 0) AS both
    FROM weir.starts(unit, first_day, last_day) AS s (start)
    LEFT JOIN sums AS f ON f.start = s.start
    GROUP BY s.start
  ) AS l
$$;

-- Of first crashes: how many, and the percentiles of their seconds.
CREATE OR REPLACE FUNCTION weir.first_crash(parts weir.part[]) RETURNS jsonb
LANGUAGE sql IMMUTABLE
AS $$
  SELECT jsonb_build_object('users', f.users, 'without', weir.amount_of(parts, 'first_without'),
    'p25', d.seconds -> 'p25', 'median', d.seconds -> 'p50', 'p75', d.seconds -> 'p75', 'p90', d.seconds -> 'p90')
  FROM (SELECT coalesce(sum(p.amount), 0) AS users FROM unnest(parts) AS p WHERE p.figure = 'first_crash_slot') AS f,
    LATERAL (SELECT weir.distribution_at(parts || ROW('first_crash_count', '', f.users)::weir.part, 'first_crash',
      ARRAY[25, 50, 75, 90]) AS seconds OFFSET 0) AS d
$$;

-- The answer, from the parts of all servers: those of crashes_partial() and of crash_details_partial().
CREATE OR REPLACE FUNCTION weir.crashes_merge(parts weir.part[], first_day date, last_day date, most integer) RETURNS jsonb
LANGUAGE sql IMMUTABLE
SET jit = off SET enable_nestloop = off
AS $$
  SELECT (weir.crashes_trend(parts, 'all', first_day, last_day) -> 0) - 'start' || jsonb_build_object(
    'exact', NOT EXISTS (SELECT FROM unnest(parts) AS p WHERE p.figure ~ '^crash_.*_other$'),
    'error', '{"percentiles": 0.01}'::jsonb,
    'days', weir.crashes_trend(parts, 'day', first_day, last_day),
    'weeks', weir.crashes_trend(parts, 'week', first_day, last_day),
    'months', weir.crashes_trend(parts, 'month', first_day, last_day),
    'versions', weir.crash_list(parts, 'crash_version', 'version', most),
    'systems', weir.crash_list(parts, 'crash_os', 'os', most),
    'types', weir.crash_list(parts, 'crash_type', 'type', most),
    'groups', weir.crash_list(parts, 'crash_group', 'group', most),
    'first_crash', weir.first_crash(parts))
$$;

CREATE OR REPLACE FUNCTION weir.crashes_answer(
  tenant text, first_day date, last_day date, zone text DEFAULT 'UTC', most integer DEFAULT 20) RETURNS jsonb
LANGUAGE sql STABLE
SET jit = off
AS $$
  SELECT weir.answered(tenant, first_day, last_day, zone, 'both', weir.crashes_merge(first.parts || ARRAY(
      SELECT p FROM weir.crash_details_partial(tenant, first_day, last_day, z.name, first.parts, b.most) AS p), first_day, last_day, b.most))
  FROM (SELECT weir.bounded('top', most, 1, 100) AS most OFFSET 0) AS b,
    weir.readable_zone(tenant, zone, first_day, last_day) AS z (name),
    LATERAL (SELECT ARRAY(SELECT p FROM weir.crashes_partial(tenant, first_day, last_day, z.name) AS p) AS parts OFFSET 0) AS first
$$;
COMMENT ON FUNCTION weir.crashes_answer(text, date, date, text, integer) IS
  'Crashes of a tenant within a window of days: who goes without, trends, groups. sql/analytics/crashes.sql defines them.';

GRANT EXECUTE ON FUNCTION weir.crashes_partial(text, date, date, text),
  weir.first_crashes_partial(text, date, date, text), weir.crash_versions_partial(text, date, date, text, text[]),
  weir.crash_groups_partial(text, date, date, text, text[]),
  weir.crash_details_partial(text, date, date, text, weir.part[], integer),
  weir.crash_list(weir.part[], text, text, integer), weir.crash_freedom(numeric, numeric),
  weir.crash_groups(weir.part[]), weir.moment(numeric), weir.crashes_trend(weir.part[], text, date, date),
  weir.first_crash(weir.part[]), weir.crashes_merge(weir.part[], date, date, integer),
  weir.crashes_answer(text, date, date, text, integer) TO weir_reader;
