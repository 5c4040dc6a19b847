# What /stats has to say, computed from the rows in another way.
#
#   my $wanted = WeirTest::StatsOracle::stats(WeirTest::FigureOracle->new(…));    # as weir.stats_answer() has it
package WeirTest::StatsOracle;
use v5.36;

use List::Util qw(min sum0);
use WeirTest::CrashOracle;
use WeirTest::FigureOracle qw(between by_value count_users property ratio);
use WeirTest::RollUpOracle;
use WeirTest::ToggleOracle;
use WeirTest::UserOracle;

sub of_event ($event, @rows) { return grep { $_->{event} eq $event } @rows }

sub numbers ($name, @rows) { return grep { defined } map { $_->{properties}{$name} } @rows }

# The ten values with the most rows; `share` is of all rows that have one.
sub values_of ($name, @rows) {
  my @pairs = by_value(sub ($row) { return $row->{$name} // property($row, $name) }, @rows);
  my $all = sum0(map { scalar $_->[1]->@* } @pairs);
  return [ map { { value => $_->[0], events => scalar $_->[1]->@*, share => ratio(scalar $_->[1]->@*, $all) } } @pairs[ 0 .. min(9, $#pairs) ] ];
}

# Such a list, each value with its rate among so many events.
sub rated ($whole, $list) { return [ map { { %$_, rate => ratio($_->{events}, $whole) } } @$list ] }

# The ten values of a column with the most users: `share` is of the active ones; of events, where nobody is known.
sub columns_of ($name, $active, @rows) {
  my $most = sub ($pair) { return $active ? count_users($pair->[1]->@*) : scalar $pair->[1]->@* };
  my @pairs = sort { $most->($b) <=> $most->($a) || $a->[0] cmp $b->[0] }
    by_value(sub ($row) { return $row->{$name} }, @rows);
  return [ map { { $name => $_->[0], events => scalar $_->[1]->@*, users => count_users($_->[1]->@*), share => ratio($most->($_), $active || scalar @rows) } }
      @pairs[ 0 .. min(9, $#pairs) ] ];
}

sub trend ($oracle, $unit) {
  my @lines;
  my %first = $oracle->first_days;
  for my $line ($oracle->lines($unit)) {
    my @span = $line->@{qw(since until)};
    my @events = between($oracle->{events}, @span);
    my @recordings = of_event(recording_completed => @events);
    my ($active, $cost, $crashes) = (count_users(@events), sum0(numbers(estimated_cost_usd => @recordings)), scalar between($oracle->{crashes}, @span));
    push @lines, { start => $line->{start}, active => $active, new => scalar(grep { $_ >= $span[0] && $_ <= $span[1] } values %first), events => scalar @events,
      recordings => scalar @recordings, minutes => sum0(numbers(audio_duration_seconds => @recordings)) / 60, cost_usd => $cost,
      cost_per_user => ratio($cost, $active), crashes => $crashes, crash_rate => ratio($crashes, $active) };
  }
  return \@lines;
}

# As weir.daily_figures() has it: days with an event, also one of nobody known, or with a crash.
sub daily ($oracle) {
  my %first = $oracle->first_days;
  return [
    map {
      my $line = $_;
      my $day = WeirTest::RollUpOracle::number_of_day($line->{start});
      +{ date => $line->{start}, total_users => scalar(grep { $_ <= $day } values %first), active_users => $line->{active}, new_users => $line->{new},
        total_recordings => $line->{recordings}, total_minutes => $line->{minutes}, total_cost_usd => $line->{cost_usd}, crash_count => $line->{crashes},
        crash_rate => $line->{crash_rate} }
    } grep { $_->{events} || $_->{crashes} } trend($oracle, 'day')->@*
  ];
}

# Of the users who were new in the window: who had one of the rows in it, and how many days later in the mean.
sub first_of ($oracle, @rows) {
  my ($from, $to) = $oracle->@{qw(from to)};
  my %first = $oracle->first_days;
  my %met;
  for my $row (grep { defined $_->{user} && ($first{ $_->{user} } // -1) >= $from && $first{ $_->{user} } <= $to } between(\@rows, $from, $to)) {
    $met{ $row->{user} } = min($row->{day}, $met{ $row->{user} } // 9e9);
  }
  return { users => scalar keys %met, mean_days => ratio(sum0(map { $met{$_} - $first{$_} } keys %met), scalar keys %met) };
}

sub mean (@numbers) {
  return { count => scalar @numbers, mean => ratio(sum0(@numbers), scalar @numbers) };
}

sub features ($oracle) {
  my @all = $oracle->within;
  my $known = $oracle->features;
  my @features = sort { $b->{events} <=> $a->{events} || $a->{feature} cmp $b->{feature} } $known->{features}->@*;
  return {
    features => [ map { my $feature = $_; +{ map { ($_ => $feature->{$_}) } qw(feature events users adoption weekly) } } @features[ 0 .. min(9, $#features) ] ],
    split => values_of(source => @all), unused => $known->{unused}, first_use => first_of($oracle, of_event(feature_usage => $oracle->{events}->@*)),
    toggles => WeirTest::ToggleOracle::of_stats($oracle),
    retries => { map { ($_ => $known->{retries}{$_}) } qw(count users share) },
  };
}

sub stats ($oracle) {
  my @all = $oracle->within;
  my ($usage, $features) = ($oracle->usage, $oracle->features);
  my ($users, $crashes) = (WeirTest::UserOracle::users($oracle), WeirTest::CrashOracle::crashes($oracle));
  my $active = count_users(@all);
  my @recordings = of_event(recording_completed => @all);
  my ($seconds, $cost) = map { sum0(numbers($_ => @recordings)) } qw(audio_duration_seconds estimated_cost_usd);
  my @commands = of_event(cli_command => @all);
  my @fell = $oracle->fell;
  my @new = map { my $since = $oracle->{to} - $_ + 1; scalar grep { $_ >= $since && $_ <= $oracle->{to} } values %{ { $oracle->first_days } } } 7, 30;
  return {
    total_users => $users->{total}, active_users => $active, new_users => $users->{new}, total_recordings => scalar @recordings, total_minutes => $seconds / 60,
    total_cost_usd => $cost, crash_count => scalar @fell, crash_rate => ratio(scalar @fell, $active), exact => 1,
    users => { map({ ($_ => $users->{$_}) } qw(total active active_1 active_7 active_30 new churned churn_rate stickiness growth retention)),
      new_7 => $new[0], new_30 => $new[1], map({ ($_ => $features->{days_active}{$_}) } qw(power regular casual)) },
    usage => { events => scalar @all, events_per_user => ratio(scalar @all, $active), recordings => scalar @recordings, hours => $seconds / 3600,
      recordings_per_user => ratio(scalar @recordings, $active), recordings_per_user_week => $oracle->usage('recording_completed')->{per_user_and_week},
      sessions => { sessions => $usage->{sessions}{count}, mean_seconds => $usage->{sessions}{mean} }, names => values_of(event => @all), peak_hours => $usage->{peak_hours} },
    features => features($oracle),
    performance => { success_rate => $usage->{success}, error_rate => $usage->{errors}{rate}, errors => rated(scalar @all, values_of(error_type => @all)),
      processing_time => mean(numbers(processing_time_seconds => @all)),
      startup_time => mean(numbers(startup_time_seconds => @all), map { $_ / 1000 } numbers(startup_ms => @all)),
      response_time => mean(numbers(response_time_seconds => @all), map { $_ / 1000 } numbers(response_time_ms => @all)) },
    crashes => { crashes => scalar @fell, map({ ($_ => $crashes->{$_}) } qw(crashed_users crash_free_users crash_free_sessions)), types => values_of(type => @fell),
      systems => values_of(os => @fell), versions => values_of(version => @fell),
      first_crash => first_of($oracle, $oracle->{crashes}->@*) },
    costs => { total => $cost, per_user => ratio($cost, $active) },
    countries => columns_of(country => $active, @all), versions => columns_of(version => $active, @all), platforms => columns_of(platform => $active, @all),
    cli => { commands => values_of(command => @commands), output_formats => values_of(output_format => @commands), models => values_of(model_used => @commands),
      success => $usage->{cli}{success}, errors => rated(scalar @commands, values_of(error_type => @commands)), map({ ($_ => mean(numbers($_ => @commands))) } qw(prompt_length execution_time)),
      sessions => $oracle->cli_sessions(@commands) },
    map { ("${_}s" => trend($oracle, $_)) } qw(day week month),
  };
}

1;
