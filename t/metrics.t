# GET /metrics: what all workers counted, whoever answers, over reloads and kills; and nothing that a
# client sent.
use v5.36;
use FindBin;
use lib "$FindBin::Bin/lib";
use WeirTest;

my $weir = start(workers => 2, locations => [
  { path => '/track',   what => 'track' },
  { path => '/strict',  what => 'track', strict => 1 },
  { path => '/crash',   what => 'crash' },
  { path => '/v1/track', what => 'cli' },
  { path => '/health',  what => 'health' },
  { path => '/metrics', what => 'metrics' },
]);
allow_killed_workers();

# Each over a connection of its own, for any of the workers; and workers come and go here.
sub send_to ($path, $body, %headers) { return connection()->request(POST => $path, $body, %headers)->{status} }
sub page { return connection()->request(GET => '/metrics') }

# series => figure
sub figures { return { page()->{body} =~ /^(\w\S*) (\S+)$/mg } }

sub becomes ($series, $wanted, $name) {
  local $Test::Builder::Level = $Test::Builder::Level + 1;
  my $last;
  wait_for(sub { ($last = figures()->{$series} // 'none') eq $wanted });
  return is $last, $wanted, $name;
}

sub requests ($endpoint, $status) { return qq(weir_requests_total{endpoint="$endpoint",status="$status"}) }
sub outcome ($word) { return qq(weir_redis_records_total{outcome="$word"}) }
sub refusals ($reason) { return qq(weir_events_refused_total{reason="$reason"}) }
my $event = '{"event":"e","user_id":"u"}';

subtest 'the page' => sub {
  my $answer = page();
  is $answer->{status}, 200, 'is there';
  is $answer->{headers}{'content-type'}, 'text/plain; version=0.0.4', 'in the text format of Prometheus';
  is $answer->{headers}{'content-length'}, length $answer->{body}, 'with its length';
  my $head = request(HEAD => '/metrics');
  is $head->{status}, 200, 'HEAD asks for it, too';
  is $head->{body}, '', 'without its body';
  fails_with post('/metrics', $event), 405, qr/Method not allowed/, 'and nothing can be sent to it';
  becomes('weir_workers', 2, 'two workers');
  becomes('weir_redis_ready_workers', 2, 'both with a connection to Redis');
};

subtest 'requests, events, faults and bytes are counted, over all workers' => sub {
  my $before = figures();
  my $bytes = 0;
  my $send = sub ($path, $body) { $bytes += length $body; return send_to($path, $body) };
  is $send->('/track', "[$event,$event]"), 200, 'two events' for 1 .. 20;
  is $send->('/track', '[' . $event . ',{"event":"e"},7]'), 200, 'one of three' for 1 .. 3;
  is $send->('/track', '{"event":"e"}'), 400, 'none';
  is $send->('/track', '{'), 400, 'no JSON';
  is $send->('/strict', '{"event":"e","user_id":"u","colour":"red"}'), 400, 'unknown, strict';
  is $send->('/track', '{"event":"e","user_id":"u","colour":"red","b":1}'), 200, 'unknown';
  is $send->('/crash', '{}'), 400, 'a crash';
  my $now = figures();
  my $more = sub ($series) { return $now->{$series} - $before->{$series} };
  is $more->(requests(track => 200)), 24, 'requests that were taken';
  is $more->(requests(track => 400)), 3, 'requests that were refused';
  is $more->(requests(crash => 400)), 1, 'at another endpoint';
  is $more->('weir_events_accepted_total'), 44, 'events';
  is $more->(refusals('missing')), 5, 'missing';
  is $more->(refusals('not_an_object')), 3, 'not_an_object';
  is $more->(refusals('unknown_field')), 1, 'unknown_field';
  is $more->(refusals('too_long')), 0, 'too_long';
  is $more->('weir_unknown_fields_total'), 3, 'unknown members';
  is $more->('weir_body_bytes_total'), $bytes, 'bytes of bodies';
  is $more->('weir_keep_seconds_count'), 24, 'how long each took to be kept';
  is $now->{'weir_keep_seconds_bucket{le="+Inf"}'}, $now->{weir_keep_seconds_count}, 'all of them in buckets';
  becomes('weir_redis_in_flight', 0, 'none waits');
  becomes(outcome('acknowledged'), $before->{ outcome('acknowledged') } + 24, 'records that Redis has');
  is figures()->{weir_spool_records_total}, 0, 'the spool was not needed';
};

subtest 'what Redis refuses goes into the spool, is counted there, and comes back' => sub {
  my $before = figures();
  redis()->config_set('maxmemory', 1);
  is send_to('/track', $event), 200, 'kept' for 1 .. 4;
  becomes('weir_spool_records_total', 4, 'in the spool');
  my $now = figures();
  cmp_ok $now->{ outcome('refused') }, '>=', 1, 'Redis refused at least the first';
  cmp_ok $now->{weir_breaker_openings_total}, '>=', 1, 'which opened a breaker';
  cmp_ok $now->{'weir_breaker_workers{state="open"}'} + $now->{'weir_breaker_workers{state="half_open"}'}, '>=', 1,
    'and it shows';
  cmp_ok $now->{weir_spool_syncs_total}, '>=', 1, 'synced';
  is $now->{weir_keep_seconds_count}, $before->{weir_keep_seconds_count} + 4, 'how long these took counts, too';
  is $now->{ requests(track => 503) }, 0, 'none was answered 503';
  redis()->config_set('maxmemory', 0);
  becomes('weir_spool_drained_records_total', 4, 'drained');
  ok wait_for(sub { send_to('/track', $event); figures()->{'weir_breaker_workers{state="closed"}'} == 2 }),
    'both breakers close again once a record has got through';
};

subtest 'a lost Redis is seen' => sub {
  my $lost = figures()->{weir_redis_connections_lost_total};
  $weir->signal(redis => 'KILL');
  becomes('weir_redis_ready_workers', 0, 'killed: no worker has it');
  cmp_ok figures()->{weir_redis_connections_lost_total}, '>=', $lost + 2, 'both lost it';
  $weir->repair;
  becomes('weir_redis_ready_workers', 2, 'repaired: both have it');
};

subtest 'a reload changes no counter' => sub {
  my $before = figures();
  my %old = map { $_ => 1 } $weir->reload;
  ok wait_for(sub { my @now = $weir->workers; @now == 2 && !grep { $old{$_} } @now }), 'new workers only';
  becomes('weir_workers', 2, 'the gauges are those of the new ones');
  becomes('weir_redis_ready_workers', 2, 'which have Redis');
  my $now = figures();
  is $now->{$_}, $before->{$_}, $_ for grep { /^weir_(?:events|keep|unknown|body|redis_records)/ } sort keys %$before;
  is send_to('/track', $event), 200, 'one more';
  becomes('weir_events_accepted_total', $before->{weir_events_accepted_total} + 1, 'is added');
};

subtest 'a worker that is killed leaves what it counted' => sub {
  my $before = figures();
  for my $round (1 .. 3) {
    my ($victim) = $weir->workers;
    kill KILL => $victim;
    ok wait_for(sub { my @now = $weir->workers; @now == 2 && !grep { $_ == $victim } @now }), "round $round: replaced";
  }
  becomes('weir_workers', 2, 'two workers, as before');
  becomes('weir_redis_ready_workers', 2, 'both with Redis');
  my $now = figures();
  is $now->{$_}, $before->{$_}, $_ for grep { /^weir_(?:events|keep|unknown|body|redis_records)/ } sort keys %$before;
};

subtest 'nothing of a client and no secret is on the page' => sub {
  send_to('/track', '{"event":"canary_event","user_id":"canary_user","canary_field":1}', 'X-Weir-Key' => 'canary_key');
  send_to('/strict', '{"event":"e","user_id":"u","canary_field":1}');
  my $body = page()->{body};
  unlike $body, qr/canary/, 'no name, no key';
  unlike $body, qr/127\.0\.0\.1|\Q$weir->{run}\E/, 'no address, no path';
  unlike $body, qr/^(?!# |weir_)/m, 'only what is Weir\'s';
};

done_testing;
