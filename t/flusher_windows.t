# weir-flusher dies, or hangs, in exactly those moments that matter: the builds for tests have fault
# points there (fault/fault_point.h). What the next one finds has to be stored once, and all of it.
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

subtest 'only builds for tests have fault points' => sub {
  for my $program (Weir::Private::flusher_program(), $private->with_fault('nowhere.kill', \&Weir::Private::flusher_program)) {
    open my $file, '<:raw', $program or die "$program: $!\n";
    local $/;
    my $found = readline($file) =~ /WEIR_FAULTS/ ? 1 : 0;
    is($found, $program =~ m{/faults/} ? 1 : 0, $program =~ m{/faults/} ? 'the one in faults/ does' : 'the ordinary one does not');
  }
};

# A flusher that is killed at `point` with a batch in hand, then another one.
sub killed_at ($point, $meanwhile) {
  my ($stream, $tenant) = fresh($point);
  my @ids = map { uuid() } 1 .. 7;
  add($stream, record(events => $tenant, now(), map { event(event_id => $_) } @ids));
  my $killed = $private->with_fault("$point.kill", sub { $private->flusher('--stream' => $stream) });
  is($private->wait_for($killed), 'signal 9', 'it was killed just there');
  $meanwhile->($stream, $tenant);
  my $said = $private->drain('--stream' => $stream);
  is_exactly($tenant, \@ids);
  is(redis()->xlen($stream), 0, 'the stream is trimmed');
  return $said;
}

subtest 'killed after COPY and before COMMIT: nothing is stored, and the next one stores it' => sub {
  my $said = killed_at('before_commit', sub ($stream, $tenant) {
    is(redis()->xlen($stream), 1, 'nothing was trimmed');
    is(events_of($tenant), 0, 'nothing was stored');
  });
  like($said, qr/msg=stored rows=7 duplicates=0/, 'once');
};

subtest 'killed with COMMIT on its way: PostgreSQL does it, and the next one stores nothing twice' => sub {
  killed_at('commit_sent', sub ($stream, $tenant) {
    wait_until('the COMMIT', 60, sub { events_of($tenant) == 7 });
    is(redis()->xlen($stream), 1, 'nothing was trimmed');
  });
};

subtest 'killed after COMMIT and before the trim: the next one stores nothing twice' => sub {
  killed_at('after_commit', sub ($stream, $tenant) {
    is(redis()->xlen($stream), 1, 'nothing was trimmed');
    is(events_of($tenant), 7, 'all is stored');
  });
};

subtest 'killed in the midst of a backlog: nothing is stored, and the next one stores all of it' => sub {
  my ($stream, $tenant) = fresh('killed');
  my @ids = map { uuid() } 1 .. 2000;
  add_event($stream, $tenant, event_id => $_) for @ids;
  my $killed = $private->with_fault('streaming.kill', sub { $private->flusher('--stream' => $stream) });
  is($private->wait_for($killed), 'signal 9', 'it was killed just there');
  is(events_of($tenant), 0, 'nothing was stored');
  is(redis()->xlen($stream), 2000, 'nothing was trimmed');
  $private->drain('--stream' => $stream);
  is_exactly($tenant, \@ids);
  is(redis()->xlen($stream), 0, 'the stream is trimmed');
};

# The unique index of one week does not see the other, and neither transaction sees what the other has
# not committed. (Weeks begin on Monday; 1970-01-05 was one.)
subtest 'a retry without a time, in the next week and in another stream, while the first is not committed' => sub {
  my $day    = 86_400 * 1_000_000;
  my $monday = int((now() - 4 * $day) / (7 * $day)) * 7 * $day + 4 * $day;
  for my $case (
    [ 'the first is of the week before', 0,    -1, 1 ],
    [ 'the first is of the week after',  0,    1,  -1 ],
    [ 'each in a backlog',               1500, -1, 1 ],
  ) {
    my ($name, $before, @seconds) = @$case;
    my ($stream, $tenant) = fresh("first$before$seconds[0]");
    my ($other) = fresh("second$before$seconds[0]");
    my %event = (event_id => uuid(), event => 'click', user_id => 'u');
    my %crash = (crash_id => uuid());
    my $both  = sub ($to, $received) {
      add_event($to, "$tenant-before") for 1 .. $before;
      add($to, record(events  => $tenant, $received, {%event}));
      add($to, record(crashes => $tenant, $received, {%crash}));
    };
    $both->($stream, $monday + $seconds[0] * 1_000_000);
    my $first = $private->with_fault('before_commit.stop', sub { $private->flusher('--stream' => $stream, '--once', '--lease-seconds' => 30) });
    wait_until('the first stands before its COMMIT', 60, sub { $private->was_at('before_commit.stop') });
    $both->($other, $monday + $seconds[1] * 1_000_000);
    my $second = $private->flusher('--stream' => $other, '--once');
    # The lock of the leases is one of a single number.
    wait_until('the other waits for it, or is done', 60, sub {
      value(q{SELECT count(*) FROM pg_locks WHERE NOT granted AND (locktype <> 'advisory' OR objsubid = 2)}) || redis()->xlen($other) == 0;
    });
    kill CONT => $first;
    is($private->wait_for($_), 0, 'it leaves in order') for $first, $second;
    $private->drain('--stream' => $_) for $stream, $other;
    is_exactly($tenant, [ $event{event_id} ]);
    is(value('SELECT count(*) FROM weir.crashes WHERE tenant_id = ?', $tenant), 1, "$name: the crash is there once, too");
  }
};

no_alarm();
done_testing;
