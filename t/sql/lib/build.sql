-- Builds every day that is marked, as the flusher's builder does step by step:
--
--   \ir lib/build.sql
--   SELECT pg_temp.build();
CREATE FUNCTION pg_temp.build() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  made text;
BEGIN
  LOOP
    SELECT r.state INTO made FROM weir.refresh_roll_ups() AS r;
    EXIT WHEN made <> 'built';
  END LOOP;
END
$$;
