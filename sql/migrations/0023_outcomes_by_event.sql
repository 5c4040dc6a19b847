-- Success and errors of each event by itself, so that what is asked of one event comes from the roll-ups too: as
-- the subjects EVENT.success and EVENT.error_type.
SET LOCAL ROLE weir_owner;

UPDATE weir.dimensions SET by_event = true WHERE tenant_id = '*' AND event = '*' AND subject IN ('success', 'error_type');

-- Days that are built already lack the new ones.
INSERT INTO weir.touched_days (tenant_id, day, neighbours)
SELECT t.tenant, d.day, false
FROM weir.tenants_with_rows() AS t (tenant), weir.days_with_rows(t.tenant) AS d (day);
