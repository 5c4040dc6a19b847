-- Heavy users by a measure, and by events where a zone is not kept, against numbers worked out by hand. From packs and from rows
-- come the same.
BEGIN;
SET LOCAL search_path = weir, public;
SET LOCAL client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap SCHEMA public;
SELECT no_plan();
\ir lib/build.sql

-- eve records half an hour before the 4th in Kolkata and half an hour after it, ten hours apart in New York; fay once, long. 20, 40 and 100
-- seconds. A recording without a length is none of its seconds.
CREATE FUNCTION pg_temp.store(person text, name text, at timestamptz, said jsonb, times integer DEFAULT 1) RETURNS void LANGUAGE sql AS $$
  INSERT INTO weir.events (event_id, tenant_id, user_id, event, "timestamp", client_timestamp, properties)
  SELECT gen_random_uuid(), 'rec', person, name, at, at, said FROM generate_series(1, times);
  INSERT INTO weir.touched_days (tenant_id, day) SELECT 'rec', (at AT TIME ZONE 'UTC')::date
  WHERE NOT EXISTS (SELECT FROM weir.touched_days AS t WHERE t.tenant_id = 'rec' AND t.day = (at AT TIME ZONE 'UTC')::date)
$$;
SELECT pg_temp.store(person, name, at::timestamptz, said::jsonb)
FROM (VALUES ('eve', 'recording_completed', '2026-03-03T18:00Z', '{"audio_duration_seconds": 20}'),
  ('eve', 'recording_completed', '2026-03-03T19:00Z', '{"audio_duration_seconds": 40}'), ('eve', 'opened', '2026-03-04T04:00Z', '{}'),
  ('fay', 'recording_completed', '2026-03-04T10:00Z', '{"audio_duration_seconds": 100}'), ('gus', 'opened', '2026-03-04T10:00Z', '{"audio_duration_seconds": 900}'),
  ('fay', 'recording_completed', '2026-03-04T11:00Z', '{"audio_duration_seconds": "long"}'),
  (NULL, 'recording_completed', '2026-03-04T11:00Z', '{"audio_duration_seconds": 500}')) AS r (person, name, at, said);
INSERT INTO weir.user_days (tenant_id, user_id, day, events, first_at, last_at)
SELECT tenant_id, user_id, ("timestamp" AT TIME ZONE 'UTC')::date, count(*), min("timestamp"), max("timestamp")
FROM weir.events WHERE tenant_id = 'rec' AND user_id IS NOT NULL GROUP BY 1, 2, 3;
-- What is no number, or none within 1e300 of zero, on the 10th: hal has -3, 0 and 1.5. ida's three are none.
SELECT pg_temp.store(person, 'weighed', '2026-03-10T12:00Z', said::jsonb)
FROM (VALUES ('hal', '{"g": -3}'), ('hal', '{"g": 0}'), ('hal', '{"g": 1.5, "other": 7}'), ('hal', '{"g": null}'), ('hal', '{"g": true}'), ('hal', '{"g": [4]}'),
  ('hal', '{"g": {"g": 4}}'), ('hal', '["g", 4]'), ('hal', '4'), ('hal', NULL), ('ida', '{"g": "4"}'), ('ida', '{"g": 1e300}'), ('ida', '{"G": 4}')) AS w (person, said);
-- Three packs of a day, so that two processes share the users: of each of nine a thousand, that say their number. And a visit, which is
-- packed besides its views.
SELECT pg_temp.store('u' || n, 'ping', '2026-03-12T12:00Z', jsonb_build_object('n', n), 1000) FROM generate_series(1, 9) AS n;
SELECT pg_temp.store('u1', 'screen_viewed', '2026-03-13T12:00Z', '{"screen": "home", "n": 1}'), pg_temp.store('u1', 'screen_viewed', '2026-03-13T12:01Z', '{"screen": "list", "n": 2}');
SELECT pg_temp.build();
INSERT INTO weir.measures (tenant_id, measure, event, property, factor) VALUES ('rec', 'length', '*', 'audio_duration_seconds', 0.5), ('rec', 'grams', 'weighed', 'g', 2),
  ('rec', 'cost_usd', 'recording_completed', NULL, 0.25), ('rec', 'pings', 'ping', NULL, 1), ('rec', 'n', 'ping', 'n', 1), ('rec', 'any', '*', NULL, 1),
  ('rec', 'any n', '*', 'n', 1), ('rec', 'both', 'recording_completed', 'audio_duration_seconds', 1), ('rec', 'both', 'opened', NULL, 0.1),
  ('rec', 'both', '*', NULL, 0), ('other', 'seconds', 'opened', NULL, 5);
SELECT is((SELECT count(*) FROM packed_days WHERE tenant_id = 'rec'), 5::bigint, 'all these days are packed');
SELECT cmp_ok((halves_of_users('rec', '[{"event": "ping"}]', '2026-03-12', '2026-03-13'))[2], '<', 9223372036854775807, 'and two processes have users of one');
SELECT is((SELECT count(DISTINCT event) FROM packs WHERE tenant_id = 'rec' AND event = made_pack('visits')), 1::bigint, 'and a visit is');

-- What to ask, and what has to come: each user with events and total.
CREATE TEMPORARY TABLE asked (first_day date, last_day date, zone text, measure text, most integer, wanted text, claim text);
INSERT INTO asked VALUES
  ('2026-03-03', '2026-03-04', 'UTC', 'seconds', 20, 'fay 1 100, eve 2 60', 'by seconds: what users recorded, where it is a number'),
  ('2026-03-03', '2026-03-04', 'UTC', 'recordings', 20, 'eve 2 2, fay 2 2', 'by recordings, those of the same number by name'),
  ('2026-03-03', '2026-03-04', 'UTC', 'recordings', 1, 'eve 2 2', 'if there is room for one, too'),
  ('2026-03-04', '2026-03-04', 'Asia/Kolkata', 'seconds', 20, 'fay 1 100, eve 1 40', 'on the clocks of Kolkata eve''s first one was the day before'),
  ('2026-03-03', '2026-03-03', 'America/New_York', 'seconds', 20, 'eve 2 60', 'and in New York both were on the 3rd'),
  ('2026-03-04', '2026-03-04', 'America/New_York', 'recordings', 20, 'fay 2 2', 'and those of the 4th late'),
  ('2026-03-01', '2026-03-31', 'Asia/Kolkata', 'seconds', 20, 'fay 1 100, eve 2 60', 'of a month'),
  ('2026-03-03', '2026-03-04', 'UTC', 'length', 20, 'gus 1 450.0, fay 1 50.0, eve 2 30.0', 'a measure of every event, with a factor'),
  ('2026-03-03', '2026-03-04', 'UTC', 'cost_usd', 20, 'eve 2 0.50, fay 2 0.50', 'a tenant''s own stands in for everybody''s'),
  ('2026-03-03', '2026-03-04', 'UTC', 'both', 20, 'fay 3 100, eve 6 60.1, gus 2 0.1', 'of several events, each as it counts'),
  ('2026-03-10', '2026-03-10', 'UTC', 'grams', 20, 'hal 3 -3.0', 'numbers below zero, zero, and what is none'),
  ('2026-03-11', '2026-03-14', 'UTC', 'pings', 3, 'u1 1000 1000, u2 1000 1000, u3 1000 1000', 'nine alike, by name'),
  ('2026-03-11', '2026-03-14', 'UTC', 'n', 4, 'u9 1000 9000, u8 1000 8000, u7 1000 7000, u6 1000 6000', 'and by what they said'),
  ('2026-03-12', '2026-03-13', 'UTC', 'any', 2, 'u1 1002 1002, u2 1000 1000', 'of every event, and nothing that packs hold besides'),
  ('2026-03-13', '2026-03-13', 'UTC', 'any n', 2, 'u1 2 3', 'nor a number of it');
CREATE FUNCTION pg_temp.answer(a asked) RETURNS jsonb LANGUAGE sql AS $$
  SELECT heavy_users_answer('rec', a.first_day, a.last_day, a.zone, a.measure, a.most) - 'as_of'
$$;
CREATE FUNCTION pg_temp.listed(answer jsonb) RETURNS text LANGUAGE sql AS $$
  SELECT string_agg(u.value ->> 'user' || ' ' || (u.value ->> 'events') || ' ' || (u.value ->> 'total'), ', ') FROM jsonb_array_elements(answer -> 'users') AS u
$$;
CREATE TEMPORARY TABLE packed AS SELECT a.*, pg_temp.answer(a) AS answer FROM asked AS a;
SELECT is(pg_temp.listed(answer), wanted, claim) FROM packed;
SELECT is(answer - '{tenant,from,to,zone,users,concentration}'::text[],
  '{"measure": "seconds", "exact": true, "error": {"concentration": 0.01}, "active": 2, "events": 3, "total": 160}', 'what all of it adds up to')
FROM packed WHERE (measure, zone, first_day) = ('seconds', 'UTC', '2026-03-03');
SELECT is(answer #> '{concentration,0}', '{"top": 1, "users": 1, "share": 0.625}', 'and the share of the first') FROM packed WHERE (measure, zone) = ('seconds', 'UTC');
-- Of 45,000 the first five of nine have 35,000.
SELECT is(answer - '{tenant,from,to,zone,users,concentration,exact,error,measure}'::text[], '{"active": 9, "events": 9000, "total": 45000}', 'who is not in the list counts')
FROM packed WHERE measure = 'n';
SELECT is(round((answer #>> '{concentration,4,share}')::numeric, 3), 0.778, 'whoever of two processes counted them') FROM packed WHERE measure = 'n';
SAVEPOINT packed;
DELETE FROM events WHERE tenant_id = 'rec';
SELECT is(pg_temp.answer(a), p.answer, p.claim || ': without a look at the rows') FROM asked AS a JOIN packed AS p USING (claim);
ROLLBACK TO packed;
DELETE FROM packed_days WHERE day IN ('2026-03-03', '2026-03-12');
SELECT is(pg_temp.answer(a), p.answer, p.claim || ': some days from the rows') FROM asked AS a JOIN packed AS p USING (claim);
DELETE FROM packed_days;
SELECT is(pg_temp.answer(a), p.answer, p.claim || ': all from the rows') FROM asked AS a JOIN packed AS p USING (claim);
ROLLBACK TO packed;

-- What comes late counts at once, though its day is packed; of whom nobody knew, too: of two strangers each by itself.
SELECT pg_temp.store(person, 'recording_completed', '2026-03-04T12:00Z', jsonb_build_object('audio_duration_seconds', seconds))
FROM (VALUES ('abe', 25), ('abe', 35), ('zoe', 300), ('eve', 1)) AS l (person, seconds);
SELECT set_eq($$SELECT p.day FROM days_in_packs('rec', '2026-03-03', '2026-03-05') AS p (day)$$, '{2026-03-03}'::date[], 'a day that something came for is not read from packs');
SELECT is((SELECT count(*) FROM user_numbers WHERE tenant_id = 'rec' AND user_id IN ('abe', 'zoe')), 0::bigint, 'strangers have no numbers yet');
SELECT is(pg_temp.listed(heavy_users_answer('rec', '2026-03-03', '2026-03-04', 'UTC', 'seconds')), 'zoe 1 300, fay 1 100, eve 3 61, abe 2 60', 'with strangers');
SELECT is(heavy_users_answer('rec', '2026-03-01', '2026-03-31', 'UTC', 'any') ->> 'error', NULL, 'a measure that counts every event alike is exact');
SELECT is(pg_temp.listed(heavy_users_answer('rec', '2026-03-01', '2026-03-31', 'UTC', 'any', 3)), 'u1 1002 1002, u2 1000 1000, u3 1000 1000', 'who are not taken for others');
CREATE TEMPORARY TABLE late AS SELECT pg_temp.answer(a) AS answer, claim FROM asked AS a;
SELECT pg_temp.build();
SELECT is(pg_temp.answer(a), l.answer, l.claim || ': late, and when it is built') FROM asked AS a JOIN late AS l USING (claim);
ROLLBACK TO packed;

-- By events where no day of the zone is kept.
CREATE FUNCTION pg_temp.heavy(first_day date, last_day date, zone text) RETURNS text LANGUAGE sql AS $$
  SELECT pg_temp.listed(heavy_users_answer('rec', first_day, last_day, zone))
$$;
SELECT is(pg_temp.heavy('2026-03-04', '2026-03-04', 'UTC'), 'fay 2 2, eve 1 1, gus 1 1', 'by events in UTC');
SELECT is(pg_temp.heavy('2026-03-04', '2026-03-04', 'Asia/Kolkata'), 'eve 2 2, fay 2 2, gus 1 1', 'where the day begins earlier');
SELECT is(pg_temp.heavy('2026-03-03', '2026-03-03', 'America/New_York'), 'eve 3 3', 'and where it ends later');
SELECT is(pg_temp.heavy('2026-03-02', '2026-03-05', 'America/New_York'), 'eve 3 3, fay 2 2, gus 1 1', 'whole days between those that are cut');
SELECT is(pg_temp.heavy('2026-03-01', '2026-03-09', 'Africa/Abidjan'), pg_temp.heavy('2026-03-01', '2026-03-09', 'UTC'), 'a zone that is as UTC');
SELECT throws_ok($$SELECT heavy_users_answer('rec', '2026-03-03', '2026-03-04', 'UTC', 'joy')$$, '22023', NULL, 'a measure that there is not');
SELECT throws_ok($$SELECT heavy_users_answer('rec', '2026-03-03', '2026-03-04', most => 0)$$, '22023', NULL, 'a list of nobody');
SELECT throws_ok($$SELECT heavy_users_answer('rec', '2026-03-03', '2026-03-04', most => 101)$$, '22023', NULL, 'a list of too many');
SELECT is(heavy_users_answer('nobody', '2026-03-03', '2026-03-04', 'UTC', 'seconds') - '{tenant,from,to,zone,as_of,concentration}'::text[],
  '{"measure": "seconds", "exact": true, "error": {"concentration": 0.01}, "active": 0, "events": 0, "total": 0, "users": []}', 'of nobody there is nothing');
SELECT * FROM finish();
ROLLBACK;
