-- What is made of packs: ways through the screens, slow pages and rage clicks say the same from it as from the events.
BEGIN;
SET LOCAL search_path = weir, public;
SET LOCAL client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap SCHEMA public;
SELECT no_plan();

CREATE FUNCTION pg_temp.saw(person text, session text, at timestamptz, screen text, version text DEFAULT '1.0', name text DEFAULT 'screen')
RETURNS void LANGUAGE sql AS $$
  INSERT INTO weir.events (event_id, tenant_id, user_id, session_id, event, app_version, platform, properties, "timestamp", client_timestamp)
  VALUES (gen_random_uuid(), 'acme', person, session, name, version, 'iOS', jsonb_build_object('screen', screen, 'plan', 'free'), at, at);
  INSERT INTO weir.touched_days (tenant_id, day) VALUES ('acme', (at AT TIME ZONE 'UTC')::date) ON CONFLICT DO NOTHING
$$;
\ir lib/build.sql

-- ann: a visit of two events; what came in first happened last, and of one moment views go by name.
SELECT pg_temp.saw('ann', 'a', '2026-03-04T10:02Z', 'pay', name => 'page'), pg_temp.saw('ann', 'a', '2026-03-04T10:01Z', 'list'),
  pg_temp.saw('ann', 'a', '2026-03-04T10:01Z', 'item', name => 'page'), pg_temp.saw('ann', 'a', '2026-03-04T10:00Z', 'home');
-- ben: beyond midnight, and with the same session once more two days later, which is another visit.
SELECT pg_temp.saw('ben', 'b', '2026-03-04T23:59Z', 'home'), pg_temp.saw('ben', 'b', '2026-03-05T00:01Z', 'list'),
  pg_temp.saw('ben', 'b', '2026-03-07T12:00Z', 'pay');
-- cat: a new version in its midst; dan: two at once.
SELECT pg_temp.saw('cat', 'c', '2026-03-05T10:00Z', 'home'), pg_temp.saw('cat', 'c', '2026-03-05T10:01Z', 'list', '2.0');
SELECT pg_temp.saw('dan', 'd', '2026-03-05T10:00Z', 'home'), pg_temp.saw('dan', 'd', '2026-03-05T10:01Z', 'list', '2.0'),
  pg_temp.saw('dan', 'd', '2026-03-05T10:02Z', 'pay');
-- eve: no session, beyond midnight, and after more than half an hour. hal: the same within a day, with a session.
SELECT pg_temp.saw('eve', NULL, '2026-03-05T23:50Z', 'home'), pg_temp.saw('eve', NULL, '2026-03-06T00:10Z', 'list'),
  pg_temp.saw('eve', NULL, '2026-03-06T00:41Z', 'pay');
SELECT pg_temp.saw('hal', 'h', '2026-03-05T10:00Z', 'home'), pg_temp.saw('hal', 'h', '2026-03-05T10:30Z', 'home'),
  pg_temp.saw('hal', 'h', '2026-03-05T11:00:01Z', 'pay');
-- fay: a screen whose name has what stands between screens.
SELECT pg_temp.saw('fay', 'f', '2026-03-06T10:00Z', E'ho\x01me'), pg_temp.saw('fay', 'f', '2026-03-06T10:01Z', 'list');
-- gus: more views than a way has room for, and some the day after.
SELECT pg_temp.saw('gus', 'g', timestamptz '2026-03-06T10:00Z' + n * interval '1 second', 'home') FROM generate_series(1, 300) AS n;
SELECT pg_temp.saw('gus', 'g', '2026-03-07T10:00Z', 'list');
SELECT pg_temp.build();

CREATE FUNCTION pg_temp.said(filter text DEFAULT NULL, zone text DEFAULT 'UTC') RETURNS jsonb LANGUAGE sql AS $$
  SELECT paths_answer('acme', '2026-03-02', '2026-03-09', zone, filter => filter) - '{as_of,incomplete}'::text[]
$$;
CREATE FUNCTION pg_temp.ways(said jsonb) RETURNS jsonb LANGUAGE sql AS $$
  SELECT jsonb_object_agg(p ->> 'screens', p -> 'visits') FROM jsonb_array_elements(said -> 'paths') AS p
$$;
SELECT is(pg_temp.ways(pg_temp.said()), jsonb_build_object(
  '["home", "item", "list", "pay"]', 1,                             -- ann
  '["home", "list"]', 3,                                            -- ben, cat, eve
  '["home", "list", "pay"]', 1,                                     -- dan
  '["home"]', 2,                                                    -- gus, hal
  '["pay"]', 3, '["list"]', 1,                                      -- ben, eve and hal again; gus again
  U&'["ho\FFFDme", "list"]', 1), 'ways through visits, by hand');   -- fay
SELECT is(pg_temp.said() -> 'users', '8', 'of eight users');
SELECT is((SELECT max(char_length(w)) FROM packs AS p, unnest(p.screens) AS w WHERE p.event = made_pack('visits')) < 300, true, 'a way in a pack has a bound');
SELECT is(pg_temp.ways(pg_temp.said('{"version": "1.0"}')), jsonb_build_object('["home", "item", "list", "pay"]', 1, '["home", "list"]', 2,
  '["home"]', 3, '["home", "pay"]', 1, '["pay"]', 3, '["list"]', 1, U&'["ho\FFFDme", "list"]', 1), 'a filter holds for each view');
SELECT set_eq(format('SELECT DISTINCT u.user_id FROM packs AS p, unnest(p.numbers) AS n JOIN user_numbers AS u ON u.number = n WHERE p.event = %L', made_pack('loose views')),
  '{cat,dan,gus}'::text[], 'views of several versions, and too many are loose');
SELECT set_eq(format('SELECT u.user_id, p.day, w.way, w.takes FROM packs AS p, unnest(p.numbers, p.screens, p.durations) AS w (number, way, takes) JOIN user_numbers AS u ON u.number = w.number WHERE p.event = %L', made_pack('loose ways')),
  $$VALUES ('ben', date '2026-03-04', 'home', 0), ('ben', '2026-03-05', 'list', 0), ('eve', '2026-03-05', 'home', 0), ('eve', '2026-03-06', 'list', 0)$$,
  'visits near midnight are in packs, and kept as ways beside');

CREATE TEMPORARY TABLE packed AS
SELECT zone, filter, pg_temp.said(filter, zone) AS said
FROM unnest('{UTC,Asia/Kolkata,Pacific/Auckland}'::text[]) AS zone, unnest(ARRAY['{"version": "1.0"}', '{"version": "2.0", "platform": "iOS"}', NULL]) AS filter;
SAVEPOINT packed;
DELETE FROM packed_days;
SELECT is(pg_temp.said(p.filter, p.zone), p.said, format('in %s with %s the same from views', p.zone, coalesce(p.filter, 'no filter'))) FROM packed AS p;
ROLLBACK TO packed;

-- Without views in packs: what is made of them is known all the same, and nothing of it where another property is a view's screen.
DELETE FROM packs WHERE event = 'screen' AND day BETWEEN '2026-03-04' AND '2026-03-08';
SELECT is(pg_temp.said(), (SELECT p.said FROM packed AS p WHERE p.zone = 'UTC' AND p.filter IS NULL), 'nothing but what is made of packs is read');
SELECT is(pg_temp.said('{"version": "1.0"}'), (SELECT p.said FROM packed AS p WHERE p.zone = 'UTC' AND p.filter = '{"version": "1.0"}'), 'nor with a filter');
SELECT is(paths_answer('acme', '2026-03-05', '2026-03-09', event => 'screen'), paths_answer('acme', '2026-03-05', '2026-03-09'), 'nor where the only event is named');
SELECT is(paths_answer('acme', '2026-03-02', '2026-03-09', property => 'screen'), paths_answer('acme', '2026-03-02', '2026-03-09'), 'nor where the property is that which has all screens');
SELECT is(pg_temp.said('{"properties": {"plan": "free"}}') -> 'paths', pg_temp.said() -> 'paths', 'nor with a filter by a property of few values');
DELETE FROM day_tallies;
DELETE FROM day_ways;
SELECT is(pg_temp.ways(pg_temp.said()) -> '["home", "item", "list", "pay"]', NULL, 'visits in packs are told by tallies');
SELECT is(pg_temp.ways(pg_temp.said('{"version": "1.0", "platform": "iOS"}')) -> '["home", "item", "list", "pay"]', '1', 'or with a filter by two values one by one');
SELECT is(paths_answer('acme', '2026-03-02', '2026-03-09', event => 'screen') -> 'visits', '0', 'but where one of several events is asked for');
SELECT is(paths_answer('acme', '2026-03-02', '2026-03-09', property => 'plan') -> 'visits', '1', 'or another property says what a screen is: ann''s of another event are left');
ROLLBACK TO packed;
SELECT is(pg_temp.said('{"properties": {"plan": "free"}}') -> 'paths', pg_temp.said() -> 'paths', 'which say the same');

SELECT is((SELECT count(*) FROM all_happened('acme', '2026-03-01Z', '2026-03-10Z', '{}')), (SELECT count(*) FROM weir.events WHERE tenant_id = 'acme'),
  'a visit is no event');
SELECT ok(NOT is_made(pack_name(repeat('x', 1000))) AND NOT is_made(pack_name(repeat('x', 300))) AND is_made(made_pack('visits')), 'and no event can be called so');

-- A late view.
SELECT pg_temp.saw('ann', 'a', '2026-03-04T10:03Z', 'thanks');
CREATE TEMPORARY TABLE late AS SELECT pg_temp.said() AS said;
SELECT is(pg_temp.ways(said) -> '["home", "item", "list", "pay"]', '1', 'the first steps are as they were') FROM late;
SELECT is(jsonb_path_query_first(said, '$.screens[*] ? (@.screen == "thanks").exits'), '1', 'and a late view counts at once') FROM late;
SELECT pg_temp.build();
SELECT is(pg_temp.said(), said, 'as it does when its day is built') FROM late;

-- What verify finds.
-- Nothing is written where nothing has changed.
CREATE VIEW pg_temp.places AS SELECT p.ctid AS place, p.tableoid AS relation FROM packs AS p UNION ALL SELECT t.ctid, t.tableoid FROM day_tallies AS t
UNION ALL SELECT v.ctid, v.tableoid FROM day_viewers AS v UNION ALL SELECT w.ctid, w.tableoid FROM day_ways AS w;
CREATE TEMPORARY TABLE kept AS SELECT * FROM pg_temp.places;
SELECT ok(rebuild_day('acme', '2026-03-05', false), 'a rebuild of what is as it was');
SELECT set_eq('SELECT * FROM pg_temp.places', 'SELECT * FROM kept', 'writes nothing');
SELECT is_empty($$SELECT d, v.* FROM generate_series(date '2026-03-04', '2026-03-07', '1 day') AS d, verify_day('acme', 'UTC', d::date) AS v$$, 'all of it is verified');
UPDATE packs SET screens[1] = 'other' WHERE day = '2026-03-06' AND event = made_pack('visits');
SELECT set_eq($$SELECT v.part, v.subject FROM verify_day('acme', 'UTC', '2026-03-06') AS v WHERE v.subject !~ 'properties'$$,
  $$VALUES ('packs', 'visits') UNION ALL SELECT 'tallies', t || d FROM unnest('{step,way,long way}'::text[]) AS t, unnest('{""," of version"," of platform"}'::text[]) AS d$$,
  'a visit that views do not say, and what was counted of it');
UPDATE day_tallies SET times[1] = 7 WHERE day = '2026-03-05' AND dimension = '' AND subject = 'step';
UPDATE day_viewers SET users = users & B'0'::bit(20480) WHERE day = '2026-03-05' AND dimension = '';
UPDATE day_ways SET times[1] = 7 WHERE day = '2026-03-05' AND dimension = '' AND length = 3;
SELECT set_eq($$SELECT v.part, v.subject FROM verify_day('acme', 'UTC', '2026-03-05') AS v$$, $$VALUES ('tallies', 'step'), ('viewers', ''), ('ways', '3 steps')$$,
  'a number that visits do not say, users who had some, and ways that are not as they were tallied');
SELECT ok(rebuild_day('acme', '2026-03-05', false), 'a rebuild of one day');
SELECT ok(rebuild_day('acme', '2026-03-06', false), 'a rebuild');
SELECT is_empty($$SELECT v.* FROM unnest('{2026-03-05,2026-03-06}'::date[]) AS d, verify_day('acme', 'UTC', d) AS v$$, 'makes it anew');

-- Clicks: three around midnight, three within five seconds, and two. Durations: of a page, of none, and of nobody.
INSERT INTO weir.events (event_id, tenant_id, user_id, event, platform, properties, "timestamp", client_timestamp)
SELECT gen_random_uuid(), 'acme', c.person, c.name, 'iOS', c.properties, c.at, c.at
FROM (VALUES ('ann', 'click', '{"element": "#buy"}'::jsonb, timestamptz '2026-03-11T23:59:59.5Z'), ('ann', 'click', '{"element": "#buy"}', '2026-03-11T23:59:59.9Z'),
  ('ann', 'click', '{"element": "#buy"}', '2026-03-12T00:00:00.3Z'), ('ben', 'click', '{"element": "#buy"}', '2026-03-12T10:00:00Z'),
  ('ben', 'clicked', '{"element": "#buy"}', '2026-03-12T10:00:02Z'), ('ben', 'click', '{"element": "#buy"}', '2026-03-12T10:00:05Z'),
  ('cat', 'click', '{"element": "#buy"}', '2026-03-12T10:00:00Z'), ('cat', 'click', '{"element": "#buy"}', '2026-03-12T10:00:01Z'),
  ('dan', 'rage_click', '{"element": "#buy"}', '2026-03-12T10:00:00Z'), ('ann', 'page_load', '{"page": "/a", "value": 100}', '2026-03-12T10:00:00Z'),
  ('ann', 'page_load', '{"value": 200}', '2026-03-12T10:00:00Z'), (NULL, 'page_load', '{"page": "/a", "load_ms": 300}', '2026-03-12T10:00:00Z')) AS c (person, name, properties, at);
INSERT INTO weir.events (event_id, tenant_id, event, properties, "timestamp", client_timestamp)
VALUES (gen_random_uuid(), 'acme', 'page_load', '{"page": "/b", "value": 1e-400}', '2026-03-12T10:00:00Z', '2026-03-12T10:00:00Z');
SELECT pg_temp.saw('ida', 'i', timestamptz '2026-03-12T10:00Z' + n * interval '1 second', repeat('ü', 250)) FROM generate_series(1, 40) AS n;
INSERT INTO weir.touched_days (tenant_id, day) VALUES ('acme', '2026-03-11'), ('acme', '2026-03-12') ON CONFLICT DO NOTHING;
CREATE TEMPORARY TABLE unbuilt AS SELECT pages_answer('acme', '2026-03-10', '2026-03-13', at_least => 1) -> 'pages' AS pages;
SELECT pg_temp.build();
CREATE FUNCTION pg_temp.figures(wanted text[]) RETURNS jsonb LANGUAGE sql AS $$
  SELECT jsonb_agg(jsonb_path_query_array(f.answer, f.path::jsonpath) ORDER BY f.figure) FROM (VALUES
    ('bursts', rage_clicks_answer('acme', '2026-03-10', '2026-03-13'), '$.bursts'), ('five', rage_clicks_answer('acme', '2026-03-10', '2026-03-13', seconds => 5), '$.bursts'),
    ('told', rage_clicks_answer('acme', '2026-03-10', '2026-03-13'), '$.told'), ('two', rage_clicks_answer('acme', '2026-03-10', '2026-03-13', clicks => 2), '$.bursts'),
    ('of click', rage_clicks_answer('acme', '2026-03-10', '2026-03-13', event => 'click', seconds => 5), '$.bursts'),
    ('pages', pages_answer('acme', '2026-03-10', '2026-03-13', at_least => 1), '$.pages[*].count'),
    ('loads', pages_answer('acme', '2026-03-10', '2026-03-13', event => 'page_load', at_least => 1), '$.pages[*].count'),
    ('views', pages_answer('acme', '2026-03-10', '2026-03-13', event => 'page_view', at_least => 1), '$.pages[*].count'),
    ('of iOS', pages_answer('acme', '2026-03-10', '2026-03-13', at_least => 1, filter => '{"platform": "iOS"}'), '$.pages[*].count'),
    ('with property', pages_answer('acme', '2026-03-10', '2026-03-13', at_least => 1, filter => '{"platform": "iOS", "properties": {"page": "/a"}}'), '$.pages[*].count')) AS f (figure, answer, path)
  WHERE f.figure = ANY (wanted)
$$;
SELECT is((SELECT sum(cardinality(p.numbers))::integer FROM packs AS p WHERE p.day = '2026-03-12' AND p.event = made_pack('loose views')), 40, 'a visit of long names is loose, too');
SELECT is_empty($$SELECT day FROM touched_days$$, 'a duration that is next to nothing stops no day');
SELECT is(pages_answer('acme', '2026-03-10', '2026-03-13', at_least => 1) -> 'pages', pages, 'nor an answer') FROM unbuilt;
SELECT is(pg_temp.figures('{bursts,five,told,two}'), '[[1], [2], [1], [2]]', 'bursts of one second, over midnight; of five; what was told; and of two clicks');
SELECT is(pg_temp.figures('{of click}'), '[[1]]', 'of one event, where another is among them, the others are not');
SELECT is(pg_temp.figures('{pages,of iOS}'), '[[2, 1], [2, 1, 1]]', 'durations, of nobody too');
DELETE FROM packs WHERE event = 'click';
SELECT is(pg_temp.figures('{bursts,two,of click}'), '[[1], [0], [0]]', 'three within five seconds are looked for among crowded ones, but of one of several events');
DELETE FROM packs WHERE event = 'clicked';
SELECT is(pg_temp.figures('{of click}'), '[[2]]', 'of the only one as well');
DELETE FROM packs WHERE event = 'page_load';
SELECT is(pg_temp.figures('{loads,views}'), '[[2, 1, 1], []]', 'and of one event');
SELECT is(pg_temp.figures('{pages,of iOS,with property}'), '[[2, 1], [2, 1, 1], []]', 'durations of all, and of one platform, are told by tallies');
SELECT throws_ok(format('SELECT %s(%L, %L, %L, event => weir.made_pack(%L))', f || '_answer', 'acme', '2026-03-02', '2026-03-04', 'visits'), '22023',
  'event has to be a text of 1 to 256 characters', 'what is made of packs is no event of ' || f)
FROM unnest('{paths,pages,nps,rage_clicks}'::text[]) AS f;
SELECT throws_ok(format('SELECT %s(%L, %L, %L, most => %s)', f || '_answer', 'acme', '2026-03-02', '2026-03-04', most), '22023',
  'top has to be a whole number from 1 to 100', f || ' lists no ' || most)
FROM unnest('{crashes,crash_releases,audience,paths,pages,rage_clicks}'::text[]) AS f, unnest('{-1,0,101,2147483647}'::integer[]) AS most;
SELECT * FROM finish();
ROLLBACK;
