-- Of which kind users are, and who is about to leave.
--
--   SELECT weir.segments_answer('acme', '2026-03-01', '2026-03-31');
--   SELECT weir.churn_risk_answer('acme', '2026-03-31', 'Europe/Berlin', 20);
--
-- From the sets of users of each day, in a zone whose days are kept. Users whose risk is told are named by the ids that clients made up
-- for them.
--
-- Segments: in each whole week (from Monday) of the window, each user known by its end is in just one; the first that fits:
--   new          the earliest event was in this week
--   resurrected  had events in it, and none in the four weeks before
--   power        had events on 4 and more of its days
--   active       on 2 or 3
--   casual       on 1
--   at_risk      none in it, but in the week before
--   dormant      none in both, but in the three weeks before these
--   churned      none in these five weeks
-- `moves` counts who was in one segment in a week and in another or the same in the next; of the week before the first
-- one there is none.
--
-- Risk of churn: a number from 0 to 100 for each user with events on 3 or more of the 90 days that end with a day, and
-- not new in the last 14 of them. It is the sum of three parts, each from 0 to 1 times its weight:
--   silence  60  days since the last event, by the user's own rhythm (the mean of days from one day with events to the
--                next): 0 up to one rhythm, 1 from four on, and evenly between. A rhythm is a week at the least
--   fall     30  days with events, of the last 28 against those of the 28 before: 1 less their ratio, 0 if there are more
--   crashes  10  days with a crash, of the last 28: a third for each, 1 from three on
-- Bands, of the risk rounded to a tenth: low below 30, medium below 60, high from 60 on. Each user of the list comes with
-- the three parts, so that it can be seen what makes the number.
SET LOCAL ROLE weir_owner;
SET LOCAL check_function_bodies = off;

-- Who was in which segment in each whole week of the window, as sets. Chunks go by themselves: what is missing is empty.
CREATE OR REPLACE FUNCTION weir.segment_sets(tenant text, first_day date, last_day date, zone text)
RETURNS TABLE (week date, chunk integer, segment text, users varbit)
LANGUAGE sql STABLE
SET jit = off SET work_mem = '64MB'
AS $$
  WITH nobody AS (
    SELECT weir.at_bits(0, 0) AS bits
  ), weeks AS MATERIALIZED (
    SELECT s::date AS week FROM generate_series(date_trunc('week', first_day::timestamp + interval '6 days'), last_day - 6, interval '7 days') AS s
  ), active AS MATERIALIZED (
    SELECT date_trunc('week', d.day::timestamp)::date AS week, d.chunk, bit_or(d.users) AS users, weir.sum_of_sets(array_agg(d.users::varbit)) AS planes
    FROM weir.day_sets AS d
    WHERE d.tenant_id = tenant AND d.zone = segment_sets.zone AND d.subject = 'active' AND d.value = '' AND d.day BETWEEN first_day - 41 AND last_day
    GROUP BY 1, 2
  ), fresh AS MATERIALIZED (
    SELECT date_trunc('week', d.day::timestamp)::date AS week, d.chunk, bit_or(d.users) AS users
    FROM weir.day_sets AS d
    WHERE d.tenant_id = tenant AND d.zone = segment_sets.zone AND d.subject = 'new' AND d.value = '' AND d.day <= last_day
    GROUP BY 1, 2
  ), sets AS MATERIALIZED (
    SELECT w.week, c.chunk,
      (SELECT bit_or(f.users) FROM fresh AS f WHERE f.chunk = c.chunk AND f.week <= w.week)::varbit AS known,
      coalesce((SELECT f.users FROM fresh AS f WHERE f.chunk = c.chunk AND f.week = w.week), n.bits)::varbit AS fresh,
      coalesce(a.users, n.bits)::varbit AS here, coalesce(a.planes, '{}') AS planes,
      coalesce((SELECT b.users FROM active AS b WHERE b.chunk = c.chunk AND b.week = w.week - 7), n.bits)::varbit AS last_week,
      coalesce((SELECT bit_or(b.users) FROM active AS b WHERE b.chunk = c.chunk AND b.week BETWEEN w.week - 28 AND w.week - 7), n.bits)::varbit AS before
    FROM weeks AS w CROSS JOIN (SELECT DISTINCT f.chunk FROM fresh AS f) AS c CROSS JOIN nobody AS n
    LEFT JOIN active AS a ON a.week = w.week AND a.chunk = c.chunk
  )
  SELECT s.week, s.chunk, g.segment, g.users
  FROM sets AS s
  CROSS JOIN LATERAL (SELECT coalesce(s.planes[3], s.here # s.here) AS four, coalesce(s.planes[2], s.here # s.here) AS two, s.here & ~s.fresh & s.before AS stayed) AS k
  CROSS JOIN LATERAL (VALUES ('new', s.fresh), ('resurrected', s.here & ~s.fresh & ~s.before), ('power', k.stayed & k.four),
    ('active', k.stayed & k.two & ~k.four), ('casual', k.stayed & ~k.two & ~k.four), ('at_risk', s.known & ~s.here & ~s.fresh & s.last_week),
    ('dormant', s.known & ~s.here & ~s.fresh & ~s.last_week & s.before), ('churned', s.known & ~s.here & ~s.fresh & ~s.before)) AS g (segment, users)
  WHERE s.known IS NOT NULL
$$;

CREATE OR REPLACE FUNCTION weir.segments_partial(tenant text, first_day date, last_day date, zone text) RETURNS SETOF weir.part
LANGUAGE sql STABLE
SET jit = off SET work_mem = '64MB'
AS $$
  WITH sets AS MATERIALIZED (
    SELECT * FROM weir.segment_sets(tenant, first_day, last_day, zone)
  )
  SELECT 'size', s.week || ' ' || s.segment, sum(bit_count(s.users))::numeric FROM sets AS s GROUP BY s.week, s.segment
  UNION ALL
  SELECT 'move', b.week || ' ' || a.segment || ' ' || b.segment, sum(bit_count(a.users & b.users))
  FROM sets AS a JOIN sets AS b ON b.week = a.week + 7 AND b.chunk = a.chunk
  GROUP BY b.week, a.segment, b.segment
  HAVING sum(bit_count(a.users & b.users)) > 0
$$;

CREATE OR REPLACE FUNCTION weir.segments_merge(parts weir.part[]) RETURNS jsonb
LANGUAGE sql IMMUTABLE
AS $$
  WITH said AS MATERIALIZED (
    SELECT p.figure, split_part(p.key, ' ', 1) AS week, split_part(p.key, ' ', 2) AS a, split_part(p.key, ' ', 3) AS b, sum(p.amount) AS users
    FROM unnest(parts) AS p GROUP BY 1, 2, 3, 4
  )
  SELECT jsonb_build_object('weeks', coalesce(jsonb_agg(jsonb_build_object('start', w.week, 'users', w.users, 'segments', w.sizes,
    'moves', (SELECT coalesce(jsonb_agg(jsonb_build_object('from', m.a, 'to', m.b, 'users', m.users) ORDER BY m.users DESC, m.a, m.b), '[]')
      FROM said AS m WHERE m.figure = 'move' AND m.week = w.week)) ORDER BY w.week), '[]'))
  FROM (
    SELECT s.week, sum(s.users) AS users, jsonb_object_agg(s.a, s.users) AS sizes FROM said AS s WHERE s.figure = 'size' GROUP BY s.week
  ) AS w
$$;

CREATE OR REPLACE FUNCTION weir.segments_answer(tenant text, first_day date, last_day date, zone text DEFAULT 'UTC') RETURNS jsonb
LANGUAGE sql STABLE
AS $$
  SELECT weir.answered(tenant, first_day, last_day, zone, 'days',
    weir.segments_merge(ARRAY(SELECT p FROM weir.segments_partial(tenant, first_day, last_day, weir.kept_zone(tenant, zone)) AS p)), first_day - 41)
$$;
COMMENT ON FUNCTION weir.segments_answer(text, date, date, text) IS
  'Segments of a tenant''s users by week, and moves between them. sql/analytics/segments.sql defines them.';

-- What is known of 20480 users at a time, of half of these: every other chunk. Numbers of days are planes (loads.sql). `away` is how long
-- ago the last day with events was, `reach` how long ago the first, `days` how many there were, `lately` of the last 28 days and `before` of the
-- 28 before, `crashes` days with a crash, more than three are three. `fell` have fewer days lately than before, `quiet` none in eight.
-- `scored` have a risk; it may be more than 0 of `told`, is that of their fall alone of `fallen`, and 30 at the least of `lost`.
CREATE OR REPLACE FUNCTION weir.churn_sets(tenant text, last_day date, zone text, half integer)
RETURNS TABLE (chunk integer, nobody varbit, away varbit[], reach varbit[], days varbit[], lately varbit[], before varbit[], crashes varbit[],
  quiet varbit, fell varbit, scored varbit, told varbit, fallen varbit, lost varbit)
LANGUAGE sql STABLE PARALLEL SAFE
SET jit = off SET work_mem = '64MB'
AS $$
  WITH counts AS MATERIALIZED (
    SELECT d.chunk, weir.at_bits(0, 0)::varbit AS nobody,
      weir.sum_of_sets(array_agg(d.users::varbit) FILTER (WHERE d.day > last_day - 28)) AS lately,
      weir.sum_of_sets(array_agg(d.users::varbit) FILTER (WHERE d.day BETWEEN last_day - 55 AND last_day - 28)) AS before,
      weir.sum_of_sets(array_agg(d.users::varbit) FILTER (WHERE d.day < last_day - 55)) AS earlier,
      bit_or(d.users) FILTER (WHERE d.day > last_day - 28)::varbit AS late, bit_or(d.users) FILTER (WHERE d.day <= last_day - 14) AS old,
      bit_or(d.users) FILTER (WHERE d.day >= last_day - 7) AS newly
    FROM weir.day_sets AS d
    WHERE d.tenant_id = tenant AND d.zone = churn_sets.zone AND d.subject = 'active' AND d.value = '' AND d.day BETWEEN last_day - 89 AND last_day
      AND d.chunk % 2 = half
    GROUP BY d.chunk
  ), crashed AS MATERIALIZED (
    SELECT d.chunk, weir.sum_of_sets(array_agg(d.users::varbit)) AS days FROM weir.day_sets AS d
    WHERE d.tenant_id = tenant AND d.zone = churn_sets.zone AND d.subject = 'crash' AND d.value = '' AND d.day BETWEEN last_day - 27 AND last_day
      AND d.chunk % 2 = half
    GROUP BY d.chunk
  )
  SELECT c.chunk, c.nobody, e.away, e.reach, t.days, c.lately, c.before, k.planes, m.quiet, m.fell, m.scored,
    m.scored & (m.quiet | k.planes[1] | k.planes[2] | m.fell), m.scored & m.fell & ~(m.quiet | k.planes[1] | k.planes[2]),
    m.scored & m.fell & ~coalesce(c.late, c.nobody)
  FROM counts AS c
  LEFT JOIN weir.ends_of_users(tenant, last_day, zone, half) AS e ON e.chunk = c.chunk
  LEFT JOIN crashed AS f ON f.chunk = c.chunk,
  LATERAL (SELECT weir.sum_of_numbers(weir.sum_of_numbers(c.lately, c.before, c.nobody), c.earlier, c.nobody) AS days OFFSET 0) AS t,
  LATERAL weir.opened(t.days, c.nobody) AS d, LATERAL weir.opened(f.days, c.nobody) AS o,
  LATERAL (SELECT ARRAY[o.b0 | o.b2 | o.b3 | o.b4, o.b1 | o.b2 | o.b3 | o.b4] AS planes OFFSET 0) AS k,
  LATERAL (SELECT ~coalesce(c.newly, c.nobody) AS quiet, weir.whose_is_less(c.lately, c.before, c.nobody) AS fell,
    coalesce(c.old, c.nobody) & ((d.b0 & d.b1) | d.b2 | d.b3 | d.b4 | d.b5 | d.b6) AS scored OFFSET 0) AS m
$$;

-- Of users whose risk is that of their fall alone, how many are in which tenth: that of those who fell by a third begins with 10 (what is less than a third
-- of 28 days at the most is less by so much that rounding does not matter), and by two thirds with 20. Who was there within eight
-- days has not fallen by all.
CREATE OR REPLACE FUNCTION weir.tenths_of_falls(lately varbit[], before varbit[], fallen varbit, nobody varbit) RETURNS bigint[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
  SELECT ARRAY[bit_count(fallen & ~f.third), bit_count(f.third & ~f.two_thirds), bit_count(f.two_thirds)]
  FROM (
    SELECT fallen & ~weir.whose_is_less(nobody || before, t.three_times, nobody) AS third, fallen & ~weir.whose_is_less(before, t.three_times, nobody) AS two_thirds
    FROM (SELECT weir.sum_of_numbers(lately, nobody || lately, nobody) AS three_times OFFSET 0) AS t
    OFFSET 0
  ) AS f
$$;

-- How many days ago each user's last and first day with events were, of the 90 that end with a day. (Sets are not sorted for their planes: each
-- is copied then.)
CREATE OR REPLACE FUNCTION weir.ends_of_users(tenant text, last_day date, zone text, half integer)
RETURNS TABLE (chunk integer, away varbit[], reach varbit[])
LANGUAGE sql STABLE PARALLEL SAFE
SET jit = off SET work_mem = '64MB' SET enable_sort = off
AS $$
  WITH active AS MATERIALIZED (
    SELECT d.chunk, last_day - d.day AS ago, ~ ~d.users AS users FROM weir.day_sets AS d
    WHERE d.tenant_id = tenant AND d.zone = ends_of_users.zone AND d.subject = 'active' AND d.value = '' AND d.day BETWEEN last_day - 89 AND last_day
      AND d.chunk % 2 = half
  ), ends AS MATERIALIZED (
    SELECT a.chunk, a.ago, a.users & ~coalesce(bit_or(a.users) OVER later, a.users # a.users) AS last,
      a.users & ~coalesce(bit_or(a.users) OVER earlier, a.users # a.users) AS first
    FROM active AS a
    WINDOW later AS (PARTITION BY a.chunk ORDER BY a.ago ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING),
      earlier AS (PARTITION BY a.chunk ORDER BY a.ago DESC ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
  )
  SELECT s.chunk, weir.sum_of_sets(array_agg(s.away::varbit ORDER BY s.place), array_agg(s.place ORDER BY s.place)),
    weir.sum_of_sets(array_agg(s.reach::varbit ORDER BY s.place), array_agg(s.place ORDER BY s.place))
  FROM (
    SELECT e.chunk, p.place, bit_or(e.last) AS away, bit_or(e.first) AS reach
    FROM ends AS e, generate_series(0, 6) AS p (place) WHERE e.ago >> p.place & 1 = 1
    GROUP BY e.chunk, p.place
  ) AS s
  GROUP BY s.chunk
$$;

-- What the risk of a user is made of is one number, its key: from the right two bits with `crashes`, five with `fell_from`, five
-- with `fell_to`, ten with `rhythm`, and `silent`. `silent` by `rhythm` is how many rhythms long the silence is, from 1 to 4, and
-- `fell_to` by `fell_from` what is left of the days before, 1 at the most. Users of whom the same is known have the same risk: it is
-- worked out once for them, and a name is looked for only of those who may be in the list. Those whose risk cannot be more than 0, or is that of
-- their fall alone, which is less than 30, are counted without a look at each, unless the list may take these, too.
CREATE OR REPLACE FUNCTION weir.churn_risk_of_half(tenant text, last_day date, zone text, most integer, half integer) RETURNS SETOF weir.part
LANGUAGE sql STABLE PARALLEL SAFE COST 1000000000 ROWS 100
SET jit = off SET work_mem = '64MB' SET max_parallel_workers_per_gather = 0
AS $$
  WITH sets AS MATERIALIZED (
    SELECT s.*, CASE WHEN sum(bit_count(s.lost)) OVER () >= most THEN s.told & ~s.fallen ELSE s.scored END AS listed
    FROM weir.churn_sets(tenant, last_day, zone, half) AS s
  ), users AS MATERIALIZED (
    SELECT u.number, u.said + CASE
      WHEN u.silent >= 4 * u.rhythm THEN 4 * 4194304::bigint + 4096
      WHEN u.silent > u.rhythm THEN u.silent * 4194304::bigint + u.rhythm * 4096
      ELSE 4194304 + 4096 END AS key
    FROM (
      SELECT u.number, u.said, CASE WHEN u.reach - u.away > 7 * u.gaps THEN u.away * u.gaps ELSE u.away END AS silent,
        CASE WHEN u.reach - u.away > 7 * u.gaps THEN u.reach - u.away ELSE 7 END AS rhythm
      FROM (
        SELECT s.chunk * 20480 + u AS number, get_bit(s.k0, u) + get_bit(s.k1, u) * 2
            + CASE get_bit(s.fell, u) WHEN 1 THEN weir.five_bits(s.l0, s.l1, s.l2, s.l3, s.l4, u) * 128 + weir.five_bits(s.f0, s.f1, s.f2, s.f3, s.f4, u) * 4
            ELSE 128 + 4 END AS said,
          CASE get_bit(s.quiet, u) WHEN 1 THEN weir.seven_bits(s.a0, s.a1, s.a2, s.a3, s.a4, s.a5, s.a6, u) END AS away,
          CASE get_bit(s.quiet, u) WHEN 1 THEN weir.seven_bits(s.r0, s.r1, s.r2, s.r3, s.r4, s.r5, s.r6, u) END AS reach,
          CASE get_bit(s.quiet, u) WHEN 1 THEN weir.seven_bits(s.d0, s.d1, s.d2, s.d3, s.d4, s.d5, s.d6, u) - 1 END AS gaps
        FROM (
          SELECT s.chunk, s.nobody, s.listed, s.quiet, s.fell, s.crashes[1] AS k0, s.crashes[2] AS k1, l.*, f.*, a.*, r.*, d.*
          FROM sets AS s, weir.opened(s.lately, s.nobody) AS l (l0, l1, l2, l3, l4, l5, l6, l7, l8),
            weir.opened(s.before, s.nobody) AS f (f0, f1, f2, f3, f4, f5, f6, f7, f8), weir.opened(s.away, s.nobody) AS a (a0, a1, a2, a3, a4, a5, a6, a7, a8),
            weir.opened(s.reach, s.nobody) AS r (r0, r1, r2, r3, r4, r5, r6, r7, r8), weir.opened(s.days, s.nobody) AS d (d0, d1, d2, d3, d4, d5, d6, d7, d8)
          OFFSET 0
        ) AS s, LATERAL (SELECT generate_series(0, length(s.nobody) - 1) AS u) AS u
        WHERE get_bit(s.listed, u) = 1
        OFFSET 0
      ) AS u
      OFFSET 0
    ) AS u
  ), keys AS MATERIALIZED (
    SELECT u.key, count(*) AS users FROM users AS u GROUP BY u.key
  ), silences AS MATERIALIZED (
    SELECT k.said, 60 * (((k.said >> 10)::numeric / (k.said & 1023) - 1) / 3) AS silence FROM (SELECT DISTINCT k.key >> 12 AS said FROM keys AS k) AS k
  ), falls AS MATERIALIZED (
    SELECT k.said, 30 * (1 - (k.said >> 7)::numeric / (k.said >> 2 & 31)) AS fall, 10 * ((k.said & 3) / 3.0) AS crashed
    FROM (SELECT DISTINCT k.key & 4095 AS said FROM keys AS k) AS k
  ), risks AS MATERIALIZED (
    SELECT k.key, k.users, s.silence, f.fall, f.crashed, round(s.silence + f.fall + f.crashed, 1) AS risk
    FROM keys AS k JOIN silences AS s ON s.said = k.key >> 12 JOIN falls AS f ON f.said = k.key & 4095
  ), sizes AS MATERIALIZED (
    SELECT r.risk, sum(r.users) AS users FROM risks AS r GROUP BY r.risk
  ), least AS MATERIALIZED (
    SELECT coalesce(max(r.risk) FILTER (WHERE r.so_far >= most), 0) AS risk
    FROM (SELECT s.risk, sum(s.users) OVER (ORDER BY s.risk DESC) AS so_far FROM sizes AS s) AS r
  ), likely AS MATERIALIZED (
    SELECT u.number, r.risk, r.silence, r.fall, r.crashed
    FROM risks AS r JOIN users AS u ON u.key = r.key
    WHERE r.risk >= (SELECT l.risk FROM least AS l)
  ), top AS MATERIALIZED (
    SELECT u.user_id, l.*
    FROM weir.named(tenant, ARRAY(SELECT l.number FROM likely AS l)) AS u JOIN likely AS l ON l.number = u.number
    ORDER BY l.risk DESC, u.user_id COLLATE "C" LIMIT most
  )
  SELECT 'risk', least(9, floor(s.risk / 10))::text, sum(s.users)::numeric FROM sizes AS s GROUP BY 2
  UNION ALL
  SELECT 'risk', '0', sum(bit_count(s.scored & ~(s.listed | s.fallen))) FROM sets AS s
  UNION ALL
  SELECT 'risk', (f.n - 1)::text, sum(f.users)
  FROM sets AS s, unnest(weir.tenths_of_falls(s.lately, s.before, s.fallen & ~s.listed, s.nobody)) WITH ORDINALITY AS f (users, n)
  GROUP BY f.n
  UNION ALL
  SELECT 'user', jsonb_build_array(t.user_id, last_day - (
      SELECT sum(get_bit(a.plane, t.number % 20480) << (a.n - 1)::integer)::integer
      FROM sets AS s, unnest(s.away) WITH ORDINALITY AS a (plane, n) WHERE s.chunk = t.number / 20480),
    round(t.silence, 1), round(t.fall, 1), round(t.crashed, 1))::text, t.risk
  FROM top AS t
$$;

-- Both halves, each a part as another server's would be, by a process each.
CREATE OR REPLACE FUNCTION weir.churn_risk_partial(tenant text, last_day date, zone text, most integer) RETURNS SETOF weir.part
LANGUAGE sql STABLE
SET jit = off
AS $$
  SELECT * FROM weir.churn_risk_of_half(tenant, last_day, zone, most, 0)
  UNION ALL
  SELECT * FROM weir.churn_risk_of_half(tenant, last_day, zone, most, 1)
$$;

CREATE OR REPLACE FUNCTION weir.churn_risk_merge(parts weir.part[], most integer) RETURNS jsonb
LANGUAGE sql IMMUTABLE
AS $$
  SELECT jsonb_build_object('weights', '{"silence": 60, "fall": 30, "crashes": 10}'::jsonb, 'scored', sum(n.users),
    'bands', jsonb_build_object('low', sum(n.users) FILTER (WHERE n.ten < 3), 'medium', sum(n.users) FILTER (WHERE n.ten BETWEEN 3 AND 5),
      'high', sum(n.users) FILTER (WHERE n.ten >= 6)),
    'distribution', jsonb_agg(n.users ORDER BY n.ten),
    'users', (
      SELECT coalesce(jsonb_agg(jsonb_build_object('user', t.about ->> 0, 'risk', t.risk, 'last_seen', t.about ->> 1, 'silence', t.about -> 2,
        'fall', t.about -> 3, 'crashes', t.about -> 4) ORDER BY t.risk DESC, (t.about ->> 0) COLLATE "C"), '[]')
      FROM (SELECT p.key::jsonb AS about, p.amount AS risk FROM unnest(parts) AS p WHERE p.figure = 'user'
        ORDER BY p.amount DESC, (p.key::jsonb ->> 0) COLLATE "C" LIMIT most) AS t))
  FROM (SELECT ten, weir.amount_of(parts, 'risk', ten::text) AS users FROM generate_series(0, 9) AS ten) AS n
$$;

CREATE OR REPLACE FUNCTION weir.churn_risk_answer(tenant text, last_day date, zone text DEFAULT 'UTC', most integer DEFAULT 20) RETURNS jsonb
LANGUAGE sql STABLE
AS $$
  SELECT weir.answered(tenant, last_day - 89, last_day, zone, 'days',
    weir.churn_risk_merge(ARRAY(SELECT p FROM weir.churn_risk_partial(tenant, last_day, weir.kept_zone(tenant, zone), a.most) AS p), a.most))
  FROM (SELECT weir.bounded('top', most, 1, 100) AS most OFFSET 0) AS a
$$;
COMMENT ON FUNCTION weir.churn_risk_answer(text, date, text, integer) IS
  'Who is about to leave, and what says so. sql/analytics/segments.sql defines the score.';

GRANT EXECUTE ON FUNCTION weir.segment_sets(text, date, date, text), weir.segments_partial(text, date, date, text),
  weir.segments_merge(weir.part[]), weir.segments_answer(text, date, date, text), weir.churn_sets(text, date, text, integer), weir.ends_of_users(text, date, text, integer),
  weir.tenths_of_falls(varbit[], varbit[], varbit, varbit),
  weir.churn_risk_of_half(text, date, text, integer, integer), weir.churn_risk_partial(text, date, text, integer), weir.churn_risk_merge(weir.part[], integer),
  weir.churn_risk_answer(text, date, text, integer) TO weir_reader;
