# Apache's processes come and go under load, with each of its MPMs: graceful restarts each second, children
# that have served as many connections as they may, children that are killed. No request fails that the
# server did not die of, and every event that was answered 200 is stored once.
use v5.36;
use FindBin;
use lib "$FindBin::Bin/lib";
use WeirTest;

my %mpm = (
  event   => { workers => 2 },
  worker  => { workers => 2 },
  prefork => { workers => 24 },
);

# Half of the clients keep their connection, half open one for each request. A connection that ends
# without a byte of an answer is a `cut`, and the request is sent again.
sub send_until ($stop, $client) {
  my ($connection, $kept, @failed, @done, $cut) = (connection(timeout => 60), $client % 2);
  for (my $n = 0 ; !-e $stop ; ++$n) {
    my $id = uuid($stop, $client, $n);
    my $body = json({ event => 'restart', user_id => "u$client", event_id => $id, timestamp => '2026-11-01T00:00:00Z' });
    my $answer = eval { $connection->request(POST => '/track', $body, $kept ? () : (Connection => 'close')) };
    if ($answer && $answer->{status} == 200) { push @done, $id; next }
    if ($answer) { push @failed, "$answer->{status} $answer->{body}" }
    else         { ++$cut; --$n }
    $connection->close;
  }
  return { failed => \@failed, done => \@done, cut => $cut // 0 };
}

# Runs `code` under load and looks at what became of the requests; how many were cut.
sub under_load ($name, $code) {
  my $stop = weir->{run} . "/stop-$name" =~ s/ /-/gr;
  my $finish = start_clients(8, sub ($client) { send_until($stop, $client) });
  my $first = value('SELECT count(*) FROM events');
  ok wait_for(sub { value('SELECT count(*) FROM events') > $first + 100 }), "$name: requests are answered";
  $code->();
  my $rows = value('SELECT count(*) FROM events');
  ok wait_for(sub { value('SELECT count(*) FROM events') > $rows + 100 }), "$name: requests go on";
  WeirTest::Server::write_file($stop, '');
  my @results = $finish->();
  my @failed = map { $_->{failed}->@* } @results;
  is scalar @failed, 0, "$name: no answer but 200" or diag join "\n", @failed[ 0 .. 4 ];
  my @done = map { $_->{done}->@* } @results;
  stored(60);
  is value('SELECT count(*) FROM events WHERE event_id = ANY(?)', \@done), scalar @done, "$name: all " . @done . ' are stored';
  my $cut = 0;
  $cut += $_->{cut} for @results;
  return $cut;
}

sub replaced ($name, @old) {
  local $Test::Builder::Level = $Test::Builder::Level + 1;
  return ok wait_for(sub { my %now = map { $_ => 1 } weir->workers; %now && !grep { $now{$_} } @old }), "$name: the old children left";
}

for my $mpm (sort keys %mpm) {
  subtest "mpm_$mpm" => sub {
    my $weir = start(kind => 'apache', workers => $mpm{$mpm}{workers}, env => { WEIR_MPM => $mpm });
    ok wait_for(sub { $weir->web_log =~ /\[mpm_$mpm:notice\]/ }), 'it is the one';
    my $cut = under_load('graceful restarts', sub {
      for my $round (1 .. 5) {
        my @old = $weir->reload;
        replaced("restart $round", @old);
      }
    });
    is $cut, 0, 'graceful restarts: no request fails';
    my @old = $weir->workers;
    under_load('killed children', sub {
      kill KILL => $_ for @old;
      replaced('killed', @old);
    });
    is scalar(() = $weir->web_log =~ /exit signal/g), 0, 'no child died of itself';
    $weir->stop;
    is_deeply [ $weir->dirty_lines ], [], 'the logs are clean';
    WeirTest::disconnect();
    $weir->remove;
  };
}

subtest 'children that leave after some connections' => sub {
  my $weir = start(kind => 'apache', workers => 2, top => "MaxConnectionsPerChild 40\n");
  my %seen;
  my $cut = under_load('short lives', sub {
    wait_for(sub { ++$seen{$_} for $weir->workers; keys %seen >= 8 }, 60);
  });
  cmp_ok scalar keys %seen, '>=', 8, 'they came and went';
  is $cut, 0, 'and no request failed';
};

done_testing;
