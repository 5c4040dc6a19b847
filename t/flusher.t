# weir-flusher against a real Redis and a real PostgreSQL, with records from an independent encoder:
# everything in the stream gets into the tables exactly once, whatever is killed, lost or broken.
use v5.36;
use utf8;
use FindBin;
use lib "$FindBin::Bin/lib";

use IO::Socket::UNIX;
use List::Util qw(sum0);
use POSIX qw(WNOHANG);
use Socket qw(SOCK_DGRAM);
use Test::More;
use Time::HiRes qw(sleep time);

use Weir::Private;
use Weir::Record;

my $DAY = 86_400 * 1_000_000;
my $private = Weir::Private->new;
my $redis;    # a client; the server comes and goes
my $database;
my $number = 0;

sub wait_until { goto &Weir::Private::wait_until }

# Each subtest has a stream and a tenant of its own.
sub fresh ($name) { ++$number; return ("weir:{$number}", "$name-$number") }

sub add ($stream, $record, $id = '*') { return $redis->xadd($stream, $id, 'r', $record) }

sub event (%columns) {
  return { event_id => uuid(), user_id => 'user-1', event => 'click', client_timestamp => now() - 1_000_000, %columns };
}

sub add_event ($stream, $tenant, %columns) {
  return add($stream, record(events => $tenant, now(), event(%columns)));
}

sub value ($sql, @bind) { return ($database->selectrow_array($sql, undef, @bind))[0] }

sub events_of ($tenant) { return value('SELECT count(*) FROM weir.events WHERE tenant_id = ?', $tenant) }

sub ids_of ($tenant) {
  return $database->selectcol_arrayref('SELECT event_id FROM weir.events WHERE tenant_id = ? ORDER BY 1', undef, $tenant);
}

sub rolled_up ($tenant) { return value('SELECT coalesce(sum(events), 0) FROM weir.user_days WHERE tenant_id = ?', $tenant) }

sub dead_of ($tenant) {
  return $database->selectall_arrayref('SELECT reason, payload, received_at FROM weir.dead_letters WHERE tenant_id = ? ORDER BY id', { Slice => {} }, $tenant);
}

sub position_of ($stream) { return value('SELECT position FROM weir.stream_positions WHERE stream = ?', $stream) }

# Adds `count` single events from another process and returns the pid; it gives up at nothing.
sub feed ($stream, $tenant, $ids) {
  my $pid = fork // die "fork: $!\n";
  return $pid if $pid;
  local $SIG{PIPE} = 'IGNORE';
  my @left = @$ids;
  while (@left) {
    eval {
      my $client = $private->redis;
      while (@left) {
        my @piece = @left[ 0 .. ($#left < 99 ? $#left : 99) ];
        my $time = now();
        my $answered = 0;
        $client->xadd($stream, '*', 'r', record(events => $tenant, $time, event(event_id => $_, client_timestamp => $time - 5)), sub ($id, $error) { ++$answered if defined $id }) for @piece;
        $client->wait_all_responses;
        $answered == @piece or die "not all were answered\n";
        splice @left, 0, scalar @piece;
      }
    };
    sleep 0.05 if $@;
  }
  POSIX::_exit(0);
}

sub is_drained ($stream, $tenant, $count, $seconds) {
  return wait_until("$count events of $tenant", $seconds, sub { events_of($tenant) >= $count && eval { $private->redis->xlen($stream) == 0 } });
}

# Every one of `ids` exactly once, in the table and in the daily figures, and nothing else.
sub is_exactly ($stream, $tenant, $ids) {
  my @ids = sort @$ids;
  is_deeply(ids_of($tenant), \@ids, 'every event is there exactly once');
  is(rolled_up($tenant), scalar @ids, 'the daily figures count each once');
  return;
}

# Before there is a schema ---------------------------------------------------------------------

subtest 'help, and what is wrong with a configuration, in a sentence' => sub {
  my ($status, $said) = $private->run_flusher('--help');
  is($status, 0, 'help is no failure');
  like($said, qr/^ +(?:-h,)?\Q$_\E\b/m, "help explains $_") for qw(--help --config --redis --redis-user --redis-password-file --stream --postgres --batch-rows --batch-bytes --linger-ms --log-level --once);
  my %wrong = (
    '--redis'       => [ 'nowhere',           qr/port is missing/ ],
    '--batch-rows'  => [ '0',                 qr/range/ ],
    '--batch-bytes' => [ '1k',                qr/range/ ],
    '--linger-ms'   => [ '-1',                qr/range/ ],
    '--log-level'   => [ 'loud',              qr/debug/ ],
    '--config'      => [ "/nonexistent/file", qr/nonexistent/ ],
    '--verbose'     => [ '1',                 qr/verbose/ ],
  );
  for my $option (sort keys %wrong) {
    my ($value, $reason) = $wrong{$option}->@*;
    ($status, $said) = $private->run_flusher($option => $value);
    is($status, 2, "$option $value is refused");
    like($said, $reason, 'with a reason');
  }
};

$private->start('redis', 'postgres');
$redis = $private->redis;
$private->create_database('weir');

sub refuses ($what, $pattern) {
  my ($status, $said) = $private->run_flusher;
  is($status, 1, "$what is refused");
  my @sentences = grep { /level=error/ } split /\n/, $said;
  is(@sentences, 1, 'in one sentence');
  like($sentences[0], $pattern, 'that names the remedy');
  return;
}

subtest 'a database that is not ready is refused' => sub {
  refuses('a server without the role', qr/weirctl migrate/);
  $private->create_database('other');
  $private->migrate('other');    # roles belong to the whole server
  refuses('an unmigrated database', qr/weirctl migrate/);
  $private->migrate('weir');
  $database = $private->connect('weir');
  my $version = value('SELECT weir.schema_version()');
  $database->do('INSERT INTO weir.schema_migrations (version, name, checksum) VALUES (9999, ?, ?)', undef, 'new', 'none');
  refuses('a newer schema', qr/version 9999.*version $version.*install/);
  $database->do('DELETE FROM weir.schema_migrations WHERE version IN (9999, ?)', undef, $version);
  refuses('an older schema', qr/`weirctl migrate`/);
  $database->do('INSERT INTO weir.schema_migrations (version, name, checksum) VALUES (?, ?, ?)', undef, $version, 'last', 'none');
  my ($status) = $private->run_flusher('--once');
  is($status, 0, 'the right one is not');
};

# Rows -----------------------------------------------------------------------------------------

subtest 'stores events, crashes and CLI events as they are' => sub {
  my ($stream, $tenant) = fresh('kinds');
  my $received = 1_795_249_800_250_000;
  my %full = (
    event_id => uuid7(), user_id => 'usuario-ñ', session_id => 's-1', event => 'recording_completed',
    app_version => '2.1.0', platform => 'darwin', country => 'ES', properties => '{"estimated_cost_usd": 0.25, "audio_duration_seconds": 90}',
    timestamp => $received - 2_000_001, client_timestamp => $received - 1_000_000,
  );
  my $crash = { crash_id => uuid7(), user_id => 'u', app_version => '1', os_version => '2', crash_type => 'T', error_message => "a\nb", stack_trace => 'at f', fingerprint => '1-0', context => '{"k": [1]}' };
  add($stream, record(events  => $tenant, $received, \%full, { event_id => uuid(), event => 'bare' }));
  add($stream, record(crashes => $tenant, $received, $crash));
  add($stream, record(events  => $tenant, $received, { event_id => uuid(), event => 'cli_command', session_id => uuid(), app_version => '1.4', properties => '{"command": "deploy"}' }));
  my $said = $private->drain('--stream' => $stream);
  like($said, qr/level=info msg=stored rows=4 duplicates=0 dead=0/, 'logs a summary');
  my $row = $database->selectrow_hashref('SELECT *, extract(epoch FROM timestamp) AS t, extract(epoch FROM client_timestamp) AS c, extract(epoch FROM received_at) AS r FROM weir.events WHERE event_id = ?', undef, $full{event_id});
  is($row->{$_}, $full{$_}, "$_ is the same") for qw(user_id session_id event app_version platform country properties);
  is($row->{tenant_id}, $tenant, 'the tenant is the record\'s');
  is_deeply([ @$row{qw(t c r)} ], [qw(1795249798.249999 1795249799.250000 1795249800.250000)], 'times keep their microseconds');
  is_deeply($database->selectrow_arrayref('SELECT error_message, stack_trace, context, fingerprint FROM weir.crashes WHERE tenant_id = ?', undef, $tenant), [ "a\nb", 'at f', '{"k": [1]}', '1-0' ], 'a crash is the same');
  is_deeply(
    $database->selectall_arrayref('SELECT user_id, session_id IS NOT NULL, event FROM weir.events WHERE tenant_id = ? AND event <> ? ORDER BY event', undef, $tenant, 'recording_completed'),
    [ [ undef, 0, 'bare' ], [ undef, 1, 'cli_command' ] ],
    'an event may lack what it does not need'
  );
  my $stats = $database->selectrow_hashref('SELECT * FROM weir.user_stats WHERE tenant_id = ?', undef, $tenant);
  is($stats->{$_->[0]} + 0, $_->[1], "$_->[0] is rolled up") for [ active_users => 1 ], [ total_recordings => 1 ], [ total_minutes => 1.5 ], [ total_cost_usd => 0.25 ], [ crash_count => 1 ];
  is($redis->xlen($stream), 0, 'the stream is trimmed');
  like($private->drain('--stream' => $stream), qr/rows=0/, 'and there is nothing left to do');
};

subtest 'a replay changes nothing' => sub {
  my ($stream, $tenant) = fresh('replay');
  my @records = map { record(events => $tenant, now(), map { event() } 1 .. 5) } 1 .. 60;
  push @records, record(crashes => $tenant, now(), map { { crash_id => uuid(), client_timestamp => now() - 7 } } 1 .. 4);
  my $all = sub { [ map { $database->selectall_arrayref("SELECT * FROM weir.$_ WHERE tenant_id = ? ORDER BY 1, 2, 3", undef, $tenant) } qw(events crashes user_days users day_measures crash_days dead_letters) ] };
  add($stream, $_) for @records;
  $private->drain('--stream' => $stream);
  my $before = $all->();
  is(events_of($tenant), 300, 'all are stored');
  for my $rows (10_000, 10) {
    add($stream, $_) for @records;
    my $said = $private->drain('--stream' => $stream, '--batch-rows' => $rows);
    is(sum0($said =~ /duplicates=(\d+)/g), 304, "in batches of $rows, all are known");
    is_deeply($all->(), $before, 'no table has changed');
  }
  add($stream, $_) for @records[ 0 .. 3 ];
  add_event($stream, $tenant);
  $private->drain('--stream' => $stream);
  is(events_of($tenant), 301, 'a new one between old ones is stored');
  is(rolled_up($tenant), 301, 'and counted');
};

subtest 'a repeat inside a batch is stored once' => sub {
  my ($stream, $tenant) = fresh('repeats');
  my @events = map { event() } 1 .. 3;
  add($stream, record(events => $tenant, now(), @events[ 0, 1, 0 ]));
  add($stream, record(events => $tenant, now(), @events[ 2, 1 ]));
  my $said = $private->drain('--stream' => $stream);
  like($said, qr/rows=3 duplicates=2 dead=0/, 'the log counts them');
  is_exactly($stream, $tenant, [ map { $_->{event_id} } @events ]);
};

subtest 'a retry without a time of its own is recognised in the next week' => sub {
  my ($stream, $tenant) = fresh('wide');
  my $week = 7 * $DAY;
  my $monday = int((now() - 4 * $DAY) / $week) * $week + 4 * $DAY;    # 1970-01-05 was one
  my %same = (event => 'click', user_id => 'u', event_id => uuid());
  my $crash = { crash_id => uuid() };
  for my $received ($monday - 1_000_000, $monday + 1_000_000) {
    add($stream, record(events  => $tenant, $received, \%same));
    add($stream, record(crashes => $tenant, $received, $crash));
    $private->drain('--stream' => $stream);
  }
  is_exactly($stream, $tenant, [ $same{event_id} ]);
  is(value('SELECT count(*) FROM weir.crashes WHERE tenant_id = ?', $tenant), 1, 'a crash too');
  $same{event_id} = uuid();
  add($stream, record(events => $tenant, $_, \%same)) for $monday - 1_000_000, $monday + 1_000_000;
  $private->drain('--stream' => $stream);
  is(events_of($tenant), 2, 'and inside a batch');
};

subtest 'a clock that is years off has its place too' => sub {
  my ($stream, $tenant) = fresh('clocks');
  my @events = map { event(client_timestamp => $_) } 0, 4_102_444_800_000_000, -30_000_000_000_000_000;
  add($stream, record(events => $tenant, now(), @events)) for 1 .. 2;
  $private->drain('--stream' => $stream);
  is_exactly($stream, $tenant, [ map { $_->{event_id} } @events ]);
};

subtest 'what cannot be stored goes to dead_letters with its reason, and the rest goes in' => sub {
  my ($stream, $tenant) = fresh('poison');
  my $canary = 'canary-in-a-row';
  my @good = map { event() } 1 .. 40;
  my $received = now();
  add($stream, record(events => $tenant, $received, @good[ 0 .. 9 ]));
  my $broken = record(events => $tenant, $received, event(user_id => $canary)) . 'x';
  add($stream, $broken);
  add($stream, record(events => $tenant, $received, @good[ 10 .. 14 ], event(properties => qq({"$canary": })), @good[ 15 .. 19 ]));
  add($stream, record(events => $tenant, $received, @good[ 20 .. 24 ], event(user_id => "nul\0nul $canary"), @good[ 25 .. 29 ]));
  add($stream, record(events => $tenant, $received, event(properties => '{"a": "\u0000"}'), event(user_id => "\xFF\xFE $canary"), event(event => undef)));
  add($stream, record(events => $tenant, $received, event(user_id => $canary . join '', map { chr(33 + rand 90) } 1 .. 12_000)));
  add($stream, record(events => "no-text-\xFF", $received, event()));
  add($stream, "\x07$canary");
  $redis->xadd($stream, '*', 'other', 'field');
  add($stream, record(events => $tenant, $received, @good[ 30 .. 39 ]));
  my $said = $private->drain('--stream' => $stream);
  like($said, qr/rows=40 duplicates=0 dead=10/, 'the log counts');
  is_exactly($stream, $tenant, [ map { $_->{event_id} } @good ]);
  my @dead = dead_of($tenant)->@*;
  my @reasons = map { $_->{reason} } @dead;
  is_deeply([ map { /^(\w{5}): ./ ? $1 : $_ } @reasons ], [ 'bytes follow the last row', qw(22P02 22021 22P05 22021 23502 54000) ], 'each has its reason') or diag explain \@reasons;
  is($dead[0]{payload}, $broken, 'a record is kept whole');
  is($dead[1]{payload}, record(events => $tenant, $received, event_in($dead[1]{payload}, qq({"$canary": }))), 'a row as a record of its own');
  my $without = dead_of('');
  is_deeply([ map { $_->{reason} } @$without ], [ 'version 7 is not known', 'the entry has no field r', 'its tenant or its reason is no text' ], 'one without a tenant too');
  is($redis->xlen($stream), 0, 'nothing stalls');
  unlike($private->all_logs =~ s/^.*(?:STATEMENT|DETAIL|CONTEXT|ERROR): .*$//gmr, qr/$canary/, 'no log of the flusher holds a row\'s contents');
};

# The event whose bytes lie in a record of one row, as far as it was made at random.
sub event_in ($payload, $properties) {
  my ($id) = unpack 'H32', substr $payload, index($payload, "\0\0\0\x10") + 4, 16;
  my $time = unpack 'q>', substr $payload, -20, 8;
  return event(event_id => $id, properties => $properties, client_timestamp => $time + 946_684_800_000_000);
}

subtest 'a dead letter can be put into the stream again' => sub {
  my ($stream, $tenant) = fresh('again');
  $database->do('ALTER TABLE weir.events ADD CONSTRAINT no_poison CHECK (event <> ?)' =~ s/\?/'poison'/r);
  my @events = (event(), event(event => 'poison'), event());
  add($stream, record(events => $tenant, now(), @events));
  $private->drain('--stream' => $stream);
  is(events_of($tenant), 2, 'the others are stored');
  $database->do('ALTER TABLE weir.events DROP CONSTRAINT no_poison');
  add($stream, $_->{payload}) for dead_of($tenant)->@*;
  $private->drain('--stream' => $stream);
  is_exactly($stream, $tenant, [ map { $_->{event_id} } @events ]);
};

subtest 'a record larger than a dead letter is kept in parts' => sub {
  my ($stream, $tenant) = fresh('large');
  my $record = record(events => $tenant, now(), map { event(properties => '{"a": "' . 'x' x 60_000 . '"}') } 1 .. 40) . 'x';
  add($stream, $record);
  $private->drain('--stream' => $stream);
  my $dead = dead_of($tenant);
  is_deeply([ map { $_->{reason} } @$dead ], [ map { "bytes follow the last row (part $_ of 3)" } 1 .. 3 ], 'numbered');
  is(join('', map { $_->{payload} } @$dead), $record, 'and whole');
};

# Trouble --------------------------------------------------------------------------------------

subtest 'nothing is trimmed before the commit, nor when the stream began another life meanwhile' => sub {
  my ($stream, $tenant) = fresh('trim');
  my @old = map { uuid() } 1 .. 3;
  add_event($stream, $tenant, event_id => $_) for @old;
  my $lock = $private->connect('weir');
  $lock->begin_work;
  $lock->do('LOCK TABLE weir.users');
  my $flusher = $private->flusher('--stream' => $stream);
  wait_until('the flusher waits for the lock', 10, sub { value(q{SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'weir.users'::regclass}) });
  is($redis->xlen($stream), 3, 'what is read but not committed stays');
  $redis->del($stream, "$stream:epoch");
  my @new = map { uuid() } 1 .. 3;
  add($stream, record(events => $tenant, now(), event(event_id => $new[$_])), '5-' . ($_ + 1)) for 0 .. 2;
  $lock->rollback;
  is_drained($stream, $tenant, 6, 10);
  is_exactly($stream, $tenant, [ @old, @new ]);
  is(position_of($stream), '5-3', 'the position is one of the new life');
  like($private->said_by($flusher), qr/level=warning msg="the stream began a new life/, 'it is logged');
  is($private->end($flusher, 'TERM'), 0, 'leaves in order');
};

subtest 'a lost stream is read from its start though its ids are smaller' => sub {
  my ($stream, $tenant) = fresh('lost');
  my $flusher = $private->flusher('--stream' => $stream);
  my @ids = map { uuid() } 1 .. 9;
  my $epoch = sub { $redis->get("$stream:epoch") // '' };
  add_event($stream, $tenant, event_id => $_) for @ids[ 0 .. 2 ];
  is_drained($stream, $tenant, 3, 10);
  my $first = $epoch->();
  $redis->flushall;
  add($stream, record(events => $tenant, now(), event(event_id => $ids[$_])), "7-$_") for 3 .. 5;
  is_drained($stream, $tenant, 6, 10);
  isnt($epoch->(), $first, 'the stream\'s new life has a name of its own');
  $private->end($flusher, 'TERM');
  $redis->del($stream);    # and the epoch stays
  add($stream, record(events => $tenant, now(), event(event_id => $ids[$_])), "6-$_") for 6 .. 8;
  like($private->drain('--stream' => $stream), qr/behind the stored position/, 'a stream behind its position is noticed');
  is_exactly($stream, $tenant, \@ids);
};

subtest 'kill -9 of the flusher at any moment loses and doubles nothing' => sub {
  my ($stream, $tenant) = fresh('kills');
  my @ids = map { uuid() } 1 .. 20_000;
  my $feeder = feed($stream, $tenant, \@ids);
  my $kills = 0;
  while (events_of($tenant) < 18_000) {
    my $flusher = $private->flusher('--stream' => $stream, '--batch-rows' => 500, '--linger-ms' => 0);
    sleep 0.05 + rand 0.25;
    is($private->end($flusher, 'KILL'), 'signal 9', 'killed') and ++$kills;
  }
  is($private->wait_for($feeder, 40), 0, 'all events are in the stream');
  $private->drain('--stream' => $stream);
  cmp_ok($kills, '>', 3, "the flusher was killed $kills times");
  is_exactly($stream, $tenant, \@ids);
  is($redis->xlen($stream), 0, 'the stream is trimmed');
};

subtest 'PostgreSQL going down in the middle loses and doubles nothing' => sub {
  my ($stream, $tenant) = fresh('postgres');
  my @ids = map { uuid() } 1 .. 6_000;
  my $flusher = $private->flusher('--stream' => $stream, '--batch-rows' => 200, '--linger-ms' => 0);
  my $feeder = feed($stream, $tenant, \@ids);
  for my $stored (500, 2000) {
    wait_until("$stored events", 20, sub { events_of($tenant) >= $stored });
    $private->end(postgres => 'QUIT');
    sleep 0.1;
    $private->start('postgres');
    $database = $private->connect('weir');
  }
  is($private->wait_for($feeder, 40), 0, 'all events are in the stream');
  is_drained($stream, $tenant, 6_000, 20);
  is_exactly($stream, $tenant, \@ids);
  my $said = $private->said_by($flusher);
  my $away = () = $said =~ /cannot go on without this server.*server=PostgreSQL/g;
  my $back = () = $said =~ /the server is back.*server=PostgreSQL/g;
  is_deeply([ $away, $back ], [ 2, 2 ], 'each change is logged once') or diag $said;
  $private->end(postgres => 'QUIT');
  wait_until('an idle flusher notices', 10, sub { 3 == (() = $private->said_by($flusher) =~ /server=PostgreSQL error/g) });
  $private->start('postgres');
  $database = $private->connect('weir');
  is($private->end($flusher, 'TERM'), 0, 'leaves in order');
};

subtest 'a COMMIT whose answer is lost is not tried again' => sub {
  my ($stream, $tenant) = fresh('answer');
  my $set = sub ($standbys) {
    $database->do("ALTER SYSTEM SET synchronous_standby_names = '$standbys'");
    $database->do('SELECT pg_reload_conf()');
  };
  my $flusher = $private->flusher('--stream' => $stream);
  wait_until('it reads', 10, sub { $private->said_by($flusher) =~ /msg=reading/ });
  $set->('nobody');    # a COMMIT is then done, but waits before it says so
  wait_until('the setting', 10, sub { value('SHOW synchronous_standby_names') eq 'nobody' });
  my @ids = map { uuid() } 1 .. 5;
  add($stream, record(events => $tenant, now(), map { event(event_id => $_) } @ids));
  my $backend = wait_until('a COMMIT without an answer', 10, sub { value(q{SELECT pid FROM pg_stat_activity WHERE wait_event = 'SyncRep' AND application_name = 'weir-flusher'}) });
  $database->do('SELECT pg_terminate_backend(?)', undef, $backend);
  wait_until('the end of its session', 10, sub { $private->log_of('postgres') =~ /canceling the wait for synchronous replication/ });
  $set->('');
  wait_until('the stream is trimmed', 10, sub { $redis->xlen($stream) == 0 });
  is_exactly($stream, $tenant, \@ids);
  is($private->end($flusher, 'TERM'), 0, 'leaves in order');
  like($private->said_by($flusher), qr/server=PostgreSQL/, 'the connection was lost');
  unlike($private->said_by($flusher), qr/msg=stored/, 'the position was read again, and nothing stored a second time');
};

subtest 'Redis going down in the middle loses and doubles nothing' => sub {
  my ($stream, $tenant) = fresh('redis');
  my @ids = map { uuid() } 1 .. 6_000;
  my $flusher = $private->flusher('--stream' => $stream, '--batch-rows' => 200, '--linger-ms' => 0);
  my $feeder = feed($stream, $tenant, \@ids);
  for my $stored (500, 2000) {
    wait_until("$stored events", 20, sub { events_of($tenant) >= $stored });
    $private->end(redis => 'KILL');
    sleep 0.1;
    $private->start('redis');
  }
  $redis = $private->redis;
  is($private->wait_for($feeder, 40), 0, 'all events are in the stream');
  is_drained($stream, $tenant, 6_000, 20);
  is_exactly($stream, $tenant, \@ids);
  is($private->end($flusher, 'TERM'), 0, 'leaves in order');
  unlike($private->said_by($flusher), qr/began a new life|behind the stored/, 'the append-only file kept the stream\'s life');
};

subtest 'a Redis that hangs is left and found again' => sub {
  my ($stream, $tenant) = fresh('hangs');
  my $flusher = $private->flusher('--stream' => $stream);
  add_event($stream, $tenant);
  is_drained($stream, $tenant, 1, 10);
  kill STOP => $private->pid('redis');
  wait_until('no answer in time', 20, sub { $private->said_by($flusher) =~ /server=Redis error="no answer in time"/ });
  kill CONT => $private->pid('redis');
  add_event($stream, $tenant);
  is_drained($stream, $tenant, 2, 20);
  is($private->end($flusher, 'TERM'), 0, 'leaves in order');
};

subtest 'a second flusher stands by and takes over' => sub {
  my ($stream, $tenant) = fresh('lease');
  my $first = $private->flusher('--stream' => $stream);
  add_event($stream, $tenant);
  is_drained($stream, $tenant, 1, 10);
  my $second = $private->flusher('--stream' => $stream);
  wait_until('the second says that it waits', 10, sub { $private->said_by($second) =~ /another flusher holds the lease/ });
  add_event($stream, $tenant);
  is_drained($stream, $tenant, 2, 10);
  unlike($private->said_by($second), qr/msg=(?:reading|stored)/, 'and does not read meanwhile');
  my ($other, $tenant_of_other) = fresh('other-lease');
  add_event($other, $tenant_of_other);
  $private->drain('--stream' => $other);
  is(events_of($tenant_of_other), 1, 'another stream has another lease');
  $private->end($first, 'KILL');
  add_event($stream, $tenant);
  is_drained($stream, $tenant, 3, 10);
  is($private->end($second, 'TERM'), 0, 'leaves in order');
};

# Running it -----------------------------------------------------------------------------------

subtest 'SIGTERM and SIGINT finish the batch in hand and leave at once' => sub {
  my ($stream, $tenant) = fresh('term');
  my $lock = $private->connect('weir');
  add_event($stream, $tenant) for 1 .. 3;
  $lock->begin_work;
  $lock->do('LOCK TABLE weir.users');
  my $flusher = $private->flusher('--stream' => $stream);
  wait_until('the flusher waits for the lock', 10, sub { value(q{SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'weir.users'::regclass}) });
  kill TERM => $flusher;
  sleep 0.1;
  is(waitpid($flusher, WNOHANG), 0, 'it does not leave with a batch in hand');
  $lock->rollback;
  is($private->wait_for($flusher), 0, 'but after it');
  is(events_of($tenant), 3, 'the batch is stored');
  is($redis->xlen($stream), 0, 'and trimmed');
  for my $signal (qw(TERM INT)) {
    $flusher = $private->flusher('--stream' => $stream);
    wait_until('it reads', 10, sub { $private->said_by($flusher) =~ /msg=reading/ });
    my $before = time;
    is($private->end($flusher, $signal), 0, "SIG$signal ends an idle one");
    cmp_ok(time - $before, '<', 0.4, 'at once');
    like($private->said_by($flusher), qr/weir-flusher leaves/, 'and it says so');
  }
  $flusher = $private->flusher('--stream' => $stream, '--redis' => 'unix:/nonexistent/socket');
  wait_until('it waits for Redis', 10, sub { $private->said_by($flusher) =~ /server=Redis/ });
  is($private->end($flusher, 'TERM'), 0, 'one that waits for a server leaves too');
};

subtest 'tells systemd when it is ready, alive and stopping' => sub {
  my ($stream, $tenant) = fresh('notify');
  my $path = "$private->{dir}/notify";
  my $socket = IO::Socket::UNIX->new(Type => SOCK_DGRAM, Local => $path) or die "$path: $!\n";
  $socket->blocking(0);
  my $heard = '';
  my $listen = sub { my $word; $heard .= "$word\n" while defined $socket->recv($word, 4096); return $heard };
  local $ENV{NOTIFY_SOCKET} = $path;
  my $flusher = $private->flusher('--stream' => $stream);
  wait_until('READY=1', 10, sub { $listen->() =~ /^READY=1$/m });
  add_event($stream, $tenant);
  wait_until('STATUS', 10, sub { $listen->() =~ /^STATUS=stored 1 rows/m });
  $heard = '';
  wait_until('WATCHDOG=1', 10, sub { $listen->() =~ /^WATCHDOG=1$/m });
  my $standby = $private->flusher('--stream' => $stream);
  wait_until('READY=1 of the one that stands by', 10, sub { $listen->() =~ /^STATUS=standing by$/m && $heard =~ /^READY=1$/m });
  $private->end($standby, 'TERM');
  $heard = '';
  $private->end($flusher, 'TERM');
  like($listen->(), qr/^STOPPING=1$/m, 'STOPPING=1');
};

subtest 'a configuration file says what the options say, and secrets stay secret' => sub {
  my ($stream, $tenant) = fresh('config');
  my $path = "$private->{dir}/flusher.conf";
  my $write = sub ($name, $text) { open my $file, '>', $name or die "$name: $!\n"; print {$file} $text; close $file or die "$name: $!\n"; return };
  $write->("$private->{dir}/password", "s3cret-of-redis\n");
  $write->($path, <<~"END");
    # comments are taken
    redis = "unix:$private->{dir}/redis/socket"
    redis-user = "weir"
    redis-password-file = "$private->{dir}/password"
    stream = "$stream"
    postgres = "host='$private->{dir}/postgres' user=weir_flusher dbname=weir password=s3cret-of-postgres"
    batch-rows = 5
    batch-bytes = "64k"
    linger-ms = 0
    log-level = "debug"
    END
  my $run = sub { my $pid = $private->spawn('configured', Weir::Private::flusher_program(), '--config' => $path, '--once'); return $private->wait_for($pid) };
  $redis->acl('SETUSER', 'weir', 'on', '>s3cret-of-redis', '~weir:*', '+auth', '+get', '+set', '+xread', '+xinfo', '+xtrim', '+watch', '+unwatch', '+multi', '+exec');
  add_event($stream, $tenant) for 1 .. 12;
  is($run->(), 0, 'it runs, with no more rights in Redis than it needs');
  is(events_of($tenant), 12, 'the stream is the one that the file names');
  is(sum0($private->log_of('configured') =~ /batches=(\d+)/g), 3, 'and the size of batches too');
  $write->($path, "redis = \"127.0.0.1:1\"\nsurprise = 1\n");
  is($run->(), 2, 'a word that it does not know is refused');
  like($private->log_of('configured'), qr/surprise/, 'by name');
  unlike($private->all_logs, qr/s3cret/, 'no log holds a password');
};

subtest 'an unwilling Redis is waited for' => sub {
  my ($stream, $tenant) = fresh('unwilling');
  add_event($stream, $tenant) for 1 .. 3;
  $redis->acl('SETUSER', 'default', '-xtrim');
  my $said = $private->drain('--stream' => $stream);
  like($said, qr/level=error msg="Redis refuses XTRIM/, 'XTRIM refused: logged');
  is(events_of($tenant), 3, 'and stored all the same');
  $redis->acl('SETUSER', 'default', '+xtrim');
  $private->drain('--stream' => $stream);
  is($redis->xlen($stream), 0, 'what is stored is trimmed at the next start');
  is(events_of($tenant), 3, 'without being read again');
  $redis->acl('SETUSER', 'default', '-xread');
  my $flusher = $private->flusher('--stream' => $stream);
  wait_until('it says what Redis says', 10, sub { $private->said_by($flusher) =~ /server=Redis error=.*NOPERM/ });
  sleep 0.5;
  is((() = $private->said_by($flusher) =~ /cannot go on/g), 1, 'once, not at each try');
  add_event($stream, $tenant);
  $redis->acl('SETUSER', 'default', '+xread');
  is_drained($stream, $tenant, 4, 10);
  is($private->end($flusher, 'TERM'), 0, 'leaves in order');
};

subtest 'partitions are made ahead' => sub {
  my ($stream) = fresh('partitions');
  my $ahead = q{SELECT to_regclass('weir.events_' || to_char((now() + interval '4 weeks') AT TIME ZONE 'UTC', 'IYYY"w"IW'))};
  my $partition = value($ahead);
  $database->do("DROP TABLE $partition");
  like($private->drain('--stream' => $stream), qr/msg="made partitions" partitions=1/, 'one that is missing is made at the start');
  is(value($ahead), $partition, 'with its name');
};

unlike($private->all_logs, qr/AddressSanitizer|LeakSanitizer|runtime error:|PANIC:|terminate called/, 'no log holds an alarm');
my @odd = grep { !/^(?:time=\S+ level=(?:debug|info|warning|error) msg=(?:[\w-]+|"(?:[^"\\]|\\.)*")(?: \w+=(?:[^\s"]+|"(?:[^"\\]|\\.)*"))*)$/ } map { split /\n/, $private->log_of($_) } grep { !/^flusher-[1-8]$/ } $private->flusher_logs;
is_deeply(\@odd, [], 'every line of the flusher is logfmt');
done_testing;
