-- What a day's figures are: one function for each table, which makes them from the rows. A day is all
-- moments whose date is that on the clocks of the zone, so that it has 23 or 25 hours where clocks change.
-- Building a day replaces what differs; verifying it compares with the same functions (0017, 0019).
SET LOCAL ROLE weir_owner;

-- A set of bits from numbers: at_bits(number % 20480, 1). It begins as a set of nobody.
DO $$
BEGIN
  EXECUTE format('CREATE AGGREGATE weir.at_bits(integer, integer) (SFUNC = pg_catalog.set_bit, STYPE = bit, INITCOND = %L)',
    'X' || repeat('0', 5120));
END
$$;

-- Where the rows of a day are to be looked for. An hour that a clock repeats can belong to the day before or
-- after what AT TIME ZONE says of midnight; so a little more is read, and each row's own date decides.
CREATE FUNCTION weir.span_of_day(zone text, day date) RETURNS tstzrange
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
  SELECT tstzrange((day::timestamp AT TIME ZONE zone) - interval '3 hours',
    ((day + 1)::timestamp AT TIME ZONE zone) + interval '3 hours')
$$;

-- A property of one event is in a subject once, though a row for every event and one for this may say so.
CREATE FUNCTION weir.wanted_dimensions(tenant text)
RETURNS TABLE (subject text, event text, property text, by_event boolean, of_users boolean)
LANGUAGE sql STABLE
AS $$
  SELECT d.subject, d.event, d.property, d.by_event, d.of_users
  FROM weir.dimensions AS d
  WHERE (d.tenant_id = tenant OR d.tenant_id = '*' AND NOT EXISTS (
      SELECT FROM weir.dimensions AS own WHERE own.tenant_id = tenant AND own.subject = d.subject))
    AND (d.event = '*' OR NOT EXISTS (
      SELECT FROM weir.dimensions AS every
      WHERE (every.tenant_id, every.subject, every.event, every.property) = (d.tenant_id, d.subject, '*', d.property)))
$$;

-- The slot of a number in a logarithmic histogram, after DDSketch (https://arxiv.org/abs/1908.10693): the
-- borders of slots grow by 101/99, so that the middle of one is off by 1 % at most. 0 is everything within
-- 1e-300 of it; negative numbers have negative slots.
CREATE FUNCTION weir.slot_of(number numeric) RETURNS integer
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
  SELECT CASE WHEN abs(number) < 1e-300 THEN 0
    ELSE sign(number)::integer * (40000 + ceil(ln(abs(number)::float8) / ln(101 / 99.0::float8))::integer) END
$$;

CREATE FUNCTION weir.value_of_slot(slot integer) RETURNS float8
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
  SELECT CASE WHEN slot = 0 THEN 0
    ELSE sign(slot) * 0.99::float8 * (101 / 99.0::float8) ^ (abs(slot) - 40000) END
$$;

-- Which of the columns event, version, platform and country GROUPING SETS has grouped by.
CREATE FUNCTION weir.subject_grouped(mask integer) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
  SELECT CASE mask WHEN 15 THEN 'active' WHEN 7 THEN 'event' WHEN 11 THEN 'version' WHEN 13 THEN 'platform'
    WHEN 14 THEN 'country' END
$$;

-- The rows of a day, with their users' numbers. Functions without a SET become part of the query that calls them.
CREATE FUNCTION weir.events_of_day(tenant text, zone text, day date)
RETURNS TABLE (number integer, event text, version text, platform text, country text, properties jsonb, hour integer)
LANGUAGE sql STABLE
AS $$
  SELECT u.number, left(e.event, 256), left(nullif(e.app_version, ''), 256), left(nullif(e.platform, ''), 256),
    left(nullif(e.country, ''), 256), CASE jsonb_typeof(e.properties) WHEN 'object' THEN e.properties END,
    extract(hour FROM e.at)::integer
  FROM (
    SELECT *, "timestamp" AT TIME ZONE events_of_day.zone AS at FROM weir.events
    WHERE tenant_id = events_of_day.tenant
      AND "timestamp" >= lower(weir.span_of_day(events_of_day.zone, events_of_day.day))
      AND "timestamp" < upper(weir.span_of_day(events_of_day.zone, events_of_day.day))
  ) AS e
  LEFT JOIN weir.user_numbers AS u ON u.tenant_id = events_of_day.tenant AND u.user_id = e.user_id
  WHERE e.at >= events_of_day.day AND e.at < events_of_day.day + 1
$$;

-- Each crash of a day as a value of each of its subjects.
CREATE FUNCTION weir.crashes_of_day(tenant text, zone text, day date)
RETURNS TABLE (subject text, value text, number integer, hour integer)
LANGUAGE sql STABLE
AS $$
  SELECT v.subject, left(v.value, 256), u.number, extract(hour FROM c."timestamp" AT TIME ZONE crashes_of_day.zone)::integer
  FROM weir.crashes AS c
  LEFT JOIN weir.user_numbers AS u ON u.tenant_id = crashes_of_day.tenant AND u.user_id = c.user_id
  CROSS JOIN LATERAL (VALUES ('crash', ''), ('crash_version', nullif(c.app_version, '')), ('crash_os', nullif(c.os_version, '')),
    ('crash_type', nullif(c.crash_type, '')), ('crash_group', nullif(c.fingerprint, ''))) AS v (subject, value)
  WHERE c.tenant_id = crashes_of_day.tenant
    AND c."timestamp" >= lower(weir.span_of_day(crashes_of_day.zone, crashes_of_day.day))
    AND c."timestamp" < upper(weir.span_of_day(crashes_of_day.zone, crashes_of_day.day))
    AND (c."timestamp" AT TIME ZONE crashes_of_day.zone)::date = crashes_of_day.day AND v.value IS NOT NULL
$$;

-- Dimensions as facts_of_day() finds them: one that is kept by event stands there twice. A family shares the
-- bound of a thousand values.
CREATE FUNCTION weir.families_of(tenant text)
RETURNS TABLE (family text, subject text, event text, property text, apart boolean, of_users boolean)
LANGUAGE sql STABLE
AS $$
  SELECT d.subject || CASE WHEN a.apart THEN ' by event' ELSE '' END, d.subject, d.event, d.property, a.apart, d.of_users
  FROM weir.wanted_dimensions(tenant) AS d
  CROSS JOIN (VALUES (false), (true)) AS a (apart)
  WHERE d.by_event OR NOT a.apart
$$;

-- Of some hours of the clock how many events each had; all 24 in their order.
CREATE FUNCTION weir.around_the_clock(hours integer[], events bigint[]) RETURNS bigint[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
  SELECT ARRAY(SELECT coalesce(events[array_position(hours, hour)], 0) FROM generate_series(0, 23) AS hour ORDER BY hour)
$$;

-- All figures of a day but its sessions and its new users, from one reading of the rows:
--
--   kind     subject, value    has
--   'set'    as in day_sets    chunk, users
--   'count'  as in day_counts  events, hours
--   'number' event, property   events, total, lowest, highest, slots, counts
--
-- Values are cut after 256 characters, and the empty one is none. Of a subject the thousand values with the
-- most events are kept, what is beyond is X_other together; of numbers the thousand properties of events
-- that have the most. What is kept by event has a thousand values for all events together, and nothing of an
-- event that is itself beyond the thousand. So a client that invents names costs no more than this.
--
--   happened ──► named ──► tallied ──► ranked ──► counts by hour
--       │          └───────────────────► └──────► sets
--       └──► numbers
--
-- The planner knows nothing of what it will read, and takes all for few rows: it is told to hash, and to read rows in
-- the order in which they lie, by bitmaps, since those of a day come in any order.
CREATE FUNCTION weir.facts_of_day(tenant text, zone text, day date)
RETURNS TABLE (kind text, subject text, value text, chunk integer, users bit, events bigint, hours bigint[],
  total numeric, lowest numeric, highest numeric, slots integer[], counts bigint[])
LANGUAGE sql STABLE
SET jit = off SET work_mem = '64MB' SET enable_nestloop = off SET enable_mergejoin = off SET enable_sort = off
SET enable_indexscan = off
AS $$
  WITH happened AS MATERIALIZED (
    SELECT * FROM weir.events_of_day(facts_of_day.tenant, facts_of_day.zone, facts_of_day.day)
  ), families AS MATERIALIZED (
    SELECT * FROM weir.families_of(facts_of_day.tenant)
  ), named AS MATERIALIZED (
    -- Subjects that are no columns of events.
    SELECT f.family, CASE WHEN f.apart THEN h.event END AS apart,
      CASE WHEN f.apart THEN h.event || '.' || f.subject ELSE f.subject END AS subject,
      left(h.properties ->> f.property, 256) AS value, h.number, h.hour
    FROM happened AS h
    JOIN families AS f ON f.event IN (h.event, '*')
    WHERE jsonb_typeof(h.properties -> f.property) IN ('string', 'number', 'boolean')
      AND h.properties ->> f.property <> '' AND (h.number IS NOT NULL OR NOT f.of_users)
    UNION ALL
    SELECT c.subject, NULL, c.subject, c.value, c.number, c.hour
    FROM weir.crashes_of_day(facts_of_day.tenant, facts_of_day.zone, facts_of_day.day) AS c
  ), tallied AS MATERIALIZED (
    SELECT g.subject AS family, NULL AS apart, g.subject, coalesce(g.value, '') AS value, g.hour, g.events
    FROM (
      SELECT weir.subject_grouped(grouping(event, version, platform, country)) AS subject,
        coalesce(event, version, platform, country) AS value, hour, count(*) AS events
      FROM happened
      GROUP BY GROUPING SETS ((hour), (event, hour), (version, hour), (platform, hour), (country, hour))
    ) AS g
    WHERE g.subject = 'active' OR g.value IS NOT NULL
    UNION ALL
    SELECT n.family, n.apart, n.subject, n.value, n.hour, count(*)
    FROM named AS n GROUP BY n.family, n.apart, n.subject, n.value, n.hour
  ), told_events AS MATERIALIZED (
    SELECT t.value AS event FROM tallied AS t WHERE t.subject = 'event'
    GROUP BY t.value ORDER BY sum(t.events) DESC, t.value COLLATE "C" LIMIT 1000
  ), ranked AS MATERIALIZED (
    SELECT t.subject, t.value,
      row_number() OVER (PARTITION BY t.family ORDER BY sum(t.events) DESC, t.subject COLLATE "C", t.value COLLATE "C") > 1000 AS beyond
    FROM tallied AS t
    WHERE t.apart IS NULL OR t.apart IN (SELECT e.event FROM told_events AS e)
    GROUP BY t.family, t.subject, t.value
  ), beyond AS MATERIALIZED (
    SELECT r.subject, r.value FROM ranked AS r WHERE r.beyond
  ), members AS MATERIALIZED (
    SELECT h.number, h.event, h.version, h.platform, h.country, count(*) AS events
    FROM happened AS h WHERE h.number IS NOT NULL
    GROUP BY h.number, h.event, h.version, h.platform, h.country
  ), loads AS MATERIALIZED (
    SELECT m.number, sum(m.events)::bigint AS events FROM members AS m GROUP BY m.number
  ), sets AS (
    SELECT weir.subject_grouped(grouping(s.event, s.version, s.platform, s.country)) AS subject,
      coalesce(s.event, s.version, s.platform, s.country) AS value, s.chunk, weir.at_bits(s.bit, 1) AS users
    FROM (
      SELECT m.number / 20480 AS chunk, m.number % 20480 AS bit,
        CASE WHEN e.value IS NULL THEN m.event END AS event, CASE WHEN v.value IS NULL THEN m.version END AS version,
        CASE WHEN p.value IS NULL THEN m.platform END AS platform, CASE WHEN c.value IS NULL THEN m.country END AS country
      FROM members AS m
      LEFT JOIN beyond AS e ON e.subject = 'event' AND e.value = m.event
      LEFT JOIN beyond AS v ON v.subject = 'version' AND v.value = m.version
      LEFT JOIN beyond AS p ON p.subject = 'platform' AND p.value = m.platform
      LEFT JOIN beyond AS c ON c.subject = 'country' AND c.value = m.country
    ) AS s
    GROUP BY GROUPING SETS ((chunk), (event, chunk), (version, chunk), (platform, chunk), (country, chunk))
    UNION ALL
    SELECT n.subject, n.value, n.number / 20480, weir.at_bits(n.number % 20480, 1)
    FROM (SELECT DISTINCT n.subject, n.value, n.number FROM named AS n WHERE n.number IS NOT NULL) AS n
    JOIN ranked AS r ON r.subject = n.subject AND r.value = n.value AND NOT r.beyond
    GROUP BY n.subject, n.value, n.number / 20480
    UNION ALL
    SELECT 'load', p.place::text, l.number / 20480, weir.at_bits(l.number % 20480, 1)
    FROM loads AS l, generate_series(0, (SELECT length(ltrim(max(l.events)::bit(64)::text, '0')) - 1 FROM loads AS l)) AS p (place)
    WHERE l.events >> p.place & 1 = 1
    GROUP BY p.place, l.number / 20480
    UNION ALL
    SELECT b.subject || '_other', '', n.number / 20480, weir.at_bits(n.number % 20480, 1)
    FROM (
      SELECT l.subject, l.value, m.number
      FROM members AS m, LATERAL (VALUES ('event', m.event), ('version', m.version), ('platform', m.platform),
        ('country', m.country)) AS l (subject, value)
      WHERE EXISTS (SELECT FROM beyond)
      UNION ALL
      SELECT n.subject, n.value, n.number FROM named AS n WHERE n.number IS NOT NULL AND EXISTS (SELECT FROM beyond)
    ) AS n
    JOIN beyond AS b ON b.subject = n.subject AND b.value = n.value
    GROUP BY b.subject, n.number / 20480
  ), hourly AS (
    SELECT CASE WHEN r.beyond THEN t.subject || '_other' ELSE t.subject END AS subject,
      CASE WHEN r.beyond THEN '' ELSE t.value END AS value, t.hour, sum(t.events)::bigint AS events
    FROM tallied AS t JOIN ranked AS r ON r.subject = t.subject AND r.value = t.value
    GROUP BY 1, 2, 3
  ), numbers AS (
    SELECT n.event, n.property, weir.slot_of(n.number) AS slot, count(*) AS events,
      sum(n.number) AS total, min(n.number) AS lowest, max(n.number) AS highest
    FROM (
      SELECT h.event, left(p.key, 256) AS property, p.value::numeric AS number
      FROM happened AS h, jsonb_each(h.properties) AS p
      WHERE jsonb_typeof(p.value) = 'number'
    ) AS n
    WHERE abs(n.number) < 1e300
    GROUP BY n.event, n.property, slot
  )
  SELECT 'set', s.subject, coalesce(s.value, ''), s.chunk, s.users, NULL::bigint, NULL::bigint[],
    NULL::numeric, NULL::numeric, NULL::numeric, NULL::integer[], NULL::bigint[]
  FROM sets AS s
  WHERE s.value IS NOT NULL OR s.subject = 'active'
  UNION ALL
  SELECT 'count', h.subject, h.value, NULL, NULL, sum(h.events)::bigint,
    weir.around_the_clock(array_agg(h.hour), array_agg(h.events)), NULL, NULL, NULL, NULL, NULL
  FROM hourly AS h
  GROUP BY h.subject, h.value
  UNION ALL
  SELECT * FROM (
    SELECT 'number', n.event, n.property, NULL::integer, NULL::bit, sum(n.events)::bigint AS events, NULL::bigint[],
      sum(n.total), min(n.lowest), max(n.highest), array_agg(n.slot ORDER BY n.slot), array_agg(n.events ORDER BY n.slot)
    FROM numbers AS n
    GROUP BY n.event, n.property
    ORDER BY events DESC, n.event COLLATE "C", n.property COLLATE "C"
    LIMIT 1000
  ) AS most_common
$$;

-- The sessions that began on a day: those whose first event of that day comes 24 hours or more after
-- their last one before it. None or one row.
CREATE FUNCTION weir.sessions_of_day(tenant text, zone text, day date)
RETURNS TABLE (sessions bigint, crashed bigint, seconds numeric, slots integer[], counts bigint[])
LANGUAGE sql STABLE
SET jit = off SET work_mem = '64MB' SET enable_nestloop = off SET enable_mergejoin = off SET enable_sort = off
SET enable_indexscan = off
AS $$
  WITH bounds AS MATERIALIZED (
    SELECT lower(span) - interval '24 hours' AS first, upper(span) + interval '24 hours' AS last
    FROM weir.span_of_day(sessions_of_day.zone, sessions_of_day.day) AS span
  ), near AS NOT MATERIALIZED (
    SELECT e.user_id, e.session_id, e."timestamp" AS at, (e."timestamp" AT TIME ZONE sessions_of_day.zone)::date AS day
    FROM weir.events AS e
    WHERE e.tenant_id = sessions_of_day.tenant AND e.session_id IS NOT NULL
      AND e."timestamp" >= (SELECT first FROM bounds) AND e."timestamp" < (SELECT last FROM bounds)
  ), seen AS (
    SELECT n.user_id, n.session_id, max(n.at) FILTER (WHERE n.day < sessions_of_day.day) AS before,
      min(n.at) FILTER (WHERE n.day = sessions_of_day.day) AS first_at, max(n.at) AS last_at
    FROM near AS n
    GROUP BY n.user_id, n.session_id
  ), fresh AS MATERIALIZED (
    SELECT row_number() OVER () AS n, s.user_id, s.session_id, s.first_at, s.last_at,
      s.last_at > s.first_at + interval '24 hours' AS goes_on
    FROM seen AS s
    WHERE s.first_at IS NOT NULL AND (s.before IS NULL OR s.before <= s.first_at - interval '24 hours')
  ), ends AS (
    -- Of those whose session_id comes again on a later day: only where there are any are the rows read once more.
    SELECT f.n, max(near.at) AS last_at
    FROM near
    JOIN fresh AS f ON f.goes_on AND f.session_id = near.session_id
      AND coalesce('=' || f.user_id, '') = coalesce('=' || near.user_id, '')
    WHERE near.at BETWEEN f.first_at AND f.first_at + interval '24 hours'
    GROUP BY f.n
  ), begun AS MATERIALIZED (
    SELECT f.n, f.user_id, f.first_at, coalesce(e.last_at, f.last_at) AS last_at FROM fresh AS f LEFT JOIN ends AS e ON e.n = f.n
  ), crashed AS MATERIALIZED (
    SELECT DISTINCT b.n
    FROM begun AS b
    JOIN weir.crashes AS c ON c.user_id = b.user_id AND c."timestamp" BETWEEN b.first_at AND b.last_at
    WHERE c.tenant_id = sessions_of_day.tenant
      AND c."timestamp" >= (SELECT first FROM bounds) AND c."timestamp" < (SELECT last FROM bounds)
  ), by_slot AS (
    SELECT weir.slot_of(extract(epoch FROM b.last_at - b.first_at)) AS slot, count(*) AS sessions,
      sum(extract(epoch FROM b.last_at - b.first_at)) AS seconds
    FROM begun AS b
    GROUP BY slot
  )
  SELECT sum(s.sessions)::bigint, (SELECT count(*) FROM crashed), sum(s.seconds),
    array_agg(s.slot ORDER BY s.slot), array_agg(s.sessions ORDER BY s.slot)
  FROM by_slot AS s
  HAVING count(*) > 0
$$;

-- Users whose earliest event is of that day, as facts_of_day() has them. It does not need the rows.
CREATE FUNCTION weir.newcomers_of_day(tenant text, zone text, day date)
RETURNS TABLE (kind text, subject text, value text, chunk integer, users bit, events bigint, hours bigint[])
LANGUAGE sql STABLE
SET jit = off
AS $$
  WITH newcomers AS MATERIALIZED (
    SELECT u.number, extract(hour FROM u.first_at AT TIME ZONE newcomers_of_day.zone)::integer AS hour
    FROM weir.user_numbers AS u
    WHERE u.tenant_id = newcomers_of_day.tenant
      AND u.first_at >= lower(weir.span_of_day(newcomers_of_day.zone, newcomers_of_day.day))
      AND u.first_at < upper(weir.span_of_day(newcomers_of_day.zone, newcomers_of_day.day))
      AND (u.first_at AT TIME ZONE newcomers_of_day.zone)::date = newcomers_of_day.day
  )
  SELECT 'set', 'new', '', n.number / 20480, weir.at_bits(n.number % 20480, 1), NULL::bigint, NULL::bigint[]
  FROM newcomers AS n
  GROUP BY n.number / 20480
  UNION ALL
  SELECT 'count', 'new', '', NULL, NULL, sum(h.users)::bigint, array_agg(h.users ORDER BY h.hour)
  FROM (
    SELECT clock.hour, count(n.hour) AS users
    FROM generate_series(0, 23) AS clock (hour)
    LEFT JOIN newcomers AS n ON n.hour = clock.hour
    GROUP BY clock.hour
  ) AS h
  HAVING sum(h.users) > 0
$$;

CREATE FUNCTION weir.monday_of(day date) RETURNS date
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT day - (extract(isodow FROM day)::integer - 1) $$;

-- What its days have together; a week of day_sets. Numbers of bits (load) are no sets that could be put together. And of
-- what audience.sql tells, `X troubled`: who had a value of X and an error on the same day.
CREATE FUNCTION weir.sets_of_week(tenant text, zone text, week date)
RETURNS TABLE (subject text, value text, chunk integer, users bit)
LANGUAGE sql STABLE
SET jit = off SET work_mem = '64MB' SET enable_sort = off
AS $$
  SELECT d.subject, d.value, d.chunk, bit_or(d.users)
  FROM weir.day_sets AS d
  WHERE d.tenant_id = sets_of_week.tenant AND d.zone = sets_of_week.zone
    AND d.day BETWEEN sets_of_week.week AND sets_of_week.week + 6 AND d.subject <> 'load'
  GROUP BY d.subject, d.value, d.chunk
  UNION ALL
  SELECT d.subject || ' troubled', d.value, d.chunk, bit_or(d.users & f.users)
  FROM weir.day_sets AS d
  JOIN (
    SELECT e.day, e.chunk, bit_or(e.users) AS users
    FROM weir.day_sets AS e
    WHERE e.tenant_id = sets_of_week.tenant AND e.zone = sets_of_week.zone AND e.subject IN ('error_type', 'error_type_other')
      AND e.day BETWEEN sets_of_week.week AND sets_of_week.week + 6
    GROUP BY e.day, e.chunk
  ) AS f ON f.day = d.day AND f.chunk = d.chunk
  WHERE d.tenant_id = sets_of_week.tenant AND d.zone = sets_of_week.zone
    AND d.subject IN ('version', 'platform', 'country', 'browser', 'device')
    AND d.day BETWEEN sets_of_week.week AND sets_of_week.week + 6
  GROUP BY d.subject, d.value, d.chunk
  HAVING bit_count(bit_or(d.users & f.users)) > 0
$$;
