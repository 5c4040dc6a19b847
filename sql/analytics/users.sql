-- How many use it, who is new, who comes back, who stays away.
--
--   SELECT weir.users_answer('acme', '2026-03-01', '2026-03-31', 'Europe/Berlin');
--
-- The window is from one day to another, both counted, in a time zone. "At its end" is its last day.
--
--   total        users whose earliest event was at the end of the window or before
--   active_N     users with an event on one of the last N days of the window
--   active       users with an event within the window; by day, by week, by month
--   new          users whose earliest event was within the window; by day, by week, by month
--   retention    of those new on a day, the share with an event just N days later; of days whose Nth day
--                after is not beyond the window
--   cohorts      for each day, week or month in which users were new: how many, and from 0 on how many of them had
--                an event so many days, weeks or months later, until the end of the window. Of days the last 90
--                are there, of weeks 53, of months all; `more` says how many earlier ones with new users are left off
--   churned      of total, those without an event on the last 30 days
--   stickiness   the mean of daily users over the last 30 days, of those active on them
--   growth       active_7 against the seven days before; in days, weeks and months active against the one before,
--                where the window cuts neither
--   engagement   events for each active user, within the window; per_user_and_week: the events of the weeks that
--                lie wholly in the window / the users of each, added up. Events without a user count among events
--
-- Weeks begin on Monday; those and months that the window cuts count what is within it. A late event counts
-- on its own day, and may make a user new on an earlier one.
SET LOCAL ROLE weir_owner;
SET LOCAL check_function_bodies = off;

-- The first day of the cohorts that are told apart: the table grows with the square of their number.
CREATE OR REPLACE FUNCTION weir.cohorts_since(unit text, first_day date, last_day date) RETURNS date
LANGUAGE sql IMMUTABLE
AS $$
  SELECT CASE unit WHEN 'day' THEN greatest(first_day, last_day - 89)
    WHEN 'week' THEN greatest(first_day, date_trunc('week', last_day::timestamp)::date - 52 * 7) ELSE first_day END
$$;

-- What a server can say of its own users. Each user's rows are on one server, so all of it adds up.
CREATE OR REPLACE FUNCTION weir.users_partial(tenant text, first_day date, last_day date, zone text)
RETURNS SETOF weir.part
LANGUAGE sql STABLE
SET jit = off SET work_mem = '64MB' SET enable_nestloop = off
AS $$
  WITH active AS MATERIALIZED (
    SELECT a.day, a.chunk, a.users FROM weir.active_users(tenant, zone, least(first_day, last_day - 29), last_day) AS a
  ), fresh AS MATERIALIZED (
    SELECT n.day, n.chunk, n.users FROM weir.new_users(tenant, zone, first_day, last_day) AS n
  ), spans AS (
    SELECT 'active_' || n AS figure, last_day - n + 1 AS since, last_day AS until
    FROM unnest(ARRAY[1, 7, 30]) AS n
    UNION ALL VALUES ('active_before_7', last_day - 13, last_day - 7), ('active', first_day, last_day)
  )
  SELECT 'total', '', weir.users_until(tenant, zone, last_day)
  UNION ALL
  SELECT u.figure, '', sum(bit_count(u.users))
  FROM (
    SELECT s.figure, a.chunk, bit_or(a.users) AS users
    FROM spans AS s CROSS JOIN active AS a
    WHERE a.day BETWEEN s.since AND s.until
    GROUP BY s.figure, a.chunk
  ) AS u
  GROUP BY u.figure
  UNION ALL
  SELECT 'daily_30', '', sum(bit_count(a.users)) FROM active AS a WHERE a.day > last_day - 30
  UNION ALL
  SELECT 'active_' || u.unit, u.start::text, sum(bit_count(u.users))
  FROM (
    SELECT unit, date_trunc(unit, a.day::timestamp)::date AS start, a.chunk, bit_or(a.users) AS users
    FROM active AS a CROSS JOIN unnest(ARRAY['day', 'week', 'month']) AS unit
    WHERE a.day >= first_day
    GROUP BY unit, start, a.chunk
  ) AS u
  GROUP BY u.unit, u.start
  UNION ALL
  SELECT 'new_' || unit, date_trunc(unit, f.day::timestamp)::date::text, sum(bit_count(f.users))
  FROM fresh AS f CROSS JOIN unnest(ARRAY['day', 'week', 'month']) AS unit
  GROUP BY 1, 2
  UNION ALL
  SELECT 'events_' || unit, date_trunc(unit, e.day::timestamp)::date::text, sum(e.events)
  FROM weir.events_by_day(tenant, zone, first_day, last_day) AS e CROSS JOIN unnest(ARRAY['day', 'week', 'month']) AS unit
  GROUP BY 1, 2
  UNION ALL
  SELECT 'returned', n::text, sum(bit_count(f.users & a.users))
  FROM fresh AS f CROSS JOIN unnest(ARRAY[1, 7, 30]) AS n
  JOIN active AS a ON a.chunk = f.chunk AND a.day = f.day + n
  GROUP BY n
  UNION ALL
  SELECT * FROM weir.cohorts_partial(tenant, first_day, last_day, zone)
$$;

-- Of those new on day, in week or month A, how many were active N of these later: keys are "A N".
CREATE OR REPLACE FUNCTION weir.cohorts_partial(tenant text, first_day date, last_day date, zone text)
RETURNS SETOF weir.part
LANGUAGE sql STABLE
SET jit = off SET work_mem = '64MB' SET enable_nestloop = off
AS $$
  WITH units AS MATERIALIZED (
    SELECT unit, weir.cohorts_since(unit, first_day, last_day) AS since FROM unnest(ARRAY['day', 'week', 'month']) AS unit
  ), active AS MATERIALIZED (
    SELECT u.unit, date_trunc(u.unit, a.day::timestamp)::date AS start, a.chunk, bit_or(a.users) AS users
    FROM weir.active_users(tenant, zone, first_day, last_day) AS a CROSS JOIN units AS u
    WHERE a.day >= u.since
    GROUP BY u.unit, start, a.chunk
  ), fresh AS MATERIALIZED (
    SELECT u.unit, date_trunc(u.unit, n.day::timestamp)::date AS start, n.chunk, bit_or(n.users) AS users
    FROM weir.new_users(tenant, zone, first_day, last_day) AS n CROSS JOIN units AS u
    WHERE n.day >= u.since
    GROUP BY u.unit, start, n.chunk
  )
  SELECT 'cohort_' || c.unit, c.start || ' ' || weir.units_between(c.unit, c.start, c.later), sum(c.users)
  FROM (
    -- Counted before they are sorted: sets are large.
    SELECT f.unit, f.start, a.start AS later, bit_count(f.users & a.users) AS users
    FROM fresh AS f
    JOIN active AS a ON a.unit = f.unit AND a.chunk = f.chunk
    WHERE a.start >= f.start
    OFFSET 0
  ) AS c
  GROUP BY c.unit, c.start, c.later
$$;

-- One row of the table for each day, week or month with new users: its size and, from 0 on, who came back.
CREATE OR REPLACE FUNCTION weir.cohort_table(parts weir.part[], unit text, first_day date, last_day date) RETURNS jsonb
LANGUAGE sql IMMUTABLE
AS $$
  WITH sizes AS (
    SELECT p.key::date AS start, sum(p.amount) AS users
    FROM unnest(parts) AS p WHERE p.figure = 'new_' || unit
    GROUP BY p.key
    HAVING p.key::date >= date_trunc(unit, weir.cohorts_since(unit, first_day, last_day)::timestamp)
  ), cells AS (
    SELECT split_part(p.key, ' ', 1)::date AS start, split_part(p.key, ' ', 2)::integer AS later, sum(p.amount) AS users
    FROM unnest(parts) AS p WHERE p.figure = 'cohort_' || unit
    GROUP BY 1, 2
  )
  SELECT coalesce(jsonb_agg(jsonb_build_object('start', r.start, 'new', r.users, 'active', r.active) ORDER BY r.start), '[]')
  FROM (
    SELECT s.start, s.users, jsonb_agg(coalesce(c.users, 0) ORDER BY n) AS active
    FROM sizes AS s
    CROSS JOIN LATERAL generate_series(0, weir.units_between(unit, s.start, date_trunc(unit, last_day::timestamp)::date)) AS n
    LEFT JOIN cells AS c ON c.start = s.start AND c.later = n
    GROUP BY s.start, s.users
  ) AS r
$$;

-- How many days or weeks with new users the table leaves off.
CREATE OR REPLACE FUNCTION weir.cohorts_left_off(parts weir.part[], unit text, first_day date, last_day date) RETURNS bigint
LANGUAGE sql IMMUTABLE
AS $$
  SELECT count(DISTINCT p.key)
  FROM unnest(parts) AS p
  WHERE CASE p.figure WHEN 'new_' || unit THEN p.key::date < date_trunc(unit, weir.cohorts_since(unit, first_day, last_day)::timestamp) END
$$;

CREATE OR REPLACE FUNCTION weir.retention(parts weir.part[], days integer, last_day date) RETURNS jsonb
LANGUAGE sql IMMUTABLE
AS $$
  SELECT jsonb_build_object('new', r.fresh, 'returned', r.back, 'share', weir.ratio(r.back, r.fresh))
  FROM (
    SELECT coalesce(sum(p.amount) FILTER (WHERE CASE p.figure WHEN 'new_day' THEN p.key::date + days <= last_day END), 0) AS fresh,
      coalesce(sum(p.amount) FILTER (WHERE p.figure = 'returned' AND p.key = days::text), 0) AS back
    FROM unnest(parts) AS p
    WHERE p.figure IN ('new_day', 'returned')
  ) AS r
$$;

-- A line of figures by day, week or month, with those in which nothing happened.
CREATE OR REPLACE FUNCTION weir.users_trend(parts weir.part[], unit text, first_day date, last_day date) RETURNS jsonb
LANGUAGE sql IMMUTABLE
AS $$
  WITH sums AS MATERIALIZED (
    SELECT p.figure, p.key::date AS start, sum(p.amount) AS amount
    FROM unnest(parts) AS p
    WHERE p.figure IN ('active_' || unit, 'new_' || unit, 'events_' || unit)
    GROUP BY p.figure, p.key
  ), line AS (
    SELECT s.start, coalesce(max(f.amount) FILTER (WHERE f.figure = 'active_' || unit), 0) AS active,
      coalesce(max(f.amount) FILTER (WHERE f.figure = 'new_' || unit), 0) AS fresh,
      coalesce(max(f.amount) FILTER (WHERE f.figure = 'events_' || unit), 0) AS events,
      weir.is_whole(unit, s.start, first_day, last_day) AS is_whole
    FROM weir.starts(unit, first_day, last_day) AS s (start)
    LEFT JOIN sums AS f ON f.start = s.start
    GROUP BY s.start
  )
  SELECT jsonb_agg(jsonb_build_object('start', l.start, 'active', l.active, 'new', l.fresh, 'events', l.events,
    'events_per_user', weir.ratio(l.events, l.active),
    'growth', CASE WHEN l.is_whole AND l.before_is_whole THEN weir.ratio(l.active - l.before, l.before) END) ORDER BY l.start)
  FROM (
    SELECT line.*, lag(line.active) OVER (ORDER BY line.start) AS before, lag(line.is_whole) OVER (ORDER BY line.start) AS before_is_whole
    FROM line
  ) AS l
$$;

-- For each user of a whole week, the mean of their events.
CREATE OR REPLACE FUNCTION weir.weekly_engagement(parts weir.part[], first_day date, last_day date) RETURNS numeric
LANGUAGE sql IMMUTABLE
AS $$
  SELECT weir.ratio(sum(p.amount) FILTER (WHERE p.figure = 'events_week'), sum(p.amount) FILTER (WHERE p.figure = 'active_week'))
  FROM unnest(parts) AS p
  WHERE CASE WHEN p.figure IN ('events_week', 'active_week') THEN weir.is_whole('week', p.key::date, first_day, last_day) END
$$;

-- The answer, from the parts of all servers.
CREATE OR REPLACE FUNCTION weir.users_merge(parts weir.part[], first_day date, last_day date) RETURNS jsonb
LANGUAGE sql IMMUTABLE
AS $$
  WITH known AS MATERIALIZED (
    SELECT weir.amount_of(parts, 'total') AS total, weir.amount_of(parts, 'active') AS active,
      weir.amount_of(parts, 'active_1') AS active_1, weir.amount_of(parts, 'active_7') AS active_7,
      weir.amount_of(parts, 'active_30') AS active_30, weir.amount_of(parts, 'active_before_7') AS before_7,
      weir.amount_of(parts, 'daily_30') AS daily_30,
      (SELECT coalesce(sum(p.amount), 0) FROM unnest(parts) AS p WHERE p.figure = 'new_day') AS fresh,
      (SELECT coalesce(sum(p.amount), 0) FROM unnest(parts) AS p WHERE p.figure = 'events_day') AS events
  )
  SELECT jsonb_build_object('total', k.total, 'active', k.active, 'active_1', k.active_1, 'active_7', k.active_7,
    'active_30', k.active_30, 'new', k.fresh, 'churned', k.total - k.active_30,
    'churn_rate', weir.ratio(k.total - k.active_30, k.total), 'stickiness', weir.ratio(k.daily_30 / 30, k.active_30),
    'growth', jsonb_build_object('this_week', k.active_7, 'week_before', k.before_7,
      'rate', weir.ratio(k.active_7 - k.before_7, k.before_7)),
    'engagement', jsonb_build_object('events', k.events, 'events_per_user', weir.ratio(k.events, k.active),
      'per_user_and_week', weir.weekly_engagement(parts, first_day, last_day)),
    'retention', jsonb_build_object('day_1', weir.retention(parts, 1, last_day), 'day_7', weir.retention(parts, 7, last_day),
      'day_30', weir.retention(parts, 30, last_day)),
    'days', weir.users_trend(parts, 'day', first_day, last_day), 'weeks', weir.users_trend(parts, 'week', first_day, last_day),
    'months', weir.users_trend(parts, 'month', first_day, last_day),
    'cohorts', jsonb_build_object('days', weir.cohort_table(parts, 'day', first_day, last_day),
      'weeks', weir.cohort_table(parts, 'week', first_day, last_day), 'months', weir.cohort_table(parts, 'month', first_day, last_day),
      'more', jsonb_build_object('days', weir.cohorts_left_off(parts, 'day', first_day, last_day),
        'weeks', weir.cohorts_left_off(parts, 'week', first_day, last_day))))
  FROM known AS k
$$;

CREATE OR REPLACE FUNCTION weir.users_answer(tenant text, first_day date, last_day date, zone text DEFAULT 'UTC') RETURNS jsonb
LANGUAGE sql STABLE
AS $$
  SELECT weir.answered(tenant, first_day, last_day, zone, 'days',
    weir.users_merge(ARRAY(SELECT p FROM weir.users_partial(tenant, first_day, last_day, z.name) AS p), first_day, last_day),
    least(first_day, last_day - 29))
  FROM weir.readable_zone(tenant, zone, least(first_day, last_day - 29), last_day) AS z (name)
$$;
COMMENT ON FUNCTION weir.users_answer(text, date, date, text) IS
  'Users of a tenant within a window of days: totals, trends, retention, cohorts. sql/analytics/users.sql defines them.';

GRANT EXECUTE ON FUNCTION weir.cohorts_since(text, date, date), weir.users_partial(text, date, date, text),
  weir.cohorts_partial(text, date, date, text), weir.cohort_table(weir.part[], text, date, date),
  weir.cohorts_left_off(weir.part[], text, date, date), weir.retention(weir.part[], integer, date),
  weir.users_trend(weir.part[], text, date, date), weir.weekly_engagement(weir.part[], date, date),
  weir.users_merge(weir.part[], date, date), weir.users_answer(text, date, date, text) TO weir_reader;
