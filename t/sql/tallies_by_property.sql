-- Ways and slow pages of one property are told by tallies where these know it, and say what the events say.
BEGIN;
SET LOCAL search_path = weir, public;
SET LOCAL client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap SCHEMA public;
SELECT no_plan();

CREATE FUNCTION pg_temp.saw(tenant text, person text, at timestamptz, about jsonb, name text DEFAULT 'screen') RETURNS void LANGUAGE sql AS $$
  INSERT INTO weir.events (event_id, tenant_id, user_id, event, platform, properties, "timestamp", client_timestamp)
  VALUES (gen_random_uuid(), tenant, person, name, 'iOS', about, at, at);
  INSERT INTO weir.touched_days (tenant_id, day) VALUES (tenant, (at AT TIME ZONE 'UTC')::date) ON CONFLICT DO NOTHING
$$;
\ir lib/build.sql

-- On the 4th, whose properties are screen, load_ms, plan and seats: ann has one plan all the time, ben another one in the midst, cat none at first.
CREATE TEMPORARY TABLE seen (person text, at timestamptz, about jsonb, name text DEFAULT 'screen');
INSERT INTO seen VALUES
  ('ann', '2026-03-04T10:00Z', '{"screen": "home", "plan": "free", "seats": 5, "load_ms": 100}'), ('ann', '2026-03-04T10:01Z', '{"screen": "list", "plan": "free", "seats": 5.0, "load_ms": 100}'),
  ('ben', '2026-03-04T10:00Z', '{"screen": "home", "plan": "free", "load_ms": 300}'), ('ben', '2026-03-04T10:01Z', '{"screen": "list", "plan": "paid"}'),
  ('ben', '2026-03-04T10:02Z', '{"screen": "pay", "plan": "free"}'),
  ('cat', '2026-03-04T10:00Z', '{"screen": "home"}'), ('cat', '2026-03-04T10:01Z', '{"screen": "pay", "plan": "paid", "load_ms": 500}');
-- What is alike is of another type, so another value; what is no text, number, true or false is none that a filter can ask for.
INSERT INTO seen VALUES
  ('dan', '2026-03-04T12:00Z', '{"screen": "home", "plan": "free", "seats": "5"}'), ('eli', '2026-03-04T12:00Z', '{"screen": "list", "plan": ["free"], "seats": 50e-1}'),
  ('fay', '2026-03-04T12:00Z', '{"screen": "pay", "plan": {"plan": "free"}, "seats": true}'), ('gus', '2026-03-04T12:00Z', '{"screen": "home", "plan": null, "seats": "true"}'),
  ('hal', '2026-03-04T12:00Z', '{"screen": "home", "plan": "", "seats": 1e20}');
-- So many views that the others' changes are few, but those of screens.
INSERT INTO seen
SELECT 'max', timestamptz '2026-03-04T13:00Z' + n * interval '1 second', jsonb_build_object('screen', CASE n % 2 WHEN 1 THEN 'home' ELSE 'list' END, 'plan', 'max', 'seats', 7)
FROM generate_series(1, 100) AS n;
-- Beyond midnight, into a day that knows no plan at all; and durations of nobody's.
INSERT INTO seen VALUES
  ('ivy', '2026-03-04T23:50Z', '{"screen": "home", "plan": "free"}'), ('ivy', '2026-03-05T00:10Z', '{"screen": "list"}'), ('ivy', '2026-03-05T09:00Z', '{"screen": "pay"}');
INSERT INTO seen VALUES
  (NULL, '2026-03-04T12:00Z', '{"page": "home", "plan": "paid", "value": 1000}', 'page_load');
SELECT pg_temp.saw('acme', s.person, s.at, s.about, s.name) FROM seen AS s;
SELECT pg_temp.build();

CREATE FUNCTION pg_temp.ways(filter text, property text DEFAULT NULL) RETURNS jsonb LANGUAGE sql AS $$
  SELECT a -> 'users' || jsonb_build_array(coalesce((SELECT jsonb_object_agg(p ->> 'screens', p -> 'visits') FROM jsonb_array_elements(a -> 'paths') AS p), '{}'))
  FROM paths_answer('acme', '2026-03-03', '2026-03-06', filter => filter, property => property) AS a
$$;
CREATE FUNCTION pg_temp.pages(filter text, property text DEFAULT NULL) RETURNS jsonb LANGUAGE sql AS $$
  SELECT coalesce(jsonb_object_agg(coalesce(p ->> 'page', ''), jsonb_build_array(p -> 'count', round((p ->> 'mean')::numeric))), '{}')
  FROM jsonb_array_elements(pages_answer('acme', '2026-03-03', '2026-03-06', at_least => 1, filter => filter, property => property) -> 'pages') AS p
$$;
CREATE TEMPORARY TABLE wanted (filter text, about text, ways jsonb, pages jsonb);
INSERT INTO wanted VALUES
  ('{"properties": {"plan": "free"}}', 'ann, ben without the view between, dan, ivy before midnight', '[4, {"[\"home\", \"list\"]": 1, "[\"home\", \"pay\"]": 1, "[\"home\"]": 2}]',
    '{"home": [2, 200], "list": [1, 100]}'),
  ('{"properties": {"plan": "paid"}}', 'ben''s view between, cat''s second', '[2, {"[\"list\"]": 1, "[\"pay\"]": 1}]', '{"pay": [1, 500], "home": [1, 1000]}'),
  ('{"properties": {"plan": ""}}', 'hal', '[1, {"[\"home\"]": 1}]', '{}'),
  ('{"properties": {"plan": "none"}}', 'nobody', '[0, {}]', '{}'),
  ('{"properties": {"plan": true}}', 'nobody: it is no text', '[0, {}]', '{}'),
  ('{"properties": {"seats": 5}}', 'ann, eli', '[2, {"[\"home\", \"list\"]": 1, "[\"list\"]": 1}]', '{"home": [1, 100], "list": [1, 100]}'),
  ('{"properties": {"seats": 5.00}}', 'the same', '[2, {"[\"home\", \"list\"]": 1, "[\"list\"]": 1}]', '{"home": [1, 100], "list": [1, 100]}'),
  ('{"properties": {"seats": "5"}}', 'dan', '[1, {"[\"home\"]": 1}]', '{}'),
  ('{"properties": {"seats": true}}', 'fay', '[1, {"[\"pay\"]": 1}]', '{}'),
  ('{"properties": {"seats": "true"}}', 'gus', '[1, {"[\"home\"]": 1}]', '{}'),
  ('{"properties": {"other": 1}}', 'nobody: no day has it', '[0, {}]', '{}'),
  ('{"properties": {"plan": "free", "seats": 5}}', 'ann alone', '[1, {"[\"home\", \"list\"]": 1}]', '{"home": [1, 100], "list": [1, 100]}'),
  ('{"properties": {"plan": "free"}, "platform": "iOS"}', 'as without the platform', '[4, {"[\"home\", \"list\"]": 1, "[\"home\", \"pay\"]": 1, "[\"home\"]": 2}]',
    '{"home": [2, 200], "list": [1, 100]}'),
  ('{"properties": {"seats": 1e20}}', 'hal, whose number is too long for tallies', '[1, {"[\"home\"]": 1}]', '{}'),
  (NULL, 'all', '[10, {"[\"home\", \"list\"]": 2, "[\"home\", \"list\", \"pay\"]": 1, "[\"home\", \"pay\"]": 1, "[\"home\", \"list\", \"home\", \"list\"]": 1, "[\"home\"]": 3, "[\"list\"]": 1, "[\"pay\"]": 2}]',
    '{"home": [3, 467], "list": [1, 100], "pay": [1, 500]}');
SELECT is(pg_temp.ways(w.filter), w.ways, format('ways with %s: %s', coalesce(w.filter, 'no filter'), w.about)) FROM wanted AS w;
SELECT is(pg_temp.pages(w.filter), w.pages, format('pages with %s: %s', coalesce(w.filter, 'no filter'), w.about)) FROM wanted AS w;
SELECT is(pg_temp.ways(NULL, 'screen'), pg_temp.ways(NULL), 'all screens come from one property');
SELECT is(pg_temp.pages(NULL, 'load_ms'), '{"home": [2, 200], "list": [1, 100], "pay": [1, 500]}', 'but not all durations');

-- What is known of the properties, and which views are made for it.
SELECT set_eq($$SELECT s.day, s.name, s.tallied, s.screens, s.durations FROM said_properties('acme', '2026-03-01', '2026-03-31') AS s$$,
  $$VALUES (date '2026-03-04', 'screen', false, false, false), ('2026-03-04', 'page', true, false, false), ('2026-03-04', 'load_ms', true, false, false),
    ('2026-03-04', 'value', true, false, false), ('2026-03-04', 'plan', true, false, false), ('2026-03-04', 'seats', true, false, false),
    ('2026-03-05', 'screen', true, true, false)$$, 'what each day''s events say');
SELECT set_eq(format('SELECT DISTINCT u.user_id FROM packs AS p, unnest(p.numbers) AS n JOIN user_numbers AS u ON u.number = n WHERE p.event = %L', made_pack('mixed views')),
  '{ben,cat}'::text[], 'who has some tallied property in some views of a visit only is told view by view');

-- From tallies, and views of visits that a filter splits.
SAVEPOINT packed;
DELETE FROM packs WHERE event NOT IN (made_pack('loose views'), made_pack('mixed views'), made_pack('properties'));
SELECT is(pg_temp.ways(w.filter), w.ways, 'ways without visits: ' || w.about) FROM wanted AS w WHERE w.filter ~ '^{"properties": {"(plan|seats)": [^,]*}}$' AND w.filter !~ '1e20';
SELECT is(pg_temp.pages(w.filter), w.pages, 'pages without events: ' || w.about) FROM wanted AS w WHERE w.filter ~ '^{"properties": {"(plan|seats)": [^,]*}}$' AND w.filter !~ '1e20';
ROLLBACK TO packed;
DELETE FROM packs WHERE NOT is_made(event);
SELECT is(pg_temp.ways(w.filter), w.ways, 'several values are asked of each visit: ' || w.about) FROM wanted AS w WHERE w.filter ~ ',';
SELECT is(pg_temp.ways(w.filter), w.ways, 'and one that has no tallies: ' || w.about) FROM wanted AS w WHERE w.filter ~ '1e20';
ROLLBACK TO packed;
DELETE FROM day_viewers WHERE dimension = 'properties.seats';
SELECT is(pg_temp.ways('{"properties": {"seats": true}}') -> 0, '0', 'users are told by viewers of the value');
ROLLBACK TO packed;
DELETE FROM packed_days;
SELECT is((pg_temp.ways(w.filter), pg_temp.pages(w.filter))::text, (w.ways, w.pages)::text, 'the same from events: ' || w.about) FROM wanted AS w;
ROLLBACK TO packed;
SELECT is(tallied_by(f.filter), f.tally, 'tallies of ' || f.filter::text) FROM (VALUES
  ('{"properties": {"a": 5.0}}'::jsonb, '{properties.a,5}'::text[]), ('{"properties": {"a": "5"}}', ARRAY['properties.a', '"5"']), ('{"properties": {"a": true}}', '{properties.a,true}'),
  ('{"properties": {"a": -0.10}}', '{properties.a,-0.1}'), ('{"properties": {"a": 1, "b": 1}}', NULL), ('{"properties": {"a": 1}, "version": "1"}', NULL),
  (jsonb_build_object('properties', jsonb_build_object('a', repeat('x', 600))), NULL), ('{"properties": {"a": 1e20}}', NULL), ('{"properties": {"version": 1}}', '{properties.version,1}')) AS f (filter, tally);

-- What verify finds.
SELECT is_empty($$SELECT v.* FROM unnest('{2026-03-04,2026-03-05}'::date[]) AS d, verify_day('acme', 'UTC', d) AS v$$, 'all of it is verified');
UPDATE day_tallies SET times[1] = 7 WHERE tenant_id = 'acme' AND day = '2026-03-04' AND dimension = 'properties.plan' AND value = '"free"' AND subject = 'page';
UPDATE packs SET durations[1] = 0 WHERE tenant_id = 'acme' AND day = '2026-03-05' AND event = made_pack('properties');
SELECT set_eq($$SELECT v.part, v.subject, v.value FROM verify_day('acme', 'UTC', '2026-03-04') AS v$$, $$VALUES ('tallies', 'page of properties.plan', '"free" 0')$$,
  'a wrong number of a property');
SELECT set_eq($$SELECT v.part, v.subject FROM verify_day('acme', 'UTC', '2026-03-05') AS v WHERE v.part = 'packs'$$, $$VALUES ('packs', 'properties')$$, 'a wrong list of them');
SELECT ok(rebuild_day('acme', '2026-03-04', false) AND rebuild_day('acme', '2026-03-05', false), 'a rebuild');
SELECT is_empty($$SELECT v.* FROM unnest('{2026-03-04,2026-03-05}'::date[]) AS d, verify_day('acme', 'UTC', d) AS v$$, 'makes them anew');

-- A late event: ann's visit goes on, and is split by a filter.
SELECT pg_temp.saw('acme', 'ann', '2026-03-04T10:02Z', '{"screen": "pay", "plan": "paid"}');
SELECT is(pg_temp.ways('{"properties": {"plan": "paid"}}'), '[3, {"[\"list\"]": 1, "[\"pay\"]": 2}]', 'a late view counts at once');
SELECT pg_temp.build();
SELECT is(pg_temp.ways('{"properties": {"plan": "paid"}}'), '[3, {"[\"list\"]": 1, "[\"pay\"]": 2}]', 'and when its day is built anew');
SELECT is(pg_temp.ways('{"properties": {"plan": "free"}}'), w.ways, 'others are as before') FROM wanted AS w WHERE w.filter = '{"properties": {"plan": "free"}}';

-- Bounds, whatever clients send: six properties of at most 32 values, 64 names, none that keeps changing, none too long.
SELECT pg_temp.saw('wild', 'u' || n, '2026-03-04T12:00Z', jsonb_build_object('screen', 'home', 'many', n, 'most', n % 32, 'all', 'one',
  'a', n % 2, 'b', n % 3, 'c', n % 4, 'd', n % 5, 'e', n % 6, 'f', n % 33, repeat('n', 257), 1, 'long', repeat('x', 600), '', n % 7, 'z"\.', CASE n % 2 WHEN 1 THEN '"\' ELSE 'z' END))
FROM generate_series(1, 70) AS n;
SELECT pg_temp.saw('wild', 'u1', '2026-03-05T12:00Z', jsonb_object_agg('name' || n, n)) FROM generate_series(1, 1000) AS n;
SELECT pg_temp.saw('wild', 'u1', timestamptz '2026-03-06T12:00Z' + n * interval '1 second', jsonb_build_object('screen', 'home', 'turn', n % 2, 'rare', n / 50)) FROM generate_series(1, 200) AS n;
SELECT pg_temp.saw('wild', 'u1', '2026-03-07T12:00Z', '[{"screen": "home"}]'), pg_temp.saw('wild', 'u1', '2026-03-07T12:00Z', '"screen"'), pg_temp.saw('wild', 'u1', '2026-03-07T12:00Z', NULL);
SELECT pg_temp.build();
SELECT set_eq($$SELECT s.name FROM said_properties('wild', '2026-03-04', '2026-03-04') AS s WHERE s.tallied$$, ARRAY['a', 'b', 'c', 'd', 'e', 'z"\.'], 'six of few values; those that never differ come last');
SELECT is((SELECT count(*)::integer FROM said_properties('wild', '2026-03-04', '2026-03-04') AS s WHERE s.name IS NULL), 1, 'a name that is too long is not listed');
SELECT is((SELECT count(*) || ' ' || count(s.name) FROM said_properties('wild', '2026-03-05', '2026-03-05') AS s), '65 64', 'nor what is beyond 64');
SELECT set_eq($$SELECT s.name FROM said_properties('wild', '2026-03-06', '2026-03-06') AS s WHERE s.tallied$$, '{rare,screen}'::text[], 'what changes from view to view is not tallied');
SELECT is((SELECT count(*)::integer FROM said_properties('wild', '2026-03-07', '2026-03-07') AS s), 0, 'properties that are no object have no names');
SELECT is(tells_properties('wild', w.day, w.day, jsonb_build_object('properties', jsonb_build_object(w.name, 1))), w.known, format('%s of %s', w.name, w.day)) FROM (VALUES
  (date '2026-03-04', 'a', true), ('2026-03-04', 'f', false), ('2026-03-04', 'many', false), ('2026-03-04', 'never', false), ('2026-03-05', 'never', false), ('2026-03-06', 'never', true),
  ('2026-03-06', 'turn', false), ('2026-03-07', 'turn', true), ('2026-03-08', 'turn', true)) AS w (day, name, known);
SELECT ok(NOT tells_properties('wild', '2026-03-06', '2026-03-07', '{"properties": {"never": 1, "turn": 1}}'), 'all that a filter asks for has to be known');
CREATE TEMPORARY TABLE hostile AS
SELECT f.filter, paths_answer('wild', d.day, d.day, filter => f.filter) - 'as_of' AS ways, pages_answer('wild', d.day, d.day, at_least => 1, filter => f.filter) - 'as_of' AS pages, d.day
FROM unnest('{2026-03-04,2026-03-05,2026-03-06,2026-03-07}'::date[]) AS d (day), unnest(ARRAY['{"properties": {"a": 1}}', '{"properties": {"f": 1}}', '{"properties": {"": 1}}', '{"properties": {"z\"\\.": "\"\\"}}',
  '{"properties": {"turn": 1}}', '{"properties": {"rare": 1}}', '{"properties": {"name1": 1}}', '{"properties": {"never": 1}}']) AS f (filter);
SELECT is_empty($$SELECT v.* FROM generate_series(0, 3) AS n, verify_day('wild', 'UTC', date '2026-03-04' + n) AS v$$, 'days of them are verified');
DELETE FROM packed_days;
SELECT is((paths_answer('wild', h.day, h.day, filter => h.filter) - 'as_of', pages_answer('wild', h.day, h.day, at_least => 1, filter => h.filter) - 'as_of')::text, (h.ways, h.pages)::text,
  format('on %s with %s the same from events', h.day, h.filter)) FROM hostile AS h;
SELECT * FROM finish();
ROLLBACK;
