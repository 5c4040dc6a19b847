-- The figures of costs and other measures, against numbers worked out by hand.
BEGIN;
SET LOCAL search_path = weir, public;
SET LOCAL client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap SCHEMA public;
SELECT no_plan();

INSERT INTO weir.measures (tenant_id, measure, event, property, factor) VALUES
  ('*', 'pages', '*', 'pages', 2), ('*', 'opened', 'opened', NULL, 1), ('*', 'everything', '*', NULL, 0.5),
  ('other', 'cost_usd', 'opened', NULL, 10);

-- Monday 2026-03-02 to Sunday the 15th; the fortnight before it has 1.00.
CREATE TEMPORARY TABLE said (tenant text, person text, at timestamptz, event text, properties jsonb);
INSERT INTO said VALUES
  ('acme', 'ann', '2026-02-10T10:00Z', 'recording_completed', '{"estimated_cost_usd": 100}'),
  ('acme', 'ann', '2026-02-20T10:00Z', 'recording_completed', '{"estimated_cost_usd": 1}'),
  ('acme', 'ann', '2026-03-02T10:00Z', 'recording_completed', '{"estimated_cost_usd": 0.5, "pages": 3}'),
  ('acme', 'ann', '2026-03-02T11:00Z', 'recording_completed', '{"estimated_cost_usd": "7"}'),
  ('acme', 'ann', '2026-03-02T11:00Z', 'opened', '{"estimated_cost_usd": 7, "pages": 1}'),
  ('acme', 'ben', '2026-03-02T23:30Z', 'recording_completed', '{"estimated_cost_usd": 0.25}'),
  ('acme', 'cat', '2026-03-10T10:00Z', 'recording_completed', '{"estimated_cost_usd": 0.75}'),
  ('acme', NULL, '2026-03-11T10:00Z', 'recording_completed', '{"estimated_cost_usd": 0.75}'),
  ('acme', 'dan', '2026-03-11T10:00Z', 'opened', '[1]'),
  ('acme', 'dan', '2026-03-11T10:00Z', 'opened', NULL),
  ('other', 'ann', '2026-03-02T10:00Z', 'opened', '{"estimated_cost_usd": 7}');

CREATE FUNCTION pg_temp.store(people text[]) RETURNS void LANGUAGE sql AS $$
  INSERT INTO weir.events (event_id, tenant_id, user_id, event, properties, "timestamp", client_timestamp)
  SELECT gen_random_uuid(), tenant, person, event, properties, at, at FROM said WHERE coalesce(person, '') = ANY (people);
  INSERT INTO weir.touched_days (tenant_id, day)
  SELECT DISTINCT tenant, (at AT TIME ZONE 'UTC')::date FROM said WHERE coalesce(person, '') = ANY (people);
$$;
\ir lib/build.sql
SELECT pg_temp.store(ARRAY['ann', 'ben', 'cat', 'dan', '']);
SELECT pg_temp.build();

CREATE TEMPORARY TABLE answer AS SELECT costs_answer('acme', '2026-03-02', '2026-03-15') AS a;
CREATE FUNCTION pg_temp.has(path text, wanted text, claim text) RETURNS text LANGUAGE sql AS $$
  SELECT is(a #>> path::text[], wanted, claim) FROM answer
$$;

SELECT pg_temp.has('{total}', '2.25', 'costs in all: of recordings, and where they are numbers');
SELECT pg_temp.has('{events}', '4', 'of four of them');
SELECT pg_temp.has('{per_event}', '0.562500', 'so much for each');
SELECT pg_temp.has('{active}', '4', 'four users were there');
SELECT pg_temp.has('{per_user}', '0.562500', 'so much for each of them');
SELECT pg_temp.has('{growth}', '{"rate": 1.250000, "before": 1}', 'a fortnight before it was 1');
SELECT pg_temp.has('{weeks}', '[{"start": "2026-03-02", "total": 0.75, "active": 2, "events": 2, "growth": null, "per_user": 0.375000, '
  '"per_event": 0.375000}, {"start": "2026-03-09", "total": 1.50, "active": 2, "events": 2, "growth": 1.000000, '
  '"per_user": 0.750000, "per_event": 0.750000}]', 'by week, which doubled');
SELECT pg_temp.has('{days,0}', '{"start": "2026-03-02", "total": 0.75, "active": 2, "events": 2, "growth": null, "per_user": 0.375000, '
  '"per_event": 0.375000}', 'by day');
SELECT pg_temp.has('{days,1}', '{"start": "2026-03-03", "total": 0, "active": 0, "events": 0, "growth": -1.000000, "per_user": null, '
  '"per_event": null}', 'and where there was nothing');
SELECT pg_temp.has('{months}', '[{"start": "2026-03-01", "total": 2.25, "active": 4, "events": 4, "growth": null, "per_user": 0.562500, '
  '"per_event": 0.562500}]', 'by month');
SELECT pg_temp.has('{per_user_and_month}', NULL, 'no month is whole');
-- 101 of February's one user, 2.25 of March's four.
SELECT is(costs_answer('acme', '2026-02-01', '2026-04-03') #>> '{per_user_and_month}', '20.650000', 'costs for each user and month');
SELECT is(costs_answer('acme', '2026-02-01', '2026-03-31') #>> '{months,1,growth}', '-0.977723',
  'a month against the one before, 101');
SELECT is(costs_answer('acme', '2026-02-02', '2026-03-31') #>> '{months,1,growth}', NULL, 'unless that one is cut');
SELECT is(costs_answer('acme', '2026-03-02', '2026-03-15', 'UTC', 'pages') #>> '{total}', '8', 'a property of any event, twice');
SELECT is(costs_answer('acme', '2026-03-02', '2026-03-15', 'UTC', 'opened') #>> '{total}', '3', 'events of a name');
SELECT is(costs_answer('acme', '2026-03-02', '2026-03-15', 'UTC', 'everything') #>> '{total}', '4.0', 'events of all names, half of each');
SELECT is(costs_answer('other', '2026-03-02', '2026-03-15') #>> '{total}', '10', 'a tenant''s own measure');
SELECT throws_like($$ SELECT costs_answer('acme', '2026-03-02', '2026-03-15', 'UTC', 'nothing') $$, 'There is no measure%',
  'a measure that there is not');
SELECT ok((SELECT (a ->> 'as_of')::timestamptz <= now() AND (a ->> 'exact')::boolean FROM answer), 'the answer says up to when it counts');

-- In Berlin ben's recording was on the 3rd; with the zone kept and from the rows.
CREATE FUNCTION pg_temp.in_berlin() RETURNS jsonb LANGUAGE sql AS $$
  SELECT jsonb_agg(weir.costs_answer('acme', '2026-03-02', '2026-03-15', 'Europe/Berlin', m))
  FROM unnest(ARRAY['cost_usd', 'pages', 'opened', 'everything']) AS m
$$;
CREATE TEMPORARY TABLE unkept AS SELECT pg_temp.in_berlin() AS a;
SELECT is((SELECT a #>> '{0,days,1,total}' FROM unkept), '0.25', 'a day is a day in the zone');
SELECT keep_zone('acme', 'Europe/Berlin');
SELECT pg_temp.build();
SELECT is(pg_temp.in_berlin(), (SELECT a FROM unkept), 'a zone that is kept has the same numbers as the rows');

-- Two servers, users split between them.
CREATE TEMPORARY TABLE parts AS SELECT p FROM costs_partial('acme', '2026-03-02', '2026-03-15', 'UTC', 'cost_usd') AS p WHERE false;
CREATE FUNCTION pg_temp.server(people text[]) RETURNS void LANGUAGE sql AS $$
  DELETE FROM weir.events; DELETE FROM weir.day_sets; DELETE FROM weir.day_counts; DELETE FROM weir.day_numbers;
  DELETE FROM weir.day_sessions; DELETE FROM weir.user_numbers;
  SELECT pg_temp.store(people); SELECT pg_temp.build();
  INSERT INTO parts SELECT p FROM weir.costs_partial('acme', '2026-03-02', '2026-03-15', 'UTC', 'cost_usd') AS p;
$$;
SELECT pg_temp.server(ARRAY['ann', 'cat', '']);
SELECT pg_temp.server(ARRAY['ben', 'dan']);
SELECT is(costs_merge(ARRAY(SELECT p FROM parts), '2026-03-02', '2026-03-15'),
  (SELECT a - '{tenant,from,to,zone,measure,as_of}'::text[] FROM answer), 'two servers together say what one says');
SELECT * FROM finish();
ROLLBACK;
