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

-- Each start of users from one number up to another, in microseconds, and how long it was until the finish; NULL: something else
-- came first, or nothing. What comes right after a start decides. `same` says that both are events of one name. Without settings of
-- its own, so that it becomes part of what asks, as the next one.
CREATE OR REPLACE FUNCTION weir.task_starts(lowest bigint, beyond bigint, tenant text, since timestamptz, until timestamptz, patterns jsonb,
  same boolean, key text)
RETURNS TABLE (number bigint, began bigint, took bigint)
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
  SELECT l.number, weir.microseconds(l.at), weir.microseconds(l.finish_at) - weir.microseconds(l.at)
  FROM (
    SELECT e.place, e.number, e.at, lead(CASE WHEN e.place <> 1 THEN e.at END) OVER line AS finish_at
    FROM weir.happened_to(lowest, beyond, tenant, patterns, since, until, CASE WHEN task_starts.key IS NULL THEN '{}'::text[] ELSE '{properties}' END) AS e
    WINDOW line AS (PARTITION BY e.number, CASE WHEN task_starts.key IS NOT NULL THEN weir.first_text(e.properties, ARRAY[task_starts.key]) COLLATE "C" END
      ORDER BY e.at, (e.place = 1) = same)
  ) AS l
  WHERE l.place = 1
$$;

-- The same without a key, in half the time: an event is one number of the user's, the moment's after `origin` in `bits` and what
-- it is in the last one, so that sorting compares nothing but numbers, and what comes next is found without a window.
CREATE OR REPLACE FUNCTION weir.quick_task_starts(lowest bigint, beyond bigint, tenant text, since timestamptz, until timestamptz, patterns jsonb,
  same boolean, origin bigint, bits integer)
RETURNS TABLE (number bigint, began bigint, took bigint)
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
  SELECT c.code >> bits, origin + ((c.code & ((bigint '1' << bits) - 1)) >> 1),
    CASE WHEN c.next >> bits = c.code >> bits AND (c.next & 1 = 1) <> same THEN (c.next >> 1) - (c.code >> 1) END
  FROM (
    SELECT unnest(s.codes) AS code, unnest(s.codes[2:]) AS next
    FROM (
      SELECT array_agg(e.code ORDER BY e.code) AS codes
      FROM (
        SELECT (h.number << bits) | ((weir.microseconds(h.at) - origin) << 1) | CASE WHEN (h.place = 1) = same THEN 1 ELSE 0 END AS code
        FROM weir.moments_of(lowest, beyond, tenant, patterns, since, until) AS h
      ) AS e
    ) AS s
  ) AS c
  WHERE (c.code & 1 = 1) = same
$$;

-- Of these users: how many have starts within the window, and how many, in the row without a slot; else how many starts were
-- finished in that time, by its slot, and their seconds. With `bits` the quick way. `first`, `last` and `patience` are microseconds:
-- what is between the former is surely within the window. One process does all of it.
CREATE OR REPLACE FUNCTION weir.task_slots(lowest bigint, beyond bigint, tenant text, first_day date, last_day date, zone text, since timestamptz,
  until timestamptz, origin bigint, first bigint, last bigint, patterns jsonb, same boolean, key text, patience bigint, bits integer)
RETURNS TABLE (slot integer, times bigint, seconds numeric, users bigint)
LANGUAGE plpgsql STABLE PARALLEL SAFE COST 1000000000 ROWS 1000
SET plan_cache_mode = force_custom_plan SET jit = off SET work_mem = '256MB' SET enable_nestloop = on SET enable_sort = off SET max_parallel_workers_per_gather = 0
AS $$
#variable_conflict use_column
BEGIN
  RETURN QUERY WITH starts AS MATERIALIZED (
    SELECT s.number, CASE WHEN s.took <= patience THEN s.took END AS took
    FROM (
      SELECT q.* FROM weir.quick_task_starts(lowest, beyond, tenant, since, until, patterns, same, origin, bits) AS q WHERE bits IS NOT NULL
      UNION ALL
      SELECT t.* FROM weir.task_starts(lowest, beyond, tenant, since, until, patterns, same, task_slots.key) AS t WHERE bits IS NULL
    ) AS s
    WHERE s.began BETWEEN first AND last
      OR ((since + (s.began - origin) * interval '1 microsecond') AT TIME ZONE zone)::date BETWEEN first_day AND last_day
  )
  SELECT NULL::integer, coalesce(sum(u.starts), 0)::bigint, NULL::numeric, count(*)
  FROM (SELECT count(*) AS starts FROM starts AS s GROUP BY s.number) AS u WHERE lowest < beyond
  UNION ALL
  SELECT weir.quick_slot(s.took / 1e6::float8) AS slot, count(*), sum(s.took) / 1000000, NULL::bigint
  FROM starts AS s WHERE s.took IS NOT NULL AND lowest < beyond
  GROUP BY slot;
END
$$;

-- The same of all users, a half to a process; who has no number yet is told apart by one that has no room in bits.
CREATE OR REPLACE FUNCTION weir.all_task_slots(halves bigint[], tenant text, first_day date, last_day date, zone text, since timestamptz,
  until timestamptz, origin bigint, first bigint, last bigint, patterns jsonb, same boolean, key text, patience bigint, bits integer)
RETURNS TABLE (slot integer, times bigint, seconds numeric, users bigint)
LANGUAGE sql STABLE
SET jit = off
AS $$
  SELECT * FROM weir.task_slots(greatest(halves[1], 0), halves[2], tenant, first_day, last_day, zone, since, until, origin, first, last,
    patterns, same, key, patience, bits)
  UNION ALL
  SELECT * FROM weir.task_slots(halves[2], halves[3], tenant, first_day, last_day, zone, since, until, origin, first, last,
    patterns, same, key, patience, bits)
  UNION ALL
  SELECT * FROM weir.task_slots(halves[1], 0, tenant, first_day, last_day, zone, since, until, origin, first, last,
    patterns, same, key, patience, NULL)
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
      SELECT w.since, w.until + tasks_partial.within * interval '1 second' AS until, weir.microseconds(w.surely_since) AS first,
        weir.microseconds(w.surely_until) AS last, weir.narrowed(jsonb_build_array(start, finish), filter) AS patterns
      FROM weir.window_of(zone, first_day, last_day) AS w
      OFFSET 0
    ) AS a
    CROSS JOIN LATERAL weir.all_task_slots(weir.halves_of_users(tenant, a.patterns, a.since, a.until), tenant, first_day, last_day, zone,
      a.since, a.until, weir.microseconds(a.since), a.first, a.last, a.patterns, start ->> 'event' = finish ->> 'event', tasks_partial.key,
      tasks_partial.within * 1000000::bigint, CASE WHEN tasks_partial.key IS NULL THEN weir.moment_bits(tenant, a.since, a.until) END) AS u
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

GRANT EXECUTE ON FUNCTION weir.task_starts(bigint, bigint, text, timestamptz, timestamptz, jsonb, boolean, text),
  weir.quick_task_starts(bigint, bigint, text, timestamptz, timestamptz, jsonb, boolean, bigint, integer),
  weir.task_slots(bigint, bigint, text, date, date, text, timestamptz, timestamptz, bigint, bigint, bigint, jsonb, boolean, text, bigint, integer),
  weir.all_task_slots(bigint[], text, date, date, text, timestamptz, timestamptz, bigint, bigint, bigint, jsonb, boolean, text, bigint, integer),
  weir.tasks_partial(text, date, date, text, jsonb, jsonb, text, integer, jsonb), weir.tasks_merge(weir.part[]),
  weir.tasks_answer(text, date, date, text, text, text, text, integer, text) TO weir_reader;
