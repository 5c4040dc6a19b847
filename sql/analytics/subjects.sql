-- Subjects of the roll-ups (weir.day_sets says which there are) within a window, how often each value and by whom,
-- and the numbers and sessions in it: from the roll-ups where the zone is kept and else from the rows, with the same numbers. Values that
-- are beyond a day's thousand are NULL, all together.
SET LOCAL ROLE weir_owner;
SET LOCAL check_function_bodies = off;

-- The name under which a subject's days are kept, NULL where the rows have to be read. Of one event alone a
-- subject is kept where its dimensions are kept by event, or where some dimension has that event and the same
-- properties.
CREATE OR REPLACE FUNCTION weir.kept_as(tenant text, zone text, subject text, only_event text DEFAULT NULL) RETURNS text
LANGUAGE plpgsql STABLE
AS $$
BEGIN
  IF NOT weir.keeps_zone(tenant, zone) THEN
    RETURN NULL;
  ELSIF only_event IS NULL THEN
    RETURN subject;
  END IF;
  RETURN (
    SELECT CASE WHEN said.by_event THEN only_event || '.' || kept_as.subject ELSE (
      SELECT min(own.subject)
      FROM (
        SELECT d.subject
        FROM weir.wanted_dimensions(tenant) AS d
        GROUP BY d.subject
        HAVING bool_and(d.event = only_event AND d.of_users = said.of_users) AND array_agg(d.property ORDER BY d.property) = said.properties
      ) AS own) END
    FROM (
      SELECT bool_and(w.by_event) AS by_event, bool_or(w.of_users) AS of_users, array_agg(w.property ORDER BY w.property) AS properties
      FROM weir.wanted_dimensions(tenant) AS w
      WHERE w.subject = kept_as.subject AND w.event IN (only_event, '*')
    ) AS said);
END
$$;

-- Each occurrence of a value, from the rows, as facts_of_day() finds them. `crash` itself has the value ''.
CREATE OR REPLACE FUNCTION weir.values_of_rows(tenant text, zone text, subject text, only_event text, first_day date, last_day date)
RETURNS TABLE (value text, day date, hour integer, number integer)
LANGUAGE sql STABLE
SET jit = off SET work_mem = '64MB' SET enable_mergejoin = off
AS $$
  WITH span AS MATERIALIZED (
    SELECT lower(weir.span_of_day(values_of_rows.zone, first_day)) AS since, upper(weir.span_of_day(values_of_rows.zone, last_day)) AS until
  ), happened AS NOT MATERIALIZED (
    SELECT e.at::date AS day, extract(hour FROM e.at)::integer AS hour, e.number, left(e.event, 256) AS event,
      e.version AS app_version, e.platform, e.country, CASE WHEN jsonb_typeof(e.properties) = 'object' THEN e.properties END AS properties
    FROM (
      SELECT h.event, CASE WHEN h.number >= 0 THEN h.number::integer END AS number, h.at AT TIME ZONE values_of_rows.zone AS at, h.version,
        h.platform, h.country, h.properties
      FROM weir.all_happened(values_of_rows.tenant, lower(weir.span_of_day(values_of_rows.zone, first_day)),
        upper(weir.span_of_day(values_of_rows.zone, last_day)), CASE WHEN values_of_rows.subject IN ('version', 'platform', 'country')
          THEN ARRAY[values_of_rows.subject] WHEN values_of_rows.subject IN ('active', 'event') THEN '{}'::text[] ELSE '{properties}' END) AS h
    ) AS e
    WHERE e.at >= first_day AND e.at < last_day + 1 AND (only_event IS NULL OR left(e.event, 256) = only_event)
  ), fell AS NOT MATERIALIZED (
    SELECT c.at::date AS day, extract(hour FROM c.at)::integer AS hour, u.number, c.app_version, c.os_version, c.crash_type, c.fingerprint
    FROM (
      SELECT *, "timestamp" AT TIME ZONE values_of_rows.zone AS at FROM weir.crashes
      WHERE tenant_id = values_of_rows.tenant
        AND "timestamp" >= (SELECT s.since FROM span AS s) AND "timestamp" < (SELECT s.until FROM span AS s)
    ) AS c
    LEFT JOIN weir.user_numbers AS u ON u.tenant_id = values_of_rows.tenant AND u.user_id = c.user_id
    WHERE c.at >= first_day AND c.at < last_day + 1
  ), wanted AS MATERIALIZED (
    SELECT d.event, d.property, d.of_users FROM weir.wanted_dimensions(values_of_rows.tenant) AS d WHERE d.subject = values_of_rows.subject
  ), said AS MATERIALIZED (
    SELECT v.value, v.day, v.hour, v.number
    FROM (
      SELECT CASE values_of_rows.subject WHEN 'active' THEN '' WHEN 'event' THEN h.event
        WHEN 'version' THEN left(nullif(h.app_version, ''), 256) WHEN 'platform' THEN left(nullif(h.platform, ''), 256)
        WHEN 'country' THEN left(nullif(h.country, ''), 256) END AS value, h.day, h.hour, h.number
      FROM happened AS h
      WHERE values_of_rows.subject IN ('active', 'event', 'version', 'platform', 'country')
      UNION ALL
      SELECT left(nullif(h.properties ->> d.property, ''), 256), h.day, h.hour, h.number
      FROM happened AS h
      JOIN wanted AS d ON d.event IN (h.event, '*')
      WHERE jsonb_typeof(h.properties -> d.property) IN ('string', 'number', 'boolean') AND (h.number IS NOT NULL OR NOT d.of_users)
      UNION ALL
      SELECT CASE values_of_rows.subject WHEN 'crash' THEN '' WHEN 'crash_version' THEN left(nullif(f.app_version, ''), 256)
        WHEN 'crash_os' THEN left(nullif(f.os_version, ''), 256) WHEN 'crash_type' THEN left(nullif(f.crash_type, ''), 256)
        WHEN 'crash_group' THEN left(nullif(f.fingerprint, ''), 256) END, f.day, f.hour, f.number
      FROM fell AS f
      WHERE starts_with(values_of_rows.subject, 'crash')
    ) AS v
    WHERE v.value IS NOT NULL
  ), ranked AS (
    SELECT s.day, s.value,
      row_number() OVER (PARTITION BY s.day ORDER BY count(*) DESC, s.value COLLATE "C") > 1000 AS beyond
    FROM said AS s
    GROUP BY s.day, s.value
  )
  SELECT CASE WHEN NOT r.beyond THEN s.value END, s.day, s.hour, s.number
  FROM said AS s
  JOIN ranked AS r ON r.day = s.day AND r.value = s.value
$$;

-- Whose events had a value, by day. Without settings of its own, so that it becomes part of what asks: sets need not
-- be stored in between, and one that asks for some values alone finds them by the index.
CREATE OR REPLACE FUNCTION weir.sets_in(tenant text, zone text, subject text, only_event text, first_day date, last_day date)
RETURNS TABLE (value text, day date, chunk integer, users bit)
LANGUAGE sql STABLE
AS $$
  SELECT d.value, d.day, d.chunk, d.users
  FROM weir.day_sets AS d
  WHERE d.tenant_id = sets_in.tenant AND d.zone = sets_in.zone AND d.day BETWEEN first_day AND last_day
    AND d.subject = (SELECT weir.kept_as(sets_in.tenant, sets_in.zone, sets_in.subject, only_event))
  UNION ALL
  SELECT NULL, d.day, d.chunk, d.users
  FROM weir.day_sets AS d
  WHERE d.tenant_id = sets_in.tenant AND d.zone = sets_in.zone AND d.day BETWEEN first_day AND last_day
    AND d.subject = (SELECT weir.kept_as(sets_in.tenant, sets_in.zone, sets_in.subject, only_event)) || '_other'
  UNION ALL
  SELECT r.value, r.day, r.number / 20480, weir.at_bits(r.number % 20480, 1)
  FROM (SELECT WHERE weir.kept_as(sets_in.tenant, sets_in.zone, sets_in.subject, only_event) IS NULL) AS rows_are_needed,
    LATERAL weir.values_of_rows(tenant, zone, subject, only_event, first_day, last_day) AS r
  WHERE r.number IS NOT NULL
  GROUP BY r.value, r.day, r.number / 20480
$$;

-- The days of a window that are in no whole week of it, from one to another; all of them, where no weeks are kept.
CREATE OR REPLACE FUNCTION weir.days_beside_weeks(tenant text, zone text, first_day date, last_day date) RETURNS TABLE (since date, until date)
LANGUAGE sql STABLE ROWS 2
AS $$
  SELECT e.since, e.until
  FROM (SELECT weir.keeps_zone(tenant, zone) AS is_kept) AS z
  CROSS JOIN LATERAL (VALUES (first_day, CASE WHEN z.is_kept THEN least(weir.first_monday(first_day) - 1, last_day) ELSE last_day END),
    (CASE WHEN z.is_kept THEN weir.last_monday(first_day, last_day) END, last_day)) AS e (since, until)
  WHERE e.since <= e.until
$$;

-- The same by week, of a Monday's date; a week that the window cuts has what is within it.
CREATE OR REPLACE FUNCTION weir.weeks_in(tenant text, zone text, subject text, first_day date, last_day date)
RETURNS TABLE (value text, week date, chunk integer, users bit)
LANGUAGE sql STABLE
AS $$
  SELECT w.value, w.week, w.chunk, w.users
  FROM weir.week_sets AS w
  WHERE w.tenant_id = weeks_in.tenant AND w.zone = weeks_in.zone AND w.subject = (SELECT weir.kept_as(weeks_in.tenant, weeks_in.zone, weeks_in.subject))
    AND w.week >= weir.first_monday(first_day) AND w.week < weir.last_monday(first_day, last_day)
  UNION ALL
  SELECT s.value, weir.monday_of(s.day), s.chunk, bit_or(s.users)
  FROM weir.days_beside_weeks(weeks_in.tenant, weeks_in.zone, first_day, last_day) AS e,
    LATERAL weir.sets_in(weeks_in.tenant, weeks_in.zone, weeks_in.subject, NULL, e.since, e.until) AS s
  WHERE s.value IS NOT NULL
  GROUP BY s.value, weir.monday_of(s.day), s.chunk
$$;

-- Who is in any of the sets, and who in more than one.
CREATE OR REPLACE FUNCTION weir.in_some(sets varbit[], OUT users varbit, OUT again varbit)
LANGUAGE plpgsql IMMUTABLE
AS $$
DECLARE
  one varbit;
BEGIN
  users := sets[1];
  again := users # users;
  FOREACH one IN ARRAY sets[2:] LOOP
    again := again | (users & one);
    users := users | one;
  END LOOP;
END
$$;

-- How many events had a value, by day; hours are those of the clock.
CREATE OR REPLACE FUNCTION weir.counts_in(tenant text, zone text, subject text, only_event text, first_day date, last_day date)
RETURNS TABLE (value text, day date, events bigint, hours bigint[])
LANGUAGE sql STABLE
AS $$
  SELECT d.value, d.day, d.events, d.hours
  FROM weir.day_counts AS d
  WHERE d.tenant_id = counts_in.tenant AND d.zone = counts_in.zone AND d.day BETWEEN first_day AND last_day
    AND d.subject = (SELECT weir.kept_as(counts_in.tenant, counts_in.zone, counts_in.subject, only_event))
  UNION ALL
  SELECT NULL, d.day, d.events, d.hours
  FROM weir.day_counts AS d
  WHERE d.tenant_id = counts_in.tenant AND d.zone = counts_in.zone AND d.day BETWEEN first_day AND last_day
    AND d.subject = (SELECT weir.kept_as(counts_in.tenant, counts_in.zone, counts_in.subject, only_event)) || '_other'
  UNION ALL
  SELECT r.value, r.day, sum(r.events)::bigint, ARRAY(
    SELECT coalesce((jsonb_object_agg(r.hour, r.events) ->> clock.hour::text)::bigint, 0)
    FROM generate_series(0, 23) AS clock (hour) ORDER BY clock.hour)
  FROM (
    SELECT v.value, v.day, v.hour, count(*) AS events
    FROM (SELECT WHERE weir.kept_as(counts_in.tenant, counts_in.zone, counts_in.subject, only_event) IS NULL) AS rows_are_needed,
      LATERAL weir.values_of_rows(tenant, zone, subject, only_event, first_day, last_day) AS v
    GROUP BY v.value, v.day, v.hour
  ) AS r
  GROUP BY r.value, r.day
$$;

-- Numbers in properties: as day_numbers has them, in one or more rows for each event and property.
CREATE OR REPLACE FUNCTION weir.numbers_in(tenant text, zone text, wanted text[], first_day date, last_day date)
RETURNS TABLE (event text, property text, numbers bigint, total numeric, lowest numeric, highest numeric, slots integer[], counts bigint[])
LANGUAGE sql STABLE
SET jit = off SET work_mem = '64MB'
AS $$
  SELECT d.event, d.property, d.numbers, d.total, d.lowest, d.highest, d.slots, d.counts
  FROM weir.day_numbers AS d
  WHERE d.tenant_id = numbers_in.tenant AND d.zone = numbers_in.zone AND d.property = ANY (wanted)
    AND d.day BETWEEN first_day AND last_day AND weir.keeps_zone(tenant, numbers_in.zone)
  UNION ALL
  SELECT n.event, n.property, sum(n.numbers)::bigint, sum(n.total), min(n.lowest), max(n.highest),
    array_agg(n.slot ORDER BY n.slot), array_agg(n.numbers ORDER BY n.slot)
  FROM (
    SELECT left(e.event, 256) AS event, left(p.key, 256) AS property, weir.slot_of(p.value::numeric) AS slot,
      count(*) AS numbers, sum(p.value::numeric) AS total, min(p.value::numeric) AS lowest, max(p.value::numeric) AS highest
    FROM weir.all_happened(tenant, lower(weir.span_of_day(zone, first_day)), upper(weir.span_of_day(zone, last_day)), '{properties}') AS e,
      jsonb_each(CASE WHEN jsonb_typeof(e.properties) = 'object' THEN e.properties END) AS p
    WHERE (SELECT NOT weir.keeps_zone(tenant, zone)) AND (e.at AT TIME ZONE zone)::date BETWEEN first_day AND last_day
      AND left(p.key, 256) = ANY (wanted)
      AND CASE jsonb_typeof(p.value) WHEN 'number' THEN abs(p.value::numeric) < 1e300 ELSE false END
    GROUP BY 1, 2, 3
  ) AS n
  GROUP BY n.event, n.property
$$;

-- Sessions that began within the window, by day.
CREATE OR REPLACE FUNCTION weir.sessions_in(tenant text, zone text, first_day date, last_day date)
RETURNS TABLE (day date, sessions bigint, crashed bigint, seconds numeric, slots integer[], counts bigint[])
LANGUAGE sql STABLE
SET jit = off
AS $$
  SELECT d.day, d.sessions, d.crashed, d.seconds, d.slots, d.counts
  FROM weir.day_sessions AS d
  WHERE d.tenant_id = sessions_in.tenant AND d.zone = sessions_in.zone
    AND d.day BETWEEN first_day AND last_day AND weir.keeps_zone(tenant, sessions_in.zone)
  UNION ALL
  SELECT l.day, s.sessions, s.crashed, s.seconds, s.slots, s.counts
  FROM (SELECT first_day + n AS day FROM generate_series(0, last_day - first_day) AS n
    WHERE NOT weir.keeps_zone(tenant, zone)) AS l,
    LATERAL weir.sessions_of_day(tenant, zone, l.day) AS s
$$;

-- Values of a subject: parts NAME_events and NAME_users by value, NAME_other_events and NAME_other_users. Users of whole weeks
-- are read from the weeks, which are kept of the same subjects as days.
CREATE OR REPLACE FUNCTION weir.subject_partial(name text, tenant text, first_day date, last_day date, zone text, subject text,
  only_event text DEFAULT NULL)
RETURNS SETOF weir.part
LANGUAGE plpgsql STABLE
SET jit = off SET work_mem = '64MB' SET plan_cache_mode = force_custom_plan
AS $$
DECLARE
  kept constant text := weir.kept_as(tenant, zone, subject, only_event);
  monday constant date := weir.first_monday(first_day);
  end_monday constant date := weir.last_monday(first_day, last_day);
BEGIN
  IF kept IS NULL THEN
    RETURN QUERY
    WITH happened AS MATERIALIZED (
      SELECT r.value, r.number FROM weir.values_of_rows(tenant, zone, subject, only_event, first_day, last_day) AS r
    )
    SELECT name || CASE WHEN h.value IS NULL THEN '_other' ELSE '' END || f.figure, coalesce(h.value, ''), f.amount::numeric
    FROM (SELECT h.value, count(*) AS events, count(DISTINCT h.number) AS users FROM happened AS h GROUP BY h.value) AS h,
      LATERAL (VALUES ('_events', h.events), ('_users', h.users)) AS f (figure, amount)
    WHERE f.figure = '_events' OR f.amount > 0;
    RETURN;
  END IF;
  RETURN QUERY
  SELECT name || CASE c.subject WHEN kept THEN '' ELSE '_other' END || '_events', c.value, sum(c.events)
  FROM weir.day_counts AS c
  WHERE c.tenant_id = subject_partial.tenant AND c.zone = subject_partial.zone AND c.subject IN (kept, kept || '_other')
    AND c.day BETWEEN first_day AND last_day
  GROUP BY c.subject, c.value
  UNION ALL
  SELECT name || CASE u.subject WHEN kept THEN '' ELSE '_other' END || '_users', u.value, sum(bit_count(u.users))
  FROM (
    SELECT s.subject, s.value, s.chunk, bit_or(s.users) AS users
    FROM (
      SELECT w.subject, w.value, w.chunk, w.users
      FROM weir.week_sets AS w
      WHERE w.tenant_id = subject_partial.tenant AND w.zone = subject_partial.zone AND w.subject IN (kept, kept || '_other')
        AND w.week >= monday AND w.week < end_monday
      UNION ALL
      SELECT d.subject, d.value, d.chunk, d.users
      FROM weir.day_sets AS d
      WHERE d.tenant_id = subject_partial.tenant AND d.zone = subject_partial.zone AND d.subject IN (kept, kept || '_other')
        AND (d.day >= first_day AND d.day < least(monday, last_day + 1) OR d.day >= end_monday AND d.day <= last_day)
    ) AS s
    GROUP BY s.subject, s.value, s.chunk
  ) AS u
  GROUP BY u.subject, u.value;
END
$$;

-- How many events or crashes each value had in all, and 'X_other', '' for those of values beyond the bound of
-- a day (docs/rollups.md). Each server's parts have all of its values, so that the merge can rank them.
CREATE OR REPLACE FUNCTION weir.values_partial(tenant text, first_day date, last_day date, zone text, subjects text[])
RETURNS SETOF weir.part
LANGUAGE sql STABLE
SET jit = off
AS $$
  SELECT CASE WHEN v.value IS NULL THEN s || '_other' ELSE s END, coalesce(v.value, ''), sum(v.events)
  FROM unnest(subjects) AS s, LATERAL weir.counts_in(tenant, zone, s, NULL, first_day, last_day) AS v
  GROUP BY s, v.value
$$;

-- How many users had each of the wanted values within the window: figure X_users, key the value. Planned for what is asked, so
-- that a few of many values are found by the index.
CREATE OR REPLACE FUNCTION weir.value_users_partial(
  tenant text, first_day date, last_day date, zone text, subject text, wanted text[])
RETURNS SETOF weir.part
LANGUAGE plpgsql STABLE
SET jit = off SET work_mem = '64MB' SET plan_cache_mode = force_custom_plan
AS $$
DECLARE
  kept constant text := weir.kept_as(tenant, zone, subject);
  monday constant date := weir.first_monday(first_day);
  end_monday constant date := weir.last_monday(first_day, last_day);
BEGIN
  IF kept IS NULL THEN
    RETURN QUERY
    SELECT subject || '_users', u.value, sum(bit_count(u.users))
    FROM (
      SELECT s.value, s.chunk, bit_or(s.users) AS users FROM weir.sets_in(tenant, zone, subject, NULL, first_day, last_day) AS s
      WHERE s.value = ANY (wanted)
      GROUP BY s.value, s.chunk
    ) AS u
    GROUP BY u.value;
    RETURN;
  END IF;
  RETURN QUERY
  SELECT value_users_partial.subject || '_users', u.value, sum(bit_count(u.users))
  FROM (
    SELECT s.value, s.chunk, bit_or(s.users) AS users
    FROM (
      SELECT w.value, w.chunk, w.users
      FROM weir.week_sets AS w
      WHERE w.tenant_id = value_users_partial.tenant AND w.zone = value_users_partial.zone AND w.subject = kept
        AND w.value = ANY (wanted) AND w.week >= monday AND w.week < end_monday
      UNION ALL
      SELECT d.value, d.chunk, d.users
      FROM weir.day_sets AS d
      WHERE d.tenant_id = value_users_partial.tenant AND d.zone = value_users_partial.zone AND d.subject = kept
        AND d.value = ANY (wanted) AND d.day >= first_day AND d.day < least(monday, last_day + 1)
      UNION ALL
      SELECT d.value, d.chunk, d.users
      FROM weir.day_sets AS d
      WHERE d.tenant_id = value_users_partial.tenant AND d.zone = value_users_partial.zone AND d.subject = kept
        AND d.value = ANY (wanted) AND d.day >= end_monday AND d.day <= last_day
    ) AS s
    GROUP BY s.value, s.chunk
  ) AS u
  GROUP BY u.value;
END
$$;

-- The values with the most events on all servers together, those of the same number by name.
CREATE OR REPLACE FUNCTION weir.most_common(parts weir.part[], subject text, most integer) RETURNS text[]
LANGUAGE sql IMMUTABLE
AS $$
  SELECT ARRAY(
    SELECT p.key FROM unnest(parts) AS p WHERE p.figure = subject
    GROUP BY p.key
    ORDER BY sum(p.amount) DESC, p.key COLLATE "C"
    LIMIT most)
$$;

-- The hundred values with the most events, how many more there are, and what is beyond a day's thousand.
CREATE OR REPLACE FUNCTION weir.value_list(parts weir.part[], name text) RETURNS jsonb
LANGUAGE sql IMMUTABLE
AS $$
  WITH sums AS MATERIALIZED (
    SELECT p.key AS value, sum(p.amount) FILTER (WHERE p.figure = name || '_events') AS events,
      coalesce(sum(p.amount) FILTER (WHERE p.figure = name || '_users'), 0) AS users
    FROM unnest(parts) AS p
    WHERE p.figure IN (name || '_events', name || '_users')
    GROUP BY p.key
  ), whole AS (
    SELECT coalesce(sum(s.events), 0) + weir.amount_of(parts, name || '_other_events') AS events FROM sums AS s
  ), top AS (
    SELECT s.* FROM sums AS s ORDER BY s.events DESC, s.value COLLATE "C" LIMIT 100
  )
  SELECT jsonb_build_object(
    'values', coalesce((SELECT jsonb_agg(jsonb_build_object('value', t.value, 'events', t.events, 'users', t.users,
      'share', weir.ratio(t.events, w.events)) ORDER BY t.events DESC, t.value COLLATE "C") FROM top AS t), '[]'),
    'more', greatest((SELECT count(*) FROM sums) - 100, 0),
    'other', jsonb_build_object('events', weir.amount_of(parts, name || '_other_events'),
      'users', weir.amount_of(parts, name || '_other_users')))
  FROM whole AS w
$$;

-- Counts, sums, extremes and percentiles from the parts NAME_count, NAME_total, NAME_lowest, NAME_highest and,
-- for each slot of the histogram, NAME_slot. The percentile p is the value below which or at which p % of all
-- are: its slot's, so that it is off by 1 % at most, but within the extremes where they are known.
CREATE OR REPLACE FUNCTION weir.distribution_at(parts weir.part[], name text, percents integer[]) RETURNS jsonb
LANGUAGE sql IMMUTABLE
AS $$
  WITH slots AS MATERIALIZED (
    SELECT s.slot, sum(s.counts) OVER (ORDER BY s.slot) AS so_far
    FROM (
      SELECT p.key::integer AS slot, sum(p.amount) AS counts
      FROM unnest(parts) AS p WHERE p.figure = name || '_slot'
      GROUP BY p.key
    ) AS s
  ), known AS (
    SELECT weir.amount_of(parts, name || '_count') AS numbers, weir.amount_of(parts, name || '_total') AS total,
      min(p.amount) FILTER (WHERE p.figure = name || '_lowest') AS lowest,
      max(p.amount) FILTER (WHERE p.figure = name || '_highest') AS highest
    FROM unnest(parts) AS p
  )
  SELECT jsonb_build_object('count', k.numbers, 'total', k.total, 'mean', weir.ratio(k.total, k.numbers),
      'lowest', k.lowest, 'highest', k.highest)
    || (SELECT jsonb_object_agg('p' || q.percent, greatest(k.lowest, least(k.highest, (
        SELECT trim_scale(to_char(weir.value_of_slot(min(s.slot)), '9.99999EEEE')::numeric) FROM slots AS s
        WHERE s.so_far >= k.numbers * q.percent / 100)))) FROM unnest(percents) AS q (percent))
  FROM known AS k
$$;

CREATE OR REPLACE FUNCTION weir.distribution(parts weir.part[], name text) RETURNS jsonb
LANGUAGE sql IMMUTABLE
AS $$ SELECT weir.distribution_at(parts, name, ARRAY[50, 75, 90, 95, 99]) $$;

GRANT EXECUTE ON FUNCTION weir.kept_as(text, text, text, text), weir.values_of_rows(text, text, text, text, date, date),
  weir.sets_in(text, text, text, text, date, date), weir.days_beside_weeks(text, text, date, date), weir.weeks_in(text, text, text, date, date), weir.in_some(varbit[]),
  weir.counts_in(text, text, text, text, date, date),
  weir.numbers_in(text, text, text[], date, date), weir.sessions_in(text, text, date, date),
  weir.subject_partial(text, text, date, date, text, text, text), weir.values_partial(text, date, date, text, text[]),
  weir.value_users_partial(text, date, date, text, text, text[]), weir.most_common(weir.part[], text, integer),
  weir.value_list(weir.part[], text), weir.distribution_at(weir.part[], text, integer[]), weir.distribution(weir.part[], text) TO weir_reader;
