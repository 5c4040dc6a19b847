# The roll-ups equal what another program computes from the rows: random events of several tenants and zones
# around changes of clock, late, out of order, without users, with numbers of any size; before and after
# more of them come between the builder's steps.
use v5.36;

use FindBin;
use lib "$FindBin::Bin/lib";

use DBD::Pg qw(:async);
use JSON::XS ();
use PrivatePostgres;
use Test::More;
use WeirTest::RollUpOracle;

my $root    = "$FindBin::Bin/..";
my $build   = $ENV{BUILD} // 'build';
my $weirctl = ($build =~ m{^/} ? '' : "$root/") . "$build/weirctl";
-x $weirctl or BAIL_OUT("there is no $weirctl: run make");

my $seed = $ENV{ROLL_UP_SEED} // int rand 1e9;
diag "seed $seed; ROLL_UP_SEED repeats it";
srand $seed;

my $postgres = PrivatePostgres->start;
my $db = $postgres->database('weir');
my $migrated = weirctl('migrate');
is $migrated->{status}, 0, 'a database' or diag $migrated->{err};
my $dimensions = $db->selectall_arrayref('SELECT subject, event, property, by_event FROM weir.wanted_dimensions(?)', undef, 'acme');

# Clocks change in Los Angeles on 2026-03-08, in Berlin on 2026-03-29, in Havana at midnight of 2026-11-01.
my @spans = map { [ $_->[0], $_->[0] + $_->[1] * 86_400 ] } [ 1_772_800_000, 4 ], [ 1_774_620_000, 3 ], [ 1_793_400_000, 3 ];
my %zones = (acme => [ 'UTC', 'Europe/Berlin', 'America/Los_Angeles' ], other => [ 'UTC', 'America/Havana' ], tiny => ['UTC']);
my (@events, @crashes);

sub weirctl (@arguments) { return PrivatePostgres::run_command({ $postgres->env('weir') }, $weirctl, @arguments) }

# JSON::XS reads a number of 300 digits wrongly: as a text, Perl does it.
sub decoded ($json) { return JSON::XS::decode_json($json =~ s/(?<=[ \[])(-?\d{16,}(?:\.\d+)?)(?=[,\]}])/"$1"/gr) }

sub one_of (@list) { return $list[ rand @list ] }

sub moment () {
  my $span = one_of(@spans);
  return $span->[0] + int rand $span->[1] - $span->[0];
}

# [text] stands for a number, a reference to 1 or 0 for true or false.
sub properties () {
  return one_of(undef, 'text', {}) if rand() < 0.1;
  my %all = (
    browser => one_of('firefox', 'chrome', '', ['7'], { a => 1 }, \1), device => one_of('phone', undef),
    seconds => one_of(['12'], ['0.5'], ['-3'], ['0'], ['1e299'], ['1e308'], ['1e-305'], '12', \0), feature => one_of('a', 'b'),
    success => one_of(\1, \0, 'perhaps'), enabled => one_of(\1, \0, 'perhaps'), error_type => one_of('disk', 'net'), source => one_of('widget', 'window'),
  );
  delete $all{$_} for grep { rand() < 0.3 } keys %all;
  return \%all;
}

sub json ($value) {
  return 'null' if !defined $value;
  return $value->[0] if ref $value eq 'ARRAY';
  return $$value ? 'true' : 'false' if ref $value eq 'SCALAR';
  return '{' . join(',', map { json($_) . ':' . json($value->{$_}) } sort keys %$value) . '}' if ref $value eq 'HASH';
  return JSON::XS->new->allow_nonref->encode("$value");
}

sub random_event ($tenant) {
  my $user = rand() < 0.1 ? undef : 'user-' . int rand 40;
  return {
    tenant => $tenant, user => $user, at => moment(), event => one_of('opened', 'closed', 'feature_usage', 'feature_toggled', 'cli_command', ''),
    session => one_of(undef, map { "s-$_" } 1 .. 4), version => one_of('1.0', '2.0', '', undef),
    platform => one_of('linux', undef), country => one_of('DE', 'US', undef), properties => properties(),
  };
}

sub random_crash ($tenant) {
  return {
    tenant => $tenant, user => one_of(undef, 'crasher', map { "user-$_" } 1 .. 20), at => moment(), version => one_of('1.0', undef),
    os => one_of('12', undef), type => one_of('panic', 'oom', undef), fingerprint => one_of('f1', 'f2', undef),
  };
}

# As a flusher does it, or as COPY does it, without a mark.
sub store ($handle, $marks, @rows) {
  $handle->begin_work;
  for my $row (@rows) {
    exists $row->{event} ? store_event($handle, $row) : store_crash($handle, $row);
    $handle->do(q{INSERT INTO weir.touched_days (tenant_id, day) SELECT ?, (to_timestamp(?) AT TIME ZONE 'UTC')::date},
      undef, $row->@{qw(tenant at)}) if $marks;
  }
  $handle->commit;
  push @events, grep { exists $_->{event} } @rows;
  push @crashes, grep { !exists $_->{event} } @rows;
  return;
}

sub store_event ($handle, $row) {
  return $handle->do(
    'INSERT INTO weir.events (event_id, tenant_id, user_id, session_id, event, app_version, platform, country, properties,'
      . ' "timestamp", client_timestamp) SELECT gen_random_uuid(), ?, ?, ?, ?, ?, ?, ?, ?::jsonb, to_timestamp(?), to_timestamp(?)',
    undef, $row->@{qw(tenant user session event version platform country)},
    defined $row->{properties} ? json($row->{properties}) : undef, $row->{at}, $row->{at});
}

sub store_crash ($handle, $row) {
  return $handle->do(
    'INSERT INTO weir.crashes (crash_id, tenant_id, user_id, app_version, os_version, crash_type, fingerprint, "timestamp",'
      . ' client_timestamp) SELECT gen_random_uuid(), ?, ?, ?, ?, ?, ?, to_timestamp(?), to_timestamp(?)',
    undef, $row->@{qw(tenant user version os type fingerprint at at)});
}

sub random_rows ($count) {
  return map { my $tenant = one_of('acme', 'acme', 'other'); rand() < 0.15 ? random_crash($tenant) : random_event($tenant) } 1 .. $count;
}

sub step ($handle = $db) { return $handle->selectrow_hashref('SELECT * FROM weir.refresh_roll_ups()') }

sub build_all () {
  my $step;
  do { $step = step() } while $step->{state} eq 'built';
  is $step->{state}, 'idle', 'everything is built' or diag $step->{trouble};
  return;
}

sub kept ($tenant, $zone) {
  my $found = { set => {}, count => {}, number => {}, session => {} };
  my $rows = sub ($sql) { return $db->selectall_arrayref($sql, undef, $tenant, $zone)->@* };
  $found->{set}{"@$_"} = 1 for $rows->(
    'SELECT d.day, d.subject, d.value, u.user_id FROM weir.day_sets AS d JOIN weir.user_numbers AS u ON u.tenant_id = d.tenant_id'
      . ' AND u.number / 20480 = d.chunk AND get_bit(d.users, u.number % 20480) = 1 WHERE d.tenant_id = ? AND d.zone = ?');
  for my $row ($rows->('SELECT day, subject, value, hours, events FROM weir.day_counts WHERE tenant_id = ? AND zone = ?')) {
    my ($day, $subject, $value, $hours, $events) = @$row;
    $found->{count}{"$day $subject $value"} = $hours;
    my $sum = 0;
    $sum += $_ for @$hours;
    is $events, $sum, "$day $subject $value: events are those of its hours" if $events != $sum;
  }
  $found->{number}{"$_->[0] $_->[1] $_->[2]"} = join ' ', map { $_ + 0 } $_->@[ 3 .. 6 ] for $rows->(
    'SELECT day, event, property, numbers, total, lowest, highest FROM weir.day_numbers WHERE tenant_id = ? AND zone = ?');
  $found->{session}{ $_->[0] } = "$_->[1] $_->[2] " . ($_->[3] + 0) for $rows->(
    'SELECT day, sessions, crashed, seconds FROM weir.day_sessions WHERE tenant_id = ? AND zone = ?');
  return $found;
}

sub equals_the_rows ($when) {
  my $oracle = WeirTest::RollUpOracle->new(\@events, \@crashes, $dimensions);
  for my $tenant (sort keys %zones) {
    for my $zone ($zones{$tenant}->@*) {
      my ($kept, $wanted) = (kept($tenant, $zone), $oracle->figures($tenant, $zone));
      is_deeply $kept->{$_}, $wanted->{$_}, "$when: $tenant in $zone, ${_}s" for qw(set count number session);
    }
  }
  return;
}

subtest 'rows of a first batch, with their marks' => sub {
  store($db, 1, random_rows(120));
  store($db, 1, { tenant => 'tiny', user => 'only', at => 1_774_700_000, event => 'opened' });
  $db->do('SELECT weir.keep_zone(?, ?)', undef, $_->@*) for [ acme => 'Europe/Berlin' ], [ acme => 'America/Los_Angeles' ], [ other => 'America/Havana' ];
  build_all();
  equals_the_rows('after the first');
  is $db->selectrow_array('SELECT count(*) FROM weir.report_zones WHERE ready_at IS NULL'), 0, 'the zones are ready';
};

subtest 'more of them between the steps, late and out of order' => sub {
  for (1 .. 4) {
    store($db, 1, random_rows(15));
    is step()->{state}, 'built', 'a step';
  }
  build_all();
  equals_the_rows('after more');
};

subtest 'a step in whose middle rows are committed' => sub {
  my $other = $postgres->connect('weir');
  store($db, 1, random_rows(20));
  $db->begin_work;
  is step()->{state}, 'built', 'a step that is not committed';
  store($other, 1, random_rows(20));
  is step($other)->{state}, 'busy', 'nobody else builds meanwhile';
  $db->commit;
  build_all();
  equals_the_rows('after both');
};

subtest 'a step that is killed' => sub {
  store($db, 1, random_rows(20));
  my $victim = $postgres->connect('weir');
  $victim->begin_work;
  is step($victim)->{state}, 'built', 'it has done its work, and not committed';
  $db->do('SELECT pg_terminate_backend(?)', undef, $victim->{pg_pid});
  $victim->{InactiveDestroy} = 1;
  ok PrivatePostgres::wait_until(sub { step()->{state} ne 'busy' }), 'the next one goes on';
  build_all();
  equals_the_rows('after the death');
};

subtest 'a step that is killed in its middle, with a lock in its way' => sub {
  store($db, 1, random_rows(20));
  my ($victim, $holder) = map { $postgres->connect('weir') } 1 .. 2;
  my $chosen = $victim->selectrow_hashref('SELECT * FROM weir.choose_roll_up()');
  $holder->begin_work;
  $holder->do('LOCK TABLE weir.day_sessions');
  my $building = $victim->prepare('SELECT * FROM weir.build_roll_up(?, ?)', { pg_async => PG_ASYNC });
  $building->execute($chosen->@{qw(tenant_id day)});
  my $waits = q{SELECT count(*) FROM pg_locks WHERE NOT granted AND pid = ? AND relation = 'weir.day_sessions'::regclass};
  ok PrivatePostgres::wait_until(sub { $db->selectrow_array($waits, undef, $victim->{pg_pid}) }), 'its facts are made, its sessions are not';
  $db->do('SELECT pg_terminate_backend(?)', undef, $victim->{pg_pid});
  $victim->{InactiveDestroy} = 1;
  $holder->rollback;
  my $gone = 'SELECT count(*) = 0 FROM pg_stat_activity WHERE pid = ?';
  ok PrivatePostgres::wait_until(sub { $db->selectrow_array($gone, undef, $victim->{pg_pid}) }), 'it is gone';
  my ($due) = $db->selectrow_array('SELECT max(due_at) > now() FROM weir.touched_days WHERE tenant_id = ? AND day = ?', undef,
    $chosen->@{qw(tenant_id day)});
  ok $due, 'its day gives way to the others';
  build_all();
  $db->do('UPDATE weir.touched_days SET due_at = now()');
  build_all();
  equals_the_rows('after the death');
};

subtest 'a day that cannot be built does not stop the others, and is tried again' => sub {
  $db->do(q{ALTER TABLE weir.day_sessions ADD CONSTRAINT odd CHECK (tenant_id <> 'acme') NOT VALID});
  store($db, 1, random_rows(20));
  my %states;
  for (1 .. 200) {
    my $step = step();
    ++$states{ $step->{state} };
    is $step->{trouble}, '23514 in build_sessions, constraint odd', 'it says why, and quotes no row' if $step->{state} eq 'failed' && $states{failed} == 1;
    last if $step->{state} eq 'idle';
  }
  ok $states{failed} && $states{built}, 'others are built' or diag explain \%states;
  cmp_ok $db->selectrow_array('SELECT failing FROM weir.roll_up_backlog()'), '>', 0, 'the backlog says so';
  $db->do('ALTER TABLE weir.day_sessions DROP CONSTRAINT odd');
  $db->do('UPDATE weir.touched_days SET due_at = now()');
  build_all();
  equals_the_rows('after the repair');
};

sub verifies ($name) {
  my $said = weirctl('rollup', 'verify');
  is $said->{status}, 0, $name or diag "$said->{out}$said->{err}";
  like $said->{out}, qr/the roll-ups are what the rows say: \d+ parts compared\n\z/, 'it says so';
  return;
}

# What the flusher adds up by itself.
sub sums_equal_the_rows () {
  my $by = sub ($sql) { return [ map { join ' ', @$_ } $db->selectall_arrayref($sql)->@* ] };
  is_deeply $by->('SELECT tenant_id, day, user_id, events, first_at, last_at FROM weir.user_days ORDER BY 1, 2, 3'),
    $by->(q{SELECT tenant_id, date_trunc('day', "timestamp" AT TIME ZONE 'UTC')::date AS day, user_id, count(*), min("timestamp"),
      max("timestamp") FROM weir.events WHERE user_id IS NOT NULL GROUP BY 1, 2, 3 ORDER BY 1, 2, 3}), 'user_days';
  is_deeply $by->('SELECT tenant_id, user_id, first_day FROM weir.users ORDER BY 1, 2'),
    $by->(q{SELECT tenant_id, user_id, min("timestamp" AT TIME ZONE 'UTC')::date FROM weir.events WHERE user_id IS NOT NULL
      GROUP BY 1, 2 ORDER BY 1, 2}), 'users';
  is_deeply $by->(q{SELECT tenant_id, day, total FROM weir.day_measures WHERE measure = 'events' ORDER BY 1, 2}),
    $by->(q{SELECT tenant_id, ("timestamp" AT TIME ZONE 'UTC')::date AS day, count(*) FROM weir.events GROUP BY 1, 2 ORDER BY 1, 2}),
    'day_measures';
  is_deeply $by->('SELECT tenant_id, day, crashes FROM weir.crash_days ORDER BY 1, 2'),
    $by->(q{SELECT tenant_id, ("timestamp" AT TIME ZONE 'UTC')::date AS day, count(*) FROM weir.crashes GROUP BY 1, 2 ORDER BY 1, 2}),
    'crash_days';
  my $figures = 'date, total_users, active_users, new_users, total_recordings, total_minutes, total_cost_usd, crash_count, crash_rate';
  is_deeply $by->("SELECT t, ROW($figures)::text FROM unnest('{acme,other,tiny}'::text[]) AS t, weir.daily_figures(t, '2026-01-01', '2026-12-31') ORDER BY t, date"),
    $by->("SELECT tenant_id, ROW($figures)::text FROM weir.user_stats WHERE tenant_id IN ('acme', 'other', 'tiny') AND date >= '2026-01-01'
      ORDER BY tenant_id, date"),
    'the figures of each day';
  return;
}

subtest 'rebuild makes everything of rows that came by COPY' => sub {
  store($db, 0, random_rows(60));
  my $before = weirctl('rollup', 'verify');
  is $before->{status}, 1, 'verify sees that they are not counted';
  like $before->{out}, qr/^differs: day_\w+ acme \S+ 2026-/m, 'and names what differs';
  like $before->{err}, qr/differences between rows and roll-ups: `weirctl rollup rebuild`/, 'and the remedy';
  my $rebuilt = weirctl('rollup', 'rebuild');
  is $rebuilt->{status}, 0, 'rebuild' or diag $rebuilt->{err};
  like $rebuilt->{out}, qr/\A\d+ days rebuilt\n\z/, 'says what it did';
  build_all();
  equals_the_rows('after the rebuild');
  sums_equal_the_rows();
  verifies('and verify agrees');
};

subtest 'a rebuild that was left in the middle is finished by the builder' => sub {
  store($db, 0, random_rows(50));
  is $db->do('SELECT * FROM weir.begin_rebuild(NULL, false)') > 0, 1, 'it has begun';
  is step()->{state}, 'idle', 'the builder leaves it to whoever began';
  like weirctl('rollup', 'status')->{out}, qr/of them those of a rebuild/, 'status says so';
  $db->do('UPDATE weir.touched_days SET due_at = now()');    # the hour is over
  build_all();
  equals_the_rows('after the builder');
  is weirctl('rollup', 'rebuild')->{status}, 0, "the flusher's sums want the rebuild";
  verifies('then all is well');
};

subtest 'what is wrong is found, whatever it is' => sub {
  my %harm = (
    day_sets => 'UPDATE weir.day_sets SET users = set_bit(users, 20000, 1) WHERE ctid = (SELECT max(ctid) FROM weir.day_sets)',
    week_sets => 'UPDATE weir.week_sets SET users = set_bit(users, 20001, 1) WHERE ctid = (SELECT max(ctid) FROM weir.week_sets)',
    day_first_uses => 'DELETE FROM weir.day_first_uses WHERE ctid = (SELECT max(ctid) FROM weir.day_first_uses)',
    toggle_sets => 'DELETE FROM weir.toggle_sets WHERE ctid = (SELECT max(ctid) FROM weir.toggle_sets)',
    day_counts => 'DELETE FROM weir.day_counts WHERE ctid = (SELECT max(ctid) FROM weir.day_counts)',
    day_numbers => 'UPDATE weir.day_numbers SET total = total + 1 WHERE ctid = (SELECT max(ctid) FROM weir.day_numbers)',
    day_sessions => 'UPDATE weir.day_sessions SET crashed = crashed + 1 WHERE ctid = (SELECT max(ctid) FROM weir.day_sessions)',
    day_command_sessions => 'UPDATE weir.day_command_sessions SET sessions = sessions + 1 WHERE ctid = (SELECT max(ctid) FROM weir.day_command_sessions)',
    day_crash_groups => 'UPDATE weir.day_crash_groups SET crashes = crashes + 1 WHERE ctid = (SELECT max(ctid) FROM weir.day_crash_groups)',
    packs => q{UPDATE weir.packs SET moments[1] = moments[1] + interval '1 s' WHERE ctid = (SELECT max(p.ctid) FROM weir.packs AS p JOIN weir.packed_days USING (tenant_id, day)
      WHERE NOT weir.is_made(p.event) AND p.event <> ALL (weir.page_events() || weir.click_events()))},
    user_days => 'UPDATE weir.user_days SET events = events + 0, last_at = last_at + interval \'1 s\' WHERE ctid = (SELECT max(ctid) FROM weir.user_days)',
    day_measures => 'UPDATE weir.day_measures SET total = total + 1 WHERE ctid = (SELECT max(ctid) FROM weir.day_measures)',
    crash_days => 'DELETE FROM weir.crash_days WHERE ctid = (SELECT max(ctid) FROM weir.crash_days)',
    users => 'UPDATE weir.users SET first_day = first_day - 1 WHERE ctid = (SELECT max(ctid) FROM weir.users)',
    user_numbers => q{UPDATE weir.user_numbers SET first_at = first_at - interval '1 s' WHERE ctid = (SELECT max(ctid) FROM weir.user_numbers WHERE first_at IS NOT NULL)},
  );
  is $db->do($harm{$_}), 1, "$_ is harmed" for sort keys %harm;
  $db->do(q{UPDATE weir.user_numbers SET first_crash_at = first_crash_at - interval '1 s' WHERE ctid = (SELECT max(ctid) FROM weir.user_numbers WHERE first_crash_at IS NOT NULL)});
  my $said = weirctl('rollup', 'verify');
  is $said->{status}, 1, 'verify exits with 1';
  like $said->{out}, qr/^differs: $_ /m, "and names $_" for sort keys %harm;
  my @unsaid = grep { / kept (.+), by the rows (.+?)(: what differs is not shown)?$/ && ($1 eq $2) != defined $3 } split /\n/, $said->{out};
  is_deeply \@unsaid, [], 'and says so where both read alike';
  like $said->{out}, qr/^differs: packs .*kept (.+), by the rows \1: what differs is not shown$/m, 'as of packs';
  like $said->{out}, qr/^differs: user_numbers .*first crash/m, 'and of user_numbers the earliest crash, too';
  is weirctl('rollup', 'rebuild')->{status}, 0, 'rebuild';
  build_all();
  verifies('mends it all');
  equals_the_rows('after all');
};

subtest 'figures of users equal the rows, whether the zone is kept or not, and whatever the window' => sub {
  my $oracle = WeirTest::RollUpOracle->new(\@events, \@crashes, $dimensions);
  for my $zone ('UTC', 'Europe/Berlin', 'Asia/Tokyo', 'America/St_Johns') {
    for my $window ([ '2026-03-06', '2026-03-31' ], [ '2026-03-08', '2026-03-08' ], [ '2026-03-28', '2026-03-29' ]) {
      my $answer = JSON::XS::decode_json($db->selectrow_array('SELECT weir.users_answer(?, ?, ?, ?)', undef, 'acme', @$window, $zone));
      my %found = (events => $answer->{engagement}{events}, map { ($_ => $answer->{$_}) } qw(total active new churned active_1 active_7 active_30));
      $found{$_} = "$answer->{retention}{$_}{new} $answer->{retention}{$_}{returned}" for qw(day_1 day_7);
      is_deeply \%found, $oracle->users('acme', $zone, map { WeirTest::RollUpOracle::number_of_day($_) } @$window), "@$window in $zone";
    }
  }
};

# As the oracle has them.
sub list_of ($list, $name, $count) { return [ sort map { "$_->{$name} $_->{$count} $_->{users}" } @$list ] }

subtest 'so do those of crashes, audience and costs' => sub {
  my $oracle = WeirTest::RollUpOracle->new(\@events, \@crashes, $dimensions);
  $db->begin_work;
  $db->do(q{INSERT INTO weir.measures (tenant_id, measure, event, property) VALUES ('acme', 'odd', 'opened', 'seconds')});
  for my $zone ('UTC', 'America/Los_Angeles', 'Asia/Tokyo') {
    for my $window ([ '2026-03-06', '2026-03-31' ], [ '2026-03-08', '2026-03-08' ]) {
      my @asked = ('acme', $zone, map { WeirTest::RollUpOracle::number_of_day($_) } @$window);
      my $answer = sub ($what, @more) {
        return decoded($db->selectrow_array("SELECT weir.${what}_answer(" . join(', ', ('?') x (4 + @more)) . ')', undef, 'acme', @$window, $zone, @more));
      };
      my $crashes = $answer->('crashes');
      my %found = (map({ ($_ => $crashes->{$_}) } qw(crashes crashed_users)), map({ ($_ => $crashes->{crash_free_users}{$_}) } qw(active crash_free)),
        versions => list_of($crashes->{versions}, version => 'crashes'), systems => list_of($crashes->{systems}, os => 'crashes'),
        types => list_of($crashes->{types}, type => 'crashes'), groups => list_of($crashes->{groups}, group => 'crashes'),
        sessions => $crashes->{crash_free_sessions}{sessions},
        crashed_sessions => $crashes->{crash_free_sessions}{sessions} - $crashes->{crash_free_sessions}{crash_free},
        first => $crashes->{first_crash}{users}, without => $crashes->{first_crash}{without});
      is_deeply \%found, $oracle->crashes(@asked), "crashes: @$window in $zone";
      my $audience = $answer->('audience');
      is_deeply list_of($audience->{$_->[0]}, $_->[1], 'events'), $oracle->audience($_->[1], @asked), "$_->[0]: @$window in $zone"
        for [ versions => 'version' ], [ platforms => 'platform' ], [ countries => 'country' ];
      my ($total, $sum) = map { sprintf '%.9g', $_ } $answer->(costs => 'odd')->{total}, $oracle->sum_of(opened => 'seconds', @asked);
      is $total, $sum, "a measure: @$window in $zone";
    }
  }
  $db->rollback;
};

subtest 'so do those of usage and features' => sub {
  my $oracle = WeirTest::RollUpOracle->new(\@events, \@crashes, $dimensions);
  for my $zone ('UTC', 'America/Los_Angeles', 'Asia/Tokyo') {
    for my $window ([ '2026-03-06', '2026-03-31' ], [ '2026-03-08', '2026-03-08' ]) {
      my @asked = ('acme', $zone, map { WeirTest::RollUpOracle::number_of_day($_) } @$window);
      my $answer = sub ($what, @more) {
        return decoded($db->selectrow_array("SELECT weir.${what}_answer(" . join(', ', ('?') x (4 + @more)) . ')', undef, 'acme', @$window, $zone, @more));
      };
      for my $event (undef, 'opened', 'feature_usage') {
        my $usage = $answer->(usage => $event, 'seconds');
        my %found = (map({ ($_ => $usage->{$_}) } qw(count users)), sessions => $usage->{sessions}{count},
          success => "$usage->{success}{yes} $usage->{success}{no}", errors => list_of($usage->{errors}{values}, value => 'events'),
          numbers => join ' ', $usage->{numbers}{count}, map { sprintf '%.9g', $usage->{numbers}{$_} // 0 } qw(total lowest highest));
        is_deeply \%found, $oracle->usage($event, @asked), 'usage of ' . ($event // 'all') . ": @$window in $zone";
      }
      my $features = $answer->('features');
      my %found = (features => [ sort map { join ' ', $_->@{qw(feature events users)}, $_->{days_to_first_use} // '' } $features->{features}->@* ],
        split => list_of($features->{split}{values}, value => 'events'), unused => $features->{unused}, days_active => $features->{days_active}{users});
      is_deeply \%found, $oracle->features(@asked), "features: @$window in $zone";
    }
  }
};

subtest 'so do the key figures all at once' => sub {
  my $oracle = WeirTest::RollUpOracle->new(\@events, \@crashes, $dimensions);
  $db->begin_work;
  $db->do(q{INSERT INTO weir.measures (tenant_id, measure, event, property) VALUES ('acme', 'recordings', 'closed', NULL), ('acme', 'seconds', 'opened', 'seconds')});
  for my $zone ('UTC', 'America/Los_Angeles', 'Europe/Berlin') {
    for my $window ([ '2026-03-06', '2026-03-31' ], [ '2026-03-08', '2026-03-08' ], [ '2026-03-01', '2026-11-02' ]) {
      my $said = decoded($db->selectrow_array('SELECT weir.stats_answer(?, ?, ?, ?)', undef, 'acme', @$window, $zone));
      my ($users, $crashes, $features, $success) = ($said->@{qw(users crashes features)}, $said->{performance}{success_rate});
      my %found = (map({ ($_ => $users->{$_}) } qw(total active new churned active_1 active_7 active_30 power regular casual)),
        map({ ($_ => "$users->{retention}{$_}{new} $users->{retention}{$_}{returned}") } qw(day_1 day_7)),
        events => $said->{usage}{events}, recordings => $said->{total_recordings},
        success => "$success->{yes} $success->{no}", sessions => $said->{usage}{sessions}{sessions},
        map({ ($_ => $crashes->{$_}) } qw(crashes crashed_users)), crash_free => $crashes->{crash_free_users}{crash_free},
        crashed_sessions => $crashes->{crash_free_sessions}{sessions} - $crashes->{crash_free_sessions}{crash_free},
        map({ ("${_}" => list_of($said->{$_}, $_ eq 'countries' ? 'country' : s/s\z//r, 'events')) } qw(versions platforms countries)),
        features => list_of($features->{features}, feature => 'events'), unused => $features->{unused});
      $found{failed} = 0;
      $found{failed} += $_->{events} for $said->{performance}{errors}->@*;
      $found{$_->[0]} = $_->[1]{users} . ' ' . (defined $_->[1]{mean_days} ? sprintf '%.6f', $_->[1]{mean_days} : '')
        for [ first_use => $features->{first_use} ], [ first_crash => $crashes->{first_crash} ];
      my $wanted = $oracle->stats('acme', $zone, map { WeirTest::RollUpOracle::number_of_day($_) } @$window);
      my $minutes = delete($wanted->{seconds}) / 60;
      # Six places are said, and the oracle adds floating-point numbers.
      cmp_ok abs($said->{total_minutes} - $minutes), '<', 1e-6 + 1e-9 * abs $minutes, "minutes: @$window in $zone";
      is_deeply \%found, $wanted, "@$window in $zone";
    }
  }
  $db->rollback;
};

subtest 'figures of rows that are gone stay, unless they are to be forgotten' => sub {
  my $day = $db->selectrow_array(q{SELECT min(day) FROM weir.day_counts WHERE tenant_id = 'acme' AND zone = 'UTC' AND day > '2026-03-07'});
  my %before_zone = map { $_ => kept('acme', $_) } 'UTC', 'America/Los_Angeles';
  my $kept = $before_zone{UTC};
  my $users = $db->selectall_arrayref('SELECT * FROM weir.user_days ORDER BY 1, 2, 3');
  $db->do(q{DELETE FROM weir.events WHERE tenant_id = 'acme' AND ("timestamp" AT TIME ZONE 'UTC')::date = ?}, undef, $day);
  @events = grep { $_->{tenant} ne 'acme' || (WeirTest::RollUpOracle::on_clock('UTC', $_->{at}))[0] ne $day } @events;
  like weirctl('rollup', 'verify')->{out}, qr/parts not compared: rows of theirs are gone/, 'verify does not mind';
  like weirctl('rollup', 'rebuild')->{out}, qr/kept figures of rows that are gone/, 'nor does rebuild';
  build_all();
  my $late = { tenant => 'acme', user => 'late', at => $events[0]{at}, event => 'opened' };
  store($db, 1, $late);
  build_all();
  is_deeply { map { $_ => 1 } grep { /^$day/ } keys kept('acme', 'UTC')->{count}->%* }, { map { $_ => 1 } grep { /^$day/ } keys $kept->{count}->%* },
    'the day has what it had';
  my $again = { tenant => 'acme', user => 'user-1', at => 86_400 * WeirTest::RollUpOracle::number_of_day($day) + 3600, event => 'opened', session => 's-1' };
  store($db, 1, $again) for 1 .. 2;
  build_all();
  for my $zone ('UTC', 'America/Los_Angeles') {
    my ($was, $is) = ($before_zone{$zone}{session}, kept('acme', $zone)->{session});
    my $next = $db->selectrow_array('SELECT ?::date + 1', undef, $day);
    is $is->{$_} // '', $was->{$_} // '', "sessions of $_ in $zone neither begin again nor end early" for $day, $next;
  }
  is kept('acme', 'UTC')->{count}{"$day active "}->@*, 24, 'rows that come late for it do not replace it';
  is_deeply kept('acme', 'UTC')->{count}{"$day active "}, $kept->{count}{"$day active "}, 'its hours are what they were';
  is $db->selectrow_array('SELECT weir.why_incomplete(?, ?, ?, ?)', undef, 'acme', 'UTC', $day, $day),
    'rows came late for days whose rows were dropped: they are not counted, but their users are among all and, on their first day, new ones', 'and why figures are not exact can be asked';
  is_deeply [ grep { $_->[1] ne 'late' } $db->selectall_arrayref('SELECT * FROM weir.user_days ORDER BY 1, 2, 3')->@* ], $users, 'and its users';
  is weirctl('rollup', 'rebuild', '--forget')->{status}, 0, 'rebuild --forget';
  is weirctl('rollup', 'rebuild')->{status}, 0, 'and the sums of the late one, which came by no flusher';
  build_all();
  equals_the_rows('after forgetting');
  sums_equal_the_rows();
};

subtest 'zones' => sub {
  my $bad = weirctl('rollup', 'zones', '--tenant', 'acme', '--add', 'Europe/Nowhere');
  is $bad->{status}, 1, 'a zone that is none is refused';
  like $bad->{err}, qr{Europe/Nowhere is no time zone that PostgreSQL knows: Give a name such as}, 'with a sentence';
  is weirctl('rollup', 'zones', '--tenant', 'other', '--add', 'Asia/Kolkata')->{status}, 0, 'one is added';
  like weirctl('rollup', 'zones')->{out}, qr{^other Asia/Kolkata \(being built\)$}m, 'and is being built';
  is weirctl('rollup', 'refresh', '--tenant', 'other')->{status}, 0, 'refresh builds it';
  like weirctl('rollup', 'zones')->{out}, qr{^other Asia/Kolkata$}m, 'then it is ready';
  push $zones{other}->@*, 'Asia/Kolkata';
  equals_the_rows('with a zone that was added later');
  is weirctl('rollup', 'zones', '--tenant', 'other', '--drop', 'Asia/Kolkata')->{status}, 0, 'and dropped';
  is $db->selectrow_array(q{SELECT count(*) FROM weir.day_counts WHERE zone = 'Asia/Kolkata'}), 0, 'nothing of it is left';
  is weirctl('rollup', 'zones', '--tenant', 'other', '--drop', 'Asia/Kolkata')->{status}, 1, 'which works once';
};

subtest 'a client that invents names and values costs no more than the bound' => sub {
  $db->do(q{INSERT INTO weir.events (event_id, tenant_id, user_id, event, app_version, "timestamp", properties)
    SELECT gen_random_uuid(), 'wild', 'u' || n % 100, 'name-' || n, repeat('v', 300) || n % 2, '2026-03-29T12:00Z',
      jsonb_build_object('browser', 'b' || n, 'p' || n, n) FROM generate_series(1, 3000) AS n});
  $db->do(q{INSERT INTO weir.touched_days (tenant_id, day) VALUES ('wild', '2026-03-29')});
  build_all();
  my $of = sub ($what) { return $db->selectrow_array("SELECT count(*), sum(events) FROM weir.day_counts WHERE tenant_id = 'wild' AND subject = ?", undef, $what) };
  is_deeply [ $of->('event') ], [ 1000, 1000 ], 'a thousand names';
  is_deeply [ $of->('event_other') ], [ 1, 2000 ], 'and the others together';
  is_deeply [ $of->('browser_other') ], [ 1, 2000 ], 'values of dimensions likewise';
  is_deeply [ $of->('version') ], [ 1, 3000 ], 'values are cut after 256 characters';
  is $db->selectrow_array(q{SELECT sum(bit_count(users)) FROM weir.day_sets WHERE tenant_id = 'wild' AND subject = 'event_other'}), 100, 'with their users';
  is $db->selectrow_array(q{SELECT count(*) FROM weir.day_numbers WHERE tenant_id = 'wild'}), 1000, 'numbers are a thousand';
};

subtest 'percentiles of the histograms are off by one in a hundred at most' => sub {
  my $worst = $db->selectrow_array(q{SELECT max(abs(weir.value_of_slot(weir.slot_of(v)) / v::float8 - 1)) FROM (
    SELECT (CASE n % 2 WHEN 0 THEN 1 ELSE -1 END * 10 ^ (n / 10.0 - 290))::numeric AS v FROM generate_series(0, 5800) AS n) AS x WHERE v <> 0});
  cmp_ok $worst, '<=', 0.0101, 'for numbers of any size';
};

done_testing;
