# Weir's directives among Apache's own: what is merged by directory, virtual hosts, and the modules that
# work on a request before and after Weir.
use v5.36;
use FindBin;
use lib "$FindBin::Bin/lib";
use WeirTest;
use Digest::SHA qw(sha1_base64);
use File::Temp qw(tempdir);
use IO::Compress::Gzip qw(gzip);
use MIME::Base64 qw(encode_base64);
use WeirTest::Web::apache;

my $dir = tempdir('weir-apache-XXXXXX', TMPDIR => 1, CLEANUP => 1);
chmod 0755, $dir or die "chmod: $!\n";
mkdir "$dir/$_" or die "mkdir: $!\n" for 'documents', 'documents/events';
WeirTest::Server::write_file("$dir/users", 'ada:{SHA}' . sha1_base64('secret') . "=\n");

my $modules = WeirTest::Web::apache::load(qw(alias auth_basic authn_core authn_file authz_user authz_host deflate env filter
  headers ratelimit remoteip reqtimeout));

# A Location with Weir, and lines of its own.
sub place ($path, @lines) { return join "\n", qq(<Location "$path">), 'SetHandler weir-track', @lines, '</Location>', '' }

my $weir = start(kind => 'apache', workers => 1, top => $modules . "RequestReadTimeout header=20 body=20\n",
  config => join '', <<END, map { place(@$_) } (
WeirLimit body=400 events=2
WeirCors https://outer.example
RemoteIPHeader X-Forwarded-For
RemoteIPInternalProxy 127.0.0.1
DocumentRoot "$dir/documents"
<Directory "$dir/documents/events">
    SetHandler weir-track
    WeirLimit events=6
</Directory>
<Location "/outer">
    WeirLimit events=4
</Location>
<Location "/health">
    SetHandler weir-health
</Location>
<VirtualHost *:*>
    ServerName first.example
</VirtualHost>
<VirtualHost *:*>
    ServerName second.example
    WeirLimit events=5
</VirtualHost>
END
  [ '/inherits' ],
  [ '/overrides', 'WeirLimit events=3', 'WeirCors https://inner.example' ],
  [ '/no-cors', 'WeirCors off' ],
  [ '/outer/inner' ],
  [ '/strict', 'WeirOptions strict' ],
  [ '/strict/not', 'WeirOptions off' ],
  [ '/smaller', 'WeirLimit body=2m', 'LimitRequestBody 1000' ],
  [ '/larger', 'LimitRequestBody 50000000' ],
  [ '/large', 'WeirLimit body=2m string=1k' ],
  [ '/denied', 'Require all denied' ],
  [ '/posts', '<LimitExcept POST>', 'Require all denied', '</LimitExcept>' ],
  [ '/from-afar', 'Require ip 192.0.2.7' ],
  [ '/private', 'AuthType Basic', 'AuthName "weir"', "AuthUserFile $dir/users", 'Require valid-user' ],
  [ '/gzipped', 'SetOutputFilter DEFLATE' ],
  [ '/inflated', 'SetInputFilter DEFLATE' ],
  [ '/slowed', 'SetOutputFilter RATE_LIMIT', 'SetEnv rate-limit 1' ],
  [ '/added', 'Header always set X-Added yes' ],
  [ '/expression', 'SetHandler "%{reqenv:NONE}weir-track"' ],
  [ '/no-handler', 'SetHandler "%{reqenv:NONE}weir-trak"' ],
));

my $event = '{"event":"e","user_id":"u"}';
my $stored = 0;

sub batch ($count) { return '[' . join(',', ($event) x $count) . ']' }
sub origin_of ($path, $origin) { ++$stored; return post($path, $event, Origin => $origin)->{headers}{'access-control-allow-origin'} }

sub takes ($answer, $count, $name) {
  local $Test::Builder::Level = $Test::Builder::Level + 1;
  $stored += $count;
  return accepted $answer, $count, $name;
}

# At most `count` events in a request there.
sub takes_at_most ($path, $count, %headers) {
  local $Test::Builder::Level = $Test::Builder::Level + 1;
  takes post($path, batch($count), %headers), $count, "$path: $count events";
  return fails_with post($path, batch($count + 1), %headers), 413, qr/"limit":"events","maximum":$count\b/, "$path: one more";
}

subtest 'limits are merged one by one' => sub {
  takes_at_most('/inherits', 2);
  takes_at_most('/overrides', 3);
  takes_at_most('/outer/inner', 4);
  fails_with post($_, ' ' x 401), 413, qr/"limit":"body","maximum":400\b/, "$_: the body's limit stays the outer one"
    for '/overrides', '/outer/inner';
};

subtest 'a Directory, and virtual hosts' => sub {
  takes_at_most('/events/any', 6);
  takes_at_most('/inherits', 2, Host => 'first.example');
  takes_at_most('/inherits', 5, Host => 'second.example');
  takes_at_most('/overrides', 3, Host => 'second.example');
};

subtest 'origins are replaced, not added to' => sub {
  is origin_of('/inherits', 'https://outer.example'), 'https://outer.example', 'inherited';
  is origin_of('/overrides', 'https://inner.example'), 'https://inner.example', 'its own';
  is origin_of('/overrides', 'https://outer.example'), undef, 'and no other';
  is origin_of('/no-cors', 'https://outer.example'), undef, 'off';
};

subtest 'options are replaced' => sub {
  refused post('/strict', '{"event":"e","user_id":"u","colour":"red"}'), 'colour', 'unknown_field', 'strict';
  takes post('/strict/not', '{"event":"e","user_id":"u","colour":"red"}'), 1, 'off again';
};

subtest 'LimitRequestBody counts where it is smaller, with Weir\'s answer' => sub {
  takes post('/smaller', $event . ' ' x (1000 - length $event)), 1, 'at it';
  fails_with post('/smaller', ' ' x 1001), 413, qr/"limit":"body","maximum":1000\b/, 'past it';
  fails_with raw("POST /smaller HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3e9\r\n" . ' ' x 1001 . "\r\n0\r\n\r\n"), 413,
    qr/"limit":"body","maximum":1000\b/, 'past it, in chunks';
  fails_with post('/larger', ' ' x 401), 413, qr/"limit":"body","maximum":400\b/, 'a larger one does not widen Weir\'s';
  takes post('/large', json({ event => 'e', user_id => 'u', properties => { filler => [ ('x' x 1000) x 1000 ] } })), 1, 'a mebibyte';
};

subtest 'who may send is Apache\'s to say' => sub {
  is post('/denied', $event)->{status}, 403, 'Require all denied';
  is get('/posts')->{status}, 403, 'LimitExcept: another method';
  takes post('/posts', $event), 1, 'LimitExcept: POST';
  is post('/private', $event)->{status}, 401, 'mod_auth_basic: nobody';
  is post('/private', $event, Authorization => 'Basic ' . encode_base64('ada:wrong', ''))->{status}, 401, 'mod_auth_basic: a wrong password';
  takes post('/private', $event, Authorization => 'Basic ' . encode_base64('ada:secret', '')), 1, 'mod_auth_basic: the right one';
  is post('/from-afar', $event)->{status}, 403, 'mod_remoteip: the proxy itself';
  takes post('/from-afar', $event, 'X-Forwarded-For' => '192.0.2.7'), 1, 'mod_remoteip: the client that the proxy names';
};

subtest 'a handler that an expression names' => sub {
  takes post('/expression', $event), 1, 'one that there is';
  is post('/no-handler', $event)->{status}, 500, 'one that there is not';
};

subtest 'filters' => sub {
  my $answer = post('/gzipped', $event, 'Accept-Encoding' => 'gzip');
  takes $answer, 1, 'mod_deflate on the way out: an answer';
  is_deeply [ @{ $answer->{headers} }{qw(content-encoding content-length)} ], [ undef, length $answer->{body} ], 'which is left alone';
  gzip \$event => \my $zipped;
  takes post('/inflated', $zipped, 'Content-Encoding' => 'gzip'), 1, 'mod_deflate on the way in: a body';
  takes post('/inflated', $event), 1, 'one that is not compressed';
  gzip \(' ' x 3_000) => \my $grows;
  fails_with post('/inflated', $grows, 'Content-Encoding' => 'gzip'), 413, qr/"limit":"body","maximum":400\b/, 'one that grows past the limit';
  takes post('/slowed', $event), 1, 'mod_ratelimit';
  $answer = post('/added', '{');
  is $answer->{headers}{'x-added'}, 'yes', 'mod_headers';
  fails_with $answer, 400, qr/Invalid JSON/, 'and Weir\'s own error';
};

stored();
is value('SELECT count(*) FROM events'), $stored, 'every accepted event is in the table';

done_testing;
