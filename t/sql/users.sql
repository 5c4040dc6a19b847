-- The figures of users, against numbers worked out by hand.
BEGIN;
SET LOCAL search_path = weir, public;
SET LOCAL client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap SCHEMA public;
SELECT no_plan();

-- Monday 2026-03-02 to Sunday the 15th. Two tenants; one user of acme splits into two servers below.
CREATE TEMPORARY TABLE said (tenant text, person text, at timestamptz);
INSERT INTO said VALUES
  ('acme', 'ann', '2026-01-05T10:00Z'), ('acme', 'ann', '2026-03-02T10:00Z'), ('acme', 'ann', '2026-03-03T10:00Z'),
  ('acme', 'ben', '2026-03-02T11:00Z'), ('acme', 'ben', '2026-03-02T12:00Z'), ('acme', 'ben', '2026-03-03T11:00Z'),
  ('acme', 'cat', '2026-03-02T23:30Z'), ('acme', 'cat', '2026-03-09T10:00Z'),
  ('acme', 'dan', '2026-03-10T10:00Z'), ('acme', 'dan', '2026-03-15T10:00Z'),
  ('acme', 'eve', '2026-01-20T10:00Z'), ('acme', NULL, '2026-03-10T10:00Z'), ('other', 'ann', '2026-03-02T10:00Z');

CREATE FUNCTION pg_temp.store(people text[]) RETURNS void LANGUAGE sql AS $$
  INSERT INTO weir.events (event_id, tenant_id, user_id, event, "timestamp", client_timestamp)
  SELECT gen_random_uuid(), tenant, person, 'opened', at, at FROM said WHERE coalesce(person, '') = ANY (people);
  INSERT INTO weir.touched_days (tenant_id, day)
  SELECT DISTINCT tenant, (at AT TIME ZONE 'UTC')::date FROM said WHERE coalesce(person, '') = ANY (people);
$$;
\ir lib/build.sql
SELECT pg_temp.store(ARRAY['ann', 'ben', 'cat', 'dan', 'eve', '']);
SELECT pg_temp.build();

CREATE TEMPORARY TABLE answer AS
SELECT users_answer('acme', '2026-03-02', '2026-03-15') AS a;
CREATE FUNCTION pg_temp.has(path text, wanted text, claim text) RETURNS text LANGUAGE sql AS $$
  SELECT is(a #>> path::text[], wanted, claim) FROM answer
$$;

SELECT pg_temp.has('{total}', '5', 'five users are known, eve and ann since January');
SELECT pg_temp.has('{active}', '4', 'four were there within the window');
SELECT pg_temp.has('{active_1}', '1', 'dan on its last day');
SELECT pg_temp.has('{active_7}', '2', 'cat and dan on the last seven days');
SELECT pg_temp.has('{active_30}', '4', 'four on the last thirty');
SELECT pg_temp.has('{new}', '3', 'ben, cat and dan are new');
SELECT pg_temp.has('{churned}', '1', 'eve has stayed away for thirty days');
SELECT pg_temp.has('{churn_rate}', '0.200000', 'which is one of five');
-- Users by day: 3, 2, 1, 1, 1 are 8, over 30 days; of 4.
SELECT pg_temp.has('{stickiness}', '0.066667', 'stickiness is 8 / 30 / 4');
SELECT pg_temp.has('{growth,week_before}', '3', 'three in the week before');
SELECT pg_temp.has('{growth,rate}', '-0.333333', 'so a third less');
SELECT pg_temp.has('{engagement,events}', '10', 'ten events, one of them nobody''s');
SELECT pg_temp.has('{engagement,events_per_user}', '2.500000', 'by four users');
SELECT pg_temp.has('{retention,day_1}', '{"new": 3, "share": 0.333333, "returned": 1}', 'one of three came back the day after');
SELECT pg_temp.has('{retention,day_7}', '{"new": 2, "share": 0.500000, "returned": 1}', 'one of two a week after; dan''s week is not over');
SELECT pg_temp.has('{retention,day_30}', '{"new": 0, "share": null, "returned": 0}', 'nobody''s month is over');
SELECT pg_temp.has('{weeks}', '[{"new": 2, "start": "2026-03-02", "active": 3, "events": 6, "growth": null, "events_per_user": 2.000000}, '
  '{"new": 1, "start": "2026-03-09", "active": 2, "events": 4, "growth": -0.333333, "events_per_user": 2.000000}]', 'by week');
SELECT pg_temp.has('{engagement,per_user_and_week}', '2.000000', 'ten events in five weeks of a user');
SELECT is(users_answer('acme', '2026-03-03', '2026-03-15') #>> '{engagement,per_user_and_week}', '2.000000', 'of the one whole week 4 by 2');
SELECT is(users_answer('acme', '2026-03-03', '2026-03-15') #>> '{weeks,1,growth}', NULL, 'no growth against a week that is cut');
SELECT pg_temp.has('{months,0,events}', '10', 'by month');
SELECT pg_temp.has('{cohorts,weeks}', '[{"new": 2, "start": "2026-03-02", "active": [2, 1]}, {"new": 1, "start": "2026-03-09", "active": [1]}]',
  'cohorts by week');
SELECT pg_temp.has('{cohorts,days,0}', '{"new": 2, "start": "2026-03-02", "active": [2, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0]}',
  'and by day');
SELECT pg_temp.has('{days,1}', '{"new": 0, "start": "2026-03-03", "active": 2, "events": 2, "growth": -0.333333, "events_per_user": 1.000000}', 'by day');
SELECT pg_temp.has('{cohorts,more}', '{"days": 0, "weeks": 0}', 'nothing is left off');

-- Three years: ann and eve are new in January, ben and cat on March 2nd, dan on the 10th.
CREATE TEMPORARY TABLE long AS SELECT users_answer('acme', '2023-06-01', '2026-06-04') AS a;
SELECT is(a #>> '{cohorts,more}', '{"days": 3, "weeks": 0}', 'of three years days are left off: ann''s, eve''s, ben''s and cat''s are before March 7th') FROM long;
SELECT is(a #>> '{cohorts,days,0,start}', '2026-03-10', 'the last ninety are told apart') FROM long;
SELECT is(jsonb_array_length(a #> '{cohorts,days,0,active}'), 87, 'until the end of the window') FROM long;
SELECT is(a #>> '{cohorts,months}', '[{"new": 2, "start": "2026-01-01", "active": [2, 0, 1, 0, 0, 0]}, '
  '{"new": 3, "start": "2026-03-01", "active": [3, 0, 0, 0]}]', 'months all') FROM long;
SELECT is(a #>> '{retention,day_1}', '{"new": 5, "share": 0.200000, "returned": 1}', 'retention is of all days') FROM long;
SELECT is(users_answer('acme', '2023-06-01', '2027-01-24') #>> '{cohorts,more,weeks}', '1', 'of weeks the last 53: ann''s is the one before') FROM long;

-- 1,100 days, on each of which one user is new and comes each day from then on: the answer grows with the window, not
-- with its square.
INSERT INTO weir.day_sets (tenant_id, zone, subject, value, day, chunk, users)
SELECT 'long', 'UTC', s, '', date '2023-03-01' + d, 0, at_bits(n, 1)
FROM unnest(ARRAY['active', 'new']) AS s, generate_series(0, 1099) AS d, LATERAL generate_series(CASE s WHEN 'new' THEN d ELSE 0 END, d) AS n
GROUP BY s, d;
CREATE TEMPORARY TABLE longest AS SELECT users_answer('long', '2023-03-01', '2026-03-04') AS a;
SELECT is((SELECT array_agg(n ORDER BY n) FROM longest, LATERAL (SELECT jsonb_array_length(a #> ARRAY['cohorts', unit]) AS n
  FROM unnest(ARRAY['days', 'weeks', 'months']) AS unit) AS c), ARRAY[37, 53, 90], 'months, weeks and days of a long window');
SELECT is(a #>> '{cohorts,more}', '{"days": 1010, "weeks": 105}', 'and what it leaves off') FROM longest;
SELECT is(a #>> '{retention,day_30}', '{"new": 1070, "share": 1.000000, "returned": 1070}', 'retention is of the whole window') FROM longest;
-- 90 * 91 / 2 + 53 * 54 / 2 + 37 * 38 / 2.
SELECT is((SELECT count(*) FROM users_partial('long', '2023-03-01', '2026-03-04', 'UTC') AS p WHERE starts_with(p.figure, 'cohort_')),
  6229::bigint, 'servers hand over no more');

-- In Berlin cat's first event was on the 3rd; with the zone kept and from the rows.
CREATE TEMPORARY TABLE unkept AS SELECT users_answer('acme', '2026-03-02', '2026-03-15', 'Europe/Berlin') AS a;
SELECT is((SELECT a #>> '{days,1,new}' FROM unkept), '1', 'a day is a day in the zone');
SELECT keep_zone('acme', 'Europe/Berlin');
SELECT pg_temp.build();
SELECT is(users_answer('acme', '2026-03-02', '2026-03-15', 'Europe/Berlin'), (SELECT a FROM unkept),
  'a zone that is kept has the same numbers as the rows');

-- Two servers, users split between them.
CREATE TEMPORARY TABLE parts AS SELECT p FROM users_partial('acme', '2026-03-02', '2026-03-15', 'UTC') AS p WHERE false;
CREATE FUNCTION pg_temp.server(people text[]) RETURNS void LANGUAGE sql AS $$
  DELETE FROM weir.events; DELETE FROM weir.day_sets; DELETE FROM weir.day_counts; DELETE FROM weir.day_sessions;
  DELETE FROM weir.user_numbers;
  SELECT pg_temp.store(people); SELECT pg_temp.build();
  INSERT INTO parts SELECT p FROM weir.users_partial('acme', '2026-03-02', '2026-03-15', 'UTC') AS p;
$$;
SELECT pg_temp.server(ARRAY['ann', 'cat', '']);
SELECT pg_temp.server(ARRAY['ben', 'dan', 'eve']);
SELECT is(users_merge(ARRAY(SELECT p FROM parts), '2026-03-02', '2026-03-15'),
  (SELECT a - '{tenant,from,to,zone,as_of,exact}'::text[] FROM answer), 'two servers together say what one says');

SELECT ok((SELECT (a ->> 'as_of')::timestamptz <= now() AND (a ->> 'exact')::boolean FROM answer), 'the answer says up to when it counts');
SELECT * FROM finish();
ROLLBACK;
