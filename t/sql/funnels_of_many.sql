-- Funnels of users who do the same several times a day, on several platforms: from packs, from rows and from both, all is as a plain query over the events
-- has it, which looks for one step after the other.
BEGIN;
SET LOCAL search_path = weir, public;
SET LOCAL client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap SCHEMA public;
SELECT no_plan();
\ir lib/build.sql

-- 6,000 events of 150 users within five days, most of a day's by the same few; every third user changes the platform now and then. Of the last of four names there are
-- so few that no values of theirs are listed.
SELECT setseed(0.3);
INSERT INTO weir.events (event_id, tenant_id, user_id, event, platform, country, properties, "timestamp", client_timestamp)
SELECT gen_random_uuid(), 'acme', 'u' || e.person, e.event, CASE WHEN e.person % 3 = 0 AND random() < 0.3 THEN 'iOS' WHEN e.person % 2 = 0 THEN 'macOS' END,
  CASE e.person % 4 WHEN 0 THEN 'DE' WHEN 1 THEN 'BR' END, CASE WHEN random() < 0.3 THEN '{"plan": "pro"}'::jsonb END, e.at, e.at
FROM (
  SELECT floor(150 * random() ^ 2)::integer AS person, (ARRAY['open', 'view', 'buy', 'rate'])[1 + floor(3.2 * random() ^ 1.5)::integer] AS event,
    timestamptz '2026-03-02T00:00Z' + floor(random() * 5 * 288) * interval '5 minutes' AS at
  FROM generate_series(1, 6000)
) AS e;
INSERT INTO weir.touched_days (tenant_id, day) SELECT 'acme', day FROM generate_series(date '2026-03-02', '2026-03-06', '1 day') AS day;
SELECT pg_temp.build();
SELECT is((SELECT count(*) FROM packed_days WHERE tenant_id = 'acme'), 5::bigint, 'all days are packed');
SELECT is((SELECT count(*) FROM pack_values WHERE tenant_id = 'acme' AND event = 'rate'), 0::bigint, 'one has no lists of values');
SELECT is((SELECT count(DISTINCT event) FROM packs WHERE tenant_id = 'acme' AND NOT has_firsts(part)), 4::bigint, 'and of each event much is repeated');

-- Of each step: who reached it, and seconds from the start and from the step before, together; for all, or by platform.
CREATE FUNCTION pg_temp.counted(first_day date, last_day date, zone text, steps jsonb, within integer, filter jsonb, split boolean) RETURNS jsonb LANGUAGE sql AS $$
  WITH RECURSIVE fitting AS MATERIALIZED (
    SELECT p.step, e.user_id, e."timestamp" AS at, e.platform
    FROM jsonb_array_elements(steps) WITH ORDINALITY AS p (pattern, step)
    JOIN weir.events AS e ON e.event = p.pattern ->> 'event' AND (NOT p.pattern ? 'platform' OR e.platform = p.pattern ->> 'platform')
      AND (NOT p.pattern ? 'properties' OR e.properties @> (p.pattern -> 'properties'))
    WHERE e.tenant_id = 'acme' AND (NOT counted.filter ? 'country' OR e.country = counted.filter ->> 'country')
      AND (NOT counted.filter ? 'platform' OR e.platform = counted.filter ->> 'platform')
  ), starts AS (
    SELECT f.user_id, f.at, min(f.platform COLLATE "C") AS platform
    FROM fitting AS f
    WHERE f.step = 1 AND (f.at AT TIME ZONE counted.zone)::date BETWEEN counted.first_day AND counted.last_day
    GROUP BY f.user_id, f.at
  ), ways AS (
    SELECT DISTINCT ON (s.user_id) 1::bigint AS step, s.user_id, s.platform, ARRAY[s.at] AS moments FROM starts AS s ORDER BY s.user_id, s.at
  ), walked AS (
    SELECT * FROM ways
    UNION ALL
    SELECT w.step + 1, w.user_id, w.platform, w.moments || n.at
    FROM walked AS w
    CROSS JOIN LATERAL (
      SELECT min(f.at) AS at FROM fitting AS f
      WHERE f.step = w.step + 1 AND f.user_id = w.user_id AND f.at >= w.moments[w.step] AND f.at <= w.moments[1] + counted.within * interval '1 second'
        AND NOT EXISTS (SELECT FROM generate_series(1, w.step) AS b WHERE steps -> (b - 1)::integer -> 'event' = steps -> w.step::integer -> 'event' AND w.moments[b] >= f.at)
    ) AS n
    WHERE n.at IS NOT NULL
  ), reached AS (
    SELECT w.step, CASE WHEN counted.split THEN w.platform END AS platform, count(*) AS users, sum(extract(epoch FROM w.moments[w.step] - w.moments[1])) FILTER (WHERE w.step > 1) AS since_start,
      sum(extract(epoch FROM w.moments[w.step] - w.moments[w.step - 1])) AS since_former
    FROM walked AS w GROUP BY 1, 2
  )
  SELECT jsonb_object_agg(concat(r.platform, ' ', r.step), jsonb_build_array(r.users, round(r.since_start), round(r.since_former))) FROM reached AS r
$$;
CREATE FUNCTION pg_temp.told(first_day date, last_day date, zone text, steps jsonb, within integer, filter jsonb, split boolean) RETURNS jsonb LANGUAGE sql AS $$
  SELECT jsonb_object_agg(concat(g.value, ' ', s ->> 'step'), jsonb_build_array(s -> 'users', round((s #>> '{seconds,from_start,mean}')::numeric * (s ->> 'users')::integer),
    round((s #>> '{seconds,from_former,mean}')::numeric * (s ->> 'users')::integer)))
    FILTER (WHERE s ->> 'users' <> '0')
  FROM (SELECT funnels_answer('acme', first_day, last_day, zone, steps::text, within, CASE WHEN told.split THEN 'platform' END, filter::text) AS a) AS a
  CROSS JOIN LATERAL (
    SELECT NULL AS value, a -> 'steps' AS steps WHERE NOT told.split
    UNION ALL SELECT s ->> 'value', s -> 'steps' FROM jsonb_array_elements(CASE WHEN told.split THEN a -> 'splits' ELSE '[]' END) AS s
  ) AS g
  CROSS JOIN LATERAL jsonb_array_elements(g.steps) AS s
$$;

CREATE TEMPORARY TABLE asked AS
SELECT d.first_day, d.last_day, d.zone, s.steps, w.within, f.filter, f.split
FROM (VALUES (date '2026-03-02', date '2026-03-06', 'UTC'), ('2026-03-03', '2026-03-04', 'Asia/Kathmandu')) AS d (first_day, last_day, zone)
CROSS JOIN (VALUES ('[{"event": "open"}, {"event": "view"}, {"event": "buy"}]'::jsonb), ('[{"event": "buy"}, {"event": "view"}, {"event": "open"}]'),
  ('[{"event": "view"}, {"event": "view"}, {"event": "view"}, {"event": "view"}]'), ('[{"event": "open"}, {"event": "buy"}, {"event": "open"}, {"event": "buy"}]'),
  ('[{"event": "open", "platform": "iOS"}, {"event": "open", "platform": "macOS"}, {"event": "view"}, {"event": "view", "platform": "macOS"}]'),
  ('[{"event": "view"}, {"event": "rate", "properties": {"plan": "pro"}}, {"event": "view", "properties": {"plan": "pro"}}, {"event": "rate", "properties": {"plan": "pro"}}]')) AS s (steps)
CROSS JOIN (VALUES (7200), (259200)) AS w (within)
CROSS JOIN (VALUES ('{}'::jsonb, false), ('{}', true), ('{"country": "DE"}', false), ('{"platform": "macOS"}', false)) AS f (filter, split);
CREATE FUNCTION pg_temp.is_counted(claim text) RETURNS SETOF text LANGUAGE sql AS $$
  SELECT is_empty(format('SELECT * FROM (SELECT a.*, pg_temp.told(%1$s) AS told, pg_temp.counted(%1$s) AS counted FROM pg_temp.asked AS a) AS c WHERE told IS DISTINCT FROM counted',
    'first_day, last_day, zone, steps, within, filter, split'), claim)
$$;
SELECT pg_temp.is_counted('of packed days');

-- A late event: that day is read from its rows until it is built anew.
INSERT INTO weir.events (event_id, tenant_id, user_id, event, "timestamp", client_timestamp) VALUES
  (gen_random_uuid(), 'acme', 'u1', 'open', '2026-03-04T00:00Z', '2026-03-04T00:00Z'), (gen_random_uuid(), 'acme', 'new', 'view', '2026-03-04T00:00Z', '2026-03-04T00:00Z');
INSERT INTO weir.touched_days (tenant_id, day) VALUES ('acme', '2026-03-04');
DELETE FROM packed_days WHERE day = '2026-03-04';
DELETE FROM packs WHERE day = '2026-03-04';
DELETE FROM asked WHERE filter <> '{}';
SELECT pg_temp.is_counted('of packed days and of rows');

-- Few among very many users, a wide window and all of a quarter to go on: user and moment fill the number that they share.
INSERT INTO user_numbers (tenant_id, user_id, number) VALUES ('sparse', 'ann', 1), ('sparse', 'ben', 300000), ('sparse', 'cat', 500000);
INSERT INTO weir.events (event_id, tenant_id, user_id, event, "timestamp", client_timestamp)
SELECT gen_random_uuid(), 'sparse', person, event, at, at
FROM (VALUES ('ann', 'open', timestamptz '2026-03-02T10:00Z'), ('ann', 'view', '2026-03-02T11:00Z'), ('ben', 'view', '2026-03-02T11:00Z'),
  ('cat', 'open', '2026-03-02T10:00Z'), ('cat', 'view', '2026-03-03T10:00Z'), ('cat', 'view', '2026-03-03T11:00Z')) AS e (person, event, at);
INSERT INTO weir.touched_days (tenant_id, day) VALUES ('sparse', '2026-03-02'), ('sparse', '2026-03-03');
SELECT pg_temp.build();
SELECT is(jsonb_path_query_array(funnels_answer('sparse', '2026-01-01', '2026-03-31', 'UTC', '[{"event": "open"}, {"event": "view"}, {"event": "view"}]', 7776000),
  '$.steps[*].users'), '[2, 2, 1]', 'of users with large numbers within a wide window');
SELECT is(jsonb_path_query_array(funnels_answer('sparse', '2023-04-01', '2026-03-31', 'UTC', '[{"event": "open"}, {"event": "view"}, {"event": "view"}]', 7776000),
  '$.steps[*].users'), '[2, 2, 1]', 'and within the widest');

SELECT * FROM finish();
ROLLBACK;
