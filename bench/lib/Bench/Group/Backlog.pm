# The flusher on a backlog: its memory over time, the same entries sent once more, which are all duplicates,
# and several streams with a flusher each.
package Bench::Group::Backlog;
use v5.36;
use utf8;

use Bench::Flushers;
use Bench::Turns;

# What is told by its ratio needs no more rows than this.
my $enough = 1_000_000;

sub run ($settings, $stage) {
  my ($all, $some) = ($settings->{rows}, $settings->{rows} > $enough ? $enough : $settings->{rows});
  my @rows = on_its_own($stage, 1, sub ($weir) { once_and_again($settings, $weir, $some) });
  @rows = (on_its_own($stage, 1, sub ($weir) { once($weir, $all) }), grep { $_->{case} ne 'backlog' } @rows) if $all > $some;
  for my $count ($settings->count([ 1, 2, 4, 8 ], [2])->@*) {
    push @rows, on_its_own($stage, $count, sub ($weir) {
      Bench::Flushers::backlog($weir, rows => $some, per_entry => 10);
      return { case => 'streams', x => $count, %{ stored($weir, 'streams', $some) } };
    });
  }
  return \@rows;
}

# With a Redis and a PostgreSQL that are new.
sub on_its_own ($stage, $streams, $do) {
  my $weir = $stage->subject('Weir, nginx', parts => [qw(redis postgres)], shards => $streams > 1 ? $streams : 0);
  my $rows = Bench::Turns::attempt("$streams streams", sub ($try) { $weir->clear; $weir->empty_redis; return [ $do->($weir) ] });
  $stage->end($weir);
  return ($rows // [])->@*;
}

sub once ($weir, $rows, %with) {
  Bench::Flushers::backlog($weir, rows => $rows, per_entry => 1, %with);
  return { case => 'backlog', %{ stored($weir, 'backlog', $rows) } };
}

sub once_and_again ($settings, $weir, $rows) {
  my $file = "$settings->{folder}/backlog";
  my $backlog = once($weir, $rows, file => $file);
  Bench::Flushers::again($weir, $file);
  unlink $file;
  return ($backlog, { case => 'duplicates', %{ stored($weir, 'duplicates', $rows) } });
}

# Stores what is in the streams; so many rows there must be afterwards.
sub stored ($weir, $what, $rows) {
  my $run = Bench::Flushers::store($weir);
  my $count = $weir->sql('SELECT count(*) FROM weir.events');
  die "$what: there are $count rows instead of $rows\n" unless $count == $rows;
  printf "  %-12s %d rows, %d streams: %.0f rows/s, %.1f µs of CPU a row, at most %.0f MB\n", $what, $rows, scalar($weir->streams),
    $rows / $run->{seconds}, ($run->{flusher} + $run->{postgres} + $run->{redis}) / $rows * 1e6, $run->{peak};
  return { rows => $rows, rate => $rows / $run->{seconds}, subject => 'flusher', %$run };
}

1;
