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

-- Sums by slot of what tasks took.
CREATE OR REPLACE FUNCTION weir.slots_of_times(took bigint[]) RETURNS TABLE (slot integer, times bigint, seconds numeric, users bigint)
LANGUAGE sql IMMUTABLE PARALLEL SAFE ROWS 1000
AS $$
  SELECT weir.quick_slot(t.took / 1e6::float8) AS slot, count(*), sum(t.took) / 1000000, NULL::bigint FROM unnest(took) AS t (took) GROUP BY 1
$$;

-- Whether a moment is on days of a zone: between two it surely is (window_of()).
CREATE OR REPLACE FUNCTION weir.is_in_days(moment bigint, since timestamptz, first bigint, last bigint, first_day date, last_day date, zone text) RETURNS boolean
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
  SELECT moment BETWEEN first AND last OR ((since + moment * interval '1 microsecond') AT TIME ZONE zone)::date BETWEEN first_day AND last_day
$$;

-- Of sorted starts and finishes (moments.sql): how many starts lie within the window, and of how many users, in the row without a slot; else how many
-- starts were finished in that time, by its slot, and their seconds. `same` says that both are events of one name; `patience` is microseconds. What comes
-- after a start is searched.
CREATE OR REPLACE FUNCTION weir.slots_of_tasks(starts bigint[], finishes bigint[], bits integer, since timestamptz, first_day date, last_day date, zone text,
  same boolean, patience bigint)
RETURNS TABLE (slot integer, times bigint, seconds numeric, users bigint)
LANGUAGE plpgsql STABLE PARALLEL SAFE ROWS 1000
SET plan_cache_mode = force_custom_plan SET jit = off SET work_mem = '256MB' SET enable_sort = off SET max_parallel_workers_per_gather = 0
AS $$
#variable_conflict use_column
DECLARE
  origin constant bigint := weir.microseconds(since);
  moment constant bigint := (1::bigint << bits) - 1;
  first bigint;
  last bigint;
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
    WHERE weir.is_in_days(l.start & moment, since, first, last, first_day, last_day, zone)
    OFFSET 0
  ) AS c;
  RETURN NEXT;
  RETURN QUERY SELECT * FROM weir.slots_of_times(took);
END
$$;

-- The same of users from one number up to another, for as many at a time as have room in numbers; one process does all of it.
CREATE OR REPLACE FUNCTION weir.quick_task_slots(lowest bigint, beyond bigint, tenant text, first_day date, last_day date, zone text, patterns jsonb,
  same boolean, patience bigint, rows weir.moments[])
RETURNS TABLE (slot integer, times bigint, seconds numeric, users bigint)
LANGUAGE sql STABLE PARALLEL SAFE COST 1000000000 ROWS 1000
SET jit = off SET max_parallel_workers_per_gather = 0
AS $$
  SELECT s.*
  FROM (
    SELECT d.since, weir.bits_of(d.since, d.until) AS bits, weir.asked_of_span(tenant, d.since, d.until) AS asked
    FROM (
      SELECT lower(weir.span_of_day(zone, first_day)) AS since, upper(weir.span_of_day(zone, last_day)) + patience * interval '1 microsecond' AS until
    ) AS d
  ) AS d
  CROSS JOIN LATERAL weir.turns_of_users(lowest, beyond, (d.asked).since, (d.asked).until) AS t
  CROSS JOIN LATERAL weir.slots_of_tasks(weir.sorted_events(t.first, t.next, d.asked, jsonb_build_array(patterns -> 0), d.bits, rows[1]),
    weir.sorted_events(t.first, t.next, d.asked, jsonb_build_array(patterns -> 1), d.bits, rows[2]), d.bits, d.since, first_day, last_day, zone, same,
    patience) AS s
$$;

-- Of all users, or of all tasks, a half to a process.
CREATE OR REPLACE FUNCTION weir.all_task_slots(tenant text, first_day date, last_day date, zone text, patterns jsonb, same boolean, patience bigint,
  key text, listed boolean, halves bigint[], rows weir.moments[])
RETURNS TABLE (slot integer, times bigint, seconds numeric, users bigint)
LANGUAGE sql STABLE
SET jit = off
AS $$
  SELECT * FROM weir.quick_task_slots(halves[1], halves[2], tenant, first_day, last_day, zone, patterns, same, patience, rows) WHERE key IS NULL
  UNION ALL
  SELECT * FROM weir.quick_task_slots(halves[2], halves[3], tenant, first_day, last_day, zone, patterns, same, patience, rows) WHERE key IS NULL
  UNION ALL
  SELECT * FROM weir.keyed_task_slots(halves[1], halves[2], tenant, first_day, last_day, zone, patterns, same, patience, key, rows) WHERE key IS NOT NULL AND NOT listed
  UNION ALL
  SELECT * FROM weir.keyed_task_slots(halves[2], halves[3], tenant, first_day, last_day, zone, patterns, same, patience, key, rows) WHERE key IS NOT NULL AND NOT listed
  UNION ALL
  SELECT * FROM weir.listed_task_slots(-9223372036854775807, -1, halves[1], halves[2], halves[3], tenant, first_day, last_day, zone, patterns, patience,
    key, rows) WHERE listed
  UNION ALL
  SELECT * FROM weir.listed_task_slots(0, 9223372036854775807, halves[2], halves[3], halves[3], tenant, first_day, last_day, zone, patterns, patience,
    key, rows) WHERE listed
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
      SELECT p.*, weir.moments_in_rows(tenant, p.patterns, p.since, p.until) AS rows
      FROM (
        SELECT w.since, w.until + tasks_partial.within * interval '1 second' AS until, weir.narrowed(jsonb_build_array(start, finish), filter) AS patterns
        FROM weir.window_of(zone, first_day, last_day) AS w
        OFFSET 0
      ) AS p
      OFFSET 0
    ) AS p
    CROSS JOIN LATERAL weir.all_task_slots(tenant, first_day, last_day, zone, p.patterns, start ->> 'event' = finish ->> 'event',
      tasks_partial.within * 1000000::bigint, tasks_partial.key,
      tasks_partial.key IS NOT NULL AND weir.are_keys_listed(tenant, p.since, p.until, p.patterns, tasks_partial.key), weir.halves_with_rows(tenant, p.patterns, p.since, p.until, p.rows), p.rows) AS u
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

GRANT EXECUTE ON FUNCTION weir.slots_of_tasks(bigint[], bigint[], integer, timestamptz, date, date, text, boolean, bigint),
  weir.quick_task_slots(bigint, bigint, text, date, date, text, jsonb, boolean, bigint, weir.moments[]), weir.slots_of_times(bigint[]),
  weir.is_in_days(bigint, timestamptz, bigint, bigint, date, date, text),
  weir.all_task_slots(text, date, date, text, jsonb, boolean, bigint, text, boolean, bigint[], weir.moments[]),
  weir.tasks_partial(text, date, date, text, jsonb, jsonb, text, integer, jsonb), weir.tasks_merge(weir.part[]),
  weir.tasks_answer(text, date, date, text, text, text, text, integer, text) TO weir_reader;
