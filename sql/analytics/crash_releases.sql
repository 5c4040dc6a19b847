-- What each release brought: groups of crashes that are new in it, and such as came back.
--
--   SELECT weir.crash_releases_answer('acme', '2026-03-01', '2026-03-31', 'Europe/Berlin');
--
-- The window is from one day to another, both counted, in a time zone. All that happened at its end or before counts.
--
--   release      a version of events or crashes, in the order in which they were first seen: by the hour (UTC), and
--                those of the same hour by name. Those first seen within the window are listed, the last first
--   after        the release just before it, of whichever program of the tenant: those with versions of their own, as an app
--                and a command line, need tenants (keys) of their own, or one's release stands between two of the other's,
--                and what that one did not have comes back in the next
--   first_crash  its first crash, crashes and groups: how many it had
--   new          groups whose first crash ever was in this release
--   regressed    groups of an earlier release, whose crashes there began before those here, that at least the
--                release just before this one did not have; `last_release` is the last earlier one that had it
--   new_groups, regressed_groups
--                those with the most crashes in the release, as in crashes.sql; versions, last_seen and the
--                sample are from within the window
--
-- A crash without a version belongs to no release; a group that began with one is new in none. Groups of days whose rows are gone are known
-- from what is kept of these days (crash_groups.sql). Of days that went before that was kept, or had more groups than are kept, they are not,
-- and come back as new; `incomplete` then says so. `exact` is false where a day had more versions than are kept (docs/rollups.md), too.
SET LOCAL ROLE weir_owner;
SET LOCAL check_function_bodies = off;

-- Figures: 'release' by version, seconds since 1970, of which the merge takes the first; 'crashes VERSION' and 'begun VERSION' by group,
-- crashes and the first of them ('crashes ' where there is no version); 'versions_other' where some versions were too many.
CREATE OR REPLACE FUNCTION weir.crash_releases_until(tenant text, last_day date, zone text)
RETURNS SETOF weir.part
LANGUAGE plpgsql STABLE
SET jit = off SET work_mem = '64MB' SET plan_cache_mode = force_custom_plan
AS $$
BEGIN
  RETURN QUERY
  WITH begun AS MATERIALIZED (
    SELECT d.value, min(d.day) AS day
    FROM weir.day_counts AS d
    WHERE d.tenant_id = tenant AND d.zone = 'UTC' AND d.subject IN ('version', 'crash_version') AND d.day <= last_day + 1
    GROUP BY d.value
  ), seen AS (
    SELECT b.value, min(b.day + h.first * interval '1 hour') AT TIME ZONE 'UTC' AS at
    FROM begun AS b
    JOIN weir.day_counts AS d ON d.tenant_id = tenant AND d.zone = 'UTC' AND d.subject IN ('version', 'crash_version') AND d.value = b.value AND d.day = b.day
    CROSS JOIN LATERAL (
      SELECT min(u.hour) - 1 AS first FROM unnest(d.hours) WITH ORDINALITY AS u (events, hour) WHERE u.events > 0
    ) AS h
    GROUP BY b.value
  )
  SELECT 'release', s.value, extract(epoch FROM s.at) FROM seen AS s
  WHERE (s.at AT TIME ZONE crash_releases_until.zone)::date <= last_day
  UNION ALL
  SELECT f.figure || coalesce(g.version, ''), g.grp, f.amount
  FROM weir.grouped_crashes(tenant, crash_releases_until.zone, '-infinity', last_day) AS g,
    LATERAL (VALUES ('crashes ', g.crashes), ('begun ', extract(epoch FROM g.first_at))) AS f (figure, amount)
  UNION ALL
  SELECT 'versions_other', '', count(*)::numeric
  FROM weir.day_counts AS d
  WHERE d.tenant_id = tenant AND d.zone = 'UTC' AND d.subject IN ('version_other', 'crash_version_other') AND d.day <= last_day + 1;
END
$$;

-- As all partials are asked; when the window began is not asked here.
CREATE OR REPLACE FUNCTION weir.crash_releases_partial(tenant text, first_day date, last_day date, zone text)
RETURNS SETOF weir.part
LANGUAGE sql STABLE
AS $$ SELECT * FROM weir.crash_releases_until(tenant, last_day, zone) $$;

-- The releases in their order.
CREATE OR REPLACE FUNCTION weir.releases_of(parts weir.part[]) RETURNS TABLE (number bigint, version text, first_seen numeric)
LANGUAGE sql IMMUTABLE
AS $$
  SELECT row_number() OVER (ORDER BY min(p.amount), p.key COLLATE "C"), p.key, min(p.amount)
  FROM unnest(parts) AS p
  WHERE p.figure = 'release'
  GROUP BY p.key
$$;

-- What each group is in each release that has it: new, regressed, or known (NULL).
CREATE OR REPLACE FUNCTION weir.groups_of_releases(parts weir.part[])
RETURNS TABLE (grp text, number bigint, kind text, last_number bigint, crashes numeric, first_at numeric)
LANGUAGE sql IMMUTABLE
AS $$
  WITH pairs AS MATERIALIZED (
    SELECT p.key AS grp, nullif(substr(p.figure, strpos(p.figure, ' ') + 1), '') AS version,
      sum(p.amount) FILTER (WHERE starts_with(p.figure, 'crashes ')) AS crashes, min(p.amount) FILTER (WHERE starts_with(p.figure, 'begun ')) AS first_at
    FROM unnest(parts) AS p
    WHERE starts_with(p.figure, 'crashes ') OR starts_with(p.figure, 'begun ')
    GROUP BY 1, 2
  ), placed AS (
    SELECT p.grp, r.number, p.crashes, p.first_at, first_value(r.number) OVER (PARTITION BY p.grp ORDER BY p.first_at, r.number) AS born,
      lag(r.number) OVER earlier AS last_number, min(p.first_at) OVER earlier AS begun
    FROM pairs AS p
    LEFT JOIN weir.releases_of(parts) AS r ON r.version = p.version
    WINDOW earlier AS (PARTITION BY p.grp ORDER BY r.number ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
  )
  SELECT p.grp, p.number, CASE WHEN p.born = p.number THEN 'new'
    WHEN p.number - p.last_number >= 2 AND p.begun < p.first_at THEN 'regressed' END, p.last_number, p.crashes, p.first_at
  FROM placed AS p
  WHERE p.number IS NOT NULL
$$;

-- The answer but for what its groups are: each has a name, crashes, and where it was before.
CREATE OR REPLACE FUNCTION weir.releases_told(parts weir.part[], first_day date, zone text, most integer) RETURNS jsonb
LANGUAGE sql STABLE
SET jit = off SET enable_nestloop = off SET enable_sort = off
AS $$
  WITH releases AS MATERIALIZED (
    SELECT * FROM weir.releases_of(parts)
  ), told AS MATERIALIZED (
    SELECT * FROM weir.groups_of_releases(parts)
  ), listed AS MATERIALIZED (
    SELECT r.* FROM releases AS r
    WHERE (to_timestamp(r.first_seen) AT TIME ZONE releases_told.zone)::date >= first_day
    ORDER BY r.number DESC
    LIMIT most
  ), sums AS (
    SELECT t.number, sum(t.crashes) AS crashes, min(t.first_at) AS first_at, count(*) AS groups,
      count(*) FILTER (WHERE t.kind = 'new') AS fresh, count(*) FILTER (WHERE t.kind = 'regressed') AS regressed
    FROM told AS t
    GROUP BY t.number
  ), ranked AS (
    SELECT t.*, row_number() OVER (PARTITION BY t.number, t.kind ORDER BY t.crashes DESC, t.grp COLLATE "C") AS rank
    FROM told AS t
    JOIN listed AS l ON l.number = t.number
    WHERE t.kind IS NOT NULL
  ), lists AS (
    SELECT r.number, jsonb_agg(jsonb_build_object('group', r.grp, 'crashes', r.crashes) ORDER BY r.rank)
        FILTER (WHERE r.kind = 'new') AS fresh,
      jsonb_agg(jsonb_build_object('group', r.grp, 'crashes', r.crashes, 'last_release', b.version) ORDER BY r.rank)
        FILTER (WHERE r.kind = 'regressed') AS regressed
    FROM ranked AS r
    LEFT JOIN releases AS b ON b.number = r.last_number
    WHERE r.rank <= most
    GROUP BY r.number
  )
  SELECT jsonb_build_object('exact', weir.amount_of(parts, 'versions_other') = 0, 'releases', coalesce(jsonb_agg(
    jsonb_build_object('version', r.version, 'first_seen', weir.moment(r.first_seen), 'after', b.version,
      'first_crash', weir.moment(s.first_at), 'crashes', coalesce(s.crashes, 0), 'groups', coalesce(s.groups, 0),
      'new', coalesce(s.fresh, 0), 'regressed', coalesce(s.regressed, 0),
      'new_groups', coalesce(l.fresh, '[]'), 'regressed_groups', coalesce(l.regressed, '[]')) ORDER BY r.number DESC), '[]'))
  FROM listed AS r
  LEFT JOIN releases AS b ON b.number = r.number - 1
  LEFT JOIN sums AS s ON s.number = r.number
  LEFT JOIN lists AS l ON l.number = r.number
$$;

-- The groups that such an answer lists.
CREATE OR REPLACE FUNCTION weir.groups_listed(told jsonb) RETURNS text[]
LANGUAGE sql IMMUTABLE
AS $$
  SELECT ARRAY(SELECT DISTINCT g ->> 'group' FROM jsonb_path_query(told, '$.releases[*].keyvalue() ? (@.key == "new_groups" || @.key == "regressed_groups").value[*]') AS g)
$$;

-- A list of groups with what they are; of which nothing is known, they are left out.
CREATE OR REPLACE FUNCTION weir.groups_described(groups jsonb, about jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE
AS $$
  SELECT coalesce(jsonb_agg((about -> (g.told ->> 'group')) || g.told ORDER BY g.place), '[]')
  FROM jsonb_array_elements(groups) WITH ORDINALITY AS g (told, place)
  WHERE about ? (g.told ->> 'group')
$$;

-- The answer, from what was told and what crash_groups_partial() says of its groups.
CREATE OR REPLACE FUNCTION weir.releases_described(told jsonb, parts weir.part[]) RETURNS jsonb
LANGUAGE sql IMMUTABLE
SET jit = off
AS $$
  SELECT told || jsonb_build_object('releases', coalesce(jsonb_agg(r.release || jsonb_build_object(
      'new_groups', weir.groups_described(r.release -> 'new_groups', a.about),
      'regressed_groups', weir.groups_described(r.release -> 'regressed_groups', a.about)) ORDER BY r.place), '[]'))
  FROM (SELECT coalesce(jsonb_object_agg(g.grp, g.about), '{}') AS about FROM weir.crash_groups(parts) AS g OFFSET 0) AS a,
    jsonb_array_elements(told -> 'releases') WITH ORDINALITY AS r (release, place)
$$;

-- What is asked for once the parts of all servers have said which groups are new or have come back.
CREATE OR REPLACE FUNCTION weir.crash_releases_details_partial(
  tenant text, first_day date, last_day date, zone text, so_far weir.part[], most integer)
RETURNS SETOF weir.part
LANGUAGE sql STABLE
AS $$
  SELECT * FROM weir.crash_groups_partial(tenant, first_day, last_day, zone,
    weir.groups_listed(weir.releases_told(so_far, first_day, zone, most)))
$$;

-- The answer, from the parts of all servers: those of crash_releases_partial() and of crash_releases_details_partial().
CREATE OR REPLACE FUNCTION weir.crash_releases_merge(parts weir.part[], first_day date, zone text, most integer) RETURNS jsonb
LANGUAGE sql STABLE
AS $$ SELECT weir.releases_described(weir.releases_told(parts, first_day, zone, most), parts) $$;

-- The first day before the window of which not all groups are known, since its rows were dropped: groups of then come back as new.
CREATE OR REPLACE FUNCTION weir.first_crashes_dropped(tenant text, first_day date) RETURNS date
LANGUAGE sql STABLE
AS $$
  SELECT min(g.day)
  FROM weir.gone_days AS g
  JOIN weir.day_counts AS d ON d.tenant_id = tenant AND d.zone = 'UTC' AND d.subject = 'crash' AND d.value = '' AND d.day = g.day
  LEFT JOIN weir.day_crash_groups AS k ON k.tenant_id = tenant AND k.crash_group = '' AND k.day = g.day
  WHERE g.tenant_id = tenant AND g.day < first_day AND (g.came_late OR k.crashes IS DISTINCT FROM 0)
$$;

-- As crash_releases_merge() with both kinds of parts, but that what is told is found once.
CREATE OR REPLACE FUNCTION weir.crash_releases_answer(
  tenant text, first_day date, last_day date, zone text DEFAULT 'UTC', most integer DEFAULT 20) RETURNS jsonb
LANGUAGE sql STABLE
SET jit = off
AS $$
  SELECT weir.answered(tenant, first_day, last_day, zone, 'both', weir.releases_described(first.told, ARRAY(
      SELECT p FROM weir.crash_groups_partial(tenant, first_day, last_day, zone, weir.groups_listed(first.told)) AS p)),
    weir.first_crashes_dropped(tenant, first_day))
  FROM (SELECT weir.bounded('top', most, 1, 100) AS most OFFSET 0) AS b,
    LATERAL (SELECT weir.releases_told(ARRAY(SELECT p FROM weir.crash_releases_partial(tenant, first_day, last_day, zone) AS p),
      first_day, zone, b.most) AS told OFFSET 0) AS first
$$;
COMMENT ON FUNCTION weir.crash_releases_answer(text, date, date, text, integer) IS
  'Groups of crashes that are new in a window''s releases, or came back. sql/analytics/crash_releases.sql defines them.';

GRANT EXECUTE ON FUNCTION weir.crash_releases_until(text, date, text), weir.crash_releases_partial(text, date, date, text), weir.releases_of(weir.part[]),
  weir.groups_of_releases(weir.part[]), weir.releases_told(weir.part[], date, text, integer), weir.groups_listed(jsonb),
  weir.groups_described(jsonb, jsonb), weir.releases_described(jsonb, weir.part[]),
  weir.crash_releases_details_partial(text, date, date, text, weir.part[], integer),
  weir.crash_releases_merge(weir.part[], date, text, integer), weir.first_crashes_dropped(text, date),
  weir.crash_releases_answer(text, date, date, text, integer) TO weir_reader;
