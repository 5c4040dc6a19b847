-- How far each stream has been stored, and what could not be.
SET LOCAL ROLE weir_owner;

CREATE TABLE weir.stream_positions (
  stream text PRIMARY KEY,
  position text NOT NULL,
  epoch text NOT NULL,
  updated_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON COLUMN weir.stream_positions.position IS 'Id of the last stream entry that is stored.';
COMMENT ON COLUMN weir.stream_positions.epoch IS
  'Which life of the stream the position belongs to: a Redis that lost its data begins another.';

CREATE FUNCTION weir.read_position(stream text) RETURNS TABLE ("position" text, epoch text)
LANGUAGE sql STABLE
AS $$
  SELECT p.position, p.epoch FROM weir.stream_positions AS p WHERE p.stream = read_position.stream
$$;
COMMENT ON FUNCTION weir.read_position(text) IS 'No row for a stream of which nothing was stored.';

CREATE FUNCTION weir.advance_position(
  stream text, old_position text, new_position text, new_epoch text) RETURNS boolean
LANGUAGE plpgsql
AS $$
#variable_conflict use_column
BEGIN
  IF old_position IS NULL THEN
    INSERT INTO weir.stream_positions (stream, position, epoch)
    VALUES (advance_position.stream, new_position, new_epoch)
    ON CONFLICT (stream) DO NOTHING;
  ELSE
    UPDATE weir.stream_positions AS p
    SET position = new_position, epoch = new_epoch, updated_at = now()
    WHERE p.stream = advance_position.stream AND p.position = old_position;
  END IF;
  RETURN FOUND;
END
$$;
COMMENT ON FUNCTION weir.advance_position(text, text, text, text) IS
  'Compare and set: false, and nothing done, unless the stored position is old_position (NULL: there '
  'is none yet). False means that somebody else stored these rows: roll back and read again.';

-- The key of the advisory lock that whoever reads the stream holds.
CREATE FUNCTION weir.stream_lock_key(stream text) RETURNS bigint
LANGUAGE sql IMMUTABLE
AS $$ SELECT hashtextextended('weir.stream ' || stream, 0) $$;

CREATE TABLE weir.dead_letters (
  id bigint GENERATED ALWAYS AS IDENTITY,
  tenant_id text NOT NULL,
  received_at timestamptz NOT NULL DEFAULT now(),
  reason text NOT NULL,
  payload bytea,
  PRIMARY KEY (tenant_id, id)
);
COMMENT ON TABLE weir.dead_letters IS
  'Rows, and whole records, that PostgreSQL or the flusher refused. A record that tells no tenant '
  'has tenant_id ''''.';

GRANT SELECT, INSERT, UPDATE ON weir.stream_positions TO weir_flusher;
GRANT INSERT ON weir.dead_letters TO weir_flusher;
GRANT SELECT ON weir.stream_positions, weir.dead_letters TO weir_reader;
GRANT EXECUTE ON FUNCTION weir.read_position(text),
  weir.advance_position(text, text, text, text), weir.stream_lock_key(text) TO weir_flusher;
