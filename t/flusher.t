# weir-flusher against a real Redis and a real PostgreSQL, with records from an independent encoder:
# what it stores, and how it is run. flusher_trouble.t has what happens when servers die.
use v5.36;
use utf8;
use FindBin;
use lib "$FindBin::Bin/lib";

use File::Temp;
use IO::Socket::UNIX;
use List::Util qw(sum0);
use POSIX qw(WNOHANG);
use Socket qw(SOCK_DGRAM);
use Test::More;
use Time::HiRes qw(time);

use Weir::FlusherTest;
use Weir::Record;

my $DAY = 86_400 * 1_000_000;
my $private = private();

# Before there is a schema ---------------------------------------------------------------------

subtest 'help, and what is wrong with a configuration, in a sentence' => sub {
  my ($status, $said) = $private->run_flusher('--help');
  is($status, 0, 'help is no failure');
  like($said, qr/^ +(?:-h,)?\Q$_\E\b/m, "help explains $_") for qw(--help --config --redis --redis-user --redis-password-file --stream --shards --postgres --batch-rows --batch-bytes --linger-ms --lease-seconds --bury-newer --log-level --once);
  ($status, $said) = $private->run_flusher('--version');
  is($status, 0, 'nor is the version');
  like($said, qr/\Aweir-flusher \d+\.\d+\.\d+, for version \d+ of the schema\n\z/, 'which it says');
  my %wrong = (
    '--redis'       => [ 'nowhere',           qr/port is missing/ ],
    '--batch-rows'  => [ '0',                 qr/range/ ],
    '--batch-bytes' => [ '1k',                qr/range/ ],
    '--linger-ms'   => [ '-1',                qr/range/ ],
    '--shards'      => [ '0',                 qr/range/ ],
    '--lease-seconds' => [ '1',               qr/range/ ],
    '--log-level'   => [ 'loud',              qr/debug/ ],
    '--config'      => [ "/nonexistent/file", qr/nonexistent/ ],
    '--verbose'     => [ '1',                 qr/verbose/ ],
    '--postgres'    => [ 'foo=bar',           qr/invalid connection option "foo"/ ],
    '--redis-password-file' => [ '/nonexistent/file', qr/does not exist/ ],
  );
  for my $option (sort keys %wrong) {
    my ($value, $reason) = $wrong{$option}->@*;
    ($status, $said) = $private->run_flusher($option => $value);
    is($status, 2, "$option $value is refused");
    like($said, $reason, 'with a reason');
  }
  my $file = File::Temp->new;
  print {$file} "batch-rows = 10\nbatch-size = 10\n";
  close $file or die "$file: $!\n";
  ($status, $said) = $private->run_flusher('--config' => $file->filename);
  is($status, 2, 'a file with an option that there is not is refused');
  like($said, qr/file of --config has "batch-size"/, 'by its name');
};

$private->start('redis', 'postgres');
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
  my $version = value('SELECT weir.schema_version()');
  database()->do('INSERT INTO weir.schema_migrations (version, name, checksum) VALUES (9999, ?, ?)', undef, 'new', 'none');
  refuses('a newer schema', qr/version 9999.*version $version.*install/);
  database()->do('DELETE FROM weir.schema_migrations WHERE version IN (9999, ?)', undef, $version);
  refuses('an older schema', qr/`weirctl migrate`/);
  database()->do('INSERT INTO weir.schema_migrations (version, name, checksum) VALUES (?, ?, ?)', undef, $version, 'last', 'none');
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
  my $row = database()->selectrow_hashref('SELECT *, extract(epoch FROM timestamp) AS t, extract(epoch FROM client_timestamp) AS c, extract(epoch FROM received_at) AS r FROM weir.events WHERE event_id = ?', undef, $full{event_id});
  is($row->{$_}, $full{$_}, "$_ is the same") for qw(user_id session_id event app_version platform country properties);
  is($row->{tenant_id}, $tenant, 'the tenant is the record\'s');
  is_deeply([ @$row{qw(t c r)} ], [qw(1795249798.249999 1795249799.250000 1795249800.250000)], 'times keep their microseconds');
  is_deeply(database()->selectrow_arrayref('SELECT error_message, stack_trace, context, fingerprint FROM weir.crashes WHERE tenant_id = ?', undef, $tenant), [ "a\nb", 'at f', '{"k": [1]}', '1-0' ], 'a crash is the same');
  is_deeply(
    database()->selectall_arrayref('SELECT user_id, session_id IS NOT NULL, event FROM weir.events WHERE tenant_id = ? AND event <> ? ORDER BY event', undef, $tenant, 'recording_completed'),
    [ [ undef, 0, 'bare' ], [ undef, 1, 'cli_command' ] ],
    'an event may lack what it does not need'
  );
  my $stats = database()->selectrow_hashref('SELECT * FROM weir.user_stats WHERE tenant_id = ?', undef, $tenant);
  is($stats->{$_->[0]} + 0, $_->[1], "$_->[0] is rolled up") for [ active_users => 1 ], [ total_recordings => 1 ], [ total_minutes => 1.5 ], [ total_cost_usd => 0.25 ], [ crash_count => 1 ];
  is(redis()->xlen($stream), 0, 'the stream is trimmed');
  like($private->drain('--stream' => $stream), qr/rows=0/, 'and there is nothing left to do');
};

subtest 'a replay changes nothing' => sub {
  my ($stream, $tenant) = fresh('replay');
  my @records = map { record(events => $tenant, now(), map { event() } 1 .. 5) } 1 .. 60;
  push @records, record(crashes => $tenant, now(), map { { crash_id => uuid(), client_timestamp => now() - 7 } } 1 .. 4);
  my $all = sub { [ map { database()->selectall_arrayref("SELECT * FROM weir.$_ WHERE tenant_id = ? ORDER BY 1, 2, 3", undef, $tenant) } qw(events crashes user_days users day_measures crash_days dead_letters) ] };
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
  is_exactly($tenant, [ map { $_->{event_id} } @events ]);
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
  is_exactly($tenant, [ $same{event_id} ]);
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
  is_exactly($tenant, [ map { $_->{event_id} } @events ]);
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
  add($stream, "\x77$canary");
  redis()->xadd($stream, '*', 'other', 'field');
  add($stream, record(events => $tenant, $received, @good[ 30 .. 39 ]));
  my $said = $private->drain('--stream' => $stream);
  like($said, qr/rows=40 duplicates=0 dead=10/, 'the log counts');
  is_exactly($tenant, [ map { $_->{event_id} } @good ]);
  my @dead = dead_of($tenant)->@*;
  my @reasons = map { $_->{reason} } @dead;
  is_deeply([ map { /^(\w{5}): ./ ? $1 : $_ } @reasons ], [ 'bytes follow the last row', qw(22P02 22021 22P05 22021 23502 54000) ], 'each has its reason') or diag explain \@reasons;
  is($dead[0]{payload}, $broken, 'a record is kept whole');
  is($dead[1]{payload}, record(events => $tenant, $received, event_in($dead[1]{payload}, qq({"$canary": }))), 'a row as a record of its own');
  my $without = dead_of('');
  is_deeply([ map { $_->{reason} } @$without ], [ 'version 119 is not known', 'the entry has no field r', 'its tenant or its reason is no text' ], 'one without a tenant too');
  is(redis()->xlen($stream), 0, 'nothing stalls');
  unlike($private->all_logs =~ s/^.*(?:STATEMENT|DETAIL|CONTEXT|ERROR): .*$//gmr, qr/$canary/, 'no log of the flusher holds a row\'s contents');
};

# The event whose bytes lie in a record of one row, as far as it was made at random.
sub event_in ($payload, $properties) {
  my ($id) = unpack 'H32', substr $payload, index($payload, "\0\0\0\x10") + 4, 16;
  my $time = unpack 'q>', substr $payload, -20, 8;
  return event(event_id => $id, properties => $properties, client_timestamp => $time + 946_684_800_000_000);
}

subtest 'a record of a newer Weir waits for the upgrade, and only its stream does' => sub {
  my ($stream, $tenant) = fresh('newer');
  my ($other) = fresh('beside');
  my $old = record(events => $tenant, now(), event());
  my $new = "\x02" . substr $old, 1;
  add($stream, $_) for $old, $new, record(events => $tenant, now(), event());
  add_event($other, $tenant);
  my $flusher = $private->flusher('--stream' => $stream, '--stream' => $other);
  has_said($flusher, qr/level=error msg="a record of a newer Weir is the next one: upgrade weir-flusher.*stream=\Q$stream\E/);
  wait_until('what stands before it is stored', 60, sub { events_of($tenant) == 2 && redis()->xlen($other) == 0 });
  is(redis()->xlen($stream), 2, 'it and what follows stay in Redis');
  wait_until('the lease is given back', 60, sub { !defined value('SELECT flusher FROM weir_lease.stream_leases WHERE stream = ?', $stream) });
  add_event($other, $tenant);
  is_drained($other, $tenant, 3);
  is($private->end($flusher, 'TERM'), 0, 'leaves in order');
  my ($status) = $private->run_flusher('--once', '--stream' => $stream);
  is($status, 1, '--once fails instead of saying that it is done');
  $private->drain('--stream' => $stream, '--bury-newer');
  is(events_of($tenant), 4, 'who says so has it buried, and the rest goes in');
  is_deeply([ map { @$_{qw(reason payload)} } dead_of('')->[-1] ], [ 'version 2 is not known', $new ], 'whole');
};

subtest 'a dead letter can be put into the stream again' => sub {
  my ($stream, $tenant) = fresh('again');
  database()->do('ALTER TABLE weir.events ADD CONSTRAINT no_poison CHECK (event <> ?)' =~ s/\?/'poison'/r);
  my @events = (event(), event(event => 'poison'), event());
  add($stream, record(events => $tenant, now(), @events));
  $private->drain('--stream' => $stream);
  is(events_of($tenant), 2, 'the others are stored');
  database()->do('ALTER TABLE weir.events DROP CONSTRAINT no_poison');
  add($stream, $_->{payload}) for dead_of($tenant)->@*;
  $private->drain('--stream' => $stream);
  is_exactly($tenant, [ map { $_->{event_id} } @events ]);
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

# Redis cannot give out a larger one, so whoever made it did so by hand.
subtest 'an entry with the largest id of all is buried once' => sub {
  my ($stream, $tenant) = fresh('largest');
  my $flusher = $private->flusher('--stream' => $stream);
  add_event($stream, $tenant);
  my $dead = value('SELECT count(*) FROM weir.dead_letters');
  my $largest = join '-', (18_446_744_073_709_551_615) x 2;
  add($stream, "\x01 no record", $largest);
  wait_until('the largest id is stored', 60, sub { (position_of($stream) // '') eq $largest });
  wait_until('and trimmed', 60, sub { redis()->xlen($stream) == 0 });
  is($private->end($flusher, 'TERM'), 0, 'leaves in order');
  $private->drain('--stream' => $stream);
  is(value('SELECT count(*) FROM weir.dead_letters'), $dead + 1, 'one dead letter');
  is(events_of($tenant), 1, 'what came before it is stored');
};

# Running it -----------------------------------------------------------------------------------

# The seconds that an idle flusher takes to leave, with a Redis that hangs: one that did not hear the signal would
# wait five for its answer.
sub ends_idle ($stream, $signal) {
  my $flusher = $private->flusher('--stream' => $stream);
  has_said($flusher, qr/msg=reading/);
  wait_until('it waits for what comes', 60, sub { redis()->info->{blocked_clients} });
  my $redis = $private->pid('redis');
  kill STOP => $redis;
  my $before = time;
  is($private->end($flusher, $signal), 0, "SIG$signal ends an idle one");
  my $seconds = time - $before;
  kill CONT => $redis;
  like($private->said_by($flusher), qr/weir-flusher leaves/, 'and it says so');
  return $seconds;
}

subtest 'SIGTERM and SIGINT finish the batch in hand and leave at once' => sub {
  my ($stream, $tenant) = fresh('term');
  add_event($stream, $tenant) for 1 .. 3;
  my $lock = held_at_users();
  my $flusher = $private->flusher('--stream' => $stream);
  waits_for_users();
  kill TERM => $flusher;
  wait_until('the signal is taken', 60, sub { Weir::Private::pending_signals($flusher) == 0 });
  is(waitpid($flusher, WNOHANG), 0, 'it does not leave with a batch in hand');
  $lock->rollback;
  is($private->wait_for($flusher), 0, 'but after it');
  is(events_of($tenant), 3, 'the batch is stored');
  is(redis()->xlen($stream), 0, 'and trimmed');
  for my $signal (qw(TERM INT)) {
    # Between two waits it may have asked something else, but not each time.
    my ($quickest) = sort { $a <=> $b } map { ends_idle($stream, $signal) } 1 .. 3;
    cmp_ok($quickest, '<', 4, 'at once');
  }
  $flusher = $private->flusher('--stream' => $stream, '--redis' => 'unix:/nonexistent/socket');
  has_said($flusher, qr/server=Redis/);
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
  wait_until('READY=1', 60, sub { $listen->() =~ /^READY=1$/m });
  add_event($stream, $tenant);
  wait_until('STATUS', 60, sub { $listen->() =~ /^STATUS=stored 1 rows/m });
  $heard = '';
  wait_until('WATCHDOG=1', 60, sub { $listen->() =~ /^WATCHDOG=1$/m });
  my $standby = $private->flusher('--stream' => $stream);
  wait_until('READY=1 of the one that stands by', 60, sub { $listen->() =~ /^STATUS=standing by$/m && $heard =~ /^READY=1$/m });
  $private->end($standby, 'TERM');
  $heard = '';
  $private->end($flusher, 'TERM');
  like($listen->(), qr/^STOPPING=1$/m, 'STOPPING=1');

  # Behind the first batch of a backlog, the second waits for a row that another session holds.
  add($stream, record(events => $_, now(), event(user_id => 'held'))) for $tenant, "$tenant-held";
  my $lock = $private->connect('weir');
  $lock->begin_work;
  $lock->do(q(INSERT INTO weir.users (tenant_id, user_id, first_day) VALUES (?, 'held', now())), undef, "$tenant-held");
  $heard = '';
  $flusher = $private->flusher('--stream' => $stream, '--batch-rows' => 1);
  wait_until('READY=1 with a backlog', 60, sub { $listen->() =~ /^READY=1$/m });
  is(redis()->xlen($stream), 1, 'ready as soon as it stores, not only when all is stored');
  $lock->rollback;
  $private->end($flusher, 'TERM');
};

subtest 'a configuration file says what the options say, and secrets stay secret' => sub {
  my ($stream, $tenant) = fresh('config');
  my $path = "$private->{dir}/flusher.conf";
  my $write = sub ($name, $text) { open my $file, '>', $name or die "$name: $!\n"; print {$file} $text; close $file or die "$name: $!\n"; return };
  $write->("$private->{dir}/password", "s3cret-of-redis\n");
  chmod 0640, "$private->{dir}/password" or die "chmod: $!\n";
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
  redis()->acl('SETUSER', 'weir', 'on', '>s3cret-of-redis', '~weir:*', '+auth', '+get', '+set', '+xread', '+xinfo', '+xtrim', '+eval');
  add_event($stream, $tenant) for 1 .. 12;
  is($run->(), 0, 'it runs, with no more rights in Redis than it needs');
  is(events_of($tenant), 12, 'the stream is the one that the file names');
  is(sum0($private->log_of('configured') =~ /batches=(\d+)/g), 3, 'and the size of batches too');
  $write->($path, "redis = \"127.0.0.1:1\"\nsurprise = 1\n");
  is($run->(), 2, 'a word that it does not know is refused');
  like($private->log_of('configured'), qr/surprise/, 'by name');
  $write->("$private->{dir}/password", "wrong-s3cret\n");
  unlike($private->all_logs, qr/chmod o-r/, 'nothing is said of a file that not everybody can read');
  chmod 0644, "$private->{dir}/password" or die "chmod: $!\n";
  my $flusher = $private->flusher('--stream' => $stream, '--redis-user' => 'weir', '--redis-password-file' => "$private->{dir}/password");
  has_said($flusher, qr/Redis refused AUTH with WRONGPASS/);
  $write->("$private->{dir}/password", "s3cret-of-redis\nanother line\n");
  add_event($stream, $tenant);
  is_drained($stream, $tenant, 13);
  is($private->end($flusher, 'TERM'), 0, 'a password that was put right is taken without a restart');
  my $exposed = qr/level=warning msg="everybody on this machine can read the secret file \S+password\S+: chmod o-r it"/;
  is(scalar(() = $private->all_logs =~ /$exposed/g), 1, 'one that everybody can read is warned of, once, however often it connects');
  unlike($private->all_logs, qr/s3cret/, 'no log holds a password');
};

subtest 'partitions are made ahead' => sub {
  my ($stream) = fresh('partitions');
  my $ahead = q{SELECT to_regclass('weir.events_' || to_char((now() + interval '4 weeks') AT TIME ZONE 'UTC', 'IYYY"w"IW'))};
  my $partition = value($ahead);
  database()->do("DROP TABLE $partition");
  like($private->drain('--stream' => $stream), qr/msg="made partitions" partitions=1/, 'one that is missing is made at the start');
  is(value($ahead), $partition, 'with its name');
};

no_alarm();
done_testing;
