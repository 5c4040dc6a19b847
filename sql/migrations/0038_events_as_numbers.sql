-- Funnels and tasks look for each user's events in sorted numbers, one for an event (analytics/happened.sql), and read what no pack
-- has once for all steps: as a list of this type.
SET LOCAL ROLE weir_owner;
SET LOCAL client_min_messages = warning;

CREATE TYPE weir.moment AS (place integer, number bigint, at timestamptz, value text);
COMMENT ON TYPE weir.moment IS 'An event: which of several patterns it fits, its user, when it was, and a value of it, such as its country.';

-- Functions that had other parameters, or are needed no more.
DROP FUNCTION IF EXISTS
  weir.all_funnel_cells(bigint[], text, date, date, text, jsonb, integer, text, jsonb),
  weir.all_task_slots(bigint[], text, date, date, text, timestamptz, timestamptz, bigint, bigint, bigint, jsonb, boolean, text, bigint, integer),
  weir.funnel_cells(bigint, bigint, text, date, date, text, jsonb, integer, text, jsonb),
  weir.funnel_followers(bigint, bigint, text, timestamptz, timestamptz, jsonb, jsonb, timestamptz[], timestamptz[], interval, boolean),
  weir.funnel_rows(bigint, bigint, text, timestamptz, timestamptz, jsonb, text, jsonb),
  weir.funnel_seconds(bigint, bigint, text, timestamptz, timestamptz, jsonb, jsonb, timestamptz[], boolean, interval),
  weir.funnel_starts(bigint, bigint, text, date, date, text, jsonb, jsonb),
  weir.funnel_users(bigint, bigint, text, date, date, text, jsonb, integer, text, jsonb, integer, integer[], interval),
  weir.quick_task_starts(bigint, bigint, text, timestamptz, timestamptz, jsonb, boolean, bigint, integer),
  weir.rule_counts(text, date, date, text, jsonb),
  weir.task_starts(bigint, bigint, text, timestamptz, timestamptz, jsonb, boolean, text),
  weir.task_slots(bigint, bigint, text, date, date, text, timestamptz, timestamptz, bigint, bigint, bigint, jsonb, boolean, text, bigint, integer);
