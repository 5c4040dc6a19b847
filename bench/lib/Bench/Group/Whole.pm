# CPU of everything that a stored event takes, until it is in its table: the web server, Redis, the flusher
# and PostgreSQL with Weir; the program and PostgreSQL with what commits an INSERT for each event.
package Bench::Group::Whole;
use v5.36;

use Bench::Turns;

sub run ($settings, $stage) {
  my @parts = (parts => [qw(redis postgres web flusher)]);
  my @subjects = ($stage->subject('Weir, nginx', @parts), $stage->subject('Weir, Apache', @parts), map { $stage->subject($_) } qw(Flask Express));
  return [ map { Bench::Turns::take($settings, $_, $settings->body($_), @subjects) } qw(single ten) ];
}

1;
