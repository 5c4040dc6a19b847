-- Who has which feature on: what the last `feature_toggled` of each user up to some day said, however long ago that was. No
-- day says how the one before it ended, so that the events of all days had to be read.
--
-- What is kept of a day is who switched a feature on it, and whose last time on it switched it on. Of spans of 8, 64 and 512
-- days the same, each made of the eight spans within it, of which the later ones decide. So the state after any day is that
-- of a few spans, one after another, and a day that changes, as by a late event, changes three of them:
--
--   |──────── 512 ────────|─ 64 ─|─ 64 ─|8|8|8|1|1   up to the window's end
SET LOCAL ROLE weir_owner;

CREATE TABLE weir.toggle_sets (
  tenant_id text NOT NULL,
  zone text NOT NULL,
  days integer NOT NULL,
  first_day date NOT NULL,
  feature text NOT NULL,
  chunk integer NOT NULL,
  switched bit(20480) NOT NULL,
  switched_on bit(20480) NOT NULL,
  PRIMARY KEY (tenant_id, zone, days, first_day, feature, chunk)
) WITH (toast_tuple_target = 256);
ALTER TABLE weir.toggle_sets ALTER COLUMN switched SET STORAGE MAIN, ALTER COLUMN switched_on SET STORAGE MAIN;
-- Faster to unpack, which is half of what reading them takes, where PostgreSQL was built with it.
DO $$
BEGIN
  ALTER TABLE weir.toggle_sets ALTER COLUMN switched SET COMPRESSION lz4, ALTER COLUMN switched_on SET COMPRESSION lz4;
EXCEPTION WHEN feature_not_supported THEN
  NULL;
END
$$;
COMMENT ON TABLE weir.toggle_sets IS
  'Users by what they said last in feature_toggled: of each day, and of spans of 8, 64 and 512 days.';
COMMENT ON COLUMN weir.toggle_sets.first_day IS 'weir.span_start() of each of its days.';
COMMENT ON COLUMN weir.toggle_sets.feature IS
  'The property feature. '''': those beyond the thousand that most users of the span switched; of these nobody counts as on.';
COMMENT ON COLUMN weir.toggle_sets.switched IS 'Who switched it, on or off. Bit n of chunk c: as in day_sets.';
COMMENT ON COLUMN weir.toggle_sets.switched_on IS 'Of these, those whose last time within the span switched it on.';
GRANT SELECT ON weir.toggle_sets TO weir_reader;

-- The first day of the span of so many days in which a day lies. A span of 64 days is eight of 8, and so on.
CREATE FUNCTION weir.span_start(day date, days integer) RETURNS date
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT day - (day - date '0001-01-01 BC') % days $$;

-- Who has it on after some spans, in the order of time: a later one decides for whoever switched it then.
CREATE FUNCTION weir.switched_later(is_on varbit, switched bit, switched_on bit) RETURNS varbit
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
AS $$
BEGIN
  RETURN coalesce(is_on & ~switched, switched_on) | switched_on;
END
$$;
CREATE AGGREGATE weir.last_switched(bit, bit) (SFUNC = weir.switched_later, STYPE = varbit);

-- Of a day, from the rows. The last moment of the day decides, and of two at one moment off is the last. What says neither
-- true nor false, or no feature, switches nothing. Of most days there are few such events, so that users may be looked up one by one.
CREATE FUNCTION weir.toggles_of_day(tenant text, zone text, day date)
RETURNS TABLE (feature text, chunk integer, switched bit, switched_on bit)
LANGUAGE sql STABLE
SET jit = off SET work_mem = '64MB' SET enable_mergejoin = off
AS $$
  WITH toggled AS MATERIALIZED (
    SELECT t.feature, u.number, max(t.at) FILTER (WHERE t.enabled = 'true') AS on_at, max(t.at) FILTER (WHERE t.enabled = 'false') AS off_at
    FROM (
      SELECT e.user_id, e."timestamp" AS at, weir.text_at(e.properties, 'feature') AS feature, weir.text_at(e.properties, 'enabled') AS enabled
      FROM weir.events AS e
      WHERE e.tenant_id = toggles_of_day.tenant AND e.event = 'feature_toggled'
        AND e."timestamp" >= lower(weir.span_of_day(toggles_of_day.zone, toggles_of_day.day))
        AND e."timestamp" < upper(weir.span_of_day(toggles_of_day.zone, toggles_of_day.day))
    ) AS t
    JOIN weir.user_numbers AS u ON u.tenant_id = toggles_of_day.tenant AND u.user_id = t.user_id
    WHERE t.feature IS NOT NULL AND t.enabled IN ('true', 'false') AND (t.at AT TIME ZONE toggles_of_day.zone)::date = toggles_of_day.day
    GROUP BY t.feature, u.number
  ), ranked AS (
    SELECT c.number, c.on_at, c.off_at, CASE WHEN dense_rank() OVER (ORDER BY c.users DESC, c.feature COLLATE "C") <= 1000 THEN c.feature ELSE '' END AS feature
    FROM (SELECT t.*, count(*) OVER (PARTITION BY t.feature) AS users FROM toggled AS t) AS c
  )
  SELECT r.feature, r.number / 20480, weir.at_bits(r.number % 20480, 1),
    weir.at_bits(r.number % 20480, (r.feature <> '' AND r.on_at > coalesce(r.off_at, '-infinity'))::integer)
  FROM ranked AS r
  GROUP BY r.feature, r.number / 20480
$$;

-- Of a longer span, from the eight within it.
CREATE FUNCTION weir.toggles_of_span(tenant text, zone text, first_day date, days integer)
RETURNS TABLE (feature text, chunk integer, switched bit, switched_on bit)
LANGUAGE sql STABLE
SET jit = off SET work_mem = '64MB' SET enable_nestloop = off SET enable_mergejoin = off
AS $$
  WITH found AS MATERIALIZED (
    SELECT t.feature, t.chunk, bit_or(t.switched) AS switched, weir.last_switched(t.switched, t.switched_on ORDER BY t.first_day) AS switched_on
    FROM weir.toggle_sets AS t
    WHERE t.tenant_id = toggles_of_span.tenant AND t.zone = toggles_of_span.zone AND t.days = toggles_of_span.days / 8
      AND t.first_day >= toggles_of_span.first_day AND t.first_day < toggles_of_span.first_day + toggles_of_span.days
    GROUP BY t.feature, t.chunk
  ), kept AS MATERIALIZED (
    SELECT f.feature FROM found AS f WHERE f.feature <> ''
    GROUP BY f.feature ORDER BY sum(bit_count(f.switched)) DESC, f.feature COLLATE "C" LIMIT 1000
  )
  SELECT k.feature, f.chunk, f.switched, f.switched_on FROM found AS f JOIN kept AS k ON k.feature = f.feature
  UNION ALL
  SELECT '', f.chunk, bit_or(f.switched), bit_or(f.switched # f.switched)
  FROM found AS f LEFT JOIN kept AS k ON k.feature = f.feature
  WHERE k.feature IS NULL
  GROUP BY f.chunk
$$;

CREATE FUNCTION weir.toggles_counted(tenant text, zone text, first_day date, days integer)
RETURNS TABLE (feature text, chunk integer, switched bit, switched_on bit)
LANGUAGE sql STABLE
AS $$
  SELECT d.* FROM weir.toggles_of_day(tenant, zone, first_day) AS d WHERE days = 1
  UNION ALL
  SELECT s.* FROM weir.toggles_of_span(tenant, zone, first_day, days) AS s WHERE days > 1
$$;

-- What differs is replaced.
CREATE FUNCTION weir.replace_toggles(tenant text, zone text, first_day date, days integer) RETURNS void
LANGUAGE sql
SET jit = off SET enable_nestloop = off SET enable_mergejoin = off
AS $$
  WITH fresh AS MATERIALIZED (
    SELECT * FROM weir.toggles_counted(tenant, zone, first_day, days)
  ), gone AS (
    DELETE FROM weir.toggle_sets AS t
    WHERE t.tenant_id = replace_toggles.tenant AND t.zone = replace_toggles.zone AND t.days = replace_toggles.days
      AND t.first_day = replace_toggles.first_day AND NOT EXISTS (SELECT FROM fresh AS f WHERE (f.feature, f.chunk) = (t.feature, t.chunk))
  )
  INSERT INTO weir.toggle_sets AS t (tenant_id, zone, days, first_day, feature, chunk, switched, switched_on)
  SELECT tenant, zone, days, first_day, f.feature, f.chunk, f.switched, f.switched_on FROM fresh AS f
  ON CONFLICT (tenant_id, zone, days, first_day, feature, chunk) DO UPDATE SET switched = excluded.switched, switched_on = excluded.switched_on
  WHERE (t.switched, t.switched_on) IS DISTINCT FROM (excluded.switched, excluded.switched_on)
$$;

-- Whether a day's rows may switch something, as its counts say: rows are read for that day alone.
CREATE FUNCTION weir.may_have_toggles(tenant text, zone text, day date) RETURNS boolean
LANGUAGE sql STABLE
AS $$
  SELECT EXISTS (
      SELECT FROM weir.day_counts AS c
      WHERE c.tenant_id = may_have_toggles.tenant AND c.zone = may_have_toggles.zone AND c.day = may_have_toggles.day
        AND (c.subject, c.value) IN (('event', 'feature_toggled'), ('event_other', '')))
    OR EXISTS (
      SELECT FROM weir.toggle_sets AS t
      WHERE (t.tenant_id, t.zone, t.days, t.first_day) = (may_have_toggles.tenant, may_have_toggles.zone, 1, may_have_toggles.day))
$$;

-- After these days were built; those whose rows are gone keep what they have. Who builds days beside this waits for it to be
-- committed, and then sees them.
CREATE FUNCTION weir.build_toggles(tenant text, zone text, days date[], forget boolean DEFAULT false) RETURNS void
LANGUAGE plpgsql
AS $$
DECLARE
  day date;
BEGIN
  PERFORM pg_advisory_xact_lock(hashtextextended(concat_ws(E'\n', tenant, zone, 'toggles'), weir.builder_key()));
  FOREACH day IN ARRAY days LOOP
    IF weir.may_have_toggles(tenant, zone, day) AND (forget OR NOT weir.is_gone(tenant, zone, day)) THEN
      PERFORM weir.replace_toggles(tenant, zone, day, 1);
    END IF;
  END LOOP;
  IF EXISTS (SELECT FROM weir.toggle_sets AS t WHERE t.tenant_id = tenant AND t.zone = build_toggles.zone) THEN
    -- In the order of their length, since each is made of shorter ones.
    PERFORM weir.replace_toggles(tenant, zone, s.first_day, s.length)
    FROM (
      SELECT DISTINCT n AS length, weir.span_start(d, n) AS first_day FROM unnest(ARRAY[8, 64, 512]) AS n, unnest(days) AS d ORDER BY 1, 2
    ) AS s;
  END IF;
END
$$;

-- As in 0017, and the toggles.
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

-- As in 0018, and the toggles. (A rebuild makes them since 0033.)
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
  PERFORM weir.note_build(tenant);
  RETURN true;
END
$$;

CREATE FUNCTION weir.compare_toggles(tenant text, zone text, first_day date, days integer)
RETURNS TABLE (part text, subject text, value text, kept text, counted text)
LANGUAGE sql STABLE
AS $$
  SELECT 'toggle_sets', compare_toggles.days || ' days', coalesce(k.feature, c.feature), bit_count(k.switched) || ' users, ' || bit_count(k.switched_on) || ' on',
    bit_count(c.switched) || ' users, ' || bit_count(c.switched_on) || ' on'
  FROM (SELECT * FROM weir.toggle_sets AS t
    WHERE t.tenant_id = compare_toggles.tenant AND t.zone = compare_toggles.zone AND t.days = compare_toggles.days
      AND t.first_day = compare_toggles.first_day) AS k
  FULL JOIN weir.toggles_counted(tenant, compare_toggles.zone, compare_toggles.first_day, compare_toggles.days) AS c
    ON c.feature = k.feature AND c.chunk = k.chunk
  WHERE (k.switched, k.switched_on) IS DISTINCT FROM (c.switched, c.switched_on)
$$;

-- As in 0019. Spans are compared with their first day, like a week with its Monday.
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
      UNION ALL SELECT p.* FROM weir.compare_packs(tenant, verify_day.day) AS p WHERE zone = 'UTC';
  END IF;
END
$$;

-- As in 0019. Each span of days has its first one there, too.
CREATE OR REPLACE FUNCTION weir.parts_to_verify(only_tenant text)
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
    UNION ALL
    SELECT t.tenant_id, t.zone, weir.span_start(t.first_day, n)
    FROM (SELECT DISTINCT s.tenant_id, s.zone, s.first_day FROM weir.toggle_sets AS s WHERE only_tenant IS NULL OR s.tenant_id = only_tenant) AS t,
      unnest(ARRAY[1, 8, 64, 512]) AS n
  ) AS d (tenant, zone, day), LATERAL (VALUES (d.day), (weir.monday_of(d.day))) AS m (day)
  ORDER BY 2, 1, 3, 4
$$;

GRANT EXECUTE ON FUNCTION weir.span_start(date, integer), weir.switched_later(varbit, bit, bit), weir.last_switched(bit, bit),
  weir.toggles_of_day(text, text, date), weir.toggles_of_span(text, text, date, integer), weir.toggles_counted(text, text, date, integer),
  weir.compare_toggles(text, text, date, integer) TO weir_reader;

-- Nothing counts with these any more.
DROP AGGREGATE weir.bits_added(bit);
DROP FUNCTION weir.add_bits(varbit[], bit);

-- Days that are built already. (Marks would have all of these days built once more, and what reads single events read rows until
-- they are.)
SELECT weir.build_toggles(c.tenant_id, c.zone, array_agg(DISTINCT c.day))
FROM weir.day_counts AS c
WHERE (c.subject, c.value) IN (('event', 'feature_toggled'), ('event_other', ''))
GROUP BY c.tenant_id, c.zone;
