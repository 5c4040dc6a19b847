# docs/operations.md tells the truth about Redis: each fault of its table is made, looked at from
# outside, and mended.
use v5.36;
use FindBin;
use lib "$FindBin::Bin/lib";
use WeirTest;
use WeirTest::Operations;
use Redis;

my $weir = start(locations => [ WeirTest::Server::default_locations()->@*, { path => '/metrics', what => 'metrics' } ]);

# All of Redis' clients but this test's own have to connect anew.
sub hang_up () { return redis()->client_kill('TYPE', 'normal', 'SKIPME', 'yes') }

sub is_mended () {
  local $Test::Builder::Level = $Test::Builder::Level + 1;
  return ok wait_for(sub { get('/health')->{body} =~ /"redis":"ready"/ }, 30), 'then Redis is used again';
}

in_trouble 'Redis is killed, or does not run' => sub {
  $weir->signal(redis => 'KILL');
  clients_see();
  operators_see();
  # The flusher gives its stream up after ten seconds, to one that still reaches Redis.
  ok wait_for(sub { !value(q{SELECT count(*) FROM stream_leases WHERE flusher IS NOT NULL}) }, 30), 'Redis is away for long';
  $weir->repair;
  says nginx   => 'weir keeps its records in Redis at';
  says flusher => 'msg="the server is back" server=Redis';
};

in_trouble 'Redis hangs' => sub {
  $weir->signal(redis => 'STOP');
  clients_see();
  operators_see();
  $weir->signal(redis => 'CONT');
};

in_trouble 'Redis has reached its `maxmemory`' => sub {
  redis()->config_set(maxmemory => 1);
  clients_see();
  operators_see();
  redis()->config_set(maxmemory => 0);
};

in_trouble 'Redis cannot write to its disk' => sub {
  my (undef, $folder) = redis()->config_get('dir');
  redis()->config_set(save => '1 1');
  chmod 0500, $folder or die "chmod $folder: $!\n";
  redis()->bgsave;
  ok wait_for(sub { redis()->info->{rdb_last_bgsave_status} eq 'err' }), 'Redis could not write';
  clients_see();
  operators_see();
  chmod 0700, $folder or die "chmod $folder: $!\n";
  redis()->config_set(save => '');
};

in_trouble 'Redis is loading its data' => sub {
  redis()->set("ballast:$_", 'x', sub { }) for 1 .. 6000;
  redis()->wait_all_responses;
  WeirTest::Server::write_file("$weir->{run}/slow-redis.conf", "key-load-delay 1000\n");
  $weir->{env}{WEIR_REDIS_CONF} = "$weir->{run}/slow-redis.conf";
  $weir->signal(redis => 'KILL');
  my $finish = start_clients(1, sub ($) { $weir->repair; 1 });
  says nginx => 'with LOADING', 'that it loads';
  clients_see();
  operators_see();
  $finish->();
  delete $weir->{env}{WEIR_REDIS_CONF};
};

in_trouble "Redis' password was changed" => sub {
  redis()->config_set(requirepass => 'secret');
  hang_up();
  clients_see();
  operators_see();
  redis()->config_set(requirepass => '');
};

in_trouble "Redis' ACL is too narrow" => sub {
  redis()->acl('SETUSER', 'default', '-xadd');
  clients_see();
  operators_see();
  redis()->acl('SETUSER', 'default', '+xadd');
};

in_trouble 'A replica is named instead of the master' => sub {
  redis()->replicaof('127.0.0.1', 1);
  clients_see();
  operators_see();
  redis()->replicaof('NO', 'ONE');
};

in_trouble 'Redis has as many clients as it takes' => sub {
  redis()->config_set(maxclients => 1);
  hang_up();
  clients_see();
  operators_see();
  redis()->config_set(maxclients => 1000);
};

in_trouble "The stream's key holds something else" => sub {
  stored();
  redis()->del('weir:{0}');
  redis()->set('weir:{0}', 'something else');
  clients_see();
  operators_see();
  redis()->del('weir:{0}');
};

in_trouble 'Redis forgets too easily' => sub {
  redis()->config_set(appendfsync => 'everysec');
  hang_up();
  is_mended();
  clients_see();
  operators_see();
  redis()->config_set(appendfsync => 'always');
};

in_trouble 'Redis lost its data' => sub {
  is_mended();
  stored();
  redis()->flushall;
  clients_see();
  operators_see();
};

faults_done();
