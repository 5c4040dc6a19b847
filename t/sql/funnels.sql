-- How far users get on a way of steps, against numbers worked out by hand.
BEGIN;
SET LOCAL search_path = weir, public;
SET LOCAL client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap SCHEMA public;
SELECT no_plan();

-- What came in last happened first, now and then.
CREATE TEMPORARY TABLE said (person text, name text, at timestamptz, country text, properties jsonb);
INSERT INTO said VALUES
  ('ann', 'sale', '2026-03-02T10:30Z', 'BR', '{"paid": "pix"}'), ('ann', 'search', '2026-03-02T10:10Z', 'BR', NULL),
  ('ann', 'login', '2026-03-02T10:00Z', 'BR', NULL), ('ann', 'login', '2026-03-03T10:00Z', 'DE', NULL),
  -- A sale before the search, and one that was paid otherwise.
  ('ben', 'login', '2026-03-02T10:00Z', 'BR', NULL), ('ben', 'sale', '2026-03-02T10:05Z', 'BR', '{"paid": "pix"}'),
  ('ben', 'search', '2026-03-02T10:20Z', 'BR', NULL), ('ben', 'sale', '2026-03-02T10:25Z', 'BR', '{"paid": "card"}'),
  -- Just in time, and a second too late.
  ('cat', 'search', '2026-03-02T09:00Z', 'DE', NULL), ('cat', 'login', '2026-03-02T10:00Z', 'DE', NULL),
  ('cat', 'search', '2026-03-02T11:00Z', 'DE', NULL), ('cat', 'sale', '2026-03-02T11:00:01Z', 'DE', '{"paid": "pix"}'),
  -- Begins within the window, and goes on after it.
  ('dan', 'login', '2026-03-04T23:30Z', NULL, NULL), ('dan', 'search', '2026-03-05T00:10Z', NULL, NULL),
  ('dan', 'sale', '2026-03-05T00:20Z', NULL, '{"paid": "pix"}'),
  -- Begins a minute before the window.
  ('eve', 'login', '2026-03-01T23:59Z', 'DE', NULL), ('eve', 'search', '2026-03-02T00:10Z', 'DE', NULL),
  -- All at one moment.
  ('fay', 'sale', '2026-03-03T12:00Z', 'US', '{"paid": "pix"}'), ('fay', 'search', '2026-03-03T12:00Z', 'US', NULL),
  ('fay', 'login', '2026-03-03T12:00Z', 'US', NULL),
  -- A second start does not begin it anew.
  ('hal', 'login', '2026-03-03T10:00Z', 'US', NULL), ('hal', 'login', '2026-03-03T10:50Z', 'US', NULL),
  ('hal', 'search', '2026-03-03T11:20Z', 'US', NULL),
  (NULL, 'login', '2026-03-03T10:00Z', 'US', NULL), (NULL, 'search', '2026-03-03T10:10Z', 'US', NULL);

CREATE FUNCTION pg_temp.store(people text[]) RETURNS void LANGUAGE sql AS $$
  INSERT INTO weir.events (event_id, tenant_id, user_id, event, country, "timestamp", client_timestamp, properties)
  SELECT gen_random_uuid(), 'acme', person, name, country, at, at, properties FROM said WHERE coalesce(person, '') = ANY (people);
$$;
SELECT pg_temp.store(ARRAY['ann', 'ben', 'cat', 'dan', 'eve', 'fay', 'hal', '']);

CREATE FUNCTION pg_temp.ways() RETURNS text LANGUAGE sql AS $$
  SELECT '[{"event": "login"}, {"event": "search"}, {"event": "sale", "properties": {"paid": "pix"}}]'
$$;
CREATE TEMPORARY TABLE answers AS
SELECT 'all' AS about, funnels_answer('acme', '2026-03-02', '2026-03-04', 'UTC', pg_temp.ways(), 3600) AS a
UNION ALL SELECT 'split', funnels_answer('acme', '2026-03-02', '2026-03-04', 'UTC', pg_temp.ways(), 3600, 'country', most => 1)
UNION ALL SELECT 'filter', funnels_answer('acme', '2026-03-02', '2026-03-04', 'UTC', pg_temp.ways(), 3600, filter => '{"country": "BR"}')
UNION ALL SELECT 'berlin', funnels_answer('acme', '2026-03-02', '2026-03-04', 'Europe/Berlin', pg_temp.ways(), 3600)
UNION ALL SELECT 'empty', funnels_answer('acme', '2025-03-02', '2025-03-04', 'UTC', pg_temp.ways(), 3600, 'country')
UNION ALL SELECT 'nobody', funnels_answer('globex', '2026-03-02', '2026-03-04', 'UTC', pg_temp.ways(), 3600);
CREATE FUNCTION pg_temp.has(about text, path text, wanted text, claim text) RETURNS text LANGUAGE sql AS $$
  SELECT is(jsonb_path_query_array(a, path::jsonpath)::text, wanted, claim) FROM answers AS t WHERE t.about = has.about
$$;
CREATE FUNCTION pg_temp.near(path text, wanted numeric, claim text) RETURNS text LANGUAGE sql AS $$
  SELECT ok((a #>> path::text[])::numeric BETWEEN wanted * 0.99 AND wanted * 1.01, claim) FROM answers AS t WHERE t.about = 'all'
$$;

SELECT pg_temp.has('all', '$.steps[*].event', '["login", "search", "sale"]', 'the steps');
SELECT pg_temp.has('all', '$.steps[*].users', '[6, 5, 3]', 'six start, five search, three pay by pix');
SELECT pg_temp.has('all', '$.steps[*].conversion', '[1.000000, 0.833333, 0.500000]', 'of those who started');
SELECT pg_temp.has('all', '$.steps[*].from_former', '[null, 0.833333, 0.600000]', 'of those who came as far as the step before');
SELECT pg_temp.has('all', '$.steps[*].lost', '[null, 1, 2]', 'and those who did not go on');
SELECT pg_temp.has('all', '$.steps[*].seconds.from_former.mean', '[1560.000000, 600.000000]', 'seconds from the step before, in the mean');
SELECT pg_temp.has('all', '$.steps[*].seconds.from_start.mean', '[1560.000000, 1600.000000]', 'and from the start');
SELECT pg_temp.near('{steps,1,seconds,from_former,median}', 1200, 'of 0, 600, 1200, 2400, 3600 the median is 1200, to 1 %');
SELECT pg_temp.near('{steps,1,seconds,from_former,p75}', 2400, 'p75 is 2400');
SELECT pg_temp.near('{steps,1,seconds,from_former,p95}', 3600, 'p95 is 3600');
SELECT pg_temp.near('{steps,2,seconds,from_start,median}', 1800, 'of 0, 1800, 3000 it is 1800');
SELECT pg_temp.has('all', '$.splits', '[null]', 'no splits, as none were asked for');
SELECT pg_temp.has('all', '$.exact', '[true]', 'counts are exact');

SELECT pg_temp.has('split', '$.splits[*].value', '["BR"]', 'the value with the most starts; DE and US have as many or fewer, and later names');
SELECT pg_temp.has('split', '$.splits[*].steps[*].users', '[2, 2, 1]', 'ann and ben, ann by her first start alone');
SELECT pg_temp.has('split', '$.other[*].users', '[4, 3, 2]', 'all others, those without a country too');
SELECT pg_temp.has('split', '$.steps[*].users', '[6, 5, 3]', 'and all together');
SELECT is(jsonb_path_query_array(funnels_answer('acme', '2026-03-02', '2026-03-04', 'UTC', pg_temp.ways(), 3600, 'country'), '$.splits[*].value'),
  '["BR", "US", "DE", null]', 'those without a value are NULL; of the same number the names decide');
SELECT pg_temp.has('filter', '$.steps[*].users', '[2, 2, 1]', 'a filter holds for the events of all steps');
SELECT pg_temp.has('berlin', '$.steps[*].users', '[6, 5, 2]', 'in Berlin eve begins on the first day, and dan after the last');
SELECT pg_temp.has('empty', '$.steps[*].users', '[0, 0, 0]', 'an empty window');
SELECT pg_temp.has('empty', '$.steps[*].conversion', '[null, null, null]', 'converts nobody');
SELECT pg_temp.has('empty', '$.splits', '[[]]', 'by no value');
SELECT pg_temp.has('nobody', '$.steps[*].users', '[0, 0, 0]', 'another tenant has none of it');

-- Equal times, equal names.
CREATE FUNCTION pg_temp.users(steps text) RETURNS jsonb LANGUAGE sql AS $$
  SELECT jsonb_path_query_array(weir.funnels_answer('acme', '2026-03-02', '2026-03-04', 'UTC', steps, 3600), '$.steps[*].users')
$$;
INSERT INTO said VALUES
  ('kim', 'ping', '2026-03-02T10:00Z', NULL, '{"n": 5}'), ('kim', 'pong', '2026-03-02T10:00Z', NULL, NULL),
  ('lea', 'ping', '2026-03-02T10:00Z', NULL, '{"n": "5"}'), ('lea', 'ping', '2026-03-02T10:00Z', NULL, '[5]'),
  ('lea', 'pong', '2026-03-02T10:00Z', NULL, '{"n": [5]}'), ('lea', 'ping', '2026-03-02T10:01Z', NULL, '5');
SELECT pg_temp.store(ARRAY['kim', 'lea']);
SELECT is(pg_temp.users('[{"event": "login"}, {"event": "login"}]'), '[6, 1]', 'one event is not two steps: hal alone comes twice within the hour');
SELECT is(pg_temp.users('[{"event": "ping"}, {"event": "pong"}]'), '[2, 2]', 'of one moment either order counts');
SELECT is(pg_temp.users('[{"event": "pong"}, {"event": "ping"}]'), '[2, 2]', 'and the other');
SELECT is(pg_temp.users('[{"event": "ping"}, {"event": "pong"}, {"event": "ping"}]'), '[2, 2, 1]', 'but an event counts once: lea has a later one');
SELECT is(pg_temp.users('[{"event": "ping", "properties": {"n": 5}}, {"event": "pong"}]'), '[1, 1]', '"5" is not 5');
SELECT is(pg_temp.users('[{"event": "ping", "properties": {"n": 5.0}}, {"event": "pong"}]'), '[1, 1]', 'but 5.0 is');
SELECT is(pg_temp.users('[{"event": "ping", "properties": {"n": "5"}}, {"event": "pong", "properties": {"n": 5}}]'), '[1, 0]', 'nor is a list of it');
SELECT is(pg_temp.users('[{"event": "ping"}, {"event": "pong"}, {"event": "a"}, {"event": "b"}, {"event": "c"}, {"event": "d"}, {"event": "e"}, {"event": "f"}]'),
  '[2, 2, 0, 0, 0, 0, 0, 0]', 'eight steps');

-- One that comes a hundred thousand times.
INSERT INTO weir.events (event_id, tenant_id, user_id, event, "timestamp", client_timestamp)
SELECT gen_random_uuid(), 'acme', 'max', CASE WHEN n % 2 = 0 THEN 'tick' ELSE 'tock' END, at, at
FROM generate_series(1, 100000) AS n, LATERAL (SELECT timestamptz '2026-03-02T00:00Z' + n * interval '1 second') AS t (at);
SELECT is(pg_temp.users('[{"event": "tick"}, {"event": "tock"}, {"event": "tick"}]'), '[1, 1, 1]', 'a user with 100,000 events is one');
SELECT is(funnels_answer('acme', '2026-03-02', '2026-03-04', 'UTC', '[{"event": "tick"}, {"event": "tock"}]', 3600) #>> '{steps,1,seconds,from_start,mean}',
  '1.000000', 'from the first on');

-- More values than are kept apart.
INSERT INTO weir.events (event_id, tenant_id, user_id, event, app_version, "timestamp", client_timestamp)
SELECT gen_random_uuid(), 'acme', 'u' || n, 'start', 'v' || n, '2026-03-02T10:00Z', '2026-03-02T10:00Z' FROM generate_series(1, 1001) AS n;
CREATE TEMPORARY TABLE many AS
SELECT funnels_answer('acme', '2026-03-02', '2026-03-04', 'UTC', '[{"event": "start"}, {"event": "end"}]', split => 'version', most => 100) AS a;
SELECT is(jsonb_array_length(a -> 'splits'), 100, 'as many values as were asked for') FROM many;
SELECT is(a #>> '{other,0,users}', '901', 'all others together') FROM many;
SELECT is(a ->> 'exact', 'false', 'more than a thousand values are said not to be exact') FROM many;

-- What is refused names its place.
CREATE FUNCTION pg_temp.refused(steps text, sentence text, claim text, filter text DEFAULT NULL) RETURNS text LANGUAGE sql AS $$
  SELECT throws_ok(format('SELECT weir.funnels_answer(%L, %L, %L, steps => %L, filter => %L)', 'acme', '2026-03-02', '2026-03-04', steps, filter),
    '22023', sentence, claim)
$$;
SELECT pg_temp.refused(NULL, 'steps has to be a list of 2 to 8 events, such as [{"event": "login"}, {"event": "sale"}]', 'no steps');
SELECT pg_temp.refused('[{"event": "a"}]', 'steps has to be a list of 2 to 8 events, such as [{"event": "login"}, {"event": "sale"}]', 'one step');
SELECT pg_temp.refused('[' || repeat('{"event": "a"},', 8) || '{"event": "a"}]', 'steps has to be a list of 2 to 8 events, such as [{"event": "login"}, {"event": "sale"}]', 'nine');
SELECT pg_temp.refused('{"event": "a"}', 'steps has to be a list of 2 to 8 events, such as [{"event": "login"}, {"event": "sale"}]', 'no list');
SELECT pg_temp.refused('[{', 'steps is no JSON that can be read', 'no JSON');
SELECT pg_temp.refused('["\u0000", {}]', 'steps is no JSON that can be read', 'a character that cannot be kept');
SELECT pg_temp.refused('[1e999999, {}]', 'steps is no JSON that can be read', 'a number beyond all bounds');
SELECT pg_temp.refused('["' || repeat('x', 4000) || '"]', 'steps is longer than 4000 bytes: ask for less', 'too long');
SELECT pg_temp.refused('["a", {"event": "a"}]', 'steps[1] has to be an object with event, properties, version, platform, country', 'a step that is no object');
SELECT pg_temp.refused('[{"event": "a"}, {"events": "a"}]', 'steps[2].events is not known here: there are event, properties, version, platform, country', 'an unknown name');
SELECT pg_temp.refused('[{"event": "a"}, {"e''; DROP": 1}]', 'steps[2], in one of its names, is not known here: there are event, properties, version, platform, country', 'which is not told back if it is no name');
SELECT pg_temp.refused('[{"event": "a"}, {"version": "a"}]', 'steps[2].event has to be a text of 1 to 256 characters', 'a step without an event');
SELECT pg_temp.refused('[{"event": "a"}, {"event": ""}]', 'steps[2].event has to be a text of 1 to 256 characters', 'an empty one');
SELECT pg_temp.refused('[{"event": "a"}, {"event": "a", "country": 5}]', 'steps[2].country has to be a text of 1 to 256 characters', 'a country that is no text');
SELECT pg_temp.refused('[{"event": "a"}, {"event": "a", "properties": {}}]', 'steps[2].properties has to be an object with 1 to 8 properties and their values', 'no property');
SELECT pg_temp.refused('[{"event": "a"}, {"event": "a", "properties": {"p": [1]}}]', 'steps[2].properties.p has to be a text, a number, true or false', 'a value that is a list');
SELECT pg_temp.refused(pg_temp.ways(), 'filter.event is not known here: there are properties, version, platform, country', 'a filter has no event', '{"event": "a"}');
SELECT pg_temp.refused(pg_temp.ways(), 'filter has to be an object with properties, version, platform, country', 'and is an object', '[]');
SELECT throws_ok(format('SELECT funnels_answer(%L, %L, %L, steps => %L, within => 0)', 'acme', '2026-03-02', '2026-03-04', pg_temp.ways()), '22023',
  'within has to be a whole number from 1 to 7776000', 'no time at all');
SELECT throws_ok(format('SELECT funnels_answer(%L, %L, %L, steps => %L, within => 7776001)', 'acme', '2026-03-02', '2026-03-04', pg_temp.ways()), '22023',
  'within has to be a whole number from 1 to 7776000', 'more than 90 days');
SELECT throws_ok(format('SELECT funnels_answer(%L, %L, %L, steps => %L, most => 101)', 'acme', '2026-03-02', '2026-03-04', pg_temp.ways()), '22023',
  'top has to be a whole number from 1 to 100', 'more values than can be listed');
SELECT is(pg_temp.users('[{"event": "''; DROP TABLE weir.events; --"}, {"event": "$1"}]'), '[0, 0]', 'SQL in a step is data');

-- Two servers, users split between them.
CREATE TEMPORARY TABLE parts AS SELECT p FROM funnels_partial('acme', '2026-03-02', '2026-03-04', 'UTC', pg_temp.ways()::jsonb, 3600, 'country') AS p WHERE false;
CREATE FUNCTION pg_temp.server(people text[]) RETURNS void LANGUAGE sql AS $$
  DELETE FROM weir.events;
  SELECT pg_temp.store(people);
  INSERT INTO parts SELECT p FROM weir.funnels_partial('acme', '2026-03-02', '2026-03-04', 'UTC', pg_temp.ways()::jsonb, 3600, 'country') AS p;
$$;
SELECT pg_temp.server(ARRAY['ann', 'cat', 'hal', '']);
SELECT pg_temp.server(ARRAY['ben', 'dan', 'eve', 'fay']);
SELECT is(funnels_merge(ARRAY(SELECT p FROM parts), pg_temp.ways()::jsonb, 'country', 1),
  (SELECT a - '{tenant,from,to,zone,within,split,as_of,error}'::text[] FROM answers WHERE about = 'split'), 'two servers together say what one says');
SELECT * FROM finish();
ROLLBACK;
