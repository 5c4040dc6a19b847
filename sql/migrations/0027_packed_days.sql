-- A copy of the rows for figures that have to read them (funnels, ways, tasks, rules): of each UTC day that is over, by the
-- event's name, a column at a time. A funnel over a quarter reads the users and moments of some kinds of events, and not
-- six gigabytes of rows that lie where they came in. It holds nothing that the rows do not: a day that has no copy, or that
-- is marked to be built, is read from the rows (analytics/happened.sql), with the same answer.
-- docs/decisions/0020-days-packed-by-event.md has what it was measured against.
--
--   rows stored ──► a mark ──► the day built, and packed if it is over ──► packed_days, packs
SET LOCAL ROLE weir_owner;

-- Workers do not share the reading of a span of it: they are handed spans (analytics/happened.sql).
CREATE TABLE weir.packs (
  tenant_id text NOT NULL,
  event text NOT NULL,
  day date NOT NULL,
  part integer NOT NULL,
  numbers bigint[] NOT NULL,
  sessions bigint[] NOT NULL,
  moments timestamptz[] NOT NULL,
  versions text[] NOT NULL,
  platforms text[] NOT NULL,
  countries text[] NOT NULL,
  screens text[] NOT NULL,
  durations numeric[] NOT NULL,
  properties jsonb[] NOT NULL,
  PRIMARY KEY (tenant_id, event, day, part)
) WITH (parallel_workers = 0);
CREATE INDEX packs_by_day ON weir.packs (tenant_id, day);
COMMENT ON TABLE weir.packs IS
  'Events of a UTC day by their name, 4096 at most in a part: element n of each column is of one event. In the order of '
  'users, sessions and moments.';
COMMENT ON COLUMN weir.packs.numbers IS 'As in user_numbers; NULL: an event without a user.';
COMMENT ON COLUMN weir.packs.screens IS 'The screen or page that the event is of, by weir.screen_properties().';
COMMENT ON COLUMN weir.packs.durations IS 'A number by weir.duration_properties().';
COMMENT ON COLUMN weir.packs.sessions IS 'weir.session_key() of the session_id.';

CREATE TABLE weir.packed_days (
  tenant_id text NOT NULL,
  day date NOT NULL,
  PRIMARY KEY (tenant_id, day)
);
COMMENT ON TABLE weir.packed_days IS 'UTC days whose events stand in packs.';
GRANT SELECT ON weir.packs, weir.packed_days TO weir_reader;

-- Faster to unpack than the compression that PostgreSQL has in any case, where it was built with it.
DO $$
DECLARE
  name text;
BEGIN
  FOREACH name IN ARRAY '{numbers,sessions,moments,versions,platforms,countries,screens,durations,properties}'::text[] LOOP
    EXECUTE format('ALTER TABLE weir.packs ALTER COLUMN %I SET COMPRESSION lz4', name);
  END LOOP;
EXCEPTION WHEN feature_not_supported THEN
  NULL;
END
$$;

-- Sessions are only told apart, and only within a user's: 64 bits of a text are as good as the text.
CREATE FUNCTION weir.session_key(session_id text) RETURNS bigint
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT hashtextextended(session_id, 0) $$;

-- What figures ask of an event's properties, and what of it is found once for all, since it takes longest. Whoever changes
-- one of these has the days packed anew.

-- A property that is a text, a number, true or false, and not empty; as a text of 256 characters at most.
CREATE FUNCTION weir.text_at(properties jsonb, name text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
  SELECT CASE WHEN jsonb_typeof(properties -> name) IN ('string', 'number', 'boolean') THEN left(nullif(properties ->> name, ''), 256) END
$$;

-- A property that is a number within 1e300 of zero.
CREATE FUNCTION weir.number_at(properties jsonb, name text) RETURNS numeric
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
  SELECT CASE WHEN jsonb_typeof(properties -> name) = 'number' AND abs((properties -> name)::numeric) < 1e300 THEN (properties -> name)::numeric END
$$;

-- The first of up to eight properties that has such a value.
CREATE FUNCTION weir.first_text(properties jsonb, names text[]) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
  SELECT coalesce(weir.text_at(properties, names[1]), weir.text_at(properties, names[2]), weir.text_at(properties, names[3]),
    weir.text_at(properties, names[4]), weir.text_at(properties, names[5]), weir.text_at(properties, names[6]),
    weir.text_at(properties, names[7]), weir.text_at(properties, names[8]))
$$;

CREATE FUNCTION weir.first_number(properties jsonb, names text[]) RETURNS numeric
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
  SELECT coalesce(weir.number_at(properties, names[1]), weir.number_at(properties, names[2]), weir.number_at(properties, names[3]),
    weir.number_at(properties, names[4]), weir.number_at(properties, names[5]), weir.number_at(properties, names[6]),
    weir.number_at(properties, names[7]), weir.number_at(properties, names[8]))
$$;

-- What clients call a view of a screen or page, and the property that says which.
CREATE FUNCTION weir.screen_events() RETURNS text[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT '{screen,screen_view,screen_viewed,page,page_view,page_viewed,$screen,$pageview}'::text[] $$;

CREATE FUNCTION weir.screen_properties() RETURNS text[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT '{screen,page,pathname,path,$screen_name,$pathname,name}'::text[] $$;

-- How long something took, as pages.sql looks for it.
CREATE FUNCTION weir.duration_properties() RETURNS text[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT '{load_ms,duration_ms,duration,value}'::text[] $$;

-- Names of more than 256 characters, for which nobody can ask, are cut where figures cut them, and are no shorter one's.
CREATE FUNCTION weir.pack_name(event text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT (CASE WHEN char_length(event) <= 256 THEN event ELSE left(event, 256) || '…' END) COLLATE "C" $$;

-- The packs of a UTC day as its rows say. Its users have to be numbered.
CREATE FUNCTION weir.packs_of_day(tenant text, day date)
RETURNS TABLE (event text, part integer, numbers bigint[], sessions bigint[], moments timestamptz[], versions text[],
  platforms text[], countries text[], screens text[], durations numeric[], properties jsonb[])
LANGUAGE sql STABLE
SET jit = off SET work_mem = '64MB' SET enable_nestloop = off SET enable_mergejoin = off SET enable_indexscan = off
AS $$
  SELECT p.event, p.part, array_agg(p.number), array_agg(p.session), array_agg(p.at), array_agg(p.version),
    array_agg(p.platform), array_agg(p.country), array_agg(weir.first_text(p.properties, weir.screen_properties())),
    array_agg(weir.first_number(p.properties, weir.duration_properties())), array_agg(p.properties)
  FROM (
    SELECT o.*, ((o.place - 1) / 4096)::integer AS part
    FROM (
      SELECT weir.pack_name(e.event) AS event, u.number::bigint AS number, weir.session_key(e.session_id) AS session, e."timestamp" AS at,
        e.app_version AS version, e.platform, e.country, e.properties,
        row_number() OVER (PARTITION BY weir.pack_name(e.event) ORDER BY u.number, weir.session_key(e.session_id), e."timestamp", e.event_id) AS place
      FROM weir.events AS e
      LEFT JOIN weir.user_numbers AS u ON u.tenant_id = packs_of_day.tenant AND u.user_id = e.user_id
      WHERE e.tenant_id = packs_of_day.tenant
        AND e."timestamp" >= packs_of_day.day::timestamp AT TIME ZONE 'UTC'
        AND e."timestamp" < (packs_of_day.day + 1)::timestamp AT TIME ZONE 'UTC'
    ) AS o
    ORDER BY o.event, part, o.place
  ) AS p
  GROUP BY p.event, p.part
$$;

-- What differs is replaced.
CREATE FUNCTION weir.pack_day(tenant text, day date) RETURNS void
LANGUAGE sql
AS $$
  WITH fresh AS MATERIALIZED (
    SELECT * FROM weir.packs_of_day(tenant, pack_day.day)
  ), gone AS (
    DELETE FROM weir.packs AS p
    WHERE p.tenant_id = pack_day.tenant AND p.day = pack_day.day
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
      excluded.durations, excluded.properties)
$$;

-- Called by the builder when it has built what a mark asks for. Today is not packed, since it changes all the time and is
-- quickly read; it is on the day after, with the others of the last week that were built and have no packs. And what
-- retention has dropped leaves no copy.
CREATE FUNCTION weir.pack_around(tenant text, day date) RETURNS void
LANGUAGE plpgsql
AS $$
DECLARE
  today constant date := (now() AT TIME ZONE 'UTC')::date;
  past date;
BEGIN
  FOR past IN
    SELECT pack_around.day WHERE pack_around.day < today
    UNION
    SELECT c.day FROM weir.day_counts AS c
    WHERE c.tenant_id = tenant AND c.zone = 'UTC' AND c.subject = 'active' AND c.value = '' AND c.day BETWEEN today - 8 AND today - 1
      AND NOT EXISTS (SELECT FROM weir.packed_days AS p WHERE p.tenant_id = tenant AND p.day = c.day)
      AND NOT EXISTS (SELECT FROM weir.touched_days AS t WHERE t.tenant_id = tenant AND t.day = c.day)
    ORDER BY 1
  LOOP
    PERFORM weir.pack_day(tenant, past);
  END LOOP;
  PERFORM weir.drop_packs_of_gone_days(tenant);
END
$$;

CREATE FUNCTION weir.drop_packs_of_gone_days(tenant text) RETURNS void
LANGUAGE sql
AS $$
  DELETE FROM weir.packs AS p USING weir.gone_days AS g WHERE p.tenant_id = tenant AND g.tenant_id = tenant AND p.day = g.day;
  DELETE FROM weir.packed_days AS p USING weir.gone_days AS g WHERE p.tenant_id = tenant AND g.tenant_id = tenant AND p.day = g.day;
$$;

-- Called by a rebuild, which may build days in several sessions, each one of its own.
CREATE FUNCTION weir.repack_day(tenant text, day date) RETURNS void
LANGUAGE plpgsql
AS $$
BEGIN
  IF day < (now() AT TIME ZONE 'UTC')::date THEN
    PERFORM weir.pack_day(tenant, day);
  END IF;
END
$$;

CREATE FUNCTION weir.compare_packs(tenant text, day date)
RETURNS TABLE (part text, subject text, value text, kept text, counted text)
LANGUAGE sql STABLE
AS $$
  SELECT 'packs', coalesce(k.event, c.event), coalesce(k.part, c.part)::text, cardinality(k.numbers) || ' events', cardinality(c.numbers) || ' events'
  FROM (SELECT * FROM weir.packs AS p WHERE p.tenant_id = compare_packs.tenant AND p.day = compare_packs.day) AS k
  FULL JOIN weir.packs_of_day(compare_packs.tenant, compare_packs.day) AS c ON c.event = k.event AND c.part = k.part
  WHERE EXISTS (SELECT FROM weir.packed_days AS p WHERE p.tenant_id = compare_packs.tenant AND p.day = compare_packs.day)
    AND (k.numbers, k.sessions, k.moments, k.versions, k.platforms, k.countries, k.screens, k.durations, k.properties) IS DISTINCT FROM
      (c.numbers, c.sessions, c.moments, c.versions, c.platforms, c.countries, c.screens, c.durations, c.properties)
$$;
GRANT EXECUTE ON FUNCTION weir.text_at(jsonb, text), weir.number_at(jsonb, text), weir.first_text(jsonb, text[]),
  weir.first_number(jsonb, text[]), weir.screen_events(), weir.screen_properties(), weir.duration_properties(), weir.session_key(text),
  weir.pack_name(text), weir.packs_of_day(text, date), weir.compare_packs(text, date) TO weir_reader;
