# Subjects take turns, round after round: load on one of them at a time, and what its processes spent on it
# by the system's account. A run whose events are not all there afterwards, or of which a request was
# answered by anything but 200, or none at all, is no figure: it is repeated, and where that does not help,
# told by its name, and the others go on.
#
#   my @rows = Bench::Turns::take($settings, 'single', $body, @subjects);   # {case, subject, round, rate, web, …}
#   my $row = Bench::Turns::attempt('10000/s, round 2', sub ($try) { … });         # undef: it failed each time
#   my ($repeated, $failed) = Bench::Turns::troubles();                     # sentences, since the last call
package Bench::Turns;
use v5.36;
use utf8;

use Bench::Load;
use Bench::Proc;
use List::Util qw(sum0);
use Time::HiRes qw(time);

my $tries = 3;
my (@repeated, @failed);

# What is done is told which try it is: a server that a busy machine keeps waiting answers a longer run.
sub attempt ($what, $do) {
  my ($result, $why);
  for my $try (1 .. $tries) {
    return $result if eval { $result = $do->($try); 1 };
    $why = $@ =~ s/\s+\z//r;
    printf "  %s: %s: %s\n", $what, $why, $try < $tries ? 'once more' : 'given up';
    push @repeated, "$what: $why" if $try < $tries;
  }
  push @failed, "$what: $why";
  return;
}

sub troubles () {
  my @both = ([@repeated], [@failed]);
  @repeated = @failed = ();
  return @both;
}

# Microseconds of CPU a request by part of the subject; requests a second; latencies in ms.
sub measure ($settings, $body, $subject, %with) {
  my $processes = $subject->processes;
  begin_clean($subject);
  my $before = spent($processes);
  my $run = Bench::Load::run(url => $subject->url($body->{path}), body => $body->{file}, seconds => $settings->{seconds},
    connections => $settings->{connections}, %with);
  must_be_answered($run);
  my $after = spent_in_all($subject, $processes);
  my $requests = must_hold($subject, $body, $run, $settings->spare($run, $with{connections} // $settings->{connections}));
  $subject->clear;
  my %cpu = map { $_ => ($after->{$_} - $before->{$_}) / $requests * 1e6 } keys %$after;
  return { rate => $run->{ok} / $run->{seconds}, (map { $_ => $run->{$_} } qw(p50 p99)), %cpu, all => sum0(values %cpu) };
}

# What came before has come to rest, and nothing is left of it: a try that failed may have left much.
sub begin_clean ($subject) {
  spent_in_all($subject, $subject->processes);
  $subject->clear;
  return;
}

sub must_be_answered ($run) {
  die sprintf "%d of its answers were not 200, or came too late\n", $run->{bad} if $run->{bad};
  die "nothing was answered\n" unless $run->{ok};
  return;
}

sub spent ($processes) {
  return { map { $_ => Bench::Proc::seconds($processes->{$_}->@*) } keys %$processes };
}

# The account is closed before anybody is asked whether all is where it has to be, since the question costs
# them CPU too. Only where the answer is no, it is opened again.
sub spent_in_all ($subject, $processes) {
  my $deadline = time + 300;
  while (1) {
    Bench::Proc::until_idle($subject->quiet, map { @$_ } values %$processes);
    $subject->finish;
    my $spent = spent($processes);
    return $spent if $subject->settled;
    die "what was answered is not where it has to be after five minutes\n" if time > $deadline;
  }
}

# The load ends with a request under way on each connection: these may have been kept and never answered.
# The requests that were worked off.
sub must_hold ($subject, $body, $run, $spare) {
  my $events = $subject->events($body) // return $run->{ok};
  my ($least, $most) = map { $_ * $body->{events} } $run->{ok}, $run->{ok} + $spare;
  return $events / $body->{events} if $events >= $least && $events <= $most;
  die sprintf "%d events were answered with 200, and %d are there\n", $least, $events;
}

# Code that is compiled as it runs needs some thousand requests until it is as fast as it gets; who waits
# for the disk at each does not get there in time, and is spared that wait meanwhile.
my $warm_requests = 10_000;

sub warm_up ($settings, $body, $subject) {
  my $requests = 0;
  $subject->hurry(1);
  for (1 .. 5) {
    my $row = attempt($subject->name . ' as it warms up', sub ($try) { measure($settings, $body, $subject, seconds => $settings->{warm}) }) // last;
    $requests += $row->{rate} * $settings->{warm};
    last if $requests >= $warm_requests;
  }
  $subject->hurry(0);
  return;
}

sub take ($settings, $case, $body, @subjects) {
  if ($settings->{warm}) { warm_up($settings, $body, $_) for @subjects }
  my @rows;
  for my $round (1 .. $settings->{rounds}) {
    for my $subject (@subjects) {
      my $name = $subject->name;
      my $row = attempt("$case, $name, round $round", sub ($try) { measure($settings, $body, $subject, seconds => $settings->longer($settings->{seconds}, $try)) }) // next;
      push @rows, { case => $case, subject => $name, round => $round, events => $body->{events}, %$row };
      printf "  %-12s round %d  %-24s %8.0f/s  %8.2f µs\n", $case, $round, $name, $row->@{qw(rate all)};
    }
  }
  return @rows;
}

1;
