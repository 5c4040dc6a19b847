-- Every answer says up to when it counts, and, where it cannot hold all that happened, why.
BEGIN;
SET LOCAL search_path = weir, public;
SET LOCAL client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap SCHEMA public;
SELECT no_plan();

SELECT is_empty($$SELECT p.proname FROM pg_proc AS p WHERE p.pronamespace = 'weir'::regnamespace AND p.proname ~ '_answer$'
  AND p.prosrc !~ '\mweir\.answered\('$$, 'no answer goes by what makes it say so');
SELECT set_eq($$SELECT p.proname FROM pg_proc AS p WHERE p.pronamespace = 'weir_api'::regnamespace AND p.prosrc !~ '\mweir\.([a-z_]+_answer|answered)\('$$,
  '{tenants,bounded,version,daily_rows}'::text[], 'nor does weir-api give figures that are no answer, but for the rows of CSV');
INSERT INTO weir.viewers (viewer, tenant_id) VALUES ('ada', 'acme');

-- ann and ben have an event and a crash on each of four days; the second is then dropped.
INSERT INTO weir.events (event_id, tenant_id, user_id, event, "timestamp", client_timestamp)
SELECT gen_random_uuid(), 'acme', person, 'sale', d + interval '10 hours', d + interval '10 hours'
FROM unnest('{ann,ben}'::text[]) AS person, generate_series('2026-03-02Z'::timestamptz, '2026-03-05Z', '1 day') AS d;
INSERT INTO weir.user_days (tenant_id, user_id, day, events, first_at, last_at)
SELECT tenant_id, user_id, ("timestamp" AT TIME ZONE 'UTC')::date, 1, "timestamp", "timestamp" FROM weir.events WHERE tenant_id = 'acme';
INSERT INTO weir.crashes (crash_id, tenant_id, user_id, fingerprint, app_version, "timestamp", client_timestamp) VALUES
  (gen_random_uuid(), 'acme', 'ann', 'f', '1.0', '2026-03-03T11:00Z', '2026-03-03T11:00Z'),
  (gen_random_uuid(), 'acme', 'ann', 'f', '1.0', '2026-03-05T11:00Z', '2026-03-05T11:00Z'),
  (gen_random_uuid(), 'acme', 'ben', 'f', '1.0', '2026-03-05T11:00Z', '2026-03-05T11:00Z');
INSERT INTO weir.touched_days (tenant_id, day) SELECT 'acme', d::date FROM generate_series('2026-03-02'::date, '2026-03-05', '1 day') AS d;
\ir lib/build.sql
SELECT pg_temp.build();

-- Each answer of the 4th and 5th of March, or of what is said; which kind it is of.
CREATE TEMPORARY TABLE asked (name text, kind text, more text);
INSERT INTO asked VALUES ('users', 'days', ''), ('usage', 'days', ''), ('features', 'days', ''), ('audience', 'days', ''), ('costs', 'days', ''),
  ('stats', 'days', ''), ('ledger', 'days', ''), ('segments', 'days', ''), ('crashes', 'both', ''), ('crash_releases', 'both', ''),
  ('cohorts', 'both', $$, '{"did": [{"event": "sale"}]}'$$), ('correlation', 'both', $$, '{"event": "sale"}', '{"event": "sale"}'$$),
  ('funnels', 'rows', $$, '[{"event": "sale"}, {"event": "sale"}]'$$), ('paths', 'rows', ''), ('pages', 'rows', ''), ('rage_clicks', 'rows', ''), ('nps', 'rows', ''),
  ('tasks', 'rows', $$, '{"event": "sale"}', '{"event": "sale"}'$$), ('heavy_users', 'days', '');
SELECT set_eq('SELECT name FROM asked', $$SELECT left(p.proname, -7) FROM pg_proc AS p
  WHERE p.pronamespace = 'weir'::regnamespace AND p.proname ~ '_answer$' AND p.proname <> 'churn_risk_answer'$$, 'all are asked, but for the risk, which has no first day');

-- Of the answers of each kind what they say: 'KIND: REASON', and which of them say so if not all.
CREATE FUNCTION pg_temp.said(first_day date, last_day date, zone text DEFAULT 'UTC') RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
  one record;
  answer jsonb;
BEGIN
  FOR one IN SELECT * FROM asked LOOP
    EXECUTE format('SELECT weir.%I(%L, %L, %L, %L%s)', one.name || '_answer', 'acme', first_day, last_day, zone, one.more) INTO answer;
    IF answer ? 'incomplete' AND answer -> 'exact' <> 'false' OR NOT answer ?& '{exact,as_of,tenant,from,to,zone}'
      OR answer::text LIKE '%"p95"%' AND answer -> 'error' IS DISTINCT FROM '{"percentiles": 0.01}' OR NOT (answer ? 'incomplete') AND answer -> 'exact' = 'false' THEN
      RETURN NEXT one.name || ' contradicts itself: ' || answer::text;
    END IF;
    RETURN NEXT one.kind || coalesce(': ' || (answer ->> 'incomplete'), '');
  END LOOP;
END
$$;
SELECT set_eq($$SELECT pg_temp.said('2026-03-02', '2026-03-05')$$, '{days,both,rows}'::text[], 'while all rows are there, nothing is missing');

DELETE FROM weir.events WHERE tenant_id = 'acme' AND "timestamp" BETWEEN '2026-03-03Z' AND '2026-03-04Z';
DELETE FROM weir.crashes WHERE tenant_id = 'acme' AND "timestamp" BETWEEN '2026-03-03Z' AND '2026-03-04Z';
SELECT note_gone_days('acme');
SELECT is(weir_api.daily('ada', 'acme', '2026-03-03', '2026-03-04')::jsonb - 'days', jsonb_build_object('tenant', 'acme', 'from', '2026-03-03',
  'to', '2026-03-04', 'zone', 'UTC', 'exact', true, 'as_of', now()), 'the figures of each day are what the flusher added up: none is missing');
SELECT set_eq($$SELECT pg_temp.said('2026-03-03', '2026-03-03')$$, ARRAY['days', 'both: rows of some days were dropped, and this needs them',
  'rows: rows of some days were dropped, and this needs them'], 'where rows were dropped, all lack them that need them');
SELECT set_eq($$SELECT pg_temp.said('2026-03-04', '2026-03-05')$$, '{days,both,rows}'::text[], 'of days after it nothing is missing: which groups of crashes there were before is kept');
UPDATE asked SET kind = 'history' WHERE name = 'crash_releases';
DELETE FROM weir.day_crash_groups WHERE tenant_id = 'acme' AND day = '2026-03-03';
SELECT set_eq($$SELECT pg_temp.said('2026-03-04', '2026-03-05')$$, ARRAY['days', 'both', 'rows', 'history: rows of some days were dropped, and this needs them'],
  'where that was not kept, what asks whether a group was there before lacks it');
UPDATE asked SET kind = 'both' WHERE name = 'crash_releases';
SELECT is(crashes_answer('acme', '2026-03-04', '2026-03-05') #> '{first_crash,users}', '1',
  'a crash is not the first one of who had another on a day that was dropped');
SELECT is(cohorts_answer('acme', '2026-03-03', '2026-03-03', 'UTC', '{"did": [{"event": "sale"}]}') - '{days,weeks,as_of,events,active_days}'::text[],
  '{"tenant": "acme", "from": "2026-03-03", "to": "2026-03-03", "zone": "UTC", "size": 0, "share": 0, "exact": false,
    "incomplete": "rows of some days were dropped, and this needs them"}', 'which is why nobody fits a rule');

-- A clock of its own: Berlin's third of March begins on the UTC day of the second, and ends on the third.
SELECT is(users_answer('acme', '2026-03-03', '2026-03-03', 'Europe/Berlin') ->> 'incomplete', 'the zone is not kept, and rows of some days were dropped', 'a zone that is not kept');
SELECT is(users_answer('acme', '2026-03-05', '2026-03-05', 'Europe/Berlin') ->> 'incomplete', 'the zone is not kept, and rows of some days were dropped',
  'which looks back at thirty days');
SELECT is(usage_answer('acme', '2026-03-05', '2026-03-05', 'Europe/Berlin') ->> 'incomplete', NULL, 'a day that has all of its rows');
SELECT is(usage_answer('acme', '2026-03-04', '2026-03-04', 'Europe/Berlin') ->> 'incomplete', 'the zone is not kept, and rows of some days were dropped',
  'a day that has the last hour of one that was dropped');
SELECT is(usage_answer('acme', '2026-03-03', '2026-03-03', 'America/New_York') ->> 'incomplete', 'the zone is not kept, and rows of some days were dropped', 'west of it too');
SELECT is(usage_answer('acme', '2026-03-04', '2026-03-04', 'America/New_York') ->> 'incomplete', NULL, 'where the next day has none of it');
SELECT is(heavy_users_answer('acme', '2026-03-01', '2026-03-31', 'Europe/Berlin') ->> 'incomplete', NULL, 'what was added up once is there, dropped or not');
SELECT is(heavy_users_answer('acme', '2026-03-03', '2026-03-31', 'America/New_York') ->> 'incomplete', 'rows of some days were dropped, and this needs them',
  'but for a day that the zone cuts');
SELECT is(heavy_users_answer('acme', '2026-03-01', '2026-03-31', 'UTC', 'recordings') ->> 'incomplete', 'rows of some days were dropped, and this needs them', 'and for a measure');

SELECT keep_zone('acme', 'Europe/Berlin');
SELECT pg_temp.build();
UPDATE weir.report_zones SET ready_at = now() + interval '1 second' WHERE tenant_id = 'acme';
SELECT is(users_answer('acme', '2026-03-03', '2026-03-03', 'Europe/Berlin') ->> 'incomplete', 'rows of some days were dropped before the zone was kept', 'a zone that is kept too late');
UPDATE weir.gone_days SET found_at = now() + interval '1 minute' WHERE tenant_id = 'acme';
SELECT is(users_answer('acme', '2026-03-03', '2026-03-03', 'Europe/Berlin') ->> 'incomplete', NULL, 'one that was kept before');

UPDATE weir.gone_days SET came_late = true WHERE tenant_id = 'acme';
SELECT set_eq($$SELECT pg_temp.said('2026-03-03', '2026-03-03')$$, ARRAY['days: rows came late for days whose rows were dropped: they are not counted, but their users are among all and, on their first day, new ones',
  'both: rows of some days were dropped, and this needs them', 'rows: rows of some days were dropped, and this needs them'], 'rows that came too late');
DELETE FROM weir.gone_days WHERE tenant_id = 'acme';

-- Rows and roll-ups are not of one moment while a day of the window is to be built anew.
INSERT INTO weir.touched_days (tenant_id, day) VALUES ('acme', '2026-03-05');
SELECT set_eq($$SELECT pg_temp.said('2026-03-04', '2026-03-05')$$, ARRAY['days', 'both: what was stored since `as_of` counts in part', 'rows'],
  'rows that are stored and not counted yet');
SELECT set_eq($$SELECT pg_temp.said('2026-03-02', '2026-03-03')$$, '{days,both,rows}'::text[], 'which are of another window');
SELECT is(usage_answer('acme', '2026-03-05', '2026-03-05', 'Asia/Tokyo') ->> 'incomplete', 'what was stored since `as_of` counts in part', 'a zone that is not kept mixes, too');
INSERT INTO weir.touched_days (tenant_id, day, marked_at) VALUES ('acme', '2025-01-01', '-infinity');
DELETE FROM weir.touched_days WHERE isfinite(marked_at);
SELECT set_eq($$SELECT pg_temp.said('2026-03-04', '2026-03-05')$$, ARRAY['days: figures are being made anew', 'both: figures are being made anew', 'rows'],
  'a rebuild that goes on');
SELECT is(heavy_users_answer('acme', '2026-03-04', '2026-03-05', 'Asia/Tokyo') ->> 'incomplete', 'figures are being made anew', 'and makes what the flusher adds up anew, too');
SELECT is(users_answer('acme', '2026-03-04', '2026-03-05') -> 'as_of', 'null', 'of which nobody knows up to when it counts');
SELECT is(weir_api.daily('ada', 'acme', '2026-03-04', '2026-03-05')::jsonb - '{days,as_of}'::text[], '{"tenant": "acme", "from": "2026-03-04",
  "to": "2026-03-05", "zone": "UTC", "exact": false, "incomplete": "figures are being made anew"}', 'the figures of each day say so, too');
SELECT is(churn_risk_answer('acme', '2026-03-05') - '{weights,bands,distribution,users,as_of,scored}'::text[], '{"tenant": "acme", "from": "2025-12-06", "to": "2026-03-05",
  "zone": "UTC", "exact": false, "incomplete": "figures are being made anew"}', 'the risk of churn says it of the 90 days it looks at');
SELECT is(weir_ledger.summary('2026-03-04', '2026-03-05') ->> 'incomplete', 'figures are being made anew', 'and the ledger of all tenants of any');
SELECT is(weir_ledger.summary('2026-03-04', '2026-03-05', 'UTC', 'globex') ->> 'incomplete', NULL, 'but not of another one');
SELECT is(pg_get_functiondef('weir.why_incomplete(text,text,date,date,text)'::regprocedure) ~ '\m(events|crashes|day_[a-z]+|user_[a-z]+)\M', false,
  'it is cheap: none of the large tables is read');
SELECT * FROM finish();
ROLLBACK;
