-- Where users click in anger: again and again on what does not do what they want.
--
--   SELECT weir.rage_clicks_answer('acme', '2026-03-01', '2026-03-31', 'Europe/Berlin', clicks => 3, seconds => 1);
--
-- The window is from one day to another, both counted, in a time zone.
--
--   click        an event of a user's: `event`, or one of click, clicked, $autocapture. Its element is the first of the
--                properties element, selector, target, $el_text, id; its page as paths.sql finds a screen. One without an
--                element is none
--   burst        `clicks` clicks of a user on one element of a page within `seconds` seconds, from the first to the last of
--                them; and all that follow as long as that holds. One burst however long. (Three within a second is what
--                PostHog and others take by default)
--   told         events rage_click, rage_clicked, rageclick and $rageclick, by which clients tell of a burst: one each,
--                whatever `event` is; where it is one of them, each is a click besides, and bursts of it count too
--   rage_clicks  bursts and told ones; users who had some
--   pages, elements
--                those with the most, an element together with its page; NULL is a told one without
--
-- Late events count at their own time. Read event by event (happened.sql); of days that are packed, where at least three clicks within at
-- most five seconds are asked for, of no event in particular or of the only one of these, among crowded ones alone (migrations/0034).
-- Exact; a server tells its 1,000 worst pages and elements, and `exact` is false where there were more.
SET LOCAL ROLE weir_owner;
SET LOCAL check_function_bodies = off;

-- Moments at which a user, of those from one number up to another, clicked so often, on whatever, that there may be a burst, as user and moment
-- in one number (moments.sql): few of all clicks, and found without what was clicked on: a click is one if a crowd began with it, or with one
-- of those just before it. NULL in `bits`: none are looked for.
CREATE OR REPLACE FUNCTION weir.crowded_clicks(lowest bigint, beyond bigint, asked weir.asked, patterns jsonb, clicks integer, seconds integer, bits integer)
RETURNS SETOF bigint
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET plan_cache_mode = force_custom_plan SET jit = off SET work_mem = '128MB' SET enable_nestloop = on
AS $$
DECLARE
  span constant weir.asked := weir.asked_of_span(asked.tenant, asked.since, asked.until);
  rows constant weir.moments := (
    SELECT ROW(array_agg(r.number), array_agg(r.at), NULL)::weir.moments
    FROM weir.happened_in_rows(span.tenant, patterns, span.since, span.until, '{}') AS r WHERE bits IS NOT NULL);
  codes constant bigint[] := CASE WHEN bits IS NOT NULL THEN weir.sorted_events(lowest, beyond, span, patterns, bits, rows) END;
BEGIN
  RETURN QUERY WITH begun AS (
    SELECT array_agg(w.place ORDER BY w.place) AS places
    FROM (SELECT unnest(codes) AS code, unnest(codes[crowded_clicks.clicks:]) AS last, generate_series(1, cardinality(codes)) AS place) AS w
    WHERE w.code >> bits = w.last >> bits AND w.last - w.code <= crowded_clicks.seconds * 1000000::bigint
  ), crowded AS (
    -- Each place once, however many crowds it is of.
    SELECT generate_series(b.place, least(b.place + crowded_clicks.clicks - 1, b.next - 1)) AS place
    FROM (SELECT unnest(b.places) AS place, unnest(b.places[2:]) AS next FROM begun AS b) AS b
  )
  SELECT codes[c.place] FROM crowded AS c;
END
$$;

-- Clicks that may be of a burst, where none are made of packs: those at such a moment. Their user and moment are told from the code (moments.sql),
-- and of these few alone the page is looked for. Without settings of its own, so that it becomes part of what asks. (With IS TRUE, so that moments
-- are hashed whatever the planner thinks of their number.)
CREATE OR REPLACE FUNCTION weir.clicks_by_code(lowest bigint, beyond bigint, asked weir.asked, clicked jsonb, clicks integer, seconds integer, bits integer)
RETURNS TABLE (number bigint, at timestamptz, screen text, properties jsonb)
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
  WITH crowded AS MATERIALIZED (
    SELECT c.code
    FROM weir.crowded_clicks(greatest(lowest, 0), least(beyond, 1::bigint << 63 - bits), asked, clicked, clicks, seconds, bits) AS c (code)
  )
  SELECT v.number, v.at, weir.first_text(v.properties, weir.screen_properties()), v.properties
  FROM (
    SELECT greatest(lowest, 0) + (v.code >> bits) AS number, asked.since + (v.code & (1::bigint << bits) - 1) * interval '1 microsecond' AS at, v.properties
    FROM weir.valued_events(greatest(lowest, 0), least(beyond, 1::bigint << 63 - bits),
      weir.asked_of_span(asked.tenant, asked.since, asked.until, asked.zone, asked.first_day, asked.last_day), clicked, bits, '{properties}', true) AS v
    WHERE (v.code IN (SELECT c.code FROM crowded AS c)) IS TRUE
    OFFSET 0
  ) AS v
  UNION ALL
  SELECT r.number, r.at, r.screen, r.properties
  FROM weir.happened_in_rows(asked.tenant, clicked, asked.since, asked.until, '{screen}') AS r
  WHERE r.number >= lowest AND r.number < beyond
    AND (r.number < 0 OR (weir.as_number(r.number - greatest(lowest, 0), r.at, weir.microseconds(asked.since), bits) IN (SELECT c.code FROM crowded AS c)) IS TRUE)
    AND (r.sure OR (r.at AT TIME ZONE asked.zone)::date BETWEEN asked.first_day AND asked.last_day)
$$;

-- Clicks that may be of a burst, and what was told. Of days of which crowded clicks are read, these are `crowded`; where none are, they
-- are looked for.
CREATE OR REPLACE FUNCTION weir.clicks_in(lowest bigint, beyond bigint, asked weir.asked, told_by jsonb, clicked jsonb, crowded jsonb, clicks integer,
  seconds integer)
RETURNS TABLE (number bigint, at timestamptz, told boolean, page text, element text)
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET plan_cache_mode = force_custom_plan SET jit = off SET work_mem = '128MB' SET enable_nestloop = on
AS $$
#variable_conflict use_column
DECLARE
  bits constant integer := CASE WHEN clicks > 1 AND asked.first = asked.until THEN weir.moment_bits(asked.tenant, asked.since, asked.until) END;
BEGIN
  RETURN QUERY SELECT e.number, e.at, e.told, e.screen COLLATE "C", weir.first_text(e.properties, '{element,selector,target,$el_text,id}') COLLATE "C"
  FROM (
    SELECT true AS told, t.number, t.at, t.screen, t.properties
    FROM weir.happened_beside(lowest, beyond, asked, told_by, told_by, '{screen,properties}') AS t
    UNION ALL
    SELECT false, c.number, c.at, c.screen, c.properties
    FROM weir.happened_beside(lowest, beyond, asked, clicked, crowded, '{screen,properties}') AS c WHERE bits IS NULL
    UNION ALL
    SELECT false, c.number, c.at, c.screen, c.properties
    FROM weir.clicks_by_code(lowest, beyond, asked, clicked, clicks, seconds, bits) AS c WHERE bits IS NOT NULL
  ) AS e
  WHERE e.number IS NOT NULL;
END
$$;

CREATE OR REPLACE FUNCTION weir.told_click_events() RETURNS text[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT '{rage_click,rage_clicked,rageclick,$rageclick}'::text[] $$;

-- Each rage click of these users: a burst, or one that was told. One process does all of it.
CREATE OR REPLACE FUNCTION weir.rage_clicks_by(lowest bigint, beyond bigint, asked weir.asked, told_by jsonb, clicked jsonb, crowded jsonb, clicks integer,
  seconds integer)
RETURNS TABLE (number bigint, page text, element text, told boolean)
LANGUAGE sql STABLE PARALLEL SAFE COST 1000000000 ROWS 1000
SET jit = off SET work_mem = '128MB' SET max_parallel_workers_per_gather = 0
AS $$
  WITH clicked AS MATERIALIZED (
    SELECT c.* FROM weir.clicks_in(lowest, beyond, asked, told_by, clicked, crowded, clicks, seconds) AS c WHERE lowest < beyond
  ), timed AS (
    SELECT c.*, c.at - lag(c.at, clicks - 1) OVER w <= seconds * interval '1 second' AS angry
    FROM clicked AS c
    WHERE NOT c.told AND c.element IS NOT NULL
    WINDOW w AS (PARTITION BY c.number, c.page, c.element ORDER BY c.at)
  ), begun AS (
    SELECT t.*, lag(t.angry) OVER (PARTITION BY t.number, t.page, t.element ORDER BY t.at) AS goes_on FROM timed AS t
  )
  SELECT b.number, b.page, b.element, false FROM begun AS b WHERE b.angry AND b.goes_on IS NOT TRUE
  UNION ALL
  SELECT c.number, c.page, c.element, true FROM clicked AS c WHERE c.told
$$;

-- The same of all users, a half to a process where all clicks have to be looked at.
CREATE OR REPLACE FUNCTION weir.all_rage_clicks(halves bigint[], asked weir.asked, told_by jsonb, clicked jsonb, crowded jsonb, clicks integer, seconds integer)
RETURNS TABLE (number bigint, page text, element text, told boolean)
LANGUAGE sql STABLE
SET jit = off
AS $$
  SELECT * FROM weir.rage_clicks_by(halves[1], halves[2], asked, told_by, clicked, crowded, clicks, seconds)
  UNION ALL
  SELECT * FROM weir.rage_clicks_by(halves[2], halves[3], asked, told_by, clicked, crowded, clicks, seconds)
$$;

CREATE OR REPLACE FUNCTION weir.rage_clicks_in(tenant text, first_day date, last_day date, zone text, event text, clicks integer,
  seconds integer, filter jsonb)
RETURNS TABLE (number bigint, page text, element text, told boolean)
LANGUAGE sql STABLE
AS $$
  SELECT c.*
  FROM (
    SELECT weir.asked_of(tenant, zone, first_day, last_day, clicks >= 3 AND seconds <= 5 AND (rage_clicks_in.event IS NULL
        OR weir.is_only_event(tenant, first_day, last_day, rage_clicks_in.event, weir.click_events()))) AS asked,
      weir.narrowed(weir.patterns_named(weir.told_click_events()), filter) AS told_by,
      weir.narrowed(weir.patterns_named(CASE WHEN rage_clicks_in.event IS NULL THEN weir.click_events()
        WHEN rage_clicks_in.event <> ALL (weir.told_click_events()) THEN ARRAY[rage_clicks_in.event] END), filter) AS clicked,
      weir.narrowed(weir.patterns_named(ARRAY[weir.made_pack('crowded clicks')]), filter) AS crowded
    OFFSET 0
  ) AS a
  CROSS JOIN LATERAL weir.all_rage_clicks(CASE WHEN (a.asked).first = (a.asked).until
    THEN weir.halves_of_users(tenant, a.clicked, (a.asked).since, (a.asked).until) ELSE '{-9223372036854775808,9223372036854775807,9223372036854775807}' END,
    a.asked, a.told_by, a.clicked, a.crowded, clicks, seconds) AS c
$$;

-- What a server can say of its own users: `bursts`, `told`, `users`; `page` by [page], `element` by [page, element], and
-- `page_users`, `element_users`. `beyond` says how many were left out.
CREATE OR REPLACE FUNCTION weir.rage_clicks_partial(tenant text, first_day date, last_day date, zone text, event text DEFAULT NULL,
  clicks integer DEFAULT 3, seconds integer DEFAULT 1, filter jsonb DEFAULT '{}')
RETURNS SETOF weir.part
LANGUAGE sql STABLE
SET jit = off SET work_mem = '64MB'
AS $$
  WITH found AS MATERIALIZED (
    SELECT * FROM weir.rage_clicks_in(tenant, first_day, last_day, zone, rage_clicks_partial.event, clicks, rage_clicks_partial.seconds, filter)
  ), keyed AS (
    SELECT k.figure, k.key, count(*) AS times, count(DISTINCT f.number) AS users
    FROM found AS f, LATERAL (VALUES ('page', jsonb_build_array(f.page)::text),
      ('element', jsonb_build_array(f.page, f.element)::text)) AS k (figure, key)
    GROUP BY k.figure, k.key
  ), ranked AS (
    SELECT k.*, row_number() OVER (PARTITION BY k.figure ORDER BY k.times DESC, k.key COLLATE "C") > 1000 AS beyond FROM keyed AS k
  )
  SELECT r.figure || s.suffix, r.key, s.amount
  FROM ranked AS r, LATERAL (VALUES ('', r.times), ('_users', r.users)) AS s (suffix, amount)
  WHERE NOT r.beyond
  UNION ALL
  SELECT 'beyond', r.figure, count(*) FROM ranked AS r WHERE r.beyond GROUP BY r.figure
  UNION ALL
  SELECT CASE WHEN f.told THEN 'told' ELSE 'bursts' END, '', count(*) FROM found AS f GROUP BY f.told
  UNION ALL
  SELECT 'users', '', count(DISTINCT f.number) FROM found AS f
$$;

-- Pages, or elements, with the most.
CREATE OR REPLACE FUNCTION weir.rage_click_list(parts weir.part[], name text, most integer) RETURNS jsonb
LANGUAGE sql IMMUTABLE
AS $$
  SELECT coalesce(jsonb_agg(jsonb_build_object('page', t.key::jsonb -> 0) || CASE name WHEN 'element'
      THEN jsonb_build_object('element', t.key::jsonb -> 1) ELSE '{}' END
    || jsonb_build_object('rage_clicks', t.times, 'users', t.users) ORDER BY t.times DESC, t.key COLLATE "C"), '[]')
  FROM (
    SELECT p.key, sum(p.amount) FILTER (WHERE p.figure = name) AS times, sum(p.amount) FILTER (WHERE p.figure = name || '_users') AS users
    FROM unnest(parts) AS p WHERE p.figure IN (name, name || '_users')
    GROUP BY p.key
    ORDER BY 2 DESC, p.key COLLATE "C"
    LIMIT most
  ) AS t
$$;

-- The answer, from the parts of all servers.
CREATE OR REPLACE FUNCTION weir.rage_clicks_merge(parts weir.part[], most integer DEFAULT 20) RETURNS jsonb
LANGUAGE sql IMMUTABLE
AS $$
  SELECT jsonb_build_object('rage_clicks', weir.amount_of(parts, 'bursts') + weir.amount_of(parts, 'told'),
    'bursts', weir.amount_of(parts, 'bursts'), 'told', weir.amount_of(parts, 'told'), 'users', weir.amount_of(parts, 'users'),
    'pages', weir.rage_click_list(parts, 'page', most), 'elements', weir.rage_click_list(parts, 'element', most),
    'exact', NOT EXISTS (SELECT FROM unnest(parts) AS p WHERE p.figure = 'beyond'))
$$;

CREATE OR REPLACE FUNCTION weir.rage_clicks_answer(tenant text, first_day date, last_day date, zone text DEFAULT 'UTC', event text DEFAULT NULL,
  clicks integer DEFAULT 3, seconds integer DEFAULT 1, filter text DEFAULT NULL, most integer DEFAULT 20) RETURNS jsonb
LANGUAGE sql STABLE
AS $$
  SELECT weir.answered(tenant, first_day, last_day, zone, 'rows', jsonb_build_object('clicks', a.clicks, 'seconds', a.seconds)
    || weir.rage_clicks_merge(ARRAY(
      SELECT p FROM weir.rage_clicks_partial(tenant, first_day, last_day, zone, a.event, a.clicks, a.seconds, a.filter) AS p), a.most))
  FROM (
    SELECT weir.named_event('event', rage_clicks_answer.event) AS event,
      weir.bounded('clicks', clicks, 1, 20) AS clicks, weir.bounded('seconds', seconds, 1, 60) AS seconds,
      weir.filter_of('filter', filter) AS filter, weir.bounded('top', most, 1, 100) AS most
    OFFSET 0
  ) AS a
$$;
COMMENT ON FUNCTION weir.rage_clicks_answer(text, date, date, text, text, integer, integer, text, integer) IS
  'Where users click again and again within a moment. sql/analytics/rage_clicks.sql defines it.';

GRANT EXECUTE ON FUNCTION weir.crowded_clicks(bigint, bigint, weir.asked, jsonb, integer, integer, integer),
  weir.clicks_by_code(bigint, bigint, weir.asked, jsonb, integer, integer, integer), weir.told_click_events(),
  weir.clicks_in(bigint, bigint, weir.asked, jsonb, jsonb, jsonb, integer, integer),
  weir.rage_clicks_by(bigint, bigint, weir.asked, jsonb, jsonb, jsonb, integer, integer),
  weir.all_rage_clicks(bigint[], weir.asked, jsonb, jsonb, jsonb, integer, integer), weir.rage_clicks_in(text, date, date, text, text, integer, integer, jsonb),
  weir.rage_clicks_partial(text, date, date, text, text, integer, integer, jsonb),
  weir.rage_click_list(weir.part[], text, integer), weir.rage_clicks_merge(weir.part[], integer),
  weir.rage_clicks_answer(text, date, date, text, text, integer, integer, text, integer) TO weir_reader;
