-- The position of a stream: read, and moved by compare and set. And dead letters.
BEGIN;
SET LOCAL search_path = weir, public;
SET LOCAL client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap SCHEMA public;
SELECT plan(19);

INSERT INTO weir_lease.stream_leases (stream, token, flusher) VALUES ('t:{0}', 7, 'me'), ('t:{1}', 1, 'me');

SELECT is_empty($$ SELECT * FROM read_position('t:{0}') $$, 'nothing stored, no row');
SELECT is(advance_position('t:{0}', 7, '1-0', '2-0', 'life'), 'moved',
  'an old position that is not there does not match');
SELECT is(advance_position('t:{0}', 7, NULL, '5-0', 'life'), 'advanced', 'the first position is set');
SELECT is(advance_position('t:{0}', 7, NULL, '6-0', 'life'), 'moved', 'but only once');
SELECT results_eq($$ SELECT position, epoch, previous FROM read_position('t:{0}') $$,
  $$ VALUES ('5-0', 'life', NULL) $$, 'and can be read');
SELECT is(advance_position('t:{0}', 7, '4-0', '9-0', 'life'), 'moved', 'a position that has moved does not match');
SELECT is(advance_position('t:{0}', 7, '5-1', '9-0', 'life'), 'moved', 'however near');
SELECT is(advance_position('t:{0}', token, '5-0', '9-0', 'life'), 'fenced', 'token ' || token || ' is not the last one')
FROM unnest(ARRAY[6, 8, 0]) AS token;
SELECT is(advance_position('t:{2}', 7, NULL, '9-0', 'life'), 'fenced', 'nor any of a stream without a lease');
SELECT results_eq($$ SELECT position, epoch FROM read_position('t:{0}') $$, $$ VALUES ('5-0', 'life') $$,
  'and nothing has changed');
SELECT is(advance_position('t:{0}', 7, '5-0', '1526919030474-55', 'life'), 'advanced', 'the one that matches moves');
SELECT is(advance_position('t:{0}', 7, '1526919030474-55', '3-0', 'next life'), 'advanced',
  'backwards too: another epoch begins again');
SELECT results_eq($$ SELECT position, epoch, previous FROM read_position('t:{0}') $$,
  $$ VALUES ('3-0', 'next life', '1526919030474-55') $$, 'with its epoch, and the position before');
SELECT is_empty($$ SELECT * FROM read_position('t:{1}') $$, 'another stream is another position');
SELECT is(advance_position('t:{1}', 1, NULL, '1-0', 'life'), 'advanced', 'of its own');
SELECT is((SELECT count(*) FROM stream_positions WHERE stream LIKE 't:%'), 2::bigint, 'one row each');

INSERT INTO dead_letters (tenant_id, received_at, reason, payload) VALUES
  ('t', '2026-03-01Z', 'one', '\x0001ff'), ('t', '2026-03-01Z', 'two', NULL), ('', now(), 'three', '');
SELECT results_eq(
  $$ SELECT reason, payload FROM dead_letters WHERE tenant_id IN ('t', '') ORDER BY id $$,
  $$ VALUES ('one', '\x0001ff'::bytea), ('two', NULL), ('three', '') $$,
  'dead letters keep any bytes, in the order of their ids');

SELECT * FROM finish();
ROLLBACK;
