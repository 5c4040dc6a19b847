-- Versions, platforms, countries, browsers and devices, against numbers worked out by hand.
BEGIN;
SET LOCAL search_path = weir, public;
SET LOCAL client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap SCHEMA public;
SELECT no_plan();

-- Monday 2026-03-02 to Sunday the 15th. Ben is seen on two versions; dan has none.
CREATE TEMPORARY TABLE said (tenant text, person text, at timestamptz, version text, platform text, country text, properties jsonb);
INSERT INTO said VALUES
  ('acme', 'ann', '2026-03-01T10:00Z', '0.9', 'mac', 'DE', NULL),
  ('acme', 'ann', '2026-03-02T10:00Z', '1.0', 'mac', 'DE', '{"browser": "firefox", "device": "phone"}'),
  ('acme', 'ann', '2026-03-02T11:00Z', '1.0', 'mac', 'DE', '{"browser": "firefox"}'),
  ('acme', 'ann', '2026-03-02T12:00Z', '1.0', 'mac', 'DE', '{"browser": "firefox"}'),
  ('acme', 'ben', '2026-03-02T11:00Z', '1.0', 'linux', 'DE', '{"browser": "chrome"}'),
  ('acme', 'ben', '2026-03-09T11:00Z', '2.0', 'linux', 'DE', '{"browser": "chrome", "device": "", "error_type": "net"}'),
  ('acme', 'cat', '2026-03-02T23:30Z', '2.0', 'linux', 'US', '{"browser": ["chrome"]}'),
  ('acme', 'cat', '2026-03-09T23:30Z', '2.0', 'linux', 'US', '{"browser": 7}'),
  ('acme', 'dan', '2026-03-09T10:00Z', NULL, '', NULL, '[1]'),
  ('acme', NULL, '2026-03-10T10:00Z', '2.0', NULL, 'US', NULL),
  ('other', 'ann', '2026-03-02T10:00Z', '1.0', 'mac', 'DE', NULL);

CREATE FUNCTION pg_temp.store(people text[]) RETURNS void LANGUAGE sql AS $$
  INSERT INTO weir.events (event_id, tenant_id, user_id, event, app_version, platform, country, properties, "timestamp", client_timestamp)
  SELECT gen_random_uuid(), tenant, person, 'opened', version, platform, country, properties, at, at FROM said
  WHERE coalesce(person, '') = ANY (people);
  INSERT INTO weir.touched_days (tenant_id, day)
  SELECT DISTINCT tenant, (at AT TIME ZONE 'UTC')::date FROM said WHERE coalesce(person, '') = ANY (people);
$$;
\ir lib/build.sql
SELECT pg_temp.store(ARRAY['ann', 'ben', 'cat', 'dan', '']);
SELECT pg_temp.build();

CREATE TEMPORARY TABLE answer AS SELECT audience_answer('acme', '2026-03-02', '2026-03-15') AS a;
CREATE FUNCTION pg_temp.has(path text, wanted text, claim text) RETURNS text LANGUAGE sql AS $$
  SELECT is(a #>> path::text[], wanted, claim) FROM answer
$$;

SELECT pg_temp.has('{active}', '4', 'four users');
SELECT pg_temp.has('{weeks}', '[{"start": "2026-03-02", "active": 3}, {"start": "2026-03-09", "active": 3}]', 'three in each week');
SELECT is((SELECT jsonb_array_length(a -> 'days') FROM answer), 14, 'and each day of the window is there');
-- Of equals the first by name comes first: 1.0 has more events, 2.0 as many users.
SELECT is((SELECT a #> '{versions,0}' FROM answer) - 'adoption' - '{share_of_events,with_errors,error_share}'::text[], '{"version": "1.0", "users": 2, "events": 4, "share": 0.500000, "weeks": [
    {"start": "2026-03-02", "users": 2, "share": 0.666667}, {"start": "2026-03-09", "users": 0, "share": 0.000000}]}'::jsonb,
  'a version that goes, by week');
SELECT is((SELECT a #> '{versions,1}' FROM answer) - 'adoption' - '{share_of_events,with_errors,error_share}'::text[], '{"version": "2.0", "users": 2, "events": 4, "share": 0.500000, "weeks": [
    {"start": "2026-03-02", "users": 1, "share": 0.333333}, {"start": "2026-03-09", "users": 2, "share": 0.666667}]}'::jsonb,
  'and one that comes; what has no user is among its events');
SELECT is((SELECT jsonb_array_length(a -> 'versions') FROM answer), 2, 'one of before the window is not there');
SELECT pg_temp.has('{versions,0,share_of_events}', '0.444444', 'four of nine events');
SELECT pg_temp.has('{versions,1,with_errors}', '1', 'ben has 2.0 on the day of his error');
SELECT pg_temp.has('{versions,1,error_share}', '0.500000', 'which is one of two users');
SELECT pg_temp.has('{versions,0,with_errors}', '0', 'and had 1.0 on another');
SELECT pg_temp.has('{versions,1,adoption,0}', '0.333333', 'adoption on the first day: cat of three');
SELECT pg_temp.has('{versions,1,adoption,1}', NULL, 'on a day without anybody');
SELECT pg_temp.has('{versions,1,adoption,7}', '0.666667', 'and a week later: ben and cat of three');
SELECT is((SELECT jsonb_agg(p - 'weeks' - '{share_of_events,with_errors,error_share}'::text[]) FROM answer, jsonb_array_elements(a -> 'platforms') AS p),
  '[{"platform": "linux", "users": 2, "events": 4, "share": 0.500000}, {"platform": "mac", "users": 1, "events": 3, "share": 0.250000}]'::jsonb,
  'platforms, of which the empty one is none');
SELECT is((SELECT jsonb_agg(c - 'weeks' - '{share_of_events,with_errors,error_share}'::text[]) FROM answer, jsonb_array_elements(a -> 'countries') AS c),
  '[{"country": "DE", "users": 2, "events": 5, "share": 0.500000}, {"country": "US", "users": 1, "events": 3, "share": 0.250000}]'::jsonb,
  'countries');
SELECT is((SELECT jsonb_agg(b - 'weeks') FROM answer, jsonb_array_elements(a -> 'browsers') AS b),
  '[{"browser": "7", "users": 1, "events": 1, "share": 0.250000, "with_errors": 0, "error_share": 0, "share_of_events": 0.111111}, {"browser": "chrome", "users": 1, "events": 2, "share": 0.250000, "with_errors": 1, "error_share": 1, "share_of_events": 0.222222},
    {"browser": "firefox", "users": 1, "events": 3, "share": 0.250000, "with_errors": 0, "error_share": 0, "share_of_events": 0.333333}]'::jsonb, 'browsers, of texts and numbers');
SELECT pg_temp.has('{devices,0,device}', 'phone', 'devices');
SELECT ok((SELECT (a ->> 'as_of')::timestamptz <= now() AND (a ->> 'exact')::boolean FROM answer), 'the answer says up to when it counts');

-- In Berlin cat's first event was on the 3rd; with the zone kept and from the rows.
CREATE TEMPORARY TABLE unkept AS SELECT audience_answer('acme', '2026-03-02', '2026-03-15', 'Europe/Berlin') AS a;
SELECT is((SELECT a #>> '{versions,1,adoption,1}' FROM unkept), '1.000000', 'a day is a day in the zone');
SELECT keep_zone('acme', 'Europe/Berlin');
SELECT pg_temp.build();
SELECT is(audience_answer('acme', '2026-03-02', '2026-03-15', 'Europe/Berlin'), (SELECT a FROM unkept),
  'a zone that is kept has the same numbers as the rows');

-- Two servers, users split between them.
CREATE TEMPORARY TABLE parts AS SELECT 1 AS turn, p FROM audience_partial('acme', '2026-03-02', '2026-03-15', 'UTC') AS p WHERE false;
CREATE FUNCTION pg_temp.server(asked integer, people text[]) RETURNS void LANGUAGE sql AS $$
  DELETE FROM weir.events; DELETE FROM weir.day_sets; DELETE FROM weir.day_counts; DELETE FROM weir.day_numbers;
  DELETE FROM weir.day_sessions; DELETE FROM weir.user_numbers;
  SELECT pg_temp.store(people); SELECT pg_temp.build();
  INSERT INTO parts SELECT 1, p FROM weir.audience_partial('acme', '2026-03-02', '2026-03-15', 'UTC') AS p WHERE asked = 1;
  INSERT INTO parts SELECT 2, p FROM weir.audience_details_partial('acme', '2026-03-02', '2026-03-15', 'UTC',
    ARRAY(SELECT p FROM parts WHERE turn = 1), 20) AS p WHERE asked = 2;
$$;
SELECT pg_temp.server(1, ARRAY['ann', 'cat', '']);
SELECT pg_temp.server(1, ARRAY['ben', 'dan']);
SELECT pg_temp.server(2, ARRAY['ann', 'cat', '']);
SELECT pg_temp.server(2, ARRAY['ben', 'dan']);
SELECT is(audience_merge(ARRAY(SELECT p FROM parts), '2026-03-02', '2026-03-15', 20),
  (SELECT a - '{tenant,from,to,zone,as_of}'::text[] FROM answer), 'two servers together say what one says');

-- Where nobody is known, shares are of events: of six commands on Monday the 2nd, Tuesday, and Monday the 9th four had version 2.
INSERT INTO weir.events (event_id, tenant_id, event, app_version, country, "timestamp", client_timestamp)
SELECT gen_random_uuid(), 'shell', 'cli_command', version, country, at, at
FROM (VALUES ('1', 'DE', timestamptz '2026-03-02T10:00Z'), ('2', 'US', '2026-03-02T11:00Z'), ('2', 'US', '2026-03-02T12:00Z'), ('1', 'DE', '2026-03-03T10:00Z'),
  ('2', NULL, '2026-03-09T10:00Z'), ('2', 'US', '2026-03-09T11:00Z')) AS v (version, country, at);
INSERT INTO weir.touched_days (tenant_id, day) SELECT 'shell', unnest('{2026-03-02,2026-03-03,2026-03-09}'::date[]);
SELECT pg_temp.build();
CREATE TEMPORARY TABLE shell AS SELECT audience_answer('shell', '2026-03-02', '2026-03-09') AS a;
SELECT is((SELECT a #> '{versions,0}' FROM shell), '{"version": "2", "users": 0, "events": 4, "share": 0.666667, "share_of_events": 0.666667, "with_errors": 0, "error_share": null,
  "weeks": [{"start": "2026-03-02", "users": 0, "share": 0.500000}, {"start": "2026-03-09", "users": 0, "share": 1.000000}],
  "adoption": [0.666667, 0.000000, null, null, null, null, null, 1.000000]}'::jsonb, 'how a version is taken up where nobody is known');
SELECT is((SELECT jsonb_agg(c ->> 'country' || ' ' || (c ->> 'share') || ' ' || (c #>> '{weeks,0,share}')) FROM shell, jsonb_array_elements(a -> 'countries') AS c),
  '["US 0.500000 0.500000", "DE 0.333333 0.500000"]', 'countries with the most events come first');
SELECT is((SELECT jsonb_agg(c ->> 'country' || ' ' || (c ->> 'share')) FROM stats_answer('shell', '2026-03-02', '2026-03-09') AS a, jsonb_array_elements(a -> 'countries') AS c),
  '["US 0.500000", "DE 0.333333"]', 'so do those of /stats');

-- Fifty versions with three events of one user are counted before a hundred with two of two: the list cannot be sure.
INSERT INTO weir.events (event_id, tenant_id, user_id, event, app_version, "timestamp", client_timestamp)
SELECT gen_random_uuid(), 'wild', 'u' || k, 'opened', 'v' || n, at, at
FROM generate_series(1, 100) AS n, generate_series(1, 2) AS k, CAST('2026-03-02T10:00Z' AS timestamptz) AS at
UNION ALL
SELECT gen_random_uuid(), 'wild', 'one', 'opened', 'w' || n, at, at
FROM generate_series(1, 50) AS n, generate_series(1, 3), CAST('2026-03-02T10:00Z' AS timestamptz) AS at;
INSERT INTO weir.touched_days (tenant_id, day) VALUES ('wild', '2026-03-02');
SELECT pg_temp.build();
SELECT is(audience_answer('wild', '2026-03-02', '2026-03-15', 'UTC', 5) -> 'exact', 'false'::jsonb,
  'a list that may lack one that belongs there says so');

-- More versions than a day keeps, with a zone of UTC's clock that is not kept.
INSERT INTO weir.events (event_id, tenant_id, user_id, event, app_version, "timestamp", client_timestamp)
SELECT gen_random_uuid(), 'wide', 'u' || n % 7, 'opened', 'v' || n, at, at
FROM generate_series(1, 1010) AS n, CAST('2026-03-02T10:00Z' AS timestamptz) AS at;
INSERT INTO weir.touched_days (tenant_id, day) VALUES ('wide', '2026-03-02');
SELECT pg_temp.build();
SELECT is(audience_answer('wide', '2026-03-02', '2026-03-02') -> 'exact', 'false'::jsonb, 'a day with more versions than are kept');
SELECT is(audience_answer('wide', '2026-03-02', '2026-03-02', 'Africa/Abidjan') - 'zone', audience_answer('wide', '2026-03-02', '2026-03-02') - 'zone',
  'the rows say of it what is kept');
SELECT * FROM finish();
ROLLBACK;
