# A backlog for flushers, and flushers that store it and leave: how long that takes, on the clock and of
# CPU, and how much memory each has meanwhile. Nobody asks Redis or PostgreSQL anything in that time.
#
#   Bench::Flushers::backlog($weir, rows => 1_000_000, per_entry => 1, file => "$folder/backlog");
#   my $run = Bench::Flushers::store($weir);    # {seconds, flusher, postgres, redis, peak, samples => [{t, rss}]}
package Bench::Flushers;
use v5.36;

use Bench::Proc;
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

# Of children that have ended and were waited for: of the flushers alone, while they are all that is started.
sub children () { my @times = times; return $times[2] + $times[3] }

# One flusher for each of the streams.
sub store ($weir) {
  my @others = qw(postgres redis);
  Bench::Proc::until_idle(0.3, map { $weir->pid($_) } @others);
  my %before = (flusher => children(), map { $_ => Bench::Proc::seconds($weir->pid($_)) } @others);
  my ($began, $told, $peak, @samples) = (time, 0, 0);
  my %running = map { start($weir, $_) => 1 } $weir->streams;
  while (%running) {
    $peak = max($peak, map { Bench::Proc::peak($_) } keys %running);
    if (time - $began >= $told) {
      push @samples, { t => time - $began, rss => max(0, map { Bench::Proc::resident($_) } keys %running) };
      $told += 0.25;
    }
    sleep 0.02;
    for my $pid (keys %running) {
      next unless waitpid($pid, WNOHANG) > 0;
      die "the flusher failed: see $weir->{dir}.log\n" if $?;
      delete $running{$pid};
      delete $weir->{pids}{$pid};
    }
  }
  my $seconds = time - $began;
  Bench::Proc::until_idle(0.1, map { $weir->pid($_) } @others);    # its sessions end a little later
  my %spent = map { $_ => Bench::Proc::seconds($weir->pid($_)) - $before{$_} } @others;
  return { seconds => $seconds, flusher => children() - $before{flusher}, %spent, samples => \@samples, peak => $peak };
}

1;
