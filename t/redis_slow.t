# A Redis that stops answering under load costs a few requests its patience, and all others nothing.
use v5.36;
use FindBin;
use lib "$FindBin::Bin/lib";
use WeirTest;

my $weir = start();
ok wait_for(sub { post('/track', { event => 'e', user_id => 'u' })->{status} == 200 }), 'ready';

# Eight clients that post for six seconds; Redis is stopped for three of them.
my $finish = start_clients(8, sub ($client) {
  my $connection = connection();
  my ($end, @times, @refused) = (time + 6);
  while (time < $end) {
    my $before = time;
    my $answer = $connection->request(POST => '/track', json({ event => 'e', user_id => "u$client" }));
    push @times, time - $before;
    push @refused, $answer->{status} if $answer->{status} != 200;
    select undef, undef, undef, 0.005;  # the rate at which it posts
  }
  return { times => \@times, refused => \@refused };
});
my $started = time;
wait_for(sub { time - $started > 1.5 });
$weir->signal(redis => 'STOP');
wait_for(sub { time - $started > 4.5 });
$weir->signal(redis => 'CONT');

my @clients = $finish->();
my @times = sort { $a <=> $b } map { $_->{times}->@* } @clients;
cmp_ok scalar @times, '>', 200, 'a load of ' . @times . ' requests';
is_deeply [ map { $_->{refused}->@* } @clients ], [], 'all are taken';
cmp_ok $times[ $#times * 0.99 ], '<', 1, 'the 99th percentile is under a second, on a machine that is busy';
cmp_ok $times[-1], '<', 2.5, 'and nobody waits for the three seconds that Redis hangs';
ok wait_for(sub { !spool_files() }), 'the spool is drained';
ok wait_for(sub { get('/health')->{json}{redis} eq 'ready' }), 'and Redis is ready again';
stored();
is value('SELECT count(*) FROM events'), @times + 1, 'every event is in PostgreSQL, once';

done_testing;
