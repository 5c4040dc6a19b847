-- Which flusher reads which stream, and how one that hangs is kept from writing.
--
-- A flusher calls tend_leases() about every second over a second session. PostgreSQL's clock alone
-- judges: one whose call is overdue, or whose storing session has ended, is dead; its streams are
-- free, and its session is ended, so that what it had begun lets go of its locks. Whoever takes a
-- stream counts its token up, and every batch's transaction asks for the token that it began with:
-- the COMMIT of one that lost its lease cannot succeed, however late it comes.
--
--   SELECT stream, token, surplus FROM weir.tend_leases('me', '{weir:{0},weir:{1}}', 4711, 5, '{}');
--   BEGIN; COPY …; SELECT weir.advance_position('weir:{0}', 7, '1-0', '2-0', 'life'); COMMIT;
--
-- Both tables change every second, with no event stored. So they stand in a schema of their own: what
-- is in `weir` is data, and a dump or a digest of it changes only with data.
CREATE SCHEMA weir_lease AUTHORIZATION weir_owner;

SET LOCAL ROLE weir_owner;

GRANT USAGE ON SCHEMA weir_lease TO weir_flusher, weir_reader;

CREATE TABLE weir_lease.flushers (
  flusher text PRIMARY KEY,
  streams text[] NOT NULL,
  backend integer NOT NULL,
  backend_start timestamptz NOT NULL,
  expires_at timestamptz NOT NULL
);
COMMENT ON TABLE weir_lease.flushers IS 'The flushers that live: one row for each, renewed every second.';
COMMENT ON COLUMN weir_lease.flushers.streams IS 'The streams that it is ready to read.';
COMMENT ON COLUMN weir_lease.flushers.backend IS 'The process of the session over which it stores.';

CREATE TABLE weir_lease.stream_leases (
  stream text PRIMARY KEY,
  token bigint NOT NULL DEFAULT 0,
  flusher text,
  taken_at timestamptz
);
COMMENT ON TABLE weir_lease.stream_leases IS
  'Who reads each stream. A lease holds while its flusher lives; it is free without one.';
COMMENT ON COLUMN weir_lease.stream_leases.token IS 'Counts the takings: a batch is stored with the last one.';

-- Ends a session of this role, if it is still the one that began then. A flusher of another role is
-- left to its idle_in_transaction_session_timeout.
CREATE FUNCTION weir.end_session(backend integer, backend_start timestamptz) RETURNS void
LANGUAGE plpgsql
AS $$
BEGIN
  PERFORM pg_terminate_backend(a.pid) FROM pg_stat_activity AS a
  WHERE a.pid = end_session.backend AND a.backend_start = end_session.backend_start;
EXCEPTION WHEN insufficient_privilege THEN
  NULL;
END
$$;

-- Shares `streams` among the flushers that name just the same ones: each gets the whole part of their
-- number, and some of them one more. Who has more than that is asked to hand over (surplus), and does
-- so by naming the stream in `released` once its batch is stored. Nobody is asked unless another one
-- gains by it, so that nothing goes back and forth. No row: this flusher's session has ended.
CREATE FUNCTION weir.tend_leases(
  flusher text, streams text[], backend integer, seconds integer, released text[])
RETURNS TABLE (stream text, token bigint, surplus boolean)
LANGUAGE plpgsql
AS $$
#variable_conflict use_column
DECLARE
  began timestamptz;
  members bigint;
  least_share bigint;  -- what each of them has to have
  most bigint;         -- what some may have
  held bigint;
  unheld bigint;
  owed bigint;         -- what others lack of their least share
  excess bigint;
BEGIN
  -- Nothing of this has to survive a crash, since no session does; and it must not wait for a standby.
  PERFORM set_config('synchronous_commit', 'off', true);
  PERFORM pg_advisory_xact_lock(hashtextextended('weir.leases', 0));

  SELECT a.backend_start INTO began FROM pg_stat_activity AS a WHERE a.pid = tend_leases.backend;
  IF began IS NULL THEN
    RETURN;
  END IF;
  INSERT INTO weir_lease.flushers AS f (flusher, streams, backend, backend_start, expires_at)
  VALUES (tend_leases.flusher, tend_leases.streams, tend_leases.backend, began,
    clock_timestamp() + make_interval(secs => tend_leases.seconds))
  ON CONFLICT (flusher) DO UPDATE SET
    streams = excluded.streams, backend = excluded.backend, backend_start = excluded.backend_start,
    expires_at = excluded.expires_at;

  PERFORM weir.end_session(f.backend, f.backend_start) FROM weir_lease.flushers AS f
  WHERE f.expires_at <= clock_timestamp();
  DELETE FROM weir_lease.flushers AS f
  WHERE f.expires_at <= clock_timestamp() OR NOT EXISTS (
    SELECT FROM pg_stat_activity AS a WHERE a.pid = f.backend AND a.backend_start = f.backend_start);

  UPDATE weir_lease.stream_leases AS l SET flusher = NULL
  WHERE l.flusher = tend_leases.flusher
    AND (l.stream = ANY (tend_leases.released) OR l.stream <> ALL (tend_leases.streams));
  INSERT INTO weir_lease.stream_leases (stream) SELECT unnest(tend_leases.streams) ON CONFLICT DO NOTHING;

  SELECT count(*) INTO members FROM weir_lease.flushers AS f WHERE f.streams = tend_leases.streams;
  least_share := cardinality(tend_leases.streams) / members;
  most := (cardinality(tend_leases.streams) + members - 1) / members;
  SELECT count(*) FILTER (WHERE l.flusher = tend_leases.flusher),
    count(*) FILTER (WHERE f.flusher IS NULL)
  INTO held, unheld
  FROM weir_lease.stream_leases AS l LEFT JOIN weir_lease.flushers AS f USING (flusher)
  WHERE l.stream = ANY (tend_leases.streams);
  SELECT coalesce(sum(greatest(least_share - other.held, 0)), 0) INTO owed FROM (
    SELECT count(l.stream) AS held
    FROM weir_lease.flushers AS f
    LEFT JOIN weir_lease.stream_leases AS l ON l.flusher = f.flusher AND l.stream = ANY (f.streams)
    WHERE f.streams = tend_leases.streams AND f.flusher <> tend_leases.flusher
    GROUP BY f.flusher) AS other;

  -- A row that is locked belongs to a batch whose flusher has lost it: it is free once that has ended.
  UPDATE weir_lease.stream_leases AS l
  SET token = l.token + 1, flusher = tend_leases.flusher, taken_at = clock_timestamp()
  FROM (
    SELECT c.stream FROM weir_lease.stream_leases AS c
    WHERE c.stream = ANY (tend_leases.streams)
      AND NOT EXISTS (SELECT FROM weir_lease.flushers AS f WHERE f.flusher = c.flusher)
    ORDER BY c.stream
    LIMIT greatest(least_share - held, least(most - held, unheld - owed), 0)
    FOR UPDATE SKIP LOCKED) AS free
  WHERE l.stream = free.stream;

  SELECT count(*) INTO held FROM weir_lease.stream_leases AS l
  WHERE l.flusher = tend_leases.flusher AND l.stream = ANY (tend_leases.streams);
  excess := greatest(held - most, 0);
  IF excess = 0 AND held > least_share AND owed > unheld AND NOT EXISTS (
    SELECT FROM weir_lease.flushers AS f
    LEFT JOIN weir_lease.stream_leases AS l ON l.flusher = f.flusher AND l.stream = ANY (f.streams)
    WHERE f.streams = tend_leases.streams
    GROUP BY f.flusher
    HAVING (count(l.stream), f.flusher) > (held, tend_leases.flusher))
  THEN
    excess := 1;
  END IF;

  RETURN QUERY
  SELECT l.stream, l.token, row_number() OVER (ORDER BY l.stream DESC) <= excess
  FROM weir_lease.stream_leases AS l
  WHERE l.flusher = tend_leases.flusher
  ORDER BY l.stream;
END
$$;
COMMENT ON FUNCTION weir.tend_leases(text, text[], integer, integer, text[]) IS
  'Renews, takes and gives back: the streams that this flusher holds, with their tokens, and whether '
  'it shall hand one over.';

-- The batch before the last: how far a Redis is that heard of no more.
ALTER TABLE weir.stream_positions ADD COLUMN previous text;
COMMENT ON COLUMN weir.stream_positions.previous IS 'The position before the last batch.';

DROP FUNCTION weir.read_position(text);
CREATE FUNCTION weir.read_position(stream text)
RETURNS TABLE ("position" text, epoch text, previous text)
LANGUAGE sql STABLE
AS $$
  SELECT p.position, p.epoch, p.previous FROM weir.stream_positions AS p
  WHERE p.stream = read_position.stream
$$;
COMMENT ON FUNCTION weir.read_position(text) IS 'No row for a stream of which nothing was stored.';

DROP FUNCTION weir.advance_position(text, text, text, text);
CREATE FUNCTION weir.advance_position(
  stream text, token bigint, old_position text, new_position text, new_epoch text) RETURNS text
LANGUAGE plpgsql
AS $$
#variable_conflict use_column
BEGIN
  -- Until COMMIT, so that nobody takes the stream between this look and that.
  PERFORM FROM weir_lease.stream_leases AS l
  WHERE l.stream = advance_position.stream AND l.token = advance_position.token
  FOR SHARE;
  IF NOT FOUND THEN
    RETURN 'fenced';
  END IF;
  IF old_position IS NULL THEN
    INSERT INTO weir.stream_positions (stream, position, epoch)
    VALUES (advance_position.stream, new_position, new_epoch)
    ON CONFLICT (stream) DO NOTHING;
  ELSE
    UPDATE weir.stream_positions AS p
    SET position = new_position, previous = p.position, epoch = new_epoch, updated_at = now()
    WHERE p.stream = advance_position.stream AND p.position = old_position;
  END IF;
  RETURN CASE WHEN FOUND THEN 'advanced' ELSE 'moved' END;
END
$$;
COMMENT ON FUNCTION weir.advance_position(text, bigint, text, text, text) IS
  'Compare and set, to be the last of a batch: "advanced"; "moved", and nothing done, unless the stored '
  'position is old_position (NULL: there is none yet); "fenced" without the stream''s newest token. '
  'After the last two: roll back.';

DROP FUNCTION weir.stream_lock_key(text);

-- As in 0005, and with what makes a session one that the promise can stand on: a COMMIT that answers
-- is on disk, one whose flusher hangs or has gone does not hold its locks for ever, and one that is
-- idle lives. What an administrator has set stricter stays.
CREATE OR REPLACE FUNCTION weir.open_session() RETURNS void
LANGUAGE plpgsql
AS $$
BEGIN
  PERFORM set_config(wanted.name, wanted.value, false)
  FROM (VALUES
    ('synchronous_commit', 'off', 'on'),
    ('idle_in_transaction_session_timeout', '0', '10s'),
    ('client_connection_check_interval', '0', '2s')) AS wanted (name, unsafe, value)
  WHERE current_setting(wanted.name) = wanted.unsafe;
  PERFORM set_config('idle_session_timeout', '0', false);
  CREATE TEMPORARY TABLE IF NOT EXISTS arriving_ids (
    n integer NOT NULL,
    tenant_id text NOT NULL,
    id uuid NOT NULL,
    client_timestamp timestamptz NOT NULL,
    wide boolean NOT NULL
  ) ON COMMIT DELETE ROWS;
  CREATE TEMPORARY TABLE IF NOT EXISTS added_events (
    tenant_id text NOT NULL,
    user_id text,
    event text NOT NULL,
    "timestamp" timestamptz NOT NULL,
    properties text
  ) ON COMMIT DELETE ROWS;
  CREATE TEMPORARY TABLE IF NOT EXISTS added_crashes (
    tenant_id text NOT NULL,
    user_id text,
    "timestamp" timestamptz NOT NULL
  ) ON COMMIT DELETE ROWS;
END
$$;

GRANT SELECT, INSERT, UPDATE, DELETE ON weir_lease.flushers TO weir_flusher;
GRANT SELECT, INSERT, UPDATE ON weir_lease.stream_leases TO weir_flusher;
GRANT SELECT ON weir_lease.flushers, weir_lease.stream_leases TO weir_reader;
GRANT EXECUTE ON FUNCTION weir.end_session(integer, timestamptz),
  weir.tend_leases(text, text[], integer, integer, text[]), weir.read_position(text),
  weir.advance_position(text, bigint, text, text, text) TO weir_flusher;
