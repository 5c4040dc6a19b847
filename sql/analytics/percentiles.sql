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

-- Of parts whose keys are [list, slot]: each list's median, p75 and p95.
CREATE OR REPLACE FUNCTION weir.listed_percentiles(parts weir.part[], figure text) RETURNS TABLE (list text, percentiles jsonb)
LANGUAGE sql IMMUTABLE
AS $$
  WITH slots AS MATERIALIZED (
    SELECT (k.key ->> 0) COLLATE "C" AS list, (k.key ->> 1)::integer AS slot, k.numbers
    FROM (
      SELECT p.key::jsonb AS key, sum(p.amount) AS numbers
      FROM unnest(parts) AS p
      WHERE p.figure = listed_percentiles.figure
      GROUP BY p.key
      OFFSET 0
    ) AS k
  ), lists AS (
    SELECT s.list, s.slot, sum(s.numbers) OVER line AS so_far,
      sum(s.numbers) OVER (line ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) AS whole
    FROM slots AS s
    WINDOW line AS (PARTITION BY s.list ORDER BY s.slot)
  )
  SELECT l.list, jsonb_build_object(
    'median', weir.slot_number(min(l.slot) FILTER (WHERE l.so_far >= l.whole * 0.50)),
    'p75', weir.slot_number(min(l.slot) FILTER (WHERE l.so_far >= l.whole * 0.75)),
    'p95', weir.slot_number(min(l.slot) FILTER (WHERE l.so_far >= l.whole * 0.95)))
  FROM lists AS l
  GROUP BY l.list
$$;

GRANT EXECUTE ON FUNCTION weir.slot_number(integer), weir.percentiles_with_mean(numeric, numeric, jsonb),
  weir.listed_percentiles(weir.part[], text) TO weir_reader;
