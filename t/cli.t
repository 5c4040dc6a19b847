# POST /v1/track: what a command-line tool reports, and the view that shows it by its own names.
use v5.36;
use FindBin;
use lib "$FindBin::Bin/lib";
use WeirTest;

start(locations => [
  { path => '/v1/track', what => 'cli' },
  { path => '/strict',   what => 'cli', strict => 1 },
]);

my %command = (
  session_id => '"' . uuid('session') . '"', command => '"icon"', success => 'true', timestamp => '1768478400123',
    version => '"1.0.0"',
);

sub body (%members) {
  my %all = (%command, %members);
  return '{' . join(',', map { qq("$_":$all{$_}) } grep { defined $all{$_} } sort keys %all) . '}';
}

sub taken ($answer, $name) {
  local $Test::Builder::Level = $Test::Builder::Level + 1;
  return is "$answer->{status} $answer->{body}", '200 {"status":"ok"}', $name;
}

subtest 'a whole command is a row of telemetry_events' => sub {
  taken post('/v1/track', body(
    session_id => '"' . uuid('whole') . '"', execution_time => 3450, error_type => 'null', prompt_length => 45,
      output_format => '"png"', model_used => '"dall-e-3"',
  )), 'taken';
  stored();
  my $row = row('SELECT * FROM telemetry_events WHERE session_id = ?', uuid('whole'));
  is_deeply { map { $_ => $row->{$_} } qw(command success timestamp version execution_time error_type prompt_length output_format model_used) },
    { command => 'icon', success => 1, timestamp => 1768478400123, version => '1.0.0', execution_time => 3450,
      error_type => undef,
      prompt_length => 45, output_format => 'png', model_used => 'dall-e-3' }, 'with the columns of its source';
  ok exists $row->{$_}, "and $_" for qw(id created_at);
  my $event = row('SELECT * FROM events WHERE session_id = ?', uuid('whole'));
  is_deeply [ @$event{qw(event user_id app_version tenant_id platform country)} ],
    [ 'cli_command', undef, '1.0.0', 'default', undef, undef ], 'and an event without a user';
};

subtest 'a failed command, with what is required only' => sub {
  taken post('/v1/track',
    body(session_id => '"' . uuid('failed') . '"', success => 'false', error_type => '"network"')), 'taken';
  stored();
  my $row = row('SELECT * FROM telemetry_events WHERE session_id = ?', uuid('failed'));
  is_deeply [ @$row{qw(success error_type execution_time prompt_length output_format model_used)} ],
    [ 0, 'network', undef, undef, undef, undef ], 'as sent';
};

subtest 'the bounds of whole numbers' => sub {
  for my $field (qw(execution_time prompt_length)) {
    my $id = uuid($field);
    taken post('/v1/track', body(session_id => qq("$id"), $field => 2147483647)), "$field: the largest";
    stored();
    is value("SELECT $field FROM telemetry_events WHERE session_id = ?", $id), 2147483647, "$field: stored";
    taken post('/v1/track', body($field => 0)), "$field: nought";
    refused post('/v1/track', body($field => $_)), $field, 'not_an_integer', "$field: $_"
      for qw(2147483648 -1 1.5 1e3 99999999999999999999 "5" true [] {});
  }
};

subtest 'where its user is, as far as it says' => sub {
  my %place = (code => [ country => '"BR"' ], zone => [ time_zone => '"America/Sao_Paulo"' ], both => [ country => '"BR"', time_zone => '"Europe/Madrid"' ]);
  taken post('/strict', body(session_id => '"' . uuid("at $_") . '"', $place{$_}->@*)), "by $_" for sort keys %place;
  refused post('/v1/track', body(country => $_)), 'country', 'not_a_country', "country is $_" for '"Brazil"', '"BRA"', '"XX"';
  stored();
  is value('SELECT country FROM events WHERE session_id = ?', uuid("at $_")), 'BR', "and stored: $_" for sort keys %place;
};

subtest 'what is wrong is refused by field and reason' => sub {
  refused post('/v1/track', body($_ => undef)), $_, 'missing', "no $_" for sort keys %command;
  refused post('/v1/track', body($_ => 'null')), $_, 'missing', "$_ is null" for sort keys %command;
  refused post('/v1/track', body($_ => '""')), $_, 'empty', "$_ is empty" for qw(command version);
  refused post('/v1/track', body($_ => 7)), $_, 'not_a_string', "$_ is a number"
    for qw(command version error_type output_format model_used);
  refused post('/v1/track', body(success => $_)), 'success', 'not_a_boolean', "success is $_" for qw("true" 1 0 {});
  refused post('/v1/track', body(session_id => $_)), 'session_id', 'not_a_uuid', "session_id is $_" for '""', '"x"',
    '5';
  refused post('/v1/track', body(timestamp => $_)), 'timestamp', 'not_a_timestamp', "timestamp is $_" for 'true',
    '"soon"', '{}';
  fails_with post('/v1/track', 'no'), 400, qr/Invalid JSON/, 'not JSON';
  refused post('/strict', body(user_id => '"u"')), 'user_id', 'unknown_field', 'strict';
  taken post('/v1/track', body(user_id => '"u"')), 'not strict';
};

subtest 'the clock of the client is set right by sent_at, in the command and beside a batch' => sub {
  my $at = now() - 3_600_000;
  my $ahead = now() + 7_200_000;
  my %ids = map { $_ => uuid('clock', $_) } qw(own shared);
  taken post('/v1/track', body(event_id => qq("$ids{own}"), timestamp => $at, sent_at => $ahead)), 'its own';
  taken post('/v1/track',
    qq({"sent_at":$ahead,"events":[) . body(event_id => qq("$ids{shared}"), timestamp => $at) . ']}'), 'the batch\'s';
  refused post('/v1/track', body(sent_at => '"soon"')), 'sent_at', 'not_a_timestamp', 'one that is none';
  stored();
  is value('SELECT round(extract(epoch FROM (received_at - "timestamp")))::int FROM events WHERE event_id = ?', $_),
    10_800, 'three hours before it was sent'
    for @ids{qw(own shared)};
};

subtest 'several at once' => sub {
  my @ids = map { uuid('several', $_) } 0 .. 2;
  my @bodies = map { body(event_id => qq("$_")) } @ids;
  taken post('/v1/track', '[' . join(',', @bodies[ 0, 1 ]) . ']'), 'all valid';
  my $answer = post('/v1/track', '{"events":[' . body(success => '1') . ",$bodies[2]]}");
  is_deeply [ $answer->{status}, $answer->{json} ],
    [ 200, { status => 'ok', accepted => 1, rejected => [ fault(0, 'success', 'not_a_boolean') ] } ], 'some valid';
  stored();
  is value('SELECT count(*) FROM events WHERE event_id = ANY(?)', \@ids), 3, 'kept by their event_id';
  taken post('/v1/track', $bodies[0]), 'sent again';
  stored();
  is value('SELECT count(*) FROM events WHERE event_id = ?', $ids[0]), 1, 'kept once';
};

subtest 'the view shows commands only, and commands make no user' => sub {
  is value('SELECT count(*) FROM telemetry_events'), value('SELECT count(*) FROM events'),
    'all events here are commands';
  is value('SELECT count(*) FROM user_days'), 0, 'nobody in user_days';
};

done_testing;
