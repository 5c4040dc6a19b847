-- The figures of crashes, against numbers worked out by hand.
BEGIN;
SET LOCAL search_path = weir, public;
SET LOCAL client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap SCHEMA public;
SELECT plan(26);

-- Monday 2026-03-02 to Sunday the 15th. Eve sends crashes alone, and what has no user is nobody's.
CREATE TEMPORARY TABLE said (tenant text, person text, at timestamptz, session text, version text);
INSERT INTO said VALUES
  ('acme', 'ann', '2026-03-01T10:00Z', NULL, '1.0'),
  ('acme', 'ann', '2026-03-02T10:00Z', 'a', '1.0'), ('acme', 'ann', '2026-03-02T10:30Z', 'a', '1.0'),
  ('acme', 'ben', '2026-03-02T11:00Z', 'b', '1.0'), ('acme', 'ben', '2026-03-02T11:10Z', 'b', '1.0'),
  ('acme', 'ben', '2026-03-10T11:00Z', 'c', '2.0'),
  ('acme', 'cat', '2026-03-02T23:30Z', 'd', '2.0'), ('acme', 'cat', '2026-03-09T10:00Z', 'e', '2.0'),
  ('acme', 'dan', '2026-03-10T10:00Z', NULL, '2.0'), ('acme', NULL, '2026-03-10T10:00Z', 'f', '2.0'),
  ('other', 'ann', '2026-03-02T10:00Z', 'a', '1.0');
CREATE TEMPORARY TABLE fell (tenant text, person text, at timestamptz, version text, os text, type text, message text, grp text);
INSERT INTO fell VALUES
  ('acme', 'ann', '2026-02-20T10:00Z', '1.0', '12', 'panic', 'long ago', 'g1'),
  ('acme', 'ann', '2026-03-02T10:15Z', '1.0', '12', 'panic', 'first', 'g1'),
  ('acme', 'ben', '2026-03-02T11:00Z', '1.0', '12', 'oom', 'all of it', 'g2'),
  ('acme', 'ben', '2026-03-10T11:00:01Z', '2.0', '13', 'panic', 'second', 'g1'),
  ('acme', 'cat', '2026-03-02T23:45Z', '2.0', '13', 'panic', 'third', 'g1'),
  ('acme', 'eve', '2026-03-09T10:00Z', '2.0', NULL, 'oom', 'all', 'g2'),
  ('acme', NULL, '2026-03-09T10:00Z', NULL, '13', NULL, 'nobody', 'g3'),
  ('acme', 'ann', '2026-03-20T10:00Z', '3.0', '13', 'panic', 'later', 'g1'),
  ('other', 'ann', '2026-03-02T10:15Z', '1.0', '12', 'panic', 'elsewhere', 'g1');

CREATE FUNCTION pg_temp.store(people text[]) RETURNS void LANGUAGE sql AS $$
  INSERT INTO weir.events (event_id, tenant_id, user_id, session_id, event, app_version, "timestamp", client_timestamp)
  SELECT gen_random_uuid(), tenant, person, session, 'opened', version, at, at FROM said
  WHERE coalesce(person, '') = ANY (people);
  INSERT INTO weir.crashes (crash_id, tenant_id, user_id, app_version, os_version, crash_type, error_message, fingerprint,
    "timestamp", client_timestamp)
  SELECT gen_random_uuid(), tenant, person, version, os, type, message, grp, at, at FROM fell
  WHERE coalesce(person, '') = ANY (people);
  INSERT INTO weir.touched_days (tenant_id, day)
  SELECT DISTINCT tenant, (at AT TIME ZONE 'UTC')::date
  FROM (SELECT tenant, person, at FROM said UNION ALL SELECT tenant, person, at FROM fell) AS rows
  WHERE coalesce(person, '') = ANY (people);
$$;
\ir lib/build.sql
SELECT pg_temp.store(ARRAY['ann', 'ben', 'cat', 'dan', 'eve', '']);
SELECT pg_temp.build();

CREATE TEMPORARY TABLE answer AS
SELECT crashes_answer('acme', '2026-03-02', '2026-03-15') AS a;
CREATE FUNCTION pg_temp.has(path text, wanted text, claim text) RETURNS text LANGUAGE sql AS $$
  SELECT is(a #>> path::text[], wanted, claim) FROM answer
$$;

SELECT pg_temp.has('{crashes}', '6', 'six crashes within the window, one of them nobody''s');
SELECT pg_temp.has('{crashed_users}', '4', 'of ann, ben, cat and eve');
SELECT pg_temp.has('{crash_free_users}', '{"active": 4, "crash_free": 1, "crash_free_share": 0.250000}',
  'of four active users dan alone had none; eve is not active');
SELECT pg_temp.has('{crashes_per_user}', '1.500000', 'six for four active users');
-- Sessions a, b, c, d, e, and f is nobody's: a and b have a crash; ben's second crash is a second after c, cat's a quarter of an hour after d.
SELECT pg_temp.has('{crash_free_sessions}', '{"sessions": 5, "crash_free": 3, "crash_free_share": 0.600000}',
  'two of five sessions had a crash between their ends');
SELECT pg_temp.has('{days,0}', '{"start": "2026-03-02", "crashes": 3, "crashed_users": 3, '
  '"crash_free_users": {"active": 3, "crash_free": 0, "crash_free_share": 0.000000}, "crashes_per_user": 1.000000, '
  '"crash_free_sessions": {"sessions": 3, "crash_free": 1, "crash_free_share": 0.333333}}', 'the first day');
SELECT pg_temp.has('{days,1,crash_free_users}', '{"active": 0, "crash_free": 0, "crash_free_share": null}',
  'of a day without users there is no share');
SELECT pg_temp.has('{weeks,1}', '{"start": "2026-03-09", "crashes": 3, "crashed_users": 2, '
  '"crash_free_users": {"active": 3, "crash_free": 2, "crash_free_share": 0.666667}, "crashes_per_user": 1.000000, '
  '"crash_free_sessions": {"sessions": 2, "crash_free": 2, "crash_free_share": 1.000000}}', 'the second week');
SELECT pg_temp.has('{months,0,crashes}', '6', 'the month has what the window has of it');
SELECT pg_temp.has('{versions}', '[{"share": 0.500000, "users": 3, "active": 3, "crashes": 3, "version": "2.0", "crash_free": 1, '
  '"crash_free_share": 0.333333}, {"share": 0.333333, "users": 2, "active": 2, "crashes": 2, "version": "1.0", "crash_free": 0, '
  '"crash_free_share": 0.000000}]', 'by version: ben and cat crashed on 2.0, dan did not; eve is not active');
SELECT pg_temp.has('{systems}', '[{"os": "13", "share": 0.500000, "users": 2, "crashes": 3}, '
  '{"os": "12", "share": 0.333333, "users": 2, "crashes": 2}]', 'by system');
SELECT pg_temp.has('{types}', '[{"type": "panic", "share": 0.500000, "users": 3, "crashes": 3}, '
  '{"type": "oom", "share": 0.333333, "users": 2, "crashes": 2}]', 'by type');
SELECT pg_temp.has('{groups,0}', '{"type": "panic", "group": "g1", "share": 0.500000, "users": 3, "crashes": 3, "message": "second", '
  '"versions": ["1.0", "2.0"], "last_seen": "2026-03-10T11:00:01.000000Z", "first_seen": "2026-02-20T10:00:00.000000Z"}',
  'a group, first seen before the window, and its last crash within it');
SELECT pg_temp.has('{groups,2}', '{"type": null, "group": "g3", "share": 0.166667, "users": 0, "crashes": 1, "message": "nobody", '
  '"versions": [], "last_seen": "2026-03-09T10:00:00.000000Z", "first_seen": "2026-03-09T10:00:00.000000Z"}',
  'one without version, type and user');
SELECT unalike((SELECT a::text FROM answer), '%ben%', 'no user is named');
-- Ann's first crash was before the window, and before her first event. Ben's came with his first event, cat's 900 s
-- after hers; eve has no event.
SELECT pg_temp.has('{first_crash,users}', '2', 'two had their first crash within the window, after an event');
SELECT pg_temp.has('{first_crash,without}', '1', 'and one without an event');
SELECT pg_temp.has('{first_crash,median}', '0', 'half of them at once');
SELECT ok((SELECT abs((a #>> '{first_crash,p90}')::numeric / 900 - 1) <= 0.01 FROM answer), 'nine of ten within a quarter of an hour');
SELECT ok((SELECT (a ->> 'as_of')::timestamptz <= now() AND (a ->> 'exact')::boolean AND a -> 'error' = '{"percentiles": 0.01}' FROM answer),
  'the answer says up to when it counts, and how well');
SELECT is(jsonb_array_length(crashes_answer('acme', '2026-03-02', '2026-03-15', 'UTC', 1) -> 'groups'), 1, 'as many as are asked for');

-- In Berlin cat's crash was on the 3rd; with the zone kept and from the rows.
CREATE TEMPORARY TABLE unkept AS SELECT crashes_answer('acme', '2026-03-02', '2026-03-15', 'Europe/Berlin') AS a;
SELECT is((SELECT a #>> '{days,1,crashes}' FROM unkept), '1', 'a day is a day in the zone');
SELECT keep_zone('acme', 'Europe/Berlin');
SELECT pg_temp.build();
SELECT is(crashes_answer('acme', '2026-03-02', '2026-03-15', 'Europe/Berlin'), (SELECT a FROM unkept),
  'a zone that is kept has the same numbers as the rows');

-- Two servers, users split between them: what is most common is asked of both, then what it is.
CREATE TEMPORARY TABLE parts AS SELECT 1 AS server, 1 AS turn, p FROM crashes_partial('acme', '2026-03-02', '2026-03-15', 'UTC') AS p
WHERE false;
CREATE FUNCTION pg_temp.server(n integer, people text[]) RETURNS void LANGUAGE sql AS $$
  DELETE FROM weir.events; DELETE FROM weir.crashes; DELETE FROM weir.day_sets; DELETE FROM weir.day_counts;
  DELETE FROM weir.day_sessions; DELETE FROM weir.day_crash_groups; DELETE FROM weir.user_numbers; DELETE FROM weir.report_zones;
  SELECT pg_temp.store(people); SELECT pg_temp.build();
  INSERT INTO parts SELECT n, 1, p FROM weir.crashes_partial('acme', '2026-03-02', '2026-03-15', 'UTC') AS p;
$$;
CREATE FUNCTION pg_temp.details(n integer, people text[]) RETURNS void LANGUAGE sql AS $$
  SELECT pg_temp.server(3, people);
  INSERT INTO parts SELECT n, 2, p FROM weir.crash_details_partial('acme', '2026-03-02', '2026-03-15', 'UTC',
    ARRAY(SELECT p FROM parts WHERE turn = 1 AND server < 3), 20) AS p;
$$;
SELECT pg_temp.server(1, ARRAY['ann', 'cat', '']);
SELECT pg_temp.server(2, ARRAY['ben', 'dan', 'eve']);
SELECT pg_temp.details(1, ARRAY['ann', 'cat', '']);
SELECT pg_temp.details(2, ARRAY['ben', 'dan', 'eve']);
SELECT is(crashes_merge(ARRAY(SELECT p FROM parts WHERE server < 3), '2026-03-02', '2026-03-15', 20),
  (SELECT a - '{tenant,from,to,zone,as_of}'::text[] FROM answer), 'two servers together say what one says');

-- What is left of a group whose rows are gone, where its days were kept (crash_groups.sql tells more), and where they were not.
DELETE FROM weir.crashes;
SELECT is((crashes_answer('acme', '2026-03-02', '2026-03-15') #> '{groups,0}') - 'share',
  '{"group": "g2", "users": 2, "crashes": 2, "type": null, "message": null, "versions": ["1.0", "2.0"], "last_seen": "2026-03-09T10:00:00.000000Z",
    "first_seen": "2026-03-02T11:00:00.000000Z"}'::jsonb, 'all but its sample');
DELETE FROM weir.day_crash_groups;
SELECT is((crashes_answer('acme', '2026-03-02', '2026-03-15') #> '{groups,0}') - 'share',
  '{"group": "g2", "users": 2, "crashes": 2, "type": null, "message": null, "versions": [], "last_seen": null,
    "first_seen": "2026-03-02T00:00:00.000000Z"}'::jsonb, 'figures stay, and the day on which it was first seen, though its groups were not kept');
SELECT * FROM finish();
ROLLBACK;
