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

-- What users from one number up to another did that fits steps and the filter, as often as it does; `value` only if it is asked
-- for. Without settings of its own, so that it becomes part of what asks.
CREATE OR REPLACE FUNCTION weir.funnel_rows(lowest bigint, beyond bigint, tenant text, since timestamptz, until timestamptz, steps jsonb,
  split text, filter jsonb)
RETURNS TABLE (step integer, number bigint, at timestamptz, value text)
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
  SELECT e.place, e.number, e.at,
    CASE WHEN (SELECT split IS NOT NULL) THEN weir.value_by(split, e.version, e.platform, e.country, e.properties) END
  FROM weir.happened_to(lowest, beyond, tenant, weir.narrowed(steps, filter), since, until,
    CASE WHEN split IN ('version', 'platform', 'country') THEN ARRAY[split] WHEN split IS NOT NULL THEN '{properties}'::text[] ELSE '{}' END) AS e
$$;

-- For each step the last one before it that has the same event, or NULL.
CREATE OR REPLACE FUNCTION weir.same_events(steps jsonb) RETURNS integer[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
  SELECT array_agg((
    SELECT max(b.step)::integer FROM jsonb_array_elements(steps) WITH ORDINALITY AS b (pattern, step)
    WHERE b.step < p.step AND b.pattern -> 'event' = p.pattern -> 'event') ORDER BY p.step)
  FROM jsonb_array_elements(steps) WITH ORDINALITY AS p (pattern, step)
$$;

-- Each user's start.
CREATE OR REPLACE FUNCTION weir.funnel_starts(lowest bigint, beyond bigint, tenant text, first_day date, last_day date, zone text,
  first_step jsonb, filter jsonb)
RETURNS TABLE (number bigint, at timestamptz)
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET plan_cache_mode = force_custom_plan SET jit = off SET work_mem = '64MB' SET enable_sort = off SET enable_nestloop = on
AS $$
#variable_conflict use_column
BEGIN
  RETURN QUERY SELECT e.number, min(e.at)
  FROM weir.moments_of(lowest, beyond, tenant, weir.narrowed(jsonb_build_array(first_step), filter), lower(weir.span_of_day(zone, first_day)),
    upper(weir.span_of_day(zone, last_day))) AS e
  WHERE e.sure OR (e.at AT TIME ZONE zone)::date BETWEEN first_day AND last_day
  GROUP BY e.number;
END
$$;

-- When each user reached the second step: starts[1] is when the user with the lowest number of these began. Of those who have no
-- number yet it is every event of the step. `later`: it has to be later than the start.
CREATE OR REPLACE FUNCTION weir.funnel_seconds(lowest bigint, beyond bigint, tenant text, since timestamptz, until timestamptz,
  second_step jsonb, filter jsonb,
  starts timestamptz[], later boolean, patience interval)
RETURNS TABLE (number bigint, at timestamptz)
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET plan_cache_mode = force_custom_plan SET jit = off SET work_mem = '64MB' SET enable_sort = off SET enable_nestloop = on
AS $$
#variable_conflict use_column
BEGIN
  RETURN QUERY SELECT f.number, min(f.at)
  FROM weir.moments_of(lowest, beyond, tenant, weir.narrowed(jsonb_build_array(second_step), filter), since, until) AS f
  WHERE CASE WHEN f.number >= 0 THEN f.at >= starts[f.number - greatest(lowest, 0) + 1] AND (NOT later OR f.at > starts[f.number - greatest(lowest, 0) + 1])
    AND f.at <= starts[f.number - greatest(lowest, 0) + 1] + patience
    ELSE true END
  GROUP BY f.number, CASE WHEN f.number < 0 THEN f.at END;
END
$$;

-- Events of further steps that may be somebody's, from when he reached the second one. Where `first_alone` the first of each step is
-- enough: there is but one further step, and it may be at the moment of the one before.
CREATE OR REPLACE FUNCTION weir.funnel_followers(lowest bigint, beyond bigint, tenant text, since timestamptz, until timestamptz,
  further_steps jsonb, filter jsonb,
  starts timestamptz[], seconds timestamptz[], patience interval, first_alone boolean)
RETURNS TABLE (step integer, number bigint, at timestamptz)
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET plan_cache_mode = force_custom_plan SET jit = off SET work_mem = '64MB' SET enable_sort = off SET enable_nestloop = on
AS $$
#variable_conflict use_column
BEGIN
  RETURN QUERY SELECT f.place + 2, f.number, min(f.at)
  FROM weir.moments_of(lowest, beyond, tenant, weir.narrowed(further_steps, filter), since, until) AS f
  WHERE CASE WHEN f.number >= 0 THEN f.at >= seconds[f.number - greatest(lowest, 0) + 1] AND f.at <= starts[f.number - greatest(lowest, 0) + 1] + patience
    ELSE true END
  GROUP BY f.place, f.number, CASE WHEN f.number < 0 OR NOT first_alone THEN f.at END;
END
$$;

-- Of users from one number up to another: who reached which step, and when he reached it and each before: at[1] is the start.
-- Written out step by step, since a recursive query may not aggregate; those beyond `most` read nothing.
CREATE OR REPLACE FUNCTION weir.funnel_users(lowest bigint, beyond bigint, tenant text, first_day date, last_day date, zone text,
  steps jsonb, within integer,
  split text, filter jsonb, most integer, same integer[], patience interval)
RETURNS TABLE (step integer, value text, at timestamptz[])
LANGUAGE sql STABLE PARALLEL SAFE
SET jit = off SET work_mem = '128MB' SET enable_nestloop = off SET enable_mergejoin = off SET enable_sort = off
AS $$
  WITH started AS MATERIALIZED (
    SELECT f.number, f.at FROM weir.funnel_starts(lowest, beyond, tenant, first_day, last_day, zone, steps -> 0, filter) AS f
  ), step_1 AS MATERIALIZED (
    SELECT s.number, NULL AS value, ARRAY[s.at] AS at FROM started AS s WHERE split IS NULL
    UNION ALL
    SELECT s.number, min(f.value COLLATE "C"), ARRAY[s.at]
    FROM started AS s
    JOIN weir.funnel_rows(lowest, beyond, tenant, lower(weir.span_of_day(zone, first_day)), upper(weir.span_of_day(zone, last_day)),
      jsonb_build_array(steps -> 0), split, filter) AS f
      ON f.number = s.number AND f.at = s.at
    WHERE split IS NOT NULL
    GROUP BY s.number, s.at
  ), starts AS MATERIALIZED (
    -- By the user's number, which is dense: looked up in a fifth of the time of a join.
    SELECT array_agg(coalesce(s.at, 'infinity') ORDER BY n) AS at
    FROM generate_series(greatest(lowest, 0), (SELECT max(s.number) FROM started AS s)) AS n LEFT JOIN started AS s ON s.number = n
  ), found_seconds AS MATERIALIZED (
    SELECT f.number, f.at
    FROM weir.funnel_seconds(lowest, beyond, tenant, lower(weir.span_of_day(zone, first_day)), upper(weir.span_of_day(zone, last_day)) + patience,
      steps -> 1, filter,
      (SELECT s.at FROM starts AS s), same[2] IS NOT NULL, patience) AS f
  ), step_2 AS MATERIALIZED (
    SELECT s.number, s.value, s.at || min(f.at) AS at
    FROM step_1 AS s JOIN found_seconds AS f ON f.number = s.number AND f.at <= s.at[1] + patience
    WHERE f.at >= s.at[1] AND (same[2] IS NULL OR f.at > s.at[same[2]])
    GROUP BY s.number, s.value, s.at
  ), seconds AS MATERIALIZED (
    SELECT array_agg(coalesce(s.at[2], 'infinity') ORDER BY n) AS at
    FROM generate_series(greatest(lowest, 0), (SELECT max(s.number) FROM step_2 AS s)) AS n LEFT JOIN step_2 AS s ON s.number = n
  ), found AS MATERIALIZED (
    SELECT f.step, f.number, f.at
    FROM weir.funnel_followers(lowest, beyond, tenant, lower(weir.span_of_day(zone, first_day)), upper(weir.span_of_day(zone, last_day)) + patience,
      steps - 0 - 0, filter,
      (SELECT s.at FROM starts AS s), (SELECT s.at FROM seconds AS s), patience, most = 3 AND same[3] IS NULL) AS f
    WHERE most >= 3
  ), step_3 AS MATERIALIZED (
    SELECT s.number, s.value, s.at || min(f.at) AS at
    FROM step_2 AS s JOIN found AS f ON f.number = s.number AND f.step = 3 AND f.at <= s.at[1] + patience
    WHERE most >= 3 AND f.at >= s.at[2] AND (same[3] IS NULL OR f.at > s.at[same[3]])
    GROUP BY s.number, s.value, s.at
  ), step_4 AS MATERIALIZED (
    SELECT s.number, s.value, s.at || min(f.at) AS at
    FROM step_3 AS s JOIN found AS f ON f.number = s.number AND f.step = 4 AND f.at <= s.at[1] + patience
    WHERE most >= 4 AND f.at >= s.at[3] AND (same[4] IS NULL OR f.at > s.at[same[4]])
    GROUP BY s.number, s.value, s.at
  ), step_5 AS MATERIALIZED (
    SELECT s.number, s.value, s.at || min(f.at) AS at
    FROM step_4 AS s JOIN found AS f ON f.number = s.number AND f.step = 5 AND f.at <= s.at[1] + patience
    WHERE most >= 5 AND f.at >= s.at[4] AND (same[5] IS NULL OR f.at > s.at[same[5]])
    GROUP BY s.number, s.value, s.at
  ), step_6 AS MATERIALIZED (
    SELECT s.number, s.value, s.at || min(f.at) AS at
    FROM step_5 AS s JOIN found AS f ON f.number = s.number AND f.step = 6 AND f.at <= s.at[1] + patience
    WHERE most >= 6 AND f.at >= s.at[5] AND (same[6] IS NULL OR f.at > s.at[same[6]])
    GROUP BY s.number, s.value, s.at
  ), step_7 AS MATERIALIZED (
    SELECT s.number, s.value, s.at || min(f.at) AS at
    FROM step_6 AS s JOIN found AS f ON f.number = s.number AND f.step = 7 AND f.at <= s.at[1] + patience
    WHERE most >= 7 AND f.at >= s.at[6] AND (same[7] IS NULL OR f.at > s.at[same[7]])
    GROUP BY s.number, s.value, s.at
  ), step_8 AS MATERIALIZED (
    SELECT s.number, s.value, s.at || min(f.at) AS at
    FROM step_7 AS s JOIN found AS f ON f.number = s.number AND f.step = 8 AND f.at <= s.at[1] + patience
    WHERE most >= 8 AND f.at >= s.at[7] AND (same[8] IS NULL OR f.at > s.at[same[8]])
    GROUP BY s.number, s.value, s.at
  )
  SELECT 1, s.value, s.at FROM step_1 AS s
    UNION ALL SELECT 2, s.value, s.at FROM step_2 AS s
    UNION ALL SELECT 3, s.value, s.at FROM step_3 AS s
    UNION ALL SELECT 4, s.value, s.at FROM step_4 AS s
    UNION ALL SELECT 5, s.value, s.at FROM step_5 AS s
    UNION ALL SELECT 6, s.value, s.at FROM step_6 AS s
    UNION ALL SELECT 7, s.value, s.at FROM step_7 AS s
    UNION ALL SELECT 8, s.value, s.at FROM step_8 AS s
$$;

-- Of these users: how many reached a step in which times from the step before and from the start, by slot. One process does all
-- of it.
CREATE OR REPLACE FUNCTION weir.funnel_cells(lowest bigint, beyond bigint, tenant text, first_day date, last_day date, zone text,
  steps jsonb, within integer,
  split text, filter jsonb)
RETURNS TABLE (step integer, said text, former_slot integer, start_slot integer, users bigint, former numeric, start numeric)
LANGUAGE sql STABLE PARALLEL SAFE COST 1000000000 ROWS 1000
SET jit = off SET work_mem = '64MB' SET enable_nestloop = off SET enable_mergejoin = off SET max_parallel_workers_per_gather = 0
AS $$
  SELECT r.step, r.value, weir.quick_slot(date_part('epoch', r.former)) AS former_slot, weir.quick_slot(date_part('epoch', r.start)) AS start_slot,
    count(*), extract(epoch FROM sum(r.former)), extract(epoch FROM sum(r.start))
  FROM (
    SELECT r.step, r.value, r.at[r.step] - r.at[greatest(r.step - 1, 1)] AS former, r.at[r.step] - r.at[1] AS start
    FROM weir.funnel_users(lowest, beyond, tenant, first_day, last_day, zone, steps, within, split, filter, jsonb_array_length(steps),
      weir.same_events(steps), within * interval '1 second') AS r
    WHERE lowest < beyond
  ) AS r
  GROUP BY r.step, r.value, former_slot, start_slot
$$;

-- The same of all users, a half to a process.
CREATE OR REPLACE FUNCTION weir.all_funnel_cells(halves bigint[], tenant text, first_day date, last_day date, zone text, steps jsonb, within integer,
  split text, filter jsonb)
RETURNS TABLE (step integer, said text, former_slot integer, start_slot integer, users bigint, former numeric, start numeric)
LANGUAGE sql STABLE
SET jit = off
AS $$
  SELECT * FROM weir.funnel_cells(halves[1], halves[2], tenant, first_day, last_day, zone, steps, within, split, filter)
  UNION ALL
  SELECT * FROM weir.funnel_cells(halves[2], halves[3], tenant, first_day, last_day, zone, steps, within, split, filter)
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
      SELECT c.step, c.said, c.former_slot, c.start_slot, sum(c.users) AS users, sum(c.former) AS former, sum(c.start) AS start
      FROM weir.all_funnel_cells(
        weir.halves_of_users(tenant, weir.narrowed(steps, filter), lower(weir.span_of_day(zone, first_day)),
          upper(weir.span_of_day(zone, last_day)) + within * interval '1 second'),
        tenant, first_day, last_day, zone, steps, within, split, filter) AS c
      GROUP BY c.step, c.said, c.former_slot, c.start_slot
    ) AS g
  ), ranked AS MATERIALIZED (
    SELECT c.value, CASE WHEN row_number() OVER (ORDER BY sum(c.users) DESC, c.value COLLATE "C") > 1000 THEN 'other' ELSE 'value' END AS kind
    FROM cells AS c WHERE c.step = 1
    GROUP BY c.value
  ), told AS MATERIALIZED (
    SELECT c.step, k.kind, CASE k.kind WHEN 'value' THEN c.value ELSE 'null' END AS value, c.former_slot, c.start_slot, c.users, c.former, c.start
    FROM cells AS c JOIN ranked AS k ON k.value = c.value
  ), sums AS (
    SELECT jsonb_build_array(t.step, t.kind, t.value::jsonb)::text AS key, sum(t.users) AS users, sum(t.former) AS former, sum(t.start) AS start
    FROM told AS t
    GROUP BY t.step, t.kind, t.value
  )
  SELECT f.figure, s.key, f.amount
  FROM sums AS s, LATERAL (VALUES ('users', s.users), ('former_seconds', s.former), ('start_seconds', s.start)) AS f (figure, amount)
  UNION ALL
  SELECT 'former_slot', jsonb_build_array(t.step, t.kind, t.value::jsonb, t.former_slot)::text, sum(t.users)
  FROM told AS t WHERE t.step > 1
  GROUP BY t.step, t.kind, t.value, t.former_slot
  UNION ALL
  SELECT 'start_slot', jsonb_build_array(t.step, t.kind, t.value::jsonb, t.start_slot)::text, sum(t.users)
  FROM told AS t WHERE t.step > 1
  GROUP BY t.step, t.kind, t.value, t.start_slot
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

GRANT EXECUTE ON FUNCTION weir.funnel_rows(bigint, bigint, text, timestamptz, timestamptz, jsonb, text, jsonb), weir.same_events(jsonb),
  weir.funnel_starts(bigint, bigint, text, date, date, text, jsonb, jsonb),
  weir.funnel_seconds(bigint, bigint, text, timestamptz, timestamptz, jsonb, jsonb, timestamptz[], boolean, interval),
  weir.funnel_followers(bigint, bigint, text, timestamptz, timestamptz, jsonb, jsonb, timestamptz[], timestamptz[], interval, boolean),
  weir.funnel_users(bigint, bigint, text, date, date, text, jsonb, integer, text, jsonb, integer, integer[], interval),
  weir.funnel_cells(bigint, bigint, text, date, date, text, jsonb, integer, text, jsonb),
  weir.all_funnel_cells(bigint[], text, date, date, text, jsonb, integer, text, jsonb),
  weir.funnels_partial(text, date, date, text, jsonb, integer, text, jsonb), weir.funnel_groups(weir.part[], boolean, integer),
  weir.funnels_merge(weir.part[], jsonb, text, integer),
  weir.funnels_answer(text, date, date, text, text, integer, text, text, integer) TO weir_reader;
