# POST /crash: crash reports, and which of them are the same crash.
use v5.36;
use FindBin;
use lib "$FindBin::Bin/lib";
use WeirTest;

start(locations => [
  { path => '/crash',  what => 'crash' },
  { path => '/strict', what => 'crash', strict => 1 },
]);

sub crash (%members) {
  return { user_id => 'u1', app_version => '1.2.3', crash_type => 'renderer_crash', error_message => 'boom', %members };
}
sub kept ($id) { return row('SELECT * FROM crashes WHERE crash_id = ?', $id) }

my $stack = <<'END';
TypeError: Cannot read properties of undefined (reading 'id')
    at render (/Users/ana/app/src/list.js:120:15)
    at Object.update (/Users/ana/app/src/view.js:33:7)
    at process.processTicksAndRejections (node:internal/process/task_queues:95:5)
END

subtest 'every column arrives as it was sent' => sub {
  my $id = uuid('columns');
  my %sent = (
    crash_id => $id, user_id => 'user-7', app_version => '2.0.1', os_version => 'Darwin 23.1',
      crash_type => 'main_crash',
    error_message => "Grüße \"quoted\"\n\ttab", stack_trace => $stack,
  );
  accepted post('/crash',
    { %sent, timestamp => '2026-05-06T07:08:09.25Z', context => { memory => 12.50, last => [ 'a', 'b' ] } }), 1,
    'accepted';
  stored();
  my $row = kept($id);
  is $row->{$_}, $sent{$_}, $_ for sort keys %sent;
  is $row->{tenant_id}, 'default', 'tenant';
  is value(q(SELECT context = '{"memory": 12.5, "last": ["a", "b"]}' FROM crashes WHERE crash_id = ?), $id), 1,
    'context';
  is value(q(SELECT "timestamp" = '2026-05-06T07:08:09.25Z' FROM crashes WHERE crash_id = ?), $id), 1, 'timestamp';
  like $row->{fingerprint}, qr/\A1-[0-9a-f]{32}\z/, 'a fingerprint of version 1';
};

subtest 'the optional members may be absent, and error_message may be empty' => sub {
  my $id = uuid('bare');
  accepted post('/crash', crash(crash_id => $id, error_message => '')), 1, 'accepted';
  stored();
  my $row = kept($id);
  is_deeply [ @$row{qw(os_version stack_trace context error_message)} ], [ undef, undef, undef, '' ],
    'NULL, and an empty text';
};

subtest 'several at once, in every shape, with event_id for crash_id' => sub {
  my @ids = map { uuid('several', $_) } 0 .. 4;
  accepted post('/crash', [ crash(crash_id => $ids[0]), crash(event_id => $ids[1]) ]), 2, 'an array';
  accepted post('/crash', { events => [ crash(crash_id => $ids[2]) ] }), 1, '{"events"}';
  accepted post('/crash', { batch => [ crash(crash_id => $ids[3], event_id => $ids[4]) ] }), 1,
    '{"batch"}, with both ids';
  stored();
  ok kept($_), 'kept' for @ids[ 0 .. 3 ];
  ok !kept($ids[4]), 'crash_id goes before event_id';
};

subtest 'the valid of a batch are kept, the others named' => sub {
  my $id = uuid('mixed');
  my $answer = post('/crash',
    [ crash(app_version => undef), crash(crash_id => $id), crash(context => []), crash(stack_trace => 5) ]);
  is $answer->{status}, 200, 'status 200';
  is_deeply $answer->{json}, { status => 'ok', accepted => 1, rejected => [
    fault(0, 'app_version', 'missing'), fault(2, 'context', 'not_an_object'),
      fault(3, 'stack_trace', 'not_a_string') ] }, 'named';
  stored();
  ok kept($id), 'kept';
};

subtest 'what is wrong is refused by field and reason' => sub {
  for my $field (qw(user_id app_version crash_type error_message)) {
    my $crash = crash();
    delete $crash->{$field};
    refused post('/crash', $crash), $field, 'missing', "no $field";
    refused post('/crash', crash($field => [])), $field, 'not_a_string', "$field is a list";
  }
  refused post('/crash', crash($_ => '')), $_, 'empty', "$_ is empty" for qw(user_id app_version crash_type);
  refused post('/crash', crash(crash_id => 'x')), 'crash_id', 'not_a_uuid', 'crash_id';
  refused post('/crash', crash(timestamp => 'noon')), 'timestamp', 'not_a_timestamp', 'timestamp';
  refused post('/crash', '{"user_id":"u","app_version":"1","crash_type":"c","error_message":"a\u0000b"}'),
    'error_message', 'nul_character', 'NUL';
  refused post('/strict', crash(session_id => 's')), 'session_id', 'unknown_field', 'strict';
  accepted post('/crash', crash(session_id => 's')), 1, 'not strict';
};

subtest 'the same crash has one fingerprint whatever the line, column, address and folder' => sub {
  my @same = (
    $stack,
    $stack =~ s/:120:15/:131:2/r,
    $stack =~ s{/Users/ana/app}{/home/bob/build}gr,
  );
  my @other = ($stack =~ s/at render/at paint/r, "Error: other\n    at start (/a/b.js:1:1)\n");
  my $n = 0;
  my @ids = map { uuid('print', $n++) } @same, @other;
  $n = 0;
  accepted post('/crash', [ map { crash(crash_id => $ids[ $n++ ], stack_trace => $_) } @same, @other ]), 5, 'accepted';
  stored();
  my @prints = map { kept($_)->{fingerprint} } @ids;
  is $prints[$_], $prints[0], "the same crash, seen differently ($_)" for 1, 2;
  isnt $prints[$_], $prints[0], "another crash ($_)" for 3, 4;
};

subtest 'the clock of the client is set right, and sending again changes nothing' => sub {
  my $id = uuid('again');
  my $sent_at = now() + 120_000;
  for my $try (1 .. 2) {
    accepted post('/crash', crash(crash_id => $id, timestamp => '2026-06-07T08:00:00Z', sent_at => $sent_at)), 1,
      "try $try";
    stored();
  }
  is value('SELECT count(*) FROM crashes WHERE crash_id = ?', $id), 1, 'one row';
  is value(q(SELECT "timestamp" = '2026-06-07T08:00:00Z'::timestamptz - (to_timestamp(?::numeric / 1000) - received_at) FROM crashes WHERE crash_id = ?), $sent_at, $id), 1, 'corrected';
};

subtest 'user_stats counts crashes by day' => sub {
  is value('SELECT sum(crash_count) FROM user_stats'), value('SELECT count(*) FROM crashes'), 'all of them';
  is value('SELECT count(*) FROM events'), 0, 'and no crash is an event';
};

done_testing;
