# HTTP/2, spoken by curl: many streams at once, bodies with and without a length, streams that end
# early.
use v5.36;
use FindBin;
use lib "$FindBin::Bin/lib";
use WeirTest;
use File::Temp qw(tempdir);
use WeirTest::Server;

my $weir = start(kind => 'nginx', workers => 1, http2 => 1);
my $url = "http://127.0.0.1:$weir->{port}";
my $dir = tempdir('weir-http2-XXXXXX', TMPDIR => 1, CLEANUP => 1);

sub event ($id, %more) { return json({ event => 'http2', user_id => 'u1', event_id => $id, %more }) }

sub file ($name, $bytes) {
  WeirTest::Server::write_file("$dir/$name", $bytes);
  return "$dir/$name";
}

# Runs curl and gives its exit status and what it printed.
sub curl (@arguments) {
  my @command = ('curl', '-sS', '--http2-prior-knowledge', '-m', '20', @arguments);
  open my $said, '-|', @command or die "curl: $!\n";
  my $text = do { local $/; <$said> };
  close $said;
  return ($? >> 8, $text // '');
}

sub says ($name, $status, $body, @arguments) {
  my ($exit, $said) = curl('-w', ' %{http_code} %{http_version} %{content_type}', '-H', 'Content-Type: application/json', @arguments);
  return is "$exit $said", "0 $body $status 2 application/json", $name;
}

subtest 'one stream after the other' => sub {
  says 'an event', 200, '{"status":"ok","accepted":1}', '-d', event(uuid('one')), "$url/track";
  says 'not JSON', 400, '{"error":"Invalid JSON","details":[{"offset":0,"reason":"unexpected_character"}]}', '-d', 'x', "$url/track";
  says 'a wrong method', 405, '{"error":"Method not allowed"}', '-X', 'GET', "$url/track";
  says 'health', 200, '{"status":"ok","redis":"ready"}', "$url/health";
  says 'no body', 400, '{"error":"Invalid JSON","details":[{"offset":0,"reason":"empty_body"}]}', '-X', 'POST', "$url/track";
};

subtest 'bodies: big, without a length, too long' => sub {
  my $big = event(uuid('big'), properties => { filler => [ ('x' x 1000) x 900 ] });
  says 'nearly a mebibyte', 200, '{"status":"ok","accepted":1}', '--data-binary', '@' . file('big', $big), "$url/track";
  my $streamed = event(uuid('streamed'), properties => { filler => [ ('y' x 1000) x 500 ] });
  open my $pipe, '-|', "cat '" . file('streamed', $streamed) . "' | curl -sS --http2-prior-knowledge -X POST -H 'Content-Type: application/json' -T - $url/track" or die "curl: $!\n";
  is do { local $/; <$pipe> }, '{"status":"ok","accepted":1}', 'half a mebibyte without a length';
  my ($exit, $said) = curl('-w', ' %{http_code}', '-H', 'Content-Type: application/json', '-H', 'Expect:', '--data-binary', '@' . file('long', ' ' x (3 << 20)), "$url/track");
  like $said, qr/"limit":"body","maximum":1048576\} 413\z/, 'three mebibytes are refused';
};

subtest 'many streams of one connection at once' => sub {
  my @lines = map {
    my $path = file("event-$_", event(uuid('parallel', $_)));
    ($_ ? 'next' : (), qq(url = "$url/track"), qq(data-binary = "\@$path"), 'header = "Content-Type: application/json"', 'write-out = "%{http_code}\n"', 'output = "/dev/null"', 'http2-prior-knowledge')
  } 0 .. 199;
  my ($exit, $said) = curl('--parallel', '--parallel-max', '50', '--config', file('parallel', join "\n", @lines));
  is $exit, 0, 'curl is content';
  is scalar(() = $said =~ /^200$/mg), 200, 'two hundred answers';
};

subtest 'streams that end while Redis has not answered' => sub {
  $weir->signal(redis => 'STOP');
  my @ended = in_parallel(4, sub ($n) { (curl('-m', '0.3', '-H', 'Content-Type: application/json', '-d', event(uuid('ended', $n)), "$url/track"))[0] });
  is_deeply \@ended, [ (28) x 4 ], 'the clients went away';
  $weir->signal(redis => 'CONT');
  ok wait_for(sub { value(q(SELECT count(*) FROM events WHERE event_id = ANY(?)), [ map { uuid('ended', $_) } 0 .. 3 ]) == 4 }), 'their events are stored';
  ok wait_for(sub { (curl('-d', event(uuid('after')), '-H', 'Content-Type: application/json', "$url/track"))[1] =~ /"accepted":1/ }), 'others are served';
};

stored();
is value('SELECT count(*) FROM events'), 1 + 2 + 200 + 4 + 1, 'every accepted event is in the table';

done_testing;
