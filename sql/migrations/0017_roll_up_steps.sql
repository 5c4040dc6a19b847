-- Building days: what is made when, and by whom. One builder works at a time (an advisory lock), a step is
-- one transaction, and a step that is killed leaves its marks to the next one.
--
--   marks of (tenant, UTC day) taken ──► its users numbered ──► every local day that overlaps it built,
--                                                               sessions of the days beside it too
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

-- Gives a number to each user of a UTC day that has none, and remembers their earliest event. Where a late
-- event lowers that, the day that has lost a new user is marked.
CREATE FUNCTION weir.number_users(tenant text, day date) RETURNS void
LANGUAGE sql
SET jit = off SET work_mem = '64MB'
AS $$
  WITH seen AS MATERIALIZED (
    SELECT e.user_id, min(e."timestamp") AS first_at
    FROM weir.events AS e
    WHERE e.tenant_id = number_users.tenant AND e.user_id IS NOT NULL
      AND e."timestamp" >= number_users.day::timestamp AT TIME ZONE 'UTC'
      AND e."timestamp" < (number_users.day + 1)::timestamp AT TIME ZONE 'UTC'
    GROUP BY e.user_id
  ), lowered AS (
    UPDATE weir.user_numbers AS u SET first_at = s.first_at
    FROM seen AS s
    JOIN weir.user_numbers AS old ON old.tenant_id = number_users.tenant AND old.user_id = s.user_id
    WHERE u.tenant_id = number_users.tenant AND u.user_id = s.user_id
      AND s.first_at < coalesce(old.first_at, 'infinity')
    RETURNING (old.first_at AT TIME ZONE 'UTC')::date AS day
  ), marked AS (
    INSERT INTO weir.touched_days (tenant_id, day, neighbours)
    SELECT DISTINCT number_users.tenant, l.day, false FROM lowered AS l WHERE l.day <> number_users.day
  ), crashed AS (
    SELECT DISTINCT c.user_id
    FROM weir.crashes AS c
    WHERE c.tenant_id = number_users.tenant AND c.user_id IS NOT NULL
      AND c."timestamp" >= number_users.day::timestamp AT TIME ZONE 'UTC'
      AND c."timestamp" < (number_users.day + 1)::timestamp AT TIME ZONE 'UTC'
  )
  INSERT INTO weir.user_numbers (tenant_id, user_id, number, first_at)
  SELECT number_users.tenant, unknown.user_id,
    (SELECT coalesce(max(u.number), -1) FROM weir.user_numbers AS u WHERE u.tenant_id = number_users.tenant)
      + row_number() OVER (ORDER BY unknown.first_at, unknown.user_id COLLATE "C"),
    unknown.first_at
  FROM (
    SELECT user_id, s.first_at FROM seen AS s FULL JOIN crashed USING (user_id)
  ) AS unknown
  WHERE NOT EXISTS (
    SELECT FROM weir.user_numbers AS u
    WHERE u.tenant_id = number_users.tenant AND u.user_id = unknown.user_id)
$$;

-- How many events and crashes of the day there are.
CREATE FUNCTION weir.rows_of_day(tenant text, zone text, day date) RETURNS bigint
LANGUAGE sql STABLE
SET jit = off
AS $$
  SELECT count(*)
  FROM (
    SELECT e."timestamp" FROM weir.events AS e WHERE e.tenant_id = rows_of_day.tenant
    UNION ALL
    SELECT c."timestamp" FROM weir.crashes AS c WHERE c.tenant_id = rows_of_day.tenant
  ) AS happened
  WHERE "timestamp" >= lower(weir.span_of_day(rows_of_day.zone, rows_of_day.day))
    AND "timestamp" < upper(weir.span_of_day(rows_of_day.zone, rows_of_day.day))
    AND ("timestamp" AT TIME ZONE rows_of_day.zone)::date = rows_of_day.day
$$;

-- Rows of the day are gone, as old ones go by retention: its figures are all that is left of them.
CREATE FUNCTION weir.is_thinned(tenant text, zone text, day date) RETURNS boolean
LANGUAGE sql STABLE
AS $$
  SELECT kept.events > 0 AND kept.events > weir.rows_of_day(tenant, zone, day)
  FROM (
    SELECT coalesce(sum(c.events), 0) AS events
    FROM weir.day_counts AS c
    WHERE c.tenant_id = is_thinned.tenant AND c.zone = is_thinned.zone AND c.day = is_thinned.day
      AND c.subject IN ('active', 'crash') AND c.value = ''
  ) AS kept
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

-- True if the day is as its rows say now; false if rows of it are gone and its figures were kept, but for
-- its new users. With `forget` they are not kept.
CREATE FUNCTION weir.build_day(tenant text, zone text, day date, forget boolean DEFAULT false) RETURNS boolean
LANGUAGE plpgsql
AS $$
DECLARE
  keep constant boolean := NOT forget AND weir.is_thinned(tenant, zone, day);
BEGIN
  PERFORM weir.build_facts(tenant, zone, day, keep);
  IF NOT keep THEN
    PERFORM weir.build_sessions(tenant, zone, day);
  END IF;
  RETURN NOT keep;
END
$$;
COMMENT ON FUNCTION weir.build_day(text, text, date, boolean) IS
  'Its users have to be numbered before. For one builder at a time.';

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
  FOR local_day IN
    SELECT d.day
    FROM (SELECT weir.local_days(zone, day - 1) UNION SELECT weir.local_days(zone, day + 1)) AS d (day)
    WHERE neighbours AND d.day <> ALL (own)
  LOOP
    IF EXISTS (SELECT FROM weir.day_counts AS c WHERE (c.tenant_id, c.zone, c.subject, c.value, c.day)
        = (tenant, build_around.zone, 'active', '', local_day)) AND NOT weir.is_thinned(tenant, zone, local_day) THEN
      PERFORM weir.build_sessions(tenant, zone, local_day);
    END IF;
  END LOOP;
END
$$;

-- Takes the marks of one UTC day of a tenant and does what they ask for.
CREATE FUNCTION weir.work_off(tenant text, day date) RETURNS void
LANGUAGE plpgsql
AS $$
DECLARE
  zones text[];  -- NULL among them: all
  neighbours boolean;
  zone text;
BEGIN
  WITH taken AS (
    DELETE FROM weir.touched_days AS t
    WHERE t.tenant_id = work_off.tenant AND t.day = work_off.day
    RETURNING t.zone, t.neighbours
  )
  SELECT array_agg(DISTINCT t.zone), bool_or(t.neighbours) INTO zones, neighbours FROM taken AS t;
  PERFORM weir.number_users(tenant, day);
  FOR zone IN
    SELECT z FROM weir.zones_of(tenant) AS z
    WHERE z = ANY (zones) OR array_position(zones, NULL) IS NOT NULL
    ORDER BY z
  LOOP
    PERFORM weir.build_around(tenant, zone, day, neighbours);
  END LOOP;
  UPDATE weir.report_zones AS z SET ready_at = clock_timestamp()
  WHERE z.tenant_id = work_off.tenant AND z.ready_at IS NULL AND NOT EXISTS (
    SELECT FROM weir.touched_days AS t WHERE t.tenant_id = z.tenant_id AND t.zone = z.zone);
END
$$;

-- One bounded step: a UTC day of a tenant. A day that cannot be built gives way to the others and is tried
-- again after a minute.
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
  state := 'idle';
  SELECT t.tenant_id, t.day INTO refresh_roll_ups.tenant_id, refresh_roll_ups.day
  FROM weir.touched_days AS t
  WHERE t.due_at <= clock_timestamp() AND (only_tenant IS NULL OR t.tenant_id = only_tenant)
  ORDER BY t.due_at, t.tenant_id, t.day
  LIMIT 1;
  IF FOUND THEN
    BEGIN
      PERFORM weir.work_off(refresh_roll_ups.tenant_id, refresh_roll_ups.day);
      state := 'built';
    EXCEPTION WHEN OTHERS THEN
      state := 'failed';
      trouble := SQLSTATE || ': ' || SQLERRM;
      UPDATE weir.touched_days AS t SET due_at = clock_timestamp() + interval '1 minute'
      WHERE t.tenant_id = refresh_roll_ups.tenant_id AND t.day = refresh_roll_ups.day;
    END;
  END IF;
  RETURN NEXT;
END
$$;
COMMENT ON FUNCTION weir.refresh_roll_ups(text) IS
  'Works off the marks of one UTC day of a tenant, in a transaction of its own. state is built, failed (trouble '
  'says why), idle (nothing is due) or busy (another session builds).';

CREATE FUNCTION weir.roll_up_backlog()
RETURNS TABLE (days bigint, marks bigint, oldest timestamptz, failing bigint, oldest_age double precision)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, weir, pg_temp
AS $$
  SELECT count(DISTINCT (t.tenant_id, t.day)), count(*), min(t.marked_at),
    count(DISTINCT (t.tenant_id, t.day)) FILTER (WHERE t.due_at > t.marked_at AND isfinite(t.marked_at)),
    coalesce(extract(epoch FROM clock_timestamp() - min(t.marked_at) FILTER (WHERE isfinite(t.marked_at))), 0)::float8
  FROM weir.touched_days AS t
$$;
COMMENT ON FUNCTION weir.roll_up_backlog() IS
  'What is marked and not yet built. oldest is -infinity while a rebuild goes on.';

GRANT EXECUTE ON FUNCTION weir.refresh_roll_ups(text), weir.roll_up_backlog() TO weir_flusher;
GRANT EXECUTE ON FUNCTION weir.roll_up_backlog() TO weir_reader;
