# What crashed, for whom, and since which version, computed from the rows of a WeirTest::FigureOracle.
#
#   my $wanted = WeirTest::CrashOracle::crashes($oracle);    # as weir.crashes_answer() has it; likewise crash_releases()
package WeirTest::CrashOracle;
use v5.36;

use List::Util qw(min sum0 uniq);
use POSIX qw(strftime);
use WeirTest::FigureOracle qw(between by_value count_users percentile ratio users_of);
use WeirTest::RollUpOracle;

sub freedom ($active, $crashed) { return { active => $active, crash_free => $active - $crashed, crash_free_share => ratio($active - $crashed, $active) } }

sub crash_figures ($oracle, $since, $until) {
  my %active = map { $_ => 1 } users_of(between($oracle->{events}, $since, $until));
  my @fell = between($oracle->{crashes}, $since, $until);
  my @hit = users_of(@fell);
  my @begun = map { $oracle->{sessions}{$_} // [ 0, 0 ] } $since .. $until;
  my ($sessions, $crashed) = map { my $n = $_; sum0(map { $_->[$n] } @begun) } 0, 1;
  return (
    crashes => scalar @fell, crashed_users => scalar @hit, crashes_per_user => ratio(scalar @fell, scalar keys %active),
    crash_free_users => freedom(scalar keys %active, scalar grep { $active{$_} } @hit),
    crash_free_sessions => { sessions => $sessions, crash_free => $sessions - $crashed, crash_free_share => ratio($sessions - $crashed, $sessions) },
  );
}

sub moment ($at) { return strftime('%Y-%m-%dT%H:%M:%S', gmtime int $at) . sprintf '.%06dZ', int(($at - int $at) * 1e6 + 0.5) }

# What is told of a group, from the crashes within the window and before it.
sub about_group ($oracle, $group) {
  my @own = grep { $_->{fingerprint} eq $group } $oracle->{crashes}->@*;
  my @within = sort { $a->{at} <=> $b->{at} } between(\@own, $oracle->@{qw(from to)});
  my ($first) = sort { $a <=> $b } map { $_->{at} } grep { $_->{day} <= $oracle->{to} } @own;
  return (
    first_seen => moment($first), last_seen => @within ? moment($within[-1]{at}) : undef, type => @within ? $within[-1]{type} : undef,
    message => @within ? $within[-1]{message} : undef, versions => [ sort(uniq(grep { defined } map { $_->{version} } @within)) ],
  );
}

sub crashes ($oracle) {
  my @fell = $oracle->fell;
  my %list;
  for my $what ([ versions => version => 'version' ], [ systems => os => 'os' ], [ types => type => 'type' ], [ groups => group => 'fingerprint' ]) {
    my ($list, $name, $column) = @$what;
    for my $pair (by_value(sub ($row) { return $row->{$column} }, @fell)) {
      my ($value, $rows) = @$pair;
      my %used = map { $_ => 1 } users_of(grep { ($_->{version} // '') eq $value } $oracle->within);
      push $list{$list}->@*, {
        $name => $value, crashes => scalar @$rows, share => ratio(scalar @$rows, scalar @fell), users => count_users(@$rows),
        $name eq 'version' ? freedom(scalar keys %used, scalar grep { $used{$_} } users_of(@$rows))->%* : (),
        $name eq 'group' ? about_group($oracle, $value) : (),
      };
    }
  }
  return {
    crash_figures($oracle, $oracle->@{qw(from to)}), map({ ($_ => $list{$_} // []) } qw(versions systems types groups)), first_crash => first_crash($oracle),
    map { my $unit = $_; ("${unit}s" => [ map { { start => $_->{start}, crash_figures($oracle, $_->@{qw(since until)}) } } $oracle->lines($unit) ]) } qw(day week month),
  };
}

sub firsts (@rows) {
  my %first;
  for my $row (grep { defined $_->{user} } @rows) {
    $first{ $row->{user} } = $row if !$first{ $row->{user} } || $row->{at} < $first{ $row->{user} }{at};
  }
  return %first;
}

sub first_crash ($oracle) {
  my (%crash, %event) = ();
  %crash = firsts($oracle->{crashes}->@*);
  %event = firsts($oracle->{events}->@*);
  my @first = grep { $crash{$_}{day} >= $oracle->{from} && $crash{$_}{day} <= $oracle->{to} } keys %crash;
  my @waited = sort { $a <=> $b } map { $crash{$_}{at} - $event{$_}{at} } grep { $event{$_} && $event{$_}{at} <= $crash{$_}{at} } @first;
  return { users => scalar @waited, without => @first - @waited, median => scalar percentile(50, @waited),
    map { ("p$_" => scalar percentile($_, @waited)) } 25, 75, 90 };
}

# Versions in the order in which they were first seen, to the hour: [version, hour].
sub releases ($oracle) {
  my %seen;
  for my $row (grep { defined $_->{version} } $oracle->{events}->@*, $oracle->{crashes}->@*) {
    my $hour = int($row->{at} / 3600) * 3600;
    $seen{ $row->{version} } = min($hour, $seen{ $row->{version} } // 9e12);
  }
  my $day_of = sub ($at) { return WeirTest::RollUpOracle::number_of_day((WeirTest::RollUpOracle::on_clock($oracle->{zone}, $at))[0]) };
  return map { { version => $_, at => $seen{$_}, day => $day_of->($seen{$_}) } }
    sort { $seen{$a} <=> $seen{$b} || $a cmp $b } grep { $day_of->($seen{$_}) <= $oracle->{to} } keys %seen;
}

sub crash_releases ($oracle) {
  my @releases = releases($oracle);
  my @fell = grep { $_->{day} <= $oracle->{to} } $oracle->{crashes}->@*;
  my (%begun, %crashes, %born);
  for my $row (sort { $a->{at} <=> $b->{at} } @fell) {
    my ($group, $version) = ($row->{fingerprint}, $row->{version} // '');
    $born{$group} //= $version;
    $begun{$group}{$version} //= $row->{at};
    ++$crashes{$group}{$version};
  }
  my @list;
  for my $n (reverse 0 .. $#releases) {
    my ($release, $version) = ($releases[$n], $releases[$n]{version});
    next if $release->{day} < $oracle->{from};
    my @groups = sort { $crashes{$b}{$version} <=> $crashes{$a}{$version} || $a cmp $b } grep { $crashes{$_}{$version} } keys %crashes;
    my (@new, @regressed);
    for my $group (@groups) {
      my %about = (group => $group, crashes => $crashes{$group}{$version}, about_group($oracle, $group));
      push @new, \%about and next if $born{$group} eq $version;
      my @earlier = grep { $begun{$group}{ $releases[$_]{version} } } 0 .. $n - 1 or next;
      my $begun = min(map { $begun{$group}{ $releases[$_]{version} } } @earlier);
      push @regressed, { %about, last_release => $releases[ $earlier[-1] ]{version} } if $earlier[-1] < $n - 1 && $begun < $begun{$group}{$version};
    }
    my @first = sort { $a <=> $b } map { $begun{$_}{$version} } @groups;
    push @list, { version => $version, first_seen => moment($release->{at}), after => $n ? $releases[ $n - 1 ]{version} : undef,
      first_crash => @first ? moment($first[0]) : undef, crashes => sum0(map { $crashes{$_}{$version} } @groups), groups => scalar @groups,
      new => scalar @new, regressed => scalar @regressed, new_groups => \@new, regressed_groups => \@regressed };
  }
  return { releases => \@list };
}

1;
