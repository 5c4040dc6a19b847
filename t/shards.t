# Several streams: each worker writes to one of them, the flusher stores them all, and what all workers
# show is added up.
use v5.36;
use FindBin;
use lib "$FindBin::Bin/lib";
use WeirTest;

my $weir = start(
  workers   => 2, env => { WEIR_SHARDS => 2 },
  locations => [ WeirTest::Server->default_locations->@*, { path => '/metrics', what => 'metrics' } ],
);
my @streams = ('weir:{0}', 'weir:{1}');

sub event ($id) { return { event => 'shard', user_id => 'u1', event_id => $id, timestamp => '2026-10-11T12:13:14Z' } }

sub length_of_all () { my $sum = 0; $sum += redis()->xlen($_) for @streams; return $sum }

my ($flusher) = $weir->pid('flusher');
kill STOP => $flusher;
my @ids = map { uuid('shard', $_) } 1 .. 200;
my @answers = map { connection()->request(POST => '/track', json(event($_))) } @ids;
is scalar(grep { $_->{status} == 200 } @answers), 200, 'all are taken';
is length_of_all(), 200, 'each is one entry of one stream';
cmp_ok redis()->xlen($_), '>', 0, "$_ has some" for @streams;
ok wait_for(sub { get('/metrics')->{body} =~ /^weir_stream_entries 200$/m }), 'the metrics add the streams up';

kill CONT => $flusher;
ok wait_for(sub { length_of_all() == 0 }), 'the flusher stores them all';
my ($all, $different) = db()->selectrow_array('SELECT count(*), count(DISTINCT event_id) FROM events');
is $all, 200, 'every event is stored';
is $different, 200, 'once';
is value(q{SELECT count(*) FROM stream_positions WHERE stream IN ('weir:{0}', 'weir:{1}')}), 2, 'each stream has its position';

subtest 'what the spool took goes to the streams, too' => sub {
  $weir->signal(redis => 'KILL');
  my @later = map { uuid('later', $_) } 1 .. 50;
  is scalar(grep { connection()->request(POST => '/track', json(event($_)))->{status} == 200 } @later), 50, 'all are taken';
  $weir->repair;
  ok wait_for(sub { !spool_files() && length_of_all() == 0 }, 60), 'all is drained and stored';
  is value('SELECT count(*) FROM events WHERE event_id = ANY(?)', \@later), 50, 'every event once';
};

done_testing;
