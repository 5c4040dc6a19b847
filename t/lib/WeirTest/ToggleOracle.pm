# Who has which feature on, by `feature_toggled`, computed from the rows of a WeirTest::FigureOracle.
#
#   my $wanted = WeirTest::ToggleOracle::toggles($oracle);    # as weir.features_answer() has it
#   my $wanted = WeirTest::ToggleOracle::of_stats($oracle);   # as weir.stats_answer() has it
package WeirTest::ToggleOracle;
use v5.36;

use List::Util qw(min sum0 uniq);
use WeirTest::FigureOracle qw(count_users property ratio);

# {FEATURE}{USER}: whether the active user's last time switched it on; of two at one moment off is the last.
sub states ($oracle) {
  my %last;
  my %there = map { $_ => 1 } grep { defined } map { $_->{user} } $oracle->within;
  for my $row (grep { $_->{event} eq 'feature_toggled' && $_->{day} <= $oracle->{to} && $there{ $_->{user} // '' } } $oracle->{events}->@*) {
    my ($feature, $enabled) = map { property($row, $_) } qw(feature enabled);
    my $known = $last{$feature}{ $row->{user} };
    $last{$feature}{ $row->{user} } = [ $row->{at}, $enabled ]
      if !$known || $row->{at} > $known->[0] || $row->{at} == $known->[0] && $enabled eq 'false';
  }
  for my $of (values %last) { $of->{$_} = $of->{$_}[1] eq 'true' for keys %$of }
  return \%last;
}

sub toggles ($oracle) {
  my $states = states($oracle);
  my $active = count_users($oracle->within);
  my @of = map {
    my $on = grep { $_ } values $states->{$_}->%*;
    { feature => $_, switched => scalar keys $states->{$_}->%*, on => $on, adoption => ratio($on, $active) }
  } keys %$states;
  return [ sort { $b->{on} <=> $a->{on} || $a->{feature} cmp $b->{feature} } @of ];
}

sub of_stats ($oracle) {
  my $states = states($oracle);
  my $active = count_users($oracle->within);
  my %of     = map { ($_->{feature} => $_) } toggles($oracle)->@*;
  my %events;
  $events{ property($_, 'feature') }++ for grep { $_->{event} eq 'feature_toggled' } $oracle->within;
  my @features = map {
    { value => $_, events => $events{$_} // 0, share => ratio($events{$_} // 0, sum0(values %events)),
      switched => $of{$_}{switched} // 0, on => $of{$_}{on} // 0, adoption => ratio($of{$_}{on} // 0, $active) }
  } uniq(keys %of, keys %events);
  @features = sort { $b->{on} <=> $a->{on} || $b->{events} <=> $a->{events} || $a->{value} cmp $b->{value} } @features;
  my $on = uniq(map { my $of = $_; grep { $of->{$_} } keys %$of } values %$states);
  return { on => $on, adoption => ratio($on, $active), features => [ @features[ 0 .. min(9, $#features) ] ] };
}

1;
