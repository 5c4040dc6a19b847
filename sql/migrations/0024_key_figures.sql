-- What the key figures of /stats need to have kept: which features were switched, and on or off, and the model
-- that a command asked for.
SET LOCAL ROLE weir_owner;

INSERT INTO weir.dimensions (subject, event, property) VALUES
  ('toggled', 'feature_toggled', 'feature'),
  ('toggled_on', 'feature_toggled', 'enabled'),
  ('model', 'cli_command', 'model_used');

-- Days that are built already lack the new ones.
INSERT INTO weir.touched_days (tenant_id, day, neighbours)
SELECT t.tenant, d.day, false
FROM weir.tenants_with_rows() AS t (tenant), weir.days_with_rows(t.tenant) AS d (day);
