-- More properties that are kept as subjects: whether it worked, and what the command line endpoint takes
-- (core/event/cli_form.cpp).
SET LOCAL ROLE weir_owner;

INSERT INTO weir.dimensions (subject, event, property) VALUES
  ('success', '*', 'success'),
  ('command', 'cli_command', 'command'),
  ('output_format', 'cli_command', 'output_format'),
  ('cli_success', 'cli_command', 'success'),
  ('cli_error_type', 'cli_command', 'error_type'),
  ('recording_source', 'recording_completed', 'source');

-- How many of the sets that are added hold each user: a counter for each bit, kept in planes. Plane 1 has
-- the ones of all counters, plane 2 the twos, and so on; what a plane cannot hold carries over to the next.
CREATE FUNCTION weir.add_bits(planes varbit[], added bit) RETURNS varbit[]
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
AS $$
DECLARE
  carry varbit := added;
  before varbit;
  place integer := 1;
BEGIN
  WHILE bit_count(carry) > 0 LOOP
    IF place > cardinality(planes) THEN
      RETURN array_append(planes, carry);
    END IF;
    before := planes[place];
    planes[place] := before # carry;
    carry := before & carry;
    place := place + 1;
  END LOOP;
  RETURN planes;
END
$$;
CREATE AGGREGATE weir.bits_added(bit) (SFUNC = weir.add_bits, STYPE = varbit[], INITCOND = '{}');

-- How many of the counters say n; n is 1 or more.
CREATE FUNCTION weir.counters_at(planes varbit[], n integer) RETURNS bigint
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
  SELECT CASE WHEN n >> cardinality(planes) = 0 THEN bit_count(bit_and(CASE (n >> (p.place - 1)::integer) & 1
    WHEN 1 THEN p.plane ELSE ~p.plane END)) ELSE 0 END
  FROM unnest(planes) WITH ORDINALITY AS p (plane, place)
$$;

GRANT EXECUTE ON FUNCTION weir.add_bits(varbit[], bit), weir.bits_added(bit), weir.counters_at(varbit[], integer)
  TO weir_reader;

-- Days that are built already lack the new ones.
INSERT INTO weir.touched_days (tenant_id, day, neighbours)
SELECT t.tenant, d.day, false
FROM weir.tenants_with_rows() AS t (tenant), weir.days_with_rows(t.tenant) AS d (day);
