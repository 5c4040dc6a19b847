-- The rows themselves: events and crashes, in one partition for each ISO week (UTC).
--
-- Partitioned by client_timestamp, the time as the client sent it, because a retry repeats it; the
-- corrected "timestamp" moves with the time of arrival. Where a client sent none, it is the time
-- inside its version 7 event_id, and failing that the time of receipt.
--
-- Each partition has a unique index of its own on (tenant_id, event_id). One on the parent would
-- have to hold client_timestamp too, and would then let one id in twice.
SET LOCAL ROLE weir_owner;

CREATE TABLE weir.events (
  event_id uuid NOT NULL,
  tenant_id text NOT NULL,
  user_id text,
  session_id text,
  event text NOT NULL,
  app_version text,
  platform text,
  country text,
  properties jsonb,
  "timestamp" timestamptz NOT NULL DEFAULT now(),
  client_timestamp timestamptz NOT NULL DEFAULT now(),
  received_at timestamptz NOT NULL DEFAULT now()
) PARTITION BY RANGE (client_timestamp);
COMMENT ON COLUMN weir.events."timestamp" IS 'When it happened, corrected for the client''s clock.';
COMMENT ON COLUMN weir.events.client_timestamp IS 'When it happened, as the client sent it.';

CREATE TABLE weir.crashes (
  crash_id uuid NOT NULL,
  tenant_id text NOT NULL,
  user_id text,
  app_version text,
  os_version text,
  crash_type text,
  error_message text,
  stack_trace text,
  fingerprint text,
  context jsonb,
  "timestamp" timestamptz NOT NULL DEFAULT now(),
  client_timestamp timestamptz NOT NULL DEFAULT now(),
  received_at timestamptz NOT NULL DEFAULT now()
) PARTITION BY RANGE (client_timestamp);
COMMENT ON COLUMN weir.crashes."timestamp" IS 'When it happened, corrected for the client''s clock.';
COMMENT ON COLUMN weir.crashes.client_timestamp IS 'When it happened, as the client sent it.';

CREATE INDEX events_tenant_time ON weir.events (tenant_id, "timestamp");
CREATE INDEX crashes_tenant_time ON weir.crashes (tenant_id, "timestamp");

-- For clocks that are years off.
CREATE TABLE weir.events_default PARTITION OF weir.events DEFAULT;
CREATE UNIQUE INDEX events_default_id ON weir.events_default (tenant_id, event_id);
CREATE TABLE weir.crashes_default PARTITION OF weir.crashes DEFAULT;
CREATE UNIQUE INDEX crashes_default_id ON weir.crashes_default (tenant_id, crash_id);

-- What known_events() and known_crashes() look at, and nothing of what clients wrote.
GRANT INSERT, SELECT (tenant_id, event_id, client_timestamp) ON weir.events TO weir_flusher;
GRANT INSERT, SELECT (tenant_id, crash_id, client_timestamp) ON weir.crashes TO weir_flusher;
GRANT SELECT (tenant_id, event_id, client_timestamp) ON weir.events_default TO weir_flusher;
GRANT SELECT (tenant_id, crash_id, client_timestamp) ON weir.crashes_default TO weir_flusher;
GRANT SELECT ON weir.events, weir.crashes, weir.events_default, weir.crashes_default TO weir_reader;

-- The weeks that want a partition and have none: 14 past ones, this one, and 4 to come.
CREATE FUNCTION weir.missing_partitions()
RETURNS TABLE (parent text, partition text, first_day timestamp)
LANGUAGE sql STABLE SET search_path = pg_catalog, weir, pg_temp
AS $$
  SELECT named.* FROM (
    SELECT parent, parent || '_' || to_char(week, 'IYYY"w"IW'), week
    FROM unnest(ARRAY['events', 'crashes']) AS parent,
      generate_series(date_trunc('week', now() AT TIME ZONE 'UTC') - interval '14 weeks',
        date_trunc('week', now() AT TIME ZONE 'UTC') + interval '4 weeks',
        interval '1 week') AS week
  ) AS named (parent, partition, first_day)
  WHERE to_regclass('weir.' || named.partition) IS NULL
  ORDER BY named.parent DESC, named.first_day
$$;

-- Takes the locks that attaching needs, all at once or none: it never waits while it holds one. So
-- it cannot deadlock with a COPY or a report, and none of them queues behind it.
CREATE FUNCTION weir.lock_for_attaching() RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, weir, pg_temp
AS $$
BEGIN
  FOR attempt IN 1..200 LOOP
    BEGIN
      LOCK TABLE ONLY weir.events, ONLY weir.crashes IN SHARE UPDATE EXCLUSIVE MODE NOWAIT;
      LOCK TABLE weir.events_default, weir.crashes_default IN ACCESS EXCLUSIVE MODE NOWAIT;
      RETURN;
    EXCEPTION WHEN lock_not_available THEN
      PERFORM pg_sleep(0.02 + 0.06 * random());
    END;
  END LOOP;
  RAISE lock_not_available USING
    MESSAGE = 'the default partitions were in use for ten seconds, so no partition was made',
    HINT = 'Call weir.make_partitions() again later; rows without a partition wait in the default one.';
END
$$;

-- Makes one week's partition, with the rows of that week that the default partition holds.
CREATE FUNCTION weir.make_partition(parent text, partition text, first_day timestamp) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, weir, pg_temp
-- The bounds are printed into a statement, and have to read back as the same moments.
SET datestyle = 'ISO, YMD' SET timezone = 'UTC'
AS $$
DECLARE
  id_column constant text := CASE parent WHEN 'events' THEN 'event_id' ELSE 'crash_id' END;
  lower_bound constant timestamptz := first_day AT TIME ZONE 'UTC';
  upper_bound constant timestamptz := (first_day + interval '1 week') AT TIME ZONE 'UTC';
BEGIN
  EXECUTE format(
    'CREATE TABLE weir.%I (LIKE weir.%I INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING STORAGE)',
    partition, parent);
  EXECUTE format(
    'WITH moved AS (DELETE FROM weir.%I WHERE client_timestamp >= %L AND client_timestamp < %L'
    ' RETURNING *) INSERT INTO weir.%I SELECT * FROM moved',
    parent || '_default', lower_bound, upper_bound, partition);
  EXECUTE format('CREATE UNIQUE INDEX %I ON weir.%I (tenant_id, %I)',
    partition || '_id', partition, id_column);
  EXECUTE format('GRANT SELECT ON weir.%I TO weir_reader', partition);
  EXECUTE format('ALTER TABLE weir.%I ATTACH PARTITION weir.%I FOR VALUES FROM (%L) TO (%L)',
    parent, partition, lower_bound, upper_bound);
END
$$;

CREATE FUNCTION weir.make_partitions() RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, weir, pg_temp
AS $$
DECLARE
  missing record;
  made integer := 0;
BEGIN
  PERFORM pg_advisory_xact_lock(hashtextextended('weir.make_partitions', 0));
  FOR missing IN SELECT * FROM weir.missing_partitions() LOOP
    IF made = 0 THEN
      PERFORM weir.lock_for_attaching();
    END IF;
    PERFORM weir.make_partition(missing.parent, missing.partition, missing.first_day);
    made := made + 1;
  END LOOP;
  RETURN made;
END
$$;
COMMENT ON FUNCTION weir.make_partitions() IS
  'Makes the weekly partitions that are missing from 14 weeks ago to 4 weeks ahead, and returns how '
  'many it made. Call it in a transaction of its own. The parents are not locked against reading or '
  'writing. A COPY that began before, and brings a row of a week that got its partition meanwhile, '
  'fails with check_violation; it succeeds when it is tried again.';
GRANT EXECUTE ON FUNCTION weir.make_partitions() TO weir_flusher;

SELECT weir.make_partitions();
