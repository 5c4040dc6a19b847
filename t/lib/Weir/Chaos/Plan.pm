# Which fault comes when: all of it decided beforehand from one seed, so that the seed repeats it.
#
#   my @plan = Weir::Chaos::Plan::make(seed => 7, steps => 12, pace => 1.5, server => 'nginx');
#   # ({pause => 0.8, fault => 'kill', who => ['redis'], hold => 0.4, pick => 3}, …)
#
# A plan begins with one of each fault in an order that the seed chooses, so that a short run is not
# a matter of luck; what follows is drawn by weight.
#
#   kill      kill -9 of who
#   stop      SIGSTOP, and after `hold` seconds SIGCONT
#   stop_kill SIGSTOP, and after `hold` seconds kill -9
#   cut       Redis' or PostgreSQL's connections are ended from the server's side; or those to Redis in
#             the middle of a reply, in the middle of a command, or before a whole answer came (see
#             t/chaos/cutter.cpp, which all of it goes through)
#   full      the spool's disk is filled while Redis is dead
#   reload    the web server begins anew with its configuration, and old workers finish what they have
#   upgrade   USR2, WINCH and QUIT for nginx
#   restart   SIGHUP for Apache, whose children then finish nothing
package Weir::Chaos::Plan;
use v5.36;

use List::Util qw(shuffle sum);

# [weight, fault, who]; what only one web server knows stands in %only
my @faults = (
  [ 6, kill      => 'worker' ],
  [ 2, kill      => 'master' ],
  [ 2, kill      => 'master', 'worker' ],
  [ 2, kill      => 'web' ],
  [ 8, kill      => 'redis' ],
  [ 8, kill      => 'flusher' ],
  [ 5, kill      => 'postgres' ],
  [ 5, kill      => 'backend' ],
  [ 3, kill      => 'redis', 'flusher' ],
  [ 2, kill      => 'redis', 'worker' ],
  [ 2, kill      => 'postgres', 'flusher' ],
  [ 1, kill      => 'web', 'redis', 'postgres', 'flusher' ],
  [ 2, stop      => 'worker' ],
  [ 4, stop      => 'redis' ],
  [ 2, stop      => 'flusher' ],
  [ 2, stop      => 'postgres' ],
  [ 2, stop      => 'backend' ],
  [ 2, stop_kill => 'worker' ],
  [ 3, stop_kill => 'redis' ],
  [ 3, stop_kill => 'flusher' ],
  [ 2, stop_kill => 'backend' ],
  [ 4, cut       => 'redis' ],
  [ 3, cut       => 'reply' ],
  [ 3, cut       => 'command' ],
  [ 3, cut       => 'answer' ],
  [ 2, stop      => 'cutter' ],
  [ 4, cut       => 'postgres' ],
  [ 3, full      => 'redis' ],
  [ 3, reload    => 'master' ],
  [ 2, upgrade   => 'master' ],
  [ 2, restart   => 'master' ],
);
my %only = (upgrade => 'nginx', restart => 'apache');

sub make (%options) {
  srand $options{seed};
  my @known = grep { ($only{ $_->[1] } // $options{server}) eq $options{server} } @faults;
  my @first = shuffle(@known);
  return map { step($options{pace} // 1, $first[$_] // drawn(@known)) } 0 .. $options{steps} - 1;
}

sub drawn (@known) {
  my $left = rand sum(map { $_->[0] } @known);
  for my $fault (@known) {
    $left -= $fault->[0];
    return $fault if $left < 0;
  }
  return $known[0];
}

# The pause lets the system get going again; the hold is how long it stays broken.
sub step ($pace, $fault) {
  my (undef, $name, @who) = @$fault;
  return {
    fault => $name, who => \@who, pick => int rand 1000,
    pause => $pace * (0.2 + rand 0.8), hold => $pace * (rand(10) < 2 ? 1 + rand 2 : rand 0.8),
  };
}

sub describe ($step) {
  return sprintf '%s %s for %.1f s', $step->{fault}, join('+', $step->{who}->@*), $step->{hold};
}

1;
