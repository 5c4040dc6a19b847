-- Which groups of crashes each day had, in which versions: what is kept of it, when that is read and when the rows are, against numbers worked
-- out by hand.
BEGIN;
SET LOCAL search_path = weir, public;
SET LOCAL client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap SCHEMA public;
SELECT no_plan();

CREATE FUNCTION pg_temp.crash(at timestamptz, grp text, version text, times integer DEFAULT 1) RETURNS void LANGUAGE sql AS $$
  INSERT INTO weir.crashes (crash_id, tenant_id, app_version, fingerprint, crash_type, error_message, "timestamp", client_timestamp)
  SELECT gen_random_uuid(), 'acme', version, grp, 'panic', 'at ' || to_char(at AT TIME ZONE 'UTC', 'DD HH24:MI'), at, at FROM generate_series(1, times);
  INSERT INTO weir.touched_days (tenant_id, day) VALUES ('acme', (at AT TIME ZONE 'UTC')::date);
$$;
-- As 'GROUP VERSION: crashes, first to last', the latter as day, hour and minute.
CREATE FUNCTION pg_temp.line(grp text, version text, crashes numeric, first_at timestamptz, last_at timestamptz) RETURNS text LANGUAGE sql AS $$
  SELECT format('%s %s: %s', CASE WHEN char_length(grp) > 20 THEN left(grp, 1) || '*' || char_length(grp) ELSE grp END, coalesce(version, '-'), crashes)
    || coalesce(', ' || to_char(first_at AT TIME ZONE 'UTC', 'DD HH24:MI') || ' to ' || to_char(last_at AT TIME ZONE 'UTC', 'DD HH24:MI'), '')
$$;
CREATE FUNCTION pg_temp.kept(wanted date) RETURNS text[] LANGUAGE sql AS $$
  SELECT array_agg(pg_temp.line(g.crash_group, g.version, g.crashes, g.first_at, g.last_at) ORDER BY g.crash_group COLLATE "C", g.version COLLATE "C")
  FROM weir.day_crash_groups AS g WHERE g.tenant_id = 'acme' AND g.day = wanted
$$;
CREATE FUNCTION pg_temp.found(first_day date, last_day date, zone text DEFAULT 'UTC', wanted text[] DEFAULT NULL) RETURNS text[] LANGUAGE sql AS $$
  SELECT array_agg(pg_temp.line(g.grp, g.version, g.crashes, g.first_at, g.last_at) ORDER BY g.grp COLLATE "C", g.version COLLATE "C" NULLS FIRST)
  FROM weir.grouped_crashes('acme', found.zone, found.first_day, found.last_day, found.wanted) AS g
$$;
\ir lib/build.sql

-- The 5th: what has no group is in no line; no version and an empty one are none; what differs after 256 characters is one.
SELECT pg_temp.crash('2026-03-05T10:00Z', 'g1', '1.0'), pg_temp.crash('2026-03-05T08:30Z', 'g1', '1.0'), pg_temp.crash('2026-03-05T12:00Z', 'g1', NULL),
  pg_temp.crash('2026-03-05T13:00Z', 'g1', ''), pg_temp.crash('2026-03-05T00:00Z', repeat('x', 256) || 'a', repeat('9', 256) || 'a'),
  pg_temp.crash('2026-03-05T23:59Z', repeat('x', 256) || 'b', repeat('9', 256) || 'b'), pg_temp.crash('2026-03-05T14:00Z', NULL, '1.0'),
  pg_temp.crash('2026-03-05T15:00Z', '', '1.0');
SELECT pg_temp.crash('2026-03-06T10:00Z', 'g1', '1.1'), pg_temp.crash('2026-03-06T11:00Z', 'g2', '1.1');
SELECT is(pg_temp.kept('2026-03-05'), NULL, 'nothing is kept of a day that is still to be built');
SELECT is(pg_temp.found('2026-03-05', '2026-03-05', wanted => '{g1}'), '{"g1 -: 2, 05 12:00 to 05 13:00","g1 1.0: 2, 05 08:30 to 05 10:00"}', 'its rows are read');
SELECT pg_temp.build();
SELECT is(pg_temp.kept('2026-03-05'), ARRAY[' : 0', 'g1 : 2, 05 12:00 to 05 13:00', 'g1 1.0: 2, 05 08:30 to 05 10:00',
  'x*256 ' || repeat('9', 256) || ': 2, 05 00:00 to 05 23:59'], 'how many crashes a day had by group and version, the first and the last');
CREATE TEMPORARY TABLE was AS SELECT pg_temp.found('2026-03-05', '2026-03-06') AS lines;
SELECT is((SELECT lines FROM was), ARRAY['g1 -: 2, 05 12:00 to 05 13:00', 'g1 1.0: 2, 05 08:30 to 05 10:00', 'g1 1.1: 1, 06 10:00 to 06 10:00',
  'g2 1.1: 1, 06 11:00 to 06 11:00', 'x*256 ' || repeat('9', 256) || ': 2, 05 00:00 to 05 23:59'], 'days are added up');
SELECT is(pg_temp.found('-infinity', '2026-03-06'), (SELECT lines FROM was), 'from the first crash on, too');
DELETE FROM weir.day_crash_groups WHERE tenant_id = 'acme' AND day = '2026-03-06';
SELECT is(pg_temp.found('2026-03-05', '2026-03-06'), (SELECT lines FROM was), 'a day of which nothing is kept is read from the rows');
SELECT is(pg_temp.found('-infinity', '2026-03-06'), (SELECT lines FROM was), 'after the last one that is');
DELETE FROM weir.day_crash_groups WHERE tenant_id = 'acme';
SELECT is(pg_temp.found('-infinity', '2026-03-06'), (SELECT lines FROM was), 'and all where none is');

-- What verify finds.
SELECT set_eq($$SELECT v.part, v.subject, v.value FROM verify_day('acme', 'UTC', '2026-03-06') AS v$$,
  $$VALUES ('day_crash_groups', '', ''), ('day_crash_groups', 'g1', '1.1'), ('day_crash_groups', 'g2', '1.1')$$, 'verify sees that lines are missing');
SELECT ok(rebuild_day('acme', '2026-03-05', false) AND rebuild_day('acme', '2026-03-06', false), 'a rebuild');
SELECT is_empty($$SELECT v.* FROM unnest('{2026-03-05,2026-03-06}'::date[]) AS d, verify_day('acme', 'UTC', d) AS v$$, 'makes them');
UPDATE weir.day_crash_groups SET crashes = 100 WHERE tenant_id = 'acme' AND crash_group = 'g1' AND day = '2026-03-06';
UPDATE weir.day_crash_groups SET last_at = last_at + interval '1 minute' WHERE tenant_id = 'acme' AND crash_group = 'g2';
INSERT INTO weir.day_crash_groups VALUES ('acme', 'g3', '2026-03-06', '1.0', 1, now(), now());
SELECT set_eq($$SELECT v.subject, v.kept, v.counted FROM verify_day('acme', 'UTC', '2026-03-06') AS v$$, $$VALUES
  ('g1', concat_ws(', ', 100, timestamptz '2026-03-06T10:00Z', timestamptz '2026-03-06T10:00Z'), concat_ws(', ', 1, timestamptz '2026-03-06T10:00Z', timestamptz '2026-03-06T10:00Z')),
  ('g2', concat_ws(', ', 1, timestamptz '2026-03-06T11:00Z', timestamptz '2026-03-06T11:01Z'), concat_ws(', ', 1, timestamptz '2026-03-06T11:00Z', timestamptz '2026-03-06T11:00Z')),
  ('g3', concat_ws(', ', 1, now(), now()), '')$$, 'a wrong number, a wrong moment, a line too many');

-- A line that is wrong shows what is read from lines: days that lie in the window on the zone's clock.
SELECT is(pg_temp.found('2026-03-06', '2026-03-06', wanted => '{g1}'), '{"g1 1.1: 100, 06 10:00 to 06 10:00"}', 'a day is read from what is kept of it');
SELECT is(pg_temp.found('2026-03-05', '2026-03-07', 'Europe/Berlin', '{g1}'), ARRAY['g1 -: 2, 05 12:00 to 05 13:00', 'g1 1.0: 2, 05 08:30 to 05 10:00',
  'g1 1.1: 100, 06 10:00 to 06 10:00'], 'on another clock, too, where it lies in the window wholly');
SELECT is(pg_temp.found('2026-03-06', '2026-03-06', 'Europe/Berlin', '{g1}'), '{"g1 1.1: 1, 06 10:00 to 06 10:00"}', 'one that the window cuts from the rows');

-- A late crash.
SELECT pg_temp.crash('2026-03-06T09:00Z', 'g1', '1.1');
SELECT is(pg_temp.found('2026-03-06', '2026-03-06', wanted => '{g1,g3}'), '{"g1 1.1: 2, 06 09:00 to 06 10:00"}', 'a day for which a crash came late is read from the rows');
CREATE TEMPORARY TABLE places AS SELECT ctid AS place, crash_group FROM weir.day_crash_groups WHERE day = '2026-03-06';
SELECT pg_temp.build();
SELECT is(pg_temp.kept('2026-03-06'), '{" : 0","g1 1.1: 2, 06 09:00 to 06 10:00","g2 1.1: 1, 06 11:00 to 06 11:00"}', 'until it is built: then its lines are right');
SELECT is(pg_temp.found('2026-03-06', '2026-03-06'), '{"g1 1.1: 2, 06 09:00 to 06 10:00","g2 1.1: 1, 06 11:00 to 06 11:00"}', 'and are read');
SELECT pg_temp.crash('2026-03-06T12:00Z', 'g2', '1.1');
TRUNCATE places;
INSERT INTO places SELECT ctid, crash_group FROM weir.day_crash_groups WHERE day = '2026-03-06';
SELECT pg_temp.build();
SELECT set_eq($$SELECT g.crash_group FROM weir.day_crash_groups AS g JOIN places AS p ON p.place = g.ctid WHERE g.day = '2026-03-06'$$, ARRAY['', 'g1'],
  'a line that has not changed is not written');
INSERT INTO weir.touched_days (tenant_id, day, zone) VALUES ('acme', '2026-03-06', 'Europe/Berlin');
SELECT set_eq($$SELECT days_with_groups('acme', '2026-03-01', '2026-03-31')$$, '{2026-03-05,2026-03-06}'::date[], 'a mark of another zone says nothing of the rows');
DELETE FROM weir.touched_days WHERE tenant_id = 'acme';
INSERT INTO weir.touched_days (tenant_id, day, marked_at) VALUES ('acme', '2026-03-06', '-infinity');
SELECT set_eq($$SELECT days_with_groups('acme', '2026-03-01', '2026-03-31')$$, '{2026-03-05}'::date[], 'one of a rebuild does');
DELETE FROM weir.touched_days WHERE tenant_id = 'acme';
SELECT is_empty($$SELECT * FROM weir.grouped_crashes('other', 'UTC', '-infinity', '2026-03-31')$$, 'a tenant has what is theirs');

-- Clocks go forward in Berlin on the 29th of March: its day has the last hour of the 28th in UTC, and lacks the last two of the 29th.
SELECT pg_temp.crash('2026-03-28T22:59Z', 'clock', '1'), pg_temp.crash('2026-03-28T23:00Z', 'clock', '2'), pg_temp.crash('2026-03-29T12:00Z', 'clock', '3'),
  pg_temp.crash('2026-03-29T21:59Z', 'clock', '4'), pg_temp.crash('2026-03-29T22:00Z', 'clock', '5'), pg_temp.crash('2026-03-30T22:00Z', 'clock', '6');
SELECT pg_temp.build();
SELECT is(pg_temp.found('2026-03-29', '2026-03-29', 'Europe/Berlin', '{clock}'),
  '{"clock 2: 1, 28 23:00 to 28 23:00","clock 3: 1, 29 12:00 to 29 12:00","clock 4: 1, 29 21:59 to 29 21:59"}', 'a day of 23 hours');
SELECT is(pg_temp.found('2026-03-29', '2026-03-30', 'Europe/Berlin', '{clock}'), ARRAY['clock 2: 1, 28 23:00 to 28 23:00', 'clock 3: 1, 29 12:00 to 29 12:00',
  'clock 4: 1, 29 21:59 to 29 21:59', 'clock 5: 1, 29 22:00 to 29 22:00'], 'and the one after it');
-- In Sao Paulo a day begins at three in the morning of UTC's, which then has crashes of before it.
SELECT pg_temp.crash('2026-03-12T01:00Z', 'early', '1'), pg_temp.crash('2026-03-12T04:00Z', 'early', '2');
SELECT pg_temp.build();
SELECT is((SELECT g.about ->> 'first_seen' FROM weir.crash_groups(ARRAY(
  SELECT p FROM weir.crash_groups_partial('acme', '2026-03-12', '2026-03-13', 'America/Sao_Paulo', '{early}') AS p)) AS g), '2026-03-12T01:00:00.000000Z',
  'when a group was first seen is told to the moment, though that is just before the window');

-- Random crashes: on every clock, and from wherever, what is counted is what the rows say.
SELECT setseed(0.25);
INSERT INTO weir.crashes (crash_id, tenant_id, app_version, fingerprint, "timestamp", client_timestamp)
SELECT gen_random_uuid(), 'acme', (ARRAY['1.0', '1.1', '', NULL])[1 + (3 * random())::integer], 'r' || (4 * random())::integer, at, at
FROM (SELECT timestamptz '2026-10-20Z' + random() * interval '10 days' AS at FROM generate_series(1, 600)) AS r;
INSERT INTO weir.touched_days (tenant_id, day) SELECT DISTINCT 'acme', (c."timestamp" AT TIME ZONE 'UTC')::date FROM weir.crashes AS c WHERE c.fingerprint ~ '^r';
SELECT pg_temp.build();
INSERT INTO weir.touched_days (tenant_id, day) VALUES ('acme', '2026-10-24'), ('acme', '2026-10-27');
SELECT is_empty($$
  SELECT z, w.since, w.until
  FROM unnest('{UTC,Europe/Berlin,Europe/London,America/New_York,America/St_Johns,Asia/Kolkata,Pacific/Kiritimati,Pacific/Pago_Pago,Atlantic/Azores}'::text[]) AS z
  CROSS JOIN (VALUES ('-infinity'::date, '2026-10-25'::date), ('2026-10-20', '2026-10-29'), ('2026-10-25', '2026-10-25'), ('2026-10-22', '2026-10-26')) AS w (since, until)
  WHERE ARRAY(SELECT g FROM weir.grouped_crashes('acme', z, w.since, w.until, '{r0,r1,r2,r3,r4}') AS g ORDER BY g.grp, g.version) IS DISTINCT FROM ARRAY(
    SELECT (c.fingerprint, nullif(c.app_version, ''), count(*)::numeric, min(c."timestamp"), max(c."timestamp"))
    FROM weir.crashes AS c
    WHERE c.tenant_id = 'acme' AND c.fingerprint ~ '^r' AND (c."timestamp" AT TIME ZONE z)::date BETWEEN w.since AND w.until
    GROUP BY c.fingerprint, nullif(c.app_version, '') ORDER BY 1)$$, 'in every zone, days that clocks change included');
DELETE FROM weir.touched_days WHERE tenant_id = 'acme';

-- A client makes up a group for each crash.
SELECT pg_temp.crash('2026-03-10T10:00Z', 'often', '1.0', 3), pg_temp.crash('2026-03-10T11:00Z', 'often', '2.0', 2);
INSERT INTO weir.crashes (crash_id, tenant_id, app_version, fingerprint, "timestamp", client_timestamp)
SELECT gen_random_uuid(), 'acme', '1.0', to_char(n, '"made up "FM00000'), at, at
FROM generate_series(1, 5000) AS n, LATERAL (SELECT timestamptz '2026-03-10T12:00Z' + n * interval '1 second' AS at) AS m;
SELECT pg_temp.build();
SELECT is((SELECT count(*) FROM weir.day_crash_groups WHERE day = '2026-03-10'), 4097::bigint, 'of a day with too many 4096 lines are kept');
SELECT is((SELECT (array_agg(pg_temp.line(g.crash_group, g.version, g.crashes, NULL, NULL) ORDER BY g.crashes DESC, g.crash_group COLLATE "C", g.version))[:4]
  || max(g.crash_group COLLATE "C") FROM weir.day_crash_groups AS g WHERE day = '2026-03-10'),
  '{" : 906","often 1.0: 3","often 2.0: 2","made up 00001 1.0: 1",often}', 'those with the most crashes, of equals the first by name, and how many are in none');
SELECT is((SELECT max(g.crash_group COLLATE "C") FROM weir.day_crash_groups AS g WHERE day = '2026-03-10' AND g.crash_group LIKE 'made%'), 'made up 04094', 'up to this one');
SELECT is_empty($$SELECT * FROM verify_day('acme', 'UTC', '2026-03-10')$$, 'verify says the same');
SELECT is(pg_temp.found('2026-03-09', '2026-03-11', wanted => '{often,made up 00001,made up 05000}'),
  '{"made up 00001 1.0: 1, 10 12:00 to 10 12:00","made up 05000 1.0: 1, 10 13:23 to 10 13:23","often 1.0: 3, 10 10:00 to 10 10:00","often 2.0: 2, 10 11:00 to 10 11:00"}',
  'such a day is read from the rows: nothing is missing');
SELECT is(crash_releases_answer('acme', '2026-03-20', '2026-03-31') -> 'exact', 'true', 'and what is told is exact');

SELECT pg_temp.crash('2026-03-21T10:00Z', 'often', '1.0');
SELECT pg_temp.build();
SELECT is((crashes_answer('acme', '2026-03-21', '2026-03-21') #>> '{groups,0,first_seen}'), '2026-03-10T10:00:00.000000Z', 'and to the moment, whatever the window');

-- Keys of an index have a bound.
INSERT INTO weir.crashes (crash_id, tenant_id, app_version, fingerprint, "timestamp", client_timestamp)
SELECT gen_random_uuid(), 'acme', string_agg(chr(65536 + (50000 * random())::integer), ''), string_agg(chr(65536 + (50000 * random())::integer), ''),
  '2026-03-11T10:00Z', '2026-03-11T10:00Z' FROM generate_series(1, 300);
INSERT INTO weir.touched_days (tenant_id, day) VALUES ('acme', '2026-03-11');
SELECT pg_temp.build();
SELECT is((SELECT (octet_length(crash_group), octet_length(version)) FROM weir.day_crash_groups WHERE day = '2026-03-11' AND crash_group <> ''), (1024, 1024),
  'the longest names that are kept fit in');

SELECT set_eq('SELECT * FROM weir.crash_groups_counted(NULL, NULL)', $$
  SELECT g.* FROM (SELECT DISTINCT c.tenant_id, (c."timestamp" AT TIME ZONE 'UTC')::date AS day FROM weir.crashes AS c) AS d,
    LATERAL weir.crash_groups_counted(d.tenant_id, d.day) AS g$$, 'all days that there are, as a new version makes them, are as each by itself');

-- Rows that are gone: the 5th, 6th and 10th.
DELETE FROM weir.crashes WHERE tenant_id = 'acme' AND "timestamp" < '2026-03-07Z';
SELECT note_gone_days('acme');
SELECT set_eq($$SELECT day FROM weir.gone_days WHERE tenant_id = 'acme'$$, '{2026-03-05,2026-03-06}'::date[], 'rows of two days are gone');
SELECT is(pg_temp.found('-infinity', '2026-03-06', wanted => '{g1,g2}'), ARRAY['g1 -: 2, 05 12:00 to 05 13:00', 'g1 1.0: 2, 05 08:30 to 05 10:00',
  'g1 1.1: 2, 06 09:00 to 06 10:00', 'g2 1.1: 2, 06 11:00 to 06 12:00'], 'their groups are still known');
SELECT pg_temp.crash('2026-03-20T10:00Z', 'g1', '1.2'), pg_temp.crash('2026-03-20T11:00Z', 'g2', '1.2'), pg_temp.crash('2026-03-20T12:00Z', 'g4', '1.2');
SELECT pg_temp.build();
SELECT is(jsonb_path_query_array(crash_releases_answer('acme', '2026-03-20', '2026-03-20'), '$.releases[*].new_groups[*].group'), '["g4"]', 'none of them comes back as a new one');
SELECT is(crash_releases_answer('acme', '2026-03-20', '2026-03-20') -> 'exact', 'true', 'and that is exact');
SELECT is((crashes_answer('acme', '2026-03-20', '2026-03-20') #> '{groups,0}') - '{share,users}'::text[], '{"group": "g1", "crashes": 1, "type": "panic",
  "message": "at 20 10:00", "versions": ["1.2"], "first_seen": "2026-03-05T08:30:00.000000Z", "last_seen": "2026-03-20T10:00:00.000000Z"}',
  'when one was first seen is known to the moment');
SELECT is((crashes_answer('acme', '2026-03-05', '2026-03-06') #> '{groups,0}') - '{share,users}'::text[], '{"group": "g1", "crashes": 6, "type": null,
  "message": null, "versions": ["1.0", "1.1"], "first_seen": "2026-03-05T08:30:00.000000Z", "last_seen": "2026-03-06T10:00:00.000000Z"}',
  'of a window that is gone as a whole all but the sample');
SELECT is(crashes_answer('acme', '2026-03-05', '2026-03-06') ->> 'incomplete', 'rows of some days were dropped, and this needs them', 'which it says');
SELECT pg_temp.crash('2026-03-06T23:00Z', 'g5', '1.1');
SELECT is(pg_temp.found('2026-03-06', '2026-03-06', wanted => '{g1,g5}'), '{"g1 1.1: 2, 06 09:00 to 06 10:00"}', 'a crash that comes late for such a day');
SELECT pg_temp.build();
SELECT is(pg_temp.found('2026-03-06', '2026-03-06', wanted => '{g1,g5}'), '{"g1 1.1: 2, 06 09:00 to 06 10:00"}', 'takes nothing from what is known');
SELECT is(crash_releases_answer('acme', '2026-03-20', '2026-03-20') ->> 'incomplete', 'rows of some days were dropped, and this needs them', 'but its group is not known, which is told');
UPDATE weir.gone_days SET came_late = false;
SELECT is(crash_releases_answer('acme', '2026-03-20', '2026-03-20') ->> 'incomplete', NULL, 'only then');
DELETE FROM weir.crashes WHERE tenant_id = 'acme' AND "timestamp" < '2026-03-11Z';
SELECT note_gone_days('acme');
SELECT is(pg_temp.found('2026-03-10', '2026-03-10', wanted => '{often,made up 00001,made up 05000}'),
  '{"made up 00001 1.0: 1, 10 12:00 to 10 12:00","often 1.0: 3, 10 10:00 to 10 10:00","often 2.0: 2, 10 11:00 to 10 11:00"}',
  'of a day that had too many, those that are kept');
SELECT is(crash_releases_answer('acme', '2026-03-20', '2026-03-20') ->> 'incomplete', 'rows of some days were dropped, and this needs them', 'which is told, too');
SELECT ok(NOT rebuild_day('acme', '2026-03-05', false), 'a rebuild keeps such a day');
SELECT is(cardinality(pg_temp.kept('2026-03-05')), 4, 'and its lines');
DELETE FROM weir.gone_days WHERE tenant_id = 'acme';
SELECT ok(rebuild_day('acme', '2026-03-05', true), 'one that forgets');
SELECT is(pg_temp.kept('2026-03-05'), NULL, 'drops them');

-- Rows of a day that somebody has deleted by hand.
DELETE FROM weir.crashes WHERE tenant_id = 'acme' AND fingerprint = 'g4';
INSERT INTO weir.touched_days (tenant_id, day) VALUES ('acme', '2026-03-20');
SELECT pg_temp.build();
SELECT is(pg_temp.kept('2026-03-20'), '{" : 0","g1 1.2: 1, 20 10:00 to 20 10:00","g2 1.2: 1, 20 11:00 to 20 11:00"}', 'a day that has lost less than half follows its rows');

SET LOCAL ROLE weir_reader;
SELECT lives_ok($$SELECT * FROM weir.compare_crash_groups('acme', '2026-03-20')$$, 'a reader may compare');
RESET ROLE;
SELECT * FROM finish();
ROLLBACK;
