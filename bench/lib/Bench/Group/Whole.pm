# CPU of everything that a stored event takes, until it is in its table and every roll-up of its day is built: the
# web server, Redis, the flusher and PostgreSQL with Weir; the program and PostgreSQL with what commits an INSERT
# for each event and keeps no figures. Once more without roll-ups, which is what the others do.
package Bench::Group::Whole;
use v5.36;

use Bench::Turns;

sub run ($settings, $stage) {
  my @parts = (parts => [qw(redis postgres web flusher)]);
  my $weir = $stage->subject('Weir, nginx', @parts);
  my $less = $stage->subject('Weir, nginx', @parts, as => 'Weir, nginx, no roll-ups', roll_ups => 0);
  my $apache = $stage->subject('Weir, Apache', @parts);
  my @peers = map { $stage->subject($_) } qw(Flask Express);
  my @rows = Bench::Turns::take($settings->fewer(3), 'single', $settings->body('single'), $weir, $less, $apache, @peers);
  # They are warm by now. Small, batches of the others show nothing that their single events do not.
  my $rest = $settings->fewer(2)->warmed;
  push @rows, Bench::Turns::take($rest, 'ten', $settings->body('ten'), $weir, $settings->{small} ? () : ($less, $apache, @peers));
  return [ @rows, Bench::Turns::take($rest, 'crash', $settings->body('crash'), $weir, @peers) ];
}

1;
