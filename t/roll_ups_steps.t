# Which day is built when, and what a step leaves behind that does not end well: tenants take turns, a day that kills
# its session gives way, refresh ends, a flusher of before is seen, rows that are gone stay counted.
use v5.36;

use FindBin;
use lib "$FindBin::Bin/lib";

use DBD::Pg qw(:async);
use File::Copy qw(copy);
use File::Path qw(make_path);
use File::Temp qw(tempdir);
use PrivatePostgres;
use Test::More;

my $root    = "$FindBin::Bin/..";
my $build   = $ENV{BUILD} // 'build';
my $weirctl = ($build =~ m{^/} ? '' : "$root/") . "$build/weirctl";
-x $weirctl or BAIL_OUT("there is no $weirctl: run make");

my $postgres = PrivatePostgres->start;
my $db = $postgres->database('weir');
my $migrated = weirctl('migrate');
is $migrated->{status}, 0, 'a database' or diag $migrated->{err};

sub weirctl (@arguments) { return PrivatePostgres::run_command({ $postgres->env('weir') }, $weirctl, @arguments) }

sub value ($sql, @values) { return scalar $db->selectrow_array($sql, undef, @values) }

sub mark ($tenant, @days) {
  $db->do('INSERT INTO weir.touched_days (tenant_id, day) VALUES (?, ?)', undef, $tenant, $_) for @days;
  return;
}

# Each [user, time, session]; as by COPY.
sub store ($tenant, @rows) {
  $db->do('INSERT INTO weir.events (event_id, tenant_id, user_id, session_id, event, properties, "timestamp", client_timestamp)'
      . q{ VALUES (gen_random_uuid(), ?, ?, ?, 'opened', '{"browser": "firefox"}', ?, ?)}, undef, $tenant, @$_[ 0, 2, 1, 1 ]) for @rows;
  return;
}

sub step () { return $db->selectrow_hashref('SELECT * FROM weir.refresh_roll_ups()') }

sub build_all () {
  my $step;
  do { $step = step() } while $step->{state} eq 'built';
  is $step->{state}, 'idle', 'everything is built' or diag $step->{trouble};
  return;
}

sub counted ($tenant, $day, $subject = 'active', $value = '') {
  return value(q{SELECT events FROM weir.day_counts WHERE tenant_id = ? AND zone = 'UTC' AND day = ? AND subject = ? AND value = ?},
    $tenant, $day, $subject, $value) // 0;
}

sub waits_for ($relation) {
  ok PrivatePostgres::wait_until(sub { value('SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = ?::regclass', $relation) }),
    "it waits for $relation";
  return;
}

subtest 'tenants take turns, and of one the newest day and the one that waits longest' => sub {
  $db->do(q{INSERT INTO weir.touched_days (tenant_id, day, added_at)
    SELECT 'many', DATE '2026-01-01' + n, now() - interval '2 hours' + n * interval '1 second' FROM generate_series(0, 199) AS n});
  mark('few', '2026-03-01');
  mark('some', '2026-03-01', '2026-03-02');
  my @steps = map { step() } 1 .. 6;
  is_deeply [ map { $_->{tenant_id} } @steps ], [qw(few many some many some many)], 'nobody waits for the one with many';
  is_deeply [ map { $_->{day} } grep { $_->{tenant_id} eq 'many' } @steps ], [ '2026-07-19', '2026-01-01', '2026-07-18' ], 'newest and oldest in turn';
  build_all();
};

subtest 'a step that is cancelled gives way to the others, and a new mark does not hurry it' => sub {
  mark('cancelled', '2026-03-01', '2026-03-02');
  my ($other, $holder) = map { $postgres->connect('weir') } 1 .. 2;
  my $chosen = $other->selectrow_hashref('SELECT * FROM weir.choose_roll_up()');
  is $chosen->{day}, '2026-03-02', 'a day is chosen';
  $holder->begin_work;
  $holder->do('LOCK TABLE weir.user_numbers');
  $other->do(q{SET statement_timeout = '100ms'});
  ok !eval { $other->do('SELECT * FROM weir.build_roll_up(?, ?)', undef, $chosen->@{qw(tenant_id day)}) }, 'its build is cancelled';
  is $other->state, '57014', 'as whoever builds hears';
  $holder->rollback;
  mark('cancelled', '2026-03-02');
  is step()->{day}, '2026-03-01', 'the next one is another';
  is step()->{state}, 'idle', 'and the one that was cancelled waits';
  $db->do('UPDATE weir.touched_days SET due_at = now()');
  $other->do('SELECT * FROM weir.choose_roll_up()');
  is value('SELECT failing FROM weir.roll_up_backlog()'), 1, 'once it has been tried twice, status counts it';
  cmp_ok value(q{SELECT extract(epoch FROM max(due_at) - now()) FROM weir.touched_days}), '>', 90, 'it waits longer each time';
  $db->do('UPDATE weir.touched_days SET due_at = now()');
  build_all();
};

subtest 'refresh builds what was marked when it began, and ends' => sub {
  mark('busy', '2026-03-01');
  my $holder = $postgres->connect('weir');
  $holder->begin_work;
  $holder->do('LOCK TABLE weir.user_numbers');
  my $folder = tempdir(CLEANUP => 1);
  my $pid = PrivatePostgres::start_command({ $postgres->env('weir') }, "$folder/out", "$folder/err", $weirctl, 'rollup', 'refresh');
  waits_for('weir.user_numbers');
  mark('busy', map { "2026-04-0$_" } 1 .. 9);
  $holder->rollback;
  is PrivatePostgres::finish_command($pid), 0, 'it ends';
  is PrivatePostgres::slurp("$folder/out"), "1 day built; 9 still marked: their rows came meanwhile, or they cannot be built\n", 'after the one, and says what is left';
  is value(q{SELECT count(*) FROM weir.touched_days WHERE tenant_id = 'busy'}), 9, 'the others are left to who builds';
  build_all();
};

subtest 'how old what waits is can be seen while none of it is due' => sub {
  store('aged', [ 'ann', '2026-03-01T10:00Z', undef ]);
  $db->do(q{SELECT * FROM weir.begin_rebuild('aged', false)});
  my ($age, $oldest) = $db->selectrow_array('SELECT oldest_age, oldest FROM weir.roll_up_backlog()');
  cmp_ok $age, '>', 0, 'a rebuild that nobody goes on with has an age';
  is $oldest, '-infinity', 'and is one';
  my @found = map { $_->{part} } $db->selectall_array(q{SELECT part FROM weir.verify_users('aged')}, { Slice => {} });
  is_deeply \@found, ['marked'], 'verify does not take for a difference what is still to be built';
  is weirctl('rollup', 'rebuild', '--tenant', 'aged', '--sessions', 3)->{status}, 0, 'it can be run again, with more sessions than days';
  is_deeply $db->selectall_arrayref(q{SELECT part FROM weir.verify_users('aged')}), [], 'then all is well';
};

subtest 'one property through two rows of dimensions counts once' => sub {
  $db->do(q{INSERT INTO weir.dimensions (subject, event, property) VALUES ('browser', 'opened', 'browser')});
  store('twice', [ 'ann', '2026-03-01T10:00Z', undef ]);
  mark('twice', '2026-03-01');
  build_all();
  is counted('twice', '2026-03-01', browser => 'firefox'), 1, 'one browser';
  $db->do(q{DELETE FROM weir.dimensions WHERE subject = 'browser' AND event = 'opened'});
};

subtest 'a client that never changes its session_id holds nobody up' => sub {
  $db->do(q{INSERT INTO weir.events (event_id, tenant_id, user_id, session_id, event, "timestamp", client_timestamp)
    SELECT gen_random_uuid(), 'steady', 'u' || n, 's', 'opened', at, at
    FROM generate_series(1, 8000) AS n, generate_series(timestamptz '2026-03-01T10:00Z', '2026-03-03T10:00Z', '1 day') AS at});
  mark('steady', '2026-03-02');
  my $begun = time;
  build_all();
  cmp_ok time - $begun, '<', 60, 'its day is built soon';
  is value(q{SELECT sessions FROM weir.day_sessions WHERE tenant_id = 'steady' AND day = '2026-03-02'}), 8000, 'with the sessions of the day';
};

subtest 'figures of recent days follow the rows, however few are left' => sub {
  my $today = value(q{SELECT (now() AT TIME ZONE 'UTC')::date});
  store('recent', map { [ $_, "${today}T00:00Z", undef ] } qw(ann ben cat dan));
  store('recent', map { [ $_, '2026-03-01T10:00Z', undef ] } qw(ann ben cat dan));
  mark('recent', $today, '2026-03-01');
  build_all();
  $db->do(q{DELETE FROM weir.events WHERE tenant_id = 'recent' AND user_id IN ('ann', 'ben', 'cat') AND "timestamp" > '2026-04-01'});
  $db->do(q{DELETE FROM weir.events WHERE tenant_id = 'recent' AND user_id = 'ann'});
  mark('recent', $today, '2026-03-01');
  build_all();
  is counted('recent', $today), 1, 'today has one left of four';
  is counted('recent', '2026-03-01'), 3, 'so does an old day of which a user was erased';
  $db->do(q{DELETE FROM weir.events WHERE tenant_id = 'recent' AND "timestamp" < '2026-04-01'});
  $db->do('SELECT weir.note_gone_days()');
  store('recent', map { [ "late-$_", '2026-03-01T11:00Z', undef ] } 1 .. 9);
  mark('recent', '2026-03-01');
  build_all();
  is counted('recent', '2026-03-01'), 3, 'where all rows went, what is counted stays, however many come late';
};

subtest 'a zone that is kept after rows were dropped says so' => sub {
  my $why = sub ($zone, @days) { return value('SELECT weir.why_incomplete(?, ?, ?, ?)', 'gone', $zone, @days) };
  store('gone', map { [ 'ann', "2026-03-0${_}T10:00Z", undef ] } 1 .. 4);
  mark('gone', map { "2026-03-0$_" } 1 .. 4);
  build_all();
  $db->do(q{DELETE FROM weir.events WHERE tenant_id = 'gone' AND "timestamp" < '2026-03-03'});
  is weirctl('rollup', 'zones', '--tenant', 'gone', '--add', 'Asia/Tokyo')->{status}, 0, 'a zone is added';
  build_all();
  is $why->('Asia/Tokyo', '2026-03-01', '2026-03-09'), 'rows of some days were dropped before the zone was kept', 'it cannot know them';
  is $why->('Asia/Tokyo', '2026-03-04', '2026-03-09'), undef, 'it knows the others';
  is $why->('Europe/Berlin', '2026-03-01', '2026-03-09'), 'the zone is not kept, and rows of some days were dropped', 'one that is not kept neither';
  is $why->('UTC', '2026-03-01', '2026-03-09'), undef, 'UTC counted them in time';
};

subtest 'a zone that is added while a day is being built has that day too' => sub {
  store('raced', [ 'ann', '2026-03-05T10:00Z', undef ]);
  mark('raced', '2026-03-05');
  my ($builder, $adder) = map { $postgres->connect('weir') } 1 .. 2;
  $builder->begin_work;
  is $builder->selectrow_array('SELECT state FROM weir.refresh_roll_ups()'), 'built', 'a step that is not committed';
  $adder->do(q{SELECT weir.keep_zone('raced', 'Europe/Berlin')}, { pg_async => PG_ASYNC });
  my $waits = q{SELECT count(*) FROM pg_locks WHERE NOT granted AND locktype = 'advisory' AND pid = ?};
  ok PrivatePostgres::wait_until(sub { value($waits, $adder->{pg_pid}) }), 'who adds the zone waits for it';
  $builder->commit;
  is $adder->pg_result, 1, 'and then adds it';
  build_all();
  is value(q{SELECT events FROM weir.day_counts WHERE tenant_id = 'raced' AND zone = 'Europe/Berlin' AND subject = 'active'}), 1, 'with the day';
  ok value(q{SELECT ready_at IS NOT NULL FROM weir.report_zones WHERE tenant_id = 'raced'}), 'and is ready';
};

# As a flusher adds them up.
sub add_up ($tenant) {
  $db->do(q{INSERT INTO weir.user_days (tenant_id, user_id, day, events, first_at, last_at)
    SELECT tenant_id, user_id, ("timestamp" AT TIME ZONE 'UTC')::date, count(*), min("timestamp"), max("timestamp")
    FROM weir.events WHERE tenant_id = ? GROUP BY 1, 2, 3}, undef, $tenant);
  $db->do('INSERT INTO weir.users SELECT tenant_id, user_id, min(day) FROM weir.user_days WHERE tenant_id = ? GROUP BY 1, 2', undef, $tenant);
  return;
}

subtest 'each of many days is built once, though all have the same users' => sub {
  my @days = map { value(q{SELECT DATE '2026-03-01' + ?::integer}, $_) } 0 .. 19;
  store('loyal', map { my $n = $_; map { [ "user-$_", "$days[$n]T10:00Z", undef ] } grep { $_ <= $n } 0 .. 9 } 0 .. 19);
  add_up('loyal');
  mark('loyal', @days);
  my $said = weirctl('rollup', 'refresh', '--tenant', 'loyal');
  is $said->{out}, "20 days built\n", 'as many steps as days';
  is value(q{SELECT count(*) FROM weir.touched_days WHERE tenant_id = 'loyal'}), 0, 'nothing is left to build';
  is_deeply $db->selectcol_arrayref(q{SELECT events FROM weir.day_counts WHERE tenant_id = 'loyal' AND subject = 'new' ORDER BY day}),
    [ (1) x 10 ], 'each user is new on one day, the first of theirs';
  is_deeply $db->selectall_arrayref(q{SELECT part FROM weir.verify_users('loyal')}), [], 'as user_days have it';
  store('loyal', [ 'user-0', '2026-02-20T10:00Z', undef ]);
  $db->do(q{INSERT INTO weir.user_days VALUES ('loyal', 'user-0', '2026-02-20', 1, '2026-02-20T10:00Z', '2026-02-20T10:00Z')});
  mark('loyal', '2026-02-20');
  is weirctl('rollup', 'refresh', '--tenant', 'loyal')->{out}, "2 days built\n", 'a late event has the former first day built, too';
  is value(q{SELECT min(day) FROM weir.day_counts WHERE tenant_id = 'loyal' AND subject = 'new'}), '2026-02-20', 'where the user was new';
  is counted('loyal', '2026-03-01', 'new'), 0, 'and is no more';
};

subtest 'a day that gets a new user by the build of another one is built, too' => sub {
  store('regained', [ 'ann', '2026-03-02T10:00Z', undef ]);
  $db->do(q{INSERT INTO weir.user_days VALUES ('regained', 'ann', '2026-03-01', 1, '2026-03-01T10:00Z', '2026-03-01T10:00Z')});
  mark('regained', '2026-03-02');
  build_all();
  is counted('regained', '2026-03-01', 'new'), 1, 'a first day of which the rows are gone';
  is counted('regained', '2026-03-02', 'new'), 0, 'and on the one that has rows nobody is new';
};

# Rows by COPY -------------------------------------------------------------------------------------

subtest 'a refresh that is ended leaves nobody building' => sub {
  store('ended', [ 'ann', '2026-03-01T10:00Z', undef ]);
  mark('ended', '2026-03-01');
  my $holder = $postgres->connect('weir');
  $holder->begin_work;
  $holder->do('LOCK TABLE weir.day_sessions');
  my $folder = tempdir(CLEANUP => 1);
  my $pid = PrivatePostgres::start_command({ $postgres->env('weir') }, "$folder/out", "$folder/err", $weirctl, qw(rollup refresh --tenant ended));
  waits_for('weir.day_sessions');
  kill TERM => $pid;
  is PrivatePostgres::finish_command($pid), 128 + 15, 'it ends';
  my $sessions = q{SELECT count(*) FROM pg_stat_activity WHERE application_name = 'weirctl'};
  ok PrivatePostgres::wait_until(sub { value($sessions) == 0 }, 30), 'and so does what PostgreSQL did for it';
  $holder->rollback;
  $db->do(q{UPDATE weir.touched_days SET due_at = now() WHERE tenant_id = 'ended'});
  build_all();
  is counted('ended', '2026-03-01'), 1, 'its day stays marked, and is built by the next one';
};

subtest 'a tenant of whom nothing is known' => sub {
  for my $verb (qw(verify rebuild refresh)) {
    my $said = weirctl('rollup', $verb, '--tenant', "mis\espelt");
    is_deeply [ $said->@{qw(status out)} ], [ 2, '' ], "$verb: is a wrong argument" or diag $said->{out};
    like $said->{err}, qr/\Aweirctl: there is no tenant mis\\x1bspelt, .*`SELECT weir\.tenants_with_rows\(\)` lists/, 'and it says how to see those that there are';
  }
  $db->do(q{INSERT INTO weir.crash_days (tenant_id, day, crashes) VALUES ('faded', '2020-01-01', 1)});
  is weirctl('rollup', $_, '--tenant', 'faded')->{status}, 0, "$_: one of whom figures alone are left is known" for qw(verify rebuild refresh);
  $db->do(q{DELETE FROM weir.crash_days WHERE tenant_id = 'faded'});
  store('unmade', [ 'ann', '2026-03-01T10:00Z', undef ]);
  $db->do(q{DELETE FROM weir.touched_days WHERE tenant_id = 'unmade'});
  is_deeply [ weirctl('rollup', 'refresh', '--tenant', 'unmade')->@{qw(status out)} ], [ 0, "0 days built\n" ], 'so is one of whom there are rows alone';
  $db->do(q{DELETE FROM weir.events WHERE tenant_id = 'unmade'});
  mark('unmade', '2026-03-01');
  is_deeply [ weirctl('rollup', 'refresh', '--tenant', 'unmade')->@{qw(status out)} ], [ 0, "1 day built\n" ], 'and one whose rows are gone, with a day to be built';
};

sub rebuilt ($tenant) { return weirctl('rollup', 'rebuild', '--tenant', $tenant) }

sub verifies ($tenant) {
  my $said = weirctl('rollup', 'verify', '--tenant', $tenant);
  is $said->{status}, 0, 'verify agrees' or diag "$said->{out}$said->{err}";
  return $said;
}

subtest 'numbers that no front door takes hold up no rebuild, and are in no sum' => sub {
  $db->do(q{INSERT INTO weir.events (event_id, tenant_id, user_id, event, properties, "timestamp", client_timestamp)
    SELECT gen_random_uuid(), 'huge', 'ann', 'recording_completed', jsonb_build_object('estimated_cost_usd', cost), '2026-03-01T10:00Z', now()
    FROM unnest('{9e131071,9e131071,-9e131071,1e16001,1e308,2}'::numeric[]) AS cost});
  my $said = rebuilt('huge');
  is $said->{status}, 0, 'it ends well' or diag "$said->{out}$said->{err}";
  is_deeply [ $db->selectrow_array(q{SELECT events, total = 1e308::numeric + 2 FROM weir.day_measures WHERE tenant_id = 'huge' AND measure = 'cost_usd'}) ],
    [ 2, 1 ], 'the sum has what a flusher can have added up';
  is counted('huge', '2026-03-01'), 6, 'the events count all the same';
  verifies('huge');
};

subtest 'times beyond the years 1 to 9999 hold up no rebuild, and are in no figure' => sub {
  my @odd = ('infinity', '-infinity', '294276-12-31T23:59:59Z', '294276-12-31T00:00Z', '10000-01-01T00:00Z', '4714-11-24T00:00Z BC', '0001-12-31T23:59:59Z BC');
  store('timeless', map { [ 'ann', $_, undef ] } @odd, '0001-01-01T00:00Z', '9999-12-31T23:59:59.999999Z', '2026-03-01T10:00Z');
  $db->do(q{INSERT INTO weir.crashes (crash_id, tenant_id, user_id, "timestamp", client_timestamp)
    SELECT gen_random_uuid(), 'timeless', 'ann', at, now() FROM unnest('{294276-12-31T10:00Z,-infinity,2026-03-01T11:00Z}'::timestamptz[]) AS at});
  my $said = rebuilt('timeless');
  is $said->{status}, 0, 'it ends well' or diag "$said->{out}$said->{err}";
  is $said->{out}, "left out: 9 rows of timeless, from before the year 1 or after 9999\n3 days rebuilt\n", 'and says what it left out';
  is_deeply $db->selectcol_arrayref(q{SELECT day FROM weir.user_days WHERE tenant_id = 'timeless' ORDER BY day}),
    [ '0001-01-01', '2026-03-01', '9999-12-31' ], 'the first and the last day that count do';
  is value(q{SELECT first_crash_at = '2026-03-01T11:00Z' FROM weir.user_numbers WHERE tenant_id = 'timeless'}), 1, 'so with crashes';
  like verifies('timeless')->{out}, qr/^left out: 9 rows of timeless/, 'and says it, too';
  is weirctl('rollup', 'zones', '--tenant', 'timeless', '--add', 'Pacific/Auckland')->{status}, 0, 'a zone is added';
  build_all();
  verifies('timeless');
  is value(q{SELECT weir.why_incomplete('timeless', 'UTC', '0001-01-01', '9999-12-31')}), undef, 'a window of days that count lacks nothing';
  is value(q{SELECT weir.why_incomplete('timeless', 'UTC', '2026-03-01', '10000-01-01')}),
    'days before the year 1 and after 9999 are not counted', 'one that reaches beyond says so';
};

subtest 'a day that cannot be rebuilt is named, and holds up no other day and no other tenant' => sub {
  store($_, map { [ 'ann', "2026-03-0${_}T10:00Z", undef ] } 1 .. 3) for qw(bad-sums bad-users bad-days good);
  $db->do(q{ALTER TABLE weir.user_days ADD CONSTRAINT odd CHECK (tenant_id <> 'bad-sums' OR day <> '2026-03-02') NOT VALID});
  $db->do(q{ALTER TABLE weir.users ADD CONSTRAINT odd CHECK (tenant_id <> 'bad-users') NOT VALID});
  $db->do(q{ALTER TABLE weir.day_counts ADD CONSTRAINT odd CHECK (tenant_id <> 'bad-days' OR day <> '2026-03-03') NOT VALID});
  my $said = weirctl('rollup', 'rebuild');
  is $said->{status}, 1, 'it ends with 1';
  like $said->{out}, qr/^failed: bad-sums 2026-03-02: .*violates check constraint "odd"/m, 'a day whose sums fail is named';
  like $said->{out}, qr/^failed: bad-users: .*violates check constraint "odd"/m, 'so is a tenant whose users do';
  like $said->{out}, qr/^failed: bad-days 2026-03-03: .*violates check constraint "odd"/m, 'and a day whose sets do';
  is scalar(() = $said->{out} =~ /^failed: /mg), 3, 'and nobody else';
  like $said->{err}, qr/3 could not be rebuilt: their figures are as they were, and they stay marked/, 'with a sentence';
  is join(' ', map { counted('bad-sums', "2026-03-0$_") } 1 .. 3), '1 0 1', 'other days are made';
  is join(' ', map { counted('bad-days', "2026-03-0$_") } 1 .. 3), '1 1 0', 'of each of them';
  is join(' ', map { counted('good', "2026-03-0$_") } 1 .. 3), '1 1 1', 'and all of other tenants';
  is value(q{SELECT count(DISTINCT (tenant_id, day)) FROM weir.touched_days WHERE marked_at = '-infinity'}), 5, 'what failed stays marked';
  $db->do("ALTER TABLE weir.$_ DROP CONSTRAINT odd") for qw(user_days users day_counts);
  is weirctl('rollup', 'rebuild')->{status}, 0, 'and can be made once the cause is gone';
  verifies($_) for qw(bad-sums bad-users bad-days good);
};

# Rebuilds among marks -----------------------------------------------------------------------------

sub marks ($tenant) {
  return join ' ', $db->selectcol_arrayref('SELECT day FROM weir.touched_days WHERE tenant_id = ? ORDER BY day', undef, $tenant)->@*;
}

# Runs until the day that it makes waits at the table.
sub rebuild_until ($tenant, $table, $holder) {
  $holder->begin_work;
  $holder->do("LOCK TABLE $table");
  my $folder = tempdir(CLEANUP => 1);
  my $pid = PrivatePostgres::start_command({ $postgres->env('weir') }, "$folder/out", "$folder/err", $weirctl, qw(rollup rebuild --sessions 1 --tenant), $tenant);
  waits_for($table);
  return $pid;
}

subtest 'a rebuild leaves nothing to build of what was marked before' => sub {
  store('marked', map { [ 'ann', "2026-03-0${_}T23:30Z", "s-$_" ] } 1, 2, 4);
  mark('marked', '2026-02-01', map { "2026-03-0$_" } 1, 1, 2, 4);
  is weirctl('rollup', 'zones', '--tenant', 'marked', '--add', 'Asia/Tokyo')->{status}, 0, 'a zone is added';
  is rebuilt('marked')->{status}, 0, 'a rebuild';
  is marks('marked'), '2026-02-01', 'takes the marks of its days, and no other';
  is value(q{SELECT string_agg(day::text, ' ' ORDER BY day) FROM weir.day_counts WHERE tenant_id = 'marked' AND zone = 'Asia/Tokyo' AND subject = 'active'}),
    '2026-03-02 2026-03-03 2026-03-05', 'those of a zone that waits, too, whose days it makes';
  ok value(q{SELECT ready_at IS NOT NULL FROM weir.report_zones WHERE tenant_id = 'marked'}), 'and which is ready then';
  ok value(q{SELECT weir.is_built('marked', '2026-03-02')}), 'figures read what is kept';
  verifies('marked');
};

subtest 'what is stored while a rebuild runs keeps its mark' => sub {
  store('written', map { [ 'ann', "2026-03-0${_}T10:00Z", 's' ] } 1 .. 3);
  mark('written', map { "2026-03-0$_" } 1 .. 3);
  my $holder = $postgres->connect('weir');
  my $pid = rebuild_until('written', 'weir.day_sessions', $holder);
  store('written', [ 'ben', '2026-03-01T11:00Z', undef ], [ 'cat', '2026-03-03T11:00Z', undef ]);
  mark('written', '2026-03-01', '2026-03-03');
  $holder->rollback;
  is PrivatePostgres::finish_command($pid), 0, 'it ends well';
  is marks('written'), '2026-03-01 2026-03-03', 'on a day in the making, and on one whose users are numbered already';
  build_all();
  is join(' ', map { counted('written', "2026-03-0$_") } 1 .. 3), '2 1 2', 'and is counted';
  is weirctl('rollup', 'rebuild', '--tenant', 'written')->{status}, 0, "the flusher's sums want a rebuild, as nothing has added up";
  verifies('written');
};

subtest 'a day that a rebuild cannot make keeps its marks' => sub {
  store('kept', map { [ 'ann', "2026-03-0${_}T10:00Z", undef ] } 1 .. 3);
  mark('kept', map { "2026-03-0$_" } 1 .. 3);
  $db->do(q{ALTER TABLE weir.day_counts ADD CONSTRAINT odd CHECK (tenant_id <> 'kept' OR day <> '2026-03-02') NOT VALID});
  is rebuilt('kept')->{status}, 1, 'it fails';
  $db->do('ALTER TABLE weir.day_counts DROP CONSTRAINT odd');
  is marks('kept'), '2026-03-02 2026-03-02', "the rows' and the rebuild's are there";
  build_all();
  is counted('kept', '2026-03-02'), 1, 'the builder makes it at once';
};

subtest 'that rows came late for a day that is gone is noted, though a rebuild comes between' => sub {
  store('late', map { [ $_, '2026-03-01T10:00Z', undef ] } qw(ann ben cat));
  is rebuilt('late')->{status}, 0, 'a day is counted';
  $db->do(q{DELETE FROM weir.events WHERE tenant_id = 'late'});
  store('late', [ 'dan', '2026-03-01T11:00Z', undef ]);
  mark('late', '2026-03-01');
  like rebuilt('late')->{out}, qr/kept figures of rows that are gone/, 'and kept';
  build_all();
  is value(q{SELECT came_late FROM weir.gone_days WHERE tenant_id = 'late'}), 1, 'that one came is known';
};

subtest 'a day that takes long in one zone holds up no other day of its weeks' => sub {
  store('zoned', map { [ 'ann', "2026-03-0${_}T10:00Z", undef ] } 3, 4);
  is weirctl('rollup', 'zones', '--tenant', 'zoned', '--add', 'Europe/Berlin')->{status}, 0, 'a zone that comes before UTC';
  my ($holder, $slow, $quick) = map { $postgres->connect('weir') } 1 .. 3;
  $holder->do(q{SELECT pg_advisory_lock(hashtextextended(concat_ws(E'\n', 'zoned', 'UTC', DATE '2026-03-03'), weir.builder_key()))});
  $slow->do(q{SELECT weir.rebuild_day('zoned', '2026-03-03', false)}, { pg_async => PG_ASYNC });
  my $waits = q{SELECT count(*) FROM pg_locks WHERE NOT granted AND locktype = 'advisory' AND pid = ?};
  ok PrivatePostgres::wait_until(sub { value($waits, $slow->{pg_pid}) }), 'one session waits with its day of UTC, when that of Berlin is made';
  $quick->do(q{SET lock_timeout = '20s'});
  ok eval { $quick->selectrow_array(q{SELECT weir.rebuild_day('zoned', '2026-03-04', false)}) }, 'another one makes the next day meanwhile' or diag $@;
  $holder->disconnect;
  is $slow->pg_result, 1, 'and the first goes on';
  is rebuilt('zoned')->{status}, 0, 'with the sums and users that belong to it';
  verifies('zoned');
};

# A flusher that was connected before there were marks.
subtest 'what a flusher of before stores around the migration is marked' => sub {
  my $old = tempdir(CLEANUP => 1);
  make_path("$old/migrations", "$old/analytics");
  copy($_, "$old/migrations") for grep { m{/00(?:0\d|1[0-4])_} } glob "$root/sql/migrations/*.sql";
  my $env = { $postgres->env('before') };
  $db = $postgres->database('before');
  PrivatePostgres::run_command($env, $weirctl, 'migrate', '--sql', $old);
  is value('SELECT weir.schema_version()'), 14, 'a schema of before';
  my $flusher = $postgres->connect('before');
  $flusher->do('SELECT weir.open_session()');
  my $batch = sub ($user, $at) {
    $flusher->do(q{INSERT INTO weir.events (event_id, tenant_id, user_id, event, "timestamp", client_timestamp)
      VALUES (gen_random_uuid(), 'old', ?, 'opened', ?, ?)}, undef, $user, $at, $at);
    $flusher->do(q{INSERT INTO added_kinds VALUES ('old', 'opened', 1, ?)}, undef, $at);
    $flusher->do('SELECT weir.roll_up_events()');
  };
  $flusher->begin_work;
  $batch->('ann', '2026-03-01T10:00Z');
  my $pid = PrivatePostgres::start_command($env, "$old/out", "$old/err", $weirctl, 'migrate', '--sql', "$root/sql");
  waits_for('weir.events');
  $flusher->commit;
  is PrivatePostgres::finish_command($pid), 0, 'the migration waits for the batch' or diag PrivatePostgres::slurp("$old/err");
  is_deeply $db->selectcol_arrayref('SELECT DISTINCT day FROM weir.touched_days'), ['2026-03-01'], 'and marks its day';
  $flusher->begin_work;
  $batch->('ben', '2026-03-02T10:00Z');
  $flusher->commit;
  is value(q{SELECT count(*) FROM weir.touched_days WHERE day = '2026-03-02'}), 1, 'what it stores later it marks itself';
};

subtest 'sessions that a schema of before counted for nobody are gone once their days are built again' => sub {
  my $old = tempdir(CLEANUP => 1);
  make_path("$old/migrations", "$old/analytics");
  copy($_, "$old/migrations") for grep { m{/00(?:[01]\d|2[0-8])_} } glob "$root/sql/migrations/*.sql";
  my $env = { $postgres->env('nobodys') };
  $db = $postgres->database('nobodys');
  PrivatePostgres::run_command($env, $weirctl, 'migrate', '--sql', $old);
  $db->do(q{INSERT INTO weir.events (event_id, tenant_id, user_id, session_id, event, "timestamp", client_timestamp)
    SELECT gen_random_uuid(), 'acme', person, 's', 'cli_command', at, at FROM (VALUES
      ('ann', timestamptz '2026-03-02T10:00Z'), ('ann', '2026-03-02T10:05Z'), (NULL, '2026-03-02T10:00Z'), (NULL, '2026-03-03T12:00Z')) AS v (person, at)});
  mark('acme', $_) for qw(2026-03-02 2026-03-03);
  build_all();
  my $sessions = q{SELECT string_agg(concat_ws(' ', day, sessions, seconds::integer), ', ' ORDER BY day) FROM weir.day_sessions};
  is value($sessions), '2026-03-02 2 300, 2026-03-03 1 0', 'they were counted';
  is PrivatePostgres::run_command($env, $weirctl, 'migrate', '--sql', "$root/sql")->{status}, 0, 'the migration';
  is value('SELECT count(DISTINCT day) FROM weir.touched_days'), 2, 'marks both days';
  build_all();
  is value($sessions), '2026-03-02 1 300', 'and what is left is of a user';
};

done_testing;
