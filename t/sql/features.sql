-- The figures of features, against numbers worked out by hand.
BEGIN;
SET LOCAL search_path = weir, public;
SET LOCAL client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap SCHEMA public;
SELECT no_plan();

-- Two whole weeks, Monday 2026-03-02 to Sunday the 15th. ann and eve are known since January, eve comes every day.
CREATE TEMPORARY TABLE said (person text, name text, at timestamptz, properties jsonb);
INSERT INTO said VALUES
  ('ann', 'feature_usage', '2026-01-05T10:00Z', '{"feature": "legacy"}'),
  ('ann', 'feature_usage', '2026-03-02T10:00Z', '{"feature": "export", "source": "widget"}'),
  ('ann', 'feature_usage', '2026-03-10T10:00Z', '{"feature": "export", "source": "main_window"}'),
  ('ben', 'opened', '2026-03-03T10:00Z', NULL),
  ('ben', 'feature_usage', '2026-03-05T10:00Z', '{"feature": "export", "source": "widget"}'),
  ('cat', 'feature_usage', '2026-03-04T10:00Z', '{"feature": "export", "source": "widget"}'),
  ('cat', 'feature_usage', '2026-03-06T10:00Z', '{"feature": "import"}'),
  ('dan', 'opened', '2026-03-09T23:30Z', NULL),
  ('dan', 'feature_usage', '2026-03-12T10:00Z', '{"feature": "import", "source": "main_window"}'),
  ('dan', 'retry_attempted', '2026-03-13T10:00Z', NULL), ('dan', 'retry_attempted', '2026-03-13T10:01Z', NULL),
  (NULL, 'feature_usage', '2026-03-11T10:00Z', '{"feature": "import", "source": "widget"}'),
  ('eve', 'opened', '2026-01-10T10:00Z', NULL);
INSERT INTO said SELECT 'eve', 'opened', day, NULL FROM generate_series('2026-02-14T12:00Z', '2026-03-15T12:00Z', interval '1 day') AS day;

CREATE FUNCTION pg_temp.store(people text[]) RETURNS void LANGUAGE sql AS $$
  INSERT INTO weir.events (event_id, tenant_id, user_id, event, "timestamp", client_timestamp, properties)
  SELECT gen_random_uuid(), 'acme', person, name, at, at, properties FROM said WHERE coalesce(person, '') = ANY (people);
  INSERT INTO weir.touched_days (tenant_id, day)
  SELECT DISTINCT 'acme', (at AT TIME ZONE 'UTC')::date FROM said WHERE coalesce(person, '') = ANY (people);
$$;
\ir lib/build.sql
SELECT pg_temp.store(ARRAY['ann', 'ben', 'cat', 'dan', 'eve', '']);
SELECT pg_temp.build();

CREATE TEMPORARY TABLE answer AS SELECT features_answer('acme', '2026-03-02', '2026-03-15') AS a;
CREATE FUNCTION pg_temp.has(path text, wanted text, claim text) RETURNS text LANGUAGE sql AS $$
  SELECT is(a #>> path::text[], wanted, claim) FROM answer
$$;

SELECT pg_temp.has('{active}', '5', 'five users were there');
-- Weeks with events: ann 2, ben 1, cat 1, dan 1, eve 2 are 7; with an export: ann 2, ben 1, cat 1.
-- ben needed two days to the first export, cat none; ann is not new.
SELECT pg_temp.has('{features,0}', '{"users": 3, "events": 4, "weekly": 0.571429, "feature": "export", "adoption": 0.600000, '
  '"returning": 0.333333, "days_to_first_use": 0}', 'export: three of five, four of seven weeks, one in both');
-- cat needed two days, dan three.
SELECT pg_temp.has('{features,1}', '{"users": 2, "events": 3, "weekly": 0.285714, "feature": "import", "adoption": 0.400000, '
  '"returning": 0.000000, "days_to_first_use": 2}', 'import: one use is nobody''s');
SELECT pg_temp.has('{unused}', '["legacy"]', 'legacy is not used any more');
SELECT pg_temp.has('{split,values}', '[{"share": 0.666667, "users": 3, "value": "widget", "events": 4}, '
  '{"share": 0.333333, "users": 2, "value": "main_window", "events": 2}]', 'widget against main window');
SELECT pg_temp.has('{days_active,users}', '[0, 3, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]',
  'three on two days, dan on three, eve on thirty');
SELECT is((a -> 'days_active') - 'users', '{"power": 1, "regular": 0, "casual": 4}', 'eve is a power user') FROM answer;
-- Who has it on says the last time until the window ends, if it was long before: ann, cat and eve. Ben switched it off, fay too,
-- and on again only after the window; dan has it on, but was not there.
INSERT INTO weir.events (event_id, tenant_id, user_id, event, "timestamp", client_timestamp, properties)
SELECT gen_random_uuid(), 'switch', person, 'feature_toggled', at, at, jsonb_build_object('feature', feature, 'enabled', enabled)
FROM (VALUES ('ann', timestamptz '2026-02-01T10:00Z', 'auto_paste', true), ('ben', '2026-03-03T10:00Z', 'auto_paste', true),
  ('ben', '2026-03-04T10:00Z', 'auto_paste', false), ('cat', '2026-03-03T10:00Z', 'auto_paste', false),
  ('cat', '2026-03-03T10:01Z', 'auto_paste', true), ('dan', '2026-02-01T10:00Z', 'auto_paste', true),
  ('eve', '2026-03-03T10:00Z', 'auto_paste', true), ('eve', '2026-03-03T10:01Z', 'widget', false), (NULL, '2026-03-03T10:00Z', 'widget', true),
  ('fay', '2026-03-05T10:00Z', 'auto_paste', false), ('fay', '2026-03-16T10:00Z', 'auto_paste', true)) AS v (person, at, feature, enabled);
INSERT INTO weir.events (event_id, tenant_id, user_id, event, "timestamp", client_timestamp)
VALUES (gen_random_uuid(), 'switch', 'ann', 'opened', '2026-03-03T10:00Z', '2026-03-03T10:00Z');
INSERT INTO weir.touched_days (tenant_id, day) SELECT DISTINCT 'switch', "timestamp"::date FROM weir.events WHERE tenant_id = 'switch';
SELECT pg_temp.build();
CREATE FUNCTION pg_temp.has_toggles(claim text) RETURNS text LANGUAGE sql AS $$
  SELECT is(weir.features_answer('switch', '2026-03-02', '2026-03-15', feature => 'toggled') -> 'toggles', '[{"feature": "auto_paste", "switched": 5, "on": 3, "adoption": 0.6},
    {"feature": "widget", "switched": 1, "on": 0, "adoption": 0}]', claim)
$$;
SELECT is(weir.features_answer('switch', '2026-03-02', '2026-03-15') -> 'toggles', 'null', 'toggles are told where they are asked for');
SELECT pg_temp.has_toggles('three of five have auto-paste on');
-- On: ben, cat, eve and nobody. Off: ben, cat, eve another one, fay.
SELECT is(weir.features_answer('switch', '2026-03-02', '2026-03-15', feature => 'toggled', split => 'toggled_on') #> '{split,values}',
  '[{"value": "false", "events": 4, "users": 4, "share": 0.5}, {"value": "true", "events": 4, "users": 3, "share": 0.5}]', 'who switched on and off');

-- Of two sources of recordings; the menu is where something else comes from.
INSERT INTO weir.events (event_id, tenant_id, user_id, event, "timestamp", client_timestamp, properties)
SELECT gen_random_uuid(), 'recorders', person, event, '2026-03-03T10:00Z', '2026-03-03T10:00Z', jsonb_build_object('source', source)
FROM (VALUES ('ann', 'recording_completed', 'widget'), ('ann', 'recording_completed', 'widget'), ('ben', 'recording_completed', 'widget'),
  ('ben', 'recording_completed', 'main_window'), ('ann', 'feature_usage', 'menu')) AS v (person, event, source);
INSERT INTO weir.touched_days (tenant_id, day) VALUES ('recorders', '2026-03-03');
SELECT pg_temp.build();
SELECT is(weir.features_answer('recorders', '2026-03-02', '2026-03-15', split => 'recording_source') #> '{split,values}',
  '[{"value": "widget", "events": 3, "users": 2, "share": 0.75}, {"value": "main_window", "events": 1, "users": 1, "share": 0.25}]',
  'where recordings alone come from');

-- gus and hal are new on the 16th; gus prints 15 days later, hal scans after 13.
INSERT INTO said VALUES ('gus', 'opened', '2026-03-16T10:00Z', NULL), ('hal', 'opened', '2026-03-16T10:00Z', NULL),
  ('gus', 'feature_usage', '2026-03-31T10:00Z', '{"feature": "print"}'), ('hal', 'feature_usage', '2026-03-29T10:00Z', '{"feature": "scan"}');
SELECT pg_temp.store(ARRAY['gus', 'hal']);
SELECT pg_temp.build();
SELECT is((SELECT jsonb_agg(f - '{users,events,weekly,adoption,returning}'::text[]) FROM jsonb_array_elements(
  features_answer('acme', '2026-03-16', '2026-04-05') -> 'features') AS f),
  '[{"feature": "print", "days_to_first_use": 14}, {"feature": "scan", "days_to_first_use": 13}]', 'fourteen stands for two weeks and more');
DELETE FROM weir.events WHERE user_id IN ('gus', 'hal');
DELETE FROM said WHERE person IN ('gus', 'hal');
SELECT pg_temp.has('{retries}', '{"count": 2, "share": 0.200000, "users": 1, "per_user": 2.000000}', 'one of five tried again, twice');
SELECT pg_temp.has('{exact}', 'true', 'all of it is exact');
SELECT is(features_answer('acme', '2026-03-03', '2026-03-14') #>> '{features,0,weekly}', NULL, 'without a whole week there is no stickiness');
SELECT is(features_answer('acme', '2026-03-02', '2026-03-15', feature => 'event') #>> '{features,0,feature}', 'feature_usage',
  'events may be features');
SELECT is(features_answer('acme', '2026-03-02', '2026-03-15', feature => 'no''such', split => '') #> '{features}', '[]', 'what is not kept is none');

-- Counters of users: five sets, counted over bits.
SELECT is(ARRAY(SELECT counters_at(planes, n) FROM generate_series(1, 6) AS n), ARRAY[1, 0, 1, 0, 1, 0]::bigint[], 'planes carry over')
FROM (SELECT sum_of_sets(ARRAY[B'1110', B'1100', B'1100', B'1000', B'1000']::varbit[]) AS planes) AS t;
SELECT is(counters_at('{}', 1), 0::bigint, 'of no sets there is nobody');

-- With the zone kept and from the rows. In Berlin dan is new on the 10th, and so needed two days.
CREATE FUNCTION pg_temp.in_berlin(feature text, since date) RETURNS jsonb LANGUAGE sql AS $$
  SELECT weir.features_answer('acme', since, '2026-03-15', 'Europe/Berlin', feature)
$$;
CREATE TEMPORARY TABLE unkept AS
SELECT feature, since, pg_temp.in_berlin(feature, since) AS a
FROM (VALUES ('feature', date '2026-03-02'), ('event', '2026-03-04'), ('source', '2026-03-11')) AS v (feature, since);
SELECT is((SELECT a #>> '{unused}' FROM unkept WHERE feature = 'feature'), '["legacy"]', 'what is long ago is known in any zone');
SELECT keep_zone('acme', 'Europe/Berlin');
SELECT pg_temp.build();
SELECT ok(keeps_zone('acme', 'Europe/Berlin'), 'Berlin is kept');
SELECT is(pg_temp.in_berlin(feature, since), a, format('a zone that is kept has the numbers of the rows: %s', feature)) FROM unkept;

-- Two servers, users split between them.
CREATE TEMPORARY TABLE parts AS SELECT p FROM features_partial('acme', '2026-03-02', '2026-03-15', 'UTC') AS p WHERE false;
CREATE FUNCTION pg_temp.server(people text[]) RETURNS void LANGUAGE sql AS $$
  DELETE FROM weir.events; DELETE FROM weir.day_sets; DELETE FROM weir.day_counts; DELETE FROM weir.day_sessions; DELETE FROM weir.day_first_uses;
  DELETE FROM weir.user_numbers;
  SELECT pg_temp.store(people); SELECT pg_temp.build();
  INSERT INTO parts SELECT p FROM weir.features_partial('acme', '2026-03-02', '2026-03-15', 'UTC') AS p;
$$;
SELECT pg_temp.server(ARRAY['ann', 'cat', '']);
SELECT pg_temp.server(ARRAY['ben', 'dan', 'eve']);
SELECT is(features_merge(ARRAY(SELECT p FROM parts)), (SELECT a - '{tenant,from,to,zone,feature,split_by,as_of}'::text[] FROM answer),
  'two servers together say what one says');
SELECT * FROM finish();
ROLLBACK;
