# The bound on work in flight: with Redis hanging, what is over it is refused at once.
use v5.36;
use FindBin;
use lib "$FindBin::Bin/lib";
use WeirTest;

my $weir = start(workers => 1, env => { WEIR_REDIS_OPTIONS => 'timeout=3s inflight=8', WEIR_SPOOL_OPTIONS => 'off' });
ok wait_for(sub { post('/track', '{"event":"e","user_id":"u"}')->{status} == 200 }), 'ready';

$weir->signal(redis => 'STOP');
my @clients = map { connection() } 1 .. 20;
my $before = time;
$_->send_bytes($_->format_request(POST => '/track', '{"event":"e","user_id":"u"}')) for @clients;
my @results = map { { $_->read_answer->%*, seconds => time - $before } } @clients[ 8 .. 19 ], @clients[ 0 .. 7 ];
is scalar(grep { $_->{status} == 503 } @results), 20, 'all hear 503';
is scalar(grep { $_->{seconds} < 1 } @results), 12, 'those over the bound at once';
my ($slowest) = sort { $b <=> $a } map { $_->{seconds} } @results;
cmp_ok $slowest, '<', 5, 'the others when the time of 3 s is up';
$weir->signal(redis => 'CONT');
ok wait_for(sub { post('/track', '{"event":"e","user_id":"u"}')->{status} == 200 }), 'and it goes on';

done_testing;
