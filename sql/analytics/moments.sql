-- Who did something and when, of millions of events, as numbers: sorting, searching and counting these takes a fraction of the time
-- that rows take.
--
--   a number     the user in its upper bits, and in the lower ones the microseconds since a window began: it sorts by user and
--                moment. What somebody did next is the first number that is greater, in a sorted list that is searched in halves
--                (width_bucket())
--   a code       the same of a UTC day, which stands beside each pack (migrations/0039): all that has to be unpacked
--
-- What is read is what happened.sql says.
SET LOCAL ROLE weir_owner;
SET LOCAL check_function_bodies = off;

-- How many of a pack's codes (migrations/0039) are of the first so many users. (Codes are in the order of users, not of moments.)
CREATE OR REPLACE FUNCTION weir.codes_of_first(users bigint, codes bigint[]) RETURNS integer
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT width_bucket((least(greatest(users, 0), 67108864) - 1 << 37) | 137438953471, codes) $$;

-- Codes of a day that lies in a span in part: NULL instead of those that do not.
CREATE OR REPLACE FUNCTION weir.codes_within(asked weir.asked, midnight timestamptz, codes bigint[]) RETURNS bigint[]
LANGUAGE sql STABLE PARALLEL SAFE
SET jit = off
AS $$
  SELECT array_agg(CASE WHEN c.at >= asked.since AND c.at < asked.until
    AND (asked.zone IS NULL OR (c.at AT TIME ZONE asked.zone)::date BETWEEN asked.first_day AND asked.last_day) THEN c.code END ORDER BY c.place)
  FROM (SELECT u.code, u.place, midnight + (u.code & 137438953471) * interval '1 microsecond' AS at FROM unnest(codes) WITH ORDINALITY AS u (code, place)) AS c
$$;

-- A column from one place to another, or as it is: to copy each element takes as long as to unpack it.
CREATE OR REPLACE FUNCTION weir.cut_column(list anyarray, whole boolean, low integer, high integer) RETURNS anyarray
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT CASE WHEN whole THEN list ELSE list[low:high] END $$;

-- Packs cut to users from one number up to another, and to the span that is asked for, or days of its zone: no event has to be asked for its
-- user and moment. `apart` makes users of codes count from `lowest`, and `further` microseconds from the span's begin. The other
-- columns are NULL unless a pattern, or `needs`, asks for one. With `firsts` repeated events are left out as far as packs know of them.
-- Days that lie wholly in the span, on whatever clock its zone has, need not be asked for moments. Where `asked` has days (first up to last), these
-- alone are read.
CREATE OR REPLACE FUNCTION weir.cut_packs(lowest bigint, beyond bigint, asked weir.asked, patterns jsonb, needs text[], firsts boolean,
  hashed text DEFAULT NULL)
RETURNS TABLE (codes bigint[], apart bigint, further bigint, versions text[], platforms text[], countries text[], hashes bigint[], is_hashed boolean,
  properties jsonb[], has jsonb, of_version text, of_platform text, of_country text)
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
  SELECT CASE WHEN w.sure THEN weir.cut_column(w.codes, w.whole, w.low, w.high) ELSE weir.codes_within(asked, w.midnight, w.codes[w.low:w.high]) END,
    w.apart, w.further, weir.cut_column(w.versions, w.whole, w.low, w.high), weir.cut_column(w.platforms, w.whole, w.low, w.high),
    weir.cut_column(w.countries, w.whole, w.low, w.high), weir.cut_column(w.hashes, w.whole, w.low, w.high),
    w.hashes IS NOT NULL, weir.cut_column(w.properties, w.whole, w.low, w.high),
    w.has, w.of_version, w.of_platform, w.of_country
  FROM (
    SELECT c.*, c.low = 1 AND c.high = cardinality(c.codes) AS whole
    FROM (
      SELECT k.*, k.base - lowest AS apart, weir.microseconds(k.midnight) - weir.microseconds(asked.since) AS further,
        weir.codes_of_first(lowest - k.base, k.codes) + 1 AS low, weir.codes_of_first(beyond - k.base, k.codes) AS high
      FROM (
        SELECT k.codes || '{}' AS codes, k.part, (k.part >> 20)::bigint << 26 AS base, k.day::timestamp AT TIME ZONE 'UTC' AS midnight,
          k.versions, k.platforms, k.countries, k.hashes, k.properties, k.has, k.of_version, k.of_platform, k.of_country, k.narrowed,
          k.day::timestamp AT TIME ZONE 'UTC' >= asked.since + s.slack AND (k.day + 1)::timestamp AT TIME ZONE 'UTC' <= asked.until - s.slack AS sure
        FROM weir.packs_to_read(NULL, NULL, NULL, asked.tenant, patterns, coalesce(asked.first, asked.since), coalesce(asked.last, asked.until), needs, hashed) AS k,
          LATERAL (VALUES (CASE WHEN coalesce(asked.zone, 'UTC') = 'UTC' THEN interval '0' ELSE interval '6 hours' END)) AS s (slack)
        OFFSET bigint '0'
      ) AS k
      WHERE NOT firsts OR weir.has_firsts(k.part) OR k.narrowed OR NOT k.sure
      OFFSET bigint '0'
    ) AS c
    WHERE c.low <= c.high
    OFFSET bigint '0'
  ) AS w
$$;

-- Events that no pack has, as if each day's were one.
CREATE OR REPLACE FUNCTION weir.cut_rows(lowest bigint, beyond bigint, asked weir.asked, rows weir.moments)
RETURNS TABLE (codes bigint[], further bigint)
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
  SELECT weir.codes_within(asked, d.midnight, d.codes), weir.microseconds(d.midnight) - weir.microseconds(asked.since)
  FROM (
    SELECT m.midnight, array_agg(m.number - lowest << 37 | (weir.microseconds(m.at) - weir.microseconds(m.midnight))) AS codes
    FROM (
      SELECT r.number, r.at, date_trunc('day', r.at, 'UTC') AS midnight
      FROM unnest(rows.numbers, rows.moments) AS r (number, at)
      WHERE r.number >= lowest AND r.number < beyond
    ) AS m
    GROUP BY m.midnight
  ) AS d
$$;

-- Whether patterns ask for names alone.
CREATE OR REPLACE FUNCTION weir.are_names(patterns jsonb) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT weir.patterns_of_name(patterns, true) = patterns $$;

-- The number of a code in a pack (cut_packs()).
CREATE OR REPLACE FUNCTION weir.number_of_code(code bigint, apart bigint, further bigint, bits integer) RETURNS bigint
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT ((code >> 37) + apart << bits) + (code & 137438953471) + further $$;

-- Whether an event is near enough to a moment of its user's: `moments` has each user's in microseconds since the span's begin; it is near if it
-- is at most `early` before and `late` after it, or, where these are NULL, if it is before. Without moments all are. (Both together are an even
-- number, since halves are compared: one comparison, where two would look twice for what an event is compared with.)
CREATE OR REPLACE FUNCTION weir.is_near(number bigint, moment bigint, moments bigint[], early bigint, late bigint) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
  SELECT moments IS NULL OR CASE WHEN late IS NULL THEN moment < coalesce(moments[(number + 1)::integer], weir.never())
    ELSE abs(moment - moments[(number + 1)::integer] - (late - early) / 2) <= (late + early) / 2 END
$$;

-- The events of users from one number up to another that fit patterns, of packs and of `rows`, which are such, and are near to moments: each a
-- number that counts users from `lowest` and microseconds from the span's begin. Where names alone are asked for, codes are all that is
-- unpacked, and the other half is no part of the plan. With `firsts` all that is a user's first is among them, and not all else. Without settings
-- of its own, so that it becomes part of what asks.
CREATE OR REPLACE FUNCTION weir.events_as_numbers(lowest bigint, beyond bigint, asked weir.asked, patterns jsonb, bits integer, rows weir.moments,
  moments bigint[] DEFAULT NULL, early bigint DEFAULT NULL, late bigint DEFAULT NULL, firsts boolean DEFAULT false)
RETURNS TABLE (code bigint)
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
  SELECT weir.number_of_code(u.code, u.apart, u.further, bits)
  FROM (
    SELECT unnest(c.codes) AS code, c.apart, c.further
    FROM (
      SELECT p.codes, p.apart, p.further FROM weir.cut_packs(lowest, beyond, asked, patterns, '{}', firsts) AS p
      UNION ALL
      SELECT r.codes, 0, r.further FROM weir.cut_rows(lowest, beyond, asked, rows) AS r
    ) AS c
  ) AS u
  WHERE u.code IS NOT NULL AND weir.are_names(patterns) AND weir.is_near((u.code >> 37) + u.apart, (u.code & 137438953471) + u.further, moments, early, late)
  UNION ALL
  SELECT v.code FROM weir.valued_events(lowest, beyond, asked, patterns, bits, '{}', NOT weir.are_names(patterns), moments, early, late, firsts) AS v
  UNION ALL
  SELECT weir.number_of_code(u.code, u.apart, u.further, bits)
  FROM (SELECT unnest(r.codes) AS code, 0 AS apart, r.further FROM weir.cut_rows(lowest, beyond, asked, rows) AS r) AS u
  WHERE u.code IS NOT NULL AND NOT weir.are_names(patterns) AND weir.is_near((u.code >> 37) + u.apart, (u.code & 137438953471) + u.further, moments, early, late)
$$;

-- The same of packs alone, with what `needs` names; none unless `wanted`.
CREATE OR REPLACE FUNCTION weir.valued_events(lowest bigint, beyond bigint, asked weir.asked, patterns jsonb, bits integer, needs text[], wanted boolean,
  moments bigint[] DEFAULT NULL, early bigint DEFAULT NULL, late bigint DEFAULT NULL, firsts boolean DEFAULT false)
RETURNS TABLE (code bigint, version text, platform text, country text, properties jsonb)
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
  SELECT weir.number_of_code(u.code, u.apart, u.further, bits), u.version, u.platform, u.country, u.properties
  FROM (
    SELECT unnest(c.codes) AS code, unnest(c.versions) AS version, unnest(c.platforms) AS platform, unnest(c.countries) AS country,
      unnest(c.properties) AS properties, c.apart, c.further, c.has, c.of_version, c.of_platform, c.of_country
    FROM weir.cut_packs(lowest, beyond, asked, patterns, needs, firsts) AS c
  ) AS u
  WHERE wanted AND u.code IS NOT NULL AND weir.is_near((u.code >> 37) + u.apart, (u.code & 137438953471) + u.further, moments, early, late)
    AND weir.is_like(u.has, u.of_version, u.of_platform, u.of_country, u.properties, u.version, u.platform, u.country)
$$;

-- What is asked for of a span, or of days of a zone that it has.
CREATE OR REPLACE FUNCTION weir.asked_of_span(tenant text, since timestamptz, until timestamptz, zone text DEFAULT NULL, first_day date DEFAULT NULL,
  last_day date DEFAULT NULL) RETURNS weir.asked
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT ROW(tenant, zone, first_day, last_day, since, NULL, NULL, until)::weir.asked $$;

-- How many bits the moments of a span take.
CREATE OR REPLACE FUNCTION weir.bits_of(since timestamptz, until timestamptz) RETURNS integer
LANGUAGE sql STABLE PARALLEL SAFE
AS $$ SELECT length(ltrim((weir.microseconds(until) - weir.microseconds(since))::bit(64)::text, '0')) $$;

-- The same if all of the tenant's users have room in the others; else NULL.
CREATE OR REPLACE FUNCTION weir.moment_bits(tenant text, since timestamptz, until timestamptz) RETURNS integer
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
  SELECT b.bits
  FROM (SELECT weir.bits_of(since, until) AS bits) AS b
  WHERE coalesce((SELECT max(u.number) FROM weir.user_numbers AS u WHERE u.tenant_id = tenant), 0) >> (63 - b.bits) = 0
$$;

-- Users from one number up to another, as many at a time as have room beside the moments of a span, two million at most: so lists by user
-- have a bound.
CREATE OR REPLACE FUNCTION weir.turns_of_users(lowest bigint, beyond bigint, since timestamptz, until timestamptz)
RETURNS TABLE (first bigint, next bigint)
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
  SELECT n, least(beyond, n + room.users)
  FROM (SELECT 1::bigint << least(63 - weir.bits_of(since, until), 21) AS users) AS room, generate_series(lowest, beyond - 1, room.users) AS n
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
CREATE OR REPLACE FUNCTION weir.halves_with_rows(tenant text, patterns jsonb, since timestamptz, until timestamptz, rows weir.moments[],
  by_user boolean DEFAULT false) RETURNS bigint[]
LANGUAGE sql STABLE
AS $$
  SELECT ARRAY[0, least(h.halves[2], l.number + 1), l.number + 1]
  FROM weir.halves_of_users(tenant, patterns, since, until, by_user) AS h (halves), (
    SELECT greatest((SELECT coalesce(max(n.number), 0) FROM weir.user_numbers AS n WHERE n.tenant_id = tenant), (SELECT max(number) FROM unnest(rows) AS r, unnest(r.numbers) AS number)) AS number
  ) AS l
$$;

-- A user and a moment as one number.
CREATE OR REPLACE FUNCTION weir.as_number(number bigint, at timestamptz, origin bigint, bits integer) RETURNS bigint
LANGUAGE sql STABLE PARALLEL SAFE
AS $$ SELECT (number << bits) | (weir.microseconds(at) - origin) $$;

-- The numbers of events_as_numbers(), sorted.
CREATE OR REPLACE FUNCTION weir.sorted_events(lowest bigint, beyond bigint, asked weir.asked, patterns jsonb, bits integer, rows weir.moments,
  moments bigint[] DEFAULT NULL, early bigint DEFAULT NULL, late bigint DEFAULT NULL, firsts boolean DEFAULT false) RETURNS bigint[]
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET plan_cache_mode = force_custom_plan SET jit = off SET work_mem = '256MB' SET enable_nestloop = on
AS $$
BEGIN
  RETURN (SELECT array_agg(e.code ORDER BY e.code) FROM weir.events_as_numbers(lowest, beyond, asked, patterns, bits, rows, moments, early, late, firsts) AS e);
END
$$;

-- What stands for the moment of what never was: far from all, and after all.
CREATE OR REPLACE FUNCTION weir.never() RETURNS bigint
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT 4611686018427387904 $$;

-- The first of each user in a sorted list: searched user by user, or, where it has fewer events than there may be users, looked for from one to the
-- next.
CREATE OR REPLACE FUNCTION weir.firsts_of(codes bigint[], bits integer) RETURNS SETOF bigint
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE ROWS 100000
SET plan_cache_mode = force_custom_plan SET jit = off
AS $$
BEGIN
  IF codes[cardinality(codes)] >> bits <= cardinality(codes) THEN
    RETURN QUERY SELECT f.code
    FROM (
      SELECT s.n, codes[width_bucket((s.n << bits) - 1, codes) + 1] AS code
      FROM (SELECT generate_series(0, codes[cardinality(codes)] >> bits) AS n) AS s
      OFFSET 0
    ) AS f
    WHERE f.code >> bits = f.n;
  ELSE
    RETURN QUERY SELECT f.code
    FROM (SELECT unnest(codes) AS code, unnest(array_prepend(-1::bigint, codes)) AS former) AS f
    WHERE f.code >> bits > f.former >> bits;
  END IF;
END
$$;

-- A span's UTC days in turns, each of twice as many days as the one before, as what is asked for with these days alone to be read (cut_packs()).
CREATE OR REPLACE FUNCTION weir.turns_of_days(asked weir.asked) RETURNS SETOF weir.asked
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
  SELECT (asked.tenant, asked.zone, asked.first_day, asked.last_day, asked.since, t.first, least(t.last, asked.until), asked.until)::weir.asked
  FROM (
    SELECT d.midnight + d.days * ((1 << n) - 1) AS first, d.midnight + d.days * ((2 << n) - 1) AS last
    FROM (
      SELECT m.midnight, interval '24 hours' * ceil(extract(epoch FROM asked.until - m.midnight) / 86400 / 15) AS days
      FROM (SELECT date_trunc('day', asked.since, 'UTC') AS midnight) AS m
    ) AS d, generate_series(0, 3) AS n
  ) AS t
  WHERE t.first < asked.until
$$;

-- The moment of each user's first, in microseconds since the span's begin; NULL if nobody has one. Day by day fewer are anybody's first: those
-- that are later than what was found so far are not sorted.
CREATE OR REPLACE FUNCTION weir.first_moments(lowest bigint, beyond bigint, asked weir.asked, patterns jsonb, bits integer, rows weir.moments)
RETURNS bigint[]
LANGUAGE plpgsql STABLE PARALLEL SAFE
AS $$
DECLARE
  firsts bigint[] := '{}'::bigint[];
  days weir.asked;
  codes bigint[];
  code bigint;
BEGIN
  FOR days IN SELECT * FROM weir.turns_of_days(asked) AS t ORDER BY t.first LOOP
    codes := weir.sorted_events(lowest, beyond, days, patterns, bits, rows, firsts, firsts => true);
    rows := NULL;
    CONTINUE WHEN codes IS NULL;
    firsts := firsts || array_fill(weir.never(), ARRAY[greatest((codes[cardinality(codes)] >> bits) + 1 - cardinality(firsts), 0)::integer]);
    FOR code IN SELECT f FROM weir.firsts_of(codes, bits) AS f LOOP
      firsts[(code >> bits) + 1] := code & (1::bigint << bits) - 1;
    END LOOP;
  END LOOP;
  RETURN nullif(firsts, '{}');
END
$$;

-- When users repeated an event: each user's first that is not before a moment and on the same UTC day, of those that firsts leave out (cut_packs()). Numbers
-- of users, in ascending order, count from `lowest`; moments are microseconds since the span's begin. `pattern` asks for no properties. Each user
-- is looked up in a pack by halving.
CREATE OR REPLACE FUNCTION weir.repeated_events(lowest bigint, asked weir.asked, pattern jsonb, numbers bigint[], moments bigint[])
RETURNS TABLE (number bigint, moment bigint)
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
  WITH sought AS MATERIALIZED (
    SELECT d.days, d.number >> 26 AS block, array_agg((d.number & 67108863) << 37 | d.moment - d.days * 86400000000 ORDER BY d.number) AS codes
    FROM (
      SELECT u.number, u.moment, u.moment / 86400000000 AS days
      FROM (
        SELECT unnest(numbers) + lowest AS number, unnest(moments) + o.microseconds AS moment
        FROM (SELECT weir.microseconds(asked.since) - weir.microseconds(date_trunc('day', asked.since, 'UTC')) AS microseconds OFFSET 0) AS o
      ) AS u
    ) AS d
    GROUP BY d.days, d.number >> 26
  )
  SELECT (e.code >> 37) + e.apart, min((e.code & 137438953471) + e.further)
  FROM (
    SELECT unnest(u.codes[u.low:u.high]) AS code, unnest(u.versions[u.low:u.high]) AS version, unnest(u.platforms[u.low:u.high]) AS platform,
      unnest(u.countries[u.low:u.high]) AS country, u.apart, u.further, u.of_version, u.of_platform, u.of_country
    FROM (
      SELECT k.*, width_bucket(k.code - 1, k.codes) + 1 AS low, width_bucket(k.code | 137438953471, k.codes) AS high
      FROM (
        SELECT k.*, unnest(k.sought[width_bucket((k.codes[1] >> 37 << 37) - 1, k.sought) + 1:width_bucket(k.codes[cardinality(k.codes)] | 137438953471, k.sought)]) AS code
        FROM (
          SELECT s.codes AS sought, k.codes || '{}' AS codes, k.versions, k.platforms, k.countries, k.of_version, k.of_platform, k.of_country,
            (s.block << 26) - lowest AS apart, weir.microseconds(k.day::timestamp AT TIME ZONE 'UTC') - weir.microseconds(asked.since) AS further
          FROM weir.packs_to_read(NULL, NULL, NULL, asked.tenant, pattern, asked.since, asked.until, '{}') AS k
          JOIN sought AS s ON s.days = k.day - (asked.since AT TIME ZONE 'UTC')::date AND s.block = k.part >> 20
          WHERE NOT weir.has_firsts(k.part)
          OFFSET 0
        ) AS k
      ) AS k
      OFFSET 0
    ) AS u
    WHERE u.low <= u.high
  ) AS e
  WHERE weir.is_like(NULL, e.of_version, e.of_platform, e.of_country, NULL, e.version, e.platform, e.country)
  GROUP BY 1
$$;

-- How many each user had.
CREATE OR REPLACE FUNCTION weir.event_counts(lowest bigint, beyond bigint, asked weir.asked, patterns jsonb, rows weir.moments)
RETURNS TABLE (number bigint, times bigint)
LANGUAGE plpgsql STABLE PARALLEL SAFE ROWS 100000
SET plan_cache_mode = force_custom_plan SET jit = off SET work_mem = '128MB' SET enable_nestloop = on SET enable_sort = off
AS $$
DECLARE
  bits constant integer := weir.bits_of(asked.since, asked.until);
BEGIN
  RETURN QUERY SELECT lowest + (e.code >> bits) AS number, count(*)
  FROM weir.events_as_numbers(lowest, beyond, asked, patterns, bits, rows) AS e
  GROUP BY 1;
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
  CROSS JOIN weir.turns_of_users(lowest, beyond, w.since, w.until) AS t
  CROSS JOIN LATERAL weir.event_counts(t.first, t.next, weir.asked_of_span(tenant, w.since, w.until, zone, first_day, last_day),
    jsonb_build_array(patterns -> n - 1), rows[n]) AS c
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

GRANT EXECUTE ON FUNCTION weir.cut_column(anyarray, boolean, integer, integer), weir.codes_of_first(bigint, bigint[]),
  weir.codes_within(weir.asked, timestamptz, bigint[]),
  weir.cut_packs(bigint, bigint, weir.asked, jsonb, text[], boolean, text), weir.cut_rows(bigint, bigint, weir.asked, weir.moments),
  weir.are_names(jsonb), weir.number_of_code(bigint, bigint, bigint, integer), weir.is_near(bigint, bigint, bigint[], bigint, bigint), weir.never(),
  weir.events_as_numbers(bigint, bigint, weir.asked, jsonb, integer, weir.moments, bigint[], bigint, bigint, boolean),
  weir.valued_events(bigint, bigint, weir.asked, jsonb, integer, text[], boolean, bigint[], bigint, bigint, boolean),
  weir.asked_of_span(text, timestamptz, timestamptz, text, date, date), weir.bits_of(timestamptz, timestamptz),
  weir.as_number(bigint, timestamptz, bigint, integer), weir.moment_bits(text, timestamptz, timestamptz), weir.turns_of_users(bigint, bigint, timestamptz, timestamptz),
  weir.moments_in_rows(text, jsonb, timestamptz, timestamptz, text), weir.halves_with_rows(text, jsonb, timestamptz, timestamptz, weir.moments[], boolean),
  weir.sorted_events(bigint, bigint, weir.asked, jsonb, integer, weir.moments, bigint[], bigint, bigint, boolean),
  weir.firsts_of(bigint[], integer), weir.turns_of_days(weir.asked), weir.first_moments(bigint, bigint, weir.asked, jsonb, integer, weir.moments),
  weir.repeated_events(bigint, weir.asked, jsonb, bigint[], bigint[]),
  weir.event_counts(bigint, bigint, weir.asked, jsonb, weir.moments),
  weir.pattern_counts(bigint, bigint, text, text, date, date, jsonb, weir.moments[]),
  weir.all_pattern_counts(text, text, date, date, jsonb, bigint[], weir.moments[]), weir.counts_of_patterns(text, text, date, date, jsonb) TO weir_reader;
