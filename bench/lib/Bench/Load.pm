# Load by wrk: the same body again and again, as fast as answers come.
#
#   my $run = Bench::Load::run(url => 'http://127.0.0.1:8080/track', body => 'bodies/event.json', seconds => 5);
#   $run->{ok}, $run->{bad}, $run->{seconds}, $run->{p50}, $run->{p99}        # requests; milliseconds
#
# With `large`, a file of gzip, that one goes at every `every`-th request.
#
# And by bench/paced.cpp: so many requests a second whatever becomes of them, each one's time counted from
# when it was due. It says more, see there.
#
#   my $run = Bench::Load::paced(port => 8080, path => '/track', body => …, rate => 1000, seconds => 5);
package Bench::Load;
use v5.36;

use Bench::Subject;
use FindBin;
use Time::HiRes qw(sleep);

sub run (%with) {
  my $connections = $with{connections} // 64;
  my $whole = int($with{seconds} + 0.999);
  local %ENV = (%ENV, BODY => $with{body}, $with{large} ? (LARGE => $with{large}, EVERY => $with{every}) : ());
  my @command = ('wrk', '-t1', "-c$connections", "-d${whole}s", '--timeout', '10s', '-s',
    "$FindBin::Bin/lib/" . ($with{large} ? 'mixed' : 'body') . '.lua', $with{url});
  my $pid = open my $wrk, '-|', @command or die "wrk: $!: install it with tools/install-deps test\n";
  # wrk knows whole seconds, and ends at once when it is interrupted.
  if ($with{seconds} < $whole) { sleep $with{seconds}; kill INT => $pid }
  my $said = do { local $/; <$wrk> };
  close $wrk;
  my %run = ($said // '') =~ /\b(\w+)=([\d.]+)/g;
  die "wrk said nothing about $with{url}: $said\n" unless defined $run{ok};
  return \%run;
}

sub paced (%with) {
  my @command = (Bench::Subject::build() . '/bench/paced', @with{qw(port path body rate seconds)}, $with{connections} // 64, $with{ledger} // ());
  open my $load, '-|', @command or die "$command[0]: $!\n";
  my $said = do { local $/; <$load> };
  close $load or die "$with{path}: the load broke off\n";
  return { $said =~ /\b(\w+)=([\d.]+)/g };
}

1;
