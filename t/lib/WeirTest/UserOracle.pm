# Who comes, who stays and who does most, computed from the rows of a WeirTest::FigureOracle.
#
#   my $wanted = WeirTest::UserOracle::users($oracle);    # as weir.users_answer() has it; likewise segments()
#   my $wanted = WeirTest::UserOracle::heavy_users($oracle, 'audio_duration_seconds');
package WeirTest::UserOracle;
use v5.36;

use List::Util qw(max min sum0);
use POSIX qw(ceil);
use WeirTest::FigureOracle qw(between count_users date grown next_start of_whole ratio start_of);

sub users ($oracle) {
  my ($from, $to) = $oracle->@{qw(from to)};
  my %first = $oracle->first_days;
  my $active = sub ($since, $until) { return count_users(between($oracle->{events}, $since, $until)) };
  my $fresh = sub ($since, $until) { return scalar grep { $_ >= $since && $_ <= $until } values %first };
  my %trend;
  for my $unit (qw(day week month)) {
    my @lines = $oracle->lines($unit);
    for my $line (@lines) {
      my @span = $line->@{qw(since until)};
      $line->{active} = $active->(@span);
      $line->{new} = $fresh->(@span);
      $line->{events} = my @all = between($oracle->{events}, @span);
      $line->{events_per_user} = ratio($line->@{qw(events active)});
    }
    $trend{"${unit}s"} = grown(active => @lines);
  }
  my ($total, $events) = ($fresh->(0, $to), scalar(my @all = $oracle->within));
  my $daily = sum0(map { $active->($_, $_) } $to - 29 .. $to);
  my $days_of = days_of($oracle);
  return {
    %trend, total => $total, active => $active->($from, $to), new => $fresh->($from, $to), map({ ("active_$_" => $active->($to - $_ + 1, $to)) } 1, 7, 30),
    churned => $total - $active->($to - 29, $to), churn_rate => ratio($total - $active->($to - 29, $to), $total),
    stickiness => ratio($daily / 30, $active->($to - 29, $to)),
    growth => { this_week => $active->($to - 6, $to), week_before => $active->($to - 13, $to - 7),
      rate => ratio($active->($to - 6, $to) - $active->($to - 13, $to - 7), $active->($to - 13, $to - 7)) },
    engagement => { events => $events, events_per_user => ratio($events, $active->($from, $to)),
      per_user_and_week => of_whole(events => 'active', $trend{weeks}->@*) },
    retention => { map { my $later = $_; ("day_$later" => retained($later, $days_of, $from, $to, %first)) } 1, 7, 30 },
    cohorts => { map { ("${_}s" => cohorts($oracle, $_, $days_of, %first)) } qw(day week month) },
  };
}

# By a measure of recordings: the numbers in a property, or how many there are.
sub heavy_users ($oracle, $property) {
  my (%total, %events);
  for my $row (grep { defined $_->{user} && $_->{event} eq 'recording_completed' } $oracle->within) {
    my $number = defined $property ? $row->{properties}{$property} : 1;
    $total{ $row->{user} } = sprintf '%.6f', $number + ($total{ $row->{user} } // 0);
    $events{ $row->{user} }++;
  }
  return listed_users(\%total, \%events, !defined $property);
}

sub heavy_users_by_events ($oracle) {
  my %events;
  ++$events{ $_->{user} } for grep { defined $_->{user} } $oracle->within;
  return listed_users(\%events, \%events, 1);
}

sub listed_users ($totals, $numbers, $exact) {
  my $all = sum0(values %$totals);
  my @users = sort { $totals->{$b} <=> $totals->{$a} || $a cmp $b } keys %$totals;
  return { active => scalar @users, events => sum0(values %$numbers), total => $all, concentration => concentration($exact, map { $totals->{$_} } @users),
    users => [ map { +{ user => $_, events => $numbers->{$_}, total => $totals->{$_}, share => ratio($totals->{$_}, $all) } } grep { defined } @users[ 0 .. 19 ] ] };
}

# Of totals, the greatest first. Shares come from a histogram, but where every event counts alike.
sub concentration ($exact, @totals) {
  my $share = sub ($users) { return ratio(sum0(@totals[ 0 .. $users - 1 ]), sum0(@totals)) };
  return [ map {
    my $users = ceil(@totals * $_ / 100);
    { top => $_, users => $users, share => $exact || !$users ? $share->($users) : { about => $share->($users) } }
  } 1, 5, 10, 20, 50 ];
}

# In which segment a user was in the week that begins on a Monday; nothing for who was not known yet.
sub segment ($first, $days, $monday) {
  my $on = sub ($from, $to) { return scalar grep { $days->{$_} } $from .. $to };
  return if $first > $monday + 6;
  return 'new' if $first >= $monday;
  my ($here, $before) = ($on->($monday, $monday + 6), $on->($monday - 28, $monday - 1));
  return $before ? $here >= 4 ? 'power' : $here >= 2 ? 'active' : 'casual' : 'resurrected' if $here;
  return $on->($monday - 7, $monday - 1) ? 'at_risk' : $before ? 'dormant' : 'churned';
}

sub segments ($oracle) {
  my %first = $oracle->first_days;
  my $days_of = days_of($oracle);
  my (@weeks, %former);
  for my $monday (grep { $_ >= $oracle->{from} && $_ + 6 <= $oracle->{to} && start_of('week', $_) == $_ } $oracle->{from} .. $oracle->{to}) {
    my (%in, %size, %moves);
    for my $user (keys %first) { $in{$user} = segment($first{$user}, $days_of->{$user}, $monday) // next; ++$size{ $in{$user} } }
    ++$moves{"$former{$_} $in{$_}"} for grep { defined $former{$_} } keys %in;
    my @moves = map { my ($from, $to) = split / /; +{ from => $from, to => $to, users => $moves{$_} } }
      sort { $moves{$b} <=> $moves{$a} || $a cmp $b } keys %moves;
    push @weeks, { start => date($monday), users => scalar keys %in, segments => \%size, moves => \@moves };
    %former = %in;
  }
  return { weeks => \@weeks };
}

sub days_of ($oracle) {
  my %days;
  $days{ $_->{user} }{ $_->{day} } = 1 for grep { defined $_->{user} } $oracle->{events}->@*;
  return \%days;
}

sub retained ($later, $days_of, $from, $to, %first) {
  my @fresh = grep { $first{$_} >= $from && $first{$_} + $later <= $to } keys %first;
  my @back = grep { $days_of->{$_}{ $first{$_} + $later } } @fresh;
  return { new => scalar @fresh, returned => scalar @back, share => ratio(scalar @back, scalar @fresh) };
}

sub cohorts ($oracle, $unit, $days_of, %first) {
  my ($from, $to) = $oracle->@{qw(from to)};
  my @table;
  for my $line ($oracle->lines($unit)) {
    my @fresh = grep { $first{$_} >= $line->{since} && $first{$_} <= $line->{until} } keys %first or next;
    my @active;
    for (my $start = start_of($unit, $line->{since}); $start <= $to; $start = next_start($unit, $start)) {
      my ($since, $until) = (max($start, $from), min(next_start($unit, $start) - 1, $to));
      push @active, scalar grep { my $days = $days_of->{$_}; grep { $days->{$_} } $since .. $until } @fresh;
    }
    push @table, { start => $line->{start}, new => scalar @fresh, active => \@active };
  }
  return \@table;
}

1;
