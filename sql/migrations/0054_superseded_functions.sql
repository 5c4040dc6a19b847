-- Functions that sql/analytics/ does not have any more, or with other parameters (correlation.sql). Where one was never made there is nothing to say.
SET LOCAL ROLE weir_owner;
SET LOCAL client_min_messages = warning;

DROP FUNCTION IF EXISTS weir.correlated_rows(text, date, date, text, jsonb, text, text), weir.interval_around(float8, float8);
