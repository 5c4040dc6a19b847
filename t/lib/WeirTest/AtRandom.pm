# What tests of figures have in common that make rows at random: the choices, days, zones and tenants.
#
#   use WeirTest::AtRandom;    # one_of(), maybe(), databases_of(), $first, $last, @windows, %zones
#
# The choices are those of a seed, which is told; ANALYTICS_SEED repeats it.
package WeirTest::AtRandom;
use v5.36;

use Exporter qw(import);
use Test::More;

our @EXPORT = qw(one_of maybe databases_of $first $last @windows %zones);

my $seed = $ENV{ANALYTICS_SEED} // int rand 1e9;
diag "seed $seed; ANALYTICS_SEED repeats it";
srand $seed;

# Clocks change in Berlin on 2026-03-29; the 20th of March is a Friday.
our ($first, $last) = (1_773_970_000, 1_773_970_000 + 26 * 86_400);
our @windows = ([ '2026-03-20', '2026-04-16' ], [ '2026-03-23', '2026-04-05' ], [ '2026-03-29', '2026-03-29' ]);
our %zones = (acme => [ 'UTC', 'Europe/Berlin', 'America/St_Johns' ], other => ['UTC']);

sub one_of (@list) { return $list[ rand @list ] }

sub maybe ($share, @members) { return rand() < $share ? @members : () }

# Events without a user are the first server's. One tenant alone is split.
sub databases_of ($row) {
  return ('whole', $row->{tenant} ne 'acme' ? () : ($row->{user} // '') =~ /[13579]\z/ ? 'server_2' : 'server_1');
}

1;
