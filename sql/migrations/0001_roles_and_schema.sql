-- Who may do what, where Weir's tables live, and which migrations have been applied.
--
--   weir_owner    owns everything and logs in nowhere; migrations work as this role
--   weir_flusher  inserts rows, keeps the roll-ups and positions, reads no event's contents
--   weir_reader   reads
--
-- Roles belong to the whole cluster: one that is there already, made by an administrator or by
-- another database's migration, is left as it is.
DO $$
DECLARE
  wanted record;
  setting text;
BEGIN
  FOR wanted IN
    SELECT * FROM (VALUES
      ('weir_owner', 'NOLOGIN', '{}'::text[]),
      ('weir_flusher', 'LOGIN', ARRAY['search_path = weir, public']),
      ('weir_reader', 'LOGIN', ARRAY['search_path = weir, public', 'statement_timeout = ''30s'''])
    ) AS role (name, kind, settings)
    WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = role.name)
  LOOP
    BEGIN
      EXECUTE format('CREATE ROLE %I %s', wanted.name, wanted.kind);
      FOREACH setting IN ARRAY wanted.settings LOOP
        EXECUTE format('ALTER ROLE %I SET %s', wanted.name, setting);
      END LOOP;
    EXCEPTION WHEN duplicate_object OR unique_violation THEN
      NULL;  -- another database's migration was faster
    END;
  END LOOP;
  -- From version 16 on, whoever makes a role is a member of it that cannot become it.
  IF NOT pg_has_role(current_user, 'weir_owner',
    CASE WHEN current_setting('server_version_num')::integer < 160000 THEN 'MEMBER' ELSE 'SET' END)
  THEN
    EXECUTE format('GRANT weir_owner TO %I', current_user);
  END IF;
  -- PUBLIC may do both unless an administrator has taken it away.
  IF NOT has_database_privilege('weir_flusher', current_database(), 'CONNECT, TEMPORARY') THEN
    EXECUTE format('GRANT CONNECT, TEMPORARY ON DATABASE %I TO weir_flusher', current_database());
  END IF;
  IF NOT has_database_privilege('weir_reader', current_database(), 'CONNECT') THEN
    EXECUTE format('GRANT CONNECT ON DATABASE %I TO weir_reader', current_database());
  END IF;
END
$$;

CREATE SCHEMA weir AUTHORIZATION weir_owner;

SET LOCAL ROLE weir_owner;

GRANT USAGE ON SCHEMA weir TO weir_flusher, weir_reader;
ALTER DEFAULT PRIVILEGES FOR ROLE weir_owner REVOKE EXECUTE ON ROUTINES FROM PUBLIC;

CREATE TABLE weir.schema_migrations (
  version integer PRIMARY KEY,
  name text NOT NULL,
  checksum text NOT NULL,
  applied_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE weir.schema_migrations IS
  'One row for each file of sql/migrations that weirctl migrate has applied; checksum is SHA-256.';
GRANT SELECT ON weir.schema_migrations TO weir_flusher, weir_reader;

CREATE FUNCTION weir.schema_version() RETURNS integer
LANGUAGE sql STABLE
AS $$ SELECT coalesce(max(version), 0) FROM weir.schema_migrations $$;
COMMENT ON FUNCTION weir.schema_version() IS 'The number of the last migration that was applied.';
GRANT EXECUTE ON FUNCTION weir.schema_version() TO weir_flusher, weir_reader;
