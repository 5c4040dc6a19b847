# A Redis that asks who is there: the least that docs/install-nginx.md grants is enough, a wrong
# password is 503 and one sentence in the log, and no log ever shows a password.
use v5.36;
use FindBin;
use lib "$FindBin::Bin/lib";
use WeirTest;
use File::Temp qw(tempfile);

my ($file, $path) = tempfile('weir-password-XXXXXX', TMPDIR => 1, UNLINK => 1);
print {$file} "canary-right\n";
close $file;

my $weir = start(
  workers => 1, locations => [ { path => '/track', what => 'track' } ],
  env => { WEIR_REDIS_OPTIONS => "user=weir_edge password_file=$path", WEIR_SPOOL_OPTIONS => "off" },
);
my $event = '{"event":"e","user_id":"u"}';

# Grants what the document grants, under a password of ours.
sub grant ($password) {
  my $page = WeirTest::Server::read_file(WeirTest::Server->root . '/docs/install-nginx.md');
  my ($rights) = $page =~ /^ACL SETUSER weir_edge\s+on >\S+ (.*)$/m or die "no ACL for weir_edge in the document\n";
  return redis()->acl('SETUSER', 'weir_edge', 'reset', 'on', ">$password", split ' ', $rights);
}

sub log_of_web { return WeirTest::Server::read_file("$weir->{run}/log/web.log") }

is post('/track', $event)->{status}, 503, 'a user that Redis does not know: 503';
ok wait_for(sub { log_of_web() =~ /AUTH/ }), 'and the log says why';

grant('canary-wrong');
is post('/track', $event)->{status}, 503, 'another password: 503';

grant('canary-right');
ok wait_for(sub { post('/track', $event)->{status} == 200 }), 'the right one: taken, without a reload';

redis()->acl('SETUSER', 'weir_edge', '-xadd');
redis()->client_kill('TYPE', 'normal', 'SKIPME', 'yes');
is post('/track', $event)->{status}, 503, 'a right taken away: 503' for 1 .. 3;
grant('canary-right');
ok wait_for(sub { post('/track', $event)->{status} == 200 }), 'given back: taken';

unlike log_of_web(), qr/canary/, 'no password is in the log';
stored();
is value('SELECT count(*) FROM events'), 2, 'what was taken is stored';

done_testing;
