-- Making the roll-ups anew: the days of 0015, and the flusher's own figures of 0003 and 0011, to which else
-- only its transactions add. So rows may also come by COPY. `weirctl rollup rebuild` and `zones` call these.
SET LOCAL ROLE weir_owner;

-- Some functions name temporary tables, which are not there when they are created.
SET LOCAL check_function_bodies = off;

-- Tenants that have rows, and the UTC days of one that have any: found by steps along the index.
CREATE FUNCTION weir.tenants_with_rows() RETURNS SETOF text
LANGUAGE sql STABLE
AS $$
  WITH RECURSIVE known (tenant) AS (
    SELECT least((SELECT min(e.tenant_id) FROM weir.events AS e), (SELECT min(c.tenant_id) FROM weir.crashes AS c))
    UNION ALL
    SELECT least((SELECT min(e.tenant_id) FROM weir.events AS e WHERE e.tenant_id > known.tenant),
      (SELECT min(c.tenant_id) FROM weir.crashes AS c WHERE c.tenant_id > known.tenant))
    FROM known
    WHERE known.tenant IS NOT NULL
  )
  SELECT known.tenant FROM known WHERE known.tenant IS NOT NULL
$$;

CREATE FUNCTION weir.next_day_with_rows(tenant text, since timestamptz) RETURNS date
LANGUAGE sql STABLE
AS $$
  SELECT (least(
    (SELECT min(e."timestamp") FROM weir.events AS e
      WHERE e.tenant_id = tenant AND e."timestamp" >= since AND e."timestamp" < 'infinity' AND e."timestamp" > '-infinity'),
    (SELECT min(c."timestamp") FROM weir.crashes AS c
      WHERE c.tenant_id = tenant AND c."timestamp" >= since AND c."timestamp" < 'infinity' AND c."timestamp" > '-infinity')
  ) AT TIME ZONE 'UTC')::date
$$;

CREATE FUNCTION weir.days_with_rows(tenant text) RETURNS SETOF date
LANGUAGE sql STABLE
AS $$
  WITH RECURSIVE known (day) AS (
    SELECT weir.next_day_with_rows(tenant, '-infinity')
    UNION ALL
    SELECT weir.next_day_with_rows(tenant, (known.day + 1)::timestamp AT TIME ZONE 'UTC')
    FROM known
    WHERE known.day IS NOT NULL
  )
  SELECT known.day FROM known WHERE known.day IS NOT NULL
$$;

-- The flusher's figures of a UTC day, from the rows. kind is a user of user_days, a measure of day_measures
-- or, for crash_days, ''.
CREATE FUNCTION weir.sums_of_day(tenant text, day date)
RETURNS TABLE (kind text, name text, events bigint, total numeric, first_at timestamptz, last_at timestamptz)
LANGUAGE sql STABLE
SET jit = off SET work_mem = '64MB' SET enable_nestloop = off SET enable_mergejoin = off SET enable_sort = off
SET enable_indexscan = off
AS $$
  WITH happened AS MATERIALIZED (
    SELECT e.user_id, e.event, e."timestamp" AS at, e.properties
    FROM weir.events AS e
    WHERE e.tenant_id = sums_of_day.tenant
      AND e."timestamp" >= sums_of_day.day::timestamp AT TIME ZONE 'UTC'
      AND e."timestamp" < (sums_of_day.day + 1)::timestamp AT TIME ZONE 'UTC'
  ), wanted AS MATERIALIZED (
    SELECT m.measure, m.event, m.property, m.factor
    FROM weir.measures AS m
    WHERE m.tenant_id = sums_of_day.tenant OR m.tenant_id = '*' AND NOT EXISTS (
      SELECT FROM weir.measures AS own WHERE own.tenant_id = sums_of_day.tenant AND own.measure = m.measure)
  )
  SELECT 'user', h.user_id, count(*), NULL::numeric, min(h.at), max(h.at)
  FROM happened AS h
  WHERE h.user_id IS NOT NULL
  GROUP BY h.user_id
  UNION ALL
  SELECT 'measure', f.measure, sum(f.events)::bigint, sum(f.total), NULL, NULL
  FROM (
    SELECT w.measure, k.events, w.factor * k.events AS total
    FROM (SELECT h.event, count(*) AS events FROM happened AS h GROUP BY h.event) AS k
    JOIN wanted AS w ON w.event IN (k.event, '*')
    WHERE w.property IS NULL
    UNION ALL
    SELECT w.measure, 1, w.factor * (h.properties -> w.property)::numeric
    FROM happened AS h
    JOIN wanted AS w ON w.event IN (h.event, '*')
    WHERE w.property IS NOT NULL AND jsonb_typeof(h.properties -> w.property) = 'number'
  ) AS f
  GROUP BY f.measure
  UNION ALL
  SELECT 'crash', '', count(*), NULL, NULL, NULL
  FROM weir.crashes AS c
  WHERE c.tenant_id = sums_of_day.tenant
    AND c."timestamp" >= sums_of_day.day::timestamp AT TIME ZONE 'UTC'
    AND c."timestamp" < (sums_of_day.day + 1)::timestamp AT TIME ZONE 'UTC'
  HAVING count(*) > 0
$$;

-- The same as it is kept.
CREATE FUNCTION weir.kept_sums(tenant text, day date)
RETURNS TABLE (kind text, name text, events bigint, total numeric, first_at timestamptz, last_at timestamptz)
LANGUAGE sql STABLE
AS $$
  SELECT 'user', d.user_id, d.events, NULL::numeric, d.first_at, d.last_at
  FROM weir.user_days AS d WHERE d.tenant_id = kept_sums.tenant AND d.day = kept_sums.day
  UNION ALL
  SELECT 'measure', d.measure, d.events, d.total, NULL, NULL
  FROM weir.day_measures AS d WHERE d.tenant_id = kept_sums.tenant AND d.day = kept_sums.day
  UNION ALL
  SELECT 'crash', '', d.crashes, NULL, NULL, NULL
  FROM weir.crash_days AS d WHERE d.tenant_id = kept_sums.tenant AND d.day = kept_sums.day
$$;

-- Keeps the flushers out of their figures until the transaction ends: whoever has added to them is waited
-- for, and whoever has only stored rows adds them afterwards. In the order in which they lock.
CREATE FUNCTION weir.lock_sums() RETURNS void
LANGUAGE plpgsql
AS $$
BEGIN
  LOCK TABLE weir.user_days, weir.users, weir.day_measures, weir.crash_days IN SHARE ROW EXCLUSIVE MODE;
END
$$;

-- Where a session of a rebuild keeps what it found, until its transaction ends.
CREATE FUNCTION weir.make_rebuild_room() RETURNS void
LANGUAGE plpgsql
SET client_min_messages = warning
AS $$
BEGIN
  CREATE TEMPORARY TABLE IF NOT EXISTS made_sums
    (kind text, name text, events bigint, total numeric, first_at timestamptz, last_at timestamptz) ON COMMIT DELETE ROWS;
  CREATE TEMPORARY TABLE IF NOT EXISTS first_days (user_id text, first_day date, first_at timestamptz) ON COMMIT DELETE ROWS;
END
$$;

-- Makes the flusher's figures of a UTC day anew. What is slow, the reading, is done before the flushers are kept out;
-- only where rows came meanwhile it is done once more. False: rows of it are gone, and the figures were kept.
CREATE FUNCTION weir.rebuild_sums(tenant text, day date, forget boolean) RETURNS boolean
LANGUAGE plpgsql
AS $$
DECLARE
  rows_before constant bigint := weir.rows_of_day(tenant, day);
BEGIN
  IF NOT forget AND weir.note_if_gone(tenant, day) THEN
    RETURN false;
  END IF;
  PERFORM weir.make_rebuild_room();
  INSERT INTO pg_temp.made_sums SELECT * FROM weir.sums_of_day(tenant, rebuild_sums.day);
  PERFORM weir.lock_sums();
  IF weir.rows_of_day(tenant, day) <> rows_before THEN
    DELETE FROM pg_temp.made_sums;
    INSERT INTO pg_temp.made_sums SELECT * FROM weir.sums_of_day(tenant, rebuild_sums.day);
  END IF;
  PERFORM weir.replace_sums(tenant, day);
  RETURN true;
END
$$;

CREATE FUNCTION weir.replace_sums(tenant text, day date) RETURNS void
LANGUAGE plpgsql
AS $$
BEGIN
  DELETE FROM weir.user_days AS d WHERE d.tenant_id = replace_sums.tenant AND d.day = replace_sums.day;
  DELETE FROM weir.day_measures AS d WHERE d.tenant_id = replace_sums.tenant AND d.day = replace_sums.day;
  DELETE FROM weir.crash_days AS d WHERE d.tenant_id = replace_sums.tenant AND d.day = replace_sums.day;
  INSERT INTO weir.day_measures (tenant_id, day, measure, events, total)
  SELECT tenant, replace_sums.day, m.name, m.events, m.total FROM pg_temp.made_sums AS m WHERE m.kind = 'measure';
  INSERT INTO weir.crash_days (tenant_id, day, crashes)
  SELECT tenant, replace_sums.day, m.events FROM pg_temp.made_sums AS m WHERE m.kind = 'crash';
  INSERT INTO weir.user_days (tenant_id, user_id, day, events, first_at, last_at)
  SELECT tenant, m.name, replace_sums.day, m.events, m.first_at, m.last_at
  FROM pg_temp.made_sums AS m WHERE m.kind = 'user' ORDER BY m.name COLLATE "C";
END
$$;

-- Makes weir.users, and each user's number and earliest event, of user_days, which hold more than the rows where
-- these are gone; their earliest crash of the rows, unless that day's are gone. Days that lose or get a new user by it are marked, unless the rebuild makes them anyway. To be called
-- when every day has its sums. Only where users would be known for a shorter time, or not at all, the flushers are kept
-- out, for as long as user_days are read once.
CREATE FUNCTION weir.rebuild_users(tenant text) RETURNS void
LANGUAGE plpgsql
AS $$
BEGIN
  PERFORM pg_advisory_xact_lock(weir.builder_key());
  ANALYZE weir.user_days;
  PERFORM weir.make_rebuild_room();
  PERFORM weir.find_first_days(tenant, NULL);
  ANALYZE pg_temp.first_days;
  PERFORM weir.renumber_users(tenant);
  ANALYZE weir.user_numbers;
  PERFORM weir.shorten_users(tenant);
  INSERT INTO weir.users AS u (tenant_id, user_id, first_day)
  SELECT tenant, f.user_id, f.first_day FROM pg_temp.first_days AS f ORDER BY f.user_id COLLATE "C"
  ON CONFLICT (tenant_id, user_id) DO UPDATE SET first_day = excluded.first_day
  WHERE u.first_day > excluded.first_day;
END
$$;

-- Of all users, or of some.
CREATE FUNCTION weir.find_first_days(tenant text, only_users text[]) RETURNS void
LANGUAGE sql
SET jit = off SET work_mem = '64MB' SET enable_sort = off SET enable_nestloop = off
AS $$
  INSERT INTO pg_temp.first_days (user_id, first_day, first_at)
  SELECT d.user_id, min(d.day), min(d.first_at)
  FROM weir.user_days AS d
  WHERE d.tenant_id = find_first_days.tenant AND (only_users IS NULL OR d.user_id = ANY (only_users))
  GROUP BY d.user_id
$$;

-- Of each user that crashed, as the rows say.
CREATE FUNCTION weir.first_crashes(tenant text) RETURNS TABLE (user_id text, first_crash_at timestamptz)
LANGUAGE sql STABLE
AS $$
  SELECT c.user_id, min(c."timestamp")
  FROM weir.crashes AS c
  WHERE c.tenant_id = first_crashes.tenant AND c.user_id IS NOT NULL
  GROUP BY c.user_id
$$;

CREATE FUNCTION weir.renumber_users(tenant text) RETURNS void
LANGUAGE sql
SET jit = off SET work_mem = '64MB' SET enable_nestloop = off SET enable_mergejoin = off
AS $$
  WITH known AS (
    SELECT o.number, o.first_at AS was_at, f.first_at, o.first_crash_at AS crashed_at,
      least(c.first_crash_at, CASE WHEN g.day IS NOT NULL THEN o.first_crash_at END) AS first_crash_at
    FROM weir.user_numbers AS o
    LEFT JOIN pg_temp.first_days AS f ON f.user_id = o.user_id
    LEFT JOIN weir.first_crashes(renumber_users.tenant) AS c ON c.user_id = o.user_id
    LEFT JOIN weir.gone_days AS g ON g.tenant_id = renumber_users.tenant AND g.day = (o.first_crash_at AT TIME ZONE 'UTC')::date
    WHERE o.tenant_id = renumber_users.tenant
  ), changed AS (
    UPDATE weir.user_numbers AS u SET first_at = k.first_at, first_crash_at = k.first_crash_at
    FROM known AS k
    WHERE u.tenant_id = renumber_users.tenant AND u.number = k.number
      AND (k.was_at, k.crashed_at) IS DISTINCT FROM (k.first_at, k.first_crash_at)
    RETURNING k.was_at, u.first_at
  )
  INSERT INTO weir.touched_days (tenant_id, day, neighbours)
  SELECT DISTINCT renumber_users.tenant, m.day, false
  FROM changed AS c, LATERAL (VALUES ((c.was_at AT TIME ZONE 'UTC')::date), ((c.first_at AT TIME ZONE 'UTC')::date)) AS m (day)
  WHERE m.day IS NOT NULL AND c.was_at IS DISTINCT FROM c.first_at AND NOT EXISTS (
    SELECT FROM weir.touched_days AS t
    WHERE t.tenant_id = renumber_users.tenant AND t.day = m.day AND t.marked_at = '-infinity');

  INSERT INTO weir.user_numbers (tenant_id, user_id, number, first_at, first_crash_at)
  SELECT renumber_users.tenant, s.user_id,
    (SELECT coalesce(max(u.number), -1) FROM weir.user_numbers AS u WHERE u.tenant_id = renumber_users.tenant)
      + row_number() OVER (ORDER BY s.first_at, s.user_id COLLATE "C"),
    s.first_at, s.first_crash_at
  FROM (
    SELECT h.user_id, min(h.first_at) AS first_at, min(h.first_crash_at) AS first_crash_at
    FROM (
      SELECT f.user_id, f.first_at, NULL::timestamptz AS first_crash_at FROM pg_temp.first_days AS f
      UNION ALL
      SELECT c.user_id, NULL, c.first_crash_at FROM weir.first_crashes(renumber_users.tenant) AS c
    ) AS h
    GROUP BY h.user_id
  ) AS s
  LEFT JOIN weir.user_numbers AS u ON u.tenant_id = renumber_users.tenant AND u.user_id = s.user_id
  WHERE u.number IS NULL;
$$;

-- Users who are known since later than weir.users says, or not any more: looked at again while nobody adds to them.
CREATE FUNCTION weir.shorten_users(tenant text) RETURNS void
LANGUAGE plpgsql
SET jit = off SET work_mem = '64MB' SET enable_nestloop = off SET enable_mergejoin = off
AS $$
DECLARE
  doubtful constant text[] := ARRAY(
    SELECT u.user_id FROM weir.users AS u LEFT JOIN pg_temp.first_days AS f ON f.user_id = u.user_id
    WHERE u.tenant_id = shorten_users.tenant AND (f.user_id IS NULL OR f.first_day > u.first_day));
BEGIN
  IF cardinality(doubtful) = 0 THEN
    RETURN;
  END IF;
  PERFORM weir.lock_sums();
  DELETE FROM pg_temp.first_days AS f WHERE f.user_id = ANY (doubtful);
  PERFORM weir.find_first_days(tenant, doubtful);
  DELETE FROM weir.users AS u WHERE u.tenant_id = shorten_users.tenant AND u.user_id = ANY (doubtful);
END
$$;

-- What has to be built anew, in this order; a mark stands for each day until it is. With `forget` these are also the
-- days whose rows are gone: made of no rows, their figures go, a day at a time as all others.
CREATE FUNCTION weir.begin_rebuild(only_tenant text, forget boolean) RETURNS TABLE (tenant_id text, day date)
LANGUAGE plpgsql
AS $$
#variable_conflict use_column
BEGIN
  PERFORM pg_advisory_xact_lock(weir.builder_key());
  PERFORM weir.note_gone_days(only_tenant) WHERE NOT forget;
  DELETE FROM weir.gone_days AS g WHERE forget AND (only_tenant IS NULL OR g.tenant_id = only_tenant);
  INSERT INTO weir.touched_days (tenant_id, day, neighbours, marked_at, due_at)
  SELECT d.tenant, d.day, false, '-infinity', now() + interval '1 hour'
  FROM (
    SELECT t.tenant, d.day FROM weir.tenants_with_rows() AS t (tenant), weir.days_with_rows(t.tenant) AS d (day)
    UNION
    SELECT w.tenant_id, w.day FROM weir.days_without_rows(only_tenant) AS w WHERE forget
  ) AS d
  WHERE only_tenant IS NULL OR d.tenant = only_tenant;
  RETURN QUERY SELECT DISTINCT t.tenant_id, t.day FROM weir.touched_days AS t
  WHERE t.marked_at = '-infinity' AND (only_tenant IS NULL OR t.tenant_id = only_tenant)
  ORDER BY t.tenant_id, t.day;
END
$$;
COMMENT ON FUNCTION weir.begin_rebuild(text, boolean) IS
  'Then rebuild_sums() for each day, rebuild_users() for each tenant, rebuild_day() for each day, each in a '
  'transaction of its own; days may be rebuilt by several sessions at once. If nobody goes on, the builder does so '
  'after an hour.';

-- Days of which the flusher's figures, or the builder's, are kept though there are no rows of them.
CREATE FUNCTION weir.days_without_rows(only_tenant text) RETURNS TABLE (tenant_id text, day date)
LANGUAGE sql STABLE
AS $$
  WITH kept AS (
    SELECT c.tenant_id, c.day FROM weir.day_counts AS c WHERE c.zone = 'UTC' AND c.subject IN ('active', 'crash') AND c.value = ''
    UNION
    SELECT m.tenant_id, m.day FROM weir.day_measures AS m
    UNION
    SELECT m.tenant_id, m.day FROM weir.crash_days AS m
  )
  SELECT k.tenant_id, k.day
  FROM kept AS k
  WHERE (only_tenant IS NULL OR k.tenant_id = only_tenant)
    AND weir.next_day_with_rows(k.tenant_id, k.day::timestamp AT TIME ZONE 'UTC') IS DISTINCT FROM k.day
$$;

-- Notes the days that are gone altogether; those that have lost most of their rows are found where they are built.
CREATE FUNCTION weir.note_gone_days(only_tenant text DEFAULT NULL) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, weir, pg_temp
AS $$
  INSERT INTO weir.gone_days (tenant_id, day)
  SELECT d.tenant_id, d.day FROM weir.days_without_rows(only_tenant) AS d WHERE weir.has_lost_rows(d.tenant_id, d.day)
  ON CONFLICT DO NOTHING
$$;
GRANT EXECUTE ON FUNCTION weir.note_gone_days(text) TO weir_flusher;

-- In each zone the day of that date, and the one before or after where that has no rows of its own; then their weeks.
-- Always in the order of zones, and in each of days and weeks, one session at a time each. True unless rows were gone and
-- a day was kept.
CREATE FUNCTION weir.rebuild_day(tenant text, day date, forget boolean) RETURNS boolean
LANGUAGE plpgsql
AS $$
DECLARE
  zone text;
  days date[];
  local_day date;
  whole boolean := true;
BEGIN
  PERFORM pg_advisory_xact_lock_shared(weir.builder_key());
  FOR zone, days IN
    SELECT z, array_agg(l ORDER BY l) FROM weir.zones_of(tenant) AS z, weir.local_days(z, rebuild_day.day) AS l
    WHERE l = rebuild_day.day OR weir.next_day_with_rows(tenant, l::timestamp AT TIME ZONE 'UTC') IS DISTINCT FROM l
    GROUP BY z ORDER BY z COLLATE "C"
  LOOP
    FOREACH local_day IN ARRAY days LOOP
      PERFORM pg_advisory_xact_lock(hashtextextended(concat_ws(E'\n', tenant, zone, local_day), weir.builder_key()));
      whole := weir.build_day(tenant, zone, local_day, forget) AND whole;
    END LOOP;
    PERFORM weir.build_weeks(tenant, zone, days);
    PERFORM weir.build_first_uses(tenant, zone, days);
  END LOOP;
  PERFORM weir.repack_day(tenant, rebuild_day.day);
  DELETE FROM weir.touched_days AS t
  WHERE t.tenant_id = rebuild_day.tenant AND t.day = rebuild_day.day AND t.marked_at = '-infinity';
  PERFORM weir.note_build(tenant);
  RETURN whole;
END
$$;

-- Zones ----------------------------------------------------------------------------------------

CREATE FUNCTION weir.keep_zone(tenant text, zone text) RETURNS bigint
LANGUAGE plpgsql
AS $$
DECLARE
  marks bigint;
BEGIN
  IF NOT EXISTS (SELECT FROM pg_timezone_names AS n WHERE n.name = zone) OR zone = 'UTC' THEN
    RAISE invalid_parameter_value USING MESSAGE = CASE zone WHEN 'UTC' THEN 'UTC is kept anyway'
      ELSE format('%s is no time zone that PostgreSQL knows', zone) END, HINT = 'Give a name such as Europe/Berlin.';
  END IF;
  -- A day that is built beside this, and committed between these statements, would be in neither.
  PERFORM pg_advisory_xact_lock(weir.builder_key());
  PERFORM weir.note_gone_days(tenant);
  INSERT INTO weir.report_zones (tenant_id, zone) VALUES (tenant, zone) ON CONFLICT DO NOTHING;
  INSERT INTO weir.touched_days (tenant_id, day, zone, neighbours)
  SELECT tenant, d.day, keep_zone.zone, false FROM weir.days_with_rows(tenant) AS d (day);
  GET DIAGNOSTICS marks = ROW_COUNT;
  UPDATE weir.report_zones AS z SET ready_at = now()
  WHERE z.tenant_id = tenant AND z.zone = keep_zone.zone AND z.ready_at IS NULL AND marks = 0;
  RETURN marks;
END
$$;
COMMENT ON FUNCTION weir.keep_zone(text, text) IS
  'Has a tenant''s days kept in that zone too, those that are past from the rows there are; how many are to be built.';

CREATE FUNCTION weir.drop_zone(tenant text, zone text) RETURNS boolean
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
  DELETE FROM weir.day_counts AS d WHERE d.tenant_id = tenant AND d.zone = drop_zone.zone;
  DELETE FROM weir.day_numbers AS d WHERE d.tenant_id = tenant AND d.zone = drop_zone.zone;
  DELETE FROM weir.day_sessions AS d WHERE d.tenant_id = tenant AND d.zone = drop_zone.zone;
  PERFORM weir.note_build(tenant);
  RETURN true;
END
$$;
