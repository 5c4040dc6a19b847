# GET /health: can an event be kept right now? Without a spool; t/health_spool.t has one.
use v5.36;
use FindBin;
use lib "$FindBin::Bin/lib";
use WeirTest;

my $weir = start(workers => 1, env => { WEIR_SPOOL_OPTIONS => 'off' });

# Such as "200 ok ready".
sub health {
  my $answer = get('/health');
  return "$answer->{status} $answer->{json}{status} $answer->{json}{redis}";
}
sub becomes ($wanted, $name) {
  local $Test::Builder::Level = $Test::Builder::Level + 1;
  my $last;
  wait_for(sub { ($last = health()) eq $wanted });
  return is $last, $wanted, $name;
}

my $ready = '200 ok ready';
my $away = '503 unavailable away';

becomes $ready, 'ready';
is get('/health')->{json}{spool}, undef, 'there is no spool';

$weir->signal(redis => 'KILL');
becomes $away, 'Redis killed: away';
like get('/health')->{headers}{'retry-after'}, qr/\A[1-9]\d*\z/, 'with Retry-After';
is request(HEAD => '/health')->{status}, 503, 'HEAD says so too';

$weir->repair;
becomes $ready, 'Redis started again: ready by itself';

$weir->signal(redis => 'STOP');
post('/track', '{"event":"e","user_id":"u"}');
ok wait_for(sub { health() =~ /\A503/ }), 'Redis hangs: 503';
$weir->signal(redis => 'CONT');
becomes $ready, 'Redis goes on: ready by itself';

subtest 'a Redis that refuses what it is given cannot keep events' => sub {
  redis()->config_set('maxmemory', 1);
  is post('/track', '{"event":"e","user_id":"u"}')->{status}, 503, 'full: 503';
  is health(), '503 unavailable refusing', 'and health says why';
  redis()->config_set('maxmemory', 0);
  ok wait_for(sub { post('/track', '{"event":"e","user_id":"u"}')->{status} == 200 }), 'no longer full: taken';
  is health(), $ready, 'and health says so at once';
};

subtest 'it says how things are by now, not by some cache' => sub {
  for my $round (1 .. 3) {
    $weir->signal(redis => 'KILL');
    becomes $away, "round $round: away";
    $weir->repair;
    becomes $ready, "round $round: ready";
  }
};

done_testing;
