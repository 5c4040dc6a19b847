# POST /track: what clients send is what the table holds.
use v5.36;
use FindBin;
use lib "$FindBin::Bin/lib";
use WeirTest;

start(locations => [
  { path => '/track',  what => 'track' },
  { path => '/strict', what => 'track', strict => 1 },
]);

sub event (%members) { return { event => 'opened', user_id => 'u1', %members } }

sub kept ($id) { return row('SELECT * FROM events WHERE event_id = ?', $id) }

# Two instants are the same, whatever zone PostgreSQL prints them in.
sub same_time ($column, $id, $instant, $name) {
  local $Test::Builder::Level = $Test::Builder::Level + 1;
  my $got = value(qq(SELECT to_char("$column" AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') FROM events WHERE event_id = ?), $id);
  return is $got, $instant, $name;
}

subtest 'one object, an array, and both kinds of envelope' => sub {
  my @ids = map { uuid('shape', $_) } 0 .. 6;
  my @events = map { event(event_id => $_) } @ids;
  accepted post('/track', $events[0]), 1, 'one object';
  accepted post('/track', [ @events[ 1, 2 ] ]), 2, 'an array';
  accepted post('/track', { events => [ @events[ 3, 4 ] ] }), 2, '{"events"}';
  accepted post('/track', { batch => [ @events[ 5, 6 ] ] }), 2, '{"batch"}';
  stored();
  is value('SELECT count(*) FROM events WHERE event_id = ANY(?)', \@ids), 7, 'each is a row';
};

subtest 'of a batch, the valid events are kept and the others named by index and reason' => sub {
  my ($first, $last) = map { uuid('mixed', $_) } 1, 2;
  my $answer = post('/track', [
    event(event_id => $first), { user_id => 'u1' }, event(timestamp => 'yesterday'), 'text', event(event_id => $last),
  ]);
  is $answer->{status}, 200, 'status 200';
  is $answer->{json}{accepted}, 2, 'two accepted';
  is_deeply $answer->{json}{rejected}, [
    fault(1, 'event', 'missing'), fault(2, 'timestamp', 'not_a_timestamp'),
      { index => 3, field => '', reason => 'not_an_object' },
  ], 'the others are named' or diag $answer->{body};
  stored();
  ok kept($_), 'a valid event is a row' for $first, $last;
};

subtest 'a batch of which no event is valid is refused as a whole' => sub {
  my $answer = post('/track', { events => [ { event => 'x' }, { user_id => 'u' } ] });
  is $answer->{status}, 400, 'status 400';
  is_deeply $answer->{json},
    { error => 'Invalid data', details => [ fault(0, 'user_id', 'missing'), fault(1, 'event', 'missing') ] },
    'every event is named' or diag $answer->{body};
};

subtest 'every column arrives as it was sent' => sub {
  my $id = uuid('columns');
  my %sent = (
    event_id => $id, event => 'recording_completed', user_id => 'user-7', session_id => 'session-9',
    app_version => '2.1.0-beta+3', platform => 'macOS 14.2', country => 'ES',
  );
  accepted post('/track', { %sent, timestamp => '2026-03-04T05:06:07Z', properties => { n => 1 } }), 1, 'accepted';
  stored();
  my $row = kept($id);
  is $row->{$_}, $sent{$_}, $_ for sort keys %sent;
  is $row->{tenant_id}, 'default', 'without keys the tenant is default';
  is $row->{properties}, '{"n": 1}', 'properties';
  same_time(client_timestamp => $id, '2026-03-04T05:06:07.000000Z', 'client_timestamp');
};

subtest 'absent members are NULL, and so are null ones' => sub {
  my ($absent, $null) = (uuid('absent'), uuid('null'));
  accepted post('/track', event(event_id => $absent)), 1, 'absent';
  accepted post('/track',
    event(event_id => $null,
    map { $_ => undef } qw(session_id app_version platform country timestamp properties sent_at))), 1, 'null';
  stored();
  for my $id ($absent, $null) {
    my $row = kept($id);
    is_deeply [ @$row{qw(session_id app_version platform country)} ], [ (undef) x 4 ], 'the optional columns are NULL';
    is $row->{client_timestamp}, $row->{received_at}, 'its time is the time of receipt';
  }
};

subtest 'properties keep their values: text, escapes, numbers and nesting' => sub {
  my @values = (
    '{}', '[]', '""', 'true', 'false', 'null', '0', '-0', '-1', '1e5', '1E-7', '1.10', '0.1',
      '123456789012345678901234567890',
    '9223372036854775808', '-9223372036854775808', '3.141592653589793238462643383279', '1.7976931348623157e308',
    '"Grüße, 世界 🌍"', '"\u00e9\u4e16\ud83c\udf0d"', '"\" \\\\ \/ \b \f \n \r \t"', '"\u0001\u001f\u007f"',
      '"\\\\N \\\\."',
    '"tab\there"', '{"a":{"b":{"c":[1,[2,[3,{"d":null}]]]}}}', '{"":1," ":2,"ключ":3}', '[1,"1",1.0,[],{}]',
    '"' . ('x' x 8000) . '"', '{"b":1,"a":2,"b":3}',
  );
  my @ids = map { uuid('value', $_) } 0 .. $#values;
  for my $n (0 .. $#values) {
    my $body = qq({"event":"value","user_id":"u1","event_id":"$ids[$n]","properties":{"v":$values[$n]}});
    accepted post('/track', $body), 1, 'taken: ' . substr $values[$n], 0, 60;
  }
  stored();
  for my $n (0 .. $#values) {
    is value(q(SELECT (properties->'v')::text FROM events WHERE event_id = ?), $ids[$n]),
      value('SELECT (?::text)::jsonb::text', $values[$n]), 'the same in the table: ' . substr $values[$n], 0, 60;
  }
};

subtest 'white space between tokens means nothing' => sub {
  my $id = uuid('space');
  accepted post('/track',
    "\r\n\t { \"event\" :\n\"spaced\" , \"user_id\"\t: \"u1\",\"event_id\":\"$id\" ,\"properties\" : { \"a\" : [ 1 ,\n2 ] } } \n"), 1, 'accepted';
  stored();
  is kept($id)->{properties}, '{"a": [1, 2]}', 'and stored';
};

subtest 'names of members may be escaped' => sub {
  my $id = uuid('escaped name');
  accepted post('/track', qq({"\\u0065vent":"escaped","user\\u005fid":"u1","event_id":"$id"})), 1, 'accepted';
  stored();
  is kept($id)->{event}, 'escaped', 'and known';
};

subtest 'the client\'s event_id is kept, in either case; without one the edge makes a version 7' => sub {
  my $id = uuid('kept');
  accepted post('/track', event(event_id => uc $id)), 1, 'upper case';
  accepted post('/track', event(user_id => 'no-id')), 1, 'none given';
  stored();
  ok kept($id), 'the client\'s';
  my $row = row(q(SELECT *, abs(extract(epoch FROM received_at) * 1000 - ('x' || lpad(left(replace(event_id::text, '-', ''), 12), 16, '0'))::bit(64)::bigint) AS apart
                    FROM events WHERE user_id = 'no-id'));
  like $row->{event_id}, qr/\A[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}\z/,
    'a version 7 UUID';
  cmp_ok $row->{apart}, '<=', 1, 'that holds the time of receipt';
};

subtest 'an event_id that is there already changes nothing' => sub {
  my $id = uuid('again');
  my $at = '2026-02-03T04:05:06Z';
  for my $try (1 .. 3) {
    accepted post('/track', event(event_id => $id, timestamp => $at, properties => { try => $try })), 1,
      "try $try is answered alike";
    stored();
  }
  accepted post('/track', [ map { event(event_id => $id, timestamp => $at) } 1 .. 3 ]), 3,
    'three times in one batch too';
  stored();
  is value('SELECT count(*) FROM events WHERE event_id = ?', $id), 1, 'one row';
  is kept($id)->{properties}, '{"try": 1}', 'the first one';
};

subtest 'timestamps: any offset, fractions to the microsecond, milliseconds' => sub {
  my @cases = (
    [ '"2026-01-15T12:00:00Z"',              '2026-01-15T12:00:00.000000Z' ],
    [ '"2026-01-15t12:00:00z"',              '2026-01-15T12:00:00.000000Z' ],
    [ '"2026-01-15 12:00:00Z"',              '2026-01-15T12:00:00.000000Z' ],
    [ '"2026-01-15T12:00:00+05:30"',         '2026-01-15T06:30:00.000000Z' ],
    [ '"2026-01-15T12:00:00-11:00"',         '2026-01-15T23:00:00.000000Z' ],
    [ '"2026-01-01T00:30:00+01:00"',         '2025-12-31T23:30:00.000000Z' ],
    [ '"2026-01-15T12:00:00.5Z"',            '2026-01-15T12:00:00.500000Z' ],
    [ '"2026-01-15T12:00:00.123456789Z"',    '2026-01-15T12:00:00.123456Z' ],
    [ '"2024-02-29T12:00:00Z"',              '2024-02-29T12:00:00.000000Z' ],
    [ '"2016-12-31T23:59:60Z"',              '2017-01-01T00:00:00.000000Z' ],
    [ '1768478400000',                       '2026-01-15T12:00:00.000000Z' ],
    [ '1768478400123',                       '2026-01-15T12:00:00.123000Z' ],
    [ '1768478400123.5',                     '2026-01-15T12:00:00.123500Z' ],
    [ '1.7684784e12',                        '2026-01-15T12:00:00.000000Z' ],
  );
  for my $case (@cases) {
    accepted post('/track', sprintf '{"event":"time","user_id":"u1","event_id":"%s","timestamp":%s}',
      uuid('time', $case->[0]), $case->[0]), 1, "taken: $case->[0]";
  }
  stored();
  for my $case (@cases) {
    same_time($_, uuid('time', $case->[0]), $case->[1], "$case->[0] as $_") for qw(client_timestamp timestamp);
  }
};

subtest 'a time that is none is refused' => sub {
  my @cases = map { qq("$_") } (
    '', 'now', '2026', '2026-01-15', '2026-01-15T12:00:00', '2026-13-01T00:00:00Z', '2026-02-29T00:00:00Z',
      '2026-01-32T00:00:00Z',
    '2026-01-15T24:00:00Z', '2026-01-15T12:60:00Z', '2026-01-15T12:00:61Z', '2026-01-15T12:00:00+24:00',
      '2026-01-15T12:00:00.Z',
    '2026-01-15T12:00:00Zjunk', ' 2026-01-15T12:00:00Z', '20260115T120000Z', '1768478400000', '2026-1-5T12:00:00Z',
  );
  refused post('/track', qq({"event":"e","user_id":"u","timestamp":$_})), 'timestamp', 'not_a_timestamp', $_
    for @cases, 'true', '{}', '[]';
};

subtest 'a time that its offset leads out of the years 1 to 9999 is refused here, not lost later' => sub {
  for my $time ('0000-06-01T00:00:00Z', '0001-01-01T00:00:00+01:00', '9999-12-31T23:59:59-01:00') {
    my $body = json({ user_id => 'u', event => 'e', timestamp => $time, sent_at => $time });
    refused post('/track', $body), 'timestamp', 'not_a_timestamp', $time;
    refused post('/track', json({ events => [ { user_id => 'u', event => 'e' } ], sent_at => $time })), 'sent_at',
      'not_a_timestamp', "$time as the batch's sent_at";
  }
  stored();
  is value('SELECT count(*) FROM dead_letters'), 0, 'nothing became a dead letter';
};

subtest 'the clock of the client is set right by sent_at, in the event and in the envelope' => sub {
  my ($own, $shared, $late, $both) = map { uuid('skew', $_) } 1 .. 4;
  my $at = '2026-04-05T06:00:00Z';
  my $ahead = now() + 600_000;
  my $behind = now() - 3_600_000;
  accepted post('/track', event(event_id => $own, timestamp => $at, sent_at => $ahead)), 1, 'in the event';
  accepted post('/track', { sent_at => $ahead, batch => [ event(event_id => $shared, timestamp => $at) ] }), 1,
    'before the batch';
  accepted post('/track', sprintf '{"events":[%s],"sent_at":%s}', json(event(event_id => $late, timestamp => $at)),
    $behind), 1, 'after the events';
  accepted post('/track',
    { sent_at => $ahead, events => [ event(event_id => $both, timestamp => $at, sent_at => 0 + $behind) ] }), 1,
    'in both';
  stored();
  my %sent = ($own => $ahead, $shared => $ahead, $late => $behind, $both => $behind);
  for my $id ($own, $shared, $late, $both) {
    same_time(client_timestamp => $id, '2026-04-05T06:00:00.000000Z', 'client_timestamp is as sent');
    is value(q(SELECT "timestamp" = client_timestamp - (to_timestamp(?::numeric / 1000) - received_at) FROM events WHERE event_id = ?), $sent{$id}, $id),
      1, 'timestamp is corrected';
  }
};

subtest 'more than 23 hours ahead becomes now; the distant past stays' => sub {
  my %hours = (uuid('ahead 22') => 22, uuid('ahead 24') => 24, uuid('a year') => 8760);
  accepted post('/track', event(event_id => $_, timestamp => now() + $hours{$_} * 3_600_000)), 1,
    "$hours{$_} hours ahead" for sort keys %hours;
  my $past = uuid('past');
  accepted post('/track', event(event_id => $past, timestamp => '2001-02-03T04:05:06Z')), 1, 'twenty-five years ago';
  stored();
  for my $id (sort keys %hours) {
    my $kept_ahead = value(q(SELECT "timestamp" = client_timestamp FROM events WHERE event_id = ?), $id);
    my $is_now = value(q(SELECT "timestamp" = received_at FROM events WHERE event_id = ?), $id);
    is_deeply [ $kept_ahead, $is_now ], $hours{$id} < 23 ? [ 1, 0 ] : [ 0, 1 ], "$hours{$id} hours ahead";
  }
  same_time(timestamp => $past, '2001-02-03T04:05:06.000000Z', 'the past');
};

subtest 'the country: an ISO code, or what a time zone says' => sub {
  my @cases = (
    [ { country => 'ES' },                                  'ES' ],
    [ { country => 'es' },                                  'ES' ],
    [ { country => 'Europe/Madrid' },                       'ES' ],
    [ { time_zone => 'Asia/Tokyo' },                        'JP' ],
    [ { time_zone => 'Asia/Calcutta' },                     'IN' ],
    [ { time_zone => 'America/Argentina/Buenos_Aires' },    'AR' ],
    [ { country => 'MX', time_zone => 'Europe/Madrid' },    'MX' ],
    [ { time_zone => 'UTC' },                               undef ],
    [ { time_zone => 'Etc/GMT+3' },                         undef ],
    [ { time_zone => 'Mars/Olympus_Mons' },                 undef ],
    [ {},                                                   undef ],
  );
  for my $n (0 .. $#cases) {
    accepted post('/track', event(event_id => uuid('country', $n), $cases[$n][0]->%*)), 1, json($cases[$n][0]);
  }
  stored();
  is kept(uuid('country', $_))->{country}, $cases[$_][1], json($cases[$_][0]) for 0 .. $#cases;
};

subtest 'of two members with one name the last counts' => sub {
  my $id = uuid('twice');
  accepted post('/track',
    qq({"event":1,"user_id":"first","event":"second","event_id":"$id","user_id":"last","properties":{"a":1},"properties":{"b":2}})), 1, 'accepted';
  stored();
  my $row = kept($id);
  is_deeply [ @$row{qw(event user_id properties)} ], [ 'second', 'last', '{"b": 2}' ], 'the last of each';
};

subtest 'without a timestamp the time inside a version 7 event_id stands in as the client\'s' => sub {
  my $id = '019b76da-a800-7000-8000-00000000abcd';    # 2026-01-01T00:00:00.000Z
  accepted post('/track', event(event_id => $id)), 1, 'accepted';
  stored();
  same_time(client_timestamp => $id, '2026-01-01T00:00:00.000000Z', 'client_timestamp');
  is value('SELECT "timestamp" = received_at FROM events WHERE event_id = ?', $id), 1,
    'it happened when it was received';
};

subtest 'members that Weir does not know are ignored, and refused by name where the location is strict' => sub {
  my $id = uuid('unknown');
  accepted post('/track', event(event_id => $id, colour => 'red', nested => { a => [ 1, { b => 2 } ] })), 1, 'ignored';
  refused post('/strict', event(colour => 'red')), 'colour', 'unknown_field', 'refused by name';
  accepted post('/strict', event(event_id => uuid('strict'), properties => { colour => 'red' })), 1,
    'properties are free in a strict location';
  my $batch = sub (%beside) { return { sent_at => now(), %beside, events => [ event(event_id => uuid('beside', %beside)) ] } };
  accepted post('/strict', $batch->()), 1, 'beside a batch: sent_at is known';
  refused post('/strict', $batch->($_ => 'x')), $_, 'unknown_field', "beside a batch: $_ is not" for qw(api_key user_id);
  accepted post('/track', $batch->(api_key => 'x', user_id => 'u')), 1, 'beside a batch, not strict: ignored';
  stored();
  is kept($id)->{event}, 'opened', 'the rest is stored';
};

done_testing;
