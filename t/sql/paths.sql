-- Ways through the screens, against numbers worked out by hand.
BEGIN;
SET LOCAL search_path = weir, public;
SET LOCAL client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap SCHEMA public;
SELECT no_plan();

CREATE TEMPORARY TABLE said (person text, session text, name text, at timestamptz, properties jsonb);
INSERT INTO said VALUES
  -- ann: home, list (twice), item, home. What came in first happened last.
  ('ann', 's1', 'screen', '2026-03-02T10:04Z', '{"screen": "home"}'), ('ann', 's1', 'page_view', '2026-03-02T10:03Z', '{"page": "item"}'),
  ('ann', 's1', 'screen', '2026-03-02T10:02Z', '{"screen": "list"}'), ('ann', 's1', 'screen', '2026-03-02T10:01Z', '{"screen": "list"}'),
  ('ann', 's1', 'screen', '2026-03-02T10:00Z', '{"screen": "home"}'),
  -- Another session at the same time.
  ('ann', 's2', 'screen', '2026-03-02T10:01:30Z', '{"screen": "help"}'),
  -- ben has no session, which is as good as one: 30 minutes are one visit, a second more is another. All of one moment go by name.
  ('ben', NULL, 'screen', '2026-03-03T10:00Z', '{"screen": "home"}'), ('ben', NULL, 'screen', '2026-03-03T10:30Z', '{"screen": "list"}'),
  ('ben', NULL, 'screen', '2026-03-03T11:00:01Z', '{"screen": "list"}'), ('ben', NULL, 'screen', '2026-03-03T11:00:01Z', '{"screen": "item"}'),
  -- cat: names of other types, and none.
  ('cat', 's3', 'screen', '2026-03-04T10:00Z', '{"screen": 7}'), ('cat', 's3', 'screen', '2026-03-04T10:01Z', '{"screen": ["a"], "page": ""}'),
  ('cat', 's3', 'screen', '2026-03-04T10:02Z', '["home"]'), ('cat', 's3', 'screen', '2026-03-04T10:03Z', NULL),
  ('cat', 's3', 'opened', '2026-03-04T10:04Z', '{"screen": "home"}'),
  (NULL, 's4', 'screen', '2026-03-04T10:00Z', '{"screen": "home"}'),
  ('dan', 's5', 'screen', '2026-03-04T23:30Z', '{"screen": "late"}'), ('dan', 's5', 'screen', '2026-03-05T00:00Z', '{"screen": "home"}');
CREATE FUNCTION pg_temp.store(people text[]) RETURNS void LANGUAGE sql AS $$
  INSERT INTO weir.events (event_id, tenant_id, user_id, session_id, event, platform, "timestamp", client_timestamp, properties)
  SELECT gen_random_uuid(), 'acme', person, session, name, person || 'os', at, at, properties FROM said WHERE coalesce(person, '') = ANY (people);
$$;
SELECT pg_temp.store(ARRAY['ann', 'ben', 'cat', 'dan', '']);

CREATE TEMPORARY TABLE answers AS
SELECT 'all' AS about, paths_answer('acme', '2026-03-02', '2026-03-04', length => 3) AS a
UNION ALL SELECT 'top', paths_answer('acme', '2026-03-02', '2026-03-04', most => 1)
UNION ALL SELECT 'ann', paths_answer('acme', '2026-03-02', '2026-03-04', filter => '{"platform": "annos"}')
UNION ALL SELECT 'page', paths_answer('acme', '2026-03-02', '2026-03-04', event => 'page_view', property => 'page')
UNION ALL SELECT 'berlin', paths_answer('acme', '2026-03-05', '2026-03-05', 'Europe/Berlin')
UNION ALL SELECT 'empty', paths_answer('acme', '2025-03-02', '2025-03-04');
CREATE FUNCTION pg_temp.has(about text, path text, wanted text, claim text) RETURNS text LANGUAGE sql AS $$
  SELECT is(jsonb_path_query_array(a, path::jsonpath)::text, wanted, claim) FROM answers AS t WHERE t.about = has.about
$$;
SELECT pg_temp.has('all', '$.visits', '[6]', 'two visits of ann, two of ben, one of cat and of dan');
SELECT pg_temp.has('all', '$.users', '[4]', 'of four users');
-- ann: home list item home | help; ben: home list | item list; cat: 7; dan: late.
SELECT pg_temp.has('all', '$.screens[*].screen', '["home", "list", "item", "7", "help", "late"]', 'screens by their steps, and by name');
SELECT pg_temp.has('all', '$.screens[*].steps', '[3, 3, 2, 1, 1, 1]', 'steps');
SELECT pg_temp.has('all', '$.screens[*].views', '[3, 4, 2, 1, 1, 1]', 'views: the list was shown twice on end');
SELECT pg_temp.has('all', '$.screens[*].entries', '[2, 0, 1, 1, 1, 1]', 'where visits begin');
SELECT pg_temp.has('all', '$.screens[*].exits', '[1, 2, 0, 1, 1, 1]', 'and where they end');
SELECT pg_temp.has('all', '$.screens[*].drop_off', '[0.333333, 0.666667, 0.000000, 1.000000, 1.000000, 1.000000]', 'as a share of steps');
SELECT pg_temp.has('all', '$.screens[0].next', '[[{"count": 2, "share": 0.666667, "screen": "list"}]]', 'after home comes the list');
SELECT pg_temp.has('all', '$.screens[2].next', '[[{"count": 1, "share": 0.500000, "screen": "home"}, {"count": 1, "share": 0.500000, "screen": "list"}]]', 'after an item home or the list');
SELECT pg_temp.has('all', '$.paths[*].screens', '[["7"], ["help"], ["home", "list", "item"], ["home", "list"], ["item", "list"], ["late"]]', 'first three steps');
SELECT pg_temp.has('all', '$.paths[*].share', '[0.166667, 0.166667, 0.166667, 0.166667, 0.166667, 0.166667]', 'each of one visit');
SELECT pg_temp.has('top', '$.screens[*].screen', '["home"]', 'as many as were asked for');
SELECT pg_temp.has('top', '$.more_screens', '[5]', 'and how many more there are');
SELECT pg_temp.has('ann', '$.visits', '[2]', 'a filter');
SELECT pg_temp.has('page', '$.screens[*].screen', '["item"]', 'an event and a property of one''s own');
SELECT pg_temp.has('berlin', '$.paths[*].screens', '[["late", "home"]]', 'the day of another zone');
SELECT pg_temp.has('empty', '$.visits', '[0]', 'an empty window');
SELECT pg_temp.has('empty', '$.screens', '[[]]', 'has no screens');
SELECT pg_temp.has('all', '$.exact', '[true]', 'all of it is exact');
SELECT is(paths_answer('acme', '2026-03-02', '2026-03-02', length => 2) #>> '{paths,1,screens}', '["home", "list"]', 'paths of two');
SELECT throws_ok($$SELECT paths_answer('acme', '2026-03-02', '2026-03-04', length => 0)$$, '22023', 'length has to be a whole number from 1 to 10', 'no step is no path');
SELECT throws_ok($$SELECT paths_answer('acme', '2026-03-02', '2026-03-04', length => 11)$$, '22023', 'length has to be a whole number from 1 to 10', 'eleven are too many');
SELECT throws_ok($$SELECT paths_answer('acme', '2026-03-02', '2026-03-04', filter => '{"page": "x"}')$$, '22023',
  'filter.page is not known here: there are properties, version, platform, country', 'a filter that is none');

-- Two servers, users split between them.
CREATE TEMPORARY TABLE parts AS SELECT p FROM paths_partial('acme', '2026-03-02', '2026-03-04', 'UTC') AS p WHERE false;
CREATE FUNCTION pg_temp.server(people text[]) RETURNS void LANGUAGE sql AS $$
  DELETE FROM weir.events;
  SELECT pg_temp.store(people);
  INSERT INTO parts SELECT p FROM weir.paths_partial('acme', '2026-03-02', '2026-03-04', 'UTC', length => 3) AS p;
$$;
SELECT pg_temp.server(ARRAY['ann', 'cat', '']);
SELECT pg_temp.server(ARRAY['ben', 'dan']);
SELECT is(paths_merge(ARRAY(SELECT p FROM parts)), (SELECT a - '{tenant,from,to,zone,length,as_of}'::text[] FROM answers WHERE about = 'all'),
  'two servers together say what one says');

-- One user with a hundred thousand views, and more screens than are listed.
INSERT INTO weir.events (event_id, tenant_id, user_id, session_id, event, "timestamp", client_timestamp, properties)
SELECT gen_random_uuid(), 'many', 'max', 's', 'screen', at, at, jsonb_build_object('screen', 's' || n % 2000)
FROM generate_series(1, 100000) AS n, LATERAL (SELECT timestamptz '2026-03-02T00:00Z' + n * interval '1 second') AS t (at);
CREATE TEMPORARY TABLE many AS SELECT paths_answer('many', '2026-03-02', '2026-03-04') AS a;
SELECT is(a ->> 'visits', '1', 'one visit of 100,000 views') FROM many;
SELECT is(a ->> 'exact', 'false', 'of 2,000 screens, of which a thousand are known') FROM many;
SELECT is(a ->> 'more_screens', '980', 'twenty of these listed') FROM many;
SELECT * FROM finish();
ROLLBACK;
