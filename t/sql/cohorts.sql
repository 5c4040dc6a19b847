-- Users by a rule, against numbers worked out by hand.
BEGIN;
SET LOCAL search_path = weir, public;
SET LOCAL client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap SCHEMA public;
SELECT no_plan();

-- The window is 2026-03-02 to 03-04; weeks after it begin on 03-05, 03-12, 03-19, 03-26.
CREATE TEMPORARY TABLE said (person text, name text, at timestamptz, country text, properties jsonb);
INSERT INTO said VALUES
  ('ann', 'sale', '2026-03-04T10:00Z', 'BR', '{"paid": "pix"}'), ('ann', 'sale', '2026-03-02T10:00Z', 'BR', '{"paid": "pix"}'),
  ('ann', 'open', '2026-03-11T23:00Z', 'BR', NULL), ('ann', 'open', '2026-03-12T10:00Z', 'BR', NULL),
  ('ben', 'sale', '2026-03-02T10:00Z', 'DE', '{"paid": "pix"}'), ('ben', 'sale', '2026-03-02T10:00Z', 'DE', '{"paid": "pix"}'),
  ('ben', 'refund', '2026-03-03T10:00Z', 'DE', NULL), ('ben', 'open', '2026-03-12T10:00Z', 'DE', NULL),
  ('cat', 'sale', '2026-03-03T10:00Z', 'BR', '{"paid": "card"}'), ('cat', 'sale', '2026-03-03T11:00Z', 'BR', '{"paid": ["pix"]}'),
  ('cat', 'open', '2026-03-05T11:00Z', 'BR', NULL),
  ('dan', 'sale', '2026-03-05T10:00Z', 'BR', '{"paid": "pix"}'), ('eve', 'open', '2026-03-02T10:00Z', 'BR', NULL),
  (NULL, 'sale', '2026-03-02T10:00Z', 'BR', '{"paid": "pix"}');
\ir lib/build.sql
CREATE FUNCTION pg_temp.store(people text[]) RETURNS void LANGUAGE sql AS $$
  INSERT INTO weir.events (event_id, tenant_id, user_id, event, country, "timestamp", client_timestamp, properties)
  SELECT gen_random_uuid(), 'acme', person, name, country, at, at, properties FROM said WHERE coalesce(person, '') = ANY (people);
  INSERT INTO weir.touched_days (tenant_id, day)
  SELECT DISTINCT 'acme', (at AT TIME ZONE 'UTC')::date FROM said WHERE coalesce(person, '') = ANY (people);
  SELECT pg_temp.build();
$$;
SELECT pg_temp.store(ARRAY['ann', 'ben', 'cat', 'dan', 'eve', '']);

CREATE FUNCTION pg_temp.fit(rule text) RETURNS jsonb LANGUAGE sql AS $$
  SELECT weir.cohorts_answer('acme', '2026-03-02', '2026-03-04', 'UTC', rule)
$$;
CREATE TEMPORARY TABLE answer AS SELECT pg_temp.fit('{"did": [{"event": "sale", "at_least": 2}]}') AS a;
SELECT is(a -> 'size', '3', 'three have two sales') FROM answer;
SELECT is(a -> 'share', '0.750000', 'of four who are active') FROM answer;
SELECT is(a -> 'events', '[6]', 'they have six') FROM answer;
SELECT is(jsonb_path_query_array(a, '$.days[*].active'), '[2, 2, 1]', 'ann and ben, ben and cat, ann') FROM answer;
SELECT is(a -> 'active_days', '1.666667', 'five days by three users') FROM answer;
SELECT is(a -> 'weeks', '[{"share": 0.666667, "start": "2026-03-05", "returned": 2}, {"share": 0.666667, "start": "2026-03-12", "returned": 2}, '
  '{"share": 0.000000, "start": "2026-03-19", "returned": 0}, {"share": 0.000000, "start": "2026-03-26", "returned": 0}]', 'ann and cat come back, then ann and ben') FROM answer;
SELECT is(pg_temp.fit('{"did": [{"event": "sale", "at_least": 2, "properties": {"paid": "pix"}}]}') -> 'size', '2', 'two by pix; a list is no text');
SELECT is(pg_temp.fit('{"did": [{"event": "sale"}], "not": [{"event": "refund"}]}') -> 'size', '2', 'two without a refund');
SELECT is(pg_temp.fit('{"did": [{"event": "sale"}], "not": [{"event": "refund", "at_least": 2}]}') -> 'size', '3', 'none has two of them');
SELECT is(pg_temp.fit('{"did": [{"event": "sale"}, {"event": "refund"}], "not": []}') -> 'size', '1', 'one has both');
SELECT is(pg_temp.fit('{"did": [{"event": "sale"}], "where": {"country": "BR"}}') -> 'size', '2', 'two in BR');
SELECT is(pg_temp.fit('{"did": [{"event": "never"}]}') - '{tenant,from,to,zone,as_of,exact,days,weeks}'::text[], '{"size": 0, "share": 0.000000, "events": [0], "active_days": null}', 'nobody');
SELECT is(cohorts_answer('acme', '2026-03-02', '2026-03-04', 'Europe/Berlin', '{"did": [{"event": "sale"}]}') -> 'size', '3', 'a zone that is not kept');
SELECT is(cohorts_answer('acme', '2025-03-02', '2025-03-04', 'UTC', '{"did": [{"event": "sale"}]}') -> 'share', 'null', 'an empty window');
SELECT is(cohorts_by_rule_merge('{}', '2026-03-02', '2026-03-04', '{"conditions": []}', '2026-03-12') #> '{weeks,0,returned}', '0', 'a week that is over');
SELECT is(cohorts_by_rule_merge('{}', '2026-03-02', '2026-03-04', '{"conditions": []}', '2026-03-11') #> '{weeks,0,returned}', 'null', 'and one that is not');

CREATE FUNCTION pg_temp.refused(rule text, sentence text, claim text) RETURNS text LANGUAGE sql AS $$
  SELECT throws_ok(format('SELECT pg_temp.fit(%L)', rule), '22023', sentence, claim)
$$;
SELECT pg_temp.refused(NULL, 'rule is needed: an object such as {"did": [{"event": "sale"}]}', 'no rule');
SELECT pg_temp.refused('[]', 'rule has to be an object with did, not, where', 'no object');
SELECT pg_temp.refused('{', 'rule is no JSON that can be read', 'no JSON');
SELECT pg_temp.refused('{"or": []}', 'rule.or is not known here: there are did, not, where', 'an unknown word');
SELECT pg_temp.refused('{"did": []}', 'rule.did has to be a list of 1 to 5 events', 'nothing done');
SELECT pg_temp.refused('{"not": [{"event": "a"}]}', 'rule.did has to be a list of 1 to 5 events', 'only what was not');
SELECT pg_temp.refused('{"did": [{"event": "a"}], "not": {}}', 'rule.not has to be a list of 0 to 5 events', 'no list');
SELECT pg_temp.refused('{"did": [{"event": "a"}, {"event": "b", "times": 2}]}',
  'rule.did[2].times is not known here: there are event, properties, version, platform, country, at_least', 'an unknown name');
SELECT pg_temp.refused('{"did": [{"event": "a", "at_least": 0}]}', 'rule.did[1].at_least has to be a whole number from 1 to 1000000', 'none at least');
SELECT pg_temp.refused('{"did": [{"event": "a", "at_least": 1.5}]}', 'rule.did[1].at_least has to be a whole number from 1 to 1000000', 'one and a half');
SELECT pg_temp.refused('{"did": [{"event": "a", "at_least": "2"}]}', 'rule.did[1].at_least has to be a whole number from 1 to 1000000', 'a text');
SELECT pg_temp.refused('{"did": [{"event": "a"}], "not": [{"event": "b", "properties": {"x": null}}]}', 'rule.not[1].properties.x has to be a text, a number, true or false', 'no value');
SELECT pg_temp.refused('{"did": [{"event": "a"}], "where": {"event": "b"}}', 'rule.where.event is not known here: there are properties, version, platform, country', 'no filter');
SELECT is(pg_temp.fit($${"did": [{"event": "'; DROP TABLE weir.events; --"}]}$$) -> 'size', '0', 'SQL in a rule is data');

-- Two servers, users split between them.
CREATE TEMPORARY TABLE parts AS SELECT p FROM cohorts_by_rule_partial('acme', '2026-03-02', '2026-03-04', 'UTC', '{"conditions": [], "where": {}}') AS p WHERE false;
CREATE FUNCTION pg_temp.server(people text[]) RETURNS void LANGUAGE sql AS $$
  DELETE FROM weir.events; DELETE FROM weir.day_sets; DELETE FROM weir.day_counts; DELETE FROM weir.day_sessions;
  DELETE FROM weir.day_numbers; DELETE FROM weir.user_numbers; DELETE FROM weir.packed_days;
  SELECT pg_temp.store(people);
  INSERT INTO parts SELECT p
  FROM weir.cohorts_by_rule_partial('acme', '2026-03-02', '2026-03-04', 'UTC', weir.rule_of('rule', '{"did": [{"event": "sale", "at_least": 2}]}')) AS p;
$$;
SELECT pg_temp.server(ARRAY['ann', 'dan', '']);
SELECT pg_temp.server(ARRAY['ben', 'cat', 'eve']);
SELECT is(cohorts_by_rule_merge(ARRAY(SELECT p FROM parts), '2026-03-02', '2026-03-04', rule_of('rule', '{"did": [{"event": "sale", "at_least": 2}]}'), '2026-11-01'),
  (SELECT a - '{tenant,from,to,zone,as_of,exact}'::text[] FROM answer), 'two servers together say what one says');
SELECT * FROM finish();
ROLLBACK;
