# weir-api: what it answers, and what it refuses; that a viewer sees his tenants and no other's, whatever he
# asks; and that the OpenAPI document says what is so.
use v5.36;
use FindBin;
use lib "$FindBin::Bin/lib";

use JSON::XS ();
use Test::More;

use Weir::ApiTest;

database_ready();
my $api = api();
wait_until('PostgreSQL is there', 60, sub { ask($api, '/health')->{status} == 200 });

subtest 'a figure' => sub {
  my $answer = ask($api, '/v1/daily?from=2026-11-01&to=2026-11-03');
  is $answer->{status}, 200, 'is answered' or diag $answer->{body};
  is $answer->{headers}{'content-type'}, 'application/json', 'as JSON';
  is_deeply [ $answer->{json}->@{qw(tenant from to zone)} ], [qw(acme 2026-11-01 2026-11-03 UTC)], 'with its window';
  like $answer->{json}{as_of}, qr/\A20\d\d-\d\d-\d\dT/, 'up to when it counts';
  ok $answer->{json}{exact} && !exists $answer->{json}{incomplete}, 'and that nothing is missing';
  is_deeply [ map { [ $_->@{qw(date active_users total_users)} ] } $answer->{json}{days}->@* ],
    [ [ '2026-11-01', 5, 5 ], [ '2026-11-02', 5, 10 ], [ '2026-11-03', 5, 15 ] ], 'and the days in it';
  is ask($api, '/v1/daily?from=2020-01-01&to=2020-01-02')->{body} =~ s/\s//gr =~ /"days":\[\]/, 1, 'a window with nothing in it';
};

subtest 'what is not given' => sub {
  my ($today, $before) = database()->selectrow_array(q{SELECT d, d - 29 FROM (SELECT (now() AT TIME ZONE 'UTC')::date) AS t (d)});
  is_deeply [ ask($api, '/v1/daily')->{json}->@{qw(tenant from to)} ], [ 'acme', $before, $today ], 'the only tenant, and the last 30 days';
  is ask($api, '/v1/daily?to=2026-11-30')->{json}{from}, '2026-11-01', 'a window that ends, begins 29 days before';
  is ask($api, '/v1/daily?from=2026-11-01')->{json}{to}, $today, 'one that begins, ends today';
  is ask($api, '/v1/daily', viewer => 'root')->{json}{tenant}, 'default', 'who sees all, sees the tenant of those without keys';
  is ask($api, '/v1/daily', viewer => 'head')->{json}{tenant}, 'default', 'be one of them named, too';
  problem_is(ask($api, '/v1/daily', viewer => 'both'), 400, 'bad_parameter', 'who sees several has to choose', parameter => 'tenant');
};

subtest 'CSV' => sub {
  my $answer = ask($api, '/v1/daily?from=2026-11-01&to=2026-11-02&format=csv');
  is $answer->{status}, 200, 'is answered';
  like $answer->{headers}{'content-type'}, qr{\Atext/csv;}, 'as CSV';
  my @lines = split /\r\n/, $answer->{body};
  is $lines[0], 'date,total_users,active_users,new_users,total_recordings,total_minutes,total_cost_usd,crash_count,crash_rate', 'with names';
  is_deeply [ map { [ split /,/ ] } @lines[ 1, 2 ] ], [ [qw(2026-11-01 5 5 5 0 0.000 0.000000 0 0.000000)], [qw(2026-11-02 10 5 5 0 0.000 0.000000 0 0.000000)] ], 'and rows';
  is ask($api, '/v1/daily?from=2020-01-01&to=2020-01-02&format=csv')->{body}, "$lines[0]\r\n", 'no rows are a line of names';
  my $old = client($api)->send_bytes("GET /v1/daily?format=csv HTTP/1.0\r\nX-Weir-Viewer: ada\r\n\r\n")->read_answer('GET');
  problem_is($old, 505, 'http_1_1_needed', 'HTTP/1.0 could not tell a whole one from half of it');
};

subtest 'entity tags' => sub {
  for my $path ('/v1/daily?to=2026-11-09', '/v1/daily?to=2026-11-09&format=csv') {
    my $first = ask($api, $path);
    my $tag = $first->{headers}{etag};
    like $tag, qr/\A"[0-9a-f]{32}"\z/, 'a strong tag';
    for my $same ($tag, "\"x\", $tag", "W/$tag", '*') {
      my $again = ask($api, $path, headers => { 'If-None-Match' => $same });
      is $again->{status}, 304, "$same: not modified";
      is $again->{body}, '', 'without a body';
      is $again->{headers}{etag}, $tag, 'with the tag';
    }
    is ask($api, $path, headers => { 'If-None-Match' => '"other"' })->{status}, 200, 'another tag: the whole';
  }
};

subtest 'HEAD' => sub {
  my ($whole, $head) = map { ask($api, '/v1/daily?to=2026-11-09', method => $_) } qw(GET HEAD);
  is $head->{status}, 200, 'is answered';
  is $head->{body}, '', 'without a body';
  is $head->{headers}{$_}, $whole->{headers}{$_}, "the same $_" for qw(content-length etag content-type);
};

# [path, status, reason, parameter]
my @refused = (
  [ '/v1/daily?from=2026-02-29',                400, 'bad_parameter',     'from' ],
  [ '/v1/daily?from=',                          400, 'bad_parameter',     'from' ],
  [ '/v1/daily?from=yesterday',                 400, 'bad_parameter',     'from' ],
  [ '/v1/daily?from=1969-12-31',                400, 'bad_parameter',     'from' ],
  [ '/v1/daily?to=3000-01-01',                  400, 'bad_parameter',     'to' ],
  [ '/v1/daily?from=2026-11-02&to=2026-11-01',  400, 'bad_parameter',     'from' ],
  [ '/v1/daily?from=2020-01-01&to=2023-01-06',  400, 'bad_parameter',     'from' ],
  [ '/v1/daily?from=2020-01-01',                400, 'bad_parameter',     'from' ],
  [ '/v1/daily?from=2999-01-01',                400, 'bad_parameter',     'from' ],
  [ '/v1/users?from=2999-01-01&to=2999-01-03',  400, 'bad_parameter',     'from' ],
  [ '/v1/users?to=2999-01-03',                  400, 'bad_parameter',     'to' ],
  [ '/v1/daily?to=2026-11-01&to=2026-11-01',    400, 'bad_parameter',     'to' ],
  [ '/v1/daily?tenant=',                        400, 'bad_parameter',     'tenant' ],
  [ '/v1/daily?tenant=' . 'x' x 201,            400, 'bad_parameter',     'tenant' ],
  [ '/v1/daily?format=xml',                     400, 'bad_parameter',     'format' ],
  [ '/v1/daily?frm=2026-11-01',                 400, 'unknown_parameter', 'frm' ],
  [ '/v1/daily?viewer=root',                    400, 'unknown_parameter', 'viewer' ],
  [ '/v1/daily?%3Cscript%3E=1',                 400, 'unknown_parameter', undef ],
  [ '/health?x=1',                              400, 'unknown_parameter', 'x' ],
  [ '/v1/daily?tenant=%00',                     400, 'bad_target',        undef ],
  [ '/v1/daily?tenant=%C3%28',                  400, 'bad_target',        undef ],
  [ '/v1/daily?tenant=%2',                      400, 'bad_target',        undef ],
  [ '/v1/daily?tenant=%C2%85',                  400, 'bad_target',        undef ],
  [ '/v1/daily?' . join('&', ('a=1') x 33),     400, 'bad_target',        undef ],
  [ 'v1/daily',                                 400, undef,               undef ],
  [ '/v1/dail',                                 404, 'no_such_path',      undef ],
  [ '/v1/daily/',                               404, 'no_such_path',      undef ],
  [ '/v1/%64aily',                              404, 'no_such_path',      undef ],
  [ '/../v1/daily',                             404, 'no_such_path',      undef ],
  [ '/',                                        404, 'no_such_path',      undef ],
  [ '/v1/daily?tenant=' . 'x' x 4100,           414, 'target_too_long',   undef ],
  [ '/v1/daily?tenant=' . 'x' x 20_000,         414, 'target_too_long',   undef ],
  [ '/v1/daily?tenant=globex',                  403, 'forbidden',         undef ],
  [ '/v1/daily?tenant=nowhere',                 403, 'forbidden',         undef ],
  [ '/v1/daily?tenant=*',                       403, 'forbidden',         undef ],
);

subtest 'what is refused, and why' => sub {
  for my $case (@refused) {
    my ($path, $status, $reason, $parameter) = @$case;
    my $answer = ask($api, $path);
    my $name = length $path > 60 ? substr($path, 0, 60) . '…' : $path;
    problem_is($answer, $status, $reason // 'bad_target', $name, parameter => $parameter) if defined $reason;
    is $answer->{status}, $status, $name unless defined $reason;
  }
  is ask($api, '/v1/daily?tenant=globex')->{body}, ask($api, '/v1/daily?tenant=nowhere')->{body}, 'nobody learns which tenants there are';
  for my $method (qw(POST PUT DELETE OPTIONS PATCH TRACE)) {
    my $answer = client($api)->request($method, '/v1/daily', undef, 'X-Weir-Viewer' => 'ada');
    problem_is($answer, 405, 'method_not_allowed', $method);
    is $answer->{headers}{allow}, 'GET, HEAD', "$method: Allow";
  }
  problem_is(client($api)->request(GET => '/v1/daily', 'body', 'X-Weir-Viewer' => 'ada'), 413, 'body_too_large', 'a body');
  problem_is(client($api)->request(GET => '/v1/daily', undef, 'X-Long' => 'x' x 17_000), 431, 'header_too_long', 'a long header');
  my $answer = client($api)->send_bytes("tell me something\r\n\r\n")->read_answer('GET');
  problem_is($answer, 400, 'bad_request', 'no HTTP');
};

# Who closes a socket with something unread in it fails the other side's write, and so its look at the answer.
subtest 'what is refused before it was read whole is read to its end' => sub {
  for my $case ([ 900_000, 413, 'body_too_large', '/v1/daily', 'X-A' => 'x' ], [ 900_000, 414, 'target_too_long', '/' . 'x' x 20_000 ],
    [ 900_000, 431, 'header_too_long', '/v1/daily', 'X-Long' => 'x' x 40_000 ]) {
    my ($bytes, $status, $reason, $path, @headers) = @$case;
    my $client = client($api);
    $client->send_bytes($client->format_request(GET => $path, 'x' x $bytes, 'X-Weir-Viewer' => 'ada', @headers));
    problem_is($client->read_answer('GET'), $status, $reason, "$reason, with $bytes bytes behind it");
  }
  my $client = client($api, timeout => 60);
  $client->send_bytes("GET /v1/daily HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\n\r\n");
  my $socket = $client->open_socket;
  my $answer = '';
  1 while sysread $socket, $answer, 1 << 16, length $answer;
  like $answer, qr{\AHTTP/1.1 413 .*"body_too_large"}s, 'the answer comes first, and that it was all';
  my $sent = 0;
  local $SIG{PIPE} = 'IGNORE';
  while ($sent < 64 << 20) { $sent += (syswrite($socket, 'x' x 65536) || last) }
  cmp_ok $sent, '>=', 4 << 20, 'what is said behind it is taken';
  cmp_ok $sent, '<', 8 << 20, 'but not for ever';
};

subtest 'who the viewer is' => sub {
  my $twice = client($api)->send_bytes("GET /v1/daily HTTP/1.1\r\nHost: x\r\nX-Weir-Viewer: ada\r\nX-Weir-Viewer: root\r\n\r\n")->read_answer('GET');
  problem_is($twice, 401, 'no_viewer', 'two names are none');
  problem_is(client($api)->request(GET => '/v1/daily'), 401, 'no_viewer', 'no name');
  problem_is(ask($api, '/v1/daily', viewer => ''), 401, 'no_viewer', 'an empty name');
  problem_is(ask($api, '/v1/daily', viewer => 'x' x 129), 401, 'no_viewer', 'a long name');
  problem_is(ask($api, '/v1/daily', viewer => "\xC3\x28"), 401, 'no_viewer', 'a name that is no UTF-8');
  problem_is(ask($api, '/v1/daily', viewer => $_), 403, 'forbidden', "unknown: $_") for 'nobody', '*', 'ADA', "ada' OR 1=1--";
  is ask($api, '/health', viewer => '')->{status}, 200, '/health needs none';
};

# Nothing of globex, whose days have two users each, by any name or twist.
subtest 'a viewer of one tenant sees no other' => sub {
  my @twists = ('globex', 'globex%20', '%20globex', 'GLOBEX', 'acme,globex', 'acme%0Aglobex', "acme'%20OR%20tenant_id='globex", '*', '%', '_', 'acme%7Cglobex', '{acme,globex}', 'globex--', 'acme&tenant=globex', 'acme&tenant[]=globex', 'acme&Tenant=globex', 'acme&viewer=root', 'acme;tenant=globex', 'acme%26tenant=globex');
  for my $twist (@twists) {
    my $answer = ask($api, "/v1/daily?to=2026-11-10&tenant=$twist");
    ok $answer->{status} =~ /\A4/, "$twist: $answer->{status}" or diag $answer->{body};
    unlike $answer->{body}, qr/"active_users":2\b/, 'and no figure';
  }
  is ask($api, '/v1/daily?to=2026-11-10&tenant=globex', viewer => 'bob')->{json}{days}[0]{active_users}, 2, 'bob sees it';
  is ask($api, '/v1/daily?to=2026-11-10&tenant=globex')->{status}, 403, 'and ada not what was kept for bob';
  is ask($api, '/v1/daily?to=2026-11-10&tenant=globex', headers => { 'If-None-Match' => '*' })->{status}, 403, 'nor whether it changed';
};

subtest 'the database says no, too' => sub {
  my $db = private()->connect('weir', 'weir_api');
  for my $statement ('SELECT * FROM weir.viewers', 'SELECT * FROM weir.user_stats', 'SELECT * FROM weir.events', q{SELECT weir.viewed_tenant('root', 'acme')},
    q{SELECT weir_api.daily('ada', 'globex', NULL, NULL)}, q{SELECT * FROM weir_api.daily_rows('ada', 'globex', NULL, NULL)}, q{SELECT weir_api.daily(NULL, 'globex', NULL, NULL)}, q{SELECT weir_api.daily('ada', NULL, NULL, NULL)},
    q{INSERT INTO weir.viewers VALUES ('*', 'ada')}, 'CREATE TABLE public.mine ()', 'CREATE TEMPORARY TABLE mine ()') {
    ok !eval { $db->do($statement); 1 }, "refused: $statement";
  }
  is $db->selectrow_array(q{SELECT weir_api.daily('ada', 'acme', NULL, NULL) ->> 'tenant'}), 'acme', 'what ada may see';
};

subtest 'SQL in a parameter is data' => sub {
  my @bites = ("'", "';DROP TABLE weir.viewers;--", '$1', '$$', '\\', '"', "x'); SELECT pg_sleep(9);--", 'E\'\\x00\'', '{}', '%s', '0x7f');
  for my $bite (@bites) {
    my $escaped = escaped($bite);
    my $answer = ask($api, "/v1/daily?tenant=$escaped", viewer => 'root');
    is $answer->{status}, 200, "tenant $bite is one of whom nothing is known";
    is $answer->{json}{tenant}, $bite, 'by that name';
    is ask($api, "/v1/daily?$_=$escaped", viewer => 'root')->{status}, 400, "$_=$bite is none" for qw(from to format);
  }
  is database()->selectrow_array('SELECT count(*) FROM weir.viewers'), 7, 'and nothing happened to the tables';
};

subtest 'a permission is gone a second after it was taken away' => sub {
  is ask($api, '/v1/daily', viewer => 'bob')->{status}, 200, 'bob sees globex';
  database()->do(q{DELETE FROM weir.viewers WHERE viewer = 'bob'});
  ok wait_until('bob is refused', 60, sub { ask($api, '/v1/daily', viewer => 'bob')->{status} == 403 }), 'and then not';
  database()->do(q{INSERT INTO weir.viewers (viewer, tenant_id) VALUES ('bob', 'globex')});
};

subtest 'connections are kept, and requests behind one another are answered in order' => sub {
  my $client = client($api);
  my $one = $client->format_request(GET => '/v1/daily?to=2026-11-01', undef, 'X-Weir-Viewer' => 'ada');
  my $two = $client->format_request(GET => '/v1/daily?to=2026-11-02', undef, 'X-Weir-Viewer' => 'ada');
  $client->send_bytes($one . $two . $one);
  is_deeply [ map { $client->read_answer('GET')->{json}{to} } 1 .. 3 ], [qw(2026-11-01 2026-11-02 2026-11-01)], 'three over one';
};

# The document against the server: every path, parameter and problem.
subtest 'the OpenAPI document' => sub {
  my $document = ask($api, '/v1/openapi.json', viewer => '')->{json};
  is $document->{openapi}, '3.1.0', 'is one of OpenAPI 3.1';
  for my $path (sort keys $document->{paths}->%*) {
    my $get = $document->{paths}{$path}{get};
    my $asked = $path . asked_of($get->{parameters});
    my $answer = ask($api, $asked);
    is $answer->{status}, 200, "$path answers" or diag $answer->{body};
    my ($type) = $answer->{headers}{'content-type'} =~ /\A([^;]+)/;
    ok $get->{responses}{200}{content}{$type}, "$path: $type is said";
    ok $get->{responses}{$_}, "$path: $_ is said" for qw(400 405);
    is ask($api, "$path?surely_unknown=1")->{status}, 400, "$path: 400 is so";
    is client($api)->request(POST => $path)->{status}, 405, "$path: 405 is so";
    my $secured = !$get->{security} || $get->{security}->@*;
    ok !$secured || $get->{responses}{$_}, "$path: $_ is said" for qw(401 403 413 414 431 500 503 504 505);
    is client($api)->request(GET => $asked)->{status}, $secured ? 401 : 200, "$path: " . ($secured ? 'for viewers' : 'for all');
    check_parameter($path, $_, $get->{parameters}) for ($get->{parameters} // [])->@*;
  }
  my $said = $document->{components}{responses};
  ok $said->{$_}, "$_ is described" for qw(400 401 403 405 413 414 431 500 503 504 505);
};

# What has to be given, by its example, but for one of them.
sub asked_of ($parameters, $but = '') {
  return join '', '?', map { "$_->{name}=" . escaped($_->{example}) . '&' } grep { $_->{required} && $_->{name} ne $but } ($parameters // [])->@*;
}

sub escaped ($text) { return $text =~ s/([^A-Za-z0-9])/sprintf '%%%02X', ord $1/ger }

sub check_parameter ($path, $parameter, $all) {
  my ($name, $schema) = $parameter->@{qw(name schema)};
  return check_tables($path . asked_of($all), $parameter->{description}) if $name eq 'table';
  my ($good, $bad) = $parameter->{example} ? ([ escaped($parameter->{example}) ], [ '', 'x' x ($schema->{maxLength} + 1) ]) : values_for($schema, $name);
  my $asked = $path . asked_of($all, $name);
  is ask($api, "$asked$name=$_")->{status}, 200, "$path: $name=$_" for @$good;
  is_deeply [ ask($api, $asked)->{status}, ask($api, $asked)->{json}{parameter} ], [ 400, $name ], "$path: not without $name" if $parameter->{required};
  for my $value (@$bad) {
    my $answer = ask($api, "$asked$name=$value");
    is_deeply [ $answer->{status}, $answer->{json}{parameter} ], [ 400, $name ], "$path: not $name=" . substr $value, 0, 20;
  }
  return;
}

# Every list of an answer, by its place, is a table with as many lines.
sub check_tables ($asked, $about) {
  my $lists = lists_of(ask($api, $asked)->{json});
  for my $name (sort keys %$lists) {
    my $answer = ask($api, "${asked}format=csv&table=$name");
    is $answer->{status}, 200, "$asked table=$name" or diag $answer->{body};
    my $rows = $lists->{$name}->@*;
    is scalar(() = $answer->{body} =~ /\r\n/g), $rows + 1, 'a line each' if $rows;
  }
  my $alone = ask($api, "${asked}format=csv");
  like $alone->{headers}{'content-type'}, qr{\Atext/csv;}, "$asked format=csv alone";
  my ($usual) = $about =~ /(?:is|or \S+;) (\S+|the whole answer as one line)(?: if not given)?\z/;
  if ($lists->{$usual}) { is $alone->{body}, ask($api, "${asked}format=csv&table=$usual")->{body}, "$asked: $usual, if not given" }
  else { is_deeply [ $usual, scalar(() = $alone->{body} =~ /\r\n/g) ], [ 'the whole answer as one line', 2 ], "$asked: $usual" }
  for my $bad ('format=csv&table=', 'format=csv&table=surely.not', 'format=csv&table=' . 'x' x 65, 'table=days') {
    problem_is(ask($api, $asked . $bad), 400, 'bad_parameter', "$asked not $bad", parameter => 'table');
  }
  return;
}

sub lists_of ($value, $place = '') {
  return { $place => $value } if ref $value eq 'ARRAY';
  return {} unless ref $value eq 'HASH';
  return { map { lists_of($value->{$_}, length $place ? "$place.$_" : $_)->%* } keys %$value };
}

sub values_for ($schema, $name) {
  return ($schema->{enum}, ['surely-not']) if $schema->{enum};
  return (['2026-11-01'], [ '2026-11-31', '1' ]) if ($schema->{format} // '') eq 'date';
  return ([ $schema->{minimum}, $schema->{maximum} ], [ 0, $schema->{maximum} + 1, 'x' ]) if $schema->{type} eq 'integer';
  return ([ 'acme' ], [ '', 'x' x ($schema->{maxLength} + 1) ]) if $name eq 'tenant';
  return ([ 'UTC' ], [ '', 'x' x ($schema->{maxLength} + 1), 'a;b' ]) if $name eq 'tz';
  return ([ 'cost_usd', 'seconds' ], [ '', 'x', 'x' x ($schema->{maxLength} + 1) ]) if $name eq 'measure';
  return ([ 'x' ], [ '', 'x' x ($schema->{maxLength} + 1) ]);
}

subtest 'days of a time zone' => sub {
  my $answer = ask($api, '/v1/users?from=2026-11-01&to=2026-11-03&tz=Europe/Berlin');
  is $answer->{status}, 200, 'is answered' or diag $answer->{body};
  is_deeply [ $answer->{json}->@{qw(tenant from to zone)} ], [qw(acme 2026-11-01 2026-11-03 Europe/Berlin)], 'with its window and zone';
  problem_is(ask($api, "/v1/users?tz=$_"), 400, 'bad_parameter', "no zone: $_", parameter => 'tz')
    for qw(Mars/Olympus posixrules FOO%2B5 europe/berlin posix/UTC);
  problem_is(ask($api, '/v1/users?tz=Europe/Berlin&tenant=globex'), 403, 'forbidden', 'another tenant');
};

subtest 'figures of crashes, audience and costs' => sub {
  for my $path (qw(crashes crash_releases audience costs ledger)) {
    my $answer = ask($api, "/v1/$path?from=2026-11-01&to=2026-11-03&tz=Europe/Berlin");
    is $answer->{status}, 200, "$path is answered" or diag $answer->{body};
    is_deeply [ $answer->{json}->@{qw(tenant from to zone)} ], [qw(acme 2026-11-01 2026-11-03 Europe/Berlin)], 'with its window and zone';
    ok exists $answer->{json}{as_of} && $answer->{json}{exact}, 'and up to when it counts';
    problem_is(ask($api, "/v1/$path?tenant=globex"), 403, 'forbidden', 'another tenant');
  }
  is ask($api, '/v1/costs?measure=seconds')->{json}{measure}, 'seconds', 'another measure';
  problem_is(ask($api, '/v1/costs?measure=nothing'), 400, 'bad_parameter', 'a measure that there is not', parameter => 'measure');
};

# docs/api-server.md, Parameters.
subtest 'a name that nobody has used is no error' => sub {
  my $window = 'from=2026-11-01&to=2026-11-03';
  for my $case ([ '/v1/features?feature=exprot', 'features' ], [ '/v1/features?split=exprot', 'split', 'values' ], [ '/v1/usage?event=exprot', 'errors', 'values' ]) {
    my ($path, @list) = @$case;
    my $answer = ask($api, "$path&$window");
    my $list = $answer->{json};
    $list = $list->{$_} for @list;
    is_deeply [ $answer->{status}, $list ], [ 200, [] ], $path or diag $answer->{body};
  }
  for my $path (qw(/stats /v1/usage /v1/users /v1/daily)) {
    my $answer = ask($api, "$path?tenant=amce&$window", viewer => 'root');
    is $answer->{status}, 200, "$path of a tenant that there is not";
    unlike $answer->{body}, qr/"(?:total|total_users|active|users|count|events)": ?[1-9]/, 'has zeros' or diag $answer->{body};
  }
  like ask($api, '/v1/openapi.json')->{body}, qr/no feature's own name/, 'the document says what `feature` is';
};

subtest 'funnels' => sub {
  my $steps = escaped('[{"event":"a"},{"event":"b"}]');
  my $answer = ask($api, "/v1/funnels?from=2026-11-01&to=2026-11-03&tz=Europe/Berlin&within=60&steps=$steps");
  is_deeply [ $answer->{json}->@{qw(tenant from to zone within)} ], [ qw(acme 2026-11-01 2026-11-03 Europe/Berlin), 60 ], 'are answered' or diag $answer->{body};
  problem_is(ask($api, "/v1/funnels?steps=$steps&tenant=globex"), 403, 'forbidden', 'another tenant');
  problem_is(ask($api, '/v1/funnels?steps=' . escaped('[{"event":"a"},{"event":5}]')), 400, 'bad_parameter', 'a step that is none', parameter => 'steps');
  problem_is(ask($api, "/v1/funnels?steps=$steps&filter=x"), 400, 'bad_parameter', 'a filter that is none', parameter => 'filter');
  problem_is(ask($api, '/v1/funnels?steps=' . 'x' x 2001), 400, 'bad_parameter', 'too long a text', parameter => 'steps');
};

subtest 'which list of an answer CSV is, its path says' => sub {
  database()->do(<<'ROWS');
INSERT INTO weir.events (event_id, tenant_id, user_id, event, properties, "timestamp", client_timestamp)
SELECT gen_random_uuid(), 'tools', 'u' || i, event, '{"feature": "export", "source": "menu"}', at, at
FROM generate_series(1, 40) AS i, (VALUES ('feature_usage', 2), ('sale', 3)) AS e (event, each),
  LATERAL (SELECT timestamptz '2026-11-05T10:00Z' + i * interval '1 minute') AS t (at)
WHERE i % each = 0
ROWS
  my $weirctl = (api_command())[0] =~ s/weir-api\z/weirctl/r;
  private()->run('rebuild', $weirctl, qw(rollup rebuild --tenant tools --postgres), private()->conninfo('weir', 'postgres'));
  my $csv_of = sub ($asked) {
    my $path = "$asked&tenant=tools&from=2026-11-05&to=2026-11-06&tz=Asia/Kolkata";
    return (ask($api, $path, viewer => 'root')->{json}, split /\r\n/, ask($api, "$path&format=csv", viewer => 'root')->{body});
  };
  my ($features, @lines) = $csv_of->('/v1/features?');
  is_deeply [ scalar @lines, map { $_->{feature} } $features->{features}->@* ], [ 2, 'export' ], 'features are a line each';
  like $lines[0], qr/(?:\A|,)feature,/, 'by name';
  (my $correlation, @lines) = $csv_of->('/v1/correlation?feature=' . escaped('{"event":"feature_usage"}') . '&outcome=' . escaped('{"event":"sale"}'));
  ok lists_of($correlation)->%*, 'a correlation has an interval' or diag explain $correlation;
  is scalar @lines, 2, 'and is one line of all that it says';
  like $lines[0], qr/(?:\A|,)\Q$_\E(?:,|\z)/, "with $_" for 'tenant', keys lists_of($correlation)->%*;
};

subtest 'all key figures at once' => sub {
  my $answer = ask($api, '/stats?from=2026-11-01&to=2026-11-03');
  is $answer->{status}, 200, 'are answered' or diag $answer->{body};
  is_deeply [ $answer->{json}->@{qw(tenant from to zone)} ], [qw(acme 2026-11-01 2026-11-03 UTC)], 'with their window and zone';
  ok exists $answer->{json}{$_}, $_ for qw(as_of exact total_users active_users new_users total_recordings total_minutes total_cost_usd crash_count crash_rate
    users usage features performance crashes costs countries versions platforms cli days weeks months);
  problem_is(ask($api, '/stats?tz=Europe/Berlin'), 400, 'bad_parameter', 'a zone whose days are not kept', parameter => 'tz');
  problem_is(ask($api, '/stats?tenant=globex'), 403, 'forbidden', 'another tenant');
};

subtest 'heavy users, segments, risk of churn' => sub {
  my $heavy = ask($api, '/v1/heavy_users?from=2026-10-31&to=2026-11-03&top=3&tz=Africa/Abidjan')->{json};
  is_deeply [ scalar $heavy->{users}->@*, $heavy->{active}, $heavy->{concentration}[4]{share} ], [ 3, 15, 0.533333 ], 'three of fifteen; eight have eight events';
  is_deeply [ $heavy->@{qw(zone measure exact)}, exists $heavy->{as_of} ], [ 'Africa/Abidjan', 'events', JSON::XS::true, 1 ], 'by events, until when, exactly';
  is ask($api, '/v1/heavy_users?from=2026-11-01&to=2026-11-03')->{json}{active}, 0, 'where days are kept, of what the builder has counted';
  my $minutes = ask($api, '/v1/heavy_users?from=2026-11-01&to=2026-11-03&measure=seconds&tz=Asia/Kolkata')->{json};
  is_deeply [ $minutes->@{qw(zone measure total users)} ], [ 'Asia/Kolkata', 'seconds', 0, [] ], 'nobody has recorded anything, on whatever clock';
  problem_is(ask($api, "/v1/heavy_users?$_->[0]"), 400, 'bad_parameter', "not by $_->[0]", parameter => $_->[1])
    for [ 'measure=nothing', 'measure' ], [ 'top=0', 'top' ], [ 'top=101', 'top' ], [ 'tz=Mars/Olympus', 'tz' ], [ 'from=2026-11-03&to=2026-11-01', 'from' ],
    [ 'from=2026-02-30', 'from' ], [ 'measure=', 'measure' ];
  problem_is(ask($api, '/v1/heavy_users?by=events'), 400, 'unknown_parameter', 'nor by what there is not', parameter => 'by');
  is_deeply ask($api, '/v1/segments?from=2026-11-01&to=2026-11-14')->{json}{weeks}, [], 'segments come from the roll-ups';
  problem_is(ask($api, '/v1/segments?tz=Europe/Berlin'), 400, 'bad_parameter', 'and from zones that are kept', parameter => 'tz');
  my $risk = ask($api, '/v1/churn_risk?to=2026-11-10')->{json};
  is_deeply [ $risk->@{qw(from to zone exact)}, $risk->{weights}{silence} ], [ qw(2026-08-13 2026-11-10 UTC), JSON::XS::true, 60 ],
    'the score says of which days it is, and its weights';
  problem_is(ask($api, "/v1/churn_risk?$_"), 400, 'unknown_parameter', "which are no others: $_", parameter => s/=.*//r) for 'from=2026-11-01', 'measure=events';
  is ask($api, '/v1/churn_risk?tz=UTC')->{json}{zone}, 'UTC', 'on the clocks of a zone';
  problem_is(ask($api, '/v1/churn_risk?tz=Europe/Berlin'), 400, 'bad_parameter', 'that is kept', parameter => 'tz');
  problem_is(ask($api, '/v1/churn_risk?top=101'), 400, 'bad_parameter', 'of not too many', parameter => 'top');
  problem_is(ask($api, "/v1/$_?tenant=globex"), 403, 'forbidden', "$_ of another tenant") for qw(heavy_users segments churn_risk);
};

# An hour of the window's last day is on a UTC day whose rows were dropped, for whoever looks from the west.
subtest 'what an answer lacks, it says' => sub {
  my $paths = ask($api, '/v1/openapi.json', viewer => '')->{json}{paths};
  my $said = sub ($window) {
    my %said;
    for my $path (grep { $paths->{$_}{get}{responses}{403} && $_ ne '/v1/daily' } sort keys %$paths) {
      my %known = map { $_->{name} => 1 } $paths->{$path}{get}{parameters}->@*;
      my $asked = join '', map { $known{$_} ? "&$_=$window->{$_}" : () } sort keys %$window;
      my $answer = ask($api, $path . asked_of($paths->{$path}{get}{parameters}) . $asked =~ s/^&//r)->{json};
      push $said{ $answer->{incomplete} // ($answer->{exact} || $answer->{error} ? 'nothing' : 'not exact') }->@*, $path;
    }
    return \%said;
  };
  is_deeply [ keys $said->({ from => '2026-10-19', to => '2026-10-20' })->%* ], ['nothing'], 'nothing, where no rows were dropped';
  database()->do(q{INSERT INTO weir.gone_days (tenant_id, day, came_late) VALUES ('acme', '2026-10-21', true)});
  my $late = 'rows came late for days whose rows were dropped: they are not counted, but their users are among all and, on their first day, new ones';
  my $needed = 'rows of some days were dropped, and this needs them';
  my $after = $said->({ from => '2026-10-19', to => '2026-10-21' });
  is_deeply [ sort keys %$after ], [ sort $late, $needed ], 'where they were, one of two reasons';
  is_deeply $after->{$late}, [qw(/stats /v1/audience /v1/churn_risk /v1/costs /v1/features /v1/heavy_users /v1/ledger /v1/segments /v1/usage /v1/users)], 'what comes from the roll-ups lacks late rows';
  database()->do(q{DELETE FROM weir.gone_days WHERE tenant_id = 'acme'});
};

subtest 'weirctl viewers' => sub {
  my $calls = 0;
  my $run = sub (@arguments) {
    my $verb = shift @arguments;
    my $log = 'viewers-' . ++$calls;
    my $pid = private()->spawn($log, (api_command())[0] =~ s/weir-api\z/weirctl/r, 'viewers', $verb, '--postgres', private()->conninfo('weir', 'postgres'), @arguments);
    my $status = private()->wait_for($pid);
    return ($status, private()->log_of($log));
  };
  is_deeply [ $run->(add => 'eve', 'acme', 'globex') ], [ 0, "2 added\n" ], 'add';
  ok wait_until('eve sees both', 60, sub { ask($api, '/v1/daily?tenant=globex', viewer => 'eve')->{status} == 200 }), 'who was added sees';
  is_deeply [ $run->(list => 'eve') ], [ 0, "eve\tacme\neve\tglobex\n" ], 'list';
  is_deeply [ $run->(remove => 'eve', 'globex') ], [ 0, "1 removed\n" ], 'remove one tenant';
  ok wait_until('eve sees one', 60, sub { ask($api, '/v1/daily?tenant=globex', viewer => 'eve')->{status} == 403 }), 'which is then not seen';
  is_deeply [ $run->(remove => 'eve') ], [ 0, "1 removed\n" ], 'remove the rest';
  is_deeply [ $run->(remove => 'evve') ], [ 1, "weirctl: nothing was to be removed: `weirctl viewers list` says who may see what\n" ], 'a name that is misspelt';
  is((($run->(add => "e\tve", 'acme'))[0]), 1, 'a name with a control character');
};

is end_api($api), 0, 'TERM ends it';
ok !-e $api->{socket}, 'and its socket';
unlike api_log($api), qr/level=error/, 'without an error in its log';

done_testing;
