-- Making the roll-ups anew: the days of 0015, and the flusher's own figures of 0003 and 0011, to which else
-- only its transactions add. So rows may also come by COPY. `weirctl rollup rebuild` and `zones` call these.
SET LOCAL ROLE weir_owner;

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

-- Of `kind` there are fewer rows than were counted: what is kept is all that is left of them.
CREATE FUNCTION weir.sums_are_thinned(tenant text, day date) RETURNS boolean
LANGUAGE sql STABLE
AS $$
  SELECT coalesce(kept.users > made.users OR kept.crashes > made.crashes, false)
  FROM (
    SELECT sum(events) FILTER (WHERE kind = 'user') AS users, sum(events) FILTER (WHERE kind = 'crash') AS crashes
    FROM weir.kept_sums(tenant, day)) AS kept,
    (
    SELECT coalesce(sum(e), 0) AS users, (
        SELECT count(*) FROM weir.crashes AS c
        WHERE c.tenant_id = tenant AND c."timestamp" >= day::timestamp AT TIME ZONE 'UTC'
          AND c."timestamp" < (day + 1)::timestamp AT TIME ZONE 'UTC') AS crashes
    FROM (
      SELECT count(*) AS e FROM weir.events AS v
      WHERE v.tenant_id = tenant AND v.user_id IS NOT NULL AND v."timestamp" >= day::timestamp AT TIME ZONE 'UTC'
        AND v."timestamp" < (day + 1)::timestamp AT TIME ZONE 'UTC') AS counted) AS made
$$;

-- Makes the flusher's figures of a UTC day anew, and numbers its users. False: rows of it are gone, and
-- the figures were kept.
CREATE FUNCTION weir.rebuild_sums(tenant text, day date, forget boolean) RETURNS boolean
LANGUAGE plpgsql
AS $$
BEGIN
  PERFORM pg_advisory_xact_lock(weir.builder_key());
  PERFORM weir.number_users(tenant, day);
  PERFORM weir.lock_sums();
  IF NOT forget AND weir.sums_are_thinned(tenant, day) THEN
    RETURN false;
  END IF;
  DELETE FROM weir.user_days AS d WHERE d.tenant_id = rebuild_sums.tenant AND d.day = rebuild_sums.day;
  DELETE FROM weir.day_measures AS d WHERE d.tenant_id = rebuild_sums.tenant AND d.day = rebuild_sums.day;
  DELETE FROM weir.crash_days AS d WHERE d.tenant_id = rebuild_sums.tenant AND d.day = rebuild_sums.day;
  WITH made AS MATERIALIZED (
    SELECT * FROM weir.sums_of_day(tenant, rebuild_sums.day)
  ), measures AS (
    INSERT INTO weir.day_measures (tenant_id, day, measure, events, total)
    SELECT tenant, rebuild_sums.day, m.name, m.events, m.total FROM made AS m WHERE m.kind = 'measure'
  ), crashes AS (
    INSERT INTO weir.crash_days (tenant_id, day, crashes)
    SELECT tenant, rebuild_sums.day, m.events FROM made AS m WHERE m.kind = 'crash'
  )
  INSERT INTO weir.user_days (tenant_id, user_id, day, events, first_at, last_at)
  SELECT tenant, m.name, rebuild_sums.day, m.events, m.first_at, m.last_at FROM made AS m WHERE m.kind = 'user';
  RETURN true;
END
$$;

-- Makes weir.users, and each user's earliest event, of user_days, which hold more than the rows where these
-- are gone. Days that lose or get a new user by it are marked.
CREATE FUNCTION weir.rebuild_users(tenant text) RETURNS void
LANGUAGE plpgsql
SET work_mem = '64MB' SET enable_nestloop = off
AS $$
BEGIN
  PERFORM pg_advisory_xact_lock(weir.builder_key());
  PERFORM weir.lock_sums();
  DELETE FROM weir.users AS u WHERE u.tenant_id = tenant
    AND NOT EXISTS (SELECT FROM weir.user_days AS d WHERE d.tenant_id = u.tenant_id AND d.user_id = u.user_id);
  WITH firsts AS MATERIALIZED (
    SELECT d.user_id, min(d.day) AS first_day, min(d.first_at) AS first_at
    FROM weir.user_days AS d
    WHERE d.tenant_id = tenant
    GROUP BY d.user_id
  ), numbered AS (
    UPDATE weir.user_numbers AS u SET first_at = f.first_at
    FROM weir.user_numbers AS old
    LEFT JOIN firsts AS f ON f.user_id = old.user_id
    WHERE old.tenant_id = tenant AND u.tenant_id = tenant AND u.user_id = old.user_id
      AND old.first_at IS DISTINCT FROM f.first_at
    RETURNING old.first_at AS was_at, u.first_at
  ), marked AS (
    INSERT INTO weir.touched_days (tenant_id, day, neighbours)
    SELECT DISTINCT tenant, (moment AT TIME ZONE 'UTC')::date, false
    FROM numbered AS n, LATERAL (VALUES (n.was_at), (n.first_at)) AS v (moment)
    WHERE moment IS NOT NULL
  )
  INSERT INTO weir.users AS u (tenant_id, user_id, first_day)
  SELECT tenant, f.user_id, f.first_day FROM firsts AS f
  ON CONFLICT (tenant_id, user_id) DO UPDATE SET first_day = excluded.first_day
  WHERE u.first_day <> excluded.first_day;
END
$$;

-- What has to be built anew, in this order; a mark stands for each day until it is. With `forget`, what
-- is kept of days whose rows are gone goes now.
CREATE FUNCTION weir.begin_rebuild(only_tenant text, forget boolean) RETURNS TABLE (tenant_id text, day date)
LANGUAGE plpgsql
AS $$
#variable_conflict use_column
BEGIN
  PERFORM pg_advisory_xact_lock(weir.builder_key());
  IF forget THEN
    PERFORM weir.forget_days(only_tenant);
  END IF;
  INSERT INTO weir.touched_days (tenant_id, day, neighbours, marked_at, due_at)
  SELECT t.tenant, d.day, false, '-infinity', now() + interval '1 hour'
  FROM weir.tenants_with_rows() AS t (tenant), weir.days_with_rows(t.tenant) AS d (day)
  WHERE only_tenant IS NULL OR t.tenant = only_tenant;
  RETURN QUERY SELECT DISTINCT t.tenant_id, t.day FROM weir.touched_days AS t
  WHERE t.marked_at = '-infinity' AND (only_tenant IS NULL OR t.tenant_id = only_tenant)
  ORDER BY t.tenant_id, t.day;
END
$$;
COMMENT ON FUNCTION weir.begin_rebuild(text, boolean) IS
  'Then rebuild_sums() for each day, rebuild_users() for each tenant, rebuild_day() for each day, each in a '
  'transaction of its own. If nobody goes on, the builder does so after an hour.';

CREATE FUNCTION weir.forget_days(only_tenant text) RETURNS void
LANGUAGE plpgsql
AS $$
BEGIN
  PERFORM weir.lock_sums();
  DELETE FROM weir.day_sets AS d WHERE only_tenant IS NULL OR d.tenant_id = only_tenant;
  DELETE FROM weir.day_counts AS d WHERE only_tenant IS NULL OR d.tenant_id = only_tenant;
  DELETE FROM weir.day_numbers AS d WHERE only_tenant IS NULL OR d.tenant_id = only_tenant;
  DELETE FROM weir.day_sessions AS d WHERE only_tenant IS NULL OR d.tenant_id = only_tenant;
  UPDATE weir.user_numbers AS u SET first_at = NULL WHERE only_tenant IS NULL OR u.tenant_id = only_tenant;
  DELETE FROM weir.user_days AS d WHERE only_tenant IS NULL OR d.tenant_id = only_tenant;
  DELETE FROM weir.day_measures AS d WHERE only_tenant IS NULL OR d.tenant_id = only_tenant;
  DELETE FROM weir.crash_days AS d WHERE only_tenant IS NULL OR d.tenant_id = only_tenant;
END
$$;

-- In each zone the day of that date, and the one before or after where that has no rows of its own.
-- True unless rows were gone and a day was kept.
CREATE FUNCTION weir.rebuild_day(tenant text, day date, forget boolean) RETURNS boolean
LANGUAGE plpgsql
AS $$
DECLARE
  zone text;
  local_day date;
  whole boolean := true;
BEGIN
  PERFORM pg_advisory_xact_lock(weir.builder_key());
  FOR zone, local_day IN
    SELECT z, l FROM weir.zones_of(tenant) AS z, weir.local_days(z, rebuild_day.day) AS l
    WHERE l = rebuild_day.day OR weir.next_day_with_rows(tenant, l::timestamp AT TIME ZONE 'UTC') IS DISTINCT FROM l
  LOOP
    whole := weir.build_day(tenant, zone, local_day, forget) AND whole;
  END LOOP;
  DELETE FROM weir.touched_days AS t
  WHERE t.tenant_id = rebuild_day.tenant AND t.day = rebuild_day.day AND t.marked_at = '-infinity';
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
  DELETE FROM weir.day_counts AS d WHERE d.tenant_id = tenant AND d.zone = drop_zone.zone;
  DELETE FROM weir.day_numbers AS d WHERE d.tenant_id = tenant AND d.zone = drop_zone.zone;
  DELETE FROM weir.day_sessions AS d WHERE d.tenant_id = tenant AND d.zone = drop_zone.zone;
  RETURN true;
END
$$;
