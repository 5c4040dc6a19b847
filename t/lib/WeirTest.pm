# What every black-box test stands on: a private Weir, a client, and its tables.
#
#   use v5.36; use FindBin; use lib "$FindBin::Bin/lib"; use WeirTest;
#   start();                                            # or start(locations => […], workers => 1)
#   my $answer = post('/track', {event => 'opened', user_id => 'u1'});
#   is $answer->{status}, 200, 'taken';
#   stored();                                           # everything taken so far is in PostgreSQL
#   is value('SELECT count(*) FROM events'), 1, 'and kept';
#   done_testing;                                       # stops Weir, and looks through its logs
#
# Test::More comes with it. Strings are bytes throughout: what a test holds is what is sent and what
# the database gave. The web server is the one that WEIR_SERVER names.
package WeirTest;
use v5.36;

use DBI;
use Digest::MD5 qw(md5_hex);
use JSON::XS ();
use Redis;
use Test::More import => ["!done_testing"];
use Time::HiRes qw(time);

use WeirTest::Client;
use WeirTest::Clients qw(in_parallel start_clients);
use WeirTest::Server;
use WeirTest::Web;

use parent 'Exporter';

our @EXPORT = (
  (grep { /\A\w/ && $_ ne 'done_testing' } @Test::More::EXPORT),
  qw(start prepare weir post get request connection raw done_testing allow_in_logs allow_killed_workers refused fault
    db value row rows redis stored holds_what_was_answered spool_files wait_for json uuid now in_parallel start_clients
    fails_with accepted tables_digest time differs median)
);

my ($weir, $client, %databases, $redis, @allowed);
my $json = JSON::XS->new->canonical->allow_nonref;

sub start (%options) { return prepare(%options)->up }

# The same with nothing running yet.
sub prepare (%options) {
  ($client, $redis, %databases) = ();
  return $weir = WeirTest::Server->prepare(%options);
}

sub weir { return $weir }

# Whether this web server's answers differ from the others' in a way that WeirTest::Web has a name for.
sub differs ($name) {
  my $server = $WeirTest::Web::differences{$name} // die "WeirTest::Web knows no difference \"$name\"\n";
  return $server eq $weir->{kind};
}

# Lines of a log that this test provokes, which would otherwise fail it.
sub allow_in_logs (@patterns) { push @allowed, @patterns; return }
sub allow_killed_workers () { return allow_in_logs($weir->adapter->killed_worker) }

sub connection (%options) {
  return WeirTest::Client->new(port => $weir->{port}, %options);
}

# One request over this process' own kept-alive connection.
sub request ($method, $path, $body = undef, %headers) {
  $client = connection() unless $client && $client->{pid} == $$;
  $client->{pid} = $$;
  my $answer = eval { $client->request($method, $path, $body, %headers) };
  return $answer if $answer;
  my $error = $@;
  $client->close;
  die $error;
}

# Posts a body: bytes as they are, a reference as JSON.
sub post ($path, $body, %headers) {
  $headers{'Content-Type'} = 'application/json' unless exists $headers{'Content-Type'};
  return request(POST => $path, ref $body ? json($body) : $body, %headers);
}

sub get ($path, %headers) { return request(GET => $path, undef, %headers) }

# Sends bytes over a fresh connection and reads one answer.
sub raw ($bytes, $method = 'POST') {
  return connection()->send_bytes($bytes)->read_answer($method);
}

sub json ($data) { return $json->encode($data) }

sub now { return int(time * 1000) }

# A version 4 UUID, the same for the same words, so that a test can send it again.
sub uuid (@words) {
  my $hex = md5_hex(join "\0", @words ? @words : (rand, time, $$));
  my ($time, $more, $third, $fourth, $node) = unpack 'A8 A4 A4 A4 A12', $hex;
  return join "-", $time, $more, "4" . substr($third, 1), "a" . substr($fourth, 1), $node;
}

# Asserts about answers ------------------------------------------------------------------------

sub accepted ($answer, $count, $name) {
  local $Test::Builder::Level = $Test::Builder::Level + 1;
  return ok(1, $name) if $answer->{status} == 200 && $answer->{body} eq qq({"status":"ok","accepted":$count});
  return fail($name) || diag("answer $answer->{status}: $answer->{body}");
}

# A request of which nothing is kept: 400, and field and reason of the event at `index`.
sub refused ($answer, $field, $reason, $name, $index = 0) {
  local $Test::Builder::Level = $Test::Builder::Level + 1;
  return is_deeply(
    [ $answer->{status}, $answer->{json} ],
    [ 400, { error => 'Invalid data', details => [ fault($index, $field, $reason) ] } ], $name
  ) || diag("answer $answer->{status}: $answer->{body}");
}

sub fault ($index, $field, $reason) {
  return { index => $index, field => $field, reason => $reason };
}

sub fails_with ($answer, $status, $pattern, $name) {
  local $Test::Builder::Level = $Test::Builder::Level + 1;
  return ok(1, $name)
    if $answer->{status} == $status && ref $answer->{json} && ($answer->{json}{error} // '') ne ''
    && $answer->{body} =~ $pattern;
  return fail($name) || diag("answer $answer->{status}: $answer->{body}, wanted $status and $pattern");
}

# PostgreSQL -----------------------------------------------------------------------------------

# A handle of this process, as the role that reads everything, or as another.
sub db ($user = undef) {
  $user //= $weir->setting('PGUSER');
  return $databases{$$}{$user} //= DBI->connect(
    sprintf('dbi:Pg:host=%s;port=%s;dbname=%s', map { $weir->setting($_) } qw(PGHOST PGPORT PGDATABASE)),
    $user, undef,
    { RaiseError => 1, PrintError => 0, AutoCommit => 1, pg_enable_utf8 => 0, AutoInactiveDestroy => 1 }
  );
}

sub value ($sql, @values) { return scalar db()->selectrow_array($sql, undef, @values) }
sub row ($sql, @values) { return db()->selectrow_hashref($sql, undef, @values) }
sub rows ($sql, @values) { return db()->selectall_arrayref($sql, { Slice => {} }, @values)->@* }

# Waits until all that was acknowledged is in PostgreSQL: workers remove a file of the spool only when
# Redis has it all, and the flusher trims a stream only after the commit, so that an empty spool and,
# after that, an empty stream say so.
sub stored ($seconds = 60) {
  my $empty = wait_for(sub { !spool_files() && redis()->xlen('weir:{0}') == 0 }, $seconds);
  die "records were left in the spool or in Redis for $seconds s\n" unless $empty;
  return 1;
}

# Asserts that the table holds each event that was answered 200, none twice, and none that was never
# sent: two sets of ids.
sub holds_what_was_answered ($answered_200, $sent) {
  local $Test::Builder::Level = $Test::Builder::Level + 1;
  my %kept;
  ++$kept{ $_->[0] } for db()->selectall_arrayref('SELECT event_id FROM events')->@*;
  is scalar(grep { !$kept{$_} } keys %$answered_200), 0, 'none of ' . keys(%$answered_200) . ' is missing';
  is scalar(grep { $_ > 1 } values %kept), 0, 'none is twice';
  is scalar(grep { !$sent->{$_} } keys %kept), 0, 'nothing that was never sent';
  is value('SELECT count(*) FROM dead_letters'), 0, 'no dead letters';
  return is value('SELECT coalesce(sum(events), 0) FROM user_days'), scalar keys %kept, 'the daily figures count each once';
}

# The files of the spool that hold records.
sub spool_files () {
  my @files = glob $weir->setting('WEIR_SPOOL') . '/*.spool';
  return @files;
}

# What the tables hold, for telling whether anything changed: table => "rows, sum of row hashes".
# The flusher's own bookmark is not part of it: it moves with every record, seen before or not. Roll-ups are
# built behind the rows, and here without the flusher's rests between.
sub tables_digest {
  my $built = sub { db('postgres')->selectrow_array('SELECT state FROM weir.refresh_roll_ups()') eq 'idle' };
  wait_for($built, 120) or die "roll-ups are not built\n";
  my @tables = map { $_->{relname} } rows(
    "SELECT relname FROM pg_class WHERE relnamespace = 'weir'::regnamespace AND relkind IN ('r', 'p')
        AND NOT relispartition AND relname NOT IN ('stream_positions', 'touched_days') ORDER BY 1"
  );
  return { map { $_ => digest_of($_) } @tables };
}

sub digest_of ($table) {
  my ($count, $sum) = db('postgres')->selectrow_array(
    "SELECT count(*), coalesce(sum(hashtextextended(t::text, 0)), 0) FROM weir.$table t");
  return "$count rows, $sum";
}

# Redis ----------------------------------------------------------------------------------------

sub redis {
  return $redis->{client} if $redis && $redis->{pid} == $$;
  $redis = { pid => $$,
    client => Redis->new(sock => $weir->setting('REDIS_SOCKET'), reconnect => 5, every => 100_000) };
  return $redis->{client};
}

# Polls a condition until it holds; its value, or nothing when the time is up. A condition that dies
# does not hold yet.
sub wait_for ($condition, $seconds = 60) {
  my $deadline = time + $seconds;
  while (1) {
    my $value = eval { $condition->() };
    return $value if $value;
    return if time > $deadline;
    select undef, undef, undef, 0.02;
  }
}

# The middle of some figures: a busy machine makes a few slow, and not the half of them.
sub median (@figures) { return (sort { $a <=> $b } @figures)[ @figures / 2 ] }

# The end --------------------------------------------------------------------------------------

# Stops Weir first: what goes wrong at the end (a leak, a crash on exit) is in the logs by then.
sub done_testing {
  local $Test::Builder::Level = $Test::Builder::Level + 1;
  if ($weir) {
    disconnect();
    ok $weir->stop, 'everything stops when told to';
    my @dirty = $weir->dirty_lines(@allowed);
    is scalar @dirty, 0, 'the logs are clean' or diag join "\n", @dirty[ 0 .. ($#dirty > 20 ? 20 : $#dirty) ];
  }
  return Test::More::done_testing();
}

sub disconnect {
  $_->disconnect for grep { defined } values %{ delete $databases{$$} // {} };
  return;
}

# A test that is told to end, or whose harness has gone, ends its Weir too.
$SIG{$_} = sub { exit 1 } for qw(INT TERM HUP PIPE);

END {
  $SIG{PIPE} = 'IGNORE';
  if ($weir && $weir->{owner} == $$) {
    my $status = $?;
    my $failed = $status || !Test::More->builder->is_passing;
    eval { disconnect(); $weir->stop; diag(join "\n", $weir->log_tails) if $failed; $weir->remove; 1 } or warn $@;
    $? = $status;
  }
}

1;
