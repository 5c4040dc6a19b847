-- How many events each user had in a week is kept as it is of a day, so that a window of months adds up weeks.
SET LOCAL ROLE weir_owner;

-- The sum of sets, each of which counts for 2 ^ its place; places in ascending order, 0 where none are given. Of three sets of
-- a place one stays there, and one is carried to the next.
CREATE OR REPLACE FUNCTION weir.sum_of_sets(sets varbit[], places integer[] DEFAULT '{}') RETURNS varbit[]
LANGUAGE plpgsql IMMUTABLE
AS $$
DECLARE
  nobody constant varbit := sets[1] # sets[1];
  planes varbit[] := ARRAY[]::varbit[];
  given integer := 1;
  here varbit[];
  carried varbit[] := ARRAY[]::varbit[];
  sum varbit;
  carry varbit;
  odd varbit;
BEGIN
  WHILE given <= cardinality(sets) OR cardinality(carried) > 0 LOOP
    here := carried;
    carried := ARRAY[]::varbit[];
    WHILE given <= cardinality(sets) AND coalesce(places[given], 0) = cardinality(planes) LOOP
      here := array_append(here, sets[given]);
      given := given + 1;
    END LOOP;
    sum := coalesce(here[1], nobody);
    FOR n IN 1 .. cardinality(here) / 2 LOOP
      IF 2 * n < cardinality(here) THEN
        odd := sum # here[2 * n];
        carry := (sum & here[2 * n]) | (odd & here[2 * n + 1]);
        sum := odd # here[2 * n + 1];
      ELSE
        carry := sum & here[2 * n];
        sum := sum # here[2 * n];
      END IF;
      IF carry <> nobody THEN
        carried := array_append(carried, carry);
      END IF;
    END LOOP;
    planes := array_append(planes, sum);
  END LOOP;
  RETURN planes;
END
$$;

CREATE FUNCTION weir.load_of_week(tenant text, zone text, week date)
RETURNS TABLE (subject text, value text, chunk integer, users bit)
LANGUAGE sql STABLE
SET jit = off
AS $$
  SELECT 'load', (p.place - 1)::text, s.chunk, p.users::bit(20480)
  FROM (
    SELECT l.chunk, weir.sum_of_sets(array_agg(l.users::varbit), array_agg(l.place)) AS planes
    FROM (
      SELECT d.chunk, d.value::integer AS place, d.users
      FROM weir.day_sets AS d
      WHERE d.tenant_id = load_of_week.tenant AND d.zone = load_of_week.zone AND d.subject = 'load'
        AND d.day BETWEEN load_of_week.week AND load_of_week.week + 6
      ORDER BY 1, 2
    ) AS l
    GROUP BY l.chunk
  ) AS s, unnest(s.planes) WITH ORDINALITY AS p (users, place)
  WHERE bit_count(p.users) > 0
$$;

-- As 0016 has it, and load.
CREATE OR REPLACE FUNCTION weir.sets_of_week(tenant text, zone text, week date)
RETURNS TABLE (subject text, value text, chunk integer, users bit)
LANGUAGE sql STABLE
SET jit = off SET work_mem = '64MB' SET enable_sort = off
AS $$
  SELECT d.subject, d.value, d.chunk, bit_or(d.users)
  FROM weir.day_sets AS d
  WHERE d.tenant_id = sets_of_week.tenant AND d.zone = sets_of_week.zone
    AND d.day BETWEEN sets_of_week.week AND sets_of_week.week + 6 AND d.subject <> 'load'
  GROUP BY d.subject, d.value, d.chunk
  UNION ALL
  SELECT d.subject || ' troubled', d.value, d.chunk, bit_or(d.users & f.users)
  FROM weir.day_sets AS d
  JOIN (
    SELECT e.day, e.chunk, bit_or(e.users) AS users
    FROM weir.day_sets AS e
    WHERE e.tenant_id = sets_of_week.tenant AND e.zone = sets_of_week.zone AND e.subject IN ('error_type', 'error_type_other')
      AND e.day BETWEEN sets_of_week.week AND sets_of_week.week + 6
    GROUP BY e.day, e.chunk
  ) AS f ON f.day = d.day AND f.chunk = d.chunk
  WHERE d.tenant_id = sets_of_week.tenant AND d.zone = sets_of_week.zone
    AND d.subject IN ('version', 'platform', 'country', 'browser', 'device')
    AND d.day BETWEEN sets_of_week.week AND sets_of_week.week + 6
  GROUP BY d.subject, d.value, d.chunk
  HAVING bit_count(bit_or(d.users & f.users)) > 0
  UNION ALL
  SELECT * FROM weir.load_of_week(tenant, zone, sets_of_week.week)
$$;

COMMENT ON TABLE weir.week_sets IS
  'The sets of a week''s days in one, and load added up: made anew of day_sets, in the transaction that has changed one of these.';
GRANT EXECUTE ON FUNCTION weir.sum_of_sets(varbit[], integer[]), weir.load_of_week(text, text, date) TO weir_reader;

-- Weeks that are built already.
INSERT INTO weir.week_sets (tenant_id, zone, subject, value, week, chunk, users)
SELECT w.tenant_id, w.zone, l.subject, l.value, w.week, l.chunk, l.users
FROM (SELECT DISTINCT w.tenant_id, w.zone, w.week FROM weir.week_sets AS w WHERE w.subject = 'active') AS w,
  LATERAL weir.load_of_week(w.tenant_id, w.zone, w.week) AS l;
