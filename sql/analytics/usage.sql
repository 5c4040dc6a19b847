-- What is done how often, how long it takes, whether it works, and when.
--
--   SELECT weir.usage_answer('acme', '2026-03-01', '2026-03-31', 'Europe/Berlin');
--   SELECT weir.usage_answer('acme', '2026-03-01', '2026-03-31', event => 'recording_completed', property => 'duration_ms');
--
-- The window is from one day to another, both counted, in a time zone. With an event, what stands above the
-- line is about that event alone; what stands below is about all that the tenant has in any case.
--
--   count        events, those without a user too; by day
--   users        who had one of them; by day and week; per_user: count / users; per_active_user: count / active
--   weeks        count, users, per_user; growth of the count against the week before, where the window cuts neither;
--                per_user_and_week: of weeks that lie wholly in the window, count / users with any event of each, added up
--   peak_hours   count by weekday and hour of the clock: seven rows from Monday on, of 24 each. An hour that a
--                change of clock repeats holds both
--   success      of the events whose property `success` is true or false, the share in which it is true
--   errors       by the property `error_type`: each type's share of the events that have one, and its rate, of all; rate: these / count
--   numbers      of a property that was asked for: count, total, mean, lowest, highest, percentiles. Without an
--                event those of all events together. Texts that look like numbers are none
--   ────────────────────────────────────────────────────────────────────────────────────────────────────────
--   active       users with any event
--   events       each event by its name: count, users, share of all
--   hours        the measure `seconds` / 3600 (weir.measures as it is now); per_user: by `active`
--   sessions     that began within the window, with an event of a user's session_id that had none in the 24 hours before:
--                how many, their seconds to the last event within 24 hours of it; days: how many began on each
--   cli          of the events `cli_command`: commands, output formats, models, prompt length in characters, execution
--                time in milliseconds, success and errors (commands have no user). sessions: different session_ids of
--                commands in the window (count), on each of its days, in each of its weeks: what tells one user of
--                the command line from another where the client keeps its session_id; null where rows of some day were
--                dropped before they were counted
--
-- Percentiles come from histograms, whatever the zone, and are off by 1 % at most; all else is exact. Lists
-- have the hundred values with the most events, `more` says how many there are beyond these, and `other` has
-- together the values that were beyond the thousand of a day.
SET LOCAL ROLE weir_owner;
SET LOCAL check_function_bodies = off;

-- Count, users, days and hours of one value of a subject: of an event, or of 'active', which are all.
CREATE OR REPLACE FUNCTION weir.line_partial(tenant text, first_day date, last_day date, zone text, subject text, value text)
RETURNS SETOF weir.part
LANGUAGE sql STABLE
SET jit = off SET work_mem = '64MB'
AS $$
  WITH counts AS MATERIALIZED (
    SELECT c.day, c.events, c.hours
    FROM weir.counts_in(tenant, zone, subject, NULL, first_day, last_day) AS c
    WHERE c.value = line_partial.value
  ), sets AS MATERIALIZED (
    SELECT s.day, s.chunk, s.users
    FROM weir.sets_in(tenant, zone, subject, NULL, first_day, last_day) AS s
    WHERE s.value = line_partial.value
  )
  SELECT 'count_day', c.day::text, c.events FROM counts AS c
  UNION ALL
  SELECT 'hour', extract(isodow FROM c.day) || ' ' || h.place - 1, sum(h.events)
  FROM counts AS c, unnest(c.hours) WITH ORDINALITY AS h (events, place)
  WHERE h.events > 0
  GROUP BY 2
  UNION ALL
  SELECT 'users_day', s.day::text, sum(bit_count(s.users)) FROM sets AS s GROUP BY s.day
  UNION ALL
  SELECT 'users_week', w.start::text, sum(bit_count(w.users))
  FROM (
    SELECT date_trunc('week', s.day::timestamp)::date AS start, bit_or(s.users) AS users FROM sets AS s GROUP BY start, s.chunk
  ) AS w
  GROUP BY w.start
  UNION ALL
  SELECT 'users', '', sum(bit_count(u.users))
  FROM (SELECT bit_or(s.users) AS users FROM sets AS s GROUP BY s.chunk) AS u
$$;

-- The numbers that the answer needs, from one reading: 'number' is the property that was asked for.
CREATE OR REPLACE FUNCTION weir.usage_numbers_partial(tenant text, first_day date, last_day date, zone text, event text, property text)
RETURNS SETOF weir.part
LANGUAGE sql STABLE
SET jit = off SET work_mem = '64MB'
AS $$
  WITH measured AS MATERIALIZED (
    SELECT m.event, m.property, m.factor
    FROM weir.measures AS m
    WHERE m.measure = 'seconds' AND (m.tenant_id = tenant OR m.tenant_id = '*' AND NOT EXISTS (
      SELECT FROM weir.measures AS own WHERE own.tenant_id = tenant AND own.measure = 'seconds'))
  ), found AS MATERIALIZED (
    SELECT n.* FROM weir.numbers_in(tenant, zone, ARRAY(SELECT m.property FROM measured AS m WHERE m.property IS NOT NULL)
      || ARRAY['prompt_length', 'execution_time', usage_numbers_partial.property], first_day, last_day) AS n
  ), begun AS MATERIALIZED (
    SELECT s.* FROM weir.sessions_in(tenant, zone, first_day, last_day) AS s
  ), named AS MATERIALIZED (
    SELECT 'number' AS name, f.* FROM found AS f
    WHERE f.property = usage_numbers_partial.property AND f.event = coalesce(usage_numbers_partial.event, f.event)
    UNION ALL
    SELECT f.property, f.* FROM found AS f
    WHERE f.event = 'cli_command' AND f.property IN ('prompt_length', 'execution_time')
    UNION ALL
    SELECT 'session', NULL, NULL, s.sessions, s.seconds, NULL, NULL, s.slots, s.counts
    FROM begun AS s
  )
  SELECT n.name || p.kind, '', p.amount
  FROM (
    SELECT name, sum(numbers) AS numbers, sum(total) AS total, min(lowest) AS lowest, max(highest) AS highest
    FROM named GROUP BY name
  ) AS n, LATERAL (VALUES ('_count', n.numbers), ('_total', n.total), ('_lowest', n.lowest), ('_highest', n.highest)) AS p (kind, amount)
  WHERE p.amount IS NOT NULL
  UNION ALL
  SELECT n.name || '_slot', s.slot::text, sum(s.numbers)
  FROM named AS n, unnest(n.slots, n.counts) AS s (slot, numbers)
  GROUP BY n.name, s.slot
  UNION ALL
  SELECT 'sessions_day', b.day::text, b.sessions FROM begun AS b
  UNION ALL
  SELECT 'seconds', '', sum(f.total * m.factor)
  FROM found AS f JOIN measured AS m ON m.property = f.property AND m.event IN (f.event, '*')
  UNION ALL
  SELECT 'seconds', '', sum(c.events * m.factor)
  FROM measured AS m, weir.counts_in(tenant, zone, 'event', NULL, first_day, last_day) AS c
  WHERE m.property IS NULL AND m.event IN (c.value, '*')
$$;

-- Users with any event: of the window, and of each week.
CREATE OR REPLACE FUNCTION weir.active_by_week_partial(tenant text, first_day date, last_day date, zone text) RETURNS SETOF weir.part
LANGUAGE sql STABLE
SET jit = off SET work_mem = '64MB'
AS $$
  WITH weeks AS MATERIALIZED (
    SELECT date_trunc('week', a.day::timestamp)::date AS week, a.chunk, bit_or(a.users) AS users
    FROM weir.active_users(tenant, zone, first_day, last_day) AS a
    GROUP BY 1, 2
  )
  SELECT 'active', '', sum(bit_count(u.users)) FROM (SELECT bit_or(w.users) AS users FROM weeks AS w GROUP BY w.chunk) AS u
  UNION ALL
  SELECT 'active_week', w.week::text, sum(bit_count(w.users)) FROM weeks AS w GROUP BY w.week
$$;

-- Different session_ids of commands: in all, by day and by week. A command without one is in none. Where a zone's days are kept, each says how many
-- of its sessions were there on which day before: those of any days are the ones that were not there since the first of them.
CREATE OR REPLACE FUNCTION weir.cli_sessions_partial(tenant text, first_day date, last_day date, zone text) RETURNS SETOF weir.part
LANGUAGE plpgsql STABLE
AS $$
BEGIN
  IF NOT weir.keeps_zone(tenant, zone) THEN
    RETURN QUERY SELECT * FROM weir.cli_sessions_of_rows(tenant, first_day, last_day, zone);
    RETURN;
  END IF;
  RETURN QUERY
  WITH lines AS MATERIALIZED (
    SELECT d.day, weir.monday_of(d.day) AS week, d.before, d.sessions
    FROM weir.day_command_sessions AS d
    WHERE d.tenant_id = tenant AND d.zone = cli_sessions_partial.zone AND d.day BETWEEN first_day AND last_day
  )
  SELECT 'cli_sessions_day', l.day::text, sum(l.sessions) FROM lines AS l GROUP BY l.day
  UNION ALL
  SELECT 'cli_sessions_week', l.week::text, sum(l.sessions) FROM lines AS l WHERE l.before < greatest(l.week, first_day) GROUP BY l.week
  UNION ALL
  SELECT 'cli_sessions_all', first_day::text, coalesce(sum(l.sessions), 0) FROM lines AS l WHERE l.before < first_day
  UNION ALL
  -- Each day with commands has a line, but for those whose rows were gone before there were lines.
  SELECT 'cli_sessions_untold', '', 1
  WHERE EXISTS (
    SELECT FROM weir.day_counts AS c
    WHERE c.tenant_id = tenant AND c.zone = cli_sessions_partial.zone AND (c.subject, c.value) IN (('event', 'cli_command'), ('event_other', ''))
      AND c.day BETWEEN first_day AND last_day AND c.day NOT IN (SELECT l.day FROM lines AS l));
END
$$;

CREATE OR REPLACE FUNCTION weir.cli_sessions_of_rows(tenant text, first_day date, last_day date, zone text) RETURNS SETOF weir.part
LANGUAGE sql STABLE
SET jit = off SET work_mem = '64MB' SET enable_sort = off
AS $$
  WITH span AS MATERIALIZED (
    SELECT w.since, w.until
    FROM weir.window_of(zone, first_day, last_day) AS w
    WHERE EXISTS (SELECT FROM weir.day_counts AS c
      WHERE c.tenant_id = tenant AND c.zone = 'UTC' AND (c.subject, c.value) IN (('event', 'cli_command'), ('event_other', ''))
        AND c.day BETWEEN first_day - 1 AND last_day + 1)
  ), seen AS MATERIALIZED (
    SELECT c.day, h.session
    FROM span AS s
    CROSS JOIN LATERAL weir.happened(tenant, weir.patterns_named('{cli_command}'), s.since, s.until, '{session}') AS h
    CROSS JOIN LATERAL (SELECT (h.at AT TIME ZONE zone)::date AS day) AS c
    WHERE h.session IS NOT NULL AND c.day BETWEEN first_day AND last_day
  ), ends AS MATERIALIZED (
    SELECT s.session, min(s.day) AS first, max(s.day) AS last FROM seen AS s GROUP BY s.session
  ), days AS MATERIALIZED (
    -- Most are of one day, and are counted from its first and last one; only of the others are the days told apart.
    SELECT e.first AS day, NULL AS session, count(*) AS sessions FROM ends AS e WHERE e.first = e.last GROUP BY e.first
    UNION ALL
    SELECT DISTINCT s.day, s.session, 1 FROM seen AS s JOIN ends AS e ON e.session = s.session AND e.first < e.last
  )
  SELECT 'cli_sessions_day', d.day::text, sum(d.sessions) FROM days AS d GROUP BY d.day
  UNION ALL
  SELECT 'cli_sessions_week', weir.monday_of(d.day)::text, count(DISTINCT d.session) + coalesce(sum(d.sessions) FILTER (WHERE d.session IS NULL), 0)
  FROM days AS d
  GROUP BY 2
  UNION ALL
  SELECT 'cli_sessions_all', first_day::text, count(*) FROM ends AS e
  UNION ALL
  SELECT 'cli_sessions_untold', '', 1
  FROM span AS s
  WHERE EXISTS (SELECT FROM weir.gone_days AS g
    WHERE g.tenant_id = tenant AND g.day BETWEEN (s.since AT TIME ZONE 'UTC')::date AND ((s.until - interval '1 microsecond') AT TIME ZONE 'UTC')::date)
$$;

-- {"count": 9, "days": [{"start": "2026-03-02", "sessions": 5}, …], "weeks": [likewise]}, or null where a server cannot tell.
CREATE OR REPLACE FUNCTION weir.cli_sessions(parts weir.part[], first_day date, last_day date) RETURNS jsonb
LANGUAGE sql IMMUTABLE
AS $$
  SELECT CASE WHEN NOT EXISTS (SELECT FROM unnest(parts) AS p WHERE p.figure = 'cli_sessions_untold') THEN
    jsonb_build_object('count', max(l.sessions) FILTER (WHERE l.unit = 'all'),
      'days', jsonb_agg(l.line ORDER BY l.start) FILTER (WHERE l.unit = 'day'),
      'weeks', jsonb_agg(l.line ORDER BY l.start) FILTER (WHERE l.unit = 'week')) END
  FROM (
    SELECT u.unit, s.start, coalesce(sum(p.amount), 0) AS sessions, jsonb_build_object('start', s.start, 'sessions', coalesce(sum(p.amount), 0)) AS line
    FROM unnest('{all,day,week}'::text[]) AS u (unit)
    CROSS JOIN LATERAL weir.starts(u.unit, first_day, last_day) AS s (start)
    LEFT JOIN unnest(parts) AS p ON p.figure = 'cli_sessions_' || u.unit AND p.key = s.start::text
    GROUP BY u.unit, s.start
  ) AS l
$$;

-- What an answer says besides where they are null.
CREATE OR REPLACE FUNCTION weir.why_no_cli_sessions(parts weir.part[]) RETURNS jsonb
LANGUAGE sql IMMUTABLE
AS $$
  SELECT CASE WHEN EXISTS (SELECT FROM unnest(parts) AS p WHERE p.figure = 'cli_sessions_untold')
    THEN weir.with_reason('{}', 'rows of some days were dropped before their sessions of the command line were counted') ELSE '{}' END
$$;

-- What a server can say of its own users. All of it adds up but _lowest and _highest.
CREATE OR REPLACE FUNCTION weir.usage_partial(tenant text, first_day date, last_day date, zone text,
  event text DEFAULT NULL, property text DEFAULT NULL)
RETURNS SETOF weir.part
LANGUAGE sql STABLE
AS $$
  SELECT * FROM weir.line_partial(tenant, first_day, last_day, zone,
    CASE WHEN event IS NULL THEN 'active' ELSE 'event' END, coalesce(event, ''))
  UNION ALL
  SELECT * FROM weir.active_by_week_partial(tenant, first_day, last_day, zone)
  UNION ALL
  SELECT * FROM weir.subject_partial('event', tenant, first_day, last_day, zone, 'event')
  UNION ALL
  SELECT * FROM weir.subject_partial('success', tenant, first_day, last_day, zone, 'success', event)
  UNION ALL
  SELECT * FROM weir.subject_partial('error', tenant, first_day, last_day, zone, 'error_type', event)
  UNION ALL
  SELECT * FROM weir.subject_partial('command', tenant, first_day, last_day, zone, 'command')
  UNION ALL
  SELECT * FROM weir.subject_partial('format', tenant, first_day, last_day, zone, 'output_format')
  UNION ALL
  SELECT * FROM weir.subject_partial('model', tenant, first_day, last_day, zone, 'model')
  UNION ALL
  SELECT * FROM weir.subject_partial('cli_success', tenant, first_day, last_day, zone, 'cli_success')
  UNION ALL
  SELECT * FROM weir.subject_partial('cli_error', tenant, first_day, last_day, zone, 'cli_error_type')
  UNION ALL
  SELECT * FROM weir.cli_sessions_partial(tenant, first_day, last_day, zone)
  UNION ALL
  SELECT * FROM weir.usage_numbers_partial(tenant, first_day, last_day, zone, event, property)
$$;

-- {"yes": 9, "no": 1, "rate": 0.9}
CREATE OR REPLACE FUNCTION weir.success_rate(parts weir.part[], name text) RETURNS jsonb
LANGUAGE sql IMMUTABLE
AS $$
  SELECT jsonb_build_object('yes', s.yes, 'no', s.no, 'rate', weir.ratio(s.yes, s.yes + s.no))
  FROM (SELECT weir.amount_of(parts, name || '_events', 'true') AS yes, weir.amount_of(parts, name || '_events', 'false') AS no) AS s
$$;

-- Seven rows, Monday's first, of 24 numbers.
CREATE OR REPLACE FUNCTION weir.peak_hours(parts weir.part[]) RETURNS jsonb
LANGUAGE sql IMMUTABLE
AS $$
  WITH sums AS MATERIALIZED (
    SELECT p.key, sum(p.amount) AS events FROM unnest(parts) AS p WHERE p.figure = 'hour' GROUP BY p.key
  )
  SELECT jsonb_agg(w.hours ORDER BY w.weekday)
  FROM (
    SELECT weekday, jsonb_agg(coalesce(s.events, 0) ORDER BY hour) AS hours
    FROM generate_series(1, 7) AS weekday CROSS JOIN generate_series(0, 23) AS hour
    LEFT JOIN sums AS s ON s.key = weekday || ' ' || hour
    GROUP BY weekday
  ) AS w
$$;

-- Count and users by day or week.
CREATE OR REPLACE FUNCTION weir.usage_trend(parts weir.part[], unit text, first_day date, last_day date)
RETURNS TABLE (start date, is_whole boolean, events numeric, users numeric)
LANGUAGE sql IMMUTABLE
AS $$
  SELECT l.start, weir.is_whole(unit, l.start, first_day, last_day), coalesce(s.events, 0), coalesce(s.users, 0)
  FROM weir.starts(unit, first_day, last_day) AS l (start)
  LEFT JOIN (
    SELECT date_trunc(unit, p.key::timestamp)::date AS start, sum(p.amount) FILTER (WHERE p.figure = 'count_day') AS events,
      sum(p.amount) FILTER (WHERE p.figure = 'users_' || unit) AS users
    FROM unnest(parts) AS p WHERE p.figure IN ('count_day', 'users_' || unit)
    GROUP BY 1
  ) AS s ON s.start = l.start
$$;

CREATE OR REPLACE FUNCTION weir.usage_days(parts weir.part[], first_day date, last_day date) RETURNS jsonb
LANGUAGE sql IMMUTABLE
AS $$
  SELECT jsonb_agg(jsonb_build_object('start', d.start, 'count', d.events, 'users', d.users) ORDER BY d.start)
  FROM weir.usage_trend(parts, 'day', first_day, last_day) AS d
$$;

CREATE OR REPLACE FUNCTION weir.usage_weeks(parts weir.part[], first_day date, last_day date) RETURNS jsonb
LANGUAGE sql IMMUTABLE
AS $$
  SELECT jsonb_build_object('weeks', jsonb_agg(jsonb_build_object('start', w.start, 'count', w.events, 'users', w.users,
      'per_user', weir.ratio(w.events, w.users),
      'growth', CASE WHEN w.is_whole AND w.before_is_whole THEN weir.ratio(w.events - w.before, w.before) END) ORDER BY w.start),
    'per_user_and_week', weir.ratio(sum(w.events) FILTER (WHERE w.is_whole), (
      SELECT sum(p.amount) FROM unnest(parts) AS p
      WHERE p.figure = 'active_week' AND weir.is_whole('week', p.key::date, first_day, last_day))))
  FROM (
    SELECT t.*, lag(t.events) OVER (ORDER BY t.start) AS before, lag(t.is_whole) OVER (ORDER BY t.start) AS before_is_whole
    FROM weir.usage_trend(parts, 'week', first_day, last_day) AS t
  ) AS w
$$;

-- Each value of a list with its rate: its events among `whole`. (In PL/pgSQL for stats_merge.sql, which says why.)
CREATE OR REPLACE FUNCTION weir.with_rates(list jsonb, whole numeric) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE
AS $$
BEGIN
  RETURN (
    SELECT coalesce(jsonb_agg(v || jsonb_build_object('rate', weir.ratio((v -> 'events')::numeric, whole)) ORDER BY place), '[]')
    FROM jsonb_array_elements(list) WITH ORDINALITY AS v (v, place)
  );
END
$$;

-- A list of values with their rates among `whole` events, and that of all together.
CREATE OR REPLACE FUNCTION weir.error_list(parts weir.part[], name text, whole numeric) RETURNS jsonb
LANGUAGE sql IMMUTABLE
AS $$
  SELECT l.list || jsonb_build_object('events', f.events, 'rate', weir.ratio(f.events, whole), 'values', weir.with_rates(l.list -> 'values', whole))
  FROM (SELECT weir.value_list(parts, name) AS list) AS l, (
    SELECT coalesce(sum(p.amount), 0) AS events FROM unnest(parts) AS p WHERE p.figure IN (name || '_events', name || '_other_events')
  ) AS f
$$;

-- How many sessions began on each day.
CREATE OR REPLACE FUNCTION weir.session_days(parts weir.part[], first_day date, last_day date) RETURNS jsonb
LANGUAGE sql IMMUTABLE
AS $$
  SELECT jsonb_agg(jsonb_build_object('start', l.start, 'sessions', coalesce(s.sessions, 0)) ORDER BY l.start)
  FROM weir.starts('day', first_day, last_day) AS l (start)
  LEFT JOIN (
    SELECT p.key::date AS start, sum(p.amount) AS sessions FROM unnest(parts) AS p WHERE p.figure = 'sessions_day' GROUP BY p.key
  ) AS s ON s.start = l.start
$$;

-- The answer, from the parts of all servers.
CREATE OR REPLACE FUNCTION weir.usage_merge(parts weir.part[], first_day date, last_day date, property text DEFAULT NULL) RETURNS jsonb
LANGUAGE sql IMMUTABLE
AS $$
  WITH known AS MATERIALIZED (
    SELECT weir.amount_of(parts, 'users') AS users, weir.amount_of(parts, 'active') AS active,
      weir.amount_of(parts, 'seconds') / 3600 AS hours,
      (SELECT coalesce(sum(p.amount), 0) FROM unnest(parts) AS p WHERE p.figure = 'count_day') AS events,
      (SELECT coalesce(sum(p.amount), 0) FROM unnest(parts) AS p WHERE p.figure = 'event_events' AND p.key = 'cli_command') AS commands
  )
  SELECT jsonb_build_object('count', k.events, 'users', k.users, 'per_user', weir.ratio(k.events, k.users),
      'per_active_user', weir.ratio(k.events, k.active),
    'days', weir.usage_days(parts, first_day, last_day), 'peak_hours', weir.peak_hours(parts),
    'success', weir.success_rate(parts, 'success'),
    'errors', weir.error_list(parts, 'error', k.events),
    'numbers', CASE WHEN property IS NOT NULL THEN weir.distribution(parts, 'number') END,
    'active', k.active, 'events', weir.value_list(parts, 'event'),
    'hours', jsonb_build_object('total', round(k.hours, 6), 'per_user', weir.ratio(k.hours, k.active)),
    'sessions', weir.distribution(parts, 'session') - '{lowest,highest}'::text[]
      || jsonb_build_object('days', weir.session_days(parts, first_day, last_day)),
    'cli', jsonb_build_object('commands', weir.value_list(parts, 'command'), 'output_formats', weir.value_list(parts, 'format'),
      'models', weir.value_list(parts, 'model'), 'sessions', weir.cli_sessions(parts, first_day, last_day),
      'prompt_length', weir.distribution(parts, 'prompt_length'), 'execution_time', weir.distribution(parts, 'execution_time'),
      'success', weir.success_rate(parts, 'cli_success'), 'errors', weir.error_list(parts, 'cli_error', k.commands)))
    || weir.usage_weeks(parts, first_day, last_day) || weir.why_no_cli_sessions(parts)
  FROM known AS k
$$;

CREATE OR REPLACE FUNCTION weir.usage_answer(tenant text, first_day date, last_day date, zone text DEFAULT 'UTC',
  event text DEFAULT NULL, property text DEFAULT NULL) RETURNS jsonb
LANGUAGE sql STABLE
AS $$
  SELECT weir.answered(tenant, first_day, last_day, zone, 'days',
    jsonb_build_object('event', event, 'property', property, 'error', '{"percentiles": 0.01}'::jsonb)
    || weir.usage_merge(ARRAY(SELECT p FROM weir.usage_partial(tenant, first_day, last_day, z.name, event, property) AS p),
      first_day, last_day, property))
  FROM weir.readable_zone(tenant, zone, first_day, last_day) AS z (name)
$$;
COMMENT ON FUNCTION weir.usage_answer(text, date, date, text, text, text) IS
  'What a tenant''s users do: counts, numbers, success, errors, hours, sessions. sql/analytics/usage.sql defines them.';

GRANT EXECUTE ON FUNCTION weir.line_partial(text, date, date, text, text, text),
  weir.usage_numbers_partial(text, date, date, text, text, text), weir.active_by_week_partial(text, date, date, text),
  weir.cli_sessions_partial(text, date, date, text), weir.cli_sessions_of_rows(text, date, date, text),
  weir.cli_sessions(weir.part[], date, date), weir.why_no_cli_sessions(weir.part[]), weir.usage_partial(text, date, date, text, text, text),
  weir.success_rate(weir.part[], text), weir.peak_hours(weir.part[]), weir.usage_trend(weir.part[], text, date, date),
  weir.usage_days(weir.part[], date, date), weir.usage_weeks(weir.part[], date, date), weir.with_rates(jsonb, numeric),
  weir.error_list(weir.part[], text, numeric), weir.session_days(weir.part[], date, date),
  weir.usage_merge(weir.part[], date, date, text), weir.usage_answer(text, date, date, text, text, text) TO weir_reader;
