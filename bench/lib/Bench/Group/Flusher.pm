# The flusher beside psql's COPY of the same rows (Bench::CopyRace; bench/flusher is the same with other sizes).
package Bench::Group::Flusher;
use v5.36;

use Bench::CopyRace;

sub run ($settings, $stage) {
  my $rows = $settings->{rows} > 1_000_000 ? 1_000_000 : $settings->{rows};
  return Bench::CopyRace::run(rows => $rows, rounds => $settings->fewer->{rounds}, entries => $settings->count([ 1, 10 ], [1]), small => $settings->{small},
    note => sub ($facts) { $stage->note($facts) });
}

1;
