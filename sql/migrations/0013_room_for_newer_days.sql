-- user_days with one index instead of two, and with room for the newer version of every row in its own page.
--
-- A transaction of a backlog makes nearly every user's row newer. With a fifth of the page free, most of
-- the new versions went to other pages, and each took an entry of each index with it. With more than half
-- free they stay, and no index is touched. The key has the day before the user, so that it also answers what
-- user_days_by_day was for, and so that what is written lies together: a day's users, not a user's days. Who
-- wants one user's days goes through the days since users.first_day.
-- docs/decisions/0015-user-days-by-day.md has what that was measured against.
SET LOCAL ROLE weir_owner;

ALTER TABLE weir.user_days DROP CONSTRAINT user_days_pkey;
DROP INDEX weir.user_days_by_day;
ALTER TABLE weir.user_days SET (fillfactor = 45);
ALTER TABLE weir.user_days ADD PRIMARY KEY (tenant_id, day, user_id);

-- The functions below name temporary tables, which are not there when they are created.
SET LOCAL check_function_bodies = off;

-- As in 0011, but that user_days is gone through in the order of its key. The flusher brings the rows in
-- that order.
CREATE OR REPLACE FUNCTION weir.roll_up_events() RETURNS void
LANGUAGE sql
AS $$
  -- A user of whom that day is known already is known since that day or longer, and that is nearly all
  -- of them: only of the others weir.users is asked. A row that was inserted has no xmax, one that was
  -- there before has been locked.
  WITH days AS (
    INSERT INTO weir.user_days AS d (tenant_id, user_id, day, events, first_at, last_at)
    SELECT tenant_id, user_id, (first_at AT TIME ZONE 'UTC')::date AS day, events, first_at, last_at
    FROM pg_temp.added_user_days
    ORDER BY tenant_id COLLATE "C", day, user_id COLLATE "C"
    ON CONFLICT (tenant_id, day, user_id) DO UPDATE SET
      events = d.events + excluded.events,
      first_at = least(d.first_at, excluded.first_at),
      last_at = greatest(d.last_at, excluded.last_at)
    RETURNING d.tenant_id, d.user_id, d.day, d.xmax = 0 AS is_new
  )
  INSERT INTO weir.users AS u (tenant_id, user_id, first_day)
  SELECT tenant_id, user_id, min(day)
  FROM days
  WHERE is_new
  GROUP BY tenant_id, user_id
  ORDER BY tenant_id COLLATE "C", user_id COLLATE "C"
  ON CONFLICT (tenant_id, user_id) DO UPDATE SET first_day = excluded.first_day
  WHERE excluded.first_day < u.first_day;

  -- First which measures each kind of event has. Those that count events need no more than their number.
  WITH kinds AS MATERIALIZED (
    SELECT tenant_id, event, (first_at AT TIME ZONE 'UTC')::date AS day, events
    FROM pg_temp.added_kinds
  ), wanted AS MATERIALIZED (
    SELECT kind.tenant_id, kind.event, m.measure, m.property, m.factor
    FROM (SELECT DISTINCT tenant_id, event FROM kinds) AS kind
    JOIN weir.measures AS m ON m.event IN (kind.event, '*') AND (
      m.tenant_id = kind.tenant_id
      OR m.tenant_id = '*' AND NOT EXISTS (
        SELECT FROM weir.measures AS own
        WHERE own.tenant_id = kind.tenant_id AND own.measure = m.measure))
  ), figures AS (
    SELECT tenant_id, day, measure, events, factor * events AS total
    FROM kinds JOIN wanted USING (tenant_id, event)
    WHERE property IS NULL
    UNION ALL
    SELECT tenant_id, (first_at AT TIME ZONE 'UTC')::date, measure, events, factor * total::numeric
    FROM pg_temp.added_sums JOIN wanted USING (tenant_id, event, property)
  )
  INSERT INTO weir.day_measures AS d (tenant_id, day, measure, events, total)
  SELECT tenant_id, day, measure, sum(events), sum(total)
  FROM figures
  GROUP BY tenant_id, day, measure
  ORDER BY tenant_id, day, measure
  ON CONFLICT (tenant_id, day, measure) DO UPDATE SET
    events = d.events + excluded.events,
    total = d.total + excluded.total;
$$;
