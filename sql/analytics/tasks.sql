-- How long a task takes from its start to its finish, and how often it is not finished.
--
--   SELECT weir.tasks_answer('acme', '2026-03-01', '2026-03-31', 'Europe/Berlin',
--     start => '{"event": "recording_started"}', finish => '{"event": "recording_completed"}', key => 'recording_id');
--
-- The window is from one day to another, both counted, in a time zone. Start and finish are patterns (patterns.sql).
--
--   start        an event within the window that fits `start`
--   finished     a start whose user has a finish of the same key after it or at the same moment, at most `within` seconds
--                later, be that after the window, too, and before another start of that user and key. So a task that is begun
--                anew was not finished, and each finish ends one start. Where both are events of one name, a finish has to
--                be later
--   key          the value of that property, as a text, of both events; what has none goes with what has none. Without a
--                key, all of a user's are one
--   not_finished share of starts; one that is still going on is among them
--   seconds      from start to finish: mean, median, p75, p95
--
-- Events without a user are left out. Late events count at their own time. Read event by event (happened.sql); percentiles come from a
-- histogram and are off by 1 % at most, all else is exact.
SET LOCAL ROLE weir_owner;
SET LOCAL check_function_bodies = off;

-- Of users from one number up to another: how many have starts within the window, and how many, in the row without a slot; else how many
-- starts were finished in that time, by its slot, and their seconds. `same` says that both are events of one name; `patience` is
-- microseconds. Without a key, what comes after a start is searched in sorted numbers (moments.sql, sorted_events()).
CREATE OR REPLACE FUNCTION weir.task_slots_by_user(lowest bigint, beyond bigint, tenant text, first_day date, last_day date, zone text, patterns jsonb,
  same boolean, patience bigint, rows weir.moments[])
RETURNS TABLE (slot integer, times bigint, seconds numeric, users bigint)
LANGUAGE plpgsql STABLE PARALLEL SAFE ROWS 1000
SET plan_cache_mode = force_custom_plan SET jit = off SET work_mem = '256MB' SET enable_sort = off SET max_parallel_workers_per_gather = 0
AS $$
#variable_conflict use_column
DECLARE
  since constant timestamptz := lower(weir.span_of_day(zone, first_day));
  until constant timestamptz := upper(weir.span_of_day(zone, last_day)) + patience * interval '1 microsecond';
  origin constant bigint := weir.microseconds(since);
  bits constant integer := weir.bits_of(since, until);
  moment constant bigint := (1::bigint << bits) - 1;
  asked constant weir.asked := weir.asked_of_span(tenant, since, until);
  first bigint;
  last bigint;
  starts constant bigint[] := weir.sorted_events(lowest, beyond, asked, jsonb_build_array(patterns -> 0), bits, rows[1]);
  finishes constant bigint[] := weir.sorted_events(lowest, beyond, asked, jsonb_build_array(patterns -> 1), bits, rows[2]);
  took bigint[];
BEGIN
  SELECT weir.microseconds(w.surely_since) - origin, weir.microseconds(w.surely_until) - origin INTO first, last FROM weir.window_of(zone, first_day, last_day) AS w;
  -- Before the next start; of one moment a finish is after all starts, or before them where it has to be later.
  SELECT count(*), count(DISTINCT c.start >> bits),
    array_agg(c.finish - c.start) FILTER (WHERE c.finish <= c.start + patience AND (c.next IS NULL OR c.finish < c.next OR same AND c.finish = c.next))
  INTO times, users, took
  FROM (
    SELECT l.start, l.next, finishes[width_bucket(CASE WHEN same THEN l.start ELSE l.start - 1 END, finishes) + 1] AS finish
    FROM (SELECT unnest(starts) AS start, unnest(starts[2:]) AS next) AS l
    WHERE l.start & moment BETWEEN first AND last
      OR ((since + (l.start & moment) * interval '1 microsecond') AT TIME ZONE zone)::date BETWEEN first_day AND last_day
    OFFSET 0
  ) AS c;
  RETURN NEXT;
  RETURN QUERY SELECT weir.quick_slot(t.took / 1e6::float8) AS slot, count(*), sum(t.took) / 1000000, NULL::bigint
  FROM unnest(took) AS t (took)
  GROUP BY slot;
END
$$;

-- The same for as many users at a time as have room in numbers; one process does all of it.
CREATE OR REPLACE FUNCTION weir.quick_task_slots(lowest bigint, beyond bigint, tenant text, first_day date, last_day date, zone text, patterns jsonb,
  same boolean, patience bigint, rows weir.moments[])
RETURNS TABLE (slot integer, times bigint, seconds numeric, users bigint)
LANGUAGE sql STABLE PARALLEL SAFE COST 1000000000 ROWS 1000
SET jit = off SET max_parallel_workers_per_gather = 0
AS $$
  SELECT s.*
  FROM weir.turns_of_users(lowest, beyond, lower(weir.span_of_day(zone, first_day)),
    upper(weir.span_of_day(zone, last_day)) + patience * interval '1 microsecond') AS t
  CROSS JOIN LATERAL weir.task_slots_by_user(t.first, t.next, tenant, first_day, last_day, zone, patterns, same, patience, rows) AS s
$$;

-- The same by key: what comes right after a start of the user and key decides.
CREATE OR REPLACE FUNCTION weir.keyed_task_slots(lowest bigint, beyond bigint, tenant text, first_day date, last_day date, zone text, patterns jsonb,
  same boolean, patience bigint, key text)
RETURNS TABLE (slot integer, times bigint, seconds numeric, users bigint)
LANGUAGE plpgsql STABLE PARALLEL SAFE COST 1000000000 ROWS 1000
SET plan_cache_mode = force_custom_plan SET jit = off SET work_mem = '256MB' SET enable_nestloop = on SET enable_sort = off
SET max_parallel_workers_per_gather = 0
AS $$
#variable_conflict use_column
DECLARE
  seen record;
BEGIN
  IF lowest >= beyond THEN
    RETURN;
  END IF;
  SELECT w.*, w.until + patience * interval '1 microsecond' AS last INTO seen FROM weir.window_of(zone, first_day, last_day) AS w;
  RETURN QUERY WITH starts AS MATERIALIZED (
    SELECT s.number, CASE WHEN s.took <= patience THEN s.took END AS took
    FROM (
      SELECT l.number, l.at, weir.microseconds(l.finish_at) - weir.microseconds(l.at) AS took
      FROM (
        SELECT e.place, e.number, e.at, lead(CASE WHEN e.place <> 1 THEN e.at END) OVER line AS finish_at
        FROM weir.happened_to(lowest, beyond, tenant, patterns, seen.since, seen.last, '{properties}') AS e
        WINDOW line AS (PARTITION BY e.number, weir.first_text(e.properties, ARRAY[key]) COLLATE "C" ORDER BY e.at, (e.place = 1) = same)
      ) AS l
      WHERE l.place = 1
    ) AS s
    WHERE s.at >= seen.surely_since AND s.at < seen.surely_until OR (s.at AT TIME ZONE zone)::date BETWEEN first_day AND last_day
  )
  SELECT NULL::integer, coalesce(sum(u.starts), 0)::bigint, NULL::numeric, count(*)
  FROM (SELECT count(*) AS starts FROM starts AS s GROUP BY s.number) AS u
  UNION ALL
  SELECT weir.quick_slot(s.took / 1e6::float8) AS slot, count(*), sum(s.took) / 1000000, NULL::bigint
  FROM starts AS s WHERE s.took IS NOT NULL
  GROUP BY slot;
END
$$;

-- Of all users, a half to a process.
CREATE OR REPLACE FUNCTION weir.all_task_slots(tenant text, first_day date, last_day date, zone text, patterns jsonb, same boolean, patience bigint,
  key text, halves bigint[], rows weir.moments[])
RETURNS TABLE (slot integer, times bigint, seconds numeric, users bigint)
LANGUAGE sql STABLE
SET jit = off
AS $$
  SELECT * FROM weir.quick_task_slots(halves[1], halves[2], tenant, first_day, last_day, zone, patterns, same, patience, rows) WHERE key IS NULL
  UNION ALL
  SELECT * FROM weir.quick_task_slots(halves[2], halves[3], tenant, first_day, last_day, zone, patterns, same, patience, rows) WHERE key IS NULL
  UNION ALL
  SELECT * FROM weir.keyed_task_slots(halves[1], halves[2], tenant, first_day, last_day, zone, patterns, same, patience, key) WHERE key IS NOT NULL
  UNION ALL
  SELECT * FROM weir.keyed_task_slots(halves[2], halves[3], tenant, first_day, last_day, zone, patterns, same, patience, key) WHERE key IS NOT NULL
$$;

-- What a server can say of its own users: `starts`, `finished`, `seconds`, `users`, and `slot` by [list, slot].
CREATE OR REPLACE FUNCTION weir.tasks_partial(tenant text, first_day date, last_day date, zone text, start jsonb, finish jsonb,
  key text DEFAULT NULL, within integer DEFAULT 86400, filter jsonb DEFAULT '{}')
RETURNS SETOF weir.part
LANGUAGE sql STABLE
SET jit = off SET work_mem = '128MB' SET enable_nestloop = on
AS $$
  WITH slots AS MATERIALIZED (
    SELECT u.slot, sum(u.times) AS times, sum(u.seconds) AS seconds, sum(u.users) AS users
    FROM (
      SELECT p.*, CASE WHEN tasks_partial.key IS NULL THEN weir.moments_in_rows(tenant, p.patterns, p.since, p.until) END AS rows
      FROM (
        SELECT w.since, w.until + tasks_partial.within * interval '1 second' AS until, weir.narrowed(jsonb_build_array(start, finish), filter) AS patterns
        FROM weir.window_of(zone, first_day, last_day) AS w
        OFFSET 0
      ) AS p
      OFFSET 0
    ) AS p
    CROSS JOIN LATERAL weir.all_task_slots(tenant, first_day, last_day, zone, p.patterns, start ->> 'event' = finish ->> 'event',
      tasks_partial.within * 1000000::bigint, tasks_partial.key, CASE WHEN tasks_partial.key IS NULL
      THEN weir.halves_with_rows(tenant, p.patterns, p.since, p.until, p.rows) ELSE weir.halves_of_users(tenant, p.patterns, p.since, p.until) END,
      p.rows) AS u
    GROUP BY u.slot
  )
  SELECT f.figure, '', coalesce(f.amount, 0)
  FROM (
    SELECT sum(s.times) FILTER (WHERE s.slot IS NULL) AS starts, sum(s.times) FILTER (WHERE s.slot IS NOT NULL) AS finished,
      sum(s.seconds) AS seconds, sum(s.users) AS users
    FROM slots AS s
  ) AS s,
    LATERAL (VALUES ('starts', s.starts), ('finished', s.finished), ('seconds', s.seconds), ('users', s.users)) AS f (figure, amount)
  UNION ALL
  SELECT 'slot', jsonb_build_array('', s.slot)::text, s.times FROM slots AS s WHERE s.slot IS NOT NULL
$$;

-- The answer, from the parts of all servers.
CREATE OR REPLACE FUNCTION weir.tasks_merge(parts weir.part[]) RETURNS jsonb
LANGUAGE sql IMMUTABLE
AS $$
  SELECT jsonb_build_object('users', weir.amount_of(parts, 'users'), 'starts', k.starts, 'finished', k.finished,
    'not_finished', jsonb_build_object('count', k.starts - k.finished, 'share', weir.ratio(k.starts - k.finished, k.starts)),
    'seconds', weir.percentiles_with_mean(weir.amount_of(parts, 'seconds'), k.finished,
      (SELECT l.percentiles FROM weir.listed_percentiles(parts, 'slot') AS l)))
  FROM (SELECT weir.amount_of(parts, 'starts') AS starts, weir.amount_of(parts, 'finished') AS finished) AS k
$$;

CREATE OR REPLACE FUNCTION weir.tasks_answer(tenant text, first_day date, last_day date, zone text DEFAULT 'UTC', start text DEFAULT NULL,
  finish text DEFAULT NULL, key text DEFAULT NULL, within integer DEFAULT 86400, filter text DEFAULT NULL) RETURNS jsonb
LANGUAGE sql STABLE
AS $$
  SELECT weir.answered(tenant, first_day, last_day, zone, 'rows',
    jsonb_build_object('within', a.within, 'key', key, 'error', '{"percentiles": 0.01}'::jsonb) || weir.tasks_merge(ARRAY(
      SELECT p FROM weir.tasks_partial(tenant, first_day, last_day, zone, a.start, a.finish, key, a.within, a.filter) AS p)))
  FROM (
    SELECT weir.needed_pattern('start', start) AS start, weir.needed_pattern('finish', finish) AS finish,
      weir.bounded('within', within, 1, 7776000) AS within, weir.filter_of('filter', filter) AS filter
    OFFSET 0
  ) AS a
$$;
COMMENT ON FUNCTION weir.tasks_answer(text, date, date, text, text, text, text, integer, text) IS
  'How long tasks take from start to finish, and how many are not finished. sql/analytics/tasks.sql defines it.';

GRANT EXECUTE ON FUNCTION weir.task_slots_by_user(bigint, bigint, text, date, date, text, jsonb, boolean, bigint, weir.moments[]),
  weir.quick_task_slots(bigint, bigint, text, date, date, text, jsonb, boolean, bigint, weir.moments[]),
  weir.keyed_task_slots(bigint, bigint, text, date, date, text, jsonb, boolean, bigint, text),
  weir.all_task_slots(text, date, date, text, jsonb, boolean, bigint, text, bigint[], weir.moments[]),
  weir.tasks_partial(text, date, date, text, jsonb, jsonb, text, integer, jsonb), weir.tasks_merge(weir.part[]),
  weir.tasks_answer(text, date, date, text, text, text, text, integer, text) TO weir_reader;
