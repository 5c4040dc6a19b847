-- Functions that sql/analytics/ has with other parameters, or no more (moments.sql, funnels.sql, paths.sql). Where one was never made there is nothing to say.
SET LOCAL ROLE weir_owner;
SET LOCAL client_min_messages = warning;

DROP FUNCTION IF EXISTS weir.is_near(bigint, bigint, bigint[], bigint),
  weir.events_as_numbers(bigint, bigint, weir.asked, jsonb, integer, weir.moments, bigint[], bigint, boolean),
  weir.valued_events(bigint, bigint, weir.asked, jsonb, integer, text[], boolean, bigint[], bigint, boolean),
  weir.sorted_events(bigint, bigint, weir.asked, jsonb, integer, weir.moments, bigint[], bigint, boolean),
  weir.funnel_starts(bigint, bigint, weir.asked, jsonb, text, integer, weir.moments, bigint[]),
  weir.path_views_of(bigint, bigint, weir.asked, jsonb, text);
