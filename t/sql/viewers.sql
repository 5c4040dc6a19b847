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
  SELECT proname FROM pg_proc WHERE pronamespace = 'weir_api'::regnamespace
    AND NOT (prosecdef AND provolatile = 's' AND proargnames[1] = 'viewer'
      AND 'search_path=pg_catalog, weir, pg_temp' = ANY (coalesce(proconfig, '{}')) AND pg_get_userbyid(proowner) = 'weir_owner')
$$, 'each is SECURITY DEFINER, STABLE, takes the viewer first, and pins its search_path');
SELECT is_empty($$
  SELECT proname FROM pg_proc WHERE pronamespace = 'weir_api'::regnamespace AND proname <> 'tenants'
    AND NOT (proargnames[2] = 'tenant' AND prosrc ~ 'viewed_tenant\(')
$$, 'each but tenants() takes the tenant second, and asks whether the viewer may see it');
SELECT is_empty($$
  SELECT proname FROM pg_proc, aclexplode(coalesce(proacl, acldefault('f', proowner)))
  WHERE pronamespace = 'weir_api'::regnamespace AND grantee = 0
$$, 'nobody else may open one');

SELECT * FROM finish();
ROLLBACK;
