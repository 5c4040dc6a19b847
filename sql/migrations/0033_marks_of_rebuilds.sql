-- A rebuild takes away the marks that it saw when it began, so that the builder does not make the same days once more, and
-- figures need not read their rows until it has. And its sessions hold each other up for less.
SET LOCAL ROLE weir_owner;

ALTER TABLE weir.touched_days ADD COLUMN in_rebuild boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN weir.touched_days.in_rebuild IS
  'A rebuild that makes this day saw it when it began, before it numbered users and made the days beside it: all that it '
  'asks for is made by that.';

-- What has to be built anew, in this order; a mark stands for each day until it is. With `forget` these are also the
-- days whose rows are gone: made of no rows, their figures go, a day at a time as all others.
CREATE OR REPLACE FUNCTION weir.begin_rebuild(only_tenant text, forget boolean) RETURNS TABLE (tenant_id text, day date)
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
  UPDATE weir.touched_days AS t SET in_rebuild = true
  WHERE NOT t.in_rebuild AND (only_tenant IS NULL OR t.tenant_id = only_tenant) AND EXISTS (
    SELECT FROM weir.touched_days AS r WHERE r.tenant_id = t.tenant_id AND r.day = t.day AND r.marked_at = '-infinity');
  RETURN QUERY SELECT DISTINCT t.tenant_id, t.day FROM weir.touched_days AS t
  WHERE t.marked_at = '-infinity' AND (only_tenant IS NULL OR t.tenant_id = only_tenant)
  ORDER BY t.tenant_id, t.day;
END
$$;

-- To be called after note_build(), behind which sessions of a rebuild wait for each other: so the last of them sees that no
-- mark is left.
CREATE FUNCTION weir.note_ready_zones(tenant text) RETURNS void
LANGUAGE sql
AS $$
  UPDATE weir.report_zones AS z SET ready_at = clock_timestamp()
  WHERE z.tenant_id = tenant AND z.ready_at IS NULL AND NOT EXISTS (
    SELECT FROM weir.touched_days AS t WHERE t.tenant_id = z.tenant_id AND t.zone = z.zone)
$$;

-- In each zone the day of that date, and the one before or after where that has no rows of its own; then their weeks and
-- what else is made of days. What takes long comes first, since other sessions that make days of one week wait for each
-- other from when it is made until the end. Always in the order of zones, and in each of days and weeks, one session at a
-- time each. True unless rows were gone and a day was kept: then marks stay, for the builder to note what came late.
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
  END LOOP;
  DELETE FROM weir.touched_days AS t
  WHERE t.tenant_id = rebuild_day.tenant AND t.day = rebuild_day.day AND (t.marked_at = '-infinity' OR t.in_rebuild AND whole);
  PERFORM weir.note_build(tenant);
  PERFORM weir.note_ready_zones(tenant);
  RETURN whole;
END
$$;

-- Takes the marks of one UTC day of a tenant and does what they ask for.
CREATE OR REPLACE FUNCTION weir.work_off(tenant text, day date) RETURNS void
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
  PERFORM weir.note_build(tenant);
  PERFORM weir.note_ready_zones(tenant);
END
$$;
