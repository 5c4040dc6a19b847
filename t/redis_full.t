# The bound on work in flight: with Redis hanging, what is over it is refused at once.
use v5.36;
use FindBin;
use lib "$FindBin::Bin/lib";
use WeirTest;

my $weir = start(workers => 1, env => { WEIR_REDIS_OPTIONS => 'timeout=5s inflight=8', WEIR_SPOOL_OPTIONS => 'off' });
ok wait_for(sub { post('/track', '{"event":"e","user_id":"u"}')->{status} == 200 }), 'ready';

$weir->signal(redis => 'STOP');
my @results = in_parallel(20, sub ($number) {
  my $before = time;
  my $answer = connection()->request(POST => '/track', '{"event":"e","user_id":"u"}');
  return { status => $answer->{status}, seconds => time - $before };
});
is scalar(grep { $_->{status} == 503 } @results), 20, 'all hear 503';
is scalar(grep { $_->{seconds} < 2.5 } @results), 12, 'those over the bound at once';
my ($slowest) = sort { $b <=> $a } map { $_->{seconds} } @results;
cmp_ok $slowest, '<', 15, 'the others when the time of 5 s is up';
$weir->signal(redis => 'CONT');
ok wait_for(sub { post('/track', '{"event":"e","user_id":"u"}')->{status} == 200 }), 'and it goes on';

done_testing;
