# What a request costs Redis. How many commands it is: all that Redis has counted, of whatever kind and from
# whomever, but for the measurement's own question, over the requests that were answered; the load waits for every
# answer, so both numbers are exact. And their CPU time, beside that of redis-benchmark's pipelined XADD of an entry
# of the same size, to the same Redis.
package Bench::Group::Buffer;
use v5.36;
use utf8;

use Bench::Load;
use Bench::Proc;
use Bench::Turns;

my $size_of_last = q{local e = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)[1][2]; return #e[1] + #e[2]};
my %cases = (single => 'xadd', ten => 'xadd of ten');

sub run ($settings, $stage) {
  my $weir = $stage->subject('Weir, nginx');
  Bench::Turns::attempt('as it warms up', sub ($try) { Bench::Turns::measure($settings, $settings->body('single'), $weir, seconds => $settings->{warm} || $settings->longer($settings->{seconds}, $try)) });
  my @rows;
  for my $what (qw(single ten)) {
    for my $round (1 .. $settings->{rounds}) {
      push @rows, (Bench::Turns::attempt("$what, round $round", sub ($try) { round($settings, $what, $round, $weir, $try) }) // [])->@*;
    }
  }
  return \@rows;
}

sub round ($settings, $what, $round, $weir, $try) {
  my $body = $settings->body($what);
  my $commands = commands($settings, $body, $weir);
  my $size = $weir->redis('EVAL', $size_of_last, 1, 'weir:{0}') + 0;
  my $spent = Bench::Turns::measure($settings, $body, $weir, seconds => $settings->longer($settings->{seconds}, $try));
  my $plain = plain($settings, $weir, $size);
  printf "  %-11s round %d  Weir %.2f µs of Redis, %.4f commands a request; redis-benchmark %.2f µs\n", $cases{$what}, $round,
    $spent->{redis}, $commands, $plain;
  return [
    { case => $cases{$what}, subject => 'Weir, nginx',     round => $round, size => $size, redis => $spent->{redis}, commands => $commands },
    { case => $cases{$what}, subject => 'redis-benchmark', round => $round, size => $size, redis => $plain },
  ];
}

# All commands that Redis has worked off since it started. INFO counts itself only for the next one who asks.
sub worked_off ($weir) {
  return ($weir->redis('INFO', 'stats') =~ /^total_commands_processed:(\d+)/m)[0] // die "Redis does not say how many commands it has worked off\n";
}

my $own = 1;    # the first of the two INFO

sub commands ($settings, $body, $weir) {
  my @processes = map { @$_ } values $weir->processes->%*;
  Bench::Turns::begin_clean($weir);
  my $before = worked_off($weir);
  my ($rate, $seconds) = $settings->count([ 8000, 4 ], [ 2000, 1 ])->@*;
  my $run = Bench::Load::paced(port => $weir->{port}, path => $body->{path}, body => $body->{file}, rate => $rate,
    seconds => $seconds, connections => $settings->{connections});
  Bench::Turns::must_be_answered($run);
  Bench::Proc::until_idle($weir->quiet, @processes);
  my $commands = worked_off($weir) - $before - $own;
  die "Redis has $commands commands for $run->{ok} requests, so some went another way\n" if $commands < $run->{ok};
  return $commands / $run->{ok};
}

# As many commands as one connection pipelines to fill the buffers on both sides.
sub plain ($settings, $weir, $size) {
  my $count = $settings->count(320_000, 10_240);    # whole pipelines
  $weir->empty_redis('bench');
  my $before = Bench::Proc::seconds($weir->pid('redis'));
  my @command = ('redis-benchmark', '-s', $weir->setting('REDIS_SOCKET'), '-n', $count, '-c', 1, '-P', 64, '-q', 'XADD', 'bench', '*', 'r', 'x' x ($size - 1));
  open my $said, '-|', @command or die "redis-benchmark: $!\n";
  my $text = do { local $/; <$said> };
  close $said;
  Bench::Proc::until_idle(0.1, $weir->pid('redis'));
  my $spent = Bench::Proc::seconds($weir->pid('redis')) - $before;
  my $added = $weir->redis('XLEN', 'bench') + 0;
  $weir->empty_redis('bench');
  die "redis-benchmark added $added entries instead of $count: $text\n" unless $added == $count;
  return $spent / $count * 1e6;
}

1;
