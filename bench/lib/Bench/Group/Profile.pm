# Where the time of nginx' worker and of Redis goes, by perf, where that is there and allowed; else it is
# left out. A part is a library, the server's program, or the kernel.
package Bench::Group::Profile;
use v5.36;

use Bench::Cpu;
use Bench::Load;

my %parts = (
  nginx => 'nginx', 'ngx_http_weir_module.so' => 'Weir', '[kernel.kallsyms]' => 'kernel: sockets, files, waiting',
  'redis-check-rdb' => 'Redis', 'redis-server' => 'Redis',
);

sub run ($settings, $stage) {
  return [] unless allowed($settings);
  my ($weir, $body) = ($stage->subject('Weir, nginx'), $settings->body('single'));
  my ($worker) = grep { $_ != $weir->pid('web') } Bench::Cpu::tree($weir->pid('web'));
  return [ map { profile($settings, $weir, $body, @$_) } [ web => $worker ], [ redis => $weir->pid('redis') ] ];
}

sub allowed ($settings) {
  return 1 if system("perf record -q -e cpu-clock -o '$settings->{folder}/perf' true >/dev/null 2>&1") == 0;
  say '  perf is not there, or not allowed: no profile';
  return 0;
}

sub profile ($settings, $weir, $body, $part, $pid) {
  my ($file, $seconds) = ("$settings->{folder}/perf", $settings->count(3, 0.4));
  $weir->clear;
  my $perf = $weir->launch({}, 'perf', 'record', '-q', '-e', 'cpu-clock', '-F', 2000, '-o', $file, '-p', $pid, '--', 'sleep', $seconds);
  my $before = Bench::Cpu::seconds($pid);
  my $run = Bench::Load::run(url => $weir->url('/track'), body => $body->{file}, seconds => $seconds, connections => $settings->{connections});
  my $micros = (Bench::Cpu::seconds($pid) - $before) / $run->{ok} * 1e6;
  waitpid $perf, 0;
  delete $weir->{pids}{$perf};
  $weir->clear;
  my %share;
  for my $line (qx(perf report -i '$file' --stdio -q --sort dso -F overhead,dso 2>/dev/null)) {
    $share{ $parts{$2} // $2 } += $1 if $line =~ /([\d.]+)%\s+(\S+)/;
  }
  printf "  %-12s %-36s %5.1f %%\n", $part, $_, $share{$_} for sort { $share{$b} <=> $share{$a} } keys %share;
  return map { { case => 'profile', subject => $part, part => $_, share => $share{$_} / 100, micros => $micros * $share{$_} / 100 } } keys %share;
}

1;
