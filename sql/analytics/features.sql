-- Which features are used, by how many, how soon, how steadily; and how steadily the whole is.
--
--   SELECT weir.features_answer('acme', '2026-03-01', '2026-03-31', 'Europe/Berlin');
--   SELECT weir.features_answer('acme', '2026-03-01', '2026-03-31', feature => 'event', split => 'platform');
--
-- A feature is a value of a subject of the roll-ups: of `feature`, unless another is named, such as 'event',
-- which makes each event a feature, or one of weir.dimensions. A subject that is not kept has no values.
-- The window is from one day to another, both counted, in a time zone.
--
--   features     by users, the hundred with the most; `more` says how many there are beyond
--     events     how often it was used, `users` by how many
--     adoption   users / those with any event in the window
--     weekly     stickiness: of the weeks (of a user) in which the user had any event, the share in which they
--                used it. Weeks begin on Monday; only those are looked at that lie wholly in the window
--     returning  of its users, the share who used it in two or more weeks, those that the window cuts too
--     days_to_first_use  the median, of the users who were new in the window and used it: from the day of their
--                earliest event to the day of their first use of it; 0 is the same day, 14 stands for 14 and more.
--                Of an even number the lower middle one
--   unused       features that were used before the window, at any time, and not in it
--   split        of the property `source`, unless another is named: events, users and share of each value
--   days_active  how many users had events on 1, 2, … 30 of the last 30 days of the window, counted by day_sets.
--                power: on 16 and more, regular: 4 to 15, casual: 1 to 3
--   retries      the events `retry_attempted`: count, users, per_user and share of the active users
--   toggles      where features are those of `toggled`: of each feature that `feature_toggled` names, of the active users:
--                `switched`, who ever switched it, and `on`, whose last time up to the window's end switched it on, as
--                toggles.sql defines them. adoption: on / active users. The hundred that most have on
--
-- All of it is exact, but where more than a thousand features are toggled on a day. What is beyond a day's thousand values is no feature.
SET LOCAL ROLE weir_owner;
SET LOCAL check_function_bodies = off;

-- Of each feature: users, those of two or more weeks, user-weeks within whole weeks, and users who were new.
CREATE OR REPLACE FUNCTION weir.feature_users_partial(tenant text, first_day date, last_day date, zone text, feature text)
RETURNS SETOF weir.part
LANGUAGE sql STABLE
SET jit = off SET work_mem = '64MB' SET enable_sort = off
AS $$
  WITH weeks AS MATERIALIZED (
    SELECT w.value, w.week, w.chunk, substring(w.users FROM 1) AS users
    FROM weir.weeks_in(tenant, zone, feature, first_day, last_day) AS w
  ), fresh AS MATERIALIZED (
    SELECT f.chunk, bit_or(f.users) AS users FROM weir.new_users(tenant, zone, first_day, last_day) AS f GROUP BY f.chunk
  )
  SELECT 'feature_weekly', w.value, sum(bit_count(w.users))
  FROM weeks AS w
  WHERE w.week >= first_day AND w.week + 6 <= last_day
  GROUP BY w.value
  UNION ALL
  SELECT p.figure, u.value, p.amount
  FROM (
    SELECT c.value, sum(bit_count(s.users)) AS users, sum(bit_count(s.again)) AS again,
      coalesce(sum(bit_count(s.users & n.users)), 0) AS fresh
    FROM (SELECT w.value, w.chunk, array_agg(w.users::varbit) AS sets FROM weeks AS w GROUP BY w.value, w.chunk) AS c
    CROSS JOIN LATERAL weir.in_some(c.sets) AS s
    LEFT JOIN fresh AS n ON n.chunk = c.chunk
    GROUP BY c.value
  ) AS u, LATERAL (VALUES ('feature_users', u.users), ('feature_again', u.again), ('feature_new', u.fresh)) AS p (figure, amount)
$$;

-- Of the users who were new in the window, by days from their earliest event to the first use, up to 13: keys are
-- "DAYS FEATURE". Of the subject `feature` that is kept; of others it is found by the sets. Users have numbers in the order
-- in which they came, so that of a chunk few days matter.
CREATE OR REPLACE FUNCTION weir.first_use_partial(tenant text, first_day date, last_day date, zone text, feature text)
RETURNS SETOF weir.part
LANGUAGE sql STABLE
SET jit = off SET work_mem = '64MB' SET enable_nestloop = off
AS $$
  WITH kept AS MATERIALIZED (
    SELECT FROM (VALUES ('feature')) AS k (subject) WHERE k.subject = feature AND weir.keeps_zone(tenant, zone)
  ), fresh AS MATERIALIZED (
    SELECT n.day, n.chunk, n.users FROM weir.new_users(tenant, zone, first_day, last_day) AS n WHERE NOT EXISTS (SELECT FROM kept)
  ), near AS MATERIALIZED (
    SELECT f.chunk, min(f.day) AS since, max(f.day) + 13 AS until FROM fresh AS f GROUP BY f.chunk
  ), used AS (
    -- Nobody of the new ones used it before they came.
    SELECT s.value, s.day, s.chunk, coalesce(s.users & ~bit_or(s.users) OVER before, s.users) AS users
    FROM weir.sets_in(tenant, zone, feature, NULL, first_day, last_day) AS s
    JOIN near AS n ON n.chunk = s.chunk AND s.day BETWEEN n.since AND n.until
    WHERE s.value IS NOT NULL AND NOT EXISTS (SELECT FROM kept)
    WINDOW before AS (PARTITION BY s.value, s.chunk ORDER BY s.day ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
  )
  SELECT 'feature_first', s.place - 1 || ' ' || k.feature, s.users
  FROM (
    SELECT u.feature, ARRAY[sum(u.users[1]), sum(u.users[2]), sum(u.users[3]), sum(u.users[4]), sum(u.users[5]), sum(u.users[6]), sum(u.users[7]),
      sum(u.users[8]), sum(u.users[9]), sum(u.users[10]), sum(u.users[11]), sum(u.users[12]), sum(u.users[13]), sum(u.users[14])] AS sums
    FROM (
      -- Of the first two weeks of a window only those who were new in it.
      SELECT d.feature, CASE WHEN d.day - first_day >= 13 THEN d.users ELSE d.users[:d.day - first_day + 1] END AS users
      FROM weir.day_first_uses AS d
      WHERE d.tenant_id = first_use_partial.tenant AND d.zone = first_use_partial.zone AND d.day BETWEEN first_day AND last_day
        AND EXISTS (SELECT FROM kept)
    ) AS u
    GROUP BY u.feature
  ) AS k, unnest(k.sums) WITH ORDINALITY AS s (users, place)
  WHERE s.users > 0
  UNION ALL
  SELECT 'feature_first', c.days || ' ' || c.value, sum(c.users)
  FROM (
    -- Counted before they are sorted: sets are large.
    SELECT u.value, u.day - f.day AS days, bit_count(u.users & f.users) AS users
    FROM used AS u
    JOIN fresh AS f ON f.chunk = u.chunk AND f.day BETWEEN u.day - 13 AND u.day
    OFFSET 0
  ) AS c
  WHERE c.users > 0
  GROUP BY c.value, c.days
$$;

-- Features that were used before the window. In a zone that is not kept, UTC's days tell of what is long ago,
-- and the rows of the two days before the window of the rest.
CREATE OR REPLACE FUNCTION weir.known_before(tenant text, first_day date, zone text, feature text) RETURNS SETOF text
LANGUAGE sql STABLE
SET jit = off
AS $$
  SELECT d.value FROM weir.day_counts AS d
  WHERE d.tenant_id = tenant AND d.zone = CASE WHEN weir.keeps_zone(tenant, known_before.zone) THEN known_before.zone ELSE 'UTC' END
    AND d.subject = feature AND d.day < first_day - CASE WHEN weir.keeps_zone(tenant, known_before.zone) THEN 0 ELSE 1 END
  UNION
  SELECT r.value
  FROM weir.values_of_rows(tenant, known_before.zone, feature, NULL, first_day - 2, first_day - 1) AS r
  WHERE NOT weir.keeps_zone(tenant, known_before.zone) AND r.value IS NOT NULL
$$;

-- How many users were active on just N of the last 30 days, how many at all, and their whole weeks.
CREATE OR REPLACE FUNCTION weir.days_active_partial(tenant text, first_day date, last_day date, zone text)
RETURNS SETOF weir.part
LANGUAGE sql STABLE
SET jit = off SET work_mem = '64MB'
AS $$
  WITH active AS MATERIALIZED (
    SELECT a.day, a.chunk, a.users FROM weir.active_users(tenant, zone, least(first_day, last_day - 29), last_day) AS a
  ), counters AS MATERIALIZED (
    SELECT a.chunk, weir.sum_of_sets(array_agg(a.users::varbit)) AS planes FROM active AS a WHERE a.day > last_day - 30 GROUP BY a.chunk
  )
  SELECT 'days_active', n::text, sum(weir.counters_at(c.planes, n))
  FROM counters AS c CROSS JOIN generate_series(1, 30) AS n
  GROUP BY n
  UNION ALL
  SELECT 'active', '', sum(bit_count(u.users))
  FROM (SELECT bit_or(a.users) AS users FROM active AS a WHERE a.day >= first_day GROUP BY a.chunk) AS u
  UNION ALL
  SELECT 'active_weekly', '', sum(bit_count(u.users))
  FROM (
    SELECT bit_or(a.users) AS users
    FROM active AS a
    WHERE date_trunc('week', a.day::timestamp)::date BETWEEN first_day AND last_day - 6
    GROUP BY date_trunc('week', a.day::timestamp), a.chunk
  ) AS u
$$;

-- What a server can say of its own users.
CREATE OR REPLACE FUNCTION weir.features_partial(tenant text, first_day date, last_day date, zone text,
  feature text DEFAULT 'feature', split text DEFAULT 'source')
RETURNS SETOF weir.part
LANGUAGE sql STABLE
AS $$
  SELECT 'feature_events', c.value, sum(c.events)
  FROM weir.counts_in(tenant, zone, feature, NULL, first_day, last_day) AS c
  WHERE c.value IS NOT NULL
  GROUP BY c.value
  UNION ALL
  SELECT 'feature_before', k, 1 FROM weir.known_before(tenant, first_day, zone, feature) AS k
  UNION ALL
  SELECT * FROM weir.feature_users_partial(tenant, first_day, last_day, zone, feature)
  UNION ALL
  SELECT * FROM weir.first_use_partial(tenant, first_day, last_day, zone, feature)
  UNION ALL
  SELECT * FROM weir.days_active_partial(tenant, first_day, last_day, zone)
  UNION ALL
  SELECT * FROM weir.subject_partial('split', tenant, first_day, last_day, zone, split)
  UNION ALL
  SELECT t.* FROM weir.toggles_partial(tenant, first_day, last_day, zone) AS t WHERE feature = 'toggled'
  UNION ALL
  SELECT 'toggles_asked', '', 1 WHERE feature = 'toggled'
  UNION ALL
  SELECT 'retry_' || CASE l.figure WHEN 'users' THEN 'users' ELSE 'events' END, '', sum(l.amount)
  FROM weir.line_partial(tenant, first_day, last_day, zone, 'event', 'retry_attempted') AS l
  WHERE l.figure IN ('users', 'count_day')
  GROUP BY 1
$$;

CREATE OR REPLACE FUNCTION weir.toggle_list(parts weir.part[]) RETURNS jsonb
LANGUAGE sql IMMUTABLE
AS $$
  SELECT coalesce(jsonb_agg(jsonb_build_object('feature', t.feature, 'switched', t.switched, 'on', t.on,
    'adoption', weir.ratio(t.on, weir.amount_of(parts, 'active'))) ORDER BY t.on DESC, t.feature COLLATE "C"), '[]')
  FROM (SELECT * FROM weir.toggles_of(parts) AS o ORDER BY o.on DESC, o.feature COLLATE "C" LIMIT 100) AS t
$$;

-- The lower middle one of the days to the first use, for each feature. Who is not among those of up to 13 days took 14
-- or more.
CREATE OR REPLACE FUNCTION weir.days_to_first_use(parts weir.part[]) RETURNS TABLE (value text, days integer)
LANGUAGE sql IMMUTABLE
AS $$
  WITH early AS MATERIALIZED (
    SELECT substr(p.key, strpos(p.key, ' ') + 1) AS value, split_part(p.key, ' ', 1)::integer AS days, sum(p.amount) AS users
    FROM unnest(parts) AS p WHERE p.figure = 'feature_first'
    GROUP BY p.key
  ), said AS (
    SELECT e.value, e.days, e.users FROM early AS e
    UNION ALL
    SELECT n.value, 14, n.users - coalesce((SELECT sum(e.users) FROM early AS e WHERE e.value = n.value), 0)
    FROM (SELECT p.key AS value, sum(p.amount) AS users FROM unnest(parts) AS p WHERE p.figure = 'feature_new' GROUP BY p.key) AS n
  )
  SELECT s.value, min(s.days) FILTER (WHERE s.so_far * 2 >= s.users)
  FROM (
    SELECT f.value, f.days, sum(f.users) OVER (PARTITION BY f.value ORDER BY f.days) AS so_far,
      sum(f.users) OVER (PARTITION BY f.value) AS users
    FROM said AS f
  ) AS s
  WHERE s.users > 0
  GROUP BY s.value
$$;

CREATE OR REPLACE FUNCTION weir.feature_list(parts weir.part[]) RETURNS jsonb
LANGUAGE sql IMMUTABLE
AS $$
  WITH sums AS MATERIALIZED (
    SELECT p.key AS value, sum(p.amount) FILTER (WHERE p.figure = 'feature_events') AS events,
      coalesce(sum(p.amount) FILTER (WHERE p.figure = 'feature_users'), 0) AS users,
      coalesce(sum(p.amount) FILTER (WHERE p.figure = 'feature_again'), 0) AS again,
      coalesce(sum(p.amount) FILTER (WHERE p.figure = 'feature_weekly'), 0) AS weekly
    FROM unnest(parts) AS p
    WHERE p.figure IN ('feature_events', 'feature_users', 'feature_again', 'feature_weekly')
    GROUP BY p.key
  ), top AS (
    SELECT s.*, d.days, row_number() OVER (ORDER BY s.users DESC, s.events DESC, s.value COLLATE "C") AS place
    FROM sums AS s LEFT JOIN weir.days_to_first_use(parts) AS d ON d.value = s.value
    ORDER BY place
    LIMIT 100
  )
  SELECT jsonb_build_object('more', greatest((SELECT count(*) FROM sums) - 100, 0),
    'features', coalesce(jsonb_agg(jsonb_build_object('feature', t.value, 'events', t.events, 'users', t.users,
      'adoption', weir.ratio(t.users, weir.amount_of(parts, 'active')), 'weekly', weir.ratio(t.weekly, weir.amount_of(parts, 'active_weekly')),
      'returning', weir.ratio(t.again, t.users), 'days_to_first_use', t.days) ORDER BY t.place), '[]'))
  FROM top AS t
$$;

CREATE OR REPLACE FUNCTION weir.unused_features(parts weir.part[]) RETURNS jsonb
LANGUAGE sql IMMUTABLE
AS $$
  SELECT coalesce(jsonb_agg(u.value ORDER BY u.value COLLATE "C"), '[]')
  FROM (
    SELECT p.key AS value FROM unnest(parts) AS p WHERE p.figure = 'feature_before'
    EXCEPT
    SELECT p.key FROM unnest(parts) AS p WHERE p.figure = 'feature_events'
  ) AS u
$$;

CREATE OR REPLACE FUNCTION weir.days_active(parts weir.part[]) RETURNS jsonb
LANGUAGE sql IMMUTABLE
AS $$
  SELECT jsonb_build_object('users', jsonb_agg(n.users ORDER BY n.days), 'power', sum(n.users) FILTER (WHERE n.days >= 16),
    'regular', sum(n.users) FILTER (WHERE n.days BETWEEN 4 AND 15), 'casual', sum(n.users) FILTER (WHERE n.days <= 3))
  FROM (SELECT days, weir.amount_of(parts, 'days_active', days::text) AS users FROM generate_series(1, 30) AS days) AS n
$$;

-- The answer, from the parts of all servers.
CREATE OR REPLACE FUNCTION weir.features_merge(parts weir.part[]) RETURNS jsonb
LANGUAGE sql IMMUTABLE
AS $$
  SELECT weir.feature_list(parts) || jsonb_build_object('active', k.active, 'unused', weir.unused_features(parts),
    'split', weir.value_list(parts, 'split'), 'exact', weir.amount_of(parts, 'switched_other') = 0,
    'toggles', CASE WHEN weir.amount_of(parts, 'toggles_asked') > 0 THEN weir.toggle_list(parts) END, 'days_active', weir.days_active(parts),
    'retries', jsonb_build_object('count', k.retries, 'users', k.retriers, 'per_user', weir.ratio(k.retries, k.retriers),
      'share', weir.ratio(k.retriers, k.active)))
  FROM (
    SELECT weir.amount_of(parts, 'active') AS active, weir.amount_of(parts, 'retry_events') AS retries,
      weir.amount_of(parts, 'retry_users') AS retriers
  ) AS k
$$;

CREATE OR REPLACE FUNCTION weir.features_answer(tenant text, first_day date, last_day date, zone text DEFAULT 'UTC',
  feature text DEFAULT 'feature', split text DEFAULT 'source') RETURNS jsonb
LANGUAGE sql STABLE
AS $$
  SELECT weir.answered(tenant, first_day, last_day, zone, 'days', jsonb_build_object('feature', feature, 'split_by', split)
      || weir.features_merge(ARRAY(SELECT p FROM weir.features_partial(tenant, first_day, last_day, z.name, feature, split) AS p)),
    least(first_day, last_day - 29))
  FROM weir.readable_zone(tenant, zone, least(first_day, last_day - 29), last_day) AS z (name)
$$;
COMMENT ON FUNCTION weir.features_answer(text, date, date, text, text, text) IS
  'Which features a tenant''s users use, how soon and how steadily. sql/analytics/features.sql defines them.';

GRANT EXECUTE ON FUNCTION weir.feature_users_partial(text, date, date, text, text), weir.first_use_partial(text, date, date, text, text),
  weir.known_before(text, date, text, text), weir.days_active_partial(text, date, date, text), weir.toggle_list(weir.part[]),
  weir.features_partial(text, date, date, text, text, text), weir.days_to_first_use(weir.part[]), weir.feature_list(weir.part[]),
  weir.unused_features(weir.part[]), weir.days_active(weir.part[]), weir.features_merge(weir.part[]),
  weir.features_answer(text, date, date, text, text, text) TO weir_reader;
