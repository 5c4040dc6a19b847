# What the buffer's own settings cost, on both servers: Redis that syncs never, each second, and before it
# answers; and no Redis at all, when all goes into the spool. Each server takes its own turns.
package Bench::Group::Redis;
use v5.36;

use Bench::Turns;

sub run ($settings, $stage) {
  my @rows;
  for my $name ('Weir, nginx', 'Weir, Apache') {
    my @subjects = map { $stage->subject($name, as => "$name, $_", fsync => $_) } qw(no everysec always);
    my $away = $stage->subject($name, as => "$name, away", env => { WEIR_SPOOL_OPTIONS => 'size=16g' });
    $away->take_redis_away;
    push @rows, map { { %$_, server => $name } } Bench::Turns::take($settings->fewer, 'single', $settings->body('single'), @subjects, $away);
    $stage->clear_all;
  }
  return \@rows;
}

1;
