-- Users by a rule: how many they are, how active, and whether they come back.
--
--   SELECT weir.cohorts_answer('acme', '2026-03-01', '2026-03-31', 'Europe/Berlin',
--     rule => '{"did": [{"event": "sale", "properties": {"paid": "pix"}, "at_least": 3}], "not": [{"event": "refund"}], "where": {"country": "BR"}}');
--
-- The window is from one day to another, both counted, in a time zone. A rule has
--
--   did          one to five patterns (patterns.sql): the user had each of them within the window, `at_least` times, once if
--                not given, up to 1,000,000
--   not          none to five patterns that he had not, or fewer than `at_least` times
--   where        a filter that holds for the events of all of them
--
--   size         users who fit; share: of those active within the window
--   events       how often they had each of `did`, in its order
--   active_days  days within the window on which they were active, in the mean
--   days         how many of them were active on each day of the window
--   weeks        how many came back in the first to fourth week of seven days after the window, and the share; NULL for weeks
--                that are not over
--
-- Who fits is read from the rows, activity from the roll-ups; exact. While rows of the window are not in the roll-ups yet,
-- what came since `as_of` counts in part, and `exact` is false.
SET LOCAL ROLE weir_owner;
SET LOCAL check_function_bodies = off;

-- The conditions of a rule, one after the other: {"wanted": true, "at_least": 3, "pattern": {…}}.
CREATE OR REPLACE FUNCTION weir.rule_of(parameter text, said text) RETURNS jsonb
LANGUAGE plpgsql STABLE
AS $$
DECLARE
  rule constant jsonb := weir.needed_json(parameter, said, '{"did": [{"event": "sale"}]}');
  conditions jsonb := jsonb_build_array();
  list record;
  one record;
BEGIN
  PERFORM weir.check_names(parameter, parameter, rule, '{did,not,where}');
  IF rule ? 'where' THEN
    PERFORM weir.checked_pattern(parameter, parameter || '.where', rule -> 'where', false);
  END IF;
  FOR list IN SELECT * FROM (VALUES ('did', 1), ('not', 0)) AS l (name, lowest) LOOP
    IF rule ? list.name OR list.lowest > 0 THEN
      IF jsonb_typeof(rule -> list.name) IS DISTINCT FROM 'array' OR jsonb_array_length(rule -> list.name) NOT BETWEEN list.lowest AND 5 THEN
        PERFORM weir.refuse(parameter, format('%s.%s has to be a list of %s to 5 events', parameter, list.name, list.lowest));
      END IF;
      FOR one IN
        SELECT c.said, format('%s.%s[%s]', parameter, list.name, c.place) AS place
        FROM jsonb_array_elements(rule -> list.name) WITH ORDINALITY AS c (said, place)
      LOOP
        conditions := conditions || jsonb_build_object('wanted', list.name = 'did',
          'pattern', weir.checked_pattern(parameter, one.place, one.said, true, '{at_least}') - 'at_least',
          'at_least', weir.whole_number(parameter, one.place || '.at_least', one.said -> 'at_least', 1, 1000000, 1));
      END LOOP;
    END IF;
  END LOOP;
  RETURN jsonb_build_object('conditions', conditions, 'where', coalesce(rule -> 'where', '{}'));
END
$$;

-- What a server can say of its own users: `size`, `active`, `active_days`; `events` by place, `day` by day, `week` by its
-- number. All of it adds up.
CREATE OR REPLACE FUNCTION weir.cohorts_by_rule_partial(tenant text, first_day date, last_day date, zone text, rule jsonb)
RETURNS SETOF weir.part
LANGUAGE sql STABLE
SET jit = off SET work_mem = '64MB' SET enable_nestloop = off
AS $$
  WITH conditions AS MATERIALIZED (
    SELECT c.place::integer AS place, (c.said ->> 'wanted')::boolean AS wanted, (c.said ->> 'at_least')::bigint AS at_least
    FROM jsonb_array_elements(rule -> 'conditions') WITH ORDINALITY AS c (said, place)
  ), counts AS MATERIALIZED (
    SELECT r.number, r.place, r.times, c.wanted, r.times >= c.at_least AS met
    FROM weir.counts_of_patterns(tenant, zone, first_day, last_day,
      weir.narrowed(jsonb_path_query_array(rule, '$.conditions[*].pattern'), rule -> 'where')) AS r
    JOIN conditions AS c ON c.place = r.place
  ), members AS MATERIALIZED (
    SELECT c.number FROM counts AS c
    GROUP BY c.number
    HAVING count(*) FILTER (WHERE c.wanted AND c.met) = (SELECT count(*) FROM conditions AS w WHERE w.wanted)
      AND count(*) FILTER (WHERE NOT c.wanted AND c.met) = 0
  ), sets AS MATERIALIZED (
    SELECT m.number / 20480 AS chunk, weir.at_bits(m.number % 20480, 1) AS users FROM members AS m GROUP BY m.number / 20480
  ), active AS MATERIALIZED (
    SELECT a.day, a.chunk, a.users FROM weir.active_users(tenant, zone, first_day, last_day + 28) AS a
  ), days AS MATERIALIZED (
    SELECT a.day, sum(bit_count(a.users & s.users)) AS users
    FROM active AS a JOIN sets AS s ON s.chunk = a.chunk
    WHERE a.day <= last_day
    GROUP BY a.day
  )
  SELECT 'size', '', count(*)::numeric FROM members
  UNION ALL
  SELECT 'active', '', sum(bit_count(u.users)) FROM (SELECT bit_or(a.users) AS users FROM active AS a WHERE a.day <= last_day GROUP BY a.chunk) AS u
  UNION ALL
  SELECT 'events', c.place::text, sum(c.times) FROM counts AS c JOIN members AS m ON m.number = c.number WHERE c.wanted GROUP BY c.place
  UNION ALL
  SELECT 'day', d.day::text, d.users FROM days AS d
  UNION ALL
  SELECT 'week', w.week::text, sum(bit_count(w.users & s.users))
  FROM (
    SELECT (a.day - last_day + 6) / 7 AS week, a.chunk, bit_or(a.users) AS users FROM active AS a WHERE a.day > last_day GROUP BY 1, a.chunk
  ) AS w
  JOIN sets AS s ON s.chunk = w.chunk
  GROUP BY w.week
$$;

-- The answer, from the parts of all servers; `today` says which weeks are over.
CREATE OR REPLACE FUNCTION weir.cohorts_by_rule_merge(parts weir.part[], first_day date, last_day date, rule jsonb, today date) RETURNS jsonb
LANGUAGE sql IMMUTABLE
AS $$
  SELECT jsonb_build_object('size', k.size, 'share', weir.ratio(k.size, weir.amount_of(parts, 'active')),
    'events', (SELECT jsonb_agg(weir.amount_of(parts, 'events', c.place::text) ORDER BY c.place)
      FROM jsonb_array_elements(rule -> 'conditions') WITH ORDINALITY AS c (said, place) WHERE (c.said ->> 'wanted')::boolean),
    'active_days', weir.ratio((SELECT coalesce(sum(p.amount), 0) FROM unnest(parts) AS p WHERE p.figure = 'day'), k.size),
    'days', (SELECT jsonb_agg(jsonb_build_object('start', d.day, 'active', coalesce(s.users, 0)) ORDER BY d.day)
      FROM (SELECT first_day + n AS day FROM generate_series(0, last_day - first_day) AS n) AS d
      LEFT JOIN (SELECT p.key, sum(p.amount) AS users FROM unnest(parts) AS p WHERE p.figure = 'day' GROUP BY p.key) AS s ON s.key = d.day::text),
    'weeks', (SELECT jsonb_agg(jsonb_build_object('start', last_day + 7 * n - 6, 'returned', w.users, 'share', weir.ratio(w.users, k.size)) ORDER BY n)
      FROM generate_series(1, 4) AS n,
        LATERAL (SELECT CASE WHEN last_day + 7 * n < today THEN weir.amount_of(parts, 'week', n::text) END AS users) AS w))
  FROM (SELECT weir.amount_of(parts, 'size') AS size) AS k
$$;

CREATE OR REPLACE FUNCTION weir.cohorts_answer(tenant text, first_day date, last_day date, zone text DEFAULT 'UTC', rule text DEFAULT NULL) RETURNS jsonb
LANGUAGE sql STABLE
AS $$
  SELECT weir.answered(tenant, first_day, last_day, zone, 'both',
    weir.cohorts_by_rule_merge(ARRAY(SELECT p FROM weir.cohorts_by_rule_partial(tenant, first_day, last_day, z.name, a.rule) AS p),
      first_day, last_day, a.rule, (now() AT TIME ZONE zone)::date))
  FROM (SELECT weir.rule_of('rule', rule) AS rule OFFSET 0) AS a, weir.readable_zone(tenant, zone, first_day, last_day + 28) AS z (name)
$$;
COMMENT ON FUNCTION weir.cohorts_answer(text, date, date, text, text) IS
  'Users by a rule: size, activity, return. sql/analytics/cohorts.sql defines it.';

GRANT EXECUTE ON FUNCTION weir.rule_of(text, text),
  weir.cohorts_by_rule_partial(text, date, date, text, jsonb), weir.cohorts_by_rule_merge(weir.part[], date, date, jsonb, date),
  weir.cohorts_answer(text, date, date, text, text) TO weir_reader;
