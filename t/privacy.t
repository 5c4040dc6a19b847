# What Weir must never write down: an address, a body, a header, a key. Canaries are sent in every
# place where one could be kept, and then looked for in every log and every table.
use v5.36;
use FindBin;
use lib "$FindBin::Bin/lib";
use WeirTest;

my $weir = start(env => { WEIR_SPOOL_OPTIONS => 'off' });

my %header = (
  'User-Agent' => 'canary-agent', Cookie => 'session=canary-cookie', Referer => 'https://canary-referer.example/',
    'X-Forwarded-For' => '203.0.113.77',
  'X-Real-IP' => '198.51.100.88', Forwarded => 'for=192.0.2.99', Authorization => 'Bearer canary-bearer',
    'X-Weir-Key' => 'canary-key', 'Accept-Language' => 'canary-language',
);
my %event = (event => 'private', user_id => 'u1', properties => { secret => 'canary-property' });

accepted post('/track', \%event, %header), 1, 'an event with everything around it';
accepted post('/track?key=canary-query', \%event, %header), 1, 'a key in the query';
for my $body ('{"event":"canary-broken', '{"event":"canary-refused"}',
  '{"event":"e","user_id":"u","country":"canary-country"}', '["canary-list"]', "canary-bytes\xFF\0", '') {
  is post('/track', $body, %header)->{status}, 400, 'a refused body';
}
is post('/track', '{}', %header, 'Content-Type' => 'canary/type')->{status}, 415, 'a refused media type';
is post('/track', ' ' x (2 << 20), %header)->{status}, 413, 'a body that is too long';
is get('/track', %header)->{status}, 405, 'a wrong method';
is post('/crash', { user_id => 'u1', app_version => '1', crash_type => 'c', error_message => 'canary-message',
  stack_trace => 'canary-stack' }, %header)->{status}, 200, 'a crash';

$weir->signal(redis => 'KILL');
wait_for(sub { get('/health')->{status} == 503 });
is post('/track', \%event, %header)->{status}, 503, 'an event while Redis is away';
$weir->repair;
wait_for(sub { get('/health')->{status} == 200 });
my $gone = connection();
$gone->send_bytes("POST /track HTTP/1.1\r\nHost: weir\r\nContent-Length: 100\r\n\r\ncanary-cut");
$gone->close;
accepted post('/track', \%event, %header), 1, 'an event afterwards';
stored();

subtest 'no log holds a canary or an address' => sub {
  for my $path ($weir->log_files) {
    my ($name) = $path =~ m{([^/]+)\z};
    my $text = WeirTest::Server::read_file($path);
    unlike $text, qr/canary/, "$name: nothing of a request";
    unlike $text, qr/203\.0\.113\.77|198\.51\.100\.88|192\.0\.2\.99/, "$name: no forwarded address";
    unlike $text, qr/weir:.*127\.0\.0\.1|127\.0\.0\.1.*\bweir\b/, "$name: no client address in a line of Weir's"
      if $name =~ /web/;
  }
};

my @tables = map { $_->{relname} } rows("SELECT relname FROM pg_class WHERE relnamespace = 'weir'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition");

subtest 'no table holds what came beside the event' => sub {
  for my $table (@tables) {
    is db('postgres')->selectrow_array("SELECT count(*) FROM weir.$table t WHERE t::text ~ 'canary-(?!property|message|stack)'"), 0, "$table: no canary";
    is db('postgres')->selectrow_array("SELECT count(*) FROM weir.$table t WHERE t::text ~ '127\\.0\\.0\\.1|203\\.0\\.113|198\\.51\\.100|192\\.0\\.2\\.'"), 0, "$table: no address";
  }
  is value(q(SELECT count(*) FROM pg_attribute a JOIN pg_class c ON c.oid = attrelid WHERE relnamespace = 'weir'::regnamespace AND atttypid IN ('inet'::regtype, 'cidr'::regtype))), 0, 'no column is for one';
};

subtest 'what an event says is where it belongs' => sub {
  is value(q(SELECT count(*) FROM events WHERE properties->>'secret' = 'canary-property')), 3, 'its properties';
  is value(q(SELECT count(*) FROM crashes WHERE stack_trace = 'canary-stack')), 1, 'a stack trace';
};

done_testing;
