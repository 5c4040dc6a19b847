-- How many sessions of the command line there were: different session_ids of `cli_command`, which has no user. Of any window, week and day this is
-- a sum, if of each day it is known when its sessions were there before: what a window has is those of its days that were not there since the
-- window began. It took the events of all commands, too many for an answer that has all key figures.
--
--   day        sessions   were there before        from the 3rd to the 5th: a, b on the 3rd (before: never), c on the 5th; a is not
--   3 March    a b        never: 2                 counted again on the 4th, since it was there on the 3rd
--   4 March    a          3 March: 1
--   5 March    a c        4 March: 1, never: 1     from the 5th to the 5th: a and c
SET LOCAL ROLE weir_owner;

-- That a session, which knows its zone, finds its days by one index, and a day its sessions by another with no session in it, leaves no other way to
-- a session than the fast one, whatever is known of a table that has just been filled.
CREATE TABLE weir.command_sessions (
  tenant_id text NOT NULL,
  session bigint NOT NULL,
  day date NOT NULL,
  zone text NOT NULL,
  PRIMARY KEY (tenant_id, session, day)
);
CREATE INDEX command_sessions_by_day ON weir.command_sessions (tenant_id, zone, day);
COMMENT ON TABLE weir.command_sessions IS 'Days on which a session of the command line had a command.';
COMMENT ON COLUMN weir.command_sessions.session IS
  '64 bits of a hash of zone and session_id: of ten million sessions two have the same with a chance of 3 in a million.';

CREATE TABLE weir.day_command_sessions (
  tenant_id text NOT NULL,
  zone text NOT NULL,
  day date NOT NULL,
  before date NOT NULL,
  sessions bigint NOT NULL,
  PRIMARY KEY (tenant_id, zone, day, before)
);
COMMENT ON TABLE weir.day_command_sessions IS
  'How many sessions of the command line a day had, by the last day before on which they were there. Those of the days from A to B are those '
  'that were before A.';
COMMENT ON COLUMN weir.day_command_sessions.before IS '-infinity: none. Each day that may have commands has this line, if only with 0.';
GRANT SELECT ON weir.command_sessions, weir.day_command_sessions TO weir_reader;

-- Whether a day may have commands, as its counts say: rows are read for such a day alone.
CREATE FUNCTION weir.may_have_commands(tenant text, zone text, day date) RETURNS boolean
LANGUAGE sql STABLE
AS $$
  SELECT EXISTS (
    SELECT FROM weir.day_counts AS c
    WHERE c.tenant_id = may_have_commands.tenant AND c.zone = may_have_commands.zone AND c.day = may_have_commands.day
      AND (c.subject, c.value) IN (('event', 'cli_command'), ('event_other', '')))
$$;

-- Of a day, from the rows.
CREATE FUNCTION weir.command_sessions_of_day(tenant text, zone text, day date) RETURNS SETOF bigint
LANGUAGE sql STABLE
SET jit = off SET work_mem = '64MB'
AS $$
  SELECT DISTINCT hashtextextended(concat_ws(E'\n', zone, e.session_id), 0)
  FROM weir.events AS e
  WHERE e.tenant_id = command_sessions_of_day.tenant AND e.event = 'cli_command' AND e.session_id IS NOT NULL
    AND e."timestamp" >= lower(weir.span_of_day(command_sessions_of_day.zone, command_sessions_of_day.day))
    AND e."timestamp" < upper(weir.span_of_day(command_sessions_of_day.zone, command_sessions_of_day.day))
    AND (e."timestamp" AT TIME ZONE command_sessions_of_day.zone)::date = command_sessions_of_day.day
    AND weir.may_have_commands(tenant, zone, command_sessions_of_day.day)
$$;

-- A day's line for each day before, from command_sessions.
CREATE FUNCTION weir.command_sessions_counted(tenant text, zone text, day date) RETURNS TABLE (before date, sessions bigint)
LANGUAGE sql STABLE
SET jit = off
AS $$
  SELECT l.before, sum(l.sessions)::bigint
  FROM (
    SELECT coalesce(b.day, '-infinity') AS before, 1 AS sessions
    FROM weir.command_sessions AS s
    LEFT JOIN LATERAL (
      SELECT earlier.day
      FROM weir.command_sessions AS earlier
      WHERE earlier.tenant_id = command_sessions_counted.tenant AND earlier.session = s.session AND earlier.day < command_sessions_counted.day
      ORDER BY earlier.day DESC
      LIMIT 1
    ) AS b ON true
    WHERE s.tenant_id = command_sessions_counted.tenant AND s.zone = command_sessions_counted.zone AND s.day = command_sessions_counted.day
    UNION ALL
    SELECT '-infinity', 0 WHERE weir.may_have_commands(tenant, zone, command_sessions_counted.day)
  ) AS l
  GROUP BY l.before
$$;

-- A day's sessions take the place of those that were kept. The next day of each that came or went was counted by the day before it, which is another one now: its lines
-- are corrected by the difference, so that a day costs the same, however many there are after it.
CREATE FUNCTION weir.replace_command_sessions(tenant text, zone text, day date, sessions bigint[]) RETURNS void
LANGUAGE sql
SET jit = off
AS $$
  WITH gone AS (
    DELETE FROM weir.command_sessions AS s
    WHERE s.tenant_id = replace_command_sessions.tenant AND s.zone = replace_command_sessions.zone AND s.day = replace_command_sessions.day
      AND s.session NOT IN (SELECT unnest(sessions))
    RETURNING s.session
  ), come AS (
    INSERT INTO weir.command_sessions (tenant_id, session, day, zone)
    SELECT tenant, f, replace_command_sessions.day, replace_command_sessions.zone FROM unnest(sessions) AS f
    ON CONFLICT DO NOTHING
    RETURNING session
  ), beside AS (
    SELECT n.day, coalesce(b.day, '-infinity') AS before, c.came
    FROM (SELECT g.session, -1 AS came FROM gone AS g UNION ALL SELECT c.session, 1 FROM come AS c) AS c
    CROSS JOIN LATERAL (
      SELECT later.day
      FROM weir.command_sessions AS later
      WHERE later.tenant_id = replace_command_sessions.tenant AND later.session = c.session AND later.day > replace_command_sessions.day
      ORDER BY later.day
      LIMIT 1
    ) AS n
    LEFT JOIN LATERAL (
      SELECT earlier.day
      FROM weir.command_sessions AS earlier
      WHERE earlier.tenant_id = replace_command_sessions.tenant AND earlier.session = c.session AND earlier.day < replace_command_sessions.day
      ORDER BY earlier.day DESC
      LIMIT 1
    ) AS b ON true
  )
  INSERT INTO weir.day_command_sessions AS d (tenant_id, zone, day, before, sessions)
  SELECT tenant, replace_command_sessions.zone, l.day, l.before, sum(l.sessions)
  FROM (
    SELECT b.day, replace_command_sessions.day AS before, b.came AS sessions FROM beside AS b
    UNION ALL
    SELECT b.day, b.before, -b.came FROM beside AS b
  ) AS l
  GROUP BY l.day, l.before
  HAVING sum(l.sessions) <> 0
  ON CONFLICT (tenant_id, zone, day, before) DO UPDATE SET sessions = d.sessions + excluded.sessions;

  DELETE FROM weir.day_command_sessions AS d
  WHERE d.tenant_id = replace_command_sessions.tenant AND d.zone = replace_command_sessions.zone AND d.day > replace_command_sessions.day
    AND d.sessions = 0 AND isfinite(d.before)
$$;

-- The lines of a day itself: what differs is replaced.
CREATE FUNCTION weir.count_command_sessions(tenant text, zone text, day date) RETURNS void
LANGUAGE sql
AS $$
  WITH fresh AS MATERIALIZED (
    SELECT * FROM weir.command_sessions_counted(tenant, zone, count_command_sessions.day)
  ), gone AS (
    DELETE FROM weir.day_command_sessions AS d
    WHERE d.tenant_id = count_command_sessions.tenant AND d.zone = count_command_sessions.zone AND d.day = count_command_sessions.day
      AND d.before NOT IN (SELECT f.before FROM fresh AS f)
  )
  INSERT INTO weir.day_command_sessions AS d (tenant_id, zone, day, before, sessions)
  SELECT tenant, zone, count_command_sessions.day, f.before, f.sessions FROM fresh AS f
  ON CONFLICT (tenant_id, zone, day, before) DO UPDATE SET sessions = excluded.sessions WHERE d.sessions <> excluded.sessions
$$;

-- After these days were built; those whose rows are gone keep what they have. Rows are read first: who builds days beside this waits for the rest of
-- it to be committed, and then sees them.
CREATE FUNCTION weir.build_command_sessions(tenant text, zone text, days date[], forget boolean DEFAULT false) RETURNS void
LANGUAGE plpgsql
AS $$
DECLARE
  built date;
  sessions bigint[];
BEGIN
  FOREACH built IN ARRAY days LOOP
    CONTINUE WHEN NOT forget AND weir.is_gone(tenant, zone, built);
    CONTINUE WHEN NOT weir.may_have_commands(tenant, zone, built)
      AND NOT EXISTS (SELECT FROM weir.command_sessions AS s WHERE s.tenant_id = tenant AND s.zone = build_command_sessions.zone AND s.day = built)
      AND NOT EXISTS (SELECT FROM weir.day_command_sessions AS d WHERE d.tenant_id = tenant AND d.zone = build_command_sessions.zone AND d.day = built);
    sessions := ARRAY(SELECT weir.command_sessions_of_day(tenant, zone, built));
    PERFORM pg_advisory_xact_lock(hashtextextended(concat_ws(E'\n', tenant, zone, 'commands'), weir.builder_key()));
    PERFORM weir.replace_command_sessions(tenant, zone, built, sessions);
    PERFORM weir.count_command_sessions(tenant, zone, built);
  END LOOP;
END
$$;

-- As in 0032, and the sessions of commands.
CREATE OR REPLACE FUNCTION weir.build_around(tenant text, zone text, day date, neighbours boolean) RETURNS void
LANGUAGE plpgsql
AS $$
DECLARE
  own constant date[] := ARRAY(SELECT weir.local_days(zone, day));
  local_day date;
BEGIN
  FOREACH local_day IN ARRAY own LOOP
    PERFORM weir.build_day(tenant, zone, local_day);
  END LOOP;
  PERFORM weir.build_weeks(tenant, zone, own);
  PERFORM weir.build_first_uses(tenant, zone, own);
  PERFORM weir.build_toggles(tenant, zone, own);
  PERFORM weir.build_command_sessions(tenant, zone, own);
  FOR local_day IN
    SELECT d.day
    FROM (SELECT weir.local_days(zone, day - 1) UNION SELECT weir.local_days(zone, day + 1)) AS d (day)
    WHERE neighbours AND d.day <> ALL (own)
  LOOP
    IF EXISTS (SELECT FROM weir.day_counts AS c WHERE (c.tenant_id, c.zone, c.subject, c.value, c.day)
        = (tenant, build_around.zone, 'active', '', local_day)) AND NOT weir.keeps_sessions(tenant, zone, local_day) THEN
      PERFORM weir.build_sessions(tenant, zone, local_day);
    END IF;
  END LOOP;
END
$$;

-- As in 0033, and the sessions of commands.
CREATE OR REPLACE FUNCTION weir.rebuild_day(tenant text, day date, forget boolean) RETURNS boolean
LANGUAGE plpgsql
AS $$
DECLARE
  zones text[];
  days date[];  -- the n-th on the clocks of the n-th zone
  zone text;
  own date[];
  whole boolean := true;
BEGIN
  PERFORM pg_advisory_xact_lock_shared(weir.builder_key());
  SELECT array_agg(z ORDER BY z COLLATE "C", l), array_agg(l ORDER BY z COLLATE "C", l) INTO zones, days
  FROM weir.zones_of(tenant) AS z, weir.local_days(z, rebuild_day.day) AS l
  WHERE l = rebuild_day.day OR weir.next_day_with_rows(tenant, l::timestamp AT TIME ZONE 'UTC') IS DISTINCT FROM l;
  FOR n IN 1 .. cardinality(zones) LOOP
    PERFORM pg_advisory_xact_lock(hashtextextended(concat_ws(E'\n', tenant, zones[n], days[n]), weir.builder_key()));
    whole := weir.build_day(tenant, zones[n], days[n], forget) AND whole;
  END LOOP;
  PERFORM weir.repack_day(tenant, rebuild_day.day);
  FOR zone, own IN
    SELECT m.zone, array_agg(m.day ORDER BY m.day) FROM unnest(zones, days) AS m (zone, day) GROUP BY m.zone ORDER BY m.zone COLLATE "C"
  LOOP
    PERFORM weir.build_weeks(tenant, zone, own);
    PERFORM weir.build_first_uses(tenant, zone, own);
    PERFORM weir.build_toggles(tenant, zone, own, forget);
    PERFORM weir.build_command_sessions(tenant, zone, own, forget);
  END LOOP;
  DELETE FROM weir.touched_days AS t
  WHERE t.tenant_id = rebuild_day.tenant AND t.day = rebuild_day.day AND (t.marked_at = '-infinity' OR t.in_rebuild AND whole);
  PERFORM weir.note_build(tenant);
  PERFORM weir.note_ready_zones(tenant);
  RETURN whole;
END
$$;

-- As in 0032, and the sessions of commands.
CREATE OR REPLACE FUNCTION weir.drop_zone(tenant text, zone text) RETURNS boolean
LANGUAGE plpgsql
AS $$
BEGIN
  PERFORM pg_advisory_xact_lock(weir.builder_key());
  DELETE FROM weir.report_zones AS z WHERE z.tenant_id = tenant AND z.zone = drop_zone.zone;
  IF NOT FOUND THEN
    RETURN false;
  END IF;
  DELETE FROM weir.touched_days AS t WHERE t.tenant_id = tenant AND t.zone = drop_zone.zone;
  DELETE FROM weir.day_sets AS d WHERE d.tenant_id = tenant AND d.zone = drop_zone.zone;
  DELETE FROM weir.week_sets AS w WHERE w.tenant_id = tenant AND w.zone = drop_zone.zone;
  DELETE FROM weir.day_first_uses AS u WHERE u.tenant_id = tenant AND u.zone = drop_zone.zone;
  DELETE FROM weir.toggle_sets AS t WHERE t.tenant_id = tenant AND t.zone = drop_zone.zone;
  DELETE FROM weir.day_counts AS d WHERE d.tenant_id = tenant AND d.zone = drop_zone.zone;
  DELETE FROM weir.day_numbers AS d WHERE d.tenant_id = tenant AND d.zone = drop_zone.zone;
  DELETE FROM weir.day_sessions AS d WHERE d.tenant_id = tenant AND d.zone = drop_zone.zone;
  DELETE FROM weir.command_sessions AS s WHERE s.tenant_id = tenant AND s.zone = drop_zone.zone;
  DELETE FROM weir.day_command_sessions AS d WHERE d.tenant_id = tenant AND d.zone = drop_zone.zone;
  PERFORM weir.note_build(tenant);
  RETURN true;
END
$$;

CREATE FUNCTION weir.compare_command_sessions(tenant text, zone text, day date)
RETURNS TABLE (part text, subject text, value text, kept text, counted text)
LANGUAGE sql STABLE
AS $$
  SELECT 'command_sessions', 'session ' || coalesce(k.session, c.session), NULL, CASE WHEN k.session IS NOT NULL THEN 'there' END,
    CASE WHEN c.session IS NOT NULL THEN 'there' END
  FROM (SELECT s.session FROM weir.command_sessions AS s
    WHERE s.tenant_id = tenant AND s.zone = compare_command_sessions.zone AND s.day = compare_command_sessions.day) AS k
  FULL JOIN weir.command_sessions_of_day(tenant, compare_command_sessions.zone, compare_command_sessions.day) AS c (session) ON c.session = k.session
  WHERE k.session IS NULL OR c.session IS NULL
  UNION ALL
  SELECT 'day_command_sessions', 'there before on ' || coalesce(k.before, c.before), NULL, k.sessions::text, c.sessions::text
  FROM (SELECT * FROM weir.day_command_sessions AS d
    WHERE d.tenant_id = tenant AND d.zone = compare_command_sessions.zone AND d.day = compare_command_sessions.day) AS k
  FULL JOIN weir.command_sessions_counted(tenant, compare_command_sessions.zone, compare_command_sessions.day) AS c ON c.before = k.before
  WHERE k.sessions IS DISTINCT FROM c.sessions
$$;

-- As in 0043, and the sessions of commands.
CREATE OR REPLACE FUNCTION weir.verify_day(tenant text, zone text, day date)
RETURNS TABLE (part text, subject text, value text, kept text, counted text)
LANGUAGE plpgsql STABLE
AS $$
BEGIN
  IF day = weir.monday_of(day) THEN
    RETURN QUERY SELECT * FROM weir.compare_week(tenant, zone, day);
  END IF;
  RETURN QUERY SELECT t.* FROM unnest(ARRAY[8, 64, 512]) AS n, LATERAL weir.compare_toggles(tenant, zone, day, n) AS t
    WHERE weir.span_start(day, n) = day;
  IF EXISTS (SELECT FROM weir.touched_days AS t WHERE t.tenant_id = tenant
      AND t.day BETWEEN verify_day.day - 2 AND verify_day.day + 2 AND coalesce(t.zone, verify_day.zone) = verify_day.zone) THEN
    RETURN QUERY SELECT 'marked', NULL::text, NULL::text, NULL::text, NULL::text;
  ELSIF weir.is_thinned(tenant, zone, day) THEN
    RETURN QUERY SELECT 'thinned', NULL::text, NULL::text, NULL::text, NULL::text;
  ELSE
    RETURN QUERY SELECT * FROM weir.compare_facts(tenant, zone, day)
      UNION ALL SELECT u.* FROM weir.compare_first_uses(tenant, zone, verify_day.day) AS u
      UNION ALL SELECT t.* FROM weir.compare_toggles(tenant, zone, verify_day.day, 1) AS t
      UNION ALL SELECT c.* FROM weir.compare_sessions(tenant, zone, day) AS c
      WHERE NOT weir.is_thinned(tenant, zone, verify_day.day - 1) AND NOT weir.is_thinned(tenant, zone, verify_day.day + 1)
      UNION ALL SELECT s.* FROM weir.compare_command_sessions(tenant, zone, verify_day.day) AS s
      UNION ALL SELECT p.* FROM weir.compare_packs(tenant, verify_day.day) AS p WHERE zone = 'UTC'
      UNION ALL SELECT g.* FROM weir.compare_crash_groups(tenant, verify_day.day) AS g WHERE zone = 'UTC';
  END IF;
END
$$;
GRANT EXECUTE ON FUNCTION weir.command_sessions_of_day(text, text, date), weir.may_have_commands(text, text, date),
  weir.command_sessions_counted(text, text, date), weir.compare_command_sessions(text, text, date) TO weir_reader;

-- They looked at the events of commands for /stats, and had shares of users alone (analytics/stats_merge.sql).
SET LOCAL client_min_messages = warning;
DROP FUNCTION IF EXISTS weir.most_cli_events(), weir.stats_cli_partial(text, date, date, text), weir.stats_lists(weir.part[], jsonb);

-- Days that are built already. Those that have lost rows since are left out, and so are known to say nothing.
SELECT weir.build_command_sessions(c.tenant_id, c.zone, array_agg(c.day ORDER BY c.day))
FROM (SELECT DISTINCT c.tenant_id, c.zone, c.day FROM weir.day_counts AS c WHERE (c.subject, c.value) IN (('event', 'cli_command'), ('event_other', ''))) AS c
WHERE NOT weir.is_thinned(c.tenant_id, c.zone, c.day)
GROUP BY c.tenant_id, c.zone;
