-- The events of a span that fit patterns, for figures that need each of them: from the packs of days that have some
-- (migrations/0027), a column at a time, and else from the rows. What comes out is the same.
--
--   place        which of the patterns it fits; an event that fits several comes for each
--   number       the user, as in user_numbers; negative for one whose first events are not counted yet; NULL for none
--   session      to tell sessions of one user apart
--   others       session, version, platform, country, screen (migrations/0027), duration and properties are NULL unless
--                `needs` names them: what is not needed is not unpacked
--   sure         it lies so far within the span that its day is one of the window's on whatever clock, where the span is
--                as weir.window_of() says; else its own date has to be asked for
SET LOCAL ROLE weir_owner;
SET LOCAL check_function_bodies = off;

-- UTC days that are read from packs: nothing has come since, and retention has not dropped their rows.
CREATE OR REPLACE FUNCTION weir.days_in_packs(tenant text, since timestamptz, until timestamptz) RETURNS SETOF date
LANGUAGE sql STABLE PARALLEL SAFE ROWS 90
SET jit = off
AS $$
  SELECT p.day
  FROM weir.packed_days AS p
  WHERE p.tenant_id = tenant AND p.day BETWEEN (since AT TIME ZONE 'UTC')::date AND ((until - interval '1 microsecond') AT TIME ZONE 'UTC')::date
    AND NOT EXISTS (SELECT FROM weir.touched_days AS t WHERE t.tenant_id = tenant AND t.day = p.day AND t.zone IS NULL)
    AND NOT EXISTS (SELECT FROM weir.gone_days AS g WHERE g.tenant_id = tenant AND g.day = p.day)
$$;

-- What lies between those days.
CREATE OR REPLACE FUNCTION weir.spans_in_rows(tenant text, since timestamptz, until timestamptz)
RETURNS TABLE (span_since timestamptz, span_until timestamptz, sure_since timestamptz, sure_until timestamptz)
LANGUAGE sql STABLE PARALLEL SAFE ROWS 1
SET jit = off
AS $$
  WITH packed AS MATERIALIZED (
    SELECT d.day::timestamp AT TIME ZONE 'UTC' AS first, (d.day + 1)::timestamp AT TIME ZONE 'UTC' AS last
    FROM weir.days_in_packs(tenant, since, until) AS d (day)
  )
  SELECT g.first, g.last, since + interval '6 hours', until - interval '6 hours'
  FROM (
    SELECT greatest(since, lag(p.last, 1, since) OVER (ORDER BY p.first)) AS first, least(until, p.first) AS last FROM packed AS p
    UNION ALL
    SELECT greatest(since, max(p.last)), until FROM packed AS p
  ) AS g
  WHERE g.first < g.last
$$;

-- A moment in microseconds since 1970. (The number is exact for some 280 years.)
CREATE OR REPLACE FUNCTION weir.microseconds(at timestamptz) RETURNS bigint
LANGUAGE sql STABLE PARALLEL SAFE
AS $$ SELECT (date_part('epoch', at) * 1e6::float8)::bigint $$;

-- Users who have no number yet are told apart by 63 bits.
CREATE OR REPLACE FUNCTION weir.user_key(number integer, user_id text) RETURNS bigint
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT coalesce(number, hashtextextended(user_id, 0) | (-9223372036854775808)::bigint) $$;

-- Whether a pattern asks for more than a name.
CREATE OR REPLACE FUNCTION weir.asks_more(pattern jsonb) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT pattern ?| '{properties,version,platform,country}' $$;

-- The patterns of a list, to be looked up by the event's name.
CREATE OR REPLACE FUNCTION weir.listed_patterns(patterns jsonb)
RETURNS TABLE (place integer, event text, properties jsonb, version text, platform text, country text, anything boolean)
LANGUAGE sql IMMUTABLE PARALLEL SAFE ROWS 2
SET jit = off
AS $$
  SELECT p.place::integer, p.said ->> 'event', p.said -> 'properties', p.said ->> 'version', p.said ->> 'platform', p.said ->> 'country',
    NOT weir.asks_more(p.said)
  FROM jsonb_array_elements(patterns) WITH ORDINALITY AS p (said, place)
  WHERE jsonb_typeof(p.said) = 'object'
$$;

-- Patterns that ask for what a filter asks for, too. One that asks for something else fits nothing and is null, so that the
-- others keep their places.
CREATE OR REPLACE FUNCTION weir.narrowed(patterns jsonb, filter jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
  SELECT CASE WHEN filter = '{}' THEN patterns ELSE (
    SELECT jsonb_agg(CASE WHEN p.said || (filter - 'properties') @> p.said AND p.said -> 'properties' || f.properties @> (p.said -> 'properties') IS NOT FALSE
      THEN p.said || filter || CASE WHEN p.said ? 'properties' THEN jsonb_build_object('properties', p.said -> 'properties' || f.properties) ELSE '{}' END END
      ORDER BY p.place)
    FROM jsonb_array_elements(patterns) WITH ORDINALITY AS p (said, place), (SELECT coalesce(filter -> 'properties', '{}') AS properties) AS f) END
$$;

-- Events of days that are not read from packs. A function with settings of its own, since what the rows of all weeks would
-- cost would decide how packs are read, though there are seldom some to read.
CREATE OR REPLACE FUNCTION weir.happened_in_rows(tenant text, patterns jsonb, since timestamptz, until timestamptz, needs text[])
RETURNS TABLE (place integer, event text, number bigint, session bigint, at timestamptz, version text, platform text, country text,
  screen text, duration numeric, properties jsonb, sure boolean)
LANGUAGE sql STABLE PARALLEL SAFE
SET jit = off SET enable_nestloop = on
AS $$
  SELECT w.place, e.event, weir.user_key(n.number, e.user_id), weir.session_key(e.session_id), e."timestamp", e.app_version, e.platform,
    e.country, CASE WHEN 'screen' = ANY (needs) THEN weir.first_text(e.properties, weir.screen_properties()) END,
    CASE WHEN 'duration' = ANY (needs) THEN weir.first_number(e.properties, weir.duration_properties()) END, e.properties,
    e."timestamp" >= s.sure_since AND e."timestamp" < s.sure_until
  FROM weir.spans_in_rows(tenant, since, until) AS s
  JOIN weir.events AS e ON e."timestamp" >= s.span_since AND e."timestamp" < s.span_until
  JOIN weir.listed_patterns(patterns) AS w ON w.event = e.event
  LEFT JOIN weir.user_numbers AS n ON n.tenant_id = tenant AND n.user_id = e.user_id
  WHERE e.tenant_id = tenant AND weir.is_like(w.properties, w.version, w.platform, w.country, e.properties, e.app_version, e.platform, e.country)
$$;

-- Whether an event has what a pattern asks for; what the pattern leaves open is NULL.
CREATE OR REPLACE FUNCTION weir.is_like(has jsonb, of_version text, of_platform text, of_country text, properties jsonb, version text,
  platform text, country text) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
  SELECT (has IS NULL OR properties @> has) AND (of_version IS NULL OR version = of_version) AND (of_platform IS NULL OR platform = of_platform)
    AND (of_country IS NULL OR country = of_country)
$$;

-- Functions of one pack's columns have generic plans. Whoever reads packs has custom ones (docs/decisions/0024), under which each call would be planned
-- anew with the columns as constants: flat lists, in which a text is looked for from the beginning.

-- Where the events of a pack whose values are listed (migrations/0046) stand that have all of some properties, as a pattern says them; NULL where it has
-- others that are not.
CREATE OR REPLACE FUNCTION weir.places_with(tenant text, day date, event text, part integer, properties jsonb) RETURNS integer[]
LANGUAGE plpgsql STABLE PARALLEL SAFE COST 1
SET plan_cache_mode = force_generic_plan
AS $$
DECLARE
  property record;
  these integer[];
  places integer[];
BEGIN
  FOR property IN SELECT p.key AS name, weir.value_hash(p.value) AS hash FROM jsonb_each(properties) AS p LOOP
    SELECT array_positions(v.hashes, property.hash) INTO these
    FROM weir.pack_values AS v
    WHERE (v.tenant_id, v.day, v.event, v.part, v.name) = (tenant, places_with.day, places_with.event, places_with.part, nullif(property.name, ''));
    IF NOT FOUND THEN
      -- None has it, unless the pack has properties of which that is not said.
      RETURN (SELECT CASE WHEN count(*) = 0 THEN '{}'::integer[] END FROM weir.pack_values AS v
        WHERE (v.tenant_id, v.day, v.event, v.part, v.name) = (tenant, places_with.day, places_with.event, places_with.part, ''));
    END IF;
    places := CASE WHEN places IS NULL THEN these ELSE ARRAY(SELECT unnest(places) INTERSECT SELECT unnest(these) ORDER BY 1) END;
  END LOOP;
  RETURN places;
END
$$;

-- The hashes of a property's values in a pack, an element for each event, if equal hashes are equal texts; else NULL.
CREATE OR REPLACE FUNCTION weir.hashed_texts(tenant text, day date, event text, part integer, property text) RETURNS bigint[]
LANGUAGE plpgsql STABLE PARALLEL SAFE COST 1
SET plan_cache_mode = force_generic_plan
AS $$
BEGIN
  RETURN (SELECT v.hashes FROM weir.pack_values AS v
    WHERE (v.tenant_id, v.day, v.event, v.part, v.name) = (tenant, hashed_texts.day, hashed_texts.event, hashed_texts.part, nullif(property, '')) AND v.are_texts);
END
$$;

-- Of each event of a pack the number in a property, NULL where it has none: from lists, or where these do not tell from the events' properties. No
-- elements where no event has one.
CREATE OR REPLACE FUNCTION weir.amounts_of(tenant text, day date, event text, part integer, is_listed boolean, properties jsonb[], property text)
RETURNS numeric[]
LANGUAGE plpgsql STABLE PARALLEL SAFE COST 1
SET plan_cache_mode = force_generic_plan
AS $$
DECLARE
  line record;
BEGIN
  IF is_listed THEN
    -- The line without a name comes last.
    SELECT v.name, v.amounts INTO line FROM weir.pack_values AS v
    WHERE (v.tenant_id, v.day, v.event, v.part) = (tenant, amounts_of.day, amounts_of.event, amounts_of.part) AND v.name IN (property, '')
    ORDER BY v.name DESC LIMIT 1;
    IF NOT FOUND OR line.name <> '' THEN
      RETURN coalesce(line.amounts, '{}');
    END IF;
  END IF;
  RETURN ARRAY(SELECT weir.number_said(u.value) FROM (SELECT unnest(amounts_of.properties) -> property AS value OFFSET 0) AS u);
END
$$;

-- The elements of a column at these places, as far as it has so many; NULL of none. (In PL/pgSQL, which finds each by its place.)
CREATE OR REPLACE FUNCTION weir.picked(list anyarray, places integer[]) RETURNS anyarray
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE COST 1
SET plan_cache_mode = force_generic_plan
AS $$
BEGIN
  RETURN ARRAY(SELECT list[p] FROM unnest(places) AS p WHERE p <= cardinality(list));
END
$$;

-- The same, or the column as it is where nothing was looked up.
CREATE OR REPLACE FUNCTION weir.narrowed_column(list anyarray, places integer[]) RETURNS anyarray
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT CASE WHEN places IS NULL THEN list ELSE weir.picked(list, places) END $$;

-- Packs of the days that are read from them, or of a third of these days, with what users from one number up to another did;
-- NULL: all. Packs are in the order of users: those that have none of these are not unpacked. With the columns that are needed,
-- and what is to be asked of each event: `sure` says nothing of its moment, `anything` nothing else. Where a pattern's properties are looked up,
-- columns have the events alone that have them, and `has` is NULL; `narrowed` says that the pattern has some. Without settings of its own,
-- so that it becomes part of what asks, and without a SELECT in an expression, which would keep workers out. (OFFSET 0 says once
-- for each pack what would be computed for each event; as an integer it would be cast, and keep workers out, as a
-- SELECT without FROM would. And CASE is reckoned to be true for every other day, not for one of two hundred.)
CREATE OR REPLACE FUNCTION weir.packs_to_read(third integer, lowest bigint, beyond bigint, tenant text, patterns jsonb, since timestamptz,
  until timestamptz, needs text[], hashed text DEFAULT NULL, measured text DEFAULT NULL)
RETURNS TABLE (place integer, event text, day date, part integer, codes bigint[], numbers bigint[], sessions bigint[], moments timestamptz[], versions text[],
  platforms text[], countries text[], screens text[], durations numeric[], hashes bigint[], amounts numeric[], properties jsonb[], has jsonb, of_version text, of_platform text,
  of_country text, anything boolean, sure boolean, first timestamptz, last timestamptz, narrowed boolean)
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
  SELECT k.place, k.event, k.day, k.part, weir.narrowed_column(k.codes, k.places),
    weir.narrowed_column(k.numbers, k.places),
    CASE WHEN 'session' = ANY (needs) THEN weir.narrowed_column(k.sessions, k.places) END,
    weir.narrowed_column(k.moments, k.places),
    CASE WHEN 'version' = ANY (needs) OR k.version IS NOT NULL THEN weir.narrowed_column(k.versions, k.places) END,
    CASE WHEN 'platform' = ANY (needs) OR k.platform IS NOT NULL THEN weir.narrowed_column(k.platforms, k.places) END,
    CASE WHEN 'country' = ANY (needs) OR k.country IS NOT NULL THEN weir.narrowed_column(k.countries, k.places) END,
    CASE WHEN 'screen' = ANY (needs) THEN weir.narrowed_column(k.screens, k.places) END,
    CASE WHEN 'duration' = ANY (needs) THEN weir.narrowed_column(k.durations, k.places) END,
    weir.narrowed_column(k.hashes, k.places),
    weir.narrowed_column(k.amounts, k.places),
    CASE WHEN 'properties' = ANY (needs) OR k.narrowed AND k.places IS NULL OR hashed IS NOT NULL AND k.hashes IS NULL
      THEN weir.narrowed_column(k.properties, k.places) END,
    CASE WHEN k.places IS NULL THEN k.has END, k.version, k.platform, k.country,
    k.anything OR k.places IS NOT NULL AND k.version IS NULL AND k.platform IS NULL AND k.country IS NULL, k.sure, since, until, k.narrowed
  FROM (
    SELECT p.*, w.place, w.properties AS has, w.version, w.platform, w.country, w.anything, w.properties IS NOT NULL AS narrowed,
      CASE WHEN w.properties IS NOT NULL AND NOT weir.is_made(p.event) AND weir.has_values(p.moments)
        THEN weir.places_with(p.tenant_id, p.day, p.event, p.part, w.properties) END AS places,
      CASE WHEN hashed IS NOT NULL AND NOT weir.is_made(p.event) AND weir.has_values(p.moments)
        THEN weir.hashed_texts(p.tenant_id, p.day, p.event, p.part, hashed) END AS hashes,
      CASE WHEN measured IS NOT NULL
        THEN weir.amounts_of(p.tenant_id, p.day, p.event, p.part, NOT weir.is_made(p.event) AND weir.has_values(p.moments), p.properties, measured) END AS amounts,
      p.day::timestamp AT TIME ZONE 'UTC' >= since + interval '6 hours' AND (p.day + 1)::timestamp AT TIME ZONE 'UTC' <= until - interval '6 hours' AS sure
    FROM weir.listed_patterns(patterns) AS w
    JOIN weir.packs AS p ON p.event = w.event
    WHERE p.tenant_id = tenant AND p.day BETWEEN (since AT TIME ZONE 'UTC')::date AND ((until - interval '1 microsecond') AT TIME ZONE 'UTC')::date
      AND p.day IN (SELECT d.day FROM weir.days_in_packs(tenant, since, until) AS d (day))
      AND (third IS NULL OR CASE WHEN abs(p.day - '2000-01-01') % 3 = third THEN true END)
      AND (beyond IS NULL OR beyond = 9223372036854775807 OR p.numbers[1] < beyond)
      AND (lowest IS NULL OR lowest = -9223372036854775808 OR coalesce(p.numbers[4096], lowest) >= lowest)
    OFFSET bigint '0'
  ) AS k
  WHERE k.places IS NULL OR cardinality(k.places) > 0
  OFFSET bigint '0'
$$;

-- The events in them.
CREATE OR REPLACE FUNCTION weir.happened_in_packs(third integer, lowest bigint, beyond bigint, tenant text, patterns jsonb, since timestamptz,
  until timestamptz, needs text[])
RETURNS TABLE (place integer, event text, number bigint, session bigint, at timestamptz, version text, platform text, country text,
  screen text, duration numeric, properties jsonb, sure boolean)
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
  SELECT u.place, u.event, u.number, u.session, u.at, u.version, u.platform, u.country, u.screen, u.duration, u.properties, u.sure
  FROM (
    SELECT k.place, k.event, unnest(k.numbers) AS number, unnest(k.sessions) AS session, unnest(k.moments) AS at, unnest(k.versions) AS version,
      unnest(k.platforms) AS platform, unnest(k.countries) AS country, unnest(k.screens) AS screen, unnest(k.durations) AS duration,
      unnest(k.properties) AS properties, k.has, k.of_version, k.of_platform, k.of_country, k.anything, k.sure,
      k.first, k.last
    FROM weir.packs_to_read(third, lowest, beyond, tenant, patterns, since, until, needs) AS k
  ) AS u
  WHERE (u.sure OR u.at >= u.first AND u.at < u.last) AND (beyond IS NULL OR u.number < beyond) AND (lowest IS NULL OR u.number >= lowest)
    AND (u.anything OR weir.is_like(u.has, u.of_version, u.of_platform, u.of_country, u.properties, u.version, u.platform, u.country))
$$;

-- In thirds, since PostgreSQL lets workers take parts of a UNION, but what SELECT unnests it counts wrongly where several do
-- it, and so has one do it.
CREATE OR REPLACE FUNCTION weir.happened(tenant text, patterns jsonb, since timestamptz, until timestamptz, needs text[])
RETURNS TABLE (place integer, event text, number bigint, session bigint, at timestamptz, version text, platform text, country text,
  screen text, duration numeric, properties jsonb, sure boolean)
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
  SELECT * FROM weir.happened_in_packs(0, NULL, NULL, tenant, patterns, since, until, needs)
  UNION ALL
  SELECT * FROM weir.happened_in_packs(1, NULL, NULL, tenant, patterns, since, until, needs)
  UNION ALL
  SELECT * FROM weir.happened_in_packs(2, NULL, NULL, tenant, patterns, since, until, needs)
  UNION ALL
  SELECT * FROM weir.happened_in_rows(tenant, patterns, since, until, needs)
$$;

-- Those of some patterns that ask for an event's name alone, or the others. What is left out is null, so that all keep their places.
CREATE OR REPLACE FUNCTION weir.patterns_of_name(patterns jsonb, alone boolean) RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
  SELECT jsonb_agg(CASE WHEN weir.asks_more(p.said) <> alone THEN p.said END ORDER BY p.place)
  FROM jsonb_array_elements(patterns) WITH ORDINALITY AS p (said, place)
$$;

-- Numbers that cut users into halves which did about as much: a half is from one up to the next. A figure that has to look at each user's events
-- together has one process do all of it for one half, and another for the other: so sorting and grouping are shared, not only unpacking. Found from some days' packs:
-- where none of these days has more than one of firsts or of what is repeated, or hardly an event has a user, one half has all. Not into more, since each reads packs
-- and rows that others read, too. With `by_user` for what takes as long for each user as for their events: users who come later did less, and so are more in their half.
-- They are then parted halfway between where half of the events are and half of the users, for whom numbers stand from the first to the last hundredth of the events.
CREATE OR REPLACE FUNCTION weir.halves_of_users(tenant text, patterns jsonb, since timestamptz, until timestamptz, by_user boolean DEFAULT false)
RETURNS bigint[]
LANGUAGE sql STABLE
SET jit = off SET enable_nestloop = on
AS $$
  SELECT ARRAY[-9223372036854775808, coalesce(CASE WHEN s.parts > 0
    THEN CASE WHEN by_user THEN (s.sampled[2] + (s.sampled[1] + s.sampled[3]) / 2) / 2 ELSE s.sampled[2] END END, 9223372036854775807), 9223372036854775807]
  FROM (
    SELECT max(p.part & 524287) AS parts, percentile_disc('{0.01, 0.5, 0.99}'::float8[]) WITHIN GROUP (ORDER BY n.number) AS sampled
    FROM weir.listed_patterns(patterns) AS w
    JOIN weir.packs AS p ON p.event = w.event
    LEFT JOIN LATERAL unnest(weir.picked(p.numbers, '{512,1536,2560,3584}')) AS n (number) ON true
    WHERE p.tenant_id = tenant AND p.day BETWEEN (since AT TIME ZONE 'UTC')::date AND (until AT TIME ZONE 'UTC')::date
      AND (p.day - '2000-01-01') % greatest(1, extract(day FROM until - since)::integer / 15) = 0
  ) AS s
$$;

-- All events of a span, of whatever name.
CREATE OR REPLACE FUNCTION weir.all_happened(tenant text, since timestamptz, until timestamptz, needs text[])
RETURNS TABLE (event text, number bigint, at timestamptz, version text, platform text, country text, properties jsonb)
LANGUAGE sql STABLE
AS $$
  SELECT u.event, u.number, u.at, u.version, u.platform, u.country, u.properties
  FROM (
    SELECT p.event, unnest(p.numbers) AS number, unnest(p.moments) AS at,
      unnest(CASE WHEN (SELECT 'version' = ANY (needs)) THEN p.versions END) AS version,
      unnest(CASE WHEN (SELECT 'platform' = ANY (needs)) THEN p.platforms END) AS platform,
      unnest(CASE WHEN (SELECT 'country' = ANY (needs)) THEN p.countries END) AS country,
      unnest(CASE WHEN (SELECT 'properties' = ANY (needs)) THEN p.properties END) AS properties
    FROM weir.packs AS p
    WHERE p.tenant_id = tenant AND p.day BETWEEN (since AT TIME ZONE 'UTC')::date AND ((until - interval '1 microsecond') AT TIME ZONE 'UTC')::date
      AND p.day IN (SELECT d.day FROM weir.days_in_packs(tenant, since, until) AS d (day))
      AND NOT weir.is_made(p.event)
  ) AS u
  WHERE u.at >= (SELECT since) AND u.at < (SELECT until)
  UNION ALL
  SELECT e.event, weir.user_key(n.number, e.user_id), e."timestamp", e.app_version, e.platform, e.country, e.properties
  FROM weir.spans_in_rows(tenant, since, until) AS s
  JOIN weir.events AS e ON e."timestamp" >= s.span_since AND e."timestamp" < s.span_until
  LEFT JOIN weir.user_numbers AS n ON n.tenant_id = tenant AND n.user_id = e.user_id
  WHERE e.tenant_id = tenant
$$;

-- From when on a day counts on a zone's clock: surely not before `since`, and surely from `surely` on. Both are midnight, but where the
-- clock is changed about that time.
CREATE OR REPLACE FUNCTION weir.day_begins(zone text, day date) RETURNS TABLE (since timestamptz, surely timestamptz)
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
  SELECT m.midnight - m.doubt, m.midnight + m.doubt
  FROM (
    SELECT n.midnight, CASE WHEN (n.midnight - interval '3 hours') AT TIME ZONE zone = day::timestamp - interval '3 hours'
      AND (n.midnight + interval '3 hours') AT TIME ZONE zone = day::timestamp + interval '3 hours' THEN interval '0' ELSE interval '3 hours' END AS doubt
    FROM (SELECT day::timestamp AT TIME ZONE zone AS midnight) AS n
  ) AS m
$$;

-- A window, and the UTC days in it of which what is made of packs (migrations/0034) can be read; none of them unless `made`.
CREATE OR REPLACE FUNCTION weir.asked_of(tenant text, zone text, first_day date, last_day date, made boolean) RETURNS weir.asked
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
  SELECT (tenant, zone, first_day, last_day, d.since, CASE WHEN made AND d.first < d.last THEN d.first ELSE d.until END,
    CASE WHEN made AND d.first < d.last THEN d.last ELSE d.until END, d.until)::weir.asked
  FROM (
    SELECT f.since, l.surely AS until, date_trunc('day', f.surely + interval '1 day' - interval '1 microsecond', 'UTC') AS first,
      date_trunc('day', l.since, 'UTC') AS last
    FROM weir.day_begins(zone, first_day) AS f, weir.day_begins(zone, last_day + 1) AS l
  ) AS d
$$;

-- The days of these that are packed.
CREATE OR REPLACE FUNCTION weir.made_days(asked weir.asked) RETURNS SETOF date
LANGUAGE sql STABLE PARALLEL SAFE ROWS 90
AS $$ SELECT d FROM weir.days_in_packs(asked.tenant, asked.first, asked.last) AS d WHERE asked.first < asked.last $$;

-- Whether what is made of these days' packs for some events is of one of them alone, so that it says what is asked of this one.
CREATE OR REPLACE FUNCTION weir.is_only_event(tenant text, first_day date, last_day date, event text, events text[]) RETURNS boolean
LANGUAGE sql STABLE
AS $$
  SELECT event = ANY (events) AND NOT EXISTS (
    SELECT FROM weir.packs AS p
    WHERE p.tenant_id = tenant AND p.event = ANY (events) AND p.event <> is_only_event.event AND p.day BETWEEN first_day AND last_day)
$$;

-- What users from one number up to another did, on those days by the patterns `made`, for what is made of packs, and else by `patterns`.
-- Without settings of its own, so that it becomes part of what asks.
CREATE OR REPLACE FUNCTION weir.happened_beside(lowest bigint, beyond bigint, asked weir.asked, patterns jsonb, made jsonb, needs text[])
RETURNS TABLE (event text, number bigint, session bigint, at timestamptz, screen text, properties jsonb)
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
  SELECT e.event, e.number, e.session, e.at, e.screen, e.properties
  FROM (
    SELECT p.* FROM weir.happened_in_packs(NULL, lowest, beyond, asked.tenant, patterns, asked.since, asked.first, needs) AS p
    WHERE asked.since < asked.first
    UNION ALL
    SELECT p.* FROM weir.happened_in_packs(NULL, lowest, beyond, asked.tenant, patterns, asked.last, asked.until, needs) AS p
    WHERE asked.last < asked.until
    UNION ALL
    SELECT p.* FROM weir.happened_in_packs(NULL, lowest, beyond, asked.tenant, made, asked.first, asked.last, needs) AS p
    WHERE asked.first < asked.last
    UNION ALL
    SELECT r.* FROM weir.happened_in_rows(asked.tenant, patterns, asked.since, asked.until, needs) AS r
    WHERE r.number >= lowest AND r.number < beyond
  ) AS e
  WHERE e.sure OR (e.at AT TIME ZONE asked.zone)::date BETWEEN asked.first_day AND asked.last_day
$$;

-- Patterns of names alone, each once.
CREATE OR REPLACE FUNCTION weir.patterns_named(names text[]) RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
  SELECT (SELECT jsonb_agg(jsonb_build_object('event', n.name)) FROM (SELECT DISTINCT n.name FROM unnest(names) AS n (name)) AS n)
$$;

GRANT EXECUTE ON FUNCTION weir.days_in_packs(text, timestamptz, timestamptz), weir.spans_in_rows(text, timestamptz, timestamptz),
  weir.microseconds(timestamptz), weir.user_key(integer, text), weir.asks_more(jsonb), weir.listed_patterns(jsonb),
  weir.happened_in_rows(text, jsonb, timestamptz, timestamptz, text[]), weir.is_like(jsonb, text, text, text, jsonb, text, text, text),
  weir.places_with(text, date, text, integer, jsonb), weir.hashed_texts(text, date, text, integer, text),
  weir.amounts_of(text, date, text, integer, boolean, jsonb[], text),
  weir.picked(anyarray, integer[]), weir.narrowed_column(anyarray, integer[]),
  weir.packs_to_read(integer, bigint, bigint, text, jsonb, timestamptz, timestamptz, text[], text, text),
  weir.happened_in_packs(integer, bigint, bigint, text, jsonb, timestamptz, timestamptz, text[]),
  weir.happened(text, jsonb, timestamptz, timestamptz, text[]),
  weir.patterns_of_name(jsonb, boolean), weir.halves_of_users(text, jsonb, timestamptz, timestamptz, boolean), weir.day_begins(text, date),
  weir.asked_of(text, text, date, date, boolean), weir.made_days(weir.asked), weir.is_only_event(text, date, date, text, text[]),
  weir.happened_beside(bigint, bigint, weir.asked, jsonb, jsonb, text[]), weir.all_happened(text, timestamptz, timestamptz, text[]),
  weir.patterns_named(text[]), weir.narrowed(jsonb, jsonb) TO weir_reader;
