-- Numbers of each user, such as the events in a window: added up for 20480 users at a time, as bits.
--
--   SELECT n.number, n.events FROM weir.loads('acme', 'UTC', '2026-03-01', '2026-03-31') AS l, weir.unpacked(l.chunk, l.planes) AS n;
--
-- A number of events is kept in planes: sets of users (day_sets, subject load), of whom the first had an odd number of
-- events, the second one with the two in it, and so on. Planes are added as bits are on paper: `#` is what stays in a place
-- and `&` what is carried to the next, for all users of a chunk at once. So what is added grows with days, and hardly with
-- events; only the sums are taken apart by user. weir.user_numbers says who is who.
SET LOCAL ROLE weir_owner;
SET LOCAL check_function_bodies = off;

-- The sum of sets, each of which counts for 2 ^ its place; places in ascending order, 0 where none are given. Of three sets of
-- a place one stays there, and one is carried to the next.
CREATE OR REPLACE FUNCTION weir.sum_of_sets(sets varbit[], places integer[] DEFAULT '{}') RETURNS varbit[]
LANGUAGE plpgsql IMMUTABLE
AS $$
DECLARE
  planes varbit[] := ARRAY[]::varbit[];
  given integer := 1;
  here varbit[];
  carried varbit[] := ARRAY[]::varbit[];
  sum varbit;
  carry varbit;
BEGIN
  WHILE given <= cardinality(sets) OR cardinality(carried) > 0 LOOP
    here := carried;
    carried := ARRAY[]::varbit[];
    WHILE given <= cardinality(sets) AND coalesce(places[given], 0) = cardinality(planes) LOOP
      here := array_append(here, sets[given]);
      given := given + 1;
    END LOOP;
    sum := coalesce(here[1], sets[1] # sets[1]);
    FOR n IN 1 .. cardinality(here) / 2 LOOP
      IF 2 * n < cardinality(here) THEN
        carry := (sum & here[2 * n]) | ((sum # here[2 * n]) & here[2 * n + 1]);
        sum := sum # here[2 * n] # here[2 * n + 1];
      ELSE
        carry := sum & here[2 * n];
        sum := sum # here[2 * n];
      END IF;
      IF bit_count(carry) > 0 THEN
        carried := array_append(carried, carry);
      END IF;
    END LOOP;
    planes := array_append(planes, sum);
  END LOOP;
  RETURN planes;
END
$$;

-- The events of each user from one day to another. For zones that are kept.
CREATE OR REPLACE FUNCTION weir.loads(tenant text, zone text, first_day date, last_day date) RETURNS TABLE (chunk integer, planes varbit[])
LANGUAGE sql STABLE
SET jit = off SET work_mem = '64MB'
AS $$
  SELECT s.chunk, weir.sum_of_sets(array_agg(s.users::varbit), array_agg(s.place))
  FROM (
    SELECT d.chunk, d.value::integer AS place, d.users FROM weir.day_sets AS d
    WHERE d.tenant_id = tenant AND d.zone = loads.zone AND d.subject = 'load' AND d.day BETWEEN first_day AND last_day
    ORDER BY 1, 2
  ) AS s
  GROUP BY s.chunk
$$;

-- A user's number in planes, from a place on.
CREATE OR REPLACE FUNCTION weir.number_at(planes varbit[], spot integer, place integer DEFAULT 0) RETURNS bigint
LANGUAGE sql IMMUTABLE
AS $$
  SELECT coalesce(sum(get_bit(p.plane, spot)::bigint << (p.n - 1)::integer), 0)::bigint
  FROM unnest(planes[place + 1:]) WITH ORDINALITY AS p (plane, n)
$$;

-- The first eight of some planes, so that a user's number is found at once, and who has one that needs more of them.
CREATE OR REPLACE FUNCTION weir.opened(planes varbit[], nobody varbit)
RETURNS TABLE (b0 varbit, b1 varbit, b2 varbit, b3 varbit, b4 varbit, b5 varbit, b6 varbit, b7 varbit, more varbit)
LANGUAGE sql IMMUTABLE
AS $$
  SELECT coalesce(planes[1], nobody), coalesce(planes[2], nobody), coalesce(planes[3], nobody), coalesce(planes[4], nobody),
    coalesce(planes[5], nobody), coalesce(planes[6], nobody), coalesce(planes[7], nobody), coalesce(planes[8], nobody),
    coalesce((SELECT bit_or(p::bit(20480)) FROM unnest(planes[9:]) AS p), nobody)
$$;

CREATE OR REPLACE FUNCTION weir.five_bits(b0 varbit, b1 varbit, b2 varbit, b3 varbit, b4 varbit, spot integer) RETURNS integer
LANGUAGE sql IMMUTABLE
AS $$
  SELECT get_bit(b0, spot) + get_bit(b1, spot) * 2 + get_bit(b2, spot) * 4 + get_bit(b3, spot) * 8 + get_bit(b4, spot) * 16
$$;

CREATE OR REPLACE FUNCTION weir.eight_bits(b0 varbit, b1 varbit, b2 varbit, b3 varbit, b4 varbit, b5 varbit, b6 varbit, b7 varbit, spot integer)
RETURNS integer
LANGUAGE sql IMMUTABLE
AS $$
  SELECT get_bit(b0, spot) + get_bit(b1, spot) * 2 + get_bit(b2, spot) * 4 + get_bit(b3, spot) * 8 + get_bit(b4, spot) * 16
    + get_bit(b5, spot) * 32 + get_bit(b6, spot) * 64 + get_bit(b7, spot) * 128
$$;

CREATE OR REPLACE FUNCTION weir.unpacked(chunk integer, planes varbit[]) RETURNS TABLE (number integer, events bigint)
LANGUAGE sql IMMUTABLE
AS $$
  SELECT chunk * 20480 + spot, weir.eight_bits(o.b0, o.b1, o.b2, o.b3, o.b4, o.b5, o.b6, o.b7, spot)
    + CASE get_bit(o.more, spot) WHEN 1 THEN weir.number_at(planes, spot, 8) << 8 ELSE 0 END
  FROM (SELECT * FROM weir.opened(planes, planes[1] # planes[1]) OFFSET 0) AS o, generate_series(0, 20479) AS spot
$$;

-- Whose number is less in some planes than in others.
CREATE OR REPLACE FUNCTION weir.whose_is_less(planes varbit[], others varbit[], nobody varbit) RETURNS varbit
LANGUAGE plpgsql IMMUTABLE
AS $$
DECLARE
  less varbit := nobody;
  mine varbit;
  other varbit;
BEGIN
  FOR n IN 1 .. greatest(cardinality(planes), cardinality(others)) LOOP
    mine := coalesce(planes[n], nobody);
    other := coalesce(others[n], nobody);
    less := (~mine & other) | (~(mine # other) & less);
  END LOOP;
  RETURN less;
END
$$;

-- The ids of some users. They are looked up one by one or all together, whichever takes less for so many.
CREATE OR REPLACE FUNCTION weir.named(tenant text, numbers integer[]) RETURNS TABLE (number integer, user_id text)
LANGUAGE plpgsql STABLE
SET jit = off SET work_mem = '64MB'
AS $$
BEGIN
  RETURN QUERY EXECUTE 'SELECT u.number, u.user_id FROM unnest($2) AS n JOIN weir.user_numbers AS u ON u.tenant_id = $1 AND u.number = n'
  USING tenant, numbers;
END
$$;

GRANT EXECUTE ON FUNCTION weir.sum_of_sets(varbit[], integer[]), weir.loads(text, text, date, date), weir.number_at(varbit[], integer, integer),
  weir.opened(varbit[], varbit), weir.five_bits(varbit, varbit, varbit, varbit, varbit, integer), weir.eight_bits(varbit, varbit, varbit, varbit, varbit, varbit, varbit, varbit, integer),
  weir.unpacked(integer, varbit[]), weir.whose_is_less(varbit[], varbit[], varbit), weir.named(text, integer[]) TO weir_reader;
