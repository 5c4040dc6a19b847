-- How soon new users come to a feature: for each day and feature how many used it for the first time, by how long they
-- were there. To find that for a quarter out of sets asks for two weeks of them around each day.
--
-- What is kept of a day is made of the sets of that day and the thirteen before it, and of nothing else. So who has built
-- a day makes it anew for that day and the thirteen after it, in the same transaction (0017, 0018); those of them that
-- are marked are left out, since who works off their marks comes here too.
SET LOCAL ROLE weir_owner;

CREATE TABLE weir.day_first_uses (
  tenant_id text NOT NULL,
  zone text NOT NULL,
  feature text NOT NULL,
  day date NOT NULL,
  users bigint[] NOT NULL,
  PRIMARY KEY (tenant_id, zone, day, feature)
);
COMMENT ON TABLE weir.day_first_uses IS
  'Who used a value of the subject feature for the first time, within two weeks of their earliest event.';
COMMENT ON COLUMN weir.day_first_uses.users IS
  'Fourteen numbers: of the users whose earliest event was on this day, on the day before, and so on.';
GRANT SELECT ON weir.day_first_uses TO weir_reader;

-- Of the days from one to another. Nobody uses a feature before their earliest event, so that two weeks tell who uses it
-- for the first time.
CREATE FUNCTION weir.first_uses_of_days(tenant text, zone text, first_day date, last_day date)
RETURNS TABLE (feature text, day date, users bigint[])
LANGUAGE sql STABLE
SET jit = off SET work_mem = '64MB' SET enable_nestloop = off
AS $$
  WITH fresh AS MATERIALIZED (
    SELECT d.day, d.chunk, substring(d.users FROM 1) AS users
    FROM weir.day_sets AS d
    WHERE d.tenant_id = first_uses_of_days.tenant AND d.zone = first_uses_of_days.zone AND d.subject = 'new' AND d.value = ''
      AND d.day BETWEEN first_day - 13 AND last_day
  ), near AS MATERIALIZED (
    SELECT f.chunk, min(f.day) AS since, max(f.day) + 13 AS until FROM fresh AS f GROUP BY f.chunk
  ), used AS (
    SELECT s.value, s.day, s.chunk, coalesce(s.users & ~bit_or(s.users) OVER before, s.users) AS users
    FROM weir.day_sets AS s
    JOIN near AS n ON n.chunk = s.chunk AND s.day BETWEEN n.since AND n.until
    WHERE s.tenant_id = first_uses_of_days.tenant AND s.zone = first_uses_of_days.zone AND s.subject = 'feature'
      AND s.day BETWEEN first_day - 13 AND last_day
    WINDOW before AS (PARTITION BY s.value, s.chunk ORDER BY s.day ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
  ), counted AS MATERIALIZED (
    -- Counted before they are sorted: sets are large.
    SELECT c.value, c.day, c.age, sum(c.users)::bigint AS users
    FROM (
      SELECT u.value, u.day, u.day - f.day AS age, bit_count(u.users & f.users) AS users
      FROM used AS u
      JOIN fresh AS f ON f.chunk = u.chunk AND f.day BETWEEN u.day - 13 AND u.day
      WHERE u.day >= first_day
      OFFSET 0
    ) AS c
    WHERE c.users > 0
    GROUP BY c.value, c.day, c.age
  )
  SELECT k.value, k.day, array_agg(coalesce(c.users, 0) ORDER BY k.age)
  FROM (SELECT DISTINCT c.value, c.day, a AS age FROM counted AS c CROSS JOIN generate_series(0, 13) AS a) AS k
  LEFT JOIN counted AS c ON c.value = k.value AND c.day = k.day AND c.age = k.age
  GROUP BY k.value, k.day
$$;

-- After these days were built. Who builds days near them beside this waits for it to be committed, and then sees them.
CREATE FUNCTION weir.build_first_uses(tenant text, zone text, days date[]) RETURNS void
LANGUAGE plpgsql
AS $$
BEGIN
  PERFORM pg_advisory_xact_lock(hashtextextended(concat_ws(E'\n', tenant, zone, 'first uses'), weir.builder_key()));
  PERFORM weir.replace_first_uses(tenant, zone, ARRAY(
    SELECT DISTINCT d + later
    FROM unnest(days) AS d CROSS JOIN generate_series(0, 13) AS later
    WHERE d + later = ANY (days) OR EXISTS (
      SELECT FROM weir.day_counts AS c
      WHERE (c.tenant_id, c.zone, c.subject, c.value, c.day) = (tenant, build_first_uses.zone, 'active', '', d + later)
    ) AND NOT EXISTS (
      SELECT FROM weir.touched_days AS t
      WHERE t.tenant_id = tenant AND t.day = d + later AND coalesce(t.zone, build_first_uses.zone) = build_first_uses.zone)));
END
$$;

CREATE FUNCTION weir.replace_first_uses(tenant text, zone text, days date[]) RETURNS void
LANGUAGE sql
AS $$
  WITH fresh AS MATERIALIZED (
    SELECT u.feature, u.day, u.users
    FROM weir.first_uses_of_days(tenant, zone, (SELECT min(d) FROM unnest(days) AS d), (SELECT max(d) FROM unnest(days) AS d)) AS u
    WHERE u.day = ANY (days)
  ), gone AS (
    DELETE FROM weir.day_first_uses AS u
    WHERE u.tenant_id = replace_first_uses.tenant AND u.zone = replace_first_uses.zone AND u.day = ANY (days)
      AND NOT EXISTS (SELECT FROM fresh AS f WHERE f.day = u.day AND f.feature = u.feature)
  )
  INSERT INTO weir.day_first_uses AS u (tenant_id, zone, feature, day, users)
  SELECT tenant, zone, f.feature, f.day, f.users FROM fresh AS f
  ON CONFLICT (tenant_id, zone, day, feature) DO UPDATE SET users = excluded.users
  WHERE u.users <> excluded.users
$$;

CREATE FUNCTION weir.compare_first_uses(tenant text, zone text, day date)
RETURNS TABLE (part text, subject text, value text, kept text, counted text)
LANGUAGE sql STABLE
AS $$
  SELECT 'day_first_uses', 'feature', coalesce(k.feature, c.feature), k.users::text, c.users::text
  FROM (SELECT * FROM weir.day_first_uses AS u
    WHERE u.tenant_id = compare_first_uses.tenant AND u.zone = compare_first_uses.zone AND u.day = compare_first_uses.day) AS k
  FULL JOIN weir.first_uses_of_days(compare_first_uses.tenant, compare_first_uses.zone, compare_first_uses.day, compare_first_uses.day) AS c ON c.feature = k.feature
  WHERE k.users IS DISTINCT FROM c.users
$$;
GRANT EXECUTE ON FUNCTION weir.first_uses_of_days(text, text, date, date), weir.compare_first_uses(text, text, date) TO weir_reader;
