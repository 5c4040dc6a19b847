# Where the time of nginx' worker and of Redis goes, by perf, where that is there and allowed; else it is
# left out. A part is a library, the server's program, or the kernel.
package Bench::Group::Profile;
use v5.36;

use Bench::Proc;
use Bench::Load;
use Bench::Turns;

my %parts = (
  nginx => 'nginx', 'ngx_http_weir_module.so' => 'Weir', '[kernel.kallsyms]' => 'kernel: sockets, files, waiting',
  'redis-check-rdb' => 'Redis', 'redis-server' => 'Redis',
);

sub run ($settings, $stage) {
  return [] unless allowed($settings);
  my ($bare, $weir) = map { $stage->subject($_) } 'bare nginx', 'Weir, nginx';
  my $body = $settings->body('single');
  my @turns = ([ $bare, bare => worker($bare) ], [ $weir, web => worker($weir) ], [ $weir, redis => $weir->pid('redis') ]);
  return [ map { turn($settings, $body, @$_) } @turns ];
}

sub turn ($settings, $body, $subject, $part, $pid) {
  my $seconds = $settings->count(3, 0.4);
  my $rows = Bench::Turns::attempt($part, sub ($try) { [ profile($settings, $subject, $body, $part, $pid, $settings->longer($seconds, $try)) ] });
  return ($rows // [])->@*;
}

# It comes to be a moment after the port is open.
sub worker ($subject) { return (Bench::Proc::children($subject->processes->{web}[0]))[0] }

# To other users the kernel does not show its own part, without which the shares would be wrong.
sub allowed ($settings) {
  return 1 if sees_the_kernel() && system("perf record -q -e cpu-clock -o '$settings->{folder}/perf' true >/dev/null 2>&1") == 0;
  say '  perf is not there, or not allowed: no profile';
  return 0;
}

sub sees_the_kernel () {
  return 1 if $> == 0;
  open my $file, '<', '/proc/sys/kernel/perf_event_paranoid' or return 0;
  return <$file> <= 1;
}

sub profile ($settings, $subject, $body, $part, $pid, $seconds) {
  my $file = "$settings->{folder}/perf";
  Bench::Turns::begin_clean($subject);
  my $perf = $subject->launch({}, 'perf', 'record', '-q', '-e', 'cpu-clock', '-F', 2000, '-o', $file, '-p', $pid, '--', 'sleep', $seconds);
  my $before = Bench::Proc::seconds($pid);
  my $run = Bench::Load::run(url => $subject->url('/track'), body => $body->{file}, seconds => $seconds, connections => $settings->{connections});
  waitpid $perf, 0;
  delete $subject->{pids}{$perf};
  Bench::Turns::must_be_answered($run);
  my $micros = (Bench::Proc::seconds($pid) - $before) / $run->{ok} * 1e6;
  $subject->clear;
  my (%share, %function);
  for my $line (qx(perf report -i '$file' --stdio -q --sort dso,symbol -F overhead,dso,symbol 2>/dev/null)) {
    my ($percent, $dso, $ring, $symbol) = $line =~ /([\d.]+)%\s+(\S+)\s+\[(.)\] (.*?)\s*$/ or next;
    $share{ $parts{$dso} // $dso } += $percent;
    $function{ ($parts{$dso} // $dso) . ': ' . short($symbol) } += $percent if $ring ne 'k';
  }
  printf "  %-12s %-36s %5.1f %%\n", $part, $_, $share{$_} for sort { $share{$b} <=> $share{$a} } keys %share;
  my @dearest = (sort { $function{$b} <=> $function{$a} } keys %function)[ 0 .. 14 ];
  return (map { row(profile => $part, $_, $share{$_}, $micros) } keys %share),
    map { row(function => $part, $_, $function{$_}, $micros) } grep { defined } @dearest;
}

sub row ($case, $subject, $part, $percent, $micros) {
  return { case => $case, subject => $subject, part => $part, share => $percent / 100, micros => $micros * $percent / 100 };
}

# A function of C++ without its arguments. perf has two more columns, which are empty.
sub short ($symbol) {
  $symbol =~ s/\s+-\s+-\z//;
  $symbol =~ s/\(anonymous namespace\)::|\bweir:://g;
  1 while $symbol =~ s/<[^<>]*>//;
  return $symbol =~ /\A0x/ ? 'all that has no name' : $symbol =~ s/\(.*//sr;
}

1;
