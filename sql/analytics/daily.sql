-- The figures of each day, in UTC, as the view weir.user_stats has them, of one tenant and window.
--
--   SELECT * FROM weir.daily_figures('acme', '2026-03-01', '2026-03-31');
--
-- They are the flusher's own, true in the moment in which an event is stored. The view counts the users of a day one by
-- one in user_days; here those of a day whose roll-ups are made, and which nothing was stored for since, are counted by
-- their set, which are the same users: a quarter of a large tenant has millions of rows there, and some hundred sets.
SET LOCAL ROLE weir_owner;
SET LOCAL check_function_bodies = off;

-- Whether a day's sets have whom user_days has: it was built, no mark waits, and it has not lost rows, after which late
-- ones are in user_days alone.
CREATE OR REPLACE FUNCTION weir.is_built(tenant text, day date) RETURNS boolean
LANGUAGE sql STABLE
AS $$
  SELECT EXISTS (SELECT FROM weir.day_counts AS c
      WHERE (c.tenant_id, c.zone, c.subject, c.value, c.day) = (is_built.tenant, 'UTC', 'active', '', is_built.day))
    AND NOT EXISTS (SELECT FROM weir.touched_days AS t WHERE (t.tenant_id, t.day) = (is_built.tenant, is_built.day))
    AND NOT EXISTS (SELECT FROM weir.gone_days AS g WHERE (g.tenant_id, g.day) = (is_built.tenant, is_built.day))
$$;

CREATE OR REPLACE FUNCTION weir.users_by_day(tenant text, first_day date, last_day date) RETURNS TABLE (day date, users bigint)
LANGUAGE sql STABLE
AS $$
  SELECT l.day, CASE WHEN weir.is_built(users_by_day.tenant, l.day) THEN (
      SELECT coalesce(sum(bit_count(s.users)), 0)::bigint FROM weir.day_sets AS s
      WHERE (s.tenant_id, s.zone, s.subject, s.value, s.day) = (users_by_day.tenant, 'UTC', 'active', '', l.day))
    ELSE (SELECT count(*) FROM weir.user_days AS d WHERE d.tenant_id = users_by_day.tenant AND d.day = l.day) END
  FROM (SELECT first_day + n AS day FROM generate_series(0, last_day - first_day) AS n) AS l
$$;

-- What a server can say of its own users: by day `active`, `crashes`, `new`, and `measure_` with each measure's name; `known` were
-- there before the window. All of it adds up.
CREATE OR REPLACE FUNCTION weir.daily_partial(tenant text, first_day date, last_day date) RETURNS SETOF weir.part
LANGUAGE sql STABLE
SET jit = off
AS $$
  SELECT 'active', u.day::text, u.users::numeric FROM weir.users_by_day(tenant, first_day, last_day) AS u WHERE u.users > 0
  UNION ALL
  SELECT 'measure_' || m.measure, m.day::text, m.total FROM weir.day_measures AS m
  WHERE m.tenant_id = daily_partial.tenant AND m.day BETWEEN first_day AND last_day
  UNION ALL
  SELECT 'crashes', c.day::text, c.crashes FROM weir.crash_days AS c
  WHERE c.tenant_id = daily_partial.tenant AND c.day BETWEEN first_day AND last_day
  UNION ALL
  SELECT CASE WHEN g.day < daily_partial.first_day THEN 'known' ELSE 'new' END, g.day::text, g.users
  FROM (
    SELECT greatest(u.first_day, daily_partial.first_day - 1) AS day, count(*) AS users
    FROM weir.users AS u WHERE u.tenant_id = daily_partial.tenant AND u.first_day <= last_day
    GROUP BY 1
  ) AS g
$$;

-- The figures, from the parts of all servers: of each day of which there is something to say.
CREATE OR REPLACE FUNCTION weir.daily_merge(parts weir.part[])
RETURNS TABLE (date date, total_users bigint, active_users bigint, new_users bigint, total_recordings bigint,
  total_minutes numeric, total_cost_usd numeric, crash_count bigint, crash_rate numeric)
LANGUAGE sql IMMUTABLE
SET jit = off
AS $$
  WITH days AS MATERIALIZED (
    SELECT p.key::date AS day, bool_or(p.figure NOT IN ('new', 'known')) AS has_figures,
      coalesce(sum(p.amount) FILTER (WHERE p.figure = 'active'), 0)::bigint AS users,
      coalesce(sum(p.amount) FILTER (WHERE p.figure IN ('new', 'known')), 0)::bigint AS fresh,
      least(greatest(coalesce(sum(p.amount) FILTER (WHERE p.figure = 'measure_recordings'), 0), -9223372036854775808), 9223372036854775807)::bigint AS recordings,
      coalesce(sum(p.amount) FILTER (WHERE p.figure = 'measure_seconds'), 0) / 60 AS minutes,
      coalesce(sum(p.amount) FILTER (WHERE p.figure = 'measure_cost_usd'), 0) AS cost_usd,
      coalesce(sum(p.amount) FILTER (WHERE p.figure = 'crashes'), 0)::bigint AS crashes
    FROM unnest(parts) AS p
    GROUP BY p.key
  )
  SELECT g.day, g.total, g.users, g.fresh, g.recordings, g.minutes, g.cost_usd, g.crashes, g.crashes::numeric / nullif(g.users, 0)
  FROM (SELECT d.*, (sum(d.fresh) OVER (ORDER BY d.day))::bigint AS total FROM days AS d) AS g
  WHERE g.has_figures
$$;

CREATE OR REPLACE FUNCTION weir.daily_figures(tenant text, first_day date, last_day date)
RETURNS TABLE (date date, total_users bigint, active_users bigint, new_users bigint, total_recordings bigint,
  total_minutes numeric, total_cost_usd numeric, crash_count bigint, crash_rate numeric)
LANGUAGE sql STABLE
AS $$
  SELECT * FROM weir.daily_merge(ARRAY(SELECT p FROM weir.daily_partial(tenant, first_day, last_day) AS p))
$$;

GRANT EXECUTE ON FUNCTION weir.is_built(text, date), weir.users_by_day(text, date, date), weir.daily_partial(text, date, date),
  weir.daily_merge(weir.part[]), weir.daily_figures(text, date, date) TO weir_reader;
