-- What sql/analytics/loads.sql and segments.sql had before they took numbers apart of some users alone.
SET LOCAL ROLE weir_owner;
SET LOCAL client_min_messages = warning;

DROP FUNCTION IF EXISTS
  weir.churn_days(text, date, text, integer),
  weir.number_at(varbit[], integer, integer),
  weir.unpacked(integer, varbit[]);
