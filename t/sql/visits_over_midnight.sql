-- Visits that go on after midnight: counted by day when packed, and put together again where they are asked for.
BEGIN;
SET LOCAL search_path = weir, public;
SET LOCAL client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap SCHEMA public;
SELECT no_plan();

CREATE FUNCTION pg_temp.saw(person text, session text, at timestamptz, screen text, version text DEFAULT '1.0')
RETURNS void LANGUAGE sql AS $$
  INSERT INTO weir.events (event_id, tenant_id, user_id, session_id, event, app_version, platform, country, properties, "timestamp", client_timestamp)
  VALUES (gen_random_uuid(), 'acme', person, session, 'screen', version, 'iOS', 'BR', jsonb_build_object('screen', screen, 'part', screen, 'kind', 'any'), at, at);
  INSERT INTO weir.touched_days (tenant_id, day) VALUES ('acme', (at AT TIME ZONE 'UTC')::date) ON CONFLICT DO NOTHING
$$;
\ir lib/build.sql

-- ann goes on where she was; without a session ben comes back after 30 minutes, cat a microsecond later.
SELECT pg_temp.saw('ann', 'a', '2026-03-04T23:40Z', 'home'), pg_temp.saw('ann', 'a', '2026-03-04T23:50Z', 'list'),
  pg_temp.saw('ann', 'a', '2026-03-05T00:10Z', 'list'), pg_temp.saw('ann', 'a', '2026-03-05T00:20Z', 'item');
SELECT pg_temp.saw('ben', NULL, '2026-03-04T23:30Z', 'b1'), pg_temp.saw('ben', NULL, '2026-03-05T00:00Z', 'b2');
SELECT pg_temp.saw('cat', NULL, '2026-03-04T23:59Z', 'c1'), pg_temp.saw('cat', NULL, '2026-03-05T00:29:00.000001Z', 'c2');
-- Another session goes on beside that of dan.
SELECT pg_temp.saw('dan', 'd', '2026-03-04T23:59Z', 'd1'), pg_temp.saw('dan', 'e', '2026-03-05T00:01Z', 'd2');
-- eve has a new version after midnight; fay changes it before, and goes on.
SELECT pg_temp.saw('eve', 'e', '2026-03-04T23:59Z', 'e1'), pg_temp.saw('eve', 'e', '2026-03-05T00:01Z', 'e2', '2.0');
SELECT pg_temp.saw('fay', 'f', '2026-03-04T23:58Z', 'f1'), pg_temp.saw('fay', 'f', '2026-03-04T23:59Z', 'f2', '2.0'),
  pg_temp.saw('fay', 'f', '2026-03-05T00:01Z', 'f3', '2.0');
-- gus has too many views for a way; hal is there for more than a day.
SELECT pg_temp.saw('gus', 'g', timestamptz '2026-03-04T23:50Z' + n * interval '1 second', 'g1') FROM generate_series(1, 300) AS n;
SELECT pg_temp.saw('gus', 'g', '2026-03-05T00:01Z', 'g2');
SELECT pg_temp.saw('hal', 'h', timestamptz '2026-03-04T23:45Z' + n * interval '25 minutes', CASE n WHEN 0 THEN 'h1' WHEN 59 THEN 'h3' ELSE 'h2' END)
FROM generate_series(0, 59) AS n;
-- ida's visits begin and end near midnight, and have nothing beside; one at midnight of the last day goes on where the window does not.
SELECT pg_temp.saw('ida', 'i', '2026-03-05T00:10Z', 'i1'), pg_temp.saw('ida', 'i', '2026-03-05T23:50Z', 'i1'), pg_temp.saw('ida', 'i', '2026-03-06T23:59Z', 'i1'),
  pg_temp.saw('ida', 'i', '2026-03-07T00:01Z', 'i2');
-- jon's session has two visits on each of two days.
SELECT pg_temp.saw('jon', 'j', day + hour::time, CASE hour WHEN '10:00' THEN 'j1' ELSE 'j2' END)
FROM unnest('{2026-03-05Z,2026-03-06Z}'::timestamptz[]) AS day, unnest('{10:00,11:00}'::text[]) AS hour;
SELECT pg_temp.build();

CREATE FUNCTION pg_temp.said(filter text DEFAULT NULL, zone text DEFAULT 'UTC', length integer DEFAULT 4, property text DEFAULT NULL)
RETURNS jsonb LANGUAGE sql AS $$
  SELECT paths_answer('acme', '2026-03-04', '2026-03-06', zone, property => property, length => length, filter => filter, most => 100) - '{as_of,incomplete}'::text[]
$$;
-- Each path as one text, and how many visits had it.
CREATE FUNCTION pg_temp.ways(filter text) RETURNS jsonb LANGUAGE sql AS $$
  SELECT jsonb_object_agg((SELECT string_agg(s, ' ' ORDER BY n) FROM jsonb_array_elements_text(p -> 'screens') WITH ORDINALITY AS s (s, n)), p -> 'visits')
  FROM jsonb_array_elements(pg_temp.said(filter) -> 'paths') AS p
$$;
CREATE TEMPORARY TABLE wanted (filter text, ways jsonb, users integer);
INSERT INTO wanted VALUES
  (NULL, '{"home list item": 1, "b1 b2": 1, "c1": 1, "c2": 1, "d1": 1, "d2": 1, "e1 e2": 1, "f1 f2 f3": 1, "g1 g2": 1, "h1 h2 h3": 1, "i1": 3, "j1": 2, "j2": 2}', 10),
  ('{"version": "1.0"}', '{"home list item": 1, "b1 b2": 1, "c1": 1, "c2": 1, "d1": 1, "d2": 1, "e1": 1, "f1": 1, "g1 g2": 1, "h1 h2 h3": 1, "i1": 3, "j1": 2, "j2": 2}', 10),
  ('{"version": "2.0"}', '{"e2": 1, "f2 f3": 1}', 2);
INSERT INTO wanted SELECT w.filter::jsonb || '{"platform": "iOS"}', w.ways, w.users FROM wanted AS w WHERE w.filter IS NOT NULL;
INSERT INTO wanted SELECT '{"properties": {"kind": "any"}}', w.ways, w.users FROM wanted AS w WHERE w.filter IS NULL;
SELECT is(pg_temp.ways(w.filter), w.ways, format('ways with %s, by hand', coalesce(w.filter, 'no filter'))) FROM wanted AS w;
SELECT is(pg_temp.said(w.filter) -> 'users', to_jsonb(w.users), 'and users') FROM wanted AS w;
SELECT is(jsonb_path_query_array(pg_temp.said(), '$.screens[*] ? (@.screen == "list")'),
  '[{"next": [{"count": 1, "share": 1.000000, "screen": "item"}], "exits": 0, "steps": 1, "views": 2, "screen": "list", "entries": 0, "drop_off": 0.000000}]',
  'the first screen after midnight begins nothing, and the last before ends nothing');
SELECT is(jsonb_path_query_array(pg_temp.said(), '$.screens[*].next[*] ? (@.count < 1)'), '[]', 'nothing is listed that occurs only within parts');
SELECT is((SELECT sum((p ->> 'visits')::integer)::text FROM jsonb_array_elements(pg_temp.said() -> 'paths') AS p), pg_temp.said() ->> 'visits', 'all visits are told by a path');

-- What is kept of it.
CREATE FUNCTION pg_temp.kept(pack text) RETURNS TABLE (person text, day date, way text, takes numeric) LANGUAGE sql AS $$
  SELECT u.user_id, p.day, w.way, w.takes
  FROM packs AS p, unnest(p.numbers, p.screens, p.durations) AS w (number, way, takes) JOIN user_numbers AS u ON u.tenant_id = 'acme' AND u.number = w.number
  WHERE p.tenant_id = 'acme' AND p.event = made_pack(pack)
$$;
SELECT set_eq($$SELECT k.day, replace(k.way, path_mark(), ' '), k.takes FROM pg_temp.kept('loose ways') AS k WHERE k.person = 'ann'$$,
  $$VALUES (date '2026-03-04', 'home list', 600), ('2026-03-05', 'list item', 600)$$, 'two ways near midnight');
SELECT set_eq($$SELECT DISTINCT k.person, k.day FROM pg_temp.kept('loose views') AS k$$, $$VALUES ('fay', date '2026-03-04'), ('gus', '2026-03-04')$$,
  'views of several versions and of too many');
SELECT ok((SELECT max(octet_length(k.way)) FROM pg_temp.kept('loose ways') AS k) < 257 * 64, 'a way has a bound');
SELECT is_empty($$SELECT v.* FROM generate_series(date '2026-03-04', '2026-03-07', '1 day') AS d, verify_day('acme', 'UTC', d::date) AS v$$, 'all of it is verified');

-- The same where some of the days are read row by row, all of them among these, and where windows end within a UTC day.
CREATE TEMPORARY TABLE packed AS
SELECT w.filter, zone, length, pg_temp.said(w.filter, zone, length) AS said
FROM wanted AS w, unnest('{UTC,Asia/Kolkata,America/New_York}'::text[]) AS zone, unnest('{1,4,10}'::integer[]) AS length;
CREATE FUNCTION pg_temp.differing(unpacked date[]) RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
  DELETE FROM packed_days AS d WHERE d.day = ANY (unpacked);
  RETURN QUERY SELECT concat_ws(' ', p.filter, p.zone, p.length, property) FROM packed AS p, unnest('{NULL,part}'::text[]) AS property
    WHERE (property IS NULL OR p.length = 4) AND pg_temp.said(p.filter, p.zone, p.length, property) IS DISTINCT FROM p.said;
  INSERT INTO packed_days (tenant_id, day) SELECT 'acme', d FROM unnest(unpacked) AS d;
END
$$;
SELECT is_empty($$SELECT pg_temp.differing('{}')$$, 'the same of a property that packs list alone, whose views are put together day by day');
SELECT is_empty(format('SELECT pg_temp.differing(%L)', u.days), 'the same of both with rows of ' || u.days)
FROM unnest('{"{2026-03-04}","{2026-03-05}","{2026-03-06}","{2026-03-04,2026-03-06}","{2026-03-04,2026-03-05,2026-03-06,2026-03-07}"}'::text[]) AS u (days);

UPDATE packs SET screens[1] = 'other' WHERE day = '2026-03-05' AND event = made_pack('loose ways');
SELECT set_eq($$SELECT v.part, v.subject FROM verify_day('acme', 'UTC', '2026-03-05') AS v$$, $$VALUES ('packs', 'loose ways')$$, 'verify finds a way that views do not say');
SELECT ok(rebuild_day('acme', '2026-03-05', false), 'a rebuild');
SELECT is_empty($$SELECT v.* FROM verify_day('acme', 'UTC', '2026-03-05') AS v$$, 'makes it anew');
SELECT * FROM finish();
ROLLBACK;
