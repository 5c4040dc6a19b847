# What the flusher's test files share: one Weir::Private, streams and tenants for each subtest, and
# questions to the tables.
#
#   use Weir::FlusherTest;
#   private()->start('redis', 'postgres');
#   my ($stream, $tenant) = fresh('replay');
#   add_event($stream, $tenant);
#   private()->drain('--stream' => $stream);
#   is_exactly($tenant, [@ids]);
package Weir::FlusherTest;
use v5.36;
use utf8;

use Exporter 'import';
use Test::More;

use Weir::Private;
use Weir::Record;

our @EXPORT = qw(private redis database fresh add add_event event value events_of rolled_up dead_of position_of
  feed is_drained is_exactly wait_until no_alarm has_said held_at_users waits_for_users);

my ($private, $redis, $database);
my $number = 0;

sub private () { return $private //= Weir::Private->new }

# Clients; a new one where a server was restarted.
sub redis () {
  $redis = undef if $redis && !eval { $redis->ping };
  return $redis //= private()->redis;
}

sub database () {
  $database = undef if $database && !$database->ping;
  return $database //= private()->connect('weir');
}

sub wait_until { goto &Weir::Private::wait_until }

sub has_said ($flusher, $pattern) {
  return wait_until("'$pattern' in the log", 60, sub { private()->said_by($flusher) =~ $pattern });
}

# A stream and a tenant that no other subtest has.
sub fresh ($name) { ++$number; return ("weir:{$number}", "$name-$number") }

sub add ($stream, $record, $id = '*') { return redis()->xadd($stream, $id, 'r', $record) }

sub event (%columns) {
  return { event_id => uuid(), user_id => 'user-1', event => 'click', client_timestamp => now() - 1_000_000, %columns };
}

sub add_event ($stream, $tenant, %columns) {
  return add($stream, record(events => $tenant, now(), event(%columns)));
}

sub value ($sql, @bind) { return (database()->selectrow_array($sql, undef, @bind))[0] }

sub events_of ($tenant) { return value('SELECT count(*) FROM weir.events WHERE tenant_id = ?', $tenant) }

sub rolled_up ($tenant) { return value('SELECT coalesce(sum(events), 0) FROM weir.user_days WHERE tenant_id = ?', $tenant) }

sub dead_of ($tenant) {
  return database()->selectall_arrayref('SELECT reason, payload, received_at FROM weir.dead_letters WHERE tenant_id = ? ORDER BY id', { Slice => {} }, $tenant);
}

sub position_of ($stream) { return value('SELECT position FROM weir.stream_positions WHERE stream = ?', $stream) }

# Holds up every batch of events at its roll-ups; rollback() on the result lets them go on.
sub held_at_users () {
  my $lock = private()->connect('weir');
  $lock->begin_work;
  $lock->do('LOCK TABLE weir.users');
  return $lock;
}

sub waits_for_users () {
  return wait_until('a batch that waits', 60, sub { value(q{SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'weir.users'::regclass}) });
}

# Adds single events from another process and returns its pid; it goes on until Redis has them all.
sub feed ($stream, $tenant, $ids) {
  my $pid = fork // die "fork: $!\n";
  return $pid if $pid;
  local $SIG{PIPE} = 'IGNORE';
  my @left = @$ids;
  while (@left) {
    eval { feed_some($stream, $tenant, \@left, private()->redis) while @left; 1 } or Weir::Private::pause();
  }
  POSIX::_exit(0);
}

# Adds the first hundred of `left` and takes them off it, or dies.
sub feed_some ($stream, $tenant, $left, $client) {
  my @piece = @$left[ 0 .. ($#$left < 99 ? $#$left : 99) ];
  my $answered = 0;
  for my $id (@piece) {
    my $time = now();
    my $record = record(events => $tenant, $time, event(event_id => $id, client_timestamp => $time - 5));
    $client->xadd($stream, '*', 'r', $record, sub ($answer, $error) { ++$answered if defined $answer });
  }
  $client->wait_all_responses;
  $answered == @piece or die "not all were answered\n";
  splice @$left, 0, scalar @piece;
  return;
}

sub is_drained ($stream, $tenant, $count, $seconds = 60) {
  return wait_until("$count events of $tenant", $seconds, sub { events_of($tenant) >= $count && redis()->xlen($stream) == 0 });
}

# Every one of `ids` exactly once, in the table and in the daily figures, and nothing else.
sub is_exactly ($tenant, $ids) {
  my $stored = database()->selectcol_arrayref('SELECT event_id FROM weir.events WHERE tenant_id = ? ORDER BY 1', undef, $tenant);
  is_deeply($stored, [ sort @$ids ], 'every event is there exactly once');
  is(rolled_up($tenant), scalar @$ids, 'the daily figures count each once');
  return;
}

my $quoted = qr/"(?:[^"\\]|\\.)*"/;
my $logfmt = qr/^time=\S+Z level=(?:debug|info|warning|error) msg=(?:[\w-]+|$quoted)(?: \w+=(?:[^\s"]+|$quoted))*$/;

# To be the last tests of a file. What is no log but a word on the command line does not begin with a
# time.
sub no_alarm () {
  unlike(private()->all_logs, qr/AddressSanitizer|LeakSanitizer|ThreadSanitizer|runtime error:|PANIC:|terminate called/, 'no log holds an alarm');
  my @logs = grep { /\Atime=/ } map { private()->log_of($_) } private()->flusher_logs;
  is_deeply([ grep { !/$logfmt/ } map { split /\n/ } @logs ], [], 'every line of a flusher is logfmt');
  return;
}

1;
