-- Groups of crashes that are new in a release or came back, against numbers worked out by hand.
BEGIN;
SET LOCAL search_path = weir, public;
SET LOCAL client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap SCHEMA public;
SELECT plan(14);

-- 1.0, 1.1, 1.2 and 2.0 follow each other by a week; 1.10 comes within the hour of 1.2, and sorts before it.
CREATE TEMPORARY TABLE used (person text, at timestamptz, version text);
INSERT INTO used VALUES ('ann', '2026-03-02T10:00Z', '1.0'), ('ben', '2026-03-09T10:20Z', '1.1'),
  ('ann', '2026-03-16T10:40Z', '1.10'), ('ben', '2026-03-16T10:20Z', '1.2'), ('ann', '2026-03-17T10:40Z', '1.10'),
  ('ann', '2026-03-23T10:00Z', '2.0'), ('ben', '2026-03-30T10:00Z', '3.0');
CREATE TEMPORARY TABLE fell (person text, at timestamptz, version text, grp text, message text);
INSERT INTO fell VALUES
  ('ann', '2026-03-02T11:00Z', '1.0', 'back', 'once'), ('ben', '2026-03-23T11:00Z', '2.0', 'back', 'again'),
  ('ann', '2026-03-24T11:00Z', '2.0', 'back', 'and again'),
  ('ann', '2026-03-02T12:00Z', '1.0', 'always', 'a'), ('ben', '2026-03-09T12:00Z', '1.1', 'always', 'a'),
  ('ann', '2026-03-16T12:00Z', '1.10', 'always', 'a'), ('ben', '2026-03-16T12:00Z', '1.2', 'always', 'a'),
  ('ben', '2026-03-23T12:00Z', '2.0', 'always', 'a'),
  ('ben', '2026-03-23T13:00Z', '2.0', 'fresh', 'new here'), ('ann', '2026-03-25T13:00Z', '1.0', 'fresh', 'and in an old one'),
  ('ben', '2026-03-17T13:00Z', '1.2', 'other', 'of 1.2'),
  (NULL, '2026-03-17T14:00Z', NULL, 'nowhere', 'no version'), ('ann', '2026-03-23T14:00Z', '2.0', 'nowhere', 'no version at first'),
  ('ann', '2026-03-30T11:00Z', '3.0', 'later', 'after the window');

CREATE FUNCTION pg_temp.store(people text[]) RETURNS void LANGUAGE sql AS $$
  INSERT INTO weir.events (event_id, tenant_id, user_id, event, app_version, "timestamp", client_timestamp)
  SELECT gen_random_uuid(), 'acme', person, 'opened', version, at, at FROM used WHERE coalesce(person, '') = ANY (people);
  INSERT INTO weir.crashes (crash_id, tenant_id, user_id, app_version, crash_type, error_message, fingerprint, "timestamp", client_timestamp)
  SELECT gen_random_uuid(), 'acme', person, version, 'panic', message, grp, at, at FROM fell WHERE coalesce(person, '') = ANY (people);
  INSERT INTO weir.touched_days (tenant_id, day)
  SELECT DISTINCT 'acme', (at AT TIME ZONE 'UTC')::date
  FROM (SELECT person, at FROM used UNION ALL SELECT person, at FROM fell) AS rows WHERE coalesce(person, '') = ANY (people);
$$;
\ir lib/build.sql
SELECT pg_temp.store(ARRAY['ann', 'ben', '']);
SELECT pg_temp.build();

CREATE TEMPORARY TABLE answer AS SELECT crash_releases_answer('acme', '2026-03-09', '2026-03-29') AS a;
CREATE FUNCTION pg_temp.has(path text, wanted text, claim text) RETURNS text LANGUAGE sql AS $$
  SELECT is(a #>> path::text[], wanted, claim) FROM answer
$$;
SELECT is((SELECT jsonb_path_query_array(a, '$.releases[*].version') FROM answer), '["2.0", "1.2", "1.10", "1.1"]'::jsonb,
  'the releases of the window, the last first; those of an hour by name');
SELECT pg_temp.has('{releases,0,after}', '1.2', '2.0 came after 1.2');
SELECT pg_temp.has('{releases,0,first_seen}', '2026-03-23T10:00:00.000000Z', 'in this hour');
SELECT pg_temp.has('{releases,0,first_crash}', '2026-03-23T11:00:00.000000Z', 'and crashed an hour later');
SELECT pg_temp.has('{releases,0,crashes}', '5', 'five times until the window''s end');
SELECT pg_temp.has('{releases,0,groups}', '4', 'of four groups');
SELECT pg_temp.has('{releases,0,new_groups}', '[{"type": "panic", "group": "fresh", "crashes": 1, "message": "and in an old one", '
  '"versions": ["1.0", "2.0"], "last_seen": "2026-03-25T13:00:00.000000Z", "first_seen": "2026-03-23T13:00:00.000000Z"}]',
  'one is new, though an old release has it later; one that began without a version is not');
SELECT pg_temp.has('{releases,0,regressed_groups}', '[{"type": "panic", "group": "back", "crashes": 2, "message": "and again", '
  '"versions": ["2.0"], "last_seen": "2026-03-24T11:00:00.000000Z", "first_seen": "2026-03-02T11:00:00.000000Z", "last_release": "1.0"}]',
  'one came back, which 1.1, 1.10 and 1.2 did not have; one that all have did not');
SELECT is((SELECT jsonb_path_query_array(a, '$.releases[*].new') FROM answer), '[1, 1, 0, 0]'::jsonb, 'new groups of each');
SELECT is((SELECT jsonb_path_query_array(a, '$.releases[*].regressed') FROM answer), '[1, 0, 0, 0]'::jsonb, 'and such as came back');
SELECT is(crash_releases_answer('acme', '2026-03-09', '2026-03-29', 'UTC', 1) #> '{releases}' -> 1, NULL, 'as many as are asked for');
SELECT ok((SELECT (a ->> 'as_of')::timestamptz <= now() AND (a ->> 'exact')::boolean FROM answer), 'the answer says up to when it counts');

-- With the zone kept and from the rows.
CREATE TEMPORARY TABLE unkept AS SELECT crash_releases_answer('acme', '2026-03-09', '2026-03-29', 'Europe/Berlin') AS a;
SELECT keep_zone('acme', 'Europe/Berlin');
SELECT pg_temp.build();
SELECT is(crash_releases_answer('acme', '2026-03-09', '2026-03-29', 'Europe/Berlin'), (SELECT a FROM unkept),
  'a zone that is kept has the same numbers as the rows');

-- Two servers, users split between them.
CREATE TEMPORARY TABLE parts AS SELECT 1 AS turn, p FROM crash_releases_partial('acme', '2026-03-09', '2026-03-29', 'UTC') AS p WHERE false;
CREATE FUNCTION pg_temp.server(asked integer, people text[]) RETURNS void LANGUAGE sql AS $$
  DELETE FROM weir.events; DELETE FROM weir.crashes; DELETE FROM weir.day_sets; DELETE FROM weir.day_counts;
  DELETE FROM weir.day_sessions; DELETE FROM weir.day_crash_groups; DELETE FROM weir.user_numbers;
  SELECT pg_temp.store(people); SELECT pg_temp.build();
  INSERT INTO parts SELECT 1, p FROM weir.crash_releases_partial('acme', '2026-03-09', '2026-03-29', 'UTC') AS p WHERE asked = 1;
  INSERT INTO parts SELECT 2, p FROM weir.crash_releases_details_partial('acme', '2026-03-09', '2026-03-29', 'UTC',
    ARRAY(SELECT p FROM parts WHERE turn = 1), 20) AS p WHERE asked = 2;
$$;
SELECT pg_temp.server(1, ARRAY['ann']);
SELECT pg_temp.server(1, ARRAY['ben', '']);
SELECT pg_temp.server(2, ARRAY['ann']);
SELECT pg_temp.server(2, ARRAY['ben', '']);
SELECT is(crash_releases_merge(ARRAY(SELECT p FROM parts), '2026-03-09', 'UTC', 20),
  (SELECT a - '{tenant,from,to,zone,as_of}'::text[] FROM answer), 'two servers together say what one says');
SELECT * FROM finish();
ROLLBACK;
