-- Time from start to finish, against numbers worked out by hand.
BEGIN;
SET LOCAL search_path = weir, public;
SET LOCAL client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap SCHEMA public;
SELECT no_plan();

CREATE TEMPORARY TABLE said (person text, name text, at timestamptz, properties jsonb);
INSERT INTO said VALUES
  -- Two tasks at once, told apart by their key: 100 and 50 seconds; what came in first happened last.
  ('ann', 'end', '2026-03-02T10:01:40Z', '{"id": 1}'), ('ann', 'begin', '2026-03-02T10:00:00Z', '{"id": 1}'),
  ('ann', 'begin', '2026-03-02T10:00:10Z', '{"id": "2"}'), ('ann', 'end', '2026-03-02T10:01:00Z', '{"id": 2}'),
  -- Begun anew: the first was not finished. A second finish ends nothing.
  ('ben', 'begin', '2026-03-02T10:00:00Z', NULL), ('ben', 'begin', '2026-03-02T10:01:00Z', NULL),
  ('ben', 'end', '2026-03-02T10:04:20Z', NULL), ('ben', 'end', '2026-03-02T10:05:00Z', NULL),
  -- Just in time after an hour, and a second too late.
  ('cat', 'begin', '2026-03-03T10:00:00Z', NULL), ('cat', 'end', '2026-03-03T11:00:00Z', NULL),
  ('cat', 'begin', '2026-03-03T12:00:00Z', NULL), ('cat', 'end', '2026-03-03T13:00:01Z', NULL),
  -- At one moment; of a key that is a list, which is none.
  ('dan', 'end', '2026-03-03T10:00:00Z', '{"id": [1]}'), ('dan', 'begin', '2026-03-03T10:00:00Z', NULL),
  -- Finished after the window, and begun before it.
  ('eve', 'begin', '2026-03-04T23:59:00Z', NULL), ('eve', 'end', '2026-03-05T00:09:00Z', NULL),
  ('fay', 'begin', '2026-03-01T23:59:00Z', NULL), ('fay', 'end', '2026-03-02T00:09:00Z', NULL),
  -- Before the window on any clock of Europe.
  ('gil', 'begin', '2026-03-01T22:30:00Z', NULL), ('gil', 'end', '2026-03-01T22:31:00Z', NULL),
  (NULL, 'begin', '2026-03-02T10:00Z', NULL), (NULL, 'end', '2026-03-02T10:01Z', NULL);
CREATE FUNCTION pg_temp.store(people text[]) RETURNS void LANGUAGE sql AS $$
  INSERT INTO weir.events (event_id, tenant_id, user_id, event, platform, "timestamp", client_timestamp, properties)
  SELECT gen_random_uuid(), 'acme', person, name, person || 'os', at, at, properties FROM said WHERE coalesce(person, '') = ANY (people);
$$;
SELECT pg_temp.store(ARRAY['ann', 'ben', 'cat', 'dan', 'eve', 'fay', 'gil', '']);

CREATE FUNCTION pg_temp.answer(since date, until date, zone text DEFAULT 'UTC', key text DEFAULT 'id', filter text DEFAULT NULL) RETURNS jsonb LANGUAGE sql AS $$
  SELECT weir.tasks_answer('acme', since, until, zone, '{"event": "begin"}', '{"event": "end"}', key, 3600, filter)
$$;
CREATE TEMPORARY TABLE answer AS SELECT pg_temp.answer('2026-03-02', '2026-03-04') AS a;
SELECT is(a #> '{starts}', '8', 'eight begin within the window') FROM answer;
-- 100, 50, 200, 3600, 0, 600.
SELECT is(a #> '{finished}', '6', 'six are finished') FROM answer;
SELECT is(a #> '{not_finished}', '{"count": 2, "share": 0.250000}', 'one was begun anew, one took too long') FROM answer;
SELECT is(a #> '{users}', '5', 'of five users') FROM answer;
SELECT is(a #>> '{seconds,mean}', '758.333333', '4550 seconds by six') FROM answer;
SELECT ok((a #>> '{seconds,median}')::numeric BETWEEN 99 AND 101, 'half take 100 seconds at most') FROM answer;
SELECT ok((a #>> '{seconds,p75}')::numeric BETWEEN 594 AND 606, 'three quarters 600') FROM answer;
SELECT ok((a #>> '{seconds,p95}')::numeric BETWEEN 3564 AND 3636, 'almost all 3600') FROM answer;
SELECT is(pg_temp.answer('2026-03-02', '2026-03-04', key => NULL) #> '{finished}', '5', 'without a key ann has one that was begun anew');
SELECT is(pg_temp.answer('2026-03-02', '2026-03-04', 'Europe/Berlin') #> '{starts}', '8', 'in Berlin fay is in, eve and gil are not');
SELECT is(pg_temp.answer('2026-03-02', '2026-03-04', filter => '{"platform": "catos"}') #> '{starts}', '2', 'a filter');
SELECT is(pg_temp.answer('2025-03-02', '2025-03-04') #> '{starts}', '0', 'an empty window');
SELECT is(pg_temp.answer('2025-03-02', '2025-03-04') #> '{seconds}', '{"p75": null, "p95": null, "mean": null, "median": null}', 'takes no time');
SELECT is(tasks_answer('acme', '2026-03-02', '2026-03-04', 'UTC', '{"event": "begin"}', '{"event": "begin"}', NULL, 3600) #>> '{finished}', '2',
  'where both are one event, the next one ends it: of ann and of ben');
SELECT throws_ok($$SELECT tasks_answer('acme', '2026-03-02', '2026-03-04', start => '{"event": "a"}')$$, '22023',
  'finish is needed: an object such as {"event": "sale"}', 'a finish is needed');
SELECT throws_ok($$SELECT tasks_answer('acme', '2026-03-02', '2026-03-04', start => '{"event": ["a"]}', finish => '{"event": "a"}')$$, '22023',
  'start.event has to be a text of 1 to 256 characters', 'a start has a name');
SELECT throws_ok($$SELECT tasks_answer('acme', '2026-03-02', '2026-03-04', start => '{"event": "a"}', finish => '{"event": "a"}', within => 0)$$, '22023',
  'within has to be a whole number from 1 to 7776000', 'and some time');

INSERT INTO weir.events (event_id, tenant_id, user_id, event, "timestamp", client_timestamp)
SELECT gen_random_uuid(), 'many', 'max', CASE WHEN n % 2 = 0 THEN 'begin' ELSE 'end' END, at, at
FROM generate_series(1, 100000) AS n, LATERAL (SELECT timestamptz '2026-03-02T00:00Z' + n * interval '1 second') AS t (at);
SELECT is(tasks_answer('many', '2026-03-02', '2026-03-04', 'UTC', '{"event": "begin"}', '{"event": "end"}') #> '{finished}', '49999', 'a user with 100,000 events');

-- Two servers, users split between them.
CREATE TEMPORARY TABLE parts AS SELECT p FROM tasks_partial('acme', '2026-03-02', '2026-03-04', 'UTC', '{}', '{}') AS p WHERE false;
CREATE FUNCTION pg_temp.server(people text[]) RETURNS void LANGUAGE sql AS $$
  DELETE FROM weir.events;
  SELECT pg_temp.store(people);
  INSERT INTO parts SELECT p FROM weir.tasks_partial('acme', '2026-03-02', '2026-03-04', 'UTC', '{"event": "begin"}', '{"event": "end"}', 'id', 3600) AS p;
$$;
SELECT pg_temp.server(ARRAY['ann', 'cat', '']);
SELECT pg_temp.server(ARRAY['ben', 'dan', 'eve', 'fay']);
SELECT is(tasks_merge(ARRAY(SELECT p FROM parts)), (SELECT a - '{tenant,from,to,zone,within,key,as_of,exact,error}'::text[] FROM answer),
  'two servers together say what one says');
SELECT * FROM finish();
ROLLBACK;
