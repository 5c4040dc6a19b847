# From the answer to the row: the load writes down when each event was answered, and PostgreSQL when each
# row's transaction was committed.
package Bench::Group::Row;
use v5.36;

use Bench::Load;
use Bench::Turns;

my $times = q{SELECT count(*), min(d), percentile_disc(0.5) WITHIN GROUP (ORDER BY d),
  percentile_disc(0.99) WITHIN GROUP (ORDER BY d), max(d) FROM (SELECT
    (extract(epoch FROM pg_xact_commit_timestamp(e.xmin)) * 1e6 - a.micros) / 1000 AS d
    FROM bench_answers a JOIN weir.events e USING (event_id)) AS delays};

sub run ($settings, $stage) {
  my $body = $settings->body('single');
  my $weir = $stage->subject('Weir, nginx', parts => [qw(redis postgres web flusher)]);
  $weir->sql('ALTER SYSTEM SET track_commit_timestamp = on');
  $weir->tool('down');
  $weir->tool('up', qw(redis postgres web flusher));
  $weir->sql('CREATE UNLOGGED TABLE bench_answers (event_id uuid PRIMARY KEY, micros numeric)');
  my @rows;
  for my $rate (100, 1000, 10_000) {
    for my $round (1 .. $settings->count(3, 1)) {
      my $row = Bench::Turns::attempt("$rate/s, round $round", sub ($try) { delays($settings, $body, $weir, $rate, $settings->longer($settings->count(4, 0.5), $try)) }) // next;
      push @rows, { case => 'row', subject => 'Weir, nginx', round => $round, wanted => $rate, %$row };
      printf "  row          round %d  %6d/s: p50 %.0f ms, p99 %.0f ms\n", $round, $rate, $rows[-1]->@{qw(p50 p99)};
    }
  }
  return \@rows;
}

sub delays ($settings, $body, $weir, $rate, $seconds) {
  Bench::Turns::begin_clean($weir);
  my $ledger = "$settings->{folder}/ledger";
  my $run = Bench::Load::paced(port => $weir->{port}, path => '/track', body => $body->{file}, rate => $rate,
    seconds => $seconds, connections => $settings->{connections}, ledger => $ledger);
  Bench::Turns::must_be_answered($run);
  Bench::Turns::spent_in_all($weir, $weir->processes);
  $weir->sql('TRUNCATE bench_answers');
  $weir->sql("\\copy bench_answers FROM '$ledger'");
  my ($count, @delays) = split /\|/, $weir->sql($times);
  die "$run->{ok} events were answered with 200, and $count are rows\n" unless $count == $run->{ok};
  return { rate => $run->{ok} / $run->{seconds}, min => $delays[0] + 0, p50 => $delays[1] + 0, p99 => $delays[2] + 0, max => $delays[3] + 0 };
}

1;
