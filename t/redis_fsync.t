# Redis killed at each setting of appendfsync: what it had written out when it was killed is there when
# it comes back, and gets into PostgreSQL. (What a machine loses that loses its power is another
# matter: docs/guarantees.md.)
use v5.36;
use FindBin;
use lib "$FindBin::Bin/lib";
use WeirTest;

my $weir = start(env => { WEIR_SPOOL_OPTIONS => 'off' });
my $kept = 0;

sub body ($id) { return json({ event => 'kept', user_id => 'u1', event_id => $id, timestamp => '2026-11-01T00:00:00Z' }) }

# Redis starts again with the setting.
sub use_fsync ($fsync) {
  $weir->{env}{WEIR_REDIS_FSYNC} = $fsync;
  $weir->signal(redis => 'KILL');
  $weir->repair;
  my (undef, $used) = redis()->config_get('appendfsync');
  return is $used, $fsync, 'Redis has the setting';
}

sub taken ($id) {
  my $answer = eval { post('/track', body($id)) };
  return $answer && $answer->{status} == 200;
}

# Where a sync to a slow disk is under way, `everysec` puts writes off for up to two seconds: that is
# the hole that guarantees.md tells of, and it is not asked for here.
sub written_out () { return redis()->info('persistence')->{aof_buffer_length} == 0 }

for my $fsync (qw(always everysec no)) {
  subtest "appendfsync $fsync: what Redis was killed with is there when it comes back" => sub {
    use_fsync($fsync);
    ok wait_for(sub { taken(uuid($fsync, 0)) }), 'events are taken';
    $weir->signal(flusher => 'STOP');
    is scalar(grep { !taken(uuid($fsync, $_)) } 1 .. 300), 0, 'more events, which only Redis has';
    cmp_ok redis()->xlen('weir:{0}'), '>=', 300, 'and no table';
    ok wait_for(\&written_out), 'Redis has handed them to the kernel';
    $weir->signal(redis => 'KILL');
    $weir->signal(flusher => 'CONT');
    $weir->repair;
    stored(60);
    $kept += 301;
    is value('SELECT count(*) FROM events'), $kept, 'all are stored';
    is value('SELECT count(DISTINCT event_id) FROM events'), $kept, 'none twice';
  };
}

done_testing;
