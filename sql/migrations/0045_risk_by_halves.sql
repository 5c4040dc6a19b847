-- The risk of churn is worked out by two processes, every other chunk of users each: what it asks of sets may run in either.
SET LOCAL ROLE weir_owner;

ALTER FUNCTION weir.sum_of_sets(varbit[], integer[]) PARALLEL SAFE;

-- They are asked of one half now (analytics/segments.sql). Where one was never made there is nothing to say.
SET LOCAL client_min_messages = warning;
DROP FUNCTION IF EXISTS
  weir.churn_sets(text, date, text),
  weir.ends_of_users(text, date, text);
