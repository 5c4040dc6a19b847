# Who is about to leave, computed from the rows in another way: from the days of a WeirTest::FigureOracle.
#
#   my $wanted = WeirTest::RiskOracle::churn_risk($oracle);    # as weir.churn_risk_answer() has it
package WeirTest::RiskOracle;
use v5.36;

use List::Util qw(max min sum0);
use WeirTest::FigureOracle qw(between date);

# As numeric rounds: a half goes up.
sub tenths ($number) { return int($number * 10 + 0.5 + 1e-9) / 10 }

# The score of a user from their days with events and with crashes, or nothing.
sub risk_of ($to, $crashed, @days) {
  my ($first, $last) = @days[ 0, -1 ];
  return if @days < 3 || $first > $to - 14;
  my $rhythm = max(7, ($last - $first) / (@days - 1));
  my $lately = grep { $_ > $to - 28 } @days;
  my $before = grep { $_ > $to - 56 && $_ <= $to - 28 } @days;
  my @parts = (60 * min(1, max(0, (($to - $last) / $rhythm - 1) / 3)), $before ? 30 * max(0, 1 - $lately / $before) : 0, 10 * min(3, $crashed) / 3);
  return { risk => tenths(sum0(@parts)), last_seen => date($last), map { ((qw(silence fall crashes))[$_] => tenths($parts[$_])) } 0 .. 2 };
}

# Of the day with which the oracle's window ends.
sub churn_risk ($oracle) {
  my ($to, %days, %crashed) = $oracle->{to};
  $days{ $_->{user} }{ $_->{day} } = 1 for grep { defined $_->{user} } between($oracle->{events}, $to - 89, $to);
  $crashed{ $_->{user} }{ $_->{day} } = 1 for grep { defined $_->{user} } between($oracle->{crashes}, $to - 27, $to);
  my @users = sort { $b->{risk} <=> $a->{risk} || $a->{user} cmp $b->{user} } map {
    my $risk = risk_of($to, scalar keys(($crashed{$_} // {})->%*), sort { $a <=> $b } keys $days{$_}->%*);
    $risk ? { user => $_, %$risk } : ()
  } keys %days;
  my @tens = (0) x 10;
  ++$tens[ min(9, int($_->{risk} / 10)) ] for @users;
  return { scored => scalar @users, distribution => \@tens,
    bands => { low => sum0(@tens[ 0 .. 2 ]), medium => sum0(@tens[ 3 .. 5 ]), high => sum0(@tens[ 6 .. 9 ]) }, users => [ grep { defined } @users[ 0 .. 19 ] ] };
}

1;
