# What a request costs Redis: how many commands it is, and their CPU time beside that of redis-benchmark's
# pipelined XADD of an entry of the same size, to the same Redis.
package Bench::Group::Buffer;
use v5.36;
use utf8;

use Bench::Cpu;
use Bench::Load;
use Bench::Turns;

my $size_of_last = q{local e = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)[1][2]; return #e[1] + #e[2]};

sub run ($settings, $stage) {
  my ($weir, $body) = ($stage->subject('Weir, nginx'), $settings->body('single'));
  Bench::Turns::measure($settings, $body, $weir, seconds => $settings->{warm} || $settings->{seconds});
  my @rows;
  for my $round (1 .. $settings->{rounds}) {
    my $ours = counted($settings, $body, $weir);
    push @rows, { case => 'xadd', subject => 'Weir, nginx', round => $round, %$ours };
    push @rows, { case => 'xadd', subject => 'redis-benchmark', round => $round, %{ plain($settings, $weir, $ours->{size}) } };
    printf "  xadd         round %d  Weir %.2f µs of Redis, %.3f commands a request; redis-benchmark %.2f µs\n", $round,
      $ours->@{qw(redis xadds)}, $rows[-1]{redis};
  }
  return \@rows;
}

sub calls ($weir) {
  return { $weir->redis('INFO', 'commandstats') =~ /^cmdstat_([\w|]+):calls=(\d+)/mg };
}

sub counted ($settings, $body, $weir) {
  $weir->clear;
  my ($calls, $cpu) = (calls($weir), Bench::Cpu::seconds($weir->pid('redis')));
  my $run = Bench::Load::run(url => $weir->url('/track'), body => $body->{file}, seconds => $settings->{seconds},
    connections => $settings->{connections});
  die "Weir: $run->{bad} of its answers were not 200\n" if $run->{bad};
  ($calls, $cpu) = (differences(calls($weir), $calls), Bench::Cpu::seconds($weir->pid('redis')) - $cpu);
  # What the load left unanswered at its end is there all the same.
  my $requests = $weir->waiting;
  delete $calls->@{qw(info xlen)};    # the measurement's own
  my ($all) = (0);
  $all += $_ for values %$calls;
  my $size = $weir->redis('EVAL', $size_of_last, 1, 'weir:{0}');
  $weir->clear;
  return { redis => $cpu / $requests * 1e6, xadds => $calls->{xadd} / $requests, commands => $all / $requests, size => 0 + $size };
}

sub differences ($after, $before) { return { map { $_ => $after->{$_} - ($before->{$_} // 0) } keys %$after } }

# As many commands as one connection pipelines to fill the buffers on both sides.
sub plain ($settings, $weir, $size) {
  my $count = $settings->count(320_000, 10_240);    # whole pipelines
  my $before = Bench::Cpu::seconds($weir->pid('redis'));
  my @command = ('redis-benchmark', '-s', $weir->setting('REDIS_SOCKET'), '-n', $count, '-c', 1, '-P', 64, '-q', 'XADD', 'bench', '*', 'r', 'x' x ($size - 1));
  open my $said, '-|', @command or die "redis-benchmark: $!\n";
  my $text = do { local $/; <$said> };
  close $said;
  my $spent = Bench::Cpu::seconds($weir->pid('redis')) - $before;
  my $added = $weir->redis('XLEN', 'bench');
  die "redis-benchmark added $added entries instead of $count: $text\n" unless $added == $count;
  $weir->empty_redis('bench');
  return { redis => $spent / $count * 1e6, size => $size };
}

1;
