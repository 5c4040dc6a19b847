# Redis loses data or goes back in time, PostgreSQL does, and masters and replicas change places: it is
# noticed and logged, the stream is read from its start, and nothing is skipped or counted twice.
use v5.36;
use FindBin;
use lib "$FindBin::Bin/lib";

use IO::Socket::INET;
use Test::More;

use Weir::FlusherTest;
use Weir::Record;

my $private = private();
$private->start('redis', 'postgres');
$private->create_database('weir');
$private->migrate('weir');

sub restart_redis ($between) {
  $private->end(redis => 'KILL');
  $between->();
  $private->start('redis');
  return;
}

sub add_at ($stream, $tenant, %ids) {
  add($stream, record(events => $tenant, now(), event(event_id => $ids{$_})), $_) for sort keys %ids;
  return;
}

# Redis as it was before the last batch: restored from an older file, or a replica that was behind.
subtest 'an older file restored: what comes then is read, though its ids are below the position' => sub {
  my ($stream, $tenant) = fresh('older');
  my @ids = map { uuid() } 1 .. 6;
  add_at($stream, $tenant, '10-0', $ids[0]);
  $private->drain('--stream' => $stream);
  $private->save_redis;
  add_at($stream, $tenant, '20-0', $ids[1]);
  $private->drain('--stream' => $stream);
  add_at($stream, $tenant, '30-0', $ids[2]);
  $private->drain('--stream' => $stream);
  is(position_of($stream), '30-0', 'the position is ahead of that file');
  restart_redis(sub { $private->restore_redis });
  # The clock of this Redis is behind, then it catches up: the last id looks right again.
  add_at($stream, $tenant, '15-0', $ids[3], '25-0', $ids[4], '40-0', $ids[5]);
  my $said = $private->drain('--stream' => $stream);
  like($said, qr/level=warning msg="Redis went back in time, reading the stream from its start" .*position=30-0 noted=10-0/, 'it is logged');
  is_exactly($tenant, \@ids);
  is(position_of($stream), '40-0', 'and reading goes on');
};

subtest 'by one batch: nothing tells it from a flusher that died before it trimmed, and nothing has to' => sub {
  my ($stream, $tenant) = fresh('one-batch');
  my @ids = map { uuid() } 1 .. 4;
  add_at($stream, $tenant, '10-0', $ids[0]);
  $private->drain('--stream' => $stream);
  $private->save_redis;
  add_at($stream, $tenant, '30-0', $ids[1]);
  $private->drain('--stream' => $stream);
  restart_redis(sub { $private->restore_redis });
  add_at($stream, $tenant, '20-0', $ids[2], '40-0', $ids[3]);
  $private->drain('--stream' => $stream);
  is_exactly($tenant, \@ids);
};

subtest 'a file from before a batch was read brings back entries that are stored' => sub {
  my ($stream, $tenant) = fresh('again');
  my @ids = map { uuid() } 1 .. 3;
  add_event($stream, $tenant, event_id => $_) for @ids;
  $private->save_redis;
  $private->drain('--stream' => $stream);
  restart_redis(sub { $private->restore_redis });
  is(redis()->xlen($stream), 3, 'they are back');
  like($private->drain('--stream' => $stream), qr/rows=0 duplicates=3/, 'and known');
  is_exactly($tenant, \@ids);
  is(redis()->xlen($stream), 0, 'and deleted again');
};

# What a full resynchronization does to a server while its clients stay connected.
subtest 'all data replaced under the hands of a flusher that stays connected' => sub {
  my ($stream, $tenant) = fresh('replaced');
  my @ids = map { uuid() } 1 .. 6;
  my $flusher = $private->flusher('--stream' => $stream);
  my @keys = map { "$stream$_" } '', ':epoch', ':flushed';
  add_at($stream, $tenant, '10-0', $ids[0]);
  is_drained($stream, $tenant, 1);
  my %before = map { $_ => redis()->dump($_) } @keys;
  add_at($stream, $tenant, '20-0', $ids[1]);
  is_drained($stream, $tenant, 2);
  add_at($stream, $tenant, '30-0', $ids[2]);
  is_drained($stream, $tenant, 3);
  redis()->multi;
  redis()->restore($_, 0, $before{$_}, 'REPLACE') for @keys;
  redis()->xadd($stream, "$_->[0]", 'r', record(events => $tenant, now(), event(event_id => $ids[ $_->[1] ]))) for [ '15-0', 3 ], [ '25-0', 4 ], [ '40-0', 5 ];
  redis()->exec;
  is_drained($stream, $tenant, 6);
  is_exactly($tenant, \@ids);
  like($private->said_by($flusher), qr/Redis went back in time/, 'it is logged');
  is($private->end($flusher, 'TERM'), 0, 'leaves in order');
};

subtest 'the stream alone is lost, and its clock is behind' => sub {
  my ($stream, $tenant) = fresh('stream');
  my @ids = map { uuid() } 1 .. 2;
  my $flusher = $private->flusher('--stream' => $stream);
  add_event($stream, $tenant, event_id => $ids[0]);
  is_drained($stream, $tenant, 1);
  redis()->del($stream);
  add_at($stream, $tenant, '5-0', $ids[1]);
  is_drained($stream, $tenant, 2);
  is_exactly($tenant, \@ids);
  like($private->said_by($flusher), qr/behind the stored position/, 'it is logged');
  is($private->end($flusher, 'TERM'), 0, 'leaves in order');
};

subtest 'a PostgreSQL that went back is told of, as an error' => sub {
  my ($stream, $tenant) = fresh('postgres');
  add_at($stream, $tenant, '10-0', uuid());
  $private->drain('--stream' => $stream);
  my $last = uuid();
  add_at($stream, $tenant, '20-0', $last);
  $private->drain('--stream' => $stream);
  # As a standby that had not got the last batch.
  database()->do('DELETE FROM weir.events WHERE event_id = ?', undef, $last);
  database()->do(q{UPDATE weir.stream_positions SET position = '10-0', previous = NULL WHERE stream = ?}, undef, $stream);
  like($private->drain('--stream' => $stream), qr/level=error msg="PostgreSQL went back in time.*position=10-0 noted=20-0/, 'with both positions');
};

# Masters and replicas --------------------------------------------------------------------------

sub free_port () { return IO::Socket::INET->new(Listen => 1, LocalAddr => '127.0.0.1')->sockport }

subtest 'of several addresses it takes the one that is the master' => sub {
  my ($stream, $tenant) = fresh('failover');
  my @ids = map { uuid() } 1 .. 6;
  my @addresses = map { "unix:$private->{dir}/$_/socket" } qw(replica redis);
  my %port = map { $_ => free_port() } qw(redis replica);
  $private->start('replica');
  redis()->config_set('port', $port{redis});
  my $replica = $private->redis('replica');
  $replica->config_set('port', $port{replica});
  $replica->replicaof('127.0.0.1', $port{redis});
  wait_until('the replica', 60, sub { $replica->info('replication')->{master_link_status} eq 'up' });

  my ($flusher) = $private->flusher('--stream' => $stream, '--redis' => $addresses[0]);
  has_said($flusher, qr/server=Redis error="this is a replica of 127.0.0.1:$port{redis}.*name the master/);
  is($private->end($flusher, 'TERM'), 0, 'a replica alone is refused, with the remedy');

  $flusher = $private->flusher('--stream' => $stream, '--redis' => join(',', @addresses));
  add_event($stream, $tenant, event_id => $_) for @ids[ 0 .. 1 ];
  is_drained($stream, $tenant, 2);
  # They change places: what the old master had not told the new one is lost there, and comes again.
  $replica->replicaof('NO', 'ONE');
  redis()->replicaof('127.0.0.1', $port{replica});
  $replica->xadd($stream, '*', 'r', record(events => $tenant, now(), event(event_id => $_))) for @ids[ 2 .. 3 ];
  wait_until('the events of the new master', 60, sub { events_of($tenant) == 4 && $replica->xlen($stream) == 0 });
  # And the old one, which is a replica now, goes down.
  $private->end(redis => 'KILL');
  $replica->xadd($stream, '*', 'r', record(events => $tenant, now(), event(event_id => $_))) for @ids[ 4 .. 5 ];
  wait_until('the last events', 60, sub { events_of($tenant) == 6 && $replica->xlen($stream) == 0 });
  is_exactly($tenant, \@ids);
  is($private->end($flusher, 'TERM'), 0, 'leaves in order');
  $private->end(replica => 'TERM');
  $private->start('redis');
};

subtest 'a Redis whose settings can lose events is warned of, once for each' => sub {
  my ($stream, $tenant) = fresh('settings');
  redis()->config_set('appendfsync', 'everysec');
  redis()->config_set('maxmemory-policy', 'allkeys-lru');
  my $flusher = $private->flusher('--stream' => $stream);
  has_said($flusher, qr/msg=reading/);
  $private->end(redis => 'KILL');
  $private->start('redis');
  redis()->config_set('appendfsync', 'no');
  redis()->client_kill('TYPE', 'normal', 'SKIPME', 'yes');
  has_said($flusher, qr/EVENTS CAN BE LOST: Redis has appendfsync no/);
  is($private->end($flusher, 'TERM'), 0, 'leaves in order');
  my @warned = $private->said_by($flusher) =~ /EVENTS CAN BE LOST: Redis has (\S+ \w+)/g;
  is_deeply([ @warned[ 0, 1, -1 ] ], [ 'appendfsync everysec', 'maxmemory-policy allkeys', 'appendfsync no' ], 'each') or diag explain \@warned;
  redis()->config_set('appendfsync', 'always');
};

no_alarm();
done_testing;
