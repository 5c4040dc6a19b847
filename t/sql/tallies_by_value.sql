-- Ways and slow pages of one version, platform or country are told by tallies of their own, and say what the events say.
BEGIN;
SET LOCAL search_path = weir, public;
SET LOCAL client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap SCHEMA public;
SELECT no_plan();

CREATE TEMPORARY TABLE seen (person text, at timestamptz, screen text, version text, platform text, country text, ms numeric, name text DEFAULT 'screen');
-- ann, ben and cat differ in all three; ann comes back an hour later.
INSERT INTO seen VALUES
  ('ann', '2026-03-04T10:00Z', 'home', '1.0', 'iOS', 'BR', 100), ('ann', '2026-03-04T10:01Z', 'list', '1.0', 'iOS', 'BR', NULL),
  ('ann', '2026-03-04T11:00Z', 'list', '1.0', 'iOS', 'BR', NULL),
  ('ben', '2026-03-04T10:00Z', 'home', '1.0', 'macOS', NULL, 300), ('ben', '2026-03-04T10:01Z', 'pay', '1.0', 'macOS', NULL, 500),
  ('cat', '2026-03-05T10:00Z', 'home', '2.0', NULL, 'BR', 700);
-- dan: another version in the midst. eve: beyond midnight. eli: near it, and nothing after.
INSERT INTO seen VALUES
  ('dan', '2026-03-05T10:00Z', 'home', '1.0', 'iOS', 'BR', NULL), ('dan', '2026-03-05T10:01Z', 'list', '2.0', 'iOS', 'BR', NULL),
  ('dan', '2026-03-05T10:02Z', 'pay', '1.0', 'iOS', 'BR', NULL),
  ('eve', '2026-03-04T23:50Z', 'home', '1.0', 'iOS', 'DE', NULL), ('eve', '2026-03-05T00:10Z', 'list', '1.0', 'iOS', 'DE', NULL),
  ('eli', '2026-03-05T23:55Z', 'home', '2.0', 'macOS', 'DE', NULL);
-- fay: another platform, though the name is almost the same; gus: values that no filter can ask for.
INSERT INTO seen VALUES
  ('fay', '2026-03-05T10:00Z', 'home', '2.0', 'ios', 'DE', NULL), ('fay', '2026-03-05T10:01Z', 'list', '2.0', 'ios', 'DE', NULL),
  ('gus', '2026-03-05T10:00Z', 'home', repeat('9', 257), '', 'DE', 900);
-- Durations of nobody's, of an event that is no view, and without a page.
INSERT INTO seen VALUES
  (NULL, '2026-03-05T12:00Z', 'home', '1.0', 'macOS', 'BR', 1000, 'page_load'), (NULL, '2026-03-05T12:00Z', NULL, NULL, 'macOS', NULL, 50, 'page_load');
CREATE FUNCTION pg_temp.store(tenant text, people text[]) RETURNS void LANGUAGE sql AS $$
  INSERT INTO weir.events (event_id, tenant_id, user_id, event, app_version, platform, country, properties, "timestamp", client_timestamp)
  SELECT gen_random_uuid(), tenant, s.person, s.name, s.version, s.platform, s.country, jsonb_strip_nulls(jsonb_build_object('screen', s.screen, 'load_ms', s.ms)), s.at, s.at
  FROM seen AS s WHERE coalesce(s.person, '') = ANY (people);
  INSERT INTO weir.touched_days (tenant_id, day) VALUES (tenant, '2026-03-04'), (tenant, '2026-03-05')
$$;
\ir lib/build.sql
SELECT pg_temp.store('acme', '{ann,ben,cat,dan,eve,eli,fay,gus,""}'), pg_temp.store('first', '{ann,cat,eve,fay}'), pg_temp.store('second', '{ben,dan,eli,gus,""}');
SELECT pg_temp.build();

CREATE FUNCTION pg_temp.ways(filter text, zone text DEFAULT 'UTC', length integer DEFAULT 4) RETURNS jsonb LANGUAGE sql AS $$
  SELECT paths_answer('acme', '2026-03-03', '2026-03-06', zone, length => length, filter => filter) - '{as_of,incomplete}'::text[]
$$;
CREATE FUNCTION pg_temp.pages(filter text, zone text DEFAULT 'UTC') RETURNS jsonb LANGUAGE sql AS $$
  SELECT pages_answer('acme', '2026-03-03', '2026-03-06', zone, at_least => 1, filter => filter) - '{as_of,incomplete}'::text[]
$$;
-- Users, and how many visits had which way.
CREATE FUNCTION pg_temp.summary(filter text) RETURNS jsonb LANGUAGE sql AS $$
  SELECT a -> 'users' || jsonb_build_array(coalesce((SELECT jsonb_object_agg(p ->> 'screens', p -> 'visits') FROM jsonb_array_elements(a -> 'paths') AS p), '{}'))
  FROM pg_temp.ways(filter) AS a
$$;
CREATE FUNCTION pg_temp.means(filter text) RETURNS jsonb LANGUAGE sql AS $$
  SELECT coalesce(jsonb_object_agg(coalesce(p ->> 'page', ''), jsonb_build_array(p -> 'count', round((p ->> 'mean')::numeric))), '{}')
  FROM jsonb_array_elements(pg_temp.pages(filter) -> 'pages') AS p
$$;

CREATE TEMPORARY TABLE wanted (filter text, about text, ways jsonb, pages jsonb);
INSERT INTO wanted VALUES
  ('{"version": "1.0"}', 'ann twice, ben, dan without the other version, eve', '[4, {"[\"home\", \"list\"]": 2, "[\"list\"]": 1, "[\"home\", \"pay\"]": 2}]',
    '{"home": [3, 467], "pay": [1, 500]}'),
  ('{"version": "2.0"}', 'cat, dan''s one view, eli, fay', '[4, {"[\"home\"]": 2, "[\"list\"]": 1, "[\"home\", \"list\"]": 1}]', '{"home": [1, 700]}'),
  ('{"platform": "iOS"}', 'ann twice, dan, eve', '[3, {"[\"home\", \"list\"]": 2, "[\"list\"]": 1, "[\"home\", \"list\", \"pay\"]": 1}]', '{"home": [1, 100]}'),
  ('{"platform": "ios"}', 'fay', '[1, {"[\"home\", \"list\"]": 1}]', '{}'),
  ('{"platform": "macOS"}', 'ben, eli; nobody', '[2, {"[\"home\", \"pay\"]": 1, "[\"home\"]": 1}]', '{"home": [2, 650], "pay": [1, 500], "": [1, 50]}'),
  ('{"country": "BR"}', 'ann twice, cat, dan; nobody', '[3, {"[\"home\", \"list\"]": 1, "[\"list\"]": 1, "[\"home\"]": 1, "[\"home\", \"list\", \"pay\"]": 1}]',
    '{"home": [3, 600]}'),
  ('{"country": "DE"}', 'eve, eli, fay, gus', '[4, {"[\"home\", \"list\"]": 2, "[\"home\"]": 2}]', '{"home": [1, 900]}'),
  ('{"country": "1.0"}', 'nobody: it is a version', '[0, {}]', '{}'),
  (NULL, 'all', '[8, {"[\"home\", \"list\"]": 3, "[\"list\"]": 1, "[\"home\", \"pay\"]": 1, "[\"home\"]": 3, "[\"home\", \"list\", \"pay\"]": 1}]',
    '{"home": [5, 600], "pay": [1, 500], "": [1, 50]}');
SELECT is(pg_temp.summary(w.filter), w.ways, format('ways with %s: %s', coalesce(w.filter, 'no filter'), w.about)) FROM wanted AS w;
SELECT is(pg_temp.means(w.filter), w.pages, format('pages with %s: %s', coalesce(w.filter, 'no filter'), w.about)) FROM wanted AS w;

-- From tallies, ways near midnight and views of two versions. With two values, from visits and events.
SAVEPOINT packed;
DELETE FROM packs WHERE event NOT IN (made_pack('loose ways'), made_pack('loose views')) AND day IN ('2026-03-04', '2026-03-05');
SELECT is(pg_temp.summary(w.filter), w.ways, 'ways without visits: ' || w.about) FROM wanted AS w;
SELECT is(pg_temp.means(w.filter), w.pages, 'pages without events: ' || w.about) FROM wanted AS w;
ROLLBACK TO packed;
DELETE FROM day_tallies WHERE NOT (dimension = 'platform' AND value = 'iOS');
DELETE FROM day_ways WHERE NOT (dimension = 'platform' AND value = 'iOS');
SELECT is(pg_temp.summary('{"platform": "iOS"}'), w.ways, 'nothing but the value''s own tallies') FROM wanted AS w WHERE w.filter = '{"platform": "iOS"}';
SELECT is(pg_temp.means('{"platform": "iOS"}'), w.pages, 'of pages, too') FROM wanted AS w WHERE w.filter = '{"platform": "iOS"}';
SELECT is(pg_temp.summary('{"platform": "ios"}') -> 1, '{}', 'which another value has not');
SELECT is(pg_temp.summary('{"platform": "iOS", "version": "1.0"}'), '[3, {"[\"home\", \"list\"]": 2, "[\"list\"]": 1, "[\"home\", \"pay\"]": 1}]',
  'two values are looked for among visits');
SELECT is(pg_temp.means('{"platform": "iOS", "version": "1.0"}'), '{"home": [1, 100]}', 'and events');
ROLLBACK TO packed;
DELETE FROM day_viewers WHERE dimension = 'country';
SELECT is(pg_temp.summary('{"country": "BR"}') -> 0, '1', 'users are told by viewers of the value, but dan, who is loose');
ROLLBACK TO packed;

CREATE TEMPORARY TABLE said AS
SELECT w.filter, zone, length, pg_temp.ways(w.filter, zone, length) AS ways, pg_temp.pages(w.filter, zone) AS pages
FROM (SELECT w.filter FROM wanted AS w UNION ALL VALUES ('{"platform": "iOS", "version": "1.0"}'), ('{"version": "3.0"}'), ('{"properties": {"screen": "home"}}')) AS w,
  unnest('{UTC,Asia/Kolkata,America/Sao_Paulo}'::text[]) AS zone, unnest('{2,10}'::integer[]) AS length;
DELETE FROM packed_days;
SELECT is((pg_temp.ways(s.filter, s.zone, s.length), pg_temp.pages(s.filter, s.zone))::text, (s.ways, s.pages)::text,
  format('in %s, to %s steps, with %s the same from events', s.zone, s.length, coalesce(s.filter, 'no filter'))) FROM said AS s;
ROLLBACK TO packed;

-- Two servers, users split between them.
SELECT is(paths_merge(ARRAY(
    SELECT p FROM unnest('{first,second}'::text[]) AS tenant, paths_partial(tenant, '2026-03-03', '2026-03-06', 'UTC', filter => coalesce(w.filter, '{}')::jsonb) AS p)),
  pg_temp.ways(w.filter) - '{tenant,from,to,zone,length}'::text[], 'two servers together say of ways what one says: ' || w.about) FROM wanted AS w;
SELECT is(pages_merge(ARRAY(
    SELECT p FROM unnest('{first,second}'::text[]) AS tenant, pages_partial(tenant, '2026-03-03', '2026-03-06', 'UTC', filter => coalesce(w.filter, '{}')::jsonb) AS p), 1),
  pg_temp.pages(w.filter) - '{tenant,from,to,zone,at_least,exact,error}'::text[], 'and of pages: ' || w.about) FROM wanted AS w;

-- What has tallies, and which filters ask for them.
SELECT set_eq($$SELECT DISTINCT t.dimension, t.value FROM day_tallies AS t WHERE t.tenant_id = 'acme' AND t.dimension !~ '^properties'$$,
  $$VALUES ('', ''), ('version', '1.0'), ('version', '2.0'), ('platform', 'iOS'), ('platform', 'ios'), ('platform', 'macOS'), ('country', 'BR'), ('country', 'DE')$$,
  'each value that a filter can ask for');
SELECT set_eq($$SELECT DISTINCT v.dimension, v.value FROM day_viewers AS v WHERE v.tenant_id = 'acme' AND v.dimension !~ '^properties'$$,
  $$SELECT DISTINCT t.dimension, t.value FROM day_tallies AS t WHERE t.tenant_id = 'acme' AND t.dimension !~ '^properties'$$, 'has viewers');
SELECT is(tallied_by(f.filter), f.tally, 'tallies of ' || f.filter::text) FROM (VALUES
  ('{}'::jsonb, '{"",""}'::text[]), ('{"version": "1.0"}', '{version,1.0}'), ('{"platform": "iOS"}', '{platform,iOS}'), ('{"country": "BR"}', '{country,BR}'),
  ('{"country": "BR", "version": "1.0"}', NULL), ('{"country": "BR", "properties": {"a": 1}}', NULL)) AS f (filter, tally);

-- What verify finds.
SELECT is_empty($$SELECT v.* FROM unnest('{2026-03-04,2026-03-05}'::date[]) AS d, verify_day('acme', 'UTC', d) AS v$$, 'all of it is verified');
UPDATE day_tallies SET times[1] = 7 WHERE tenant_id = 'acme' AND day = '2026-03-04' AND dimension = 'platform' AND value = 'iOS' AND subject = 'page';
UPDATE day_tallies SET dimension = 'version' WHERE tenant_id = 'acme' AND day = '2026-03-04' AND dimension = 'country' AND value = 'BR' AND subject = 'step';
UPDATE day_viewers SET users = ~users WHERE tenant_id = 'acme' AND day = '2026-03-04' AND dimension = 'version';
SELECT set_eq($$SELECT v.part, v.subject, v.value FROM verify_day('acme', 'UTC', '2026-03-04') AS v$$, $$VALUES ('tallies', 'page of platform', 'iOS 0'),
  ('tallies', 'step of version', 'BR 0'), ('tallies', 'step of country', 'BR 0'), ('viewers', 'version', '1.0 0')$$, 'a value''s numbers and users that its visits do not say');
SELECT ok(rebuild_day('acme', '2026-03-04', false), 'a rebuild');
SELECT is_empty($$SELECT v.* FROM verify_day('acme', 'UTC', '2026-03-04') AS v$$, 'makes them anew');

-- More lines than a part has room for.
INSERT INTO weir.events (event_id, tenant_id, user_id, event, platform, properties, "timestamp", client_timestamp)
SELECT gen_random_uuid(), 'acme', 'max', 'page_load', 'web', jsonb_build_object('page', 'p' || n, 'value', n), at, at
FROM generate_series(1, 5000) AS n, (VALUES (timestamptz '2026-03-06T12:00Z')) AS t (at);
INSERT INTO weir.touched_days (tenant_id, day) VALUES ('acme', '2026-03-06');
SELECT pg_temp.build();
SELECT results_eq($$SELECT t.part, cardinality(t.names), cardinality(t.totals) FROM day_tallies AS t WHERE t.day = '2026-03-06' AND t.value = 'web' ORDER BY 1$$,
  'VALUES (0, 4096, 4096), (1, 904, 904)', 'are in several');
SELECT is(pg_temp.pages('{"platform": "web"}') #> '{all,count}', '5000', 'and read from them');
SELECT * FROM finish();
ROLLBACK;
