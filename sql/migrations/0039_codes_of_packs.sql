-- Beside each pack, who did it and when as one number for an event: what funnels, tasks and bursts of clicks ask of millions of
-- events is then one column to unpack, and no moment to turn into a number (analytics/moments.sql). And packs of their own for what users
-- repeat within a day: a funnel begins with the others. docs/decisions/0025 has what it was measured against.
--
--   a code   the user in 26 bits, and the microseconds of the UTC day in 37. Each 2^26 users have packs of their own: the first ones in parts
--            from 0 on, the next in parts from 2^20 on, where codes count users from 2^26, and so on
SET LOCAL ROLE weir_owner;

-- The codes of a pack's events that have a user; they come first. A function of its own, since a column may be made by nothing but such.
CREATE FUNCTION weir.codes_of_pack(numbers bigint[], moments timestamptz[], day date) RETURNS bigint[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
  SELECT coalesce(array_agg(
    (e.number & 67108863) << 37 | (date_part('epoch', e.at - day::timestamp AT TIME ZONE 'UTC') * 1e6::float8)::bigint ORDER BY e.place), '{}')
  FROM unnest(numbers, moments) WITH ORDINALITY AS e (number, at, place)
  WHERE e.number IS NOT NULL
$$;

-- Days are packed anew below.
DELETE FROM weir.packs WHERE NOT weir.is_made(event);

-- Compressed as the other columns.
DO $$
DECLARE
  compression text := 'COMPRESSION lz4';
BEGIN
  IF NOT EXISTS (SELECT FROM pg_attribute WHERE attrelid = 'weir.packs'::regclass AND attname = 'numbers' AND attcompression = 'l') THEN
    compression := '';
  END IF;
  EXECUTE format('ALTER TABLE weir.packs ADD COLUMN codes bigint[] %s GENERATED ALWAYS AS '
    '(CASE WHEN NOT weir.is_made(event) THEN weir.codes_of_pack(numbers, moments, day) END) STORED', compression);
END
$$;
COMMENT ON TABLE weir.packs IS
  'Events of a UTC day by their name, 4096 at most in a part: element n of each column is of one event. In the order of users and moments; '
  'in parts from 2^19 on (of each 2^20) what a user repeats, and what has no user.';
COMMENT ON TYPE weir.asked IS
  'Of a tenant''s window, from since up to until or a little less: first up to last are UTC days that lie in it on whatever clock, NULL where '
  'nothing is read that is made of packs; zone and days are NULL where the span alone counts.';
COMMENT ON COLUMN weir.packs.codes IS
  'Of the events that have a user: the user, less 2^26 for each 2^20 in part, times 2^37, and the microseconds of the day. NULL of what is made of packs.';

-- Whether a pack has what users did for the first time on the day with a version, platform and country: all of that is in such packs, and little
-- else. What is first in a window is read from these alone.
CREATE FUNCTION weir.has_firsts(part integer) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT part & 524288 = 0 $$;

GRANT EXECUTE ON FUNCTION weir.has_firsts(integer) TO weir_reader;

-- As before, but in the order of users and moments, with users from 2^26 on as said above, and with repeated events in parts from 2^19 on: those
-- of which the user had one before, with the same version, platform and country and none of another between; and those without a user.
CREATE OR REPLACE FUNCTION weir.packs_of_day(tenant text, day date)
RETURNS TABLE (event text, part integer, numbers bigint[], sessions bigint[], moments timestamptz[], versions text[],
  platforms text[], countries text[], screens text[], durations numeric[], properties jsonb[])
LANGUAGE sql STABLE
SET jit = off SET work_mem = '64MB' SET enable_nestloop = off SET enable_mergejoin = off SET enable_indexscan = off
AS $$
  SELECT p.event, p.part, array_agg(p.number), array_agg(p.session), array_agg(p.at), array_agg(p.version),
    array_agg(p.platform), array_agg(p.country), array_agg(weir.first_text(p.properties, weir.screen_properties())),
    array_agg(weir.first_number(p.properties, weir.duration_properties())), array_agg(p.properties)
  FROM (
    SELECT o.*, (o.block << 20) + CASE WHEN o.repeated THEN 524288 + (o.repetitions - 1) / 4096 ELSE (o.place - o.repetitions - 1) / 4096 END AS part
    FROM (
      SELECT n.*, (row_number() OVER line)::integer AS place, (count(*) FILTER (WHERE n.repeated) OVER line)::integer AS repetitions
      FROM (
        SELECT e.*, e.number IS NULL OR (e.number = lag(e.number) OVER line AND e.at > lag(e.at) OVER line
          AND e.version IS NOT DISTINCT FROM lag(e.version) OVER line AND e.platform IS NOT DISTINCT FROM lag(e.platform) OVER line
          AND e.country IS NOT DISTINCT FROM lag(e.country) OVER line) IS TRUE AS repeated
        FROM (
          SELECT weir.pack_name(e.event) AS event, u.number::bigint AS number, coalesce(u.number >> 26, 0) AS block, weir.session_key(e.session_id) AS session,
            e."timestamp" AS at, e.app_version AS version, e.platform, e.country, e.properties, e.event_id
          FROM weir.events AS e
          LEFT JOIN weir.user_numbers AS u ON u.tenant_id = packs_of_day.tenant AND u.user_id = e.user_id
          WHERE e.tenant_id = packs_of_day.tenant
            AND e."timestamp" >= packs_of_day.day::timestamp AT TIME ZONE 'UTC'
            AND e."timestamp" < (packs_of_day.day + 1)::timestamp AT TIME ZONE 'UTC'
        ) AS e
        WINDOW line AS (PARTITION BY e.event, e.block ORDER BY e.number, e.at, e.session, e.event_id)
      ) AS n
      WINDOW line AS (PARTITION BY n.event, n.block ORDER BY n.number, n.at, n.session, n.event_id ROWS UNBOUNDED PRECEDING)
    ) AS o
    ORDER BY o.event, part, o.place
  ) AS p
  GROUP BY p.event, p.part
$$;

-- Days that are packed already.
SELECT weir.replace_packs(p.tenant_id, p.day, false) FROM weir.packed_days AS p;

-- They give, or take, something else since (analytics/happened.sql, moments.sql, funnels.sql, rage_clicks.sql, heavy_users.sql), or are no more.
-- Where one was never made there is nothing to say.
SET LOCAL client_min_messages = warning;
DROP FUNCTION IF EXISTS
  weir.packs_to_read(integer, bigint, bigint, text, jsonb, timestamptz, timestamptz, text[]),
  weir.cut_packs(bigint, bigint, text, jsonb, timestamptz, timestamptz, boolean),
  weir.moments_of(bigint, bigint, text, jsonb, timestamptz, timestamptz),
  weir.sorted_events(bigint, bigint, text, jsonb, integer, timestamptz, timestamptz, text, date, date, bigint, integer, weir.moments[]),
  weir.event_counts(bigint, bigint, text, jsonb, integer, timestamptz, timestamptz, text, date, date, weir.moments[]),
  weir.funnel_users(bigint, bigint, text, date, date, text, jsonb, integer[], bigint, text, weir.moments[]),
  weir.funnel_values(bigint, bigint, text, jsonb, timestamptz, timestamptz, text, bigint, integer, weir.moments[]),
  weir.crowded_clicks(text, timestamptz, timestamptz, jsonb, integer, integer, bigint, integer),
  weir.measured_patterns(text, text, text, date, date);
