# Load by wrk: the same body again and again.
#
#   my $run = Bench::Load::run(url => 'http://127.0.0.1:8080/track', body => 'bodies/event.json', seconds => 5);
#   $run->{ok}, $run->{bad}, $run->{seconds}, $run->{p50}, $run->{p99}        # requests; milliseconds
package Bench::Load;
use v5.36;

use FindBin;

sub run (%with) {
  my $connections = $with{connections} // 64;
  local %ENV = (%ENV, BODY => $with{body});
  my @command = ('wrk', '-t1', "-c$connections", "-d$with{seconds}s", '--timeout', '10s', '-s',
    "$FindBin::Bin/lib/body.lua", $with{url});
  open my $wrk, '-|', @command or die "wrk: $!: install it with tools/install-deps test\n";
  my $said = do { local $/; <$wrk> };
  close $wrk;
  my %run = ($said // '') =~ /\b(\w+)=([\d.]+)/g;
  die "wrk said nothing about $with{url}: $said\n" unless defined $run{ok};
  return \%run;
}

1;
