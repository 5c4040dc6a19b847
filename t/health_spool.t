# GET /health with a spool: events are kept while Redis is away, and it shows where they are.
use v5.36;
use FindBin;
use lib "$FindBin::Bin/lib";
use WeirTest;

my $weir = start(workers => 1, locations => [
  { path => '/track',   what => 'track' },
  { path => '/health',  what => 'health' },
  { path => '/metrics', what => 'metrics' },
]);

sub health { return get('/health') }
sub figure ($series) { return get('/metrics')->{body} =~ /^\Q$series\E (\S+)$/m ? $1 : 'none' }

sub becomes ($condition, $name) {
  local $Test::Builder::Level = $Test::Builder::Level + 1;
  return ok wait_for($condition, 20), $name;
}

subtest 'all is well' => sub {
  becomes sub { health()->{json}{redis} eq 'ready' }, 'Redis is ready';
  my $spool = health()->{json}{spool};
  ok $spool->{can_take}, 'the spool could take events';
  is_deeply [ @$spool{qw(records oldest_age)} ], [ 0, 0 ], 'and holds none';
  cmp_ok $spool->{limit}, '>', 1 << 20, 'its limit is known';
};

subtest 'Redis is away: 200, and what the spool holds is shown' => sub {
  $weir->signal(redis => 'KILL');
  becomes sub { health()->{json}{status} eq 'spooling' }, 'spooling';
  is health()->{status}, 200, 'which is 200';
  is request(HEAD => '/health')->{status}, 200, 'HEAD says so too';
  is post('/track', { event => 'e', user_id => 'u', event_id => uuid('spooled', $_) })->{status}, 200, "event $_"
    for 1 .. 5;
  becomes sub { health()->{json}{spool}{records} == 5 }, 'five records';
  becomes sub { health()->{json}{spool}{oldest_age} >= 1 }, 'that grow old';
  is figure('weir_spool_records_total'), 5, 'metrics count them';
  cmp_ok figure('weir_spool_syncs_total'), '>=', 1, 'and syncs';
  becomes sub { figure('weir_spool_records') == 5 }, 'and show what is there';
  cmp_ok figure('weir_spool_oldest_age_seconds'), '>=', 1, 'and its age';
};

subtest 'Redis is back: the spool drains' => sub {
  $weir->repair;
  becomes sub { health()->{json}{status} eq 'ok' }, 'ok';
  becomes sub { health()->{json}{spool}{records} == 0 }, 'the spool is empty';
  becomes sub { figure('weir_spool_drained_records_total') == 5 }, 'metrics say so';
  is figure('weir_spool_oldest_age_seconds'), 0, 'and nothing in it is old';
  stored();
  is value('SELECT count(*) FROM events'), 5, 'every event is in the table';
};

done_testing;
