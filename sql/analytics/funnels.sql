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

-- The value to split by of each user's start, the least of several at one moment. `firsts` has the starts by user, from one number up to another
-- (moments.sql); `bases` is of those users who have one where their numbers begin, and tells the order of the answer.
CREATE OR REPLACE FUNCTION weir.funnel_values(lowest bigint, beyond bigint, asked weir.asked, pattern jsonb, split text, bits integer, rows weir.moments,
  firsts bigint[], bases bigint[]) RETURNS text[]
LANGUAGE plpgsql STABLE PARALLEL SAFE
AS $$
DECLARE
  values text[] := array_fill(NULL::text, ARRAY[cardinality(firsts)]);
  found record;
BEGIN
  FOR found IN
    SELECT (e.code >> bits)::integer + 1 AS place, weir.value_by(split, e.version, e.platform, e.country, e.properties) AS value
    FROM weir.valued_events(lowest, beyond, asked, pattern, bits, ARRAY[CASE WHEN split IN ('version', 'platform', 'country') THEN split ELSE 'properties' END],
      true, firsts, 0, 0, true) AS e
    UNION ALL
    SELECT n.number::integer + 1, n.value
    FROM (
      SELECT r.number - lowest AS number, weir.microseconds(r.at) - weir.microseconds(asked.since) AS moment, r.value
      FROM unnest(rows.numbers, rows.moments, rows.values) AS r (number, at, value)
      WHERE r.number >= lowest AND r.number < beyond
    ) AS n
    WHERE weir.is_near(n.number, n.moment, firsts, 0, 0)
  LOOP
    values[found.place] := least(values[found.place], found.value COLLATE "C");
  END LOOP;
  RETURN ARRAY(SELECT values[(b >> bits)::integer + 1] FROM unnest(bases) AS b);
END
$$;

-- When users reach a step: the moment of the first event that is not before that of the step before (`former`), and later than what has the same
-- event (`same`, NULL: none has), and at most `patience` microseconds after the start; never() if there is none, or the step before was not reached. These lists
-- are in the order of `bases`; `firsts` has the starts by user. Who comes back on another day has the first of that day, so where properties
-- are not asked for it is looked for among firsts; only who did the same event within a day before, too, is looked up among what users repeat.
-- With generic plans, since a custom one would have these lists copied into it, several times each; and where a list is searched, it is made flat once.
CREATE OR REPLACE FUNCTION weir.funnel_step(lowest bigint, beyond bigint, asked weir.asked, pattern jsonb, patience bigint, bits integer, rows weir.moments,
  firsts bigint[], bases bigint[], starts bigint[], former bigint[], same bigint[]) RETURNS bigint[]
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET plan_cache_mode = force_generic_plan SET jit = off SET work_mem = '128MB' SET enable_mergejoin = off SET max_parallel_workers_per_gather = 0
AS $$
DECLARE
  a_day constant bigint := 86400000000;
  has_firsts constant boolean := pattern -> 0 -> 'properties' IS NULL;
  -- With what was done on the day before, which tells of each whether it was the first of its day.
  codes constant bigint[] := weir.sorted_events(lowest, beyond, asked, pattern, bits, rows, firsts, CASE WHEN has_firsts THEN a_day ELSE 0 END, patience, true);
  reached bigint[];
  again integer[];
  repeated record;
BEGIN
  SELECT array_agg(CASE WHEN s.codes[s.place + 1] - s.base <= s.start + patience THEN s.codes[s.place + 1] - s.base ELSE weir.never() END),
    array_agg(s.n) FILTER (WHERE has_firsts AND s.codes[s.place] - s.base >= greatest(s.since - a_day, 0))
  INTO reached, again
  FROM (
    SELECT s.n, s.codes, s.base, s.start, s.since, width_bucket(s.base + s.since - 1, s.codes) AS place
    FROM (
      SELECT s.n, s.codes, s.base, s.start, CASE WHEN s.former <> weir.never() THEN greatest(s.former, s.same + 1) END AS since
      FROM (
        SELECT generate_series(1, cardinality(bases)) AS n, c.codes, unnest(bases) AS base, unnest(starts) AS start, unnest(former) AS former, unnest(same) AS same
        FROM (SELECT codes || '{}' AS codes OFFSET 0) AS c
      ) AS s
    ) AS s
    OFFSET 0
  ) AS s;
  IF again IS NOT NULL THEN
    FOR repeated IN
      SELECT width_bucket(r.number << bits, b.list) AS place, r.moment
      FROM (SELECT bases || '{}' AS list OFFSET 0) AS b
      CROSS JOIN weir.repeated_events(lowest, asked, pattern, ARRAY(SELECT bases[n] >> bits FROM unnest(again) AS n),
        ARRAY(SELECT greatest(former[n], same[n] + 1) FROM unnest(again) AS n)) AS r
    LOOP
      IF repeated.moment < least(reached[repeated.place], starts[repeated.place] + patience + 1) THEN
        reached[repeated.place] := repeated.moment;
      END IF;
    END LOOP;
  END IF;
  RETURN reached;
END
$$;

-- Of users from one number up to another: how many reached a step in which time `since` the former one or the start, by slot, and in how many
-- seconds together; of the first step how many there are. `same` as same_events() says; `patience` is microseconds. The lists are of those users who start, in
-- the order of their numbers: where these begin, the value to split by, and of each step when they reached it. With generic plans, as above.
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
  pattern constant jsonb := jsonb_build_array(patterns -> 0);
  firsts constant bigint[] := weir.first_moments(lowest, beyond, asked, pattern, bits, rows[1]);
  bases bigint[];
  values text[];
  starts bigint[];
  reached bigint[][];
  former bigint[];
  moments bigint[];
BEGIN
  IF firsts IS NULL THEN
    RETURN;
  END IF;
  SELECT array_agg(s.base), array_agg(s.moment) INTO bases, starts
  FROM (SELECT generate_series(0, cardinality(firsts) - 1::bigint << bits, 1::bigint << bits) AS base, unnest(firsts) AS moment) AS s
  WHERE s.moment <> weir.never();
  IF split IS NOT NULL THEN
    values := weir.funnel_values(lowest, beyond, asked, pattern, split, bits, rows[1], firsts, bases);
  END IF;
  RETURN QUERY SELECT 1, s.value, 'start', NULL::integer, count(*), 0.0 FROM (SELECT unnest(starts) AS start, unnest(values) AS value) AS s
  GROUP BY s.value;
  reached := ARRAY[starts];
  former := starts;
  FOR n IN 2..jsonb_array_length(patterns) LOOP
    moments := weir.funnel_step(lowest, beyond, weir.asked_of_span(tenant, origin, until), jsonb_build_array(patterns -> n - 1), patience, bits, rows[n],
      firsts, bases, starts, former, ARRAY(SELECT unnest(reached[same[n]:same[n]])));
    RETURN QUERY SELECT n, s.value, CASE WHEN grouping(s.former_slot) = 0 THEN 'former' ELSE 'start' END, coalesce(s.former_slot, s.start_slot),
      count(*), CASE WHEN grouping(s.former_slot) = 0 THEN sum(s.former) ELSE sum(s.start) END * 0.000001
    FROM (
      SELECT s.value, s.moment - s.former AS former, s.moment - s.start AS start, weir.quick_slot((s.moment - s.former) / 1e6::float8) AS former_slot,
        weir.quick_slot((s.moment - s.start) / 1e6::float8) AS start_slot
      FROM (
        SELECT unnest(starts) AS start, unnest(former) AS former, unnest(moments) AS moment, unnest(values) AS value
      ) AS s
      WHERE s.moment <> weir.never()
    ) AS s
    GROUP BY GROUPING SETS ((s.value, s.former_slot), (s.value, s.start_slot));
    reached := reached || moments;
    former := moments;
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
    SELECT p.figure, (p.key ->> 0)::integer AS step, p.key ->> 1 AS kind, p.key ->> 2 AS value, (p.key -> 2)::text AS json, (p.key ->> 3)::integer AS slot,
      p.amount
    FROM (SELECT p.figure, p.key::jsonb AS key, sum(p.amount) AS amount FROM unnest(parts) AS p GROUP BY p.figure, p.key OFFSET 0) AS p
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
  weir.funnel_values(bigint, bigint, weir.asked, jsonb, text, integer, weir.moments, bigint[], bigint[]),
  weir.funnel_step(bigint, bigint, weir.asked, jsonb, bigint, integer, weir.moments, bigint[], bigint[], bigint[], bigint[], bigint[]),
  weir.funnel_users(bigint, bigint, text, date, date, text, jsonb, integer[], bigint, text, weir.moments[]),
  weir.funnel_cells(bigint, bigint, text, date, date, text, jsonb, integer[], bigint, text, weir.moments[]),
  weir.all_funnel_cells(text, date, date, text, jsonb, integer[], bigint, text, bigint[], weir.moments[]),
  weir.funnels_partial(text, date, date, text, jsonb, integer, text, jsonb), weir.funnel_groups(weir.part[], boolean, integer),
  weir.funnels_merge(weir.part[], jsonb, text, integer),
  weir.funnels_answer(text, date, date, text, text, integer, text, text, integer) TO weir_reader;
