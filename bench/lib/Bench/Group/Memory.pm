# Resident memory of what takes the requests, nginx' worker or Apache's child, as millions of them go by.
package Bench::Group::Memory;
use v5.36;

use Bench::Cpu;
use Bench::Load;
use Bench::Turns;

sub run ($settings, $stage) {
  my $body = $settings->body('single');
  my @rows;
  for my $name ('bare nginx', 'Weir, nginx', 'bare Apache', 'Weir, Apache') {
    my $subject = $stage->subject($name);
    # A bare handler keeps nothing that could grow, and Apache takes its time.
    my $wanted = $settings->{requests} / ($name =~ /bare/ ? 10 : $name =~ /Apache/ ? 4 : 1);
    push @rows, map { { case => 'memory', subject => $name, %$_ } } over($settings, $body, $subject, $wanted);
    printf "  %-14s %8d requests: %.1f MB at first, %.1f MB in the end\n", $name, $rows[-1]{requests},
      (grep { $_->{subject} eq $name } @rows)[0]{rss}, $rows[-1]{rss};
    $stage->end($subject);
  }
  return \@rows;
}

sub workers ($subject) {
  my $main = $subject->processes->{web}[0];
  return grep { $_ != $main } Bench::Cpu::tree($main);
}

sub over ($settings, $body, $subject, $wanted) {
  my ($requests, @workers) = (0, workers($subject));
  my @samples = { requests => 0, rss => Bench::Cpu::resident(@workers) };
  while ($requests < $wanted) {
    my $run = Bench::Load::run(url => $subject->url('/track'), body => $body->{file}, seconds => $settings->count(2, 0.4),
      connections => $settings->{connections});
    die sprintf "%s: %d of its answers were not 200\n", $subject->name, $run->{bad} if $run->{bad};
    $subject->settle;
    Bench::Turns::must_hold($subject, $body, $run, $settings->{connections});
    $requests += $run->{ok};
    push @samples, { requests => $requests, rss => Bench::Cpu::resident(@workers) };
    $subject->clear;
  }
  die $subject->name . ": another process than at first takes its requests\n" unless "@workers" eq join ' ', workers($subject);
  return @samples;
}

1;
