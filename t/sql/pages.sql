-- Slow pages and clicks in anger, against numbers worked out by hand.
BEGIN;
SET LOCAL search_path = weir, public;
SET LOCAL client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap SCHEMA public;
SELECT no_plan();

CREATE TEMPORARY TABLE said (person text, name text, at timestamptz, properties jsonb);
CREATE FUNCTION pg_temp.store(people text[]) RETURNS void LANGUAGE sql AS $$
  INSERT INTO weir.events (event_id, tenant_id, user_id, event, platform, "timestamp", client_timestamp, properties)
  SELECT gen_random_uuid(), 'acme', person, name, person || 'os', at, at, properties FROM said WHERE coalesce(person, '') = ANY (people);
$$;

-- /a takes 100, 200, 300, 400; /b 1000 and 3000; one has no page, /c no number that is one.
INSERT INTO said VALUES
  ('ann', 'page_view', '2026-03-02T10:00Z', '{"page": "/a", "load_ms": 100}'), ('ben', 'page_view', '2026-03-02T11:00Z', '{"page": "/a", "load_ms": 200}'),
  ('ann', 'page_view', '2026-03-03T10:00Z', '{"page": "/a", "load_ms": 300}'), (NULL, 'page_view', '2026-03-03T10:00Z', '{"page": "/a", "load_ms": 400}'),
  ('ann', 'page_view', '2026-03-04T23:30Z', '{"page": "/b", "load_ms": 1000}'), ('ben', 'screen', '2026-03-04T10:00Z', '{"page": "/b", "duration_ms": 3000}'),
  ('ben', 'page_load', '2026-03-04T10:00Z', '{"value": 50}'), ('ben', 'page_view', '2026-03-04T10:00Z', '{"page": "/c", "load_ms": "900"}'),
  ('ben', 'opened', '2026-03-04T10:00Z', '{"page": "/c", "load_ms": 900}');
SELECT pg_temp.store(ARRAY['ann', 'ben', '']);
CREATE FUNCTION pg_temp.near(a jsonb, path text, wanted numeric, claim text) RETURNS text LANGUAGE sql AS $$
  SELECT ok((a #>> path::text[])::numeric BETWEEN wanted * 0.99 AND wanted * 1.01, claim)
$$;
CREATE TEMPORARY TABLE answer AS SELECT pages_answer('acme', '2026-03-02', '2026-03-04', at_least => 1) AS a;
SELECT is(jsonb_path_query_array(a, '$.pages[*].page'), '["/b", "/a", null]', 'the slowest first, and what has no page') FROM answer;
SELECT is(jsonb_path_query_array(a, '$.pages[*].count'), '[2, 4, 1]', 'how often') FROM answer;
SELECT is(jsonb_path_query_array(a, '$.pages[*].mean'), '[2000.000000, 250.000000, 50.000000]', 'in the mean') FROM answer;
SELECT pg_temp.near(a, '{pages,1,median}', 200, 'of 100, 200, 300, 400 the median is 200, to 1 %') FROM answer;
SELECT pg_temp.near(a, '{pages,1,p75}', 300, 'p75 is 300') FROM answer;
SELECT pg_temp.near(a, '{pages,1,p95}', 400, 'p95 is 400') FROM answer;
SELECT is(a #> '{all,count}', '7', 'all together') FROM answer;
SELECT is(a -> 'other', 'null', 'none were too many') FROM answer;
SELECT is(pages_answer('acme', '2026-03-02', '2026-03-04', at_least => 3) #> '{pages,0,page}', '"/a"', 'only pages with so many');
SELECT is(pages_answer('acme', '2026-03-02', '2026-03-04', at_least => 3) -> 'left_out', '2', 'and how many have fewer');
SELECT is(pages_answer('acme', '2026-03-02', '2026-03-04', at_least => 1, most => 1) -> 'more', '2', 'as many as were asked for');
SELECT is(pages_answer('acme', '2026-03-05', '2026-03-05', 'Europe/Berlin', at_least => 1) #> '{pages,0,page}', '"/b"', 'the day of another zone');
SELECT is(pages_answer('acme', '2026-03-02', '2026-03-04', event => 'screen', property => 'duration_ms', page => 'page', at_least => 1) #> '{all,count}', '1', 'names of one''s own');
SELECT is(pages_answer('acme', '2026-03-02', '2026-03-04', at_least => 1, filter => '{"platform": "annos"}') #> '{all,count}', '3', 'a filter');
SELECT is(pages_answer('acme', '2025-03-02', '2025-03-04') -> 'all', '{"count": 0, "mean": null, "median": null, "p75": null, "p95": null}', 'an empty window');
SELECT throws_ok($$SELECT pages_answer('acme', '2026-03-02', '2026-03-04', at_least => 0)$$, '22023', 'at_least has to be a whole number from 1 to 1000000', 'at least one');

CREATE TEMPORARY TABLE parts AS SELECT p FROM pages_partial('acme', '2026-03-02', '2026-03-04', 'UTC') AS p WHERE false;
CREATE FUNCTION pg_temp.server(people text[]) RETURNS void LANGUAGE sql AS $$
  DELETE FROM weir.events;
  SELECT pg_temp.store(people);
  INSERT INTO parts SELECT p FROM weir.pages_partial('acme', '2026-03-02', '2026-03-04', 'UTC') AS p;
$$;
SELECT pg_temp.server(ARRAY['ann', '']);
SELECT pg_temp.server(ARRAY['ben']);
SELECT is(pages_merge(ARRAY(SELECT p FROM parts), 1), (SELECT a - '{tenant,from,to,zone,at_least,as_of,exact,error}'::text[] FROM answer),
  'two servers together say of pages what one says');
INSERT INTO weir.events (event_id, tenant_id, user_id, event, "timestamp", client_timestamp, properties)
SELECT gen_random_uuid(), 'many', 'max', 'page_view', at, at, jsonb_build_object('page', 'p' || n % 1500, 'load_ms', n)
FROM generate_series(1, 100000) AS n, LATERAL (SELECT timestamptz '2026-03-02T00:00Z' + n * interval '1 second') AS t (at);
CREATE TEMPORARY TABLE many AS SELECT pages_answer('many', '2026-03-02', '2026-03-04') AS a;
SELECT is(a #> '{all,count}', '100000', 'a user with 100,000 events') FROM many;
SELECT is(a #> '{other,count}', '33000', 'five hundred pages are one') FROM many;

-- Clicks. What came in first happened last.
DELETE FROM weir.events;
DELETE FROM said;
INSERT INTO said SELECT 'ann', 'click', timestamptz '2026-03-02T10:00Z' + s * interval '1 second', '{"page": "/a", "element": "#buy"}'
FROM unnest('{1,0.5,0,1.5,1.9,20,20.6,21.001,40,40,40}'::numeric[]) AS s;
INSERT INTO said VALUES
  -- Three within a second, but on two elements and two pages.
  ('ben', 'click', '2026-03-02T10:00:00.0Z', '{"page": "/a", "element": "#x"}'), ('ben', 'click', '2026-03-02T10:00:00.1Z', '{"page": "/b", "element": "#x"}'),
  ('ben', 'click', '2026-03-02T10:00:00.2Z', '{"page": "/a", "element": "#y"}'), ('ben', 'click', '2026-03-02T10:00:00.3Z', '{"page": "/a"}'),
  ('ben', 'click', '2026-03-02T10:00:00.4Z', '{"page": "/a"}'), ('ben', 'click', '2026-03-02T10:00:00.5Z', '{"page": "/a"}'),
  ('ben', '$rageclick', '2026-03-03T10:00Z', '{"$pathname": "/b", "$el_text": "Pay"}'), ('ben', 'rage_click', '2026-03-03T10:00Z', '{}'),
  ('cat', 'rage_click', '2026-03-04T23:30Z', '{"page": "/a", "element": 7}'), (NULL, 'rage_click', '2026-03-03T10:00Z', '{"page": "/a"}');
SELECT pg_temp.store(ARRAY['ann', 'ben', 'cat', '']);
CREATE TEMPORARY TABLE rage AS SELECT rage_clicks_answer('acme', '2026-03-02', '2026-03-04') AS a;
SELECT is(a -> 'bursts', '2', 'five within two seconds, of which each three within one, are one burst; three at one moment another') FROM rage;
SELECT is(a -> 'told', '3', 'and three were told of') FROM rage;
SELECT is(a -> 'rage_clicks', '5', 'together five') FROM rage;
SELECT is(a -> 'users', '3', 'of three users') FROM rage;
SELECT is(a -> 'pages', '[{"page": "/a", "users": 2, "rage_clicks": 3}, {"page": "/b", "users": 1, "rage_clicks": 1}, {"page": null, "users": 1, "rage_clicks": 1}]',
  'by page') FROM rage;
SELECT is(a #> '{elements,0}', '{"page": "/a", "users": 1, "element": "#buy", "rage_clicks": 2}', 'by element') FROM rage;
SELECT is(rage_clicks_answer('acme', '2026-03-02', '2026-03-04', clicks => 5, seconds => 2) -> 'bursts', '1', 'five within two seconds');
SELECT is(rage_clicks_answer('acme', '2026-03-02', '2026-03-04', seconds => 2) -> 'bursts', '3', 'three within two');
SELECT is(rage_clicks_answer('acme', '2026-03-02', '2026-03-04', event => 'tap') -> 'bursts', '0', 'another event');
SELECT is(rage_clicks_answer('acme', '2026-03-05', '2026-03-05', 'Europe/Berlin') -> 'told', '1', 'the day of another zone');
SELECT is(rage_clicks_answer('acme', '2026-03-02', '2026-03-04', filter => '{"platform": "benos"}') -> 'rage_clicks', '2', 'a filter');
SELECT is(rage_clicks_answer('acme', '2025-03-02', '2025-03-04') -> 'pages', '[]', 'an empty window');
SELECT throws_ok($$SELECT rage_clicks_answer('acme', '2026-03-02', '2026-03-04', clicks => 21)$$, '22023', 'clicks has to be a whole number from 1 to 20', 'more clicks than are looked at');
SELECT throws_ok($$SELECT rage_clicks_answer('acme', '2026-03-02', '2026-03-04', seconds => 61)$$, '22023', 'seconds has to be a whole number from 1 to 60', 'nor is a minute');
CREATE TEMPORARY TABLE clicks AS SELECT p FROM rage_clicks_partial('acme', '2026-03-02', '2026-03-04', 'UTC') AS p WHERE false;
CREATE FUNCTION pg_temp.clicks_of(people text[]) RETURNS void LANGUAGE sql AS $$
  DELETE FROM weir.events;
  SELECT pg_temp.store(people);
  INSERT INTO clicks SELECT p FROM weir.rage_clicks_partial('acme', '2026-03-02', '2026-03-04', 'UTC') AS p;
$$;
SELECT pg_temp.clicks_of(ARRAY['ann', 'cat']);
SELECT pg_temp.clicks_of(ARRAY['ben', '']);
SELECT is(rage_clicks_merge(ARRAY(SELECT p FROM clicks)), (SELECT a - '{tenant,from,to,zone,clicks,seconds,as_of}'::text[] FROM rage),
  'two servers together say of clicks what one says');
INSERT INTO weir.events (event_id, tenant_id, user_id, event, "timestamp", client_timestamp, properties)
SELECT gen_random_uuid(), 'many', 'max', 'click', at, at, jsonb_build_object('element', 'e' || n % 1500)
FROM generate_series(1, 100000) AS n, LATERAL (SELECT timestamptz '2026-03-02T00:00Z') AS t (at);
CREATE TEMPORARY TABLE many_clicks AS SELECT rage_clicks_answer('many', '2026-03-02', '2026-03-04') AS a;
SELECT is(a -> 'rage_clicks', '1500', 'a user with 100,000 clicks') FROM many_clicks;
SELECT is(a -> 'exact', 'false', 'on more elements than are told') FROM many_clicks;
SELECT * FROM finish();
ROLLBACK;
