# `make up` repairs whatever was killed or stopped, soon and every time: any of the web server's master,
# one of its workers, Redis, PostgreSQL's main process, one of its sessions and the flusher, alone or
# together. What was acknowledged in between is stored exactly once.
use v5.36;
use FindBin;
use lib "$FindBin::Bin/lib";
use POSIX ();
use WeirTest;
use WeirTest::Server;

my @parts = qw(web redis postgres flusher);
my @victims = qw(web worker redis postgres session flusher);
my $soon = 60;    # seconds; it takes one or two where nothing else loads the machine

my $weir = start();
allow_killed_workers();
my %acknowledged;

# Who is who just now. A session is the flusher's, so that it matters to somebody.
sub pids_of_victims {
  my ($session) = db('postgres')->selectrow_array(
    q{SELECT pid FROM pg_stat_activity WHERE application_name = 'weir-flusher' AND backend_type = 'client backend'});
  return { (map { $_ => $weir->pid($_) } @parts), worker => scalar(($weir->workers)[0]), session => $session };
}

sub take_some ($count) {
  for (1 .. $count) {
    my $id = uuid();
    my $answer = eval { post('/track', { event => 'repair', user_id => 'u1', event_id => $id }) };
    $acknowledged{$id} = 1 if $answer && $answer->{status} == 200;
  }
  return;
}

sub state_of ($pid) {
  open my $file, '<', "/proc/$pid/stat" or return '';
  return (readline($file) // '') =~ /\) (\S)/ ? $1 : '';
}

# Sends the signals at once, repairs, and looks whether all is as it should be.
sub repairs (%signals) {
  my $name = join ', ', map { "$_ $signals{$_}" } grep { $signals{$_} } @victims;
  my $all_well = subtest $name => sub {
    take_some(3);
    my $pids = wait_for(sub { my $all = pids_of_victims(); (grep { !$_ } values %$all) ? 0 : $all });
    ok $pids, 'all are there before' or return;
    WeirTest::disconnect();
    kill $signals{$_} => $pids->{$_} for grep { $signals{$_} } @victims;
    my $before = time;
    my ($status, $said) = $weir->tool('up');
    my $seconds = time - $before;
    is $status, 0, 'make up succeeds' or diag $said;
    cmp_ok $seconds, '<', $soon, 'soon';
    ok $weir->alive($_), "$_ runs" for @parts;
    for my $part (grep { $pids->{$_} } @parts) {
      is $weir->pid($part), $pids->{$part}, "$part was left alone" if ($signals{$part} // '') ne 'KILL';
      isnt state_of($weir->pid($part)), 'T', "$part goes on";
    }
    is_deeply [ grep { state_of($_) eq 'T' } $weir->workers ], [], 'every worker goes on';
    my $id = uuid();
    ok wait_for(sub { post('/track', { event => 'repair', user_id => 'u1', event_id => $id })->{status} == 200 }), 'an event is taken';
    $acknowledged{$id} = 1;
    ok eval { stored() }, 'and stored' or diag $@;
  };
  return $all_well || BAIL_OUT("what $name left behind is of no use to the rest");
}

subtest 'one alone' => sub {
  for my $victim (@victims) { repairs($victim => $_) for qw(KILL STOP) }
};

subtest 'all at once' => sub {
  repairs(map { $_ => 'KILL' } @victims);
  repairs(map { $_ => 'STOP' } @victims);
  repairs(map { $_ => $_ =~ /web|postgres/ ? 'KILL' : 'STOP' } @victims);
  repairs(map { $_ => $_ =~ /web|postgres/ ? 'STOP' : 'KILL' } @victims);
};

my $seed = $ENV{WEIR_SEED} // int rand 1e9;
subtest "some of them, by chance (WEIR_SEED=$seed)" => sub {
  srand $seed;
  repairs(map { $_ => ('', 'KILL', 'STOP')[ rand 3 ] } @victims) for 1 .. 8;
};

subtest 'a part that is killed while another one starts is started too' => sub {
  kill KILL => $weir->pid($_) for qw(redis flusher);
  my $old = $weir->pid('flusher');
  my $hand = fork // die "fork: $!\n";
  if (!$hand) {    # kills PostgreSQL once Redis is up again
    my $dead = $weir->pid('redis');
    wait_for(sub { my $pid = $weir->pid('redis'); $pid && $pid != $dead && WeirTest::Server::runs($pid) });
    kill KILL => $weir->pid('postgres');
    POSIX::_exit(0);
  }
  WeirTest::disconnect();
  my ($status, $said) = $weir->tool('up');
  waitpid $hand, 0;
  is $status, 0, 'make up succeeds' or diag $said;
  ($status, $said) = $weir->tool('up');    # the kill may have come too late for the first
  is $status, 0, 'and again' or diag $said;
  ok $weir->alive($_), "$_ runs" for @parts;
  isnt $weir->pid('flusher'), $old, 'the flusher is a new one';
};

subtest 'what was acknowledged is there exactly once' => sub {
  stored();
  my @stored = map { $_->{event_id} } rows('SELECT event_id FROM events');
  my %count;
  ++$count{$_} for @stored;
  is_deeply [ grep { !$count{$_} } sort keys %acknowledged ], [], 'nothing is lost';
  is_deeply [ grep { $count{$_} > 1 } sort keys %count ], [], 'nothing is doubled';
  is value('SELECT sum(events) FROM user_days'), scalar @stored, 'and counted once';
};

done_testing;
