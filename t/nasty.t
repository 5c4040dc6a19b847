# Thousands of bodies made to break something. PostgreSQL's own parsers are the judges: what they call
# JSON Weir may not call otherwise, what Weir answered 200 is in the table as PostgreSQL reads it from
# the body, and what jsonb cannot hold was refused.
use v5.36;
use FindBin;
use lib "$FindBin::Bin/lib";
use WeirTest;
use WeirTest::Corpus;

my $weir = start();
my @workers = $weir->workers;
my $clients = 8;
my @cases;    # {path, body}
my $events = 0;

sub add ($path, @bodies) { push @cases, map { { path => $path, body => $_ } } @bodies }

sub members (%all) { return '{' . join(',', map { qq("$_":$all{$_}) } sort keys %all) . '}' }

sub event (%more) { return members(event => '"nasty"', user_id => '"u"', event_id => '"' . uuid(++$events) . '"',
  %more) }

sub crash ($string) {
  return members(
    crash_id => '"' . uuid(++$events) . '"', user_id => $string, app_version => $string, os_version => $string,
      crash_type => $string,
    error_message => $string, stack_trace => $string, context => "{\"a\":[$string]}",
  );
}

my @strings = map { WeirTest::Corpus::encodings($_) } WeirTest::Corpus::strings();
add('/track', map { event(properties => "{\"v\":$_}") } WeirTest::Corpus::json_values());
my $value_cases = @cases;
add('/track', map { event(event => $_, user_id => $_, session_id => $_, app_version => $_, platform => $_,
  properties => "{$_:[$_]}") } @strings);
for my $n (1 .. 1500) {
  my $whole = event(
    event_id => '"' . uuid('mutation', $n) . '"', session_id => '"s"', app_version => '"1.0"', platform => '"x"',
      timestamp => '"2026-10-01T00:00:00.5Z"',
    properties => '{"a":[1,-2.50e3,"x\u00e9\ud83d\ude00",true,null],"b":{"":{}}}',
  );
  add('/track', WeirTest::Corpus::mutations($whole, 1, $n));
}
add('/crash', map { crash($_) } @strings);
my $kept_cases = @cases;    # from here on bodies without an id of their own
add('/track', WeirTest::Corpus::documents());

cmp_ok scalar @cases, '>=', 2000, scalar(@cases) . ' bodies';

my $before = time;
my @answers = map { @$_ } in_parallel($clients, sub ($client) {
  my $connection = connection();
  return [ map {
    my $answer = $connection->request(POST => $cases[$_]{path}, $cases[$_]{body});
    { n => $_, status => $answer->{status}, body => $answer->{body}, json => $answer->{json} }
  } grep { $_ % $clients == $client } 0 .. $#cases ];
});
note sprintf '%.1f s', time - $before;

sub shown ($n) { return substr($cases[$n]{body}, 0, 300) =~ s/([^ -~])/sprintf '<%02X>', ord $1/egr }

# One assertion about all cases; the first few that break it are shown.
sub none ($name, @broken) {
  local $Test::Builder::Level = $Test::Builder::Level + 1;
  return is(scalar @broken, 0, $name) || diag join "\n",
    map { "$_->{status} $_->{body}\n  for " . shown($_->{n}) } grep { defined } @broken[ 0 .. 9 ];
}

none 'each is answered 200 or 400', grep { $_->{status} !~ /\A(?:200|400)\z/ } @answers;
none 'each answer is one of the three kinds', grep { kind($_) eq '' } @answers;

sub kind ($answer) {
  return 'accepted' if $answer->{status} == 200 && ($answer->{json}{accepted} // 0) > 0;
  return $answer->{status} == 400 ? ($answer->{json}{error} // '') =~ s/\AInvalid (?:JSON|data)\K.*//sr : '';
}

is_deeply [ $weir->workers ], \@workers, 'no worker had to be started again';
stored(60);

# The judge ------------------------------------------------------------------------------------

my $judge = db('postgres');
$judge->do('CREATE TEMP TABLE cases (n int PRIMARY KEY, path text, kind text, accepted int, body bytea, is_json bool, doc jsonb, id uuid)');
for my $type ('json', 'jsonb') {
  $judge->do(<<~SQL);
    CREATE FUNCTION pg_temp.try_$type(body bytea) RETURNS $type LANGUAGE plpgsql AS \$\$
    BEGIN RETURN convert_from(body, 'UTF8')::$type; EXCEPTION WHEN others THEN RETURN NULL; END \$\$
    SQL
}
$judge->do('COPY cases (n, path, kind, accepted, body) FROM STDIN');
for my $answer (@answers) {
  my $case = $cases[ $answer->{n} ];
  $judge->pg_putcopydata(join("\t", $answer->{n}, $case->{path}, kind($answer), $answer->{json}{accepted} // 0,
    '\\\\x' . unpack 'H*', $case->{body}) . "\n");
}
$judge->pg_putcopyend;
$judge->do('UPDATE cases SET is_json = pg_temp.try_json(body) IS NOT NULL, doc = pg_temp.try_jsonb(body)');
$judge->do(q(UPDATE cases SET id = coalesce(doc->>'crash_id', doc->>'event_id')::uuid WHERE kind = 'accepted' AND jsonb_typeof(doc) = 'object'));
$judge->do('ANALYZE cases');

my %by_number = map { $_->{n} => $_ } @answers;
sub found ($where) { return map { $by_number{$_} } $judge->selectcol_arrayref("SELECT n FROM cases WHERE $where ORDER BY n")->@* }

# PostgreSQL's parser gives up on nesting by the depth of its stack, Weir counts.
my $shallow = 'length(body) < 50000';
none 'what is not JSON for PostgreSQL is not JSON for Weir',
  found("NOT is_json AND kind <> 'Invalid JSON' AND $shallow");
none 'what is JSON for PostgreSQL is JSON for Weir', found("is_json AND kind = 'Invalid JSON' AND $shallow");
# What is wrong in a member that a mutation gave another name is not stored, and does no harm.
none 'what jsonb cannot hold is refused',
  found(q(doc IS NULL AND kind = 'accepted' AND position('"properties":{' IN body) > 0) . " AND $shallow");

# An event that PostgreSQL could have stored may be refused for a bound or its form, never for what
# is not in it.
none 'nothing is refused for a NUL or a surrogate that is not there',
  grep { $_->{body} =~ /nul_character|lone_surrogate/ } found("doc IS NOT NULL AND kind = 'Invalid data' AND jsonb_typeof(doc) = 'object' AND doc->'events' IS NULL AND doc->'batch' IS NULL");
none 'every property value that keeps the bounds is accepted',
  grep { $_->{body} !~ /number_out_of_range|too_deep|too_many_properties|too_long/ } found("doc IS NOT NULL AND kind <> 'accepted' AND n < $value_cases");

my $accepted = 0;
$accepted += $_->{json}{accepted} // 0 for grep { $cases[ $_->{n} ]{path} eq '/track' } @answers;
is value('SELECT count(*) FROM events'), $accepted, "as many rows as accepted events: $accepted";
is value('SELECT count(*) FROM crashes'),
  scalar(grep { $cases[ $_->{n} ]{path} eq '/crash' && $_->{status} == 200 } @answers), 'and as many crashes';

my %same = (
  '/track' => <<~'SQL',
    SELECT FROM events e WHERE e.event = c.doc->>'event' AND e.user_id = c.doc->>'user_id' AND e.session_id IS NOT DISTINCT FROM c.doc->>'session_id'
      AND e.app_version IS NOT DISTINCT FROM c.doc->>'app_version' AND e.platform IS NOT DISTINCT FROM c.doc->>'platform'
      AND e.properties::text IS NOT DISTINCT FROM nullif(c.doc->'properties', 'null')::text AND e.event_id
    SQL
  '/crash' => <<~'SQL',
    SELECT FROM crashes e WHERE e.user_id = c.doc->>'user_id' AND e.app_version = c.doc->>'app_version' AND e.os_version = c.doc->>'os_version'
      AND e.crash_type = c.doc->>'crash_type' AND e.error_message = c.doc->>'error_message' AND e.stack_trace = c.doc->>'stack_trace'
      AND e.context::text = (c.doc->'context')::text AND e.crash_id
    SQL
);

# The accepted cases of which the table holds no row with the same values: those that named their row,
# and the few whose id was among what got broken.
sub not_in_table ($path) {
  my @missing = map {
    $judge->selectcol_arrayref("SELECT n FROM cases c WHERE kind = 'accepted' AND doc IS NOT NULL AND path = '$path' AND n < $kept_cases AND $_)")->@*
  } "id IS NOT NULL AND NOT EXISTS ($same{$path} = c.id", "id IS NULL AND NOT EXISTS ($same{$path} IS NOT NULL";
  return map { $by_number{$_} } @missing;
}
none 'every event answered 200 is in the table with the values that PostgreSQL reads from its body',
  not_in_table('/track');
none 'and so is every crash', not_in_table('/crash');
is value('SELECT count(*) FROM dead_letters'), 0, 'nothing reached dead_letters';

done_testing;
