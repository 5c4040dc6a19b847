# How long an answer takes at half of the load that the server can bear, requests coming at a steady rate
# and each one's time counted from when it was due; beside the bare handler at the same rate.
package Bench::Group::Latency;
use v5.36;

use Bench::Load;
use Bench::Proc;
use Bench::Turns;
use List::Util qw(max);

my @pairs = (
  [ 'Weir, nginx',         'Weir, nginx',  'bare nginx',  [] ],
  [ 'Weir, nginx, no',     'Weir, nginx',  'bare nginx',  [ fsync => 'no' ] ],
  [ 'Weir, nginx, always', 'Weir, nginx',  'bare nginx',  [ fsync => 'always' ] ],
  [ 'Weir, nginx, away',   'Weir, nginx',  'bare nginx',  [ env   => { WEIR_SPOOL_OPTIONS => 'size=16g' } ] ],
  [ 'Weir, Apache',        'Weir, Apache', 'bare Apache', [] ],
);

sub run ($settings, $stage) {
  my $body = $settings->body('single');
  my ($rounds, $seconds) = ($settings->count(3, 1), $settings->count(4, 0.4));
  my (@rows, %bare);
  for my $pair (@pairs) {
    my ($as, $name, $limit, $options) = @$pair;
    my $weir = $stage->subject($name, as => $as, impatient => 1, @$options);
    $weir->take_redis_away if $as =~ /away/;
    $bare{$limit} //= $stage->subject($limit);
    my $full = Bench::Turns::attempt("$as, at full load", sub ($try) { Bench::Turns::measure($settings, $body, $weir, seconds => $settings->longer($settings->count(2, 0.4), $try)) });
    for my $round ($full ? 1 .. $rounds : ()) {
      for my $subject ($weir, $bare{$limit}) {
        my ($half, $who) = (max(100, int $full->{rate} / 2), $subject->name);
        my $row = Bench::Turns::attempt("$as, $who, round $round", sub ($try) { paced($settings, $body, $subject, $half, $settings->longer($seconds, $try)) }) // next;
        push @rows, { case => $as, subject => $who, round => $round, half => $half, %$row };
        printf "  %-20s round %d  %-20s at %d/s: p50 %.3f ms, p99 %.3f ms\n", $as, $round, $who, $half, $row->@{qw(p50 p99)};
      }
    }
    $stage->end($weir);
  }
  return \@rows;
}

sub paced ($settings, $body, $subject, $rate, $seconds) {
  my $processes = $subject->processes;
  Bench::Turns::begin_clean($subject);
  my @servers = map { $processes->{$_} ? $processes->{$_}->@* : () } qw(web redis);
  my $waited = Bench::Proc::kept_waiting(@servers);
  my $run = Bench::Load::paced(port => $subject->{port}, path => $body->{path}, body => $body->{file}, rate => $rate,
    seconds => $seconds, connections => $settings->{connections});
  $waited = Bench::Proc::kept_waiting(@servers) - $waited;
  Bench::Turns::must_be_answered($run);
  Bench::Turns::spent_in_all($subject, $processes);
  # What Redis kept waiting changed over to the spool, and is in both until the flusher finds that out.
  Bench::Turns::must_hold($subject, $body, $run, $run->{ok} + 2 * $settings->{connections});
  $subject->clear;
  return { rate => $run->{ok} / $run->{seconds}, waited => 1e6 * $waited / ($run->{ok} || 1), map { $_ => $run->{$_} } qw(p50 p75 p90 p99 p999 max late) };
}

1;
