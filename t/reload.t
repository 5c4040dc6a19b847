# Reloads of the web server in mid-load: no request fails, old workers leave.
use v5.36;
use FindBin;
use lib "$FindBin::Bin/lib";
use WeirTest;

my $weir = start(workers => 2);
my $stop = "$weir->{run}/stop-the-load";

# Half of the clients keep their connection, half open one for each request. None sends again what
# failed: a worker that leaves answers what comes over a kept connection before it closes it.
sub send_until_stopped ($client) {
  my ($connection, $kept, @failed, @done) = (connection(), $client % 2);
  for (my $n = 0 ; !-e $stop ; ++$n) {
    my $id = uuid('reload', $client, $n);
    my $body = json({ event => 'reload', user_id => "u$client", event_id => $id, timestamp => '2026-11-01T00:00:00Z' });
    my $answer = eval { $connection->request(POST => '/track', $body, $kept ? () : (Connection => 'close')) };
    if ($answer && $answer->{status} == 200) {
      push @done, $id;
      next;
    }
    push @failed, $answer ? "$answer->{status} $answer->{body}" : $@;
    $connection->close;
  }
  return { failed => \@failed, done => \@done };
}

sub alive (@pids) { return grep { WeirTest::Server::runs($_) } @pids }

sub replaced ($old, $new, $name) {
  local $Test::Builder::Level = $Test::Builder::Level + 1;
  ok wait_for(sub { 2 <= (() = $new->()) }, 20), "$name: new workers came";
  ok wait_for(sub { !alive(@$old) }, 20), "$name: the old ones left";
  return;
}

sub requests_go_on ($name) {
  local $Test::Builder::Level = $Test::Builder::Level + 1;
  my $rows = value('SELECT count(*) FROM events');
  return ok wait_for(sub { value('SELECT count(*) FROM events') > $rows + 200 }, 20), "$name: requests go on";
}

my $finish = start_clients(8, \&send_until_stopped);
requests_go_on('at first');

for my $round (1 .. 5) {
  my %old = map { $_ => 1 } $weir->reload;
  replaced([ keys %old ], sub { grep { !$old{$_} } $weir->workers }, "reload $round");
  requests_go_on("reload $round");
}

WeirTest::Server::write_file($stop, '');
my @results = $finish->();
my @failed = map { $_->{failed}->@* } @results;
my @done = map { $_->{done}->@* } @results;
is scalar @failed, 0, 'no request of ' . @done . ' failed' or diag join "\n", @failed[ 0 .. 9 ];

stored();
my %kept = map { $_->[0] => 1 } db()->selectall_arrayref('SELECT event_id FROM events')->@*;
is scalar(grep { !$kept{$_} } @done), 0, 'every event that was answered 200 is in the table';

done_testing;
