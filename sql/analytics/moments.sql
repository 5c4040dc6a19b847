-- Who did something and when, of millions of events, as numbers: sorting, searching and counting these takes a fraction of the time
-- that rows take.
--
--   a number     the user in its upper bits, and in the lower ones the microseconds since a window began: it sorts by user and
--                moment. What somebody did next is the first number that is greater, in a sorted list that is searched in halves
--                (width_bucket())
--
-- What is read is what happened.sql says.
SET LOCAL ROLE weir_owner;
SET LOCAL check_function_bodies = off;

-- Packs with nothing but who and when, of patterns that ask for a name alone, cut to users from one number up to another: no event has to
-- be asked for its user. Numbers are unpacked once; moments, unless `timed`, only where each has to be asked for.
CREATE OR REPLACE FUNCTION weir.cut_packs(lowest bigint, beyond bigint, tenant text, patterns jsonb, since timestamptz, until timestamptz, timed boolean)
RETURNS TABLE (place integer, numbers bigint[], moments timestamptz[], sure boolean)
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
  SELECT c.place, c.numbers[c.low:c.high], CASE WHEN timed OR NOT c.sure THEN c.moments[c.low:c.high] END, c.sure
  FROM (
    SELECT n.place, n.numbers, n.moments, n.sure, width_bucket(greatest(lowest, 0) - 1, n.known) + 1 AS low, width_bucket(beyond - 1, n.known) AS high
    FROM (
      SELECT k.place, k.numbers, k.moments, k.sure, k.numbers[:coalesce(array_position(k.numbers, NULL) - 1, 4096)] AS known
      FROM (
        SELECT k.place, k.numbers || '{}' AS numbers, k.moments, k.sure
        FROM weir.packs_to_read(NULL, NULL, NULL, tenant, patterns, since, until, '{}') AS k
        OFFSET bigint '0'
      ) AS k
      OFFSET bigint '0'
    ) AS n
    OFFSET bigint '0'
  ) AS c
  WHERE c.low <= c.high
$$;

-- The same as happened_to() where nothing is needed but who and when: two columns are unpacked faster than nine, though these be
-- empty.
CREATE OR REPLACE FUNCTION weir.moments_of(lowest bigint, beyond bigint, tenant text, patterns jsonb, since timestamptz, until timestamptz)
RETURNS TABLE (place integer, number bigint, at timestamptz, sure boolean)
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
  SELECT u.place, u.number, u.at, u.sure
  FROM (
    SELECT k.place, unnest(k.numbers) AS number, unnest(k.moments) AS at, k.sure
    FROM weir.cut_packs(lowest, beyond, tenant, weir.patterns_of_name(patterns, true), since, until, true) AS k
  ) AS u
  WHERE u.sure OR u.at >= since AND u.at < until
  UNION ALL
  SELECT p.place, p.number, p.at, p.sure
  FROM weir.happened_in_packs(NULL, lowest, beyond, tenant, weir.patterns_of_name(patterns, false), since, until, '{}') AS p
  UNION ALL
  SELECT r.place, r.number, r.at, r.sure
  FROM weir.happened_in_rows(tenant, patterns, since, until, '{}') AS r WHERE r.number >= lowest AND r.number < beyond
$$;

-- How many bits the moments of a span take.
CREATE OR REPLACE FUNCTION weir.bits_of(since timestamptz, until timestamptz) RETURNS integer
LANGUAGE sql STABLE PARALLEL SAFE
AS $$ SELECT length(ltrim((weir.microseconds(until) - weir.microseconds(since))::bit(64)::text, '0')) $$;

-- The same if all of the tenant's users have room in the others; else NULL.
CREATE OR REPLACE FUNCTION weir.moment_bits(tenant text, since timestamptz, until timestamptz) RETURNS integer
LANGUAGE sql STABLE
AS $$
  SELECT b.bits
  FROM (SELECT weir.bits_of(since, until) AS bits) AS b
  WHERE coalesce((SELECT max(u.number) FROM weir.user_numbers AS u WHERE u.tenant_id = tenant), 0) >> (63 - b.bits) = 0
$$;

-- Users from one number up to another, as many at a time as have room beside the moments of a span.
CREATE OR REPLACE FUNCTION weir.turns_of_users(lowest bigint, beyond bigint, since timestamptz, until timestamptz)
RETURNS TABLE (first bigint, next bigint)
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
  SELECT n, least(beyond, n + room.users)
  FROM (SELECT 1::bigint << (63 - weir.bits_of(since, until)) AS users) AS room, generate_series(lowest, beyond - 1, room.users) AS n
$$;

-- The events of a span that no pack has, read once for all that is asked of them: for each pattern those that fit it. Who has no number yet
-- gets one behind all others. With `split` those of the first pattern have that value. Two million at most, unless weir.hold_at_most is
-- another number: more, as of a very large tenant's today or when days are built anew, would take longer than a request may, and more than a gigabyte.
CREATE OR REPLACE FUNCTION weir.moments_in_rows(tenant text, patterns jsonb, since timestamptz, until timestamptz, split text DEFAULT NULL)
RETURNS weir.moments[]
LANGUAGE plpgsql STABLE
SET jit = off SET work_mem = '64MB'
AS $$
DECLARE
  most constant bigint := coalesce(nullif(current_setting('weir.hold_at_most', true), '')::bigint, 2000000);
  lists weir.moments[];
  held bigint;
BEGIN
  WITH found AS MATERIALIZED (
    SELECT r.place, r.number, r.at,
      CASE WHEN split IS NOT NULL AND r.place = 1 THEN weir.value_by(split, r.version, r.platform, r.country, r.properties) END AS value
    FROM weir.happened_in_rows(tenant, patterns, since, until, '{}') AS r WHERE r.number IS NOT NULL
    LIMIT most + 1
  ), strangers AS MATERIALIZED (
    SELECT f.number, row_number() OVER (ORDER BY f.number)
      + (SELECT coalesce(max(n.number), 0) FROM weir.user_numbers AS n WHERE n.tenant_id = tenant) AS behind
    FROM (SELECT DISTINCT f.number FROM found AS f WHERE f.number < 0) AS f
  ), listed AS (
    SELECT f.place, count(*) AS events, array_agg(coalesce(s.behind, f.number)) AS numbers, array_agg(f.at) AS moments,
      CASE WHEN split IS NOT NULL AND f.place = 1 THEN array_agg(f.value) END AS values
    FROM found AS f LEFT JOIN strangers AS s ON s.number = f.number
    GROUP BY f.place
  )
  SELECT sum(l.events), array_agg(ROW(l.numbers, l.moments, l.values)::weir.moments ORDER BY n.place)
  INTO held, lists
  FROM generate_series(1, jsonb_array_length(patterns)) AS n (place) LEFT JOIN listed AS l ON l.place = n.place;
  IF held > most THEN
    RAISE invalid_parameter_value USING COLUMN = 'from', MESSAGE = format(
      'More than %s of these events are of today or of days that are still being built (`weirctl rollup status`): ask for days before, or for events '
      'that are not as frequent', most);
  END IF;
  RETURN lists;
END
$$;

-- Halves of the users, those of such rows among them: [0, the first of the other half, one more than the last].
CREATE OR REPLACE FUNCTION weir.halves_with_rows(tenant text, patterns jsonb, since timestamptz, until timestamptz, rows weir.moments[])
RETURNS bigint[]
LANGUAGE sql STABLE
AS $$
  SELECT ARRAY[0, least(h.halves[2], l.number + 1), l.number + 1]
  FROM weir.halves_of_users(tenant, patterns, since, until) AS h (halves), (
    SELECT greatest((SELECT coalesce(max(n.number), 0) FROM weir.user_numbers AS n WHERE n.tenant_id = tenant), (SELECT max(number) FROM unnest(rows) AS r, unnest(r.numbers) AS number)) AS number
  ) AS l
$$;

-- A user and a moment as one number.
CREATE OR REPLACE FUNCTION weir.as_number(number bigint, at timestamptz, origin bigint, bits integer) RETURNS bigint
LANGUAGE sql STABLE PARALLEL SAFE
AS $$ SELECT (number << bits) | (weir.microseconds(at) - origin) $$;

-- Of users from one number up to another, the events that fit the pattern at a place: of packs from `since` to `until`, and of the
-- rows. With a zone, those of its days. Numbers count users from `lowest` and microseconds from `origin`.
CREATE OR REPLACE FUNCTION weir.sorted_events(lowest bigint, beyond bigint, tenant text, patterns jsonb, place integer, since timestamptz,
  until timestamptz, zone text, first_day date, last_day date, origin bigint, bits integer, rows weir.moments[]) RETURNS bigint[]
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET plan_cache_mode = force_custom_plan SET jit = off SET work_mem = '256MB' SET enable_nestloop = on
AS $$
DECLARE
  pattern constant jsonb := jsonb_build_array(patterns -> place - 1);
BEGIN
  IF weir.asks_more(pattern -> 0) THEN
    RETURN (
      SELECT array_agg(weir.as_number(h.number - lowest, h.at, origin, bits) ORDER BY weir.as_number(h.number - lowest, h.at, origin, bits))
      FROM (
        SELECT p.number, p.at, p.sure FROM weir.happened_in_packs(NULL, lowest, beyond, tenant, pattern, since, until, '{}') AS p
        UNION ALL
        SELECT r.number, r.at, false FROM unnest(rows[place].numbers, rows[place].moments) AS r (number, at)
        WHERE r.number >= lowest AND r.number < beyond AND r.at >= since AND r.at < until
      ) AS h
      WHERE zone IS NULL OR h.sure OR (h.at AT TIME ZONE zone)::date BETWEEN first_day AND last_day
    );
  END IF;
  RETURN (
    SELECT array_agg(weir.as_number(h.number - lowest, h.at, origin, bits) ORDER BY weir.as_number(h.number - lowest, h.at, origin, bits))
    FROM (
      SELECT unnest(k.numbers) AS number, unnest(k.moments) AS at, k.sure
      FROM (
        SELECT c.numbers, c.moments, c.sure FROM weir.cut_packs(lowest, beyond, tenant, pattern, since, until, true) AS c
        UNION ALL
        SELECT array_agg(r.number), array_agg(r.at), false FROM unnest(rows[place].numbers, rows[place].moments) AS r (number, at)
        WHERE r.number >= lowest AND r.number < beyond
      ) AS k
    ) AS h
    WHERE h.sure OR h.at >= since AND h.at < until AND (zone IS NULL OR (h.at AT TIME ZONE zone)::date BETWEEN first_day AND last_day)
  );
END
$$;

-- How many events of users from one number up to another fit the pattern at a place, on days of a zone.
CREATE OR REPLACE FUNCTION weir.event_counts(lowest bigint, beyond bigint, tenant text, patterns jsonb, place integer, since timestamptz,
  until timestamptz, zone text, first_day date, last_day date, rows weir.moments[])
RETURNS TABLE (number bigint, times bigint)
LANGUAGE plpgsql STABLE PARALLEL SAFE ROWS 100000
SET plan_cache_mode = force_custom_plan SET jit = off SET work_mem = '128MB' SET enable_nestloop = on SET enable_sort = off
AS $$
#variable_conflict use_column
DECLARE
  pattern constant jsonb := jsonb_build_array(patterns -> event_counts.place - 1);
BEGIN
  IF weir.asks_more(pattern -> 0) THEN
    RETURN QUERY SELECT h.number, count(*)
    FROM (
      SELECT p.number, p.at, p.sure FROM weir.happened_in_packs(NULL, lowest, beyond, tenant, pattern, since, until, '{}') AS p
      UNION ALL
      SELECT r.number, r.at, false FROM unnest(rows[event_counts.place].numbers, rows[event_counts.place].moments) AS r (number, at)
      WHERE r.number >= lowest AND r.number < beyond
    ) AS h
    WHERE h.sure OR (h.at AT TIME ZONE zone)::date BETWEEN first_day AND last_day
    GROUP BY h.number;
  ELSE
    RETURN QUERY SELECT h.number, count(*)
    FROM (
      SELECT unnest(k.numbers) AS number, unnest(k.moments) AS at, k.sure
      FROM (
        SELECT c.numbers, c.moments, c.sure FROM weir.cut_packs(lowest, beyond, tenant, pattern, since, until, false) AS c
        UNION ALL
        SELECT array_agg(r.number), array_agg(r.at), false
        FROM unnest(rows[event_counts.place].numbers, rows[event_counts.place].moments) AS r (number, at)
        WHERE r.number >= lowest AND r.number < beyond
      ) AS k
    ) AS h
    WHERE h.sure OR h.at >= since AND h.at < until AND (h.at AT TIME ZONE zone)::date BETWEEN first_day AND last_day
    GROUP BY h.number;
  END IF;
END
$$;

-- The same of all patterns, for half of the users, by one process.
CREATE OR REPLACE FUNCTION weir.pattern_counts(lowest bigint, beyond bigint, tenant text, zone text, first_day date, last_day date, patterns jsonb,
  rows weir.moments[])
RETURNS TABLE (number integer, place integer, times bigint)
LANGUAGE sql STABLE PARALLEL SAFE COST 1000000000 ROWS 100000
SET jit = off SET max_parallel_workers_per_gather = 0
AS $$
  SELECT c.number::integer, n, c.times
  FROM weir.window_of(zone, first_day, last_day) AS w
  CROSS JOIN generate_series(1, jsonb_array_length(patterns)) AS n
  CROSS JOIN LATERAL weir.event_counts(lowest, beyond, tenant, patterns, n, w.since, w.until, zone, first_day, last_day, rows) AS c
  WHERE lowest < beyond
$$;

CREATE OR REPLACE FUNCTION weir.all_pattern_counts(tenant text, zone text, first_day date, last_day date, patterns jsonb, halves bigint[], rows weir.moments[])
RETURNS TABLE (number integer, place integer, times bigint)
LANGUAGE sql STABLE
SET jit = off
AS $$
  SELECT * FROM weir.pattern_counts(halves[1], halves[2], tenant, zone, first_day, last_day, patterns, rows)
  UNION ALL
  SELECT * FROM weir.pattern_counts(halves[2], halves[3], tenant, zone, first_day, last_day, patterns, rows)
$$;

-- How often each user who has a number did what patterns say, on days of a zone; none where he did not.
CREATE OR REPLACE FUNCTION weir.counts_of_patterns(tenant text, zone text, first_day date, last_day date, patterns jsonb)
RETURNS TABLE (number integer, place integer, times bigint)
LANGUAGE sql STABLE
AS $$
  SELECT c.number, c.place, c.times
  FROM weir.window_of(zone, first_day, last_day) AS w
  CROSS JOIN LATERAL weir.all_pattern_counts(tenant, zone, first_day, last_day, patterns,
    weir.halves_with_rows(tenant, patterns, w.since, w.until, '{}'), weir.moments_in_rows(tenant, patterns, w.since, w.until)) AS c
$$;

GRANT EXECUTE ON FUNCTION weir.moment_bits(text, timestamptz, timestamptz), weir.turns_of_users(bigint, bigint, timestamptz, timestamptz),
  weir.moments_of(bigint, bigint, text, jsonb, timestamptz, timestamptz),
  weir.cut_packs(bigint, bigint, text, jsonb, timestamptz, timestamptz, boolean), weir.bits_of(timestamptz, timestamptz),
  weir.as_number(bigint, timestamptz, bigint, integer),
  weir.event_counts(bigint, bigint, text, jsonb, integer, timestamptz, timestamptz, text, date, date, weir.moments[]),
  weir.pattern_counts(bigint, bigint, text, text, date, date, jsonb, weir.moments[]),
  weir.all_pattern_counts(text, text, date, date, jsonb, bigint[], weir.moments[]), weir.counts_of_patterns(text, text, date, date, jsonb),
  weir.moments_in_rows(text, jsonb, timestamptz, timestamptz, text), weir.halves_with_rows(text, jsonb, timestamptz, timestamptz, weir.moments[]),
  weir.sorted_events(bigint, bigint, text, jsonb, integer, timestamptz, timestamptz, text, date, date, bigint, integer, weir.moments[]) TO weir_reader;
