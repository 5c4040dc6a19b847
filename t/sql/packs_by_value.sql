-- Events that have what a pattern's properties say are looked up in packs by value, and are those that the rows say.
BEGIN;
SET LOCAL search_path = weir, public;
SET LOCAL client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap SCHEMA public;
SELECT no_plan();

CREATE FUNCTION pg_temp.did(tenant text, person text, name text, at timestamptz, about jsonb) RETURNS void LANGUAGE sql AS $$
  INSERT INTO weir.events (event_id, tenant_id, user_id, event, platform, properties, "timestamp", client_timestamp)
  VALUES (gen_random_uuid(), tenant, person, name, person || 'os', about, at, at);
  INSERT INTO weir.touched_days (tenant_id, day) VALUES (tenant, (at AT TIME ZONE 'UTC')::date) ON CONFLICT DO NOTHING
$$;
\ir lib/build.sql

-- Who has which value, and what a pattern asks for. What is alike is of another type, so another value.
CREATE TEMPORARY TABLE said (person text, about jsonb);
INSERT INTO said VALUES
  ('ann', '{"plan": "free", "seats": 5, "on": true}'), ('ben', '{"plan": "paid", "seats": 5.0, "on": false}'), ('cat', '{"plan": "free", "seats": "5", "on": "true"}'),
  ('dan', '{"plan": ["free"], "seats": {"seats": 5}, "on": null}'), ('eve', '{"plan": "", "seats": 50e-1}'), ('fay', '{"seats": -0.5}'), ('gus', NULL), ('hal', '["plan"]'), ('ivy', '"plan"'), (NULL, '{"plan": "free"}');
INSERT INTO said VALUES ('jim', jsonb_build_object('plan', repeat('x', 2000), '', 1, repeat('n', 257), 1)), ('kim', jsonb_build_object('plan', repeat('x', 1999) || 'y'));
-- A pack of 64 events, so that its values are listed.
INSERT INTO said SELECT 'zed-' || n, '{"zed": 1}' FROM generate_series(1, 64) AS n;
SELECT pg_temp.did('acme', s.person, 'buy', '2026-03-04T10:00Z', s.about) FROM said AS s;
SELECT pg_temp.build();

CREATE FUNCTION pg_temp.who(properties jsonb, tenant text DEFAULT 'acme', event text DEFAULT 'buy') RETURNS text LANGUAGE sql AS $$
  SELECT coalesce(string_agg(coalesce(u.user_id, '?'), ' ' ORDER BY u.user_id), '')
  FROM weir.happened(tenant, jsonb_build_array(jsonb_build_object('event', event, 'properties', properties)), '2026-03-01Z', '2026-04-01Z', '{}') AS h
  LEFT JOIN weir.user_numbers AS u ON u.tenant_id = tenant AND u.number = h.number
$$;
CREATE FUNCTION pg_temp.places(properties jsonb, tenant text DEFAULT 'acme', event text DEFAULT 'buy', part integer DEFAULT 0) RETURNS integer LANGUAGE sql AS $$
  SELECT cardinality(weir.places_with(tenant, '2026-03-04', event, part, properties))
$$;
CREATE TEMPORARY TABLE wanted (asked jsonb, who text, about text);
INSERT INTO wanted VALUES
  ('{"plan": "free"}', 'ann cat ?', 'a text, whoever says it'), ('{"seats": 5}', 'ann ben eve', 'a number, however it is written'), ('{"seats": 5.00}', 'ann ben eve', 'the same'),
  ('{"seats": "5"}', 'cat', 'a text is no number'), ('{"on": true}', 'ann', 'true'), ('{"on": "true"}', 'cat', 'a text is not true'), ('{"on": false}', 'ben', 'false'),
  ('{"plan": ""}', 'eve', 'an empty text'), ('{"seats": -0.5}', 'fay', 'a number below zero'), ('{"plan": "none"}', '', 'a value of nobody''s'), ('{"none": "free"}', '', 'a property of nobody''s'),
  ('{"plan": "free", "seats": 5}', 'ann', 'two properties'), ('{"plan": "paid", "seats": "5"}', '', 'that nobody has both'), ('{"plan": "free", "none": 1}', '', 'one of which nobody has'),
  ('{"": 1}', 'jim', 'a name that is empty'), (jsonb_build_object(repeat('n', 257), 1), 'jim', 'a name that is too long for lists'), (jsonb_build_object('plan', repeat('x', 2000)), 'jim', 'a long text');
SELECT is(pg_temp.who(w.asked), w.who, left(w.about || ': ' || w.asked, 100)) FROM wanted AS w;
SELECT is(pg_temp.places('{"seats": 5}'), 3, 'these were looked up');
SELECT is(pg_temp.places('{"plan": "free", "seats": 5}'), 1, 'and these');
SELECT is(pg_temp.places('{"": 1}'), NULL, 'where a name has no list, each event is asked');
SELECT is(pg_temp.places('{"none": 1}'), NULL, 'and where a property may be one of those');

SAVEPOINT packed;
UPDATE packs SET properties = array_fill(NULL::jsonb, ARRAY[cardinality(properties)]) WHERE event = 'buy' AND has_values(moments);
SELECT is(pg_temp.who(w.asked), w.who, left('properties are not unpacked: ' || w.about, 100)) FROM wanted AS w WHERE pg_temp.places(w.asked) IS NOT NULL;
ROLLBACK TO packed;
DELETE FROM packed_days;
SELECT is(pg_temp.who(w.asked), w.who, left('the same from rows: ' || w.about, 100)) FROM wanted AS w;
ROLLBACK TO packed;

-- Other columns are those of the events that were looked up.
SELECT is((SELECT array_agg(h.platform || ' ' || (h.properties ->> 'plan') || ' ' || to_char(h.at AT TIME ZONE 'UTC', 'HH24:MI') ORDER BY h.platform)
  FROM happened('acme', '[{"event": "buy", "properties": {"seats": 5}}]', '2026-03-01Z', '2026-04-01Z', '{platform,properties}') AS h), '{"annos free 10:00","benos paid 10:00","eveos  10:00"}',
  'a platform, properties, a moment');
SELECT is((SELECT count(*)::integer FROM happened('acme', '[{"event": "buy", "platform": "benos", "properties": {"seats": 5}}]', '2026-03-01Z', '2026-04-01Z', '{}')), 1, 'a platform is asked for besides');

-- A user's second event of a day stands apart from first ones: it counts for a step that asks for its value.
SELECT pg_temp.did('funnel', u, 'open', '2026-03-04T10:00Z', NULL), pg_temp.did('funnel', u, 'buy', '2026-03-04T10:01Z', '{"plan": "free"}'), pg_temp.did('funnel', u, 'buy', '2026-03-04T10:02Z', '{"plan": "paid"}')
FROM generate_series(1, 70) AS n, LATERAL (SELECT 'u' || n) AS u (u);
SELECT pg_temp.did('funnel', NULL, 'buy', '2026-03-04T10:02Z', '{"plan": "paid"}'), pg_temp.did('funnel', 'cat', 'buy', '2026-03-04T10:02Z', '{"plan": "free"}');
SELECT pg_temp.build();
SELECT ok(EXISTS (SELECT FROM packs WHERE tenant_id = 'funnel' AND event = 'buy' AND NOT has_firsts(part)), 'there are repeated ones');
SELECT is((SELECT array_agg(s -> 'users' ORDER BY s -> 'step') FROM jsonb_array_elements(funnels_answer('funnel', '2026-03-04', '2026-03-04', steps => f.steps) -> 'steps') AS s), f.users::jsonb[], 'a funnel of ' || f.steps)
FROM (VALUES ('[{"event": "buy", "properties": {"plan": "paid"}}, {"event": "buy", "properties": {"plan": "free"}}]', '{70,0}'),
  ('[{"event": "open"}, {"event": "buy", "properties": {"plan": "paid"}}]', '{70,70}'), ('[{"event": "buy", "properties": {"plan": "free"}}, {"event": "buy", "properties": {"plan": "paid"}}]', '{71,70}')) AS f (steps, users);

-- Bounds: 32 properties of an event, the most frequent; of several parts; and a value that many have.
SELECT pg_temp.did('wild', 'u' || n, 'buy', '2026-03-04T12:00Z', (SELECT jsonb_object_agg('p' || lpad(m::text, 2, '0'), n % 2) FROM generate_series(1, CASE n WHEN 1 THEN 40 ELSE 32 END) AS m)) FROM generate_series(1, 3) AS n;
SELECT pg_temp.did('wild', 'zed-' || n, 'buy', '2026-03-04T12:00Z', NULL) FROM generate_series(1, 64) AS n;
SELECT pg_temp.did('wild', 'u' || n, 'new-' || n, '2026-03-04T12:00Z', '{"plan": "free"}') FROM generate_series(1, 100) AS n;
SELECT pg_temp.did('wild', 'u' || n, 'few', '2026-03-04T12:00Z', jsonb_build_object('plan', n)) FROM generate_series(1, 63) AS n;
INSERT INTO events (event_id, tenant_id, user_id, event, "timestamp", client_timestamp, properties)
SELECT gen_random_uuid(), 'wild', 'u' || n, 'view', '2026-03-04T12:00Z', '2026-03-04T12:00Z', jsonb_build_object('kind', CASE WHEN n % 1000 = 0 THEN 'rare' ELSE 'often' END) FROM generate_series(1, 5000) AS n;
SELECT pg_temp.build();
SELECT is((SELECT count(*) || ' ' || count(*) FILTER (WHERE v.name = '') FROM pack_values AS v WHERE v.tenant_id = 'wild' AND v.event = 'buy'), '33 1', '32 have a line, and one says that there are more');
SELECT is_empty($$SELECT FROM pack_values AS v WHERE v.tenant_id = 'wild' AND v.event NOT IN ('buy', 'view')$$, 'packs of fewer than 64 events have none, however many there are');
SELECT is(pg_temp.who('{"plan": 7}', 'wild', 'few'), 'u7', 'and are read');
SELECT is(pg_temp.who('{"p40": 1}', 'wild'), 'u1', 'others are read from the events');
SELECT is(pg_temp.who('{"p01": 1, "p40": 1}', 'wild'), 'u1', 'also together with one that has a line');
SELECT is(pg_temp.who('{"p01": 1}', 'wild'), 'u1 u3', 'one that has a line');
SELECT is(pg_temp.who('{"kind": "rare"}', 'wild', 'view'), 'u1000 u2000 u3000 u4000 u5000', 'rare ones of several parts');
SELECT is((pg_temp.places('{"kind": "often"}', 'wild', 'view'), pg_temp.places('{"kind": "often"}', 'wild', 'view', 1)), (4092, 903), 'what nearly all of a part have is looked up, too');
SELECT is((SELECT count(*)::integer FROM happened('wild', '[{"event": "view", "properties": {"kind": "often"}}]', '2026-03-01Z', '2026-04-01Z', '{}')), 4995, 'all are found');

-- What verify finds; late events; days whose rows are gone.
SELECT is_empty($$SELECT v.* FROM unnest('{acme,funnel,wild}'::text[]) AS t, verify_day(t, 'UTC', '2026-03-04') AS v$$, 'all of it is verified');
UPDATE pack_values SET hashes = array_append(hashes, 4611686018427387903) WHERE tenant_id = 'acme' AND name = 'seats';
DELETE FROM pack_values WHERE tenant_id = 'acme' AND name = 'on';
SELECT set_eq($$SELECT v.part, v.subject, v.kept, v.counted FROM verify_day('acme', 'UTC', '2026-03-04') AS v$$,
  $$VALUES ('values', 'seats of buy', '6 events', '5 events'), ('values', 'on of buy', NULL, '3 events')$$, 'a wrong line, and one that is missing');
SELECT ok(rebuild_day('acme', '2026-03-04', false), 'a rebuild');
SELECT is_empty($$SELECT v.* FROM verify_day('acme', 'UTC', '2026-03-04') AS v$$, 'makes them anew');
SELECT pg_temp.did('acme', 'zoe', 'buy', '2026-03-04T09:00Z', '{"plan": "free"}');
SELECT is(pg_temp.who('{"plan": "free"}'), 'ann cat ? ?', 'a late event counts at once');
SELECT pg_temp.build();
SELECT is(pg_temp.who('{"plan": "free"}'), 'ann cat zoe ?', 'and when its day is built anew');
INSERT INTO gone_days (tenant_id, day) VALUES ('acme', '2026-03-04');
SELECT drop_packs_of_gone_days('acme');
SELECT is_empty($$SELECT FROM pack_values WHERE tenant_id = 'acme'$$, 'what is gone has no values');

-- Keys of tasks: texts are told by their hashes, and what is not one, or a list of other values, by the events' properties.
SELECT pg_temp.did('keys', 'u' || n % 7, CASE WHEN n % 2 = 0 THEN 'begin' ELSE 'end' END, '2026-03-04T10:00Z'::timestamptz + n * interval '1 second',
  jsonb_build_object('half', n / 28 % 2, 'text', 'k' || n / 14, 'number', n / 14, 'mixed', CASE WHEN n % 3 = 0 THEN to_jsonb(n / 14) ELSE to_jsonb((n / 14)::text) END, 'long', repeat('x', 255 + n % 3) || n / 14,
    'some', CASE WHEN n % 5 > 0 THEN 'k' || n / 14 END, 'lists', CASE WHEN n % 5 > 0 THEN to_jsonb('k' || n / 14) ELSE '["k"]' END, 'empty', CASE WHEN n % 5 > 0 THEN 'k' || n / 14 ELSE '' END))
FROM generate_series(1, 600) AS n;
CREATE TEMPORARY TABLE timed AS SELECT k AS key, now()::timestamptz AS at, NULL::jsonb AS from_rows FROM unnest('{text,number,mixed,long,some,lists,empty,none}'::text[]) AS k;
CREATE FUNCTION pg_temp.timed(key text, filter text DEFAULT NULL) RETURNS jsonb LANGUAGE sql AS $$
  SELECT tasks_answer('keys', '2026-03-04', '2026-03-04', start => '{"event": "begin"}', finish => '{"event": "end"}', key => key, filter => filter) - 'as_of'
$$;
ALTER TABLE timed ADD COLUMN filtered jsonb;
UPDATE timed SET from_rows = pg_temp.timed(key), filtered = pg_temp.timed(key, '{"properties": {"half": 1}}');
SELECT pg_temp.build();
SELECT is((SELECT string_agg(v.name, ' ' ORDER BY v.name) FROM pack_values AS v WHERE v.tenant_id = 'keys' AND v.event = 'begin' AND v.are_texts), 'lists some text', 'these are texts, or are none');
SELECT is(pg_temp.timed(t.key), t.from_rows, 'tasks by ' || t.key) FROM timed AS t;
SELECT is(pg_temp.timed(t.key, '{"properties": {"half": 1}}'), t.filtered, 'with a filter by a value, tasks by ' || t.key) FROM timed AS t;
SELECT cmp_ok((SELECT count(DISTINCT t.filtered -> 'finished') FROM timed AS t WHERE t.key IN ('text', 'number', 'none')), '>', 1::bigint, 'where a key tells tasks apart');
SELECT cmp_ok((SELECT (t.from_rows -> 'finished')::integer FROM timed AS t WHERE t.key = 'text'), '>', 100, 'there are some');
UPDATE packs SET properties = array_fill(NULL::jsonb, ARRAY[cardinality(properties)]) WHERE tenant_id = 'keys' AND has_values(moments);
SELECT is(pg_temp.timed(t.key), t.from_rows, 'without properties, tasks by ' || t.key) FROM timed AS t WHERE t.key IN ('text', 'some', 'lists', 'none');

-- Numbers of events and texts of pages, from packs, as the rows say them: what is no number or no short text, names that are none, or have no list.
INSERT INTO measures (tenant_id, measure, event, property, factor) SELECT 'amounts', p, 'page_view', p, 1
FROM unnest(ARRAY['whole', 'mixed', 'huge', 'texts', 'none', 'p39', '', repeat('n', 257), '{"', '''; --']) AS p;
SELECT pg_temp.did('amounts', CASE WHEN n % 50 > 0 THEN 'u' || n % 7 END, 'page_view', '2026-03-04T00:00Z'::timestamptz + n * interval '2 minutes', jsonb_build_object('whole', n % 90, 'load_ms', n,
    'mixed', ('["4", 4.0, 4, -0.125, true, null, [5], {"mixed": 5}, 0]'::jsonb) -> n % 9, 'huge', ('[1e301, -1e300, 1e299, -1e299, 12345678901234567890.5]'::jsonb) -> n % 5, 'texts', n::text,
    '{"', n, '''; --', -n, 'page', 'p' || n % 9, 'few', CASE WHEN n % 3 = 0 THEN 'p' || n % 9 END, 'five', ('["5", 5, 5.0, "", null, "five"]'::jsonb) -> n % 6,
    'long', repeat('ü', 126 + n % 4) || n % 2, 'odd', ('["x\u0001y", "x\ufffdy", null, "z"]'::jsonb) -> n % 5)
  || CASE WHEN n % 10 = 0 THEN (SELECT jsonb_object_agg('p' || m, m + n) FROM generate_series(1, 40) AS m) || jsonb_build_object('', n, repeat('n', 257), n) ELSE '{}' END)
FROM generate_series(1, 700) AS n;
SELECT pg_temp.did('amounts', 'u' || n % 7, 'screen', '2026-03-04T10:00Z', jsonb_build_object('page', n % 3, 'few', 'p' || n % 2, 'whole', n, 'load_ms', 1)) FROM generate_series(1, 20) AS n;
SELECT pg_temp.did('amounts', 'u' || n % 7, 'page_load', '2026-03-04T10:00Z', CASE n % 2 WHEN 1 THEN '["whole"]'::jsonb END) FROM generate_series(1, 70) AS n;
CREATE TEMPORARY TABLE amounts (claim text, asked text, of_lists boolean, from_rows jsonb);
INSERT INTO amounts
SELECT format('heavy users by %s in %s', left(m.measure, 9), z), format('heavy_users_answer(''amounts'', ''2026-03-04'', ''2026-03-05'', %L, %L)', z, m.measure), m.measure IN ('whole', 'mixed', 'huge', 'texts', '{"', '''; --')
FROM measures AS m, unnest('{UTC,Asia/Kolkata}'::text[]) AS z WHERE m.tenant_id = 'amounts'
UNION ALL
SELECT format('pages by %s and %s in %s, %s', property, page, z, filter),
  format('pages_answer(''amounts'', ''2026-03-04'', ''2026-03-04'', %L, property => %L, page => %L, at_least => 1, filter => %L, event => ''page_view'')', z, property, page, filter),
  coalesce(property, 'load_ms') NOT IN ('p39', '') AND coalesce(page, 'page') IN ('page', 'few') AND filter IS NULL
FROM unnest(ARRAY[NULL, 'whole', 'mixed', 'huge', 'none', 'p39', '', '''; --']) AS property, unnest('{NULL,page,few,five,long,texts,none}'::text[]) AS page,
  (VALUES ('UTC', NULL), ('Asia/Kolkata', NULL), ('UTC', '{"platform": "u3os"}'), ('UTC', '{"properties": {"page": "p3"}}')) AS f (z, filter)
UNION ALL
SELECT format('paths by %s in %s, %s', property, z, filter),
  format('paths_answer(''amounts'', ''2026-03-04'', ''2026-03-04'', %L, property => %L, filter => %L, most => 100)', z, property, filter), property IN ('few', 'odd') AND filter IS NULL
FROM unnest('{page,few,five,long,texts,odd,mixed,none,p39,whole}'::text[]) AS property,
  (VALUES ('UTC', NULL), ('Asia/Kolkata', NULL), ('UTC', '{"platform": "u3os"}'), ('UTC', '{"properties": {"page": "p3"}}'), ('UTC', '{"properties": {"five": 5}}')) AS f (z, filter)
UNION ALL
SELECT 'pages of every event by ' || page, format('pages_answer(''amounts'', ''2026-03-04'', ''2026-03-05'', property => ''whole'', page => %L, at_least => 1)', page), false
FROM unnest('{page,few,five}'::text[]) AS page;
CREATE FUNCTION pg_temp.said(asked text) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE said jsonb; BEGIN EXECUTE 'SELECT ' || asked || ' - ''as_of''' INTO said; RETURN said; END $$;
UPDATE amounts SET from_rows = pg_temp.said(asked);
SELECT is((SELECT a.from_rows #> '{all,count}' FROM amounts AS a WHERE a.claim = 'pages by mixed and few in UTC, '), '311', 'four of nine are numbers');
SELECT pg_temp.build();
SELECT is((SELECT count(amounts) || ' of ' || count(*) FROM pack_values AS v WHERE v.tenant_id = 'amounts' AND v.name IN ('whole', 'mixed', 'huge', '{"', '''; --', 'texts', 'page')), '5 of 7',
  'numbers of packs, and none where nobody has one');
SELECT is_empty($$SELECT v.* FROM verify_day('amounts', 'UTC', '2026-03-04') AS v$$, 'they are verified');
CREATE FUNCTION pg_temp.others(of_lists boolean) RETURNS SETOF text LANGUAGE sql AS $$
  SELECT a.claim FROM amounts AS a WHERE (a.of_lists OR NOT others.of_lists) AND a.from_rows::text IS DISTINCT FROM pg_temp.said(a.asked)::text
$$;
SELECT is_empty('SELECT pg_temp.others(false)', 'packs say of numbers, pages and paths what rows say');
SELECT is((SELECT string_agg(s ->> 'screen' || ' ' || (s ->> 'views'), ', ') FROM amounts AS a, jsonb_array_elements(a.from_rows -> 'screens') AS s WHERE a.claim = 'paths by odd in UTC, '),
  'x�y 266, z 140', 'two screens that are shown alike are one');
SAVEPOINT amounts;
UPDATE packs SET properties = array_fill(NULL::jsonb, ARRAY[cardinality(properties)]) WHERE tenant_id = 'amounts' AND has_values(moments);
SELECT is_empty($$SELECT a.claim FROM amounts AS a WHERE a.of_lists AND a.claim LIKE 'heavy%' AND a.from_rows::text IS DISTINCT FROM pg_temp.said(a.asked)::text$$, 'for numbers no properties are unpacked');
ROLLBACK TO amounts;
-- Of each text one event is looked up.
UPDATE packs SET properties = (SELECT array_agg(CASE WHEN p.place <= 200 THEN p.about END ORDER BY p.place) FROM unnest(properties) WITH ORDINALITY AS p (about, place))
WHERE tenant_id = 'amounts' AND has_values(moments);
SELECT is_empty('SELECT pg_temp.others(true)', 'nor for pages and paths more than one of each');
ROLLBACK TO amounts;
UPDATE pack_values SET amounts[1] = 7 WHERE tenant_id = 'amounts' AND name = '{"';
SELECT set_eq($$SELECT DISTINCT v.part, v.subject FROM verify_day('amounts', 'UTC', '2026-03-04') AS v$$, $$VALUES ('values', '{" of page_view'), ('keys', '{" of page_view')$$, 'a wrong number is found');
SELECT ok(rebuild_day('amounts', '2026-03-04', false), 'a rebuild');
SELECT is_empty($$SELECT v.* FROM verify_day('amounts', 'UTC', '2026-03-04') AS v$$, 'puts it right');
-- Tasks whose keys are listed by day, texts (`id`) or whole numbers (`no`, which says of every text another): the same as from rows, whatever lies between starts and
-- finishes. Others, of one key each, make packs and lists of them.
CREATE TEMPORARY TABLE doing (person text, name text, at timestamptz, key jsonb);
INSERT INTO doing VALUES
  ('ann', 'begin', '2026-03-03T10:00Z', '"plain"'), ('ann', 'end', '2026-03-03T10:00:10Z', '"plain"'),
  ('ann', 'begin', '2026-03-03T23:59Z', '"midnight"'), ('ann', 'end', '2026-03-04T00:01Z', '"midnight"'),
  -- Left open, then done on a later day, then a finish of nothing.
  ('ann', 'begin', '2026-03-02T10:00Z', '"open"'), ('ann', 'begin', '2026-03-03T10:00Z', '"open"'), ('ann', 'end', '2026-03-03T10:00:20Z', '"open"'),
  ('ann', 'end', '2026-03-04T10:00Z', '"open"'),
  -- Two days later; and on the third day after.
  ('ann', 'begin', '2026-03-02T11:00Z', '"later"'), ('ann', 'end', '2026-03-04T11:00Z', '"later"'),
  ('ann', 'begin', '2026-03-02T11:00Z', '"latest"'), ('ann', 'end', '2026-03-05T11:00:30Z', '"latest"'),
  -- Several starts, several finishes, both; a finish first; at one moment, also with others.
  ('ann', 'begin', '2026-03-03T11:00Z', '"starts"'), ('ann', 'begin', '2026-03-03T11:01Z', '"starts"'), ('ann', 'end', '2026-03-03T11:02:01Z', '"starts"'),
  ('ann', 'begin', '2026-03-03T12:00Z', '"ends"'), ('ann', 'end', '2026-03-03T12:02:02Z', '"ends"'), ('ann', 'end', '2026-03-03T12:04Z', '"ends"'),
  ('ann', 'begin', '2026-03-03T13:00Z', '"turns"'), ('ann', 'end', '2026-03-03T13:01:03Z', '"turns"'), ('ann', 'begin', '2026-03-03T13:02Z', '"turns"'),
  ('ann', 'end', '2026-03-03T13:04:04Z', '"turns"'),
  ('ann', 'end', '2026-03-03T14:00Z', '"first"'), ('ann', 'begin', '2026-03-03T14:01Z', '"first"'), ('ann', 'begin', '2026-03-02T14:00Z', '"first"'),
  ('ann', 'end', '2026-03-03T15:00Z', '"same"'), ('ann', 'begin', '2026-03-03T15:00Z', '"same"'),
  ('ann', 'begin', '2026-03-03T16:00Z', '"same two"'), ('ann', 'begin', '2026-03-03T16:00Z', '"same two"'), ('ann', 'end', '2026-03-03T16:00Z', '"same two"'),
  ('ann', 'end', '2026-03-03T16:00Z', '"same two"'),
  -- One key of two users; keys that look alike; none at all.
  ('ann', 'begin', '2026-03-03T17:00Z', '"ours"'), ('ben', 'begin', '2026-03-03T17:01Z', '"ours"'), ('ben', 'end', '2026-03-03T17:01:40Z', '"ours"'),
  ('cat', 'end', '2026-03-03T17:02Z', '"ours"'),
  ('dan', 'begin', '2026-03-03T18:00Z', '"5"'), ('dan', 'end', '2026-03-03T18:01:50Z', '"5"'), ('dan', 'begin', '2026-03-03T18:00:30Z', '"5.0"'),
  ('eve', 'begin', '2026-03-03T18:00Z', NULL), ('eve', 'end', '2026-03-03T18:02:10Z', '[1]'),
  -- A number makes its day's list one of no keys; it is the same key as its text.
  ('dan', 'begin', '2026-03-05T18:00Z', '"7"'), ('dan', 'end', '2026-03-05T18:02:30Z', '7'), ('dan', 'begin', '2026-03-05T23:00Z', '8'), ('dan', 'end', '2026-03-06T00:03Z', '"8"'),
  -- On the window's edges of other zones, and beyond.
  ('fay', 'begin', '2026-03-01T23:30Z', '"early"'), ('fay', 'end', '2026-03-01T23:31Z', '"early"'), ('fay', 'begin', '2026-03-04T23:30Z', '"late"'),
  ('fay', 'end', '2026-03-04T23:33Z', '"late"'), ('fay', 'begin', '2026-03-05T03:30Z', '"beyond"'), ('fay', 'end', '2026-03-05T03:34Z', '"beyond"'),
  (NULL, 'begin', '2026-03-03T10:00Z', '"nobody"'), (NULL, 'end', '2026-03-03T10:01Z', '"nobody"');
SELECT pg_temp.did('tasks', d.person, d.name, d.at, CASE WHEN d.key IS NOT NULL THEN jsonb_build_object('id', d.key,
  'no', CASE WHEN jsonb_typeof(d.key) = 'array' THEN d.key WHEN d.person = 'dan' AND d.at > '2026-03-05Z' AND jsonb_typeof(d.key) = 'string' THEN to_jsonb(n.number::text) ELSE to_jsonb(n.number) END) END)
FROM doing AS d LEFT JOIN (SELECT k.key, row_number() OVER (ORDER BY k.key) * 1000000 AS number FROM (SELECT DISTINCT d.key #>> '{}' AS key FROM doing AS d) AS k) AS n ON n.key = d.key #>> '{}';
SELECT pg_temp.did('tasks', 'zed-' || n, e, d + n * interval '1 minute' + CASE e WHEN 'end' THEN n * interval '7 seconds' ELSE interval '0' END, jsonb_build_object('id', 'z' || n, 'no', n))
FROM generate_series(1, 90) AS n, unnest('{begin,end}'::text[]) AS e, generate_series('2026-03-01T06:00Z'::timestamptz, '2026-03-06T06:00Z', '1 day') AS d;
-- Of a day with hardly any there is no list.
SELECT pg_temp.did('tasks', 'gus', 'begin', '2026-03-07T10:00Z', '{"id": "few", "no": 1}'), pg_temp.did('tasks', 'gus', 'end', '2026-03-07T10:00:05Z', '{"id": "few", "no": 1}'),
  pg_temp.did('tasks', 'hal', 'begin', '2026-03-06T22:00Z', '{"id": "into few", "no": 2}'), pg_temp.did('tasks', 'hal', 'end', '2026-03-07T10:00Z', '{"id": "into few", "no": 2}');

CREATE TEMPORARY TABLE asked AS SELECT k.key, w.within, z.zone, z.first_day, z.last_day, NULL::jsonb AS from_rows
FROM unnest('{id,no}'::text[]) AS k (key), unnest('{1,130,86400,259230}'::integer[]) AS w (within), (VALUES ('UTC', '2026-03-02'::date, '2026-03-04'::date), ('America/New_York', '2026-03-02', '2026-03-04'),
  ('Asia/Kolkata', '2026-03-02', '2026-03-04'), ('UTC', '2026-02-20', '2026-03-10')) AS z (zone, first_day, last_day);
CREATE FUNCTION pg_temp.keyed(key text, zone text, first_day date, last_day date, within integer) RETURNS jsonb LANGUAGE sql AS $$
  SELECT tasks_answer('tasks', first_day, last_day, zone, '{"event": "begin"}', '{"event": "end"}', key, within) - '{as_of,key}'::text[]
$$;
UPDATE asked AS a SET from_rows = pg_temp.keyed(a.key, a.zone, a.first_day, a.last_day, a.within);
SELECT pg_temp.build();
SELECT ok(are_keys_listed('tasks', '2026-03-02Z', '2026-03-05Z', '[{"event": "begin"}, {"event": "end"}]', k), 'tasks are looked up by ' || k) FROM unnest('{id,no}'::text[]) AS k;
SELECT is((SELECT count(*)::integer FROM asked AS a JOIN asked AS b USING (within, zone, first_day) WHERE a.key = 'id' AND b.key = 'no' AND a.from_rows = b.from_rows), 16, 'a number is a key like its text');
SELECT is(pg_temp.keyed(a.key, a.zone, a.first_day, a.last_day, a.within), a.from_rows, format('tasks of %s to %s in %s within %s by %s', a.first_day, a.last_day, a.zone, a.within, a.key)) FROM asked AS a;
SELECT is((SELECT (a.from_rows ->> 'starts', a.from_rows ->> 'finished')::text FROM asked AS a WHERE (a.key, a.within, a.zone, a.first_day) = ('id', 86400, 'UTC', '2026-03-02')), '(292,284)',
  'as many as were counted by hand');
SAVEPOINT listed;
UPDATE packs SET properties = array_fill(NULL::jsonb, ARRAY[cardinality(properties)]) WHERE tenant_id = 'tasks' AND day < '2026-03-05';
UPDATE pack_values SET hashes = array_fill(NULL::bigint, ARRAY[cardinality(hashes)]), amounts = NULL WHERE tenant_id = 'tasks' AND day < '2026-03-05';
SELECT is(pg_temp.keyed(a.key, a.zone, a.first_day, a.last_day, a.within), a.from_rows, format('without properties and values: tasks within %s by %s', a.within, a.key)) FROM asked AS a WHERE (a.zone, a.first_day) = ('UTC', '2026-03-02');
ROLLBACK TO listed;
DELETE FROM day_keys WHERE tenant_id = 'tasks' AND day = '2026-03-03' AND event = 'end';
SELECT is(pg_temp.keyed(a.key, a.zone, a.first_day, a.last_day, a.within), a.from_rows, format('a day without a list: %s to %s in %s within %s by %s', a.first_day, a.last_day, a.zone, a.within, a.key)) FROM asked AS a;
DELETE FROM day_keys WHERE tenant_id = 'tasks' AND day = '2026-03-04' AND event = 'begin';
SELECT is(pg_temp.keyed(a.key, a.zone, a.first_day, a.last_day, a.within), a.from_rows, format('and another: %s to %s in %s within %s by %s', a.first_day, a.last_day, a.zone, a.within, a.key)) FROM asked AS a;
ROLLBACK TO listed;
-- Late events of a day in rows, which is then built anew.
SELECT pg_temp.did('tasks', 'ann', 'end', '2026-03-03T10:00:05Z', '{"id": "plain", "no": 1}'), pg_temp.did('tasks', 'ann', 'begin', '2026-03-03T23:59:30Z', '{"id": "midnight"}');
CREATE TEMPORARY TABLE late AS SELECT a.key, a.within, a.zone, a.first_day, a.last_day, pg_temp.keyed(a.key, a.zone, a.first_day, a.last_day, a.within) AS in_part FROM asked AS a;
SELECT isnt((SELECT in_part FROM late AS l WHERE (l.key, l.within, l.zone, l.first_day) = ('id', 86400, 'UTC', '2026-03-02')), (SELECT from_rows FROM asked AS a WHERE (a.key, a.within, a.zone, a.first_day) = ('id', 86400, 'UTC', '2026-03-02')),
  'late events count at once');
SELECT pg_temp.build();
SELECT is(pg_temp.keyed(l.key, l.zone, l.first_day, l.last_day, l.within), l.in_part, format('built anew: %s to %s in %s within %s by %s', l.first_day, l.last_day, l.zone, l.within, l.key)) FROM late AS l;
DELETE FROM packed_days WHERE tenant_id = 'tasks';
SELECT is(pg_temp.keyed(l.key, l.zone, l.first_day, l.last_day, l.within), l.in_part, format('and from rows alone: %s to %s in %s within %s by %s', l.first_day, l.last_day, l.zone, l.within, l.key)) FROM late AS l;
ROLLBACK TO listed;

-- Many tasks left over are not looked up one by one.
INSERT INTO events (event_id, tenant_id, user_id, event, "timestamp", client_timestamp, properties)
SELECT gen_random_uuid(), 'open', 'u' || n % 500, e.event, e.at, e.at, jsonb_build_object('id', 'k' || n)
FROM generate_series(1, 5000) AS n, LATERAL (VALUES ('begin', '2026-03-03T10:00Z'::timestamptz + n * interval '1 second'), ('end', '2026-03-04T10:00Z'::timestamptz + n * interval '2 seconds')) AS e (event, at);
INSERT INTO touched_days (tenant_id, day) VALUES ('open', '2026-03-03'), ('open', '2026-03-04');
SELECT pg_temp.build();
SELECT is((SELECT count(*)::integer FROM day_keys WHERE tenant_id = 'open'), 4, 'two parts each');
SELECT is((SELECT (a ->> 'starts', a ->> 'finished', a #>> '{seconds,mean}')::text FROM tasks_answer('open', '2026-03-03', '2026-03-03', 'UTC', '{"event": "begin"}', '{"event": "end"}', 'id', 90000) AS a),
  '(5000,3600,88200.500000)', 'all that took 25 hours at most');

-- Numbers of other signs and sizes are others: what a pack says is what rows say. 100 events, of which 20 have each amount.
INSERT INTO events (event_id, tenant_id, user_id, event, "timestamp", client_timestamp, properties)
SELECT gen_random_uuid(), 'signs', 'u' || n, 'sale', t, t, jsonb_build_object('amount', (ARRAY['5', '-5', '50000', '0.0005', '5.0']::jsonb[])[1 + n % 5])
FROM generate_series(1, 100) AS n, LATERAL (SELECT timestamptz '2026-03-03T12:00Z' + n * interval '1 second' AS t) AS m;
INSERT INTO touched_days (tenant_id, day) VALUES ('signs', '2026-03-03');
SELECT pg_temp.build();
CREATE FUNCTION pg_temp.sales(amount jsonb) RETURNS jsonb LANGUAGE sql AS $$
  SELECT funnels_answer('signs', '2026-03-03', '2026-03-03', 'UTC', steps => jsonb_build_array(jsonb_build_object('event', 'sale', 'properties', jsonb_build_object('amount', amount)),
    '{"event": "none"}'::jsonb)::text) #> '{steps,0,users}'
$$;
CREATE TEMPORARY TABLE sold (amount jsonb, users jsonb);
INSERT INTO sold VALUES ('5', '40'), ('5.00', '40'), ('-5', '20'), ('5e4', '20'), ('0.0005', '20'), ('-50000', '0'), ('500', '0'), ('4', '0');
SELECT isnt_empty($$SELECT FROM pack_values WHERE tenant_id = 'signs' AND name = 'amount'$$, 'amounts are listed');
SELECT is(pg_temp.sales(s.amount), s.users, 'sales of ' || s.amount::text) FROM sold AS s;
SELECT is(count(DISTINCT value_hash(v))::integer, count(DISTINCT v)::integer, 'a hash for each value')
FROM unnest('{0,1,-1,10000,-10000,0.0001,1e300,-1e300,1e304,1e-300,3,-3,30000,12.5,125000,5e8,5e12,true,false,"\"\"","\"1\"","\"true\""}'::jsonb[]) AS v;
SELECT is(value_hash('1e2'), value_hash('100.000'), 'however a number is written');
SAVEPOINT signs;
DELETE FROM packed_days WHERE tenant_id = 'signs';
SELECT is(pg_temp.sales(s.amount), s.users, 'from rows: sales of ' || s.amount::text) FROM sold AS s;
ROLLBACK TO signs;

-- Which properties are like keys, and the bounds of their lists.
INSERT INTO events (event_id, tenant_id, user_id, event, "timestamp", client_timestamp, properties)
SELECT gen_random_uuid(), 'like', 'u', 'view', '2026-03-03T12:00Z'::timestamptz + n * interval '1 second', '2026-03-03T12:00Z', jsonb_build_object('unique', 'k' || n, 'number', n, 'fraction', n + 0.5, 'once a fraction', n + CASE n WHEN 1000 THEN 0.5 ELSE 0 END,
  'huge', n::numeric * 1e300, 'either', CASE WHEN n % 2 = 0 THEN to_jsonb(n) ELSE to_jsonb(n::text) END, 'truth', n % 2 = 0, 'few', 'k' || n % 3, 'later one', 'k' || least(n, 64), 'twice', 'k' || n / 2, 'thrice', 'k' || n / 3)
FROM generate_series(1, 1100) AS n;
INSERT INTO touched_days (tenant_id, day) VALUES ('like', '2026-03-03');
SELECT pg_temp.build();
SELECT is((SELECT string_agg(DISTINCT k.name, ' ') FROM day_keys AS k WHERE k.tenant_id = 'like'), 'number twice unique',
  'texts and whole numbers that most events have for themselves; none of which more than a thousand are alike');
SELECT is((SELECT array_agg((c.part, c.low, c.high)::text) FROM cut_keys(ARRAY(SELECT n / 900 FROM generate_series(0, 8999) AS n)::bigint[]) AS c), '{"(0,1,4500)","(1,4501,9000)"}',
  'what is alike stays together');
SELECT is_empty($$SELECT FROM cut_keys(array_fill(1::bigint, ARRAY[1001]))$$, 'a part has a bound');

-- What verify finds of keys.
SELECT is_empty($$SELECT v.* FROM verify_day('tasks', 'UTC', '2026-03-03') AS v$$, 'keys are verified');
UPDATE day_keys SET moments[1] = 7 WHERE tenant_id = 'tasks' AND day = '2026-03-03' AND event = 'begin';
DELETE FROM day_keys WHERE tenant_id = 'tasks' AND day = '2026-03-03' AND event = 'end';
SELECT set_eq($$SELECT v.part, v.subject FROM verify_day('tasks', 'UTC', '2026-03-03') AS v$$, $$VALUES ('keys', 'id of begin'), ('keys', 'no of begin'), ('keys', 'id of end'), ('keys', 'no of end')$$, 'a wrong list, and one that is missing');
SELECT ok(rebuild_day('tasks', '2026-03-03', false), 'a rebuild');
SELECT is_empty($$SELECT v.* FROM verify_day('tasks', 'UTC', '2026-03-03') AS v$$, 'makes them anew');
INSERT INTO gone_days (tenant_id, day) VALUES ('tasks', '2026-03-03');
SELECT drop_packs_of_gone_days('tasks');
SELECT is_empty($$SELECT FROM day_keys WHERE tenant_id = 'tasks' AND day = '2026-03-03'$$, 'what is gone has no keys');
SELECT * FROM finish();
ROLLBACK;
