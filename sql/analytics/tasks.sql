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

-- 64 bits of a property's text (weir.text_at()), 0 for none. `said` is what `->>` gives of it, looked for once by who asks.
CREATE OR REPLACE FUNCTION weir.key_of(properties jsonb, name text, said text) RETURNS bigint
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
  SELECT coalesce(hashtextextended(nullif(CASE WHEN starts_with(said, '{') OR starts_with(said, '[') OR octet_length(said) > 256
    THEN weir.text_at(properties, name) ELSE said END, ''), 0), 0)
$$;

-- The events of these users that fit a pattern, in packs, with their keys. A moment is microseconds since the span's begin, times two, and a bit that puts
-- what comes first of one moment first. Without settings of its own, so that it becomes part of what asks. (OFFSET has each key be looked for once.)
CREATE OR REPLACE FUNCTION weir.keyed_events(lowest bigint, beyond bigint, asked weir.asked, pattern jsonb, key text, late integer)
RETURNS TABLE (number bigint, key bigint, moment bigint)
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
  SELECT s.number, weir.key_of(s.properties, keyed_events.key, s.said), s.moment
  FROM (
    SELECT (u.code >> 37) + u.apart + lowest AS number, ((u.code & 137438953471) + u.further) * 2 + late AS moment, u.properties,
      u.properties ->> keyed_events.key AS said
    FROM (
      SELECT unnest(c.codes) AS code, unnest(c.versions) AS version, unnest(c.platforms) AS platform, unnest(c.countries) AS country,
        unnest(c.properties) AS properties, c.apart, c.further, c.has, c.of_version, c.of_platform, c.of_country
      FROM weir.cut_packs(lowest, beyond, asked, jsonb_build_array(pattern), '{properties}', false) AS c
    ) AS u
    WHERE u.code IS NOT NULL AND weir.is_like(u.has, u.of_version, u.of_platform, u.of_country, u.properties, u.version, u.platform, u.country)
    OFFSET 0
  ) AS s
$$;

-- Users from one number up to another in turns, a sixteenth of all at most: what is sorted of so few has room in a processor's cache. Those without a
-- number first.
CREATE OR REPLACE FUNCTION weir.small_turns_of_users(tenant text, lowest bigint, beyond bigint) RETURNS TABLE (first bigint, next bigint)
LANGUAGE sql STABLE PARALLEL SAFE ROWS 10
AS $$
  SELECT lowest, 0::bigint WHERE lowest < 0
  UNION ALL
  SELECT n, least(n + u.turn, u.beyond)
  FROM (
    SELECT greatest(16384, m.number / 16 + 1) AS turn, least(small_turns_of_users.beyond, m.number + 1) AS beyond
    FROM (SELECT coalesce(max(u.number), -1)::bigint AS number FROM weir.user_numbers AS u WHERE u.tenant_id = tenant) AS m
  ) AS u, generate_series(greatest(lowest, 0), u.beyond - 1, u.turn) AS n
$$;

-- The same by key: what comes right after a start of the user and key decides.
CREATE OR REPLACE FUNCTION weir.keyed_task_slots(lowest bigint, beyond bigint, tenant text, first_day date, last_day date, zone text, patterns jsonb,
  same boolean, patience bigint, key text)
RETURNS TABLE (slot integer, times bigint, seconds numeric, users bigint)
LANGUAGE plpgsql STABLE PARALLEL SAFE COST 1000000000 ROWS 1000
SET plan_cache_mode = force_custom_plan SET jit = off SET work_mem = '128MB' SET enable_nestloop = on SET max_parallel_workers_per_gather = 0
AS $$
#variable_conflict use_column
DECLARE
  since constant timestamptz := lower(weir.span_of_day(zone, first_day));
  until constant timestamptz := upper(weir.span_of_day(zone, last_day)) + patience * interval '1 microsecond';
  origin constant bigint := weir.microseconds(since);
  asked constant weir.asked := weir.asked_of_span(tenant, since, until);
  start constant integer := same::integer;
  surely_first bigint;
  surely_last bigint;
BEGIN
  IF lowest >= beyond THEN
    RETURN;
  END IF;
  SELECT (weir.microseconds(w.surely_since) - origin) * 2, (weir.microseconds(w.surely_until) - origin) * 2 INTO surely_first, surely_last
  FROM weir.window_of(zone, first_day, last_day) AS w;
  RETURN QUERY WITH rows AS MATERIALIZED (
    SELECT r.number, weir.key_of(r.properties, keyed_task_slots.key, r.properties ->> keyed_task_slots.key) AS key,
      (weir.microseconds(r.at) - origin) * 2 + CASE WHEN r.place = 1 THEN start ELSE 1 - start END AS moment
    FROM weir.happened_in_rows(tenant, patterns, since, until, '{}') AS r
    WHERE r.number >= lowest AND r.number < beyond
  ), sums AS MATERIALIZED (
    SELECT s.*
    FROM weir.small_turns_of_users(tenant, lowest, beyond) AS t
    CROSS JOIN LATERAL (
      SELECT s.number, s.slot, count(*) AS times, sum(s.took) AS took
      FROM (
        SELECT p.number, CASE WHEN p.took <= patience THEN p.took END AS took, CASE WHEN p.took <= patience THEN weir.quick_slot(p.took / 1e6::float8) END AS slot
        FROM (
          SELECT e.number, e.moment, (lead(CASE WHEN e.moment & 1 <> start THEN e.moment END) OVER (PARTITION BY e.number, e.key ORDER BY e.moment) >> 1)
            - (e.moment >> 1) AS took
          FROM (
            SELECT * FROM weir.keyed_events(greatest(t.first, 0), t.next, asked, patterns -> 0, keyed_task_slots.key, start)
            UNION ALL
            SELECT * FROM weir.keyed_events(greatest(t.first, 0), t.next, asked, patterns -> 1, keyed_task_slots.key, 1 - start)
            UNION ALL
            SELECT r.* FROM rows AS r WHERE r.number >= t.first AND r.number < t.next
          ) AS e
        ) AS p
        WHERE p.moment & 1 = start AND (p.moment BETWEEN surely_first AND surely_last
          OR ((since + (p.moment >> 1) * interval '1 microsecond') AT TIME ZONE zone)::date BETWEEN first_day AND last_day)
        OFFSET 0
      ) AS s
      GROUP BY GROUPING SETS ((s.number), (s.slot))
    ) AS s
  )
  SELECT NULL::integer, coalesce(sum(s.times), 0)::bigint, NULL::numeric, count(*) FROM sums AS s WHERE s.number IS NOT NULL
  UNION ALL
  SELECT s.slot, sum(s.times)::bigint, sum(s.took) / 1000000, NULL::bigint FROM sums AS s WHERE s.slot IS NOT NULL GROUP BY s.slot;
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
  weir.key_of(jsonb, text, text), weir.keyed_events(bigint, bigint, weir.asked, jsonb, text, integer), weir.small_turns_of_users(text, bigint, bigint),
  weir.keyed_task_slots(bigint, bigint, text, date, date, text, jsonb, boolean, bigint, text),
  weir.all_task_slots(text, date, date, text, jsonb, boolean, bigint, text, bigint[], weir.moments[]),
  weir.tasks_partial(text, date, date, text, jsonb, jsonb, text, integer, jsonb), weir.tasks_merge(weir.part[]),
  weir.tasks_answer(text, date, date, text, text, text, text, integer, text) TO weir_reader;
