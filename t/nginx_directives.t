# Weir's directives among nginx's own: what is inherited, and what nginx does before Weir answers.
use v5.36;
use FindBin;
use lib "$FindBin::Bin/lib";
use WeirTest;

my $weir = start(kind => 'nginx', workers => 1, config => <<'END');
weir_limit body=400 events=2;
weir_cors https://outer.example;

location = /inherits  { weir track; }
location = /overrides { weir track; weir_limit events=3; weir_cors https://inner.example; }
location = /no-cors   { weir track; weir_cors off; }
location = /nested    { weir track; if ($arg_x) { add_header X-If yes; } }
location /outer/ {
    weir_limit events=4;
    location = /outer/inner { weir track; }
}
location = /smaller   { weir track; weir_limit body=2m; client_max_body_size 1000; }
location = /larger    { weir track; client_max_body_size 50m; }
location = /unlimited { weir track; weir_limit body=3m; client_max_body_size 0; }
location = /in-memory { weir track; weir_limit body=2m string=1k; client_body_in_file_only on; client_body_buffer_size 1k; }
location = /mirrored  { weir track; weir_limit body=2m string=1k; client_body_buffer_size 1k; mirror /copy; }
location = /copy      { internal; return 204; }
location = /denied    { weir track; deny all; }
location = /posts     { weir track; limit_except POST { deny all; } }
location = /gzipped   { weir track; gzip on; gzip_types application/json; gzip_min_length 1; }
location = /added     { weir track; add_header X-Added yes always; }
location = /rewritten { rewrite ^ /inherits last; }
location = /internal  { internal; weir track; }
location = /health    { weir health; }
location = /page      { error_page 405 = /inherits; weir track; }
END

my $event = '{"event":"e","user_id":"u"}';

sub batch ($count) { return '[' . join(',', ($event) x $count) . ']' }
sub origin_of ($path,
  $origin) { return post($path, $event, Origin => $origin)->{headers}{'access-control-allow-origin'} }

# At most `count` events in a request there.
sub takes_at_most ($path, $count) {
  local $Test::Builder::Level = $Test::Builder::Level + 1;
  accepted post($path, batch($count)), $count, "$path: $count events";
  return fails_with post($path, batch($count + 1)), 413, qr/"limit":"events","maximum":$count\b/, "$path: one more";
}

subtest 'limits are inherited one by one' => sub {
  takes_at_most('/inherits', 2);
  takes_at_most('/overrides', 3);
  takes_at_most('/outer/inner', 4);
  takes_at_most('/nested', 2);
  takes_at_most('/nested?x=1', 2);
  fails_with post($_, ' ' x 401), 413, qr/"limit":"body","maximum":400\b/, "$_: the body's limit stays the outer one"
    for '/overrides', '/outer/inner';
};

subtest 'origins are replaced, not added to' => sub {
  is origin_of('/inherits', 'https://outer.example'), 'https://outer.example', 'inherited';
  is origin_of('/overrides', 'https://inner.example'), 'https://inner.example', 'its own';
  is origin_of('/overrides', 'https://outer.example'), undef, 'and no other';
  is origin_of('/no-cors', 'https://outer.example'), undef, 'off';
};

subtest 'client_max_body_size counts where it is set and smaller, with Weir\'s answer' => sub {
  accepted post('/smaller', $event . ' ' x (1000 - length $event)), 1, 'at it';
  fails_with post('/smaller', ' ' x 1001), 413, qr/"limit":"body","maximum":1000\b/, 'past it';
  fails_with post('/larger', ' ' x 401), 413, qr/"limit":"body","maximum":400\b/, 'a larger one does not widen Weir\'s';
  accepted post('/unlimited', $event . ' ' x (2 << 20)), 1, 'nginx\'s default of 1m does not narrow Weir\'s';
};

subtest 'a body goes to memory, whatever nginx is told' => sub {
  my $filler = json({ event => 'e', user_id => 'u', properties => { filler => [ ('x' x 1000) x 1000 ] } });
  accepted post('/in-memory', $filler), 1, 'a mebibyte';
};

# nginx reads the body for `mirror` before Weir is asked, and in its own way.
subtest 'a body that another module had read into a file is taken from there' => sub {
  my $filler = json({ event => 'e', user_id => 'u', properties => { filler => [ ('x' x 1000) x 1000 ] } });
  accepted post('/mirrored', $filler), 1, 'a mebibyte';
  accepted post('/mirrored', $event), 1, 'a small one';
  my $log = WeirTest::Server::read_file("$weir->{run}/log/web.log");
  like $log, qr/body is buffered to a temporary file.*mirrored/, 'it was in a file';
  fails_with post('/mirrored', ' ' x (2 << 20) . ' '), 413, qr/"limit":"body","maximum":2097152\b/, 'past the limit';
};

subtest 'what nginx does before an answer' => sub {
  is post('/denied', $event)->{status}, 403, 'deny';
  is get('/posts')->{status}, 403, 'limit_except: another method';
  accepted post('/posts', $event), 1, 'limit_except: POST';
  accepted post('/rewritten', $event), 1, 'rewrite';
  is post('/internal', $event)->{status}, 404, 'internal';
  is post('/added', '{')->{headers}{'x-added'}, 'yes', 'add_header';
  my $answer = post('/gzipped', $event, 'Accept-Encoding' => 'gzip');
  is_deeply [ @{ $answer->{headers} }{qw(content-encoding content-length)} ], [ undef, length $answer->{body} ],
    'gzip leaves an answer of 30 bytes alone';
};

stored();
is value('SELECT count(*) FROM events'), 2 + 3 + 4 + 2 + 2 + 4 + 2 + 1 + 2 + 2 + 1, 'every accepted event is in the table';

done_testing;
