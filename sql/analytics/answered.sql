-- What every answer of this folder passes: it gets what it is of, up to when it counts, and, where it cannot hold all
-- that happened, why. t/sql/answered.sql looks that none goes by.
--
--   SELECT weir.answered('acme', '2026-03-01', '2026-03-31', 'UTC', 'days', '{"total": 12}');
--   SELECT weir.why_incomplete('acme', 'Europe/Berlin', '2026-03-01', '2026-03-31');
--
--   as_of       all that was stored before is counted; NULL while figures are being made anew
--   exact       whether the figures are what happened, but for what `error` says
--   incomplete  only where something is missing or counts in part: why, in words. `exact` is then false
--
-- What an answer is made of decides what it can lack:
--
--   days   from the roll-ups, where the zone is kept; else from the rows
--   rows   from the rows, or what was packed and counted of them (0027, 0034) where that says the same, as they are now
--   both   from rows together with roll-ups
--   sums   from what the flusher adds up by itself (user_days), as it is now
SET LOCAL ROLE weir_owner;
SET LOCAL check_function_bodies = off;

-- The reason why figures of a window cannot be exact; NULL: they can. One look into three small tables.
CREATE OR REPLACE FUNCTION weir.why_incomplete(tenant text, zone text, first_day date, last_day date, reads text DEFAULT 'days') RETURNS text
LANGUAGE sql STABLE
AS $$
  WITH kept AS MATERIALIZED (
    SELECT why_incomplete.zone = 'UTC' OR max(z.ready_at) IS NOT NULL AS is_kept, max(z.ready_at) AS since
    FROM weir.report_zones AS z
    WHERE z.tenant_id = tenant AND z.zone = why_incomplete.zone
  ), gone AS (
    SELECT count(*) > 0 AS some, bool_or(g.came_late) AS came_late, min(g.found_at) AS found_at
    FROM weir.gone_days AS g
    WHERE g.tenant_id = tenant AND g.day >= (first_day::timestamp AT TIME ZONE why_incomplete.zone AT TIME ZONE 'UTC')::date
      AND g.day <= ((last_day + 1)::timestamp AT TIME ZONE why_incomplete.zone AT TIME ZONE 'UTC' - interval '1 microsecond')::date
  ), marks AS (
    SELECT count(*) FILTER (WHERE NOT isfinite(t.marked_at)) > 0 AS of_a_rebuild,
      count(*) FILTER (WHERE isfinite(t.marked_at) AND t.day BETWEEN first_day - 1 AND last_day + 1) > 0 AS within
    FROM weir.touched_days AS t
    WHERE t.tenant_id = tenant AND t.zone IS NULL
  )
  SELECT nullif(concat_ws('; ',
    CASE WHEN first_day < '0001-01-01' OR last_day > '9999-12-31' THEN 'days before the year 1 and after 9999 are not counted' END,
    CASE WHEN m.of_a_rebuild AND reads <> 'rows' THEN 'figures are being made anew' END,
    CASE WHEN NOT g.some OR reads = 'sums' THEN NULL
      WHEN reads IN ('rows', 'both') THEN 'rows of some days were dropped, and this needs them'
      WHEN NOT k.is_kept THEN 'the zone is not kept, and rows of some days were dropped'
      WHEN why_incomplete.zone <> 'UTC' AND g.found_at <= k.since THEN 'rows of some days were dropped before the zone was kept'
      WHEN g.came_late THEN 'rows came late for days whose rows were dropped: they are not counted, but their users are among all and, on their first day, new ones' END,
    CASE WHEN m.within AND (reads = 'both' OR reads = 'days' AND NOT k.is_kept)
      THEN 'what was stored since `as_of` counts in part' END), '')
  FROM kept AS k, gone AS g, marks AS m
$$;

-- An answer with the reason why it is not exact, if there is one, after the one that it has.
CREATE OR REPLACE FUNCTION weir.with_reason(answer jsonb, why text) RETURNS jsonb
LANGUAGE sql IMMUTABLE
AS $$
  SELECT answer || CASE WHEN why IS NULL THEN '{}' ELSE jsonb_build_object('exact', false, 'incomplete', concat_ws('; ', answer ->> 'incomplete', why)) END
$$;

-- `since` is the first day that was looked at, where that is not the window's.
CREATE OR REPLACE FUNCTION weir.answered(tenant text, first_day date, last_day date, zone text, reads text, figures jsonb, since date DEFAULT NULL)
RETURNS jsonb
LANGUAGE sql STABLE
AS $$
  SELECT weir.with_reason(
    jsonb_build_object('tenant', tenant, 'from', first_day, 'to', last_day, 'zone', zone, 'exact', true,
      'as_of', CASE WHEN reads IN ('days', 'both') THEN weir.counted_until(tenant) ELSE now() END) || figures,
    weir.why_incomplete(tenant, zone, coalesce(since, first_day), last_day, reads))
$$;

GRANT EXECUTE ON FUNCTION weir.why_incomplete(text, text, date, date, text), weir.with_reason(jsonb, text),
  weir.answered(text, date, date, text, text, jsonb, date) TO weir_reader;
