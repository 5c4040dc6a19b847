-- Who looks after dead letters: weir_operator reads them, and deletes those that were put back into the
-- stream or are given up. It sees nothing else. `weirctl dead-letters` works as this role.
--
-- Where the role that migrates may not make roles, and no administrator has made this one, it is left
-- out: weir_owner can do the same.
DO $$
BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'weir_operator') THEN
    CREATE ROLE weir_operator LOGIN;
    ALTER ROLE weir_operator SET search_path = weir, public;
  END IF;
EXCEPTION WHEN insufficient_privilege OR duplicate_object OR unique_violation THEN
  NULL;  -- another database's migration was faster, or it is the administrator's to make
END
$$;

SET LOCAL ROLE weir_owner;

-- Those of the given ids (NULL: any), tenant, beginning of the reason and age, in the order of their
-- ids, `after` that one.
CREATE FUNCTION weir.find_dead_letters(
  ids bigint[], tenant text, reason text, older_than interval, newer_than interval, after bigint)
RETURNS SETOF weir.dead_letters
LANGUAGE sql STABLE
AS $$
  SELECT d.* FROM weir.dead_letters AS d
  WHERE (find_dead_letters.ids IS NULL OR d.id = ANY (find_dead_letters.ids))
    AND (find_dead_letters.tenant IS NULL OR d.tenant_id = find_dead_letters.tenant)
    AND (find_dead_letters.reason IS NULL OR starts_with(d.reason, find_dead_letters.reason))
    AND (find_dead_letters.older_than IS NULL OR d.received_at < now() - find_dead_letters.older_than)
    AND (find_dead_letters.newer_than IS NULL OR d.received_at >= now() - find_dead_letters.newer_than)
    AND d.id > find_dead_letters.after
  ORDER BY d.id
$$;
COMMENT ON FUNCTION weir.find_dead_letters(bigint[], text, text, interval, interval, bigint) IS
  'A filter that is NULL lets everything through.';
GRANT EXECUTE ON FUNCTION
  weir.find_dead_letters(bigint[], text, text, interval, interval, bigint) TO weir_reader;

DO $$
BEGIN
  IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'weir_operator') THEN
    GRANT USAGE ON SCHEMA weir TO weir_operator;
    GRANT SELECT, DELETE ON weir.dead_letters TO weir_operator;
    GRANT EXECUTE ON FUNCTION
      weir.find_dead_letters(bigint[], text, text, interval, interval, bigint) TO weir_operator;
  END IF;
END
$$;
