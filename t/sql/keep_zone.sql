-- A zone is added while no day is being built: else a day could be left out of it.
BEGIN;
SELECT plan(2);

CREATE FUNCTION pg_temp.keeps_the_builder_out() RETURNS boolean
LANGUAGE sql
AS $$
  SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid() AND granted
    AND (classid::bigint << 32 | objid::bigint) = weir.builder_key())
$$;

SELECT ok(NOT pg_temp.keeps_the_builder_out(), 'nothing keeps the builder out before');
SELECT weir.keep_zone('acme', 'Europe/Berlin');
SELECT ok(pg_temp.keeps_the_builder_out(), 'adding a zone keeps the builder out until it is committed');

SELECT * FROM finish();
ROLLBACK;
