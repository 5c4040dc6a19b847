# HTTP itself: methods, kept-alive and pipelined connections, clients that leave, and what every
# answer carries.
use v5.36;
use FindBin;
use lib "$FindBin::Bin/lib";
use WeirTest;

# Redis' answers are waited for, and not the spool's, however long requests take to come in.
start(workers => 1, env => { WEIR_REDIS_OPTIONS => 'timeout=30s patience=30s' }, locations => [
  { path => '/track', what => 'track' },
  { path => '/small', what => 'track', limits => { body => 100 } },
  { path => '/crash', what => 'crash' },
  { path => '/v1/track', what => 'cli' },
  { path => '/health', what => 'health' },
]);

sub event ($id) { return json({ event => 'http', user_id => 'u1', event_id => $id }) }

subtest 'wrong methods: 405 and what would be right' => sub {
  for my $path ('/track', '/crash', '/v1/track') {
    for my $method (qw(GET HEAD PUT DELETE PATCH OPTIONS)) {
      my $answer = request($method => $path, $method =~ /PUT|PATCH/ ? '{}' : undef);
      is_deeply [ $answer->{status}, $answer->{headers}{allow} ], [ 405, 'POST' ], "$method $path";
    }
  }
  for my $method (qw(POST PUT DELETE OPTIONS)) {
    my $answer = request($method => '/health', $method =~ /P/ && $method ne 'OPTIONS' ? '{}' : undef);
    is_deeply [ $answer->{status}, $answer->{headers}{allow} ], [ 405, 'GET, HEAD' ], "$method /health";
  }
};

subtest 'every answer is JSON and has its length' => sub {
  my %answers = (
    'all accepted' => post('/track', event(uuid('plain'))),
    'some accepted' => post('/track', '[' . event(uuid('some')) . ',1]'),
    'none valid' => post('/track', '{}'),
    'not JSON' => post('/track', '{'),
    '405' => get('/track'),
    '413' => post('/small', ' ' x 101),
    '415' => post('/track', '{}', 'Content-Type' => 'text/html'),
    health => get('/health'),
    'health, wrong method' => post('/health', '{}'),
    crash => post('/crash', '{}'),
    cli => post('/v1/track', '{}'),
  );
  for my $name (sort keys %answers) {
    my $answer = $answers{$name};
    like $answer->{headers}{'content-type'}, qr{\Aapplication/json\z}, "$name: Content-Type";
    is $answer->{headers}{'content-length'}, length $answer->{body}, "$name: Content-Length";
    ok ref $answer->{json}, "$name: a JSON object";
    ok !exists $answer->{headers}{'transfer-encoding'}, "$name: not chunked";
  }
  my $head = request(HEAD => '/health');
  is_deeply [ $head->{status}, $head->{body}, $head->{headers}{'content-type'} ], [ 200, '', 'application/json' ],
    'HEAD: the same without a body';
  # What it says changes, and so may its length, from one answer to the next.
  ok wait_for(sub {
    my @lengths = map { request($_ => '/health')->{headers}{'content-length'} } qw(GET HEAD GET);
    return $lengths[0] == $lengths[1] && $lengths[1] == $lengths[2];
  }), 'HEAD: the same length';
};

subtest 'an answer is whole, whatever else the client asks for' => sub {
  for my $header ([ Range => 'bytes=0-3' ], [ 'If-Match' => '"x"' ], [ 'If-None-Match' => '*' ],
    [ 'If-Unmodified-Since' => 'Thu, 01 Jan 1970 00:00:00 GMT' ]) {
    accepted post('/track', event(uuid('whole', $header->[0])), @$header), 1, $header->[0];
    my $health = request(GET => '/health', undef, @$header);
    is_deeply [ $health->{status}, $health->{json}{status} ], [ 200, 'ok' ], "$header->[0]: health";
  }
};

subtest 'two lines of Content-Type are one list, which is no media type' => sub {
  my $body = event(uuid('two types'));
  fails_with raw("POST /track HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Type: text/html\r\n"
      . 'Content-Length: ' . length($body) . "\r\n\r\n$body"), 415, qr/Content-Type/, 'refused';
};

subtest 'one connection takes request after request, whatever the answers' => sub {
  my $client = connection();
  my $socket = $client->open_socket;
  my @bodies = ('{', event(uuid('kept alive 1')), '', '{}', event(uuid('kept alive 2')), '[' . ' ' x 5000 . ']',
    event(uuid('kept alive 3')));
  my @wanted = (400, 200, 400, 400, 200, 400, 200);
  my @got = map { $client->request(POST => '/track', $_) } @bodies;
  is_deeply [ map { $_->{status} } @got ], \@wanted, 'each is answered for itself';
  return is $client->{socket}, $socket, 'over one connection' unless differs('closes the connection after 400, 413 and 503');
  is_deeply [ map { lc($_->{headers}{connection} // '') eq 'close' ? 400 : 200 } @got ], \@wanted, 'which ends with a 400';
};

# The answers to as many requests in one write, until the connection ends.
sub pipelined (@bodies) {
  my $client = connection();
  $client->send_bytes(join '', map { $client->format_request(POST => '/track', $_, 'Content-Type' => 'application/json') } @bodies);
  my @statuses;
  for (@bodies) { push @statuses, (eval { $client->read_answer } // last)->{status} }
  return @statuses;
}

subtest 'a hundred pipelined requests in one write are answered in order' => sub {
  my @ids = map { uuid('pipelined', $_) } 0 .. 99;
  is_deeply [ pipelined(map { event($_) } @ids) ], [ (200) x 100 ], 'each is';
  my @more = map { uuid('more', $_) } 0 .. 99;
  my @answered = 0 .. (differs('closes the connection after 400, 413 and 503') ? 7 : 99);
  is_deeply [ pipelined(map { $_ % 10 == 7 ? '{"event":7}' : event($more[$_]) } 0 .. 99) ],
    [ map { $_ % 10 == 7 ? 400 : 200 } @answered ], 'some are wrong';
  stored();
  is value('SELECT count(*) FROM events WHERE event_id = ANY(?)', \@ids), 100, 'and kept';
  is value('SELECT count(*) FROM events WHERE event_id = ANY(?)', \@more), scalar(grep { $_ % 10 != 7 } @answered),
    'what was answered 200, and nothing behind the end';
};

# How often Redis was asked for that command since it started.
sub calls ($command) { return (redis()->info('commandstats')->{"cmdstat_$command"} // '') =~ /calls=(\d+)/ ? $1 : 0 }

subtest 'one Redis command for each request, over one connection of the worker' => sub {
  my $before = calls('xadd');
  my $event = '{"event":"e","user_id":"u"}';
  in_parallel(8, sub ($n) {
    my $client = connection();
    $client->request(POST => '/track', $_) for ("[$event,$event,$event]", $event, "[$event,1]", '{', '{}') x 10;
    return 1;
  });
  is calls('xadd') - $before, 8 * 3 * 10, 'a batch is one, what is refused is none';
  # A connection has its last command, which may be that the worker has just looked how Redis is.
  my @adding;
  wait_for(sub { post('/track', $event); @adding = grep { /\bcmd=xadd\b/ } split /\n/, redis()->client_list });
  is scalar @adding, 1, 'one connection';
};

subtest 'HTTP/1.0 and Connection: close' => sub {
  my $body = event(uuid('close'));
  my $client = connection();
  my $answer = $client->request(POST => '/track', $body, Connection => 'close');
  accepted $answer, 1, 'an answer';
  ok !$client->connected, 'and the end, as asked for';

  my $old = event(uuid('1.0'));
  my $older = connection()->send_bytes("POST /track HTTP/1.0\r\nContent-Length: " . length($old) . "\r\n\r\n$old");
  accepted $older->read_answer, 1, 'HTTP/1.0: an answer';
  ok $older->ended, 'HTTP/1.0: and the end';
};

subtest 'a client that goes away in the middle of its body harms nobody' => sub {
  for my $cut (0, 1, 10, 49) {
    my $client = connection();
    $client->send_bytes("POST /track HTTP/1.1\r\nHost: weir\r\nContent-Length: 50\r\n\r\n" . 'x' x $cut);
    $client->close;
  }
  my $chunked = connection();
  $chunked->send_bytes("POST /track HTTP/1.1\r\nHost: weir\r\nTransfer-Encoding: chunked\r\n\r\n10\r\nabc");
  $chunked->close;
  accepted post('/track', event(uuid('others'))), 1, 'others are served';
};

subtest 'a client that closes its half behind the request gets its answer' => sub {
  my @answers = map {
    my $client = connection();
    $client->send_bytes($client->format_request(POST => '/track', event(uuid('half', $_))));
    shutdown $client->open_socket, 1;
    eval { $client->read_answer->{status} } // "none: $@"
  } 1 .. 50;
  is_deeply \@answers, [ (200) x 50 ], 'each of fifty';
};

subtest 'clients that go away while Redis has not answered harm nobody, and their events are kept' => sub {
  weir()->signal(redis => 'STOP');
  my @ids = map { uuid('gone', $_) } 0 .. 49;
  my @clients = map {
    my $client = connection();
    $client->send_bytes($client->format_request(POST => '/track', event($_)));
    $client
  } @ids;
  my $reader = connection();
  ok wait_for(sub { $reader->request(GET => '/health')->{json}{in_flight} == 50 }), 'the worker has seen them all';
  $_->close for @clients;
  ok $reader->request(GET => '/health')->{status}, 'and seen them leave';
  weir()->signal(redis => 'CONT');
  ok wait_for(sub { value('SELECT count(*) FROM events WHERE event_id = ANY(?)', \@ids) == 50 }),
    'their events are stored';
  ok wait_for(sub { post('/track', event(uuid('after them')))->{status} == 200 }), 'others are served';
};

subtest 'requests that are not HTTP leave the worker alone' => sub {
  my ($worker) = weir()->workers;
  for my $bytes ("\0" x 100, "GET\r\n\r\n", "POST /track HTTP/9.9\r\n\r\n", "\x16\x03\x01\x02\x00\x01",
    "POST /track HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
    "POST /track HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
      "POST /track HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n") {
    my $client = connection(timeout => 3);
    eval { $client->send_bytes($bytes)->read_answer };
    $client->close;
  }
  accepted post('/track', event(uuid('after nonsense'))), 1, 'it serves on';
  is +(weir()->workers)[0], $worker, 'the same one';
};

stored();
is value('SELECT count(*) FROM dead_letters'), 0, 'no dead letters';

done_testing;
