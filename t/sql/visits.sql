-- Visits in packs: ways through the screens say the same from them as from the views.
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
-- ben: beyond midnight, and once more two days later.
SELECT pg_temp.saw('ben', 'b', '2026-03-04T23:59Z', 'home'), pg_temp.saw('ben', 'b', '2026-03-05T00:01Z', 'list'),
  pg_temp.saw('ben', 'b', '2026-03-07T12:00Z', 'pay');
-- cat: a new version in its midst; dan: two at once.
SELECT pg_temp.saw('cat', 'c', '2026-03-05T10:00Z', 'home'), pg_temp.saw('cat', 'c', '2026-03-05T10:01Z', 'list', '2.0');
SELECT pg_temp.saw('dan', 'd', '2026-03-05T10:00Z', 'home'), pg_temp.saw('dan', 'd', '2026-03-05T10:01Z', 'list', '2.0'),
  pg_temp.saw('dan', 'd', '2026-03-05T10:02Z', 'pay');
-- eve: no session, beyond midnight, and after more than half an hour.
SELECT pg_temp.saw('eve', NULL, '2026-03-05T23:50Z', 'home'), pg_temp.saw('eve', NULL, '2026-03-06T00:10Z', 'list'),
  pg_temp.saw('eve', NULL, '2026-03-06T00:41Z', 'pay');
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
  '["home", "list", "pay"]', 2,                                     -- ben, dan
  '["home", "list"]', 3, '["pay"]', 1,                              -- cat, eve, gus; eve again
  U&'["ho\FFFDme", "list"]', 1), 'ways through visits, by hand');   -- fay
SELECT is(pg_temp.said() -> 'users', '7', 'of seven users');
SELECT is((SELECT max(char_length(w)) FROM packs AS p, unnest(p.screens) AS w WHERE p.event = pack_of_visits()) < 300, true, 'a way in a pack has a bound');
SELECT is(pg_temp.ways(pg_temp.said('{"version": "1.0"}')), jsonb_build_object('["home", "item", "list", "pay"]', 1, '["home", "list", "pay"]', 1,
  '["home"]', 1, '["home", "pay"]', 1, '["home", "list"]', 2, '["pay"]', 1, U&'["ho\FFFDme", "list"]', 1), 'a filter holds for each view');

CREATE TEMPORARY TABLE packed AS
SELECT zone, filter, pg_temp.said(filter, zone) AS said
FROM unnest('{UTC,Asia/Kolkata,Pacific/Auckland}'::text[]) AS zone, unnest(ARRAY['{"version": "1.0"}', '{"version": "2.0", "platform": "iOS"}', NULL]) AS filter;
SAVEPOINT packed;
DELETE FROM packed_days;
SELECT is(pg_temp.said(p.filter, p.zone), p.said, format('in %s with %s the same from views', p.zone, coalesce(p.filter, 'no filter'))) FROM packed AS p;
ROLLBACK TO packed;

-- Without views in packs: ann's, ben's and fay's visits are known all the same, and nothing of it where a property is asked for.
DELETE FROM packs WHERE event = ANY (screen_events()) AND day BETWEEN '2026-03-04' AND '2026-03-08';
SELECT is(pg_temp.ways(pg_temp.said()) - '{"[\"pay\"]"}'::text[], jsonb_build_object('["home", "item", "list", "pay"]', 1, '["home", "list", "pay"]', 1,
  '["home", "list"]', 1, U&'["ho\FFFDme", "list"]', 1), 'visits are read from packs of their own');
SELECT is(paths_answer('acme', '2026-03-02', '2026-03-09', property => 'screen') -> 'visits', '0', 'but where a property says what a screen is');
SELECT is(pg_temp.said('{"properties": {"plan": "free"}}') -> 'visits', '0', 'or the filter asks for one');
ROLLBACK TO packed;
SELECT is(pg_temp.said('{"properties": {"plan": "free"}}') -> 'paths', pg_temp.said() -> 'paths', 'which say the same');

SELECT is((SELECT count(*) FROM all_happened('acme', '2026-03-01Z', '2026-03-10Z', '{}')), (SELECT count(*) FROM weir.events WHERE tenant_id = 'acme'),
  'a visit is no event');
SELECT ok(char_length(pack_of_visits()) > char_length(pack_name(repeat('x', 1000))), 'and no event can be called so');

-- A late view.
SELECT pg_temp.saw('ann', 'a', '2026-03-04T10:03Z', 'thanks');
CREATE TEMPORARY TABLE late AS SELECT pg_temp.said() AS said;
SELECT is(pg_temp.ways(said) -> '["home", "item", "list", "pay"]', '1', 'the first steps are as they were') FROM late;
SELECT is(jsonb_path_query_first(said, '$.screens[*] ? (@.screen == "thanks").exits'), '1', 'and a late view counts at once') FROM late;
SELECT pg_temp.build();
SELECT is(pg_temp.said(), said, 'as it does when its day is built') FROM late;

-- What verify finds.
SELECT is_empty($$SELECT d, v.* FROM generate_series(date '2026-03-04', '2026-03-07', '1 day') AS d, verify_day('acme', 'UTC', d::date) AS v$$, 'all of it is verified');
UPDATE packs SET screens[1] = 'other' WHERE day = '2026-03-06' AND event = pack_of_visits();
SELECT results_eq($$SELECT v.part, v.subject FROM verify_day('acme', 'UTC', '2026-03-06') AS v$$, $$VALUES ('packs', 'visits')$$, 'a visit that views do not say');
SELECT ok(rebuild_day('acme', '2026-03-06', false), 'a rebuild');
SELECT is_empty($$SELECT * FROM verify_day('acme', 'UTC', '2026-03-06')$$, 'makes it anew');
SELECT * FROM finish();
ROLLBACK;
