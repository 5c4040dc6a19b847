-- The views for people: their numbers worked out by hand, who sees which tenant, and what their logins may not read.
BEGIN;
SET LOCAL search_path = weir, public;
SET LOCAL client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap SCHEMA public;
SELECT no_plan();

DELETE FROM viewers;
CREATE ROLE bi_one LOGIN IN ROLE weir_bi;
CREATE ROLE bi_two LOGIN IN ROLE weir_bi;
CREATE ROLE bi_all LOGIN IN ROLE weir_bi;
CREATE ROLE bi_none LOGIN IN ROLE weir_bi;
INSERT INTO viewers (viewer, tenant_id) VALUES ('bi_one', 'acme'), ('bi_two', 'acme'), ('bi_two', 'globex'), ('bi_all', '*');

-- Monday 2026-03-02 to Monday the 9th.
CREATE TEMPORARY TABLE said (tenant text, person text, at timestamptz, session text, event text, version text, properties jsonb);
INSERT INTO said VALUES
  ('acme', 'ann', '2026-03-02T10:00Z', 'a', 'opened', '1.0', '{"seconds": 2, "browser": "Chrome"}'),
  ('acme', 'ann', '2026-03-02T10:10Z', 'a', 'saved', '1.0', '{"seconds": 4}'),
  ('acme', 'ben', '2026-03-02T11:00Z', 'b', 'opened', '1.1', NULL),
  ('acme', NULL, '2026-03-02T11:30Z', NULL, 'opened', '1.1', NULL),
  ('acme', 'ann', '2026-03-03T10:00Z', 'c', 'opened', '1.1', NULL),
  ('acme', 'cat', '2026-03-03T23:59Z', 'd', 'opened', '1.1', NULL),
  ('acme', 'ann', '2026-03-09T00:00Z', 'e', 'opened', '1.1', NULL),
  ('globex', 'ann', '2026-03-02T10:00Z', 'f', 'opened', '7.0', NULL);
INSERT INTO weir.events (event_id, tenant_id, user_id, session_id, event, app_version, country, properties, "timestamp", client_timestamp)
SELECT gen_random_uuid(), tenant, person, session, event, version, 'DE', properties, at, at FROM said;
INSERT INTO weir.crashes (crash_id, tenant_id, user_id, app_version, crash_type, error_message, stack_trace, fingerprint, "timestamp", client_timestamp)
SELECT gen_random_uuid(), tenant, person, '1.0', 'panic', message, 'a trace', 'g1', at::timestamptz, at::timestamptz
FROM (VALUES ('acme', 'ann', '2026-03-02T10:05Z', 'older'), ('acme', 'eve', '2026-03-02T12:00Z', 'newest'),
  ('globex', 'ann', '2026-03-02T10:00Z', 'elsewhere')) AS fell (tenant, person, at, message);
INSERT INTO weir.day_measures (tenant_id, day, measure, events, total) VALUES
  ('acme', '2026-03-02', 'cost_usd', 3, 1.5), ('globex', '2026-03-02', 'cost_usd', 1, 9);
INSERT INTO weir.touched_days (tenant_id, day) SELECT DISTINCT tenant, (at AT TIME ZONE 'UTC')::date FROM said;
DO $$
BEGIN
  WHILE (SELECT state FROM weir.refresh_roll_ups()) = 'built' LOOP
    NULL;
  END LOOP;
END
$$;

-- What they say.
SET LOCAL search_path = weir_bi, public;
SET LOCAL ROLE bi_one;
SELECT results_eq($$SELECT day, events, active_users, new_users, total_users, sessions, crashed_sessions, seconds_per_session,
    crashes, crashed_users FROM daily ORDER BY day$$, $$VALUES
  ('2026-03-02'::date, 4::bigint, 2::bigint, 2::bigint, 2::bigint, 2::bigint, 1::bigint, 300.0, 2::bigint, 2::bigint),
  ('2026-03-03', 2, 2, 1, 3, 2, 0, 0.0, 0, 0), ('2026-03-09', 1, 1, 0, 3, 1, 0, 0.0, 0, 0)$$, 'daily');
SELECT results_eq($$SELECT day, event, events, users FROM events_by_day ORDER BY 1, 2$$, $$VALUES
  ('2026-03-02'::date, 'opened', 3::bigint, 2::bigint), ('2026-03-02', 'saved', 1, 1), ('2026-03-03', 'opened', 2, 2),
  ('2026-03-09', 'opened', 1, 1)$$, 'events by day');
SELECT results_eq($$SELECT at, event, events FROM events_by_hour WHERE at < '2026-03-03T11:00Z' ORDER BY 1, 2$$, $$VALUES
  ('2026-03-02T10:00Z'::timestamptz, 'opened', 1::bigint), ('2026-03-02T10:00Z', 'saved', 1), ('2026-03-02T11:00Z', 'opened', 2),
  ('2026-03-03T10:00Z', 'opened', 1)$$, 'events by hour');
SELECT results_eq($$SELECT version, events, users FROM versions_by_day WHERE day = '2026-03-02' ORDER BY 1$$,
  $$VALUES ('1.0', 2::bigint, 1::bigint), ('1.1', 2, 1)$$, 'versions by day: whom nobody knows is an event, and no user');
SELECT results_eq($$SELECT country, users FROM countries_by_day WHERE day = '2026-03-03'$$, $$VALUES ('DE', 2::bigint)$$, 'countries by day');
SELECT results_eq($$SELECT value, users FROM values_by_day WHERE subject = 'browser'$$, $$VALUES ('Chrome', 1::bigint)$$, 'values of a dimension');
SELECT is_empty('SELECT * FROM platforms_by_day', 'none of what nobody said');
SELECT results_eq($$SELECT day, crash_group, crashes, users FROM crashes_by_day$$,
  $$VALUES ('2026-03-02'::date, 'g1', 2::bigint, 2::bigint)$$, 'crashes by day and group');
SELECT results_eq($$SELECT crash_group, type, message, crashes, users, first_seen FROM crash_groups$$,
  $$VALUES ('g1', 'panic', 'newest', 2::bigint, 2::bigint, '2026-03-02T10:05Z'::timestamptz)$$, 'groups of crashes');
SELECT results_eq($$SELECT week, weeks_later, new_users, active_users FROM cohorts_by_week ORDER BY 1, 2$$,
  $$VALUES ('2026-03-02'::date, 0, 3::bigint, 3::bigint), ('2026-03-02', 1, 3, 1)$$, 'cohorts by week');
SELECT results_eq($$SELECT measure, events, total FROM measures_by_day$$, $$VALUES ('cost_usd', 3::bigint, 1.5)$$, 'measures by day');
SELECT results_eq($$SELECT event, property, numbers, total, lowest, highest FROM numbers_by_day ORDER BY 1$$,
  $$VALUES ('opened', 'seconds', 1::bigint, 2::numeric, 2::numeric, 2::numeric), ('saved', 'seconds', 1, 4, 4, 4)$$, 'numbers by day');
RESET ROLE;

-- What is beyond the bound of a day has a name.
INSERT INTO weir.day_counts (tenant_id, zone, subject, value, day, events, hours)
SELECT 'acme', 'UTC', 'event_other', '', '2026-03-05', 5, array_fill(0::bigint, ARRAY[23]) || 5::bigint;
INSERT INTO weir.day_sets (tenant_id, zone, subject, value, day, chunk, users)
SELECT 'acme', 'UTC', 'event_other', '', '2026-03-05', chunk, repeat('1', 3)::bit(20480) FROM generate_series(0, 1) AS chunk;
SET LOCAL ROLE bi_one;
SELECT results_eq($$SELECT event, events, users FROM events_by_day WHERE day = '2026-03-05'$$,
  $$VALUES ('(others)', 5::bigint, 6::bigint)$$, 'values beyond the bound are (others), with users of all chunks');
SELECT results_eq($$SELECT at, event, events FROM events_by_hour WHERE at > '2026-03-05T00:00Z' AND at < '2026-03-06T00:00Z'$$,
  $$VALUES ('2026-03-05T23:00Z'::timestamptz, '(others)', 5::bigint)$$, 'by hour, too');
RESET ROLE;

-- Who sees what, in each of them.
CREATE FUNCTION pg_temp.seen(role text, relation text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  tenants text;
BEGIN
  EXECUTE format('SET LOCAL ROLE %I', role);
  EXECUTE format('SELECT string_agg(DISTINCT tenant, '' '' ORDER BY tenant) FROM weir_bi.%I WHERE tenant IN (''acme'', ''globex'')', relation) INTO tenants;
  RESET ROLE;
  RETURN coalesce(tenants, 'nothing');
END
$$;
CREATE TEMPORARY TABLE view_names AS
SELECT relname::text AS name FROM pg_class WHERE relnamespace = 'weir_bi'::regnamespace AND relkind = 'v'
  AND relname NOT IN ('platforms_by_day', 'numbers_by_day');
SELECT is(pg_temp.seen('bi_one', name), 'acme', name || ': a login of one tenant sees that') FROM view_names;
SELECT is(pg_temp.seen('bi_two', name), 'acme globex', name || ': one of two sees both') FROM view_names;
SELECT is(pg_temp.seen('bi_all', name), 'acme globex', name || ': one of all sees both') FROM view_names;
SELECT is(pg_temp.seen('bi_none', name), 'nothing', name || ': one that was not added sees nothing') FROM view_names;
SELECT is(pg_temp.seen('bi_one', 'numbers_by_day'), 'acme', 'numbers_by_day: one tenant');
SELECT is(pg_temp.seen('bi_none', 'numbers_by_day'), 'nothing', 'numbers_by_day: nothing');

-- A function that tells what it is given is not given what its caller may not see.
CREATE FUNCTION public.tells(text) RETURNS boolean LANGUAGE plpgsql COST 0.0001 AS $$
BEGIN
  RAISE EXCEPTION 'seen: %', $1;
END
$$;
GRANT EXECUTE ON FUNCTION public.tells(text) TO bi_none;
SET LOCAL ROLE bi_none;
SELECT is_empty('SELECT * FROM daily WHERE public.tells(tenant)', 'conditions come after the filter: daily');
SELECT is_empty('SELECT * FROM events_by_day WHERE public.tells(event)', 'events_by_day');
SELECT is_empty('SELECT * FROM crash_groups WHERE public.tells(message)', 'crash_groups');
RESET ROLE;

-- What the role may not.
SELECT is_empty($$
  SELECT relname FROM pg_class WHERE relnamespace IN ('weir'::regnamespace, 'weir_lease'::regnamespace, 'weir_api'::regnamespace)
    AND relkind IN ('r', 'p', 'v', 'm', 'S') AND has_table_privilege('weir_bi', oid, 'SELECT, INSERT, UPDATE, DELETE')
$$, 'weir_bi reads no table or view of another schema');
SELECT is_empty($$
  SELECT relname, privilege FROM pg_class, unnest(ARRAY['INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'REFERENCES', 'TRIGGER']) AS privilege
  WHERE relnamespace = 'weir_bi'::regnamespace AND has_table_privilege('weir_bi', oid, privilege)
$$, 'and may only select');
SELECT is_empty($$
  SELECT nspname FROM pg_namespace WHERE nspname IN ('weir', 'weir_lease', 'weir_api') AND has_schema_privilege('weir_bi', oid, 'USAGE, CREATE')
$$, 'it may not so much as name what is there');
SELECT ok(NOT has_schema_privilege('weir_bi', 'weir_bi', 'CREATE'), 'nor create anything in its own');
SELECT is_empty($$
  SELECT proname FROM pg_proc WHERE pronamespace IN ('weir'::regnamespace, 'weir_api'::regnamespace) AND has_function_privilege('weir_bi', oid, 'EXECUTE')
$$, 'and calls none of Weir''s functions');
SELECT is_empty($$
  SELECT rolname FROM pg_roles WHERE rolname = 'weir_bi' AND (rolcanlogin OR rolsuper OR rolcreaterole OR rolcreatedb OR rolreplication OR rolbypassrls)
$$, 'it is a group without a login of its own');
SELECT is_empty($$SELECT * FROM pg_auth_members WHERE member = 'weir_bi'::regrole$$, 'and a member of no other');
SELECT throws_ok(format('SET LOCAL ROLE bi_one; %s', statement), '42501', NULL, 'may not: ' || statement)
FROM unnest(ARRAY['SELECT * FROM weir.events', 'SELECT user_id FROM weir.user_days', 'SELECT stack_trace FROM weir.crashes',
  'SELECT * FROM weir.viewers', 'INSERT INTO weir.viewers VALUES (''globex'', ''bi_one'')', 'SELECT * FROM weir.dead_letters',
  'SELECT weir.users_answer(''acme'', ''2026-03-01'', ''2026-03-31'')', 'SELECT weir_api.tenants(''bi_all'')',
  'CREATE TABLE weir_bi.mine ()', 'CREATE VIEW weir_bi.mine AS SELECT 1']) AS statement;
RESET ROLE;

-- The views themselves.
SELECT is_empty($$
  SELECT relname FROM pg_class WHERE relnamespace = 'weir_bi'::regnamespace
    AND NOT ('security_barrier=true' = ANY (coalesce(reloptions, '{}')) AND pg_get_userbyid(relowner) = 'weir_owner')
$$, 'each is a barrier, and weir_owner''s');
SELECT is_empty($$
  SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'weir_bi'
    AND column_name IN ('user_id', 'session_id', 'stack_trace', 'context', 'properties')
$$, 'none has a user, a session, a trace or properties');
SELECT is_empty($$
  SELECT relname FROM pg_class AS c, aclexplode(coalesce(c.relacl, acldefault('r', c.relowner))) AS a
  WHERE relnamespace = 'weir_bi'::regnamespace AND a.grantee = 0
$$, 'nobody else may read them');

SELECT is_empty($$SELECT relname FROM pg_class WHERE relnamespace = 'weir_bi'::regnamespace AND relkind = 'v' AND obj_description(oid, 'pg_class') IS NULL$$, 'each view says what it is');
SELECT * FROM finish();
ROLLBACK;
