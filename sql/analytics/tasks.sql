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

-- Starts and finishes of the tenant's users from the window's first day on until some time after it.
CREATE OR REPLACE FUNCTION weir.task_steps(tenant text, since timestamptz, until timestamptz, start jsonb, finish jsonb, key text, filter jsonb)
RETURNS TABLE (number bigint, key text, at timestamptz, is_start boolean)
LANGUAGE sql STABLE
AS $$
  SELECT e.number, CASE WHEN task_steps.key IS NOT NULL THEN weir.first_text(e.properties, ARRAY[task_steps.key]) COLLATE "C" END, e.at, e.place = 1
  FROM weir.happened(tenant, jsonb_build_array(start, finish), since, until,
    CASE WHEN task_steps.key IS NULL THEN '{}'::text[] ELSE '{properties}' END || weir.needs_of(jsonb_build_array(start, finish, filter))) AS e
  WHERE e.number IS NOT NULL AND ((SELECT filter ->> 'version') IS NULL OR e.version = (SELECT filter ->> 'version'))
    AND ((SELECT filter ->> 'platform') IS NULL OR e.platform = (SELECT filter ->> 'platform'))
    AND ((SELECT filter ->> 'country') IS NULL OR e.country = (SELECT filter ->> 'country'))
    AND ((SELECT filter -> 'properties') IS NULL OR e.properties @> (SELECT filter -> 'properties'))
$$;

-- What a server can say of its own users: `starts`, `finished`, `seconds`, `users`, and `slot` by [list, slot].
CREATE OR REPLACE FUNCTION weir.tasks_partial(tenant text, first_day date, last_day date, zone text, start jsonb, finish jsonb,
  key text DEFAULT NULL, within integer DEFAULT 86400, filter jsonb DEFAULT '{}')
RETURNS SETOF weir.part
LANGUAGE sql STABLE
SET jit = off SET work_mem = '128MB'
AS $$
  WITH w AS MATERIALIZED (
    SELECT * FROM weir.window_of(zone, first_day, last_day)
  ), lined AS (
    SELECT t.number, t.at, t.is_start, lead(t.is_start) OVER line AS next_is_start, lead(t.at) OVER line AS next_at
    FROM weir.task_steps(tenant, lower(weir.span_of_day(zone, first_day)), upper(weir.span_of_day(zone, last_day))
      + tasks_partial.within * interval '1 second', start, finish, tasks_partial.key, filter) AS t
    WINDOW line AS (PARTITION BY t.number, t.key ORDER BY t.at, t.is_start = (start ->> 'event' = finish ->> 'event'))
  ), tasks AS MATERIALIZED (
    SELECT l.number, CASE WHEN NOT l.next_is_start AND l.next_at <= l.at + tasks_partial.within * interval '1 second'
      THEN extract(epoch FROM l.next_at - l.at) END AS seconds
    FROM lined AS l
    WHERE l.is_start AND l.at < (SELECT w.until FROM w)
      AND (l.at BETWEEN (SELECT w.surely_since FROM w) AND (SELECT w.surely_until FROM w) OR (l.at AT TIME ZONE zone)::date BETWEEN first_day AND last_day)
  )
  SELECT f.figure, '', f.amount
  FROM (
    SELECT count(*) AS starts, count(t.seconds) AS finished, coalesce(sum(t.seconds), 0) AS seconds, count(DISTINCT t.number) AS users
    FROM tasks AS t
  ) AS s, LATERAL (VALUES ('starts', s.starts), ('finished', s.finished), ('seconds', s.seconds), ('users', s.users)) AS f (figure, amount)
  UNION ALL
  SELECT 'slot', jsonb_build_array('', s.slot)::text, count(*)
  FROM (SELECT weir.quick_slot(t.seconds::float8) AS slot FROM tasks AS t WHERE t.seconds IS NOT NULL) AS s
  GROUP BY s.slot
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
    jsonb_build_object('within', a.within, 'key', key, 'exact', false, 'error', '{"percentiles": 0.01}'::jsonb) || weir.tasks_merge(ARRAY(
      SELECT p FROM weir.tasks_partial(tenant, first_day, last_day, zone, a.start, a.finish, key, a.within, a.filter) AS p)))
  FROM (
    SELECT weir.needed_pattern('start', start) AS start, weir.needed_pattern('finish', finish) AS finish,
      weir.bounded('within', within, 1, 7776000) AS within, weir.filter_of('filter', filter) AS filter
    OFFSET 0
  ) AS a
$$;
COMMENT ON FUNCTION weir.tasks_answer(text, date, date, text, text, text, text, integer, text) IS
  'How long tasks take from start to finish, and how many are not finished. sql/analytics/tasks.sql defines it.';

GRANT EXECUTE ON FUNCTION weir.task_steps(text, timestamptz, timestamptz, jsonb, jsonb, text, jsonb),
  weir.tasks_partial(text, date, date, text, jsonb, jsonb, text, integer, jsonb), weir.tasks_merge(weir.part[]),
  weir.tasks_answer(text, date, date, text, text, text, text, integer, text) TO weir_reader;
