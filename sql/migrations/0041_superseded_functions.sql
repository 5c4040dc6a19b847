-- Functions that sql/analytics/ has with other parameters or results now.
SET LOCAL ROLE weir_owner;

DROP FUNCTION IF EXISTS
  weir.funnel_users(bigint, bigint, text, date, date, text, jsonb, integer[], bigint, text, weir.moments[]),
  weir.funnel_cells(bigint, bigint, text, date, date, text, jsonb, integer[], bigint, text, weir.moments[]),
  weir.all_funnel_cells(text, date, date, text, jsonb, integer[], bigint, text, bigint[], weir.moments[]);
