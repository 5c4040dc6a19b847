# What the answers of sql/analytics have to say, computed from the rows in another way: by grep over lists of hashes.
#
#   my $oracle = WeirTest::FigureOracle->new(\@events, \@crashes, tenant => 'acme', zone => 'Europe/Berlin', from => $day, to => $day);
#   my $wanted = $oracle->usage;    # as weir.usage_answer() has it; what it leaves out is not looked at
#
# Rows are hashes of the columns, with `at` in seconds since 1970. Days are counted from 1970. A percentile is
# { about => NUMBER }, which one in a hundred may lie beside.
package WeirTest::FigureOracle;
use v5.36;

use Exporter qw(import);
use List::Util qw(max min sum0 uniq);
use POSIX qw(strftime);
use WeirTest::RollUpOracle;

our @EXPORT_OK = qw(between by_value count_users date grown named next_start of_whole percentile property ratio start_of users_of value_list);

sub new ($class, $events, $crashes, %asked) {
  my $own = sub ($rows) {
    return [
      map {
        my ($date, $hour) = WeirTest::RollUpOracle::on_clock($asked{zone}, $_->{at});
        +{ %$_, day => WeirTest::RollUpOracle::number_of_day($date), hour => $hour }
      } grep { $_->{tenant} eq $asked{tenant} } @$rows
    ];
  };
  my $self = bless { %asked, events => $own->($events), crashes => $own->($crashes) }, $class;
  my $kept = WeirTest::RollUpOracle->new($events, $crashes, [])->figures($asked{tenant}, $asked{zone})->{session};
  $self->{sessions}{ WeirTest::RollUpOracle::number_of_day($_) } = [ split / /, $kept->{$_} ] for keys %$kept;
  return $self;
}

sub ratio ($part, $whole) { return $whole ? $part / $whole : undef }

sub date ($day) { return strftime('%Y-%m-%d', gmtime $day * 86_400) }

sub start_of ($unit, $day) {
  return $day if $unit eq 'day';
  return $day - ($day + 3) % 7 if $unit eq 'week';
  return $day - (gmtime $day * 86_400)[3] + 1;
}

sub next_start ($unit, $start) { return start_of($unit, $start + { day => 1, week => 7, month => 31 }->{$unit}) }

sub between ($rows, $from, $to) { return grep { $_->{day} >= $from && $_->{day} <= $to } @$rows }

sub users_of (@rows) { return uniq grep { defined } map { $_->{user} } @rows }

# How many there are; uniq() in a scalar says that.
sub count_users (@rows) { return scalar(my @all = users_of(@rows)) }

sub within ($self) { return between($self->{events}, $self->{from}, $self->{to}) }

sub fell ($self) { return between($self->{crashes}, $self->{from}, $self->{to}) }

sub lines ($self, $unit) {
  my @lines;
  for (my $start = start_of($unit, $self->{from}); $start <= $self->{to}; $start = next_start($unit, $start)) {
    my ($since, $until) = (max($start, $self->{from}), min(next_start($unit, $start) - 1, $self->{to}));
    push @lines, { start => date($start), since => $since, until => $until,
      whole => $since == $start && $until == next_start($unit, $start) - 1 };
  }
  return @lines;
}

# Adds `growth` of a figure to lines, where the window cuts neither of two.
sub grown ($figure, @lines) {
  for my $n (0 .. $#lines) {
    my ($before, $line) = ($n ? $lines[ $n - 1 ] : {}, $lines[$n]);
    $line->{growth} = $line->{whole} && $before->{whole} ? ratio($line->{$figure} - $before->{$figure}, $before->{$figure}) : undef;
  }
  delete $_->@{qw(since until)} for @lines;
  return \@lines;
}

# The mean of a figure for each user of the lines that are whole.
sub of_whole ($figure, $users, @lines) {
  my @whole = grep { $_->{whole} } @lines;
  return ratio(sum0(map { $_->{$figure} } @whole), sum0(map { $_->{$users} } @whole));
}

# The same for each user who did anything in one of them.
sub for_each_active_week ($self, $figure, @lines) {
  my %active = map { $_->{start} => count_users(between($self->{events}, $_->@{qw(since until)})) } $self->lines('week');
  return of_whole($figure => 'active', map { { %$_, active => $active{ $_->{start} } } } @lines);
}

sub first_days ($self) {
  my %first;
  for my $row (grep { defined $_->{user} } $self->{events}->@*) {
    $first{ $row->{user} } = min($row->{day}, $first{ $row->{user} } // 9e9);
  }
  return %first;
}

my %family = (
  onboarding_checkpoint_completed => 'onboarding_checkpoint', support_diagnostics_opened => 'support_diagnostics', operation_started => 'operation',
  stored_report_created => 'stored_report', review_pack_generation_requested => 'review_pack',
);

sub workspaces (@rows) { return scalar(my @all = uniq map { property($_, 'workspace_id') } @rows) }

sub ledger ($self) {
  my @all = grep { $family{ $_->{event} } && defined $_->{user} && (property($_, 'workspace_id') // '') ne '' } $self->within;
  my @events = qw(onboarding_checkpoint_completed support_diagnostics_opened operation_started stored_report_created review_pack_generation_requested);
  my @families = map { my $event = $_; my @own = grep { $_->{event} eq $event } @all;
    +{ event => $event, family => $family{$event}, events => scalar @own, users => count_users(@own), workspaces => workspaces(@own) } } @events;
  my @days = map { my @own = between(\@all, $_, $_); +{ start => date($_), events => scalar @own, active_workspaces => workspaces(@own) } } $self->{from} .. $self->{to};
  return { families => \@families, days => \@days, events => scalar @all, users => count_users(@all), active_workspaces => workspaces(@all) };
}

# A property of a row as the text that makes a value of it.
sub property ($row, $name) {
  my $value = ($row->{properties} // {})->{$name};
  return ref $value ? ($$value ? 'true' : 'false') : $value;
}

# [value, rows] for each value, those with the most rows first.
sub by_value ($value_of, @rows) {
  my %rows;
  push $rows{ $value_of->($_) }->@*, $_ for grep { defined $value_of->($_) } @rows;
  return map { [ $_, $rows{$_} ] } sort { $rows{$b}->@* <=> $rows{$a}->@* || $a cmp $b } keys %rows;
}

# As weir.value_list() has it; of errors with a rate.
sub value_list ($value_of, $whole, @rows) {
  my @values = by_value($value_of, @rows);
  my $all = sum0(map { scalar $_->[1]->@* } @values);
  my @list = map { { value => $_->[0], events => scalar $_->[1]->@*, users => count_users($_->[1]->@*), share => ratio(scalar $_->[1]->@*, $all),
    defined $whole ? (rate => ratio(scalar $_->[1]->@*, $whole)) : () } } @values;
  return { values => \@list, more => 0, defined $whole ? (events => $all, rate => ratio($all, $whole)) : () };
}

# What a property says, of each event or of one.
sub named ($name, $event = undef) {
  return sub ($row) { return !defined $event || $row->{event} eq $event ? property($row, $name) : undef };
}

sub success (@rows) {
  my ($yes, $no) = map { my $said = $_; scalar grep { (property($_, 'success') // '') eq $said } @rows } qw(true false);
  return { yes => $yes, no => $no, rate => ratio($yes, $yes + $no) };
}

sub percentile ($percent, @sorted) {
  return if !@sorted;
  my ($index) = grep { ($_ + 1) * 100 >= @sorted * $percent } 0 .. $#sorted;
  return { about => $sorted[$index] };
}

sub distribution (@numbers) {
  my @sorted = sort { $a <=> $b } grep { defined } @numbers;
  return { count => scalar @sorted, total => sum0(@sorted), mean => ratio(sum0(@sorted), scalar @sorted), lowest => $sorted[0], highest => $sorted[-1],
    map { ("p$_" => scalar percentile($_, @sorted)) } 50, 75, 90, 95, 99 };
}

# Different session_ids of commands.
sub cli_sessions ($self, @commands) {
  my $count = sub (@rows) { return scalar uniq grep { defined } map { $_->{session} } @rows };
  my $by = sub ($unit) { return [ map { { start => $_->{start}, sessions => $count->(between(\@commands, $_->@{qw(since until)})) } } $self->lines($unit) ] };
  return { count => $count->(@commands), days => $by->('day'), weeks => $by->('week') };
}

sub usage ($self, $event = undef, $property = undef) {
  my @all = $self->within;
  my @rows = grep { !defined $event || $_->{event} eq $event } @all;
  my @commands = grep { $_->{event} eq 'cli_command' } @all;
  my (%trend, @peak);
  push @peak, [ (0) x 24 ] for 1 .. 7;
  ++$peak[ ($_->{day} + 3) % 7 ][ $_->{hour} ] for @rows;
  for my $unit (qw(day week)) {
    my @lines = $self->lines($unit);
    for my $line (@lines) {
      my @some = between(\@rows, $line->@{qw(since until)});
      $line->@{qw(count users)} = (scalar @some, count_users(@some));
      $line->{per_user} = ratio($line->@{qw(count users)}) if $unit eq 'week';
    }
    $trend{$unit} = grown(count => @lines);
  }
  delete $_->{growth} for $trend{day}->@*;
  my $active = count_users(@all);
  my $hours = sum0(map { $_->{properties}{audio_duration_seconds} // 0 } grep { $_->{event} eq 'recording_completed' } @all) / 3600;
  my @begun = map { $self->{sessions}{$_} // [ 0, 0, 0 ] } $self->{from} .. $self->{to};
  my ($sessions, $seconds) = map { my $n = $_; sum0(map { $_->[$n] } @begun) } 0, 2;
  return {
    count => scalar @rows, users => count_users(@rows), per_user => ratio(scalar @rows, count_users(@rows)), per_active_user => ratio(scalar @rows, $active),
    days => $trend{day}, weeks => $trend{week}, per_user_and_week => $self->for_each_active_week(count => $trend{week}->@*), peak_hours => \@peak,
    success => success(@rows), errors => value_list(named('error_type'), scalar @rows, @rows), active => $active,
    numbers => defined $property ? distribution(map { $_->{properties}{$property} } @rows) : undef,
    events => value_list(sub ($row) { return $row->{event} }, undef, @all), hours => { total => $hours, per_user => ratio($hours, $active) },
    sessions => { count => $sessions, total => $seconds, mean => ratio($seconds, $sessions), days => [ map { { start => date($_), sessions => ($self->{sessions}{$_} // [0])->[0] } } $self->{from} .. $self->{to} ] },
    cli => {
      commands => value_list(named('command'), undef, @commands), output_formats => value_list(named('output_format'), undef, @commands),
      models => value_list(named('model_used'), undef, @commands), sessions => $self->cli_sessions(@commands),
      map({ my $name = $_; ($name => distribution(map { $_->{properties}{$name} } @commands)) } qw(prompt_length execution_time)),
      success => success(@commands), errors => value_list(named('error_type'), scalar @commands, @commands),
    },
  };
}

# Users and weeks of them: "USER WEEK" of those that lie wholly in the window.
sub user_weeks ($self, @rows) {
  my %whole = map { $_->{start} => 1 } grep { $_->{whole} } $self->lines('week');
  return uniq map { "$_->[0] $_->[1]" } grep { $whole{ $_->[1] } } map { [ $_->{user}, date(start_of('week', $_->{day})) ] } grep { defined $_->{user} } @rows;
}

sub features ($self, $feature_of = named(feature => 'feature_usage'), $split = named('source')) {
  my ($from, $to) = $self->@{qw(from to)};
  my %first = $self->first_days;
  my @all = $self->within;
  my ($active, $weeks) = (count_users(@all), scalar(my @weeks = $self->user_weeks(@all)));
  my @features;
  for my $pair (by_value($feature_of, @all)) {
    my ($feature, $rows) = @$pair;
    my (%used, @waited);
    push $used{ $_->{user} }->@*, $_->{day} for grep { defined $_->{user} } @$rows;
    @waited = sort { $a <=> $b } map { min(14, min($used{$_}->@*) - $first{$_}) } grep { $first{$_} >= $from } keys %used;
    my $again = grep { uniq(map { start_of('week', $_) } $_->@*) > 1 } values %used;
    push @features, { feature => $feature, events => scalar @$rows, users => scalar keys %used, adoption => ratio(scalar keys %used, $active),
      weekly => ratio(scalar(my @own = $self->user_weeks(@$rows)), $weeks), returning => ratio($again, scalar keys %used),
      days_to_first_use => @waited ? $waited[ $#waited / 2 ] : undef };
  }
  @features = sort { $b->{users} <=> $a->{users} || $b->{events} <=> $a->{events} || $a->{feature} cmp $b->{feature} } @features;
  my %days;
  $days{ $_->{user} }{ $_->{day} } = 1 for grep { defined $_->{user} } between($self->{events}, $to - 29, $to);
  my @active_days = map { my $n = $_; scalar grep { keys %$_ == $n } values %days } 1 .. 30;
  my %known = map { $feature_of->($_) => 1 } grep { defined $feature_of->($_) && $_->{day} < $from } $self->{events}->@*;
  delete @known{ map { $_->{feature} } @features };
  my @retries = grep { $_->{event} eq 'retry_attempted' } @all;
  return {
    features => \@features, more => 0, active => $active, toggles => undef, unused => [ sort keys %known ], split => value_list($split, undef, @all),
    days_active => { users => \@active_days, power => sum0(@active_days[ 15 .. 29 ]), regular => sum0(@active_days[ 3 .. 14 ]), casual => sum0(@active_days[ 0 .. 2 ]) },
    retries => { count => scalar @retries, users => count_users(@retries), per_user => ratio(scalar @retries, count_users(@retries)),
      share => ratio(count_users(@retries), $active) },
  };
}

sub audience ($self) {
  my @all = $self->within;
  my %failed = map { ("$_->{user} $_->{day}" => 1) } grep { defined $_->{user} && defined property($_, 'error_type') } @all;
  my $active = count_users(@all);
  my %found = (active => $active);
  for my $what ([ versions => 'version' ], [ platforms => 'platform' ], [ countries => 'country' ], [ browsers => 'browser' ], [ devices => 'device' ]) {
    my ($list, $name) = @$what;
    my @values = map { $self->audience_line($name, $_, $active, scalar @all, \%failed) } by_value(sub ($row) { return $row->{$name} // property($row, $name) }, @all);
    $found{$list} = [ sort { $b->{users} <=> $a->{users} || !$active && $b->{events} <=> $a->{events} || $a->{$name} cmp $b->{$name} } @values ];
  }
  return \%found;
}

# Where nobody is known in the window, shares are of events.
sub audience_line ($self, $name, $pair, $active, $events, $failed) {
  my ($value, $rows) = @$pair;
  my $share = sub ($line) {
    my ($having, $all) = map { [ between($_, $line->@{qw(since until)}) ] } $rows, $self->{events};
    return $active ? (count_users(@$having), ratio(count_users(@$having), count_users(@$all))) : (0, ratio(scalar @$having, scalar @$all));
  };
  my @weeks = map { my ($users, $part) = $share->($_); +{ start => $_->{start}, users => $users, share => $part } } $self->lines('week');
  my $troubled = users_of(grep { defined $_->{user} && $failed->{"$_->{user} $_->{day}"} } @$rows);
  return {
    $name => $value, users => count_users(@$rows), events => scalar @$rows,
    share => $active ? ratio(count_users(@$rows), $active) : ratio(scalar @$rows, $events),
    share_of_events => ratio(scalar @$rows, $events), with_errors => $troubled, error_share => ratio($troubled, count_users(@$rows)), weeks => \@weeks,
    $name eq 'version' ? (adoption => [ map { ($share->($_))[1] } $self->lines('day') ]) : (),
  };
}

sub costs ($self) {
  my $cost = sub (@rows) { return grep { defined } map { $_->{event} eq 'recording_completed' ? $_->{properties}{estimated_cost_usd} : undef } @rows };
  my $figures = sub ($since, $until) {
    my @rows = between($self->{events}, $since, $until);
    my ($total, $events, $active) = (sum0($cost->(@rows)), scalar(my @costs = $cost->(@rows)), count_users(@rows));
    return (total => $total, events => $events, active => $active, per_event => ratio($total, $events), per_user => ratio($total, $active));
  };
  my ($from, $to) = $self->@{qw(from to)};
  my %whole = $figures->($from, $to);
  my $before = { $figures->(2 * $from - $to - 1, $from - 1) }->{total};
  my %trend = map { ("${_}s" => grown(total => map { { %$_, $figures->($_->@{qw(since until)}) } } $self->lines($_))) } qw(day week month);
  return { %whole, %trend, growth => { before => $before, rate => ratio($whole{total} - $before, $before) },
    per_user_and_month => of_whole(total => 'active', $trend{months}->@*) };
}

1;
