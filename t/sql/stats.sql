-- All key figures at once, against numbers worked out by hand and against the answers of the single subjects.
BEGIN;
SET LOCAL search_path = weir, public;
SET LOCAL client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap SCHEMA public;
SELECT no_plan();

-- Two whole weeks, Monday 2026-03-02 to Sunday the 15th. ann and eve are known since January, eve comes every day.
CREATE TEMPORARY TABLE said (person text, session text, name text, at timestamptz, version text, country text, properties jsonb);
INSERT INTO said VALUES
  ('ann', NULL, 'feature_usage', '2026-01-05T10:00Z', '1.0', 'DE', '{"feature": "legacy"}'),
  ('ann', 's1', 'feature_usage', '2026-03-02T10:00Z', '1.0', 'DE', '{"feature": "export"}'),
  ('ann', 's1', 'recording_completed', '2026-03-02T10:10Z', '1.0', 'DE',
    '{"audio_duration_seconds": 600, "estimated_cost_usd": 0.06, "success": true, "source": "widget", "processing_time_seconds": 2}'),
  ('ann', 's1', 'recording_completed', '2026-03-02T10:20Z', '1.0', 'DE',
    '{"audio_duration_seconds": 300, "estimated_cost_usd": 0.03, "success": true, "source": "main_window", "processing_time_seconds": 4}'),
  ('ann', NULL, 'feature_usage', '2026-03-10T10:00Z', '2.0', 'DE', '{"feature": "export"}'),
  ('ben', NULL, 'app_opened', '2026-03-03T10:00Z', '1.0', 'US', '{"startup_ms": 500}'),
  ('ben', NULL, 'app_opened', '2026-03-04T10:00Z', '1.0', 'US', '{"startup_ms": 1500}'),
  ('ben', 's2', 'recording_completed', '2026-03-05T10:00Z', '1.0', 'US',
    '{"audio_duration_seconds": 900, "estimated_cost_usd": 0.09, "success": false, "error_type": "network", "source": "widget"}'),
  ('ben', 's2', 'feature_usage', '2026-03-05T10:01Z', '1.0', 'US', '{"feature": "export", "response_time_ms": 250}'),
  ('cat', NULL, 'feature_usage', '2026-03-04T10:00Z', '2.0', 'US', '{"feature": "import"}'),
  ('cat', NULL, 'feature_toggled', '2026-03-04T10:05Z', '2.0', 'US', '{"feature": "auto_paste", "enabled": true}'),
  ('cat', NULL, 'feature_toggled', '2026-03-04T10:06Z', '2.0', 'US', '{"feature": "auto_paste", "enabled": false}'),
  ('dan', NULL, 'app_opened', '2026-03-09T23:30Z', '2.0', NULL, NULL),
  ('dan', NULL, 'feature_usage', '2026-03-12T10:00Z', '2.0', NULL, '{"feature": "import", "response_time_seconds": 0.75}'),
  ('dan', NULL, 'retry_attempted', '2026-03-13T10:00Z', '2.0', NULL, NULL), ('dan', NULL, 'retry_attempted', '2026-03-13T10:01Z', '2.0', NULL, NULL),
  (NULL, 's3', 'cli_command', '2026-03-11T10:00Z', '3.0', NULL, '{"command": "icon", "success": true, "execution_time": 1000, "prompt_length": 10, "output_format": "png", "model_used": "m1"}'),
  (NULL, 's3', 'cli_command', '2026-03-11T10:01Z', '3.0', NULL, '{"command": "icon", "success": false, "execution_time": 2000, "prompt_length": 20, "error_type": "timeout"}'),
  ('eve', NULL, 'app_opened', '2026-01-10T10:00Z', '1.0', 'DE', NULL);
INSERT INTO said SELECT 'eve', NULL, 'app_opened', day, '1.0', 'DE', NULL FROM generate_series('2026-02-14T12:00Z', '2026-03-15T12:00Z', interval '1 day') AS day;
CREATE TEMPORARY TABLE fell (person text, at timestamptz, version text, type text);
INSERT INTO fell VALUES ('ann', '2026-03-02T10:15Z', '1.0', 'main_crash'), ('ben', '2026-03-06T10:00Z', '1.0', 'main_crash'),
  ('ben', '2026-03-07T10:00Z', '1.0', 'renderer_crash'), ('fay', '2026-03-08T10:00Z', '1.0', 'main_crash');

CREATE FUNCTION pg_temp.store(people text[]) RETURNS void LANGUAGE sql AS $$
  INSERT INTO weir.events (event_id, tenant_id, user_id, session_id, event, "timestamp", client_timestamp, app_version, country, platform, properties)
  SELECT gen_random_uuid(), 'acme', person, session, name, at, at, version, country, 'linux', properties FROM said WHERE coalesce(person, '') = ANY (people);
  INSERT INTO weir.crashes (crash_id, tenant_id, user_id, app_version, os_version, crash_type, error_message, fingerprint, "timestamp", client_timestamp)
  SELECT gen_random_uuid(), 'acme', person, version, '12', type, 'oops', 'f-' || type, at, at FROM fell WHERE person = ANY (people);
  INSERT INTO weir.touched_days (tenant_id, day)
  SELECT DISTINCT 'acme', (at AT TIME ZONE 'UTC')::date FROM (SELECT person, at FROM said UNION ALL SELECT person, at FROM fell) AS r
  WHERE coalesce(person, '') = ANY (people);
$$;
\ir lib/build.sql
SELECT pg_temp.store(ARRAY['ann', 'ben', 'cat', 'dan', 'eve', 'fay', '']);
SELECT pg_temp.build();

CREATE TEMPORARY TABLE answer AS SELECT stats_answer('acme', '2026-03-02', '2026-03-15') AS a;
CREATE FUNCTION pg_temp.has(path text, wanted jsonb, claim text) RETURNS text LANGUAGE sql AS $$
  SELECT is(a #> path::text[], wanted, claim) FROM answer
$$;

-- Users with an event by the 15th: ann, ben, cat, dan, eve. Recordings 600 + 300 + 900 s, four crashes, one of fay, who has no event.
SELECT pg_temp.has('{total_users}', '5', 'total_users');
SELECT pg_temp.has('{active_users}', '5', 'active_users');
SELECT pg_temp.has('{new_users}', '3', 'new_users: ben, cat, dan');
SELECT pg_temp.has('{total_recordings}', '3', 'total_recordings');
SELECT pg_temp.has('{total_minutes}', '30', 'total_minutes: 1800 seconds');
SELECT pg_temp.has('{total_cost_usd}', '0.18', 'total_cost_usd');
SELECT pg_temp.has('{crash_count}', '4', 'crash_count');
SELECT pg_temp.has('{crash_rate}', '0.8', 'crash_rate: 4 / 5');
SELECT pg_temp.has('{exact}', 'true', 'all of it is exact');

-- The last week (9th to 15th): ann, dan, eve; the one before: ann, ben, cat, eve.
SELECT is((a -> 'users') - '{retention,stickiness}'::text[], '{"total": 5, "active": 5, "active_1": 1, "active_7": 3, "active_30": 5, "new": 3, "new_7": 1,
  "new_30": 3, "churned": 0, "churn_rate": 0, "growth": {"this_week": 3, "week_before": 4, "rate": -0.25}, "power": 1, "regular": 0, "casual": 4}',
  'who is there') FROM answer;
-- ben came a day after the first, cat and dan did not; none of ben and cat, the only ones known for seven days, seven days after.
SELECT pg_temp.has('{users,retention}', '{"day_1": {"new": 3, "returned": 1, "share": 0.333333}, "day_7": {"new": 2, "returned": 0, "share": 0},
  "day_30": {"new": 0, "returned": 0, "share": null}}', 'who came back');
-- Days of 30: eve 30, ann 2, ben 3, cat 1, dan 3 are 39 / 30 / 5.
SELECT pg_temp.has('{users,stickiness}', '0.26', 'stickiness');
-- 4 + 4 + 3 + 4 + 14 of eve and two commands; sessions: 20 minutes and 1 minute. That of the commands is no user's.
-- Weeks with events: of ann, ben, cat and eve, then of ann, dan and eve: three recordings by seven.
SELECT is((a -> 'usage') - '{peak_hours,names}'::text[], '{"events": 31, "events_per_user": 6.2, "recordings": 3, "hours": 0.5, "recordings_per_user": 0.6,
  "recordings_per_user_week": 0.428571, "sessions": {"sessions": 2, "mean_seconds": 630}}', 'what they do') FROM answer;
SELECT pg_temp.has('{usage,names,0}', '{"value": "app_opened", "events": 17, "share": 0.548387}', 'what they do most');
SELECT pg_temp.has('{usage,peak_hours,6,12}', '2', 'two Sundays at noon: eve''s');
SELECT pg_temp.has('{usage,peak_hours,0,10}', '3', 'Monday at ten: ann''s');
-- Weeks with events: ann 2, ben 1, cat 1, dan 1, eve 2 are 7.
SELECT pg_temp.has('{features,features}', '[{"feature": "export", "events": 3, "users": 2, "adoption": 0.4, "weekly": 0.428571},
  {"feature": "import", "events": 2, "users": 2, "adoption": 0.4, "weekly": 0.285714}]', 'features');
-- ben needed two days, cat none, dan three.
SELECT pg_temp.has('{features,first_use}', '{"users": 3, "mean_days": 1.666667}', 'how soon a feature is used');
SELECT pg_temp.has('{features,unused}', '["legacy"]', 'not used any more');
SELECT pg_temp.has('{features,split}', '[{"value": "widget", "events": 2, "share": 0.666667}, {"value": "main_window", "events": 1, "share": 0.333333}]', 'widget against main window');
SELECT pg_temp.has('{features,toggles}', '{"features": [{"value": "auto_paste", "events": 2, "share": 1, "switched": 1, "on": 0, "adoption": 0}],
  "on": 0, "adoption": 0}', 'auto-paste: cat switched it on, and off again');
SELECT pg_temp.has('{features,retries}', '{"count": 2, "users": 1, "share": 0.2}', 'dan tried again, twice');
-- Five say whether it worked: three recordings, two commands. ben's export answered in 250 ms, dan's import in 0.75 s.
SELECT pg_temp.has('{performance}', '{"success_rate": {"yes": 3, "no": 2, "rate": 0.6}, "error_rate": 0.064516, "processing_time": {"count": 2, "mean": 3},
  "startup_time": {"count": 2, "mean": 1}, "response_time": {"count": 2, "mean": 0.5}, "errors": [
  {"value": "network", "events": 1, "share": 0.5, "rate": 0.032258}, {"value": "timeout", "events": 1, "share": 0.5, "rate": 0.032258}]}', 'how well it works');
-- ann and ben crashed and were there; ann's session had a crash; ben crashed three days after the first event.
SELECT is((a -> 'crashes') - '{types,versions,systems}'::text[], '{"crashes": 4, "crashed_users": 3, "first_crash": {"users": 1, "mean_days": 3},
  "crash_free_users": {"active": 5, "crash_free": 3, "crash_free_share": 0.6},
  "crash_free_sessions": {"sessions": 2, "crash_free": 1, "crash_free_share": 0.5}}', 'crashes') FROM answer;
SELECT pg_temp.has('{crashes,types}', '[{"value": "main_crash", "events": 3, "share": 0.75}, {"value": "renderer_crash", "events": 1, "share": 0.25}]', 'types of crashes');
SELECT pg_temp.has('{costs}', '{"total": 0.18, "per_user": 0.036}', 'costs');
SELECT pg_temp.has('{countries}', '[{"country": "DE", "events": 18, "users": 2, "share": 0.4}, {"country": "US", "events": 7, "users": 2, "share": 0.4}]', 'countries');
SELECT pg_temp.has('{versions,1}', '{"version": "2.0", "events": 8, "users": 3, "share": 0.6}', 'versions');
SELECT pg_temp.has('{platforms}', '[{"platform": "linux", "events": 31, "users": 5, "share": 1}]', 'platforms');
SELECT pg_temp.has('{cli}', '{"commands": [{"value": "icon", "events": 2, "share": 1}], "output_formats": [{"value": "png", "events": 1, "share": 1}],
  "models": [{"value": "m1", "events": 1, "share": 1}], "success": {"yes": 1, "no": 1, "rate": 0.5}, "errors": [{"value": "timeout", "events": 1, "share": 1, "rate": 0.5}],
  "prompt_length": {"count": 2, "mean": 15}, "execution_time": {"count": 2, "mean": 1500},
  "sessions": {"count": 1, "days": [{"start": "2026-03-02", "sessions": 0}, {"start": "2026-03-03", "sessions": 0}, {"start": "2026-03-04", "sessions": 0}, {"start": "2026-03-05", "sessions": 0},
    {"start": "2026-03-06", "sessions": 0}, {"start": "2026-03-07", "sessions": 0}, {"start": "2026-03-08", "sessions": 0}, {"start": "2026-03-09", "sessions": 0},
    {"start": "2026-03-10", "sessions": 0}, {"start": "2026-03-11", "sessions": 1}, {"start": "2026-03-12", "sessions": 0}, {"start": "2026-03-13", "sessions": 0},
    {"start": "2026-03-14", "sessions": 0}, {"start": "2026-03-15", "sessions": 0}],
  "weeks": [{"start": "2026-03-02", "sessions": 0}, {"start": "2026-03-09", "sessions": 1}]}}',
  'the command line');
SELECT pg_temp.has('{days,0}', '{"start": "2026-03-02", "active": 2, "new": 0, "events": 4, "recordings": 2, "minutes": 15, "cost_usd": 0.09,
  "cost_per_user": 0.045, "crashes": 1, "crash_rate": 0.5}', 'a day');
SELECT is(jsonb_array_length(a -> 'days'), 14, 'each day') FROM answer;
SELECT pg_temp.has('{weeks,1}', '{"start": "2026-03-09", "active": 3, "new": 1, "events": 14, "recordings": 0, "minutes": 0, "cost_usd": 0,
  "cost_per_user": 0, "crashes": 0, "crash_rate": 0}', 'a week');
SELECT pg_temp.has('{months}', '[{"start": "2026-03-01", "active": 5, "new": 3, "events": 31, "recordings": 3, "minutes": 30, "cost_usd": 0.18,
  "cost_per_user": 0.036, "crashes": 4, "crash_rate": 0.8}]', 'a month');

-- The same words mean the same elsewhere, and in another zone, and where the window is shorter than what it looks back on.
CREATE FUNCTION pg_temp.without_users(list jsonb) RETURNS jsonb LANGUAGE sql AS $$
  SELECT coalesce(jsonb_agg(v - 'users' ORDER BY place), '[]') FROM jsonb_array_elements(list) WITH ORDINALITY AS v (v, place)
$$;
CREATE FUNCTION pg_temp.agrees(since date, until date, zone text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
  s constant jsonb := weir.stats_answer('acme', since, until, zone);
  u constant jsonb := weir.users_answer('acme', since, until, zone);
  g constant jsonb := weir.usage_answer('acme', since, until, zone);
  f constant jsonb := weir.features_answer('acme', since, until, zone);
  a constant jsonb := weir.audience_answer('acme', since, until, zone);
  c constant jsonb := weir.crashes_answer('acme', since, until, zone);
  at constant text := format('%s to %s in %s: ', since, until, zone);
BEGIN
  RETURN NEXT is((s -> 'users') - '{new_7,new_30,power,regular,casual}'::text[],
    u - '{tenant,from,to,zone,as_of,exact,engagement,days,weeks,months,cohorts}'::text[], at || 'users');
  RETURN NEXT is(s #> '{users,power}', f #> '{days_active,power}', at || 'power users');
  RETURN NEXT is(s #> '{users,regular}', f #> '{days_active,regular}', at || 'regular users');
  RETURN NEXT is(s #> '{usage,peak_hours}', g -> 'peak_hours', at || 'peak hours');
  RETURN NEXT is(s #> '{performance,success_rate}', g -> 'success', at || 'success');
  RETURN NEXT is(s #> '{performance,error_rate}', g #> '{errors,rate}', at || 'errors');
  RETURN NEXT is(s #> '{performance,errors}', pg_temp.without_users(g #> '{errors,values}'), at || 'errors by type');
  RETURN NEXT is(s #> '{cli,errors}', pg_temp.without_users(g #> '{cli,errors,values}'), at || 'errors of commands by type');
  RETURN NEXT is(s #> '{usage,recordings_per_user_week}', weir.usage_answer('acme', since, until, zone, 'recording_completed') -> 'per_user_and_week',
    at || 'recordings for each user and week');
  RETURN NEXT is(s #> '{usage,hours}', g #> '{hours,total}', at || 'hours');
  RETURN NEXT is(s #> '{usage,sessions,sessions}', g #> '{sessions,count}', at || 'sessions');
  RETURN NEXT is(s #> '{usage,sessions,mean_seconds}', g #> '{sessions,mean}', at || 'length of sessions');
  RETURN NEXT is(s #> '{features,unused}', f -> 'unused', at || 'unused features');
  RETURN NEXT is(s #> '{features,retries}', (f -> 'retries') - 'per_user', at || 'retries');
  RETURN NEXT bag_eq(
    format('SELECT v - ''{returning,days_to_first_use}''::text[] FROM jsonb_array_elements(%L::jsonb) AS v', f -> 'features'),
    format('SELECT v FROM jsonb_array_elements(%L::jsonb) AS v', s #> '{features,features}'), at || 'features');
  RETURN NEXT bag_eq(
    format('SELECT jsonb_build_object(''version'', v -> ''version'', ''events'', v -> ''events'', ''users'', v -> ''users'', ''share'', v -> ''share'')
      FROM jsonb_array_elements(%L::jsonb) AS v', a -> 'versions'),
    format('SELECT v FROM jsonb_array_elements(%L::jsonb) AS v', s -> 'versions'), at || 'versions');
  RETURN NEXT bag_eq(
    format('SELECT jsonb_build_object(''country'', v -> ''country'', ''events'', v -> ''events'', ''users'', v -> ''users'', ''share'', v -> ''share'')
      FROM jsonb_array_elements(%L::jsonb) AS v', a -> 'countries'),
    format('SELECT v FROM jsonb_array_elements(%L::jsonb) AS v', s -> 'countries'), at || 'countries');
  RETURN NEXT is(s #> '{crashes,crash_free_users}', c -> 'crash_free_users', at || 'users without a crash');
  RETURN NEXT is(s #> '{crashes,crash_free_sessions}', c -> 'crash_free_sessions', at || 'sessions without a crash');
  RETURN NEXT is(s #> '{crashes,crashed_users}', c -> 'crashed_users', at || 'users with one');
  RETURN NEXT is(s -> 'total_cost_usd', weir.costs_answer('acme', since, until, zone) -> 'total', at || 'costs');
END
$$;
SELECT keep_zone('acme', 'Europe/Berlin');
SELECT throws_ok($$SELECT stats_answer('acme', '2026-03-02', '2026-03-15', 'Europe/Berlin')$$, '22023', NULL, 'a zone whose days are not made yet');
SELECT pg_temp.build();
SELECT pg_temp.agrees(since, until, zone)
FROM (VALUES (date '2026-03-02', date '2026-03-15', 'UTC'), ('2026-03-10', '2026-03-13', 'Europe/Berlin'), ('2026-03-05', '2026-03-05', 'UTC'),
  ('2026-01-01', '2026-03-31', 'Europe/Berlin')) AS v (since, until, zone);
SELECT throws_ok($$SELECT stats_answer('acme', '2026-03-02', '2026-03-15', 'Asia/Tokyo')$$, '22023', NULL, 'a zone that is not kept');
SELECT is(stats_answer('nobody', '2026-03-02', '2026-03-15') #>> '{users,total}', '0', 'of an unknown tenant there is nothing');
SELECT is(stats_answer('nobody', '2026-03-02', '2026-03-15') -> 'countries', '[]', 'and its lists are empty');

-- Ten of a list, those of the same number by name.
SELECT is(jsonb_array_length(weir.stats_merge(ARRAY(SELECT ('country', 'C' || n, n % 3)::weir.part FROM generate_series(1, 12) AS n), '2026-03-02', '2026-03-15')
  -> 'countries'), 10, 'ten of a list');

-- Where events and users disagree, users decide: one user has five events in each of ten countries, two have one in the eleventh.
INSERT INTO weir.events (event_id, tenant_id, user_id, event, "timestamp", client_timestamp, country)
SELECT gen_random_uuid(), 'wide', person, 'opened', at, at, country
FROM (SELECT 'busy', 'C' || c FROM generate_series(0, 9) AS c, generate_series(1, 5) UNION ALL VALUES ('ann', 'Z'), ('ben', 'Z')) AS v (person, country),
  (VALUES (timestamptz '2026-03-03T10:00Z')) AS t (at);
INSERT INTO weir.touched_days (tenant_id, day) VALUES ('wide', '2026-03-03');
SELECT pg_temp.build();
SELECT unnest(ARRAY[is(s -> 'countries' -> 0, '{"country": "Z", "events": 2, "users": 2, "share": 0.666667}', 'the country of most users is the first'),
  is(s #>> '{countries,9,country}', 'C8', 'and the last of ten is the ninth of those with one'), is(s -> 'exact', 'true', 'exactly')])
FROM stats_answer('wide', '2026-03-02', '2026-03-15') AS s;

-- The users of fifty values are counted: what has more events than the tenth has users may belong into the list.
CREATE FUNCTION pg_temp.is_exact(uncounted numeric) RETURNS jsonb LANGUAGE sql AS $$
  SELECT weir.stats_merge(ARRAY(SELECT ('country', 'C' || n, 20)::weir.part FROM generate_series(10, 59) AS n
    UNION ALL SELECT ('country_users', 'C' || n, 3)::weir.part FROM generate_series(10, 59) AS n
    UNION ALL SELECT ('country', 'D', uncounted)::weir.part), '2026-03-02', '2026-03-15') -> 'exact'
$$;
SELECT is(pg_temp.is_exact(3), 'true', 'three events cannot be of more than three users');
SELECT is(pg_temp.is_exact(4), 'false', 'four can');

-- Two servers, users split between them.
CREATE TEMPORARY TABLE servers (n integer, parts weir.part[]);
CREATE FUNCTION pg_temp.server(people text[]) RETURNS void LANGUAGE sql AS $$
  DELETE FROM weir.events; DELETE FROM weir.crashes; DELETE FROM weir.day_sets; DELETE FROM weir.day_counts; DELETE FROM weir.day_sessions;
  DELETE FROM weir.day_numbers; DELETE FROM weir.user_numbers;
  SELECT pg_temp.store(people); SELECT pg_temp.build();
$$;
CREATE TEMPORARY TABLE parts AS SELECT p FROM stats_partial('acme', '2026-03-02', '2026-03-15', 'UTC') AS p WHERE false;
CREATE TEMPORARY TABLE details AS SELECT * FROM parts;
SELECT pg_temp.server(ARRAY['ann', 'cat', '']);
INSERT INTO parts SELECT p FROM stats_partial('acme', '2026-03-02', '2026-03-15', 'UTC') AS p;
SELECT pg_temp.server(ARRAY['ben', 'dan', 'eve', 'fay']);
INSERT INTO parts SELECT p FROM stats_partial('acme', '2026-03-02', '2026-03-15', 'UTC') AS p;
INSERT INTO details SELECT p FROM stats_details_partial('acme', '2026-03-02', '2026-03-15', 'UTC', ARRAY(SELECT p FROM parts)) AS p;
SELECT pg_temp.server(ARRAY['ann', 'cat', '']);
INSERT INTO details SELECT p FROM stats_details_partial('acme', '2026-03-02', '2026-03-15', 'UTC', ARRAY(SELECT p FROM parts)) AS p;
SELECT is(stats_merge(ARRAY(SELECT p FROM parts UNION ALL SELECT p FROM details), '2026-03-02', '2026-03-15'),
  (SELECT a - '{tenant,from,to,zone,as_of}'::text[] FROM answer), 'two servers together say what one says');

SELECT * FROM finish();
ROLLBACK;
