-- Functions that sql/analytics/ has with other parameters (happened.sql, moments.sql). Where one was never made there is nothing to say.
SET LOCAL ROLE weir_owner;
SET LOCAL client_min_messages = warning;

DROP FUNCTION IF EXISTS weir.halves_with_rows(text, jsonb, timestamptz, timestamptz, weir.moments[]),
  weir.halves_of_users(text, jsonb, timestamptz, timestamptz);
