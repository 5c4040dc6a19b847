# A backlog for flushers, and flushers that store it and leave: how long that takes, on the clock and of
# CPU, and how much memory each has meanwhile.
#
#   my $backlog = Bench::Flushers::backlog($weir, rows => 1_000_000, per_entry => 1, file => "$folder/backlog");
#   my $run = Bench::Flushers::store($weir, 1);    # {seconds, flusher, postgres, redis, peak, samples => [{t, rss, left}]}
package Bench::Flushers;
use v5.36;

use Bench::Cpu;
use Bench::Subject;
use List::Util qw(max);
use POSIX qw(WNOHANG);
use Time::HiRes qw(sleep time);

sub shell ($command) {
  system('bash', '-c', "set -o pipefail; $command") == 0 or die "failed: $command\n";
  return;
}

# Fills the streams evenly. With a file the commands stay in it, to be sent again: `again`.
sub backlog ($weir, %with) {
  my ($build, $socket) = (Bench::Subject::build(), $weir->setting('REDIS_SOCKET'));
  my @streams = $weir->streams;
  my $rows = int $with{rows} / @streams;
  for my $number (0 .. $#streams) {
    my $made = "$build/backlog $rows $with{per_entry} 10000 3 v7 /dev/null | sed -u 's/weir:{0}/weir:{$number}/'";
    $made = "$build/backlog $rows $with{per_entry} 10000 3 v7 /dev/null" if $number == 0;
    $made .= " | tee '$with{file}'" if $with{file};
    shell("$made | redis-cli -s '$socket' --pipe >/dev/null");
  }
  return;
}

sub again ($weir, $file) {
  my $socket = $weir->setting('REDIS_SOCKET');
  return shell("redis-cli -s '$socket' --pipe <'$file' >/dev/null");
}

sub start ($weir, @streams) {
  return $weir->launch({}, Bench::Subject::build() . '/weir-flusher', '--once', '--redis', 'unix:' . $weir->setting('REDIS_SOCKET'),
    '--postgres', 'user=weir_flusher dbname=weir host=' . $weir->setting('PGHOST'), map { ('--stream', $_) } @streams);
}

sub children () { my @times = times; return $times[2] + $times[3] }

# One flusher for each of the streams.
sub store ($weir) {
  my %before = (flusher => children(), map { $_ => Bench::Cpu::seconds($weir->pid($_)) } qw(postgres redis));
  my ($began, $told, @samples) = (time, 0);
  my %running = map { start($weir, $_) => 1 } $weir->streams;
  while (%running) {
    if (time - $began >= $told) {
      push @samples, { t => time - $began, rss => max(0, map { Bench::Cpu::resident($_) } keys %running), left => $weir->waiting };
      $told += 0.25;
    }
    sleep 0.01;
    for my $pid (keys %running) {
      next unless waitpid($pid, WNOHANG) > 0;
      die "the flusher failed: see $weir->{dir}.log\n" if $?;
      delete $running{$pid};
      delete $weir->{pids}{$pid};
    }
  }
  my %run = (seconds => time - $began, flusher => children() - $before{flusher}, samples => \@samples);
  $run{$_} = Bench::Cpu::seconds($weir->pid($_)) - $before{$_} for qw(postgres redis);
  return { %run, peak => max(map { $_->{rss} } @samples) };
}

1;
