-- More screens, steps and ways than an answer has room for: what is left out is said, and all else is as a plain query over the events has it. What is tallied is
-- ranked where it is tallied, beside what goes on over midnight or lies in days that a zone cuts.
BEGIN;
SET LOCAL search_path = weir, public;
SET LOCAL client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap SCHEMA public;
SELECT no_plan();
\ir lib/build.sql

-- 12,000 visits of one to six views, at any time of two days, among 1,200 screens of which some are much more frequent.
SELECT setseed(0.7);
INSERT INTO weir.events (event_id, tenant_id, user_id, event, platform, properties, "timestamp", client_timestamp)
SELECT gen_random_uuid(), 'acme', 'u' || v.visit % 9000, 'screen', v.platform, jsonb_build_object('screen', 's' || floor(1200 ^ random() + w.place * 0)),
  v.at + w.place * interval '100 seconds', v.at + w.place * interval '100 seconds'
FROM (
  SELECT visit, timestamptz '2026-03-04T00:00Z' + random() * interval '47 hours 45 minutes' AS at, 1 + floor(random() * 6)::integer AS views,
    CASE WHEN random() < 0.6 THEN 'iOS' ELSE 'macOS' END AS platform
  FROM generate_series(1, 12000) AS visit
) AS v, generate_series(1, v.views) AS w (place);
INSERT INTO weir.touched_days (tenant_id, day) VALUES ('acme', '2026-03-04'), ('acme', '2026-03-05');
SELECT pg_temp.build();
SELECT is((SELECT count(*) FROM packed_days WHERE tenant_id = 'acme'), 2::bigint, 'both days are packed');

-- The same from the events: figures of each screen, where users went on from it, ways.
CREATE FUNCTION pg_temp.counted(zone text, length integer, platform text) RETURNS jsonb LANGUAGE sql SET enable_nestloop = off AS $$
  WITH views AS (
    SELECT e.user_id, e."timestamp" AS at, e.properties ->> 'screen' AS screen
    FROM weir.events AS e
    WHERE e.tenant_id = 'acme' AND (e."timestamp" AT TIME ZONE counted.zone)::date BETWEEN '2026-03-04' AND '2026-03-05'
      AND (counted.platform IS NULL OR e.platform = counted.platform)
  ), begun AS (
    SELECT v.*, coalesce(v.at - lag(v.at) OVER line > interval '30 minutes', true) AS begins FROM views AS v WINDOW line AS (PARTITION BY v.user_id ORDER BY v.at, v.screen COLLATE "C")
  ), visits AS MATERIALIZED (
    SELECT b.*, count(*) FILTER (WHERE b.begins) OVER (PARTITION BY b.user_id ORDER BY b.at, b.screen COLLATE "C") AS visit FROM begun AS b
  ), seen AS MATERIALIZED (
    SELECT v.*, lag(v.screen) OVER line AS former, lead(v.screen) OVER line IS NULL AS ends
    FROM visits AS v WINDOW line AS (PARTITION BY v.user_id, v.visit ORDER BY v.at, v.screen COLLATE "C")
  ), screens AS MATERIALIZED (
    SELECT s.screen, count(*) AS views, count(*) FILTER (WHERE s.former IS DISTINCT FROM s.screen) AS steps, count(*) FILTER (WHERE s.former IS NULL) AS entries,
      count(*) FILTER (WHERE s.ends) AS exits
    FROM seen AS s GROUP BY s.screen
  ), next AS MATERIALIZED (
    SELECT s.former, s.screen, count(*) AS times FROM seen AS s WHERE s.former <> s.screen GROUP BY s.former, s.screen
    ORDER BY times DESC, s.former COLLATE "C", s.screen COLLATE "C" LIMIT weir.most_paths()
  ), ways AS MATERIALIZED (
    SELECT to_jsonb((array_agg(s.screen ORDER BY s.at, s.screen COLLATE "C"))[:counted.length]) AS way
    FROM seen AS s WHERE s.former IS DISTINCT FROM s.screen GROUP BY s.user_id, s.visit
  )
  SELECT jsonb_build_object('visits', (SELECT count(*) FROM ways), 'users', (SELECT count(DISTINCT v.user_id) FROM views AS v),
    'more_screens', (SELECT least(count(*), 1000) - 100 FROM screens),
    'screens', (SELECT jsonb_agg(jsonb_build_array(s.screen, s.views, s.steps, s.entries, s.exits, (SELECT jsonb_object_agg(n.screen, n.times)
        FROM (SELECT n.* FROM next AS n WHERE n.former = s.screen ORDER BY n.times DESC, n.screen COLLATE "C" LIMIT 10) AS n)) ORDER BY s.steps DESC, s.screen COLLATE "C")
      FROM (SELECT * FROM screens AS s ORDER BY s.steps DESC, s.screen COLLATE "C" LIMIT 100) AS s),
    'paths', (SELECT jsonb_agg(jsonb_build_array(w.way, w.visits) ORDER BY w.visits DESC, w.way::text COLLATE "C")
      FROM (SELECT w.way, count(*) AS visits FROM ways AS w GROUP BY w.way ORDER BY visits DESC, w.way::text COLLATE "C" LIMIT 100) AS w))
$$;
CREATE FUNCTION pg_temp.told(zone text, length integer, filter text) RETURNS jsonb LANGUAGE sql AS $$
  SELECT jsonb_build_object('visits', a -> 'visits', 'users', a -> 'users', 'more_screens', a -> 'more_screens',
    'screens', (SELECT jsonb_agg(jsonb_build_array(s -> 'screen', s -> 'views', s -> 'steps', s -> 'entries', s -> 'exits',
      (SELECT jsonb_object_agg(n ->> 'screen', n -> 'count') FROM jsonb_array_elements(s -> 'next') AS n)) ORDER BY place) FROM jsonb_array_elements(a -> 'screens') WITH ORDINALITY AS s (s, place)),
    'paths', (SELECT jsonb_agg(jsonb_build_array(p -> 'screens', p -> 'visits') ORDER BY place) FROM jsonb_array_elements(a -> 'paths') WITH ORDINALITY AS p (p, place)))
  FROM paths_answer('acme', '2026-03-04', '2026-03-05', zone, length => told.length, filter => told.filter, most => 100) AS a
$$;

SELECT cmp_ok((SELECT count(*) FROM paths_partial('acme', '2026-03-04', '2026-03-05', 'UTC') AS p WHERE p.figure = 'beyond'), '=', 3::bigint, 'there are more of all three');
SELECT is(paths_answer('acme', '2026-03-04', '2026-03-05') -> 'exact', 'false', 'and the answer says that it leaves some out');
SELECT is(pg_temp.told(zone, length, NULL), pg_temp.counted(zone, length, NULL), format('what it tells is right, with %s steps in %s', length, zone))
FROM (VALUES ('UTC', 4), ('UTC', 7), ('UTC', 10), ('Europe/Berlin', 4), ('America/St_Johns', 2)) AS v (zone, length);
SELECT is(pg_temp.told(zone, 4, '{"platform": "iOS"}'), pg_temp.counted(zone, 4, 'iOS'), 'of one platform, too, in ' || zone)
FROM (VALUES ('UTC'), ('Europe/Berlin')) AS v (zone);
SAVEPOINT ranked;
CREATE OR REPLACE FUNCTION weir.most_paths() RETURNS integer LANGUAGE sql IMMUTABLE PARALLEL SAFE AS 'SELECT 1500';
DELETE FROM weir.day_tallies WHERE subject IN ('way', 'long way');
SELECT is(pg_temp.told(zone, length, NULL), pg_temp.counted(zone, length, NULL), format('ways are ranked without all of them: %s steps in %s', length, zone))
FROM (VALUES ('UTC', 4), ('UTC', 7), ('UTC', 1), ('Europe/Berlin', 4), ('Asia/Kolkata', 10)) AS v (zone, length);
SELECT is(paths_answer('acme', '2026-03-04', '2026-03-05', filter => '{"platform": "iOS"}', most => 10) -> 'paths' -> 9 -> 'visits',
  pg_temp.counted('UTC', 4, 'iOS') -> 'paths' -> 9 -> 1, 'those of one platform, too');
ROLLBACK TO ranked;
UPDATE weir.day_ways SET ways = '{}', times = '{}';
SELECT is(pg_temp.told('UTC', 4, NULL), pg_temp.counted('UTC', 4, NULL), 'and all are added up where a rare one can be among the most frequent');
ROLLBACK TO ranked;
DELETE FROM weir.packed_days;
SELECT is(pg_temp.told('UTC', 4, NULL), pg_temp.counted('UTC', 4, NULL), 'and where the rows are read');

-- Ways that one visit of a day went are not always rare: with room for 1,200 of them.
CREATE OR REPLACE FUNCTION weir.most_paths() RETURNS integer LANGUAGE sql IMMUTABLE PARALLEL SAFE AS 'SELECT 1200';
CREATE FUNCTION pg_temp.steps(way integer) RETURNS text[] LANGUAGE sql AS $$
  SELECT ARRAY['a' || way % 12, 'b' || way / 12 % 12, 'c' || way / 144 % 12, 'd' || way / 1728 % 12]
$$;
CREATE TEMPORARY TABLE visits (tenant text, who text, at timestamptz, screens text[]);
INSERT INTO visits
SELECT 'night', concat('once ', w, ' ', d), date '2026-03-04' + d + interval '9 hours', pg_temp.steps(w) FROM generate_series(1, 1100) AS w, generate_series(0, 1) AS d
UNION ALL
SELECT 'night', concat('thrice ', w, ' ', n), date '2026-03-04' + n % 2 + interval '9 hours', pg_temp.steps(2000 + w) FROM generate_series(1, 25) AS w, generate_series(1, 6) AS n
UNION ALL
SELECT 'ties', concat('once ', w, ' ', d), date '2026-03-04' + d + interval '9 hours', pg_temp.steps(w) FROM generate_series(1, 1300) AS w, generate_series(0, 1) AS d
UNION ALL
SELECT 'ties', concat('twice ', w, ' ', n), timestamptz '2026-03-04T09:00Z', ARRAY['z' || w] FROM generate_series(1, 25) AS w, generate_series(1, 2) AS n
UNION ALL
SELECT 'night', concat('late ', w), timestamptz '2026-03-04T23:59:20Z', '{e1,e2,e3,e4}' || pg_temp.steps(3000 + w) FROM generate_series(1, 300) AS w
UNION ALL
SELECT 'server' || s, concat('once ', w), timestamptz '2026-03-04T09:00Z', pg_temp.steps(2000 * s + w) FROM generate_series(1, 3) AS s, generate_series(1, 1300) AS w
UNION ALL
SELECT 'server' || s, concat('twice ', w, ' ', n), timestamptz '2026-03-04T09:00Z', pg_temp.steps(2000 * s + 1500 + w)
FROM generate_series(1, 3) AS s, generate_series(1, 25) AS w, generate_series(1, 2) AS n
UNION ALL
SELECT 'server' || s, 'everywhere', timestamptz '2026-03-04T09:00Z', '{a,b}' FROM generate_series(1, 3) AS s;
INSERT INTO weir.events (event_id, tenant_id, user_id, event, properties, "timestamp", client_timestamp)
SELECT gen_random_uuid(), v.tenant, v.who, 'screen', jsonb_build_object('screen', s.screen), v.at + s.place * interval '9 seconds', v.at
FROM visits AS v, unnest(v.screens) WITH ORDINALITY AS s (screen, place);
INSERT INTO weir.touched_days (tenant_id, day) SELECT DISTINCT e.tenant_id, (e."timestamp" AT TIME ZONE 'UTC')::date FROM weir.events AS e WHERE e.tenant_id <> 'acme';
SELECT pg_temp.build();
SELECT is(jsonb_build_array(a -> 'exact', a -> 'visits', a -> 'paths' -> 0), '[true, 2650, {"screens": ["e1", "e2", "e3", "e4"], "visits": 300, "share": 0.113208}]',
  'what visits that go on over midnight seem to begin with is none of the ways')
FROM paths_answer('night', '2026-03-04', '2026-03-05') AS a;
SELECT is(paths_answer('ties', '2026-03-04', '2026-03-05', most => 10) -> 'paths' -> 0 -> 'screens', '["a0", "b0", "c1", "d0"]',
  'a way that is rare on every day is told before one that was gone as often and comes later by name');
SELECT is(paths_merge(ARRAY(SELECT p FROM generate_series(1, 3) AS s, paths_partial('server' || s, '2026-03-04', '2026-03-04', 'UTC') AS p)) -> 'paths' -> 0 -> 'screens', '["a", "b"]',
  'what is rare on each of several servers is not left out where it is frequent on all');

SELECT * FROM finish();
ROLLBACK;
