-- Success and errors of the events of recordings and their transcription, so that figures of
-- one of these come from the roll-ups: both have to be kept for an event, else its rows are read.
SET LOCAL ROLE weir_owner;

INSERT INTO weir.dimensions (subject, event, property) VALUES
  ('recording_error_type', 'recording_completed', 'error_type'),
  ('transcription_success', 'transcription_completed', 'success'),
  ('transcription_error_type', 'transcription_completed', 'error_type'),
  ('failure_success', 'transcription_failed', 'success'),
  ('failure_error_type', 'transcription_failed', 'error_type');

-- Days that are built already lack the new ones.
INSERT INTO weir.touched_days (tenant_id, day, neighbours)
SELECT t.tenant, d.day, false
FROM weir.tenants_with_rows() AS t (tenant), weir.days_with_rows(t.tenant) AS d (day);
