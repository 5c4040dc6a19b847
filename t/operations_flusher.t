# docs/operations.md tells the truth about the flusher, and about servers that went back in time: each
# fault of its table is made, looked at from outside, and mended.
use v5.36;
use FindBin;
use lib "$FindBin::Bin/lib";
use WeirTest;
use WeirTest::Operations;
use POSIX ();

my $weir = start_for_faults();
my $data = $weir->setting('WEIR_SPOOL') =~ s{/spool\z}{}r;

# Another one beside the first, which writes to the same log; its pid.
sub another_flusher () {
  my $pid = fork // die "fork: $!\n";
  return $pid if $pid;
  open STDERR, '>>', "$weir->{run}/log/flusher.log" or POSIX::_exit(127);
  exec(($ENV{BUILD} // WeirTest::Server->root . '/build') . '/weir-flusher', '--config', "$data/flusher/flusher.conf",
    '--metrics', '127.0.0.1:0')
    or POSIX::_exit(127);
}

in_trouble 'The flusher is killed, or does not run' => sub {
  $weir->signal(flusher => 'KILL');
  clients_see();
  operators_see();
  $weir->repair;
};

in_trouble 'The flusher hangs' => sub {
  $weir->signal(flusher => 'STOP');
  clients_see();
  operators_see();
  $weir->signal(flusher => 'CONT');
};

in_trouble 'The stream is too long' => sub {
  reconfigure(redis => sub ($words) { "$words stream_length=1000" });
  $weir->signal(flusher => 'STOP');
  is scalar(grep { post_event()->{status} != 200 } 1 .. 1100), 0, 'the stream takes events, then the spool';
  operators_see();
  clients_see();
  $weir->signal(flusher => 'CONT');
};

in_trouble 'Two flushers run' => sub {
  my $other = another_flusher();
  clients_see();
  operators_see();
  $weir->signal(flusher => 'KILL');
  clients_see();
  stored();
  pass 'the other one takes over';
  kill TERM => $other;
  waitpid $other, 0;
  is $? >> 8, 0, 'and leaves when it is told to';
  $weir->repair;
};

in_trouble 'The schema is not that of this flusher' => sub {
  my $body = value(q{SELECT prosrc FROM pg_proc WHERE oid = 'weir.schema_version()'::regprocedure});
  my $define = sub ($text) {
    administrator()->do("CREATE OR REPLACE FUNCTION weir.schema_version() RETURNS integer LANGUAGE sql STABLE AS "
      . administrator()->quote($text));
  };
  $define->('SELECT 1');
  end_sessions();
  clients_see();
  operators_see();
  ok wait_for(sub { !$weir->alive('flusher') }), 'it has left';
  $define->($body);
  $weir->repair;
};

in_trouble 'A record cannot be stored' => sub {
  redis()->xadd('weir:{0}', '*', 'r', 'no record');
  clients_see();
  operators_see();
  is value('SELECT count(*) FROM dead_letters'), 1, 'it is a dead letter';
};

in_trouble 'Redis went back in time' => sub {
  post_event();
  stored();
  system('cp', '-a', "$data/redis", "$weir->{run}/backup") == 0 or die "cp failed\n";
  post_event() for 1 .. 5;
  stored();
  $weir->signal(redis => 'KILL');
  clients_see();
  system("rm -rf '$data/redis' && cp -a '$weir->{run}/backup' '$data/redis'") == 0 or die "cp failed\n";
  # What waits in the spool would have ids of now: the stream is looked at before it comes. A repair of all would
  # let the workers go on.
  my @workers = $weir->workers;
  kill STOP => @workers;
  my ($status, $said) = $weir->tool('up redis');
  is $status, 0, 'Redis is started' or diag $said;
  operators_see();
  kill CONT => @workers;
};

in_trouble 'PostgreSQL went back in time' => sub {
  post_event();
  stored();
  my $position = value('SELECT position FROM stream_positions');
  post_event();
  stored();
  post_event();
  stored();
  administrator()->do('UPDATE weir.stream_positions SET position = ?', undef, $position);
  end_sessions();
  clients_see();
  operators_see();
};

in_trouble 'A record is of a newer Weir' => sub {
  my $id = redis()->xadd('weir:{0}', '*', 'r', "\x02 and what nobody knows yet");
  clients_see();
  operators_see();
  redis()->xdel('weir:{0}', $id);
};

in_trouble 'Edge and flusher are told different `shards=` or `stream=`' => sub {
  reconfigure(redis => sub ($words) { "$words shards=2" });
  clients_see(40);
  operators_see();
  ok redis()->xlen('weir:{1}') > 0, 'a stream that nobody reads has some of them';
  $weir->{env}{WEIR_SHARDS} = 2;
  $weir->signal(flusher => 'TERM');
  ok wait_for(sub { !$weir->alive('flusher') }), 'the flusher leaves';
  $weir->repair;
};

faults_done();
