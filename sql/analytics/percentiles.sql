-- Percentiles of many lists at once, from parts that are histograms with the slots of weir.slot_of(): each is its slot's
-- number, off by 1 % at most. The percentile p is the value below which or at which p % of all are.
SET LOCAL ROLE weir_owner;
SET LOCAL check_function_bodies = off;

-- A slot's number, in six digits.
CREATE OR REPLACE FUNCTION weir.slot_number(slot integer) RETURNS numeric
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
  SELECT trim_scale(to_char(weir.value_of_slot(slot), '9.99999EEEE')::numeric)
$$;

CREATE OR REPLACE FUNCTION weir.percentiles_with_mean(total numeric, numbers numeric, percentiles jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE
AS $$
  SELECT '{"median": null, "p75": null, "p95": null}'::jsonb || coalesce(percentiles, '{}')
    || jsonb_build_object('mean', weir.ratio(total, numbers))
$$;

-- Of parts whose keys are [list, slot], as JSON writes it: each list's median, p75 and p95. (Of many slots of a list its name is read once.)
CREATE OR REPLACE FUNCTION weir.listed_percentiles(parts weir.part[], figure text) RETURNS TABLE (list text, percentiles jsonb)
LANGUAGE sql IMMUTABLE
AS $$
  WITH slots AS MATERIALIZED (
    SELECT k.list, rtrim(k.slot, ']')::integer AS slot, sum(k.amount) AS numbers
    FROM (
      SELECT left(p.key, -2 - length(p.slot)) COLLATE "C" AS list, p.slot, p.amount
      FROM (SELECT p.key, split_part(p.key, ', ', -1) AS slot, p.amount FROM unnest(parts) AS p WHERE p.figure = listed_percentiles.figure OFFSET 0) AS p
    ) AS k
    GROUP BY k.list, k.slot
  ), lists AS (
    SELECT s.list, s.slot, sum(s.numbers) OVER line AS so_far,
      sum(s.numbers) OVER (line ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) AS whole
    FROM slots AS s
    WINDOW line AS (PARTITION BY s.list ORDER BY s.slot)
  )
  SELECT (l.list || ']')::jsonb ->> 0, jsonb_build_object(
    'median', weir.slot_number(min(l.slot) FILTER (WHERE l.so_far >= l.whole * 0.50)),
    'p75', weir.slot_number(min(l.slot) FILTER (WHERE l.so_far >= l.whole * 0.75)),
    'p95', weir.slot_number(min(l.slot) FILTER (WHERE l.so_far >= l.whole * 0.95)))
  FROM lists AS l
  GROUP BY l.list
$$;

GRANT EXECUTE ON FUNCTION weir.slot_number(integer), weir.percentiles_with_mean(numeric, numeric, jsonb),
  weir.listed_percentiles(weir.part[], text) TO weir_reader;
