# A worker dies, or hangs, in exactly those moments that matter: the builds for tests have fault points
# there (fault/fault_point.h). The client hears nothing and sends again; the event is stored once.
use v5.36;
use FindBin;
use lib "$FindBin::Bin/lib";
use WeirTest;
use File::Spec;
use File::Temp qw(tempdir);
use IO::Select;
use List::Util qw(sum);

my $build = File::Spec->rel2abs($ENV{BUILD} // 'build', WeirTest::Server->root);
my $faults = tempdir('weir-faults-XXXXXX', TMPDIR => 1, CLEANUP => 1);
chmod 0777, $faults or die "chmod $faults: $!\n";
# Redis takes no record of more than a megabyte; a request may be larger.
my $redis_conf = "$faults/redis.conf";
WeirTest::Server::write_file($redis_conf, "proto-max-bulk-len 1mb\n");
my $weir = start(
  workers   => 1,
  env       => { BUILD => "$build/faults", WEIR_FAULTS => $faults, WEIR_REDIS_CONF => $redis_conf },
  locations => [
    { path => '/track', what => 'track', limits => { body => '4m', string => '2m' } },
    map { { path => "/$_", what => $_ } } 'health', 'metrics'
  ],
);

sub arm ($point) { return WeirTest::Server::write_file("$faults/$point", '') }
sub was_reached ($point) { return -e "$faults/$point" . ($point =~ /stop\z/ ? 'ped' : 'ed') }

sub event ($id) { return json({ event => 'window', user_id => 'u1', event_id => $id, timestamp => '2026-10-11T12:13:14Z' }) }

sub post_once ($id) { return eval { connection()->request(POST => '/track', event($id)) } }

sub is_taken ($id, $name) {
  local $Test::Builder::Level = $Test::Builder::Level + 1;
  return ok wait_for(sub { my $answer = post_once($id); $answer && $answer->{status} == 200 }), $name;
}

sub is_stored_once ($id, $name) {
  local $Test::Builder::Level = $Test::Builder::Level + 1;
  stored();
  return is value('SELECT count(*) FROM events WHERE event_id = ?', $id), 1, $name;
}

# Posts an event whose worker is killed at `point`, then once more.
sub killed_at ($point, $id) {
  arm("$point.kill");
  ok !post_once($id), 'the client hears nothing';
  ok was_reached("$point.kill"), 'the worker was killed just there';
  return is_taken($id, 'it sends again and is answered');
}

sub killed_and_stored ($point, $id) {
  killed_at($point, $id);
  return is_stored_once($id, 'the event is stored once');
}

# Posts an event whose sync is held up for a moment; for how many seconds it was, at the least.
sub seconds_held ($id) {
  arm('before_sync.hold');
  my $client = connection();
  $client->send_bytes($client->format_request(POST => '/track', event($id)));
  wait_for(sub { -e "$faults/before_sync.held" }) or return fail('the sync is held up');
  my $since = time;
  IO::Select->new($client->{socket})->can_read(0.03) and return fail('the client is told nothing');
  my $seconds = time - $since;
  unlink "$faults/before_sync.held" or die "before_sync.held: $!\n";
  return $client->read_answer->{status} == 200 ? $seconds : fail('it is answered once it is done');
}

# Of all records together, as /metrics has them.
sub seconds_of_keeping () { return get('/metrics')->{body} =~ /^weir_keep_seconds_sum (\S+)$/m ? $1 : die "no sum of seconds\n" }

is_taken(uuid('ready'), 'all is ready');

subtest 'killed when the command is sent and Redis has not answered' => sub { killed_and_stored('after_send', uuid('sent')) };

subtest 'killed when Redis has the record and the client has no answer' => sub { killed_and_stored('before_answer', uuid('answer')) };

subtest 'with Redis away' => sub {
  $weir->signal(redis => 'KILL');
  is_taken(uuid('away'), 'the spool takes over');
  subtest 'killed when the record is in the segment and not synced' => sub { killed_at('before_sync', uuid('before sync')) };
  subtest 'killed when the record is synced and the client has no answer' => sub { killed_at('after_sync', uuid('after sync')) };
  subtest 'stopped before the sync: the client is told nothing until it is done' => sub {
    my $id = uuid('hang');
    arm('before_sync.stop');
    my $client = connection();
    $client->send_bytes($client->format_request(POST => '/track', event($id)));
    ok wait_for(sub { was_reached('before_sync.stop') }), 'the worker is stopped in its sync';
    kill CONT => $weir->workers;
    is $client->read_answer->{status}, 200, 'and answered once it is done';
  };
  # One after the other, for a worker that has other things to do might look at a clock for them.
  subtest 'held up in its sync: the metric says for how long' => sub {
    my ($before, $began) = (seconds_of_keeping(), time);
    my $held = sum(map { seconds_held(uuid('held', $_)) } 1 .. 10);
    my ($kept, $most) = (seconds_of_keeping() - $before, time - $began);
    cmp_ok $kept, '>', $held, 'no less than the syncs took';
    cmp_ok $kept, '<', $most, 'and no more than the clients waited';
  };
  $weir->repair;
  is_stored_once(uuid($_), "stored once: $_") for 'away', 'before sync', 'after sync', 'hang';
};

subtest 'killed in mid-drain, and before the drained segment is removed' => sub {
  $weir->signal(redis => 'KILL');
  ok wait_for(sub { my $answer = get('/health'); 1 }), 'the server answers';
  my @ids = map { uuid('drain', $_) } 1 .. 40;
  # Records of 60 kB, so that a segment is read in several pieces.
  my $padding = 'x' x 1000;
  my @answers = map {
    connection()->request(POST => '/track', json({ event => 'window', user_id => 'u1', event_id => $_,
      timestamp => '2026-10-11T12:13:14Z', properties => { map { ("p$_" => $padding) } 1 .. 60 } }))
  } @ids;
  is scalar(grep { $_->{status} == 200 } @answers), 40, 'the spool took them';
  arm($_) for 'in_drain.kill', 'before_removal.kill';    # the next worker may be quicker than who arms
  $weir->repair;
  ok wait_for(sub { was_reached('in_drain.kill') }), 'a worker was killed in mid-drain';
  ok wait_for(sub { was_reached('before_removal.kill') }), 'the next one when all was sent and nothing removed';
  stored();
  my ($all, $different) = db()->selectrow_array("SELECT count(*), count(DISTINCT event_id) FROM events WHERE event_id = ANY(?)", undef, \@ids);
  is $all, 40, 'every event is stored';
  is $different, 40, 'once';
};

subtest 'killed when a record that is too long for Redis is set aside, and its segment not removed' => sub {
  $weir->signal(redis => 'KILL');
  my @ids = map { uuid('long', $_) } 1 .. 5;
  ok wait_for(sub {
    my $answer = eval { connection()->request(POST => '/track', json({ event => 'window', user_id => 'u1', event_id => $ids[2],
      timestamp => '2026-10-11T12:13:14Z', properties => { p => 'x' x 1_500_000 } })) };
    $answer && $answer->{status} == 200;
  }), 'the spool takes a long one';
  is_taken($_, 'and short ones beside it') for @ids[ 0, 1, 3, 4 ];
  arm('after_setting_aside.kill');
  $weir->repair;
  ok wait_for(sub { was_reached('after_setting_aside.kill') }, 60), 'the worker was killed just there';
  my @aside = ();
  ok wait_for(sub { @aside = glob $weir->setting('WEIR_SPOOL') . '/*.refused'; @aside && !spool_files() }, 60),
    'the next one sends the segment again, and removes it';
  is scalar @aside, 1, 'what was set aside twice is there once';
  stored();
  my $count = 'SELECT count(*) FROM events WHERE event_id = ANY(?)';
  is value($count, [ @ids[ 0, 1, 3, 4 ] ]), 4, 'the short ones are stored, each once';
  is value($count, [ $ids[2] ]), 0, 'the long one waits';
  redis()->config_set('proto-max-bulk-len' => 512 << 20);
  rename $aside[0], $aside[0] =~ s/\.refused\z//r or die "rename: $!\n";
  ok wait_for(sub { !spool_files() }, 60), 'until Redis may take it, and the file is renamed';
  stored();
  is value($count, \@ids), 5, 'nothing is lost, and nothing is there twice';
};

is value('SELECT count(*) FROM dead_letters'), 0, 'no dead letters';
allow_killed_workers();
done_testing;
