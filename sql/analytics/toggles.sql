-- Who has a feature on, by what `feature_toggled` said last (properties `feature` and `enabled`, which is true or false).
--
--   SELECT * FROM weir.toggles_partial('acme', '2026-03-01', '2026-03-31', 'UTC');
--
-- Of each feature, of the users who were active in the window:
--   switched     who ever switched it, on or off, up to the window's end
--   switched_on  whose last time up to the window's end switched it on, however long before the window that was. The
--                last day decides, of a day the last moment, and of two at one moment off is the last
-- any_switched_on are those who have any of them on. switched_other: those who switched what is beyond the thousand features
-- that are kept of a day, or of a longer span (weir.toggle_sets); such a feature is none, and its users have nothing on by it.
--
-- In zones that are kept it comes from weir.toggle_sets, else from the rows.
SET LOCAL ROLE weir_owner;
SET LOCAL check_function_bodies = off;

-- The spans that hold all days up to one, each day once: the longest first, seven at most of each shorter length.
CREATE OR REPLACE FUNCTION weir.spans_until(last_day date) RETURNS TABLE (days integer, since date, until date)
LANGUAGE sql IMMUTABLE ROWS 4
AS $$
  SELECT n, CASE WHEN n < 512 THEN weir.span_start(last_day + 1, n * 8) ELSE '-infinity' END, weir.span_start(last_day + 1, n)
  FROM unnest(ARRAY[512, 64, 8, 1]) AS n
$$;

CREATE OR REPLACE FUNCTION weir.last_toggles_of_rows(tenant text, zone text, last_day date)
RETURNS TABLE (feature text, chunk integer, switched varbit, switched_on varbit)
LANGUAGE sql STABLE
SET jit = off SET work_mem = '64MB' SET enable_sort = off
AS $$
  WITH span AS MATERIALIZED (
    SELECT min(c.day)::timestamp AT TIME ZONE 'UTC' AS since,
      least((max(c.day) + 1)::timestamp AT TIME ZONE 'UTC', upper(weir.span_of_day(last_toggles_of_rows.zone, last_day))) AS until
    FROM weir.day_counts AS c
    WHERE c.tenant_id = tenant AND c.zone = 'UTC' AND c.subject = 'event' AND c.value = 'feature_toggled' AND c.day <= last_day + 1
    HAVING count(*) > 0
  ), toggled AS MATERIALIZED (
    SELECT t.number, t.feature, max(t.at) FILTER (WHERE t.enabled = 'true') AS on_at, max(t.at) FILTER (WHERE t.enabled = 'false') AS off_at
    FROM (
      SELECT h.number::integer AS number, h.at, weir.text_at(h.properties, 'feature') AS feature, weir.text_at(h.properties, 'enabled') AS enabled
      FROM span AS s
      CROSS JOIN LATERAL weir.happened(tenant, weir.patterns_named('{feature_toggled}'), s.since, s.until, '{properties}') AS h
      WHERE h.number >= 0 AND (h.at AT TIME ZONE zone)::date <= last_day
    ) AS t
    WHERE t.feature IS NOT NULL AND t.enabled IN ('true', 'false')
    GROUP BY t.number, t.feature
  )
  SELECT t.feature, t.number / 20480, weir.at_bits(t.number % 20480, 1),
    weir.at_bits(t.number % 20480, (t.on_at > coalesce(t.off_at, '-infinity'))::integer)
  FROM toggled AS t
  GROUP BY t.feature, t.number / 20480
$$;

-- In PL/pgSQL, so that the rows, whose plan takes longer than all else here, are planned where they are read.
CREATE OR REPLACE FUNCTION weir.last_toggles(tenant text, zone text, last_day date)
RETURNS TABLE (feature text, chunk integer, switched varbit, switched_on varbit)
LANGUAGE plpgsql STABLE
SET plan_cache_mode = force_generic_plan SET jit = off SET work_mem = '64MB'
AS $$
BEGIN
  IF weir.keeps_zone(tenant, zone) THEN
    RETURN QUERY
    SELECT t.feature, t.chunk, bit_or(t.switched)::varbit, weir.last_switched(t.switched, t.switched_on ORDER BY t.first_day)
    FROM weir.spans_until(last_day) AS s
    CROSS JOIN LATERAL (
      SELECT k.feature, k.chunk, k.first_day, k.switched, k.switched_on
      FROM weir.toggle_sets AS k
      WHERE k.tenant_id = tenant AND k.zone = last_toggles.zone AND k.days = s.days AND k.first_day >= s.since AND k.first_day < s.until
      OFFSET 0
    ) AS t
    GROUP BY t.feature, t.chunk;
  ELSE
    RETURN QUERY SELECT r.* FROM weir.last_toggles_of_rows(tenant, last_toggles.zone, last_day) AS r;
  END IF;
END
$$;

-- Who had an event within the window, likewise.
CREATE OR REPLACE FUNCTION weir.active_within(tenant text, zone text, first_day date, last_day date) RETURNS TABLE (chunk integer, users varbit)
LANGUAGE plpgsql STABLE
SET plan_cache_mode = force_generic_plan SET jit = off SET work_mem = '64MB' SET enable_sort = off
AS $$
BEGIN
  IF weir.keeps_zone(tenant, zone) THEN
    RETURN QUERY
    SELECT s.chunk, bit_or(s.users)::varbit
    FROM weir.sets_between(tenant, active_within.zone, 'active', '', first_day, last_day) AS s
    GROUP BY s.chunk;
  ELSE
    RETURN QUERY
    SELECT a.chunk, bit_or(a.users)::varbit
    FROM weir.active_users(tenant, active_within.zone, first_day, last_day) AS a
    GROUP BY a.chunk;
  END IF;
END
$$;

CREATE OR REPLACE FUNCTION weir.toggles_partial(tenant text, first_day date, last_day date, zone text) RETURNS SETOF weir.part
LANGUAGE plpgsql STABLE
SET plan_cache_mode = force_generic_plan SET jit = off SET work_mem = '64MB' SET enable_sort = off
AS $$
BEGIN
  RETURN QUERY
  WITH toggled AS MATERIALIZED (
    SELECT * FROM weir.last_toggles(tenant, zone, last_day)
  ), active AS MATERIALIZED (
    SELECT * FROM weir.active_within(tenant, zone, first_day, last_day) WHERE EXISTS (SELECT FROM toggled)
  ), counted AS MATERIALIZED (
    SELECT t.feature, sum(bit_count(t.switched & a.users)) AS switched, sum(bit_count(t.switched_on & a.users)) AS switched_on
    FROM toggled AS t JOIN active AS a ON a.chunk = t.chunk
    GROUP BY t.feature
  )
  SELECT f.figure, f.feature, f.users
  FROM counted AS c, LATERAL (VALUES (CASE c.feature WHEN '' THEN 'switched_other' ELSE 'switched' END, c.feature, c.switched),
    (CASE WHEN c.feature <> '' THEN 'switched_on' END, c.feature, c.switched_on)) AS f (figure, feature, users)
  WHERE c.switched > 0 AND f.figure IS NOT NULL
  UNION ALL
  SELECT 'any_switched_on', '', sum(bit_count(o.users & a.users))
  FROM (SELECT t.chunk, bit_or(t.switched_on::bit(20480)) AS users FROM toggled AS t GROUP BY t.chunk) AS o
  JOIN active AS a ON a.chunk = o.chunk
  HAVING count(*) > 0;
END
$$;

-- Each feature with what the parts of all servers say of it.
CREATE OR REPLACE FUNCTION weir.toggles_of(parts weir.part[]) RETURNS TABLE (feature text, switched numeric, "on" numeric)
LANGUAGE sql IMMUTABLE
AS $$
  SELECT p.key, sum(p.amount) FILTER (WHERE p.figure = 'switched'), sum(p.amount) FILTER (WHERE p.figure = 'switched_on')
  FROM unnest(parts) AS p
  WHERE p.figure IN ('switched', 'switched_on')
  GROUP BY p.key
$$;

GRANT EXECUTE ON FUNCTION weir.spans_until(date), weir.last_toggles_of_rows(text, text, date), weir.last_toggles(text, text, date),
  weir.active_within(text, text, date, date), weir.toggles_partial(text, date, date, text), weir.toggles_of(weir.part[]) TO weir_reader;
