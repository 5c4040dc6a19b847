# HTTP/2: many streams at once, bodies with and without a length, streams that end early.
use v5.36;
use FindBin;
use lib "$FindBin::Bin/lib";
use WeirTest;
use WeirTest::Http2;

# Redis' answers are waited for, and not the spool's, however long requests take to come in.
my $weir = start(workers => 1, http2 => 1, env => { WEIR_REDIS_OPTIONS => 'timeout=30s patience=30s' });
my @expected;

sub http2 { return WeirTest::Http2->new(port => $weir->{port}) }

# The body of an event that has to be in the table at the end.
sub event ($name, %more) {
  push @expected, uuid($name);
  return json({ event => 'http2', user_id => 'u1', event_id => uuid($name), timestamp => '2026-11-01T00:00:00Z',
    %more });
}

sub filler ($length) { return properties => { filler => [ ('x' x 1000) x ($length / 1003) ] } }

sub shows ($answer, $status, $body, $name) {
  local $Test::Builder::Level = $Test::Builder::Level + 1;
  return is "$answer->{status} $answer->{body}", "$status $body", $name;
}

my $one = '{"status":"ok","accepted":1}';

subtest 'one stream after the other' => sub {
  my $client = http2();
  shows $client->answer($client->post('/track', event('plain'))), 200, $one, 'an event';
  shows $client->answer($client->post('/track', 'x')), 400,
    '{"error":"Invalid JSON","details":[{"offset":0,"reason":"unexpected_character"}]}', 'not JSON';
  shows $client->answer($client->open_stream(GET => '/track', 1)), 405, '{"error":"Method not allowed"}',
    'a wrong method';
  is $client->answer($client->open_stream(GET => '/health', 1))->{status}, 200, 'health';
  shows $client->answer($client->open_stream(POST => '/track', 1)), 400,
    '{"error":"Invalid JSON","details":[{"offset":0,"reason":"empty_body"}]}', 'no body';
  shows $client->answer($client->post('/track', event('at last'))), 200, $one, 'another event';
};

subtest 'bodies: big, without a length, in small frames' => sub {
  my $client = http2();
  my $big = event('big', filler(900_000));
  shows $client->answer($client->post('/track', $big, 'content-length' => length $big)), 200, $one, 'nearly a mebibyte';
  shows $client->answer($client->post('/track', event('unannounced', filler(500_000)))), 200, $one,
    'half a mebibyte without a length';
  my $stream = $client->open_stream(POST => '/track', 0);
  $client->send_data($stream, $_, 0) for split //, event('bytes');
  $client->send_data($stream, '');
  shows $client->answer($stream), 200, $one, 'a frame for each byte, and an empty one at the end';
};

subtest 'a body over the limit is refused, and the connection goes on' => sub {
  my $client = http2();
  my $too_large = '{"error":"Over the limit \"body\" of 1048576","limit":"body","maximum":1048576}';
  shows $client->answer($client->post('/track', ' ' x (3 << 20), 'content-length' => 3 << 20)), 413, $too_large,
    'announced';
  shows $client->answer($client->post('/track', event('after the first'))), 200, $one, 'an event';
  shows $client->answer($client->post('/track', ' ' x (3 << 20))), 413, $too_large, 'not announced';
  shows $client->answer($client->post('/track', event('after the second'))), 200, $one, 'another event';
};

subtest 'a hundred streams of one connection at once' => sub {
  my $client = http2();
  for my $round (1 .. 5) {
    my @streams = map { $client->post('/track', $_ % 10 == 3 ? '{' : event("parallel $round $_")) } 0 .. 99;
    my %count;
    ++$count{ $client->answer($_)->{status} } for @streams;
    is_deeply \%count, { 200 => 90, 400 => 10 }, "round $round";
  }
};

subtest 'streams whose bodies arrive in turns' => sub {
  my $client = http2();
  my @bodies = map { event("turns $_", filler(40_000)) } 0 .. 9;
  my @streams = map { $client->open_stream(POST => '/track', 0) } @bodies;
  while (length $bodies[0]) {
    for my $n (0 .. 9) {
      my $piece = substr $bodies[$n], 0, 1000, '';
      $client->send_data($streams[$n], $piece, !length $bodies[$n]);
    }
  }
  shows $client->answer($_), 200, $one, 'each is taken' for @streams;
};

# mod_http2 has six streams of a connection worked on at a time, so these are several.
subtest 'streams and connections that end while Redis has not answered' => sub {
  my @staying = map { http2() } 0 .. 4;
  my @leaving = map { http2() } 0 .. 4;
  my $asking = http2();
  my $sees = sub ($count, $name) {
    my $in_flight = sub { $asking->answer($asking->open_stream(GET => '/health', 1))->{body} =~ /"in_flight":$count\b/ };
    return ok wait_for($in_flight), "the worker $name";
  };
  $weir->signal(redis => 'STOP');
  my (@ended, @waiting, @cut);
  for my $client (@staying) {
    push @ended, map { [ $client, $client->post('/track', event("reset $client $_")) ] } 0, 1;
    push @waiting, map { [ $client, $client->post('/track', event("waiting $client $_")) ] } 0, 1;
    push @cut, [ $client, $client->open_stream(POST => '/track', 0) ];
    $client->send_data($cut[-1][1], '{"event":', 0);
  }
  for my $client (@leaving) { $client->post('/track', event("left $client $_")) for 0, 1 }
  $sees->(30, 'has seen all of it');
  $_->[0]->reset_stream($_->[1]) for @ended, @cut;
  $_->close for @leaving;
  $sees->(30, 'keeps what it has taken');
  $weir->signal(redis => 'CONT');
  shows $_->[0]->answer($_->[1]), 200, $one, 'those that waited are answered' for @waiting;
};

stored();
is value('SELECT count(*) FROM events WHERE event_id = ANY(?)', \@expected), scalar @expected,
  'every event is in the table, whoever waited for the answer';
is value('SELECT count(*) FROM events'), scalar @expected, 'and nothing else';

done_testing;
