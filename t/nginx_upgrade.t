# An upgrade of the binary of nginx in mid-load: no request fails, the old processes leave.
use v5.36;
use FindBin;
use lib "$FindBin::Bin/lib";
use WeirTest;
use WeirTest::Replacement;

my $weir = start(kind => 'nginx', workers => 2);
begin_load($weir);

# https://nginx.org/en/docs/control.html#upgrade, without WINCH, which a master that is no daemon does
# not take: QUIT ends its workers as gently.
my $master = $weir->pid('web');
my @old = $weir->workers;
my %known = map { $_ => 1 } @old;
$weir->signal(web => 'USR2');
my $new_master;
ok wait_for(sub {
  ($new_master) = grep { !$known{$_}
    && 2 == (() = WeirTest::Server::workers_of($_)) } WeirTest::Server::workers_of($master);
  $new_master;
}), 'upgrade: a new master with workers of its own';
requests_go_on('with two masters');
$weir->signal(web => 'QUIT');
replaced([ $master, @old ], sub { WeirTest::Server::workers_of($new_master) }, 'upgrade');
requests_go_on('after the upgrade');

no_request_failed();
done_testing;
