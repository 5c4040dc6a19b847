-- Tallies by property (0040) know the common values of a property that has too many to be tallied, too: of languages or campaigns most events have one of a few.
-- docs/decisions/0024 says what else was weighed.
--
--   properties   a property that has more than 32 values, of which some are of a sixteenth or more of the events that have it, has these as its list: it
--                is tallied for them alone
--   visits, loose views, mixed views    of such a property they have the common values alone
SET LOCAL ROLE weir_owner;

-- What tallies, and visits, know of an event's properties. `tallied` are the names, each with the list of its common values, as weir.said_value() says them, or
-- with null where all are known.
CREATE FUNCTION weir.tallied_part(properties jsonb, tallied jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
  SELECT (SELECT jsonb_object_agg(t.name, properties -> t.name) FROM jsonb_each(tallied) AS t (name, common)
    WHERE properties -> t.name IS NOT NULL AND (jsonb_typeof(t.common) = 'null' OR t.common ? weir.said_value(properties -> t.name)))
$$;

-- As 0040 has it, and where a property has more than 32 values, those of them that are common, fifteen at most. Such a one comes after those of which all is tallied.
DROP FUNCTION weir.properties_of_day(text, date);
CREATE FUNCTION weir.properties_of_day(tenant text, day date) RETURNS TABLE (name text, tallied boolean, common jsonb, screens boolean, durations boolean)
LANGUAGE sql STABLE
SET jit = off SET work_mem = '64MB' SET enable_sort = off
AS $$
  WITH events AS MATERIALIZED (
    SELECT e.screen, e.duration, e.properties,
      CASE WHEN e.is_view THEN lag(e.properties) OVER (PARTITION BY e.is_view, e.number, e.session ORDER BY e.at, e.screen COLLATE "C", e.properties) END AS former
    FROM (
      SELECT u.is_view AND u.number IS NOT NULL AND u.screen IS NOT NULL AS is_view, u.number, u.session, u.at, u.screen, u.duration, u.properties
      FROM (
        SELECT p.event = ANY (weir.screen_events()) AS is_view, unnest(p.numbers) AS number, unnest(p.sessions) AS session, unnest(p.moments) AS at,
          unnest(p.screens) AS screen, unnest(p.durations) AS duration, unnest(p.properties) AS properties
        FROM weir.packs AS p
        WHERE p.tenant_id = tenant AND p.day = properties_of_day.day AND p.event = ANY (weir.page_events())
      ) AS u
      WHERE jsonb_typeof(u.properties) = 'object'
    ) AS e
  ), pairs AS (
    SELECT s.key COLLATE "C" AS name, weir.said_value(s.value) AS value, count(*) AS times,
      count(*) FILTER (WHERE e.former IS NOT NULL AND e.former -> s.key IS DISTINCT FROM s.value) AS changes,
      count(*) FILTER (WHERE s.key = ANY (weir.screen_properties()) AND weir.text_at(e.properties, s.key) = e.screen) AS screens,
      count(*) FILTER (WHERE s.key = ANY (weir.duration_properties()) AND weir.number_at(e.properties, s.key) = e.duration) AS durations
    FROM events AS e CROSS JOIN LATERAL jsonb_each(e.properties) AS s
    GROUP BY 1, 2
  ), names AS (
    SELECT n.*, n.place <= 64 AND octet_length(n.name) <= 256 AS is_listed, n.changes <= greatest(100, n.times / 16) AS is_steady
    FROM (
      SELECT p.name, count(p.value) AS values, sum(p.times) AS times, sum(p.changes) AS changes, sum(p.screens) AS screens, sum(p.durations) AS durations,
        row_number() OVER (ORDER BY sum(p.times) DESC, p.name) AS place
      FROM pairs AS p
      GROUP BY p.name
    ) AS n
  ), commons AS MATERIALIZED (
    SELECT n.name, jsonb_agg(p.value ORDER BY p.value) AS common
    FROM names AS n JOIN pairs AS p ON p.name = n.name
    WHERE n.is_listed AND n.is_steady AND n.values > 32 AND p.value IS NOT NULL AND p.times * 16 >= n.times
    GROUP BY n.name
  ), ranked AS (
    SELECT n.*, row_number() OVER (PARTITION BY n.is_fit
        ORDER BY n.common IS NOT NULL, n.values = 1 AND n.times = c.events, n.times DESC, n.values, n.name) AS rank,
      n.screens = c.screens AND n.name = ANY (weir.screen_properties()) AS has_screens,
      n.durations = c.durations AND n.name = ANY (weir.duration_properties()) AS has_durations
    FROM (
      SELECT n.*, o.common, n.is_steady AND (n.values BETWEEN 1 AND 32 OR o.common IS NOT NULL) AS is_fit
      FROM names AS n LEFT JOIN commons AS o ON o.name = n.name
      WHERE n.is_listed
    ) AS n, (SELECT count(*) AS events, count(e.screen) AS screens, count(e.duration) AS durations FROM events AS e) AS c
  )
  SELECT r.name, r.is_fit AND r.rank <= 6 AND r.common IS NULL, CASE WHEN r.rank <= 6 THEN r.common END, r.has_screens, r.has_durations FROM ranked AS r
  UNION ALL
  SELECT NULL, false, NULL, false, false WHERE EXISTS (SELECT FROM names AS n WHERE NOT n.is_listed)
$$;

-- As 0040 has it, with what tallies know of properties.
DROP FUNCTION weir.viewed_of_day(text, date, text[]);
CREATE FUNCTION weir.viewed_of_day(tenant text, day date, tallied jsonb)
RETURNS TABLE (number bigint, session bigint, at timestamptz, version text, platform text, country text, screen text, properties jsonb, visit bigint,
  differs boolean)
LANGUAGE sql STABLE
SET jit = off SET work_mem = '64MB' SET enable_nestloop = off
AS $$
  SELECT v.number, v.session, v.at, v.version, v.platform, v.country, v.screen, v.properties, count(*) FILTER (WHERE v.begins) OVER line,
    v.is_other AND NOT v.begins
  FROM (
    SELECT s.*, (s.number, s.session) IS DISTINCT FROM (lag(s.number) OVER line, lag(s.session) OVER line)
      OR s.at - lag(s.at) OVER line > interval '30 minutes' AS begins, s.properties IS DISTINCT FROM lag(s.properties) OVER line AS is_other
    FROM (
      SELECT u.number, u.session, u.at, u.version, u.platform, u.country, weir.path_screen(u.screen) AS screen,
        weir.tallied_part(u.properties, tallied) AS properties
      FROM (
        SELECT unnest(p.numbers) AS number, unnest(p.sessions) AS session, unnest(p.moments) AS at, unnest(p.versions) AS version,
          unnest(p.platforms) AS platform, unnest(p.countries) AS country, unnest(p.screens) AS screen, unnest(p.properties) AS properties
        FROM weir.packs AS p
        WHERE p.tenant_id = tenant AND p.day = viewed_of_day.day AND p.event = ANY (weir.screen_events())
      ) AS u
      WHERE u.number IS NOT NULL AND u.screen IS NOT NULL
      OFFSET 0
    ) AS s
    WINDOW line AS (ORDER BY s.number, s.session, s.at, s.screen)
  ) AS v
  WINDOW line AS (ORDER BY v.number, v.session, v.at, v.screen ROWS UNBOUNDED PRECEDING)
$$;

-- As 0040 has it. A property's line has its common values as properties, where it is tallied for these.
CREATE OR REPLACE FUNCTION weir.made_packs_of_day(tenant text, day date)
RETURNS TABLE (event text, part integer, numbers bigint[], sessions bigint[], moments timestamptz[], versions text[], platforms text[],
  countries text[], screens text[], durations numeric[], properties jsonb[])
LANGUAGE sql STABLE
SET jit = off SET work_mem = '64MB' SET enable_nestloop = off
AS $$
  WITH said AS MATERIALIZED (
    SELECT * FROM weir.properties_of_day(tenant, made_packs_of_day.day)
  ), viewed AS MATERIALIZED (
    SELECT * FROM weir.viewed_of_day(tenant, made_packs_of_day.day,
      (SELECT jsonb_object_agg(s.name, s.common) FROM said AS s WHERE s.tallied OR s.common IS NOT NULL))
  ), visits AS MATERIALIZED (
    SELECT v.visit, min(v.at) AS at, max(v.at) - min(v.at) AS takes, min(v.version) AS version, min(v.platform) AS platform, min(v.country) AS country,
      bool_or(v.differs) AS is_mixed, (array_agg(v.properties))[1] AS properties,
      min(v.at) < made_packs_of_day.day::timestamp AT TIME ZONE 'UTC' + interval '30 minutes'
        OR max(v.at) >= (made_packs_of_day.day + 1)::timestamp AT TIME ZONE 'UTC' - interval '30 minutes' AS may_go_on,
      count(*) <= 256 AND sum(octet_length(v.screen)) <= 16384
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
      NULL::numeric AS duration, CASE WHEN NOT v.is_mixed THEN v.properties END AS properties
    FROM ways AS w JOIN visits AS v ON v.visit = w.visit
    UNION ALL
    SELECT weir.made_pack('loose ways'), w.number, w.session, v.at, v.version, v.platform, v.country, w.way, extract(epoch FROM v.takes),
      CASE WHEN NOT v.is_mixed THEN v.properties END
    FROM ways AS w JOIN visits AS v ON v.visit = w.visit
    WHERE v.may_go_on
    UNION ALL
    SELECT weir.made_pack(CASE WHEN o.is_whole THEN 'mixed views' ELSE 'loose views' END), v.number, v.session, v.at, v.version, v.platform, v.country,
      v.screen, NULL, v.properties
    FROM viewed AS v JOIN visits AS o ON o.visit = v.visit WHERE o.is_mixed OR NOT o.is_whole
    UNION ALL
    SELECT weir.made_pack('crowded clicks'), c.number, c.session, c.at, c.version, c.platform, c.country, c.screen, c.duration, c.properties
    FROM clicks AS c WHERE c.crowded
    UNION ALL
    SELECT weir.made_pack('properties'), NULL, NULL, made_packs_of_day.day::timestamp AT TIME ZONE 'UTC', CASE WHEN s.screens THEN 'screens' END,
      CASE WHEN s.durations THEN 'durations' END, NULL, s.name, s.tallied::integer, s.common
    FROM said AS s
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

-- As 0040 has it; `common` is null where all values are tallied, or none.
DROP FUNCTION weir.said_properties(text, date, date);
CREATE FUNCTION weir.said_properties(tenant text, first_day date, last_day date)
RETURNS TABLE (day date, name text, tallied boolean, common jsonb, screens boolean, durations boolean)
LANGUAGE sql STABLE
SET jit = off
AS $$
  SELECT p.day, s.name, s.tallied = 1, s.common, s.screens IS NOT NULL, s.durations IS NOT NULL
  FROM weir.packs AS p, unnest(p.screens, p.durations, p.properties, p.versions, p.platforms) AS s (name, tallied, common, screens, durations)
  WHERE p.tenant_id = tenant AND p.event = weir.made_pack('properties') AND p.day BETWEEN first_day AND last_day
$$;

-- As 0040 has it, of common values alone where there are others.
CREATE OR REPLACE FUNCTION weir.tallies_of_day(tenant text, day date) RETURNS SETOF weir.day_tallies
LANGUAGE sql STABLE
SET jit = off SET work_mem = '64MB' SET enable_nestloop = off SET enable_sort = off
AS $$
  WITH tallied AS MATERIALIZED (
    SELECT jsonb_object_agg(s.name, s.common) AS names
    FROM weir.said_properties(tenant, tallies_of_day.day, tallies_of_day.day) AS s WHERE s.tallied OR s.common IS NOT NULL
  ), ways AS MATERIALIZED (
    SELECT w.way, coalesce(w.version, '') AS version, coalesce(w.platform, '') AS platform, coalesce(w.country, '') AS country,
      coalesce(w.properties, '{}') AS properties, count(*) AS times
    FROM (
      SELECT unnest(p.screens) COLLATE "C" AS way, unnest(p.versions) COLLATE "C" AS version, unnest(p.platforms) COLLATE "C" AS platform,
        unnest(p.countries) COLLATE "C" AS country, unnest(p.properties) AS properties
      FROM weir.packs AS p
      WHERE p.tenant_id = tenant AND p.day = tallies_of_day.day AND p.event = weir.made_pack('visits')
    ) AS w
    GROUP BY 1, 2, 3, 4, 5
  ), measured AS MATERIALIZED (
    SELECT d.event, d.page, CASE WHEN abs(d.number) < 1e-300 THEN 0 ELSE weir.quick_slot(d.number::float8) END AS slot, d.number,
      coalesce(d.version, '') AS version, coalesce(d.platform, '') AS platform, coalesce(d.country, '') AS country,
      coalesce(weir.tallied_part(d.properties, (SELECT t.names FROM tallied AS t)), '{}') AS properties
    FROM (
      SELECT p.event, unnest(p.screens) COLLATE "C" AS page, unnest(p.durations) AS number, unnest(p.versions) COLLATE "C" AS version,
        unnest(p.platforms) COLLATE "C" AS platform, unnest(p.countries) COLLATE "C" AS country, unnest(p.properties) AS properties
      FROM weir.packs AS p
      WHERE p.tenant_id = tenant AND p.day = tallies_of_day.day AND p.event = ANY (weir.page_events())
    ) AS d
    WHERE d.number IS NOT NULL
  ), kinds AS MATERIALIZED (
    SELECT k.*, row_number() OVER ()::integer AS kind
    FROM (
      SELECT w.version, w.platform, w.country, w.properties FROM ways AS w
      UNION
      SELECT m.version, m.platform, m.country, m.properties FROM measured AS m
    ) AS k
  ), values_of_kinds AS MATERIALIZED (
    SELECT k.kind, v.dimension, v.value FROM kinds AS k CROSS JOIN LATERAL weir.tallied_values(k.version, k.platform, k.country, k.properties) AS v
  ), values AS MATERIALIZED (
    SELECT v.*, row_number() OVER ()::integer AS place FROM (SELECT DISTINCT v.dimension, v.value FROM values_of_kinds AS v) AS v
  ), places AS MATERIALIZED (
    SELECT o.kind, v.place FROM values_of_kinds AS o JOIN values AS v ON v.dimension = o.dimension AND v.value = o.value
  ), beginnings AS MATERIALIZED (
    SELECT w.way, l.subject, weir.first_steps(w.way, l.length) COLLATE "C" AS steps
    FROM (SELECT DISTINCT w.way FROM ways AS w) AS w, (VALUES ('way', 4), ('long way', 10)) AS l (subject, length)
  ), ways_of_kinds AS MATERIALIZED (
    SELECT w.way, k.kind, w.times
    FROM ways AS w JOIN kinds AS k ON (k.version, k.platform, k.country, k.properties) = (w.version, w.platform, w.country, w.properties)
  ), counted AS MATERIALIZED (
    SELECT b.subject, b.steps AS name, NULL::text AS former, cardinality(string_to_array(b.steps, weir.path_mark())) AS slot,
      w.kind, w.times, NULL::numeric AS total
    FROM ways_of_kinds AS w JOIN beginnings AS b ON b.way = w.way
    UNION ALL
    SELECT 'step', s.screen, s.former, (s.next IS NULL)::integer AS slot, s.kind, sum(s.times)::bigint, NULL
    FROM (
      SELECT unnest(w.screens) COLLATE "C" AS screen, unnest(array_prepend(NULL, w.screens)) COLLATE "C" AS former, unnest(w.screens[2:]) AS next,
        w.kind, w.times
      FROM (SELECT w.*, string_to_array(w.way, weir.path_mark()) AS screens FROM ways_of_kinds AS w OFFSET 0) AS w
    ) AS s
    WHERE s.screen IS NOT NULL
    GROUP BY s.screen, s.former, slot, s.kind
    UNION ALL
    SELECT 'page', m.page, m.event, m.slot, k.kind, count(*), sum(m.number)
    FROM measured AS m JOIN kinds AS k ON (k.version, k.platform, k.country, k.properties) = (m.version, m.platform, m.country, m.properties)
    GROUP BY m.page, m.event, m.slot, k.kind
  ), lines AS MATERIALIZED (
    SELECT p.place, c.subject, c.name, c.former, c.slot, sum(c.times)::bigint AS times, sum(c.total) AS total
    FROM counted AS c JOIN places AS p ON p.kind = c.kind
    GROUP BY p.place, c.subject, c.name, c.former, c.slot
  ), lists AS MATERIALIZED (
    SELECT l.place, l.subject, array_agg(l.name) AS names, array_agg(l.former) AS formers, array_agg(l.slot) AS slots,
      array_agg(l.times) AS times, array_agg(l.total) AS totals
    FROM (SELECT l.* FROM lines AS l ORDER BY l.name, l.former, l.slot) AS l
    GROUP BY l.place, l.subject
  )
  SELECT tenant, tallies_of_day.day, l.subject, p.part, l.names[p.first:p.last], l.formers[p.first:p.last], l.slots[p.first:p.last],
    l.times[p.first:p.last], l.totals[p.first:p.last], v.dimension, v.value
  FROM lists AS l JOIN values AS v ON v.place = l.place,
    LATERAL (SELECT n, 4096 * n + 1, 4096 * (n + 1) FROM generate_series(0, (cardinality(l.times) - 1) / 4096) AS n) AS p (part, first, last)
$$;

GRANT EXECUTE ON FUNCTION weir.tallied_part(jsonb, jsonb), weir.properties_of_day(text, date), weir.viewed_of_day(text, date, jsonb),
  weir.said_properties(text, date, date) TO weir_reader;

-- Days that are packed already, as far as they have such a property.
SELECT weir.sum_up_day(p.tenant_id, p.day) FROM weir.packed_days AS p
WHERE EXISTS (SELECT FROM weir.properties_of_day(p.tenant_id, p.day) AS s WHERE s.common IS NOT NULL);
