# A stream that grows too long, since no flusher fetches it, gets no more: events go to the spool, and
# from there to PostgreSQL once the flusher is back.
use v5.36;
use FindBin;
use lib "$FindBin::Bin/lib";
use WeirTest;

my $weir = start(workers => 1, env => { WEIR_REDIS_OPTIONS => 'stream_length=1000' });
sub stream () { return get('/health')->{json}{stream} }
sub post_many ($count, @words) {
  return scalar grep { post('/track', { event => 'e', user_id => 'u', event_id => uuid(@words, $_) })->{status} == 200 }
    1 .. $count;
}
ok wait_for(sub { post('/track', { event => 'e', user_id => 'u' })->{status} == 200 }), 'ready';
stored();

$weir->signal(flusher => 'STOP');
is post_many(1000, 'stream'), 1000, 'no flusher: Redis takes as many as the stream may have';
ok wait_for(sub { stream()->{too_long} }), 'health says that it is too long';
my $entries = redis()->xlen('weir:{0}');
is post_many(100, 'spool'), 100, 'more are taken';
is redis()->xlen('weir:{0}'), $entries, 'but not by Redis';
ok wait_for(sub { scalar spool_files() }), 'the spool has them';
like WeirTest::Server::read_file("$weir->{run}/log/web.log"), qr/stream_length=, stream_memory=.*Redis gets no more records/,
  'and the log says so';

$weir->signal(flusher => 'CONT');
ok wait_for(sub { !spool_files() }, 60), 'the flusher is back: the spool is drained';
ok wait_for(sub { !stream()->{too_long} }), 'health says that the stream is short';
stored();
is value('SELECT count(*) FROM events'), 1101, 'every event is in PostgreSQL, once';

done_testing;
