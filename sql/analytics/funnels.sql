-- How far users get on a way of several steps, and how long they take.
--
--   SELECT weir.funnels_answer('acme', '2026-03-01', '2026-03-31', 'Europe/Berlin',
--     steps => '[{"event": "login"}, {"event": "venda_criada", "properties": {"metodo_pagamento": "pix"}}]',
--     within => 86400, split => 'country', filter => '{"platform": "iOS"}');
--
-- The window is from one day to another, both counted, in a time zone. Steps are two to eight patterns (patterns.sql).
--
--   start        a user's first event within the window that fits the first step. Each user counts once, from there
--                (Mixpanel's "uniques": the time runs from the first start, and no later start begins it anew)
--   step         the first event that fits it, is not before that of the step before, and comes at most `within` seconds
--                after the start, be that after the window, too. Other events may lie between. Of events of one moment
--                nobody knows the order: they count in that of the steps, but one event never for two steps: of steps with
--                the same event's name the later one needs a later moment
--   users        who reached the step
--   conversion   of those who started; from_former: of those who reached the step before; lost: those who did not go on
--   seconds      from the step before, and from the start, of those who reached it: median, p75, p95, mean
--   splits       the same for each value of a property, or of version, platform or country, as the event has it that is the
--                user's start ("first touch"): the values with the most starts, NULL being those without one; `other` is all
--                that are not listed
--
-- The filter holds for the events of all steps. Events without a user are no steps. A late event counts at its own time.
-- Read event by event (happened.sql). Percentiles come from histograms and are off by 1 % at most; all else is exact, but where a server
-- has more than a thousand values to split by: then those with the fewest starts are in `other`, and `exact` is false.
SET LOCAL ROLE weir_owner;
SET LOCAL check_function_bodies = off;

-- For each step the last one before it that has the same event, or NULL.
CREATE OR REPLACE FUNCTION weir.same_events(steps jsonb) RETURNS integer[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
  SELECT array_agg((
    SELECT max(b.step)::integer FROM jsonb_array_elements(steps) WITH ORDINALITY AS b (pattern, step)
    WHERE b.step < p.step AND b.pattern -> 'event' = p.pattern -> 'event') ORDER BY p.step)
  FROM jsonb_array_elements(steps) WITH ORDINALITY AS p (pattern, step)
$$;

-- Of users from one number up to another: the start as a number (moments.sql) and its value, the least of several at one moment. `starts` has
-- their moments.
CREATE OR REPLACE FUNCTION weir.funnel_starts(lowest bigint, beyond bigint, asked weir.asked, pattern jsonb, split text, bits integer, rows weir.moments,
  starts bigint[])
RETURNS TABLE (code bigint, value text)
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
  SELECT (s.number << bits) + s.moment, NULL
  FROM (SELECT generate_series(0::bigint, cardinality(starts) - 1) AS number, unnest(starts) AS moment) AS s
  WHERE split IS NULL AND s.moment <> weir.never()
  UNION ALL
  SELECT v.code, min(v.value COLLATE "C")
  FROM (
    SELECT e.code, weir.value_by(split, e.version, e.platform, e.country, e.properties) AS value
    FROM weir.valued_events(lowest, beyond, asked, pattern, bits, ARRAY[CASE WHEN split IN ('version', 'platform', 'country') THEN split ELSE 'properties' END],
      split IS NOT NULL, starts, 0, true) AS e
    UNION ALL
    SELECT (n.number << bits) + n.moment, n.value
    FROM (
      SELECT r.number - lowest AS number, weir.microseconds(r.at) - weir.microseconds(asked.since) AS moment, r.value
      FROM unnest(rows.numbers, rows.moments, rows.values) AS r (number, at, value)
      WHERE split IS NOT NULL AND r.number >= lowest AND r.number < beyond
    ) AS n
    WHERE weir.is_near(n.number, n.moment, starts, 0)
  ) AS v
  GROUP BY v.code
$$;

-- Of users from one number up to another: how many reached a step in which time `since` the former one or the start, by slot, and in how many
-- seconds together; of the first step how many there are. `same` as same_events() says; `patience` is microseconds. `reached` has a line for
-- each step: the events, as numbers (moments.sql), in the order of `starts`. With generic plans, since a custom one would have these lists copied
-- into it, several times each; and where a list is searched, it is made flat once.
CREATE OR REPLACE FUNCTION weir.funnel_users(lowest bigint, beyond bigint, tenant text, first_day date, last_day date, zone text, patterns jsonb,
  same integer[], patience bigint, split text, rows weir.moments[])
RETURNS TABLE (step integer, said text, since text, slot integer, users bigint, seconds numeric)
LANGUAGE plpgsql STABLE PARALLEL SAFE ROWS 1000
SET plan_cache_mode = force_generic_plan SET jit = off SET work_mem = '128MB' SET enable_mergejoin = off
SET enable_sort = off SET max_parallel_workers_per_gather = 0
AS $$
#variable_conflict use_column
DECLARE
  origin constant timestamptz := lower(weir.span_of_day(zone, first_day));
  last constant timestamptz := upper(weir.span_of_day(zone, last_day));
  until constant timestamptz := last + patience * interval '1 microsecond';
  bits constant integer := weir.bits_of(origin, until);
  asked constant weir.asked := weir.asked_of_span(tenant, origin, last, zone, first_day, last_day);
  pattern jsonb := jsonb_build_array(patterns -> 0);
  firsts constant bigint[] := weir.first_moments(lowest, beyond, asked, pattern, bits, rows[1]);
  starts bigint[];
  values text[];
  reached bigint[][];
  former bigint[];
  codes bigint[];
BEGIN
  IF firsts IS NULL THEN
    RETURN;
  END IF;
  SELECT array_agg(s.code), array_agg(s.value) FILTER (WHERE split IS NOT NULL) INTO starts, values
  FROM weir.funnel_starts(lowest, beyond, asked, pattern, split, bits, rows[1], firsts) AS s;
  RETURN QUERY SELECT 1, s.value, 'start', NULL::integer, count(*), 0.0 FROM (SELECT unnest(starts) AS code, unnest(values) AS value) AS s
  GROUP BY s.value;
  reached := ARRAY[starts];
  former := starts;
  FOR n IN 2..jsonb_array_length(patterns) LOOP
    pattern := jsonb_build_array(patterns -> n - 1);
    codes := weir.sorted_events(lowest, beyond, weir.asked_of_span(tenant, origin, until), pattern, bits, rows[n], firsts, patience);
    -- The first that is not before the step before, and later than what has the same event. It may be too late: then nothing follows.
    codes := ARRAY(
      SELECT CASE WHEN s.former <= s.start + patience THEN s.codes[width_bucket(greatest(s.former, s.same + 1) - 1, s.codes) + 1] END
      FROM (
        SELECT c.codes, unnest(starts) AS start, unnest(former) AS former, unnest(reached[same[n]:same[n]]) AS same FROM (SELECT codes || '{}' AS codes OFFSET 0) AS c
      ) AS s
    );
    RETURN QUERY SELECT n, s.value, CASE WHEN grouping(s.former_slot) = 0 THEN 'former' ELSE 'start' END, coalesce(s.former_slot, s.start_slot),
      count(*), CASE WHEN grouping(s.former_slot) = 0 THEN sum(s.former) ELSE sum(s.start) END * 0.000001
    FROM (
      SELECT s.value, s.code - s.former AS former, s.code - s.start AS start, weir.quick_slot((s.code - s.former) / 1e6::float8) AS former_slot,
        weir.quick_slot((s.code - s.start) / 1e6::float8) AS start_slot
      FROM (
        SELECT unnest(starts) AS start, unnest(former) AS former, unnest(codes) AS code, unnest(values) AS value
      ) AS s
      WHERE s.code <= s.start + patience
    ) AS s
    GROUP BY GROUPING SETS ((s.value, s.former_slot), (s.value, s.start_slot));
    reached := reached || codes;
    former := codes;
  END LOOP;
END
$$;

-- The same for as many users at a time as have room in numbers; one process does all of it.
CREATE OR REPLACE FUNCTION weir.funnel_cells(lowest bigint, beyond bigint, tenant text, first_day date, last_day date, zone text, patterns jsonb,
  same integer[], patience bigint, split text, rows weir.moments[])
RETURNS TABLE (step integer, said text, since text, slot integer, users bigint, seconds numeric)
LANGUAGE sql STABLE PARALLEL SAFE COST 1000000000 ROWS 1000
SET jit = off SET max_parallel_workers_per_gather = 0
AS $$
  SELECT u.*
  FROM weir.turns_of_users(lowest, beyond, lower(weir.span_of_day(zone, first_day)),
    upper(weir.span_of_day(zone, last_day)) + patience * interval '1 microsecond') AS t
  CROSS JOIN LATERAL weir.funnel_users(t.first, t.next, tenant, first_day, last_day, zone, patterns, same, patience, split, rows) AS u
$$;

-- The same of all users, a half to a process.
CREATE OR REPLACE FUNCTION weir.all_funnel_cells(tenant text, first_day date, last_day date, zone text, patterns jsonb, same integer[],
  patience bigint, split text, halves bigint[], rows weir.moments[])
RETURNS TABLE (step integer, said text, since text, slot integer, users bigint, seconds numeric)
LANGUAGE sql STABLE
SET jit = off
AS $$
  SELECT * FROM weir.funnel_cells(halves[1], halves[2], tenant, first_day, last_day, zone, patterns, same, patience, split, rows)
  UNION ALL
  SELECT * FROM weir.funnel_cells(halves[2], halves[3], tenant, first_day, last_day, zone, patterns, same, patience, split, rows)
$$;

-- What a server can say of its own users. All of it adds up: `users`, `former_seconds`, `start_seconds` with the key
-- [step, kind, value], `former_slot` and `start_slot` with [step, kind, value, slot]; kind is "value", or "other" where
-- there were too many.
CREATE OR REPLACE FUNCTION weir.funnels_partial(tenant text, first_day date, last_day date, zone text, steps jsonb, within integer,
  split text DEFAULT NULL, filter jsonb DEFAULT '{}')
RETURNS SETOF weir.part
LANGUAGE sql STABLE
SET jit = off SET work_mem = '64MB' SET enable_nestloop = off SET enable_mergejoin = off
AS $$
  WITH cells AS MATERIALIZED (
    SELECT g.*, coalesce(to_json(g.said)::text, 'null') AS value
    FROM (
      SELECT c.step, c.said, c.since, c.slot, sum(c.users) AS users, sum(c.seconds) AS seconds
      FROM (
        SELECT p.*, weir.moments_in_rows(tenant, p.patterns, p.since, p.until, split) AS rows
        FROM (
          SELECT weir.narrowed(steps, filter) AS patterns, lower(weir.span_of_day(zone, first_day)) AS since,
            upper(weir.span_of_day(zone, last_day)) + within * interval '1 second' AS until
          OFFSET 0
        ) AS p
        OFFSET 0
      ) AS p
      CROSS JOIN LATERAL weir.all_funnel_cells(tenant, first_day, last_day, zone, p.patterns, weir.same_events(steps), within * 1000000::bigint, split,
        weir.halves_with_rows(tenant, p.patterns, p.since, p.until, p.rows, by_user => true), p.rows) AS c
      GROUP BY c.step, c.said, c.since, c.slot
    ) AS g
  ), ranked AS MATERIALIZED (
    SELECT c.value, CASE WHEN row_number() OVER (ORDER BY sum(c.users) DESC, c.value COLLATE "C") > 1000 THEN 'other' ELSE 'value' END AS kind
    FROM cells AS c WHERE c.step = 1
    GROUP BY c.value
  ), told AS MATERIALIZED (
    SELECT c.step, k.kind, CASE k.kind WHEN 'value' THEN c.value ELSE 'null' END AS value, c.since, c.slot, c.users, c.seconds
    FROM cells AS c JOIN ranked AS k ON k.value = c.value
  ), sums AS (
    SELECT jsonb_build_array(t.step, t.kind, t.value::jsonb)::text AS key, sum(t.users) FILTER (WHERE t.since = 'start') AS users,
      sum(t.seconds) FILTER (WHERE t.since = 'former') AS former, sum(t.seconds) FILTER (WHERE t.since = 'start') AS start
    FROM told AS t
    GROUP BY t.step, t.kind, t.value
  )
  SELECT f.figure, s.key, f.amount
  FROM sums AS s, LATERAL (VALUES ('users', s.users), ('former_seconds', coalesce(s.former, 0)), ('start_seconds', s.start)) AS f (figure, amount)
  UNION ALL
  SELECT t.since || '_slot', jsonb_build_array(t.step, t.kind, t.value::jsonb, t.slot)::text, sum(t.users)
  FROM told AS t WHERE t.step > 1
  GROUP BY t.step, t.kind, t.value, t.since, t.slot
$$;

-- The parts by group and step; a group is [listed], [other], or [all], which has every value.
CREATE OR REPLACE FUNCTION weir.funnel_groups(parts weir.part[], split boolean, most integer)
RETURNS TABLE (kind text, value text, rank bigint, step integer, figure text, slot integer, amount numeric)
LANGUAGE sql IMMUTABLE
SET jit = off SET enable_nestloop = off SET enable_mergejoin = off
AS $$
  WITH said AS MATERIALIZED (
    SELECT p.figure, (p.key::jsonb ->> 0)::integer AS step, p.key::jsonb ->> 1 AS kind, p.key::jsonb ->> 2 AS value, (p.key::jsonb -> 2)::text AS json,
      (p.key::jsonb ->> 3)::integer AS slot, sum(p.amount) AS amount
    FROM unnest(parts) AS p
    GROUP BY p.figure, p.key
  ), ranks AS (
    SELECT s.json, row_number() OVER (ORDER BY s.amount DESC, s.value COLLATE "C") AS rank
    FROM said AS s WHERE s.figure = 'users' AND s.step = 1 AND s.kind = 'value'
  ), grouped AS (
    SELECT 'all' AS kind, NULL AS value, 0 AS rank, s.step, s.figure, s.slot, s.amount FROM said AS s
    UNION ALL
    SELECT CASE WHEN r.rank <= most THEN 'listed' ELSE 'other' END, CASE WHEN r.rank <= most THEN s.value END,
      CASE WHEN r.rank <= most THEN r.rank ELSE most + 1 END, s.step, s.figure, s.slot, s.amount
    FROM said AS s LEFT JOIN ranks AS r ON s.kind = 'value' AND r.json = s.json
    WHERE split
  )
  SELECT g.kind, g.value, g.rank, g.step, g.figure, g.slot, sum(g.amount)
  FROM grouped AS g
  GROUP BY g.kind, g.value, g.rank, g.step, g.figure, g.slot
$$;

-- The answer, from the parts of all servers.
CREATE OR REPLACE FUNCTION weir.funnels_merge(parts weir.part[], steps jsonb, split text DEFAULT NULL, most integer DEFAULT 20) RETURNS jsonb
LANGUAGE sql IMMUTABLE
SET jit = off
AS $$
  WITH grouped AS MATERIALIZED (
    SELECT * FROM weir.funnel_groups(parts, split IS NOT NULL, most)
  ), groups AS (
    SELECT g.kind, g.value, g.rank FROM grouped AS g GROUP BY g.kind, g.value, g.rank
    UNION SELECT 'all', NULL, 0
  ), sums AS (
    SELECT g.rank, g.step, sum(g.amount) FILTER (WHERE g.figure = 'users') AS users,
      sum(g.amount) FILTER (WHERE g.figure = 'former_seconds') AS former_seconds,
      sum(g.amount) FILTER (WHERE g.figure = 'start_seconds') AS start_seconds
    FROM grouped AS g WHERE g.slot IS NULL
    GROUP BY g.rank, g.step
  ), slots AS (
    SELECT g.rank, g.step, g.figure, g.slot, sum(g.amount) OVER (PARTITION BY g.rank, g.step, g.figure ORDER BY g.slot) AS so_far,
      sum(g.amount) OVER (PARTITION BY g.rank, g.step, g.figure) AS whole
    FROM grouped AS g WHERE g.slot IS NOT NULL
  ), shares AS (
    SELECT s.rank, s.step, s.figure, jsonb_object_agg(q.name, weir.slot_number(s.slot)) AS percentiles
    FROM (VALUES ('median', 50), ('p75', 75), ('p95', 95)) AS q (name, percent)
    CROSS JOIN LATERAL (
      SELECT s.rank, s.step, s.figure, min(s.slot) AS slot FROM slots AS s WHERE s.so_far >= s.whole * q.percent / 100
      GROUP BY s.rank, s.step, s.figure
    ) AS s
    GROUP BY s.rank, s.step, s.figure
  ), lines AS (
    SELECT g.kind, g.value, g.rank, jsonb_agg(jsonb_build_object('step', p.step, 'event', p.pattern ->> 'event', 'users', n.users,
      'conversion', weir.ratio(n.users, n.started), 'from_former', weir.ratio(n.users, n.former), 'lost', n.former - n.users,
      'seconds', CASE WHEN p.step > 1 THEN jsonb_build_object(
        'from_former', weir.percentiles_with_mean(n.former_seconds, n.users, f.percentiles),
        'from_start', weir.percentiles_with_mean(n.start_seconds, n.users, t.percentiles)) END)
      ORDER BY p.step) AS steps
    FROM groups AS g
    CROSS JOIN jsonb_array_elements(steps) WITH ORDINALITY AS p (pattern, step)
    CROSS JOIN LATERAL (
      SELECT coalesce(max(s.users) FILTER (WHERE s.step = p.step), 0) AS users,
        coalesce(max(s.users) FILTER (WHERE s.step = 1), 0) AS started, max(s.former_seconds) FILTER (WHERE s.step = p.step) AS former_seconds,
        CASE WHEN p.step > 1 THEN coalesce(max(s.users) FILTER (WHERE s.step = p.step - 1), 0) END AS former,
        max(s.start_seconds) FILTER (WHERE s.step = p.step) AS start_seconds
      FROM sums AS s WHERE s.rank = g.rank
    ) AS n
    LEFT JOIN shares AS f ON f.rank = g.rank AND f.step = p.step AND f.figure = 'former_slot'
    LEFT JOIN shares AS t ON t.rank = g.rank AND t.step = p.step AND t.figure = 'start_slot'
    GROUP BY g.kind, g.value, g.rank
  )
  SELECT jsonb_build_object('steps', (SELECT l.steps FROM lines AS l WHERE l.kind = 'all'),
    'splits', CASE WHEN split IS NOT NULL THEN coalesce((
      SELECT jsonb_agg(jsonb_build_object('value', l.value, 'steps', l.steps) ORDER BY l.rank) FROM lines AS l WHERE l.kind = 'listed'), '[]') END,
    'other', (SELECT l.steps FROM lines AS l WHERE l.kind = 'other'),
    'exact', NOT EXISTS (SELECT FROM unnest(parts) AS p WHERE p.key LIKE '[_, "other"%'))
$$;

CREATE OR REPLACE FUNCTION weir.funnels_answer(tenant text, first_day date, last_day date, zone text DEFAULT 'UTC', steps text DEFAULT NULL,
  within integer DEFAULT 604800, split text DEFAULT NULL, filter text DEFAULT NULL, most integer DEFAULT 20) RETURNS jsonb
LANGUAGE sql STABLE
AS $$
  SELECT weir.answered(tenant, first_day, last_day, zone, 'rows',
    jsonb_build_object('within', a.within, 'split', split, 'error', '{"percentiles": 0.01}'::jsonb) || weir.funnels_merge(ARRAY(
      SELECT p FROM weir.funnels_partial(tenant, first_day, last_day, zone, a.steps, a.within, split, a.filter) AS p), a.steps, split, a.most))
  FROM (
    SELECT weir.patterns_of('steps', steps, 2, 8) AS steps, weir.bounded('within', within, 1, 7776000) AS within,
      weir.filter_of('filter', filter) AS filter, weir.bounded('top', most, 1, 100) AS most
    OFFSET 0
  ) AS a
$$;
COMMENT ON FUNCTION weir.funnels_answer(text, date, date, text, text, integer, text, text, integer) IS
  'How many users get how far on a way of steps, and how long they take. sql/analytics/funnels.sql defines it.';

GRANT EXECUTE ON FUNCTION weir.same_events(jsonb),
  weir.funnel_starts(bigint, bigint, weir.asked, jsonb, text, integer, weir.moments, bigint[]),
  weir.funnel_users(bigint, bigint, text, date, date, text, jsonb, integer[], bigint, text, weir.moments[]),
  weir.funnel_cells(bigint, bigint, text, date, date, text, jsonb, integer[], bigint, text, weir.moments[]),
  weir.all_funnel_cells(text, date, date, text, jsonb, integer[], bigint, text, bigint[], weir.moments[]),
  weir.funnels_partial(text, date, date, text, jsonb, integer, text, jsonb), weir.funnel_groups(weir.part[], boolean, integer),
  weir.funnels_merge(weir.part[], jsonb, text, integer),
  weir.funnels_answer(text, date, date, text, text, integer, text, text, integer) TO weir_reader;
