-- The net promoter score, against numbers worked out by hand.
BEGIN;
SET LOCAL search_path = weir, public;
SET LOCAL client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap SCHEMA public;
SELECT no_plan();

-- Monday 2026-03-02 and after. What came in first happened last.
CREATE TEMPORARY TABLE said (person text, version text, at timestamptz, properties jsonb);
INSERT INTO said VALUES
  ('ann', '1.1', '2026-03-09T10:00Z', '{"score": 9}'), ('ann', '1.0', '2026-03-02T10:00Z', '{"score": 3}'),
  ('ben', '1.0', '2026-03-02T10:00Z', '{"score": 10}'), ('cat', '1.0', '2026-03-03T10:00Z', '{"score": 7}'),
  -- Two of one moment: the lower one.
  ('dan', '1.1', '2026-03-03T10:00Z', '{"score": 10}'), ('dan', '1.1', '2026-03-03T10:00Z', '{"score": 0}'),
  ('eve', NULL, '2026-03-10T10:00Z', '{"score": 9.0}'),
  ('fay', '1.1', '2026-03-10T10:00Z', '{"score": 11}'), ('fay', '1.1', '2026-03-10T10:01Z', '{"score": "9"}'), ('fay', '1.1', '2026-03-10T10:02Z', '{"score": 8.5}'),
  ('fay', '1.1', '2026-03-10T10:03Z', NULL), (NULL, '1.1', '2026-03-10T10:03Z', '{"score": 9}'),
  -- On the 16th in Berlin.
  ('gus', '1.1', '2026-03-15T23:30Z', '{"score": 6}');
CREATE FUNCTION pg_temp.store(people text[]) RETURNS void LANGUAGE sql AS $$
  INSERT INTO weir.events (event_id, tenant_id, user_id, event, app_version, "timestamp", client_timestamp, properties)
  SELECT gen_random_uuid(), 'acme', person, 'nps_answered', version, at, at, properties FROM said WHERE coalesce(person, '') = ANY (people);
$$;
SELECT pg_temp.store(ARRAY['ann', 'ben', 'cat', 'dan', 'eve', 'fay', 'gus', '']);
CREATE TEMPORARY TABLE answer AS SELECT nps_answer('acme', '2026-03-02', '2026-03-15') AS a;
-- 9, 10, 7, 0, 9, 6.
SELECT is(a - '{tenant,from,to,zone,as_of,exact,versions,weeks}'::text[], '{"answers": 6, "promoters": 3, "passives": 1, "detractors": 2, "score": 16.7, '
  '"margin": 71.8, "scores": [1, 0, 0, 0, 0, 0, 1, 1, 0, 2, 1], "invalid": 5}', 'three of six promote, two do not: 16.7') FROM answer;
SELECT is(jsonb_path_query_array(a, '$.versions[*].version'), '["1.1", "1.0", null]', 'by version of the latest answer') FROM answer;
SELECT is(jsonb_path_query_array(a, '$.versions[*].score'), '[-33.3, 50.0, 100.0]', '9, 0, 6 | 10, 7 | 9') FROM answer;
SELECT is(jsonb_path_query_array(a, '$.weeks[*].start'), '["2026-03-02", "2026-03-09"]', 'by week') FROM answer;
SELECT is(jsonb_path_query_array(a, '$.weeks[*].score'), '[-25.0, 33.3]', '3, 10, 7, 0 | 9, 9, 6') FROM answer;
SELECT is(nps_answer('acme', '2026-03-16', '2026-03-16', 'Europe/Berlin') -> 'answers', '1', 'the day of another zone');
SELECT is(nps_answer('acme', '2026-03-02', '2026-03-15', filter => '{"version": "1.0"}') -> 'score', '0.0', 'a filter: 3, 10 and 7');
SELECT is(nps_answer('acme', '2026-03-02', '2026-03-15', event => 'survey') -> 'answers', '0', 'another event');
SELECT is(nps_answer('acme', '2025-03-02', '2025-03-15') - '{tenant,from,to,zone,as_of,exact,versions,weeks,scores}'::text[],
  '{"answers": 0, "promoters": 0, "passives": 0, "detractors": 0, "score": null, "margin": null, "invalid": 0}', 'an empty window');
-- 60 of 100 promote, 10 do not: 50, give or take 1.96 * sqrt((0.7 - 0.25) / 100) * 100.
SELECT is(nps_of('{10,0,0,0,0,0,0,30,0,0,60}') ->> 'margin', '13.1', 'the margin');
SELECT is(nps_of('{0,0,0,0,0,0,0,0,0,0,5}') ->> 'margin', '0.0', 'there is none where all say the same');

CREATE TEMPORARY TABLE parts AS SELECT p FROM nps_partial('acme', '2026-03-02', '2026-03-15', 'UTC') AS p WHERE false;
CREATE FUNCTION pg_temp.server(people text[]) RETURNS void LANGUAGE sql AS $$
  DELETE FROM weir.events;
  SELECT pg_temp.store(people);
  INSERT INTO parts SELECT p FROM weir.nps_partial('acme', '2026-03-02', '2026-03-15', 'UTC') AS p;
$$;
SELECT pg_temp.server(ARRAY['ann', 'cat', 'fay']);
SELECT pg_temp.server(ARRAY['ben', 'dan', 'eve', 'gus', '']);
SELECT is(nps_merge(ARRAY(SELECT p FROM parts)), (SELECT a - '{tenant,from,to,zone,as_of,exact}'::text[] FROM answer), 'two servers together say what one says');
INSERT INTO weir.events (event_id, tenant_id, user_id, event, "timestamp", client_timestamp, properties)
SELECT gen_random_uuid(), 'many', 'max', 'nps', at, at, jsonb_build_object('score', n % 10)
FROM generate_series(1, 100000) AS n, LATERAL (SELECT timestamptz '2026-03-02T00:00Z' + n * interval '1 second') AS t (at);
SELECT is(nps_answer('many', '2026-03-02', '2026-03-04') -> 'detractors', '1', 'a user who answers 100,000 times, 0 at last, is one');
SELECT * FROM finish();
ROLLBACK;
