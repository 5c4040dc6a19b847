-- One id is stored once: what the unique indexes refuse, and what known_events() finds beforehand.
BEGIN;
SET LOCAL search_path = weir, public;
SET LOCAL client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap SCHEMA public;
SELECT plan(21);
SELECT open_session();

CREATE FUNCTION pg_temp.monday(weeks integer) RETURNS timestamptz LANGUAGE sql STABLE AS $$
  SELECT date_trunc('week', now(), 'UTC') + weeks * interval '168 hours'
$$;
-- An id that is easy to tell from others.
CREATE FUNCTION pg_temp.id(n integer) RETURNS uuid LANGUAGE sql IMMUTABLE AS $$
  SELECT format('00000000-0000-4000-8000-%s', lpad(n::text, 12, '0'))::uuid
$$;

INSERT INTO events (event_id, tenant_id, event, client_timestamp) VALUES
  (pg_temp.id(1), 'a', 'e', pg_temp.monday(-2)),
  (pg_temp.id(2), 'a', 'e', pg_temp.monday(-1) - interval '1 microsecond'),
  (pg_temp.id(3), 'a', 'e', '1999-05-05Z'),
  (pg_temp.id(4), 'b', 'e', pg_temp.monday(-2));

SELECT throws_ok(
  format($$INSERT INTO events (event_id, tenant_id, event, client_timestamp) VALUES (%L, 'a', 'e', %L)$$,
    pg_temp.id(1), pg_temp.monday(-2)), '23505', NULL, 'the same row is refused');
SELECT throws_ok(
  format($$INSERT INTO events (event_id, tenant_id, event, client_timestamp) VALUES (%L, 'a', 'f', %L)$$,
    pg_temp.id(1), pg_temp.monday(-1) - interval '1 second'), '23505', NULL,
  'an id that its week holds is refused at any time of the week');
SELECT throws_ok(
  format($$INSERT INTO events (event_id, tenant_id, event, client_timestamp) VALUES (%L, 'a', 'e', %L)$$,
    pg_temp.id(3), '1970-01-01Z'), '23505', NULL, 'and one that the default partition holds, there');
SELECT lives_ok(
  format($$INSERT INTO events (event_id, tenant_id, event, client_timestamp) VALUES (%L, 'c', 'e', %L)$$,
    pg_temp.id(1), pg_temp.monday(-2)), 'another tenant may use the same id');

-- Asks for one id, and undoes the asking.
CREATE FUNCTION pg_temp.known(tenant text, id uuid, at timestamptz, wide boolean) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
  found_it boolean;
BEGIN
  INSERT INTO arriving_ids VALUES (7, tenant, id, at, wide);
  SELECT count(*) = 1 AND min(n) = 7 INTO found_it FROM weir.known_events() AS n;
  DELETE FROM arriving_ids;
  RETURN found_it;
END
$$;

SELECT ok(pg_temp.known('a', pg_temp.id(1), pg_temp.monday(-2), false), 'a stored id is known');
SELECT ok(pg_temp.known('a', pg_temp.id(1), pg_temp.monday(-1) - interval '1 microsecond', false),
  'at any time of its week');
SELECT ok(NOT pg_temp.known('a', pg_temp.id(1), pg_temp.monday(-1), false), 'but not in the next');
SELECT ok(NOT pg_temp.known('a', pg_temp.id(2), pg_temp.monday(-1), false),
  'nor in the one after the microsecond before');
SELECT ok(NOT pg_temp.known('b', pg_temp.id(1), pg_temp.monday(-2), false), 'nor for another tenant');
SELECT ok(NOT pg_temp.known('a', pg_temp.id(9), pg_temp.monday(-2), false), 'an id never seen is not known');
SELECT ok(pg_temp.known('a', pg_temp.id(1), pg_temp.monday(-1) + interval '1 day', true),
  'a wide row is looked for in the week before');
SELECT ok(pg_temp.known('a', pg_temp.id(1), pg_temp.monday(-3) + interval '1 day', true),
  'and in the week after');
SELECT ok(NOT pg_temp.known('a', pg_temp.id(1), pg_temp.monday(0) + interval '1 second', true),
  'but not further');
SELECT ok(pg_temp.known('a', pg_temp.id(3), '1999-05-05Z', false),
  'the default partition is looked into');
SELECT ok(pg_temp.known('a', pg_temp.id(3), '1985-01-01Z', false), 'whatever the time');
SELECT ok(pg_temp.known('a', pg_temp.id(3), pg_temp.monday(-2), false),
  'and for rows of a proper week too');

-- Many at once: their n, once each, repeats included.
INSERT INTO arriving_ids VALUES
  (1, 'a', pg_temp.id(1), pg_temp.monday(-2), false),
  (2, 'a', pg_temp.id(8), pg_temp.monday(-2), false),
  (3, 'b', pg_temp.id(4), pg_temp.monday(-2), true),
  (4, 'a', pg_temp.id(3), '1999-05-05Z', true),
  (5, 'a', pg_temp.id(1), pg_temp.monday(-2), true);
SELECT bag_eq('SELECT known_events()', ARRAY[1, 3, 4, 5], 'the known ones of a batch are told by their n');
DELETE FROM arriving_ids;

INSERT INTO crashes (crash_id, tenant_id, client_timestamp) VALUES
  (pg_temp.id(1), 'a', pg_temp.monday(-2)), (pg_temp.id(2), 'a', '1999-05-05Z');
INSERT INTO arriving_ids VALUES
  (1, 'a', pg_temp.id(1), pg_temp.monday(-2), false), (2, 'a', pg_temp.id(2), pg_temp.monday(0), false),
  (3, 'a', pg_temp.id(1), pg_temp.monday(-1), true), (4, 'a', pg_temp.id(1), pg_temp.monday(-1), false),
  (5, 'b', pg_temp.id(1), pg_temp.monday(-2), true);
SELECT bag_eq('SELECT known_crashes()', ARRAY[1, 2, 3], 'crashes are known by the same rules');

-- How it is looked for: by index, row by row, never a partition from end to end.
CREATE FUNCTION pg_temp.plan_of(called text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
  setting text;
BEGIN
  FOR setting IN SELECT unnest(proconfig) FROM pg_proc
    WHERE proname = called AND pronamespace = 'weir'::regnamespace
  LOOP
    PERFORM set_config(split_part(setting, '=', 1), split_part(setting, '=', 2), true);
  END LOOP;
  RETURN QUERY EXECUTE 'EXPLAIN (COSTS off) ' ||
    (SELECT prosrc FROM pg_proc WHERE proname = called AND pronamespace = 'weir'::regnamespace);
END
$$;
SELECT is((SELECT count(*) FROM pg_temp.plan_of(called) AS line
    WHERE line ~ 'Hash|Merge|Seq Scan on (events|crashes)|Materialize'), 0::bigint,
  called || '() makes index probes only')
FROM unnest(ARRAY['known_events', 'known_crashes']) AS called;

-- Each day from the year 1 to 2100, its first and its last microsecond.
SELECT is_empty(
  $$ SELECT moment FROM generate_series('0001-01-08Z'::timestamptz, '2100-01-01Z', interval '24 hours') AS day,
       LATERAL (VALUES (day), (day - interval '1 microsecond')) AS at (moment)
     WHERE week_of(moment) <> date_trunc('week', moment, 'UTC') $$,
  'week_of() is where the calendar''s week begins in UTC');

SELECT * FROM finish();
ROLLBACK;
