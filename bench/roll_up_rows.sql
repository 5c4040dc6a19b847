-- Rows to measure roll-ups with, always the same ones: fills weir.events of the tenant `big` with `per_day` events
-- of each of `days` days by at most `people` users, most of them by few, as by COPY. Then
-- `weirctl rollup rebuild` can be timed.
--
--   psql -v days=90 -v per_day=222222 -v people=200000 -f bench/roll_up_rows.sql
SELECT setseed(0.5);
SET synchronous_commit = off;
SELECT format($$
  INSERT INTO weir.events (event_id, tenant_id, user_id, session_id, event, app_version, platform, country, properties,
    "timestamp", client_timestamp)
  SELECT gen_random_uuid(), 'big', 'user-' || who, 's-' || who || '-' || (second / 21600)::integer, event, version, platform, country,
    CASE event
      WHEN 'recording_completed' THEN jsonb_build_object('audio_duration_seconds', round((10 + 300 * luck)::numeric, 1),
        'estimated_cost_usd', round((luck / 10)::numeric, 4), 'success', luck < 0.95, 'source', CASE WHEN luck < 0.3 THEN 'widget' ELSE 'window' END)
      WHEN 'feature_usage' THEN jsonb_build_object('feature', 'feature-' || (20 * luck)::integer, 'browser', browser, 'success', luck < 0.9)
      WHEN 'transcription_failed' THEN jsonb_build_object('error_type', (ARRAY['network', 'quota', 'timeout'])[1 + (2 * luck)::integer], 'success', false)
      ELSE jsonb_build_object('screen', 'screen-' || (30 * luck)::integer, 'browser', browser, 'device', CASE WHEN luck < 0.4 THEN 'phone' ELSE 'desktop' END,
        'duration_ms', (2000 * luck)::integer, 'visible', luck < 0.5) END, at, at
  FROM (
    SELECT (%1$s * luck * luck_too)::integer AS who, luck, second, DATE '2026-06-01' + %2$s + second * interval '1 second' AS at,
      (ARRAY['opened', 'screen_viewed', 'screen_viewed', 'screen_viewed', 'recording_completed', 'recording_completed', 'feature_usage',
        'feature_usage', 'closed', 'transcription_failed'])[1 + floor(10 * random())::integer] AS event,
      '2.' || (%2$s / 10 + 2 * luck_too)::integer AS version, (ARRAY['linux', 'macos', 'windows', 'web'])[1 + floor(4 * luck)::integer] AS platform,
      (ARRAY['DE', 'US', 'FR', 'IN', 'BR', 'JP', 'GB', 'IT'])[1 + floor(8 * luck_too)::integer] AS country,
      (ARRAY['firefox', 'chrome', 'safari'])[1 + floor(3 * luck_too)::integer] AS browser
    FROM (SELECT random() AS luck, random() AS luck_too, floor(86400 * random()) AS second FROM generate_series(1, %3$s)) AS dice
  ) AS thrown
$$, :people, day, :per_day)
FROM generate_series(0, :days - 1) AS day
\gexec
