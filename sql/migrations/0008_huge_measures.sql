-- What makes a recording is data: a measure may add up a property instead of counting events, and a
-- client may send any number in that. One that no bigint holds must not take the whole view away, so
-- total_recordings stops at what a bigint holds. The exact sum stands in day_measures.
SET LOCAL ROLE weir_owner;

CREATE OR REPLACE VIEW weir.user_stats AS
SELECT
  figures.tenant_id,
  figures.day AS date,
  coalesce(growth.total_users, 0)::bigint AS total_users,
  figures.active_users,
  CASE WHEN growth.day = figures.day THEN growth.new_users ELSE 0 END AS new_users,
  figures.total_recordings,
  figures.total_minutes,
  figures.total_cost_usd,
  figures.crash_count,
  figures.crash_count::numeric / nullif(figures.active_users, 0) AS crash_rate
FROM (
  SELECT tenant_id, day,
    sum(users)::bigint AS active_users,
    least(greatest(coalesce(sum(total) FILTER (WHERE measure = 'recordings'), 0),
      -9223372036854775808), 9223372036854775807)::bigint AS total_recordings,
    coalesce(sum(total) FILTER (WHERE measure = 'seconds'), 0) / 60 AS total_minutes,
    coalesce(sum(total) FILTER (WHERE measure = 'cost_usd'), 0) AS total_cost_usd,
    sum(crashes)::bigint AS crash_count
  FROM (
    SELECT tenant_id, day, 1 AS users, NULL AS measure, NULL::numeric AS total, 0 AS crashes
    FROM weir.user_days
    UNION ALL
    SELECT tenant_id, day, 0, measure, total, 0 FROM weir.day_measures
    UNION ALL
    SELECT tenant_id, day, 0, NULL, NULL, crashes FROM weir.crash_days
  ) AS facts
  GROUP BY tenant_id, day
) AS figures
LEFT JOIN (
  SELECT tenant_id, first_day AS day, count(*) AS new_users,
    sum(count(*)) OVER so_far AS total_users,
    lead(first_day, 1, 'infinity') OVER so_far AS next_day
  FROM weir.users
  GROUP BY tenant_id, first_day
  WINDOW so_far AS (PARTITION BY tenant_id ORDER BY first_day)
) AS growth
ON growth.tenant_id = figures.tenant_id
  AND growth.day <= figures.day AND figures.day < growth.next_day;
COMMENT ON COLUMN weir.user_stats.total_recordings IS
  'Whole recordings, from -2^63 to 2^63 - 1; a sum beyond is shown as the nearest of these.';
