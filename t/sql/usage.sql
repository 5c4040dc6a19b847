-- The figures of what users do, against numbers worked out by hand.
BEGIN;
SET LOCAL search_path = weir, public;
SET LOCAL client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap SCHEMA public;
SELECT no_plan();

-- Monday 2026-03-02 and the two days after; cat's last is on the 4th in UTC, on the 5th in Berlin.
CREATE TEMPORARY TABLE said (person text, session text, name text, at timestamptz, properties jsonb);
INSERT INTO said VALUES
  ('ann', 's1', 'recording_completed', '2026-03-02T10:00Z', '{"audio_duration_seconds": 3600, "success": true}'),
  ('ann', 's1', 'recording_completed', '2026-03-02T10:30Z', '{"audio_duration_seconds": 1800, "success": true}'),
  ('ben', 's2', 'recording_completed', '2026-03-03T10:00Z', '{"audio_duration_seconds": 900, "success": false, "error_type": "network"}'),
  ('ben', 's2', 'transcription_failed', '2026-03-03T10:01Z', '{"error_type": "network"}'),
  ('ben', 's2', 'transcription_failed', '2026-03-03T10:02Z', '{"error_type": "quota", "success": false}'),
  ('cat', NULL, 'opened', '2026-03-04T23:30Z', '{"success": "yes", "audio_duration_seconds": "12"}'),
  (NULL, 's3', 'cli_command', '2026-03-04T09:00Z', '{"command": "icon", "success": true, "execution_time": 1000, "prompt_length": 10, "output_format": "png"}'),
  (NULL, 's3', 'cli_command', '2026-03-04T09:10Z', '{"command": "icon", "success": true, "execution_time": 1000, "prompt_length": 20, "output_format": "svg", "model_used": "large"}'),
  (NULL, 's3', 'cli_command', '2026-03-04T09:20Z', '{"command": "logo", "success": false, "execution_time": 4000, "prompt_length": 60, "error_type": "timeout"}');

CREATE FUNCTION pg_temp.store(people text[]) RETURNS void LANGUAGE sql AS $$
  INSERT INTO weir.events (event_id, tenant_id, user_id, session_id, event, "timestamp", client_timestamp, properties)
  SELECT gen_random_uuid(), 'acme', person, session, name, at, at, properties FROM said WHERE coalesce(person, '') = ANY (people);
  INSERT INTO weir.touched_days (tenant_id, day)
  SELECT DISTINCT 'acme', (at AT TIME ZONE 'UTC')::date FROM said WHERE coalesce(person, '') = ANY (people);
$$;
\ir lib/build.sql
SELECT pg_temp.store(ARRAY['ann', 'ben', 'cat', '']);
SELECT pg_temp.build();

CREATE TEMPORARY TABLE answers AS
SELECT 'all' AS about, usage_answer('acme', '2026-03-02', '2026-03-04') AS a
UNION ALL
SELECT 'recordings', usage_answer('acme', '2026-03-02', '2026-03-04', event => 'recording_completed', property => 'audio_duration_seconds');
CREATE FUNCTION pg_temp.has(about text, path text, wanted text, claim text) RETURNS text LANGUAGE sql AS $$
  SELECT is(a #>> path::text[], wanted, claim) FROM answers AS t WHERE t.about = has.about
$$;

SELECT pg_temp.has('all', '{count}', '9', 'nine events');
SELECT pg_temp.has('all', '{users}', '3', 'of three users');
SELECT pg_temp.has('all', '{per_user}', '3.000000', 'which is three a user');
SELECT pg_temp.has('all', '{days}', '[{"count": 2, "start": "2026-03-02", "users": 1}, {"count": 3, "start": "2026-03-03", "users": 1}, '
  '{"count": 4, "start": "2026-03-04", "users": 1}]', 'by day');
SELECT pg_temp.has('all', '{peak_hours,0,10}', '2', 'two on Monday from ten to eleven');
SELECT pg_temp.has('all', '{peak_hours,2,9}', '3', 'three on Wednesday from nine to ten');
SELECT pg_temp.has('all', '{peak_hours,6,23}', '0', 'none on Sunday');
SELECT pg_temp.has('all', '{success}', '{"no": 3, "yes": 4, "rate": 0.571429}', 'four of seven went well; "yes" is neither');
SELECT pg_temp.has('all', '{errors,values}', '[{"rate": 0.222222, "share": 0.500000, "users": 1, "value": "network", "events": 2}, '
  '{"rate": 0.111111, "share": 0.250000, "users": 1, "value": "quota", "events": 1}, '
  '{"rate": 0.111111, "share": 0.250000, "users": 0, "value": "timeout", "events": 1}]',
  'errors by type');
SELECT pg_temp.has('all', '{errors,rate}', '0.444444', 'four of nine events have an error');
SELECT pg_temp.has('all', '{numbers}', NULL, 'no numbers, as no property was asked for');
SELECT pg_temp.has('all', '{events,values,0}', '{"share": 0.333333, "users": 0, "value": "cli_command", "events": 3}', 'events by name');
SELECT pg_temp.has('all', '{hours}', '{"total": 1.750000, "per_user": 0.583333}', '6300 seconds are 1.75 hours, by three users');
SELECT pg_temp.has('all', '{sessions,count}', '2', 'two sessions: that of the commands is no user''s');
-- 30 minutes, 2 minutes.
SELECT pg_temp.has('all', '{sessions,mean}', '960.000000', '1800 and 120 seconds are 960 in the mean');
SELECT ok((a #>> '{sessions,p50}')::numeric BETWEEN 120 * 0.99 AND 120 * 1.01, 'the lower one is the median, to 1 %') FROM answers WHERE about = 'all';
SELECT pg_temp.has('all', '{cli,commands,values}', '[{"share": 0.666667, "users": 0, "value": "icon", "events": 2}, '
  '{"share": 0.333333, "users": 0, "value": "logo", "events": 1}]', 'commands');
SELECT pg_temp.has('all', '{cli,models}', '{"more": 0, "other": {"users": 0, "events": 0}, "values": [{"share": 1.000000, "users": 0, "value": "large", "events": 1}]}',
  'the models that commands asked for');
SELECT pg_temp.has('all', '{cli,output_formats,values,0}', '{"share": 0.500000, "users": 0, "value": "png", "events": 1}',
  'of two that have a format, one is png');
SELECT pg_temp.has('all', '{cli,prompt_length,mean}', '30.000000', 'prompts have 30 characters in the mean');
SELECT pg_temp.has('all', '{cli,execution_time,mean}', '2000.000000', 'commands take two seconds');
SELECT ok((a #>> '{cli,execution_time,p50}')::numeric BETWEEN 1000 AND 1010, 'one in the median, never below the lowest') FROM answers WHERE about = 'all';
SELECT pg_temp.has('all', '{cli,success}', '{"no": 1, "yes": 2, "rate": 0.666667}', 'two of three went well');
SELECT pg_temp.has('all', '{cli,errors,values,0,value}', 'timeout', 'and one ended in a timeout');
SELECT pg_temp.has('all', '{cli,errors,values,0,rate}', '0.333333', 'of three commands');
SELECT pg_temp.has('all', '{sessions,days}', '[{"start": "2026-03-02", "sessions": 1}, {"start": "2026-03-03", "sessions": 1}, {"start": "2026-03-04", "sessions": 0}]',
  'one session began on each of the first two days');
SELECT pg_temp.has('all', '{weeks}', '[{"count": 9, "start": "2026-03-02", "users": 3, "growth": null, "per_user": 3.000000}]', 'by week');
SELECT pg_temp.has('all', '{per_user_and_week}', NULL, 'no week is whole');
SELECT pg_temp.has('recordings', '{per_active_user}', '1.000000', 'three recordings by three users who did anything');
-- Ann has two recordings in the first week, ben one, and cat was there too; the week after has nobody.
SELECT is(usage_answer('acme', '2026-03-02', '2026-03-15', event => 'recording_completed') #>> '{per_user_and_week}', '1.000000',
  'three recordings in three weeks of a user');
SELECT is(usage_answer('acme', '2026-03-02', '2026-03-15', event => 'recording_completed') #>> '{weeks,1}',
  '{"count": 0, "start": "2026-03-09", "users": 0, "growth": -1.000000, "per_user": null}', 'growth against the week before');

SELECT pg_temp.has('recordings', '{count}', '3', 'three recordings');
SELECT pg_temp.has('recordings', '{users}', '2', 'of two users');
SELECT pg_temp.has('recordings', '{active}', '3', 'of three that are active');
SELECT pg_temp.has('recordings', '{success}', '{"no": 1, "yes": 2, "rate": 0.666667}', 'two of the three went well');
SELECT pg_temp.has('recordings', '{errors,values}', '[{"rate": 0.333333, "share": 1.000000, "users": 1, "value": "network", "events": 1}]', 'one had an error');
SELECT pg_temp.has('recordings', '{peak_hours,1,10}', '1', 'on Tuesday one');
SELECT pg_temp.has('recordings', '{numbers,total}', '6300', 'they last 6300 seconds');
SELECT pg_temp.has('recordings', '{numbers,mean}', '2100.000000', '2100 in the mean');
SELECT pg_temp.has('recordings', '{numbers,lowest}', '900', 'the shortest 900');
SELECT ok((a #>> '{numbers,p50}')::numeric BETWEEN 1800 * 0.99 AND 1800 * 1.01 AND (a #>> '{numbers,p99}')::numeric BETWEEN 3600 * 0.99 AND 3600,
  'percentiles to 1 %') FROM answers WHERE about = 'recordings';
SELECT pg_temp.has('recordings', '{hours,total}', '1.750000', 'hours are of all');
SELECT pg_temp.has('recordings', '{error}', '{"percentiles": 0.01}', 'the answer says what is not exact');
SELECT is(kept_as('acme', 'UTC', 'success', 'opened'), 'opened.success', 'success of each event is kept by itself');
SELECT is(kept_as('acme', 'UTC', 'browser', 'opened'), NULL, 'what is not kept by event is read from the rows');
SELECT is(usage_answer('acme', '2026-03-02', '2026-03-04', event => 'transcription_failed') #>> '{errors,values,1,value}', 'quota',
  'with its numbers');
SELECT is(usage_answer('acme', '2026-03-02', '2026-03-04', event => 'transcription_failed') #>> '{success}',
  '{"no": 1, "yes": 0, "rate": 0.000000}', 'all of them');

-- A session_id that comes again counts once for each day and week, and once in all; a command without one is in none.
INSERT INTO weir.events (event_id, tenant_id, session_id, event, "timestamp", client_timestamp)
SELECT gen_random_uuid(), 'shell', session, 'cli_command', at, at
FROM (VALUES ('a', timestamptz '2026-03-02T10:00Z'), ('a', '2026-03-02T11:00Z'), ('b', '2026-03-02T12:00Z'), ('a', '2026-03-03T10:00Z'),
  ('a', '2026-03-09T10:00Z'), (NULL, '2026-03-09T10:00Z'), ('c', '2026-03-10T23:30Z'), ('d', '2026-03-12T10:00Z')) AS v (session, at);
INSERT INTO weir.touched_days (tenant_id, day) SELECT DISTINCT 'shell', "timestamp"::date FROM weir.events WHERE tenant_id = 'shell';
SELECT pg_temp.build();
CREATE FUNCTION pg_temp.has_sessions(zone text, wanted jsonb, claim text) RETURNS text LANGUAGE sql AS $$
  SELECT is(s.told || jsonb_build_object('days', jsonb_path_query_array(s.told, '$.days[*].sessions')), wanted, claim)
  FROM (SELECT weir.usage_answer('shell', '2026-03-02', '2026-03-10', zone, 'cli_command') #> '{cli,sessions}' AS told) AS s
$$;
SELECT is(usage_answer('shell', '2026-03-02', '2026-03-10') #> '{cli,sessions,count}', '3', 'sessions of commands are told whatever event is asked for');
SELECT pg_temp.has_sessions('UTC', '{"count": 3, "days": [2, 1, 0, 0, 0, 0, 0, 1, 1],
  "weeks": [{"start": "2026-03-02", "sessions": 2}, {"start": "2026-03-09", "sessions": 2}]}', 'users of the command line, by session_id');
SELECT pg_temp.has_sessions('Europe/Berlin', '{"count": 2, "days": [2, 1, 0, 0, 0, 0, 0, 1, 0],
  "weeks": [{"start": "2026-03-02", "sessions": 2}, {"start": "2026-03-09", "sessions": 1}]}', 'in Berlin c comes on the 11th');
INSERT INTO weir.touched_days (tenant_id, day) SELECT DISTINCT 'shell', "timestamp"::date FROM weir.events WHERE tenant_id = 'shell';
SELECT pg_temp.has_sessions('UTC', '{"count": 3, "days": [2, 1, 0, 0, 0, 0, 0, 1, 1],
  "weeks": [{"start": "2026-03-02", "sessions": 2}, {"start": "2026-03-09", "sessions": 2}]}', 'and where the rows are read');
SELECT pg_temp.build();
SELECT is(usage_answer('nobody', '2026-03-02', '2026-03-03', event => 'cli_command') #> '{cli,sessions}', '{"count": 0, "days": [{"start": "2026-03-02", "sessions": 0}, {"start": "2026-03-03", "sessions": 0}],
  "weeks": [{"start": "2026-03-02", "sessions": 0}]}',
  'where there are no commands there are none');

-- In Berlin cat's event is on the 5th; with the zone kept and from the rows.
CREATE FUNCTION pg_temp.in_berlin(event text, property text) RETURNS jsonb LANGUAGE sql AS $$
  SELECT weir.usage_answer('acme', '2026-03-02', '2026-03-05', 'Europe/Berlin', event, property)
$$;
CREATE TEMPORARY TABLE unkept AS
SELECT event, property, pg_temp.in_berlin(event, property) AS a
FROM (VALUES (NULL, NULL), ('recording_completed', 'audio_duration_seconds'), ('transcription_failed', NULL), ('opened', NULL), ('cli_command', 'execution_time'),
  (NULL, 'audio_duration_seconds')) AS v (event, property);
SELECT is((SELECT a #>> '{peak_hours,3,0}' FROM unkept WHERE event IS NULL AND property IS NULL), '1', 'an hour is an hour in the zone');
SELECT keep_zone('acme', 'Europe/Berlin');
SELECT pg_temp.build();
SELECT ok(keeps_zone('acme', 'Europe/Berlin'), 'Berlin is kept');
SELECT is(pg_temp.in_berlin(event, property), a, format('a zone that is kept has the numbers of the rows: %s %s', event, property)) FROM unkept;

-- Two servers, users split between them.
CREATE TEMPORARY TABLE parts AS SELECT p FROM usage_partial('acme', '2026-03-02', '2026-03-04', 'UTC') AS p WHERE false;
CREATE FUNCTION pg_temp.server(people text[]) RETURNS void LANGUAGE sql AS $$
  DELETE FROM weir.events; DELETE FROM weir.day_sets; DELETE FROM weir.day_counts; DELETE FROM weir.day_sessions;
  DELETE FROM weir.day_numbers; DELETE FROM weir.user_numbers;
  SELECT pg_temp.store(people); SELECT pg_temp.build();
  INSERT INTO parts SELECT p
  FROM weir.usage_partial('acme', '2026-03-02', '2026-03-04', 'UTC', 'recording_completed', 'audio_duration_seconds') AS p;
$$;
SELECT pg_temp.server(ARRAY['ann', '']);
SELECT pg_temp.server(ARRAY['ben', 'cat']);
SELECT is(usage_merge(ARRAY(SELECT p FROM parts), '2026-03-02', '2026-03-04', 'audio_duration_seconds'),
  (SELECT a - '{tenant,from,to,zone,event,property,as_of,exact,error}'::text[] FROM answers WHERE about = 'recordings'),
  'two servers together say what one says');
SELECT * FROM finish();
ROLLBACK;
