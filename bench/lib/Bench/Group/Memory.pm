# Resident memory of what takes the requests, nginx' worker or Apache's child, as millions of them go by; then as some
# of them are batches that inflate to 7 MB; and afterwards, when all are small again.
package Bench::Group::Memory;
use v5.36;
use utf8;

use Bench::Load;
use Bench::Proc;
use Bench::Turns;

sub run ($settings, $stage) {
  my ($body, $large) = ($settings->body('single'), $settings->large);
  my @rows;
  for my $name ('bare nginx', 'Weir, nginx', 'bare Apache', 'Weir, Apache') {
    my $subject = $stage->subject($name);
    my $samples = Bench::Turns::attempt("$name, memory", sub ($try) { all_of((bless { %$settings, try => $try }, ref $settings), $body, $large, $subject, $name) });
    push @rows, map { { subject => $name, %$_ } } ($samples // [])->@*;
    $stage->end($subject);
  }
  return \@rows;
}

sub all_of ($settings, $body, $large, $subject, $name) {
  # A bare handler keeps nothing that could grow, and Apache takes its time.
  my $wanted = $settings->{requests} / ($name =~ /bare/ ? 10 : $name =~ /Apache/ ? 4 : 1);
  my @workers = workers($subject);
  my @samples = over($settings, $body, $subject, $wanted, 'memory');
  my %mix = (large => $large->{file}, every => $settings->count(5000, 300));
  push @samples, over($settings, $body, $subject, $wanted / 10, 'mixed', %mix);
  push @samples, over($settings, $body, $subject, 1, 'afterwards');
  die "another process than at first takes its requests\n" unless "@workers" eq join ' ', workers($subject);
  printf "  %-14s %8d requests: %.1f MB at first, %.1f MB in the end; with large bodies at most %.1f MB, afterwards %.1f MB\n", $name,
    (grep { $_->{case} eq 'memory' } @samples)[-1]{requests}, $samples[0]{rss}, (grep { $_->{case} eq 'memory' } @samples)[-1]{rss},
    $samples[-1]->@{qw(peak rss)};
  return \@samples;
}

sub workers ($subject) { return Bench::Proc::children($subject->processes->{web}[0]) }

sub sample ($subject, $case, $requests) {
  my @workers = workers($subject);
  return { case => $case, requests => $requests, rss => Bench::Proc::resident(@workers), peak => Bench::Proc::peak(@workers) };
}

sub over ($settings, $body, $subject, $wanted, $case, %mix) {
  my ($requests, $processes) = (0, $subject->processes);
  my @samples = sample($subject, $case, 0);
  while ($requests < $wanted) {
    Bench::Turns::begin_clean($subject);
    my $run = Bench::Load::run(url => $subject->url('/track'), body => $body->{file}, seconds => $settings->longer($settings->count(2, 0.5), $settings->{try}),
      connections => $settings->{connections}, %mix);
    Bench::Turns::must_be_answered($run);
    Bench::Turns::spent_in_all($subject, $processes);
    # What Redis kept waiting is in it twice until the flusher finds that out; memory does not depend on it.
    Bench::Turns::must_hold($subject, $body, $run, $run->{ok} + 2 * $settings->{connections});
    $requests += $run->{ok};
    push @samples, sample($subject, $case, $requests);
    $subject->clear;
  }
  return @samples;
}

1;
