# What the figures that look at single events have to say (funnels, paths, tasks, pages, rage clicks, scores, correlations,
# cohorts by a rule), computed from the rows in another way: user by user, in Perl's lists.
#
#   my $oracle = WeirTest::EventOracle->new(\@events, tenant => 'acme', zone => 'Europe/Berlin', from => $day, to => $day,
#     filter => { platform => 'mac' });
#   my $wanted = $oracle->funnels([ { event => 'login' }, { event => 'sale' } ], 86_400, 'country');
#
# Rows are hashes of the columns, with `at` in seconds since 1970. Days are counted from 1970. A percentile is
# { about => NUMBER }, which one in a hundred may lie beside.
package WeirTest::EventOracle;
use v5.36;

use JSON::XS ();
use List::Util qw(all any first max min none sum0 uniq);
use WeirTest::FigureOracle qw(date percentile property ratio start_of);
use WeirTest::RollUpOracle;

my $json = JSON::XS->new->canonical->allow_nonref;

sub new ($class, $events, %asked) {
  my @own = map {
    my ($date) = WeirTest::RollUpOracle::on_clock($asked{zone}, $_->{at});
    +{ %$_, day => WeirTest::RollUpOracle::number_of_day($date) }
  } grep { $_->{tenant} eq $asked{tenant} } @$events;
  my $self = bless { filter => {}, %asked, all => [ sort { $a->{at} <=> $b->{at} } @own ] }, $class;
  $self->{events} = [ grep { fits($self->{filter}, $_) } $self->{all}->@* ];
  return $self;
}

# Whether an event is as a pattern or a filter says.
sub fits ($pattern, $row) {
  return 0 if any { defined $pattern->{$_} && ($row->{$_} // "\0") ne $pattern->{$_} } qw(event version platform country);
  my $wanted = $pattern->{properties} // {};
  return all { exists $row->{properties}{$_} && $json->encode($row->{properties}{$_}) eq $json->encode($wanted->{$_}) } keys %$wanted;
}

sub within ($self, @rows) { return grep { $_->{day} >= $self->{from} && $_->{day} <= $self->{to} } @rows }

sub by_user (@rows) {
  my %rows;
  push $rows{ $_->{user} }->@*, $_ for grep { defined $_->{user} } @rows;
  return %rows;
}

sub number ($row, $name) {
  my $value = $row->{properties}{$name};
  return defined $value && !ref $value && $json->encode($value) !~ /\A"/ ? $value : undef;
}

sub text ($row, @names) {
  return first { defined && $_ ne '' } map { property($row, $_) } @names;
}

sub screen ($row) { return text($row, qw(screen page pathname path $screen_name $pathname name)) }

my @screen_events = qw(screen screen_view screen_viewed page page_view page_viewed $screen $pageview);

sub named ($names, @rows) {
  my %wanted = map { $_ => 1 } @$names;
  return grep { $wanted{ $_->{event} } } @rows;
}

# As weir.percentiles_with_mean() has it.
sub spread (@numbers) {
  my @sorted = sort { $a <=> $b } @numbers;
  return { mean => ratio(sum0(@sorted), scalar @sorted), map { ($_->[0] => scalar percentile($_->[1], @sorted)) } [ median => 50 ],
    [ p75 => 75 ], [ p95 => 95 ] };
}

# Most first, then by the key; what has none comes last.
sub ranked ($amount, @keys) {
  my @ranked = sort { $amount->{$b} <=> $amount->{$a} || $a cmp $b } @keys;
  return @ranked;
}

# Funnels ---------------------------------------------------------------------------------------

# When a user reached which step, from the start on.
sub way ($self, $steps, $within, @rows) {
  my ($start) = map { $_->{at} } grep { fits($steps->[0], $_) } $self->within(@rows) or return;
  my @at = ($start);
  for my $step (1 .. $#$steps) {
    my ($former) = grep { $steps->[$_]{event} eq $steps->[$step]{event} } reverse 0 .. $step - 1;
    my ($next) = grep { $_->{at} >= $at[-1] && $_->{at} <= $start + $within && (!defined $former || $_->{at} > $at[$former]) }
      grep { fits($steps->[$step], $_) } @rows or last;
    push @at, $next->{at};
  }
  return @at;
}

sub funnel_lines ($steps, @ways) {
  my @lines;
  for my $step (0 .. $#$steps) {
    my @reached = grep { @$_ > $step } @ways;
    my $former = grep { @$_ >= $step } @ways;
    push @lines, { step => $step + 1, event => $steps->[$step]{event}, users => scalar @reached, conversion => ratio(scalar @reached, scalar @ways),
      from_former => $step ? ratio(scalar @reached, $former) : undef, lost => $step ? $former - @reached : undef,
      seconds => $step ? { from_former => spread(map { $_->[$step] - $_->[ $step - 1 ] } @reached), from_start => spread(map { $_->[$step] - $_->[0] } @reached) } : undef };
  }
  return \@lines;
}

# By which value the user's start is split; of several at that moment the least.
sub split_value ($self, $split, $first, $start, @rows) {
  my @values = sort { $a cmp $b } grep { defined } map { $split =~ /\A(?:version|platform|country)\z/ ? $_->{$split} : text($_, $split) }
    grep { $_->{at} == $start && fits($first, $_) } @rows;
  return $values[0];
}

sub funnels ($self, $steps, $within, $split = undef) {
  my %rows = by_user($self->{events}->@*);
  my (@ways, %split);
  for my $user (keys %rows) {
    my @at = $self->way($steps, $within, $rows{$user}->@*) or next;
    push @ways, \@at;
    push $split{ $json->encode(defined $split ? $self->split_value($split, $steps->[0], $at[0], $rows{$user}->@*) : undef) }->@*, \@at;
  }
  my %size = map { $_ => scalar $split{$_}->@* } keys %split;
  my @values = sort { $size{$b} <=> $size{$a} || ($a eq 'null') <=> ($b eq 'null') || $a cmp $b } keys %split;
  return { steps => funnel_lines($steps, @ways), other => undef,
    splits => defined $split ? [ map { { value => $json->decode($_), steps => funnel_lines($steps, $split{$_}->@*) } } @values ] : undef };
}

# Paths -----------------------------------------------------------------------------------------

# Visits as lists of views, in order.
sub visits ($self, @events) {
  my %views = by_user(grep { defined screen($_) } named(\@events, $self->within($self->{events}->@*)));
  my @visits;
  for my $user (keys %views) {
    my %of;
    push $of{ defined $_->{session} ? "s$_->{session}" : '' }->@*, $_ for sort { $a->{at} <=> $b->{at} || screen($a) cmp screen($b) } $views{$user}->@*;
    for my $views (values %of) {
      my $last;
      for my $view (@$views) {
        push @visits, [] if !defined $last || $view->{at} - $last > 1800;
        push $visits[-1]->@*, $view;
        $last = $view->{at};
      }
    }
  }
  return @visits;
}

sub paths ($self, $length, $event = undef) {
  my (%screen, %next, %path);
  my @visits = $self->visits($event // @screen_events);
  for my $visit (@visits) {
    my @screens = map { screen($_) } @$visit;
    my @steps = map { $screens[$_] } grep { !$_ || $screens[$_] ne $screens[ $_ - 1 ] } 0 .. $#screens;
    ++$screen{$_}{views} for @screens;
    ++$screen{$_}{steps} for @steps;
    ++$screen{ $screens[0] }{entries};
    ++$screen{ $screens[-1] }{exits};
    ++$next{ $steps[ $_ - 1 ] }{ $steps[$_] } for 1 .. $#steps;
    ++$path{ JSON::XS->new->space_after->encode([ @steps[ 0 .. min($#steps, $length - 1) ] ]) };
  }
  my %steps = map { $_ => $screen{$_}{steps} } keys %screen;
  my @listed = (ranked(\%steps, keys %screen))[ 0 .. min(19, keys(%screen) - 1) ];
  my @paths = (ranked(\%path, keys %path))[ 0 .. min(19, keys(%path) - 1) ];
  return {
    visits => scalar @visits, users => scalar uniq(map { $_->[0]{user} } @visits), more_screens => keys(%screen) - @listed,
    paths => [ map { { screens => $json->decode($_), visits => $path{$_}, share => ratio($path{$_}, scalar @visits) } } @paths ],
    screens => [ map { { screen => $_, screen_line($screen{$_}, $next{$_} // {}) } } @listed ],
  };
}

sub screen_line ($about, $next) {
  my @next = ranked($next, keys %$next);
  return (map({ ($_ => $about->{$_} // 0) } qw(views steps entries exits)), drop_off => ratio($about->{exits} // 0, $about->{steps}),
    next => [ map { { screen => $_, count => $next->{$_}, share => ratio($next->{$_}, $about->{steps}) } } @next[ 0 .. min(9, $#next) ] ]);
}

# Tasks -----------------------------------------------------------------------------------------

# Where both are events of one name, one event may end a task and begin the next, but not begin and end the same.
sub follows ($start, $at, $end, $same) { return $same ? $at > $start && $at <= $end : $at >= $start && $at < $end }

sub tasks ($self, $start, $finish, $key, $within) {
  my %of;
  for my $row (grep { defined $_->{user} && (fits($start, $_) || fits($finish, $_)) } $self->{events}->@*) {
    push $of{ $json->encode([ $row->{user}, defined $key ? text($row, $key) : undef ]) }->@*, $row;
  }
  my (@seconds, %users);
  my ($starts, $same) = (0, $start->{event} eq $finish->{event});
  for my $rows (values %of) {
    my @starts = grep { fits($start, $_) } @$rows;
    for my $n (0 .. $#starts) {
      next unless $self->within($starts[$n]);
      ++$starts;
      ++$users{ $starts[$n]{user} };
      my $end = $n < $#starts ? $starts[ $n + 1 ]{at} : 9e12;
      my $finished = first { follows($starts[$n]{at}, $_->{at}, $end, $same) && $_->{at} <= $starts[$n]{at} + $within } grep { fits($finish, $_) } @$rows;
      push @seconds, $finished->{at} - $starts[$n]{at} if $finished;
    }
  }
  my $open = $starts - @seconds;
  return { starts => $starts, finished => scalar @seconds, users => scalar keys %users, not_finished => { count => $open, share => ratio($open, $starts) },
    seconds => spread(@seconds) };
}

# Pages -----------------------------------------------------------------------------------------

sub pages ($self, $at_least, $event = undef) {
  my (%of, @all);
  for my $row (named([ $event // (@screen_events, qw(web_vital web_vitals page_load)) ], $self->within($self->{events}->@*))) {
    my $duration = first { defined } map { number($row, $_) } qw(load_ms duration_ms duration value);
    next unless defined $duration;
    push @all, $duration;
    push $of{ $json->encode(screen($row)) }->@*, $duration;
  }
  my %about = map { $_ => { count => scalar $of{$_}->@*, spread($of{$_}->@*)->%* } } keys %of;
  my @slow = sort { $about{$b}{p75}{about} <=> $about{$a}{p75}{about} } grep { $about{$_}{count} >= $at_least } keys %about;
  return { all => { count => scalar @all, spread(@all)->%* }, pages => [ map { { page => $json->decode($_), $about{$_}->%* } } @slow ], more => 0,
    left_out => keys(%of) - @slow, other => undef };
}

# Rage clicks -----------------------------------------------------------------------------------

sub rage_clicks ($self, $clicks, $seconds, $event = undef) {
  my @told = qw(rage_click rage_clicked rageclick $rageclick);
  my @rows = grep { defined $_->{user} } $self->within($self->{events}->@*);
  my (%of, @found);
  my $place = sub ($row) { return [ $row->{user}, screen($row), scalar text($row, qw(element selector target $el_text id)) ] };
  push @found, map { $place->($_) } named(\@told, @rows);
  my $told = @found;
  push $of{ $json->encode($place->($_)) }->@*, $_->{at} for named([ $event // qw(click clicked $autocapture) ], @rows);
  for my $where (grep { defined $json->decode($_)->[2] } keys %of) {
    my ($goes_on, @at) = (0, $of{$where}->@*);
    for my $n ($clicks - 1 .. $#at) {
      my $angry = $at[$n] - $at[ $n - $clicks + 1 ] <= $seconds;
      push @found, $json->decode($where) if $angry && !$goes_on;
      $goes_on = $angry;
    }
  }
  return { rage_clicks => scalar @found, told => $told, bursts => @found - $told, users => scalar uniq(map { $_->[0] } @found),
    pages => rage_list([qw(page)], @found), elements => rage_list([qw(page element)], @found) };
}

sub rage_list ($names, @found) {
  my (%times, %users);
  for my $one (@found) {
    my $key = JSON::XS->new->space_after->encode([ @$one[ 1 .. @$names ] ]);
    ++$times{$key};
    $users{$key}{ $one->[0] } = 1;
  }
  my @list = ranked(\%times, keys %times);
  return [ map { my ($key, %line) = ($_); @line{@$names} = $json->decode($key)->@*; +{ %line, rage_clicks => $times{$key}, users => scalar keys $users{$key}->%* } } @list[ 0 .. min(19, $#list) ] ];
}

# Scores ----------------------------------------------------------------------------------------

sub round_1 ($number) { return int(abs($number) * 10 + 0.5 + 1e-9) / 10 * ($number < 0 ? -1 : 1) }

sub nps_of (@scores) {
  my ($n, $up, $down) = (scalar @scores, scalar(grep { $_ >= 9 } @scores), scalar(grep { $_ <= 6 } @scores));
  return { answers => $n, promoters => $up, passives => $n - $up - $down, detractors => $down, scores => [ map { my $score = $_; scalar grep { $_ == $score } @scores } 0 .. 10 ],
    score => $n ? round_1(100 * ($up - $down) / $n) : undef, margin => $n ? round_1(100 * 1.959964 * sqrt(max(0, ($up + $down) / $n - (($up - $down) / $n)**2) / $n)) : undef };
}

# The latest answer of each user, of several at one moment the lowest.
sub latest (@rows) {
  my %rows = by_user(@rows);
  return map { (sort { $b->{at} <=> $a->{at} || number($a, 'score') <=> number($b, 'score') || ($a->{version} // "\x{10ffff}") cmp ($b->{version} // "\x{10ffff}") } @$_)[0] } values %rows;
}

sub nps ($self, $event = undef) {
  my @rows = named([ $event // qw(nps nps_answered nps_score survey_answered) ], $self->within($self->{events}->@*));
  my @valid = grep { defined $_->{user} && (number($_, 'score') // -1) =~ /\A(?:[0-9]|10)\z/ } @rows;
  my @scores = latest(@valid);
  my (%version, %week);
  push $version{ $json->encode($_->{version}) }->@*, $_ for @scores;
  push $week{ start_of('week', $_->{day}) }->@*, $_ for @valid;
  my @versions = sort { $version{$b}->@* <=> $version{$a}->@* || ($a eq 'null') <=> ($b eq 'null') || $a cmp $b } keys %version;
  my $of = sub (@some) { return nps_of(map { number($_, 'score') } @some)->%* };
  return { $of->(@scores), invalid => @rows - @valid, versions => [ map { { version => $json->decode($_), $of->($version{$_}->@*) } } @versions ],
    weeks => [ map { { start => date($_), $of->(latest($week{$_}->@*)) } } sort { $a <=> $b } keys %week ] };
}

# Correlations and cohorts ----------------------------------------------------------------------

sub active_on ($self, $from, $to) {
  return uniq map { $_->{user} } grep { defined $_->{user} && $_->{day} >= $from && $_->{day} <= $to } $self->{all}->@*;
}

sub value_of ($self, $outcome, $back, $user, @rows) {
  return exists $back->{$user} ? 1 : 0 if $outcome->{retained};
  my @fits = grep { fits($outcome, $_) } @rows;
  return @fits ? 1 : 0 unless $outcome->{sum} || $outcome->{last};
  return sum0(map { number($_, $outcome->{sum}) // 0 } @fits) if $outcome->{sum};
  my ($last) = sort { $b->{at} <=> $a->{at} || number($a, $outcome->{last}) <=> number($b, $outcome->{last}) } grep { defined number($_, $outcome->{last}) } @fits;
  return $last ? number($last, $outcome->{last}) : undef;
}

sub mean (@numbers) { return ratio(sum0(@numbers), scalar @numbers) }

# Of the whole, not of a sample: divided by n.
sub spread_of (@numbers) {
  my $mean = mean(@numbers) // return;
  return mean(map { ($_ - $mean)**2 } @numbers);
}

sub correlation ($self, $feature, $outcome) {
  my %rows = by_user($self->within($self->{all}->@*));
  my %back = map { $_ => 1 } $self->active_on($self->{to} + 1, $self->{to} + ($outcome->{retained} // 0));
  my %values = (with => [], without => []);
  for my $user (keys %rows) {
    my $value = $self->value_of($outcome, \%back, $user, $rows{$user}->@*) // next;
    push $values{ (any { fits($feature, $_) } $rows{$user}->@*) ? 'with' : 'without' }->@*, $value;
  }
  my @with = $values{with}->@*;
  my @without = $values{without}->@*;
  my ($n, $whole) = (@with + @without, spread_of(@with, @without));
  my $difference = @with && @without ? mean(@with) - mean(@without) : undef;
  my $r = $n > 3 && defined $difference && $whole > 1e-12 ? max(-1, min(1, $difference * sqrt(@with * @without) / $n / sqrt $whole)) : undef;
  my $off = @with > 1 && @without > 1 ? 1.959964 * sqrt(spread_of(@with) / (@with - 1) + spread_of(@without) / (@without - 1)) : undef;
  my $z = defined $r && abs $r < 1 - 1e-12 ? log((1 + $r) / (1 - $r)) / 2 : undef;
  my $back = sub ($x) { return (exp(2 * $x) - 1) / (exp(2 * $x) + 1) };
  return { n => $n, r => $r, with => { users => scalar @with, mean => mean(@with) }, without => { users => scalar @without, mean => mean(@without) },
    difference => { value => $difference, interval => defined $off ? [ $difference - $off, $difference + $off ] : undef },
    method => $outcome->{sum} || $outcome->{last} ? 'point-biserial' : 'phi',
    interval => defined $z ? [ map { $back->($z + $_ * 1.959964 / sqrt($n - 3)) } -1, 1 ] : undef };
}

sub cohorts ($self, $rule) {
  my %rows = by_user($self->within(grep { fits($rule->{where} // {}, $_) } $self->{all}->@*));
  my $times = sub ($user, $condition) { return scalar grep { fits($condition, $_) } $rows{$user}->@* };
  my $met = sub ($user, $condition) { return $times->($user, $condition) >= ($condition->{at_least} // 1) };
  my @members = grep { my $user = $_; all { $met->($user, $_) } $rule->{did}->@* and none { $met->($user, $_) } ($rule->{not} // [])->@* } keys %rows;
  my %member = map { $_ => 1 } @members;
  my $here = sub ($from, $to) { return scalar grep { $member{$_} } $self->active_on($from, $to) };
  my @days = map { $here->($_, $_) } $self->{from} .. $self->{to};
  my @weeks = map { [ $self->{to} + 7 * $_ - 6, $here->($self->{to} + 7 * $_ - 6, $self->{to} + 7 * $_) ] } 1 .. 4;
  return {
    size => scalar @members, share => ratio(scalar @members, scalar(my @active = $self->active_on($self->{from}, $self->{to}))), active_days => ratio(sum0(@days), scalar @members),
    events => [ map { my $condition = $_; sum0(map { $times->($_, $condition) } @members) } $rule->{did}->@* ],
    days => [ map { { start => date($self->{from} + $_), active => $days[$_] } } 0 .. $#days ],
    weeks => [ map { { start => date($_->[0]), returned => $_->[1], share => ratio($_->[1], scalar @members) } } @weeks ],
  };
}

1;
