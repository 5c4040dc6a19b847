# Reloads of the web server in mid-load: no request fails, old workers leave.
use v5.36;
use FindBin;
use lib "$FindBin::Bin/lib";
use WeirTest;
use WeirTest::Replacement;

my $weir = start(workers => 2);
begin_load($weir);

for my $round (1 .. 5) {
  my %old = map { $_ => 1 } $weir->reload;
  replaced([ keys %old ], sub { grep { !$old{$_} } $weir->workers }, "reload $round");
  requests_go_on("reload $round");
}

no_request_failed();
done_testing;
