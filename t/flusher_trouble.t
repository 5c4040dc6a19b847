# weir-flusher over servers that are killed, hang, lose their data or refuse: everything in the stream
# still gets into the tables exactly once. flusher.t has the rest.
use v5.36;
use utf8;
use FindBin;
use lib "$FindBin::Bin/lib";

use Test::More;

use Weir::FlusherTest;
use Weir::Record;
use Weir::SlowWay;

my $private = private();
$private->start('redis', 'postgres');
$private->create_database('weir');
$private->migrate('weir');

subtest 'nothing is trimmed before the commit, nor when the stream began another life meanwhile' => sub {
  my ($stream, $tenant) = fresh('trim');
  my @old = map { uuid() } 1 .. 3;
  add_event($stream, $tenant, event_id => $_) for @old;
  my $lock = held_at_users();
  my $flusher = $private->flusher('--stream' => $stream);
  waits_for_users();
  is(redis()->xlen($stream), 3, 'what is read but not committed stays');
  redis()->del($stream, "$stream:epoch");
  my @new = map { uuid() } 1 .. 3;
  add($stream, record(events => $tenant, now(), event(event_id => $new[$_])), '5-' . ($_ + 1)) for 0 .. 2;
  $lock->rollback;
  is_drained($stream, $tenant, 6);
  is_exactly($tenant, [ @old, @new ]);
  is(position_of($stream), '5-3', 'the position is one of the new life');
  like($private->said_by($flusher), qr/level=warning msg="the stream began a new life/, 'it is logged');
  is($private->end($flusher, 'TERM'), 0, 'leaves in order');
};

subtest 'a lost stream is read from its start though its ids are smaller' => sub {
  my ($stream, $tenant) = fresh('lost');
  my $flusher = $private->flusher('--stream' => $stream);
  my @ids = map { uuid() } 1 .. 9;
  my $epoch = sub { redis()->get("$stream:epoch") // '' };
  add_event($stream, $tenant, event_id => $_) for @ids[ 0 .. 2 ];
  is_drained($stream, $tenant, 3);
  my $first = $epoch->();
  redis()->flushall;
  add($stream, record(events => $tenant, now(), event(event_id => $ids[$_])), "7-$_") for 3 .. 5;
  is_drained($stream, $tenant, 6);
  isnt($epoch->(), $first, 'the stream\'s new life has a name of its own');
  $private->end($flusher, 'TERM');
  redis()->del($stream);    # and the epoch stays
  add($stream, record(events => $tenant, now(), event(event_id => $ids[$_])), "6-$_") for 6 .. 8;
  like($private->drain('--stream' => $stream), qr/behind the stored position/, 'a stream behind its position is noticed');
  is_exactly($tenant, \@ids);
};

# Moments in the life of a flusher that has begun: at once, as it speaks, with a session of PostgreSQL, within a transaction.
my $sessions = q{SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'weir-flusher%'};
my @moments = (
  sub ($flusher) { return 1 },
  sub ($flusher) { return length $private->said_by($flusher) },
  sub ($flusher) { return value($sessions) },
  sub ($flusher) { return value("$sessions AND xact_start IS NOT NULL") },
);

subtest 'kill -9 of the flusher at any moment loses and doubles nothing' => sub {
  my ($stream, $tenant) = fresh('kills');
  my @ids = map { uuid() } 1 .. 20_000;
  my $feeder = feed($stream, $tenant, \@ids);
  my $kills = 0;
  while (events_of($tenant) < 18_000) {
    my $flusher = $private->flusher('--stream' => $stream, '--batch-rows' => 500, '--linger-ms' => 0);
    # Every other one gets somewhere, however slow this machine is.
    my $goal = events_of($tenant) + rand 2_000;
    my $moment = $moments[ $kills / 2 % @moments ];
    $kills % 2 ? wait_until('some events more', 60, sub { events_of($tenant) >= ($goal < 18_000 ? $goal : 18_000) }) : wait_until('a moment', 60, sub { $moment->($flusher) });
    is($private->end($flusher, 'KILL'), 'signal 9', 'killed') and ++$kills;
  }
  is($private->wait_for($feeder), 0, 'all events are in the stream');
  $private->drain('--stream' => $stream);
  cmp_ok($kills, '>', 3, "the flusher was killed $kills times");
  is_exactly($tenant, \@ids);
  is(redis()->xlen($stream), 0, 'the stream is trimmed');
};

subtest 'PostgreSQL going down in the middle loses and doubles nothing' => sub {
  my ($stream, $tenant) = fresh('postgres');
  my @ids = map { uuid() } 1 .. 6_000;
  my $flusher = $private->flusher('--stream' => $stream, '--batch-rows' => 200, '--linger-ms' => 0);
  my $feeder = feed($stream, $tenant, \@ids);
  for my $stored (500, 2000) {
    wait_until("$stored events", 60, sub { events_of($tenant) >= $stored });
    $private->end(postgres => 'QUIT');
    $private->start('postgres');
  }
  is($private->wait_for($feeder), 0, 'all events are in the stream');
  is_drained($stream, $tenant, 6_000);
  is_exactly($tenant, \@ids);
  my $said = $private->said_by($flusher);
  my $away = () = $said =~ /cannot go on without this server.*server=PostgreSQL/g;
  my $back = () = $said =~ /the server is back.*server=PostgreSQL/g;
  is_deeply([ $away, $back ], [ 2, 2 ], 'each change is logged once') or diag $said;
  $private->end(postgres => 'QUIT');
  wait_until('an idle flusher notices', 60, sub { 3 == (() = $private->said_by($flusher) =~ /server=PostgreSQL error/g) });
  $private->start('postgres');
  is($private->end($flusher, 'TERM'), 0, 'leaves in order');
};

subtest 'a COMMIT whose answer is lost is not tried again' => sub {
  my ($stream, $tenant) = fresh('answer');
  my $set = sub ($standbys) {
    database()->do("ALTER SYSTEM SET synchronous_standby_names = '$standbys'");
    database()->do('SELECT pg_reload_conf()');
  };
  my $flusher = $private->flusher('--stream' => $stream);
  has_said($flusher, qr/msg=reading/);
  $set->('nobody');    # a COMMIT is then done, but waits before it says so
  wait_until('the setting', 60, sub { value('SHOW synchronous_standby_names') eq 'nobody' });
  my @ids = map { uuid() } 1 .. 5;
  add($stream, record(events => $tenant, now(), map { event(event_id => $_) } @ids));
  my $backend = wait_until('a COMMIT without an answer', 60, sub { value(q{SELECT pid FROM pg_stat_activity WHERE wait_event = 'SyncRep' AND application_name = 'weir-flusher'}) });
  database()->do('SELECT pg_terminate_backend(?)', undef, $backend);
  wait_until('the end of its session', 60, sub { $private->log_of('postgres') =~ /canceling the wait for synchronous replication/ });
  $set->('');
  wait_until('the stream is trimmed', 60, sub { redis()->xlen($stream) == 0 });
  is_exactly($tenant, \@ids);
  is($private->end($flusher, 'TERM'), 0, 'leaves in order');
  like($private->said_by($flusher), qr/server=PostgreSQL/, 'the connection was lost');
  unlike($private->said_by($flusher), qr/msg=stored/, 'the position was read again, and nothing stored a second time');
};

subtest 'Redis going down in the middle loses and doubles nothing' => sub {
  my ($stream, $tenant) = fresh('redis');
  my @ids = map { uuid() } 1 .. 6_000;
  my $flusher = $private->flusher('--stream' => $stream, '--batch-rows' => 200, '--linger-ms' => 0);
  my $feeder = feed($stream, $tenant, \@ids);
  for my $stored (500, 2000) {
    wait_until("$stored events", 60, sub { events_of($tenant) >= $stored });
    $private->end(redis => 'KILL');
    $private->start('redis');
  }
  is($private->wait_for($feeder), 0, 'all events are in the stream');
  is_drained($stream, $tenant, 6_000);
  is_exactly($tenant, \@ids);
  is($private->end($flusher, 'TERM'), 0, 'leaves in order');
  unlike($private->said_by($flusher), qr/began a new life|behind the stored/, 'the append-only file kept the stream\'s life');
};

subtest 'a Redis that is not there is named' => sub {
  my ($stream) = fresh('nowhere');
  my $flusher = $private->flusher('--stream' => $stream, '--redis' => 'unix:/nonexistent/redis');
  has_said($flusher, qr{server=Redis error="unix:/nonexistent/redis: No such file or directory"});
  is($private->end($flusher, 'TERM'), 0, 'leaves in order');
};

subtest 'a Redis that hangs is left and found again' => sub {
  my ($stream, $tenant) = fresh('hangs');
  my $flusher = $private->flusher('--stream' => $stream);
  add_event($stream, $tenant);
  is_drained($stream, $tenant, 1);
  kill STOP => $private->pid('redis');
  has_said($flusher, qr/server=Redis error="no answer in time"/);
  kill CONT => $private->pid('redis');
  add_event($stream, $tenant);
  is_drained($stream, $tenant, 2);
  is($private->end($flusher, 'TERM'), 0, 'leaves in order');
};

subtest 'a long answer over a slow line is no Redis that hangs' => sub {
  my ($stream, $tenant) = fresh('slow');
  add_event($stream, $tenant, properties => '{"text":"' . 'x' x 9_000_000 . '"}');
  my $way = Weir::SlowWay->start("$private->{dir}/slow", "$private->{dir}/redis/socket", answers => 1_000_000);
  my $flusher = $private->flusher('--stream' => $stream, '--redis' => "unix:$private->{dir}/slow");
  is_drained($stream, $tenant, 1);
  unlike($private->said_by($flusher), qr/no answer in time/, 'it was read at once');
  is($private->end($flusher, 'TERM'), 0, 'leaves in order');
  $way->end;
};

subtest 'a second flusher stands by and takes over' => sub {
  my ($stream, $tenant) = fresh('lease');
  my $first = $private->flusher('--stream' => $stream);
  add_event($stream, $tenant);
  is_drained($stream, $tenant, 1);
  my $second = $private->flusher('--stream' => $stream);
  has_said($second, qr/other flushers hold the leases/);
  add_event($stream, $tenant);
  is_drained($stream, $tenant, 2);
  unlike($private->said_by($second), qr/msg=(?:reading|stored)/, 'and does not read meanwhile');
  my ($other, $tenant_of_other) = fresh('other-lease');
  add_event($other, $tenant_of_other);
  $private->drain('--stream' => $other);
  is(events_of($tenant_of_other), 1, 'another stream has another lease');
  $private->end($first, 'KILL');
  add_event($stream, $tenant);
  is_drained($stream, $tenant, 3);
  is($private->end($second, 'TERM'), 0, 'leaves in order');
};

subtest 'a Redis that is full is drained, and takes events again' => sub {
  my ($stream, $tenant) = fresh('full');
  my @ids = map { uuid() } 1 .. 50;
  add_event($stream, $tenant, event_id => $_) for @ids;
  redis()->config_set('maxmemory-policy', 'noeviction');
  redis()->config_set('maxmemory', 1);
  ok(!eval { add_event($stream, $tenant); 1 }, 'it takes no event');
  my $said = $private->drain('--stream' => $stream);
  is_exactly($tenant, \@ids);
  is(redis()->xlen($stream), 0, 'it is trimmed');
  unlike($said, qr/level=(?:warning|error)/, 'without a complaint');
  redis()->config_set('maxmemory', 0);
  add_event($stream, $tenant, event_id => (push(@ids, uuid()), $ids[-1])[1]);
  $private->drain('--stream' => $stream);
  is_exactly($tenant, \@ids);
};

subtest 'an unwilling Redis is waited for' => sub {
  my ($stream, $tenant) = fresh('unwilling');
  add_event($stream, $tenant) for 1 .. 3;
  redis()->acl('SETUSER', 'default', '-xtrim');
  my $said = $private->drain('--stream' => $stream);
  like($said, qr/level=error msg="Redis refuses XTRIM/, 'XTRIM refused: logged');
  is(events_of($tenant), 3, 'and stored all the same');
  redis()->acl('SETUSER', 'default', '+xtrim');
  $private->drain('--stream' => $stream);
  is(redis()->xlen($stream), 0, 'what is stored is trimmed at the next start');
  is(events_of($tenant), 3, 'without being read again');
  redis()->acl('SETUSER', 'default', '-xread');
  my $flusher = $private->flusher('--stream' => $stream, '--log-level' => 'debug');
  has_said($flusher, qr/server=Redis error=.*NOPERM/);
  has_said($flusher, qr/(?:still away.*){3}/s);
  is((() = $private->said_by($flusher) =~ /cannot go on/g), 1, 'once, not at each try');
  add_event($stream, $tenant);
  redis()->acl('SETUSER', 'default', '+xread');
  is_drained($stream, $tenant, 4);
  is($private->end($flusher, 'TERM'), 0, 'leaves in order');
};

no_alarm();
done_testing;
