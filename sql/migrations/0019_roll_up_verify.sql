-- Whether the roll-ups are what the rows say. `weirctl rollup verify` calls these; whoever may read rows may
-- compare.
SET LOCAL ROLE weir_owner;

-- What differs between the rows and what is kept of a day; nothing if all is well. part is 'marked' where
-- the day is still to be built and was not compared, 'thinned' where rows of it are gone and cannot tell.
-- All of it is seen at one moment: the functions are STABLE. With a Monday its week is compared with its days, which it
-- is like whatever is marked.
CREATE FUNCTION weir.verify_day(tenant text, zone text, day date)
RETURNS TABLE (part text, subject text, value text, kept text, counted text)
LANGUAGE plpgsql STABLE
AS $$
BEGIN
  IF day = weir.monday_of(day) THEN
    RETURN QUERY SELECT * FROM weir.compare_week(tenant, zone, day);
  END IF;
  IF EXISTS (SELECT FROM weir.touched_days AS t WHERE t.tenant_id = tenant
      AND t.day BETWEEN verify_day.day - 2 AND verify_day.day + 2 AND coalesce(t.zone, verify_day.zone) = verify_day.zone) THEN
    RETURN QUERY SELECT 'marked', NULL::text, NULL::text, NULL::text, NULL::text;
  ELSIF weir.is_thinned(tenant, zone, day) THEN
    RETURN QUERY SELECT 'thinned', NULL::text, NULL::text, NULL::text, NULL::text;
  ELSE
    RETURN QUERY SELECT * FROM weir.compare_facts(tenant, zone, day)
      UNION ALL SELECT u.* FROM weir.compare_first_uses(tenant, zone, verify_day.day) AS u
      UNION ALL SELECT c.* FROM weir.compare_sessions(tenant, zone, day) AS c
      WHERE NOT weir.is_thinned(tenant, zone, verify_day.day - 1) AND NOT weir.is_thinned(tenant, zone, verify_day.day + 1)
      UNION ALL SELECT p.* FROM weir.compare_packs(tenant, verify_day.day) AS p WHERE zone = 'UTC';
  END IF;
END
$$;

CREATE FUNCTION weir.compare_facts(tenant text, zone text, day date)
RETURNS TABLE (part text, subject text, value text, kept text, counted text)
LANGUAGE sql STABLE
AS $$
  WITH counted AS MATERIALIZED (
    SELECT * FROM weir.facts_of_day(tenant, zone, day)
    UNION ALL
    SELECT *, NULL, NULL, NULL, NULL, NULL FROM weir.newcomers_of_day(tenant, zone, day)
  )
  SELECT 'day_sets', coalesce(k.subject, c.subject), coalesce(k.value, c.value), bit_count(k.users) || ' users',
    bit_count(c.users) || ' users'
  FROM (SELECT * FROM weir.day_sets AS d
    WHERE d.tenant_id = compare_facts.tenant AND d.zone = compare_facts.zone AND d.day = compare_facts.day) AS k
  FULL JOIN (SELECT * FROM counted AS c WHERE c.kind = 'set') AS c
    ON c.subject = k.subject AND c.value = k.value AND c.chunk = k.chunk
  WHERE k.users IS DISTINCT FROM c.users
  UNION ALL
  SELECT 'day_counts', coalesce(k.subject, c.subject), coalesce(k.value, c.value), k.hours::text, c.hours::text
  FROM (SELECT * FROM weir.day_counts AS d
    WHERE d.tenant_id = compare_facts.tenant AND d.zone = compare_facts.zone AND d.day = compare_facts.day) AS k
  FULL JOIN (SELECT * FROM counted AS c WHERE c.kind = 'count') AS c ON c.subject = k.subject AND c.value = k.value
  WHERE (k.events, k.hours) IS DISTINCT FROM (c.events, c.hours)
  UNION ALL
  SELECT 'day_numbers', coalesce(k.event, c.subject), coalesce(k.property, c.value),
    k.numbers || ' numbers, ' || k.total, c.events || ' numbers, ' || c.total
  FROM (SELECT * FROM weir.day_numbers AS d
    WHERE d.tenant_id = compare_facts.tenant AND d.zone = compare_facts.zone AND d.day = compare_facts.day) AS k
  FULL JOIN (SELECT * FROM counted AS c WHERE c.kind = 'number') AS c ON c.subject = k.event AND c.value = k.property
  WHERE (k.numbers, k.total, k.lowest, k.highest, k.slots, k.counts)
    IS DISTINCT FROM (c.events, c.total, c.lowest, c.highest, c.slots, c.counts)
$$;

CREATE FUNCTION weir.compare_week(tenant text, zone text, week date)
RETURNS TABLE (part text, subject text, value text, kept text, counted text)
LANGUAGE sql STABLE
SET jit = off SET enable_nestloop = off
AS $$
  SELECT 'week_sets', coalesce(k.subject, c.subject), coalesce(k.value, c.value), bit_count(k.users) || ' users',
    bit_count(c.users) || ' users'
  FROM (SELECT * FROM weir.week_sets AS w
    WHERE w.tenant_id = compare_week.tenant AND w.zone = compare_week.zone AND w.week = compare_week.week) AS k
  FULL JOIN weir.sets_of_week(compare_week.tenant, compare_week.zone, compare_week.week) AS c
    ON c.subject = k.subject AND c.value = k.value AND c.chunk = k.chunk
  WHERE k.users IS DISTINCT FROM c.users
$$;

CREATE FUNCTION weir.compare_sessions(tenant text, zone text, day date)
RETURNS TABLE (part text, subject text, value text, kept text, counted text)
LANGUAGE sql STABLE
AS $$
  SELECT 'day_sessions', '', '', k.sessions || ' sessions, ' || k.crashed || ' crashed, ' || k.seconds || ' s',
    c.sessions || ' sessions, ' || c.crashed || ' crashed, ' || c.seconds || ' s'
  FROM (SELECT * FROM weir.day_sessions AS d
    WHERE d.tenant_id = compare_sessions.tenant AND d.zone = compare_sessions.zone AND d.day = compare_sessions.day) AS k
  FULL JOIN weir.sessions_of_day(compare_sessions.tenant, compare_sessions.zone, compare_sessions.day) AS c ON true
  WHERE (k.sessions, k.crashed, k.seconds, k.slots, k.counts)
    IS DISTINCT FROM (c.sessions, c.crashed, c.seconds, c.slots, c.counts)
$$;

-- While a rebuild is between its days and its users, the two do not agree.
CREATE FUNCTION weir.is_being_rebuilt(tenant text, day date DEFAULT NULL) RETURNS boolean
LANGUAGE sql STABLE
AS $$
  SELECT EXISTS (SELECT FROM weir.touched_days AS t
    WHERE t.tenant_id = tenant AND t.marked_at = '-infinity' AND t.day = coalesce(is_being_rebuilt.day, t.day))
$$;

CREATE FUNCTION weir.verify_sums(tenant text, day date)
RETURNS TABLE (part text, subject text, value text, kept text, counted text)
LANGUAGE plpgsql STABLE
AS $$
BEGIN
  IF weir.is_being_rebuilt(tenant, day) THEN
    RETURN QUERY SELECT 'marked', NULL::text, NULL::text, NULL::text, NULL::text;
  ELSIF weir.has_lost_rows(tenant, day) THEN
    RETURN QUERY SELECT 'thinned', NULL::text, NULL::text, NULL::text, NULL::text;
  ELSE
    RETURN QUERY SELECT * FROM weir.compare_sums(tenant, verify_sums.day);
  END IF;
END
$$;

CREATE FUNCTION weir.compare_sums(tenant text, day date)
RETURNS TABLE (part text, subject text, value text, kept text, counted text)
LANGUAGE sql STABLE
AS $$
  SELECT CASE coalesce(k.kind, c.kind) WHEN 'user' THEN 'user_days' WHEN 'measure' THEN 'day_measures' ELSE 'crash_days' END,
    coalesce(k.name, c.name), '', concat_ws(', ', k.events, k.total, k.first_at, k.last_at),
    concat_ws(', ', c.events, c.total, c.first_at, c.last_at)
  FROM weir.kept_sums(tenant, day) AS k
  FULL JOIN weir.sums_of_day(tenant, day) AS c ON c.kind = k.kind AND c.name = k.name
  WHERE (k.events, k.total, k.first_at, k.last_at) IS DISTINCT FROM (c.events, c.total, c.first_at, c.last_at)
$$;

-- weir.users and the numbers, which have to agree with user_days. Numbers are given by the builder: while days are
-- marked they cannot tell, and 'marked' says so.
CREATE FUNCTION weir.verify_users(tenant text)
RETURNS TABLE (part text, subject text, value text, kept text, counted text)
LANGUAGE sql STABLE
SET work_mem = '64MB' SET enable_nestloop = off
AS $$
  WITH firsts AS MATERIALIZED (
    SELECT d.user_id, min(d.day) AS first_day, min(d.first_at) AS first_at
    FROM weir.user_days AS d
    WHERE d.tenant_id = verify_users.tenant
    GROUP BY d.user_id
  ), crashed AS MATERIALIZED (
    SELECT coalesce(n.user_id, c.user_id) AS user_id, n.first_crash_at AS kept, c.first_crash_at AS counted,
      (n.first_crash_at AT TIME ZONE 'UTC')::date AS day
    FROM (SELECT * FROM weir.user_numbers AS n WHERE n.tenant_id = verify_users.tenant) AS n
    FULL JOIN weir.first_crashes(verify_users.tenant) AS c ON c.user_id = n.user_id
    WHERE n.first_crash_at IS DISTINCT FROM c.first_crash_at
  ), gone AS MATERIALIZED (
    SELECT d.day FROM (SELECT DISTINCT c.day FROM crashed AS c) AS d WHERE weir.has_lost_rows(verify_users.tenant, d.day)
  ), marks AS MATERIALIZED (
    SELECT EXISTS (SELECT FROM weir.touched_days AS t WHERE t.tenant_id = verify_users.tenant) AS some,
      weir.is_being_rebuilt(verify_users.tenant) AS of_a_rebuild
  )
  SELECT 'marked', NULL::text, NULL::text, NULL::text, NULL::text FROM marks AS m WHERE m.some
  UNION ALL
  SELECT 'users', coalesce(u.user_id, f.user_id), '', u.first_day::text, f.first_day::text
  FROM (SELECT * FROM weir.users AS u WHERE u.tenant_id = verify_users.tenant) AS u
  FULL JOIN firsts AS f ON f.user_id = u.user_id
  WHERE u.first_day IS DISTINCT FROM f.first_day AND NOT (SELECT m.of_a_rebuild FROM marks AS m)
  UNION ALL
  SELECT 'user_numbers', coalesce(n.user_id, f.user_id), '', n.first_at::text, f.first_at::text
  FROM (SELECT * FROM weir.user_numbers AS n WHERE n.tenant_id = verify_users.tenant) AS n
  FULL JOIN firsts AS f ON f.user_id = n.user_id
  WHERE n.first_at IS DISTINCT FROM f.first_at AND NOT (SELECT m.some FROM marks AS m)
  UNION ALL
  SELECT 'user_numbers', c.user_id, 'first crash', c.kept::text, c.counted::text
  FROM crashed AS c
  WHERE NOT EXISTS (SELECT FROM gone AS g WHERE g.day = c.day) AND NOT (SELECT m.some FROM marks AS m)
$$;

-- What there is to compare: 'sums' of a tenant's UTC day, 'day' of a zone, 'users' of a tenant. Each week has its Monday
-- there, for verify_day().
CREATE FUNCTION weir.parts_to_verify(only_tenant text)
RETURNS TABLE (kind text, tenant_id text, zone text, day date)
LANGUAGE sql STABLE
AS $$
  WITH with_rows AS MATERIALIZED (
    SELECT t.tenant, d.day
    FROM weir.tenants_with_rows() AS t (tenant), weir.days_with_rows(t.tenant) AS d (day)
    WHERE only_tenant IS NULL OR t.tenant = only_tenant
  )
  SELECT 'sums', w.tenant, NULL::text, w.day FROM with_rows AS w
  UNION ALL
  SELECT 'users', t.tenant, NULL, NULL FROM (SELECT DISTINCT w.tenant FROM with_rows AS w) AS t
  UNION ALL
  SELECT DISTINCT 'day', d.tenant, d.zone, m.day
  FROM (
    SELECT w.tenant, z.zone, l.day
    FROM with_rows AS w, weir.zones_of(w.tenant) AS z (zone), weir.local_days(z.zone, w.day) AS l (day)
    UNION ALL
    SELECT c.tenant_id, c.zone, c.day
    FROM weir.day_counts AS c
    WHERE c.subject = 'active' AND c.value = '' AND (only_tenant IS NULL OR c.tenant_id = only_tenant)
    UNION ALL
    SELECT s.tenant_id, s.zone, s.week FROM weir.week_sets AS s WHERE only_tenant IS NULL OR s.tenant_id = only_tenant
  ) AS d (tenant, zone, day), LATERAL (VALUES (d.day), (weir.monday_of(d.day))) AS m (day)
  ORDER BY 2, 1, 3, 4
$$;

GRANT EXECUTE ON FUNCTION weir.span_of_day(text, date), weir.wanted_dimensions(text), weir.slot_of(numeric),
  weir.value_of_slot(integer), weir.subject_grouped(integer), weir.at_bits(integer, integer),
  weir.events_of_day(text, text, date), weir.crashes_of_day(text, text, date), weir.families_of(text),
  weir.around_the_clock(integer[], bigint[]), weir.facts_of_day(text, text, date), weir.sessions_of_day(text, text, date),
  weir.newcomers_of_day(text, text, date), weir.zones_of(text), weir.local_days(text, date),
  weir.utc_days(text, date), weir.rows_of_day(text, date), weir.counted_of_day(text, date), weir.has_lost_rows(text, date),
  weir.is_thinned(text, text, date), weir.is_being_rebuilt(text, date), weir.compare_sums(text, date), weir.tenants_with_rows(),
  weir.days_with_rows(text), weir.next_day_with_rows(text, timestamptz), weir.first_crashes(text), weir.sums_of_day(text, date),
  weir.kept_sums(text, date), weir.verify_day(text, text, date),
  weir.compare_facts(text, text, date), weir.monday_of(date), weir.sets_of_week(text, text, date),
  weir.compare_week(text, text, date), weir.compare_sessions(text, text, date), weir.verify_sums(text, date),
  weir.verify_users(text), weir.parts_to_verify(text)
  TO weir_reader;

-- Rows that were stored before there were marks; 0015 has waited for whoever was storing.
INSERT INTO weir.touched_days (tenant_id, day, neighbours, marked_at)
SELECT t.tenant, d.day, false, '-infinity'
FROM weir.tenants_with_rows() AS t (tenant), weir.days_with_rows(t.tenant) AS d (day);
