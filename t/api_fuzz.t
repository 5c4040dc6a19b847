# weir-api: whatever stands in whichever parameter, nothing of it is SQL, no answer is a fault of the server's, and
# no tenant's number gets to who may not see it. WEIR_FUZZ_SECONDS goes on for longer, WEIR_FUZZ_SEED repeats.
use v5.36;
use FindBin;
use lib "$FindBin::Bin/lib";

use File::Spec;
use JSON::XS qw(encode_json);
use POSIX qw(strftime);
use Test::More;

use Weir::ApiTest;

my $seed = $ENV{WEIR_FUZZ_SEED} // int rand 1e9;
srand $seed;
diag "WEIR_FUZZ_SEED=$seed repeats it";

database_ready();
# Both tenants have the same events, but that globex' have another word wherever an answer could show one. They are of one
# name and of one day that is over, which is packed: 80 that are their user's first and 80 that are not, since values are looked up
# in packs of 64 or more.
my $day = strftime '%Y-%m-%d', gmtime(time - 5 * 86400);
database()->do(<<'ROWS', undef, $day);
INSERT INTO weir.events (tenant_id, event_id, event, user_id, "timestamp", received_at, app_version, platform, properties)
SELECT t.tenant, gen_random_uuid(), t.word || '_event', t.word || '_user_' || i % 80, (?::date + i * interval '8 minutes') AT TIME ZONE 'UTC', now(),
  t.word || '_version', t.word || '_platform', jsonb_build_object('feature', t.word || '_feature', 'score', i % 11, 'screen', t.word || '_screen_' || i % 7,
    'account', t.word || '_account_' || i)
FROM (VALUES ('acme', 'open'), ('globex', 'secret')) AS t (tenant, word), generate_series(1, 160) AS i
ROWS
private()->run('rebuild', File::Spec->rel2abs(($ENV{BUILD} // 'build') . '/weirctl'), 'rollup', 'rebuild', '--postgres', private()->conninfo('weir', 'postgres'));
is_deeply database()->selectall_arrayref(<<'PACKS', undef, $day), [ [ acme => 2 ], [ globex => 2 ] ], 'accounts can be looked up in the packs of both';
SELECT tenant_id, count(*) FROM weir.pack_values WHERE day = ? AND name = 'account' AND event LIKE '%\_event%' GROUP BY tenant_id ORDER BY tenant_id
PACKS

my $api = api();
wait_until('PostgreSQL is there', 60, sub { ask($api, '/health')->{status} == 200 });
my $document = ask($api, '/v1/openapi.json')->{json};
my %parameters = map { $_ => $document->{paths}{$_}{get}{parameters} // [] } keys $document->{paths}->%*;
my @paths = sort grep { $parameters{$_}->@* } keys %parameters;
my $facts = rows();

# What acme has, so that not all is asked for in vain: of an account, which one event has, and of what many have.
my %of_account = (event => 'open_event', properties => { account => 'open_account_7' });
my %of_many = (event => 'open_event', properties => { score => 7, screen => 'open_screen_3' });
my @names = qw(open_event account score screen feature);
my %found = (
  steps => [ map { encode_json($_) } [ \%of_account, { event => 'open_event' } ], [ { event => 'open_event' }, \%of_many ] ],
  filter => [ map { encode_json({ properties => $_->{properties} }) } \%of_account, \%of_many ],
  rule => [ map { encode_json($_) } { did => [ \%of_account ], not => [ \%of_many ] }, { did => [ { event => 'open_event' } ], where => { properties => $of_many{properties} } } ],
  outcome => [ map { encode_json({ event => 'open_event', $_ => 'score' }) } qw(sum last) ],
  (map { ($_ => [ encode_json(\%of_account), encode_json(\%of_many), '{"event":"open_event"}' ]) } qw(start finish)),
  (map { ($_ => \@names) } qw(event property key page split)),
);
my $funnel = ask($api, "/v1/funnels?from=$day&to=$day&steps=" . escaped($found{steps}[0]))->{json};
is_deeply [ map { $_->{users} } $funnel->{steps}->@* ], [ 1, 1 ], 'and are found';

my @nasty = (
  q{'}, q{''}, q{"}, q{\\}, q{';DROP TABLE weir.events;--}, q{' OR '1'='1}, q{$1}, q{$$}, q{%s}, q{%00}, qq{\0}, qq{a\0b}, qq{\r\nX-Weir-Viewer: root},
  qq{\xff\xfe}, qq{\xc3}, qq{\xed\xa0\x80}, qq{\xf4\x90\x80\x80}, 'globex', 'acme', '*', 'root', 'secret_event',
  '0', '-1', '1', '2147483647', '2147483648', '99999999999999999999', '1e9', '1.5', 'NaN', 'Infinity', '0x10', ' 1', '1 ',
  $day, '2026-11-01', '2026-02-30', '0000-00-00', '0001-01-01', '9999-12-31', '294276-12-31', 'infinity', 'today', '2026-11-1', '-0001-01-01',
  'UTC', 'Europe/Berlin', 'Asia/Kolkata', 'posixrules', 'FOO+5', '../../etc/passwd', 'utc', 'America/St_Johns', ':UTC', '<+03>-3',
  '[]', '{}', 'null', 'true', '""', '[[]]', '[{}]', '[{"event": "a"}]', '[{"event": "a"}, {"event": "b"}]', '{"event": "secret_event"}',
  '[{"event": "a", "properties": {"p": "\'; SELECT 1"}}, {"event": "\u0000"}]', '{"properties": {"a": {"b": [1, null]}}}', '{"event": 1}',
  '[' x 100, '{"a":' x 50 . '1' . '}' x 50, '{"did": [{"event": "a", "at_least": 1}], "not": [{"event": "b"}]}', '{"all": []}',
  '{"event": "a", "at_least": 1e308}', '{"event": "a", "at_least": -0}', '{"retention": 7}', 'a' x 257, 'b' x 3000, "\x{e4}\x{f6}" x 20,
);

sub escaped ($text) { return $text =~ s/([^A-Za-z0-9])/sprintf '%%%02X', ord $1/ger }
sub one_of (@values) { return $values[ rand @values ] }

# A value as the parameter wants it, so often; else one that nobody wants, or one that was damaged.
sub value_for ($parameter, $proper) {
  my ($name, $schema) = $parameter->@{qw(name schema)};
  my $example = $found{$name} && rand() < 0.7 ? one_of($found{$name}->@*)
    : $parameter->{example} // ($schema->{enum} ? one_of($schema->{enum}->@*) : ($schema->{format} // '') eq 'date' ? $day
    : $schema->{type} eq 'integer' ? 7 : { tenant => 'acme', tz => 'UTC' }->{$name} // 'open_event');
  return $example if rand() < $proper;
  return one_of(@nasty) if rand() < 0.7;
  my $damaged = $example;
  substr $damaged, rand(1 + length $damaged), int(rand 2), one_of(@nasty, map { chr int rand 256 } 1 .. 40);
  return substr $damaged, 0, 3000;
}

sub request_of ($path) {
  my @all = $parameters{$path}->@*;
  # One wrong value of several is enough to be refused: a third of the requests have hardly any, to get further.
  my $proper = one_of(0.35, 0.35, 0.95);
  my @pairs = map { "$_->{name}=" . escaped(value_for($_, $proper)) } grep { $_->{required} ? rand() < 0.95 : rand() < 0.4 } @all;
  push @pairs, one_of(@pairs) if @pairs && rand() < 0.02;
  return substr $path . '?' . join('&', @pairs), 0, 5000;
}

sub rows () {
  return join ' ', database()->selectrow_array(
    'SELECT (SELECT count(*) FROM weir.events), (SELECT count(*) FROM weir.users), (SELECT count(*) FROM weir.viewers)');
}

my (%statuses, @faults, @told);
my $until = time + ($ENV{WEIR_FUZZ_SECONDS} // 10);
my $client = client($api);
my $requests = 0;
while (time < $until && @faults + @told < 10) {
  my $asked = request_of(one_of(@paths));
  my $answer = eval { $client->request(GET => $asked, undef, 'X-Weir-Viewer' => 'ada') } or do {
    push @faults, "$asked: $@" if ($client = client($api)) && !eval { ask($api, '/health')->{status} == 200 };
    next;
  };
  ++$requests;
  ++$statuses{ $answer->{status} };
  push @faults, "$asked: $answer->{status} $answer->{body}" if $answer->{status} == 500 || $answer->{status} !~ /\A(?:200|400|403|413|414|503|504|505)\z/;
  # A refusal may say what was asked for.
  push @told, "$asked: $answer->{body}" if $answer->{status} == 200 && $answer->{body} =~ /secret_(?:user_\d|version|platform|feature|screen|account)/;
}

is_deeply \@faults, [], 'no request is a fault of the server';
is_deeply \@told, [], q{no answer to acme's viewer has anything of globex};
cmp_ok $requests, '>', 100, 'many were asked';
cmp_ok $statuses{200} // 0, '>', $requests / 50, 'some of them for figures';
cmp_ok $statuses{400} // 0, '>', $requests / 50, 'some are refused';
diag join ', ', map { "$statuses{$_} times $_" } sort keys %statuses;
is rows(), $facts, 'and what is in the database is as it was';
is ask($api, '/v1/daily')->{status}, 200, 'then it answers as before';
unlike api_log($api), qr/level=(?:error|critical)/, 'with nothing of it in the log';
is end_api($api), 0, 'and leaves in order';

done_testing;
