-- With what people come: versions, platforms, countries, browsers, devices.
--
--   SELECT weir.audience_answer('acme', '2026-03-01', '2026-03-31', 'Europe/Berlin');
--
-- The window is from one day to another, both counted, in a time zone.
--
--   active      users with an event within the window; in `weeks` and `days` those of each
--   versions, platforms, countries, browsers, devices
--               the values that most users had, with users, events, and their share of the active users. Who had two
--               versions counts for both, and who had none for no version: shares need not add up to 1
--   share_of_events
--               of a value: its events among all of the window
--   with_errors of a value's users, those who had an event with `error_type` on a day on which they had the value;
--               error_share: of its users
--   weeks       of a value: its users and their share of the week's
--   adoption    of a version: its share of each day's active users, in the order of `days`; null without any
--
-- Where nobody is known in the whole window, as of what has a command line alone, `active` is 0, shares and adoption are
-- of events instead, and those with the most events come first.
--
-- Browsers and devices are what weir.dimensions makes of properties. Weeks begin on Monday, and those that the
-- window cuts count what is within it. Lists hold `most` values, 20 if not said.
--
-- Users of a value are no more than its events: so those of the values with the most events are counted, at least
-- fifty, and no other can belong into a list whose last value has as many users as the next one has events. `exact` is
-- false where that does not hold, or a day had more values than are kept (docs/rollups.md).
SET LOCAL ROLE weir_owner;
SET LOCAL check_function_bodies = off;

CREATE OR REPLACE FUNCTION weir.audience_subjects() RETURNS TABLE (subject text, name text)
LANGUAGE sql IMMUTABLE
AS $$
  VALUES ('version', 'versions'), ('platform', 'platforms'), ('country', 'countries'), ('browser', 'browsers'), ('device', 'devices')
$$;

-- How many values of a subject have their users counted.
CREATE OR REPLACE FUNCTION weir.candidates(parts weir.part[], subject text, most integer) RETURNS text[]
LANGUAGE sql IMMUTABLE
AS $$ SELECT weir.most_common(parts, subject, greatest(50, 2 * most)) $$;

-- What a server can say before it is known which values matter.
CREATE OR REPLACE FUNCTION weir.audience_partial(tenant text, first_day date, last_day date, zone text) RETURNS SETOF weir.part
LANGUAGE sql STABLE
SET jit = off SET work_mem = '64MB'
AS $$
  SELECT * FROM weir.values_partial(tenant, first_day, last_day, zone, ARRAY(SELECT s.subject FROM weir.audience_subjects() AS s))
  UNION ALL
  SELECT 'events', '', sum(e.events) FROM weir.events_by_day(tenant, zone, first_day, last_day) AS e
  UNION ALL
  SELECT 'active_' || u.unit, u.start::text, sum(bit_count(u.users))
  FROM (
    SELECT unit, CASE unit WHEN 'all' THEN first_day ELSE date_trunc(unit, a.day::timestamp)::date END AS start,
      a.chunk, bit_or(a.users) AS users
    FROM weir.active_users(tenant, zone, first_day, last_day) AS a CROSS JOIN unnest(ARRAY['all', 'day', 'week']) AS unit
    GROUP BY unit, start, a.chunk
  ) AS u
  GROUP BY u.unit, u.start
$$;

-- Users of the wanted values: X_users and X_troubled by value; X_week, and version_day, by "DAY VALUE". Of whole weeks it
-- is kept who had a value and an error on the same day, since that asks for each day's sets.
CREATE OR REPLACE FUNCTION weir.audience_users_partial(
  tenant text, first_day date, last_day date, zone text, subject text, wanted text[])
RETURNS SETOF weir.part
LANGUAGE sql STABLE
SET jit = off SET work_mem = '64MB' SET enable_nestloop = off
AS $$
  WITH weekly AS MATERIALIZED (
    SELECT v.value, v.week, v.chunk, substring(v.users FROM 1) AS users
    FROM weir.weeks_in(tenant, zone, subject, first_day, last_day) AS v
    WHERE v.value = ANY (wanted)
  ), beside AS MATERIALIZED (
    SELECT e.since, e.until FROM weir.days_beside_weeks(tenant, zone, first_day, last_day) AS e
  ), failed AS MATERIALIZED (
    SELECT s.day, s.chunk, bit_or(s.users) AS users
    FROM beside AS e, LATERAL weir.sets_in(tenant, zone, 'error_type', NULL, e.since, e.until) AS s
    GROUP BY s.day, s.chunk
  ), troubled AS (
    SELECT w.value, w.chunk, w.users
    FROM weir.week_sets AS w
    WHERE w.tenant_id = audience_users_partial.tenant AND w.zone = audience_users_partial.zone AND w.value = ANY (wanted)
      AND w.subject = (SELECT weir.kept_as(audience_users_partial.tenant, audience_users_partial.zone, audience_users_partial.subject)) || ' troubled'
      AND w.week >= weir.first_monday(first_day) AND w.week < weir.last_monday(first_day, last_day)
    UNION ALL
    SELECT v.value, v.chunk, v.users & f.users
    FROM beside AS e
    CROSS JOIN LATERAL weir.sets_in(tenant, zone, subject, NULL, e.since, e.until) AS v
    JOIN failed AS f ON f.day = v.day AND f.chunk = v.chunk
    WHERE v.value = ANY (wanted)
  )
  SELECT subject || '_users', u.value, sum(bit_count(u.users))
  FROM (SELECT w.value, bit_or(w.users) AS users FROM weekly AS w GROUP BY w.value, w.chunk) AS u
  GROUP BY u.value
  UNION ALL
  SELECT subject || '_troubled', u.value, sum(bit_count(u.users))
  FROM (SELECT t.value, bit_or(t.users) AS users FROM troubled AS t GROUP BY t.value, t.chunk) AS u
  GROUP BY u.value
  UNION ALL
  SELECT subject || '_week', w.week || ' ' || w.value, sum(bit_count(w.users)) FROM weekly AS w GROUP BY w.week, w.value
  UNION ALL
  SELECT 'version_day', v.day || ' ' || v.value, sum(bit_count(v.users))
  FROM weir.sets_in(tenant, zone, subject, NULL, first_day, last_day) AS v
  WHERE subject = 'version' AND v.value = ANY (wanted)
  GROUP BY v.day, v.value
$$;

CREATE OR REPLACE FUNCTION weir.knows_users(parts weir.part[]) RETURNS boolean
LANGUAGE sql IMMUTABLE
AS $$ SELECT EXISTS (SELECT FROM unnest(parts) AS p WHERE p.figure = 'active_all' AND p.amount > 0) $$;

-- Events of the wanted values, X_events_week and version_events_day by "DAY VALUE", and of all: of a window in which nobody is known.
CREATE OR REPLACE FUNCTION weir.audience_events_partial(tenant text, first_day date, last_day date, zone text, so_far weir.part[], most integer)
RETURNS SETOF weir.part
LANGUAGE sql STABLE
SET jit = off SET work_mem = '64MB'
AS $$
  SELECT s.subject || '_events_' || u, date_trunc(u, c.day::timestamp)::date || ' ' || c.value, sum(c.events)
  FROM weir.audience_subjects() AS s
  CROSS JOIN LATERAL weir.counts_in(tenant, zone, s.subject, NULL, first_day, last_day) AS c
  CROSS JOIN unnest('{week,day}'::text[]) AS u
  WHERE c.value = ANY (weir.candidates(so_far, s.subject, most)) AND (u = 'week' OR s.subject = 'version')
  GROUP BY s.subject, u, date_trunc(u, c.day::timestamp), c.value
  UNION ALL
  SELECT 'events_' || u, date_trunc(u, e.day::timestamp)::date::text, sum(e.events)
  FROM weir.events_by_day(tenant, zone, first_day, last_day) AS e CROSS JOIN unnest('{week,day}'::text[]) AS u
  GROUP BY u, date_trunc(u, e.day::timestamp)
$$;

CREATE OR REPLACE FUNCTION weir.audience_details_partial(
  tenant text, first_day date, last_day date, zone text, so_far weir.part[], most integer)
RETURNS SETOF weir.part
LANGUAGE sql STABLE
AS $$
  SELECT p.*
  FROM weir.audience_subjects() AS s,
    LATERAL weir.audience_users_partial(tenant, first_day, last_day, zone, s.subject, weir.candidates(so_far, s.subject, most)) AS p
  UNION ALL
  SELECT p.*
  FROM (SELECT WHERE NOT weir.knows_users(so_far)) AS nobody, LATERAL weir.audience_events_partial(tenant, first_day, last_day, zone, so_far, most) AS p
$$;

-- Each value whose users were counted, those with the most users first; if nobody is known, those with the most events.
CREATE OR REPLACE FUNCTION weir.audience_figures(parts weir.part[], subject text)
RETURNS TABLE (rank bigint, value text, users numeric, events numeric, troubled numeric)
LANGUAGE sql IMMUTABLE
AS $$
  SELECT row_number() OVER (ORDER BY s.users DESC, CASE WHEN NOT weir.knows_users(parts) THEN s.events END DESC, s.value COLLATE "C"), s.value, s.users, s.events, s.troubled
  FROM (
    SELECT p.key AS value, coalesce(sum(p.amount) FILTER (WHERE p.figure = subject || '_users'), 0) AS users,
      sum(p.amount) FILTER (WHERE p.figure = subject) AS events,
      coalesce(sum(p.amount) FILTER (WHERE p.figure = subject || '_troubled'), 0) AS troubled
    FROM unnest(parts) AS p
    WHERE p.figure IN (subject, subject || '_users', subject || '_troubled')
    GROUP BY p.key
  ) AS s
$$;

-- Whether nothing that was not counted can belong into the list.
CREATE OR REPLACE FUNCTION weir.audience_is_exact(parts weir.part[], subject text, most integer) RETURNS boolean
LANGUAGE sql IMMUTABLE
AS $$
  SELECT NOT EXISTS (SELECT FROM unnest(parts) AS p WHERE p.figure = subject || '_other')
    AND coalesce((SELECT max(r.events) FROM weir.audience_figures(parts, subject) AS r
        WHERE r.value <> ALL (weir.candidates(parts, subject, most))), 0)
      <= coalesce((SELECT r.users FROM weir.audience_figures(parts, subject) AS r WHERE r.rank = most), 0)
$$;

CREATE OR REPLACE FUNCTION weir.audience_list(parts weir.part[], subject text, first_day date, last_day date, most integer) RETURNS jsonb
LANGUAGE sql IMMUTABLE
AS $$
  WITH listed AS MATERIALIZED (
    SELECT * FROM weir.audience_figures(parts, subject) AS r WHERE r.rank <= most
  ), sums AS MATERIALIZED (
    SELECT p.figure, left(p.key, 10)::date AS start, substr(p.key, 12) AS value, sum(p.amount) AS amount
    FROM unnest(parts) AS p
    WHERE p.figure IN (subject || '_week', subject || '_day', subject || '_events_week', subject || '_events_day', 'active_day', 'active_week', 'active_all',
      'events_day', 'events_week')
    GROUP BY 1, 2, 3
  ), shares AS (
    SELECT CASE WHEN knows THEN 'active_' ELSE 'events_' END AS of_all, subject || CASE WHEN knows THEN '_' ELSE '_events_' END AS of_value, knows
    FROM weir.knows_users(parts) AS knows
  ), lines AS (
    SELECT l.value,
      jsonb_agg(jsonb_build_object('start', s, 'users', CASE WHEN h.knows THEN coalesce(v.amount, 0) ELSE 0 END,
        'share', weir.ratio(coalesce(v.amount, 0), a.amount)) ORDER BY s) FILTER (WHERE unit = 'week') AS weeks,
      jsonb_agg(weir.ratio(coalesce(v.amount, 0), a.amount) ORDER BY s) FILTER (WHERE unit = 'day') AS adoption
    FROM listed AS l
    CROSS JOIN unnest(CASE subject WHEN 'version' THEN ARRAY['week', 'day'] ELSE ARRAY['week'] END) AS unit
    CROSS JOIN LATERAL weir.starts(unit, first_day, last_day) AS s
    CROSS JOIN shares AS h
    LEFT JOIN sums AS v ON v.figure = h.of_value || unit AND v.start = s AND v.value = l.value
    LEFT JOIN sums AS a ON a.figure = h.of_all || unit AND a.start = s
    GROUP BY l.value
  )
  SELECT coalesce(jsonb_agg(jsonb_build_object(subject, l.value, 'users', l.users, 'events', l.events,
      'share', CASE WHEN h.knows THEN weir.ratio(l.users, (SELECT s.amount FROM sums AS s WHERE s.figure = 'active_all'))
        ELSE weir.ratio(l.events, weir.amount_of(parts, 'events')) END,
      'share_of_events', weir.ratio(l.events, weir.amount_of(parts, 'events')), 'with_errors', l.troubled,
      'error_share', weir.ratio(l.troubled, l.users), 'weeks', n.weeks)
    || CASE subject WHEN 'version' THEN jsonb_build_object('adoption', n.adoption) ELSE '{}' END ORDER BY l.rank), '[]')
  FROM listed AS l
  CROSS JOIN shares AS h
  JOIN lines AS n ON n.value = l.value
$$;

-- Active users by day or week.
CREATE OR REPLACE FUNCTION weir.audience_trend(parts weir.part[], unit text, first_day date, last_day date) RETURNS jsonb
LANGUAGE sql IMMUTABLE
AS $$
  SELECT jsonb_agg(jsonb_build_object('start', l.start, 'active', l.active) ORDER BY l.start)
  FROM (
    SELECT s.start, coalesce(sum(p.amount), 0) AS active
    FROM weir.starts(unit, first_day, last_day) AS s (start)
    LEFT JOIN unnest(parts) AS p ON p.figure = 'active_' || unit AND p.key = s.start::text
    GROUP BY s.start
  ) AS l
$$;

-- The answer, from the parts of all servers: those of audience_partial() and audience_details_partial().
CREATE OR REPLACE FUNCTION weir.audience_merge(parts weir.part[], first_day date, last_day date, most integer) RETURNS jsonb
LANGUAGE sql IMMUTABLE
SET jit = off SET enable_nestloop = off
AS $$
  SELECT jsonb_build_object('active', weir.audience_trend(parts, 'all', first_day, last_day) #> '{0,active}',
      'exact', (SELECT bool_and(weir.audience_is_exact(parts, s.subject, most)) FROM weir.audience_subjects() AS s),
      'weeks', weir.audience_trend(parts, 'week', first_day, last_day),
      'days', weir.audience_trend(parts, 'day', first_day, last_day))
    || (SELECT jsonb_object_agg(s.name, weir.audience_list(parts, s.subject, first_day, last_day, most)) FROM weir.audience_subjects() AS s)
$$;

CREATE OR REPLACE FUNCTION weir.audience_answer(
  tenant text, first_day date, last_day date, zone text DEFAULT 'UTC', most integer DEFAULT 20) RETURNS jsonb
LANGUAGE sql STABLE
SET jit = off
AS $$
  SELECT weir.answered(tenant, first_day, last_day, zone, 'days', weir.audience_merge(first.parts || ARRAY(
      SELECT p FROM weir.audience_details_partial(tenant, first_day, last_day, z.name, first.parts, b.most) AS p), first_day, last_day, b.most))
  FROM (SELECT weir.bounded('top', most, 1, 100) AS most OFFSET 0) AS b,
    weir.readable_zone(tenant, zone, first_day, last_day) AS z (name),
    LATERAL (SELECT ARRAY(SELECT p FROM weir.audience_partial(tenant, first_day, last_day, z.name) AS p) AS parts OFFSET 0) AS first
$$;
COMMENT ON FUNCTION weir.audience_answer(text, date, date, text, integer) IS
  'Versions, platforms, countries, browsers, devices of a window''s users. sql/analytics/audience.sql defines them.';

GRANT EXECUTE ON FUNCTION weir.audience_subjects(), weir.candidates(weir.part[], text, integer),
  weir.audience_partial(text, date, date, text), weir.audience_users_partial(text, date, date, text, text, text[]),
  weir.knows_users(weir.part[]), weir.audience_events_partial(text, date, date, text, weir.part[], integer),
  weir.audience_details_partial(text, date, date, text, weir.part[], integer), weir.audience_figures(weir.part[], text),
  weir.audience_is_exact(weir.part[], text, integer), weir.audience_list(weir.part[], text, date, date, integer),
  weir.audience_trend(weir.part[], text, date, date), weir.audience_merge(weir.part[], date, date, integer),
  weir.audience_answer(text, date, date, text, integer) TO weir_reader;
