-- Days in packs: figures that need each event say the same from them as from the rows.
BEGIN;
SET LOCAL search_path = weir, public;
SET LOCAL client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap SCHEMA public;
SELECT no_plan();

-- Three days of events of any kind: users who have a session, or none; events without a user, without properties.
SELECT setseed(0.5);
CREATE FUNCTION pg_temp.store(events integer, since timestamptz, days integer) RETURNS void LANGUAGE sql AS $$
  INSERT INTO weir.events (event_id, tenant_id, user_id, session_id, event, app_version, platform, country, properties, "timestamp", client_timestamp)
  SELECT gen_random_uuid(), 'acme', CASE WHEN random() < 0.95 THEN 'user-' || (20 * random())::integer END,
    CASE WHEN random() < 0.8 THEN 's' || (3 * random())::integer END, (ARRAY['opened', 'screen', 'done', 'nps', 'click'])[1 + n % 5],
    (ARRAY['1.0', '2.0', NULL, ''])[1 + n % 4], (ARRAY['iOS', 'Linux'])[1 + n % 2], (ARRAY['DE', 'BR', NULL])[1 + n % 3],
    CASE WHEN random() < 0.9 THEN jsonb_build_object('screen', 'p' || (5 * random())::integer, 'load_ms', (900 * random())::integer,
      'score', (12 * random())::integer, 'element', 'e' || n % 2, 'plan', (ARRAY['free', 'paid'])[1 + n % 2]) END, at, at
  FROM (SELECT n, since + random() * days * interval '1 day' AS at FROM generate_series(1, events) AS n) AS e;
  INSERT INTO weir.touched_days (tenant_id, day)
  SELECT DISTINCT 'acme', (e."timestamp" AT TIME ZONE 'UTC')::date FROM weir.events AS e
$$;
\ir lib/build.sql
-- But for what they say of themselves: answered.sql tests that.
CREATE FUNCTION pg_temp.answers(zone text) RETURNS TABLE (about text, answer text) LANGUAGE sql AS $$
  SELECT a.about, (a.answer - '{as_of,exact,incomplete}'::text[])::text
  FROM (VALUES
    ('funnel', funnels_answer('acme', '2026-03-03', '2026-03-04', zone, steps => '[{"event": "opened"}, {"event": "screen"}, {"event": "done"}]')),
    ('split', funnels_answer('acme', '2026-03-03', '2026-03-04', zone, within => 7200, split => 'country', filter => '{"platform": "iOS"}',
      steps => '[{"event": "opened", "version": "1.0"}, {"event": "screen", "properties": {"plan": "free"}}]')),
    ('property', funnels_answer('acme', '2026-03-03', '2026-03-04', zone, split => 'plan', steps => '[{"event": "opened"}, {"event": "opened"}]')),
    ('paths', paths_answer('acme', '2026-03-03', '2026-03-04', zone)),
    ('filtered', paths_answer('acme', '2026-03-03', '2026-03-04', zone, filter => '{"country": "DE", "properties": {"plan": "paid"}}')),
    ('tasks', tasks_answer('acme', '2026-03-03', '2026-03-04', zone, '{"event": "opened"}', '{"event": "done"}', key => 'plan')),
    ('tasks of all', tasks_answer('acme', '2026-03-03', '2026-03-04', zone, '{"event": "opened"}', '{"event": "done", "platform": "iOS"}')),
    ('tasks of one name', tasks_answer('acme', '2026-03-03', '2026-03-04', zone, '{"event": "opened"}', '{"event": "opened"}')),
    ('four steps', funnels_answer('acme', '2026-03-03', '2026-03-04', zone, within => 7200,
      steps => '[{"event": "opened"}, {"event": "screen"}, {"event": "opened"}, {"event": "done", "country": "DE"}]')),
    ('pages', pages_answer('acme', '2026-03-03', '2026-03-04', zone, at_least => 1)),
    ('pages of iOS', pages_answer('acme', '2026-03-03', '2026-03-04', zone, at_least => 1, filter => '{"platform": "iOS"}')),
    ('long ways', paths_answer('acme', '2026-03-03', '2026-03-04', zone, length => 10)),
    ('crowded clicks', rage_clicks_answer('acme', '2026-03-03', '2026-03-04', zone, seconds => 5)),
    ('clicks', rage_clicks_answer('acme', '2026-03-03', '2026-03-04', zone, clicks => 2, seconds => 60)),
    ('nps', nps_answer('acme', '2026-03-03', '2026-03-04', zone)),
    ('cohorts', cohorts_answer('acme', '2026-03-03', '2026-03-04', zone, '{"did": [{"event": "opened", "at_least": 2}], "not": [{"event": "nps"}]}')),
    ('correlation', correlation_answer('acme', '2026-03-03', '2026-03-04', zone, '{"event": "done"}', '{"event": "screen", "sum": "load_ms"}'))
  ) AS a (about, answer)
$$;

SELECT pg_temp.store(3000, '2026-03-02T00:00Z', 4);
SELECT pg_temp.build();
SELECT set_eq('SELECT day FROM packed_days', '{2026-03-02,2026-03-03,2026-03-04,2026-03-05}'::date[], 'days that are over are packed when they are built');
SELECT is((SELECT sum(cardinality(moments)) FROM packs WHERE NOT is_made(event)), 3000::bigint, 'with each of their events');
SELECT is_empty($$SELECT d, v.* FROM unnest('{2026-03-02,2026-03-03,2026-03-04,2026-03-05}'::date[]) AS d, verify_day('acme', 'UTC', d) AS v$$, 'and verified');

CREATE TEMPORARY TABLE packed AS SELECT zone, a.* FROM unnest('{UTC,Asia/Kolkata}'::text[]) AS zone, pg_temp.answers(zone) AS a;
SAVEPOINT packed;
DELETE FROM packed_days;
SELECT is(p.answer, a.answer, p.about || ' in ' || p.zone || ' is the same from packs as from rows')
FROM packed AS p JOIN (SELECT zone, a.* FROM unnest('{UTC,Asia/Kolkata}'::text[]) AS zone, pg_temp.answers(zone) AS a) AS a USING (zone, about);
ROLLBACK TO packed;
DELETE FROM packed_days WHERE day = '2026-03-03';
SELECT is(p.answer, a.answer, p.about || ' is the same from both') FROM packed AS p JOIN pg_temp.answers('UTC') AS a USING (about) WHERE p.zone = 'UTC';
ROLLBACK TO packed;

-- Ways are kept with their first four steps and ten: another length is cut from these.
INSERT INTO weir.events (event_id, tenant_id, user_id, session_id, event, properties, "timestamp", client_timestamp)
SELECT gen_random_uuid(), 'long', 'ann', 's', 'screen', jsonb_build_object('screen', 'p' || n), at, at
FROM (SELECT n, timestamptz '2026-03-03T10:00Z' + n * interval '1 minute' AS at FROM generate_series(1, 12) AS n) AS e;
INSERT INTO weir.touched_days (tenant_id, day) VALUES ('long', '2026-03-03');
SELECT pg_temp.build();
SELECT is(paths_answer('long', '2026-03-03', '2026-03-03', length => n) #> '{paths,0,screens}', (SELECT jsonb_agg('p' || s ORDER BY s) FROM generate_series(1, n) AS s),
  format('the first %s steps of twelve', n)) FROM generate_series(1, 10) AS n;

-- A funnel looks for starts in turns of days, what no pack has all in the first: ann and ben start in different turns, cat in a row before a pack,
-- and dan in a pack of a later turn, though a row of his comes first.
INSERT INTO weir.events (event_id, tenant_id, user_id, event, properties, "timestamp", client_timestamp)
SELECT gen_random_uuid(), 'turns', person, 'opened', jsonb_build_object('found', found), at, at
FROM (VALUES ('ann', 'early', timestamptz '2026-03-03T10:00Z'), ('ann', 'late', '2026-03-18T10:00Z'), ('ben', 'late', '2026-03-19T10:00Z'),
  ('cat', 'row', '2026-03-12T10:00Z'), ('cat', 'late', '2026-03-15T10:00Z'), ('dan', 'early', '2026-03-05T10:00Z'), ('dan', 'row', '2026-03-12T11:00Z')) AS e (person, found, at);
INSERT INTO weir.touched_days (tenant_id, day) SELECT DISTINCT 'turns', (e."timestamp" AT TIME ZONE 'UTC')::date FROM weir.events AS e WHERE e.tenant_id = 'turns';
SELECT pg_temp.build();
INSERT INTO weir.touched_days (tenant_id, day) VALUES ('turns', '2026-03-12');
SELECT is(jsonb_path_query_array(funnels_answer('turns', '2026-03-01', '2026-03-20', zone, '[{"event": "opened"}, {"event": "opened"}]', split => 'found'),
  '$.splits[*].steps[0].users')::text || jsonb_path_query_array(funnels_answer('turns', '2026-03-01', '2026-03-20', zone, '[{"event": "opened"}, {"event": "opened"}]',
  split => 'found'), '$.splits[*].value')::text, '[2, 1, 1]["early", "late", "row"]', 'the earliest start is found in whatever turn of days it is, in ' || zone)
FROM unnest('{UTC,America/New_York,Asia/Kolkata}'::text[]) AS zone;
ROLLBACK TO packed;

SELECT is_empty($$SELECT d.days, t.first, t.last
  FROM unnest('{1,2,14,15,16,31,90,400}'::integer[]) AS d (days), LATERAL (
    SELECT t.first, t.last, lag(t.last) OVER w AS former, lead(t.first) OVER w AS next
    FROM turns_of_days(asked_of_span('turns', '2026-03-01T05:00Z', '2026-03-01T05:00Z'::timestamptz + d.days * interval '24 hours')) AS t
    WINDOW w AS (ORDER BY t.first)
  ) AS t
  WHERE t.first <> coalesce(t.former, '2026-03-01Z') OR t.next IS NULL AND t.last <> '2026-03-01T05:00Z'::timestamptz + d.days * interval '24 hours'$$,
  'turns have all days of a span, each once, and none beyond');

-- What a user repeats stands apart. At eleven ann does again what she did at ten; at one she does so after something else; at two twice.
INSERT INTO weir.events (event_id, tenant_id, user_id, event, app_version, properties, "timestamp", client_timestamp)
SELECT gen_random_uuid(), 'again', person, 'opened', version, jsonb_build_object('n', place), at, at
FROM (VALUES (1, 'ann', '1.0', timestamptz '2026-03-03T10:00Z'), (2, 'ann', '1.0', '2026-03-03T11:00Z'), (3, 'ann', NULL, '2026-03-03T12:00Z'),
  (4, 'ann', '1.0', '2026-03-03T13:00Z'), (5, 'ann', '2.0', '2026-03-03T14:00Z'), (6, 'ann', '2.0', '2026-03-03T14:00Z'), (7, NULL, '1.0', '2026-03-03T09:00Z'),
  (8, 'ben', '1.0', '2026-03-03T15:00Z')) AS e (place, person, version, at);
INSERT INTO weir.touched_days (tenant_id, day) VALUES ('again', '2026-03-03');
SELECT pg_temp.build();
SELECT results_eq($$SELECT has_firsts(p.part), array_agg((e ->> 'n')::integer ORDER BY e ->> 'n') FROM packs AS p, unnest(p.properties) AS e
    WHERE p.tenant_id = 'again' GROUP BY 1 ORDER BY 1$$,
  $$VALUES (false, '{2,7}'::integer[]), (true, '{1,3,4,5,6,8}')$$, 'what a user repeats with the same version, platform and country stands apart, and what has no user');
SELECT is(funnels_answer('again', '2026-03-03', '2026-03-03', steps => '[{"event": "opened", "version": "2.0"}, {"event": "opened"}]', split => 'n')
  #> '{splits,0,value}', '"5"', 'of a start with several at its moment the least value is told');
SELECT is(funnels_answer('again', '2026-03-03', '2026-03-03', steps => '[{"event": "opened", "properties": {"n": 2}}, {"event": "opened"}]')
  #> '{steps,1,seconds,from_start,mean}', '3600', 'a start of which a property is asked may be one that is repeated');
ROLLBACK TO packed;

-- So many events of a name that users are halved, one half to a process.
SELECT pg_temp.store(30000, '2026-03-03T00:00Z', 1);
SELECT pg_temp.build();
SELECT ok(halves[1] < halves[2] AND halves[2] BETWEEN 1 AND 20 AND halves[2] < halves[3], 'where a day has more than one pack, users are halved')
FROM halves_of_users('acme', '[{"event": "opened"}]', '2026-03-03Z', '2026-03-04Z') AS halves;
CREATE TEMPORARY TABLE halved AS SELECT * FROM pg_temp.answers('UTC');
DELETE FROM packed_days;
DELETE FROM packs;
SELECT is(h.answer, a.answer, h.about || ' is the same from halves as from rows') FROM halved AS h JOIN pg_temp.answers('UTC') AS a USING (about);
ROLLBACK TO packed;

-- Hardly an event has a user.
INSERT INTO weir.events (event_id, tenant_id, user_id, event, "timestamp", client_timestamp)
SELECT gen_random_uuid(), 'rare', CASE WHEN n % 50 = 0 THEN 'u' || n % 7 END, 'opened', at, at
FROM generate_series(1, 5000) AS n, LATERAL (SELECT timestamptz '2026-03-03T00:00Z' + n * interval '1 second') AS t (at);
INSERT INTO weir.touched_days (tenant_id, day) VALUES ('rare', '2026-03-03');
SELECT pg_temp.build();
SELECT is(tasks_answer('rare', '2026-03-03', '2026-03-03', 'UTC', '{"event": "opened"}', '{"event": "opened"}') -> 'starts', '100', 'users who stand behind many events without one are found');
ROLLBACK TO packed;

-- Where users or moments are too many for one number.
SELECT is(moment_bits('acme', '2026-01-01Z', '2026-04-01Z'), 43, 'a quarter has 43 bits of microseconds');
INSERT INTO user_numbers (tenant_id, user_id, number) VALUES ('acme', 'far', 1048576);
SELECT is(moment_bits('acme', '2026-01-01Z', '2026-04-01Z'), NULL, 'which have no room for users beyond a million');
DELETE FROM user_numbers WHERE user_id = 'far';
CREATE TEMPORARY TABLE near AS SELECT * FROM pg_temp.answers('UTC');
UPDATE user_numbers SET number = 100000000 WHERE number = (SELECT max(n.number) FROM user_numbers AS n);
SELECT pack_day('acme', d.day) FROM packed_days AS d;
SELECT is_empty('SELECT FROM packs WHERE (codes IS NULL) <> is_made(event)', 'each pack has codes, but what is made of packs has none');
SELECT set_eq($$SELECT DISTINCT p.part, e.number, e.code >> 37 FROM packs AS p, unnest(p.numbers, p.codes) AS e (number, code) WHERE p.event = 'opened' AND e.number > 19$$,
  'VALUES (1048576, 100000000::bigint, 100000000::bigint - 67108864), (1572864, 100000000, 32891136)', 'users from 2^26 on have packs of their own');
SELECT is(f.answer, n.answer, n.about || ' takes as many users at a time as have room') FROM near AS n JOIN pg_temp.answers('UTC') AS f USING (about)
WHERE n.about IN ('funnel', 'split', 'property', 'four steps', 'tasks of all', 'tasks of one name');
ROLLBACK TO packed;

-- More events than are held at once, of days without packs.
DELETE FROM packed_days;
SET LOCAL weir.hold_at_most = 100;
SELECT throws_like($$SELECT funnels_answer('acme', '2026-03-03', '2026-03-04', steps => '[{"event": "opened"}, {"event": "done"}]')$$,
  'More than 100 of these events are of today or of days that are still being built%', 'events that no pack has are too many to be held');
RESET weir.hold_at_most;
ROLLBACK TO packed;

-- A late event of a new user, and one of a day that is not over.
INSERT INTO weir.events (event_id, tenant_id, user_id, event, "timestamp", client_timestamp)
VALUES (gen_random_uuid(), 'acme', 'late', 'opened', '2026-03-03T12:00Z', '2026-03-03T12:00Z'), (gen_random_uuid(), 'acme', 'late', 'opened', now(), now());
INSERT INTO weir.touched_days (tenant_id, day) VALUES ('acme', '2026-03-03'), ('acme', (now() AT TIME ZONE 'UTC')::date);
SELECT ok((SELECT answer FROM pg_temp.answers('UTC') WHERE about = 'funnel') <> (SELECT answer FROM packed WHERE about = 'funnel' AND zone = 'UTC'),
  'a late event counts at once, before its day is built');
CREATE TEMPORARY TABLE late AS SELECT * FROM pg_temp.answers('UTC');
SELECT pg_temp.build();
-- Who was active, a correlation asks of the roll-ups.
SELECT is(l.answer, a.answer, l.about || ' is the same when it is built') FROM late AS l JOIN pg_temp.answers('UTC') AS a USING (about)
WHERE l.about <> 'correlation';
SELECT is_empty($$SELECT FROM packed_days WHERE day = (now() AT TIME ZONE 'UTC')::date$$, 'today is not packed');
SELECT is((SELECT array_agg(n ORDER BY n) FROM packs AS p, unnest(p.numbers) AS n WHERE p.day = '2026-03-03' AND p.event = 'opened'),
  (SELECT array_agg(u.number::bigint ORDER BY u.number) FROM weir.events AS e LEFT JOIN user_numbers AS u ON u.user_id = e.user_id
    WHERE e.event = 'opened' AND e."timestamp" >= '2026-03-03Z' AND e."timestamp" < '2026-03-04Z'), 'who has a number stands there with it');

-- What verify finds.
UPDATE packs SET versions[1] = 'other' WHERE day = '2026-03-04' AND event = 'done' AND has_firsts(part);
SELECT results_eq($$SELECT v.part, v.subject FROM verify_day('acme', 'UTC', '2026-03-04') AS v$$, $$VALUES ('packs', 'done')$$, 'a pack that is not what the rows say');
SELECT ok(rebuild_day('acme', '2026-03-04', false), 'a rebuild');
SELECT is_empty($$SELECT * FROM verify_day('acme', 'UTC', '2026-03-04')$$, 'makes it anew');

-- What retention has dropped.
DELETE FROM weir.events WHERE "timestamp" < '2026-03-03Z';
SELECT note_gone_days('acme');
SELECT is((SELECT min(h.at) >= '2026-03-03Z' FROM happened('acme', '[{"event": "opened"}]', '2026-03-01Z', '2026-03-06Z', '{}') AS h), true,
  'rows that are gone count no longer');
INSERT INTO weir.touched_days (tenant_id, day) VALUES ('acme', '2026-03-05');
SELECT pg_temp.build();
SELECT is_empty($$SELECT FROM packs WHERE day = '2026-03-02'$$, 'and leave no copy');

-- Bursts of two clicks, of users who stand in either half of the packs, and of somebody who has no number yet: each once.
INSERT INTO events (event_id, tenant_id, user_id, event, "timestamp", client_timestamp, properties)
SELECT gen_random_uuid(), 'clicks', 'u' || n, 'click', '2026-03-04T10:00Z', '2026-03-04T10:00Z', '{"element": "#buy", "page": "/a"}' FROM generate_series(1, 5000) AS n;
INSERT INTO events (event_id, tenant_id, user_id, event, "timestamp", client_timestamp, properties)
SELECT gen_random_uuid(), 'clicks', c.person, 'click', c.at, c.at, '{"element": "#buy", "page": "/a"}' FROM (VALUES ('u7', timestamptz '2026-03-04T10:00:00.5Z'), ('u4900', '2026-03-04T10:00:01Z')) AS c (person, at);
INSERT INTO weir.touched_days (tenant_id, day) VALUES ('clicks', '2026-03-04');
SELECT pg_temp.build();
SELECT cmp_ok((SELECT count(DISTINCT b) FROM unnest(halves_of_users('clicks', '[{"event": "click"}]', '2026-03-04Z', '2026-03-05Z')) AS b), '=', 3::bigint, 'there are halves');

-- Of days that are told apart by what is left of them when divided: also before the day that they are counted from.
INSERT INTO events (event_id, tenant_id, user_id, event, "timestamp", client_timestamp, properties)
SELECT gen_random_uuid(), 'olden', 'u1', 'screen_view', d, d, '{"screen": "home", "duration_ms": 100}'
FROM generate_series(timestamptz '1999-12-28T12:00Z', '2000-01-03T12:00Z', '1 day') AS d;
INSERT INTO weir.touched_days (tenant_id, day) SELECT 'olden', d::date FROM generate_series(date '1999-12-28', '2000-01-03', '1 day') AS d;
SELECT pg_temp.build();
SELECT is((SELECT count(*) FROM happened('olden', '[{"event": "screen_view"}]', '1999-12-28Z', '2000-01-04Z', '{}')), 7::bigint, 'packs of all days are read, also before 2000');
SELECT is(pages_answer('olden', '1999-12-28', '2000-01-03') #> '{all,count}', '7', 'and tallies');

-- A few users who came first did as much as all others.
INSERT INTO events (event_id, tenant_id, user_id, event, "timestamp", client_timestamp)
SELECT gen_random_uuid(), 'skewed', 'u' || n, 'tap', e.at, e.at
FROM (
  SELECT n % 10 AS n, '2026-03-04T01:00Z'::timestamptz + n * interval '1 second' AS at FROM generate_series(1, 4500) AS n
  UNION ALL SELECT n, '2026-03-04T10:00Z' FROM generate_series(10, 4500) AS n
) AS e;
INSERT INTO weir.touched_days (tenant_id, day) VALUES ('skewed', '2026-03-04');
SELECT pg_temp.build();
SELECT ok((h.by_event)[2] < 20 AND (h.by_user)[2] BETWEEN 500 AND 1500, 'halves are of as many events, or, for what takes as long for a user as for events, of more users where these did less')
FROM (
  SELECT halves_of_users('skewed', '[{"event": "tap"}]', '2026-03-04Z', '2026-03-05Z') AS by_event,
    halves_of_users('skewed', '[{"event": "tap"}]', '2026-03-04Z', '2026-03-05Z', by_user => true) AS by_user
) AS h;
INSERT INTO events (event_id, tenant_id, user_id, event, "timestamp", client_timestamp, properties)
SELECT gen_random_uuid(), 'clicks', c.person, 'click', c.at, c.at, '{"element": "#buy", "page": "/b"}'
FROM (VALUES ('new', timestamptz '2026-03-05T10:00Z'), ('new', '2026-03-05T10:00:01Z'), ('u4901', '2026-03-05T10:00Z'), ('u4901', '2026-03-05T10:00:01Z'), ('u8', '2026-03-05T10:00Z'), ('u8', '2026-03-05T10:00:01.1Z')) AS c (person, at);
SELECT is(rage_clicks_answer('clicks', '2026-03-04', '2026-03-05', 'Asia/Kolkata', clicks => 2) -> 'pages',
  '[{"page": "/a", "users": 2, "rage_clicks": 2}, {"page": "/b", "users": 2, "rage_clicks": 2}]', 'two of packs, two of rows');
SELECT * FROM finish();
ROLLBACK;
