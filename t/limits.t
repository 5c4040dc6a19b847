# Every limit of core/event/limits.h: what is exactly at it is taken, one more is refused with its
# answer, and a location can set another.
use v5.36;
use FindBin;
use lib "$FindBin::Bin/lib";
use WeirTest;
use IO::Compress::Gzip qw(gzip);
use POSIX qw(strftime);

my %small = (
  body => 300, inflated => 2000, events => 3, depth => 4, string => 50, stack_trace => 60,
  properties => 3, key => 10, name => 12, exponent => 20, first_year => 2020, last_year => 2030,
);
start(locations => [
  { path => '/track', what => 'track' },
  { path => '/crash', what => 'crash' },
  { path => '/v1/track', what => 'cli' },
  { path => '/ratio', what => 'track', limits => { ratio => 1000, body => '64k' } },
  { path => '/small-crash', what => 'crash', limits => { stack_trace => 60, string => 50, name => 12 } },
  { path => '/huge', what => 'track',
    limits => { body => '64m', inflated => '64m', ratio => 1_000_000, string => '16m' } },
  { path => '/units', what => 'track', limits => { body => '2k', inflated => '1m' } },
  map { { path => "/small-$_", what => 'track', limits => { $_ => $small{$_} } } } sort keys %small,
]);

sub event (%members) {
  my %all = (event => '"e"', user_id => '"u"', %members);
  return '{' . join(',', map { qq("$_":$all{$_}) } sort keys %all) . '}';
}
sub text ($length) { return '"' . 'x' x $length . '"' }
sub members ($count) { return '{' . join(',', map { qq("k$_":$_) } 1 .. $count) . '}' }

# An event of exactly `length` bytes.
sub padded ($length) {
  my $bare = event(properties => '{"pad":[]}');
  return event(properties => '{"pad":[' . ' ' x ($length - length $bare) . ']}');
}

# An event, the event being level 1 and properties 2.
sub nested ($depth) {
  my $arrays = $depth - 2;
  return event(properties => '{"a":' . '[' x $arrays . ']' x $arrays . '}');
}

sub zipped ($bytes) { gzip \$bytes => \my $zipped, -Level => 9; return $zipped }

sub fits_to ($path, $at, $beyond, $field, $reason, $name) {
  local $Test::Builder::Level = $Test::Builder::Level + 1;
  accepted post($path, $at), 1, "$name: at the limit";
  refused post($path, $beyond), $field, $reason, "$name: one past it";
}

subtest 'body: 1 MiB as sent' => sub {
  accepted post('/track', padded(1 << 20)), 1, 'at the limit';
  fails_with post('/track', padded((1 << 20) + 1)), 413, qr/\bbody\b.*1048576/, 'one past it names the limit';
  accepted post('/small-body', padded(300)), 1, 'another limit: at it';
  fails_with post('/small-body', padded(301)), 413, qr/\bbody\b.*300/, 'another limit: past it';
  accepted post('/units', padded(2048)), 1, '2k is 2048 bytes';
  fails_with post('/units', padded(2049)), 413, qr/\bbody\b.*2048/, 'and not 2049';
};

subtest 'inflated: 8 MiB after the content coding' => sub {
  # 48 blocks of random digits, each repeated inside gzip's window: a ratio of about 20.
  my @blocks = map { '"' . join('', map { sprintf '%08x', int rand 2**32 } 1 .. 2048) . '"' } 1 .. 48;
  my $text = '{"event":"e","user_id":"u","ignored":[' . join ',', map { ($_) x 10 } @blocks;
  my $noise = sub ($length) { $text . ' ' x ($length - length($text) - 2) . ']}' };
  my %gzip = ('Content-Encoding' => 'gzip');
  my $at = zipped($noise->(8 << 20));
  cmp_ok length $at, '<', 1 << 20, 'the body as sent keeps its own limit';
  accepted post('/track', $at, %gzip), 1, 'at the limit';
  fails_with post('/track', zipped($noise->((8 << 20) + 1)), %gzip), 413, qr/\binflated\b.*8388608/,
    'one past it names the limit';
  accepted post('/small-inflated', zipped(padded(2000)), %gzip), 1, 'another limit: at it';
  fails_with post('/small-inflated', zipped(padded(2001)), %gzip), 413, qr/\binflated\b.*2000/,
    'another limit: past it';
};

subtest 'ratio: 100 inflated bytes for each byte sent, above 64 KiB' => sub {
  my %gzip = ('Content-Encoding' => 'gzip');
  my $small = zipped(padded(64 << 10));
  accepted post('/track', $small, %gzip), 1, 'up to 64 KiB any ratio will do: ' . int((64 << 10) / length $small);
  my $bomb = zipped(padded(1 << 20));
  fails_with post('/track', $bomb, %gzip), 413, qr/\bratio\b.*100/, 'a bomb names the limit: '
    . int((1 << 20) / length $bomb);
  accepted post('/ratio', zipped(padded(500_000)), %gzip), 1, 'another limit';
};

subtest 'events: 1,000 in one request' => sub {
  my $batch = sub ($count) { '[' . join(',', (event()) x $count) . ']' };
  accepted post('/track', $batch->(1000)), 1000, 'at the limit';
  fails_with post('/track', $batch->(1001)), 413, qr/\bevents\b.*1000/, 'one past it names the limit';
  fails_with post('/track', '{"events":' . $batch->(1001) . '}'), 413, qr/\bevents\b.*1000/, 'in an envelope too';
  accepted post('/small-events', $batch->(3)), 3, 'another limit: at it';
  fails_with post('/small-events', $batch->(4)), 413, qr/\bevents\b.*3/, 'another limit: past it';
};

subtest 'depth: 16, the event being 1' => sub {
  fits_to('/track', nested(16), nested(17), 'properties', 'too_deep', 'arrays');
  fits_to('/small-depth', nested(4), nested(5), 'properties', 'too_deep', 'another limit');
  accepted post('/track', '{"events":[' . nested(16) . ']}'), 1, 'an envelope does not count';
  refused post('/track', nested(1002)), 'properties', 'too_deep', 'as deep as a body may be';
  fails_with post('/track', nested(1003)), 400, qr/Invalid JSON.*too_deep/, 'deeper: the body is refused';
  fails_with post('/track', '[' x (1 << 20)), 400, qr/Invalid JSON.*too_deep/, 'a mebibyte of brackets';
  for my $worker (weir()->workers) {
    my ($peak) = WeirTest::Server::read_file("/proc/$worker/status") =~ /^VmHWM:\s+(\d+)/m;
    cmp_ok $peak, '<', ($ENV{SAN} ? 1000 : 60) * 1024, 'and the worker has not grown with them';
  }
  refused post('/track', event(properties => '{"a":' x 20 . '1' . '}' x 20)), 'properties', 'too_deep', 'objects';
};

subtest 'string: 8 KiB' => sub {
  my $in = sub ($length) { event(properties => '{"a":[' . text($length) . ']}') };
  fits_to('/track', $in->(8192), $in->(8193), 'properties', 'too_long', 'in properties');
  fits_to('/small-string', $in->(50), $in->(51), 'properties', 'too_long', 'another limit');
  my $escaped = sub ($count) { event(properties => '{"a":"' . '\u00e9' x $count . '"}') };
  fits_to('/track', $escaped->(4096), $escaped->(4097), 'properties', 'too_long',
    'bytes count as stored, not as escaped');
};

subtest 'name: 200 bytes of user_id, event and their kin' => sub {
  for my $field (qw(user_id event session_id app_version platform)) {
    fits_to('/track', event($field => text(200)), event($field => text(201)), $field, 'too_long', $field);
    fits_to('/small-name', event($field => text(12)), event($field => text(13)), $field, 'too_long',
      "$field, another limit");
  }
};

subtest 'the texts of a crash and of a command' => sub {
  my $crash = sub ($field,
    $length) { json({ user_id => 'u', app_version => '1', crash_type => 'c', error_message => 'm',
    $field => 'x' x $length }) };
  fits_to('/crash', $crash->(error_message => 8192), $crash->(error_message => 8193), 'error_message', 'too_long',
    'error_message: 8 KiB');
  fits_to('/crash', $crash->(stack_trace => 65_536), $crash->(stack_trace => 65_537), 'stack_trace', 'too_long',
    'stack_trace: 64 KiB');
  fits_to('/small-crash', $crash->(error_message => 50), $crash->(error_message => 51), 'error_message', 'too_long',
    'error_message, another limit');
  fits_to('/small-crash', $crash->(stack_trace => 60), $crash->(stack_trace => 61), 'stack_trace', 'too_long',
    'stack_trace, another limit');
  fits_to('/crash', $crash->($_ => 200), $crash->($_ => 201), $_, 'too_long', $_)
    for qw(user_id app_version os_version crash_type);
  my $command = sub ($field, $length) {
    my %known = (session_id => uuid('session'), command => 'c', version => '1', timestamp => '2026-01-01T00:00:00Z',
      $field => 'x' x $length);
    return substr(json(\%known), 0, -1) . ',"success":true}';
  };
  for my $field (qw(command version error_type output_format model_used)) {
    is post('/v1/track', $command->($field => 200))->{body}, '{"status":"ok"}', "$field: at the limit";
    refused post('/v1/track', $command->($field => 201)), $field, 'too_long', "$field: one past it";
  }
};

subtest 'properties: 100 members of one object' => sub {
  fits_to('/track', event(properties => members(100)), event(properties => members(101)), 'properties',
    'too_many_properties', 'at the top');
  fits_to('/track', event(properties => '{"a":[' . members(100) . ']}'),
    event(properties => '{"a":[' . members(101) . ']}'), 'properties', 'too_many_properties', 'inside');
  fits_to('/small-properties', event(properties => members(3)), event(properties => members(4)), 'properties',
    'too_many_properties', 'another limit');
};

subtest 'key: 128 bytes of a member\'s name' => sub {
  my $named = sub ($length) { event(properties => '{' . text($length) . ':1}') };
  fits_to('/track', $named->(128), $named->(129), 'properties', 'too_long', 'in properties');
  fits_to('/small-key', $named->(10), $named->(11), 'properties', 'too_long', 'another limit');
};

subtest 'exponent: 308 either way' => sub {
  my $number = sub ($literal) { event(properties => qq({"a":$literal})) };
  for my $sign ('', '-') {
    fits_to('/track', $number->("${sign}1e308"), $number->("${sign}1e309"), 'properties', 'number_out_of_range',
      "${sign}1e308");
    fits_to('/track', $number->("${sign}1E-308"), $number->("${sign}1E-309"), 'properties', 'number_out_of_range',
      "${sign}1E-308");
    fits_to('/small-exponent', $number->("${sign}1e20"), $number->("${sign}1e21"), 'properties',
      'number_out_of_range', "${sign}1e20, another limit");
  }
  refused post('/track', $number->($_)), 'properties', 'number_out_of_range', $_
    for '1e131072', '1e99999999999999999999', '1e-99999999999999999999', '0e400000';
};

subtest 'first_year and last_year' => sub {
  my $at = sub ($time) { event(timestamp => qq("$time")) };
  fits_to('/track', $at->('2000-01-01T00:00:00Z'), $at->('1999-12-31T23:59:59.999999Z'), 'timestamp', 'out_of_range',
    '2000');
  fits_to('/track', $at->('2100-12-31T23:59:59.999999Z'), $at->('2101-01-01T00:00:00Z'), 'timestamp', 'out_of_range',
    '2100');
  fits_to('/small-first_year', $at->('2020-01-01T00:00:00Z'), $at->('2019-12-31T23:59:59Z'), 'timestamp',
    'out_of_range', 'another first year');
  fits_to('/small-last_year', $at->('2030-12-31T23:59:59Z'), $at->('2031-01-01T00:00:00Z'), 'timestamp',
    'out_of_range', 'another last year');
  refused post('/track', event(timestamp => $_)), 'timestamp', 'out_of_range', "$_ ms" for '0', '-1', '9999999999999';
  refused post('/track', $at->($_)), 'timestamp', 'out_of_range', $_ for '0001-01-01T00:00:00Z', '9999-12-31T23:59:59Z';
  my $now = now();
  my $behind = $now - 30 * 365 * 86_400_000;
  refused post('/track', event(timestamp => $behind + 1000, sent_at => $now)), 'timestamp', 'out_of_range',
    'thirty years ago';
};

# What is so far has its time for itself.
stored();

# Redis and the spool have to hold a request's rows in one piece.
subtest 'record: 32 MiB of rows, where the other limits are raised' => sub {
  my $text = text(11 << 20);
  my $event = event(properties => qq({"a":$text}));
  accepted post('/huge', zipped("[$event,$event]"), 'Content-Encoding' => 'gzip'), 2, 'two times 11 MiB';
  fails_with post('/huge', zipped("[$event,$event,$event]"), 'Content-Encoding' => 'gzip'), 413,
    qr/"limit":"record","maximum":33554432\b/, 'three times 11 MiB: no answer of 503 for ever';
};

subtest 'a limit on one event leaves the others of its batch alone' => sub {
  my $answer = post('/track', '[' . join(',', event(), nested(17), event()) . ']');
  is $answer->{status}, 200, 'status 200';
  is_deeply $answer->{json}, { status => 'ok', accepted => 2, rejected => [ fault(1, 'properties', 'too_deep') ] },
    'the one is named';
};

# Redis gets the 22 MiB twice where it is late with its answer, and the flusher has the same memory moved for each
# MiB that comes: with a sanitizer, on a fifth of a processor, that takes three minutes.
stored(300);
is value('SELECT count(*) FROM dead_letters'), 0, 'nothing of it is a dead letter';

done_testing;
