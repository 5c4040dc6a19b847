# CPU time of process trees, by the operating system's own accounting.
#
#   my $before = Bench::Cpu::seconds(@pids);
#   …
#   my $spent = Bench::Cpu::seconds(@pids) - $before;
#
# A process' own time comes from its threads' schedstat, in nanoseconds. What its children took that
# have ended is in its stat, in clock ticks of 10 ms.
package Bench::Cpu;
use v5.36;

use POSIX qw(sysconf _SC_CLK_TCK);

my $ticks = sysconf(_SC_CLK_TCK);

sub slurp ($path) {
  open my $file, '<', $path or return '';
  local $/;
  return scalar(<$file>) // '';
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

sub seconds (@roots) {
  my $sum = 0;
  for my $pid (tree(@roots)) {
    $sum += (slurp($_) =~ /\A(\d+)/)[0] // 0 for glob "/proc/$pid/task/[0-9]*/schedstat";
    my @stat = split ' ', (slurp("/proc/$pid/stat") =~ s/\A.*\)//sr);
    $sum += (($stat[13] // 0) + ($stat[14] // 0)) / $ticks * 1e9;    # cutime and cstime, proc(5)
  }
  return $sum / 1e9;
}

# Resident memory of all of them together, in MB.
sub resident (@roots) {
  my $kib = 0;
  $kib += (slurp("/proc/$_/status") =~ /^VmRSS:\s+(\d+)/m)[0] // 0 for tree(@roots);
  return $kib / 1024;
}

1;
