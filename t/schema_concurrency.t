# What the schema promises to sessions that work at the same time: partitions are made beside running
# COPYs, two roll-ups do not deadlock, a position moves once.
use v5.36;

use FindBin;
use lib "$FindBin::Bin/lib";

use DBD::Pg qw(:async);
use POSIX ();
use PrivatePostgres;
use Test::More;

my $root    = "$FindBin::Bin/..";
my $build   = $ENV{BUILD} // 'build';
my $weirctl = ($build =~ m{^/} ? '' : "$root/") . "$build/weirctl";
-x $weirctl or BAIL_OUT("there is no $weirctl: run make");

# A deadlock shows itself at once, and nothing waits for ever.
my $postgres = PrivatePostgres->start(deadlock_timeout => '50ms', statement_timeout => '60s');

sub migrated ($name) {
  my $db   = $postgres->database($name);
  my $done = PrivatePostgres::run_command({ $postgres->env($name) }, $weirctl, 'migrate', '--sql', "$root/sql");
  die "weirctl: $done->{err}\n" if $done->{status};
  return $db;
}

sub value ($db, $sql, @values) { return scalar $db->selectrow_array($sql, undef, @values) }

sub session ($name, $user = 'weir_flusher') { return $postgres->connect($name, $user) }

# Runs a statement without waiting; finish() gives its value or dies with its error.
sub begin ($db, $sql) {
  my $statement = $db->prepare($sql, { pg_async => PG_ASYNC });
  $statement->execute;
  return { db => $db, statement => $statement };
}

sub is_done ($running) { return $running->{statement}->pg_ready }

sub finish ($running, $seconds = 60) {
  PrivatePostgres::wait_until(sub { is_done($running) }, $seconds) or die "still running after $seconds s\n";
  $running->{statement}->pg_result;
  return ($running->{statement}->fetchrow_array)[0];
}

sub copy_begin ($db, $table, @columns) {
  my $columns = join ', ', @columns;
  $db->do("COPY weir.$table ($columns) FROM STDIN");
  return;
}

sub copy_rows ($db, @rows) {
  $db->pg_putcopydata(join("\t", $_->@*) . "\n") for @rows;
  return;
}

my @event = qw(event_id tenant_id event client_timestamp);
my @crash = qw(crash_id tenant_id client_timestamp);

sub uuid { return join '-', map { join '', map { sprintf '%04x', rand 65536 } 1 .. $_ } 2, 1, 1, 1, 3 }

# A time in the middle of the week that is so many weeks from this one.
sub week ($db, $weeks) {
  return value($db, q{SELECT date_trunc('week', now(), 'UTC') + ? * interval '168 hours' + interval '80 hours'}, $weeks);
}

sub partition ($db, $parent, $weeks) {
  return value($db, q{SELECT ? || to_char(date_trunc('week', now() AT TIME ZONE 'UTC') + ? * interval '1 week', '"_"IYYY"w"IW')},
    $parent, $weeks);
}

sub drop_weeks ($db, @weeks) {
  for my $weeks (@weeks) {
    $db->do('DROP TABLE weir.' . partition($db, $_, $weeks)) for qw(events crashes);
  }
  return;
}

# Held in the background for as long as make_partitions() tries, which is about ten seconds.
my $held = migrated('held');
drop_weeks($held, 4);
my $holder = session('held');
$holder->begin_work;
copy_begin($holder, events => @event);
copy_rows($holder, [ uuid(), 't', 'e', '1980-01-01Z' ]);
$holder->pg_putcopyend;
my $given_up = begin(session('held'), 'SELECT weir.make_partitions()');

subtest 'make_partitions() by several at once' => sub {
  my $db = migrated('several');
  drop_weeks($db, 1 .. 4);
  my @running = map { begin(session('several'), 'SELECT weir.make_partitions()') } 1 .. 4;
  my @made = sort { $a <=> $b } map { finish($_) } @running;
  is_deeply \@made, [ 0, 0, 0, 8 ], 'one makes them all, the others nothing';
};

subtest 'make_partitions() beside a COPY' => sub {
  my $db = migrated('beside');
  drop_weeks($db, 4);
  my $writer = session('beside');
  $writer->begin_work;
  copy_begin($writer, events => @event);
  copy_rows($writer, map { [ uuid(), 't', 'e', week($db, 0) ] } 1 .. 5000);
  ok PrivatePostgres::wait_until(sub {
    value($db, q{SELECT count(*) FROM pg_locks WHERE relation = ?::regclass AND mode = 'RowExclusiveLock'},
      'weir.' . partition($db, 'events', 0));
  }), 'a COPY is under way';
  is finish(begin(session('beside'), 'SELECT weir.make_partitions()'), 5), 2, 'partitions are made meanwhile';
  copy_rows($writer, [ uuid(), 't', 'e', week($db, 0) ]);
  $writer->pg_putcopyend;
  $writer->commit;
  is value($db, 'SELECT count(*) FROM weir.events'), 5001, 'and the COPY goes through';
};

subtest 'make_partitions() while the default partition is in use' => sub {
  my $db = migrated('inuse');
  drop_weeks($db, 4);
  my $writer = session('inuse');
  $writer->begin_work;
  copy_begin($writer, crashes => @crash);
  copy_rows($writer, [ uuid(), 't', week($db, 4) ]);
  $writer->pg_putcopyend;
  my $maker = begin(session('inuse'), 'SELECT weir.make_partitions()');
  ok PrivatePostgres::wait_until(sub {
    value($db, q{SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND datname = 'inuse'});
  }), 'it waits';
  my $other = session('inuse');
  copy_begin($other, events => @event);
  copy_rows($other, [ uuid(), 't', 'e', week($db, 4) ], [ uuid(), 't', 'e', '1980-01-01Z' ]);
  ok $other->pg_putcopyend, 'nobody waits behind it';
  copy_begin($writer, events => @event);
  copy_rows($writer, [ uuid(), 't', 'e', week($db, 4) ]);
  ok $writer->pg_putcopyend, 'the one it waits for can use the other default partition';
  ok !is_done($maker), 'it still waits';
  $writer->commit;
  is finish($maker), 2, 'and makes them when the default partition is free';
  is value($db, 'SELECT count(*) FROM weir.' . partition($db, 'events', 4)), 2, 'with the rows that waited there';
  is value($db, 'SELECT count(*) FROM weir.' . partition($db, 'crashes', 4)), 1, 'crashes too';
};

subtest 'a COPY that began before its week had a partition' => sub {
  my $db = migrated('before');
  drop_weeks($db, 4);
  my $writer = session('before');
  $writer->begin_work;
  copy_begin($writer, events => @event);
  copy_rows($writer, map { [ uuid(), 't', 'e', week($db, 0) ] } 1 .. 5000);
  PrivatePostgres::wait_until(sub {
    value($db, q{SELECT count(*) FROM pg_locks WHERE relation = ?::regclass AND mode = 'RowExclusiveLock'},
      'weir.' . partition($db, 'events', 0));
  });
  is finish(begin(session('before'), 'SELECT weir.make_partitions()'), 5), 2, 'the partition is made meanwhile';
  my $late = [ uuid(), 't', 'e', week($db, 4) ];
  copy_rows($writer, $late);
  ok !eval { $writer->pg_putcopyend }, 'its row is not taken';
  is $writer->state, '23514', 'check_violation says so';
  $writer->rollback;
  copy_begin($writer, events => @event);
  copy_rows($writer, $late);
  ok $writer->pg_putcopyend, 'the next try succeeds';
  is value($db, 'SELECT count(*) FROM weir.' . partition($db, 'events', 4)), 1, 'in the new partition';
};

# One process of its own, which exits with 0 when the code has run to its end.
sub in_background ($code) {
  my $pid = fork // die "fork: $!\n";
  return $pid if $pid;
  POSIX::_exit(eval { $code->(); 1 } ? 0 : do { print STDERR "# $@"; 1 });
}

# Stores a batch as a flusher does, again if partitions were made beneath it: each time that this happens may cost
# it one try.
sub store ($db, $events, $crashes, $times_made) {
  for (0 .. $times_made) {
    return 1 if eval {
      $db->begin_work;
      copy_begin($db, events => @event);
      copy_rows($db, $events->@*);
      $db->pg_putcopyend;
      copy_begin($db, crashes => @crash);
      copy_rows($db, $crashes->@*);
      $db->pg_putcopyend;
      $db->commit;
    };
    die $@ if $db->state ne '23514';
    $db->rollback;
  }
  die "a batch failed more often than partitions were made\n";
}

subtest 'partitions made, again and again, beneath writers and readers' => sub {
  my $db    = migrated('storm');
  my @weeks = -14 .. 4;
  my @times = (map({ week($db, $_) } @weeks), '1980-01-01Z', '2099-01-01Z');
  drop_weeks($db, @weeks);
  my @writers = map {
    my $writer = $_;
    in_background(sub {
      srand $writer;
      my $flusher = session('storm');
      for (1 .. 40) {
        store($flusher, [ map { [ uuid(), 't', 'e', $times[ rand @times ] ] } 1 .. 200 ],
          [ map { [ uuid(), 't', $times[ rand @times ] ] } 1 .. 20 ], 1 + @weeks);
      }
    });
  } 1 .. 3;
  my $reader = in_background(sub {
    my $reading = session('storm', 'weir_reader');
    for (1 .. 60) {
      $reading->selectrow_array("SELECT count(*) FROM weir.$_") for qw(crashes events);
    }
  });
  # Weeks lose their partition and get it back while rows come in.
  my $maker = session('storm');
  my $made  = value($maker, 'SELECT weir.make_partitions()');
  for my $weeks (@weeks) {
    $db->begin_work;
    my $week = partition($db, 'events', $weeks);
    $db->do("ALTER TABLE weir.events DETACH PARTITION weir.$week");
    $db->do("ALTER TABLE weir.$week RENAME TO kept_$week");
    $db->do("INSERT INTO weir.events SELECT * FROM weir.kept_$week");
    $db->do("DROP TABLE weir.kept_$week");
    $db->commit;
    $made += value($maker, 'SELECT weir.make_partitions()');
  }
  is PrivatePostgres::finish_command($_), 0, 'no writer met an error, no deadlock above all' for @writers;
  is PrivatePostgres::finish_command($reader), 0, 'nor did the reader';
  is $made, 2 * 19 + 19, 'every partition was made, as often as it was missing';
  is value($db, 'SELECT count(*) FROM weir.events'), 3 * 40 * 200, 'every event is there';
  is value($db, 'SELECT count(*) FROM weir.crashes'), 3 * 40 * 20, 'every crash';
  is value($db, 'SELECT count(*) FROM weir.events_default WHERE client_timestamp BETWEEN ? AND ?', $times[0], $times[18]), 0,
    'and none is left in the default partition that has a week of its own';
};

subtest 'roll-ups of two flushers over the same users and days' => sub {
  my $db = migrated('rollups');
  my @flushers = map {
    my $order = $_;
    in_background(sub {
      my $flusher = session('rollups');
      $flusher->do('SELECT weir.open_session()');
      # The planner may group one flusher's rows by hashing and the other's by sorting.
      $flusher->do('SET enable_hashagg = off') if $order eq 'DESC';
      for (1 .. 40) {
        $flusher->begin_work;
        $flusher->do(qq{
          INSERT INTO added_user_days SELECT 't', 'u' || n, 1, at, at
            FROM generate_series(1, 100) AS n, LATERAL (SELECT '2026-03-01Z'::timestamptz + n * interval '1 hour' AS at) AS moment ORDER BY n $order});
        $flusher->do(qq{
          INSERT INTO added_kinds SELECT 't', 'recording_completed', count(*), day FROM generate_series(1, 100) AS n,
            LATERAL (SELECT date_trunc('day', '2026-03-01Z'::timestamptz + n * interval '1 hour') AS day) AS moment
            GROUP BY day ORDER BY day $order});
        $flusher->do(qq{
          INSERT INTO added_sums SELECT tenant_id, event, 'audio_duration_seconds', events, 2 * events, first_at
          FROM added_kinds ORDER BY first_at $order});
        $flusher->do(qq{
          INSERT INTO added_crashes SELECT 't', NULL, '2026-03-01Z'::timestamptz + n * interval '1 hour'
          FROM generate_series(1, 100) AS n ORDER BY n $order});
        $flusher->do('SELECT weir.roll_up_events()');
        $flusher->do('SELECT weir.roll_up_crashes()');
        $flusher->commit;
      }
    });
  } qw(ASC DESC ASC);
  is PrivatePostgres::finish_command($_), 0, 'no deadlock' for @flushers;
  is_deeply $db->selectrow_arrayref('SELECT sum(events), count(*) FROM weir.user_days'), [ 3 * 40 * 100, 100 ], 'user_days is right';
  is value($db, q{SELECT sum(total) FROM weir.day_measures WHERE measure = 'seconds'}), 3 * 40 * 100 * 2, 'so is day_measures';
  is value($db, 'SELECT sum(crashes) FROM weir.crash_days'), 3 * 40 * 100, 'and crash_days';
};

subtest 'weeks that lie beside each other, and those that do not' => sub {
  my $db = migrated('weeks');
  my ($first, $second) = map { session('weeks') } 1 .. 2;
  my $this = value($db, q{SELECT floor((extract(epoch FROM now()) / 86400 - 4) / 7)::integer});
  my $locks = sub ($weeks) { "SELECT weir.lock_weeks('{$weeks}')" };
  for my $case ([ $this - 1, $this ], [ $this, $this - 1 ], [ $this - 3, $this - 2 ], [ $this - 1, $this - 1 ], [ ($this - 1) . ",$this", $this ]) {
    my ($one, $other) = @$case;
    $first->begin_work;
    $first->do($locks->($one));
    my $waiting = begin($second, $locks->($other));
    ok PrivatePostgres::wait_until(sub { value($db, q{SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted}) }),
      "rows of week $other wait for those of $one";
    $first->commit;
    finish($waiting);
  }
  # Within five minutes of its end this week is one that ends.
  my $is_ending = value($db, q{SELECT date_trunc('week', now() + interval '6 minutes', 'UTC') <> date_trunc('week', now(), 'UTC')});
  for my $case ($is_ending ? () : [ $this, $this ], [ $this - 3, $this ], [ $this, $this - 3 ]) {
    my ($one, $other) = @$case;
    $first->begin_work;
    $first->do($locks->($one));
    finish(begin($second, $locks->($other)), 10);
    pass "rows of week $other do not wait for those of $one";
    $first->commit;
  }
};

subtest 'a position that two want to move' => sub {
  my $db = migrated('position');
  my ($first, $second) = map { session('position') } 1 .. 2;
  $db->do(q{INSERT INTO weir_lease.stream_leases (stream, token, flusher) VALUES ('s', 1, 'both')});
  for my $case ([ 'the first position', 'NULL', "'1-0'" ], [ 'a later one', "'1-0'", "'2-0'" ]) {
    my ($name, $old, $new) = $case->@*;
    my $move = "SELECT weir.advance_position('s', 1, $old, $new, 'life')";
    $first->begin_work;
    is value($first, $move), 'advanced', "$name: one moves it";
    my $waiting = begin($second, $move);
    ok PrivatePostgres::wait_until(sub {
      value($db, q{SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = 'position'});
    }), 'the other waits';
    $first->commit;
    is finish($waiting), 'moved', 'and is told that it has moved';
  }
};

subtest 'a default partition that is never free' => sub {
  ok !eval { finish($given_up) }, 'make_partitions() gives up';
  is $given_up->{db}->state, '55P03', 'with lock_not_available';
  $holder->commit;
  is value(session('held'), 'SELECT weir.make_partitions()'), 2, 'and does it later';
};

done_testing;
