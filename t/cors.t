# Browsers: preflights, exact origins, sendBeacon.
use v5.36;
use FindBin;
use lib "$FindBin::Bin/lib";
use WeirTest;

my ($app, $local) = ('https://app.example', 'http://localhost:3000');
start(locations => [
  { path => '/track', what => 'track', cors => [ $app, $local ] },
  { path => '/crash', what => 'crash', cors => [$app] },
  { path => '/plain', what => 'track' },
]);

my $event = '{"event":"e","user_id":"u"}';

sub preflight ($path, $origin) {
  return request(OPTIONS => $path, undef, Origin => $origin,
    'Access-Control-Request-Method' => 'POST', 'Access-Control-Request-Headers' => 'content-type, content-encoding');
}

sub words ($header) { return { map { lc $_ => 1 } split /\s*,\s*/, $header // '' } }

subtest 'a preflight of a named origin is answered' => sub {
  for my $origin ($app, $local) {
    my $answer = preflight('/track', $origin);
    my $headers = $answer->{headers};
    is $answer->{status}, 200, $origin;
    is $headers->{'access-control-allow-origin'}, $origin, 'the origin is echoed';
    is $headers->{'access-control-allow-credentials'}, 'true', 'with credentials';
    is_deeply words($headers->{'access-control-allow-methods'}), words('POST, OPTIONS'), 'methods';
    my $allowed = words($headers->{'access-control-allow-headers'});
    ok $allowed->{$_}, $_ for 'content-type', 'content-encoding', 'authorization', 'x-weir-key';
    is $headers->{'access-control-max-age'}, 86400, 'for a day';
    ok words($headers->{vary})->{origin}, 'Vary: Origin';
  }
};

subtest 'answers to a named origin can be read, whatever they say' => sub {
  my %answers = (
    200 => post('/track', $event, Origin => $app),
    400 => post('/track', '{', Origin => $app),
    413 => post('/track', ' ' x (2 << 20), Origin => $app),
    415 => post('/track', $event, Origin => $app, 'Content-Type' => 'text/html'),
    405 => request(DELETE => '/track', undef, Origin => $app),
  );
  for my $status (sort keys %answers) {
    my $headers = $answers{$status}{headers};
    is $answers{$status}{status}, $status, "status $status";
    is $headers->{'access-control-allow-origin'}, $app, 'the origin';
    is $headers->{'access-control-allow-credentials'}, 'true', 'credentials';
    ok words($headers->{vary})->{origin}, 'Vary';
  }
  is_deeply words($answers{405}{headers}{allow}), words('POST, OPTIONS'), 'Allow names OPTIONS here';
};

subtest 'other origins get no such headers' => sub {
  my @others = (
    'https://evil.example', 'http://app.example', 'https://app.example:8443', 'https://app.example.evil.example',
      'https://xapp.example',
    'https://app.example/', 'null', '*', 'https://APP.example.', '',
  );
  for my $origin (@others) {
    for my $answer (preflight('/track', $origin), post('/track', $event, Origin => $origin)) {
      ok !exists $answer->{headers}{"access-control-allow-$_"}, "'$origin': no $_" for qw(origin credentials);
      ok words($answer->{headers}{vary})->{origin}, "'$origin': Vary all the same";
    }
  }
  ok !exists post('/crash', '{}', Origin => $local)->{headers}{'access-control-allow-origin'},
    'each location has its own';
};

subtest 'a location without origins has nothing of it' => sub {
  my $answer = post('/plain', $event, Origin => $app);
  accepted $answer, 1, 'taken';
  ok !exists $answer->{headers}{$_}, "no $_" for 'access-control-allow-origin', 'access-control-allow-credentials';
  is preflight('/plain', $app)->{status}, 405, 'no preflight';
};

subtest 'sendBeacon: text/plain, with credentials, and no preflight' => sub {
  accepted post('/track', $event, 'Content-Type' => 'text/plain;charset=UTF-8', Origin => $app, Cookie => 'session=1',
    'Sec-Fetch-Mode' => 'no-cors'), 1, 'taken';
};

subtest 'a request without an Origin is not the business of CORS' => sub {
  my $answer = post('/track', $event);
  accepted $answer, 1, 'taken';
  ok !exists $answer->{headers}{'access-control-allow-origin'}, 'no origin';
};

done_testing;
