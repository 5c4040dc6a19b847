-- Who has which feature on, against numbers worked out by hand: of a few users whose last time was at any time up to the
-- window's end, in zones that are kept and in one that is not, for /stats and for features.
BEGIN;
SET LOCAL search_path = weir, public;
SET LOCAL client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap SCHEMA public;
SELECT no_plan();
\ir lib/build.sql

CREATE FUNCTION pg_temp.toggle(person text, at timestamptz, enabled jsonb, feature text DEFAULT 'auto_paste') RETURNS void LANGUAGE sql AS $$
  INSERT INTO weir.events (event_id, tenant_id, user_id, event, "timestamp", client_timestamp, properties)
  VALUES (gen_random_uuid(), 'acme', person, 'feature_toggled', at, at, jsonb_build_object('feature', feature, 'enabled', enabled));
  INSERT INTO weir.touched_days (tenant_id, day) VALUES ('acme', (at AT TIME ZONE 'UTC')::date);
$$;
CREATE FUNCTION pg_temp.open(person text, at timestamptz) RETURNS void LANGUAGE sql AS $$
  INSERT INTO weir.events (event_id, tenant_id, user_id, event, "timestamp", client_timestamp) VALUES (gen_random_uuid(), 'acme', person, 'opened', at, at);
  INSERT INTO weir.touched_days (tenant_id, day) VALUES ('acme', (at AT TIME ZONE 'UTC')::date);
$$;

-- The window is the 2nd to the 15th of March. All but gone are there on the 10th.
SELECT pg_temp.open(p, '2026-03-10T12:00Z') FROM unnest(ARRAY['on', 'off', 'again', 'before', 'long_ago', 'after', 'tie', 'nothing', 'two', 'late']) AS p;
SELECT pg_temp.toggle('on', '2026-03-03T10:00Z', 'true');
SELECT pg_temp.toggle('off', '2026-03-03T10:00Z', 'true'), pg_temp.toggle('off', '2026-03-04T10:00Z', 'false');
SELECT pg_temp.toggle('again', '2026-03-03T10:00Z', 'true'), pg_temp.toggle('again', '2026-03-03T11:00Z', 'false'),
  pg_temp.toggle('again', '2026-03-03T12:00Z', '"true"');
SELECT pg_temp.toggle('before', '2026-02-20T10:00Z', 'true');
SELECT pg_temp.toggle('long_ago', '2023-11-05T10:00Z', 'false'), pg_temp.toggle('long_ago', '2024-01-05T10:00Z', 'true');
SELECT pg_temp.toggle('after', '2026-03-05T10:00Z', 'false'), pg_temp.toggle('after', '2026-03-16T10:00Z', 'true');
SELECT pg_temp.toggle('tie', '2026-03-05T10:00Z', 'true'), pg_temp.toggle('tie', '2026-03-05T10:00Z', 'false');
SELECT pg_temp.toggle('nothing', '2026-03-05T10:00Z', '"perhaps"'), pg_temp.toggle('nothing', '2026-03-05T10:00Z', 'null'),
  pg_temp.toggle('nothing', '2026-03-05T10:00Z', 'true', '');
SELECT pg_temp.toggle('two', '2026-03-05T10:00Z', 'false'), pg_temp.toggle('two', '2026-03-06T10:00Z', 'true', 'widget');
SELECT pg_temp.toggle('late', '2026-03-07T10:00Z', 'true'), pg_temp.toggle('late', '2026-03-07T10:00Z', 'true', 'widget');
SELECT pg_temp.toggle('gone', '2026-02-20T10:00Z', 'true'), pg_temp.toggle(NULL, '2026-03-05T10:00Z', 'true');
SELECT pg_temp.build();

-- auto_paste is on for on, again, before, long_ago and late; off for off, after, tie and two; widget on for two and late.
CREATE FUNCTION pg_temp.says(wanted jsonb, of_all integer, claim text, since date DEFAULT '2026-03-02', until date DEFAULT '2026-03-15', zone text DEFAULT 'UTC')
RETURNS SETOF text LANGUAGE sql AS $$
  SELECT is(weir.features_answer('acme', since, until, zone, 'toggled') -> 'toggles', wanted, claim || ': features')
  UNION ALL
  SELECT t
  FROM (SELECT weir.stats_answer('acme', since, until, zone) #> '{features,toggles}' AS s WHERE weir.keeps_zone('acme', zone)) AS k,
    unnest(ARRAY[
      is((SELECT jsonb_agg(f - '{value,events,share}'::text[] || jsonb_build_object('feature', f -> 'value')) FROM jsonb_array_elements(s -> 'features') AS f),
        wanted, claim || ': /stats'),
      is(s ->> 'on', of_all::text, claim || ': users who have any of them on')]) AS t
$$;
SELECT pg_temp.says('[{"feature": "auto_paste", "switched": 9, "on": 5, "adoption": 0.5}, {"feature": "widget", "switched": 2, "on": 2, "adoption": 0.2}]',
  6, 'who has it on');
SELECT is(stats_answer('acme', '2026-03-02', '2026-03-15') #> '{features,toggles,features,0}',
  '{"value": "auto_paste", "events": 14, "share": 0.875, "switched": 9, "on": 5, "adoption": 0.5}', 'events are those within the window');
SELECT is(stats_answer('acme', '2026-03-02', '2026-03-15') #>> '{features,toggles,adoption}', '0.600000', 'adoption: six of the ten who were there');
SELECT is(stats_answer('acme', '2026-03-09', '2026-03-15') #> '{features,toggles,features,0}',
  '{"value": "auto_paste", "events": 0, "share": null, "switched": 9, "on": 5, "adoption": 0.5}', 'a feature that nobody switched in the window is told');

-- Another day changes nothing but what it says itself.
SELECT pg_temp.says('[{"feature": "auto_paste", "switched": 3, "on": 3, "adoption": 1}]', 3, 'on the 3rd', '2026-03-03', '2026-03-03');
SELECT pg_temp.says('[{"feature": "auto_paste", "switched": 1, "on": 0, "adoption": 0}]', 0, 'on the 4th', '2026-03-04', '2026-03-04');

-- Late: of the 7th, an hour after the last one of that day.
SELECT pg_temp.toggle('late', '2026-03-07T11:00Z', 'false');
SELECT pg_temp.build();
SELECT pg_temp.says('[{"feature": "auto_paste", "switched": 9, "on": 4, "adoption": 0.4}, {"feature": "widget", "switched": 2, "on": 2, "adoption": 0.2}]',
  6, 'a late event of a former day');
-- And one of years ago does not change what came after.
SELECT pg_temp.toggle('on', '2023-12-07T11:00Z', 'false'), pg_temp.toggle('off', '2024-12-07T11:00Z', 'true');
SELECT pg_temp.build();
SELECT pg_temp.says('[{"feature": "auto_paste", "switched": 9, "on": 4, "adoption": 0.4}, {"feature": "widget", "switched": 2, "on": 2, "adoption": 0.2}]',
  6, 'a late event of years ago');

-- In Havana the clock shows the hour after midnight of 2026-11-01 twice: what is said in the second one, is said after.
SELECT pg_temp.toggle('clock', '2026-11-01T04:40Z', 'true'), pg_temp.toggle('clock', '2026-11-01T05:20Z', 'false'),
  pg_temp.toggle('west', '2026-11-01T03:59Z', 'false'), pg_temp.toggle('west', '2026-11-02T04:59Z', 'true');
SELECT pg_temp.build();
CREATE TEMPORARY TABLE wanted AS SELECT 1 AS n, NULL::jsonb AS toggles, 0 AS any_on, NULL::date AS day WHERE false;
INSERT INTO wanted VALUES (1, '[{"feature": "auto_paste", "switched": 1, "on": 0, "adoption": 0}]', 0, '2026-10-31'),
  (2, '[{"feature": "auto_paste", "switched": 2, "on": 1, "adoption": 0.5}]', 1, '2026-11-01');
SELECT pg_temp.says(toggles, any_on, format('around a change of clock, not kept (%s)', n), day, day, 'America/Havana') FROM wanted;
SELECT keep_zone('acme', 'America/Havana');
SELECT pg_temp.build();
SELECT pg_temp.says(toggles, any_on, format('around a change of clock, kept (%s)', n), day, day, 'America/Havana') FROM wanted;
SELECT pg_temp.says('[{"feature": "auto_paste", "switched": 2, "on": 0, "adoption": 0}]', 0, 'the same in UTC', '2026-11-01', '2026-11-01');

-- Spans: each day up to one is in just one of them.
SELECT is(
  (SELECT array_agg(days || ': ' || until - CASE days WHEN 512 THEN until ELSE since END ORDER BY days DESC) FROM spans_until(day)),
  (SELECT ARRAY['512: 0', '64: ' || rest / 64 * 64, '8: ' || rest % 64 / 8 * 8, '1: ' || rest % 8] FROM (SELECT day + 1 - span_start(day + 1, 512) AS rest) AS r),
  'spans until ' || day)
FROM (VALUES (date '2026-03-15'), ('2026-03-16'), ('2024-02-29'), ('0001-01-01'), ('9999-12-31')) AS v (day);
SELECT is(ARRAY(SELECT span_start(span_start(d, 8), 64) = span_start(d, 64) FROM generate_series(date '2026-01-01', '2026-03-10', '9 days') AS g, LATERAL (SELECT g::date) AS v (d)),
  array_fill(true, ARRAY[8]), 'a longer span is made of whole shorter ones');

-- What is kept is what the rows say, and harm to it is found.
CREATE FUNCTION pg_temp.differences() RETURNS TABLE (part text, subject text) LANGUAGE sql AS $$
  SELECT DISTINCT v.part, v.subject
  FROM weir.parts_to_verify('acme') AS p, LATERAL weir.verify_day('acme', p.zone, p.day) AS v
  WHERE p.kind = 'day' AND p.zone = 'UTC' AND p.day IN (SELECT weir.span_start('2026-03-07', n) FROM unnest(ARRAY[1, 8, 64, 512]) AS n)
$$;
SELECT is_empty('SELECT * FROM pg_temp.differences()', 'verify agrees');
DELETE FROM toggle_sets WHERE zone = 'UTC' AND days = 512;
UPDATE toggle_sets SET switched_on = ~switched_on WHERE zone = 'UTC' AND days = 1 AND first_day = '2026-03-07' AND feature = 'auto_paste';
SELECT bag_eq('SELECT * FROM pg_temp.differences()', $$VALUES ('toggle_sets', '1 days'), ('toggle_sets', '8 days'), ('toggle_sets', '512 days')$$,
  'a day that differs, and a span that is missing');
SELECT rebuild_day('acme', '2026-03-07', false), rebuild_day('acme', '2024-01-05', false);
SELECT is_empty('SELECT * FROM pg_temp.differences()', 'a rebuild mends it');

-- A day whose rows are gone keeps what it has; with forget it goes.
SELECT note_gone_days('acme');
DELETE FROM events WHERE tenant_id = 'acme' AND "timestamp" < '2024-02-01';
INSERT INTO touched_days (tenant_id, day) VALUES ('acme', '2024-01-05'), ('acme', '2023-12-07');
SELECT pg_temp.build();
SELECT ok(EXISTS (SELECT FROM toggle_sets WHERE days = 1 AND first_day = '2024-01-05' AND bit_count(switched_on) = 1), 'a day of rows that are gone is kept');
SELECT pg_temp.says('[{"feature": "auto_paste", "switched": 9, "on": 4, "adoption": 0.4}, {"feature": "widget", "switched": 2, "on": 2, "adoption": 0.2}]',
  6, 'and counts');
DELETE FROM gone_days;
SELECT rebuild_day('acme', '2024-01-05', true);
SELECT pg_temp.says('[{"feature": "auto_paste", "switched": 9, "on": 3, "adoption": 0.3}, {"feature": "widget", "switched": 2, "on": 2, "adoption": 0.2}]',
  5, 'what is forgotten does not count');

SELECT ok(drop_zone('acme', 'America/Havana'), 'a zone is dropped');
SELECT is_empty($$SELECT FROM toggle_sets WHERE zone <> 'UTC'$$, 'and what was kept in it');

-- Of a day, and of a longer span, the thousand features that most users switched are kept; the others are none.
SELECT pg_temp.toggle('wild', '2026-05-01T10:00Z', 'true', 'wild-' || lpad(n::text, 4, '0')), pg_temp.toggle('wild', '2026-05-02T10:00Z', 'true', 'wild-' || lpad((n + 500)::text, 4, '0'))
FROM generate_series(1, 1001) AS n;
SELECT pg_temp.toggle('tame', at, 'true', 'wild-1501') FROM (VALUES (timestamptz '2026-05-01T11:00Z'), ('2026-05-02T11:00Z')) AS v (at);
SELECT pg_temp.build();
SELECT is((SELECT array_agg(DISTINCT (days, first_day, n)::text) FROM (
    SELECT days, first_day, count(*) AS n FROM toggle_sets WHERE zone = 'UTC' AND first_day <= '2026-05-02' AND first_day + days > date '2026-05-01' GROUP BY 1, 2) AS t WHERE n > 100),
  (SELECT array_agg(DISTINCT (n, span_start(d, n), 1001)::text) FROM unnest(ARRAY[1, 8, 64, 512]) AS n, (VALUES (date '2026-05-01'), ('2026-05-02')) AS v (d)), 'a thousand, and one for the others');
SELECT is_empty($$SELECT FROM toggle_sets WHERE feature = '' AND bit_count(switched_on) > 0$$, 'of which nobody has one on');
SELECT unnest(ARRAY[is(s #>> '{features,toggles,features,0,value}', 'wild-1501', 'the one that most switched is among them'),
  is(s ->> 'exact', 'false', 'and the answer says that there are more')]) FROM stats_answer('acme', '2026-05-01', '2026-05-02') AS s;
SELECT is(features_answer('acme', '2026-05-01', '2026-05-02', feature => 'toggled') ->> 'exact', 'false', 'as that of the features does');

SELECT is(stats_answer('nobody', '2026-03-02', '2026-03-15') #> '{features,toggles}', '{"on": 0, "adoption": null, "features": []}', 'nobody has anything on');
SELECT * FROM finish();
ROLLBACK;
