# docs/operations.md tells the truth about a Redis that is away, slow, or another than before: each fault
# of its table is made, looked at from outside, and mended.
use v5.36;
use FindBin;
use lib "$FindBin::Bin/lib";
use WeirTest;
use WeirTest::Operations;

my $weir = start_for_faults();

# All of Redis' clients but this test's own have to connect anew.
sub hang_up () { return redis()->client_kill('TYPE', 'normal', 'SKIPME', 'yes') }

in_trouble 'Redis is killed, or does not run' => sub {
  $weir->signal(redis => 'KILL');
  clients_see();
  operators_see();
  # The flusher gives its stream up after ten seconds, to one that still reaches Redis.
  ok wait_for(sub { !value(q{SELECT count(*) FROM weir_lease.stream_leases WHERE flusher IS NOT NULL}) }), 'Redis is away for long';
  $weir->repair;
  says web     => 'weir keeps its records in Redis at';
  says flusher => 'msg="the server is back" server=Redis';
};

in_trouble 'Redis is away and there is no spool' => sub {
  redis_is_used_again();
  reconfigure(spool => sub ($words) { undef });
  is post_event()->{status}, 200, 'at first events are taken';
  $weir->signal(redis => 'KILL');
  ok wait_for(sub { get('/health')->{status} == 503 }), 'Redis is away';
  clients_see();
  operators_see();
  $weir->repair;
  redis_is_used_again();
  reconfigure(spool => sub ($words) { $words });
};

in_trouble 'Redis hangs' => sub {
  $weir->signal(redis => 'STOP');
  clients_see();
  operators_see();
  $weir->signal(redis => 'CONT');
};

in_trouble 'Redis answers slowly' => sub {
  redis_is_used_again();
  redis()->client_pause(1000, 'ALL');
  clients_see();
  operators_see();
};

in_trouble 'Redis is loading its data' => sub {
  redis()->set("ballast:$_", 'x', sub { }) for 1 .. 6000;
  redis()->wait_all_responses;
  WeirTest::Server::write_file("$weir->{run}/slow-redis.conf", "key-load-delay 1000\n");
  $weir->{env}{WEIR_REDIS_CONF} = "$weir->{run}/slow-redis.conf";
  $weir->signal(redis => 'KILL');
  my $finish = start_clients(1, sub ($) { $weir->repair; 1 });
  says web => 'with LOADING', 'that it loads';
  clients_see();
  operators_see();
  $finish->();
  delete $weir->{env}{WEIR_REDIS_CONF};
};

in_trouble 'Redis has as many clients as it takes' => sub {
  redis()->config_set(maxclients => 1);
  hang_up();
  clients_see();
  operators_see();
  redis()->config_set(maxclients => 1000);
};

in_trouble 'Redis lost its data' => sub {
  redis_is_used_again();
  stored();
  redis()->flushall;
  clients_see();
  operators_see();
};

faults_done();
