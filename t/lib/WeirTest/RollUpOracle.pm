# What the roll-ups have to say, computed from the rows in another way: row by row, in Perl's hashes, with
# the C library's time zones.
#
#   my $oracle = WeirTest::RollUpOracle->new($rows, $crashes, $dimensions);
#   is_deeply kept($db, 'acme', 'Europe/Berlin'), $oracle->figures('acme', 'Europe/Berlin');
#
# Rows are hashes of the columns, with `at` in seconds since 1970.
package WeirTest::RollUpOracle;
use v5.36;

use POSIX qw(tzset);

sub new ($class, $events, $crashes, $dimensions) {
  return bless { events => $events, crashes => $crashes, dimensions => $dimensions }, $class;
}

# The date and the hour on the clocks of a zone. Remembered, since to change the zone takes long.
my %on_clock;

sub on_clock ($zone, $at) {
  my $known = $on_clock{$zone}{ int $at } //= do {
    local $ENV{TZ} = $zone;
    tzset();
    my @parts = localtime int $at;
    [ sprintf('%04d-%02d-%02d', $parts[5] + 1900, $parts[4] + 1, $parts[3]), $parts[2] ];
  };
  return @$known;
}

# set => { "day subject value user" => 1 }, count => { "day subject value" => [events by hour] },
# number => { "day event property" => "count total lowest highest" }, session => { day => "n crashed seconds" }
sub figures ($self, $tenant, $zone) {
  my $found = { set => {}, count => {}, number => {}, session => {} };
  my @events = grep { $_->{tenant} eq $tenant } $self->{events}->@*;
  my @crashes = grep { $_->{tenant} eq $tenant } $self->{crashes}->@*;
  $self->count_event($found, $_, on_clock($zone, $_->{at})) for @events;
  count_crash($found, $_, on_clock($zone, $_->{at})) for @crashes;
  count_newcomers($found, $zone, @events);
  count_loads($found, $zone, @events);
  count_sessions($found, $zone, \@events, \@crashes);
  $_ = join ' ', map { $_ + 0 } $_->@{qw(count total lowest highest)} for values $found->{number}->%*;
  return $found;
}

sub note ($found, $row, $day, $hour, $subject, $value) {
  return if !defined $value || $value eq '' && $subject !~ /\A(?:active|crash|new|event)\z/;
  my $hours = $found->{count}{"$day $subject $value"} //= [ (0) x 24 ];
  ++$hours->[$hour];
  $found->{set}{"$day $subject $value $row->{user}"} = 1 if defined $row->{user};
  return;
}

sub count_event ($self, $found, $row, $day, $hour) {
  note($found, $row, $day, $hour, @$_)
    for [ active => '' ], [ event => $row->{event} ], [ version => $row->{version} ], [ platform => $row->{platform} ],
    [ country => $row->{country} ];
  my $properties = ref $row->{properties} eq 'HASH' ? $row->{properties} : {};
  for my $dimension ($self->{dimensions}->@*) {
    my ($subject, $event, $property, $by_event) = @$dimension;
    next if $event ne '*' && $event ne $row->{event};
    note($found, $row, $day, $hour, $subject, text_of($properties->{$property}));
    note($found, $row, $day, $hour, "$row->{event}.$subject", text_of($properties->{$property})) if $by_event;
  }
  for my $property (grep { is_number($properties->{$_}) } keys %$properties) {
    add_number($found->{number}{"$day $row->{event} $property"} //= {}, $properties->{$property}[0]);
  }
  return;
}

# A number in the tests' properties is [text], so that Perl cannot take a text for one.
sub is_number ($value) { return ref $value eq 'ARRAY' && abs $value->[0] < 1e300 }

sub text_of ($value) {
  return $value->[0] if ref $value eq 'ARRAY';
  return $$value ? 'true' : 'false' if ref $value eq 'SCALAR';
  return ref $value ? undef : $value;
}

sub add_number ($sum, $number) {
  ++$sum->{count};
  $sum->{total} += $number;
  $sum->{lowest} = $number if !defined $sum->{lowest} || $number < $sum->{lowest};
  $sum->{highest} = $number if !defined $sum->{highest} || $number > $sum->{highest};
  return;
}

sub count_crash ($found, $row, $day, $hour) {
  note($found, $row, $day, $hour, @$_)
    for [ crash => '' ], [ crash_version => $row->{version} ], [ crash_os => $row->{os} ],
    [ crash_type => $row->{type} ], [ crash_group => $row->{fingerprint} ];
  return;
}

sub count_newcomers ($found, $zone, @events) {
  my %first;
  for my $row (grep { defined $_->{user} } @events) {
    my $earliest = $first{ $row->{user} };
    $first{ $row->{user} } = $row->{at} if !defined $earliest || $row->{at} < $earliest;
  }
  note($found, { user => $_ }, on_clock($zone, $first{$_}), 'new', '') for keys %first;
  return;
}

# Each user's number of events, bit by bit.
sub count_loads ($found, $zone, @events) {
  my %events;
  ++$events{ (on_clock($zone, $_->{at}))[0] }{ $_->{user} } for grep { defined $_->{user} } @events;
  for my $day (keys %events) {
    for my $user (keys $events{$day}->%*) {
      my @bits = reverse split //, sprintf '%b', $events{$day}{$user};
      $found->{set}{"$day load $_ $user"} = 1 for grep { $bits[$_] } 0 .. $#bits;
    }
  }
  return;
}

# By user and session_id, never of events without a user: the first event of a day begins a session if none of the days
# before comes within 24 hours before it; what comes within 24 hours after it belongs to it.
sub count_sessions ($found, $zone, $events, $crashes) {
  my %times;
  push $times{"$_->{user}\n$_->{session}"}->@*, $_->{at} for grep { defined $_->{user} && defined $_->{session} } @$events;
  for my $key (keys %times) {
    my ($user) = split /\n/, $key;
    my ($last_day, $before) = ('', undef);
    for my $at (sort { $a <=> $b } $times{$key}->@*) {
      my ($day) = on_clock($zone, $at);
      if ($day ne $last_day && (!defined $before || $at - $before >= 86_400)) {
        my ($end) = sort { $b <=> $a } grep { $_ >= $at && $_ <= $at + 86_400 } $times{$key}->@*;
        my $session = $found->{session}{$day} //= [ 0, 0, 0 ];
        ++$session->[0];
        ++$session->[1] if grep { defined $_->{user} && $_->{user} eq $user && $_->{at} >= $at && $_->{at} <= $end } @$crashes;
        $session->[2] += $end - $at;
      }
      ($last_day, $before) = ($day, $at);
    }
  }
  $_ = join ' ', @$_ for values $found->{session}->%*;
  return;
}

# The key figures of weir.users_answer(), by sets of names. Days are counted from 1970.
sub users ($self, $tenant, $zone, $from, $to) {
  my (%days_of, %by_day, $events);
  for my $row (grep { $_->{tenant} eq $tenant } $self->{events}->@*) {
    my $day = number_of_day((on_clock($zone, $row->{at}))[0]);
    ++$events if $day >= $from && $day <= $to;
    next if !defined $row->{user};
    $days_of{ $row->{user} }{$day} = $by_day{$day}{ $row->{user} } = 1;
  }
  my %first = map { $_ => (sort { $a <=> $b } keys $days_of{$_}->%*)[0] } keys %days_of;
  my $active = sub ($since, $until) { my %all = map { ($by_day{$_} // {})->%* } $since .. $until; return scalar keys %all };
  my @fresh = grep { $first{$_} >= $from && $first{$_} <= $to } keys %first;
  my $total = grep { $_ <= $to } values %first;
  my %found = (total => $total, active => $active->($from, $to), new => scalar @fresh, events => $events // 0,
    churned => $total - $active->($to - 29, $to), map { ("active_$_" => $active->($to - $_ + 1, $to)) } 1, 7, 30);
  for my $later (1, 7) {
    my @known = grep { $first{$_} + $later <= $to } @fresh;
    $found{"day_$later"} = @known . ' ' . grep { $days_of{$_}{ $first{$_} + $later } } @known;
  }
  return \%found;
}

# Rows of a list that are the tenant's and within the window, with their `day`.
sub within ($rows, $tenant, $zone, $from, $to) {
  return grep { $_->{day} >= $from && $_->{day} <= $to }
    map { { %$_, day => number_of_day((on_clock($zone, $_->{at}))[0]) } } grep { $_->{tenant} eq $tenant } @$rows;
}

sub users_of (@rows) { return map { $_->{user} => 1 } grep { defined $_->{user} } @rows }

# "VALUE events users" for each value of a column.
sub by_value ($column, @rows) {
  my %rows_of;
  push $rows_of{ $_->{$column} }->@*, $_ for grep { ($_->{$column} // '') ne '' } @rows;
  return [ sort map { my %users = users_of($rows_of{$_}->@*); "$_ " . $rows_of{$_}->@* . ' ' . keys %users } keys %rows_of ];
}

# The key figures of weir.crashes_answer().
sub crashes ($self, $tenant, $zone, $from, $to) {
  my @fell = within($self->{crashes}, $tenant, $zone, $from, $to);
  my %active = users_of(within($self->{events}, $tenant, $zone, $from, $to));
  my %crashed = users_of(@fell);
  my %found = (crashes => scalar @fell, crashed_users => scalar keys %crashed, active => scalar keys %active,
    crash_free => scalar(grep { !$crashed{$_} } keys %active), versions => by_value(version => @fell), systems => by_value(os => @fell),
    types => by_value(type => @fell), groups => by_value(fingerprint => @fell));
  my $kept = $self->figures($tenant, $zone)->{session};
  ($found{sessions}, $found{crashed_sessions}) = (0, 0);
  for my $day (grep { number_of_day($_) >= $from && number_of_day($_) <= $to } keys %$kept) {
    my ($sessions, $crashed) = split / /, $kept->{$day};
    $found{sessions} += $sessions;
    $found{crashed_sessions} += $crashed;
  }
  return { %found, $self->first_crashes($tenant, $zone, $from, $to) };
}

# Users whose first crash is within the window, with and without an event by then.
sub first_crashes ($self, $tenant, $zone, $from, $to) {
  my (%event, %crash);
  for my $pair ([ \%event, 'events' ], [ \%crash, 'crashes' ]) {
    my ($first, $list) = @$pair;
    for my $row (grep { $_->{tenant} eq $tenant && defined $_->{user} } $self->{$list}->@*) {
      $first->{ $row->{user} } = $row->{at} if $row->{at} < ($first->{ $row->{user} } // 9e99);
    }
  }
  my @first = grep { my $day = number_of_day((on_clock($zone, $crash{$_}))[0]); $day >= $from && $day <= $to } keys %crash;
  my $with = grep { ($event{$_} // 9e99) <= $crash{$_} } @first;
  return (first => $with, without => @first - $with);
}

# VALUE => its users, of a column.
sub audience ($self, $column, $tenant, $zone, $from, $to) {
  return by_value($column, within($self->{events}, $tenant, $zone, $from, $to));
}

# The sum of a property over events of a name.
sub sum_of ($self, $event, $property, $tenant, $zone, $from, $to) {
  my $sum = 0;
  for my $row (grep { $_->{event} eq $event && ref $_->{properties} eq 'HASH' } within($self->{events}, $tenant, $zone, $from, $to)) {
    my $value = $row->{properties}{$property};
    $sum += $value->[0] if is_number($value);
  }
  return $sum;
}

# A property of a row as a text, where it is a value.
sub value_of ($row, $property) {
  my $value = text_of(ref $row->{properties} eq 'HASH' ? $row->{properties}{$property} : undef);
  return defined $value && $value ne '' ? $value : undef;
}

sub by_property ($property, @rows) {
  return by_value(value => map { { user => $_->{user}, value => value_of($_, $property) } } @rows);
}

sub usage ($self, $event, $tenant, $zone, $from, $to) {
  my @rows = grep { !defined $event || $_->{event} eq $event } within($self->{events}, $tenant, $zone, $from, $to);
  my %users = users_of(@rows);
  my %said = (true => 0, false => 0);
  ++$said{$_} for grep { defined } map { value_of($_, 'success') } @rows;
  my %sum;
  for my $row (grep { ref $_->{properties} eq 'HASH' && is_number($_->{properties}{seconds}) } @rows) {
    add_number(\%sum, $row->{properties}{seconds}[0]);
  }
  my $sessions = 0;
  my $kept = $self->figures($tenant, $zone)->{session};
  $sessions += (split / /, $kept->{$_})[0] for grep { number_of_day($_) >= $from && number_of_day($_) <= $to } keys %$kept;
  return { count => scalar @rows, users => scalar keys %users, sessions => $sessions, success => "$said{true} $said{false}",
    errors => by_property(error_type => @rows),
    numbers => join ' ', $sum{count} // 0, map { sprintf '%.9g', $sum{$_} // 0 } qw(total lowest highest) };
}

sub day_of ($zone, $row) { return number_of_day((on_clock($zone, $row->{at}))[0]) }

sub features ($self, $tenant, $zone, $from, $to) {
  my (%days_of, %first, %events, %first_use, %before);
  for my $row (grep { $_->{tenant} eq $tenant } $self->{events}->@*) {
    my $day = day_of($zone, $row);
    my $feature = $row->{event} eq 'feature_usage' ? value_of($row, 'feature') : undef;
    $before{$feature} = 1 if defined $feature && $day < $from;
    ++$events{$feature} if defined $feature && $day >= $from && $day <= $to;
    next if !defined(my $user = $row->{user});
    $first{$user} = $day if $day < ($first{$user} // 1e9);
    $days_of{$user}{$day} = 1 if $day > $to - 30 && $day <= $to;
    next if !defined $feature || $day < $from || $day > $to;
    $first_use{$feature}{$user} = $day if $day < ($first_use{$feature}{$user} // 1e9);
  }
  my @features;
  for my $feature (keys %events) {
    my $used = $first_use{$feature} // {};
    my @waited = sort { $a <=> $b } map { my $days = $used->{$_} - $first{$_}; $days > 14 ? 14 : $days } grep { $first{$_} >= $from } keys %$used;
    push @features, join ' ', $feature, $events{$feature}, scalar keys %$used, @waited ? $waited[ $#waited / 2 ] : '';
  }
  my @active = (0) x 30;
  ++$active[ keys($_->%*) - 1 ] for values %days_of;
  return { features => [ sort @features ], split => by_property(source => within($self->{events}, $tenant, $zone, $from, $to)),
    unused => [ sort grep { !$events{$_} } keys %before ], days_active => \@active };
}

# Of the users who were new in the window: how many have one of the rows in it, and the days they waited for it, added up.
sub waited ($self, $rows, $tenant, $zone, $from, $to) {
  my (%first, %met);
  for my $row (grep { $_->{tenant} eq $tenant && defined $_->{user} } $self->{events}->@*) {
    my $day = day_of($zone, $row);
    $first{ $row->{user} } = $day if $day < ($first{ $row->{user} } // 1e9);
  }
  for my $row (grep { defined $_->{user} } within($rows, $tenant, $zone, $from, $to)) {
    next if ($first{ $row->{user} } // -1) < $from || $first{ $row->{user} } > $to;
    $met{ $row->{user} } = $row->{day} if $row->{day} < ($met{ $row->{user} } // 1e9);
  }
  my $days = 0;
  $days += $met{$_} - $first{$_} for keys %met;
  return keys(%met) . ' ' . (%met ? sprintf '%.6f', $days / keys %met : '');
}

# The key figures of weir.stats_answer(), where a recording is an event `closed` and its seconds are those of `opened`.
sub stats ($self, $tenant, $zone, $from, $to) {
  my @asked = ($tenant, $zone, $from, $to);
  my ($users, $crashes, $usage, $features) = ($self->users(@asked), $self->crashes(@asked), $self->usage(undef, @asked), $self->features(@asked));
  my @active = $features->{days_active}->@*;
  my $sum = sub (@numbers) { my $all = 0; $all += $_ for @numbers; return $all };
  return { map({ ($_ => $users->{$_}) } qw(total active new churned active_1 active_7 active_30 day_1 day_7)), events => $usage->{count},
    recordings => scalar(grep { $_->{event} eq 'closed' } within($self->{events}, @asked)),
    seconds => $self->sum_of(opened => 'seconds', @asked), success => $usage->{success}, sessions => $usage->{sessions},
    failed => $sum->(map { (split)[1] } $usage->{errors}->@*), map({ ($_ => $crashes->{$_}) } qw(crashes crashed_users crash_free crashed_sessions)),
    power => $sum->(@active[ 15 .. 29 ]), regular => $sum->(@active[ 3 .. 14 ]), casual => $sum->(@active[ 0 .. 2 ]),
    versions => $self->audience('version', @asked), platforms => $self->audience('platform', @asked), countries => $self->audience('country', @asked),
    features => [ sort map { join ' ', (split)[ 0 .. 2 ] } $features->{features}->@* ], unused => $features->{unused},
    first_use => $self->waited([ grep { $_->{event} eq 'feature_usage' } $self->{events}->@* ], @asked), first_crash => $self->waited($self->{crashes}, @asked) };
}

sub number_of_day ($date) {
  my ($year, $month, $day) = split /-/, $date;
  local $ENV{TZ} = 'UTC';
  tzset();
  return int(POSIX::mktime(0, 0, 12, $day, $month - 1, $year - 1900) / 86_400);
}

1;
