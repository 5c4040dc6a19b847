# nginx with Weir against the limit, the same nginx with a handler that reads a body and answers, and
# against Lua, which is what people write there.
package Bench::Group::Edge;
use v5.36;

use Bench::Turns;

sub run ($settings, $stage) {
  my ($bare, $weir, $lua) = map { $stage->subject($_) } 'bare nginx', 'Weir, nginx', 'nginx + Lua';
  my @rows = map { Bench::Turns::take($settings, $_, $settings->body($_), $bare, $weir, $lua) } qw(single ten);
  return [ @rows, Bench::Turns::take($settings->fewer, 'crash', $settings->body('crash'), $bare, $weir, $lua) ];
}

1;
