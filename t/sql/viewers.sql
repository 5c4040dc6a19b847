-- Who may see whose figures, and that weir_api reaches nothing but doors that ask for that.
BEGIN;
SET LOCAL search_path = weir, public;
SET LOCAL client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap SCHEMA public;
SELECT no_plan();

DELETE FROM viewers;
INSERT INTO viewers (viewer, tenant_id) VALUES ('ada', 'acme'), ('both', 'acme'), ('both', 'globex'), ('root', '*');

SELECT is(viewed_tenant(viewer, tenant), tenant, viewer || ' may see ' || tenant)
FROM (VALUES ('ada', 'acme'), ('both', 'globex'), ('root', 'anyone')) AS t (viewer, tenant);
SELECT throws_ok(format('SELECT weir.viewed_tenant(%L, %L)', viewer, tenant), '42501', NULL,
  format('%L may not see %L', viewer, tenant))
FROM (VALUES ('ada', 'globex'), ('ada', '*'), ('ada', NULL), (NULL, 'acme'), ('*', 'acme'), ('', 'acme'), ('both', '*'),
  ('ada', 'ACME'), ('ada', ' acme')) AS t (viewer, tenant);
SELECT set_eq($$SELECT tenant FROM weir_api.tenants('both')$$, ARRAY['acme', 'globex'], 'somebody''s tenants');
SELECT is_empty($$SELECT tenant FROM weir_api.tenants('nobody')$$, 'nobody has none');
SELECT throws_ok($$INSERT INTO viewers VALUES ('', 'x')$$, '23514', NULL, 'no tenant without a name');

-- The role.
SELECT set_eq($$
  SELECT proname FROM pg_proc WHERE pronamespace::regnamespace::text NOT IN ('pg_catalog', 'information_schema', 'public')
    AND has_function_privilege('weir_api', oid, 'EXECUTE')
$$, $$SELECT proname FROM pg_proc WHERE pronamespace = 'weir_api'::regnamespace$$, 'weir_api may call every door, and nothing else');
SELECT is_empty($$
  SELECT relname FROM pg_class WHERE relnamespace IN ('weir'::regnamespace, 'weir_lease'::regnamespace, 'weir_api'::regnamespace)
    AND relkind IN ('r', 'p', 'v', 'm', 'S') AND has_table_privilege('weir_api', oid, 'SELECT, INSERT, UPDATE, DELETE')
$$, 'and reads no table');
SELECT ok(NOT has_schema_privilege('weir_api', 'weir', 'USAGE'), 'nor names one');
SELECT is_empty($$
  SELECT rolname FROM pg_roles WHERE rolname = 'weir_api'
    AND (rolsuper OR rolcreaterole OR rolcreatedb OR rolreplication OR rolbypassrls)
$$, 'it is an ordinary role');
SELECT is_empty($$SELECT * FROM pg_auth_members WHERE member = 'weir_api'::regrole$$, 'and a member of no other');

-- The doors.
SELECT is_empty($$
  SELECT proname FROM pg_proc WHERE pronamespace = 'weir_api'::regnamespace AND proname NOT IN ('bounded', 'warm_up')
    AND NOT (prosecdef AND provolatile = 's' AND proargnames[1] = 'viewer'
      AND 'search_path=pg_catalog, weir, pg_temp' = ANY (coalesce(proconfig, '{}')) AND pg_get_userbyid(proowner) = 'weir_owner')
$$, 'each is SECURITY DEFINER, STABLE, takes the viewer first, and pins its search_path');
-- Each is called for a tenant that the viewer may not see, with whatever else it takes.
CREATE FUNCTION pg_temp.refuses(door regprocedure) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE (SELECT format('SELECT count(*) FROM %s.%I(''ada'', ''globex''%s)', 'weir_api', p.proname, repeat(', NULL', p.pronargs - 2))
    FROM pg_proc AS p WHERE p.oid = door);
  RETURN false;
EXCEPTION WHEN insufficient_privilege THEN
  RETURN SQLERRM = 'this viewer may not see this tenant';
END $$;
SELECT is_empty($$
  SELECT oid::regprocedure FROM pg_proc WHERE pronamespace = 'weir_api'::regnamespace AND proname NOT IN ('tenants', 'bounded', 'warm_up')
    AND NOT (proargnames[2] = 'tenant' AND pg_temp.refuses(oid))
$$, 'each but tenants() takes the tenant second, and refuses one that the viewer may not see');

SELECT is(weir_api.warm_up()::text, NULL, 'what a new session plans is nobody''s figures, and none of them is told');
SELECT is(weir_api.bounded('{}'), '{}', 'an answer is sent as it is');
SELECT is(octet_length(weir_api.bounded(repeat('x', 4194304))), 4194304, 'up to 4 MB');
SELECT throws_ok($$SELECT weir_api.bounded(repeat('x', 4194305))$$, '54000', NULL, 'and no further');

-- Zones and windows that were asked for.
SELECT is(known_zone(zone), zone, zone || ' is a zone') FROM (VALUES ('UTC'), ('Europe/Berlin'), ('Etc/GMT+5')) AS t (zone);
SELECT throws_ok(format('SELECT weir.known_zone(%L)', zone), '22023', NULL, zone || ' is none')
FROM (VALUES ('posixrules'), ('FOO+5'), ('FOO5BAR'), ('europe/berlin'), ('posix/Europe/Berlin'), ('localtime'), ('Factory'), ('')) AS t (zone);
DELETE FROM zone_names WHERE name = 'Europe/Berlin';
SELECT is(known_zone('Europe/Berlin'), 'Europe/Berlin', 'one that came later is a zone, too');
SELECT throws_ok($$SELECT * FROM weir.asked_window(current_date + 3, NULL, 'UTC')$$, '22008', NULL, 'no window begins in the future');
SELECT throws_ok($$SELECT * FROM weir.asked_window(NULL, current_date + 33, 'UTC')$$, '22008', NULL, 'nor by its end');
SELECT lives_ok($$SELECT * FROM weir.asked_window(current_date, current_date + 33, 'UTC')$$, 'it may end there');

-- A role that is made later than the database.
REVOKE ALL ON SCHEMA weir_api FROM weir_api;
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA weir_api FROM weir_api;
SELECT ok(admit_api() AND has_schema_privilege('weir_api', 'weir_api', 'USAGE')
  AND has_function_privilege('weir_api', 'weir_api.tenants(text)', 'EXECUTE'), 'is let in');

SELECT is_empty($$
  SELECT proname FROM pg_proc, aclexplode(coalesce(proacl, acldefault('f', proowner)))
  WHERE pronamespace = 'weir_api'::regnamespace AND grantee = 0
$$, 'nobody else may open one');

-- By the version of an answer it is told whether that still holds.
CREATE TEMPORARY TABLE versions (step serial, version text);
CREATE FUNCTION pg_temp.is_another(claim text) RETURNS text LANGUAGE sql AS $$
  INSERT INTO versions (version) VALUES (weir_api.version('ada', 'acme'));
  SELECT ok((SELECT count(*) = 1 FROM versions AS v WHERE v.version = (SELECT version FROM versions ORDER BY step DESC LIMIT 1)), claim)
$$;
SELECT pg_temp.is_another('a version');
SELECT is(weir_api.version('ada', 'acme'), weir_api.version('root', 'acme'), 'is the same for whoever asks');
SELECT isnt(weir_api.version('root', 'acme'), weir_api.version('root', 'globex'), 'but not for another tenant');
SELECT throws_ok($$SELECT weir_api.version('ada', 'globex')$$, '42501', NULL, 'nor for who may not see it');
INSERT INTO touched_days (tenant_id, day) VALUES ('globex', '2026-03-01');
INSERT INTO weir.measures (tenant_id, measure, event) VALUES ('globex', 'events', '*');
SELECT is(weir_api.version('ada', 'acme'), (SELECT version FROM versions), 'what another tenant does is nothing to it');
INSERT INTO touched_days (tenant_id, day) VALUES ('acme', '2026-03-01');
SELECT pg_temp.is_another('another when rows were stored');
INSERT INTO touched_days (tenant_id, day) VALUES ('acme', '2026-03-01');
SELECT pg_temp.is_another('and when more were, of the same day');
SELECT is(state, 'built', 'a day is built') FROM refresh_roll_ups('acme');
SELECT pg_temp.is_another('another when they were counted');
SELECT ok(rebuild_day('acme', '2026-03-01', false), 'a day is rebuilt');
SELECT pg_temp.is_another('and when a day was made anew');
INSERT INTO measures (tenant_id, measure, event) VALUES ('acme', 'events', '*');
SELECT pg_temp.is_another('another when it was said anew what a measure is');
INSERT INTO dimensions (tenant_id, subject, event, property) VALUES ('acme', 'plan', '*', 'plan');
SELECT pg_temp.is_another('or what a dimension');

SELECT * FROM finish();
ROLLBACK;
