# docs/operations.md tells the truth about a Redis that refuses, or is set up badly: each fault of its
# table is made, looked at from outside, and mended.
use v5.36;
use FindBin;
use lib "$FindBin::Bin/lib";
use WeirTest;
use WeirTest::Operations;

# With limits that let a request be larger than what Redis may be told to take.
my $weir = start_for_faults(
  locations => [
    { path => '/track', what => 'track', limits => { body => '4m', string => '2m' } },
    map { { path => "/$_", what => $_ } } 'health', 'metrics'
  ],
);

# All of Redis' clients but this test's own have to connect anew.
sub hang_up () { return redis()->client_kill('TYPE', 'normal', 'SKIPME', 'yes') }

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
  # What the setting began by itself may be under way, and end well.
  ok wait_for(sub { eval { redis()->bgsave }; redis()->info->{rdb_last_bgsave_status} eq 'err' }), 'Redis could not write';
  clients_see();
  operators_see();
  chmod 0700, $folder or die "chmod $folder: $!\n";
  redis()->config_set(save => '');
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

in_trouble 'Redis does not let the flusher trim' => sub {
  redis()->acl('SETUSER', 'default', '-xtrim');
  clients_see();
  operators_see();
  redis()->acl('SETUSER', 'default', '+xtrim');
  ok wait_for(sub { redis()->xlen('weir:{0}') == 0 }), 'what is stored is trimmed once it may be, without another event';
};

in_trouble 'Redis does not let the flusher read' => sub {
  redis()->acl('SETUSER', 'default', '-xread');
  clients_see();
  operators_see();
  redis()->acl('SETUSER', 'default', '+xread');
};

# Redis says that it is a replica now to those who wait in it; the flusher does not, at this moment.
in_trouble 'A replica is named instead of the master' => sub {
  $weir->signal(flusher => 'STOP');
  ok wait_for(sub { redis()->info->{blocked_clients} == 0 }), 'the flusher does not wait in Redis';
  redis()->replicaof('127.0.0.1', 1);
  $weir->signal(flusher => 'CONT');
  clients_see();
  operators_see();
  redis()->replicaof('NO', 'ONE');
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
  redis_is_used_again();
  clients_see();
  operators_see();
  redis()->config_set(appendfsync => 'always');
};

in_trouble "A request's events are larger than Redis takes" => sub {
  redis()->config_set('proto-max-bulk-len' => 1 << 20);
  hang_up();
  is post_event(properties => { p => 'x' x 1_500_000 })->{status}, 200, 'the spool takes it';
  clients_see();
  operators_see();
  my $refused;
  # Whole it is once the segment that it comes from has gone.
  ok wait_for(sub { ($refused) = glob $weir->setting('WEIR_SPOOL') . '/*.spool.refused'; $refused && !-e $refused =~ s/\.refused\z//r }),
    'it is set aside';
  redis()->config_set('proto-max-bulk-len' => 512 << 20);
  rename $refused, ($refused =~ s/\.refused\z//r) or die "rename: $!\n";
};

faults_done();
