-- Who may see which tenant's figures, and the doors through which weir-api sees them.
--
--   weir_api    calls the functions of the schema weir_api, and can do nothing else: it reads no table, and
--               none of the functions that the figures are made of
--
-- A door takes the viewer's name first and the tenant second, and asks weir.viewed_tenant() before it answers.
-- So whatever statement the server might be brought to send, it gets what some viewer may see. Doors are
-- SECURITY DEFINER, STABLE, and named like the path that they answer; a name with `_rows` returns a table, for
-- long CSV. One that does not like an argument raises a data exception whose COLUMN is the parameter's name.
--
-- Where the role that migrates may not make roles, and no administrator has made weir_api, it is left out: once
-- it is made (`CREATE ROLE weir_api LOGIN`), `weirctl migrate` lets it in.
DO $$
BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'weir_api') THEN
    CREATE ROLE weir_api LOGIN;
    ALTER ROLE weir_api SET search_path = pg_catalog;
    ALTER ROLE weir_api SET default_transaction_read_only = on;
    ALTER ROLE weir_api SET statement_timeout = '10s';
  END IF;
EXCEPTION WHEN insufficient_privilege OR duplicate_object OR unique_violation THEN
  NULL;  -- another database's migration was faster, or it is the administrator's to make
END
$$;

CREATE SCHEMA weir_api AUTHORIZATION weir_owner;

SET LOCAL ROLE weir_owner;

CREATE TABLE weir.viewers (
  tenant_id text NOT NULL CHECK (tenant_id <> ''),
  viewer text NOT NULL CHECK (viewer <> ''),
  added_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, viewer)
);
COMMENT ON TABLE weir.viewers IS
  'Which tenants'' figures somebody may see whom the web server calls by that name. See `weirctl viewers`.';
COMMENT ON COLUMN weir.viewers.tenant_id IS '''*'': every tenant.';
GRANT SELECT ON weir.viewers TO weir_reader;

CREATE FUNCTION weir.viewed_tenant(viewer text, tenant text) RETURNS text
LANGUAGE plpgsql STABLE
AS $$
BEGIN
  IF NOT EXISTS (
    SELECT FROM weir.viewers AS v
    WHERE v.tenant_id IN (viewed_tenant.tenant, '*') AND v.viewer = viewed_tenant.viewer)
  THEN
    RAISE insufficient_privilege USING MESSAGE = 'this viewer may not see this tenant';
  END IF;
  RETURN viewed_tenant.tenant;
END
$$;
COMMENT ON FUNCTION weir.viewed_tenant(text, text) IS
  'The tenant, if the viewer may see it, be there one or not; an error else.';

CREATE FUNCTION weir_api.tenants(viewer text) RETURNS TABLE (tenant text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, weir, pg_temp
AS $$
  SELECT v.tenant_id FROM weir.viewers AS v WHERE v.viewer = tenants.viewer ORDER BY v.tenant_id
$$;

-- An answer as it is sent; one that is too large for all of it to be held in memory is an error.
CREATE FUNCTION weir_api.bounded(answer text) RETURNS text
LANGUAGE plpgsql IMMUTABLE
AS $$
BEGIN
  IF octet_length(answer) > 4194304 THEN
    RAISE program_limit_exceeded USING MESSAGE = 'the answer is larger than 4 MB';
  END IF;
  RETURN answer;
END
$$;

-- Names of time zones, so that one need not be looked for in the server's files at each request. What is not
-- here, since a newer time zone database came, weir.known_zone() looks for there.
CREATE TABLE weir.zone_names (name text PRIMARY KEY);
INSERT INTO weir.zone_names
SELECT name FROM pg_timezone_names WHERE name !~ '^(posix/|right/|posixrules$|localtime$|Factory$)';
GRANT SELECT ON weir.zone_names TO weir_reader;

-- Lets the role weir_api, if it is there, open the doors, and no others. `weirctl migrate` calls it each time: an
-- administrator may make the role later than the database.
CREATE FUNCTION weir.admit_api() RETURNS boolean
LANGUAGE plpgsql
AS $$
BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'weir_api') THEN
    RETURN false;
  END IF;
  GRANT USAGE ON SCHEMA weir_api TO weir_api;
  GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA weir_api TO weir_api;
  RETURN true;
END
$$;

SELECT weir.admit_api();
