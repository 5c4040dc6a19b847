-- Leases: shared out evenly, renewed, handed over, and taken from the dead. Flushers of the same streams
-- are played by this one session, whose end nobody has to fear; the dead by a session that never was.
BEGIN;
SET LOCAL search_path = weir, public;
SET LOCAL client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap SCHEMA public;
SELECT no_plan();
DELETE FROM weir_lease.flushers;

CREATE FUNCTION pg_temp.streams(name text, count integer) RETURNS text[] LANGUAGE sql AS $$
  SELECT array_agg(name || ':{' || n || '}' ORDER BY n) FROM generate_series(0, count - 1) AS n
$$;
-- What `flusher` holds after a call, as "0 2 +3": the + is to be handed over.
CREATE FUNCTION pg_temp.tend(flusher text, streams text[], released text[] DEFAULT '{}') RETURNS text
LANGUAGE sql AS $$
  SELECT coalesce(string_agg(CASE WHEN surplus THEN '+' ELSE '' END || substring(stream FROM '\d+'), ' '
    ORDER BY stream), '') FROM weir.tend_leases(flusher, streams, pg_backend_pid(), 60, released)
$$;
-- A flusher that obeys: it calls, hands over, and calls again.
CREATE FUNCTION pg_temp.live(flusher text, streams text[]) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  asked text[];
BEGIN
  SELECT coalesce(array_agg(stream) FILTER (WHERE surplus), '{}') INTO asked
  FROM weir.tend_leases(flusher, streams, pg_backend_pid(), 60, '{}');
  RETURN pg_temp.tend(flusher, streams, asked);
END
$$;
CREATE FUNCTION pg_temp.settle(streams text[], VARIADIC flushers text[]) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  FOR turn IN 1 .. 6 LOOP
    FOR i IN 1 .. cardinality(flushers) LOOP
      PERFORM pg_temp.live(flushers[i], streams);
    END LOOP;
  END LOOP;
  RETURN (SELECT string_agg(held::text, ' ' ORDER BY held) FROM (
    SELECT count(l.stream) AS held FROM unnest(flushers) AS f
    LEFT JOIN weir_lease.stream_leases AS l ON l.flusher = f AND l.stream = ANY (streams) GROUP BY f) AS shares);
END
$$;

SELECT is(pg_temp.tend('a', '{"a:{0}"}'), '0', 'a stream that is free is taken at once');
SELECT is((SELECT token FROM weir_lease.stream_leases WHERE stream = 'a:{0}'), 1::bigint, 'with a token');
SELECT is(pg_temp.tend('a', '{"a:{0}"}'), '0', 'and kept');
SELECT is((SELECT token FROM weir_lease.stream_leases WHERE stream = 'a:{0}'), 1::bigint, 'with the same token');
SELECT is(pg_temp.tend('b', '{"a:{0}"}'), '', 'another flusher stands by');
SELECT is(pg_temp.tend('a', '{"a:{0}"}'), '0', 'which takes nothing from the first');
SELECT is(pg_temp.tend('a', '{"a:{0}"}', '{"a:{0}"}'), '0', 'what is given back and wanted is taken again');
SELECT is((SELECT token FROM weir_lease.stream_leases WHERE stream = 'a:{0}'), 2::bigint, 'with another token');
SELECT is(pg_temp.tend('a', '{}', '{"a:{0}"}'), '', 'what is not wanted any more is given back');
SELECT is(pg_temp.tend('b', '{"a:{0}"}'), '0', 'and the other has it');

-- The dead.
UPDATE weir_lease.flushers SET backend = -1 WHERE flusher = 'b';
SELECT is(pg_temp.tend('a', '{"a:{0}"}'), '0', 'a flusher whose session has ended is replaced at once');
UPDATE weir_lease.flushers SET expires_at = clock_timestamp() - interval '1 ms', backend = -1 WHERE flusher = 'a';
SELECT is(pg_temp.tend('b', '{"a:{0}"}'), '0', 'and so is one that is overdue');
SELECT set_eq('SELECT flusher FROM weir_lease.flushers', ARRAY['b'], 'the dead are forgotten');
SELECT is_empty($$ SELECT * FROM tend_leases('c', '{"a:{0}"}', -1, 60, '{}') $$,
  'one whose storing session has ended gets nothing');
SELECT set_eq('SELECT flusher FROM weir_lease.flushers', ARRAY['b'], 'and is none that others would wait for');
DELETE FROM weir_lease.flushers;

-- Shares.
SELECT is(pg_temp.tend('a', pg_temp.streams('s', 4)), '0 1 2 3', 'who is alone has all');
SELECT is(pg_temp.tend('b', pg_temp.streams('s', 4)), '', 'a newcomer waits');
SELECT is(pg_temp.tend('a', pg_temp.streams('s', 4)), '0 1 +2 +3', 'until the first is asked to hand over');
SELECT is(pg_temp.tend('a', pg_temp.streams('s', 4), '{"s:{2}","s:{3}"}'), '0 1', 'which it does');
SELECT is(pg_temp.tend('b', pg_temp.streams('s', 4)), '2 3', 'and then the newcomer has its share');
SELECT is(pg_temp.settle(pg_temp.streams('s', 4), 'a', 'b'), '2 2', 'nothing goes back and forth');
SELECT is((SELECT max(token) FROM weir_lease.stream_leases WHERE stream LIKE 's:%'), 2::bigint, 'as the tokens show');
SELECT is(pg_temp.settle(pg_temp.streams('s', 4), 'c', 'a', 'b'), '1 1 2', 'four among three');
SELECT is((SELECT sum(token) FROM weir_lease.stream_leases WHERE stream LIKE 's:%'), 7::numeric, 'took one handing over');
SELECT is(pg_temp.settle(pg_temp.streams('s', 4), 'a', 'b', 'c', 'd', 'e'), '0 1 1 1 1', 'four among five');
DELETE FROM weir_lease.flushers WHERE flusher IN ('a', 'b', 'c');
SELECT is(pg_temp.settle(pg_temp.streams('s', 4), 'd', 'e'), '2 2', 'the dead ones'' are shared again');
DELETE FROM weir_lease.flushers;
CREATE FUNCTION pg_temp.shares(streams integer, members integer) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  DELETE FROM weir_lease.flushers;
  RETURN pg_temp.settle(pg_temp.streams('m', streams), VARIADIC pg_temp.streams('f', members));
END
$$;
SELECT is(pg_temp.shares(streams, members),
  (SELECT string_agg(share::text, ' ' ORDER BY share) FROM (
     SELECT streams / members + (n <= streams % members)::integer AS share
     FROM generate_series(1, members) AS n) AS fair),
  streams || ' streams among ' || members || ' flushers')
FROM generate_series(1, 7) AS streams, generate_series(1, 4) AS members;
DELETE FROM weir_lease.flushers;
SELECT is(pg_temp.tend('a', '{"m:{0}"}'), '0', 'a stream alone');
SELECT is(pg_temp.tend('lone', '{"m:{0}","z:{0}"}'), '0', 'who reads other streams takes what is free of them');

-- Streams that nobody reads.
DELETE FROM weir_lease.flushers;
SELECT is(pg_temp.tend('a', '{"u:{0}","u:{1}"}'), '0 1', 'a flusher of two streams');
SELECT results_eq($$ SELECT unread_streams('{"u:{2}","u:{1}","u:{3}"}') $$, ARRAY['u:{2}', 'u:{3}'],
  'those that it does not read are named');
SELECT is(pg_temp.tend('b', '{"u:{1}","u:{2}"}'), '2', 'another one reads one of them');
SELECT results_eq($$ SELECT unread_streams('{"u:{2}","u:{3}"}') $$, ARRAY['u:{3}'], 'and it is unread no more');
UPDATE weir_lease.flushers SET expires_at = now() WHERE flusher = 'b';
SELECT results_eq($$ SELECT unread_streams('{"u:{1}","u:{2}"}') $$, ARRAY['u:{2}'], 'until that one is dead');
INSERT INTO stream_positions (stream, position, epoch) SELECT 'p:{' || n || '}', '1-0', 'e' FROM generate_series(0, 1) AS n;
SELECT tend_leases('b', '{"p:{1}"}', pg_backend_pid(), 60, '{}');
SELECT results_eq($$ SELECT unread_streams('{}') $$, ARRAY['p:{0}'], 'nor does anybody read what was read once');

SELECT * FROM finish();
ROLLBACK;
