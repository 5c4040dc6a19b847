-- Building days: what is made when, and by whom. One builder works at a time (an advisory lock). A step is two
-- transactions: the first chooses a day and moves its next try into the future, the second builds it. So a step that
-- is killed leaves its marks, and one that kills its session is not chosen again before the others.
--
--   choose_roll_up() ──► build_roll_up():
--     marks of (tenant, UTC day) taken ──► its users numbered ──► every local day that overlaps it built,
--                                                                 sessions of the days beside it too
--
-- At READ COMMITTED each statement sees what was committed before it began: the rows of every mark that was
-- taken are seen, and a mark that is committed later stays for the next step.
SET LOCAL ROLE weir_owner;

CREATE FUNCTION weir.builder_key() RETURNS bigint
LANGUAGE sql IMMUTABLE
AS $$ SELECT hashtextextended('weir.roll_ups', 0) $$;

CREATE FUNCTION weir.zones_of(tenant text) RETURNS SETOF text
LANGUAGE sql STABLE
AS $$
  SELECT 'UTC' UNION SELECT z.zone FROM weir.report_zones AS z WHERE z.tenant_id = zones_of.tenant
$$;

-- The days on the clocks of the zone that overlap a UTC day.
CREATE FUNCTION weir.local_days(zone text, day date) RETURNS SETOF date
LANGUAGE sql STABLE
AS $$
  SELECT least(first, last) + n
  FROM (
    SELECT ((day::timestamp AT TIME ZONE 'UTC') AT TIME ZONE zone)::date AS first,
      (((day + 1)::timestamp - interval '1 microsecond') AT TIME ZONE 'UTC' AT TIME ZONE zone)::date AS last
  ) AS ends, generate_series(0, abs(last - first)) AS n
$$;

-- Gives a number to each user of a UTC day that has none, and remembers their earliest event and crash. Where a late
-- event lowers the first, the day that has lost a new user is marked, as of when the late one was.
CREATE FUNCTION weir.number_users(tenant text, day date, marked_at timestamptz DEFAULT now()) RETURNS void
LANGUAGE sql
SET jit = off SET work_mem = '64MB' SET enable_nestloop = off SET enable_mergejoin = off
AS $$
  WITH seen AS (
    SELECT h.user_id, min(h.at) AS first_at, min(h."timestamp") FILTER (WHERE h.at IS NULL) AS first_crash_at
    FROM (
      SELECT e.user_id, e."timestamp", e."timestamp" AS at FROM weir.events AS e WHERE e.tenant_id = number_users.tenant
      UNION ALL
      SELECT c.user_id, c."timestamp", NULL FROM weir.crashes AS c WHERE c.tenant_id = number_users.tenant
    ) AS h
    WHERE h.user_id IS NOT NULL AND h."timestamp" >= number_users.day::timestamp AT TIME ZONE 'UTC'
      AND h."timestamp" < (number_users.day + 1)::timestamp AT TIME ZONE 'UTC'
    GROUP BY h.user_id
  ), found AS MATERIALIZED (
    SELECT s.user_id, s.first_at, s.first_crash_at, u.number, u.first_at AS was_at
    FROM seen AS s
    LEFT JOIN weir.user_numbers AS u ON u.tenant_id = number_users.tenant AND u.user_id = s.user_id
    WHERE u.number IS NULL OR s.first_at < coalesce(u.first_at, 'infinity')
      OR s.first_crash_at < coalesce(u.first_crash_at, 'infinity')
  ), lowered AS (
    UPDATE weir.user_numbers AS u
    SET first_at = least(u.first_at, f.first_at), first_crash_at = least(u.first_crash_at, f.first_crash_at)
    FROM found AS f
    WHERE u.tenant_id = number_users.tenant AND u.number = f.number
    RETURNING CASE WHEN f.first_at < f.was_at THEN (f.was_at AT TIME ZONE 'UTC')::date END AS day
  ), marked AS (
    INSERT INTO weir.touched_days (tenant_id, day, neighbours, marked_at, added_at)
    SELECT DISTINCT number_users.tenant, l.day, false, number_users.marked_at, number_users.marked_at
    FROM lowered AS l WHERE l.day <> number_users.day
  )
  INSERT INTO weir.user_numbers (tenant_id, user_id, number, first_at, first_crash_at)
  SELECT number_users.tenant, f.user_id,
    (SELECT coalesce(max(u.number), -1) FROM weir.user_numbers AS u WHERE u.tenant_id = number_users.tenant)
      + row_number() OVER (ORDER BY f.first_at, f.user_id COLLATE "C"),
    f.first_at, f.first_crash_at
  FROM found AS f
  WHERE f.number IS NULL
$$;

-- The UTC days that overlap a day on the clocks of the zone.
CREATE FUNCTION weir.utc_days(zone text, day date) RETURNS SETOF date
LANGUAGE sql STABLE
AS $$
  SELECT d FROM generate_series(-1, 1) AS n, LATERAL (SELECT day + n) AS near (d)
  WHERE day IN (SELECT weir.local_days(zone, d))
$$;

-- How many events and crashes of a UTC day there are.
CREATE FUNCTION weir.rows_of_day(tenant text, day date) RETURNS bigint
LANGUAGE sql STABLE
SET jit = off
AS $$
  SELECT count(*)
  FROM (
    SELECT e."timestamp" FROM weir.events AS e WHERE e.tenant_id = rows_of_day.tenant
    UNION ALL
    SELECT c."timestamp" FROM weir.crashes AS c WHERE c.tenant_id = rows_of_day.tenant
  ) AS happened
  WHERE "timestamp" >= rows_of_day.day::timestamp AT TIME ZONE 'UTC'
    AND "timestamp" < (rows_of_day.day + 1)::timestamp AT TIME ZONE 'UTC'
$$;

-- How many were counted, by the builder or by the flusher (which of events counts those with a user).
CREATE FUNCTION weir.counted_of_day(tenant text, day date) RETURNS bigint
LANGUAGE sql STABLE
AS $$
  SELECT greatest(
    (SELECT sum(c.events) FROM weir.day_counts AS c
      WHERE c.tenant_id = counted_of_day.tenant AND c.zone = 'UTC' AND c.day = counted_of_day.day
        AND c.subject IN ('active', 'crash') AND c.value = ''),
    coalesce((SELECT sum(u.events) FROM weir.user_days AS u
      WHERE u.tenant_id = counted_of_day.tenant AND u.day = counted_of_day.day), 0)
    + coalesce((SELECT c.crashes FROM weir.crash_days AS c
      WHERE c.tenant_id = counted_of_day.tenant AND c.day = counted_of_day.day), 0), 0)::bigint
$$;

-- Rows of a UTC day are gone, as old ones go by retention, which drops weeks: its figures are all that is left. A day
-- of the last week never is, nor one that keeps half of its rows: there somebody has deleted some by hand, and the
-- figures follow.
CREATE FUNCTION weir.has_lost_rows(tenant text, day date) RETURNS boolean
LANGUAGE sql STABLE
AS $$
  SELECT CASE WHEN day >= (now() AT TIME ZONE 'UTC')::date - 8 THEN false
    WHEN EXISTS (SELECT FROM weir.gone_days AS g WHERE g.tenant_id = tenant AND g.day = has_lost_rows.day) THEN true
    ELSE weir.counted_of_day(tenant, day) > 2 * weir.rows_of_day(tenant, day) END
$$;

-- Remembers that, since rows that come late must not make the past less. True: gone.
CREATE FUNCTION weir.note_if_gone(tenant text, day date) RETURNS boolean
LANGUAGE sql
AS $$
  INSERT INTO weir.gone_days (tenant_id, day)
  SELECT tenant, note_if_gone.day WHERE weir.has_lost_rows(tenant, note_if_gone.day)
  ON CONFLICT DO NOTHING;
  SELECT EXISTS (SELECT FROM weir.gone_days AS g WHERE g.tenant_id = tenant AND g.day = note_if_gone.day)
$$;

-- Whether a day on the clocks of the zone has lost rows; is_gone() asks only what was noted.
CREATE FUNCTION weir.is_thinned(tenant text, zone text, day date) RETURNS boolean
LANGUAGE sql STABLE
AS $$
  SELECT bool_or(weir.has_lost_rows(tenant, u)) FROM weir.utc_days(zone, day) AS u
$$;

CREATE FUNCTION weir.is_gone(tenant text, zone text, day date) RETURNS boolean
LANGUAGE sql STABLE
AS $$
  SELECT EXISTS (SELECT FROM weir.gone_days AS g
    WHERE g.tenant_id = tenant AND g.day IN (SELECT weir.utc_days(is_gone.zone, is_gone.day)))
$$;

-- Sessions reach over midnight: without the rows of the days beside it, those of a day would begin again, or end early.
CREATE FUNCTION weir.keeps_sessions(tenant text, zone text, day date) RETURNS boolean
LANGUAGE sql STABLE
AS $$
  SELECT weir.is_gone(tenant, zone, day) OR EXISTS (
      SELECT FROM weir.day_sessions AS s WHERE (s.tenant_id, s.zone, s.day) = (tenant, keeps_sessions.zone, keeps_sessions.day))
    AND (weir.is_gone(tenant, zone, day - 1) OR weir.is_gone(tenant, zone, day + 1))
$$;

-- What differs is replaced, so that a day which has not changed writes nothing.
CREATE FUNCTION weir.build_facts(tenant text, zone text, day date, only_newcomers boolean) RETURNS void
LANGUAGE sql
AS $$
  WITH fresh AS MATERIALIZED (
    SELECT * FROM weir.facts_of_day(tenant, zone, day) WHERE NOT only_newcomers
    UNION ALL
    SELECT *, NULL, NULL, NULL, NULL, NULL FROM weir.newcomers_of_day(tenant, zone, day)
  ), sets_gone AS (
    DELETE FROM weir.day_sets AS d
    WHERE d.tenant_id = build_facts.tenant AND d.zone = build_facts.zone AND d.day = build_facts.day
      AND (NOT only_newcomers OR d.subject = 'new')
      AND NOT EXISTS (SELECT FROM fresh AS f WHERE f.kind = 'set'
        AND (f.subject, f.value, f.chunk) = (d.subject, d.value, d.chunk))
  ), counts_gone AS (
    DELETE FROM weir.day_counts AS d
    WHERE d.tenant_id = build_facts.tenant AND d.zone = build_facts.zone AND d.day = build_facts.day
      AND (NOT only_newcomers OR d.subject = 'new')
      AND NOT EXISTS (SELECT FROM fresh AS f WHERE f.kind = 'count' AND (f.subject, f.value) = (d.subject, d.value))
  ), numbers_gone AS (
    DELETE FROM weir.day_numbers AS d
    WHERE d.tenant_id = build_facts.tenant AND d.zone = build_facts.zone AND d.day = build_facts.day
      AND NOT only_newcomers
      AND NOT EXISTS (SELECT FROM fresh AS f WHERE f.kind = 'number' AND (f.subject, f.value) = (d.event, d.property))
  ), sets AS (
    INSERT INTO weir.day_sets AS d (tenant_id, zone, subject, value, day, chunk, users)
    SELECT tenant, zone, f.subject, f.value, day, f.chunk, f.users FROM fresh AS f WHERE f.kind = 'set'
    ON CONFLICT (tenant_id, zone, subject, value, day, chunk) DO UPDATE SET users = excluded.users
    WHERE d.users <> excluded.users
  ), counts AS (
    INSERT INTO weir.day_counts AS d (tenant_id, zone, subject, value, day, events, hours)
    SELECT tenant, zone, f.subject, f.value, day, f.events, f.hours FROM fresh AS f WHERE f.kind = 'count'
    ON CONFLICT (tenant_id, zone, subject, value, day) DO UPDATE SET events = excluded.events, hours = excluded.hours
    WHERE d.hours <> excluded.hours
  )
  INSERT INTO weir.day_numbers AS d
    (tenant_id, zone, event, property, day, numbers, total, lowest, highest, slots, counts)
  SELECT tenant, zone, f.subject, f.value, day, f.events, f.total, f.lowest, f.highest, f.slots, f.counts
  FROM fresh AS f WHERE f.kind = 'number'
  ON CONFLICT (tenant_id, zone, event, property, day) DO UPDATE SET numbers = excluded.numbers,
    total = excluded.total, lowest = excluded.lowest, highest = excluded.highest, slots = excluded.slots,
    counts = excluded.counts
  WHERE (d.numbers, d.total, d.lowest, d.highest, d.slots, d.counts)
    IS DISTINCT FROM (excluded.numbers, excluded.total, excluded.lowest, excluded.highest, excluded.slots, excluded.counts)
$$;

CREATE FUNCTION weir.build_sessions(tenant text, zone text, day date) RETURNS void
LANGUAGE sql
AS $$
  WITH fresh AS MATERIALIZED (
    SELECT * FROM weir.sessions_of_day(tenant, zone, day)
  ), gone AS (
    DELETE FROM weir.day_sessions AS d
    WHERE d.tenant_id = build_sessions.tenant AND d.zone = build_sessions.zone AND d.day = build_sessions.day
      AND NOT EXISTS (SELECT FROM fresh)
  )
  INSERT INTO weir.day_sessions AS d (tenant_id, zone, day, sessions, crashed, seconds, slots, counts)
  SELECT tenant, zone, day, f.sessions, f.crashed, f.seconds, f.slots, f.counts FROM fresh AS f
  ON CONFLICT (tenant_id, zone, day) DO UPDATE SET sessions = excluded.sessions, crashed = excluded.crashed,
    seconds = excluded.seconds, slots = excluded.slots, counts = excluded.counts
$$;

-- The weeks of days that were built. Who builds days of one week beside this waits for it to be committed, and then
-- sees them.
CREATE FUNCTION weir.build_weeks(tenant text, zone text, days date[]) RETURNS void
LANGUAGE plpgsql
AS $$
DECLARE
  week date;
BEGIN
  FOR week IN SELECT DISTINCT weir.monday_of(d) FROM unnest(days) AS d ORDER BY 1 LOOP
    PERFORM pg_advisory_xact_lock(hashtextextended(concat_ws(E'\n', tenant, zone, 'week', week), weir.builder_key()));
    PERFORM weir.replace_week(tenant, zone, week);
  END LOOP;
END
$$;

CREATE FUNCTION weir.replace_week(tenant text, zone text, week date) RETURNS void
LANGUAGE sql
SET jit = off SET enable_nestloop = off SET enable_mergejoin = off
AS $$
  WITH fresh AS MATERIALIZED (
    SELECT * FROM weir.sets_of_week(tenant, zone, week)
  ), gone AS (
    DELETE FROM weir.week_sets AS w
    WHERE w.tenant_id = replace_week.tenant AND w.zone = replace_week.zone AND w.week = replace_week.week
      AND NOT EXISTS (SELECT FROM fresh AS f WHERE (f.subject, f.value, f.chunk) = (w.subject, w.value, w.chunk))
  )
  INSERT INTO weir.week_sets AS w (tenant_id, zone, subject, value, week, chunk, users)
  SELECT tenant, zone, f.subject, f.value, week, f.chunk, f.users FROM fresh AS f
  ON CONFLICT (tenant_id, zone, subject, value, week, chunk) DO UPDATE SET users = excluded.users
  WHERE w.users <> excluded.users
$$;

-- True if the day is as its rows say now; false if rows of it are gone and its figures were kept, but for
-- its new users. With `forget` they are not kept.
CREATE FUNCTION weir.build_day(tenant text, zone text, day date, forget boolean DEFAULT false) RETURNS boolean
LANGUAGE plpgsql
AS $$
DECLARE
  keep constant boolean := NOT forget AND weir.is_gone(tenant, zone, day);
BEGIN
  PERFORM weir.build_facts(tenant, zone, day, keep);
  IF forget OR NOT weir.keeps_sessions(tenant, zone, day) THEN
    PERFORM weir.build_sessions(tenant, zone, day);
  END IF;
  RETURN NOT keep;
END
$$;
COMMENT ON FUNCTION weir.build_day(text, text, date, boolean) IS
  'Its users have to be numbered, and gone days noted before; its week is to be built after it, in the same transaction. '
  'For one builder of a day at a time.';

-- Builds what a mark of a UTC day asks for, in one zone.
CREATE FUNCTION weir.build_around(tenant text, zone text, day date, neighbours boolean) RETURNS void
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

-- So that it can be told whether an answer of before still holds. The last thing in a transaction: sessions of a rebuild
-- wait for each other here.
CREATE FUNCTION weir.note_build(tenant text) RETURNS void
LANGUAGE sql
AS $$
  INSERT INTO weir.roll_up_turns AS r (tenant_id, turns, last_at, builds) VALUES (tenant, 0, '-infinity', 1)
  ON CONFLICT (tenant_id) DO UPDATE SET builds = r.builds + 1
$$;

-- Takes the marks of one UTC day of a tenant and does what they ask for.
CREATE FUNCTION weir.work_off(tenant text, day date) RETURNS void
LANGUAGE plpgsql
AS $$
DECLARE
  zones text[];  -- NULL among them: all
  neighbours boolean;
  since timestamptz;
  zone text;
BEGIN
  WITH taken AS (
    DELETE FROM weir.touched_days AS t
    WHERE t.tenant_id = work_off.tenant AND t.day = work_off.day
    RETURNING t.zone, t.neighbours, t.added_at
  )
  SELECT array_agg(DISTINCT t.zone), bool_or(t.neighbours), min(t.added_at) INTO zones, neighbours, since FROM taken AS t;
  PERFORM weir.note_if_gone(tenant, work_off.day + n) FROM generate_series(-2, 2) AS n;
  IF neighbours THEN
    UPDATE weir.gone_days AS g SET came_late = true
    WHERE g.tenant_id = tenant AND g.day = work_off.day AND weir.rows_of_day(tenant, work_off.day) > 0;
  END IF;
  PERFORM weir.number_users(tenant, day, coalesce(since, now()));
  FOR zone IN
    SELECT z FROM weir.zones_of(tenant) AS z
    WHERE z = ANY (zones) OR array_position(zones, NULL) IS NOT NULL
    ORDER BY z
  LOOP
    PERFORM weir.build_around(tenant, zone, day, neighbours);
  END LOOP;
  IF array_position(zones, NULL) IS NOT NULL THEN
    PERFORM weir.pack_around(tenant, day);
  END IF;
  UPDATE weir.report_zones AS z SET ready_at = clock_timestamp()
  WHERE z.tenant_id = work_off.tenant AND z.ready_at IS NULL AND NOT EXISTS (
    SELECT FROM weir.touched_days AS t WHERE t.tenant_id = z.tenant_id AND t.zone = z.zone);
  PERFORM weir.note_build(tenant);
END
$$;

-- Whose turn it is, and which day of theirs. Tenants take turns, whoever waits longest for one first; of a tenant the
-- newest day and the one that waits longest in turn, so that today is soon there and a year that was loaded gets done.
-- A day is due when all of its marks are: a new one does not hurry one that fails. Marks of a rebuild wait for it.
CREATE FUNCTION weir.next_day_to_build(only_tenant text, marked_before timestamptz)
RETURNS TABLE (tenant_id text, day date)
LANGUAGE sql STABLE
AS $$
  WITH due AS MATERIALIZED (
    SELECT t.tenant_id, t.day, min(t.added_at) AS since
    FROM weir.touched_days AS t
    WHERE only_tenant IS NULL OR t.tenant_id = only_tenant
    GROUP BY t.tenant_id, t.day
    HAVING coalesce(max(t.due_at) FILTER (WHERE isfinite(t.marked_at)), max(t.due_at)) <= clock_timestamp()
      AND min(t.added_at) <= coalesce(marked_before, 'infinity')
  ), turn AS (
    SELECT d.tenant_id, coalesce(r.turns, 0) AS turns
    FROM (SELECT DISTINCT d.tenant_id FROM due AS d) AS d
    LEFT JOIN weir.roll_up_turns AS r ON r.tenant_id = d.tenant_id
    ORDER BY r.last_at NULLS FIRST, d.tenant_id COLLATE "C"
    LIMIT 1
  )
  SELECT d.tenant_id, d.day
  FROM due AS d JOIN turn AS t ON t.tenant_id = d.tenant_id
  ORDER BY CASE t.turns % 2 WHEN 1 THEN d.since END, d.day DESC
  LIMIT 1
$$;

-- The first half of a step, to be committed before the second. The next try is in a minute, then in two, four and so
-- on, in an hour at most.
CREATE FUNCTION weir.choose_roll_up(only_tenant text DEFAULT NULL, marked_before timestamptz DEFAULT NULL)
RETURNS TABLE (state text, tenant_id text, day date)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, weir, pg_temp
AS $$
#variable_conflict use_column
BEGIN
  state := 'busy';
  -- Somebody who builds has it alone; a rebuild shares it.
  IF pg_try_advisory_xact_lock_shared(weir.builder_key()) THEN
    state := 'idle';
    SELECT n.tenant_id, n.day INTO choose_roll_up.tenant_id, choose_roll_up.day
    FROM weir.next_day_to_build(only_tenant, marked_before) AS n;
    IF FOUND THEN
      state := 'chosen';
      UPDATE weir.touched_days AS t SET tries = t.tries + 1,
        due_at = greatest(t.due_at, clock_timestamp() + interval '1 minute' * least(2 ^ t.tries, 60))
      WHERE t.tenant_id = choose_roll_up.tenant_id AND t.day = choose_roll_up.day;
      INSERT INTO weir.roll_up_turns AS r (tenant_id, turns, last_at) VALUES (choose_roll_up.tenant_id, 1, clock_timestamp())
      ON CONFLICT (tenant_id) DO UPDATE SET turns = r.turns + 1, last_at = excluded.last_at;
    END IF;
  END IF;
  RETURN NEXT;
END
$$;
COMMENT ON FUNCTION weir.choose_roll_up(text, timestamptz) IS
  'A UTC day of a tenant for build_roll_up(), of those that were marked by then. state is chosen, idle (nothing is due) '
  'or busy (another session builds).';

-- Where it failed, and as which error: no word of a message, since these may quote a row.
CREATE FUNCTION weir.failure_text(state text, context text, constraint_name text) RETURNS text
LANGUAGE sql IMMUTABLE
AS $$
  SELECT state || coalesce(' in ' || (regexp_match(context, 'function "?(?:weir\.)?([a-z_]+)'))[1], '')
    || coalesce(', constraint ' || nullif(constraint_name, ''), '')
$$;

CREATE FUNCTION weir.build_roll_up(tenant_id text, day date) RETURNS TABLE (state text, trouble text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, weir, pg_temp
AS $$
DECLARE
  context text;
  broken text;
BEGIN
  PERFORM pg_advisory_xact_lock(weir.builder_key());
  state := 'built';
  PERFORM weir.work_off(build_roll_up.tenant_id, build_roll_up.day);
  RETURN NEXT;
EXCEPTION WHEN OTHERS THEN
  GET STACKED DIAGNOSTICS context = PG_EXCEPTION_CONTEXT, broken = CONSTRAINT_NAME;
  state := 'failed';
  trouble := weir.failure_text(SQLSTATE, context, broken);
  UPDATE weir.touched_days AS t SET trouble = build_roll_up.trouble
  WHERE t.tenant_id = build_roll_up.tenant_id AND t.day = build_roll_up.day;
  RETURN NEXT;
END
$$;
COMMENT ON FUNCTION weir.build_roll_up(text, date) IS
  'Works off the marks of one UTC day of a tenant, in a transaction of its own. state is built, or failed (trouble says '
  'where and as which error; the tries are kept).';

-- Both halves in one transaction: for who looks at them together.
CREATE FUNCTION weir.refresh_roll_ups(only_tenant text DEFAULT NULL)
RETURNS TABLE (state text, tenant_id text, day date, trouble text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, weir, pg_temp
AS $$
#variable_conflict use_column
BEGIN
  state := 'busy';
  IF NOT pg_try_advisory_xact_lock(weir.builder_key()) THEN
    RETURN NEXT;
    RETURN;
  END IF;
  SELECT c.state, c.tenant_id, c.day INTO refresh_roll_ups.state, refresh_roll_ups.tenant_id, refresh_roll_ups.day
  FROM weir.choose_roll_up(only_tenant) AS c;
  IF refresh_roll_ups.state = 'chosen' THEN
    SELECT b.state, b.trouble INTO refresh_roll_ups.state, refresh_roll_ups.trouble
    FROM weir.build_roll_up(refresh_roll_ups.tenant_id, refresh_roll_ups.day) AS b;
  END IF;
  RETURN NEXT;
END
$$;

CREATE FUNCTION weir.roll_up_backlog()
RETURNS TABLE (days bigint, marks bigint, oldest timestamptz, failing bigint, oldest_age double precision)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, weir, pg_temp
AS $$
  SELECT count(DISTINCT (t.tenant_id, t.day)), count(*), min(t.marked_at),
    count(DISTINCT (t.tenant_id, t.day)) FILTER (WHERE t.trouble IS NOT NULL OR t.tries > 1),
    coalesce(extract(epoch FROM clock_timestamp() - min(t.added_at)), 0)::float8
  FROM weir.touched_days AS t
$$;
COMMENT ON FUNCTION weir.roll_up_backlog() IS
  'What is marked and not yet built, whether it is due or not. oldest is -infinity while a rebuild goes on; oldest_age '
  'are seconds.';

GRANT EXECUTE ON FUNCTION weir.choose_roll_up(text, timestamptz), weir.build_roll_up(text, date),
  weir.refresh_roll_ups(text), weir.roll_up_backlog() TO weir_flusher;
GRANT EXECUTE ON FUNCTION weir.roll_up_backlog() TO weir_reader;
