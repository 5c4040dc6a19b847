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
use WeirTest::Poster;

use parent 'Exporter';
our @EXPORT = qw(begin_load replaced requests_go_on no_request_failed);

my $finish;

# A worker that leaves answers what comes over a kept connection before it closes it: no request may be cut.
sub begin_load ($weir) {
  $finish = start_posters(8, "$weir->{run}/stop-the-load", 'reload');
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
  my $all = $finish->();
  my @done = $all->{done}->@*;
  is_deeply [ $all->{failed}->@*, $all->{cut}->@* ], [], 'no request of ' . @done . ' failed';

  stored();
  my %kept = map { $_->[0] => 1 } db()->selectall_arrayref('SELECT event_id FROM events')->@*;
  is scalar(grep { !$kept{$_} } @done), 0, 'every event that was answered 200 is in the table';
  return;
}

1;
