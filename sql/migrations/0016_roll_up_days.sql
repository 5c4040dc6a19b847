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
LANGUAGE sql STABLE
AS $$
  SELECT tstzrange((day::timestamp AT TIME ZONE zone) - interval '3 hours',
    ((day + 1)::timestamp AT TIME ZONE zone) + interval '3 hours')
$$;

CREATE FUNCTION weir.wanted_dimensions(tenant text) RETURNS TABLE (subject text, event text, property text)
LANGUAGE sql STABLE
AS $$
  SELECT d.subject, d.event, d.property
  FROM weir.dimensions AS d
  WHERE d.tenant_id = tenant OR d.tenant_id = '*' AND NOT EXISTS (
    SELECT FROM weir.dimensions AS own WHERE own.tenant_id = tenant AND own.subject = d.subject)
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

CREATE FUNCTION weir.crashes_of_day(tenant text, zone text, day date)
RETURNS TABLE (number integer, version text, os text, type text, fingerprint text, hour integer)
LANGUAGE sql STABLE
AS $$
  SELECT u.number, left(c.app_version, 256), left(c.os_version, 256), left(c.crash_type, 256),
    left(c.fingerprint, 256), extract(hour FROM c."timestamp" AT TIME ZONE crashes_of_day.zone)::integer
  FROM weir.crashes AS c
  LEFT JOIN weir.user_numbers AS u ON u.tenant_id = crashes_of_day.tenant AND u.user_id = c.user_id
  WHERE c.tenant_id = crashes_of_day.tenant
    AND c."timestamp" >= lower(weir.span_of_day(crashes_of_day.zone, crashes_of_day.day))
    AND c."timestamp" < upper(weir.span_of_day(crashes_of_day.zone, crashes_of_day.day))
    AND (c."timestamp" AT TIME ZONE crashes_of_day.zone)::date = crashes_of_day.day
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
-- that have the most. So a client that invents names costs no more than this.
--
-- The planner knows nothing of what it will read, and takes all for few rows: it is told to hash.
CREATE FUNCTION weir.facts_of_day(tenant text, zone text, day date)
RETURNS TABLE (kind text, subject text, value text, chunk integer, users bit, events bigint, hours bigint[],
  total numeric, lowest numeric, highest numeric, slots integer[], counts bigint[])
LANGUAGE sql STABLE
SET jit = off SET work_mem = '64MB' SET enable_nestloop = off SET enable_mergejoin = off SET enable_sort = off
AS $$
  WITH happened AS MATERIALIZED (
    SELECT u.number, left(e.event, 256) AS event, left(nullif(e.app_version, ''), 256) AS version,
      left(nullif(e.platform, ''), 256) AS platform, left(nullif(e.country, ''), 256) AS country,
      e.properties, extract(hour FROM e.at)::integer AS hour
    FROM (
      SELECT *, "timestamp" AT TIME ZONE facts_of_day.zone AS at FROM weir.events
      WHERE tenant_id = facts_of_day.tenant
        AND "timestamp" >= lower(weir.span_of_day(facts_of_day.zone, facts_of_day.day))
        AND "timestamp" < upper(weir.span_of_day(facts_of_day.zone, facts_of_day.day))
    ) AS e
    LEFT JOIN weir.user_numbers AS u ON u.tenant_id = facts_of_day.tenant AND u.user_id = e.user_id
    WHERE e.at >= facts_of_day.day AND e.at < facts_of_day.day + 1
  ), wanted AS MATERIALIZED (
    SELECT * FROM weir.wanted_dimensions(facts_of_day.tenant)
  ), named AS MATERIALIZED (
    -- Subjects that are no columns of events.
    SELECT d.subject, left(h.properties ->> d.property, 256) AS value, h.number, h.hour
    FROM happened AS h
    JOIN wanted AS d ON d.event IN (h.event, '*')
    WHERE jsonb_typeof(h.properties) = 'object'
      AND jsonb_typeof(h.properties -> d.property) IN ('string', 'number', 'boolean')
      AND h.properties ->> d.property <> ''
    UNION ALL
    SELECT n.subject, n.value, c.number, c.hour
    FROM weir.crashes_of_day(facts_of_day.tenant, facts_of_day.zone, facts_of_day.day) AS c,
      LATERAL (VALUES ('crash', ''), ('crash_version', nullif(version, '')), ('crash_os', nullif(os, '')),
        ('crash_type', nullif(type, '')), ('crash_group', nullif(fingerprint, ''))) AS n (subject, value)
    WHERE n.value IS NOT NULL
  ), tallied AS MATERIALIZED (
    SELECT weir.subject_grouped(grouping(event, version, platform, country)) AS subject,
      coalesce(event, version, platform, country, '') AS value,
      grouping(event, version, platform, country) = 15 OR coalesce(event, version, platform, country) IS NOT NULL AS is_value,
      hour, count(*) AS events
    FROM happened
    GROUP BY GROUPING SETS ((hour), (event, hour), (version, hour), (platform, hour), (country, hour))
    UNION ALL
    SELECT n.subject, n.value, true, n.hour, count(*) FROM named AS n GROUP BY n.subject, n.value, n.hour
  ), ranked AS MATERIALIZED (
    SELECT t.subject, t.value,
      row_number() OVER (PARTITION BY t.subject ORDER BY sum(t.events) DESC, t.value COLLATE "C") > 1000 AS beyond
    FROM tallied AS t
    WHERE t.is_value
    GROUP BY t.subject, t.value
  ), beyond AS MATERIALIZED (
    SELECT r.subject, r.value FROM ranked AS r WHERE r.beyond
  ), members AS MATERIALIZED (
    SELECT DISTINCT h.number, h.event, h.version, h.platform, h.country FROM happened AS h WHERE h.number IS NOT NULL
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
    WHERE NOT EXISTS (SELECT FROM beyond AS b WHERE b.subject = n.subject AND b.value = n.value)
    GROUP BY n.subject, n.value, n.number / 20480
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
    WHERE t.is_value
    GROUP BY 1, 2, 3
  ), numbers AS (
    SELECT n.event, n.property, weir.slot_of(n.number) AS slot, count(*) AS events,
      sum(n.number) AS total, min(n.number) AS lowest, max(n.number) AS highest
    FROM (
      SELECT h.event, left(p.key, 256) AS property, p.value::numeric AS number
      FROM happened AS h,
        jsonb_each(CASE WHEN jsonb_typeof(h.properties) = 'object' THEN h.properties END) AS p
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
  SELECT 'count', f.subject, f.value, NULL, NULL, sum(f.events)::bigint, array_agg(f.events ORDER BY f.hour),
    NULL, NULL, NULL, NULL, NULL
  FROM (
    SELECT k.subject, k.value, clock.hour, coalesce(h.events, 0) AS events
    FROM (SELECT DISTINCT h.subject, h.value FROM hourly AS h) AS k
    CROSS JOIN generate_series(0, 23) AS clock (hour)
    LEFT JOIN hourly AS h ON h.subject = k.subject AND h.value = k.value AND h.hour = clock.hour
  ) AS f
  GROUP BY f.subject, f.value
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
AS $$
  WITH bounds AS MATERIALIZED (
    SELECT lower(span) - interval '24 hours' AS first, upper(span) + interval '24 hours' AS last
    FROM weir.span_of_day(sessions_of_day.zone, sessions_of_day.day) AS span
  ), near AS (
    SELECT e.user_id, e.session_id, e."timestamp" AS at, (e."timestamp" AT TIME ZONE sessions_of_day.zone)::date AS day
    FROM weir.events AS e
    WHERE e.tenant_id = sessions_of_day.tenant AND e.session_id IS NOT NULL
      AND e."timestamp" >= (SELECT first FROM bounds) AND e."timestamp" < (SELECT last FROM bounds)
  ), seen AS (
    SELECT n.user_id, n.session_id, max(n.at) FILTER (WHERE n.day < sessions_of_day.day) AS before,
      min(n.at) FILTER (WHERE n.day = sessions_of_day.day) AS first_at, max(n.at) AS last_at
    FROM near AS n
    GROUP BY n.user_id, n.session_id
  ), begun AS MATERIALIZED (
    SELECT row_number() OVER () AS n, s.user_id, s.first_at,
      -- Seldom: the same session_id again on a later day.
      CASE WHEN s.last_at <= s.first_at + interval '24 hours' THEN s.last_at ELSE (
        SELECT max(e."timestamp") FROM weir.events AS e
        WHERE e.tenant_id = sessions_of_day.tenant AND e.session_id = s.session_id
          AND e.user_id IS NOT DISTINCT FROM s.user_id
          AND e."timestamp" BETWEEN s.first_at AND s.first_at + interval '24 hours') END AS last_at
    FROM seen AS s
    WHERE s.first_at IS NOT NULL AND (s.before IS NULL OR s.before <= s.first_at - interval '24 hours')
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
