-- The position of a stream: read, and moved by compare and set. And dead letters.
BEGIN;
SET LOCAL search_path = weir, public;
SET LOCAL client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap SCHEMA public;
SELECT plan(17);

SELECT is_empty($$ SELECT * FROM read_position('t:{0}') $$, 'nothing stored, no row');
SELECT is(advance_position('t:{0}', '1-0', '2-0', 'life'), false,
  'an old position that is not there does not match');
SELECT is(advance_position('t:{0}', NULL, '5-0', 'life'), true, 'the first position is set');
SELECT is(advance_position('t:{0}', NULL, '6-0', 'life'), false, 'but only once');
SELECT results_eq($$ SELECT position, epoch FROM read_position('t:{0}') $$, $$ VALUES ('5-0', 'life') $$,
  'and can be read');
SELECT is(advance_position('t:{0}', '4-0', '9-0', 'life'), false, 'a position that has moved does not match');
SELECT is(advance_position('t:{0}', '5-1', '9-0', 'life'), false, 'however near');
SELECT results_eq($$ SELECT position, epoch FROM read_position('t:{0}') $$, $$ VALUES ('5-0', 'life') $$,
  'and nothing has changed');
SELECT is(advance_position('t:{0}', '5-0', '1526919030474-55', 'life'), true, 'the one that matches moves');
SELECT is(advance_position('t:{0}', '1526919030474-55', '3-0', 'next life'), true,
  'backwards too: another epoch begins again');
SELECT results_eq($$ SELECT position, epoch FROM read_position('t:{0}') $$,
  $$ VALUES ('3-0', 'next life') $$, 'with its epoch');
SELECT is_empty($$ SELECT * FROM read_position('t:{1}') $$, 'another stream is another position');
SELECT is(advance_position('t:{1}', NULL, '1-0', 'life'), true, 'of its own');
SELECT is((SELECT count(*) FROM stream_positions WHERE stream LIKE 't:%'), 2::bigint, 'one row each');

SELECT is(stream_lock_key('weir:{0}'), stream_lock_key('weir:{0}'), 'a stream has one lock');
SELECT isnt(stream_lock_key('weir:{0}'), stream_lock_key('weir:{1}'), 'another stream another');

INSERT INTO dead_letters (tenant_id, received_at, reason, payload) VALUES
  ('t', '2026-03-01Z', 'one', '\x0001ff'), ('t', '2026-03-01Z', 'two', NULL), ('', now(), 'three', '');
SELECT results_eq(
  $$ SELECT reason, payload FROM dead_letters WHERE tenant_id IN ('t', '') ORDER BY id $$,
  $$ VALUES ('one', '\x0001ff'::bytea), ('two', NULL), ('three', '') $$,
  'dead letters keep any bytes, in the order of their ids');

SELECT * FROM finish();
ROLLBACK;
