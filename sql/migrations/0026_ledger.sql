-- The adoption ledger (analytics/ledger.sql): its roll-ups, and a role that sees its sums and nothing else.
--
--   weir_ledger  calls the functions of the schema weir_ledger, which return aggregates alone; it reads no table and
--                no view, and can call no other function of Weir's
--
-- Where the role that migrates may not make roles, and no administrator has made weir_ledger, it is left out.
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

DO $$
BEGIN
  IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'weir_ledger') THEN
    GRANT USAGE ON SCHEMA weir_ledger TO weir_ledger;
  END IF;
END
$$;

-- Workspaces of all families together, and of each, which has a bound of its own.
INSERT INTO weir.dimensions (subject, event, property) VALUES
  ('workspace', 'onboarding_checkpoint_completed', 'workspace_id'),
  ('workspace', 'support_diagnostics_opened', 'workspace_id'),
  ('workspace', 'operation_started', 'workspace_id'),
  ('workspace', 'stored_report_created', 'workspace_id'),
  ('workspace', 'review_pack_generation_requested', 'workspace_id'),
  ('onboarding_workspace', 'onboarding_checkpoint_completed', 'workspace_id'),
  ('diagnostics_workspace', 'support_diagnostics_opened', 'workspace_id'),
  ('operation_workspace', 'operation_started', 'workspace_id'),
  ('report_workspace', 'stored_report_created', 'workspace_id'),
  ('review_pack_workspace', 'review_pack_generation_requested', 'workspace_id');

-- Days that are built already lack the new ones.
INSERT INTO weir.touched_days (tenant_id, day, neighbours)
SELECT t.tenant, d.day, false
FROM weir.tenants_with_rows() AS t (tenant), weir.days_with_rows(t.tenant) AS d (day);
