# What is not JSON, and JSON that is not an event: the answer says where and why.
use v5.36;
use FindBin;
use lib "$FindBin::Bin/lib";
use WeirTest;

start();

sub event_with ($name, $value) {
  my %members = (event => '"e"', user_id => '"u"', $name => $value);
  return '{' . join(',', map { qq("$_":$members{$_}) } sort keys %members) . '}';
}

# The offset is that of the first byte that cannot stand there.
subtest 'what is not JSON is refused with the offset and a reason' => sub {
  my @cases = (
    [ '{',                         unexpected_end => 1 ],
    [ '{"event"',                  unexpected_end => 8 ],
    [ '{"event":',                 unexpected_end => 9 ],
    [ '{"event":"e',               unexpected_end => 11 ],
    [ '{"event":"\\',              unexpected_end => 11 ],
    [ '[{"event":"e"},',           unexpected_end => 15 ],
    [ '{"event":}',                unexpected_character => 9 ],
    [ '{"event":"e",}',            unexpected_character => 13 ],
    [ '{"event":"e" "user_id":1}', unexpected_character => 13 ],
    [ '[1,]',                      unexpected_character => 3 ],
    [ '[1,,2]',                    unexpected_character => 3 ],
    [ '{event:"e"}',               unexpected_character => 1 ],
    [ "{'event':'e'}",             unexpected_character => 1 ],
    [ '{"event":tru}',             unexpected_character => 12 ],
    [ '{"event":True}',            unexpected_character => 9 ],
    [ '{"event":nan}',             unexpected_character => 10 ],
    [ '{"event":Infinity}',        unexpected_character => 9 ],
    [ '{"event":undefined}',       unexpected_character => 9 ],
    [ '{"event":01}',              unexpected_character => 10 ],
    [ '{"event":+1}',              unexpected_character => 9 ],
    [ '{"event":.5}',              unexpected_character => 9 ],
    [ '{"event":1.}',              unexpected_character => 11 ],
    [ '{"event":1e}',              unexpected_character => 11 ],
    [ '{"event":-}',               unexpected_character => 10 ],
    [ '{"event":0x10}',            unexpected_character => 10 ],
    [ '{"event":"\x"}',            unexpected_character => 11 ],
    [ '{"event":"\u12G4"}',        unexpected_character => 14 ],
    [ '{} {}',                     unexpected_character => 3 ],
    [ '{}]',                       unexpected_character => 2 ],
    [ 'event=e&user_id=u',         unexpected_character => 0 ],
    [ '// comment',                unexpected_character => 0 ],
    [ '{}/* comment */',           unexpected_character => 2 ],
    [ "\xEF\xBB\xBF{}",            unexpected_character => 0 ],
    [ "{\"event\":\"a\nb\"}",      qr/control_character|unexpected_character/ => 11 ],
    [ "{\"event\":\"a\x01b\"}",    control_character => 11 ],
    [ "\f{}",                      control_character => 0 ],
    [ "{}\x0b",                    control_character => 2 ],
    [ "{}\0",                      control_character => 2 ],
  );
  for my $case (@cases) {
    my ($body, $reason, $offset) = @$case;
    my $name = $body =~ s/([^ -~])/sprintf '<%02X>', ord $1/egr;
    my $answer = post('/track', $body);
    my $detail = ($answer->{json} // {})->{details}[0] // {};
    is_deeply [ $answer->{status}, $answer->{json}{error} ], [ 400, 'Invalid JSON' ], "$name: refused";
    like $detail->{reason}, qr/\A$reason\z/, "$name: the reason";
    is $detail->{offset}, $offset, "$name: the offset" or diag $answer->{body};
  }
};

subtest 'an empty body, and one of white space' => sub {
  fails_with post('/track', ''), 400, qr/Invalid JSON.*"offset":0,"reason":"empty_body"/, 'nothing';
  fails_with post('/track', $_), 400, qr/Invalid JSON.*"unexpected_end"/, length($_) . ' bytes of white space'
    for '   ', "\r\n";
};

subtest 'what is not UTF-8 is refused' => sub {
  my @bad = (
    "\x80", "\xBF", "\xC0\xAF", "\xC1\xBF", "\xC3", "\xC3(", "\xE0\x80\xAF", "\xE0\x9F\xBF", "\xE2\x82",
      "\xED\xA0\x80", "\xED\xBF\xBF",
    "\xEF\xBF", "\xF0\x80\x80\xAF", "\xF0\x8F\xBF\xBF", "\xF0\x9F\x92", "\xF4\x90\x80\x80", "\xF5\x80\x80\x80",
      "\xF8\x88\x80\x80\x80",
    "\xFC\x84\x80\x80\x80\x80", "\xFE", "\xFF", "\xED\xA0\xBD\xED\xB8\x80",
  );
  for my $bytes (@bad) {
    my $name = join ' ', map { sprintf '%02X', ord } split //, $bytes;
    for my $body (event_with(properties => qq({"a":"x${bytes}y"})), event_with("x${bytes}y", 1),
      event_with(ignored => qq("$bytes"))) {
      my $offset = index $body, $bytes;
      fails_with post('/track', $body), 400, qr/Invalid JSON.*"offset":$offset,"reason":"not_utf8"/, "$name at $offset";
    }
  }
};

subtest 'U+0000 and halves of surrogate pairs are refused with their reasons' => sub {
  my %reasons = (
    '\u0000' => 'nul_character', 'a\u0000b' => 'nul_character', '\ud800' => 'lone_surrogate',
      '\udfff' => 'lone_surrogate',
    '\ud800\u0041' => 'lone_surrogate', '\ud83d' => 'lone_surrogate', '\ude00\ud83d' => 'lone_surrogate',
      '\ud83d\ud83d\ude00' => 'lone_surrogate',
    '\uDBFF\uDBFF' => 'lone_surrogate', '\ud83dx\ude00' => 'lone_surrogate', '\uD83D\\\\uDE00' => 'lone_surrogate',
  );
  for my $text (sort keys %reasons) {
    my $reason = $reasons{$text};
    refused post('/track', event_with(properties => qq({"a":["$text"]}))), 'properties', $reason, "$text in a value";
    refused post('/track', event_with(properties => qq({"$text":1}))), 'properties', $reason, "$text in a name";
    refused post('/track', event_with($_ => qq("$text"))), $_, $reason, "$text as $_"
      for qw(event user_id session_id app_version platform);
  }
  accepted post('/track', event_with(properties => '{"a":"\\ud83d\\ude00 \\\\u0000 \\\\ud800"}')), 1,
    'a whole pair, and backslashes that only look like it';
};

subtest 'each member has its type' => sub {
  my @strings = qw(event user_id session_id app_version platform country time_zone);
  for my $name (@strings) {
    refused post('/track', event_with($name => $_)), $name, 'not_a_string', "$name is $_" for qw(1 true {} []);
  }
  for my $name (qw(event user_id)) {
    refused post('/track', event_with($name => 'null')), $name, 'missing', "$name is null";
    refused post('/track', event_with($name => '""')), $name, 'empty', "$name is empty";
  }
  refused post('/track', event_with(properties => $_)), 'properties', 'not_an_object', "properties is $_"
    for qw(1 "text" true []);
  for my $value (qw(true "text" {} [])) {
    refused post('/track', event_with(sent_at => qq($value,"timestamp":"2026-01-01T00:00:00Z"))), 'sent_at',
      'not_a_timestamp', "sent_at is $value";
    refused post('/track', '{"sent_at":' . $value . ',"events":[' . event_with('x', 1) . ']}'), 'sent_at',
      'not_a_timestamp', "the batch's sent_at is $value";
  }
  refused post('/track', event_with(event_id => $_)), 'event_id', 'not_a_uuid', "event_id is $_" for qw(1 true {} []);
  refused post('/track', event_with(event_id => qq("$_"))), 'event_id', 'not_a_uuid', "event_id is $_"
    for '', 'x', '123', '00000000-0000-0000-0000-000000000000', '0190163d8694739baea5966c26f8ad91',
    '{0190163d-8694-739b-aea5-966c26f8ad91}', '0190163d-8694-739b-aea5-966c26f8ad9g',
      '0190163d-8694-739b-aea5-966c26f8ad911';
  refused post('/track', event_with(country => qq("$_"))), 'country', 'not_a_country', "country is $_" for 'ZZ',
    'ESP', 'E', '12', 'Spain', 'e ', 'Europe/Nowhere', 'Etc/UTC';
};

subtest 'JSON that is no event' => sub {
  for my $body ('1', '"text"', 'true', 'null', '[1]', '["a"]', '[[]]', '[null]') {
    my $answer = post('/track', $body);
    is $answer->{status}, 400, "$body: 400";
    is $answer->{json}{error}, 'Invalid data', "$body: Invalid data";
    is $answer->{json}{details}[0]{reason}, 'not_an_object', "$body: not_an_object" or diag $answer->{body};
  }
  for my $body ('[]', '{"events":[]}', '{"batch":[]}') {
    my $answer = post('/track', $body);
    is_deeply [ $answer->{status}, $answer->{json}{error}, $answer->{json}{details}[0]{reason} ],
      [ 400, 'Invalid data', 'empty' ], $body
      or diag $answer->{body};
  }
  refused post('/track', '{}'), 'user_id', 'missing', '{}';
  refused post('/track', '{"Event":"e","user_id":"u"}'), 'event', 'missing', 'names are case-sensitive';
};

stored();
is value('SELECT count(*) FROM events'), 1, 'nothing of all that is in the table but the one valid event';
is value('SELECT count(*) FROM dead_letters'), 0, 'and nothing in dead_letters';

done_testing;
