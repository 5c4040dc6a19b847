# CPU of everything that a stored event takes, until it is in its table: the web server, Redis, the flusher
# and PostgreSQL with Weir; the program and PostgreSQL with what commits an INSERT for each event.
package Bench::Group::Whole;
use v5.36;

use Bench::Turns;

sub run ($settings, $stage) {
  my @parts = (parts => [qw(redis postgres web flusher)]);
  my @subjects = ($stage->subject('Weir, nginx', @parts), $stage->subject('Weir, Apache', @parts), map { $stage->subject($_) } qw(Flask Express));
  my @rows = Bench::Turns::take($settings, 'single', $settings->body('single'), @subjects);
  return [ @rows, Bench::Turns::take($settings->fewer, 'ten', $settings->body('ten'), @subjects) ];
}

1;
