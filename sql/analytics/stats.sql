-- All key figures at once: who is there, what they do, with what, how well it works, what it costs.
--
--   SELECT weir.stats_answer('acme', '2026-03-01', '2026-03-31', 'Europe/Berlin');
--
-- The window is from one day to another, both counted, in a time zone whose days are kept (docs/rollups.md): all of it
-- comes from the roll-ups, and none from the rows. Words mean what they mean in the files of the single subjects, which
-- have more of each: users.sql, usage.sql, features.sql, audience.sql, costs.sql, crashes.sql. Beside these:
--
--   total_users … crash_rate  what user_stats says of a day, of the window: `active_users` had an event within it,
--                crash_rate is crashes for each of them
--   users        new_7, new_30: new on the last 7 or 30 days of the window. power, regular, casual: users with events on
--                16 and more, 4 to 15, 1 to 3 of its last 30 days
--   usage        recordings_per_user: of the active ones; recordings_per_user_week: of the weeks that lie wholly in the
--                window, recordings / active users of each, added up
--   features     the ten with the most events. first_use: of the users who were new in the window, those who used a
--                feature in it (an event of weir.dimensions' subject `feature`), and the mean of the days from their
--                earliest event to that; 0 is the same day. unused: a hundred at most, by name
--                toggles: of the active users those who have a feature on (toggles.sql): any of them, and by feature, the
--                ten that most have on, `events` and `share` being those within the window; adoption: on / active users
--   performance  means, in seconds, of numbers in properties: processing_time of processing_time_seconds, startup_time
--                of startup_time_seconds and startup_ms, response_time of response_time_seconds and response_time_ms,
--                whatever the event. success_rate and error_rate as in usage.sql, and so the rate and share of each of `errors`
--   crashes      first_crash: as first_use. Lists have crashes alone, /v1/crashes has users and groups
--   countries, versions, platforms
--                the ten with the most users, counted as audience.sql does: of the fifty with the most events;
--                share: of the active users, or of the events where nobody is known in the window
--   cli          of the events `cli_command`; lists by events; prompt_length and execution_time are means; errors and
--                sessions, in all, by day and by week, as in usage.sql
--
-- `exact` is false where a day had more values of one kind than are kept (docs/rollups.md), or one of countries, versions,
-- platforms that was not counted may have more users than the tenth: lists then may lack some.
SET LOCAL ROLE weir_owner;
SET LOCAL check_function_bodies = off;

-- The zone, if the tenant's days are kept in it.
CREATE OR REPLACE FUNCTION weir.kept_zone(tenant text, zone text) RETURNS text
LANGUAGE plpgsql STABLE
AS $$
BEGIN
  IF NOT weir.keeps_zone(tenant, zone) THEN
    RAISE invalid_parameter_value USING COLUMN = 'tz', MESSAGE = format(
      CASE WHEN EXISTS (SELECT FROM weir.report_zones AS z WHERE z.tenant_id = tenant AND z.zone = kept_zone.zone)
        THEN 'Days in %s, which this needs, are still being built (`weirctl rollup status`): ask for UTC until they are'
        ELSE 'Days in %1$s, which this needs, are not kept: ask for UTC, or have them kept by '
          '`weirctl rollup zones --tenant TENANT --add %1$s`' END, zone);
  END IF;
  RETURN zone;
END
$$;

-- Events by value of each subject that is listed (figure the subject, X_other what is beyond), and by day and hour.
CREATE OR REPLACE FUNCTION weir.stats_counts_partial(tenant text, first_day date, last_day date, zone text)
RETURNS SETOF weir.part
LANGUAGE plpgsql STABLE
SET plan_cache_mode = force_generic_plan SET jit = off SET work_mem = '64MB' SET enable_sort = off
AS $$
BEGIN
  RETURN QUERY
  SELECT s, d.value, d.events
  FROM unnest(weir.stats_subjects()) AS s
  CROSS JOIN LATERAL (
    SELECT c.value, sum(c.events) AS events
    FROM weir.day_counts AS c
    WHERE c.tenant_id = tenant AND c.zone = stats_counts_partial.zone AND c.subject = s AND c.day BETWEEN first_day AND last_day
    GROUP BY c.value
    OFFSET 0
  ) AS d
  UNION ALL
  SELECT s || '_events', c.day::text, c.events::numeric
  FROM unnest('{active,new,crash}'::text[]) AS s
  JOIN weir.day_counts AS c ON c.tenant_id = tenant AND c.zone = stats_counts_partial.zone AND c.subject = s AND c.value = ''
    AND c.day BETWEEN least(first_day, last_day - 29) AND last_day
  UNION ALL
  SELECT 'hour', d.weekday || ' ' || d.hour, d.events
  FROM (
    SELECT c.weekday, h.place - 1 AS hour, sum(h.events) AS events
    FROM (
      SELECT extract(isodow FROM c.day)::integer AS weekday, c.hours
      FROM weir.day_counts AS c
      WHERE c.tenant_id = tenant AND c.zone = stats_counts_partial.zone AND c.subject = 'active' AND c.value = ''
        AND c.day BETWEEN first_day AND last_day
      OFFSET 0
    ) AS c, unnest(c.hours) WITH ORDINALITY AS h (events, place)
    WHERE h.events > 0
    GROUP BY c.weekday, h.place
  ) AS d
  UNION ALL
  SELECT m.measure || '_day', c.day::text, sum(c.events * m.factor)
  FROM (
    SELECT m.measure, m.factor, CASE m.event WHEN '*' THEN 'active' ELSE 'event' END AS subject, CASE m.event WHEN '*' THEN '' ELSE m.event END AS value
    FROM weir.stats_measures(tenant) AS m
    WHERE m.property IS NULL
    OFFSET 0
  ) AS m
  -- That there are hours says nothing, but no index has them: so it is the one by value that is read, not all of the subject.
  JOIN weir.day_counts AS c ON c.tenant_id = tenant AND c.zone = stats_counts_partial.zone AND c.subject = m.subject AND c.value = m.value
    AND c.day BETWEEN first_day AND last_day AND c.hours IS NOT NULL
  GROUP BY m.measure, c.day
  UNION ALL
  SELECT 'total', '', sum(d.events)
  FROM weir.day_counts AS d
  WHERE d.tenant_id = tenant AND d.zone = stats_counts_partial.zone AND d.subject = 'new' AND d.value = '' AND d.day <= last_day
  HAVING count(*) > 0
  UNION ALL
  SELECT 'feature_before', f, 1::numeric FROM weir.features_before(tenant, first_day, stats_counts_partial.zone) AS f;
END
$$;

CREATE OR REPLACE FUNCTION weir.stats_subjects() RETURNS text[]
LANGUAGE sql IMMUTABLE
AS $$
  SELECT '{event,event_other,version,version_other,platform,platform_other,country,country_other,feature,
    feature_other,source,success,error_type,error_type_other,toggled,command,command_other,output_format,output_format_other,
    model,model_other,cli_success,cli_error_type,cli_error_type_other,crash_version,crash_version_other,crash_os,crash_os_other,
    crash_type,crash_type_other}'::text[]
$$;

-- What makes the measures of user_stats: a tenant's own rows stand in for everybody's.
CREATE OR REPLACE FUNCTION weir.stats_measures(tenant text)
RETURNS TABLE (measure text, event text, property text, factor numeric)
LANGUAGE sql STABLE
AS $$
  SELECT m.measure, left(m.event, 256), left(m.property, 256), m.factor
  FROM weir.measures AS m
  WHERE m.measure IN ('recordings', 'seconds', 'cost_usd') AND (m.tenant_id = tenant OR m.tenant_id = '*' AND NOT EXISTS (
    SELECT FROM weir.measures AS own WHERE own.tenant_id = tenant AND own.measure = m.measure))
$$;

-- Features that were used before the window: from the first day of one name to that of the next in the index, a
-- thousand at most.
CREATE OR REPLACE FUNCTION weir.features_before(tenant text, first_day date, zone text) RETURNS SETOF text
LANGUAGE sql STABLE
AS $$
  WITH RECURSIVE names AS (
    (SELECT d.value, d.day FROM weir.day_counts AS d
    WHERE d.tenant_id = tenant AND d.zone = features_before.zone AND d.subject = 'feature'
    ORDER BY d.value, d.day LIMIT 1)
    UNION ALL
    SELECT later.value, later.day
    FROM names AS n
    CROSS JOIN LATERAL (SELECT d.value, d.day FROM weir.day_counts AS d
      WHERE d.tenant_id = tenant AND d.zone = features_before.zone AND d.subject = 'feature' AND d.value > n.value
      ORDER BY d.value, d.day LIMIT 1) AS later
  )
  SELECT n.value FROM (SELECT * FROM names LIMIT 1000) AS n WHERE n.day < first_day
$$;

-- Numbers: measures by day, means over the window, sessions.
CREATE OR REPLACE FUNCTION weir.stats_numbers_partial(tenant text, first_day date, last_day date, zone text)
RETURNS SETOF weir.part
LANGUAGE plpgsql STABLE
SET plan_cache_mode = force_generic_plan SET jit = off
AS $$
BEGIN
  RETURN QUERY
  WITH measures AS MATERIALIZED (
    SELECT * FROM weir.stats_measures(tenant) AS m WHERE m.property IS NOT NULL
  ), named (name, event, property, factor) AS MATERIALIZED (
    VALUES ('processing_time', '*', 'processing_time_seconds', 1), ('startup_time', '*', 'startup_time_seconds', 1),
      ('startup_time', '*', 'startup_ms', 0.001), ('response_time', '*', 'response_time_seconds', 1),
      ('response_time', '*', 'response_time_ms', 0.001), ('execution_time', 'cli_command', 'execution_time', 1),
      ('prompt_length', 'cli_command', 'prompt_length', 1)
  ), numbers AS MATERIALIZED (
    SELECT d.day, d.event, d.property, d.numbers, d.total
    FROM weir.day_numbers AS d
    WHERE d.tenant_id = tenant AND d.zone = stats_numbers_partial.zone AND d.day BETWEEN first_day AND last_day
      AND d.property = ANY (ARRAY(SELECT m.property FROM measures AS m UNION ALL SELECT n.property FROM named AS n))
  )
  SELECT m.measure || '_day', n.day::text, sum(n.total * m.factor)
  FROM measures AS m JOIN numbers AS n ON n.property = m.property AND m.event IN (n.event, '*')
  GROUP BY m.measure, n.day
  UNION ALL
  SELECT p.figure, d.name, p.amount
  FROM (
    SELECT w.name, sum(n.numbers) AS numbers, sum(n.total * w.factor) AS total
    FROM named AS w JOIN numbers AS n ON n.property = w.property AND w.event IN (n.event, '*')
    GROUP BY w.name
  ) AS d, LATERAL (VALUES ('mean_count', d.numbers), ('mean_total', d.total)) AS p (figure, amount)
  UNION ALL
  SELECT p.figure, '', p.amount
  FROM (
    SELECT sum(s.sessions) AS sessions, sum(s.crashed) AS crashed, sum(s.seconds) AS seconds
    FROM weir.day_sessions AS s
    WHERE s.tenant_id = tenant AND s.zone = stats_numbers_partial.zone AND s.day BETWEEN first_day AND last_day
  ) AS d, LATERAL (VALUES ('sessions', d.sessions), ('crashed_sessions', d.crashed), ('session_seconds', d.seconds)) AS p (figure, amount)
  WHERE p.amount IS NOT NULL;
END
$$;

-- Users: in all, by day, week, month; who came back; how steady they are; with crashes and without. (What substring() gives is unpacked once, for all
-- that is counted of it.)
CREATE OR REPLACE FUNCTION weir.stats_users_partial(tenant text, first_day date, last_day date, zone text)
RETURNS SETOF weir.part
LANGUAGE plpgsql STABLE
SET plan_cache_mode = force_generic_plan SET jit = off SET work_mem = '64MB'
AS $$
BEGIN
  RETURN QUERY
  WITH active AS MATERIALIZED (
    SELECT d.day, d.chunk, substring(d.users FROM 1) AS users
    FROM weir.day_sets AS d
    WHERE d.tenant_id = tenant AND d.zone = stats_users_partial.zone AND d.subject = 'active' AND d.value = ''
      AND d.day BETWEEN least(first_day, last_day - 29) AND last_day
  ), pieces AS MATERIALIZED (
    SELECT date_trunc('week', a.day::timestamp)::date AS week, date_trunc('month', a.day::timestamp)::date AS month, a.chunk, bit_or(a.users) AS users
    FROM active AS a WHERE a.day >= first_day GROUP BY 1, 2, 3
  ), months AS MATERIALIZED (
    SELECT p.month, p.chunk, bit_or(p.users) AS users FROM pieces AS p GROUP BY p.month, p.chunk
  ), lately AS (
    SELECT bit_or(a.users) FILTER (WHERE a.day = last_day) AS last_1, bit_or(a.users) FILTER (WHERE a.day > last_day - 7) AS last_7,
      bit_or(a.users) FILTER (WHERE a.day <= last_day - 7) AS before_7
    FROM active AS a WHERE a.day > last_day - 14 GROUP BY a.chunk
  ), crashed AS MATERIALIZED (
    SELECT s.chunk, bit_or(s.users) AS users
    FROM weir.sets_between(tenant, stats_users_partial.zone, 'crash', '', first_day, last_day) AS s
    GROUP BY s.chunk
  ), whole AS MATERIALIZED (
    SELECT m.chunk, bit_or(m.users) AS users FROM months AS m GROUP BY m.chunk
  )
  SELECT 'active_day', a.day::text, sum(bit_count(a.users))::numeric FROM active AS a GROUP BY a.day
  UNION ALL
  SELECT 'active_week', w.week::text, sum(bit_count(w.users))
  FROM (SELECT p.week, bit_or(p.users) AS users FROM pieces AS p GROUP BY p.week, p.chunk) AS w
  GROUP BY w.week
  UNION ALL
  SELECT 'active_month', m.month::text, sum(bit_count(m.users)) FROM months AS m GROUP BY m.month
  UNION ALL
  SELECT f.figure, '', sum(bit_count(f.users))
  FROM lately AS l, LATERAL (VALUES ('active_1', l.last_1), ('active_7', l.last_7), ('active_before_7', l.before_7)) AS f (figure, users)
  WHERE f.users IS NOT NULL
  GROUP BY f.figure
  UNION ALL
  SELECT p.figure, '', sum(p.users)::numeric
  FROM whole AS w LEFT JOIN crashed AS c ON c.chunk = w.chunk,
    LATERAL (VALUES ('active', bit_count(w.users)), ('both', bit_count(w.users & c.users))) AS p (figure, users)
  GROUP BY p.figure
  UNION ALL
  SELECT 'crashed', '', sum(bit_count(c.users)) FROM crashed AS c
  UNION ALL
  SELECT p.figure, '', sum(p.users)::numeric
  FROM (SELECT array_agg(a.users::varbit) AS days FROM active AS a WHERE a.day > last_day - 30 GROUP BY a.chunk) AS c,
    LATERAL weir.steady_users(c.days) AS p
  GROUP BY p.figure;
END
$$;

-- Of the sets of up to 31 days: users of 16 days and more, of 4 to 15, of fewer; and all of them.
CREATE OR REPLACE FUNCTION weir.steady_users(days varbit[]) RETURNS TABLE (figure text, users bigint)
LANGUAGE plpgsql IMMUTABLE
AS $$
DECLARE
  planes constant varbit[] := weir.sum_of_sets(days);
  nobody constant varbit := days[1] # days[1];
  sixteens constant varbit := coalesce(planes[5], nobody);
  fours constant varbit := coalesce(planes[3], nobody) | coalesce(planes[4], nobody);
  ones constant varbit := coalesce(planes[1], nobody) | coalesce(planes[2], nobody);
BEGIN
  RETURN QUERY VALUES ('power', bit_count(sixteens)), ('regular', bit_count(fours & ~sixteens)),
    ('casual', bit_count(ones & ~(fours | sixteens))), ('active_30', bit_count(ones | fours | sixteens));
END
$$;

-- Of the window's new users: how many came back N days later (figure returned, key N); how many used a feature or
-- crashed (first, key what), and the days that took, added up (first_days).
--
-- Of one user it takes the day U of the first use less the day N of the earliest event. The sum over all who are met
-- until the window ends is thus that of the days on which they were not met yet, from its first day on, less that of
-- each N: `area` is on how many days they were.
CREATE OR REPLACE FUNCTION weir.stats_new_partial(tenant text, first_day date, last_day date, zone text)
RETURNS SETOF weir.part
LANGUAGE plpgsql STABLE
SET plan_cache_mode = force_generic_plan SET jit = off SET work_mem = '64MB' SET enable_nestloop = off SET enable_sort = off
AS $$
BEGIN
  RETURN QUERY
  WITH fresh AS MATERIALIZED (
    SELECT d.day, d.chunk, substring(d.users FROM 1) AS users
    FROM weir.day_sets AS d
    WHERE d.tenant_id = tenant AND d.zone = stats_new_partial.zone AND d.subject = 'new' AND d.value = ''
      AND d.day BETWEEN first_day AND last_day
  ), everyone AS MATERIALIZED (
    SELECT f.chunk, bit_or(f.users) AS users FROM fresh AS f GROUP BY f.chunk
  ), looked_for (what, subject, value) AS (
    VALUES ('crash', 'crash', '')
    UNION ALL
    SELECT DISTINCT 'feature', 'event', w.event FROM weir.wanted_dimensions(tenant) AS w WHERE w.subject = 'feature' AND w.event <> '*'
  ), used AS (
    SELECT l.what, d.day, d.chunk, d.users
    FROM looked_for AS l
    CROSS JOIN LATERAL (
      SELECT d.day, d.chunk, d.users
      FROM weir.day_sets AS d
      WHERE d.tenant_id = tenant AND d.zone = stats_new_partial.zone AND d.subject = l.subject AND d.value = l.value
        AND d.day BETWEEN first_day AND last_day
      OFFSET 0
    ) AS d
  ), met AS MATERIALIZED (
    SELECT m.what, m.chunk, m.days, bit_count(m.users & e.users) AS many, CASE WHEN m.is_last THEN m.users & e.users END AS users
    FROM (
      SELECT u.what, u.chunk, bit_or(u.users) OVER w AS users, lead(u.day, 1, last_day + 1) OVER w - u.day AS days, lead(u.day) OVER w IS NULL AS is_last
      FROM used AS u
      WINDOW w AS (PARTITION BY u.what, u.chunk ORDER BY u.day)
    ) AS m
    JOIN everyone AS e ON e.chunk = m.chunk
  )
  SELECT 'returned', r.later::text, sum(r.users)::numeric
  FROM (
    SELECT f.later, bit_count(f.users & a.users) AS users
    FROM (SELECT f.day + later AS day, later, f.chunk, f.users FROM fresh AS f CROSS JOIN unnest(ARRAY[1, 7, 30]) AS later) AS f
    CROSS JOIN LATERAL (
      SELECT d.users
      FROM weir.day_sets AS d
      WHERE d.tenant_id = tenant AND d.zone = stats_new_partial.zone AND d.subject = 'active' AND d.value = ''
        AND d.day = f.day AND d.chunk = f.chunk AND f.day <= last_day
      OFFSET 0
    ) AS a
  ) AS r
  GROUP BY r.later
  UNION ALL
  SELECT v.figure, m.what, v.amount
  FROM (SELECT m.what, sum(bit_count(m.users)) AS users, sum(m.many * m.days) AS area FROM met AS m GROUP BY m.what) AS m,
    LATERAL (VALUES ('first', m.users), ('first_days', m.users * (last_day + 1 - first_day)), ('first_days', -m.area)) AS v (figure, amount)
  UNION ALL
  SELECT 'first_days', m.what, -sum(bit_count(m.users & f.users) * (f.day - first_day))
  FROM met AS m JOIN fresh AS f ON f.chunk = m.chunk
  WHERE m.users IS NOT NULL
  GROUP BY m.what;
END
$$;

-- Users of the values that the lists name, and of features by week: once the parts of all servers have said which.
CREATE OR REPLACE FUNCTION weir.stats_details_partial(tenant text, first_day date, last_day date, zone text, so_far weir.part[])
RETURNS SETOF weir.part
LANGUAGE plpgsql STABLE
SET plan_cache_mode = force_generic_plan SET jit = off SET work_mem = '64MB' SET enable_sort = off
AS $$
DECLARE
  monday constant date := weir.first_monday(first_day);
  until constant date := weir.last_monday(first_day, last_day);
BEGIN
  RETURN QUERY
  WITH wanted (subject, value) AS MATERIALIZED (
    SELECT p.subject, p.value FROM weir.stats_top(so_far) AS p WHERE p.subject = 'feature'
    UNION ALL
    SELECT s, v FROM unnest(weir.stats_columns()) AS s, unnest(weir.candidates(so_far, s, 10)) AS v
    UNION ALL VALUES ('event', 'retry_attempted')
  )
  SELECT f.figure, v.value, f.users
  FROM (
    SELECT u.subject, u.value, sum(bit_count(u.users)) AS users, sum(u.weekly) AS weekly
    FROM (
      SELECT w.subject, w.value, bit_or(s.users) AS users, sum(bit_count(s.users))
        FILTER (WHERE w.subject = 'feature' AND s.start >= monday AND s.start < until) AS weekly
      FROM wanted AS w
      CROSS JOIN LATERAL weir.sets_between(tenant, stats_details_partial.zone, w.subject, w.value, first_day, last_day) AS s
      GROUP BY w.subject, w.value, s.chunk
    ) AS u
    GROUP BY u.subject, u.value
  ) AS v, LATERAL (VALUES (v.subject || '_users', v.users), (CASE v.subject WHEN 'feature' THEN 'feature_weekly' END, v.weekly))
    AS f (figure, users)
  WHERE f.figure IS NOT NULL AND f.users IS NOT NULL;
END
$$;

-- Subjects whose values are listed by their users.
CREATE OR REPLACE FUNCTION weir.stats_columns() RETURNS text[]
LANGUAGE sql IMMUTABLE
AS $$ SELECT '{version,platform,country}'::text[] $$;

-- The ten values of each list with the most events, or users where these are counted; of those of the same number by name.
CREATE OR REPLACE FUNCTION weir.stats_top(parts weir.part[])
RETURNS TABLE (subject text, value text, events numeric, place bigint, total numeric, beyond bigint)
LANGUAGE sql IMMUTABLE
AS $$
  SELECT *
  FROM (
    SELECT s.subject, s.key, s.events,
      row_number() OVER (PARTITION BY s.subject ORDER BY coalesce(s.users, 0) DESC, CASE WHEN s.users IS NULL THEN s.events END DESC, s.key COLLATE "C") AS place,
      sum(s.events) OVER (PARTITION BY s.subject), count(*) OVER (PARTITION BY s.subject) - 10
    FROM (
      SELECT f.subject, p.key, sum(p.amount) FILTER (WHERE NOT f.of_users) AS events, sum(p.amount) FILTER (WHERE f.of_users) AS users
      FROM (
        SELECT n AS figure, n AS subject, false AS of_users FROM unnest(weir.stats_subjects()) AS n WHERE n !~ '_other$'
        UNION ALL
        SELECT n || '_users', n, true FROM unnest(weir.stats_columns()) AS n
      ) AS f
      JOIN unnest(parts) AS p ON p.figure = f.figure
      GROUP BY f.subject, p.key
    ) AS s
  ) AS t
  WHERE t.place <= 10
$$;

-- Whether nothing can belong into a list by users whose users were not counted, since it has more of them than events.
CREATE OR REPLACE FUNCTION weir.stats_lists_are_exact(parts weir.part[], sums jsonb) RETURNS boolean
LANGUAGE plpgsql IMMUTABLE
AS $$
DECLARE
  tenth record;
  counted text[];
BEGIN
  FOR tenth IN
    SELECT t.subject, weir.figure_of(sums, t.subject || '_users', t.value) AS users
    FROM weir.stats_top(parts) AS t WHERE t.subject = ANY (weir.stats_columns()) AND t.place = 10 AND t.beyond > 0
  LOOP
    counted := weir.candidates(parts, tenth.subject, 10);
    IF EXISTS (SELECT FROM unnest(parts) AS p WHERE p.figure = tenth.subject AND p.key <> ALL (counted)
        GROUP BY p.key HAVING sum(p.amount) > tenth.users) THEN
      RETURN false;
    END IF;
  END LOOP;
  RETURN true;
END
$$;

-- What a server can say of its own users before it is known what the lists name.
CREATE OR REPLACE FUNCTION weir.stats_partial(tenant text, first_day date, last_day date, zone text) RETURNS SETOF weir.part
LANGUAGE plpgsql STABLE
AS $$
BEGIN
  RETURN QUERY SELECT * FROM weir.stats_counts_partial(tenant, first_day, last_day, zone);
  RETURN QUERY SELECT * FROM weir.stats_numbers_partial(tenant, first_day, last_day, zone);
  RETURN QUERY SELECT * FROM weir.stats_users_partial(tenant, first_day, last_day, zone);
  RETURN QUERY SELECT * FROM weir.stats_new_partial(tenant, first_day, last_day, zone);
  RETURN QUERY SELECT * FROM weir.toggles_partial(tenant, first_day, last_day, zone);
  RETURN QUERY SELECT * FROM weir.cli_sessions_partial(tenant, first_day, last_day, zone);
END
$$;

CREATE OR REPLACE FUNCTION weir.stats_answer(tenant text, first_day date, last_day date, zone text DEFAULT 'UTC') RETURNS jsonb
LANGUAGE plpgsql STABLE
AS $$
DECLARE
  kept constant text := weir.kept_zone(tenant, zone);
  parts weir.part[] := ARRAY(SELECT p FROM weir.stats_partial(tenant, first_day, last_day, kept) AS p);
BEGIN
  parts := parts || ARRAY(SELECT p FROM weir.stats_details_partial(tenant, first_day, last_day, kept, parts) AS p);
  RETURN weir.answered(tenant, first_day, last_day, zone, 'days', weir.stats_merge(parts, first_day, last_day), least(first_day, last_day - 29));
END
$$;
COMMENT ON FUNCTION weir.stats_answer(text, date, date, text) IS
  'All key figures of a tenant within a window of days. sql/analytics/stats.sql defines them.';

GRANT EXECUTE ON FUNCTION weir.kept_zone(text, text), weir.stats_counts_partial(text, date, date, text), weir.stats_subjects(),
  weir.stats_measures(text), weir.features_before(text, date, text), weir.stats_numbers_partial(text, date, date, text),
  weir.stats_users_partial(text, date, date, text), weir.steady_users(varbit[]), weir.stats_new_partial(text, date, date, text),
  weir.stats_details_partial(text, date, date, text, weir.part[]), weir.stats_columns(), weir.stats_top(weir.part[]), weir.stats_lists_are_exact(weir.part[], jsonb),
  weir.stats_partial(text, date, date, text), weir.stats_answer(text, date, date, text) TO weir_reader;
