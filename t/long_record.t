# A record that takes longer to Redis than an answer may: it gets there all the same, and is counted once.
use v5.36;
use FindBin;
use lib "$FindBin::Bin/lib";
use WeirTest;
use Weir::SlowWay;

my $limits = { body => '8m', inflated => '8m', string => '8m' };
my $weir = prepare(locations => [ { path => '/track', what => 'track', limits => $limits }, { path => '/health', what => 'health' } ],
  env => { WEIR_REDIS_OPTIONS => 'timeout=1s' });
my ($status, $said) = $weir->tool('up redis');
is $status, 0, 'Redis is started' or diag $said;
$weir->{env}{WEIR_REDIS_VIA} = "$weir->{run}/slow.sock";
my $way = Weir::SlowWay->start($weir->{env}{WEIR_REDIS_VIA}, $weir->setting('REDIS_SOCKET'), requests => 1_500_000);
$weir->up;

# Three seconds of the way.
my $text = 'x' x 4_500_000;
accepted post('/track', { event => 'long', user_id => 'u', properties => { text => $text } }), 1, 'a long record is taken';
accepted post('/track', { event => 'short', user_id => 'u' }), 1, 'and one behind it';
ok eval { stored() }, 'both get to PostgreSQL' or diag $@;
is_deeply [ map { "$_->{event} $_->{length}" } rows(q{SELECT event, coalesce(length(properties->>'text'), 0) AS length FROM events ORDER BY event}) ],
  [ 'long ' . length $text, 'short 0' ], 'once each, and whole';
is value('SELECT sum(events) FROM user_days'), 2, 'the daily figures count each once';

done_testing;
$way->end;
