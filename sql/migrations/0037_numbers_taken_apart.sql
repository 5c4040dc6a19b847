-- What sql/analytics/loads.sql had before it took numbers apart of some users alone.
SET LOCAL ROLE weir_owner;
SET LOCAL client_min_messages = warning;

DROP FUNCTION IF EXISTS
  weir.number_at(varbit[], integer, integer),
  weir.unpacked(integer, varbit[]);
