-- Sessions of the command line, of which each day says when they were there before: against numbers worked out by hand, against rows at random, with
-- commands that come late or go, in zones that are kept and in one that is not, for /stats and for usage.
BEGIN;
SET LOCAL search_path = weir, public;
SET LOCAL client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap SCHEMA public;
SELECT no_plan();
\ir lib/build.sql

CREATE FUNCTION pg_temp.command(session text, at timestamptz, tenant text DEFAULT 'acme', name text DEFAULT 'cli_command') RETURNS void LANGUAGE sql AS $$
  INSERT INTO weir.events (event_id, tenant_id, session_id, event, "timestamp", client_timestamp) VALUES (gen_random_uuid(), tenant, session, name, at, at);
  INSERT INTO weir.touched_days (tenant_id, day) VALUES (tenant, (at AT TIME ZONE 'UTC')::date);
$$;
CREATE FUNCTION pg_temp.sessions(since date, until date, zone text DEFAULT 'UTC') RETURNS text LANGUAGE sql AS $$
  SELECT CASE WHEN (SELECT count(DISTINCT s) FROM (VALUES (stats), (usage)) AS v (s)) <= 1
    THEN (stats ->> 'count') || ' of ' || jsonb_path_query_array(stats, '$.days[*].sessions') || ', ' || jsonb_path_query_array(stats, '$.weeks[*].sessions')
    ELSE format('%s in stats, %s in usage', stats, usage) END
  FROM (SELECT weir.usage_answer('acme', since, until, zone, 'cli_command') #> '{cli,sessions}' AS usage,
    CASE WHEN weir.keeps_zone('acme', zone) THEN weir.stats_answer('acme', since, until, zone) ELSE weir.usage_answer('acme', since, until, zone, 'cli_command') END
      #> '{cli,sessions}' AS stats) AS a
$$;
CREATE FUNCTION pg_temp.lines(of_zone text DEFAULT 'UTC') RETURNS text[] LANGUAGE sql AS $$
  SELECT array_agg(format('%s after %s: %s', to_char(d.day, 'DD'), CASE WHEN isfinite(d.before) THEN to_char(d.before, 'DD') ELSE '-' END, d.sessions) ORDER BY d.day, d.before)
  FROM weir.day_command_sessions AS d WHERE d.tenant_id = 'acme' AND d.zone = of_zone
$$;
CREATE FUNCTION pg_temp.verified(zones text[] DEFAULT '{UTC}') RETURNS TABLE (part text, subject text, kept text, counted text) LANGUAGE sql AS $$
  SELECT v.part, v.subject, v.kept, v.counted
  FROM weir.parts_to_verify('acme') AS p, weir.verify_day('acme', p.zone, p.day) AS v WHERE p.kind = 'day' AND p.zone = ANY (zones)
$$;

-- Monday is the 2nd of March. a: 3rd, 4th, 6th and 11th; b: twice on the 3rd; c: 6th; one without a session on the 7th; what is no command is in none.
SELECT pg_temp.command('a', '2026-03-03T10:00Z'), pg_temp.command('b', '2026-03-03T11:00Z'), pg_temp.command('b', '2026-03-03T12:00Z'),
  pg_temp.command('a', '2026-03-04T10:00Z'), pg_temp.command('a', '2026-03-06T10:00Z'), pg_temp.command('c', '2026-03-06T23:30Z'),
  pg_temp.command(NULL, '2026-03-07T10:00Z'), pg_temp.command('a', '2026-03-11T10:00Z'), pg_temp.command('z', '2026-03-04T10:00Z', name => 'opened'),
  pg_temp.command('a', '2026-03-02T10:00Z', 'other');
-- A day that loses half of its rows counts as gone.
SELECT pg_temp.command(NULL, timestamptz '2026-03-01T10:00Z' + d * interval '1 day', name => 'opened') FROM generate_series(0, 13) AS d, generate_series(1, 9);
SELECT pg_temp.build();
SELECT is(pg_temp.lines(), '{"03 after -: 2","04 after -: 0","04 after 03: 1","06 after -: 1","06 after 04: 1","07 after -: 0","11 after -: 0","11 after 06: 1"}',
  'each day knows when its sessions were there before, each of its own tenant');
SELECT is(pg_temp.sessions('2026-03-02', '2026-03-15'), '3 of [0, 2, 1, 0, 2, 0, 0, 0, 0, 1, 0, 0, 0, 0], [3, 1]', 'one that comes again counts once for each day and week, and once in all');
SELECT is(pg_temp.sessions('2026-03-04', '2026-03-06'), '2 of [1, 0, 2], [2]', 'a window that begins in the midst of a week has what is in it');
SELECT is(pg_temp.sessions('2026-03-05', '2026-03-11'), '2 of [0, 2, 0, 0, 0, 0, 1], [2, 1]', 'two parts of weeks, too');
SELECT is(pg_temp.sessions('2026-03-07', '2026-03-08'), '0 of [0, 0], [0]', 'a command without a session is in none');
SELECT is(pg_temp.sessions('2026-04-01', '2026-04-02'), '0 of [0, 0], [0]', 'where nothing is there is none');
SELECT is_empty('SELECT * FROM pg_temp.verified()', 'verify agrees');

-- Late ones, and one that goes.
SELECT pg_temp.command('c', '2026-03-09T10:00Z'), pg_temp.command('b', '2026-03-05T10:00Z'), pg_temp.command('a', '2026-03-08T10:00Z'), pg_temp.command('a', '2026-03-02T09:00Z');
SELECT pg_temp.build();
SELECT is(pg_temp.lines(), '{"02 after -: 1","03 after -: 1","03 after 02: 1","04 after -: 0","04 after 03: 1","05 after -: 0","05 after 03: 1","06 after -: 1","06 after 04: 1",'
  '"07 after -: 0","08 after -: 0","08 after 06: 1","09 after -: 0","09 after 06: 1","11 after -: 0","11 after 08: 1"}', 'one that comes late is known to the day after it');
SELECT is(pg_temp.sessions('2026-03-07', '2026-03-15'), '2 of [0, 1, 1, 0, 1, 0, 0, 0, 0], [1, 2]', 'and counts');
DELETE FROM weir.events WHERE session_id = 'a' AND tenant_id = 'acme' AND "timestamp" < '2026-03-05';
INSERT INTO weir.touched_days (tenant_id, day) VALUES ('acme', '2026-03-03'), ('acme', '2026-03-04'), ('acme', '2026-03-02');
SELECT pg_temp.build();
SELECT is(pg_temp.lines(), '{"03 after -: 1","05 after -: 0","05 after 03: 1","06 after -: 2",'
  '"07 after -: 0","08 after -: 0","08 after 06: 1","09 after -: 0","09 after 06: 1","11 after -: 0","11 after 08: 1"}', 'so is one that goes');
SELECT is_empty('SELECT * FROM pg_temp.verified()', 'verify agrees then');

-- Zones: c's first is on the 7th in Berlin.
CREATE TEMPORARY TABLE unkept AS SELECT since, until, pg_temp.sessions(since, until, 'Europe/Berlin') AS said
FROM (VALUES (date '2026-03-02', date '2026-03-15'), ('2026-03-06', '2026-03-06'), ('2026-03-07', '2026-03-09')) AS w (since, until);
SELECT is((SELECT said FROM unkept WHERE since = '2026-03-06'), '1 of [1], [1]', 'days are those of the zone');
SELECT keep_zone('acme', 'Europe/Berlin');
SELECT pg_temp.build();
SELECT is(pg_temp.lines('Europe/Berlin') @> '{"06 after -: 1","07 after -: 1"}', true, 'which is kept by itself');
SELECT is(pg_temp.sessions(since, until, 'Europe/Berlin'), said, format('and says from %s to %s what the rows do', since, until)) FROM unkept;
SELECT is_empty($$SELECT * FROM pg_temp.verified('{Europe/Berlin}')$$, 'there verify agrees, too');
SELECT ok(drop_zone('acme', 'Europe/Berlin'), 'it is dropped');
SELECT is_empty($$SELECT FROM command_sessions WHERE zone <> 'UTC' UNION ALL SELECT FROM day_command_sessions WHERE zone <> 'UTC'$$, 'with all that was kept');

-- What verify finds.
INSERT INTO weir.command_sessions (tenant_id, zone, session, day) VALUES ('acme', 'UTC', 1, '2026-03-08');
DELETE FROM weir.command_sessions WHERE tenant_id = 'acme' AND day = '2026-03-09';
UPDATE weir.day_command_sessions SET sessions = 7 WHERE tenant_id = 'acme' AND day = '2026-03-03';
SELECT set_eq('SELECT part, subject, kept, counted FROM pg_temp.verified()', $$VALUES
  ('command_sessions', 'session 1', 'there', NULL), ('day_command_sessions', 'there before on -infinity', '0', '1'),
  ('command_sessions', 'session ' || hashtextextended(E'UTC\nc', 0), NULL, 'there'), ('day_command_sessions', 'there before on 2026-03-06', '1', NULL),
  ('day_command_sessions', 'there before on -infinity', '7', '1')$$, 'verify names what differs');
SELECT ok(rebuild_day('acme', d, false), 'a rebuild') FROM unnest('{2026-03-03,2026-03-08,2026-03-09}'::date[]) AS d;
SELECT is_empty('SELECT * FROM pg_temp.verified()', 'makes it anew');

-- Rows that are gone.
INSERT INTO weir.gone_days (tenant_id, day) VALUES ('acme', '2026-03-06');
DELETE FROM weir.events WHERE tenant_id = 'acme' AND "timestamp" >= '2026-03-06' AND "timestamp" < '2026-03-07';
INSERT INTO weir.touched_days (tenant_id, day) VALUES ('acme', '2026-03-06'), ('acme', '2026-03-08');
SELECT pg_temp.build();
SELECT is(pg_temp.sessions('2026-03-06', '2026-03-09'), '2 of [2, 0, 1, 1], [2, 1]', 'a day whose rows are gone keeps its sessions, and later days know of them');
DELETE FROM weir.day_command_sessions WHERE tenant_id = 'acme' AND day = '2026-03-06';
SELECT is(pg_temp.sessions('2026-03-06', '2026-03-09'), NULL, 'one that was gone before they were kept says nothing');
SELECT is(jsonb_build_array(a -> 'exact', a -> 'incomplete'), '[false, "rows of some days were dropped before their sessions of the command line were counted"]', 'and why')
FROM (VALUES (stats_answer('acme', '2026-03-06', '2026-03-09')), (usage_answer('acme', '2026-03-06', '2026-03-09'))) AS v (a);
SELECT is(pg_temp.sessions('2026-03-07', '2026-03-09'), '2 of [0, 1, 1], [1, 1]', 'of which other windows know nothing');
SELECT ok(rebuild_day('acme', '2026-03-06', true), 'figures of rows that are gone are dropped');
SELECT is_empty($$SELECT FROM command_sessions WHERE tenant_id = 'acme' AND day = '2026-03-06'$$, 'so are sessions');
SELECT is(pg_temp.lines() @> '{"08 after -: 1"}', true, 'and the day after knows it');

-- Among a day's many names that have no line of their own, in a zone that is kept and in one that is not.
INSERT INTO weir.events (event_id, tenant_id, event, "timestamp", client_timestamp)
SELECT gen_random_uuid(), 'names', 'a' || n, '2026-03-05T10:00Z', '2026-03-05T10:00Z' FROM generate_series(1, 1100) AS n, generate_series(1, 2);
SELECT pg_temp.command('n', '2026-03-05T11:00Z', 'names');
SELECT pg_temp.build();
SELECT is(usage_answer('names', '2026-03-05', '2026-03-05', z) #> '{cli,sessions,count}', '1', 'beyond a thousand names, in ' || z) FROM unnest('{UTC,Europe/Berlin}'::text[]) AS z;
INSERT INTO weir.gone_days (tenant_id, day) VALUES ('names', '2026-03-05');
DELETE FROM weir.day_command_sessions WHERE tenant_id = 'names';
SELECT is(usage_answer('names', '2026-03-05', '2026-03-05') #> '{cli,sessions}', 'null', 'nor is there any telling when it was gone before');

-- At random: twenty sessions on 24 days, in four turns of which each marks what came.
SELECT setseed(0.5);
DELETE FROM weir.events; DELETE FROM weir.gone_days;
SELECT rebuild_day('acme', d::date, true) FROM generate_series('2026-03-01'::date, '2026-03-14', '1 day') AS d;
SELECT pg_temp.command(NULL, timestamptz '2026-03-01T10:00Z' + d * interval '1 day', name => 'opened') FROM generate_series(0, 26) AS d, generate_series(1, 20);
CREATE FUNCTION pg_temp.more(n integer) RETURNS void LANGUAGE sql AS $$
  WITH come AS (
    INSERT INTO weir.events (event_id, tenant_id, session_id, event, "timestamp", client_timestamp)
    SELECT gen_random_uuid(), 'acme', CASE WHEN random() < 0.9 THEN 's' || floor(random() * 20) END, CASE WHEN random() < 0.9 THEN 'cli_command' ELSE 'opened' END, t.at, t.at
    FROM generate_series(1, n) AS g, LATERAL (SELECT timestamptz '2026-03-02T00:00Z' + random() * interval '24 days' + g * interval '0' AS at) AS t
    RETURNING "timestamp"
  )
  INSERT INTO weir.touched_days (tenant_id, day) SELECT DISTINCT 'acme', ("timestamp" AT TIME ZONE 'UTC')::date FROM come
$$;
CREATE FUNCTION pg_temp.less(n integer) RETURNS void LANGUAGE sql AS $$
  WITH went AS (
    DELETE FROM weir.events WHERE event_id IN (SELECT event_id FROM weir.events WHERE tenant_id = 'acme' AND event = 'cli_command' ORDER BY event_id LIMIT n) RETURNING "timestamp"
  )
  INSERT INTO weir.touched_days (tenant_id, day) SELECT DISTINCT 'acme', ("timestamp" AT TIME ZONE 'UTC')::date FROM went
$$;
SELECT keep_zone('acme', 'America/St_Johns');
CREATE FUNCTION pg_temp.turn(n integer, goes integer) RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_temp.more(n), pg_temp.less(goes);
  PERFORM pg_temp.build();
  RETURN QUERY SELECT is_empty($q$SELECT * FROM pg_temp.verified('{UTC,America/St_Johns}')$q$, n || ' more: verify agrees');
  RETURN NEXT is((SELECT count(*) FROM (VALUES ('UTC'), ('America/St_Johns')) AS z (zone), generate_series('2026-03-02'::date, '2026-03-24', '4 days') AS f,
      generate_series(f, '2026-03-27', '5 days') AS l
    WHERE weir.cli_sessions(ARRAY(SELECT p FROM weir.cli_sessions_partial('acme', f::date, l::date, z.zone) AS p), f::date, l::date)
      <> weir.cli_sessions(ARRAY(SELECT p FROM weir.cli_sessions_of_rows('acme', f::date, l::date, z.zone) AS p), f::date, l::date)), 0::bigint,
    'and windows of any length say what the rows do');
END
$$;
SELECT pg_temp.turn(n, goes) FROM (VALUES (40, 0), (1, 0), (40, 20), (0, 30)) AS v (n, goes);

SELECT * FROM finish();
ROLLBACK;
