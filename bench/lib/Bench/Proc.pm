# What the system counts of a process, from its files in /proc: CPU time, memory, parents.
#
#   my $before = Bench::Proc::seconds(@pids);            # of their trees
#   …
#   my $spent = Bench::Proc::seconds(@pids) - $before;
#   Bench::Proc::kept_waiting(@pids);                   # for a core, in seconds
#   Bench::Proc::until_idle(1, @pids);                   # what they had in hand is done
#   Bench::Proc::resident(@pids); Bench::Proc::peak(@pids);
#
# A process' own time comes from its threads' schedstat, in nanoseconds. What its children took that
# have ended is in its stat, in clock ticks of 10 ms, rounded once and not for each child.
package Bench::Proc;
use v5.36;

use POSIX qw(sysconf _SC_CLK_TCK);
use Time::HiRes qw(sleep time);

my $ticks = sysconf(_SC_CLK_TCK);

sub slurp ($path) {
  open my $file, '<', $path or return '';
  local $/;
  return scalar(<$file>) // '';
}

# A kernel that does not count would make everything free.
sub must_count ($own = slurp("/proc/$$/schedstat")) {
  return 1 if $own =~ /\A[1-9]\d* /;
  die 'CPU time cannot be measured: this kernel says nothing in /proc/PID/schedstat. It has to be built with '
    . "CONFIG_SCHED_INFO, as Debian's is, and /proc has to be mounted\n";
}

# The given processes, and all that came from them.
sub tree (@roots) {
  my %children;
  for my $path (glob '/proc/[0-9]*/stat') {
    my ($pid, $parent) = slurp($path) =~ /\A(\d+) \(.*\) \S (\d+)/s or next;
    push $children{$parent}->@*, $pid;
  }
  my @all = grep { -d "/proc/$_" } @roots;
  for (my $i = 0; $i < @all; $i++) { push @all, ($children{ $all[$i] } // [])->@* }
  return @all;
}

# What came from a server's main process; its workers come to be a moment after its port is open.
sub children ($main) {
  my ($deadline, @children) = time + 60;
  until (@children = grep { $_ != $main } tree($main)) {
    die "it has no worker\n" if time > $deadline;
    sleep 0.02;
  }
  return @children;
}

sub seconds (@roots) {
  state $counts = must_count();
  my $sum = 0;
  for my $pid (tree(@roots)) {
    $sum += (slurp($_) =~ /\A(\d+)/)[0] // 0 for glob "/proc/$pid/task/[0-9]*/schedstat";
    $sum += of_ended_children(slurp("/proc/$pid/stat"));
  }
  return $sum / 1e9;
}

# How long threads of theirs could have run and had no core, in seconds.
sub kept_waiting (@roots) {
  my $sum = 0;
  for my $pid (tree(@roots)) { $sum += (slurp($_) =~ /\A\d+ (\d+)/)[0] // 0 for glob "/proc/$pid/task/[0-9]*/schedstat" }
  return $sum / 1e9;
}

# Nanoseconds: cutime and cstime of proc(5).
sub of_ended_children ($stat) {
  my @fields = split ' ', ($stat =~ s/\A.*\)//sr);
  return (($fields[13] // 0) + ($fields[14] // 0)) / $ticks * 1e9;
}

my ($interval, $idle) = (0.05, 0.15);

# Until the processes have done next to nothing for so many seconds, on the whole: what servers do when there is
# nothing to do may take a tenth of a core on a machine that has put their pages aside meanwhile. Asks the system
# only, so that waiting costs those whose CPU is counted nothing.
sub until_idle ($seconds, @roots) {
  my $deadline = time + 300;
  my @seen     = [ time, seconds(@roots) ];
  while (1) {
    sleep $interval;
    push @seen, [ time, seconds(@roots) ];
    shift @seen while @seen > 2 && $seen[1][0] <= $seen[-1][0] - $seconds;
    my ($span, $spent) = map { $seen[-1][$_] - $seen[0][$_] } 0, 1;
    return if $span >= $seconds && $spent <= $idle * $span;
    die "it does not come to an end\n" if time > $deadline;
  }
}

# Resident memory of all of them together, in MB.
sub resident (@roots) { return megabytes(VmRSS => tree(@roots)) }

# The most that each of them has had, added up, in MB; for as long as they live.
sub peak (@roots) { return megabytes(VmHWM => tree(@roots)) }

sub megabytes ($what, @pids) {
  my $kib = 0;
  $kib += kib($what, slurp("/proc/$_/status")) for @pids;
  return $kib / 1024;
}

sub kib ($what, $status) { return ($status =~ /^\Q$what\E:\s+(\d+) kB$/m)[0] // 0 }

1;
