# Bodies that break parsers and strings that break databases: thousands, always the same.
#
#   my @texts = WeirTest::Corpus::json_values;      # JSON values, and things that only look like them
#   my @strings = WeirTest::Corpus::strings;   # UTF-8 that somebody's software once choked on
#   my @bodies = WeirTest::Corpus::documents;  # whole bodies
#   my @bodies = WeirTest::Corpus::mutations($document, 500);
#
# Nothing here says what is right: the test asks PostgreSQL.
package WeirTest::Corpus;
use v5.36;

sub json_values { return (numbers(), literals(), escapes(), raw_bytes(), structures(), spaces()) }

# Every combination of a number's parts, right and wrong ones.
sub numbers {
  my @whole = ('0', '1', '-1', '-0', '9', '10', '123456789', '00', '01', '-01', '', '-', '+1', '--1', '1 2');
  my @fraction = ('', '.0', '.5', '.10', '.000000000000000000001', '.', '..5', '.-5', '. 5');
  my @exponent = ('', 'e0', 'E5', 'e+5', 'e-5', 'e05', 'e308', 'e-308', 'e309', 'e', 'e+', 'E-', 'e1.5', 'e 5', 'ee5');
  my @all;
  for my $whole (@whole) {
    for my $fraction (@fraction) { push @all, map { "$whole$fraction$_" } @exponent }
  }
  my @limits = map { ("$_", "-$_") } (
    2**31 - 1, 2**31, 2**32 - 1, 2**32, 2**53 - 1, 2**53, 2**53 + 1, '9223372036854775807', '9223372036854775808',
      '18446744073709551615',
    '18446744073709551616', '1' . '0' x 100, '1' . '0' x 307, '0.' . '0' x 300 . '1', '9' x 400, '0.1' . '0' x 50,
      '1e131071', '1e131072', '1e-16383',
    '1e-16384', '4.9e-324', '1.7976931348623157e308', '1.7976931348623159e308', '1e999999999999999999999',
  );
  return (@all, @limits,
    qw(NaN nan Infinity -Infinity inf 0x1F 0b1 0o7 1_000 .5 5. 1f 1L 1n 1e5e5 ٣ ½ 1/2 0xG 1.2.3 ++1 - 1-1), '1,000',
    '- 1');
}

sub literals {
  my @near = map { my $word = $_; (map { substr $word, 0, $_ } 1 .. length $word), uc $word, ucfirst $word,
    "$word$word", "${word}x", " $word ", "$word\0" }
    qw(true false null);
  return (@near, qw(undefined None nil yes no on off NULL TRUE), "'text'", '`text`', 'text', '$text', '@', '#', '"',
    "'", '""', '"""');
}

# Every byte behind a backslash, and \u with all sorts of digits.
sub escapes {
  my @single = map { '"\\' . chr($_) . '"' } 0 .. 255;
  my @points = (0x0000, 0x0001, 0x001F, 0x0020, 0x007F, 0x0080, 0x00FF, 0x0100, 0x07FF, 0x0800, 0x2028, 0x2029,
    0xD7FF, 0xD800, 0xDBFF, 0xDC00,
    0xDFFF, 0xE000, 0xFEFF, 0xFFFD, 0xFFFE, 0xFFFF);
  my @units = map { (sprintf('\u%04x', $_), sprintf('\u%04X', $_)) } @points;
  my @pairs;
  for my $high (0xD800, 0xD83D, 0xDBFF, 0x0041, 0xDC00) {
    push @pairs, map { sprintf '"\u%04x\u%04x"', $high, $_ } 0xDC00, 0xDE00, 0xDFFF, 0x0041, 0xD800, 0x0000;
    push @pairs, map { sprintf '"\u%04x%s"', $high, $_ } 'x', '\n', '\\\\', "\xF0\x9F\x98\x80", ' \ude00',
      '\\\\ude00', '\u', '\ud';
  }
  my @broken = map { qq("$_") } '\u', '\u1', '\u12', '\u123', '\u123g', '\uG000', '\u 000', '\u+123', '\u-123',
    '\U0041', '\u{41}', '\x41', '\101', '\\', 'a\\',
    '\u00\u0041', "\\u00\n41", '\uFFFFF', '\u0x41';
  return (@single, (map { (qq("$_"), qq("a${_}b"), qq({"$_":1})) } @units), @pairs, @broken);
}

# Bytes as they are: each alone in a string, and what UTF-8 allows and forbids.
sub raw_bytes {
  my @alone = map { '"' . chr($_) . '"' } 0 .. 255;
  my @leads = map { my $lead = chr; map { qq("$lead$_") } "\x80", "\xBF", "\x80\x80", "\xBF\xBF", "\x80\x80\x80",
    "\xBF\xBF\xBF", "\x7F", "\x80A" } 0xC0 .. 0xFF;
  my @third = map { my $lead = $_; map { "\"$lead$_\x80\"" } "\x7F", "\x80", "\x8F", "\x90", "\x9F", "\xA0", "\xBF",
    "\xC0" } "\xE0", "\xED", "\xEF";
  my @fourth = map { my $lead = $_; map { "\"$lead$_\x80\x80\"" } "\x7F", "\x80", "\x8F", "\x90", "\xBF",
    "\xC0" } "\xF0", "\xF1", "\xF3", "\xF4", "\xF5";
  return (@alone, @leads, @third, @fourth, "\xFF", "\xEF\xBB\xBF1", "1\xEF\xBB\xBF", "\xFE\xFF\0\"\0a\0\"", "\"\0a\0");
}

sub structures {
  my @tokens = ('[', ']', '{', '}', ',', ':', '1', '"a"');
  my @three;
  for my $first (@tokens) {
    for my $second (@tokens) { push @three, map { "$first$second$_" } @tokens }
  }
  return (
    @three, '[]', '{}', '[[]]', '[{}]', '{"a":{}}', '{"a":[]}', '[1,2,3]', '[1,]', '[,1]', '[1,,2]', '[1;2]', '[1 2]',
      '[1', '1]', '["a",', '["a"', '[a]', '[1:2]',
    '{"a":1,"b":2}', '{"a":1,}', '{,"a":1}', '{"a":1,,"b":2}', '{"a" 1}', '{"a":}', '{"a"}', '{:1}', '{1:1}', '{a:1}',
      "{'a':1}", '{"a":1:2}', '{"a":1 "b":2}',
    '{"a":1;"b":2}', '{null:1}', '{true:1}', '{[]:1}', '{"a":1', '{"a":', '{"a"', '{"a', '{"a":1}}', '{"a":1}]',
      '[{"a":1]}', '[1}', '{"a":1]', '{"a":"b}',
    '{"":""}', '{"":{"":{"":1}}}', '{"a":1,"a":2}', '{"a":{"b":1},"a":{"c":2}}', '{"a":1,"\u0061":2}',
      '{"__proto__":1}', '{"constructor":{"prototype":1}}',
    '[1]//x', '[1]/*x*/', '/**/[1]', '#[1]', '[1]#', '[...]', '[1..2]', '<null>', '(1)', '[1]x', '[true false]',
      '"a" "b"', '"a""b"', '[""a]', '["a"b]',
    (map { '[' x $_ . ']' x $_ } 2 .. 20), (map { '[' x $_ . ']' x ($_ - 1) } 1 .. 10),
      (map { '{"a":' x $_ . '1' . '}' x $_ } 2 .. 20),
    '[' . join(',', 1 .. 1000) . ']', '{' . join(',', map { qq("k$_":$_) } 1 .. 100) . '}', '{'
      . join(',', map { qq("k$_":$_) } 1 .. 101) . '}',
  );
}

# Every byte where white space may stand.
sub spaces {
  return ((map { '[1,' . chr($_) . '2]' } 0 .. 255), "\t1", "1\r\n", "\n[\n1\n,\n2\n]\n", "\x{c2}\x{a0}1",
    "\xE2\x80\x831", "\xE2\x81\xA01", "1\xE2\x80\xA8", "\f1", "1\x0B", "\x851");
}

sub strings {
  return (words(), unicode(), injections(), shapes());
}

# Words and numbers that get taken for something else.
sub words {
  return (
    '', ' ', '  ', "\t", "\n", "\r", "\r\n", 'null', 'NULL', 'nil', 'None', 'undefined', 'true', 'false', 'NaN',
      'Infinity', '-Infinity', '0', '-0', '1', '-1', '01', '1e5', '0x0',
    '1.0', '1,000', '1 000', '٠١٢', '१२३', '½', '1/0', '999999999999999999999', '2147483648', '-2147483649',
      '0.1e-400', '()', '[]', '{}', '[object Object]', 'Object', 'function',
    'constructor', '__proto__', 'hasOwnProperty', 'toString', 'default', 'DEFAULT', 'public', 'CON', 'NUL', 'aux.txt',
      'COM1', '.', '..', '/', '\\', '//', '~', '-', '--', '-rf', '--help',
    'id', 'select', 'table', 'user', '2026-02-30', '1970-01-01', '0000-00-00', '24:61', 'Scunthorpe', 'Dick Van Dyke',
      'Penistone', "O'Brien", 'Anne-Marie', 'd’Arc', 'Ng', 'X Æ A-12', 'van der Berg',
  );
}

sub unicode {
  my @bytes = (
    "Gr\xC3\xBC\xC3\x9Fe", "na\xC3\xAFve", "\xC4\xB0\xC4\xB1\xC5\xBF\xC7\x85", "\xC3\x9F\xE1\xBA\x9E",
      "\xCE\xA3\xCF\x83\xCF\x82", "\xD0\x9F\xD1\x80\xD0\xB8\xD0\xB2\xD0\xB5\xD1\x82", "\xE4\xBD\xA0\xE5\xA5\xBD",
    "\xED\x95\x9C\xEA\xB5\xAD\xEC\x96\xB4", "\xE3\x81\x82\xE3\x83\xBC\xE3\x82\xA1", "\xEF\xBD\xB1\xEF\xBE\x9E",
      "\xD7\xA9\xD7\x9C\xD7\x95\xD7\x9D", "\xD8\xB3\xD9\x84\xD8\xA7\xD9\x85",
      "\xE0\xA4\xA8\xE0\xA4\xAE\xE0\xA4\xB8\xE0\xA5\x8D\xE0\xA4\xA4\xE0\xA5\x87",
    "\xE0\xB8\xAA\xE0\xB8\xA7\xE0\xB8\xB1\xE0\xB8\xAA\xE0\xB8\x94\xE0\xB8\xB5", "e\xCC\x81", "\xC3\xA9", "a"
      . "\xCC\xB6" x 100, "Z\xCD\x91\xCC\xAB\xCD\x83", "\xE2\x80\xAEtxt.exe", "\xE2\x80\x8F\xE2\x80\x8E",
      "\xE2\x81\xA6a\xE2\x81\xA9",
    "\xE2\x80\x8B", "a\xE2\x80\x8Bb", "\xE2\x80\x8D", "\xEF\xBB\xBF", "\xEF\xBB\xBFtext", "\xC2\xA0", "\xC2\xAD",
      "\xE2\x80\xA8", "\xE2\x80\xA9", "\xC2\x85", "\xE3\x80\x80", "\xE1\x9A\x80", "\xE2\x80\x83",
    "\xF0\x9F\x98\x80", "\xF0\x9F\x91\xA8\xE2\x80\x8D\xF0\x9F\x91\xA9\xE2\x80\x8D\xF0\x9F\x91\xA7",
      "\xF0\x9F\x91\x8D\xF0\x9F\x8F\xBD", "\xF0\x9F\x87\xAA\xF0\x9F\x87\xB8", "1\xEF\xB8\x8F\xE2\x83\xA3",
      "\xF0\x9D\x94\x98", "\xF0\xA0\x9C\x8E", "\xF0\x90\x8D\x88",
    "\xEE\x80\x80", "\xEF\xBF\xBD", "\xEF\xBF\xBE", "\xEF\xBF\xBF", "\xEF\xB7\x90", "\xF0\x9F\xBF\xBF",
      "\xF4\x8F\xBF\xBF", "\xF3\xA0\x81\x81", "\xED\x9F\xBF", "\xC2\x80", "\xDF\xBF", "\xE0\xA0\x80",
      "\xF0\x90\x80\x80", "\x7F", "\xEF\xBC\xA1", "\xE2\x93\xA6", "\xC6\x8E",
  );
  my @planes = map { my $c = $_ << 12; my $s = chr($c | 0x123); utf8::encode($s); $s } grep { $_ != 0xD } 0x0 .. 0x10,
    0x1F, 0x2A, 0xE0, 0xF0, 0x10F;
  my @controls = map { chr } 1 .. 0x1F;
  return (@bytes, @planes, @controls, join('', @controls));
}

sub injections {
  return (
    "'", '"', "''", '`', ';', "'; DROP TABLE events; --", "1' OR '1'='1", '") OR 1=1--', "\\'", "\\' OR 1=1; --",
      '$$', '$1', '$tag$', ':name', '?', '%s%s%s%n', '%d', '%00', '%x%x', '{0}', '{{7*7}}', '${7*7}', '#{7*7}',
      '<%= 7 %>',
    '<script>alert(1)</script>', '"><img src=x onerror=alert(1)>', 'javascript:alert(1)', '&lt;b&gt;', '&#0;', '<!--',
      ']]>', '<![CDATA[', '<?xml version="1.0"?>', '<!ENTITY x SYSTEM "file:///etc/passwd">', '$(id)', '`id`', '| id',
      '; id', '&& id',
    '../../etc/passwd', '..\\..\\boot.ini', '/dev/null', 'C:\\Users\\ana', '\\\\server\\share', 'file:///etc/passwd',
      'jndi:ldap://x/a', '() { :; }; echo', '=1+1', '+cmd', '@SUM(A1)', '-2+3', "\tx", 'a,b', 'a;b', '"a","b"',
    "a\r\nSet-Cookie: x=1", "HTTP/1.1 200 OK\r\n\r\n", "*1\r\n\$4\r\nQUIT\r\n", '$-1', '+OK', "-ERR\r\n",
      'XADD weir:{0} * r x', 'FLUSHALL', '\\.', '\\N', '\\\\N', '\\n', '\\0', '\\x00', '\\u0000', '\\ud800', "\\",
      "\\\\", "a\\", '"\\', '/*', '*/', '//',
    'PGCOPY', "PGCOPY\n\xC3\xBF\r\n", '{"event":"e"}', '[1,2', '"', '\\"', '","b":"', '"}', '"}},{"event":"x"',
      'a=b&c=d', 'ana@example.org', '192.0.2.7', '2001:db8::1', 'Bearer abc', 'data:text/html,x', "\e[31mred\e[0m",
      "\a\b", '%%', '100%', '~`!@#$%^&*()_+-={}[]|:;<>,.?/',
  );
}

# Long ones, and ones that repeat.
sub shapes {
  return ('x' x 127, 'x' x 128, 'x' x 199, 'x' x 200, "\xC3\xA9" x 100, "\xF0\x9F\x98\x80" x 50, '"' x 100,
    '\\' x 100, "\n" x 100, '[' x 200, '{' x 200, 'ab ' x 60, ('0' x 200), ('%' x 200), "\x01" x 200);
}

# A JSON string of a text: as it is, with every character escaped, and mixed.
sub encodings ($text) {
  my %short = ('"' => '\\"', '\\' => '\\\\', "\n" => '\\n', "\r" => '\\r', "\t" => '\\t', "\b" => '\\b', "\f" => '\\f');
  my $plain = $text =~ s/(["\\\x00-\x1F])/$short{$1} \/\/ sprintf '\\u%04x', ord $1/egr;
  utf8::decode(my $characters = $text);
  my $n = 0;
  my $all = join '', map { escape($_) } split //, $characters;
  my $mixed = join '',
    map { my $raw = $_; utf8::encode($raw); ord > 0x1F
    && !/["\\]/ && $n++ % 2 ? $raw : escape($_) } split //, $characters;
  return map { qq("$_") } $plain, $all, $mixed;
}

sub escape ($character) {
  my $c = ord $character;
  return sprintf '\u%04x', $c if $c < 0x10000;
  $c -= 0x10000;
  return sprintf '\u%04x\u%04X', 0xD800 + ($c >> 10), 0xDC00 + ($c & 0x3FF);
}

# Whole bodies that are not the usual object.
sub documents {
  my $event = '{"event":"e","user_id":"u"}';
  my @around = map { ($_ . $event, $event . $_) } "\0", "\t", "\n", "\f", "\x0B", "\xEF\xBB\xBF", "\xFF\xFE", ',',
    ';', '}', ']', '{', '[', '//', '#', ')]}\'', 'callback(', ' x', "\x1E", "\x1A", "\xC2\xA0", '"', '"x', "'", '-',
    'tru', '0';
  my @cut = map { substr $event, 0, $_ } 0 .. length $event;
  my @lists = ('[]', '[[]]', '[{}]', "[$event", "$event]", "[$event,]", "[,$event]", "[$event $event]", "[$event,1]",
    "[1,$event]", "[[$event]]", "[null,$event]", "{\"events\":$event}", '{"events":[]}', '{"batch":null}',
    '{"events":{}}',
    "{\"events\":[[$event]]}", "{\"events\":[$event],\"batch\":[$event]}",
      "{\"events\":[$event],\"events\":[$event]}", "{\"batch\":[$event],\"event\":\"x\",\"user_id\":\"y\"}",
      "{\"events\":[$event]}]", "{\"events\":[{\"events\":[$event]}]}");
  return (@around, @cut, @lists, $event x 2, "$event\n$event\n", 'event=e&user_id=u', '<event/>',
    "--x\r\nContent-Disposition: form-data\r\n", "\0" x 100, "\xFF" x 100, ' ' x 1000, '"' . 'x' x 100_000,
    '[' x 100_000, '{"a":' x 50_000,
    '[' x 50_000 . ']' x 50_000, '1' x 100_000, '-' x 1000, '{"a":[' . '1,' x 50_000 . '1]}', json_values());
}

# Copies of a document with one to three bytes changed, dropped, doubled, cut or made up.
sub mutations ($document, $count, $seed = 20_261_121) {
  srand $seed;
  my @bytes = ('"', '\\', '{', '}', '[', ']', ',', ':', '0', '9', '-', '.', 'e', 'E', '+', 'u', 't', 'n', ' ', "\0",
    "\n", "\x7F", "\x80", "\xC3", "\xED", "\xF4", "\xFF");
  my @ways = (
    sub ($copy, $at) { substr $$copy, $at, 1, $bytes[ rand @bytes ] },
    sub ($copy, $at) { substr $$copy, $at, 0, $bytes[ rand @bytes ] },
    sub ($copy, $at) { substr $$copy, $at, 1, '' },
    sub ($copy, $at) { substr $$copy, $at, 1, substr($$copy, $at, 1) x 2 },
    sub ($copy, $at) { substr $$copy, $at, int(rand 8), '' },
  );
  return map {
    my $copy = $document;
    $ways[ rand @ways ]->(\$copy, int rand length $copy) for 0 .. rand 3;
    $copy
  } 1 .. $count;
}

1;
