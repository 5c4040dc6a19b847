# Several flushers and several streams: who reads what, who takes over from whom, and that one which
# hangs and wakes again stores and deletes nothing any more.
use v5.36;
use FindBin;
use lib "$FindBin::Bin/lib";

use Test::More;

use Weir::FlusherTest;
use Weir::Record;

my $private = private();
$private->start('redis', 'postgres');
$private->create_database('weir');
$private->migrate('weir');

# Who holds how many of `streams`, as "1 3": dead flushers hold nothing.
sub shares (@streams) {
  my $shares = database()->selectcol_arrayref(<<~'SQL', undef, \@streams);
    SELECT count(l.stream) FROM weir_lease.flushers AS f
    JOIN pg_stat_activity AS a ON a.pid = f.backend AND a.backend_start = f.backend_start
    LEFT JOIN weir_lease.stream_leases AS l ON l.flusher = f.flusher AND l.stream = ANY (?)
    GROUP BY f.flusher ORDER BY 1
    SQL
  return join ' ', @$shares;
}

sub tokens (@streams) { return value('SELECT sum(token) FROM weir_lease.stream_leases WHERE stream = ANY (?)', \@streams) }

sub is_shared ($shares, @streams) {
  my $seen = '';
  my $come = eval { wait_until("shares $shares", 60, sub { ($seen = shares(@streams)) eq $shares }) };
  ok($come, "the streams are shared as $shares") or diag "they are shared as $seen";
  return;
}

sub is_stopped ($pid) {
  open my $file, '<', "/proc/$pid/stat" or return 0;
  return readline($file) =~ /\) T /;
}

my $streams_here = 0;

sub four_streams ($tenant) {
  my @streams = map { 'four:{' . (++$streams_here) . '}' } 1 .. 4;
  return (\@streams, [ map { ('--stream' => $_) } @streams ], $tenant);
}

subtest 'one flusher reads several streams, however they are named' => sub {
  my ($streams, $options, $tenant) = four_streams('several');
  my @ids = map { uuid() } 1 .. 40;
  add_event($streams->[ $_ % 4 ], $tenant, event_id => $ids[$_]) for 0 .. 39;
  $private->drain('--stream' => join ',', @$streams[ 0 .. 2 ]);
  is(events_of($tenant), 30, 'with commas');
  $private->drain(@$options);
  is_exactly($tenant, \@ids);
  is(position_of($_) =~ /-/ ? 1 : 0, 1, "$_ has a position of its own") for @$streams;
  add_event("weir:{$_}", 'shards') for 0 .. 2;
  $private->drain('--shards' => 3);
  is(events_of('shards'), 3, 'as a number of shards');
  my ($status, $said) = $private->run_flusher('--shards' => 2, '--stream' => 'x');
  is($status, 2, 'not both') or diag $said;
};

subtest 'several flushers share the streams, take over from the dead, and make room for a new one' => sub {
  my ($streams, $options, $tenant) = four_streams('shared');
  my @ids = map { uuid() } 1 .. 400;
  my $flow = sub ($from) { add_event($streams->[ $_ % 4 ], $tenant, event_id => $ids[$_]) for $from .. $from + 99 };
  my $first = $private->flusher(@$options);
  is_shared('4', @$streams);
  $flow->(0);
  my $second = $private->flusher(@$options);
  is_shared('2 2', @$streams);
  is(tokens(@$streams), 6, 'two streams have changed hands, once each');
  has_said($first, qr/handing the stream over/);
  unlike($private->said_by($first), qr/level=(?:warning|error)/, 'in order');
  $flow->(100);
  is(tokens(@$streams), 6, 'and no more of them');
  $private->end($first, 'KILL');
  is_shared('4', @$streams);
  $flow->(200);
  my @more = map { $private->flusher(@$options) } 1 .. 2;
  is_shared('1 1 2', @$streams);
  $flow->(300);
  wait_until('all of them', 60, sub { events_of($tenant) == 400 });
  is_exactly($tenant, \@ids);
  is($private->end($_, 'TERM'), 0, 'leaves in order') for $second, @more;
  is(redis()->xlen($_), 0, "$_ is trimmed") for @$streams;
};

# A flusher that is stopped at a fault point with a batch in hand, until another one has taken over.
sub hangs_at ($point, $options, $meanwhile) {
  my ($stream, $tenant) = fresh($point);
  my @ids = map { uuid() } 1 .. 6;
  add($stream, record(events => $tenant, now(), map { event(event_id => $_) } @ids[ 0 .. 2 ]));
  my $zombie = $private->with_fault("$point.stop", sub { $private->flusher('--stream' => $stream, @$options) });
  wait_until('it hangs', 60, sub { is_stopped($zombie) });
  my $other = $private->flusher('--stream' => $stream, @$options);
  is_drained($stream, $tenant, 3);
  $meanwhile->($stream, $tenant, @ids[ 3 .. 5 ]);
  kill CONT => $zombie;
  has_said($zombie, qr/server=PostgreSQL error=/);
  is_drained($stream, $tenant, 6);
  is_exactly($tenant, \@ids);
  is($private->end($other, 'TERM'), 0, 'the one that took over leaves in order');
  add_event($stream, $tenant, event_id => (push(@ids, uuid()), $ids[-1])[1]);
  is_drained($stream, $tenant, 7);
  is($private->end($zombie, 'TERM'), 0, 'and the one that woke goes on when its turn comes');
  is_exactly($tenant, \@ids);
  return ($zombie, $other);
}

my @quick = ('--lease-seconds' => 2);

subtest 'a flusher that hangs before its COMMIT is replaced in seconds, and its COMMIT fails' => sub {
  hangs_at('before_commit', \@quick, sub ($stream, $tenant, @ids) { add_event($stream, $tenant, event_id => $_) for @ids });
};

subtest 'one that hangs between COMMIT and trim deletes nothing that nobody has read' => sub {
  hangs_at('after_commit', \@quick, sub ($stream, $tenant, @ids) {
    # A stream that began again under the zombie's hands, with ids below those that it wants to delete.
    redis()->del($stream);
    add($stream, record(events => $tenant, now(), event(event_id => $ids[$_])), '5-' . (1 + $_)) for 0 .. 2;
  });
};

subtest 'one that hangs while idle is replaced too' => sub {
  my ($stream, $tenant) = fresh('idle');
  my $zombie = $private->flusher('--stream' => $stream, @quick);
  add_event($stream, $tenant);
  is_drained($stream, $tenant, 1);
  kill STOP => $zombie;
  wait_until('it hangs', 60, sub { is_stopped($zombie) });
  my $other = $private->flusher('--stream' => $stream, @quick);
  add_event($stream, $tenant);
  is_drained($stream, $tenant, 2);
  kill CONT => $zombie;
  add_event($stream, $tenant);
  is_drained($stream, $tenant, 3);
  has_said($zombie, qr/standing by/);
  unlike($private->said_by($other), qr/the lease has ended|has taken this stream/, 'and takes nothing back');
  is($private->end($_, 'TERM'), 0, 'leaves in order') for $zombie, $other;
};

subtest 'one that cannot reach Redis leaves its streams to those who can' => sub {
  my ($stream, $tenant) = fresh('unreachable');
  my ($socket, $way) = map { "$private->{dir}/redis/$_" } qw(socket way);
  symlink $socket, $way or die "symlink: $!\n";
  my $cut_off = $private->flusher('--stream' => $stream, '--redis' => "unix:$way");
  add_event($stream, $tenant);
  is_drained($stream, $tenant, 1);
  my $other = $private->flusher('--stream' => $stream);
  has_said($other, qr/standing by/);
  unlink $way or die "unlink: $!\n";
  redis()->client_kill('TYPE', 'normal', 'SKIPME', 'yes');
  add_event($stream, $tenant);
  is_drained($stream, $tenant, 2);
  like($private->said_by($cut_off), qr/cannot go on.*server=Redis/, 'it says so');
  symlink $socket, $way or die "symlink: $!\n";
  has_said($cut_off, qr/standing by/);
  is($private->end($other, 'TERM'), 0, 'the one that took over leaves');
  add_event($stream, $tenant);
  is_drained($stream, $tenant, 3);
  is($private->end($cut_off, 'TERM'), 0, 'and the first, which has found the way again, goes on');
};

# A zombie whose session nobody ended: a flusher with another role, say. The token alone has to do.
subtest 'the COMMIT of one that lost its lease fails even where its session was left alone' => sub {
  my ($stream, $tenant) = fresh('token');
  my $id = uuid();
  add_event($stream, $tenant, event_id => $id);
  my $zombie = $private->with_fault('before_position.stop', sub { $private->flusher('--stream' => $stream, '--lease-seconds' => 300) });
  wait_until('it hangs', 60, sub { is_stopped($zombie) });
  database()->do('UPDATE weir_lease.stream_leases SET token = token + 1, flusher = NULL WHERE stream = ?', undef, $stream);
  kill CONT => $zombie;
  has_said($zombie, qr/another flusher has taken this stream/);
  is_drained($stream, $tenant, 1);
  is_exactly($tenant, [$id]);
  is($private->end($zombie, 'TERM'), 0, 'leaves in order');
};

subtest 'a batch that PostgreSQL takes long for keeps its lease' => sub {
  my ($stream, $tenant) = fresh('long');
  add_event($stream, $tenant);
  my $lock = held_at_users();
  my $slow = $private->flusher('--stream' => $stream, @quick);
  waits_for_users();
  my $other = $private->flusher('--stream' => $stream, @quick);
  has_said($other, qr/standing by/);
  my $renewed = value('SELECT max(expires_at) FROM weir_lease.flushers');
  wait_until('three times as long as a lease lasts', 60, sub { value(q{SELECT max(expires_at) > ?::timestamptz + interval '6 s' FROM weir_lease.flushers}, $renewed) });
  is(tokens($stream), 1, 'nobody has taken it');
  $lock->rollback;
  is_drained($stream, $tenant, 1);
  is($private->end($_, 'TERM'), 0, 'leaves in order') for $other, $slow;
};

no_alarm();
done_testing;
