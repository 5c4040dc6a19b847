# A PostgreSQL that refuses, hangs, or has settings that would lose events: the flusher backs off, says
# what it is and what to do, goes on when it can, and stores everything once. flusher_trouble.t has a
# PostgreSQL that dies.
use v5.36;
use FindBin;
use lib "$FindBin::Bin/lib";

use File::Temp qw(tempdir);
use IO::Socket::UNIX;
use POSIX ();
use Test::More;
use Time::HiRes qw(time);

use Weir::FlusherTest;
use Weir::Record;

my $private = private();
$private->start('redis', 'postgres');
$private->create_database('weir');
$private->migrate('weir');

# A batch fails with any SQLSTATE as long as weir.trouble holds one.
database()->do($_) for split /;;/, <<~'SQL';
  CREATE TABLE weir.trouble (sqlstate text);;
  GRANT SELECT ON weir.trouble TO weir_flusher;;
  CREATE FUNCTION weir.make_trouble() RETURNS trigger LANGUAGE plpgsql AS $$
  DECLARE
    state text := (SELECT sqlstate FROM weir.trouble);
  BEGIN
    IF state IS NOT NULL THEN
      RAISE EXCEPTION 'trouble' USING ERRCODE = state;
    END IF;
    RETURN NULL;
  END
  $$;;
  GRANT EXECUTE ON FUNCTION weir.make_trouble() TO PUBLIC;;
  CREATE TRIGGER trouble AFTER INSERT ON weir.user_days FOR EACH STATEMENT EXECUTE FUNCTION weir.make_trouble()
  SQL

sub trouble ($sqlstate) {
  database()->do('TRUNCATE weir.trouble');
  database()->do('INSERT INTO weir.trouble VALUES (?)', undef, $sqlstate) if $sqlstate;
  return;
}

my @quick = ('--linger-ms' => 0, '--log-level' => 'debug');

subtest 'whatever PostgreSQL refuses with, the batch waits and passes in the end' => sub {
  my ($stream, $tenant) = fresh('refuses');
  my @ids;
  my $flusher = $private->flusher('--stream' => $stream, @quick);
  has_said($flusher, qr/msg=reading/);
  my %advice = (
    53100 => 'its disk is full',    25006 => 'it is read-only', '40P01' => 'another session locks',
    57014 => 'statement_timeout',   '55P03' => 'holds a lock',  '57P01' => 'an administrator',
    53200 => 'it has no memory',    58030 => '',                 40001  => '',
  );
  for my $sqlstate (sort keys %advice) {
    trouble($sqlstate);
    my $before = length $private->said_by($flusher);
    my $said = sub { substr $private->said_by($flusher), $before };
    add_event($stream, $tenant, event_id => (push(@ids, uuid()), $ids[-1])[1]);
    wait_until("$sqlstate in the log", 60, sub { $said->() =~ /still away.*\($sqlstate\)/ });
    like($said->(), qr/level=warning msg="cannot go on without this server.*waits in Redis" server=PostgreSQL error="trouble \($sqlstate\)"(?: advice="[^"]*$advice{$sqlstate})?/, "$sqlstate is told");
    is(redis()->xlen($stream), 1, 'nothing is trimmed');
    trouble(undef);
    is_drained($stream, $tenant, scalar @ids);
    wait_until('all is well', 60, sub { $said->() =~ /the server is back/ });
  }
  is_exactly($tenant, \@ids);
  is(scalar dead_of($tenant)->@*, 0, 'nothing became a dead letter');
  is($private->end($flusher, 'TERM'), 0, 'leaves in order');
};

subtest 'a batch that statement_timeout cuts off is tried in smaller ones' => sub {
  my ($stream, $tenant) = fresh('timeout');
  my @ids = map { uuid() } 1 .. 64;
  database()->do(q{ALTER ROLE weir_flusher SET statement_timeout = '900ms'});
  # Each row takes so long that not all of them can go at once.
  database()->do(<<~'SQL');
    CREATE FUNCTION weir.be_slow() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      PERFORM pg_sleep(0.04);
      RETURN NEW;
    END
    $$
    SQL
  database()->do('GRANT EXECUTE ON FUNCTION weir.be_slow() TO PUBLIC');
  database()->do('CREATE TRIGGER slow BEFORE INSERT ON weir.events FOR EACH ROW EXECUTE FUNCTION weir.be_slow()');
  add_event($stream, $tenant, event_id => $_) for @ids;
  my $flusher = $private->flusher('--stream' => $stream, '--batch-rows' => 64);
  is_drained($stream, $tenant, 64, 60);
  database()->do('DROP TRIGGER slow ON weir.events');
  database()->do('ALTER ROLE weir_flusher RESET statement_timeout');
  is_exactly($tenant, \@ids);
  like($private->said_by($flusher), qr/\(57014\).*smaller batches follow/, 'it is told');
  is($private->end($flusher, 'TERM'), 0, 'leaves in order');
};

subtest 'read-only after a failover: it says how it finds the primary, and goes on when there is one' => sub {
  my ($stream, $tenant) = fresh('readonly');
  my $flusher = $private->flusher('--stream' => $stream, @quick);
  has_said($flusher, qr/msg=reading/);
  my $session = value(q{SELECT pid FROM pg_stat_activity WHERE application_name = 'weir-flusher'});
  database()->do('ALTER ROLE weir_flusher SET default_transaction_read_only = on');
  database()->do(q{SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'weir-flusher%'});
  has_said($flusher, qr/\(25006\)|cannot execute \w+ in a read-only transaction/);
  add_event($stream, $tenant);
  database()->do('ALTER ROLE weir_flusher RESET default_transaction_read_only');
  is_drained($stream, $tenant, 1);
  isnt(value(q{SELECT pid FROM pg_stat_activity WHERE application_name = 'weir-flusher'}), $session, 'over another session');
  is($private->end($flusher, 'TERM'), 0, 'leaves in order');
};

subtest 'as many sessions as PostgreSQL takes: it waits for one' => sub {
  my ($stream, $tenant) = fresh('sessions');
  add_event($stream, $tenant);
  database()->do('ALTER ROLE weir_flusher CONNECTION LIMIT 1');    # and the flusher needs more
  my $flusher = $private->flusher('--stream' => $stream);
  has_said($flusher, qr/server=PostgreSQL error=.*too many connections/);
  is(redis()->xlen($stream), 1, 'nothing is lost');
  database()->do('ALTER ROLE weir_flusher CONNECTION LIMIT -1');
  is_drained($stream, $tenant, 1);
  is($private->end($flusher, 'TERM'), 0, 'leaves in order');
};

subtest 'its session keeps what it commits, and does not hold locks for ever, whatever the defaults say' => sub {
  my ($stream, $tenant) = fresh('settings');
  database()->do("ALTER ROLE weir_flusher SET $_") for q{synchronous_commit = off}, q{idle_session_timeout = '1s'};
  # Shows what the session that stores has: a trigger runs in it.
  database()->do('CREATE TABLE weir.seen (name text, setting text)');
  database()->do('GRANT INSERT ON weir.seen TO weir_flusher');
  database()->do(<<~'SQL');
    CREATE FUNCTION weir.show() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      INSERT INTO weir.seen SELECT name, current_setting(name) FROM unnest(ARRAY['synchronous_commit',
        'idle_session_timeout', 'idle_in_transaction_session_timeout', 'client_connection_check_interval']) AS name;
      RETURN NULL;
    END
    $$
    SQL
  database()->do('GRANT EXECUTE ON FUNCTION weir.show() TO PUBLIC');
  database()->do('CREATE TRIGGER show AFTER INSERT ON weir.user_days FOR EACH STATEMENT EXECUTE FUNCTION weir.show()');
  add_event($stream, $tenant);
  $private->drain('--stream' => $stream);
  database()->do('DROP TRIGGER show ON weir.user_days');
  database()->do("ALTER ROLE weir_flusher RESET $_") for qw(synchronous_commit idle_session_timeout);
  is_deeply({ map { @$_ } database()->selectall_arrayref('SELECT DISTINCT name, setting FROM weir.seen')->@* },
    { synchronous_commit => 'on', idle_session_timeout => 0, idle_in_transaction_session_timeout => '10s', client_connection_check_interval => '2s' }, 'as they have to be');
};

sub parent_of ($pid) {
  open my $file, '<', "/proc/$pid/stat" or return 0;
  return (readline($file) // '') =~ /\) \S (\d+)/ ? $1 : 0;
}

# All of PostgreSQL's processes, stopped or going on.
sub signal_postgres ($signal) {
  my $parent = $private->pid('postgres');
  kill $signal => $parent, grep { parent_of($_) == $parent } map { m{(\d+)\z} } glob '/proc/[0-9]*';
  return;
}

subtest 'a PostgreSQL that hangs is given up and found again, and does not hold up the end' => sub {
  my ($stream, $tenant) = fresh('hangs');
  my @ids = map { uuid() } 1 .. 3;
  my $flusher = $private->flusher('--stream' => $stream, '--linger-ms' => 0);
  add_event($stream, $tenant, event_id => $ids[0]);
  is_drained($stream, $tenant, 1);
  my $leaving = $private->flusher('--stream' => "$stream:other", '--linger-ms' => 0);
  has_said($leaving, qr/msg=reading/);
  signal_postgres('STOP');
  add_event($stream, $tenant, event_id => $ids[1]);
  add_event("$stream:other", $tenant, event_id => $ids[2]);
  has_said($flusher, qr/server=PostgreSQL error="(?:the server does not answer|.*timeout expired)"/);
  my $before = time;
  is($private->end($leaving, 'TERM'), 0, 'one that is asked to leave');
  cmp_ok(time - $before, '<', 30, 'does so within some seconds');
  signal_postgres('CONT');
  is_drained($stream, $tenant, 2);
  is($private->end($flusher, 'TERM'), 0, 'leaves in order');
  $private->drain('--stream' => "$stream:other");
  is_exactly($tenant, \@ids);
};

# A server that lets anybody in, and whose farewell is all that it answers, as one that is shut down at once.
sub farewell_server ($folder) {
  my $listener = IO::Socket::UNIX->new(Local => "$folder/.s.PGSQL.5432", Listen => 9) or die "socket: $!\n";
  my $pid = fork // die "fork: $!\n";
  return $pid if $pid;
  my $message = sub ($type, $body) { return pack 'a N a*', $type, 4 + length $body, $body };
  my $fields = join '', map { "$_\0" } 'SWARNING', 'VWARNING', 'C57P02', 'Mterminating connection due to immediate shutdown command', '';
  while (my $client = $listener->accept) {
    sysread $client, my $startup, 4096;
    syswrite $client, $message->(R => pack 'N', 0) . $message->(Z => 'I');
    sysread $client, my $query, 4096;
    syswrite $client, $message->(N => $fields);
  }
  POSIX::_exit(0);
}

subtest 'what a server says as it goes is nothing for the log, however new the session' => sub {
  my ($stream) = fresh('farewell');
  my $folder = tempdir(CLEANUP => 1);
  my $server = farewell_server($folder);
  my $flusher = $private->flusher('--stream' => $stream, '--postgres' => "host=$folder user=x dbname=x");
  has_said($flusher, qr/server=PostgreSQL error=/);
  unlike($private->said_by($flusher), qr/WARNING/, 'it is not there');
  is($private->end($flusher, 'TERM'), 0, 'leaves in order');
  kill KILL => $server;
  waitpid $server, 0;
};

no_alarm();
done_testing;
