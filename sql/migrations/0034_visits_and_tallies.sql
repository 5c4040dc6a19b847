-- What is always asked in the same way of all views, clicks and durations of a day that is over, found once, when its packs are made
-- (0027), and from these. docs/decisions/0024 has what it was measured against.
--
--   packs         some more, each under a name that no event can have (weir.made_pack()):
--     visits          visits that lie within the day as if each were an event. Its screen is the way: all its screens, one after
--                     the other, with weir.path_mark() between; its moment the first view's. Only visits of which no other day can
--                     have a part, whose views are alike in version, platform and country, 256 at most, of screens with
--                     16 kB of names together: so packs have a bound
--     loose views     the views of all other visits, one by one
--     crowded clicks  clicks of which the user made three within five seconds, and those at the day's ends, where others may follow
--   day_tallies   of those visits how often each screen came after which, and the first steps of ways; how often a page took how long
--   day_viewers   who made those visits
SET LOCAL ROLE weir_owner;

-- Longer than any name of an event in a pack (weir.pack_name()).
CREATE FUNCTION weir.made_pack(subject text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT rpad(subject, 300, '.') COLLATE "C" $$;

CREATE FUNCTION weir.is_made(event text) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT char_length(event) = 300 $$;

CREATE FUNCTION weir.path_mark() RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT E'\x01' $$;

-- A screen as it may stand in a way. (LIKE finds out in a tenth of the time of replace().)
CREATE FUNCTION weir.path_screen(screen text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
  SELECT CASE WHEN screen COLLATE "C" LIKE '%' || weir.path_mark() || '%' THEN replace(screen, weir.path_mark(), U&'\FFFD') ELSE screen END COLLATE "C"
$$;

-- The first `length` steps of a way: views of another screen than just before.
CREATE FUNCTION weir.first_steps(way text, length integer) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
  SELECT string_agg(s.screen, weir.path_mark() ORDER BY s.place)
  FROM (
    SELECT s.screen, s.place
    FROM unnest(string_to_array(way, weir.path_mark()), array_prepend(NULL, string_to_array(way, weir.path_mark()))) WITH ORDINALITY AS s (screen, former, place)
    WHERE s.place = 1 OR s.screen <> s.former
    ORDER BY s.place LIMIT length
  ) AS s
$$;

CREATE FUNCTION weir.click_events() RETURNS text[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT '{click,clicked,$autocapture}'::text[] $$;

-- Events whose durations are a page's.
CREATE FUNCTION weir.page_events() RETURNS text[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT weir.screen_events() || '{web_vital,web_vitals,page_load}'::text[] $$;

-- The slot of weir.slot_of(), in a tenth of the time. (It stood in sql/analytics/ before.)
CREATE OR REPLACE FUNCTION weir.quick_slot(number float8) RETURNS integer
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
  SELECT CASE WHEN abs(number) < 1e-300 THEN 0
    ELSE sign(number)::integer * (40000 + ceil(ln(abs(number)) / ln(101 / 99.0::float8))::integer) END
$$;

CREATE TABLE weir.day_tallies (
  tenant_id text NOT NULL,
  day date NOT NULL,
  subject text NOT NULL,
  part integer NOT NULL,
  names text[] NOT NULL,
  formers text[] NOT NULL,
  slots integer[] NOT NULL,
  times bigint[] NOT NULL,
  totals numeric[] NOT NULL,
  PRIMARY KEY (tenant_id, day, subject, part)
);
COMMENT ON TABLE weir.day_tallies IS
  'What is asked of all views of a UTC day that is packed, counted once, 4096 lines at most in a part: element n of each column is of one line.';
COMMENT ON COLUMN weir.day_tallies.subject IS
  'way: its first four steps in names, with weir.path_mark() between, and how many these are in slots; long way: its first ten. step: a view of the screen in names after that in formers, NULL at '
  'a visit''s begin; slots has 1 where the visit ends with it, else 0. page: durations of the page in names, NULL where none is said, '
  'in events of the name in formers, by weir.slot_of(), and their sum in totals.';
COMMENT ON COLUMN weir.day_tallies.times IS 'How often.';

CREATE TABLE weir.day_viewers (
  tenant_id text NOT NULL,
  day date NOT NULL,
  chunk integer NOT NULL,
  users bit(20480) NOT NULL,
  PRIMARY KEY (tenant_id, day, chunk)
) WITH (toast_tuple_target = 256);
ALTER TABLE weir.day_viewers ALTER COLUMN users SET STORAGE MAIN;
COMMENT ON TABLE weir.day_viewers IS 'The users of a UTC day''s visits in packs, as in day_sets.';
GRANT SELECT ON weir.day_tallies, weir.day_viewers TO weir_reader;

-- What a window asks for (analytics/happened.sql).
CREATE TYPE weir.asked AS (tenant text, zone text, first_day date, last_day date,
  since timestamptz, first timestamptz, last timestamptz, until timestamptz);
COMMENT ON TYPE weir.asked IS
  'Of a tenant''s window, from since up to until or a little less: first up to last are UTC days that lie in it on whatever clock.';

-- Each view of a day, which visit it is of, and whether the visit is one for the pack of visits.
CREATE FUNCTION weir.viewed_of_day(tenant text, day date)
RETURNS TABLE (number bigint, session bigint, at timestamptz, version text, platform text, country text, screen text, visit bigint)
LANGUAGE sql STABLE
SET jit = off SET work_mem = '64MB' SET enable_nestloop = off
AS $$
  SELECT v.number, v.session, v.at, v.version, v.platform, v.country, v.screen, count(*) FILTER (WHERE v.begins) OVER line
  FROM (
    SELECT s.*, (s.number, s.session) IS DISTINCT FROM (lag(s.number) OVER line, lag(s.session) OVER line)
      OR s.at - lag(s.at) OVER line > interval '30 minutes' AS begins
    FROM (
      SELECT u.number, u.session, u.at, u.version, u.platform, u.country, weir.path_screen(u.screen) AS screen
      FROM (
        SELECT unnest(p.numbers) AS number, unnest(p.sessions) AS session, unnest(p.moments) AS at, unnest(p.versions) AS version,
          unnest(p.platforms) AS platform, unnest(p.countries) AS country, unnest(p.screens) AS screen
        FROM weir.packs AS p
        WHERE p.tenant_id = tenant AND p.day = viewed_of_day.day AND p.event = ANY (weir.screen_events())
      ) AS u
      WHERE u.number IS NOT NULL AND u.screen IS NOT NULL
    ) AS s
    WINDOW line AS (ORDER BY s.number, s.session, s.at, s.screen)
  ) AS v
  WINDOW line AS (ORDER BY v.number, v.session, v.at, v.screen ROWS UNBOUNDED PRECEDING)
$$;

CREATE FUNCTION weir.made_packs_of_day(tenant text, day date)
RETURNS TABLE (event text, part integer, numbers bigint[], sessions bigint[], moments timestamptz[], versions text[], platforms text[],
  countries text[], screens text[], durations numeric[], properties jsonb[])
LANGUAGE sql STABLE
SET jit = off SET work_mem = '64MB' SET enable_nestloop = off
AS $$
  WITH viewed AS MATERIALIZED (
    SELECT * FROM weir.viewed_of_day(tenant, made_packs_of_day.day)
  ), visits AS MATERIALIZED (
    SELECT v.visit, min(v.at) AS at, min(v.version) AS version, min(v.platform) AS platform, min(v.country) AS country,
      count(*) <= 256 AND sum(octet_length(v.screen)) <= 16384
        AND min(v.at) >= made_packs_of_day.day::timestamp AT TIME ZONE 'UTC' + interval '30 minutes'
        AND max(v.at) < (made_packs_of_day.day + 1)::timestamp AT TIME ZONE 'UTC' - interval '30 minutes'
        AND count(v.version) IN (0, count(*)) AND min(v.version COLLATE "C") IS NOT DISTINCT FROM max(v.version COLLATE "C")
        AND count(v.platform) IN (0, count(*)) AND min(v.platform COLLATE "C") IS NOT DISTINCT FROM max(v.platform COLLATE "C")
        AND count(v.country) IN (0, count(*)) AND min(v.country COLLATE "C") IS NOT DISTINCT FROM max(v.country COLLATE "C") AS is_whole
    FROM viewed AS v
    GROUP BY v.visit
  ), ways AS (
    SELECT v.visit, v.number, v.session, string_agg(v.screen, weir.path_mark()) AS way
    FROM (
      SELECT v.* FROM viewed AS v WHERE v.visit IN (SELECT w.visit FROM visits AS w WHERE w.is_whole)
      ORDER BY v.number, v.session, v.visit, v.at, v.screen
    ) AS v
    GROUP BY v.number, v.session, v.visit
  ), clicks AS (
    SELECT c.*, c.at - lag(c.at, 2) OVER line <= interval '5 seconds' OR lead(c.at, 2) OVER line - c.at <= interval '5 seconds'
      OR lead(c.at) OVER line - lag(c.at) OVER line <= interval '5 seconds'
      OR c.at < made_packs_of_day.day::timestamp AT TIME ZONE 'UTC' + interval '5 seconds'
      OR c.at >= (made_packs_of_day.day + 1)::timestamp AT TIME ZONE 'UTC' - interval '5 seconds' AS crowded
    FROM (
      SELECT unnest(p.numbers) AS number, unnest(p.sessions) AS session, unnest(p.moments) AS at, unnest(p.versions) AS version,
        unnest(p.platforms) AS platform, unnest(p.countries) AS country, unnest(p.screens) AS screen, unnest(p.durations) AS duration,
        unnest(p.properties) AS properties
      FROM weir.packs AS p
      WHERE p.tenant_id = tenant AND p.day = made_packs_of_day.day AND p.event = ANY (weir.click_events())
    ) AS c
    WHERE c.number IS NOT NULL
    WINDOW line AS (PARTITION BY c.number ORDER BY c.at)
  ), made AS (
    SELECT weir.made_pack('visits') AS event, w.number, w.session, v.at, v.version, v.platform, v.country, w.way AS screen,
      NULL::numeric AS duration, NULL::jsonb AS properties
    FROM ways AS w JOIN visits AS v ON v.visit = w.visit
    UNION ALL
    SELECT weir.made_pack('loose views'), v.number, v.session, v.at, v.version, v.platform, v.country, v.screen, NULL, NULL
    FROM viewed AS v WHERE v.visit IN (SELECT o.visit FROM visits AS o WHERE NOT o.is_whole)
    UNION ALL
    SELECT weir.made_pack('crowded clicks'), c.number, c.session, c.at, c.version, c.platform, c.country, c.screen, c.duration, c.properties
    FROM clicks AS c WHERE c.crowded
  )
  SELECT m.event, m.part, array_agg(m.number), array_agg(m.session), array_agg(m.at), array_agg(m.version), array_agg(m.platform),
    array_agg(m.country), array_agg(m.screen), array_agg(m.duration), array_agg(m.properties)
  FROM (
    SELECT o.*, ((o.place - 1) / 4096)::integer AS part
    FROM (
      SELECT m.*, row_number() OVER (PARTITION BY m.event ORDER BY m.number, m.session, m.at, m.screen COLLATE "C", m.version COLLATE "C",
        m.platform COLLATE "C", m.country COLLATE "C", m.duration, m.properties) AS place
      FROM made AS m
    ) AS o
    ORDER BY o.event, part, o.place
  ) AS m
  GROUP BY m.event, m.part
$$;

CREATE FUNCTION weir.tallies_of_day(tenant text, day date) RETURNS SETOF weir.day_tallies
LANGUAGE sql STABLE
SET jit = off SET work_mem = '64MB' SET enable_nestloop = off
AS $$
  WITH ways AS MATERIALIZED (
    SELECT w.way, string_to_array(w.way, weir.path_mark()) AS screens, count(*) AS times
    FROM (
      SELECT unnest(p.screens) COLLATE "C" AS way FROM weir.packs AS p
      WHERE p.tenant_id = tenant AND p.day = tallies_of_day.day AND p.event = weir.made_pack('visits')
    ) AS w
    GROUP BY w.way
  ), lines AS (
    SELECT f.subject, f.way AS name, NULL::text AS former, cardinality(string_to_array(f.way, weir.path_mark())) AS slot,
      sum(f.times)::bigint AS times, NULL::numeric AS total
    FROM (
      SELECT l.subject, weir.first_steps(w.way, l.length) COLLATE "C" AS way, w.times
      FROM ways AS w, (VALUES ('way', 4), ('long way', 10)) AS l (subject, length)
    ) AS f
    GROUP BY f.subject, f.way
    UNION ALL
    SELECT 'step', s.screen, s.former, (s.next IS NULL)::integer AS slot, sum(s.times)::bigint, NULL
    FROM (
      SELECT unnest(w.screens) COLLATE "C" AS screen, unnest(array_prepend(NULL, w.screens)) COLLATE "C" AS former, unnest(w.screens[2:]) AS next, w.times
      FROM ways AS w
    ) AS s
    WHERE s.screen IS NOT NULL
    GROUP BY s.screen, s.former, slot
    UNION ALL
    SELECT 'page', d.page, d.event, CASE WHEN abs(d.number) < 1e-300 THEN 0 ELSE weir.quick_slot(d.number::float8) END AS slot, count(*), sum(d.number)
    FROM (
      SELECT p.event, unnest(p.screens) COLLATE "C" AS page, unnest(p.durations) AS number
      FROM weir.packs AS p
      WHERE p.tenant_id = tenant AND p.day = tallies_of_day.day AND p.event = ANY (weir.page_events())
    ) AS d
    WHERE d.number IS NOT NULL
    GROUP BY d.event, d.page, slot
  )
  SELECT tenant, tallies_of_day.day, l.subject, l.part, array_agg(l.name), array_agg(l.former), array_agg(l.slot), array_agg(l.times), array_agg(l.total)
  FROM (
    SELECT o.*, ((o.place - 1) / 4096)::integer AS part
    FROM (SELECT l.*, row_number() OVER (PARTITION BY l.subject ORDER BY l.name, l.former, l.slot) AS place FROM lines AS l) AS o
    ORDER BY o.subject, part, o.place
  ) AS l
  GROUP BY l.subject, l.part
$$;

CREATE FUNCTION weir.viewers_of_day(tenant text, day date) RETURNS SETOF weir.day_viewers
LANGUAGE sql STABLE
SET jit = off
AS $$
  SELECT tenant, viewers_of_day.day, (v.number / 20480)::integer AS chunk, weir.at_bits((v.number % 20480)::integer, 1)
  FROM (
    SELECT unnest(p.numbers) AS number FROM weir.packs AS p
    WHERE p.tenant_id = tenant AND p.day = viewers_of_day.day AND p.event = weir.made_pack('visits')
  ) AS v
  GROUP BY chunk
$$;

-- A day's packs, of events or those that are made of these: what differs is replaced.
CREATE FUNCTION weir.replace_packs(tenant text, day date, made boolean) RETURNS void
LANGUAGE sql
AS $$
  WITH fresh AS MATERIALIZED (
    SELECT * FROM weir.packs_of_day(tenant, replace_packs.day) WHERE NOT made
    UNION ALL
    SELECT * FROM weir.made_packs_of_day(tenant, replace_packs.day) WHERE made
  ), gone AS (
    DELETE FROM weir.packs AS p
    WHERE p.tenant_id = replace_packs.tenant AND p.day = replace_packs.day AND weir.is_made(p.event) = made
      AND NOT EXISTS (SELECT FROM fresh AS f WHERE f.event = p.event AND f.part = p.part)
  )
  INSERT INTO weir.packs AS p
    (tenant_id, event, day, part, numbers, sessions, moments, versions, platforms, countries, screens, durations, properties)
  SELECT tenant, f.event, replace_packs.day, f.part, f.numbers, f.sessions, f.moments, f.versions, f.platforms, f.countries, f.screens, f.durations,
    f.properties
  FROM fresh AS f
  ON CONFLICT (tenant_id, event, day, part) DO UPDATE SET numbers = excluded.numbers, sessions = excluded.sessions,
    moments = excluded.moments, versions = excluded.versions, platforms = excluded.platforms, countries = excluded.countries,
    screens = excluded.screens, durations = excluded.durations, properties = excluded.properties
  WHERE (p.numbers, p.sessions, p.moments, p.versions, p.platforms, p.countries, p.screens, p.durations, p.properties) IS DISTINCT FROM
    (excluded.numbers, excluded.sessions, excluded.moments, excluded.versions, excluded.platforms, excluded.countries, excluded.screens,
      excluded.durations, excluded.properties)
$$;

-- What is made of a day's packs.
CREATE FUNCTION weir.sum_up_day(tenant text, day date) RETURNS void
LANGUAGE sql
AS $$
  SELECT weir.replace_packs(tenant, sum_up_day.day, true);
  WITH fresh AS MATERIALIZED (
    SELECT * FROM weir.tallies_of_day(tenant, sum_up_day.day)
  ), gone AS (
    DELETE FROM weir.day_tallies AS t
    WHERE t.tenant_id = tenant AND t.day = sum_up_day.day AND NOT EXISTS (SELECT FROM fresh AS f WHERE f.subject = t.subject AND f.part = t.part)
  )
  INSERT INTO weir.day_tallies AS t SELECT * FROM fresh
  ON CONFLICT (tenant_id, day, subject, part) DO UPDATE SET names = excluded.names, formers = excluded.formers, slots = excluded.slots,
    times = excluded.times, totals = excluded.totals
  WHERE (t.names, t.formers, t.slots, t.times, t.totals) IS DISTINCT FROM
    (excluded.names, excluded.formers, excluded.slots, excluded.times, excluded.totals);
  WITH fresh AS MATERIALIZED (
    SELECT * FROM weir.viewers_of_day(tenant, sum_up_day.day)
  ), gone AS (
    DELETE FROM weir.day_viewers AS v
    WHERE v.tenant_id = tenant AND v.day = sum_up_day.day AND NOT EXISTS (SELECT FROM fresh AS f WHERE f.chunk = v.chunk)
  )
  INSERT INTO weir.day_viewers AS v SELECT * FROM fresh
  ON CONFLICT (tenant_id, day, chunk) DO UPDATE SET users = excluded.users WHERE v.users IS DISTINCT FROM excluded.users;
$$;

CREATE OR REPLACE FUNCTION weir.pack_day(tenant text, day date) RETURNS void
LANGUAGE sql
AS $$
  INSERT INTO weir.packed_days (tenant_id, day) VALUES (tenant, pack_day.day) ON CONFLICT DO NOTHING;
  SELECT weir.replace_packs(tenant, pack_day.day, false);
  SELECT weir.sum_up_day(tenant, pack_day.day);
$$;

CREATE OR REPLACE FUNCTION weir.drop_packs_of_gone_days(tenant text) RETURNS void
LANGUAGE sql
AS $$
  DELETE FROM weir.packs AS p USING weir.gone_days AS g WHERE p.tenant_id = tenant AND g.tenant_id = tenant AND p.day = g.day;
  DELETE FROM weir.day_tallies AS t USING weir.gone_days AS g WHERE t.tenant_id = tenant AND g.tenant_id = tenant AND t.day = g.day;
  DELETE FROM weir.day_viewers AS v USING weir.gone_days AS g WHERE v.tenant_id = tenant AND g.tenant_id = tenant AND v.day = g.day;
  DELETE FROM weir.packed_days AS p USING weir.gone_days AS g WHERE p.tenant_id = tenant AND g.tenant_id = tenant AND p.day = g.day;
$$;

CREATE OR REPLACE FUNCTION weir.compare_packs(tenant text, day date)
RETURNS TABLE (part text, subject text, value text, kept text, counted text)
LANGUAGE sql STABLE
AS $$
  SELECT f.*
  FROM (
    SELECT 'packs', rtrim(coalesce(k.event, c.event), '.'), coalesce(k.part, c.part)::text, cardinality(k.numbers) || ' events',
      cardinality(c.numbers) || ' events'
    FROM (SELECT * FROM weir.packs AS p WHERE p.tenant_id = compare_packs.tenant AND p.day = compare_packs.day) AS k
    FULL JOIN (
      SELECT * FROM weir.packs_of_day(compare_packs.tenant, compare_packs.day)
      UNION ALL
      SELECT * FROM weir.made_packs_of_day(compare_packs.tenant, compare_packs.day)
    ) AS c ON c.event = k.event AND c.part = k.part
    WHERE (k.numbers, k.sessions, k.moments, k.versions, k.platforms, k.countries, k.screens, k.durations, k.properties) IS DISTINCT FROM
      (c.numbers, c.sessions, c.moments, c.versions, c.platforms, c.countries, c.screens, c.durations, c.properties)
    UNION ALL
    SELECT 'tallies', coalesce(k.subject, c.subject), coalesce(k.part, c.part)::text, cardinality(k.times) || ' lines', cardinality(c.times) || ' lines'
    FROM (SELECT * FROM weir.day_tallies AS t WHERE t.tenant_id = compare_packs.tenant AND t.day = compare_packs.day) AS k
    FULL JOIN weir.tallies_of_day(compare_packs.tenant, compare_packs.day) AS c ON c.subject = k.subject AND c.part = k.part
    WHERE (k.names, k.formers, k.slots, k.times, k.totals) IS DISTINCT FROM (c.names, c.formers, c.slots, c.times, c.totals)
    UNION ALL
    SELECT 'viewers', '', coalesce(k.chunk, c.chunk)::text, bit_count(k.users) || ' users', bit_count(c.users) || ' users'
    FROM (SELECT * FROM weir.day_viewers AS v WHERE v.tenant_id = compare_packs.tenant AND v.day = compare_packs.day) AS k
    FULL JOIN weir.viewers_of_day(compare_packs.tenant, compare_packs.day) AS c ON c.chunk = k.chunk
    WHERE k.users IS DISTINCT FROM c.users
  ) AS f
  WHERE EXISTS (SELECT FROM weir.packed_days AS p WHERE p.tenant_id = compare_packs.tenant AND p.day = compare_packs.day)
$$;

GRANT EXECUTE ON FUNCTION weir.made_pack(text), weir.is_made(text), weir.path_mark(), weir.path_screen(text), weir.first_steps(text, integer),
  weir.click_events(), weir.page_events(), weir.quick_slot(float8), weir.viewed_of_day(text, date), weir.made_packs_of_day(text, date),
  weir.tallies_of_day(text, date), weir.viewers_of_day(text, date) TO weir_reader;

-- Days that are packed already.
SELECT weir.sum_up_day(p.tenant_id, p.day) FROM weir.packed_days AS p;
