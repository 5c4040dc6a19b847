# Subjects take turns, round after round: load on one of them at a time, and what its processes spent on it
# by the system's account. A round whose events are not all there afterwards, or of which a request was
# answered by anything but 200, is an error and no figure.
#
#   my $rows = Bench::Turns::take($settings, 'single', $body, @subjects);   # [{case, subject, round, rate, web, …}]
package Bench::Turns;
use v5.36;
use utf8;

use Bench::Cpu;
use Bench::Load;
use List::Util qw(sum0);

# Microseconds of CPU a request by part of the subject; requests a second; latencies in ms.
sub measure ($settings, $body, $subject, %with) {
  $subject->clear;
  my $processes = $subject->processes;
  my $before = spent($processes);
  my $run = Bench::Load::run(url => $subject->url($body->{path}), body => $body->{file}, seconds => $settings->{seconds},
    connections => $settings->{connections}, %with);
  die sprintf "%s: %d of its answers were not 200\n", $subject->name, $run->{bad} if $run->{bad};
  die sprintf "%s: nothing was answered\n", $subject->name unless $run->{ok};
  $subject->settle;
  my $after = spent($processes);
  my $requests = must_hold($subject, $body, $run, $with{connections} // $settings->{connections});
  $subject->clear;
  my %cpu = map { $_ => ($after->{$_} - $before->{$_}) / $requests * 1e6 } keys %$after;
  return { rate => $run->{ok} / $run->{seconds}, (map { $_ => $run->{$_} } qw(p50 p99)), %cpu, all => sum0(values %cpu) };
}

sub spent ($processes) {
  return { map { $_ => Bench::Cpu::seconds($processes->{$_}->@*) } keys %$processes };
}

# The load ends with a request under way on each connection: these may have been kept and never answered.
# The requests that were worked off.
sub must_hold ($subject, $body, $run, $connections) {
  my $events = $subject->events($body) // return $run->{ok};
  my ($least, $most) = map { $_ * $body->{events} } $run->{ok}, $run->{ok} + $connections;
  return $events / $body->{events} if $events >= $least && $events <= $most;
  die sprintf "%s: %d events were answered with 200, and %d are there\n", $subject->name, $least, $events;
}

# Code that is compiled as it runs needs some thousand requests until it is as fast as it gets.
my $warm_requests = 3000;

sub warm_up ($settings, $body, $subject) {
  my $requests = 0;
  for (1 .. 5) {
    $requests += measure($settings, $body, $subject, seconds => $settings->{warm})->{rate} * $settings->{warm};
    last if $requests >= $warm_requests;
  }
  return;
}

sub take ($settings, $case, $body, @subjects) {
  if ($settings->{warm}) { warm_up($settings, $body, $_) for @subjects }
  my @rows;
  for my $round (1 .. $settings->{rounds}) {
    for my $subject (@subjects) {
      my $row = measure($settings, $body, $subject);
      push @rows, { case => $case, subject => $subject->name, round => $round, events => $body->{events}, %$row };
      printf "  %-12s round %d  %-22s %8.0f/s  %8.2f µs\n", $case, $round, $subject->name, $row->@{qw(rate all)};
    }
  }
  return @rows;
}

1;
