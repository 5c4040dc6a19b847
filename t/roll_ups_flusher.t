# The roll-ups over a real flusher: figures are there without anybody's asking, beside storing and never in
# its way; a flusher that is stopped gives a step up, and one that is told to leaves building to others.
use v5.36;
use FindBin;
use lib "$FindBin::Bin/lib";

use Test::More;
use Time::HiRes qw(time);

use Weir::FlusherTest;
use Weir::Record;
use WeirTest::Client;

my $private = private();
$private->start('redis', 'postgres');
$private->create_database('weir');
$private->migrate('weir');

sub counted ($tenant) {
  return value(q{SELECT coalesce(sum(events), 0) FROM weir.day_counts WHERE tenant_id = ? AND zone = 'UTC' AND subject = 'active'}, $tenant);
}

sub users_of ($tenant) {
  return value(q{SELECT coalesce(sum(bit_count(users)), 0) FROM (SELECT chunk, bit_or(users) AS users FROM weir.day_sets
    WHERE tenant_id = ? AND zone = 'UTC' AND subject = 'active' GROUP BY chunk) AS s}, $tenant);
}

sub is_counted ($tenant, $events) { return wait_until("$events events of $tenant in the figures", 60, sub { counted($tenant) == $events }) }

subtest 'what is stored is counted, and what comes late too' => sub {
  my ($stream, $tenant) = fresh('counted');
  my $flusher = $private->flusher('--stream' => $stream, '--roll-ups' => 90);
  add_event($stream, $tenant, user_id => "user-$_") for 1 .. 5;
  is_counted($tenant, 5);
  is(users_of($tenant), 5, 'with their users');
  my $early = now() - 40 * 86_400 * 1_000_000;
  add_event($stream, $tenant, user_id => 'user-1', client_timestamp => $early, timestamp => $early);
  is_counted($tenant, 6);
  my $new = sub ($at) { return value(q{SELECT coalesce(sum(events), 0) FROM weir.day_counts WHERE tenant_id = ? AND zone = 'UTC' AND subject = 'new'
    AND day = (to_timestamp(?::bigint / 1000000) AT TIME ZONE 'UTC')::date}, $tenant, $at) };
  wait_until('the user whose first event came late is new on its day', 60, sub { $new->($early) == 1 });
  wait_until('and on no other', 60, sub { value(q{SELECT sum(events) FROM weir.day_counts WHERE tenant_id = ? AND subject = 'new'}, $tenant) == 5 });
  add($stream, record(events => $tenant, now(), event(event_id => 'aaaaaaaa-0000-7000-8000-000000000001', client_timestamp => $early))) for 1 .. 2;
  is_counted($tenant, 7);
  is($private->end($flusher, 'TERM'), 0, 'leaves in order');
};

subtest 'a step that hangs holds up neither storing nor the end, and its marks stay' => sub {
  my ($stream, $tenant) = fresh('held');
  my $lock = $private->connect('weir');
  $lock->begin_work;
  $lock->do('LOCK TABLE weir.user_numbers');
  my $flusher = $private->flusher('--stream' => $stream);
  add_event($stream, $tenant);
  is_drained($stream, $tenant, 1);
  wait_until('a step that waits', 60, sub { value(q{SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'weir.user_numbers'::regclass}) });
  add_event($stream, $tenant);
  is_drained($stream, $tenant, 2);
  my $begun = time;
  is($private->end($flusher, 'TERM'), 0, 'leaves in order');
  cmp_ok(time - $begun, '<', 45, 'soon');
  $lock->rollback;
  wait_until('the step is undone', 60, sub { value(q{SELECT count(*) FROM pg_stat_activity WHERE application_name = 'weir-flusher-roll-ups'}) == 0 });
  cmp_ok(value('SELECT count(*) FROM weir.touched_days WHERE tenant_id = ?', $tenant), '>=', 1, 'the day is still marked');
};

subtest 'a flusher that leaves it to others builds nothing; the figures say how much waits' => sub {
  my ($stream, $tenant) = fresh('left');
  my $idle = $private->flusher('--stream' => $stream, '--roll-ups' => 0);
  add_event($stream, $tenant);
  is_drained($stream, $tenant, 1);
  has_said($idle, qr/leaves building roll-ups to others/);
  is(counted($tenant), 0, 'nothing is counted');
  is($private->end($idle, 'TERM'), 0, 'leaves in order');
  my $flusher = $private->flusher('--stream' => $stream, '--metrics' => '127.0.0.1:0');
  has_said($flusher, qr/serving.*address=127\.0\.0\.1:\d/);
  my ($port) = $private->said_by($flusher) =~ /address=127\.0\.0\.1:(\d+)/;
  my $figure = sub ($name) { return (WeirTest::Client->new(port => $port)->request('GET', '/metrics')->{body} =~ /^weir_flusher_roll_up_$name (\S+)$/m)[0] };
  is_counted($tenant, 1);
  wait_until('its steps in the metrics', 60, sub { $figure->('steps_total') >= 1 && $figure->('waiting_days') == 0 });
  cmp_ok($figure->('seconds_total'), '>', 0, 'and their time');
  is($figure->('age_seconds'), 0, 'nothing waits');
  is($private->end($flusher, 'TERM'), 0, 'leaves in order');
};

subtest 'a day that cannot be built is told once, with the cause' => sub {
  my ($stream, $tenant) = fresh('odd');
  my $owner = $private->connect('weir');
  $owner->do(qq{ALTER TABLE weir.day_counts ADD CONSTRAINT odd CHECK (tenant_id <> '$tenant') NOT VALID});
  my $flusher = $private->flusher('--stream' => $stream);
  add_event($stream, $tenant);
  has_said($flusher, qr/cannot build roll-ups.*error="?23514 in build_facts, constraint odd"? advice=/);
  $owner->do('ALTER TABLE weir.day_counts DROP CONSTRAINT odd');
  $owner->do('UPDATE weir.touched_days SET due_at = now()');
  is_counted($tenant, 1);
  has_said($flusher, qr/roll-ups are built again/);
  is($private->end($flusher, 'TERM'), 0, 'leaves in order');
};

no_alarm();
done_testing();
