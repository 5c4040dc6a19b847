-- Heavy users, segments and the risk of churn, against numbers worked out by hand.
BEGIN;
SET LOCAL search_path = weir, public;
SET LOCAL client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap SCHEMA public;
SELECT no_plan();

-- Days with events, at noon. Weeks begin on the Mondays 2026-03-02, -09, -16, -23, -30.
CREATE TEMPORARY TABLE said (person text, day date, events integer);
INSERT INTO said
SELECT 'ann', d::date, 2 FROM generate_series('2026-03-02', '2026-03-29', interval '1 day') AS d
UNION ALL VALUES ('ben', date '2026-03-02', 3), ('ben', '2026-03-10', 1), ('cat', '2026-01-05', 1), ('cat', '2026-03-17', 1), ('cat', '2026-03-18', 1),
  ('dan', '2026-03-09', 40), ('dan', '2026-03-16', 20), ('dan', '2026-03-17', 20);

CREATE FUNCTION pg_temp.store(people text[]) RETURNS void LANGUAGE sql AS $$
  INSERT INTO weir.user_days (tenant_id, user_id, day, events, first_at, last_at)
  SELECT 'acme', person, day, events, day + time '12:00', day + time '12:00' FROM said WHERE person = ANY (people);
  INSERT INTO weir.events (event_id, tenant_id, user_id, event, "timestamp", client_timestamp)
  SELECT gen_random_uuid(), 'acme', person, 'opened', day + time '12:00', day + time '12:00' FROM said, generate_series(1, events) WHERE person = ANY (people);
  INSERT INTO weir.crashes (crash_id, tenant_id, user_id, fingerprint, "timestamp", client_timestamp)
  SELECT gen_random_uuid(), 'acme', 'ann', 'f', '2026-03-28T10:00Z', '2026-03-28T10:00Z' WHERE 'ann' = ANY (people);
  INSERT INTO weir.touched_days (tenant_id, day) SELECT DISTINCT 'acme', day FROM said WHERE person = ANY (people);
$$;
\ir lib/build.sql
SELECT pg_temp.store(ARRAY['ann', 'ben', 'cat', 'dan']);
SELECT pg_temp.build();

-- March: dan 80, ann 56, ben 4, cat 2 are 142.
CREATE TEMPORARY TABLE heavy AS SELECT heavy_users_answer('acme', '2026-03-01', '2026-03-31', most => 2) AS a;
SELECT is(a - '{tenant,from,to,zone,as_of,concentration}'::text[], '{"exact": true, "measure": "events", "active": 4, "events": 142, "total": 142,
  "users": [{"user": "dan", "events": 80, "total": 80, "share": 0.56338}, {"user": "ann", "events": 56, "total": 56, "share": 0.394366}]}', 'who uses it most') FROM heavy;
SELECT ok((a ->> 'as_of')::timestamptz <= now(), 'and up to when that counts') FROM heavy;
SELECT is(a #> '{concentration,0}', '{"top": 1, "users": 1, "share": 0.56338}', 'the top 1 % is one') FROM heavy;
SELECT is(a #> '{concentration,4}', '{"top": 50, "users": 2, "share": 0.957746}', 'half of them have nearly all') FROM heavy;
SAVEPOINT days;
DELETE FROM day_sets WHERE subject = 'load' AND day BETWEEN '2026-03-02' AND '2026-03-29';
SELECT is(heavy_users_answer('acme', '2026-03-01', '2026-03-31', most => 2), a, 'whole weeks are read as they were added up') FROM heavy;
SELECT isnt(heavy_users_answer('acme', '2026-03-03', '2026-03-31', most => 2) -> 'events', '137', 'and the days of others one by one');
ROLLBACK TO days;
SELECT is(heavy_users_answer('acme', '2026-03-03', '2026-03-31', most => 2) -> 'events', '137', 'in windows of any days') FROM heavy;
SELECT is(heavy_users_answer('nobody', '2026-03-01', '2026-03-31') -> 'users', '[]', 'of nobody there is none');

SELECT throws_ok($$SELECT churn_risk_answer('acme', '2026-03-04', most => 101)$$, '22023', NULL, 'a list of too many');

-- Week of the 2nd: ann and ben are new, cat was away since January. 9th: ann power, ben casual, dan new.
-- 16th: cat is back, ben at risk, dan active. 23rd: ben dormant, cat and dan at risk.
CREATE TEMPORARY TABLE parted AS SELECT segments_answer('acme', '2026-03-01', '2026-03-31') AS a;
CREATE FUNCTION pg_temp.week(n integer, wanted jsonb, claim text) RETURNS text LANGUAGE sql AS $$
  SELECT is((SELECT jsonb_object_agg(s.key, s.value) FROM jsonb_each(a #> ARRAY['weeks', n::text, 'segments']) AS s WHERE s.value <> '0'), wanted, claim) FROM parted
$$;
SELECT is(jsonb_array_length(a -> 'weeks'), 4, 'four whole weeks') FROM parted;
SELECT pg_temp.week(0, '{"new": 2, "churned": 1}', 'the first week');
SELECT pg_temp.week(1, '{"new": 1, "power": 1, "casual": 1, "churned": 1}', 'the second');
SELECT pg_temp.week(2, '{"resurrected": 1, "power": 1, "active": 1, "at_risk": 1}', 'the third');
SELECT pg_temp.week(3, '{"power": 1, "dormant": 1, "at_risk": 2}', 'the fourth');
SELECT is(a #> '{weeks,2,moves}', '[{"from": "casual", "to": "at_risk", "users": 1}, {"from": "churned", "to": "resurrected", "users": 1},
  {"from": "new", "to": "active", "users": 1}, {"from": "power", "to": "power", "users": 1}]', 'who moved where') FROM parted;
SELECT is(a #> '{weeks,0,moves}', '[]', 'before the first week nobody moved') FROM parted;
SELECT is(segments_answer('acme', '2026-03-03', '2026-03-07') -> 'weeks', '[]', 'without a whole week there is nothing');
SELECT throws_ok($$SELECT segments_answer('acme', '2026-03-03', '2026-03-07', 'Asia/Tokyo')$$, '22023', NULL, 'a zone that is not kept');

-- On April 20th ann is away for 22 days, with a rhythm of a week at the least: (22/7 - 1) / 3 of 60; 6 days with events in 28
-- (from March 24th on), 22 in those before: 1 - 6/22 of 30; one crash: 1/3 of 10. dan is away for 34 days, 1 of 60, with
-- none lately of three: 30. ben and cat have two days with events in these 90.
CREATE TEMPORARY TABLE risk AS SELECT churn_risk_answer('acme', '2026-04-20', most => 3) AS a;
SELECT is(a - '{tenant,from,to,zone,as_of,distribution}'::text[], '{"exact": true, "weights": {"silence": 60, "fall": 30, "crashes": 10}, "scored": 2,
  "bands": {"low": 0, "medium": 0, "high": 2}, "users": [
  {"user": "dan", "risk": 90, "last_seen": "2026-03-17", "silence": 60, "fall": 30, "crashes": 0},
  {"user": "ann", "risk": 68, "last_seen": "2026-03-29", "silence": 42.9, "fall": 21.8, "crashes": 3.3}]}', 'who is about to leave, and why') FROM risk;
SELECT is(a -> 'distribution', '[0, 0, 0, 0, 0, 0, 1, 0, 0, 1]', 'by tens') FROM risk;
SELECT is(churn_risk_answer('nobody', '2026-04-20') -> 'scored', '0', 'of nobody there is none');
-- On March 29th dan is away for 12 days: (12/7 - 1) / 3 of 60. cat comes every 36 days, and ann every day; her crash of the
-- 28th counts up to the 24th of April.
SELECT is(churn_risk_answer('acme', '2026-03-29', most => 3) -> 'users', '[
  {"user": "dan", "risk": 14.3, "last_seen": "2026-03-17", "silence": 14.3, "fall": 0, "crashes": 0},
  {"user": "ann", "risk": 3.3, "last_seen": "2026-03-29", "silence": 0, "fall": 0, "crashes": 3.3},
  {"user": "cat", "risk": 0, "last_seen": "2026-03-18", "silence": 0, "fall": 0, "crashes": 0}]', 'a list that is long enough has who has no risk, too');
SELECT is(churn_risk_answer('acme', '2026-03-29', most => 2) - '{tenant,from,to,zone,as_of,weights}'::text[],
  churn_risk_answer('acme', '2026-03-29', most => 3) - '{tenant,from,to,zone,as_of,weights}'::text[] #- '{users,2}', 'and a shorter one counts them');
SELECT is(churn_risk_answer('acme', '2026-04-24', most => 3) #> '{users,1,crashes}', '3.3', 'a crash of 27 days ago');
SELECT is(churn_risk_answer('acme', '2026-04-25', most => 3) #> '{users,1,crashes}', '0', 'and one of 28');
SELECT is(churn_risk_answer('acme', '2026-03-22') -> 'scored', '2', 'who came 13 days ago is not scored');
SELECT is(churn_risk_answer('acme', '2026-03-23') -> 'scored', '3', 'who came 14 days ago is');
SELECT throws_ok($$SELECT churn_risk_answer('acme', '2026-04-20', 'Asia/Tokyo')$$, '22023', NULL, 'on the clocks of a zone that is kept');

-- Of every pair of days with events, `early` of the 28 before and `late` of the last 28, today among these, a user; the first of them are in another chunk than
-- the others. Three more have been lost. So a list of three names these, and of the others, whose risk is that of their fall, is counted in sets how many have which.
CREATE TEMPORARY TABLE fell AS
SELECT row_number() OVER (ORDER BY e, l) + CASE WHEN e < 15 THEN 0 ELSE 20480 END AS number, e AS early, l AS late
FROM generate_series(1, 28) AS e, generate_series(1, 28) AS l WHERE e + l >= 3;
INSERT INTO fell SELECT 40960 + n, 3 + n, 0 FROM generate_series(1, 3) AS n;
INSERT INTO user_numbers (tenant_id, user_id, number, first_at) SELECT 'fallen', 'u' || number, number, '2026-01-01' FROM fell;
INSERT INTO day_sets (tenant_id, zone, subject, value, day, chunk, users)
SELECT 'fallen', 'UTC', 'active', '', d.day, f.number / 20480, at_bits((f.number % 20480)::integer, 1)
FROM fell AS f, LATERAL (SELECT date '2026-04-20' - generate_series(0, late - 1) AS day UNION ALL SELECT date '2026-04-20' - 28 - generate_series(0, early - 1)) AS d
GROUP BY d.day, f.number / 20480;
CREATE TEMPORARY TABLE falls AS SELECT most, churn_risk_answer('fallen', '2026-04-20', most => most) AS a FROM unnest('{3,4}'::integer[]) AS most;
SELECT is(a -> 'scored', to_jsonb((SELECT count(*) FROM fell)), format('all have a risk, with a list of %s', most)) FROM falls;
SELECT is(a -> 'distribution', (SELECT jsonb_agg((SELECT count(*) FROM fell AS f
    WHERE floor(CASE f.late WHEN 0 THEN 9 ELSE greatest(0, round(30 * (1 - f.late::numeric / f.early), 1)) / 10 END) = n) ORDER BY n) FROM generate_series(0, 9) AS n),
  format('and that of each is in its tenth, with a list of %s', most)) FROM falls;
SELECT is(jsonb_path_query_array(a, '$.users[*].risk'), (SELECT jsonb_agg(r.risk) FROM (SELECT r.risk FROM (VALUES (90), (90), (90), (28.9)) AS r (risk) LIMIT most) AS r), format('a list of %s has those of the greatest', most))
FROM falls;

-- Who came every twenty days, 80, 60 and 40 days ago, is away for two rhythms: (2 - 1) / 3 of 60.
INSERT INTO user_numbers (tenant_id, user_id, number, first_at) VALUES ('rare', 'ray', 7, '2026-01-01');
INSERT INTO day_sets (tenant_id, zone, subject, value, day, chunk, users)
SELECT 'rare', 'UTC', 'active', '', date '2026-04-20' - ago, 0, at_bits(7, 1) FROM unnest('{80,60,40}'::integer[]) AS ago GROUP BY ago;
SELECT is(churn_risk_answer('rare', '2026-04-20') -> 'users', '[{"user": "ray", "risk": 50, "last_seen": "2026-03-11", "silence": 20, "fall": 30, "crashes": 0}]',
  'a rhythm of more than a week is the user''s own');

-- Numbers bit by bit. Of four users three are in 3, 3 and 2 of four sets, and one in none.
SELECT is(sum_of_sets(ARRAY[B'1110', B'1100', B'1000', B'0110']::varbit[]), ARRAY[B'1100', B'1110']::varbit[], 'sets are counted');
SELECT is(sum_of_sets(ARRAY[B'11', B'11', B'10']::varbit[], '{0,0,3}'), ARRAY[B'00', B'11', B'00', B'10']::varbit[], 'and numbers with a gap');
SELECT is(sum_of_sets('{}'), '{}'::varbit[], 'none are nothing');
SELECT is(whose_is_less(ARRAY[B'0101', B'0011']::varbit[], ARRAY[B'1100']::varbit[], B'0000'), B'1000'::varbit, 'of 0, 1, 2, 3 only 0 is less, by 1 1 0 0');
SELECT is(sum_of_numbers(ARRAY[B'0101', B'0011']::varbit[], ARRAY[B'0111']::varbit[], B'0000'), ARRAY[B'0010', B'0110', B'0001']::varbit[], '0, 1, 2, 3 and 0, 1, 1, 1 are 0, 2, 3, 4');
SELECT is(sum_of_numbers(ARRAY[B'11']::varbit[], '{}', B'00'), ARRAY[B'11', B'00']::varbit[], 'and with none as they were');
SELECT results_eq($$SELECT n.* FROM (SELECT at_bits(5, 1)::varbit AS s) AS one, numbers_of(2, array_fill(one.s, ARRAY[10]), one.s) AS n$$,
  $$VALUES (40965, 1023::bigint)$$, 'beyond eight bits');
SELECT results_eq($$SELECT n.* FROM (SELECT at_bits(5, 1)::varbit AS s) AS one, numbers_of(0, array_fill(one.s, ARRAY[18]), one.s) AS n$$,
  $$VALUES (5, 262143::bigint)$$, 'beyond sixteen');
SELECT results_eq($$SELECT s.number, s.users FROM (SELECT ARRAY[at_bits(n, 1) FILTER (WHERE n < 9), at_bits(n, 1) FILTER (WHERE n <> 4)]::varbit[] AS planes
  FROM unnest('{3,4,9,20479}'::integer[]) AS n) AS p, sizes_of(p.planes) AS s WHERE s.users > 0 ORDER BY 1$$,
  $$VALUES (1::bigint, 1::bigint), (2, 2), (3, 1)$$, 'it is counted how many have which number');
SELECT results_eq($$SELECT sum(s.users)::bigint, sum(s.number * s.users)::bigint
  FROM (SELECT array_fill((SELECT at_bits(7, 1)::varbit), ARRAY[6]) || (SELECT at_bits(8, 0)::varbit) || (SELECT at_bits(8, 1)::varbit) AS planes OFFSET 0) AS p,
    sizes_of(p.planes) AS s$$, $$VALUES (2::bigint, 191::bigint)$$, 'and who has a number of their own');
SELECT is(planes_of(5, B'11'), ARRAY[B'11', B'00', B'11']::varbit[], 'all have five');

-- Two servers, users split between them.
INSERT INTO weir.measures (tenant_id, measure, event, property) VALUES ('acme', 'opened', 'opened', NULL);
CREATE TEMPORARY TABLE heavy_by_measure AS SELECT heavy_users_answer('acme', '2026-03-01', '2026-03-31', 'Europe/Berlin', 'opened', 2) AS a;
CREATE FUNCTION pg_temp.server(people text[]) RETURNS void LANGUAGE sql AS $$
  DELETE FROM weir.events; DELETE FROM weir.crashes; DELETE FROM weir.user_days; DELETE FROM weir.day_sets; DELETE FROM weir.week_sets; DELETE FROM weir.day_counts; DELETE FROM weir.day_sessions;
  DELETE FROM weir.user_numbers; DELETE FROM weir.packs; DELETE FROM weir.packed_days;
  SELECT pg_temp.store(people); SELECT pg_temp.build();
$$;
CREATE TEMPORARY TABLE parts AS SELECT 'what' AS what, p FROM segments_partial('acme', '2026-03-01', '2026-03-31', 'UTC') AS p WHERE false;
CREATE FUNCTION pg_temp.tell() RETURNS void LANGUAGE sql AS $$
  INSERT INTO parts SELECT 'heavy', p FROM weir.heavy_users_partial('acme', '2026-03-01', '2026-03-31', 'UTC', 'events', 2) AS p
  UNION ALL SELECT 'heavy by measure', p FROM weir.heavy_users_partial('acme', '2026-03-01', '2026-03-31', 'Europe/Berlin', 'opened', 2) AS p
  UNION ALL SELECT 'segments', p FROM weir.segments_partial('acme', '2026-03-01', '2026-03-31', 'UTC') AS p
  UNION ALL SELECT 'risk', p FROM weir.churn_risk_partial('acme', '2026-04-20', 'UTC', 3) AS p
$$;
SELECT pg_temp.server(ARRAY['ann', 'cat']);
SELECT pg_temp.tell();
SELECT pg_temp.server(ARRAY['ben', 'dan']);
SELECT pg_temp.tell();
SELECT is(heavy_users_merge(ARRAY(SELECT p FROM parts WHERE what = 'heavy'), 2), (SELECT a - '{tenant,from,to,zone,as_of,exact,measure}'::text[] FROM heavy), 'heavy users of two servers');
SELECT is(heavy_users_merge(ARRAY(SELECT p FROM parts WHERE what = 'heavy by measure'), 2), (SELECT a - '{tenant,from,to,zone,as_of,exact,measure,error}'::text[] FROM heavy_by_measure),
  'and by a measure in a zone');
SELECT is(segments_merge(ARRAY(SELECT p FROM parts WHERE what = 'segments')), (SELECT a - '{tenant,from,to,zone,exact,as_of}'::text[] FROM parted), 'segments of two servers');
SELECT is(churn_risk_merge(ARRAY(SELECT p FROM parts WHERE what = 'risk'), 3), (SELECT a - '{tenant,from,to,zone,as_of,exact}'::text[] FROM risk), 'risks of two servers');
SELECT * FROM finish();
ROLLBACK;
