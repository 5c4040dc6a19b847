# Apache with Weir against the same Apache with a handler that reads a body and answers.
package Bench::Group::Apache;
use v5.36;

use Bench::Turns;

sub run ($settings, $stage) {
  my @subjects = map { $stage->subject($_) } 'bare Apache', 'Weir, Apache';
  my @rows = map { Bench::Turns::take($settings, $_, $settings->body($_), @subjects) } qw(single ten);
  return [ @rows, Bench::Turns::take($settings->fewer, 'crash', $settings->body('crash'), @subjects) ];
}

1;
