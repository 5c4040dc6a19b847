-- Who uses it much, and how uneven that is.
--
--   SELECT weir.heavy_users_answer('acme', '2026-03-01', '2026-03-31', 'Europe/Berlin', 'seconds', 20);
--
-- Users are named by the ids that clients made up for them. What each of them adds up to within the window, from one day to another in a
-- time zone: events, or a measure of weir.measures as it stands now, such as seconds, recordings or cost_usd. `users` lists those with the
-- most, `concentration` says which share of all the top 1, 5, 10, 20 and 50 % of the users have (a part of a user counts as one); of a measure
-- it is off by `error` at most, but of one that counts every event alike. `active` are the users who had any, `events` how many made it up.
--
-- Events, and a measure that counts every event alike, come from the sets that say how many each user had (loads.sql); in a zone whose days are
-- not kept from user_days, and those of the days that its midnight cuts from the rows. Other measures come from the packs of their events, and
-- on days that have none from the rows (happened.sql).
SET LOCAL ROLE weir_owner;
SET LOCAL check_function_bodies = off;

-- What each user adds up to of a measure, and of how many events, on days that are not read from packs.
CREATE OR REPLACE FUNCTION weir.totals_of_rows(tenant text, first_day date, last_day date, zone text, measure text)
RETURNS TABLE (user_id text, events bigint, total numeric)
LANGUAGE sql STABLE
SET jit = off SET work_mem = '64MB'
AS $$
  SELECT n.user_id, count(*), sum(n.number)
  FROM (
    SELECT e.user_id, m.factor * CASE WHEN m.property IS NULL THEN 1 ELSE weir.number_at(e.properties, m.property) END AS number
    FROM weir.day_begins(zone, first_day) AS f
    CROSS JOIN weir.day_begins(zone, last_day + 1) AS l
    CROSS JOIN LATERAL weir.spans_in_rows(tenant, f.since, l.surely) AS s
    JOIN weir.events AS e ON e."timestamp" >= s.span_since AND e."timestamp" < s.span_until
    JOIN weir.wanted_measure(tenant, totals_of_rows.measure) AS m ON m.event IN (e.event, '*')
    WHERE e.tenant_id = tenant AND e.user_id IS NOT NULL AND (e."timestamp" AT TIME ZONE zone)::date BETWEEN first_day AND last_day
  ) AS n
  WHERE n.number IS NOT NULL
  GROUP BY n.user_id
$$;

-- The same by the users' numbers, which are looked up one by one or all together, whichever takes less for so many. Who has none yet gets one
-- behind all others, and is named.
CREATE OR REPLACE FUNCTION weir.numbered_totals_of_rows(tenant text, first_day date, last_day date, zone text, measure text)
RETURNS TABLE (number bigint, stranger text, events bigint, total numeric)
LANGUAGE plpgsql STABLE
SET plan_cache_mode = force_custom_plan SET jit = off SET work_mem = '64MB'
AS $$
#variable_conflict use_column
DECLARE
  ids text[];
  counts bigint[];
  totals numeric[];
BEGIN
  SELECT array_agg(t.user_id), array_agg(t.events), array_agg(t.total) INTO ids, counts, totals
  FROM weir.totals_of_rows(tenant, first_day, last_day, zone, measure) AS t;
  RETURN QUERY
  SELECT coalesce(n.number, l.number + row_number() OVER (PARTITION BY n.number IS NULL)), CASE WHEN n.number IS NULL THEN t.id END, t.events, t.total
  FROM (SELECT unnest(ids) AS id, unnest(counts) AS events, unnest(totals) AS total) AS t
  LEFT JOIN weir.user_numbers AS n ON n.tenant_id = tenant AND n.user_id = t.id
  CROSS JOIN (SELECT coalesce(max(u.number), 0)::bigint AS number FROM weir.user_numbers AS u WHERE u.tenant_id = tenant) AS l;
END
$$;

-- The patterns of a measure's event. Of every event ('*') the names that packs have, but where `property` is given only those of which roll-ups
-- know, by day, that they had a number in it. (They keep a thousand numbers a day: of a day with so many all names are taken.)
CREATE OR REPLACE FUNCTION weir.measured_patterns(tenant text, event text, property text, zone text, first_day date, last_day date) RETURNS jsonb
LANGUAGE sql STABLE PARALLEL SAFE
SET jit = off
AS $$
  WITH numbers AS (
    SELECT n.day, n.event, n.property FROM weir.day_numbers AS n
    WHERE n.tenant_id = tenant AND n.zone = 'UTC' AND n.day BETWEEN first_day - 1 AND last_day + 1 AND measured_patterns.property IS NOT NULL
  )
  SELECT weir.patterns_named(CASE measured_patterns.event WHEN '*' THEN ARRAY(
    SELECT DISTINCT p.event FROM weir.packs AS p
    WHERE p.tenant_id = tenant AND p.day IN (SELECT d FROM weir.window_of(zone, first_day, last_day) AS w, weir.days_in_packs(tenant, w.since, w.until) AS d)
      AND NOT weir.is_made(p.event) AND (measured_patterns.property IS NULL
        OR (p.day, left(p.event, 256)) IN (SELECT n.day, n.event FROM numbers AS n WHERE n.property = measured_patterns.property)
        OR p.day IN (SELECT n.day FROM numbers AS n GROUP BY n.day HAVING count(*) >= 1000))
  ) ELSE ARRAY[measured_patterns.event] END)
$$;

-- Of users from one number up to another, in packs: how many events of some patterns each has on days of a zone, with a number in `property`
-- if one is given, and what these numbers, or the events, add up to. Only what is needed is unpacked. (Sorted, since the sums of
-- all users at once would have no room in a processor's cache: that takes a quarter longer.)
CREATE OR REPLACE FUNCTION weir.totals_of_packs(lowest bigint, beyond bigint, tenant text, patterns jsonb, property text, zone text, first_day date,
  last_day date)
RETURNS TABLE (number bigint, events bigint, total numeric)
LANGUAGE plpgsql STABLE PARALLEL SAFE COST 1000000000 ROWS 100000
SET plan_cache_mode = force_custom_plan SET jit = off SET work_mem = '128MB' SET enable_nestloop = on SET enable_hashagg = off
SET max_parallel_workers_per_gather = 0
AS $$
#variable_conflict use_column
DECLARE
  since timestamptz;
  surely_since timestamptz;
  surely_until timestamptz;
  until timestamptz;
BEGIN
  SELECT f.since, f.surely, l.since, l.surely INTO since, surely_since, surely_until, until
  FROM weir.day_begins(zone, first_day) AS f, weir.day_begins(zone, last_day + 1) AS l;
  IF property IS NULL THEN
    RETURN QUERY SELECT c.number, c.times, c.times::numeric
    FROM weir.turns_of_users(lowest, beyond, since, until) AS t
    CROSS JOIN LATERAL weir.event_counts(t.first, t.next, weir.asked_of_span(tenant, since, until, zone, first_day, last_day), patterns, NULL) AS c;
  ELSE
    RETURN QUERY SELECT n.number, count(*), sum(n.amount)
    FROM (
      SELECT unnest(k.numbers) AS number, unnest(CASE WHEN NOT k.sure THEN k.moments END) AS at, unnest(k.amounts) AS amount, unnest(k.properties) AS properties,
        unnest(k.versions) AS version, unnest(k.platforms) AS platform, unnest(k.countries) AS country, k.has, k.of_version, k.of_platform, k.of_country, k.anything, k.sure
      FROM weir.packs_to_read(NULL, lowest, beyond, tenant, patterns, since, until, '{}', measured => property) AS k
    ) AS n
    WHERE n.amount IS NOT NULL AND n.number >= lowest AND n.number < beyond AND (n.sure OR n.at >= since AND n.at < until
      AND (n.at >= surely_since AND n.at < surely_until OR (n.at AT TIME ZONE zone)::date BETWEEN first_day AND last_day))
      AND (n.anything OR weir.is_like(n.has, n.of_version, n.of_platform, n.of_country, n.properties, n.version, n.platform, n.country))
    GROUP BY n.number;
  END IF;
END
$$;

-- The same of all users, a half to a process.
CREATE OR REPLACE FUNCTION weir.all_totals_of_packs(halves bigint[], tenant text, patterns jsonb, property text, zone text, first_day date, last_day date)
RETURNS TABLE (number bigint, events bigint, total numeric)
LANGUAGE sql STABLE
SET jit = off
AS $$
  SELECT * FROM weir.totals_of_packs(halves[1], halves[2], tenant, patterns, property, zone, first_day, last_day)
  UNION ALL
  SELECT * FROM weir.totals_of_packs(halves[2], halves[3], tenant, patterns, property, zone, first_day, last_day)
$$;

-- The UTC days that lie in the window in part, on the clocks of a zone. Days between them lie in it wholly.
CREATE OR REPLACE FUNCTION weir.cut_days(first_day date, last_day date, zone text) RETURNS TABLE (first_cut date, last_cut date)
LANGUAGE sql STABLE
AS $$
  SELECT (first_day::timestamp AT TIME ZONE zone AT TIME ZONE 'UTC')::date, ((last_day + 1)::timestamp AT TIME ZONE zone AT TIME ZONE 'UTC')::date
$$;

-- The events of each user in a zone that is not kept: of whole UTC days from user_days, of those that the window cuts from
-- the rows. (Each by itself and with a plan of its own: bounds that came out of a list of the two days led to all rows.)
CREATE OR REPLACE FUNCTION weir.events_of_users(tenant text, first_day date, last_day date, zone text)
RETURNS TABLE (user_id text, events bigint, total numeric)
LANGUAGE plpgsql STABLE
SET jit = off SET work_mem = '64MB' SET plan_cache_mode = force_custom_plan
AS $$
DECLARE
  first_cut date := first_day - 1;
  last_cut date := last_day + 1;
  since timestamptz;
  until timestamptz;
BEGIN
  IF zone <> 'UTC' THEN
    SELECT c.* INTO first_cut, last_cut FROM weir.cut_days(first_day, last_day, zone) AS c;
    SELECT f.since, l.surely INTO since, until FROM weir.day_begins(zone, first_day) AS f, weir.day_begins(zone, last_day + 1) AS l;
  END IF;
  RETURN QUERY
  SELECT s.user_id, sum(s.events)::bigint, sum(s.events)
  FROM (
    SELECT d.user_id, sum(d.events) AS events FROM weir.user_days AS d
    WHERE d.tenant_id = tenant AND d.day > first_cut AND d.day < last_cut
    GROUP BY d.user_id
    UNION ALL
    SELECT e.user_id, count(*)
    FROM (
      SELECT e.user_id, e."timestamp" AS at FROM weir.events AS e
      WHERE zone <> 'UTC' AND e.tenant_id = tenant AND e."timestamp" >= since AND e."timestamp" < (first_cut + 1)::timestamp AT TIME ZONE 'UTC'
      UNION ALL
      SELECT e.user_id, e."timestamp" FROM weir.events AS e
      WHERE zone <> 'UTC' AND e.tenant_id = tenant AND e."timestamp" >= last_cut::timestamp AT TIME ZONE 'UTC' AND e."timestamp" < until
    ) AS e
    WHERE e.user_id IS NOT NULL AND (e.at AT TIME ZONE zone)::date BETWEEN first_day AND last_day
    GROUP BY e.user_id
  ) AS s
  GROUP BY s.user_id;
END
$$;

-- What a server can say of its own users: how many there are of a size (figure size, key the size) and what they add up to
-- (size_total), and those with the most (user; user_events by the id). A size is the number of events, of a measure the slot
-- of its histogram.

-- By events, in zones that are kept. Only who may be in the list gets a name.
CREATE OR REPLACE FUNCTION weir.heavy_users_by_load(tenant text, first_day date, last_day date, zone text, most integer) RETURNS SETOF weir.part
LANGUAGE sql STABLE
SET jit = off SET work_mem = '64MB'
AS $$
  WITH loads AS MATERIALIZED (
    SELECT l.chunk, l.planes FROM weir.loads(tenant, zone, first_day, last_day) AS l
  ), sizes AS MATERIALIZED (
    SELECT s.number AS events, sum(s.users) AS users FROM loads AS l, weir.sizes_of(l.planes) AS s WHERE s.users > 0 GROUP BY s.number
  ), least AS MATERIALIZED (
    SELECT coalesce(max(s.events) FILTER (WHERE s.so_far >= most), 1) AS events
    FROM (SELECT s.events, sum(s.users) OVER (ORDER BY s.events DESC) AS so_far FROM sizes AS s) AS s
  ), likely AS MATERIALIZED (
    SELECT n.number, n.events
    FROM (
      SELECT l.chunk, l.planes, ~weir.whose_is_less(l.planes, weir.planes_of(m.events, l.planes[1] | ~l.planes[1]), l.planes[1] # l.planes[1]) AS users
      FROM loads AS l, least AS m
      OFFSET 0
    ) AS l, weir.numbers_of(l.chunk, l.planes, l.users) AS n
  ), top AS MATERIALIZED (
    SELECT u.user_id, l.events
    FROM weir.named(tenant, ARRAY(SELECT l.number FROM likely AS l)) AS u
    JOIN likely AS l ON l.number = u.number
    ORDER BY l.events DESC, u.user_id COLLATE "C" LIMIT most
  )
  SELECT f.figure, f.key, f.amount
  FROM sizes AS s, LATERAL (VALUES ('size', s.events::text, s.users::numeric), ('size_total', s.events::text, s.events * s.users::numeric),
    ('events', '', s.events * s.users::numeric)) AS f (figure, key, amount)
  UNION ALL
  SELECT f.figure, t.user_id, t.events::numeric FROM top AS t, unnest('{user,user_events}'::text[]) AS f (figure)
$$;

-- By events where a zone is not kept.
CREATE OR REPLACE FUNCTION weir.heavy_users_by_day(tenant text, first_day date, last_day date, zone text, most integer) RETURNS SETOF weir.part
LANGUAGE sql STABLE
SET jit = off SET work_mem = '64MB'
AS $$
  WITH sums AS MATERIALIZED (
    SELECT * FROM weir.events_of_users(tenant, first_day, last_day, zone)
  ), sizes AS MATERIALIZED (
    SELECT s.events, count(*) AS users, sum(s.total) AS total FROM sums AS s GROUP BY s.events
  ), top AS MATERIALIZED (
    SELECT * FROM sums AS s ORDER BY s.events DESC, s.user_id COLLATE "C" LIMIT most
  )
  SELECT f.figure, f.key, f.amount
  FROM sizes AS s, LATERAL (VALUES ('size', s.events::text, s.users::numeric), ('size_total', s.events::text, s.total), ('events', '', s.total)) AS f (figure, key, amount)
  UNION ALL
  SELECT f.figure, t.user_id, t.total FROM top AS t, unnest('{user,user_events}'::text[]) AS f (figure)
$$;

-- By a measure, of users from one number up to another, with what the rows say of some: a line for each slot, and one for each user who may
-- be in the list, which are all with as much as the last of them. One process does all of it.
CREATE OR REPLACE FUNCTION weir.measured_lines(lowest bigint, beyond bigint, tenant text, first_day date, last_day date, zone text, measure text,
  most integer, numbers bigint[], events bigint[], totals numeric[])
RETURNS TABLE (number bigint, slot integer, users bigint, of_events bigint, total numeric)
LANGUAGE plpgsql STABLE PARALLEL SAFE COST 1000000000 ROWS 1000
SET plan_cache_mode = force_custom_plan SET jit = off SET work_mem = '128MB' SET enable_sort = off SET max_parallel_workers_per_gather = 0
AS $$
#variable_conflict use_column
DECLARE
  made record;
BEGIN
  IF lowest >= beyond THEN
    RETURN;
  END IF;
  SELECT array_agg(h.number), array_agg(h.events), array_agg(h.total) INTO numbers, events, totals
  FROM (SELECT unnest(numbers) AS number, unnest(events) AS events, unnest(totals) AS total) AS h
  WHERE h.number >= lowest AND h.number < beyond;
  FOR made IN SELECT * FROM weir.wanted_measure(tenant, measure) LOOP
    SELECT array_agg(coalesce(p.number, h.number)), array_agg(coalesce(p.events, 0) + coalesce(h.events, 0)),
      array_agg(CASE WHEN h.number IS NULL THEN made.factor * p.total WHEN p.number IS NULL THEN h.total ELSE made.factor * p.total + h.total END)
    INTO numbers, events, totals
    FROM weir.totals_of_packs(lowest, beyond, tenant, weir.measured_patterns(tenant, made.event, made.property, zone, first_day, last_day), made.property, zone,
      first_day, last_day) AS p
    FULL JOIN (SELECT unnest(numbers) AS number, unnest(events) AS events, unnest(totals) AS total) AS h ON h.number = p.number;
  END LOOP;
  RETURN QUERY SELECT NULL::bigint, weir.slot_of(t.total) AS slot, count(*), sum(t.events)::bigint, sum(t.total)
  FROM (SELECT unnest(events) AS events, unnest(totals) AS total) AS t
  GROUP BY slot;
  RETURN QUERY SELECT t.number, NULL::integer, NULL::bigint, t.events, t.total
  FROM (SELECT unnest(numbers) AS number, unnest(events) AS events, unnest(totals) AS total) AS t
  WHERE t.total >= (SELECT min(m.total) FROM (SELECT unnest(totals) AS total ORDER BY total DESC LIMIT most) AS m);
END
$$;

CREATE OR REPLACE FUNCTION weir.all_measured_lines(halves bigint[], tenant text, first_day date, last_day date, zone text, measure text, most integer,
  numbers bigint[], events bigint[], totals numeric[])
RETURNS TABLE (number bigint, slot integer, users bigint, of_events bigint, total numeric)
LANGUAGE sql STABLE
SET jit = off
AS $$
  SELECT * FROM weir.measured_lines(halves[1], halves[2], tenant, first_day, last_day, zone, measure, most, numbers, events, totals)
  UNION ALL
  SELECT * FROM weir.measured_lines(halves[2], halves[3], tenant, first_day, last_day, zone, measure, most, numbers, events, totals)
$$;

-- By a measure.
CREATE OR REPLACE FUNCTION weir.heavy_users_by_sum(tenant text, first_day date, last_day date, zone text, measure text, most integer)
RETURNS SETOF weir.part
LANGUAGE sql STABLE
SET jit = off SET work_mem = '64MB'
AS $$
  WITH rows AS MATERIALIZED (
    SELECT * FROM weir.numbered_totals_of_rows(tenant, first_day, last_day, zone, measure)
  ), held AS MATERIALIZED (
    SELECT array_agg(r.number) AS numbers, array_agg(r.events) AS events, array_agg(r.total) AS totals FROM rows AS r
  ), lines AS MATERIALIZED (
    SELECT l.*
    FROM held AS h
    CROSS JOIN weir.window_of(zone, first_day, last_day) AS w
    CROSS JOIN LATERAL (
      SELECT jsonb_agg(p.pattern) AS patterns
      FROM weir.wanted_measure(tenant, measure) AS m, jsonb_array_elements(weir.measured_patterns(tenant, m.event, m.property, zone, first_day, last_day)) AS p (pattern)
    ) AS p
    CROSS JOIN LATERAL weir.all_measured_lines(
      weir.halves_with_rows(tenant, p.patterns, w.since, w.until, ARRAY[ROW(h.numbers, NULL, NULL)::weir.moments]), tenant, first_day, last_day, zone, measure,
      most, h.numbers, h.events, h.totals) AS l
  ), names AS MATERIALIZED (
    SELECT n.number, n.user_id FROM weir.named(tenant, ARRAY(SELECT l.number::integer FROM lines AS l WHERE l.number IS NOT NULL)) AS n
    UNION ALL
    SELECT r.number, r.stranger FROM rows AS r WHERE r.stranger IS NOT NULL
  ), top AS MATERIALIZED (
    SELECT n.user_id, l.total, l.of_events AS events
    FROM lines AS l JOIN names AS n ON n.number = l.number
    ORDER BY l.total DESC, n.user_id COLLATE "C" LIMIT most
  )
  SELECT f.figure, f.key, f.amount
  FROM lines AS l, LATERAL (VALUES ('size', l.slot::text, l.users::numeric), ('size_total', l.slot::text, l.total), ('events', '', l.of_events)) AS f (figure, key, amount)
  WHERE l.slot IS NOT NULL
  UNION ALL
  SELECT f.figure, t.user_id, f.amount
  FROM top AS t, LATERAL (VALUES ('user', t.total), ('user_events', t.events)) AS f (figure, amount)
$$;

-- What each event counts in a measure of all events alike; NULL in others.
CREATE OR REPLACE FUNCTION weir.factor_of_events(tenant text, measure text) RETURNS numeric
LANGUAGE sql STABLE
AS $$
  SELECT CASE measure WHEN 'events' THEN 1 ELSE (
    SELECT min(m.factor) FROM weir.wanted_measure(tenant, measure) AS m HAVING count(*) = 1 AND bool_and(m.event = '*' AND m.property IS NULL AND m.factor > 0)
  ) END
$$;

CREATE OR REPLACE FUNCTION weir.heavy_users_partial(tenant text, first_day date, last_day date, zone text, measure text, most integer)
RETURNS SETOF weir.part
LANGUAGE plpgsql STABLE
AS $$
DECLARE
  factor constant numeric := weir.factor_of_events(tenant, measure);
BEGIN
  IF factor IS NULL THEN
    RETURN QUERY SELECT * FROM weir.heavy_users_by_sum(tenant, first_day, last_day, zone, measure, most);
    RETURN;
  END IF;
  RETURN QUERY SELECT p.figure, p.key, CASE WHEN p.figure IN ('size_total', 'user') THEN factor * p.amount ELSE p.amount END
  FROM (
    SELECT * FROM weir.heavy_users_by_load(tenant, first_day, last_day, zone, most) WHERE weir.keeps_zone(tenant, zone)
    UNION ALL
    SELECT * FROM weir.heavy_users_by_day(tenant, first_day, last_day, zone, most) WHERE NOT weir.keeps_zone(tenant, zone)
  ) AS p;
END
$$;

CREATE OR REPLACE FUNCTION weir.heavy_users_merge(parts weir.part[], most integer) RETURNS jsonb
LANGUAGE sql IMMUTABLE
AS $$
  WITH sizes AS MATERIALIZED (
    SELECT s.users, s.total, sum(s.users) OVER w AS users_so_far, sum(s.total) OVER w AS total_so_far
    FROM (
      SELECT p.key::numeric AS size, sum(p.amount) FILTER (WHERE p.figure = 'size') AS users, sum(p.amount) FILTER (WHERE p.figure = 'size_total') AS total
      FROM unnest(parts) AS p WHERE p.figure IN ('size', 'size_total') GROUP BY p.key
    ) AS s
    WINDOW w AS (ORDER BY s.size DESC)
  ), whole AS (
    SELECT coalesce(sum(s.users), 0) AS users, coalesce(sum(s.total), 0) AS total FROM sizes AS s
  )
  SELECT jsonb_build_object('active', w.users, 'events', weir.amount_of(parts, 'events'), 'total', w.total,
    'users', (
      SELECT coalesce(jsonb_agg(jsonb_build_object('user', t.key, 'events', t.events, 'total', t.total,
        'share', weir.ratio(t.total, w.total)) ORDER BY t.total DESC, t.key COLLATE "C"), '[]')
      FROM (
        SELECT p.key, sum(p.amount) FILTER (WHERE p.figure = 'user') AS total, sum(p.amount) FILTER (WHERE p.figure = 'user_events') AS events
        FROM unnest(parts) AS p WHERE p.figure IN ('user', 'user_events')
        GROUP BY p.key ORDER BY 2 DESC, p.key COLLATE "C" LIMIT most
      ) AS t),
    'concentration', (
      SELECT jsonb_agg(jsonb_build_object('top', n, 'users', ceil(w.users * n / 100), 'share', (
        SELECT weir.ratio(s.total_so_far - (s.users_so_far - ceil(w.users * n / 100)) * s.total / s.users, w.total)
        FROM sizes AS s WHERE s.users_so_far >= ceil(w.users * n / 100) ORDER BY s.users_so_far LIMIT 1)) ORDER BY n)
      FROM unnest(ARRAY[1, 5, 10, 20, 50]::numeric[]) AS n))
  FROM whole AS w
$$;

-- Of which kind (answered.sql) the answer is: of events in a zone that is not kept only days that the window cuts need rows.
CREATE OR REPLACE FUNCTION weir.heavy_users_read(tenant text, first_day date, last_day date, zone text, measure text) RETURNS text
LANGUAGE sql STABLE
AS $$
  SELECT CASE WHEN weir.factor_of_events(tenant, measure) IS NULL THEN 'rows' WHEN weir.keeps_zone(tenant, zone) THEN 'days'
    WHEN EXISTS (SELECT FROM weir.cut_days(first_day, last_day, zone) AS c JOIN weir.gone_days AS g ON g.tenant_id = tenant AND g.day IN (c.first_cut, c.last_cut))
    THEN 'rows' ELSE 'sums' END
$$;

CREATE OR REPLACE FUNCTION weir.heavy_users_answer(tenant text, first_day date, last_day date, zone text DEFAULT 'UTC', measure text DEFAULT 'events',
  most integer DEFAULT 20) RETURNS jsonb
LANGUAGE sql STABLE
AS $$
  SELECT weir.answered(tenant, first_day, last_day, zone, weir.heavy_users_read(tenant, first_day, last_day, zone, a.measure),
    jsonb_build_object('measure', a.measure) || CASE WHEN weir.factor_of_events(tenant, a.measure) IS NULL THEN '{"error": {"concentration": 0.01}}' ELSE '{}' END::jsonb
    || weir.heavy_users_merge(ARRAY(SELECT p FROM weir.heavy_users_partial(tenant, first_day, last_day, zone, a.measure, a.most) AS p), a.most))
  FROM (
    SELECT CASE measure WHEN 'events' THEN measure ELSE weir.known_measure(tenant, measure) END AS measure, weir.bounded('top', most, 1, 100) AS most
    OFFSET 0
  ) AS a
$$;
COMMENT ON FUNCTION weir.heavy_users_answer(text, date, date, text, text, integer) IS
  'Who uses it most, and how uneven that is. sql/analytics/heavy_users.sql defines it.';

GRANT EXECUTE ON FUNCTION weir.factor_of_events(text, text), weir.totals_of_rows(text, date, date, text, text), weir.numbered_totals_of_rows(text, date, date, text, text),
  weir.measured_patterns(text, text, text, text, date, date),
  weir.totals_of_packs(bigint, bigint, text, jsonb, text, text, date, date),
  weir.all_totals_of_packs(bigint[], text, jsonb, text, text, date, date), weir.cut_days(date, date, text),
  weir.events_of_users(text, date, date, text), weir.heavy_users_by_load(text, date, date, text, integer),
  weir.heavy_users_by_day(text, date, date, text, integer),
  weir.measured_lines(bigint, bigint, text, date, date, text, text, integer, bigint[], bigint[], numeric[]),
  weir.all_measured_lines(bigint[], text, date, date, text, text, integer, bigint[], bigint[], numeric[]),
  weir.heavy_users_by_sum(text, date, date, text, text, integer), weir.heavy_users_partial(text, date, date, text, text, integer),
  weir.heavy_users_merge(weir.part[], integer), weir.heavy_users_read(text, date, date, text, text),
  weir.heavy_users_answer(text, date, date, text, text, integer) TO weir_reader;
