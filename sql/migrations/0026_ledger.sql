-- The adoption ledger (analytics/ledger.sql): its roll-ups, and a role that sees its sums and nothing else.
--
--   weir_ledger  calls the functions of the schema weir_ledger, which return aggregates alone; it reads no table and
--                no view, and can call no other function of Weir's
--
-- Where the role that migrates may not make roles, and no administrator has made weir_ledger, it is left out until he has.
DO $$
BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'weir_ledger') THEN
    CREATE ROLE weir_ledger LOGIN;
    ALTER ROLE weir_ledger SET search_path = weir_ledger;
    ALTER ROLE weir_ledger SET default_transaction_read_only = on;
    ALTER ROLE weir_ledger SET statement_timeout = '10s';
  END IF;
EXCEPTION WHEN insufficient_privilege OR duplicate_object OR unique_violation THEN
  NULL;  -- another database's migration was faster, or it is the administrator's to make
END
$$;

CREATE SCHEMA weir_ledger AUTHORIZATION weir_owner;

SET LOCAL ROLE weir_owner;

-- Lets the role in, if it is there: `weirctl migrate` calls it each time, as weir.admit_api().
CREATE FUNCTION weir.admit_ledger() RETURNS boolean
LANGUAGE plpgsql
AS $$
BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'weir_ledger') THEN
    RETURN false;
  END IF;
  GRANT USAGE ON SCHEMA weir_ledger TO weir_ledger;
  GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA weir_ledger TO weir_ledger;
  RETURN true;
END
$$;

-- Workspaces of all families together, and of each, which has a bound of its own. What no user has initiated, as a job at
-- night has, is not of the ledger.
INSERT INTO weir.dimensions (subject, event, property, of_users) VALUES
  ('workspace', 'onboarding_checkpoint_completed', 'workspace_id', true),
  ('workspace', 'support_diagnostics_opened', 'workspace_id', true),
  ('workspace', 'operation_started', 'workspace_id', true),
  ('workspace', 'stored_report_created', 'workspace_id', true),
  ('workspace', 'review_pack_generation_requested', 'workspace_id', true),
  ('onboarding_workspace', 'onboarding_checkpoint_completed', 'workspace_id', true),
  ('diagnostics_workspace', 'support_diagnostics_opened', 'workspace_id', true),
  ('operation_workspace', 'operation_started', 'workspace_id', true),
  ('report_workspace', 'stored_report_created', 'workspace_id', true),
  ('review_pack_workspace', 'review_pack_generation_requested', 'workspace_id', true);

-- Days that are built already lack the new ones.
INSERT INTO weir.touched_days (tenant_id, day, neighbours)
SELECT t.tenant, d.day, false
FROM weir.tenants_with_rows() AS t (tenant), weir.days_with_rows(t.tenant) AS d (day);
