# Graceful restarts unload and load the module in the parent: over thirty of them neither its memory nor
# its descriptors grow, and each of them leaves only its own children behind.
use v5.36;
use FindBin;
use lib "$FindBin::Bin/lib";
use WeirTest;

my ($settling, $restarts) = (5, 30);
my $weir = start(kind => 'apache', workers => 1);
my $parent = $weir->pid('web');

sub figures () {
  my $status = WeirTest::Server::read_file("/proc/$parent/status");
  my ($data) = $status =~ /^RssAnon:\s+(\d+)/m;
  my ($shared) = $status =~ /^RssShmem:\s+(\d+)/m;
  my $maps = () = WeirTest::Server::read_file("/proc/$parent/maps") =~ /\n/g;
  my $descriptors = () = glob "/proc/$parent/fd/*";
  return { 'KiB of memory' => $data, 'KiB of shared memory' => $shared, mappings => $maps, descriptors => $descriptors };
}

# By how much y grows each time, by least squares.
sub slope (@y) {
  my ($n, $sx, $sy, $sxx, $sxy) = (scalar @y, 0, 0, 0, 0);
  for my $x (0 .. $#y) { $sx += $x; $sy += $y[$x]; $sxx += $x * $x; $sxy += $x * $y[$x] }
  return ($n * $sxy - $sx * $sy) / ($n * $sxx - $sx * $sx);
}

my @figures;
for my $round (1 .. $settling + $restarts) {
  my %old = map { $_ => 1 } $weir->reload;
  wait_for(sub { my @now = $weir->workers; @now == 1 && !$old{ $now[0] } && runs_with_writer($now[0]) })
    or fail("restart $round: one new child, and the old one gone");
  push @figures, figures() if $round > $settling;
}

# Its writer thread runs beside Apache's own.
sub runs_with_writer ($pid) { return scalar(() = glob "/proc/$pid/task/*") > 257 }

is scalar @figures, $restarts, "$restarts restarts";
for my $name (sort keys $figures[0]->%*) {
  my @y = map { $_->{$name} } @figures;
  my $slope = slope(@y);
  note sprintf '%s: %d at first, %d in the end, a slope of %.2f a restart', $name, $y[0], $y[-1], $slope;
  cmp_ok $slope, '<', $name =~ /KiB/ ? 4 : 0.1, "$name do not grow";
}
accepted post('/track', { event => 'leak', user_id => 'u' }), 1, 'and it works';

done_testing;
