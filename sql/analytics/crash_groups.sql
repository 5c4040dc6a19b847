-- Which groups of crashes a window had, in which versions: how often, when first and last. UTC days that lie in it wholly are read from what is
-- kept of them (day_crash_groups), all else from the rows of crashes, with the same numbers.
--
--   SELECT * FROM weir.grouped_crashes('acme', 'Europe/Berlin', '2026-03-01', '2026-03-31');
SET LOCAL ROLE weir_owner;
SET LOCAL check_function_bodies = off;

-- UTC days of which all groups are kept, and nothing has come since. Of days whose rows are gone it is all that is left.
CREATE OR REPLACE FUNCTION weir.days_with_groups(tenant text, first_day date, last_day date) RETURNS SETOF date
LANGUAGE sql STABLE ROWS 90
AS $$
  SELECT k.day
  FROM weir.day_crash_groups AS k
  WHERE k.tenant_id = tenant AND k.crash_group = '' AND k.day BETWEEN first_day AND last_day
    AND (EXISTS (SELECT FROM weir.gone_days AS g WHERE g.tenant_id = tenant AND g.day = k.day)
      OR k.crashes = 0 AND NOT EXISTS (SELECT FROM weir.touched_days AS t WHERE t.tenant_id = tenant AND t.day = k.day AND t.zone IS NULL))
$$;

-- By group and version (NULL: none) of the wanted groups, or of all. `first_day` may be -infinity: from the first crash on. Planned for what is
-- asked, so that a few groups are found by the index.
CREATE OR REPLACE FUNCTION weir.grouped_crashes(tenant text, zone text, first_day date, last_day date, wanted text[] DEFAULT NULL)
RETURNS TABLE (grp text, version text, crashes numeric, first_at timestamptz, last_at timestamptz)
LANGUAGE plpgsql STABLE
SET jit = off SET work_mem = '64MB' SET enable_nestloop = off SET enable_sort = off SET plan_cache_mode = force_custom_plan
AS $$
DECLARE
  since constant timestamptz := coalesce(lower(weir.span_of_day(zone, first_day)), '-infinity');  -- of -infinity the span is empty
  surely_since constant timestamptz := since + interval '6 hours';
  until constant timestamptz := upper(weir.span_of_day(zone, last_day));
  surely_until constant timestamptz := until - interval '6 hours';
  first_whole constant date := CASE zone WHEN 'UTC' THEN first_day ELSE (surely_since AT TIME ZONE 'UTC')::date + 1 END;
  last_whole constant date := CASE zone WHEN 'UTC' THEN last_day ELSE (surely_until AT TIME ZONE 'UTC')::date - 1 END;
BEGIN
  RETURN QUERY
  WITH days AS MATERIALIZED (
    SELECT d.day, d.day::timestamp AT TIME ZONE 'UTC' AS begins, (d.day + 1)::timestamp AT TIME ZONE 'UTC' AS ends
    FROM weir.days_with_groups(grouped_crashes.tenant, first_whole, last_whole) AS d (day)
  ), spans AS MATERIALIZED (
    SELECT s.begins, s.ends
    FROM (
      SELECT lag(d.ends, 1, since) OVER (ORDER BY d.day) AS begins, d.begins AS ends FROM days AS d
      UNION ALL
      SELECT coalesce(max(d.ends), since), until FROM days AS d
    ) AS s
    WHERE s.begins < s.ends
  )
  SELECT f.grp, nullif(f.version, ''), sum(f.crashes), min(f.first_at), max(f.last_at)
  FROM (
    SELECT k.crash_group AS grp, k.version, k.crashes, k.first_at, k.last_at
    FROM weir.day_crash_groups AS k
    JOIN days AS d ON d.day = k.day
    WHERE k.tenant_id = grouped_crashes.tenant AND k.day BETWEEN first_whole AND last_whole AND k.crash_group <> ''
      AND (wanted IS NULL OR k.crash_group = ANY (wanted))
    UNION ALL
    -- Of each row nothing is asked that can be asked of its kind; and clocks only of what is near the window's ends.
    SELECT left(r.fingerprint, 256), left(coalesce(r.app_version, ''), 256), r.crashes, r.first_at, r.last_at
    FROM spans AS s
    CROSS JOIN LATERAL (
      SELECT c.fingerprint, c.app_version, count(*) AS crashes, min(c."timestamp") AS first_at, max(c."timestamp") AS last_at
      FROM weir.crashes AS c
      WHERE c.tenant_id = grouped_crashes.tenant AND c."timestamp" >= s.begins AND c."timestamp" < s.ends AND c.fingerprint <> ''
        AND (wanted IS NULL
          OR CASE WHEN octet_length(c.fingerprint) <= 256 THEN c.fingerprint = ANY (wanted) ELSE left(c.fingerprint, 256) = ANY (wanted) END)
        AND CASE WHEN c."timestamp" >= surely_since AND c."timestamp" < surely_until THEN true
          ELSE (c."timestamp" AT TIME ZONE grouped_crashes.zone)::date BETWEEN first_day AND last_day END
      GROUP BY c.fingerprint, c.app_version
      OFFSET 0
    ) AS r
  ) AS f
  GROUP BY f.grp, f.version;
END
$$;

GRANT EXECUTE ON FUNCTION weir.days_with_groups(text, date, date), weir.grouped_crashes(text, text, date, date, text[]) TO weir_reader;
