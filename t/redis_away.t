# Without a spool: Redis gone, hanging, full or coming back. Clients hear 503 soon, and what was
# answered 200 is kept.
use v5.36;
use FindBin;
use lib "$FindBin::Bin/lib";
use WeirTest;

my $weir = start(env => { WEIR_SPOOL_OPTIONS => 'off' });
my (%answered_200, %sent);

sub event ($id) { $sent{$id} = 1; return json({ event => 'away', user_id => 'u1', event_id => $id,
  timestamp => '2026-10-11T12:13:14Z' }) }

# Posts an event; the answer, with the seconds it took.
sub timed_post ($id) {
  my $before = time;
  my $answer = post('/track', event($id));
  $answered_200{$id} = 1 if $answer->{status} == 200;
  return { %$answer, seconds => time - $before };
}

sub unavailable ($answer, $name) {
  local $Test::Builder::Level = $Test::Builder::Level + 1;
  fails_with $answer, 503, qr/"error"/, $name;
  return like $answer->{headers}{'retry-after'}, qr/\A[1-9]\d*\z/, "$name: Retry-After";
}

# Every worker has to have noticed: several answers in a row over connections of their own.
sub settles_on ($status, $name) {
  local $Test::Builder::Level = $Test::Builder::Level + 1;
  my $settled = wait_for(sub {
    for (1 .. 8) {
      my $answer = connection()->request(POST => '/track', event(my $id = uuid()));
      $answered_200{$id} = 1 if $answer->{status} == 200;
      return 0 if $answer->{status} != $status;
    }
    1;
  });
  return ok $settled, $name;
}

subtest 'Redis is killed: 503 at once, and events taken before are kept' => sub {
  timed_post(uuid('before', $_)) for 1 .. 20;
  $weir->signal(redis => 'KILL');
  settles_on(503, 'the workers notice');
  my @answers = map { timed_post(uuid('while', $_)) } 1 .. 5;
  unavailable($_, 'an event') for @answers;
  cmp_ok median(map { $_->{seconds} } @answers), '<', 1, 'at once';
  unavailable(post($_, '{"user_id":"u","app_version":"1","crash_type":"c","error_message":""}'), $_) for '/crash';
  is post('/track', '{}')->{status}, 400, 'what is invalid is still told so';
  $weir->repair;
  settles_on(200, 'it comes back by itself');
};

subtest 'Redis hangs: answers within the time limit, then at once' => sub {
  $weir->signal(redis => 'STOP');
  my $finish = start_clients(20, sub ($n) {
    my $before = time;
    my $answer = connection()->request(POST => '/track', event(uuid('hang', $n)));
    return { %$answer, seconds => time - $before };
  });
  my @others = map { my $before = time; my $status = post('/track', '{}')->{status}; [ $status, time - $before ] } 1 .. 20;
  is_deeply [ grep { $_ != 400 } map { $_->[0] } @others ], [], 'what needs no Redis is answered meanwhile';
  cmp_ok median(map { $_->[1] } @others), '<', 1, 'at once';
  my @results = $finish->();
  $sent{ uuid('hang', $_) } = 1 for 0 .. 19;
  unavailable($_, 'an event') for @results;
  my ($slowest) = sort { $b <=> $a } map { $_->{seconds} } @results;
  cmp_ok $slowest, '<', 10, 'nobody waits for much longer than the time limit of 2 s';
  settles_on(503, 'it is known by then');
  my @answers = map { timed_post(uuid('known', $_)) } 1 .. 5;
  unavailable($_, 'the next') for @answers;
  cmp_ok median(map { $_->{seconds} } @answers), '<', 1, 'at once';
  $weir->signal(redis => 'CONT');
  settles_on(200, 'it goes on by itself');
  # Until it is taken: the worker that gets it may be the one that has not noticed yet.
  my $again = wait_for(sub { my $answer = timed_post(uuid('hang', 0)); $answer->{status} == 200 && $answer });
  accepted $again // { status => 0, body => '' }, 1, 'an event that got no 200 is sent again';
};

subtest 'Redis refuses writes: 503, and 200 once it takes them again' => sub {
  redis()->config_set(maxmemory => 1);
  settles_on(503, 'out of memory');
  unavailable(timed_post(uuid('full')), 'an event');
  redis()->config_set(maxmemory => 0);
  settles_on(200, 'memory again');
};

subtest 'Redis is killed again and again under load: no event answered 200 is lost, none is twice' => sub {
  my $clients = 8;
  my $finish = start_clients($clients, sub ($client) {
    my (@done, $connection);
    for my $n (1 .. 300) {
      my $deadline = time + 60;
      while (1) {
        $connection //= connection();
        my $answer = eval { $connection->request(POST => '/track',
          event(uuid('load', $client, $n))) } // { status => 0 };
        die "answer $answer->{status} $answer->{body}\n" unless $answer->{status} =~ /\A(?:200|503)\z/;
        last if $answer->{status} == 200;
        die "no 200 in time\n" if time > $deadline;
        select undef, undef, undef, 0.05;
      }
      push @done, uuid('load', $client, $n);
    }
    return \@done;
  });
  my $entries = 0;
  for my $round (1 .. 3) {
    wait_for(sub { value('SELECT count(*) FROM events') > $entries + 50 }, 5);
    $weir->signal(redis => 'KILL');
    wait_for(sub { get('/health')->{status} == 503 }, 5);
    $weir->repair;
    $entries = value('SELECT count(*) FROM events');
  }
  my @done = map { @$_ } $finish->();
  @answered_200{@done} = @sent{@done} = (1) x @done;
  is scalar @done, $clients * 300, 'every event got its 200 in the end';
};

subtest 'afterwards the table holds every event that was answered 200, and nothing twice' => sub {
  stored();
  holds_what_was_answered(\%answered_200, \%sent);
};

done_testing;
