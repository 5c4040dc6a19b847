# Redis away, hanging, full or coming back, with a spool: no request fails, answers come soon, and
# what was answered 200 is in PostgreSQL once Redis is back, whoever died meanwhile.
use v5.36;
use FindBin;
use lib "$FindBin::Bin/lib";
use WeirTest;
use WeirTest::Poster;

my $weir = start();
my (%answered_200, %sent);
my @left = map { uuid('left', $_) } 0 .. 19;

sub event ($id) {
  $sent{$id} = 1;
  return json({ event => 'spooled', user_id => 'u1', event_id => $id, timestamp => '2026-10-11T12:13:14Z' });
}

# Posts an event over a connection of its own; the answer, with the seconds it took.
sub timed_post ($id) {
  my $before = time;
  my $answer = connection()->request(POST => '/track', event($id));
  $answered_200{$id} = 1 if $answer->{status} == 200;
  return { %$answer, seconds => time - $before };
}

# Posts `count` events one after the other. A busy machine makes some slow, a wait of Weir's makes all.
sub all_are_taken ($count, $seconds, $name) {
  local $Test::Builder::Level = $Test::Builder::Level + 1;
  my @answers = map { timed_post(uuid($name, $_)) } 1 .. $count;
  is scalar(grep { $_->{status} == 200 } @answers), $count, "$name: every event is taken";
  return cmp_ok median(map { $_->{seconds} } @answers), '<', $seconds, "$name: in less than $seconds s";
}

sub spool_holds_records () {
  return wait_for(sub { scalar spool_files() });
}

sub is_drained ($name) {
  local $Test::Builder::Level = $Test::Builder::Level + 1;
  return ok wait_for(sub { !spool_files() }, 60), "$name: the spool is drained and its files are gone";
}

subtest 'Redis is killed: events go into the spool, and from there to PostgreSQL' => sub {
  all_are_taken(20, 1, 'before');
  $weir->signal(redis => 'KILL');
  all_are_taken(100, 1, 'while Redis is away');
  ok spool_holds_records(), 'the spool has files';
  is post('/track', '{}')->{status}, 400, 'what is invalid is still told so';
  is get('/health')->{status}, 200, 'events can be kept';
  $weir->repair;
  is_drained('Redis is back');
};

subtest 'Redis hangs: answers within the patience, then at once' => sub {
  $weir->signal(redis => 'STOP');
  my $finish = start_clients(20, sub ($n) {
    my $before = time;
    my $answer = connection()->request(POST => '/track', event(uuid('hang', $n)));
    return { %$answer, seconds => time - $before };
  });
  my @results = $finish->();
  @sent{ map { uuid('hang', $_) } 0 .. 19 } = @answered_200{ map { uuid('hang', $_) } 0 .. 19 } = (1) x 20;
  is scalar(grep { $_->{status} == 200 } @results), 20, 'all are taken';
  cmp_ok median(map { $_->{seconds} } @results), '<', 1.5, 'not much later than after 250 ms, on a machine that is busy';
  all_are_taken(100, 0.25, 'known to hang');
  $weir->signal(redis => 'CONT');
  is_drained('Redis goes on');
};

# They are gone before Redis is found to be late, and nobody waits for an answer any more.
subtest 'clients leave while Redis hangs: the spool has their events' => sub {
  $weir->signal(redis => 'STOP');
  my @clients = map {
    my $client = connection();
    $client->send_bytes($client->format_request(POST => '/track', event($_)));
    $client
  } @left;
  $_->close for @clients;
  ok spool_holds_records(), 'the spool has files';
  $weir->signal(redis => 'CONT');
  is_drained('Redis goes on');
};

# 800 KB each, so that far more than a sync's worth changes over to the spool at one moment.
subtest 'Redis hangs with large requests on their way: the spool takes them all' => sub {
  my %properties = map { ("p$_" => 'x' x 8000) } 1 .. 100;
  my @ids = map { uuid('large', $_) } 0 .. 63;
  @sent{@ids} = (1) x @ids;
  $weir->signal(redis => 'STOP');
  my $finish = start_clients(scalar @ids, sub ($n) {
    my $body = json({ event => 'spooled', user_id => 'u1', event_id => $ids[$n], properties => \%properties });
    return connection(timeout => 60)->request(POST => '/track', $body)->{status};
  });
  my @statuses = $finish->();
  $answered_200{ $ids[$_] } = 1 for grep { $statuses[$_] == 200 } 0 .. $#ids;
  is scalar(grep { $_ == 200 } @statuses), scalar @ids, 'all are taken';
  $weir->signal(redis => 'CONT');
  is_drained('Redis goes on');
};

subtest 'Redis refuses writes: the spool takes them' => sub {
  redis()->config_set(maxmemory => 1);
  all_are_taken(50, 2, 'out of memory');
  ok spool_holds_records(), 'the spool has files';
  redis()->config_set(maxmemory => 0);
  is_drained('memory again');
};

subtest 'workers are killed while the spool holds records: others take over what they left' => sub {
  $weir->signal(redis => 'KILL');
  all_are_taken(50, 2, 'before the workers die');
  my @old = $weir->workers;
  kill KILL => @old;
  ok wait_for(sub { 2 == grep { my $pid = $_; !grep { $_ == $pid } @old } $weir->workers }), 'new workers came';
  all_are_taken(50, 2, 'after the workers died');
  $weir->repair;
  is_drained('Redis is back');
};

subtest 'a reload while Redis is away: no request fails, old workers leave their files to new ones' => sub {
  $weir->signal(redis => 'KILL');
  my $finish = start_posters(4, "$weir->{run}/stop-the-load", 'reload');
  for my $round (1 .. 4) {
    my %old = map { $_ => 1 } $weir->reload;
    ok wait_for(sub { !grep { $old{$_} } $weir->workers }), "reload $round: the old workers left";
  }
  $weir->repair;
  my $all = $finish->();
  is_deeply [ $all->{failed}->@*, $all->{cut}->@* ], [], 'no request of ' . $all->{done}->@* . ' failed';
  $sent{$_} = 1 for $all->{sent}->@*;
  $answered_200{$_} = 1 for $all->{done}->@*;
  is_drained('Redis is back');
};

subtest 'the whole web server is killed while the spool holds records: the next one drains them' => sub {
  $weir->signal(redis => 'KILL');
  all_are_taken(50, 2, 'before the server dies');
  my @workers = $weir->workers;
  kill KILL => $weir->pid('web'), @workers;
  $weir->repair;
  is_drained('all are back');
};

subtest 'a quit while Redis is away leaves the records on the disk for the next start' => sub {
  $weir->signal(redis => 'KILL');
  all_are_taken(50, 2, 'before the server quits');
  $weir->down;
  ok scalar spool_files(), 'the files are there while nothing runs';
  $weir->up;
  is_drained('started again');
};

subtest 'Redis is killed again and again under load: no request fails' => sub {
  my $clients = 8;
  my $finish = start_clients($clients, sub ($client) {
    my ($connection, @done) = (connection());
    for my $n (1 .. 600) {
      my $answer = $connection->request(POST => '/track', event(uuid('load', $client, $n)));
      die "answer $answer->{status} $answer->{body}\n" if $answer->{status} != 200;
      push @done, uuid('load', $client, $n);
    }
    return \@done;
  });
  for my $round (1 .. 4) {
    my $taken = value('SELECT count(*) FROM events');
    $weir->signal(redis => 'KILL');
    wait_for(sub { scalar spool_files() }, 3);
    $weir->repair;
  }
  my @done = map { @$_ } $finish->();
  @answered_200{@done} = @sent{@done} = (1) x @done;
  is scalar @done, $clients * 600, 'every event got its 200 at once';
  is_drained('Redis is back');
};

subtest 'afterwards the table holds every event that was answered 200, and nothing twice' => sub {
  stored(60);
  holds_what_was_answered(\%answered_200, \%sent);
  is value('SELECT count(*) FROM events WHERE event_id = ANY(?)', \@left), scalar @left, 'and those of clients that did not wait';
};

allow_killed_workers();
done_testing;
