# The daily figures, told from the rows alone, and held against those that the flusher kept.
#
#   use WeirTest::RollUps;
#   roll_ups_equal_rows();                # a subtest for each table
#   my @names = roll_ups_that_differ();
#
# A figure that the flusher added twice, or not at all, shows here though every row is right.
package WeirTest::RollUps;
use v5.36;

use WeirTest;

use parent 'Exporter';
our @EXPORT = qw(roll_ups_equal_rows roll_ups_that_differ);

my $e_day = q(("timestamp" AT TIME ZONE 'UTC')::date);

my $stats = <<'SQL';
  WITH e AS (SELECT tenant_id, user_id, event, properties, ("timestamp" AT TIME ZONE 'UTC')::date AS date FROM events),
       c AS (SELECT tenant_id, ("timestamp" AT TIME ZONE 'UTC')::date AS date, count(*) AS crashes FROM crashes GROUP BY 1, 2),
       born AS (SELECT tenant_id, user_id, min(date) AS date FROM e WHERE user_id IS NOT NULL GROUP BY 1, 2),
       days AS (SELECT tenant_id, date FROM e UNION SELECT tenant_id, date FROM c),
       daily AS (SELECT tenant_id, date, count(DISTINCT user_id) AS active,
                   count(*) FILTER (WHERE event = 'recording_completed') AS recordings,
                   sum((properties->>'audio_duration_seconds')::numeric)
                     FILTER (WHERE event = 'recording_completed' AND jsonb_typeof(properties->'audio_duration_seconds') = 'number') AS seconds,
                   sum((properties->>'estimated_cost_usd')::numeric) FILTER (WHERE event = 'recording_completed') AS cost
                 FROM e GROUP BY 1, 2)
  SELECT tenant_id, date,
    (SELECT count(*) FROM born b WHERE b.tenant_id = days.tenant_id AND b.date <= days.date) AS total_users,
    coalesce(active, 0) AS active_users,
    (SELECT count(*) FROM born b WHERE b.tenant_id = days.tenant_id AND b.date = days.date) AS new_users,
    coalesce(recordings, 0) AS total_recordings, round(coalesce(seconds, 0) / 60, 6) AS total_minutes,
    round(coalesce(cost, 0), 6) AS total_cost_usd, coalesce(crashes, 0) AS crash_count,
    round(coalesce(crashes, 0)::numeric / nullif(active, 0), 6) AS crash_rate
  FROM days LEFT JOIN daily USING (tenant_id, date) LEFT JOIN c USING (tenant_id, date)
SQL

# [name, what the flusher kept, what the rows say]
my @figures = (
  [ user_stats => <<'SQL', $stats ],
  SELECT tenant_id, date, total_users, active_users, new_users, total_recordings, round(total_minutes, 6) AS total_minutes,
    round(total_cost_usd, 6) AS total_cost_usd, crash_count, round(crash_rate, 6) AS crash_rate FROM user_stats
SQL
  [ user_days => 'SELECT tenant_id, user_id, day, events, first_at, last_at FROM user_days', <<"SQL" ],
  SELECT tenant_id, user_id, $e_day, count(*), min("timestamp"), max("timestamp")
    FROM events WHERE user_id IS NOT NULL GROUP BY 1, 2, 3
SQL
  [ users => 'SELECT tenant_id, user_id, first_day FROM users', <<"SQL" ],
  SELECT tenant_id, user_id, min($e_day) FROM events WHERE user_id IS NOT NULL GROUP BY 1, 2
SQL
  [ crash_days => 'SELECT tenant_id, day, crashes FROM crash_days', <<"SQL" ],
  SELECT tenant_id, $e_day, count(*) FROM crashes GROUP BY 1, 2
SQL
  [ day_measures => 'SELECT tenant_id, day, measure, events, trim_scale(total) FROM day_measures', <<"SQL" ],
  SELECT e.tenant_id, $e_day, m.measure, count(*),
      trim_scale(sum(m.factor * CASE WHEN m.property IS NULL THEN 1 ELSE (e.properties->>m.property)::numeric END))
    FROM events e JOIN measures m ON m.tenant_id = '*' AND (m.event = '*' OR m.event = e.event)
     AND (m.property IS NULL OR jsonb_typeof(e.properties->m.property) = 'number')
   GROUP BY 1, 2, 3
SQL
);

# Rows that one side has and the other has not, each with the side's name, at most ten. Millions of rows on a
# busy machine take longer than a reader's statement may.
sub differences ($kept, $told) {
  db()->do(q{SET statement_timeout = '10min'});
  my $sql = <<"SQL";
    WITH kept AS ($kept), told AS ($told)
    (SELECT 'kept', k.*::text FROM (TABLE kept EXCEPT ALL TABLE told) k LIMIT 5)
    UNION ALL (SELECT 'told by the rows', t.*::text FROM (TABLE told EXCEPT ALL TABLE kept) t LIMIT 5)
SQL
  return map { join ': ', @$_ } db()->selectall_arrayref($sql)->@*;
}

sub roll_ups_that_differ { return map { $_->[0] } grep { differences(@$_[ 1, 2 ]) } @figures }

sub roll_ups_equal_rows {
  for my $figure (@figures) {
    my ($name, $kept, $told) = @$figure;
    subtest "$name equals what the rows say" => sub {
      cmp_ok value("SELECT count(*) FROM ($kept) AS kept"), '>', 0, 'there are some';
      is join("\n", differences($kept, $told)), '', 'none differs';
    };
  }
  return;
}

1;
