-- Of a property with many values, such as a language, tallies know the common ones, and say of them what the events say.
BEGIN;
SET LOCAL search_path = weir, public;
SET LOCAL client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap SCHEMA public;
SELECT no_plan();

CREATE FUNCTION pg_temp.saw(person text, at timestamptz, about jsonb, tenant text DEFAULT 'acme') RETURNS void LANGUAGE sql AS $$
  INSERT INTO weir.events (event_id, tenant_id, user_id, event, platform, properties, "timestamp", client_timestamp)
  VALUES (gen_random_uuid(), tenant, person, 'screen', 'iOS', about, at, at);
  INSERT INTO weir.touched_days (tenant_id, day) VALUES (tenant, (at AT TIME ZONE 'UTC')::date) ON CONFLICT DO NOTHING
$$;
\ir lib/build.sql

-- On the 4th 110 views have one of 42 languages: en 41 of them, de 9 and 7 (the number) 10; a sixteenth is 6.875. The others have one or two.
SELECT pg_temp.saw('e' || n, timestamptz '2026-03-04T10:00Z' + m * interval '1 minute', jsonb_build_object('screen', (ARRAY['home', 'list'])[m], 'lang', 'en', 'plan', n % 2, 'load_ms', 100))
FROM generate_series(1, 20) AS n, generate_series(1, 2) AS m;
SELECT pg_temp.saw('d' || n, '2026-03-04T10:00Z', '{"screen": "home", "lang": "de", "plan": 1}') FROM generate_series(1, 8) AS n;
SELECT pg_temp.saw('s' || n, '2026-03-04T10:00Z', jsonb_build_object('screen', 'list', 'lang', CASE n % 2 WHEN 0 THEN '7'::jsonb ELSE '7.0' END, 'plan', 0)) FROM generate_series(1, 10) AS n;
SELECT pg_temp.saw('l' || n, '2026-03-04T10:00Z', jsonb_build_object('screen', 'pay', 'lang', 'l' || n)) FROM generate_series(1, 39) AS n;
-- In the midst of a visit some change it: from en to de, from a rare one to en, and from one rare one to another, which tallies do not tell apart.
SELECT pg_temp.saw('ann', '2026-03-04T12:00Z', '{"screen": "home", "lang": "en"}'), pg_temp.saw('ann', '2026-03-04T12:01Z', '{"screen": "pay", "lang": "de"}'),
  pg_temp.saw('ben', '2026-03-04T12:00Z', '{"screen": "home", "lang": "l1"}'), pg_temp.saw('ben', '2026-03-04T12:01Z', '{"screen": "list", "lang": "l2"}'),
  pg_temp.saw('cat', '2026-03-04T12:00Z', '{"screen": "home", "lang": "l3"}'), pg_temp.saw('cat', '2026-03-04T12:01Z', '{"screen": "pay"}');
-- So many other views that screens keep changing, and are not tallied.
SELECT pg_temp.saw('max', timestamptz '2026-03-04T13:00Z' + n * interval '1 second', jsonb_build_object('screen', (ARRAY['home', 'list'])[1 + n % 2])) FROM generate_series(1, 150) AS n;
SELECT pg_temp.build();

CREATE FUNCTION pg_temp.ways(filter text, last_day date DEFAULT '2026-03-04') RETURNS jsonb LANGUAGE sql AS $$
  SELECT a -> 'users' || jsonb_build_array(coalesce((SELECT jsonb_object_agg(p ->> 'screens', p -> 'visits') FROM jsonb_array_elements(a -> 'paths') AS p), '{}'))
  FROM paths_answer('acme', '2026-03-04', last_day, filter => filter) AS a
$$;
CREATE FUNCTION pg_temp.pages(filter text) RETURNS jsonb LANGUAGE sql AS $$
  SELECT coalesce(jsonb_object_agg(p ->> 'page', jsonb_build_array(p -> 'count', round((p ->> 'mean')::numeric))), '{}')
  FROM jsonb_array_elements(pages_answer('acme', '2026-03-04', '2026-03-04', at_least => 1, filter => filter) -> 'pages') AS p
$$;
CREATE TEMPORARY TABLE wanted (filter text, about text, told boolean, ways jsonb, pages jsonb);
INSERT INTO wanted VALUES
  ('{"properties": {"lang": "en"}}', 'twenty, and ann''s first view', true, '[21, {"[\"home\", \"list\"]": 20, "[\"home\"]": 1}]', '{"home": [20, 100], "list": [20, 100]}'),
  ('{"properties": {"lang": "de"}}', 'eight, and ann''s second view', true, '[9, {"[\"home\"]": 8, "[\"pay\"]": 1}]', '{}'),
  ('{"properties": {"lang": 7}}', 'ten', true, '[10, {"[\"list\"]": 10}]', '{}'),
  ('{"properties": {"lang": 7.00}}', 'the same', true, '[10, {"[\"list\"]": 10}]', '{}'),
  ('{"properties": {"lang": "7"}}', 'nobody: it is a number', false, '[0, {}]', '{}'),
  ('{"properties": {"lang": "l1"}}', 'l1, and ben''s first view', false, '[2, {"[\"home\"]": 1, "[\"pay\"]": 1}]', '{}'),
  ('{"properties": {"lang": "l2"}}', 'l2, and ben''s second view', false, '[2, {"[\"list\"]": 1, "[\"pay\"]": 1}]', '{}'),
  ('{"properties": {"lang": "none"}}', 'nobody', false, '[0, {}]', '{}'),
  ('{"properties": {"lang": "en", "plan": 1}}', 'ten', true, '[10, {"[\"home\", \"list\"]": 10}]', '{"home": [10, 100], "list": [10, 100]}'),
  ('{"properties": {"lang": "l1", "plan": 1}}', 'nobody', false, '[0, {}]', '{}'),
  ('{"properties": {"lang": "en"}, "platform": "iOS"}', 'as without the platform', true, '[21, {"[\"home\", \"list\"]": 20, "[\"home\"]": 1}]',
    '{"home": [20, 100], "list": [20, 100]}');
SELECT is(tells_properties('acme', '2026-03-04', '2026-03-04', w.filter::jsonb), w.told, 'what is known of ' || w.filter) FROM wanted AS w;
SELECT is(pg_temp.ways(w.filter), w.ways, format('ways with %s: %s', w.filter, w.about)) FROM wanted AS w;
SELECT is(pg_temp.pages(w.filter), w.pages, format('pages with %s: %s', w.filter, w.about)) FROM wanted AS w;
SELECT set_eq($$SELECT s.name, s.tallied, s.common FROM said_properties('acme', '2026-03-04', '2026-03-04') AS s$$,
  $$VALUES ('screen', false, NULL::jsonb), ('lang', false, '["\"de\"", "\"en\"", "7"]'), ('plan', true, NULL), ('load_ms', true, NULL)$$, 'what is tallied: three of the languages');
SELECT set_eq($$SELECT DISTINCT t.value FROM day_tallies AS t WHERE t.dimension = 'properties.lang'$$, '{"\"de\"","\"en\"",7}'::text[], 'and no other');
SELECT set_eq($$SELECT DISTINCT v.value FROM day_viewers AS v WHERE v.dimension = 'properties.lang'$$, '{"\"de\"","\"en\"",7}'::text[], 'likewise of viewers');
SELECT set_eq(format('SELECT DISTINCT u.user_id FROM packs AS p, unnest(p.numbers) AS n JOIN user_numbers AS u ON u.number = n WHERE p.event = %L', made_pack('mixed views')),
  '{ann}'::text[], 'who goes from one common value to another is told view by view, and not who has rare ones');

-- What is known is not read from events, and what is not is.
SAVEPOINT packed;
DELETE FROM packs WHERE event NOT IN (made_pack('loose views'), made_pack('mixed views'), made_pack('properties'));
SELECT is((pg_temp.ways(w.filter), pg_temp.pages(w.filter))::text, (w.ways, w.pages)::text, 'from tallies: ' || w.about) FROM wanted AS w WHERE w.told AND w.filter !~ ',';
ROLLBACK TO packed;
DELETE FROM packs WHERE NOT is_made(event);
SELECT is(pg_temp.ways(w.filter), w.ways, 'from visits: ' || w.about) FROM wanted AS w WHERE w.told;
ROLLBACK TO packed;
DELETE FROM packed_days;
SELECT is((pg_temp.ways(w.filter), pg_temp.pages(w.filter))::text, (w.ways, w.pages)::text, 'the same from rows: ' || w.about) FROM wanted AS w;
ROLLBACK TO packed;

-- A day on which it is not common, beside: then all is read one by one; and a day on which there are few values, all of which are known.
SELECT pg_temp.saw('e1', timestamptz '2026-03-05T10:00Z' + n * interval '5 minutes', jsonb_build_object('screen', 'home', 'lang', CASE n WHEN 1 THEN 'en' ELSE 'x' || n % 50 END))
FROM generate_series(1, 100) AS n;
SELECT pg_temp.saw('f', '2026-03-06T10:00Z', '{"screen": "list", "lang": "en"}'), pg_temp.saw('f', '2026-03-06T12:00Z', '{"screen": "list", "lang": "l1"}');
SELECT pg_temp.build();
SELECT ok(NOT tells_properties('acme', '2026-03-04', '2026-03-05', '{"properties": {"lang": "en"}}'), 'on the 5th it is not common');
SELECT is(pg_temp.ways('{"properties": {"lang": "en"}}', '2026-03-05'), '[21, {"[\"home\", \"list\"]": 20, "[\"home\"]": 2}]', 'and counts all the same');
SELECT ok(tells_properties('acme', '2026-03-06', '2026-03-06', f.filter::jsonb), 'on the 6th all are known: ' || f.filter)
FROM unnest(ARRAY['{"properties": {"lang": "en"}}', '{"properties": {"lang": "l1"}}', '{"properties": {"lang": "none"}}']) AS f (filter);
SELECT is(pg_temp.ways('{"properties": {"lang": "en"}}', '2026-03-06'), '[22, {"[\"home\", \"list\"]": 20, "[\"home\"]": 2, "[\"list\"]": 1}]', 'of the three days');

-- What verify finds.
CREATE FUNCTION pg_temp.verified() RETURNS TABLE (part text, subject text) LANGUAGE sql AS $$
  SELECT v.part, v.subject FROM generate_series(0, 3) AS n, verify_day('acme', 'UTC', date '2026-03-04' + n) AS v
$$;
SELECT is_empty('SELECT * FROM pg_temp.verified()', 'all of it is verified');
UPDATE packs SET properties[1] = '["\"x\""]' WHERE tenant_id = 'acme' AND day = '2026-03-04' AND event = made_pack('properties');
SELECT set_has('SELECT * FROM pg_temp.verified()', $$VALUES ('packs', 'properties')$$, 'a wrong list of common values');
SELECT ok(rebuild_day('acme', '2026-03-04', false), 'a rebuild');
SELECT is_empty('SELECT * FROM pg_temp.verified()', 'makes it anew');

-- Bounds: six properties in all, those of which all values are tallied first; fifteen values of each; none that keeps changing.
SELECT pg_temp.saw('u' || n, '2026-03-04T12:00Z', jsonb_build_object('screen', 'home', 'a', n % 2, 'b', n % 3, 'c', n % 4, 'd', n % 5, 'e', CASE WHEN n <= 945 THEN n % 15 ELSE n END,
  'f', CASE WHEN n <= 500 THEN 1 ELSE n END), 'wild') FROM generate_series(1, 1000) AS n;
SELECT pg_temp.saw('u1', timestamptz '2026-03-05T12:00Z' + n * interval '1 second', jsonb_build_object('screen', 'home', 'turn', CASE n % 2 WHEN 0 THEN 0 ELSE n END), 'wild')
FROM generate_series(1, 300) AS n;
SELECT pg_temp.saw('u' || n, '2026-03-06T12:00Z', jsonb_build_object('screen', 'home', 'long', CASE n % 2 WHEN 0 THEN repeat('x', 600) ELSE n::text END), 'wild') FROM generate_series(1, 100) AS n;
SELECT pg_temp.build();
SELECT set_eq($$SELECT s.name, s.tallied, jsonb_array_length(s.common) FROM said_properties('wild', '2026-03-04', '2026-03-04') AS s WHERE s.tallied OR s.common IS NOT NULL$$,
  $$VALUES ('a', true, NULL::integer), ('b', true, NULL), ('c', true, NULL), ('d', true, NULL), ('screen', true, NULL), ('e', false, 15)$$, 'six properties; of equals the one with fewer values');
SELECT is((SELECT s.common FROM said_properties('wild', '2026-03-05', '2026-03-05') AS s WHERE s.name = 'turn'), NULL, 'one that changes from view to view is not tallied');
SELECT is((SELECT s.common FROM said_properties('wild', '2026-03-06', '2026-03-06') AS s WHERE s.name = 'long'), NULL, 'nor what is too long');
SELECT is(tallied_part(p.properties, '{"a": null, "b": ["\"x\"", "5", "true"]}'), p.part, 'what tallies know of ' || coalesce(p.properties::text, 'nothing')) FROM (VALUES
  ('{"a": [1], "b": "x", "c": 1}'::jsonb, '{"a": [1], "b": "x"}'::jsonb), ('{"a": null, "b": "y"}', '{"a": null}'), ('{"b": 5.0}', '{"b": 5.0}'), ('{"b": "5"}', NULL), ('{"b": true}', '{"b": true}'),
  ('{"b": ["x"]}', NULL), ('{}', NULL), ('["a", "b"]', NULL), ('"a"', NULL), (NULL, NULL)) AS p (properties, part);
SELECT * FROM finish();
ROLLBACK;
