# The flusher on a backlog: its memory over time, the same entries sent once more, which are all duplicates,
# and several streams with a flusher each.
package Bench::Group::Backlog;
use v5.36;
use utf8;

use Bench::Flushers;

sub run ($settings, $stage) {
  my $weir = $stage->subject('Weir, nginx', parts => [qw(redis postgres)]);
  my @rows = once_and_again($settings, $weir);
  $stage->end($weir);
  my $rows = $settings->{rows} > 1_000_000 ? 1_000_000 : $settings->{rows};
  for my $count ($settings->count([ 1, 2, 4, 8 ], [2])->@*) {
    $weir = $stage->subject('Weir, nginx', parts => [qw(redis postgres)], shards => $count);
    Bench::Flushers::backlog($weir, rows => $rows, per_entry => 10);
    push @rows, { case => 'streams', x => $count, %{ stored($weir, 'streams', $rows, $rows) } };
    $stage->end($weir);
  }
  return \@rows;
}

sub once_and_again ($settings, $weir) {
  my ($rows, $file) = ($settings->{rows}, "$settings->{folder}/backlog");
  my $replayed = $rows > 1_000_000 ? 0 : 1;
  Bench::Flushers::backlog($weir, rows => $rows, per_entry => 1, $replayed ? (file => $file) : ());
  my @rows = ({ case => 'backlog', %{ stored($weir, 'backlog', $rows, $rows) } });
  return @rows unless $replayed;
  Bench::Flushers::again($weir, $file);
  unlink $file;
  return @rows, { case => 'duplicates', %{ stored($weir, 'duplicates', $rows, $rows) } };
}

# Stores what is in the streams; so many rows there must be afterwards.
sub stored ($weir, $what, $rows, $expected) {
  my $run = Bench::Flushers::store($weir);
  my $count = $weir->sql('SELECT count(*) FROM weir.events');
  die "$what: there are $count rows instead of $expected\n" unless $count == $expected;
  printf "  %-12s %d rows, %d streams: %.0f rows/s, %.1f µs of CPU a row, at most %.0f MB\n", $what, $rows, scalar($weir->streams),
    $rows / $run->{seconds}, ($run->{flusher} + $run->{postgres} + $run->{redis}) / $rows * 1e6, $run->{peak};
  return { rows => $rows, rate => $rows / $run->{seconds}, subject => 'flusher', %$run };
}

1;
