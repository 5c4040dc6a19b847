# A minute of chaos: everything is killed, stopped and cut once under load; nothing acknowledged is
# lost, nothing is counted twice. `make chaos` does it for longer; CHAOS_SEED repeats a plan.
use v5.36;
use FindBin;
use lib "$FindBin::Bin/lib";
use WeirTest;
use Weir::Chaos;

chaos(
  seed     => $ENV{CHAOS_SEED},
  steps    => 34,
  least    => 8,
  seconds  => 33,
  pace     => 0.5,
  rate     => 2500,
  failures => 'none',
  drain    => 120,
);
