# wait=N with a spool: what too few replicas have goes to the disk, is answered 200, and leaves it
# only for as many replicas as were asked for.
use v5.36;
use FindBin;
use lib "$FindBin::Bin/lib";
use WeirTest;
use WeirTest::Replica;

my $replica = WeirTest::Replica->new;
my $weir = start(workers => 1, locations => [ { path => '/sure', what => 'track wait=1' } ]);

my @seconds;
my @statuses = map {
  my $before = time;
  my $answer = post('/sure', { event => 'sure', user_id => 'u', event_id => uuid('sure', $_) });
  push @seconds, time - $before;
  $answer->{status};
} 1 .. 50;
is scalar(grep { $_ == 200 } @statuses), 50, 'no replica: all are taken by the spool';
cmp_ok median(@seconds), '<', 1, 'soon';
ok wait_for(sub { scalar spool_files() }), 'and are there';

$replica->follow(redis());
ok wait_for(sub { !spool_files() }, 60), 'a replica: the spool is drained';
stored();
is value('SELECT count(*) FROM events'), 50, 'all are in PostgreSQL, once';

done_testing;
