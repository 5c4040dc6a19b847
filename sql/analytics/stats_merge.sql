-- The answer of stats.sql, which has the definitions, from the parts of all servers. In PL/pgSQL, which keeps its plans
-- for the session: a function of SQL that selects is planned at each call, which took longer than all else here.
SET LOCAL ROLE weir_owner;
SET LOCAL check_function_bodies = off;

-- A figure of sums, which is {"FIGURE": {"KEY": AMOUNT}}; 0 where no part has it.
CREATE OR REPLACE FUNCTION weir.figure_of(sums jsonb, figure text, key text DEFAULT '') RETURNS numeric
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT coalesce((sums -> figure ->> key)::numeric, 0) $$;

-- The figures that the answer asks for by name, and none of the long lists.
CREATE OR REPLACE FUNCTION weir.stats_sums(parts weir.part[]) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE
AS $$
#variable_conflict use_column
BEGIN
  RETURN (
    SELECT coalesce(jsonb_object_agg(f.figure, f.amounts), '{}')
    FROM (
      SELECT s.figure, jsonb_object_agg(s.key, s.amount) AS amounts
      FROM (SELECT p.figure, p.key, sum(p.amount) AS amount FROM unnest(parts) AS p
        WHERE p.figure <> ALL ('{event,error_type,command,crash_type,crash_os,crash_version,feature_before}') GROUP BY p.figure, p.key) AS s
      GROUP BY s.figure
    ) AS f
  );
END
$$;

-- Each list by the name of its subject: at most ten values, their events and share of all events that have one; users
-- and their share of the active ones where they were counted, or, where nobody is known, the share of the window's `events`.
CREATE OR REPLACE FUNCTION weir.stats_lists(parts weir.part[], sums jsonb, events numeric) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE
AS $$
#variable_conflict use_column
BEGIN
  RETURN (
    SELECT coalesce(jsonb_object_agg(l.subject, l.list), '{}')
    FROM (
      SELECT t.subject, jsonb_build_object('more', greatest(max(t.beyond), 0), 'values', jsonb_agg(
        CASE WHEN t.subject IN ('version', 'platform', 'country') THEN
          jsonb_build_object(t.subject, t.value, 'events', t.events, 'users', weir.figure_of(sums, t.subject || '_users', t.value),
            'share', CASE WHEN weir.figure_of(sums, 'active') > 0 THEN weir.ratio(weir.figure_of(sums, t.subject || '_users', t.value), weir.figure_of(sums, 'active'))
              ELSE weir.ratio(t.events, stats_lists.events) END)
        ELSE jsonb_build_object('value', t.value, 'events', t.events,
          'share', weir.ratio(t.events, t.total + weir.figure_of(sums, t.subject || '_other'))) END ORDER BY t.place)) AS list
      FROM weir.stats_top(parts) AS t
      WHERE t.subject <> 'feature'
      GROUP BY t.subject
    ) AS l
  );
END
$$;

CREATE OR REPLACE FUNCTION weir.stats_features(parts weir.part[], sums jsonb, first_day date, last_day date) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE
AS $$
#variable_conflict use_column
BEGIN
  RETURN (
    SELECT jsonb_build_object('more', greatest(coalesce(max(t.beyond), 0), 0), 'features', coalesce(jsonb_agg(jsonb_build_object(
        'feature', t.value, 'events', t.events, 'users', weir.figure_of(sums, 'feature_users', t.value),
        'adoption', weir.ratio(weir.figure_of(sums, 'feature_users', t.value), weir.figure_of(sums, 'active')),
        'weekly', weir.ratio(weir.figure_of(sums, 'feature_weekly', t.value), w.users)) ORDER BY t.place), '[]'))
    FROM (SELECT sum(a.value::numeric) AS users FROM jsonb_each_text(sums -> 'active_week') AS a
      WHERE a.key::date >= first_day AND a.key::date + 6 <= last_day) AS w
    LEFT JOIN weir.stats_top(parts) AS t ON t.subject = 'feature'
    HAVING count(t.value) > 0
  );
END
$$;

CREATE OR REPLACE FUNCTION weir.stats_unused(parts weir.part[]) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE
AS $$
#variable_conflict use_column
BEGIN
  RETURN (
    SELECT coalesce(jsonb_agg(u.value ORDER BY u.value COLLATE "C"), '[]')
    FROM (
      SELECT p.key AS value FROM unnest(parts) AS p WHERE p.figure IN ('feature_before', 'feature')
      GROUP BY p.key HAVING bool_and(p.figure = 'feature_before')
      ORDER BY p.key COLLATE "C" LIMIT 100
    ) AS u
  );
END
$$;

-- A line by day, week or month, with those in which nothing happened.
CREATE OR REPLACE FUNCTION weir.stats_trend(parts weir.part[], unit text, first_day date, last_day date) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE
AS $$
#variable_conflict use_column
BEGIN
  RETURN (
    WITH sums AS MATERIALIZED (
      SELECT f.start, sum(f.amount) FILTER (WHERE f.figure = 'active_' || unit) AS active, sum(f.amount) FILTER (WHERE f.figure = 'new_events') AS fresh,
        sum(f.amount) FILTER (WHERE f.figure = 'active_events') AS events, sum(f.amount) FILTER (WHERE f.figure = 'recordings_day') AS recordings,
        sum(f.amount) FILTER (WHERE f.figure = 'seconds_day') AS seconds, sum(f.amount) FILTER (WHERE f.figure = 'cost_usd_day') AS cost,
        sum(f.amount) FILTER (WHERE f.figure = 'crash_events') AS crashes
      FROM (
        SELECT p.figure, p.amount, date_trunc(unit, p.key::timestamp)::date AS start, p.key::date AS day
        FROM unnest(parts) AS p
        WHERE p.figure IN ('active_' || unit, 'new_events', 'active_events', 'recordings_day', 'seconds_day', 'cost_usd_day', 'crash_events')
        OFFSET 0
      ) AS f
      WHERE f.day BETWEEN first_day AND last_day OR f.figure = 'active_' || unit
      GROUP BY f.start
    )
    SELECT jsonb_agg(jsonb_build_object('start', l.start, 'active', l.active, 'new', coalesce(s.fresh, 0), 'events', coalesce(s.events, 0),
      'recordings', coalesce(s.recordings, 0), 'minutes', round(coalesce(s.seconds, 0) / 60, 6), 'cost_usd', coalesce(s.cost, 0),
      'cost_per_user', weir.ratio(coalesce(s.cost, 0), l.active), 'crashes', coalesce(s.crashes, 0),
      'crash_rate', weir.ratio(coalesce(s.crashes, 0), l.active)) ORDER BY l.start)
    FROM weir.starts(unit, first_day, last_day) AS n (start)
    LEFT JOIN sums AS s ON s.start = n.start
    CROSS JOIN LATERAL (SELECT n.start, coalesce(s.active, 0) AS active) AS l
  );
END
$$;

-- A figure of the weeks that lie wholly in the window for each user of one of them.
CREATE OR REPLACE FUNCTION weir.stats_of_whole_weeks(weeks jsonb, figure text, first_day date, last_day date) RETURNS numeric
LANGUAGE plpgsql IMMUTABLE
AS $$
#variable_conflict use_column
BEGIN
  RETURN (
    SELECT weir.ratio(sum((w ->> figure)::numeric), sum((w ->> 'active')::numeric))
    FROM jsonb_array_elements(weeks) AS w WHERE weir.is_whole('week', (w ->> 'start')::date, first_day, last_day)
  );
END
$$;

-- What was new on the days from one to another, of those that are known.
CREATE OR REPLACE FUNCTION weir.stats_span(sums jsonb, figure text, since date, until date) RETURNS numeric
LANGUAGE plpgsql IMMUTABLE
AS $$
#variable_conflict use_column
BEGIN
  RETURN (
    SELECT coalesce(sum(d.value::numeric), 0) FROM jsonb_each_text(sums -> figure) AS d WHERE d.key::date BETWEEN since AND until
  );
END
$$;

CREATE OR REPLACE FUNCTION weir.stats_users(sums jsonb, first_day date, last_day date) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE
AS $$
#variable_conflict use_column
BEGIN
  RETURN (
    SELECT jsonb_build_object('total', k.total, 'active', weir.figure_of(sums, 'active'), 'active_1', weir.figure_of(sums, 'active_1'),
      'active_7', k.active_7, 'active_30', k.active_30, 'new', weir.stats_span(sums, 'new_events', first_day, last_day),
      'new_7', weir.stats_span(sums, 'new_events', last_day - 6, last_day), 'new_30', weir.stats_span(sums, 'new_events', last_day - 29, last_day),
      'churned', k.total - k.active_30, 'churn_rate', weir.ratio(k.total - k.active_30, k.total),
      'stickiness', weir.ratio(weir.stats_span(sums, 'active_day', last_day - 29, last_day) / 30, k.active_30),
      'growth', jsonb_build_object('this_week', k.active_7, 'week_before', k.before_7, 'rate', weir.ratio(k.active_7 - k.before_7, k.before_7)),
      'retention', (
        SELECT jsonb_object_agg('day_' || n, jsonb_build_object('new', r.fresh, 'returned', r.back, 'share', weir.ratio(r.back, r.fresh)))
        FROM unnest(ARRAY[1, 7, 30]) AS n, LATERAL (
          SELECT weir.stats_span(sums, 'new_events', first_day, last_day - n) AS fresh, weir.figure_of(sums, 'returned', n::text) AS back) AS r),
      'power', weir.figure_of(sums, 'power'), 'regular', weir.figure_of(sums, 'regular'), 'casual', weir.figure_of(sums, 'casual'))
    FROM (
      SELECT weir.figure_of(sums, 'total') AS total, weir.figure_of(sums, 'active_7') AS active_7,
        weir.figure_of(sums, 'active_before_7') AS before_7, weir.figure_of(sums, 'active_30') AS active_30
    ) AS k
  );
END
$$;

-- {"yes": 9, "no": 1, "rate": 0.9} of a subject that is true or false.
CREATE OR REPLACE FUNCTION weir.stats_success(sums jsonb, subject text) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE
AS $$
#variable_conflict use_column
BEGIN
  RETURN (
    SELECT jsonb_build_object('yes', s.yes, 'no', s.no, 'rate', weir.ratio(s.yes, s.yes + s.no))
    FROM (SELECT weir.figure_of(sums, subject, 'true') AS yes, weir.figure_of(sums, subject, 'false') AS no) AS s
  );
END
$$;

CREATE OR REPLACE FUNCTION weir.stats_mean(sums jsonb, name text) RETURNS jsonb
LANGUAGE sql IMMUTABLE
AS $$
  SELECT jsonb_build_object('count', weir.figure_of(sums, 'mean_count', name),
    'mean', weir.ratio(weir.figure_of(sums, 'mean_total', name), weir.figure_of(sums, 'mean_count', name)))
$$;

CREATE OR REPLACE FUNCTION weir.stats_first(sums jsonb, what text) RETURNS jsonb
LANGUAGE sql IMMUTABLE
AS $$
  SELECT jsonb_build_object('users', weir.figure_of(sums, 'first', what),
    'mean_days', weir.ratio(weir.figure_of(sums, 'first_days', what), weir.figure_of(sums, 'first', what)))
$$;

CREATE OR REPLACE FUNCTION weir.stats_crashes(sums jsonb, lists jsonb, crashes numeric) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE
AS $$
#variable_conflict use_column
BEGIN
  RETURN (
    SELECT jsonb_build_object('crashes', crashes, 'crashed_users', weir.figure_of(sums, 'crashed'),
      'crash_free_users', weir.crash_freedom(weir.figure_of(sums, 'active'), weir.figure_of(sums, 'both')),
      'crash_free_sessions', jsonb_build_object('sessions', s.sessions, 'crash_free', s.sessions - s.crashed,
        'crash_free_share', weir.ratio(s.sessions - s.crashed, s.sessions)),
      'types', coalesce(lists #> '{crash_type,values}', '[]'), 'versions', coalesce(lists #> '{crash_version,values}', '[]'),
      'systems', coalesce(lists #> '{crash_os,values}', '[]'), 'first_crash', weir.stats_first(sums, 'crash'))
    FROM (SELECT weir.figure_of(sums, 'sessions') AS sessions, weir.figure_of(sums, 'crashed_sessions') AS crashed) AS s
  );
END
$$;

CREATE OR REPLACE FUNCTION weir.stats_peak_hours(sums jsonb) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE
AS $$
#variable_conflict use_column
BEGIN
  RETURN (
    SELECT jsonb_agg(w.hours ORDER BY w.weekday)
    FROM (
      SELECT weekday, jsonb_agg(coalesce(s.value::numeric, 0) ORDER BY hour) AS hours
      FROM generate_series(1, 7) AS weekday CROSS JOIN generate_series(0, 23) AS hour
      LEFT JOIN jsonb_each_text(sums -> 'hour') AS s ON s.key = weekday || ' ' || hour
      GROUP BY weekday
    ) AS w
  );
END
$$;

CREATE OR REPLACE FUNCTION weir.stats_cli(sums jsonb, lists jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE
AS $$
  SELECT jsonb_build_object('commands', coalesce(lists #> '{command,values}', '[]'),
    'output_formats', coalesce(lists #> '{output_format,values}', '[]'), 'models', coalesce(lists #> '{model,values}', '[]'),
    'success', weir.stats_success(sums, 'cli_success'),
    'prompt_length', weir.stats_mean(sums, 'prompt_length'), 'execution_time', weir.stats_mean(sums, 'execution_time'))
$$;

CREATE OR REPLACE FUNCTION weir.stats_merge(parts weir.part[], first_day date, last_day date) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE
SET plan_cache_mode = force_generic_plan SET jit = off
AS $$
DECLARE
  sums constant jsonb := weir.stats_sums(parts);
  days constant jsonb := weir.stats_trend(parts, 'day', first_day, last_day);
  lists constant jsonb := weir.stats_lists(parts, sums, (SELECT sum((d ->> 'events')::numeric) FROM jsonb_array_elements(days) AS d));
  weeks constant jsonb := weir.stats_trend(parts, 'week', first_day, last_day);
  active constant numeric := weir.figure_of(sums, 'active');
  known record;
BEGIN
  SELECT sum((d ->> 'events')::numeric) AS events, sum((d ->> 'recordings')::numeric) AS recordings,
    weir.stats_span(sums, 'seconds_day', first_day, last_day) AS seconds, sum((d ->> 'cost_usd')::numeric) AS cost,
    sum((d ->> 'crashes')::numeric) AS crashes, sum((d ->> 'new')::numeric) AS fresh,
    (SELECT coalesce(sum(p.amount), 0) FROM unnest(parts) AS p WHERE p.figure IN ('error_type', 'error_type_other')) AS failed,
    (SELECT coalesce(sum(p.amount), 0) FROM unnest(parts) AS p WHERE p.figure = 'event' AND p.key = 'cli_command') AS commands
  INTO known
  FROM jsonb_array_elements(days) AS d;
  RETURN jsonb_build_object(
    'exact', NOT EXISTS (SELECT FROM unnest(parts) AS p WHERE p.figure ~ '_other$') AND weir.stats_lists_are_exact(parts, sums),
    'total_users', weir.figure_of(sums, 'total'), 'active_users', active, 'new_users', known.fresh,
    'total_recordings', known.recordings, 'total_minutes', round(known.seconds / 60, 6), 'total_cost_usd', known.cost,
    'crash_count', known.crashes, 'crash_rate', weir.ratio(known.crashes, active),
    'users', weir.stats_users(sums, first_day, last_day),
    'usage', jsonb_build_object('events', known.events, 'events_per_user', weir.ratio(known.events, active),
      'recordings', known.recordings, 'hours', round(known.seconds / 3600, 6), 'recordings_per_user', weir.ratio(known.recordings, active),
      'recordings_per_user_week', weir.stats_of_whole_weeks(weeks, 'recordings', first_day, last_day),
      'sessions', jsonb_build_object('sessions', weir.figure_of(sums, 'sessions'),
        'mean_seconds', weir.ratio(weir.figure_of(sums, 'session_seconds'), weir.figure_of(sums, 'sessions'))),
      'names', coalesce(lists #> '{event,values}', '[]'), 'peak_hours', weir.stats_peak_hours(sums)),
    'features', coalesce(weir.stats_features(parts, sums, first_day, last_day), '{"more": 0, "features": []}')
      || jsonb_build_object('split', coalesce(lists #> '{source,values}', '[]'), 'unused', weir.stats_unused(parts),
        'first_use', weir.stats_first(sums, 'feature'), 'toggles', weir.stats_toggles(parts, sums), 'retries', weir.stats_retries(parts, sums)),
    'performance', jsonb_build_object('success_rate', weir.stats_success(sums, 'success'),
      'error_rate', weir.ratio(known.failed, known.events), 'errors', weir.with_rates(lists #> '{error_type,values}', known.events),
      'processing_time', weir.stats_mean(sums, 'processing_time'), 'startup_time', weir.stats_mean(sums, 'startup_time'),
      'response_time', weir.stats_mean(sums, 'response_time')),
    'crashes', weir.stats_crashes(sums, lists, known.crashes),
    'costs', jsonb_build_object('total', known.cost, 'per_user', weir.ratio(known.cost, active)),
    'countries', coalesce(lists #> '{country,values}', '[]'), 'versions', coalesce(lists #> '{version,values}', '[]'),
    'platforms', coalesce(lists #> '{platform,values}', '[]'), 'cli', weir.stats_cli(sums, lists) || jsonb_build_object(
      'errors', weir.with_rates(lists #> '{cli_error_type,values}', known.commands), 'sessions', weir.cli_sessions(parts, first_day, last_day)),
    'days', days, 'weeks', weeks, 'months', weir.stats_trend(parts, 'month', first_day, last_day)) || weir.why_no_cli_sessions(parts);
END
$$;

CREATE OR REPLACE FUNCTION weir.stats_toggles(parts weir.part[], sums jsonb) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE
AS $$
#variable_conflict use_column
BEGIN
  RETURN (
    SELECT jsonb_build_object('on', k.any_on, 'adoption', weir.ratio(k.any_on, k.active), 'features', (
      SELECT coalesce(jsonb_agg(jsonb_build_object('value', t.feature, 'events', t.events, 'share', weir.ratio(t.events, t.total),
        'switched', t.switched, 'on', t.is_on, 'adoption', weir.ratio(t.is_on, k.active)) ORDER BY t.is_on DESC, t.events DESC, t.feature COLLATE "C"), '[]')
      FROM (
        SELECT feature, coalesce(e.events, 0) AS events, coalesce(o.switched, 0) AS switched, coalesce(o.on, 0) AS is_on, sum(e.events) OVER () AS total
        FROM weir.toggles_of(parts) AS o
        FULL JOIN (SELECT p.key AS feature, sum(p.amount) AS events FROM unnest(parts) AS p WHERE p.figure = 'toggled' GROUP BY p.key) AS e USING (feature)
        ORDER BY is_on DESC, events DESC, feature COLLATE "C"
        LIMIT 10
      ) AS t))
    FROM (SELECT weir.figure_of(sums, 'any_switched_on') AS any_on, weir.figure_of(sums, 'active') AS active) AS k
  );
END
$$;

CREATE OR REPLACE FUNCTION weir.stats_retries(parts weir.part[], sums jsonb) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE
AS $$
#variable_conflict use_column
BEGIN
  RETURN (
    SELECT jsonb_build_object('count', coalesce(sum(p.amount), 0), 'users', weir.figure_of(sums, 'event_users', 'retry_attempted'),
      'share', weir.ratio(weir.figure_of(sums, 'event_users', 'retry_attempted'), weir.figure_of(sums, 'active')))
    FROM unnest(parts) AS p WHERE p.figure = 'event' AND p.key = 'retry_attempted'
  );
END
$$;

GRANT EXECUTE ON FUNCTION weir.figure_of(jsonb, text, text), weir.stats_sums(weir.part[]), weir.stats_lists(weir.part[], jsonb, numeric),
  weir.stats_features(weir.part[], jsonb, date, date), weir.stats_unused(weir.part[]), weir.stats_trend(weir.part[], text, date, date),
  weir.stats_of_whole_weeks(jsonb, text, date, date), weir.stats_span(jsonb, text, date, date), weir.stats_users(jsonb, date, date), weir.stats_success(jsonb, text),
  weir.stats_mean(jsonb, text), weir.stats_first(jsonb, text), weir.stats_crashes(jsonb, jsonb, numeric), weir.stats_peak_hours(jsonb),
  weir.stats_cli(jsonb, jsonb), weir.stats_merge(weir.part[], date, date), weir.stats_toggles(weir.part[], jsonb), weir.stats_retries(weir.part[], jsonb) TO weir_reader;
