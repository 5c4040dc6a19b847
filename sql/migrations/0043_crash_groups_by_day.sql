-- Which groups of crashes a UTC day had, in which versions, so that what a release brought, and what is told of a group, is added up from
-- days. It took the rows of all crashes ever, twice for one answer.
--
-- It is made with the other figures of the day (0016), in the same transaction, and kept when the rows are gone. Versions are part of the
-- key: day_counts has groups and versions, each by itself.
SET LOCAL ROLE weir_owner;

CREATE TABLE weir.day_crash_groups (
  tenant_id text NOT NULL,
  crash_group text NOT NULL,
  day date NOT NULL,
  version text NOT NULL,
  crashes bigint NOT NULL,
  first_at timestamptz,
  last_at timestamptz,
  PRIMARY KEY (tenant_id, crash_group, day, version)
);
CREATE INDEX day_crash_groups_by_day ON weir.day_crash_groups (tenant_id, day);
-- Which days there are.
CREATE INDEX day_crash_groups_days ON weir.day_crash_groups (tenant_id, day) INCLUDE (crashes) WHERE crash_group = '';
COMMENT ON TABLE weir.day_crash_groups IS
  'Crashes of a UTC day by group and version: of both together the 4096 with the most crashes.';
COMMENT ON COLUMN weir.day_crash_groups.crash_group IS
  'The fingerprint, cut after 256 characters. '''': how many crashes of groups are in no other line of the day; each day with crashes has '
  'this one.';
COMMENT ON COLUMN weir.day_crash_groups.version IS 'Cut likewise; '''': none.';
GRANT SELECT ON weir.day_crash_groups TO weir_reader;

-- As the rows say; of a tenant's day, or of all there are (NULL). What is asked for is a constant in the plan, so that a day is found by the
-- index.
CREATE FUNCTION weir.crash_groups_counted(only_tenant text, only_day date) RETURNS SETOF weir.day_crash_groups
LANGUAGE plpgsql STABLE
SET jit = off SET work_mem = '64MB' SET plan_cache_mode = force_custom_plan
AS $$
DECLARE
  since constant timestamptz := coalesce(only_day::timestamp AT TIME ZONE 'UTC', weir.first_time());
  until constant timestamptz := coalesce((only_day + 1)::timestamp AT TIME ZONE 'UTC', weir.end_of_time());
BEGIN
  RETURN QUERY
  WITH fell AS MATERIALIZED (
    SELECT c.tenant_id, (c."timestamp" AT TIME ZONE 'UTC')::date AS day, left(coalesce(c.fingerprint, ''), 256) AS crash_group,
      left(coalesce(c.app_version, ''), 256) AS version, count(*) AS crashes, min(c."timestamp") AS first_at, max(c."timestamp") AS last_at
    FROM weir.crashes AS c
    WHERE (only_tenant IS NULL OR c.tenant_id = only_tenant) AND c."timestamp" >= since AND c."timestamp" < until
    GROUP BY 1, 2, 3, 4
  ), ranked AS MATERIALIZED (
    SELECT f.*, row_number() OVER (PARTITION BY f.tenant_id, f.day
      ORDER BY f.crash_group = '', f.crashes DESC, f.crash_group COLLATE "C", f.version COLLATE "C") <= 4096 AS told
    FROM fell AS f
  )
  SELECT r.tenant_id, r.crash_group, r.day, r.version, r.crashes, r.first_at, r.last_at
  FROM ranked AS r
  WHERE r.told AND r.crash_group <> ''
  UNION ALL
  SELECT r.tenant_id, '', r.day, '', coalesce(sum(r.crashes) FILTER (WHERE r.beyond), 0)::bigint,
    min(r.first_at) FILTER (WHERE r.beyond), max(r.last_at) FILTER (WHERE r.beyond)
  FROM (SELECT n.*, NOT n.told AND n.crash_group <> '' AS beyond FROM ranked AS n) AS r
  GROUP BY r.tenant_id, r.day;
END
$$;

-- What differs is replaced. Of a day without crashes, as its counts say, no row is read.
CREATE FUNCTION weir.build_crash_groups(tenant text, day date) RETURNS void
LANGUAGE plpgsql
AS $$
#variable_conflict use_column
BEGIN
  IF NOT EXISTS (SELECT FROM weir.day_counts AS c
      WHERE (c.tenant_id, c.zone, c.subject, c.value, c.day) = (tenant, 'UTC', 'crash', '', build_crash_groups.day)) THEN
    DELETE FROM weir.day_crash_groups AS g WHERE g.tenant_id = tenant AND g.day = build_crash_groups.day;
    RETURN;
  END IF;
  WITH fresh AS MATERIALIZED (
    SELECT * FROM weir.crash_groups_counted(tenant, build_crash_groups.day)
  ), gone AS (
    DELETE FROM weir.day_crash_groups AS g
    WHERE g.tenant_id = tenant AND g.day = build_crash_groups.day
      AND NOT EXISTS (SELECT FROM fresh AS f WHERE f.crash_group = g.crash_group AND f.version = g.version)
  )
  INSERT INTO weir.day_crash_groups AS g SELECT * FROM fresh
  ON CONFLICT (tenant_id, crash_group, day, version) DO UPDATE SET crashes = excluded.crashes, first_at = excluded.first_at,
    last_at = excluded.last_at
  WHERE (g.crashes, g.first_at, g.last_at) IS DISTINCT FROM (excluded.crashes, excluded.first_at, excluded.last_at);
END
$$;

-- As in 0017, and the groups of crashes.
CREATE OR REPLACE FUNCTION weir.build_day(tenant text, zone text, day date, forget boolean DEFAULT false) RETURNS boolean
LANGUAGE plpgsql
AS $$
DECLARE
  keep constant boolean := NOT forget AND weir.is_gone(tenant, zone, day);
BEGIN
  PERFORM weir.build_facts(tenant, zone, day, keep);
  IF zone = 'UTC' AND NOT keep THEN
    PERFORM weir.build_crash_groups(tenant, day);
  END IF;
  IF forget OR NOT weir.keeps_sessions(tenant, zone, day) THEN
    PERFORM weir.build_sessions(tenant, zone, day);
  END IF;
  RETURN NOT keep;
END
$$;

CREATE FUNCTION weir.compare_crash_groups(tenant text, day date)
RETURNS TABLE (part text, subject text, value text, kept text, counted text)
LANGUAGE sql STABLE
AS $$
  SELECT 'day_crash_groups', coalesce(k.crash_group, c.crash_group), coalesce(k.version, c.version),
    concat_ws(', ', k.crashes, k.first_at, k.last_at), concat_ws(', ', c.crashes, c.first_at, c.last_at)
  FROM (SELECT * FROM weir.day_crash_groups AS g WHERE g.tenant_id = tenant AND g.day = compare_crash_groups.day) AS k
  FULL JOIN weir.crash_groups_counted(tenant, compare_crash_groups.day) AS c ON c.crash_group = k.crash_group AND c.version = k.version
  WHERE (k.crashes, k.first_at, k.last_at) IS DISTINCT FROM (c.crashes, c.first_at, c.last_at)
$$;

-- As in 0032, and the groups of crashes.
CREATE OR REPLACE FUNCTION weir.verify_day(tenant text, zone text, day date)
RETURNS TABLE (part text, subject text, value text, kept text, counted text)
LANGUAGE plpgsql STABLE
AS $$
BEGIN
  IF day = weir.monday_of(day) THEN
    RETURN QUERY SELECT * FROM weir.compare_week(tenant, zone, day);
  END IF;
  RETURN QUERY SELECT t.* FROM unnest(ARRAY[8, 64, 512]) AS n, LATERAL weir.compare_toggles(tenant, zone, day, n) AS t
    WHERE weir.span_start(day, n) = day;
  IF EXISTS (SELECT FROM weir.touched_days AS t WHERE t.tenant_id = tenant
      AND t.day BETWEEN verify_day.day - 2 AND verify_day.day + 2 AND coalesce(t.zone, verify_day.zone) = verify_day.zone) THEN
    RETURN QUERY SELECT 'marked', NULL::text, NULL::text, NULL::text, NULL::text;
  ELSIF weir.is_thinned(tenant, zone, day) THEN
    RETURN QUERY SELECT 'thinned', NULL::text, NULL::text, NULL::text, NULL::text;
  ELSE
    RETURN QUERY SELECT * FROM weir.compare_facts(tenant, zone, day)
      UNION ALL SELECT u.* FROM weir.compare_first_uses(tenant, zone, verify_day.day) AS u
      UNION ALL SELECT t.* FROM weir.compare_toggles(tenant, zone, verify_day.day, 1) AS t
      UNION ALL SELECT c.* FROM weir.compare_sessions(tenant, zone, day) AS c
      WHERE NOT weir.is_thinned(tenant, zone, verify_day.day - 1) AND NOT weir.is_thinned(tenant, zone, verify_day.day + 1)
      UNION ALL SELECT p.* FROM weir.compare_packs(tenant, verify_day.day) AS p WHERE zone = 'UTC'
      UNION ALL SELECT g.* FROM weir.compare_crash_groups(tenant, verify_day.day) AS g WHERE zone = 'UTC';
  END IF;
END
$$;
GRANT EXECUTE ON FUNCTION weir.crash_groups_counted(text, date), weir.compare_crash_groups(text, date) TO weir_reader;

-- Days that are built already, in one reading of all crashes: those of which all crashes that were counted are there. Of others rows are gone, or
-- the builder makes them anyway; they are read from the rows.
INSERT INTO weir.day_crash_groups
SELECT g.*
FROM weir.crash_groups_counted(NULL, NULL) AS g
JOIN (
  SELECT c.tenant_id, (c."timestamp" AT TIME ZONE 'UTC')::date AS day, count(*) AS crashes
  FROM weir.crashes AS c
  WHERE c."timestamp" >= weir.first_time() AND c."timestamp" < weir.end_of_time()
  GROUP BY 1, 2
) AS r ON r.tenant_id = g.tenant_id AND r.day = g.day
JOIN weir.day_counts AS d ON (d.tenant_id, d.zone, d.subject, d.value, d.day, d.events) = (g.tenant_id, 'UTC', 'crash', '', g.day, r.crashes);

-- Functions that sql/analytics/ has with another result now, or not any more.
SET LOCAL client_min_messages = warning;
DROP FUNCTION IF EXISTS weir.groups_of_releases(weir.part[]), weir.releases_within(weir.part[], date, text, integer);
