# Load that goes on while the processes of a web server are replaced: none of its requests may fail.
#
#   my $weir = start(workers => 2);
#   begin_load($weir);
#   replaced([ $weir->reload ], sub { new_workers() }, 'reload');
#   requests_go_on('after the reload');
#   no_request_failed();                       # ends it, and looks into the table
package WeirTest::Replacement;
use v5.36;

use WeirTest;

use parent 'Exporter';
our @EXPORT = qw(begin_load replaced requests_go_on no_request_failed);

my ($stop, $finish);

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

sub begin_load ($weir) {
  $stop = "$weir->{run}/stop-the-load";
  $finish = start_clients(8, \&send_until_stopped);
  return requests_go_on('at first');
}

sub requests_go_on ($name) {
  local $Test::Builder::Level = $Test::Builder::Level + 1;
  my $rows = value('SELECT count(*) FROM events');
  return ok wait_for(sub { value('SELECT count(*) FROM events') > $rows + 200 }), "$name: requests go on";
}

# The processes `old` are gone, and `new` finds two others.
sub replaced ($old, $new, $name) {
  local $Test::Builder::Level = $Test::Builder::Level + 1;
  ok wait_for(sub { 2 <= (() = $new->()) }), "$name: new workers came";
  ok wait_for(sub { !grep { WeirTest::Server::runs($_) } @$old }), "$name: the old ones left";
  return;
}

sub no_request_failed () {
  local $Test::Builder::Level = $Test::Builder::Level + 1;
  WeirTest::Server::write_file($stop, '');
  my @results = $finish->();
  my @failed = map { $_->{failed}->@* } @results;
  my @done = map { $_->{done}->@* } @results;
  is scalar @failed, 0, 'no request of ' . @done . ' failed' or diag join "\n", grep { defined } @failed[ 0 .. 9 ];

  stored();
  my %kept = map { $_->[0] => 1 } db()->selectall_arrayref('SELECT event_id FROM events')->@*;
  is scalar(grep { !$kept{$_} } @done), 0, 'every event that was answered 200 is in the table';
  return;
}

1;
