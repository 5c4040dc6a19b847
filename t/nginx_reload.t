# Reloads and an upgrade of the binary of nginx in mid-load: no request fails, old workers leave.
use v5.36;
use FindBin;
use lib "$FindBin::Bin/lib";
use WeirTest;

my $weir = start(kind => 'nginx', workers => 2);
my $stop = "$weir->{run}/stop-the-load";

# Half of the clients keep their connection, half open one for each request. A server may close an
# idle connection at any time: only then, and before any byte of an answer, a client sends again.
sub send_until_stopped ($client) {
  my ($connection, $kept, $again, @failed, @done) = (connection(), $client % 2, 0);
  for (my $n = 0 ; !-e $stop ; ++$n) {
    my $body = json({ event => 'reload', user_id => "u$client", event_id => uuid('reload', $client, $n),
      timestamp => '2026-11-01T00:00:00Z' });
    my $reused = $kept && $connection->connected;
    my $answer = eval { $connection->request(POST => '/track', $body, $kept ? () : (Connection => 'close')) };
    if (!$answer && $reused && $@ =~ /without an answer|stopped reading|reset/i && !length $connection->{unread}) {
      $connection->close;
      ++$again;
      redo;
    }
    push @failed, $@ || "$answer->{status} $answer->{body}" if !$answer || $answer->{status} != 200;
    push @done, uuid('reload', $client, $n) if $answer && $answer->{status} == 200;
    $connection->close if !$answer;
  }
  return { failed => \@failed, done => \@done, again => $again };
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
  my %old = map { $_ => 1 } $weir->workers;
  $weir->signal(web => 'HUP');
  replaced([ keys %old ], sub { grep { !$old{$_} } $weir->workers }, "reload $round");
  requests_go_on("reload $round");
}

# https://nginx.org/en/docs/control.html#upgrade, without WINCH, which a master that is no daemon does
# not take: QUIT ends its workers as gently.
my $master = $weir->pid('web');
my @old = $weir->workers;
my %known = map { $_ => 1 } @old;
$weir->signal(web => 'USR2');
my $new_master;
ok wait_for(sub {
  ($new_master) = grep { !$known{$_}
    && 2 == (() = WeirTest::Server::workers_of($_)) } WeirTest::Server::workers_of($master);
  $new_master;
}, 20), 'upgrade: a new master with workers of its own';
requests_go_on('with two masters');
$weir->signal(web => 'QUIT');
replaced([ $master, @old ], sub { WeirTest::Server::workers_of($new_master) }, 'upgrade');
requests_go_on('after the upgrade');

WeirTest::Server::write_file($stop, '');
my @results = $finish->();
my @failed = map { $_->{failed}->@* } @results;
my @done = map { $_->{done}->@* } @results;
my $again = 0;
$again += $_->{again} for @results;
is scalar @failed, 0, 'no request of ' . @done . ' failed' or diag join "\n", @failed[ 0 .. 9 ];
note "$again were sent again because an idle connection was closed";

stored();
my %kept = map { $_->[0] => 1 } db()->selectall_arrayref('SELECT event_id FROM events')->@*;
is scalar(grep { !$kept{$_} } @done), 0, 'every event that was answered 200 is in the table';

done_testing;
