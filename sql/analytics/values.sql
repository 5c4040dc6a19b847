-- What several subjects need: the values of a subject (versions, countries, groups of crashes, …) by day, how
-- often and by whom, from the roll-ups where the zone is kept and else from the rows, with the same numbers.
--
-- Functions without a SET are put into the query that calls them, so that sets of users need not be stored in
-- between.
SET LOCAL ROLE weir_owner;
SET LOCAL check_function_bodies = off;

-- The events of a window that have a value of the subject: of a column, or of a dimension.
CREATE OR REPLACE FUNCTION weir.event_values(tenant text, zone text, subject text, first_day date, last_day date)
RETURNS TABLE (day date, value text, number integer)
LANGUAGE sql STABLE
AS $$
  WITH happened AS (
    SELECT (e."timestamp" AT TIME ZONE event_values.zone)::date AS day, u.number, e.event, e.app_version, e.platform, e.country, e.properties
    FROM weir.events AS e
    LEFT JOIN weir.user_numbers AS u ON u.tenant_id = event_values.tenant AND u.user_id = e.user_id
    WHERE e.tenant_id = event_values.tenant
      AND e."timestamp" >= lower(weir.span_of_day(event_values.zone, first_day))
      AND e."timestamp" < upper(weir.span_of_day(event_values.zone, last_day))
      AND (e."timestamp" AT TIME ZONE event_values.zone)::date BETWEEN first_day AND last_day
  )
  SELECT h.day, left(v.value, 256), h.number
  FROM happened AS h
  CROSS JOIN LATERAL (
    SELECT CASE event_values.subject WHEN 'version' THEN h.app_version WHEN 'platform' THEN h.platform ELSE h.country END AS value
  ) AS v
  WHERE event_values.subject IN ('version', 'platform', 'country') AND v.value <> ''
  UNION ALL
  SELECT h.day, left(h.properties ->> d.property, 256), h.number
  FROM happened AS h
  JOIN weir.wanted_dimensions(event_values.tenant) AS d ON d.event IN (left(h.event, 256), '*')
  WHERE d.subject = event_values.subject AND jsonb_typeof(h.properties) = 'object'
    AND jsonb_typeof(h.properties -> d.property) IN ('string', 'number', 'boolean') AND h.properties ->> d.property <> ''
$$;

-- The same of crashes; `crash` itself has the value ''.
CREATE OR REPLACE FUNCTION weir.crash_values(tenant text, zone text, subject text, first_day date, last_day date)
RETURNS TABLE (day date, value text, number integer)
LANGUAGE sql STABLE
AS $$
  SELECT (c."timestamp" AT TIME ZONE crash_values.zone)::date, v.value, u.number
  FROM weir.crashes AS c
  CROSS JOIN LATERAL (
    SELECT left(CASE crash_values.subject WHEN 'crash' THEN '' WHEN 'crash_version' THEN c.app_version
      WHEN 'crash_os' THEN c.os_version WHEN 'crash_type' THEN c.crash_type WHEN 'crash_group' THEN c.fingerprint END, 256)
  ) AS v (value)
  LEFT JOIN weir.user_numbers AS u ON u.tenant_id = crash_values.tenant AND u.user_id = c.user_id
  WHERE c.tenant_id = crash_values.tenant
    AND c."timestamp" >= lower(weir.span_of_day(crash_values.zone, first_day))
    AND c."timestamp" < upper(weir.span_of_day(crash_values.zone, last_day))
    AND (c."timestamp" AT TIME ZONE crash_values.zone)::date BETWEEN first_day AND last_day
    AND (v.value <> '' OR crash_values.subject = 'crash')
$$;

-- Both as days keep them: a thousand values, and NULL for each of the others.
CREATE OR REPLACE FUNCTION weir.values_in_rows(tenant text, zone text, subject text, first_day date, last_day date)
RETURNS TABLE (day date, value text, number integer)
LANGUAGE sql STABLE
SET jit = off SET work_mem = '64MB' SET enable_nestloop = off SET enable_mergejoin = off
AS $$
  WITH said AS MATERIALIZED (
    SELECT e.day, e.value, e.number FROM weir.event_values(tenant, zone, subject, first_day, last_day) AS e
    WHERE NOT starts_with(subject, 'crash')
    UNION ALL
    SELECT c.day, c.value, c.number FROM weir.crash_values(tenant, zone, subject, first_day, last_day) AS c
    WHERE starts_with(subject, 'crash')
  ), ranked AS (
    SELECT s.day, s.value, row_number() OVER (PARTITION BY s.day ORDER BY count(*) DESC, s.value COLLATE "C") > 1000 AS beyond
    FROM said AS s
    GROUP BY s.day, s.value
  )
  SELECT s.day, CASE WHEN NOT r.beyond THEN s.value END, s.number
  FROM said AS s
  JOIN ranked AS r ON r.day = s.day AND r.value = s.value
$$;

-- How many events, or crashes, each value had on each day; NULL is all values that were too many.
CREATE OR REPLACE FUNCTION weir.value_counts(tenant text, zone text, subject text, first_day date, last_day date)
RETURNS TABLE (day date, value text, events bigint)
LANGUAGE sql STABLE
SET jit = off
AS $$
  SELECT d.day, CASE d.subject WHEN value_counts.subject THEN d.value END, d.events
  FROM weir.day_counts AS d
  WHERE d.tenant_id = value_counts.tenant AND d.zone = value_counts.zone
    AND d.subject IN (value_counts.subject, value_counts.subject || '_other')
    AND d.day BETWEEN first_day AND last_day AND weir.keeps_zone(tenant, value_counts.zone)
  UNION ALL
  SELECT r.day, r.value, count(*)
  FROM (
    SELECT v.* FROM (SELECT WHERE NOT weir.keeps_zone(tenant, value_counts.zone)) AS rows_are_needed,
      LATERAL weir.values_in_rows(tenant, value_counts.zone, value_counts.subject, first_day, last_day) AS v
  ) AS r
  GROUP BY r.day, r.value
$$;

-- Who had some of the values on each day.
CREATE OR REPLACE FUNCTION weir.value_users(
  tenant text, zone text, subject text, wanted text[], first_day date, last_day date)
RETURNS TABLE (day date, value text, chunk integer, users bit)
LANGUAGE sql STABLE
AS $$
  SELECT d.day, d.value, d.chunk, d.users
  FROM weir.day_sets AS d
  WHERE d.tenant_id = value_users.tenant AND d.zone = value_users.zone AND d.subject = value_users.subject
    AND d.value = ANY (wanted) AND d.day BETWEEN first_day AND last_day AND weir.keeps_zone(tenant, value_users.zone)
  UNION ALL
  SELECT r.day, r.value, r.number / 20480, weir.at_bits(r.number % 20480, 1)
  FROM (
    SELECT v.* FROM (SELECT WHERE NOT weir.keeps_zone(tenant, value_users.zone)) AS rows_are_needed,
      LATERAL weir.values_in_rows(tenant, value_users.zone, value_users.subject, first_day, last_day) AS v
  ) AS r
  WHERE r.number IS NOT NULL AND r.value = ANY (wanted)
  GROUP BY r.day, r.value, r.number / 20480
$$;

-- How many events or crashes each value had in all, and 'X_other', '' for those of values beyond the bound of
-- a day (docs/rollups.md). Each server's parts have all of its values, so that the merge can rank them.
CREATE OR REPLACE FUNCTION weir.values_partial(tenant text, first_day date, last_day date, zone text, subjects text[])
RETURNS SETOF weir.part
LANGUAGE sql STABLE
SET jit = off
AS $$
  SELECT CASE WHEN v.value IS NULL THEN s || '_other' ELSE s END, coalesce(v.value, ''), sum(v.events)
  FROM unnest(subjects) AS s, LATERAL weir.value_counts(tenant, zone, s, first_day, last_day) AS v
  GROUP BY s, v.value
$$;

-- How many users had each of the wanted values within the window: figure X_users, key the value.
CREATE OR REPLACE FUNCTION weir.value_users_partial(
  tenant text, first_day date, last_day date, zone text, subject text, wanted text[])
RETURNS SETOF weir.part
LANGUAGE sql STABLE
SET jit = off SET work_mem = '64MB'
AS $$
  SELECT subject || '_users', u.value, sum(bit_count(u.users))
  FROM (
    SELECT v.value, v.chunk, bit_or(v.users) AS users
    FROM weir.value_users(tenant, zone, subject, wanted, first_day, last_day) AS v
    GROUP BY v.value, v.chunk
  ) AS u
  GROUP BY u.value
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

-- The value below which a share of the numbers lies, from parts that are a histogram: key the slot, amount how
-- many. Off by one in a hundred at most.
CREATE OR REPLACE FUNCTION weir.slot_percentile(parts weir.part[], figure text, share numeric) RETURNS numeric
LANGUAGE sql IMMUTABLE
AS $$
  SELECT round(weir.value_of_slot(s.slot)::numeric, 3)
  FROM (
    SELECT p.key::integer AS slot, sum(sum(p.amount)) OVER (ORDER BY p.key::integer) AS until,
      sum(sum(p.amount)) OVER () AS numbers
    FROM unnest(parts) AS p
    WHERE p.figure = slot_percentile.figure
    GROUP BY p.key
  ) AS s
  WHERE s.until >= share * s.numbers
  ORDER BY s.slot
  LIMIT 1
$$;

GRANT EXECUTE ON FUNCTION weir.event_values(text, text, text, date, date), weir.crash_values(text, text, text, date, date),
  weir.values_in_rows(text, text, text, date, date), weir.value_counts(text, text, text, date, date),
  weir.value_users(text, text, text, text[], date, date), weir.values_partial(text, date, date, text, text[]),
  weir.value_users_partial(text, date, date, text, text, text[]), weir.most_common(weir.part[], text, integer),
  weir.slot_percentile(weir.part[], text, numeric) TO weir_reader;
