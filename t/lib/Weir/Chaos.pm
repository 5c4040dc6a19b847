# Load, faults, repair, drain and comparison as one test: nothing acknowledged is lost, nothing is
# counted twice.
#
#   use Weir::Chaos;
#   chaos(seed => 7, steps => 12, failures => 'none', rate => 4000);
#
# Options:
#   seed      decides the plan of faults, and the load (drawn, and printed, where none is given)
#   steps     faults at least; kills and events: how many there have to be besides
#   seconds   after which no fault begins any more; what is missing then fails the test, unless there
#             were `least` faults
#   pace      stretches the pauses and the faults (1)
#   rate      events a second, 0 for as many as there can be
#   failures  'allowed': 503 is an answer that may come at any time. 'none': only while neither Redis
#             nor the spool's disk can keep an event
#   progress  seconds between two lines about how it goes (none)
package Weir::Chaos;
use v5.36;

use WeirTest;
use WeirTest::RollUps;
use Weir::Chaos::Cutter;
use Weir::Chaos::Disk;
use Weir::Chaos::Hand;
use Weir::Chaos::Load;
use Weir::Chaos::Plan;
use Weir::Chaos::Verdict qw(compare drained left_in_redis);

use parent 'Exporter';
our @EXPORT = qw(chaos);

my $disk;

# A mount must be gone before the folders go.
END { local $?; $disk->unmount if $disk }

sub chaos (%options) {
  my $seed = $options{seed} // int rand 1e9;
  diag "seed $seed";
  my $weir = start_between(%options);
  my $cutter = $weir->{cutter};
  my $hand = Weir::Chaos::Hand->new($weir);
  ($hand->{disk}, $hand->{cutter}) = ($disk, $cutter->{pid});
  my $load = Weir::Chaos::Load->start($weir->{port}, "$weir->{run}/ledger", seed => $seed, connections => 64,
    rate => $options{rate} // 0);
  break_things($hand, $load, $seed, %options);
  my $total = finish($hand, $load);
  judge_answers($hand, $load, $total, $options{failures});
  my $found = judge_tables($load->{ledger}, $options{drain} // 60);
  print_table($hand, $total, $found) if $options{progress};
  cmp_ok $hand->kills, '>=', $options{kills}, "$options{kills} kills at least" if $options{kills};
  cmp_ok $found->{acknowledged}, '>=', $options{events}, "$options{events} acknowledged events at least" if $options{events};
  allow_killed_workers();
  done_testing();
  $cutter->end;
  $disk->unmount if $disk;
  return;
}

# A Weir whose way to Redis leads through the cutter, and whose spool lies on a small disk. Where its
# folders are is known once a part of it has run.
sub start_between (%options) {
  my $segment = ($ENV{WEIR_MPM} // '') eq 'prefork' ? '256k' : '1m';    # each process reserves one
  my $weir = prepare(env => { WEIR_POSTGRES_FSYNC => 'on', WEIR_SPOOL_OPTIONS => "segment=$segment", ($options{env} // {})->%* });
  my ($status, $said) = $weir->tool('up redis');
  die "tools/run up redis failed ($status):\n$said\n" if $status;
  $weir->{env}{WEIR_REDIS_VIA} = "$weir->{run}/via.sock";
  $weir->{cutter} = Weir::Chaos::Cutter->start($weir->{env}{WEIR_REDIS_VIA}, $weir->setting('REDIS_SOCKET'));
  give_small_disk($weir->setting('WEIR_SPOOL'));
  return $weir->up;
}

# It is root's to mount: an ordinary user's run says what it does instead.
sub give_small_disk ($folder) {
  $disk = Weir::Chaos::Disk->mount($folder, '64m');
  return ok $disk, 'a small disk for the spool is mounted' unless $>;
  diag "precondition not met: only root may mount a small disk ($Weir::Chaos::Disk::why); in place of a full disk the"
    . ' spool gets a folder that is closed for writing' unless $disk;
  $disk //= Weir::Chaos::Disk->closed($folder);
  return;
}

# Until the plan is at its end and there were kills and events enough, or the time is up.
sub break_things ($hand, $load, $seed, %options) {
  my ($began, $said) = (time, time);
  my $enough = sub ($done) {
    return $done >= $options{steps} && $hand->kills >= ($options{kills} // 0)
      && ($load->{last}{acknowledged} // 0) >= ($options{events} // 0);
  };
  $hand->{meanwhile} = sub {
    $load->listen or die "the load generator ended by itself\n";
    return if !$options{progress} || $hand->{broken} || time - $said < $options{progress};
    $said = time;
    progress($began, $hand, $load);
  };
  my @plan = Weir::Chaos::Plan::make(seed => $seed, steps => $options{steps} + 10_000, pace => $options{pace},
    server => WeirTest::weir()->{kind});
  my $done = 0;
  # When the time is up, a busy machine gets some more for the least that there has to be.
  my $late = sub { my $more = $done < ($options{least} // 0) ? 6 : 1; return time - $began > $more * $options{seconds} };
  until ($enough->($done) || $late->()) {
    $hand->do($plan[ $done++ ]);
    $hand->let_pass(1) if $done > $options{steps} && $hand->kills >= ($options{kills} // 0);
  }
  ok $enough->($done) || $options{least} && $done >= $options{least}, "$done faults in the time that there is";
  return;
}

sub progress ($began, $hand, $load) {
  my $last = $load->{last};
  diag sprintf '%4d s: %d acknowledged, %d of them retried, %d kills, %d records in Redis, %d files in the spool',
    time - $began, $last->{acknowledged} // 0, $last->{retried} // 0, $hand->kills, eval { left_in_redis() } // -1,
    scalar(() = spool_files());
  return;
}

sub finish ($hand, $load) {
  $hand->{meanwhile} = undef;
  $hand->repair('the end of the plan');
  return $load->finish;
}

sub judge_answers ($hand, $load, $total, $failures) {
  is join("\n", $hand->{trouble}->@*), '', 'the faults came as planned, and tools/run repaired each';
  is $total->{wrong}, 0, 'each answer is the one that the request has to get' or diag $load->{wrong}[0];
  is $total->{unknown}, 0, 'in the end every request was answered';
  my %other = map { $_ => $total->{$_} } grep { /\Astatus_(?!200|400|503)/ } keys %$total;
  is_deeply \%other, {}, 'no other answer than 200, 400 and 503';
  return if $failures eq 'allowed';
  my @outside = grep { !inside($_, $hand->{full}) } $load->{refusals}->@*;
  is scalar @outside, 0, 'nobody is refused while Redis or the spool can keep events'
    or diag join ' ', map { "[@$_]" } @outside, 'but the disk was full at', $hand->{full}->@*;
  return;
}

# Whether a time lies in one of the windows, with a little for the answers that were under way.
sub inside ($time, $windows) {
  return grep { $time->[1] >= $_->[0] && $time->[0] <= $_->[1] + 1000 } @$windows;
}

sub judge_tables ($ledger, $seconds) {
  ok drained($seconds), 'streams and spool are empty in the end'
    or diag join ' ', left_in_redis(), 'records in Redis; in the spool', spool_files();
  my $found = compare($ledger);
  cmp_ok $found->{acknowledged}, '>', 0, "$found->{acknowledged} events were acknowledged, $found->{retried} of them when sent again";
  is $found->{lost}, 0, 'lost' or diag $found->{examples};
  is $found->{twice}, 0, 'twice';
  is $found->{refused}, 0, 'none that was refused is there';
  is $found->{strange}, 0, 'none is there that nobody sent';
  is $found->{changed}, 0, 'each is the user\'s who sent it';
  is value('SELECT count(*) FROM dead_letters'), 0, 'dead letters';
  roll_ups_equal_rows();
  return $found;
}

sub print_table ($hand, $total, $found) {
  my @rows = (
    [ 'acknowledged events' => $found->{acknowledged} ], [ 'of them retried' => $found->{retried} ],
    [ 'requests, tries counted' => $total->{sent} ], [ 'answered, then sent again' => $total->{repeated} ],
    [ 'left by their client' => $total->{abandoned} ], [ 'cut' => $total->{cut} ],
    [ 'not reached' => $total->{unreached} ], [ 'too late' => $total->{timeouts} ],
    (map { [ "answers $_" => $total->{"status_$_"} ] } map { /\Astatus_(\d+)/ } sort keys %$total),
    [ 'p50 / p99 / max' => sprintf '%.1f / %.1f / %.1f ms', map { $total->{$_} / 1000 } qw(p50 p99 max) ],
    (map { [ "kills: $_" => $hand->{kills}{$_} ] } sort keys $hand->{kills}->%*),
    (map { [ "steps: $_" => $hand->{steps}{$_} ] } sort keys $hand->{steps}->%*),
    [ 'slowest repair' => sprintf '%.1f s', $hand->{slowest_repair} // 0 ],
    [ lost => $found->{lost} ], [ twice => $found->{twice} ],
  );
  diag sprintf '%-28s %s', @$_ for @rows;
  return;
}

1;
