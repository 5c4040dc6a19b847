-- Rows whose client gave no time are looked for in the weeks beside their own (0005). Two flushers that
-- store copies of one in two weeks at the same time would see neither each other's row, which is not
-- committed, nor each other in a unique index, since each week has its own. So whoever stores such
-- rows says first in which weeks, and waits for those on the other side of the boundary between:
--
--      week 1    |    week 2         who has rows of week 2 shares the boundary before it,
--   exclusive ──►|◄── shared         who has rows of week 1 has it alone
--
-- Rows come from now, so as long as a boundary is to come nobody has rows behind it, and the boundary
-- is left alone but for the minutes by which clocks may differ. So flushers do not wait for each other
-- but where a week ends, and while rows of the last one are still to be stored.
SET LOCAL ROLE weir_owner;

CREATE FUNCTION weir.lock_weeks(weeks integer[]) RETURNS void
LANGUAGE plpgsql
AS $$
DECLARE
  boundary integer;
  alone boolean;
BEGIN
  FOR boundary, alone IN
    SELECT b.boundary, bool_or(b.alone)
    FROM (
      SELECT week AS boundary, false AS alone FROM unnest(lock_weeks.weeks) AS week
      UNION ALL
      SELECT week + 1, true FROM unnest(lock_weeks.weeks) AS week
      WHERE to_timestamp(0) + interval '96 hours' + (week + 1) * interval '168 hours'
        < clock_timestamp() + interval '5 minutes') AS b
    GROUP BY b.boundary
    ORDER BY b.boundary
  LOOP
    IF alone THEN
      PERFORM pg_advisory_xact_lock(hashtext('weir.week'), boundary);
    ELSE
      PERFORM pg_advisory_xact_lock_shared(hashtext('weir.week'), boundary);
    END IF;
  END LOOP;
END
$$;
COMMENT ON FUNCTION weir.lock_weeks(integer[]) IS
  'To be called before rows are stored which need the wide check. Weeks are counted from '
  'Monday, 1970-01-05, UTC.';

GRANT EXECUTE ON FUNCTION weir.lock_weeks(integer[]) TO weir_flusher;
