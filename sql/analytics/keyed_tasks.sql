-- Tasks that are told apart by a key (tasks.sql defines them): where keys of days are listed (migrations/0046), the start of each finish is looked up, else starts
-- and finishes of all users are put together.
SET LOCAL ROLE weir_owner;
SET LOCAL check_function_bodies = off;

-- The events of packs, of users from one number up to another, that fit a pattern: `task` is one number for a user and a key, and a moment is microseconds
-- since the span's begin. Without settings of its own, so that it becomes part of what asks.
CREATE OR REPLACE FUNCTION weir.keyed_in_packs(lowest bigint, beyond bigint, asked weir.asked, pattern jsonb, key text)
RETURNS TABLE (task bigint, moment bigint)
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
  SELECT coalesce(CASE WHEN u.is_hashed THEN u.hash ELSE weir.key_of(u.properties, keyed_in_packs.key) END, 0) # ((u.code >> 37) + u.apart + lowest),
    (u.code & 137438953471) + u.further
  FROM (
    SELECT unnest(c.codes) AS code, unnest(c.versions) AS version, unnest(c.platforms) AS platform, unnest(c.countries) AS country,
      unnest(c.hashes) AS hash, unnest(c.properties) AS properties, c.is_hashed, c.apart, c.further, c.has, c.of_version, c.of_platform, c.of_country
    FROM weir.cut_packs(lowest, beyond, asked, jsonb_build_array(pattern), '{}', false, keyed_in_packs.key) AS c
  ) AS u
  WHERE u.code IS NOT NULL AND weir.is_like(u.has, u.of_version, u.of_platform, u.of_country, u.properties, u.version, u.platform, u.country)
$$;

-- The same of events that no pack has. Who has no number yet is among the first users.
CREATE OR REPLACE FUNCTION weir.keyed_in_rows(lowest bigint, beyond bigint, asked weir.asked, pattern jsonb, key text)
RETURNS TABLE (task bigint, moment bigint)
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
  SELECT coalesce(weir.key_of(r.properties, keyed_in_rows.key), 0) # r.number, weir.microseconds(r.at) - weir.microseconds(asked.since)
  FROM weir.happened_in_rows(asked.tenant, jsonb_build_array(pattern), asked.since, asked.until, '{}') AS r
  WHERE r.number < beyond AND (r.number >= lowest OR lowest = 0)
$$;

CREATE OR REPLACE FUNCTION weir.keyed_events(lowest bigint, beyond bigint, asked weir.asked, pattern jsonb, key text)
RETURNS TABLE (task bigint, moment bigint)
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
  SELECT * FROM weir.keyed_in_packs(lowest, beyond, asked, pattern, key)
  UNION ALL
  SELECT * FROM weir.keyed_in_rows(lowest, beyond, asked, pattern, key)
$$;

-- How many events fit a pattern on days of a zone, and of how many users. Those of names alone are not unpacked to be counted; users are those of first events.
CREATE OR REPLACE FUNCTION weir.counted_events(lowest bigint, beyond bigint, tenant text, first_day date, last_day date, zone text, pattern jsonb, rows weir.moments)
RETURNS TABLE (times bigint, users bigint)
LANGUAGE plpgsql STABLE PARALLEL SAFE ROWS 1
SET plan_cache_mode = force_custom_plan SET jit = off SET work_mem = '128MB' SET max_parallel_workers_per_gather = 0
AS $$
#variable_conflict use_column
DECLARE
  patterns constant jsonb := jsonb_build_array(pattern);
  asked constant weir.asked := (SELECT weir.asked_of_span(counted_events.tenant, w.since, w.until, counted_events.zone, counted_events.first_day, counted_events.last_day)
    FROM weir.window_of(zone, first_day, last_day) AS w);
  bits constant integer := weir.bits_of(asked.since, asked.until);
BEGIN
  times := (
    SELECT sum(cardinality(array_remove(c.codes, NULL)))
    FROM (
      SELECT p.codes FROM weir.cut_packs(lowest, beyond, asked, patterns, '{}', false) AS p WHERE weir.are_names(patterns)
      UNION ALL
      SELECT r.codes FROM weir.cut_rows(lowest, beyond, asked, rows) AS r WHERE weir.are_names(patterns)
    ) AS c);
  IF times IS NULL THEN
    times := (SELECT count(*) FROM weir.events_as_numbers(lowest, beyond, asked, patterns, bits, rows) AS e WHERE NOT weir.are_names(patterns));
  END IF;
  users := (
    SELECT sum(u.users)
    FROM weir.turns_of_users(lowest, beyond, asked.since, asked.until) AS t
    CROSS JOIN LATERAL (
      SELECT count(DISTINCT e.code >> bits) AS users FROM weir.events_as_numbers(t.first, t.next, asked, patterns, bits, rows, firsts => true) AS e
    ) AS u);
  RETURN NEXT;
END
$$;

-- The same by key. Starts of whose user and key there is no finish are only counted. The others, and finishes, are numbers (moments.sql) with the place of
-- their user and key among all that have finishes, instead of the user: as many of these at a time as have room beside moments.
CREATE OR REPLACE FUNCTION weir.keyed_task_slots(lowest bigint, beyond bigint, tenant text, first_day date, last_day date, zone text, patterns jsonb,
  same boolean, patience bigint, key text, rows weir.moments[])
RETURNS TABLE (slot integer, times bigint, seconds numeric, users bigint)
LANGUAGE plpgsql STABLE PARALLEL SAFE COST 1000000000 ROWS 1000
SET plan_cache_mode = force_custom_plan SET jit = off SET work_mem = '256MB' SET enable_nestloop = on SET max_parallel_workers_per_gather = 0
AS $$
#variable_conflict use_column
DECLARE
  since constant timestamptz := lower(weir.span_of_day(zone, first_day));
  until constant timestamptz := upper(weir.span_of_day(zone, last_day)) + patience * interval '1 microsecond';
  bits constant integer := weir.bits_of(since, until);
  asked constant weir.asked := weir.asked_of_span(tenant, since, until);
  room constant integer := 1 << least(62 - bits, 21);
  finished bigint[];
  moments bigint[];
  tasks bigint[];
  turn bigint[];
  starts bigint[];
  finishes bigint[];
BEGIN
  IF lowest >= beyond THEN
    RETURN;
  END IF;
  SELECT array_agg(e.task), array_agg(e.moment) INTO finished, moments
  FROM weir.keyed_events(lowest, beyond, asked, patterns -> 1, keyed_task_slots.key) AS e;
  tasks := (SELECT array_agg(DISTINCT f.task ORDER BY f.task) FROM unnest(finished) AS f (task));
  FOR n IN 0 .. coalesce(cardinality(tasks), 0) - 1 BY room LOOP
    turn := tasks[n + 1:n + room];
    finishes := weir.numbered_tasks(turn, bits, finished, moments);
    starts := (
      SELECT weir.numbered_tasks(turn, bits, array_agg(e.task), array_agg(e.moment))
      FROM weir.keyed_events(lowest, beyond, asked, patterns -> 0, keyed_task_slots.key) AS e);
    RETURN QUERY SELECT s.* FROM weir.slots_of_tasks(starts, finishes, bits, since, first_day, last_day, zone, same, patience) AS s WHERE s.slot IS NOT NULL;
  END LOOP;
  RETURN QUERY SELECT NULL::integer, c.times, NULL::numeric, c.users
  FROM weir.counted_events(lowest, beyond, tenant, first_day, last_day, zone, patterns -> 0, rows[1]) AS c;
END
$$;

-- What migrations/0046 keeps of an event's keys, of UTC days of a span that are read from packs: parts with tasks from one up to another, and between which
-- two of them a part's are. Days that have an event have all of it.
CREATE OR REPLACE FUNCTION weir.listed_keys(asked weir.asked, event text, key text, first_task bigint, last_task bigint)
RETURNS TABLE (midnight bigint, tasks bigint[], moments bigint[], low bigint, high bigint)
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
  SELECT weir.microseconds(p.day::timestamp AT TIME ZONE 'UTC') - weir.microseconds(asked.since), p.tasks, p.moments, greatest(p.low, first_task),
    least(p.high, last_task)
  FROM (
    SELECT k.day, k.tasks, k.moments, CASE WHEN k.part = 0 THEN first_task ELSE k.low END AS low,
      coalesce(lead(k.low) OVER (PARTITION BY k.day ORDER BY k.part) - 1, last_task) AS high
    FROM (
      SELECT d.day, d.part, d.tasks, d.moments, d.tasks[1] AS low
      FROM weir.day_keys AS d
      WHERE d.tenant_id = asked.tenant AND d.event = listed_keys.event AND d.name = listed_keys.key
        AND d.day IN (SELECT n.day FROM weir.days_in_packs(asked.tenant, asked.since, asked.until) AS n (day))
      OFFSET 0
    ) AS k
  ) AS p
  WHERE p.low <= last_task AND p.high >= first_task
$$;

-- Whether tasks are looked up in these: if patterns are two names, and of at least half of their days keys are listed.
CREATE OR REPLACE FUNCTION weir.are_keys_listed(tenant text, since timestamptz, until timestamptz, patterns jsonb, key text) RETURNS boolean
LANGUAGE sql STABLE
SET jit = off
AS $$
  SELECT weir.are_names(patterns) AND patterns -> 0 <> patterns -> 1 AND (
    SELECT 2 * count(*) FILTER (WHERE EXISTS (
      SELECT FROM weir.day_keys AS k WHERE (k.tenant_id, k.day, k.event, k.name, k.part) = (tenant, d.day, d.event, are_keys_listed.key, 0))) >= count(*) AND count(*) > 0
    FROM (
      SELECT DISTINCT p.event, p.day
      FROM weir.listed_patterns(patterns) AS w JOIN weir.packs AS p ON p.event = w.event
      WHERE p.tenant_id = tenant AND p.day BETWEEN (since AT TIME ZONE 'UTC')::date AND (until AT TIME ZONE 'UTC')::date
    ) AS d)
$$;

-- All other events that fit a pattern, with tasks from one up to another: those of days whose keys are not listed, and those that no pack has.
CREATE OR REPLACE FUNCTION weir.unlisted_events(beyond bigint, asked weir.asked, pattern jsonb, key text, first_task bigint, last_task bigint)
RETURNS TABLE (task bigint, moment bigint)
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
  SELECT e.task, e.moment
  FROM (
    SELECT p.*
    FROM weir.days_in_packs(asked.tenant, asked.since, asked.until) AS d (day)
    CROSS JOIN LATERAL (
      SELECT d.day::timestamp AT TIME ZONE 'UTC' AS since, (d.day + 1)::timestamp AT TIME ZONE 'UTC' AS until
    ) AS s
    CROSS JOIN LATERAL weir.keyed_in_packs(0, beyond, (asked.tenant, NULL, NULL, NULL, asked.since, s.since, s.until, asked.until)::weir.asked, pattern, unlisted_events.key) AS p
    WHERE NOT EXISTS (
      SELECT FROM weir.day_keys AS k WHERE (k.tenant_id, k.day, k.event, k.name, k.part) = (asked.tenant, d.day, pattern ->> 'event', unlisted_events.key, 0))
    UNION ALL
    SELECT * FROM weir.keyed_in_rows(0, beyond, asked, pattern, unlisted_events.key)
  ) AS e
  WHERE e.task BETWEEN first_task AND last_task
$$;

-- The listed events of tasks, of which it is said when they had a finish (in the order of moments): those at most `patience` before it. Where there are many, all of
-- a day are handed out instead of looking each up.
CREATE OR REPLACE FUNCTION weir.listed_events(asked weir.asked, event text, key text, first_task bigint, last_task bigint, tasks bigint[], moments bigint[], patience bigint)
RETURNS TABLE (task bigint, moment bigint)
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
  WITH parts AS MATERIALIZED (
    SELECT k.*, b.first, b.last
    FROM weir.listed_keys(asked, event, key, first_task, last_task) AS k,
      LATERAL (SELECT width_bucket(k.midnight - 1, listed_events.moments) + 1 AS first,
        width_bucket(k.midnight + 86400000000 + patience, listed_events.moments) AS last) AS b
    WHERE b.first <= b.last
  )
  SELECT f.task, f.midnight + f.moments[n]
  FROM (
    SELECT l.task, l.midnight, l.moments, width_bucket(l.task - 1, l.tasks) + 1 AS first, width_bucket(l.task, l.tasks) AS last
    FROM (
      SELECT unnest(p.wanted) AS task, p.midnight, p.tasks, p.moments
      FROM (
        SELECT p.midnight, p.tasks || '{}' AS tasks, p.moments || '{}' AS moments, w.wanted
        FROM parts AS p
        CROSS JOIN LATERAL (
          SELECT array_agg(DISTINCT t.task) AS wanted FROM unnest(listed_events.tasks[p.first:p.last]) AS t (task) WHERE t.task BETWEEN p.low AND p.high
        ) AS w
        WHERE p.last - p.first < 4096 AND w.wanted IS NOT NULL
        OFFSET 0
      ) AS p
      OFFSET 0
    ) AS l
    OFFSET 0
  ) AS f
  CROSS JOIN LATERAL generate_series(f.first, f.last) AS n
  UNION ALL
  SELECT u.task, u.midnight + u.moment
  FROM (SELECT p.midnight, p.low, p.high, unnest(p.tasks) AS task, unnest(p.moments) AS moment FROM parts AS p WHERE p.last - p.first >= 4096) AS u
  WHERE u.task BETWEEN u.low AND u.high
$$;

-- The events of a list of tasks (sorted) as sorted numbers: the place in that list, and the moment. (In PL/pgSQL, which hands lists to the query as constants.)
CREATE OR REPLACE FUNCTION weir.numbered_tasks(turn bigint[], bits integer, tasks bigint[], moments bigint[]) RETURNS bigint[]
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
SET plan_cache_mode = force_custom_plan SET work_mem = '256MB'
AS $$
BEGIN
  RETURN (
    SELECT array_agg(f.code ORDER BY f.code)
    FROM (
      SELECT (f.place::bigint << bits) + f.moment AS code
      FROM (SELECT f.task, f.moment, width_bucket(f.task, turn) AS place FROM (SELECT unnest(tasks) AS task, unnest(moments) AS moment) AS f OFFSET 0) AS f
      WHERE turn[f.place] = f.task
    ) AS f);
END
$$;

-- The same by key, led by finishes: where a task has one on its UTC day, and the day's last start is not after it, nothing lies between the two. For other finishes
-- all that these tasks had before is looked at: the start that is the last before the finish was finished, unless another finish lies between. So of starts that
-- were never finished not one is looked at. Of tasks (migrations/0046) from one up to another; starts and users are counted of users from one number up to another,
-- in the row without a slot.
CREATE OR REPLACE FUNCTION weir.listed_task_slots(first_task bigint, last_task bigint, lowest bigint, beyond bigint, everybody bigint, tenant text, first_day date,
  last_day date, zone text, patterns jsonb, patience bigint, key text, rows weir.moments[])
RETURNS TABLE (slot integer, times bigint, seconds numeric, users bigint)
LANGUAGE plpgsql STABLE PARALLEL SAFE COST 1000000000 ROWS 1000
SET plan_cache_mode = force_custom_plan SET jit = off SET work_mem = '256MB' SET enable_nestloop = on SET max_parallel_workers_per_gather = 0
AS $$
#variable_conflict use_column
DECLARE
  since constant timestamptz := date_trunc('day', lower(weir.span_of_day(zone, first_day)), 'UTC');
  until constant timestamptz := date_trunc('day', upper(weir.span_of_day(zone, last_day)) + patience * interval '1 microsecond', 'UTC') + interval '24 hours';
  origin constant bigint := weir.microseconds(since);
  bits constant integer := weir.bits_of(since, until);
  asked constant weir.asked := weir.asked_of_span(tenant, since, until);
  start constant jsonb := patterns -> 0;
  finish constant jsonb := patterns -> 1;
  room constant integer := 1 << least(62 - bits, 21);
  first bigint;
  last bigint;
  took bigint[];
  others bigint[];
  moments bigint[];
  begun bigint[];
  begins bigint[];
  tasks bigint[];
  turn bigint[];
  starts bigint[];
  finishes bigint[];
BEGIN
  RETURN QUERY SELECT NULL::integer, c.times, NULL::numeric, c.users
  FROM weir.counted_events(lowest, beyond, tenant, first_day, last_day, zone, start, rows[1]) AS c
  WHERE lowest < beyond;
  SELECT weir.microseconds(w.surely_since) - origin, weir.microseconds(w.surely_until) - origin INTO first, last
  FROM weir.window_of(zone, first_day, last_day) AS w;

  SELECT array_agg(c.moment - c.start) FILTER (WHERE c.moment - c.start <= patience
      AND weir.is_in_days(c.midnight + c.start, since, first, last, first_day, last_day, zone)),
    array_agg(c.task) FILTER (WHERE c.start IS NULL), array_agg(c.midnight + c.moment) FILTER (WHERE c.start IS NULL)
  INTO took, others, moments
  FROM (
    SELECT c.midnight, c.task, c.moment, CASE WHEN c.starts[c.place] = c.task AND c.former IS DISTINCT FROM c.task
      AND c.next IS DISTINCT FROM c.task AND c.begun[c.place] <= c.moment THEN c.begun[c.place] END AS start
    FROM (
      SELECT u.*, width_bucket(u.task, u.starts) AS place
      FROM (
        SELECT f.midnight, unnest(f.tasks) AS task, unnest(f.moments) AS moment, unnest(NULL::bigint || f.tasks[:cardinality(f.tasks) - 1]) AS former,
          unnest(f.tasks[2:] || NULL::bigint) AS next, f.starts, f.begun
        FROM (
          SELECT f.midnight, f.tasks[c.low:c.high] AS tasks, f.moments[c.low:c.high] AS moments, f.starts, f.begun
          FROM (
            SELECT f.midnight, f.tasks || '{}' AS tasks, f.moments || '{}' AS moments, coalesce(s.tasks, '{}') || '{}' AS starts, coalesce(s.moments, '{}') || '{}' AS begun,
              greatest(f.low, s.low) AS low, least(f.high, s.high) AS high
            FROM weir.listed_keys(asked, finish ->> 'event', listed_task_slots.key, first_task, last_task) AS f
            LEFT JOIN weir.listed_keys(asked, start ->> 'event', listed_task_slots.key, first_task, last_task) AS s ON s.midnight = f.midnight AND s.low <= f.high AND s.high >= f.low
            OFFSET 0
          ) AS f
          CROSS JOIN LATERAL (SELECT width_bucket(f.low - 1, f.tasks) + 1 AS low, width_bucket(f.high, f.tasks) AS high) AS c
          WHERE c.low <= c.high
          OFFSET 0
        ) AS f
        OFFSET 0
      ) AS u
      OFFSET 0
    ) AS c
    OFFSET 0
  ) AS c;
  RETURN QUERY SELECT * FROM weir.slots_of_times(took);

  SELECT array_agg(o.task ORDER BY o.moment), array_agg(o.moment ORDER BY o.moment) INTO others, moments
  FROM (
    SELECT unnest(others) AS task, unnest(moments) AS moment
    UNION ALL
    SELECT e.* FROM weir.unlisted_events(everybody, asked, finish, listed_task_slots.key, first_task, last_task) AS e
  ) AS o;
  SELECT array_agg(e.task), array_agg(e.moment) INTO begun, begins
  FROM (
    SELECT * FROM weir.listed_events(asked, start ->> 'event', listed_task_slots.key, first_task, last_task, others, moments, patience)
    UNION ALL
    SELECT * FROM weir.unlisted_events(everybody, asked, start, listed_task_slots.key, first_task, last_task)
  ) AS e;
  -- Of finishes that no start can be of, nothing more is asked.
  SELECT array_agg(o.task ORDER BY o.moment), array_agg(o.moment ORDER BY o.moment) INTO others, moments
  FROM (SELECT unnest(others) AS task, unnest(moments) AS moment) AS o
  WHERE (o.task IN (SELECT unnest(begun))) IS TRUE;
  tasks := (SELECT array_agg(DISTINCT o.task ORDER BY o.task) FROM unnest(others) AS o (task));
  FOR n IN 0 .. coalesce(cardinality(tasks), 0) - 1 BY room LOOP
    turn := tasks[n + 1:n + room];
    finishes := (
      SELECT weir.numbered_tasks(turn, bits, array_agg(e.task) || others, array_agg(e.moment) || moments)
      FROM weir.listed_events(asked, finish ->> 'event', listed_task_slots.key, first_task, last_task, others, moments, patience) AS e);
    starts := weir.numbered_tasks(turn, bits, begun, begins);
    took := (
      SELECT array_agg(f.finish - f.start)
      FROM (
        SELECT f.finish, starts[width_bucket(f.finish, starts)] AS start, finishes[width_bucket(f.finish - 1, finishes)] AS former
        FROM (SELECT DISTINCT unnest(weir.numbered_tasks(turn, bits, others, moments)) AS finish) AS f
        OFFSET 0
      ) AS f
      WHERE f.start >> bits = f.finish >> bits AND f.finish - f.start <= patience AND f.former < f.start IS NOT FALSE
        AND weir.is_in_days(f.start & (1::bigint << bits) - 1, since, first, last, first_day, last_day, zone));
    RETURN QUERY SELECT * FROM weir.slots_of_times(took);
  END LOOP;
END
$$;

GRANT EXECUTE ON FUNCTION weir.keyed_in_packs(bigint, bigint, weir.asked, jsonb, text), weir.keyed_in_rows(bigint, bigint, weir.asked, jsonb, text),
  weir.keyed_events(bigint, bigint, weir.asked, jsonb, text), weir.counted_events(bigint, bigint, text, date, date, text, jsonb, weir.moments),
  weir.listed_keys(weir.asked, text, text, bigint, bigint), weir.are_keys_listed(text, timestamptz, timestamptz, jsonb, text),
  weir.unlisted_events(bigint, weir.asked, jsonb, text, bigint, bigint),
  weir.listed_events(weir.asked, text, text, bigint, bigint, bigint[], bigint[], bigint), weir.numbered_tasks(bigint[], integer, bigint[], bigint[]),
  weir.listed_task_slots(bigint, bigint, bigint, bigint, bigint, text, date, date, text, jsonb, bigint, text, weir.moments[]),
  weir.keyed_task_slots(bigint, bigint, text, date, date, text, jsonb, boolean, bigint, text, weir.moments[]) TO weir_reader;
