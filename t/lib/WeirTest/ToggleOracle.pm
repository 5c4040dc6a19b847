# Who has which feature on, by `feature_toggled`, computed from the rows of a WeirTest::FigureOracle, which loads this.
#
#   my $wanted = WeirTest::ToggleOracle::toggles($oracle);    # as weir.features_answer() has it
package WeirTest::ToggleOracle;
use v5.36;

# By feature, who of the active users switched it and has it on: of two at one moment off is the last.
sub toggles ($oracle) {
  my (%last, %of);
  my $active = WeirTest::FigureOracle::count_users($oracle->within);
  my %there = map { $_ => 1 } grep { defined } map { $_->{user} } $oracle->within;
  for my $row (grep { $_->{event} eq 'feature_toggled' && $_->{day} <= $oracle->{to} && $there{ $_->{user} // '' } } $oracle->{events}->@*) {
    my ($feature, $enabled) = map { WeirTest::FigureOracle::property($row, $_) } qw(feature enabled);
    my $known = $last{$feature}{ $row->{user} };
    $last{$feature}{ $row->{user} } = [ $row->{at}, $enabled ]
      if !$known || $row->{at} > $known->[0] || $row->{at} == $known->[0] && $enabled eq 'false';
  }
  for my $feature (keys %last) {
    my $on = grep { $_->[1] eq 'true' } values $last{$feature}->%*;
    $of{$feature} = { feature => $feature, switched => scalar keys $last{$feature}->%*, on => $on,
      adoption => WeirTest::FigureOracle::ratio($on, $active) };
  }
  return [ sort { $b->{on} <=> $a->{on} || $a->{feature} cmp $b->{feature} } values %of ];
}

1;
