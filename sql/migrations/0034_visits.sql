-- Which ways users go through the screens is asked of millions of views, and what is asked of each visit is always the same:
-- so the visits of a day that is over stand among its packs (0027), as if each were an event. `docs/decisions/0024` has what it
-- was measured against.
--
--   event       weir.pack_of_visits(), which no event can be called
--   number      the user; session, version, platform, country: as all views have it that this is made of. A visit in whose midst
--               one of them changes is several of these, and so is one beyond midnight
--   moment      the first view; `durations` has the seconds from there to the last one
--   screen      the way: all its screens, of the events weir.screen_events(), one after the other, with weir.path_mark() between.
--               Views of one moment follow each other by name. NULL where they have to be read one by one: of all of a user's views
--               without a session, and of more than 256, so that no pack grows without bound
SET LOCAL ROLE weir_owner;

-- Longer than any name of an event in a pack (weir.pack_name()).
CREATE FUNCTION weir.pack_of_visits() RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT rpad('visits', 300, '.') COLLATE "C" $$;

CREATE FUNCTION weir.path_mark() RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT E'\x01' $$;

-- A screen as it may stand in a way. (LIKE finds out in a tenth of the time of replace().)
CREATE FUNCTION weir.path_screen(screen text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
  SELECT CASE WHEN screen COLLATE "C" LIKE '%' || weir.path_mark() || '%' THEN replace(screen, weir.path_mark(), U&'\FFFD') ELSE screen END COLLATE "C"
$$;

CREATE FUNCTION weir.visits_of_packs(tenant text, day date)
RETURNS TABLE (part integer, numbers bigint[], sessions bigint[], moments timestamptz[], versions text[], platforms text[],
  countries text[], screens text[], durations numeric[], properties jsonb[])
LANGUAGE sql STABLE
SET jit = off SET work_mem = '64MB' SET enable_nestloop = off
AS $$
  SELECT v.part, array_agg(v.number), array_agg(v.session), array_agg(v.first_at), array_agg(v.version), array_agg(v.platform),
    array_agg(v.country), array_agg(v.way), array_agg(extract(epoch FROM v.last_at - v.first_at)), array_agg(NULL::jsonb)
  FROM (
    SELECT o.*, ((row_number() OVER everybody - 1) / 4096)::integer AS part
    FROM (
      SELECT e.number, e.session, e.version, e.platform, e.country, min(e.at) AS first_at, max(e.at) AS last_at,
        CASE WHEN e.session IS NOT NULL AND count(*) <= 256 THEN string_agg(e.screen, weir.path_mark()) END AS way
      FROM (
        SELECT u.number, u.session, u.version, u.platform, u.country, u.at, weir.path_screen(u.screen) AS screen
        FROM (
          SELECT unnest(p.numbers) AS number, unnest(p.sessions) AS session, unnest(p.moments) AS at, unnest(p.versions) AS version,
            unnest(p.platforms) AS platform, unnest(p.countries) AS country, unnest(p.screens) AS screen
          FROM weir.packs AS p
          WHERE p.tenant_id = tenant AND p.day = visits_of_packs.day AND p.event = ANY (weir.screen_events())
        ) AS u
        WHERE u.number IS NOT NULL AND u.screen IS NOT NULL
        ORDER BY u.number, u.session, u.version COLLATE "C", u.platform COLLATE "C", u.country COLLATE "C", u.at, screen
      ) AS e
      GROUP BY e.number, e.session, e.version COLLATE "C", e.platform COLLATE "C", e.country COLLATE "C", e.version, e.platform, e.country
    ) AS o
    WINDOW everybody AS (ORDER BY o.number, o.session, o.first_at, o.version COLLATE "C", o.platform COLLATE "C", o.country COLLATE "C")
    ORDER BY part, o.number, o.session, o.first_at, o.version COLLATE "C", o.platform COLLATE "C", o.country COLLATE "C"
  ) AS v
  GROUP BY v.part
$$;

CREATE FUNCTION weir.pack_visits(tenant text, day date) RETURNS void
LANGUAGE sql
AS $$
  DELETE FROM weir.packs AS p WHERE p.tenant_id = tenant AND p.day = pack_visits.day AND p.event = weir.pack_of_visits();
  INSERT INTO weir.packs
    (tenant_id, event, day, part, numbers, sessions, moments, versions, platforms, countries, screens, durations, properties)
  SELECT tenant, weir.pack_of_visits(), pack_visits.day, v.part, v.numbers, v.sessions, v.moments, v.versions, v.platforms, v.countries, v.screens,
    v.durations, v.properties
  FROM weir.visits_of_packs(tenant, pack_visits.day) AS v;
$$;

-- As 0027 has it, but for visits.
CREATE OR REPLACE FUNCTION weir.pack_day(tenant text, day date) RETURNS void
LANGUAGE sql
AS $$
  WITH fresh AS MATERIALIZED (
    SELECT * FROM weir.packs_of_day(tenant, pack_day.day)
  ), gone AS (
    DELETE FROM weir.packs AS p
    WHERE p.tenant_id = pack_day.tenant AND p.day = pack_day.day AND p.event <> weir.pack_of_visits()
      AND NOT EXISTS (SELECT FROM fresh AS f WHERE f.event = p.event AND f.part = p.part)
  ), packed AS (
    INSERT INTO weir.packed_days (tenant_id, day) VALUES (tenant, pack_day.day) ON CONFLICT DO NOTHING
  )
  INSERT INTO weir.packs AS p
    (tenant_id, event, day, part, numbers, sessions, moments, versions, platforms, countries, screens, durations, properties)
  SELECT tenant, f.event, pack_day.day, f.part, f.numbers, f.sessions, f.moments, f.versions, f.platforms, f.countries, f.screens, f.durations,
    f.properties
  FROM fresh AS f
  ON CONFLICT (tenant_id, event, day, part) DO UPDATE SET numbers = excluded.numbers, sessions = excluded.sessions,
    moments = excluded.moments, versions = excluded.versions, platforms = excluded.platforms, countries = excluded.countries,
    screens = excluded.screens, durations = excluded.durations, properties = excluded.properties
  WHERE (p.numbers, p.sessions, p.moments, p.versions, p.platforms, p.countries, p.screens, p.durations, p.properties) IS DISTINCT FROM
    (excluded.numbers, excluded.sessions, excluded.moments, excluded.versions, excluded.platforms, excluded.countries, excluded.screens,
      excluded.durations, excluded.properties);
  SELECT weir.pack_visits(tenant, pack_day.day);
$$;

CREATE OR REPLACE FUNCTION weir.compare_packs(tenant text, day date)
RETURNS TABLE (part text, subject text, value text, kept text, counted text)
LANGUAGE sql STABLE
AS $$
  SELECT 'packs', rtrim(coalesce(k.event, c.event), '.'), coalesce(k.part, c.part)::text, cardinality(k.numbers) || ' events', cardinality(c.numbers) || ' events'
  FROM (SELECT * FROM weir.packs AS p WHERE p.tenant_id = compare_packs.tenant AND p.day = compare_packs.day) AS k
  FULL JOIN (
    SELECT * FROM weir.packs_of_day(compare_packs.tenant, compare_packs.day)
    UNION ALL
    SELECT weir.pack_of_visits(), v.* FROM weir.visits_of_packs(compare_packs.tenant, compare_packs.day) AS v
  ) AS c ON c.event = k.event AND c.part = k.part
  WHERE EXISTS (SELECT FROM weir.packed_days AS p WHERE p.tenant_id = compare_packs.tenant AND p.day = compare_packs.day)
    AND (k.numbers, k.sessions, k.moments, k.versions, k.platforms, k.countries, k.screens, k.durations, k.properties) IS DISTINCT FROM
      (c.numbers, c.sessions, c.moments, c.versions, c.platforms, c.countries, c.screens, c.durations, c.properties)
$$;

GRANT EXECUTE ON FUNCTION weir.pack_of_visits(), weir.path_mark(), weir.path_screen(text), weir.visits_of_packs(text, date) TO weir_reader;

-- Days that are packed already.
SELECT weir.pack_visits(p.tenant_id, p.day) FROM weir.packed_days AS p;
