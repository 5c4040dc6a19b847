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
-- Ways come from day_ways (migrations/0053) where these tell the same: what they name is added up, which is all where they have no hashes. Else a way was gone once more
-- at most on each day that has hashes and does not name it. So where an answer tells the `most` frequent ones and nothing else, those alone come that may be among them, what
-- stands beside included, with as many of the hashes as are theirs; but only if as many are gone more often than there are such days, since each that nobody names
-- is not. (Then more others than a server tells have to be found in a few lines, too, so that the answer is not exact in either case.) Else, and where there are no lines of
-- this value and length, all ways of day_tallies are added up, of four steps or ten, and cut where another length is asked for.
--
-- All that come are without their own `beside_times`; where all are added up, `beside_ways` come whatever their number. `exits` of those that are left out: how many visits they are.
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
    SELECT o.way, sum(o.times) AS times, count(*) AS days
    FROM (SELECT unnest(r.ways) COLLATE "C" AS way, unnest(r.times)::float8 AS times FROM ranked AS r) AS o
    GROUP BY o.way
  ), named AS MATERIALIZED (
    SELECT n.way, sum(n.times) AS times, sum(n.known) AS known, sum(n.days) AS days
    FROM (
      SELECT o.way, o.times, o.times AS known, o.days FROM often AS o
      UNION ALL
      SELECT b.way COLLATE "C", 0, b.times, 0 FROM unnest(beside_ways, beside_times) AS b (way, times)
    ) AS n
    GROUP BY n.way
  ), hashed AS MATERIALIZED (
    SELECT count(DISTINCT r.day) AS all_days, count(DISTINCT r.day) FILTER (WHERE r.rare <> '{}') AS days, coalesce(sum(cardinality(r.rare)), 0) AS visits,
      (SELECT n.known FROM named AS n WHERE most IS NOT NULL ORDER BY n.known DESC LIMIT 1 OFFSET most - 1) AS last_told
    FROM ranked AS r
  ), rule AS MATERIALIZED (
    SELECT (h.all_days > 0 AND (h.visits = 0 OR h.last_told > h.days
      AND (SELECT count(DISTINCT u.hash) FROM (SELECT unnest(r.rare) AS hash FROM (SELECT r.rare FROM ranked AS r WHERE r.rare <> '{}' LIMIT 16) AS r) AS u
        WHERE (u.hash IN (SELECT weir.way_hash(n.way) FROM named AS n)) IS NOT TRUE) > weir.most_paths())) IS TRUE AS is_by_rank
    FROM hashed AS h
  ), candidates AS MATERIALIZED (
    SELECT n.way, n.times, CASE WHEN h.visits > 0 AND n.days < h.all_days THEN weir.way_hash(n.way) END AS hash
    FROM named AS n, hashed AS h
    WHERE (SELECT r.is_by_rank FROM rule AS r) AND (h.visits = 0 OR n.known + least(h.days, h.all_days - n.days) >= h.last_told)
  ), rare AS MATERIALIZED (
    SELECT u.hash, count(*)::float8 AS times
    FROM (SELECT unnest(r.rare) AS hash FROM ranked AS r WHERE (SELECT count(c.hash) FROM candidates AS c) > 0) AS u
    WHERE (u.hash IN (SELECT c.hash FROM candidates AS c)) IS TRUE
    GROUP BY u.hash
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
  SELECT 'more ways', NULL, NULL, NULL, sum(m.ways)::bigint, sum(m.visits)::bigint
  FROM (
    SELECT count(*) AS ways, coalesce(sum(w.times), 0) AS visits FROM ways AS w
    UNION ALL
    SELECT -count(*), -coalesce(sum(f.times), 0) FROM found AS f
    UNION ALL
    SELECT count(*), coalesce(sum(n.times), 0) FROM named AS n WHERE (SELECT r.is_by_rank FROM rule AS r)
    UNION ALL
    SELECT -count(*), -coalesce(sum(c.times), 0) FROM candidates AS c
    UNION ALL
    SELECT h.visits - l.visits, h.visits - l.visits FROM hashed AS h, (SELECT coalesce(sum(r.times), 0)::bigint AS visits FROM rare AS r) AS l
    WHERE (SELECT r.is_by_rank FROM rule AS r)
  ) AS m
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
