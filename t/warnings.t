# What the web server's workers say of Redis: once for all of them where all find the same, each for itself
# where each has its own.
use v5.36;
use FindBin;
use lib "$FindBin::Bin/lib";
use WeirTest;

my $workers = 3;
my $weir = start(workers => $workers, env => { WEIR_REDIS_FSYNC => 'no' });

sub lines ($pattern) {
  return grep { $_ =~ $pattern } split /\n/, $weir->web_log;
}

my ($warn, $notice, $error) = map { $weir->adapter->level($_) } qw(warn notice error);
my $unsafe = qr/$warn.*EVENTS CAN BE LOST: Redis has appendfsync no\b/;
my $ready = qr/$notice.*weir keeps its records in Redis/;
my $lost = qr/$error.*weir has no Redis at/;

ok wait_for(sub { $workers == lines($ready) }), 'every worker says that Redis is ready';
is scalar(lines($unsafe)), 1, 'one of them says that its settings are unsafe';

my @old = $weir->reload;
ok wait_for(sub { 2 * $workers == lines($ready) }), 'a reload: new workers';
ok wait_for(sub { !grep { WeirTest::Server::runs($_) } @old }), 'the old ones leave';
is scalar(lines($unsafe)), 2, 'it is said again';

$weir->signal(redis => 'KILL');
ok wait_for(sub { $workers == lines($lost) }), 'every worker says that it has lost Redis';
$weir->repair;
ok wait_for(sub { 3 * $workers == lines($ready) }), 'and that Redis is back';
is scalar(lines($lost)), $workers, 'the tries in between are not told one by one';
is scalar(lines($unsafe)), 2, 'nor are its settings, which are the same';

done_testing;
