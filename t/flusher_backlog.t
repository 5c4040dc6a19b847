# A backlog: weir-flusher feeds one COPY while it reads Redis, with more rows in a transaction than it
# holds in memory. What of it PostgreSQL refuses, or has already, must cost none of the others; nor may a
# death in its midst.
use v5.36;
use FindBin;
use lib "$FindBin::Bin/lib";

use Test::More;

use Weir::FlusherTest;
use Weir::Record;

my $DAY = 86_400 * 1_000_000;
my $private = private();
$private->start('redis', 'postgres');
$private->create_database('weir');
$private->migrate('weir');

# Adds one entry for each record, some thousand a second.
sub add_all ($stream, @records) {
  redis()->xadd($stream, '*', 'r', $_, sub { }) for @records;
  redis()->wait_all_responses;
  return;
}

sub single ($tenant, $id, %columns) { return record(events => $tenant, now(), event(event_id => $id, %columns)) }

sub is_trimmed ($stream) { return is(redis()->xlen($stream), 0, 'the stream is trimmed') }

subtest 'a backlog is stored in a few transactions, and its daily figures are those of its rows' => sub {
  my ($stream, $tenant) = fresh('backlog');
  my @ids = map { uuid() } 1 .. 5000;
  my $time = now();
  add_all($stream, map {
    single($tenant, $ids[$_], user_id => 'user-' . $_ % 7, event => $_ % 2 ? 'recording_completed' : 'click',
      client_timestamp => $time - $_ % 3 * $DAY, timestamp => $time - $_ % 3 * $DAY,
      properties => qq({"audio_duration_seconds": $_.5, "estimated_cost_usd": "none"}))
  } 0 .. $#ids);
  my $said = $private->drain('--stream' => $stream, '--batch-rows' => 1000);
  like($said, qr/rows=5000 duplicates=0 dead=0 entries=5000 batches=1\b/, 'in one, though a batch has 1000 rows');
  is_exactly($tenant, \@ids);
  is_trimmed($stream);
  my $differ = 'SELECT count(*) FROM (%s EXCEPT ALL %s) AS d';
  my $day = q{(timestamp AT TIME ZONE 'UTC')::date};
  my $kept = q{SELECT user_id, day, events, first_at, last_at FROM weir.user_days WHERE tenant_id = $1};
  my $told = "SELECT user_id, $day, count(*), min(timestamp), max(timestamp) FROM weir.events WHERE tenant_id = \$1 GROUP BY 1, 2";
  is(value(sprintf($differ, $kept, $told), $tenant), 0, 'no user has a day that the rows do not tell');
  is(value(sprintf($differ, $told, $kept), $tenant), 0, 'and no day is missing');
  $kept = q{SELECT day, events, total FROM weir.day_measures WHERE tenant_id = $1 AND measure = 'seconds'};
  $told = "SELECT $day, count(*), sum((properties ->> 'audio_duration_seconds')::numeric) FROM weir.events"
    . " WHERE tenant_id = \$1 AND event = 'recording_completed' GROUP BY 1";
  is(value(sprintf($differ, $told, $kept), $tenant), 0, 'numbers add up exactly');
  is(value(q{SELECT count(*) FROM weir.day_measures WHERE tenant_id = ? AND measure = 'cost_usd'}, $tenant), 0, 'a text is no number');
  is(value('SELECT count(*) FROM weir.users WHERE tenant_id = ?', $tenant), 7, 'every user is known');
};

subtest 'crashes, events without a time and records that are none wait for the end of the COPY' => sub {
  my ($stream, $tenant) = fresh('rest');
  my @ids = map { uuid() } 1 .. 2000;
  my $received = now();
  my @records = map { single($tenant, $_) } @ids;
  my $wide = uuid();
  my $again = record(events => $tenant, $received, event(event_id => $wide, client_timestamp => $received));
  splice @records, 100, 0, record(crashes => $tenant, $received, { crash_id => uuid() }), $again, 'no record';
  splice @records, 1500, 0, $again;    # a retry in the same backlog
  add_all($stream, @records);
  my $said = $private->drain('--stream' => $stream);
  like($said, qr/rows=2002 duplicates=1 dead=1 .*batches=1\b/, 'all in one');
  is_exactly($tenant, [ @ids, $wide ]);
  is(value('SELECT count(*) FROM weir.crashes WHERE tenant_id = ?', $tenant), 1, 'the crash is there');
  is(value('SELECT sum(crashes) FROM weir.crash_days WHERE tenant_id = ?', $tenant), 1, 'and counted');
  is(value('SELECT count(*) FROM weir.dead_letters WHERE payload = ?::bytea', 'no record'), 1, 'so is what is no record');
  is_trimmed($stream);
};

subtest 'rows that are there already cost no other, and are not counted again' => sub {
  my ($stream, $tenant) = fresh('again');
  my $time = now() - 1_000_000;
  my @ids = map { uuid() } 1 .. 3000;
  add_all($stream, map { single($tenant, $_, client_timestamp => $time) } @ids[ 500 .. 503 ]);
  $private->drain('--stream' => $stream);
  add_all($stream, map { single($tenant, $_, client_timestamp => $time) } @ids, $ids[7]);
  my $said = $private->drain('--stream' => $stream);
  like($said, qr/rows=2996 duplicates=5 dead=0/, 'stored then and now, and twice in one backlog');
  is_exactly($tenant, \@ids);
  is_trimmed($stream);
};

subtest 'a row that PostgreSQL refuses is buried alone' => sub {
  my ($stream, $tenant) = fresh('refused');
  my @ids = map { uuid() } 1 .. 3000;
  my @records = map { single($tenant, $_) } @ids;
  $records[1234] = single($tenant, $ids[1234], properties => '{"n": 1e999999}');
  add_all($stream, @records);
  my $said = $private->drain('--stream' => $stream);
  like($said, qr/rows=2999 duplicates=0 dead=1/, 'and the others are stored');
  splice @ids, 1234, 1;
  is_exactly($tenant, \@ids);
  is(scalar dead_of($tenant)->@*, 1, 'in dead_letters');
  is_trimmed($stream);
};

subtest 'Redis goes in the midst of it: the rows so far are stored once' => sub {
  my ($stream, $tenant) = fresh('redis-goes');
  my @ids = map { uuid() } 1 .. 20_000;
  add_all($stream, map { single($tenant, $_) } @ids);
  my $flusher = $private->flusher('--stream' => $stream);
  wait_until('a batch that is under way', 60, sub { value(q{SELECT count(*) FROM pg_stat_activity WHERE usename = 'weir_flusher' AND query LIKE 'COPY weir.events%'}) });
  redis()->client_kill('TYPE', 'normal', 'SKIPME', 'yes');
  is_drained($stream, $tenant, scalar @ids, 60);
  is($private->end($flusher, 'TERM'), 0, 'the flusher goes on, and leaves in order');
  is_exactly($tenant, \@ids);
};

no_alarm();
done_testing;
