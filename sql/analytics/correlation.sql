-- Whether users of a feature differ from the others in some value. It is no proof that the feature is the cause.
--
--   SELECT weir.correlation_answer('acme', '2026-03-01', '2026-03-31', 'Europe/Berlin',
--     feature => '{"event": "whatsapp_sent"}', outcome => '{"event": "sale", "sum": "valor"}');
--
-- The window is from one day to another, both counted, in a time zone. Users are those active within it.
--
--   feature      a pattern (patterns.sql): a user has it with one such event within the window, and else not
--   outcome      one of these, each user's value
--                {"retained": 7}                     1 if active on one of so many days after the window, to 90, and else 0.
--                                                    Until these are over nobody knows: means, difference and r are NULL, and
--                                                    `incomplete` says from when on they are told
--                {"event": "sale"}                   1 if there was such an event within the window, and else 0
--                {"event": "sale", "sum": "valor"}   the sum of a number within the window, 0 if there is none
--                {"event": "nps", "last": "score"}   the latest such number, of several at one moment the least; users without
--                                                    one are left out
--   with, without
--                users with and without the feature, and the mean of their values
--   difference   of the means, with its interval: Welch's, by the normal distribution
--   r            the correlation of having the feature with the value: phi where that is 0 or 1, else point-biserial;
--                interval: by Fisher's transformation, NULL where r is 1 or -1. Both are NULL where one of the two does not vary, or
--                with fewer than four users
--
-- Intervals hold in 95 of 100 samples. Activity, and who did an event of a name, is read from the roll-ups, in a zone that is not kept but for the
-- two days that the window cuts; numbers, and events of which more than a name is asked, one by one (happened.sql), and so are all where a day has
-- more names than are kept. Exact. While rows of the window are not in the roll-ups yet, what came since `as_of` counts
-- in part, and `exact` is false.
SET LOCAL ROLE weir_owner;
SET LOCAL check_function_bodies = off;

-- The outcome as {"kind": …, "days": …, "pattern": …, "property": …}.
CREATE OR REPLACE FUNCTION weir.outcome_of(parameter text, said text) RETURNS jsonb
LANGUAGE plpgsql STABLE
AS $$
DECLARE
  such constant text := '{"retained": 7}, {"event": "sale"}, {"event": "sale", "sum": "price"} or {"event": "nps", "last": "score"}';
  outcome constant jsonb := weir.needed_json(parameter, said, such);
  kind text;
BEGIN
  PERFORM weir.check_names(parameter, parameter, outcome, '{retained,event,properties,version,platform,country,sum,last}');
  IF NOT outcome ?| '{retained,event}' THEN
    PERFORM weir.refuse(parameter, format('%s has to have retained or an event, such as %s', parameter, such));
  ELSIF outcome ? 'retained' THEN
    PERFORM weir.check_names(parameter, parameter, outcome, '{retained}');
    RETURN jsonb_build_object('kind', 'retained', 'days', weir.whole_number(parameter, parameter || '.retained', outcome -> 'retained', 1, 90, 7));
  END IF;
  PERFORM weir.checked_pattern(parameter, parameter, outcome, true, '{sum,last}');
  IF outcome ? 'sum' AND outcome ? 'last' THEN
    PERFORM weir.refuse(parameter, parameter || ' has sum and last: say one of them');
  END IF;
  kind := CASE WHEN outcome ? 'sum' THEN 'sum' WHEN outcome ? 'last' THEN 'last' ELSE 'did' END;
  IF kind <> 'did' THEN
    PERFORM weir.check_text(parameter, parameter || '.' || kind, outcome -> kind);
  END IF;
  RETURN jsonb_build_object('kind', kind, 'pattern', outcome - '{sum,last}'::text[], 'property', outcome -> kind);
END
$$;

-- Who had an event of a name on days of a zone, or any event (NULL), by the sets of its days.
CREATE OR REPLACE FUNCTION weir.users_in_sets(tenant text, zone text, first_day date, last_day date, event text) RETURNS TABLE (chunk integer, users bit)
LANGUAGE sql STABLE
SET jit = off
AS $$
  SELECT d.chunk, bit_or(d.users)
  FROM weir.day_sets AS d
  WHERE d.tenant_id = tenant AND d.zone = users_in_sets.zone AND d.day BETWEEN first_day AND last_day
    AND d.subject = CASE WHEN users_in_sets.event IS NULL THEN 'active' ELSE 'event' END AND d.value = coalesce(users_in_sets.event, '')
  GROUP BY d.chunk
$$;

-- The same of any zone: where its days are not kept, of the UTC days that lie in the window wholly, and of those that it cuts from their
-- events.
CREATE OR REPLACE FUNCTION weir.users_with(tenant text, zone text, first_day date, last_day date, event text) RETURNS TABLE (chunk integer, users bit)
LANGUAGE plpgsql STABLE
SET jit = off SET work_mem = '64MB'
AS $$
DECLARE
  cut record;
BEGIN
  IF weir.keeps_zone(tenant, zone) THEN
    RETURN QUERY SELECT * FROM weir.users_in_sets(tenant, zone, first_day, last_day, event);
    RETURN;
  END IF;
  SELECT * INTO cut FROM weir.cut_days(first_day, last_day, zone);
  RETURN QUERY SELECT s.chunk, bit_or(s.users)
  FROM (
    SELECT * FROM weir.users_in_sets(tenant, 'UTC', cut.first_cut + 1, cut.last_cut - 1, event)
    UNION ALL
    SELECT (e.number / 20480)::integer, weir.at_bits((e.number % 20480)::integer, 1)
    FROM unnest(ARRAY[cut.first_cut, cut.last_cut]) AS c (day)
    CROSS JOIN LATERAL weir.all_happened(tenant, c.day::timestamp AT TIME ZONE 'UTC', (c.day + 1)::timestamp AT TIME ZONE 'UTC', '{}') AS e
    WHERE e.number >= 0 AND (users_with.event IS NULL OR e.event = users_with.event) AND (e.at AT TIME ZONE zone)::date BETWEEN first_day AND last_day
    GROUP BY 1
  ) AS s (chunk, users)
  GROUP BY s.chunk;
END
$$;

-- Who did what a pattern says. A day with more names of events than are kept has no set of some.
CREATE OR REPLACE FUNCTION weir.users_who(tenant text, zone text, first_day date, last_day date, pattern jsonb) RETURNS TABLE (chunk integer, users bit)
LANGUAGE plpgsql STABLE
SET jit = off
AS $$
BEGIN
  IF weir.asks_more(pattern) OR EXISTS (
    SELECT FROM weir.day_counts AS d WHERE d.tenant_id = tenant AND d.subject = 'event_other' AND d.day BETWEEN first_day - 1 AND last_day + 1)
  THEN
    RETURN QUERY SELECT c.number / 20480, weir.at_bits(c.number % 20480, 1)
    FROM weir.counts_of_patterns(tenant, zone, first_day, last_day, jsonb_build_array(pattern)) AS c
    GROUP BY 1;
  ELSE
    RETURN QUERY SELECT * FROM weir.users_with(tenant, zone, first_day, last_day, pattern ->> 'event');
  END IF;
END
$$;

-- What a number adds up to for each user who has one in events that fit a pattern (of packs as heavy_users.sql has it); nothing unless `wanted`.
CREATE OR REPLACE FUNCTION weir.sums_of_users(tenant text, first_day date, last_day date, zone text, pattern jsonb, property text, wanted boolean)
RETURNS TABLE (number integer, value numeric)
LANGUAGE sql STABLE
SET jit = off SET work_mem = '64MB' SET enable_nestloop = on
AS $$
  SELECT s.number::integer, sum(s.value)
  FROM (
    SELECT t.number, t.total AS value
    FROM (SELECT jsonb_build_array(pattern) AS patterns, w.since, w.until FROM weir.window_of(zone, first_day, last_day) AS w OFFSET 0) AS w
    CROSS JOIN LATERAL weir.all_totals_of_packs(weir.halves_with_rows(tenant, w.patterns, w.since, w.until, '{}'), tenant, w.patterns, property, zone,
      first_day, last_day) AS t
    UNION ALL
    SELECT r.number, weir.number_at(r.properties, property)
    FROM weir.window_of(zone, first_day, last_day) AS w
    CROSS JOIN LATERAL weir.happened_in_rows(tenant, jsonb_build_array(pattern), w.since, w.until, '{}') AS r
    WHERE r.number >= 0 AND (r.sure OR (r.at AT TIME ZONE zone)::date BETWEEN first_day AND last_day)
  ) AS s
  WHERE wanted AND s.value IS NOT NULL
  GROUP BY s.number
$$;

-- Each user's latest number in them, likewise.
CREATE OR REPLACE FUNCTION weir.latest_of_users(tenant text, first_day date, last_day date, zone text, pattern jsonb, property text, wanted boolean)
RETURNS TABLE (number integer, value numeric)
LANGUAGE sql STABLE
SET jit = off SET work_mem = '128MB' SET enable_nestloop = on SET cpu_tuple_cost = 1 SET parallel_tuple_cost = 5
AS $$
  SELECT n.number::integer, (array_agg(n.value ORDER BY n.at DESC, n.value))[1]
  FROM (
    SELECT e.number, e.at, weir.number_at(e.properties, property) AS value
    FROM weir.fitting_events(tenant, zone, first_day, last_day, jsonb_build_array(pattern), '{}', '{properties}') AS e
    WHERE wanted AND e.number >= 0
  ) AS n
  WHERE n.value IS NOT NULL
  GROUP BY n.number
$$;

-- What a server can say of its own users: `users`, `sum` and `squares` of the values, by 'with' and 'without'.
CREATE OR REPLACE FUNCTION weir.correlation_partial(tenant text, first_day date, last_day date, zone text, feature jsonb, outcome jsonb)
RETURNS SETOF weir.part
LANGUAGE sql STABLE
SET jit = off SET work_mem = '64MB' SET enable_nestloop = off
AS $$
  WITH active AS MATERIALIZED (
    SELECT * FROM weir.users_with(tenant, zone, first_day, last_day, NULL)
  ), owners AS MATERIALIZED (
    SELECT * FROM weir.users_who(tenant, zone, first_day, last_day, feature)
  ), groups AS MATERIALIZED (
    SELECT 'with' AS key, a.chunk, a.users & o.users AS users FROM owners AS o JOIN active AS a ON a.chunk = o.chunk
    UNION ALL
    SELECT 'without', a.chunk, a.users & ~coalesce(o.users, a.users & ~a.users) FROM active AS a LEFT JOIN owners AS o ON o.chunk = a.chunk
  ), winners AS (
    SELECT u.chunk, u.users FROM weir.users_who(tenant, zone, first_day, last_day, outcome -> 'pattern') AS u WHERE outcome ->> 'kind' = 'did'
    UNION ALL
    SELECT u.chunk, u.users
    FROM weir.users_with(tenant, zone, last_day + 1, last_day + coalesce((outcome ->> 'days')::integer, 0), NULL) AS u
    WHERE outcome ->> 'kind' = 'retained'
  ), numbers AS MATERIALIZED (
    SELECT * FROM weir.sums_of_users(tenant, first_day, last_day, zone, outcome -> 'pattern', outcome ->> 'property', outcome ->> 'kind' = 'sum')
    UNION ALL
    SELECT * FROM weir.latest_of_users(tenant, first_day, last_day, zone, outcome -> 'pattern', outcome ->> 'property', outcome ->> 'kind' = 'last')
  ), sums AS (
    SELECT g.key, count(*) AS users, sum(n.value) AS sum, sum(n.value * n.value) AS squares
    FROM numbers AS n JOIN groups AS g ON g.chunk = n.number / 20480
    WHERE get_bit(g.users, n.number % 20480) = 1
    GROUP BY g.key
    UNION ALL
    -- Of those whose value is 1, the others' being 0.
    SELECT g.key, NULL, sum(bit_count(g.users & w.users)), sum(bit_count(g.users & w.users))
    FROM groups AS g JOIN winners AS w ON w.chunk = g.chunk
    GROUP BY g.key
  )
  SELECT 'users', g.key, sum(bit_count(g.users)) FROM groups AS g WHERE outcome ->> 'kind' <> 'last' GROUP BY g.key
  UNION ALL
  SELECT 'users', s.key, s.users FROM sums AS s WHERE outcome ->> 'kind' = 'last'
  UNION ALL
  SELECT f.figure, s.key, f.amount
  FROM sums AS s, LATERAL (VALUES ('sum', coalesce(s.sum, 0)), ('squares', coalesce(s.squares, 0))) AS f (figure, amount)
$$;

-- A number and how far it may be off: [lower, upper].
CREATE OR REPLACE FUNCTION weir.interval_around(middle numeric, off numeric) RETURNS jsonb
LANGUAGE sql IMMUTABLE
AS $$
  SELECT CASE WHEN middle IS NOT NULL AND off IS NOT NULL THEN jsonb_build_array(round(middle - off, 6), round(middle + off, 6)) END
$$;

-- The answer, from the parts of all servers. (A number may be as large as 1e300, and a float8 has no room for its square.)
CREATE OR REPLACE FUNCTION weir.correlation_merge(parts weir.part[], outcome jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE
AS $$
  WITH said AS (
    SELECT k.*, k.n1 + k.n0 AS n, k.s1 / nullif(k.n1, 0) AS m1, k.s0 / nullif(k.n0, 0) AS m0,
      -- Variances of the values, each of its group.
      CASE WHEN k.n1 > 1 THEN greatest(0, (k.q1 - k.s1 ^ 2 / k.n1) / (k.n1 - 1)) END AS v1,
      CASE WHEN k.n0 > 1 THEN greatest(0, (k.q0 - k.s0 ^ 2 / k.n0) / (k.n0 - 1)) END AS v0
    FROM (
      SELECT weir.amount_of(parts, 'users', 'with') AS n1, weir.amount_of(parts, 'users', 'without') AS n0,
        weir.amount_of(parts, 'sum', 'with') AS s1, weir.amount_of(parts, 'sum', 'without') AS s0,
        weir.amount_of(parts, 'squares', 'with') AS q1, weir.amount_of(parts, 'squares', 'without') AS q0
    ) AS k
  ), whole AS (
    SELECT s.*, (s.q1 + s.q0) / nullif(s.n, 0) - ((s.s1 + s.s0) / nullif(s.n, 0)) ^ 2 AS v FROM said AS s
  ), told AS (
    SELECT w.*, CASE WHEN w.n > 3 AND w.v > 0 AND w.n1 > 0 AND w.n0 > 0 THEN greatest(-1, least(1, (w.m1 - w.m0) / sqrt(w.v) * sqrt(w.n1 * w.n0) / w.n))::float8 END AS r
    FROM whole AS w
  )
  SELECT jsonb_build_object('n', t.n, 'with', jsonb_build_object('users', t.n1, 'mean', round(t.m1, 6)),
    'without', jsonb_build_object('users', t.n0, 'mean', round(t.m0, 6)),
    'difference', jsonb_build_object('value', round(t.m1 - t.m0, 6),
      'interval', weir.interval_around(t.m1 - t.m0, 1.959964 * sqrt(t.v1 / nullif(t.n1, 0) + t.v0 / nullif(t.n0, 0)))),
    'r', round(t.r::numeric, 6), 'method', CASE WHEN outcome ->> 'kind' IN ('did', 'retained') THEN 'phi' ELSE 'point-biserial' END,
    -- Of a perfect correlation there is none, however its r was rounded.
    'interval', CASE WHEN abs(t.r) < 1 - 1e-12 THEN jsonb_build_array(
      round(tanh(atanh(t.r) - 1.959964 / sqrt((t.n - 3)::float8))::numeric, 6),
      round(tanh(atanh(t.r) + 1.959964 / sqrt((t.n - 3)::float8))::numeric, 6)) END,
    'warning', 'Correlation is no cause: those who use a feature may differ from the others in much else. An experiment can tell.')
  FROM told AS t
$$;

-- Without what only the days up to a last one tell (NULL: no such days), where that is not over.
CREATE OR REPLACE FUNCTION weir.until_over(answer jsonb, last_day date, today date) RETURNS jsonb
LANGUAGE sql STABLE
AS $$
  SELECT CASE WHEN last_day < today IS NOT FALSE THEN answer
    ELSE weir.with_reason(answer || jsonb_build_object('with', answer -> 'with' || '{"mean": null}', 'without', answer -> 'without' || '{"mean": null}',
      'difference', '{"value": null, "interval": null}'::jsonb, 'r', NULL, 'interval', NULL),
      format('who comes back until %s is known from %s on: ask for a window that ends earlier', last_day, last_day + 1)) END
$$;

CREATE OR REPLACE FUNCTION weir.correlation_answer(tenant text, first_day date, last_day date, zone text DEFAULT 'UTC', feature text DEFAULT NULL,
  outcome text DEFAULT NULL) RETURNS jsonb
LANGUAGE sql STABLE
AS $$
  SELECT weir.answered(tenant, first_day, last_day, zone, 'both', weir.until_over(weir.correlation_merge(ARRAY(
    SELECT p FROM weir.correlation_partial(tenant, first_day, last_day, zone, a.feature, a.outcome) AS p), a.outcome),
    last_day + (a.outcome ->> 'days')::integer, (now() AT TIME ZONE zone)::date))
  FROM (SELECT weir.needed_pattern('feature', feature) AS feature, weir.outcome_of('outcome', outcome) AS outcome OFFSET 0) AS a
$$;
COMMENT ON FUNCTION weir.correlation_answer(text, date, date, text, text, text) IS
  'Whether users of a feature differ from the others in a value. sql/analytics/correlation.sql defines it.';

GRANT EXECUTE ON FUNCTION weir.outcome_of(text, text), weir.users_in_sets(text, text, date, date, text),
  weir.users_with(text, text, date, date, text), weir.users_who(text, text, date, date, jsonb), weir.sums_of_users(text, date, date, text, jsonb, text, boolean),
  weir.latest_of_users(text, date, date, text, jsonb, text, boolean),
  weir.correlation_partial(text, date, date, text, jsonb, jsonb), weir.interval_around(numeric, numeric),
  weir.correlation_merge(weir.part[], jsonb), weir.until_over(jsonb, date, date), weir.correlation_answer(text, date, date, text, text, text) TO weir_reader;
