-- Users of a feature against the others, with numbers worked out by hand.
BEGIN;
SET LOCAL search_path = weir, public;
SET LOCAL client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap SCHEMA public;
SELECT no_plan();

-- Within the window ann, ben and cat use it, dan, eve and fay do not; ann, ben and dan come back in the week after.
CREATE TEMPORARY TABLE said (person text, name text, at timestamptz, properties jsonb);
INSERT INTO said
SELECT person, 'open', timestamptz '2026-03-02T10:00Z', NULL::jsonb FROM unnest('{ann,ben,cat,dan,eve,fay}'::text[]) AS person
UNION ALL SELECT person, 'use', '2026-03-03T10:00Z', '{"by": "hand"}' FROM unnest('{ann,ben,cat,ann}'::text[]) AS person
UNION ALL SELECT person, 'open', '2026-03-11T10:00Z', NULL FROM unnest('{ann,ben,dan,gus}'::text[]) AS person;
INSERT INTO said VALUES
  ('ann', 'sale', '2026-03-02T10:00Z', '{"valor": 4}'), ('ann', 'sale', '2026-03-02T10:00Z', '{"valor": 2}'), ('ben', 'sale', '2026-03-02T10:00Z', '{"valor": 4}'),
  ('cat', 'sale', '2026-03-02T10:00Z', '{"valor": 2}'), ('dan', 'sale', '2026-03-02T10:00Z', '{"valor": "9"}'), ('eve', 'sale', '2026-03-02T10:00Z', '{"valor": 2}'),
  ('fay', 'use', '2026-03-20T10:00Z', NULL), ('fay', 'sale', '2026-03-20T10:00Z', '{"valor": 9}'), (NULL, 'use', '2026-03-02T10:00Z', NULL);
\ir lib/build.sql
CREATE FUNCTION pg_temp.store(people text[]) RETURNS void LANGUAGE sql AS $$
  INSERT INTO weir.events (event_id, tenant_id, user_id, event, "timestamp", client_timestamp, properties)
  SELECT gen_random_uuid(), 'acme', person, name, at, at, properties FROM said WHERE coalesce(person, '') = ANY (people);
  INSERT INTO weir.touched_days (tenant_id, day)
  SELECT DISTINCT 'acme', (at AT TIME ZONE 'UTC')::date FROM said WHERE coalesce(person, '') = ANY (people);
  SELECT pg_temp.build();
$$;
SELECT pg_temp.store(ARRAY['ann', 'ben', 'cat', 'dan', 'eve', 'fay', 'gus', '']);
CREATE FUNCTION pg_temp.asked(outcome text, feature text DEFAULT '{"event": "use"}') RETURNS jsonb LANGUAGE sql AS $$
  SELECT weir.correlation_answer('acme', '2026-03-02', '2026-03-04', 'UTC', feature, outcome)
$$;
CREATE TEMPORARY TABLE answers AS
SELECT 'retained' AS about, pg_temp.asked('{"retained": 7}') AS a UNION ALL SELECT 'sum', pg_temp.asked('{"event": "sale", "sum": "valor"}')
UNION ALL SELECT 'did', pg_temp.asked('{"event": "sale"}') UNION ALL SELECT 'last', pg_temp.asked('{"event": "sale", "last": "valor"}');
CREATE FUNCTION pg_temp.has(about text, path text, wanted text, claim text) RETURNS text LANGUAGE sql AS $$
  SELECT is((a #> path::text[])::text, wanted, claim) FROM answers AS t WHERE t.about = has.about
$$;
SELECT pg_temp.has('retained', '{with}', '{"mean": 0.666667, "users": 3}', 'two of three who use it come back');
SELECT pg_temp.has('retained', '{without}', '{"mean": 0.333333, "users": 3}', 'one of three who do not');
-- phi of [[2, 1], [1, 2]] is (4 - 1) / 9; atanh(1/3) = 0.346574, 1.959964 / sqrt(3) = 1.131586.
SELECT pg_temp.has('retained', '{r}', '0.333333', 'phi');
SELECT pg_temp.has('retained', '{method}', '"phi"', 'is its name');
SELECT ok((a #>> '{interval,0}')::numeric BETWEEN -0.6556 AND -0.6554 AND (a #>> '{interval,1}')::numeric BETWEEN 0.9009 AND 0.9012, 'with its interval')
FROM answers WHERE about = 'retained';
-- 6, 4, 2 against 0, 2, 0: means 4 and 2/3; all of them have the variance 60/6 - (14/6)^2 = 4.5556, so r = 10/3 / 2 / 2.13437.
SELECT pg_temp.has('sum', '{difference,value}', '3.333333', 'means of 4 and of 0.67');
SELECT pg_temp.has('sum', '{r}', '0.780869', 'point-biserial');
-- Variances 4 and 4/3: 1.959964 * sqrt(4/3 + 4/9) = 2.613285.
SELECT pg_temp.has('sum', '{difference,interval}', '[0.720048, 5.946619]', 'and the interval of the difference');
SELECT pg_temp.has('did', '{with}', '{"mean": 1.000000, "users": 3}', 'all who use it had a sale');
SELECT pg_temp.has('did', '{without}', '{"mean": 0.666667, "users": 3}', 'of the others two, dan''s too');
SELECT pg_temp.has('last', '{with}', '{"mean": 2.666667, "users": 3}', 'the lesser one of one moment: 2, 4, 2');
SELECT pg_temp.has('last', '{without}', '{"mean": 2.000000, "users": 1}', 'users without a number are left out');
SELECT ok(a ->> 'warning' LIKE 'Correlation is no cause: %', 'the answer warns') FROM answers WHERE about = 'sum';
SELECT is(pg_temp.asked('{"retained": 7}', '{"event": "use", "properties": {"by": "foot"}}') -> 'r', 'null', 'nobody uses it: there is no correlation');
SELECT is(correlation_answer('acme', '2025-03-02', '2025-03-04', 'UTC', '{"event": "use"}', '{"retained": 7}') -> 'n', '0', 'an empty window');
SELECT is_empty($$SELECT n1, n0, m FROM generate_series(2, 40) AS n1, generate_series(2, 40) AS n0, unnest('{1,-1}'::integer[]) AS v, LATERAL (SELECT correlation_merge(ARRAY[
  ('users', 'with', n1), ('users', 'without', n0), ('sum', 'with', v * n1), ('sum', 'without', 0), ('squares', 'with', n1), ('squares', 'without', 0)]::weir.part[], '{"kind": "sum"}') AS m) AS c
  WHERE m -> 'r' IS DISTINCT FROM to_jsonb(round(v, 6)) AND n1 + n0 > 3 OR m -> 'interval' <> 'null'$$, 'a perfect correlation has no interval, of however many users');
-- Whether somebody comes back is known when the days after are over, on the clocks of the zone.
SELECT is(until_over(a, last_day, '2026-03-12') #- '{difference}', CASE WHEN last_day >= '2026-03-12' THEN a #- '{difference}' || jsonb_build_object('exact', false, 'r', NULL, 'interval', NULL,
    'with', '{"mean": null, "users": 3}'::jsonb, 'without', '{"mean": null, "users": 3}'::jsonb,
    'incomplete', format('who comes back until %s is known from %s on: ask for a window that ends earlier', last_day, last_day + 1)) ELSE a #- '{difference}' END, 'until ' || last_day)
FROM answers, unnest('{2026-03-11,2026-03-12,2026-04-01}'::date[]) AS last_day WHERE about = 'retained';
SELECT is(until_over(a, '2026-03-12', '2026-03-12') -> 'difference', '{"value": null, "interval": null}', 'nor is a difference told') FROM answers WHERE about = 'retained';
SELECT is(until_over(a, NULL, '2026-03-12'), a, 'other outcomes are of the window alone') FROM answers WHERE about = 'sum';
SELECT is(correlation_answer('acme', d - 3, d, 'UTC', '{"event": "use"}', '{"retained": 1}') -> 'exact', 'false', 'a window that ends yesterday') FROM (SELECT (now() AT TIME ZONE 'UTC')::date - 1) AS v (d);
SELECT is(correlation_answer('acme', d - 3, d, 'UTC', '{"event": "use"}', '{"retained": 1}') -> 'exact', 'true', 'and one that ends the day before') FROM (SELECT (now() AT TIME ZONE 'UTC')::date - 2) AS v (d);
-- Two samples of means whose interval is known: 0.04538 to 0.53462 by Welch.
SELECT ok((a #>> '{difference,interval,0}')::numeric BETWEEN 0.0453 AND 0.0456 AND (a #>> '{difference,interval,1}')::numeric BETWEEN 0.5344 AND 0.5348, 'Welch''s interval')
FROM correlation_merge(ARRAY[('users', 'without', 3407), ('users', 'with', 3461), ('sum', 'without', 1396.87), ('sum', 'with', 2422.7),
  ('squares', 'without', 52377.9767), ('squares', 'with', 134698.29)]::part[], '{}') AS a;

CREATE FUNCTION pg_temp.refused(outcome text, sentence text, claim text) RETURNS text LANGUAGE sql AS $$
  SELECT throws_ok(format('SELECT pg_temp.asked(%L)', outcome), '22023', sentence, claim)
$$;
SELECT pg_temp.refused(NULL, 'outcome is needed: an object such as {"retained": 7}, {"event": "sale"}, {"event": "sale", "sum": "price"} or '
  '{"event": "nps", "last": "score"}', 'no outcome');
SELECT pg_temp.refused('7', 'outcome has to be an object with retained, event, properties, version, platform, country, sum, last', 'no object names all');
SELECT pg_temp.refused('{"retain": 7}', 'outcome.retain is not known here: there are retained, event, properties, version, platform, country, sum, last',
  'so does an unknown name');
SELECT pg_temp.refused('{"sum": "valor"}', 'outcome has to have retained or an event, such as {"retained": 7}, {"event": "sale"}, '
  '{"event": "sale", "sum": "price"} or {"event": "nps", "last": "score"}', 'neither of both');
SELECT throws_ok($$SELECT correlation_answer('acme', '2026-03-02', '2026-03-04', outcome => '{"retained": 7}')$$, '22023',
  'feature is needed: an object such as {"event": "sale"}', 'no feature');
SELECT pg_temp.refused('{"retained": 91}', 'outcome.retained has to be a whole number from 1 to 90', 'too long after');
SELECT pg_temp.refused('{"retained": 7, "event": "a"}', 'outcome.event is not known here: there are retained', 'two outcomes');
SELECT pg_temp.refused('{"event": "a", "sum": "x", "last": "x"}', 'outcome has sum and last: say one of them', 'two values');
SELECT pg_temp.refused('{"event": "a", "sum": 5}', 'outcome.sum has to be a text of 1 to 256 characters', 'a property that is none');

CREATE TEMPORARY TABLE parts AS SELECT p FROM correlation_partial('acme', '2026-03-02', '2026-03-04', 'UTC', '{}', '{}') AS p WHERE false;
CREATE FUNCTION pg_temp.server(people text[]) RETURNS void LANGUAGE sql AS $$
  DELETE FROM weir.events; DELETE FROM weir.day_sets; DELETE FROM weir.day_counts; DELETE FROM weir.day_sessions;
  DELETE FROM weir.day_numbers; DELETE FROM weir.user_numbers; DELETE FROM weir.packed_days;
  SELECT pg_temp.store(people);
  INSERT INTO parts SELECT p FROM weir.correlation_partial('acme', '2026-03-02', '2026-03-04', 'UTC', '{"event": "use"}', weir.outcome_of('outcome', '{"event": "sale", "sum": "valor"}')) AS p;
$$;
SELECT pg_temp.server(ARRAY['ann', 'dan', '']);
SELECT pg_temp.server(ARRAY['ben', 'cat', 'eve', 'fay', 'gus']);
SELECT is(correlation_merge(ARRAY(SELECT p FROM parts), outcome_of('outcome', '{"event": "sale", "sum": "valor"}')),
  (SELECT a - '{tenant,from,to,zone,as_of,exact}'::text[] FROM answers WHERE about = 'sum'), 'two servers together say what one says');
-- A hundred users with a sale each, of 1 to 100: the first fifty use it, the first and the last ten are on a plan, every other one has iOS. So many events have lists of
-- their values, and what an outcome's pattern asks for is looked up in these.
INSERT INTO weir.events (event_id, tenant_id, user_id, event, platform, properties, "timestamp", client_timestamp)
SELECT gen_random_uuid(), 'shop', 'u' || n, e.event, CASE WHEN n % 2 = 0 THEN 'iOS' ELSE 'web' END,
  jsonb_build_object('valor', n, 'plan', CASE WHEN n <= 10 OR n > 90 THEN 'free' ELSE 'team' END), '2026-03-02T10:00Z', '2026-03-02T10:00Z'
FROM generate_series(1, 100) AS n, unnest(CASE WHEN n <= 50 THEN '{sale,use}' ELSE '{sale}' END::text[]) AS e (event);
INSERT INTO weir.touched_days (tenant_id, day) VALUES ('shop', '2026-03-02');
SELECT pg_temp.build();
SELECT is(jsonb_build_array(c.a -> 'with', c.a -> 'without')::text, w.wanted, 'of each user, ' || w.outcome)
FROM (VALUES
  ('{"event": "sale", "properties": {"plan": "free"}, "sum": "valor"}', '[{"mean": 1.100000, "users": 50}, {"mean": 19.100000, "users": 50}]'),
  ('{"event": "sale", "properties": {"plan": "free"}, "last": "valor"}', '[{"mean": 5.500000, "users": 10}, {"mean": 95.500000, "users": 10}]'),
  ('{"event": "sale", "platform": "iOS", "sum": "valor"}', '[{"mean": 13.000000, "users": 50}, {"mean": 38.000000, "users": 50}]'),
  ('{"event": "sale", "platform": "iOS", "last": "valor"}', '[{"mean": 26.000000, "users": 25}, {"mean": 76.000000, "users": 25}]'),
  ('{"event": "sale", "platform": "iOS", "properties": {"plan": "free"}, "sum": "valor"}', '[{"mean": 0.600000, "users": 50}, {"mean": 9.600000, "users": 50}]'),
  ('{"event": "sale", "sum": "nothing"}', '[{"mean": 0.000000, "users": 50}, {"mean": 0.000000, "users": 50}]')) AS w (outcome, wanted)
CROSS JOIN LATERAL weir.correlation_answer('shop', '2026-03-02', '2026-03-04', 'UTC', '{"event": "use"}', w.outcome) AS c (a);

-- Two of the fifty users have 9e299, beside which the others' are nothing: a mean of 3.6e298, and r = 2/50 * 50 / 100 / sqrt(2/100 - (2/100)^2).
UPDATE weir.events SET properties = '{"valor": 9e299}' WHERE tenant_id = 'shop' AND user_id IN ('u1', 'u2') AND event = 'sale';
INSERT INTO weir.touched_days (tenant_id, day) VALUES ('shop', '2026-03-02');
SELECT pg_temp.build();
INSERT INTO answers SELECT 'huge', weir.correlation_answer('shop', '2026-03-02', '2026-03-04', 'UTC', '{"event": "use"}', '{"event": "sale", "sum": "valor"}');
SELECT cmp_ok((a #>> '{with,mean}')::numeric - 3.6e298, '<', 26.0, 'numbers whose squares a float8 has no room for have a mean') FROM answers WHERE about = 'huge';
SELECT pg_temp.has('huge', '{r}', '0.142857', 'and a correlation');
SELECT * FROM finish();
ROLLBACK;
