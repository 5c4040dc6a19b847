-- What every answer stands on: whether a zone's days are kept and until when rows are counted; who was there, who was
-- new and how many events there were on each day, from the roll-ups where the zone is kept and else from the rows,
-- with the same numbers; days, weeks and months of a window; figures out of an answer's parts.
SET LOCAL ROLE weir_owner;
SET LOCAL check_function_bodies = off;

-- An answer asks it dozens of times: in PL/pgSQL, whose plans a session keeps.
CREATE OR REPLACE FUNCTION weir.keeps_zone(tenant text, zone text) RETURNS boolean
LANGUAGE plpgsql STABLE
AS $$
BEGIN
  RETURN zone = 'UTC' OR EXISTS (
    SELECT FROM weir.report_zones AS z
    WHERE z.tenant_id = tenant AND z.zone = keeps_zone.zone AND z.ready_at IS NOT NULL);
END
$$;

-- The zone, or an error if its days are not kept and the events of what an answer looks at, which may be more than its window, are more than are read for an answer: a
-- hundred thousand, unless weir.read_at_most is set to another number. (Some answers read them ten times, and those of a
-- tenant among larger ones lie far apart, at 20 µs each.) How many they are, UTC's days say.
CREATE OR REPLACE FUNCTION weir.readable_zone(tenant text, zone text, first_day date, last_day date) RETURNS text
LANGUAGE plpgsql STABLE
AS $$
DECLARE
  most constant bigint := coalesce(nullif(current_setting('weir.read_at_most', true), '')::bigint, 100000);
  found bigint;
BEGIN
  IF weir.keeps_zone(tenant, zone) THEN
    RETURN zone;
  END IF;
  SELECT sum(d.events) INTO found
  FROM weir.day_counts AS d
  WHERE d.tenant_id = tenant AND d.zone = 'UTC' AND d.subject = 'active' AND d.value = ''
    AND d.day BETWEEN first_day - 1 AND last_day + 1;
  IF found > most THEN
    RAISE invalid_parameter_value USING COLUMN = 'tz', MESSAGE = format(
      CASE WHEN EXISTS (SELECT FROM weir.report_zones AS z WHERE z.tenant_id = tenant AND z.zone = readable_zone.zone)
        THEN 'Days in %1$s are still being built (`weirctl rollup status`), and those that this looks at, %4$s to %5$s in UTC, have %2$s '
          'events, more than the %3$s that are read: ask for fewer days or for UTC until they are'
        ELSE 'Days in %1$s are not kept, and those that this looks at, %4$s to %5$s in UTC, have %2$s events, more than the %3$s that are '
          'read: ask for fewer days or for UTC, or have them kept (`weirctl rollup zones --tenant TENANT --add %1$s`)' END,
      zone, found, most, first_day - 1, last_day + 1);
  END IF;
  RETURN zone;
END
$$;

-- All that was stored before is counted. NULL while a rebuild goes on.
CREATE OR REPLACE FUNCTION weir.counted_until(tenant text) RETURNS timestamptz
LANGUAGE sql STABLE
AS $$
  SELECT nullif(coalesce(min(t.marked_at), now()), '-infinity')
  FROM weir.touched_days AS t WHERE t.tenant_id = tenant AND t.zone IS NULL
$$;

-- The events of a window with their local day, where they have to be read.
CREATE OR REPLACE FUNCTION weir.rows_in(tenant text, zone text, first_day date, last_day date)
RETURNS TABLE (day date, number integer)
LANGUAGE sql STABLE
AS $$
  SELECT (e.at AT TIME ZONE zone)::date, CASE WHEN e.number >= 0 THEN e.number::integer END
  FROM weir.all_happened(tenant, lower(weir.span_of_day(zone, first_day)), upper(weir.span_of_day(zone, last_day)), '{}') AS e
  WHERE (e.at AT TIME ZONE zone)::date BETWEEN first_day AND last_day
$$;

-- Who had an event on each day. Sets are handed out unpacked, since whoever asks looks at them several times.
CREATE OR REPLACE FUNCTION weir.active_users(tenant text, zone text, first_day date, last_day date)
RETURNS TABLE (day date, chunk integer, users bit)
LANGUAGE sql STABLE
SET jit = off
AS $$
  SELECT d.day, d.chunk, ~ ~d.users
  FROM weir.day_sets AS d
  WHERE d.tenant_id = active_users.tenant AND d.zone = active_users.zone AND d.subject = 'active' AND d.value = ''
    AND d.day BETWEEN first_day AND last_day AND weir.keeps_zone(tenant, active_users.zone)
  UNION ALL
  SELECT r.day, r.number / 20480, weir.at_bits(r.number % 20480, 1)
  FROM weir.rows_in(tenant, zone, first_day, last_day) AS r
  WHERE NOT weir.keeps_zone(tenant, active_users.zone) AND r.number IS NOT NULL
  GROUP BY r.day, r.number / 20480
$$;

-- The first Monday of a window, and the one after its last whole week; the same where it holds no whole week.
CREATE OR REPLACE FUNCTION weir.first_monday(first_day date) RETURNS date
LANGUAGE sql IMMUTABLE
AS $$ SELECT weir.monday_of(first_day + 6) $$;

CREATE OR REPLACE FUNCTION weir.last_monday(first_day date, last_day date) RETURNS date
LANGUAGE sql IMMUTABLE
AS $$ SELECT greatest(weir.monday_of(last_day + 1), weir.monday_of(first_day + 6)) $$;

-- The sets of a value within a window, in as few rows as there are: of a whole week one, which begins on its Monday, else
-- one for each day. For zones that are kept. Without settings of its own, so that it becomes part of what asks.
CREATE OR REPLACE FUNCTION weir.sets_between(tenant text, zone text, subject text, value text, first_day date, last_day date)
RETURNS TABLE (start date, chunk integer, users bit)
LANGUAGE sql STABLE
AS $$
  SELECT w.week, w.chunk, w.users
  FROM weir.week_sets AS w
  WHERE w.tenant_id = sets_between.tenant AND w.zone = sets_between.zone AND w.subject = sets_between.subject
    AND w.value = sets_between.value AND w.week >= weir.first_monday(first_day) AND w.week < weir.last_monday(first_day, last_day)
  UNION ALL
  SELECT d.day, d.chunk, d.users
  FROM weir.day_sets AS d
  WHERE d.tenant_id = sets_between.tenant AND d.zone = sets_between.zone AND d.subject = sets_between.subject
    AND d.value = sets_between.value AND d.day >= first_day AND d.day < least(weir.first_monday(first_day), last_day + 1)
  UNION ALL
  SELECT d.day, d.chunk, d.users
  FROM weir.day_sets AS d
  WHERE d.tenant_id = sets_between.tenant AND d.zone = sets_between.zone AND d.subject = sets_between.subject
    AND d.value = sets_between.value AND d.day >= weir.last_monday(first_day, last_day) AND d.day <= last_day
$$;

-- Whose earliest event was on each day: known in every zone without the rows.
CREATE OR REPLACE FUNCTION weir.new_users(tenant text, zone text, first_day date, last_day date)
RETURNS TABLE (day date, chunk integer, users bit)
LANGUAGE sql STABLE
SET jit = off
AS $$
  SELECT d.day, d.chunk, ~ ~d.users
  FROM weir.day_sets AS d
  WHERE d.tenant_id = new_users.tenant AND d.zone = new_users.zone AND d.subject = 'new' AND d.value = ''
    AND d.day BETWEEN first_day AND last_day AND weir.keeps_zone(tenant, new_users.zone)
  UNION ALL
  SELECT n.day, n.number / 20480, weir.at_bits(n.number % 20480, 1)
  FROM (
    SELECT (u.first_at AT TIME ZONE zone)::date AS day, u.number
    FROM weir.user_numbers AS u
    WHERE NOT weir.keeps_zone(tenant, zone) AND u.tenant_id = tenant
      AND u.first_at >= lower(weir.span_of_day(zone, first_day)) AND u.first_at < upper(weir.span_of_day(zone, last_day))
  ) AS n
  WHERE n.day BETWEEN first_day AND last_day
  GROUP BY n.day, n.number / 20480
$$;

-- How many users were met until the end of a day.
CREATE OR REPLACE FUNCTION weir.users_until(tenant text, zone text, last_day date) RETURNS numeric
LANGUAGE sql STABLE
AS $$
  SELECT CASE WHEN weir.keeps_zone(tenant, users_until.zone) THEN (
    SELECT coalesce(sum(d.events), 0)
    FROM weir.day_counts AS d
    WHERE d.tenant_id = tenant AND d.zone = users_until.zone AND d.subject = 'new' AND d.value = '' AND d.day <= last_day
  ) ELSE (
    SELECT count(*)
    FROM weir.user_numbers AS u
    WHERE u.tenant_id = tenant AND u.first_at < upper(weir.span_of_day(users_until.zone, last_day))
      AND (u.first_at AT TIME ZONE users_until.zone)::date <= last_day
  ) END
$$;

-- How many events each day had, those without a user too.
CREATE OR REPLACE FUNCTION weir.events_by_day(tenant text, zone text, first_day date, last_day date)
RETURNS TABLE (day date, events bigint)
LANGUAGE sql STABLE
SET jit = off
AS $$
  SELECT d.day, d.events
  FROM weir.day_counts AS d
  WHERE d.tenant_id = events_by_day.tenant AND d.zone = events_by_day.zone AND d.subject = 'active' AND d.value = ''
    AND d.day BETWEEN first_day AND last_day AND weir.keeps_zone(tenant, events_by_day.zone)
  UNION ALL
  SELECT r.day, count(*)
  FROM weir.rows_in(tenant, zone, first_day, last_day) AS r
  WHERE NOT weir.keeps_zone(tenant, events_by_day.zone)
  GROUP BY r.day
$$;

-- The first day of each day, week or month of a window; 'all' is the window itself.
CREATE OR REPLACE FUNCTION weir.starts(unit text, first_day date, last_day date) RETURNS SETOF date
LANGUAGE sql IMMUTABLE
AS $$
  SELECT first_day WHERE unit = 'all'
  UNION ALL
  SELECT s::date
  FROM generate_series(date_trunc(nullif(unit, 'all'), first_day::timestamp), last_day::timestamp,
    ('1 ' || nullif(unit, 'all'))::interval) AS s
$$;

-- Whether a window holds the whole day, week or month that begins then.
CREATE OR REPLACE FUNCTION weir.is_whole(unit text, start date, first_day date, last_day date) RETURNS boolean
LANGUAGE sql IMMUTABLE
AS $$
  SELECT unit <> 'all' AND start >= first_day AND start + ('1 ' || nullif(unit, 'all'))::interval <= last_day + 1
$$;

-- How many days, weeks or months lie between two beginnings of such.
CREATE OR REPLACE FUNCTION weir.units_between(unit text, earlier date, later date) RETURNS integer
LANGUAGE sql IMMUTABLE
AS $$
  SELECT CASE unit WHEN 'day' THEN later - earlier WHEN 'week' THEN (later - earlier) / 7
    ELSE (extract(year FROM later) - extract(year FROM earlier))::integer * 12
      + (extract(month FROM later) - extract(month FROM earlier))::integer END
$$;

-- A figure of an answer's parts, all servers together; 0 where no part has it.
CREATE OR REPLACE FUNCTION weir.amount_of(parts weir.part[], figure text, key text DEFAULT '') RETURNS numeric
LANGUAGE sql IMMUTABLE
AS $$
  SELECT coalesce(sum(p.amount), 0) FROM unnest(parts) AS p WHERE p.figure = amount_of.figure AND p.key = amount_of.key
$$;

CREATE OR REPLACE FUNCTION weir.ratio(part numeric, whole numeric) RETURNS numeric
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT round(part / nullif(whole, 0), 6) $$;

GRANT EXECUTE ON FUNCTION weir.keeps_zone(text, text), weir.counted_until(text), weir.readable_zone(text, text, date, date),
  weir.first_monday(date), weir.last_monday(date, date), weir.sets_between(text, text, text, text, date, date),
  weir.rows_in(text, text, date, date), weir.active_users(text, text, date, date),
  weir.new_users(text, text, date, date), weir.users_until(text, text, date), weir.events_by_day(text, text, date, date),
  weir.starts(text, date, date), weir.is_whole(text, date, date, date), weir.units_between(text, date, date),
  weir.amount_of(weir.part[], text, text), weir.ratio(numeric, numeric) TO weir_reader;
