# The rate limit of the example configuration: 429 in JSON with Retry-After, and nothing of it is stored.
use v5.36;
use FindBin;
use lib "$FindBin::Bin/lib";
use WeirTest;

# The file itself, but for its listen lines and the numbers.
my $example = WeirTest::Server::read_file(WeirTest::Server->root . '/conf/weir.nginx.conf');
my ($zone) = $example =~ /^(limit_req_zone .*;)$/m;
my ($inside) = $example =~ /^server \{\n(.*)^\}/ms;
ok $zone =~ s/rate=\S+;/rate=1r\/m;/ && $inside =~ s/burst=\d+/burst=2/ && $inside =~ s/^\s*(?:listen|server_name) .*\n//mg,
  'the example limits the rate';

start(kind => 'nginx', config => $inside, top => "$zone\n");

# Whoever started Weir asked for /health, and that counted.
my @answers = map { post('/track', { event => 'rate', user_id => 'u' }) } 1 .. 10;
my @taken = grep { $_->{status} == 200 } @answers;
my @limited = grep { $_->{status} == 429 } @answers;
is @taken + @limited, @answers, 'each is taken or limited';
cmp_ok scalar @limited, '>=', 7, 'those over the limit get 429';
for my $answer (@limited) {
  fails_with $answer, 429, qr/Too many requests/, 'in JSON';
  like $answer->{headers}{'retry-after'}, qr/\A[1-9]\d*\z/, 'with Retry-After';
  is_deeply [ @{ $answer->{headers} }{qw(content-type content-length)} ], [ 'application/json', length $answer->{body} ],
    'and what every answer has';
}
stored();
is value('SELECT count(*) FROM events'), scalar @taken, 'only what was taken is stored';

done_testing;
