# wait=N: an answer of 200 means that N replicas of Redis have the event too. And after a failover
# that nobody told Weir of, its workers find the new master among their addresses.
use v5.36;
use FindBin;
use lib "$FindBin::Bin/lib";
use WeirTest;
use WeirTest::Replica;

sub post_to ($path, $id) {
  return connection()->request(POST => $path,
    json({ event => 'sure', user_id => 'u', event_id => $id, timestamp => '2026-10-11T12:13:14Z' }));
}
sub taken ($path) { return post_to($path, uuid())->{status} == 200 }

my $replica = WeirTest::Replica->new;
my $weir = start(
  workers => 1,
  locations => [ { path => '/track', what => 'track' }, { path => '/sure', what => 'track wait=1' },
    { path => '/health', what => 'health' } ],
  env => { WEIR_REDIS_OPTIONS => "unix:$replica->{socket} patience=1s", WEIR_SPOOL_OPTIONS => 'off' },
);
sub log_of_web () { return WeirTest::Server::read_file("$weir->{run}/log/web.log") }

subtest 'without a replica only what asks for none is taken' => sub {
  is post_to('/track', uuid())->{status}, 200, 'no wait=: taken';
  my $before = time;
  is post_to('/sure', uuid())->{status}, 503, 'wait=1: 503';
  cmp_ok time - $before, '<', 15, 'soon';
  is post_to('/track', uuid())->{status}, 200, 'the others are not held up';
  is get('/health')->{json}{replicated}, 'refusing', 'and so does health';
  ok wait_for(sub { log_of_web() =~ /of the 1 replicas that wait= asks for, 0 have/ }), 'and the log says why';
};

subtest 'what is taken with wait=1 is on the replica by then' => sub {
  $replica->follow(redis());
  ok wait_for(sub { taken('/sure') }), 'with a replica: taken, by itself';
  $weir->signal(flusher => 'STOP');  # it would trim the stream
  my $there = 0;
  for my $n (1 .. 50) {
    my $before = $replica->client->xlen('weir:{0}');
    last if post_to('/sure', uuid('sure', $n))->{status} != 200;
    ++$there if $replica->client->xlen('weir:{0}') > $before;
  }
  is $there, 50, 'every one was on the replica when its answer came';
};

subtest 'a replica that hangs or dies: no false 200, and the others go on' => sub {
  $replica->signal('STOP');
  my $before = time;
  is post_to('/sure', uuid())->{status}, 503, 'hangs: 503';
  cmp_ok time - $before, '<', 15, 'within the patience';
  is post_to('/track', uuid())->{status}, 200, 'no wait=: taken';
  $replica->signal('CONT');
  ok wait_for(sub { taken('/sure') }), 'goes on: taken again, by itself';
  $replica->end;
  is post_to('/sure', uuid())->{status}, 503, 'dies: 503';
  $replica->follow(redis());
  ok wait_for(sub { taken('/sure') }), 'comes back: taken again';
};

subtest 'a failover by hand: the workers find the new master by themselves' => sub {
  my $entries = $replica->client->xlen('weir:{0}');
  cmp_ok $entries, '>', 50, 'the replica has all of it';
  $weir->signal(redis => 'KILL');
  ok wait_for(sub { post_to('/track', uuid())->{status} == 503 }), 'no master: 503';
  ok wait_for(sub { log_of_web() =~ /this Redis is a replica, which takes no records/ }),
    'a replica gets nothing, and the log says so';
  $replica->client->slaveof('NO', 'ONE');
  ok wait_for(sub { taken('/track') }), 'the replica is the master now: taken';
  cmp_ok $replica->client->xlen('weir:{0}'), '>', $entries, 'by the new master';
  is post_to('/sure', uuid())->{status}, 503, 'which has no replica: wait=1 is 503';
};

done_testing;
