# Requests that wait for Redis: more of them than the connection to it takes at once; and when the web server
# is reloaded or told to quit, where the old worker stays until they are answered, and then leaves.
use v5.36;
use FindBin;
use lib "$FindBin::Bin/lib";
use WeirTest;

# Without a spool they wait for Redis alone, and here for long.
my $weir = start(
  workers => 1,
  env => { WEIR_SPOOL_OPTIONS => 'off', WEIR_REDIS_OPTIONS => 'timeout=30s' },
);
my @expected;

sub event ($id, %properties) {
  push @expected, $id;
  return json({ event => 'pending', user_id => 'u1', event_id => $id, properties => \%properties });
}

# Clients whose requests the worker has seen and Redis has not answered.
sub waiting ($name, %properties) {
  $weir->signal(redis => 'STOP');
  my @clients = map {
    my $client = connection(timeout => 60);
    $client->send_bytes($client->format_request(POST => '/track', event(uuid($name, $_), %properties)));
    $client
  } 1 .. 20;
  my $in_flight = sub { connection()->request(GET => '/health')->{json}{in_flight} == 20 };
  ok wait_for($in_flight), "$name: all wait for Redis";
  return @clients;
}

sub all_are_answered ($name, $old, @clients) {
  ok WeirTest::Server::runs($old), "$name: the old worker stays";
  $weir->signal(redis => 'CONT');
  is scalar(grep { $_->read_answer->{status} == 200 } @clients), 20, "$name: all are answered 200";
  return ok wait_for(sub { !WeirTest::Server::runs($old) }), "$name: and then it leaves";
}

sub quits ($pid) {
  return wait_for(sub { $weir->is_leaving($pid) });
}

subtest 'more than the connection takes' => sub {
  my @clients = waiting('a lot', map { ("text$_" => 'x' x 8000) } 1 .. 4);
  $weir->signal(redis => 'CONT');
  is scalar(grep { $_->read_answer->{status} == 200 } @clients), 20, 'all are answered 200, as Redis reads on';
};

subtest 'a reload' => sub {
  my @clients = waiting('reload');
  my ($old) = $weir->reload;
  ok quits($old), 'the old worker is told to quit';
  all_are_answered('reload', $old, @clients);
  ok wait_for(sub { post('/track', event(uuid('after the reload')))->{status} == 200 }), 'the new one takes events';
};

subtest 'a quit of all of the web server' => sub {
  my ($old) = $weir->workers;
  my @clients = waiting('quit');
  $weir->quit;
  ok quits($old), 'the worker is told to quit';
  all_are_answered('quit', $old, @clients);
};

$weir->repair;
stored();
my %expected = map { $_ => 1 } @expected;
is value('SELECT count(*) FROM events WHERE event_id = ANY(?)', [ keys %expected ]), scalar keys %expected,
  'every event is in the table';

done_testing;
