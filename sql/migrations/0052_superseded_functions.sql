-- Functions that sql/analytics/ has with other parameters or results now. Where one was never made there is nothing to say.
SET LOCAL ROLE weir_owner;
SET LOCAL client_min_messages = warning;

DROP FUNCTION IF EXISTS
  weir.page_tallies(weir.asked, text[], text[]),
  weir.path_tallies(weir.asked, integer, text[]),
  weir.path_cells(bigint, bigint, weir.asked, jsonb, jsonb, jsonb, jsonb, text, integer, text[]),
  weir.all_path_cells(bigint[], weir.asked, jsonb, jsonb, jsonb, jsonb, text, integer, text[]);
