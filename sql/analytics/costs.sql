-- What it costs, and any other measure of weir.measures: in all, by time, for each user, and how it grows.
--
--   SELECT weir.costs_answer('acme', '2026-03-01', '2026-03-31', 'Europe/Berlin');
--   SELECT weir.costs_answer('acme', '2026-03-01', '2026-03-31', 'UTC', 'seconds');
--
-- The window is from one day to another, both counted, in a time zone.
--
--   total      the measure's property times its factor, added up over its events; where it has no property, the
--              factor for each event. As weir.measures stands now, for days past too
--   events     how many had a number, and per_event the mean of it
--   active     users with an event of any kind, and per_user the total for each of them
--   per_user_and_month
--              of the months that lie wholly in the window, the total / the active users of each, added up
--   growth     the total against that of as many days just before the window
--   days, weeks, months
--              the same for each, and in `growth` against the one before, where the window cuts neither
--
-- Weeks begin on Monday; of those and months that the window cuts counts what is within it. `exact` is false where a
-- day had more properties or names of events than are kept (docs/rollups.md): what is beyond is then missing.
SET LOCAL ROLE weir_owner;
SET LOCAL check_function_bodies = off;

-- What makes the measure: a tenant's own rows stand in for everybody's.
CREATE OR REPLACE FUNCTION weir.wanted_measure(tenant text, measure text)
RETURNS TABLE (event text, property text, factor numeric)
LANGUAGE sql STABLE
AS $$
  SELECT left(m.event, 256), left(m.property, 256), m.factor
  FROM weir.measures AS m
  WHERE m.measure = wanted_measure.measure AND (m.tenant_id = tenant OR m.tenant_id = '*' AND NOT EXISTS (
    SELECT FROM weir.measures AS own WHERE own.tenant_id = tenant AND own.measure = m.measure))
$$;

-- The measure's name, or an error that names the parameter.
CREATE OR REPLACE FUNCTION weir.known_measure(tenant text, measure text) RETURNS text
LANGUAGE plpgsql STABLE
AS $$
BEGIN
  IF NOT EXISTS (SELECT FROM weir.wanted_measure(tenant, measure)) THEN
    RAISE invalid_parameter_value USING
      MESSAGE = 'There is no measure of that name: see weir.measures', COLUMN = 'measure';
  END IF;
  RETURN measure;
END
$$;

-- From what is kept of a zone.
CREATE OR REPLACE FUNCTION weir.measure_kept(tenant text, zone text, measure text, first_day date, last_day date)
RETURNS TABLE (day date, events bigint, total numeric)
LANGUAGE sql STABLE
AS $$
  SELECT d.day, d.numbers, m.factor * d.total
  FROM weir.wanted_measure(tenant, measure) AS m
  JOIN weir.day_numbers AS d ON d.property = m.property AND m.event IN (d.event, '*')
  WHERE d.tenant_id = tenant AND d.zone = measure_kept.zone AND d.day BETWEEN first_day AND last_day
  UNION ALL
  SELECT d.day, d.events, m.factor * d.events
  FROM weir.wanted_measure(tenant, measure) AS m
  JOIN weir.day_counts AS d ON d.subject = CASE m.event WHEN '*' THEN 'active' ELSE 'event' END
    AND d.value = CASE m.event WHEN '*' THEN '' ELSE m.event END
  WHERE m.property IS NULL
    AND d.tenant_id = tenant AND d.zone = measure_kept.zone AND d.day BETWEEN first_day AND last_day
$$;

-- From the rows.
CREATE OR REPLACE FUNCTION weir.measure_counted(tenant text, zone text, measure text, first_day date, last_day date)
RETURNS TABLE (day date, events bigint, total numeric)
LANGUAGE sql STABLE
AS $$
  SELECT (e."timestamp" AT TIME ZONE zone)::date, 1::bigint, m.factor * n.number
  FROM weir.events AS e
  JOIN weir.wanted_measure(tenant, measure) AS m ON m.event IN (left(e.event, 256), '*')
  CROSS JOIN LATERAL (
    SELECT 1::numeric WHERE m.property IS NULL
    UNION ALL
    SELECT p.value::numeric
    FROM jsonb_each(CASE WHEN jsonb_typeof(e.properties) = 'object' THEN e.properties END) AS p
    WHERE left(p.key, 256) = m.property
      AND CASE jsonb_typeof(p.value) WHEN 'number' THEN abs(p.value::numeric) < 1e300 ELSE false END
  ) AS n (number)
  WHERE e.tenant_id = tenant
    AND e."timestamp" >= lower(weir.span_of_day(zone, first_day)) AND e."timestamp" < upper(weir.span_of_day(zone, last_day))
    AND (e."timestamp" AT TIME ZONE zone)::date BETWEEN first_day AND last_day
$$;

CREATE OR REPLACE FUNCTION weir.measure_by_day(tenant text, zone text, measure text, first_day date, last_day date)
RETURNS TABLE (day date, events bigint, total numeric)
LANGUAGE sql STABLE
SET jit = off
AS $$
  SELECT m.day, sum(m.events)::bigint, sum(m.total)
  FROM (
    SELECT * FROM weir.measure_kept(tenant, zone, measure, first_day, last_day) WHERE weir.keeps_zone(tenant, zone)
    UNION ALL
    SELECT * FROM weir.measure_counted(tenant, zone, measure, first_day, last_day) WHERE NOT weir.keeps_zone(tenant, zone)
  ) AS m
  GROUP BY m.day
$$;

-- Days of which not all may be kept that the measure needs.
CREATE OR REPLACE FUNCTION weir.measure_full_days(tenant text, zone text, measure text, first_day date, last_day date)
RETURNS SETOF date
LANGUAGE sql STABLE
AS $$
  SELECT d.day
  FROM weir.day_numbers AS d
  WHERE d.tenant_id = tenant AND d.zone = measure_full_days.zone AND d.day BETWEEN first_day AND last_day
    AND weir.keeps_zone(tenant, measure_full_days.zone)
    AND EXISTS (SELECT FROM weir.wanted_measure(tenant, measure) AS m WHERE m.property IS NOT NULL)
  GROUP BY d.day
  HAVING count(*) >= 1000
  UNION
  SELECT d.day
  FROM weir.day_counts AS d
  WHERE d.tenant_id = tenant AND d.zone = measure_full_days.zone AND d.day BETWEEN first_day AND last_day
    AND d.subject = 'event_other' AND weir.keeps_zone(tenant, measure_full_days.zone)
    AND EXISTS (SELECT FROM weir.wanted_measure(tenant, measure) AS m WHERE m.property IS NULL AND m.event <> '*')
$$;

CREATE OR REPLACE FUNCTION weir.costs_partial(tenant text, first_day date, last_day date, zone text, measure text)
RETURNS SETOF weir.part
LANGUAGE sql STABLE
SET jit = off SET work_mem = '64MB'
AS $$
  WITH days AS MATERIALIZED (
    SELECT m.day, m.events, m.total
    FROM weir.measure_by_day(tenant, zone, measure, first_day - (last_day - first_day + 1), last_day) AS m
  )
  SELECT f.figure, d.day::text, f.amount
  FROM days AS d, LATERAL (VALUES ('total', d.total), ('events', d.events)) AS f (figure, amount)
  WHERE d.day >= first_day
  UNION ALL
  SELECT 'before', '', sum(d.total) FROM days AS d WHERE d.day < first_day HAVING count(*) > 0
  UNION ALL
  SELECT 'full', '', count(*) FROM weir.measure_full_days(tenant, zone, measure, first_day, last_day)
  UNION ALL
  SELECT 'active_' || u.unit, u.start::text, sum(bit_count(u.users))
  FROM (
    SELECT unit, CASE unit WHEN 'all' THEN first_day ELSE date_trunc(unit, a.day::timestamp)::date END AS start,
      a.chunk, bit_or(a.users) AS users
    FROM weir.active_users(tenant, zone, first_day, last_day) AS a CROSS JOIN unnest(ARRAY['all', 'day', 'week', 'month']) AS unit
    GROUP BY unit, start, a.chunk
  ) AS u
  GROUP BY u.unit, u.start
$$;

-- A line by day, week or month.
CREATE OR REPLACE FUNCTION weir.costs_trend(parts weir.part[], unit text, first_day date, last_day date) RETURNS jsonb
LANGUAGE sql IMMUTABLE
AS $$
  WITH sums AS MATERIALIZED (
    SELECT p.figure, CASE unit WHEN 'all' THEN first_day ELSE date_trunc(unit, p.key::timestamp)::date END AS start,
      sum(p.amount) AS amount
    FROM unnest(parts) AS p
    WHERE p.figure IN ('total', 'events', 'active_' || unit)
    GROUP BY 1, 2
  ), line AS (
    SELECT s.start, coalesce(max(f.amount) FILTER (WHERE f.figure = 'total'), 0) AS total,
      coalesce(max(f.amount) FILTER (WHERE f.figure = 'events'), 0) AS events,
      coalesce(max(f.amount) FILTER (WHERE f.figure LIKE 'active%'), 0) AS active,
      weir.is_whole(unit, s.start, first_day, last_day) AS is_whole
    FROM weir.starts(unit, first_day, last_day) AS s (start)
    LEFT JOIN sums AS f ON f.start = s.start
    GROUP BY s.start
  )
  SELECT jsonb_agg(jsonb_build_object('start', l.start, 'total', l.total, 'events', l.events, 'active', l.active,
    'per_event', weir.ratio(l.total, l.events), 'per_user', weir.ratio(l.total, l.active),
    'growth', CASE WHEN l.is_whole AND l.before_is_whole THEN weir.ratio(l.total - l.before, l.before) END) ORDER BY l.start)
  FROM (
    SELECT line.*, lag(line.total) OVER (ORDER BY line.start) AS before,
      lag(line.is_whole) OVER (ORDER BY line.start) AS before_is_whole
    FROM line
  ) AS l
$$;

-- For each user of a whole month, the mean of what they cost.
CREATE OR REPLACE FUNCTION weir.monthly_costs(parts weir.part[], first_day date, last_day date) RETURNS numeric
LANGUAGE sql IMMUTABLE
AS $$
  SELECT weir.ratio(coalesce(sum(p.amount) FILTER (WHERE p.figure = 'total'), 0), sum(p.amount) FILTER (WHERE p.figure = 'active_month'))
  FROM unnest(parts) AS p
  WHERE CASE WHEN p.figure IN ('total', 'active_month')
    THEN weir.is_whole('month', date_trunc('month', p.key::timestamp)::date, first_day, last_day) END
$$;

CREATE OR REPLACE FUNCTION weir.costs_merge(parts weir.part[], first_day date, last_day date) RETURNS jsonb
LANGUAGE sql IMMUTABLE
SET jit = off SET enable_nestloop = off
AS $$
  SELECT a.whole - 'start' || jsonb_build_object('exact', weir.amount_of(parts, 'full') = 0,
    'per_user_and_month', weir.monthly_costs(parts, first_day, last_day),
    'growth', jsonb_build_object('before', a.before, 'rate', weir.ratio((a.whole -> 'total')::numeric - a.before, a.before)),
    'days', weir.costs_trend(parts, 'day', first_day, last_day),
    'weeks', weir.costs_trend(parts, 'week', first_day, last_day),
    'months', weir.costs_trend(parts, 'month', first_day, last_day))
  FROM (SELECT weir.costs_trend(parts, 'all', first_day, last_day) -> 0 AS whole, weir.amount_of(parts, 'before') AS before) AS a
$$;

CREATE OR REPLACE FUNCTION weir.costs_answer(
  tenant text, first_day date, last_day date, zone text DEFAULT 'UTC', measure text DEFAULT 'cost_usd') RETURNS jsonb
LANGUAGE sql STABLE
SET jit = off
AS $$
  SELECT weir.answered(tenant, first_day, last_day, zone, 'days', jsonb_build_object('measure', measure)
    || weir.costs_merge(ARRAY(SELECT p FROM weir.costs_partial(tenant, first_day, last_day, z.name,
      weir.known_measure(tenant, measure)) AS p), first_day, last_day), first_day - (last_day - first_day + 1))
  FROM weir.readable_zone(tenant, zone, first_day - (last_day - first_day + 1), last_day) AS z (name)
$$;
COMMENT ON FUNCTION weir.costs_answer(text, date, date, text, text) IS
  'What a measure adds up to within a window of days, costs if none is named. sql/analytics/costs.sql defines it.';

GRANT EXECUTE ON FUNCTION weir.wanted_measure(text, text), weir.known_measure(text, text),
  weir.measure_kept(text, text, text, date, date), weir.measure_counted(text, text, text, date, date),
  weir.measure_by_day(text, text, text, date, date), weir.measure_full_days(text, text, text, date, date),
  weir.costs_partial(text, date, date, text, text), weir.costs_trend(weir.part[], text, date, date),
  weir.monthly_costs(weir.part[], date, date),
  weir.costs_merge(weir.part[], date, date), weir.costs_answer(text, date, date, text, text) TO weir_reader;
