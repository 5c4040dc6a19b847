-- Numbers of each user, such as the events in a window: added up for 20480 users at a time, as bits.
--
--   SELECT s.number, sum(s.users) FROM weir.loads('acme', 'UTC', '2026-03-01', '2026-03-31') AS l, weir.sizes_of(l.planes) AS s GROUP BY 1;
--
-- A number of events is kept in planes: sets of users (day_sets and week_sets, subject load), of whom the first had an odd number of
-- events, the second one with the two in it, and so on. Planes are added as bits are on paper: `#` is what stays in a place
-- and `&` what is carried to the next, for all users of a chunk at once (weir.sum_of_sets(), which adds the days of a week up, too). So what is added grows with days, and hardly with
-- events; of the sums it is counted how many users have which number, and only those who are asked for are taken apart by user.
-- weir.user_numbers says who is who.
SET LOCAL ROLE weir_owner;
SET LOCAL check_function_bodies = off;

-- The events of each user from one day to another. For zones that are kept.
CREATE OR REPLACE FUNCTION weir.loads(tenant text, zone text, first_day date, last_day date) RETURNS TABLE (chunk integer, planes varbit[])
LANGUAGE sql STABLE
SET jit = off SET work_mem = '64MB'
AS $$
  SELECT s.chunk, weir.sum_of_sets(array_agg(s.users::varbit), array_agg(s.place))
  FROM (
    SELECT d.chunk, d.value::integer AS place, d.users
    FROM weir.day_sets AS d
    WHERE d.tenant_id = tenant AND d.zone = loads.zone AND d.subject = 'load'
      AND (d.day >= first_day AND d.day < least(weir.first_monday(first_day), last_day + 1) OR d.day >= weir.last_monday(first_day, last_day) AND d.day <= last_day)
    UNION ALL
    SELECT w.chunk, w.value::integer, w.users
    FROM weir.week_sets AS w
    WHERE w.tenant_id = tenant AND w.zone = loads.zone AND w.subject = 'load'
      AND w.week >= weir.first_monday(first_day) AND w.week < weir.last_monday(first_day, last_day)
    ORDER BY 1, 2
  ) AS s
  GROUP BY s.chunk
$$;

-- The first eight of some planes, so that a user's number is found at once, and who has one that needs more of them.
CREATE OR REPLACE FUNCTION weir.opened(planes varbit[], nobody varbit)
RETURNS TABLE (b0 varbit, b1 varbit, b2 varbit, b3 varbit, b4 varbit, b5 varbit, b6 varbit, b7 varbit, more varbit)
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
  SELECT coalesce(planes[1], nobody), coalesce(planes[2], nobody), coalesce(planes[3], nobody), coalesce(planes[4], nobody),
    coalesce(planes[5], nobody), coalesce(planes[6], nobody), coalesce(planes[7], nobody), coalesce(planes[8], nobody),
    coalesce((SELECT bit_or(p::bit(20480)) FROM unnest(planes[9:]) AS p), nobody)
$$;

CREATE OR REPLACE FUNCTION weir.five_bits(b0 varbit, b1 varbit, b2 varbit, b3 varbit, b4 varbit, spot integer) RETURNS integer
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
  SELECT get_bit(b0, spot) + get_bit(b1, spot) * 2 + get_bit(b2, spot) * 4 + get_bit(b3, spot) * 8 + get_bit(b4, spot) * 16
$$;

CREATE OR REPLACE FUNCTION weir.seven_bits(b0 varbit, b1 varbit, b2 varbit, b3 varbit, b4 varbit, b5 varbit, b6 varbit, spot integer) RETURNS integer
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
  SELECT get_bit(b0, spot) + get_bit(b1, spot) * 2 + get_bit(b2, spot) * 4 + get_bit(b3, spot) * 8 + get_bit(b4, spot) * 16
    + get_bit(b5, spot) * 32 + get_bit(b6, spot) * 64
$$;

CREATE OR REPLACE FUNCTION weir.eight_bits(b0 varbit, b1 varbit, b2 varbit, b3 varbit, b4 varbit, b5 varbit, b6 varbit, b7 varbit, spot integer)
RETURNS integer
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
  SELECT get_bit(b0, spot) + get_bit(b1, spot) * 2 + get_bit(b2, spot) * 4 + get_bit(b3, spot) * 8 + get_bit(b4, spot) * 16
    + get_bit(b5, spot) * 32 + get_bit(b6, spot) * 64 + get_bit(b7, spot) * 128
$$;

-- The numbers of some users, those of `whose`: of sixteen planes at once, and of more only where there are such.
CREATE OR REPLACE FUNCTION weir.numbers_of(chunk integer, planes varbit[], whose varbit) RETURNS TABLE (number integer, events bigint)
LANGUAGE sql IMMUTABLE
AS $$
  SELECT chunk * 20480 + spot, weir.eight_bits(o.b0, o.b1, o.b2, o.b3, o.b4, o.b5, o.b6, o.b7, spot)
    + (weir.eight_bits(m.b0, m.b1, m.b2, m.b3, m.b4, m.b5, m.b6, m.b7, spot)::bigint << 8)
    + CASE get_bit(m.more, spot) WHEN 0 THEN 0 ELSE (
      SELECT sum(get_bit(p.plane, spot)::bigint << (p.n + 15)::integer) FROM unnest(planes[17:]) WITH ORDINALITY AS p (plane, n))::bigint END
  FROM (SELECT whose AS users, planes[1] # planes[1] AS nobody OFFSET 0) AS w, weir.opened(planes, w.nobody) AS o, weir.opened(planes[9:], w.nobody) AS m,
    LATERAL generate_series(0, length(w.users) - 1) AS spot
  WHERE get_bit(w.users, spot) = 1
$$;

-- How many users have which number, of those with more than 0. What the lower planes say is told apart as sets, each with a number
-- of its own; who has more than these hold, one by one. So many planes are lower ones as take the least work.
CREATE OR REPLACE FUNCTION weir.sizes_of(planes varbit[]) RETURNS TABLE (number bigint, users bigint)
LANGUAGE plpgsql IMMUTABLE
AS $$
DECLARE
  nobody constant varbit := planes[1] # planes[1];
  more varbit := nobody;
  lower integer := cardinality(planes);
  rest varbit := nobody;
  least_work numeric := 2::numeric ^ lower;
BEGIN
  FOR n IN REVERSE cardinality(planes) - 1 .. 0 LOOP
    more := more | planes[n + 1];
    IF bit_count(more) + 2::numeric ^ n < least_work THEN
      least_work := bit_count(more) + 2::numeric ^ n;
      lower := n;
      rest := more;
    END IF;
  END LOOP;
  RETURN QUERY
  SELECT a.number + b.number, bit_count(a.users & b.users)
  FROM weir.sets_of_numbers(planes[:lower / 2], 0, ~nobody) AS a,
    weir.sets_of_numbers(planes[lower / 2 + 1:lower], lower / 2, ~rest) AS b
  WHERE a.number + b.number > 0
  UNION ALL
  SELECT n.events, count(*) FROM weir.numbers_of(0, planes, rest) AS n GROUP BY n.events;
END
$$;

-- Of some users, who has which number in planes, of which the first counts for 2 ^ place.
CREATE OR REPLACE FUNCTION weir.sets_of_numbers(planes varbit[], place integer, whose varbit) RETURNS TABLE (number bigint, users varbit)
LANGUAGE plpgsql IMMUTABLE
AS $$
DECLARE
  sets varbit[] := ARRAY[whose];
BEGIN
  FOR n IN 1 .. cardinality(planes) LOOP
    sets := ARRAY(SELECT s & ~planes[n] FROM unnest(sets) AS s) || ARRAY(SELECT s & planes[n] FROM unnest(sets) AS s);
  END LOOP;
  RETURN QUERY SELECT (s.n - 1) << place, s.users FROM unnest(sets) WITH ORDINALITY AS s (users, n);
END
$$;

-- Whose number is less in some planes than in others.
CREATE OR REPLACE FUNCTION weir.whose_is_less(planes varbit[], others varbit[], nobody varbit) RETURNS varbit
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
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

-- The sum of two numbers.
CREATE OR REPLACE FUNCTION weir.sum_of_numbers(planes varbit[], others varbit[], nobody varbit) RETURNS varbit[]
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
AS $$
DECLARE
  sum varbit[] := ARRAY[]::varbit[];
  carried varbit := nobody;
  mine varbit;
  other varbit;
BEGIN
  FOR n IN 1 .. greatest(cardinality(planes), cardinality(others)) LOOP
    mine := coalesce(planes[n], nobody);
    other := coalesce(others[n], nobody);
    sum := array_append(sum, mine # other # carried);
    carried := (mine & other) | ((mine | other) & carried);
  END LOOP;
  RETURN array_append(sum, carried);
END
$$;

-- The planes of some users who all have the same number.
CREATE OR REPLACE FUNCTION weir.planes_of(number bigint, whose varbit) RETURNS varbit[]
LANGUAGE sql IMMUTABLE
AS $$
  SELECT ARRAY(SELECT CASE number >> n & 1 WHEN 1 THEN whose ELSE whose # whose END FROM generate_series(0, 62) AS n WHERE number >> n > 0 ORDER BY n)
$$;

-- The ids of some users. They are looked up one by one or all together, whichever takes less for so many.
CREATE OR REPLACE FUNCTION weir.named(tenant text, numbers integer[]) RETURNS TABLE (number integer, user_id text)
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET jit = off SET work_mem = '64MB'
AS $$
BEGIN
  RETURN QUERY EXECUTE 'SELECT u.number, u.user_id FROM unnest($2) AS n JOIN weir.user_numbers AS u ON u.tenant_id = $1 AND u.number = n'
  USING tenant, numbers;
END
$$;

GRANT EXECUTE ON FUNCTION weir.loads(text, text, date, date),
  weir.opened(varbit[], varbit), weir.five_bits(varbit, varbit, varbit, varbit, varbit, integer), weir.seven_bits(varbit, varbit, varbit, varbit, varbit, varbit, varbit, integer),
  weir.eight_bits(varbit, varbit, varbit, varbit, varbit, varbit, varbit, varbit, integer),
  weir.numbers_of(integer, varbit[], varbit), weir.sizes_of(varbit[]), weir.sets_of_numbers(varbit[], integer, varbit),
  weir.whose_is_less(varbit[], varbit[], varbit), weir.sum_of_numbers(varbit[], varbit[], varbit), weir.planes_of(bigint, varbit), weir.named(text, integer[]) TO weir_reader;
