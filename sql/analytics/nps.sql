-- The net promoter score: would you recommend it, from 0 to 10?
--
--   SELECT weir.nps_answer('acme', '2026-03-01', '2026-03-31', 'Europe/Berlin', event => 'nps_answered', property => 'score');
--
-- The window is from one day to another, both counted, in a time zone.
--
--   answer       an event, `event` or one of nps, nps_answered, nps_score, survey_answered, that has a whole number from 0 to
--                10 in `property`, `score` if not given. Others are `invalid`. Of each user the latest within the window
--                counts; of several at one moment the lowest
--   promoters 9 and 10, passives 7 and 8, detractors 0 to 6
--   score        promoters less detractors, of a hundred answers; margin: 95 times of 100 the score of all users is within
--                it (normal approximation); scores: how many answered 0, 1, … 10
--   versions     the same by version of the answer, the twenty with the most answers; NULL is none
--   weeks        by week, from Monday on: of each user the latest of that week
--
-- Events without a user are invalid. Late ones count at their own time. Read event by event (happened.sql); exact.
SET LOCAL ROLE weir_owner;
SET LOCAL check_function_bodies = off;

-- What a server can say of its own users: `answers` by ["all"], ["version", v] or ["week", day] and the score; `invalid`.
CREATE OR REPLACE FUNCTION weir.nps_partial(tenant text, first_day date, last_day date, zone text, event text DEFAULT NULL,
  property text DEFAULT 'score', filter jsonb DEFAULT '{}')
RETURNS SETOF weir.part
LANGUAGE sql STABLE
SET jit = off SET work_mem = '64MB'
AS $$
  WITH said AS MATERIALIZED (
    SELECT e.number, e.at, left(nullif(e.version, ''), 256) AS version,
      date_trunc('week', e.at AT TIME ZONE zone)::date AS week, s.score, s.score BETWEEN 0 AND 10 AND s.score = trunc(s.score) AND e.number IS NOT NULL AS fits
    FROM weir.events_in(tenant, zone, first_day, last_day, CASE WHEN nps_partial.event IS NULL
      THEN '{nps,nps_answered,nps_score,survey_answered}'::text[] ELSE ARRAY[nps_partial.event] END, filter, '{version,properties}') AS e
    CROSS JOIN LATERAL (SELECT weir.number_at(e.properties, property) AS score OFFSET 0) AS s
  ), latest AS (
    SELECT DISTINCT ON (s.number) s.version, s.score FROM said AS s WHERE s.fits ORDER BY s.number, s.at DESC, s.score, s.version COLLATE "C"
  ), weekly AS (
    SELECT DISTINCT ON (s.number, s.week) s.week, s.score FROM said AS s WHERE s.fits ORDER BY s.number, s.week, s.at DESC, s.score
  )
  SELECT 'answers', jsonb_build_array('all', NULL, l.score::integer)::text, count(*) FROM latest AS l GROUP BY l.score
  UNION ALL
  SELECT 'answers', jsonb_build_array('version', l.version, l.score::integer)::text, count(*) FROM latest AS l GROUP BY l.version, l.score
  UNION ALL
  SELECT 'answers', jsonb_build_array('week', w.week, w.score::integer)::text, count(*) FROM weekly AS w GROUP BY w.week, w.score
  UNION ALL
  SELECT 'invalid', '', count(*) FROM said AS s WHERE s.fits IS NOT TRUE
$$;

-- Promoters, passives, detractors of some answers; counts are those of the scores 0 to 10.
CREATE OR REPLACE FUNCTION weir.nps_of(counts numeric[]) RETURNS jsonb
LANGUAGE sql IMMUTABLE
AS $$
  SELECT jsonb_build_object('answers', s.n, 'promoters', s.up, 'passives', s.n - s.up - s.down, 'detractors', s.down,
    'score', round(100 * (s.up - s.down) / nullif(s.n, 0), 1),
    'margin', round(100 * 1.959964 * sqrt((s.up + s.down) / nullif(s.n, 0) / s.n - ((s.up - s.down) / nullif(s.n, 0)) ^ 2 / s.n), 1),
    'scores', to_jsonb(counts))
  FROM (
    SELECT sum(c.answers) AS n, sum(c.answers) FILTER (WHERE c.place >= 10) AS up, sum(c.answers) FILTER (WHERE c.place <= 7) AS down
    FROM unnest(counts) WITH ORDINALITY AS c (answers, place)
  ) AS s
$$;

-- The answer, from the parts of all servers.
CREATE OR REPLACE FUNCTION weir.nps_merge(parts weir.part[]) RETURNS jsonb
LANGUAGE sql IMMUTABLE
AS $$
  WITH said AS MATERIALIZED (
    SELECT p.key::jsonb ->> 0 AS kind, p.key::jsonb ->> 1 AS value, (p.key::jsonb ->> 2)::integer AS score, sum(p.amount) AS answers
    FROM unnest(parts) AS p WHERE p.figure = 'answers'
    GROUP BY p.key
  ), lines AS MATERIALIZED (
    SELECT s.kind, s.value, sum(s.answers) AS answers,
      weir.nps_of(ARRAY(SELECT coalesce((jsonb_object_agg(s.score, s.answers) ->> n::text)::numeric, 0) FROM generate_series(0, 10) AS n ORDER BY n)) AS about
    FROM said AS s
    GROUP BY s.kind, s.value
  ), top AS (
    SELECT * FROM lines AS l WHERE l.kind = 'version' ORDER BY l.answers DESC, l.value COLLATE "C" LIMIT 20
  )
  SELECT coalesce((SELECT l.about FROM lines AS l WHERE l.kind = 'all'), weir.nps_of('{0,0,0,0,0,0,0,0,0,0,0}'))
    || jsonb_build_object('invalid', weir.amount_of(parts, 'invalid'),
      'versions', coalesce((SELECT jsonb_agg(jsonb_build_object('version', t.value) || t.about ORDER BY t.answers DESC, t.value COLLATE "C") FROM top AS t), '[]'),
      'weeks', coalesce((SELECT jsonb_agg(jsonb_build_object('start', l.value) || l.about ORDER BY l.value) FROM lines AS l WHERE l.kind = 'week'), '[]'))
$$;

CREATE OR REPLACE FUNCTION weir.nps_answer(tenant text, first_day date, last_day date, zone text DEFAULT 'UTC', event text DEFAULT NULL,
  property text DEFAULT 'score', filter text DEFAULT NULL) RETURNS jsonb
LANGUAGE sql STABLE
AS $$
  SELECT weir.answered(tenant, first_day, last_day, zone, 'rows', weir.nps_merge(ARRAY(
    SELECT p FROM weir.nps_partial(tenant, first_day, last_day, zone, a.event, property, a.filter) AS p)))
  FROM (SELECT weir.named_event('event', nps_answer.event) AS event, weir.filter_of('filter', filter) AS filter OFFSET 0) AS a
$$;
COMMENT ON FUNCTION weir.nps_answer(text, date, date, text, text, text, text) IS
  'The net promoter score, by version and week. sql/analytics/nps.sql defines it.';

GRANT EXECUTE ON FUNCTION weir.nps_partial(text, date, date, text, text, text, jsonb), weir.nps_of(numeric[]), weir.nps_merge(weir.part[]),
  weir.nps_answer(text, date, date, text, text, text, text) TO weir_reader;
