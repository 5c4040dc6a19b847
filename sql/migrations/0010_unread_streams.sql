-- Which streams nobody reads: the web servers were told other names than the flushers, or a flusher is
-- missing. Its entries wait, and no flusher that was not told of them would notice.
SET LOCAL ROLE weir_owner;

CREATE FUNCTION weir.unread_streams(others text[]) RETURNS SETOF text
LANGUAGE sql STABLE
AS $$
  SELECT s.stream
  FROM (
    SELECT unnest(unread_streams.others) AS stream
    UNION (
      SELECT p.stream FROM weir.stream_positions AS p ORDER BY p.updated_at DESC, p.stream LIMIT 100)
  ) AS s
  WHERE NOT EXISTS (
    SELECT FROM weir_lease.flushers AS f WHERE s.stream = ANY (f.streams) AND f.expires_at > now())
  ORDER BY s.stream
$$;
COMMENT ON FUNCTION weir.unread_streams(text[]) IS
  'Of `others` and of the hundred streams that were stored from last, those that no living flusher is '
  'ready to read.';

GRANT EXECUTE ON FUNCTION weir.unread_streams(text[]) TO weir_flusher;
