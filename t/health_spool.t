# GET /health with a spool: events are kept while Redis is away, and it shows where they are.
use v5.36;
use FindBin;
use lib "$FindBin::Bin/lib";
use WeirTest;

my $weir = start(workers => 2, locations => [
  { path => '/track',   what => 'track' },
  { path => '/health',  what => 'health' },
  { path => '/metrics', what => 'metrics' },
]);

# Over a connection of its own, so that any worker may answer.
sub health { return connection()->request(GET => '/health') }
sub figure ($series) { return get('/metrics')->{body} =~ /^\Q$series\E (\S+)$/m ? $1 : 'none' }

sub becomes ($condition, $name) {
  local $Test::Builder::Level = $Test::Builder::Level + 1;
  return ok wait_for($condition), $name;
}

subtest 'all is well' => sub {
  becomes sub { 8 == grep { health()->{json}{redis} eq 'ready' } 1 .. 8 }, 'Redis is ready';
  my $spool = health()->{json}{spool};
  ok $spool->{can_take}, 'the spool could take events';
  is_deeply [ @$spool{qw(records oldest_age)} ], [ 0, 0 ], 'and holds none';
  cmp_ok $spool->{limit}, '>', 1 << 20, 'its limit is known';
};

subtest 'what the flusher has not stored is shown, by each worker' => sub {
  $weir->signal(flusher => 'STOP');
  is post('/track', { event => 'e', user_id => 'u', event_id => uuid('waits') })->{status}, 200, 'an event';
  becomes sub { (grep { (health()->{json}{stream}{oldest_age} // 0) >= 1 } 1 .. 8) == 8 }, 'it grows old';
  my $stream = health()->{json}{stream};
  is $stream->{entries}, 1, 'alone in the stream';
  cmp_ok $stream->{bytes}, '>', 0, 'which takes some memory';
  becomes sub { figure('weir_stream_oldest_age_seconds') >= 1 }, 'metrics say so, too';
  is figure('weir_stream_entries'), 1, 'and that it is one';
  $weir->signal(flusher => 'CONT');
  becomes sub { (grep { (health()->{json}{stream}{entries} // 1) == 0 } 1 .. 8) == 8 }, 'stored: the stream is empty';
  is health()->{json}{stream}{oldest_age}, 0, 'and nothing in it is old';
};

subtest 'Redis is away: 200, and what the spool holds is shown' => sub {
  $weir->signal(redis => 'KILL');
  becomes sub { health()->{json}{status} eq 'spooling' }, 'spooling';
  becomes sub { 8 == grep { my $answer = health(); $answer->{json}{status} eq 'spooling' && $answer->{status} == 200 } 1 .. 8 },
    'which is 200, at every worker';
  is request(HEAD => '/health')->{status}, 200, 'HEAD says so too';
  is post('/track', { event => 'e', user_id => 'u', event_id => uuid('spooled', $_) })->{status}, 200, "event $_"
    for 1 .. 5;
  becomes sub { 8 == grep { health()->{json}{spool}{records} == 5 } 1 .. 8 }, 'five records, as every worker sees it';
  becomes sub { 8 == grep { health()->{json}{spool}{oldest_age} >= 1 } 1 .. 8 }, 'that grow old';
  becomes sub { figure('weir_spool_records_total') == 5 }, 'metrics count them';
  cmp_ok figure('weir_spool_syncs_total'), '>=', 1, 'and syncs';
  becomes sub { figure('weir_spool_records') == 5 }, 'and show what is there';
  becomes sub { figure('weir_spool_oldest_age_seconds') >= 1 }, 'and its age';
};

subtest 'Redis is back: the spool drains' => sub {
  $weir->repair;
  becomes sub { 8 == grep { health()->{json}{status} eq 'ok' } 1 .. 8 }, 'ok, at every worker';
  becomes sub { 8 == grep { health()->{json}{spool}{records} == 0 } 1 .. 8 }, 'the spool is empty';
  becomes sub { figure('weir_spool_drained_records_total') == 5 }, 'metrics say so';
  becomes sub { figure('weir_spool_oldest_age_seconds') == 0 }, 'and nothing in it is old';
  stored();
  is value('SELECT count(*) FROM events'), 6, 'every event is in the table';
};

done_testing;
