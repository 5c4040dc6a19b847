-- What was counted of the visits in packs of all users (migrations/0034, 0038, 0040), by day: what paths.sql has of most of a window. `tally` says of which
-- value, and which of what. Of steps and ways those come that can be among the most frequent ones that paths.sql tells, when what was found `beside` is added to some of them;
-- how many others there are, `more` says. (Counted as float8, which is exact and has its place in the table of sums, where a bigint's sum would be made beside it.)
SET LOCAL ROLE weir_owner;
SET LOCAL check_function_bodies = off;

-- How many steps from a screen to another, and how many ways, a server tells.
CREATE OR REPLACE FUNCTION weir.most_paths() RETURNS integer
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT 5000 $$;

-- How often a screen came after which, weir.path_mark() at a visit's begin, and how often the visit ended there. Those beside, and all that a visit begins with
-- or that do not change the screen, come whatever their number, and all others together for each screen, with an empty `former`.
CREATE OR REPLACE FUNCTION weir.tallied_steps(asked weir.asked, tally text[], beside_screens text[], beside_formers text[])
RETURNS TABLE (kind text, screen text, former text, way text, times bigint, exits bigint)
LANGUAGE plpgsql STABLE PARALLEL SAFE COST 2000000000 ROWS 10000
SET plan_cache_mode = force_custom_plan SET jit = off SET work_mem = '256MB' SET enable_sort = off SET max_parallel_workers_per_gather = 0
AS $$
#variable_conflict use_column
BEGIN
  RETURN QUERY WITH steps AS MATERIALIZED (
    SELECT s.screen, coalesce(s.former, weir.path_mark()) AS former, sum(s.times) AS times, sum(s.times * s.ends) AS exits
    FROM (
      SELECT unnest(t.names) COLLATE "C" AS screen, unnest(t.formers) COLLATE "C" AS former, unnest(t.slots)::float8 AS ends, unnest(t.times)::float8 AS times
      FROM weir.day_tallies AS t
      WHERE t.tenant_id = asked.tenant AND t.day = ANY (ARRAY(SELECT weir.made_days(asked))) AND t.dimension = tally[1] AND t.value = tally[2] AND t.subject = 'step'
    ) AS s
    GROUP BY s.screen, s.former
  ), others AS NOT MATERIALIZED (
    SELECT s.* FROM steps AS s
    WHERE s.former <> s.screen AND s.former <> weir.path_mark()
      AND ((s.screen, s.former) IN (SELECT * FROM unnest(beside_screens, beside_formers))) IS NOT TRUE
  ), found AS MATERIALIZED (
    SELECT s.* FROM steps AS s
    WHERE s.former = s.screen OR s.former = weir.path_mark() OR ((s.screen, s.former) IN (SELECT * FROM unnest(beside_screens, beside_formers))) IS TRUE
    UNION ALL
    SELECT * FROM (SELECT o.* FROM others AS o ORDER BY o.times DESC, o.former COLLATE "C", o.screen COLLATE "C" LIMIT weir.most_paths()) AS o
  )
  SELECT 'step', f.screen, f.former, NULL, f.times::bigint, f.exits::bigint FROM found AS f
  UNION ALL
  SELECT 'step', s.screen, '', NULL, (s.times - coalesce(f.times, 0))::bigint, (s.exits - coalesce(f.exits, 0))::bigint
  FROM (SELECT s.screen, sum(s.times) AS times, sum(s.exits) AS exits FROM steps AS s GROUP BY s.screen) AS s
  LEFT JOIN (SELECT f.screen, sum(f.times) AS times, sum(f.exits) AS exits FROM found AS f GROUP BY f.screen) AS f ON f.screen = s.screen
  UNION ALL
  SELECT 'more steps', NULL, NULL, NULL, (SELECT count(*) FROM steps) - (SELECT count(*) FROM found), NULL;
END
$$;

-- How often a way was gone to its `length` first steps, and how many users there were.
--
-- Ways come from day_ways (migrations/0053) where these tell the same: those that they name are added up, with as many of their hashes as are theirs. Any other way was
-- gone at most once on each day that has hashes. So either there is no other; or an answer tells the `most` frequent ones and nothing else, and at least so many were gone
-- more often than that, what stands beside included. (Then more others than a server tells have to be found in a few lines, too, so that the answer is not exact in either
-- case.) Else, and where there are no lines of this value and length, all ways of day_tallies are added up, of four steps or ten, and cut where another length is asked for.
--
-- `beside_ways` come whatever their number, without their own `beside_times`. `exits` of those that are left out: how many visits they are.
CREATE OR REPLACE FUNCTION weir.tallied_ways(asked weir.asked, length integer, tally text[], beside_ways text[], beside_times bigint[], most integer)
RETURNS TABLE (kind text, screen text, former text, way text, times bigint, exits bigint)
LANGUAGE plpgsql STABLE PARALLEL SAFE COST 2000000000 ROWS 10000
SET plan_cache_mode = force_custom_plan SET jit = off SET work_mem = '256MB' SET enable_sort = off SET max_parallel_workers_per_gather = 0
AS $$
#variable_conflict use_column
BEGIN
  RETURN QUERY WITH ranked AS NOT MATERIALIZED (
    SELECT w.* FROM weir.day_ways AS w
    WHERE w.tenant_id = asked.tenant AND w.day = ANY (ARRAY(SELECT weir.made_days(asked))) AND w.dimension = tally[1] AND w.value = tally[2]
      AND w.length = tallied_ways.length
  ), often AS MATERIALIZED (
    SELECT o.way, sum(o.times) AS times
    FROM (SELECT unnest(r.ways) COLLATE "C" AS way, unnest(r.times)::float8 AS times FROM ranked AS r) AS o
    GROUP BY o.way
  ), candidates AS MATERIALIZED (
    SELECT c.way, sum(c.times) AS times, sum(c.known) AS known, weir.way_hash(c.way) AS hash
    FROM (
      SELECT o.way, o.times, o.times AS known FROM often AS o
      UNION ALL
      SELECT b.way COLLATE "C", 0, b.times FROM unnest(beside_ways, beside_times) AS b (way, times)
    ) AS c
    GROUP BY c.way
  ), rare AS MATERIALIZED (
    SELECT h.hash, count(*)::float8 AS times
    FROM (SELECT unnest(r.rare) AS hash FROM ranked AS r) AS h
    WHERE (h.hash IN (SELECT c.hash FROM candidates AS c)) IS TRUE
    GROUP BY h.hash
  ), others AS MATERIALIZED (
    SELECT coalesce(sum(cardinality(r.rare)), 0) - coalesce((SELECT sum(r.times) FROM rare AS r), 0)::bigint AS visits,
      count(*) > 0 AS are_kept, count(DISTINCT r.day) FILTER (WHERE r.rare <> '{}') AS days
    FROM ranked AS r
  ), rule AS MATERIALIZED (
    SELECT (o.are_kept AND (o.visits = 0
      OR (SELECT count(*) FROM candidates AS c WHERE c.known > o.days) >= most
      AND (SELECT count(DISTINCT h.hash) FROM (SELECT unnest(r.rare) AS hash FROM (SELECT r.rare FROM ranked AS r WHERE r.rare <> '{}' LIMIT 16) AS r) AS h
        WHERE (h.hash IN (SELECT c.hash FROM candidates AS c)) IS NOT TRUE) > weir.most_paths())) IS TRUE AS is_by_rank
    FROM others AS o
  ), kept AS NOT MATERIALIZED (
    SELECT k.way, sum(k.times) AS times
    FROM (
      SELECT unnest(t.names) COLLATE "C" AS way, unnest(t.times)::float8 AS times
      FROM weir.day_tallies AS t
      WHERE t.tenant_id = asked.tenant AND t.day = ANY (ARRAY(SELECT weir.made_days(asked))) AND t.dimension = tally[1] AND t.value = tally[2]
        AND t.subject = CASE WHEN tallied_ways.length <= 4 THEN 'way' ELSE 'long way' END AND NOT (SELECT r.is_by_rank FROM rule AS r)
    ) AS k
    GROUP BY k.way
  ), ways AS MATERIALIZED (
    SELECT c.way, c.times + coalesce(r.times, 0) AS times FROM candidates AS c LEFT JOIN rare AS r ON r.hash = c.hash
    WHERE (SELECT r.is_by_rank FROM rule AS r)
    UNION ALL
    SELECT k.way, k.times FROM kept AS k WHERE tallied_ways.length IN (4, 10)
    UNION ALL
    SELECT array_to_string((string_to_array(k.way, weir.path_mark()))[:tallied_ways.length], weir.path_mark()) AS first_steps, sum(k.times) FROM kept AS k
    WHERE tallied_ways.length NOT IN (4, 10)
    GROUP BY first_steps
  ), found AS MATERIALIZED (
    SELECT w.way, w.times FROM ways AS w WHERE (w.way IN (SELECT unnest(beside_ways))) IS TRUE
    UNION ALL
    SELECT * FROM (SELECT w.way, w.times FROM ways AS w WHERE (w.way IN (SELECT unnest(beside_ways))) IS NOT TRUE
      ORDER BY w.times DESC, w.way COLLATE "C" LIMIT weir.most_paths()) AS w
  )
  SELECT 'way', NULL, NULL, f.way, f.times::bigint, NULL::bigint FROM found AS f
  UNION ALL
  SELECT 'more ways', NULL, NULL, NULL, w.ways - f.ways + l.visits, (w.visits - f.visits)::bigint + l.visits
  FROM (SELECT count(*) AS ways, coalesce(sum(w.times), 0) AS visits FROM ways AS w) AS w,
    (SELECT count(*) AS ways, coalesce(sum(f.times), 0) AS visits FROM found AS f) AS f,
    (SELECT coalesce(sum(o.visits), 0)::bigint AS visits FROM others AS o WHERE (SELECT r.is_by_rank FROM rule AS r)) AS l
  UNION ALL
  SELECT 'users', NULL, NULL, NULL, sum(bit_count(v.users))::bigint, NULL
  FROM (
    SELECT bit_or(v.users) AS users FROM weir.day_viewers AS v
    WHERE v.tenant_id = asked.tenant AND v.day = ANY (ARRAY(SELECT weir.made_days(asked))) AND v.dimension = tally[1] AND v.value = tally[2]
    GROUP BY v.chunk
  ) AS v;
END
$$;

-- Both, by a process each.
CREATE OR REPLACE FUNCTION weir.path_tallies(asked weir.asked, length integer, tally text[], beside_screens text[], beside_formers text[], beside_ways text[],
  beside_times bigint[], most integer)
RETURNS TABLE (kind text, screen text, former text, way text, times bigint, exits bigint)
LANGUAGE sql STABLE
SET jit = off
AS $$
  SELECT * FROM weir.tallied_steps(asked, tally, beside_screens, beside_formers)
  UNION ALL
  SELECT * FROM weir.tallied_ways(asked, length, tally, beside_ways, beside_times, most)
$$;

GRANT EXECUTE ON FUNCTION weir.most_paths(), weir.tallied_steps(weir.asked, text[], text[], text[]), weir.tallied_ways(weir.asked, integer, text[], text[], bigint[], integer),
  weir.path_tallies(weir.asked, integer, text[], text[], text[], text[], bigint[], integer) TO weir_reader;
