# Builds what is measured and what measures it, where that is not there: `bench/run whole` in a fresh clone is
# enough. The makefile's target knows what it is; where it has been called by make already, all is there.
package Bench::Built;
use v5.36;

use Bench::Subject;

my @needed = qw(weir-flusher weirctl ngx_http_weir_module.so mod_weir.so mod_bare.so backlog record_formats spool_commit
  bench/paced bench/ngx_http_bare_module.so);

sub make_sure () {
  my ($root, $build) = (Bench::Subject::root(), Bench::Subject::build());
  return if !(grep { !-e "$build/$_" } @needed) && -d "$root/bench/peers/express/node_modules";
  say '== build what is measured';
  delete local @ENV{qw(MAKEFLAGS MFLAGS MAKELEVEL)};
  system('make', '--no-print-directory', '-C', $root, "BUILD=$build", 'bench-programs') == 0 or die "make bench-programs failed\n";
  return;
}

1;
