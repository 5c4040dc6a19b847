# Every way in which a body may come: compressed, unlabelled, in pieces, big, or not at all.
use v5.36;
use FindBin;
use lib "$FindBin::Bin/lib";
use WeirTest;
use Digest::MD5 qw(md5_hex);
use IO::Compress::Deflate qw(deflate);
use IO::Compress::Gzip qw(gzip);
use IO::Compress::RawDeflate qw(rawdeflate);

start(locations => [
  { path => '/track', what => 'track' },
  { path => '/on-disk', what => 'track', body_buffer => '1k' },
]);

my @sent;

# A request's body with one event, whose id is expected in the table at the end.
sub event ($name, %properties) {
  push @sent, uuid($name);
  return json({ event => 'body', user_id => 'u1', event_id => uuid($name),
    properties => { name => $name, %properties } });
}

sub zipped ($bytes, $how = \&gzip) { $how->(\$bytes => \my $out); return $out }

# An event of about that many bytes, in strings short enough to be kept, which compress two to one.
sub big_event ($name, $bytes) {
  my $digit = 0;
  return event($name, filler => [ map { join '', map { md5_hex(++$digit) } 1 .. 32 } 1 .. $bytes / 1027 ]);
}

subtest 'content codings' => sub {
  accepted post('/track', zipped(event('gzip')), 'Content-Encoding' => 'gzip'), 1, 'gzip';
  accepted post('/track', zipped(event('x-gzip')), 'Content-Encoding' => 'x-gzip'), 1, 'x-gzip is the same';
  accepted post('/track', zipped(event('GZIP')), 'Content-Encoding' => 'GZIP'), 1, 'in upper case';
  accepted post('/track', zipped(event('deflate'), \&deflate), 'Content-Encoding' => 'deflate'), 1, 'deflate';
  accepted post('/track', zipped(event('raw'), \&rawdeflate), 'Content-Encoding' => 'deflate'), 1,
    'deflate without its header';
  accepted post('/track', event('identity'), 'Content-Encoding' => 'identity'), 1, 'identity';
  accepted post('/track', zipped(event('sniffed'))), 1, 'gzip that nobody announced';
  accepted post('/track', zipped(event('sniffed text')), 'Content-Type' => 'text/plain'), 1, 'the same as text/plain';
  my $two = event('members');
  accepted post('/track', zipped(substr $two, 0, 20) . zipped(substr $two, 20), 'Content-Encoding' => 'gzip'), 1,
    'two gzip members are one body';
  accepted post('/track', zipped(big_event('big gzip', 200_000)), 'Content-Encoding' => 'gzip'), 1, 'a big one';
};

subtest 'broken compression is refused' => sub {
  my $whole = zipped('{"event":"e","user_id":"u"}');
  my %broken = (
    'cut off' => substr($whole, 0, -9), 'without its end' => substr($whole, 0, -1),
      'nothing but the magic' => "\x1f\x8b",
    'a wrong checksum' => substr($whole, 0, -8) . "\0" x 8, 'something behind it' => "${whole}junk",
      'no gzip at all' => '{"event":"e","user_id":"u"}',
    'empty' => '',
  );
  for my $name (sort keys %broken) {
    fails_with post('/track', $broken{$name}, 'Content-Encoding' => 'gzip'), 400, qr/Invalid JSON/, "gzip: $name";
    fails_with post('/track', $broken{$name}, 'Content-Encoding' => 'deflate'), 400, qr/Invalid JSON/, "deflate: $name";
  }
  fails_with post('/track', substr $whole, 0, -3), 400, qr/broken_compression/, 'sniffed gzip, cut off';
};

subtest 'a bomb is stopped early' => sub {
  my $bomb = zipped('{"event":"e","user_id":"u","x":"' . 'a' x 60_000_000 . '"}');
  my $before = time;
  fails_with post('/track', $bomb, 'Content-Encoding' => 'gzip'), 413, qr/"limit":"(?:ratio|inflated)"/, 'gzip';
  fails_with post('/track', $bomb), 413, qr/"limit":"(?:ratio|inflated)"/, 'unannounced';
  fails_with post('/track', zipped($bomb), 'Content-Encoding' => 'gzip'), 400, qr/Invalid JSON/,
    'gzip in gzip is not opened twice';
  cmp_ok time - $before, '<', 15, 'and soon';
};

subtest 'media types' => sub {
  my @taken = (
    'application/json', 'application/json; charset=utf-8', 'application/json;charset="UTF-8"', 'APPLICATION/JSON',
      'text/plain',
    'text/plain;charset=UTF-8', undef,
  );
  for my $type (@taken) {
    my $name = $type // 'none';
    accepted post('/track', event("type $name"), 'Content-Type' => $type), 1, $name;
  }
  my @refused = (
    'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x', 'application/xml', 'text/html',
      'application/octet-stream',
    'application/json; charset=iso-8859-1', 'image/png', 'nonsense', 'application/jsonp',
  );
  fails_with post('/track', '{"event":"e","user_id":"u"}', 'Content-Type' => $_), 415, qr/Content-Type/, $_
    for @refused;
  fails_with post('/track', '{"event":"e","user_id":"u"}', 'Content-Encoding' => $_), 415, qr/Content-Encoding/, $_
    for 'br', 'zstd', 'compress', 'gzip, gzip', 'gzip, br', 'nonsense';
  my $two = "POST /track HTTP/1.1\r\nHost: weir\r\nContent-Encoding: identity\r\nContent-Encoding: br\r\n"
    . "Content-Length: 2\r\n\r\n{}";
  fails_with raw($two), 415, qr/Content-Encoding/, 'two lines are one list';
};

# The framing of a chunked body, cut as told.
sub chunked (@pieces) { return join '', (map { sprintf "%x\r\n%s\r\n", length, $_ } @pieces), "0\r\n\r\n" }

sub chunked_head ($path = '/track') {
  return "POST $path HTTP/1.1\r\nHost: weir\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n";
}

subtest 'chunked bodies, in odd pieces' => sub {
  accepted raw(chunked_head() . chunked(event('one chunk'))), 1, 'one chunk';
  accepted raw(chunked_head() . chunked(split //, event('bytes'))), 1, 'a chunk for each byte';
  accepted raw(chunked_head() . chunked(event('odd') =~ /(.{1,7})/gs)), 1, 'chunks of seven bytes';
  accepted raw(chunked_head() . chunked(big_event('big chunks', 300_000) =~ /(.{1,5000})/gs)), 1,
    'three hundred thousand bytes';
  my $body = event('extension');
  accepted raw(chunked_head() . sprintf("%X;name=value\r\n%s\r\n000\r\n\r\n", length $body, $body)), 1,
    'a chunk with an extension';
  my $client = connection();
  $client->send_bytes($_) for chunked_head(), map { ($_, "") } split /(?<=\n)/,
    chunked(event('slowly') =~ /(.{1,11})/gs);
  accepted $client->read_answer, 1, 'each line in a packet of its own';
  accepted $client->request(POST => '/track', event('afterwards')), 1, 'the connection goes on';
};

subtest 'a chunked body over the limit' => sub {
  my $answer = eval { raw(chunked_head() . chunked('[' . ' ' x (1 << 20), ']')) };
  fails_with $answer, 413, qr/"limit":"body","maximum":1048576/, 'is refused by name';
};

subtest 'Expect: 100-continue' => sub {
  my $client = connection();
  my $body = event('expected');
  my %headers = ('Content-Type' => 'application/json', Expect => '100-continue', 'Content-Length' => length $body);
  $client->send_bytes($client->format_request(POST => '/track', '', %headers));
  is $client->read_answer->{status}, 100, 'the server asks for the body';
  $client->send_bytes($body);
  accepted $client->read_answer, 1, 'and takes it';

  $client->send_bytes($client->format_request(POST => '/track', '', %headers, 'Content-Length' => 2 << 20));
  fails_with $client->read_answer, 413, qr/"limit":"body"/, 'a body over the limit is refused without asking for it';
};

subtest 'an announced length over the limit is refused before the body is there' => sub {
  my $client = connection();
  $client->send_bytes("POST /track HTTP/1.1\r\nHost: weir\r\nContent-Type: application/json\r\nContent-Length: 1048577\r\n\r\n");
  fails_with $client->read_answer, 413, qr/"limit":"body","maximum":1048576/, 'at once';
  fails_with raw("POST /track HTTP/1.1\r\nHost: weir\r\nContent-Length: 99999999999\r\n\r\n"), 413,
    qr/"limit":"body"/, 'a hundred gigabytes too';
};

subtest 'a request written byte by byte' => sub {
  my $client = connection();
  $client->send_bytes($_) for split //,
    $client->format_request(POST => '/track', event('byte by byte'), 'Content-Type' => 'application/json');
  accepted $client->read_answer, 1, 'is taken';
};

subtest 'big bodies, and bodies that do not fit the server\'s buffer' => sub {
  accepted post('/track', big_event('big', 900_000)), 1, 'nearly a mebibyte';
  accepted post('/on-disk', big_event('on disk', 900_000)), 1, 'the same over a small buffer';
  accepted post('/on-disk', zipped(big_event('zipped on disk', 900_000)), 'Content-Encoding' => 'gzip'), 1,
    'compressed';
  accepted raw(chunked_head('/on-disk') . chunked(big_event('chunked on disk', 500_000) =~ /(.{1,3000})/gs)), 1,
    'chunked';
  accepted post('/on-disk', event('small')), 1, 'a small one';
};

my @sizes = (2_100, 12_400, 31_000, 62_700, 66_800);
subtest 'bodies in two pieces or some more' => sub {
  accepted post('/track', big_event("of $_", $_)), 1, "$_ bytes" for @sizes;
};

subtest 'no body' => sub {
  fails_with post('/track', ''), 400, qr/"reason":"empty_body"/, 'of length 0';
  fails_with raw("POST /track HTTP/1.1\r\nHost: weir\r\n\r\n"), 400, qr/"reason":"empty_body"/, 'without a length';
  fails_with raw(chunked_head() . chunked()), 400, qr/"reason":"empty_body"/, 'without a chunk';
};

stored();
is value('SELECT count(*) FROM events'), scalar @sent,
  'every event that was answered 200 is in the table, and nothing else';
is value('SELECT count(*) FROM events WHERE event_id = ANY(?)', \@sent), scalar @sent, 'by its id';
is value(q(SELECT length(string_agg(f, '')) FROM events, jsonb_array_elements_text(properties->'filler') f WHERE properties->>'name' = 'on disk')),
  1024 * int(900_000 / 1027), 'a body from disk is whole';

is value(q(SELECT length(string_agg(f, '')) FROM events, jsonb_array_elements_text(properties->'filler') f WHERE properties->>'name' = ?),
  "of $_"), 1024 * int($_ / 1027), "a body of $_ bytes is whole" for @sizes;

done_testing;
