-- The adoption ledger: which milestones were reached, in how many workspaces. Sums alone, and no event.
--
--   SELECT weir_ledger.summary('2026-03-01', '2026-03-31');                        -- all tenants; as the role weir_ledger
--   SELECT weir_ledger.summary('2026-03-01', '2026-03-31', 'Europe/Berlin', 'acme');
--   SELECT weir.ledger_answer('acme', '2026-03-01', '2026-03-31');
--
-- The window is from one day to another, both counted, in a time zone.
--
--   families           five, always: each is the events of one name that a user has initiated and that say in which workspace
--                      they were, by the property `workspace_id`. What names no user or no workspace is not of the ledger
--     events           how many; `users`: who had one; `workspaces`: in how many of them
--   active_workspaces  those with an event of any family; a workspace is one of its tenant
--   events, users      of all families together
--   days               events and active workspaces of each day
--
-- `exact` is false where a day had more than a thousand workspaces of a tenant (docs/rollups.md): those beyond are in
-- `events` and `users`, but not among the workspaces.
SET LOCAL ROLE weir_owner;
SET LOCAL check_function_bodies = off;

CREATE OR REPLACE FUNCTION weir.ledger_families() RETURNS TABLE (place integer, family text, event text)
LANGUAGE sql IMMUTABLE
AS $$
  VALUES (1, 'onboarding_checkpoint', 'onboarding_checkpoint_completed'), (2, 'support_diagnostics', 'support_diagnostics_opened'),
    (3, 'operation', 'operation_started'), (4, 'stored_report', 'stored_report_created'),
    (5, 'review_pack', 'review_pack_generation_requested')
$$;

-- What a server can say of its own users. A workspace may be on several, so its name is in the parts, which are not
-- for whoever asks: `in EVENT` and `seen SPAN` have a key for each workspace, which begins with its tenant. Of `in` it is
-- how many events it had, and of what is beyond the bound of a day, the key is ''. Of `seen` it is the days on which it
-- had any, as bits: the lowest is the span's first day, and a span has sixty, the first of them the window's first ones.
--
-- Users are those of all workspaces together, whose sets are many. But where as many events of a day named a workspace
-- as there were (`whole`), they are the users of the event itself.
CREATE OR REPLACE FUNCTION weir.ledger_partial(tenant text, first_day date, last_day date, zone text) RETURNS SETOF weir.part
LANGUAGE sql STABLE
SET jit = off SET work_mem = '64MB' SET enable_sort = off
AS $$
  WITH tallied AS MATERIALIZED (
    -- Counts of workspaces are many: they are read once, for both.
    SELECT t.place, t.value, t.span, t.day, t.events, t.days
    FROM weir.ledger_families() AS f
    CROSS JOIN LATERAL (
      SELECT f.place, c.value, (c.day - first_day) / 60 AS span, c.day, sum(c.events) AS events,
        bit_or(1::bigint << ((c.day - first_day) % 60)) AS days
      FROM weir.counts_in(tenant, zone, 'workspace', f.event, first_day, last_day) AS c
      GROUP BY GROUPING SETS ((c.value, (c.day - first_day) / 60), (c.day))
    ) AS t
  ), sums AS MATERIALIZED (
    SELECT f.event, t.day, t.events FROM tallied AS t JOIN weir.ledger_families() AS f ON f.place = t.place WHERE t.day IS NOT NULL
  ), whole AS MATERIALIZED (
    SELECT s.event, s.day
    FROM sums AS s
    CROSS JOIN LATERAL (
      SELECT FROM weir.day_counts AS d
      WHERE (d.tenant_id, d.zone, d.subject, d.value, d.day) = (ledger_partial.tenant, ledger_partial.zone, 'event', s.event, s.day)
        AND d.events = s.events
      OFFSET 0
    ) AS d
    WHERE weir.keeps_zone(tenant, zone)
  ), others AS MATERIALIZED (
    SELECT s.event, min(s.day) AS since, max(s.day) AS until
    FROM sums AS s
    WHERE (s.event, s.day) NOT IN (SELECT w.event, w.day FROM whole AS w)
    GROUP BY s.event
  ), sets AS MATERIALIZED (
    SELECT u.event, u.chunk, bit_or(u.users) AS users
    FROM (
      SELECT w.event, d.chunk, d.users
      FROM whole AS w
      CROSS JOIN LATERAL (
        SELECT d.chunk, d.users FROM weir.day_sets AS d
        WHERE (d.tenant_id, d.zone, d.subject, d.value, d.day) = (ledger_partial.tenant, ledger_partial.zone, 'event', w.event, w.day)
        OFFSET 0
      ) AS d
      UNION ALL
      SELECT o.event, s.chunk, s.users
      FROM others AS o, LATERAL weir.sets_in(tenant, zone, 'workspace', o.event, o.since, o.until) AS s
      WHERE (o.event, s.day) NOT IN (SELECT w.event, w.day FROM whole AS w)
    ) AS u
    GROUP BY u.event, u.chunk
  )
  SELECT 'in ' || f.event, coalesce(length(tenant) || ' ' || tenant || ' ' || t.value, ''), t.events
  FROM (SELECT t.place, t.value, sum(t.events) AS events FROM tallied AS t WHERE t.day IS NULL GROUP BY t.place, t.value) AS t
  JOIN weir.ledger_families() AS f ON f.place = t.place
  UNION ALL
  SELECT 'seen ' || t.span, length(tenant) || ' ' || tenant || ' ' || t.value, bit_or(t.days)
  FROM tallied AS t WHERE t.day IS NULL AND t.value IS NOT NULL GROUP BY t.span, t.value
  UNION ALL
  SELECT 'on', s.day::text, sum(s.events) FROM sums AS s GROUP BY s.day
  UNION ALL
  SELECT 'users', s.event, sum(bit_count(s.users)) FROM sets AS s GROUP BY s.event
  UNION ALL
  SELECT 'users', '', sum(bit_count(s.users)) FROM (SELECT bit_or(s.users) AS users FROM sets AS s GROUP BY s.chunk) AS s
$$;

-- The answer, from the parts of all servers, and of several tenants where all of them are asked for.
CREATE OR REPLACE FUNCTION weir.ledger_merge(parts weir.part[], first_day date, last_day date) RETURNS jsonb
LANGUAGE sql IMMUTABLE
SET jit = off SET enable_sort = off
AS $$
  WITH said AS MATERIALIZED (
    SELECT p.figure, nullif(p.key, '') AS workspace, sum(p.amount) AS events
    FROM unnest(parts) AS p
    WHERE starts_with(p.figure, 'in ')
    GROUP BY p.figure, p.key
  ), sums AS MATERIALIZED (
    SELECT s.figure, sum(s.events) AS events, count(s.workspace) AS workspaces FROM said AS s GROUP BY s.figure
  ), active AS MATERIALIZED (
    SELECT first_day + (split_part(s.figure, ' ', 2)::integer * 60 + n) AS day, sum(s.days >> n & 1) AS workspaces
    FROM (
      SELECT p.figure, bit_or(p.amount::bigint) AS days
      FROM unnest(parts) AS p
      WHERE starts_with(p.figure, 'seen ')
      GROUP BY p.figure, p.key
    ) AS s, generate_series(0, 59) AS n
    GROUP BY s.figure, n
  ), daily AS MATERIALIZED (
    SELECT p.key::date AS day, sum(p.amount) AS events FROM unnest(parts) AS p WHERE p.figure = 'on' GROUP BY p.key
  )
  SELECT jsonb_build_object('exact', NOT EXISTS (SELECT FROM said AS s WHERE s.workspace IS NULL),
    'active_workspaces', (SELECT count(DISTINCT s.workspace) FROM said AS s),
    'events', (SELECT coalesce(sum(s.events), 0) FROM sums AS s), 'users', weir.amount_of(parts, 'users'),
    'families', (
      SELECT jsonb_agg(jsonb_build_object('family', f.family, 'event', f.event, 'events', coalesce(s.events, 0),
        'users', weir.amount_of(parts, 'users', f.event), 'workspaces', coalesce(s.workspaces, 0)) ORDER BY f.place)
      FROM weir.ledger_families() AS f
      LEFT JOIN sums AS s ON s.figure = 'in ' || f.event),
    'days', (
      SELECT jsonb_agg(jsonb_build_object('start', n.start, 'events', coalesce(d.events, 0), 'active_workspaces', coalesce(a.workspaces, 0)) ORDER BY n.start)
      FROM weir.starts('day', first_day, last_day) AS n (start)
      LEFT JOIN daily AS d ON d.day = n.start
      LEFT JOIN active AS a ON a.day = n.start))
$$;

CREATE OR REPLACE FUNCTION weir.ledger_answer(tenant text, first_day date, last_day date, zone text DEFAULT 'UTC') RETURNS jsonb
LANGUAGE sql STABLE
AS $$
  SELECT weir.answered(tenant, first_day, last_day, zone, 'days',
    weir.ledger_merge(ARRAY(SELECT p FROM weir.ledger_partial(tenant, first_day, last_day, zone) AS p), first_day, last_day))
$$;
COMMENT ON FUNCTION weir.ledger_answer(text, date, date, text) IS
  'The adoption ledger of a tenant within a window of days. sql/analytics/ledger.sql defines it.';

-- The window, if it may be asked for.
CREATE OR REPLACE FUNCTION weir_ledger.window_of(first_day date, last_day date, zone text) RETURNS daterange
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, weir, pg_temp
AS $$
BEGIN
  IF (first_day <= last_day AND last_day - first_day < 1100) IS NOT TRUE THEN
    RAISE invalid_parameter_value USING MESSAGE = 'The window is no such: give a first day and a last one, of 1100 days at most';
  END IF;
  PERFORM weir.known_zone(zone);
  RETURN daterange(first_day, last_day, '[]');
END
$$;

CREATE OR REPLACE FUNCTION weir_ledger.summary(first_day date, last_day date, zone text DEFAULT 'UTC', only_tenant text DEFAULT NULL) RETURNS jsonb
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, weir, pg_temp
AS $$
  SELECT weir.with_reason(
    jsonb_build_object('tenant', only_tenant, 'from', first_day, 'to', last_day, 'zone', weir.known_zone(zone), 'as_of', k.as_of)
    || weir.ledger_merge(ARRAY(
      SELECT p FROM weir.ledger_tenants(only_tenant) AS t, LATERAL weir.ledger_partial(t, first_day, last_day, weir.known_zone(zone)) AS p),
      first_day, last_day),
    k.why)
  FROM weir_ledger.window_of(first_day, last_day, zone), LATERAL (
    SELECT nullif(min(coalesce(weir.counted_until(t), '-infinity')), '-infinity') AS as_of,
      min(weir.why_incomplete(t, zone, first_day, last_day)) AS why
    FROM weir.ledger_tenants(only_tenant) AS t
  ) AS k
$$;
COMMENT ON FUNCTION weir_ledger.summary(date, date, text, text) IS
  'The adoption ledger of one tenant, or of all of them together. sql/analytics/ledger.sql in Weir''s source defines it.';

-- The tenant, or all of whom anything is counted.
CREATE OR REPLACE FUNCTION weir.ledger_tenants(only_tenant text) RETURNS SETOF text
LANGUAGE sql STABLE
AS $$
  WITH RECURSIVE tenants AS (
    (SELECT d.tenant_id FROM weir.day_counts AS d ORDER BY d.tenant_id LIMIT 1)
    UNION ALL
    SELECT (SELECT d.tenant_id FROM weir.day_counts AS d WHERE d.tenant_id > t.tenant_id ORDER BY d.tenant_id LIMIT 1)
    FROM tenants AS t WHERE t.tenant_id IS NOT NULL
  )
  SELECT only_tenant WHERE only_tenant IS NOT NULL
  UNION ALL
  SELECT t.tenant_id FROM tenants AS t WHERE only_tenant IS NULL AND t.tenant_id IS NOT NULL
$$;

GRANT EXECUTE ON FUNCTION weir.ledger_families(), weir.ledger_partial(text, date, date, text), weir.ledger_merge(weir.part[], date, date),
  weir.ledger_answer(text, date, date, text), weir.ledger_tenants(text) TO weir_reader;
SELECT weir.admit_ledger();
