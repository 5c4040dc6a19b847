# weir-api when something is wrong or too much: PostgreSQL away, slow or hanging, clients that leave or do not
# read, more of them than there is room for, and its own end.
use v5.36;
use FindBin;
use lib "$FindBin::Bin/lib";

use IO::Socket::UNIX;
use POSIX ();
use Socket qw(SOCK_DGRAM);
use Test::More;
use Time::HiRes qw(time);

use Weir::ApiTest;

database_ready();
slow_door();

sub ready ($api) {
  wait_until('PostgreSQL is there', 60, sub { ask($api, '/health')->{status} == 200 });
  return $api;
}

# Asks without waiting for the answer.
sub send_ask ($api, $path, $viewer = 'root') {
  my $client = client($api, timeout => 60);
  return $client->send_bytes($client->format_request(GET => $path, undef, 'X-Weir-Viewer' => $viewer));
}

sub resident ($api) {
  open my $file, '<', "/proc/$api->{pid}/status" or die "status: $!\n";
  return (join('', <$file>) =~ /^VmRSS:\s+(\d+) kB/m)[0];
}

subtest 'what takes too long' => sub {
  my $api = ready(api('--statement-seconds' => 1));
  problem_is(ask($api, '/v1/daily?tenant=60%20s', viewer => 'root'), 504, 'too_slow', 'a figure');
  wait_until('PostgreSQL has given up', 60, sub { activity() == 0 });
  is ask($api, '/v1/daily?tenant=x', viewer => 'root')->{status}, 200, 'and others are answered';
  is end_api($api), 0, 'ends well';
};

subtest 'who leaves has his question cancelled' => sub {
  my $api = ready(api());
  for my $path ('/v1/daily?tenant=60%20s', '/v1/daily?tenant=60%20s&format=csv') {
    my $client = send_ask($api, $path);
    wait_until('the query runs', 60, sub { activity() == 1 });
    $client->close;
    ok wait_until('the query is gone', 60, sub { activity() == 0 }), $path;
  }
  is ask($api, '/v1/daily?tenant=x', viewer => 'root')->{status}, 200, 'and others are answered';
  is end_api($api), 0, 'ends well';
};

subtest 'many who ask the same are one question' => sub {
  my $api = ready(api('--sessions' => 2));
  my @clients = map { send_ask($api, '/v1/daily?tenant=5%20s') } 1 .. 30;
  wait_until('all others wait for the first one', 60, sub { metric($api, 'weir_api_shared_total') == 29 });
  $clients[$_]->close for 0 .. 9;
  is_deeply [ map { $_->read_answer('GET')->{status} } @clients[ 10 .. 29 ] ], [ (200) x 20 ], 'all who stay are answered';
  is metric($api, 'weir_api_queries_total{pool="figures"}'), 1, 'by one query';
  is metric($api, 'weir_api_queries_cancelled_total{pool="figures"}'), 0, 'which those who left did not cancel';
  is send_ask($api, '/v1/daily?tenant=5%20s')->read_answer('GET')->{status}, 200, 'who comes later';
  is metric($api, 'weir_api_queries_total{pool="figures"}'), 1, 'gets what is kept';
  is end_api($api), 0, 'ends well';
};

subtest 'one viewer leaves room for others' => sub {
  my $api = ready(api('--sessions' => 2, '--queue' => 20));
  my @greedy = map { send_ask($api, "/v1/daily?tenant=60%20s%20$_") } 1 .. 20;
  wait_until('all of them wait', 60, sub { activity() == 1 && metric($api, 'weir_api_queries_waiting{pool="figures"}') == 19 });
  my $answer = ask($api, '/v1/daily', viewer => 'ada');
  is $answer->{status}, 200, 'another one is answered meanwhile' or diag $answer->{body};
  is activity(), 1, 'and the first has one session only';
  $_->close for @greedy;
  ok wait_until('they are gone', 60, sub { activity() == 0 && metric($api, 'weir_api_queries_waiting{pool="figures"}') == 0 }), 'who leaves takes his questions along';
  is end_api($api), 0, 'ends well';
};

subtest 'who comes and goes wears nobody out' => sub {
  my $api = ready(api('--sessions' => 2));
  for (1 .. 5) {
    my $client = send_ask($api, '/v1/daily?tenant=60%20s');
    wait_until('the query runs', 60, sub { activity() == 1 });
    $client->close;
    is ask($api, '/v1/daily?tenant=acme', viewer => 'ada', headers => { 'Cache-Control' => 'no-cache' })->{status}, 200, 'another one is answered';
  }
  is end_api($api), 0, 'ends well';
};

subtest 'answers have a bound' => sub {
  my $api = ready(api('--cache-seconds' => 0, '--queue-seconds' => 60, '--write-seconds' => 120, '--statement-seconds' => 60));
  is length ask($api, '/v1/daily?tenant=4000000%20bytes', viewer => 'root')->{body} > 4_000_000, 1, 'one that is just small enough';
  problem_is(ask($api, '/v1/daily?tenant=5000000%20bytes', viewer => 'root'), 413, 'answer_too_large', 'and one that is not');
  my $before = resident($api);
  my @slow = map { send_ask($api, sprintf '/v1/daily?tenant=%d%%20bytes', 4_000_000 + $_) } 1 .. 40;
  ok wait_until('no more are begun', 60, sub { metric($api, 'weir_api_answer_bytes') >= 64 << 20 && metric($api, 'weir_api_queries_waiting{pool="figures"}') == 0 }), 'many that nobody reads';
  cmp_ok resident($api) - $before, '<', 200_000, 'cost what they may, and no more';
  problem_is(ask($api, '/v1/daily'), 503, 'busy', 'who asks meanwhile is told');
  $_->close for @slow;
  ok wait_until('others are answered', 60, sub { ask($api, '/v1/daily')->{status} == 200 }), 'and then there is room again';
  is end_api($api), 0, 'ends well';
};

# A list as CSV is made of the whole answer: one that is too large is refused, and readers who do not read cost what they may.
subtest 'CSV of an answer has the same bound' => sub {
  my $api = ready(api('--cache-seconds' => 0, '--queue-seconds' => 60, '--write-seconds' => 300, '--statement-seconds' => 60));
  my $definition = database()->selectrow_array(q{SELECT pg_get_functiondef('weir_api.ledger'::regproc)});
  database()->do(<<'DOOR');
CREATE OR REPLACE FUNCTION weir_api.ledger(viewer text, tenant text, first_day date, last_day date, zone text) RETURNS jsonb
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, weir, pg_temp AS $$
  SELECT jsonb_build_object('rows', (SELECT jsonb_agg(jsonb_build_object('place', i, 'text', repeat('"', 50)))
    FROM generate_series(1, substring(weir.viewed_tenant(viewer, ledger.tenant) FROM '^([0-9]+) rows')::int) AS i))
$$
DOOR
  my $path = sub ($rows) { return "/v1/ledger?tenant=$rows%20rows&format=csv&table=rows" };
  my $whole = ask($api, $path->(30_000), viewer => 'root');
  is_deeply [ $whole->{status}, scalar(() = $whole->{body} =~ /\r\n/g) ], [ 200, 30_001 ], 'one that is small enough, to its last line';
  problem_is(ask($api, $path->(40_000), viewer => 'root'), 413, 'answer_too_large', 'and one that is not');
  my $before = resident($api);
  my ($asked_at, @slow) = (0);
  my $is_full = sub {
    # Who has waited for a minute is refused: on a slow machine others have to ask.
    if (time - $asked_at > 65) {
      push @slow, map { send_ask($api, $path->(30_000 + $_)) } 1 .. 40;
      $asked_at = time;
    }
    return metric($api, 'weir_api_answer_bytes') >= 48 << 20 && metric($api, 'weir_api_queries_waiting{pool="figures"}') == 0;
  };
  ok wait_until('all that has room is begun', 240, $is_full), 'many that nobody reads';
  cmp_ok resident($api) - $before, '<', 300_000, 'cost what they may, and no more';
  $_->close for @slow;
  ok wait_until('others are answered', 60, sub { ask($api, '/v1/daily?tenant=x', viewer => 'root')->{status} == 200 }), 'and then there is room again';
  database()->do($definition);
  is end_api($api), 0, 'ends well';
};

subtest 'a function that a migration replaced' => sub {
  my $api = ready(api('--cache-seconds' => 0, '--stream-sessions' => 1));
  my $ask = sub { ask($api, '/v1/daily?tenant=3%20rows&format=csv', viewer => 'root') };
  is $ask->()->{status}, 200, 'is answered before';
  my $definition = database()->selectrow_array(q{SELECT pg_get_functiondef('weir_api.daily_rows'::regproc)});
  database()->do(q{DROP FUNCTION weir_api.daily_rows});
  database()->do($definition =~ s/crash_rate numeric\)/crash_rate double precision)/r =~ s/8\.0$/8.0::float8/mr);
  database()->do(q{SELECT weir.admit_api()});
  is $ask->()->{status}, 200, 'is answered when its columns are others, too';
  is $ask->()->{status}, 200, 'each time';
  database()->do(q{DROP FUNCTION weir_api.daily_rows});
  database()->do($definition);
  database()->do(q{SELECT weir.admit_api()});
  is end_api($api), 0, 'ends well';
};

# As between a migration that drops functions and sql/analytics/ applied again (docs/rollups.md, A new version).
subtest 'a function that a migration dropped' => sub {
  my $api = ready(api('--cache-seconds' => 0));
  is ask($api, '/stats')->{status}, 200, 'is answered before';
  database()->do('ALTER FUNCTION weir.stats_merge(weir.part[], date, date) RENAME TO stats_merge_of_before');
  my $answer = ask($api, '/stats');
  problem_is($answer, 503, 'schema_is_older', 'a figure that calls it');
  is $answer->{headers}{'retry-after'}, 30, 'which is to be asked for half a minute later';
  is ask($api, '/v1/users')->{status}, 200, 'others are answered';
  problem_is(ask($api, '/v1/daily?tenant=dropped', viewer => 'root'), 503, 'schema_is_older', 'one that was under way then');
  database()->do('ALTER FUNCTION weir.stats_merge_of_before(weir.part[], date, date) RENAME TO stats_merge');
  is ask($api, '/stats')->{status}, 200, 'and so is that one, by the same sessions, once the function is there';
  like api_log($api), qr/level=error .*error="function weir\.stats_merge\(.*\) does not exist"/, 'its log names the function';
  is end_api($api), 0, 'ends well';
};

subtest 'more questions than sessions' => sub {
  my $api = ready(api('--sessions' => 1, '--queue' => 2, '--queue-seconds' => 2));
  is ask($api, '/v1/daily?tenant=x', viewer => 'root')->{status}, 200, 'the permission is known';
  my $first = send_ask($api, '/v1/daily?tenant=60%20s');
  wait_until('the query runs', 60, sub { activity() == 1 });
  my $began = time;
  # The permission is asked for anew after a second: viewers without one would wait, too.
  my @waiting = map { send_ask($api, "/v1/daily?tenant=x$_") } 1 .. 2;
  my @answers = map { send_ask($api, "/v1/daily?tenant=y$_")->read_answer('GET') } 1 .. 3;
  problem_is($_, 503, 'busy', 'is told to come again') for @answers, map { $_->read_answer('GET') } @waiting;
  cmp_ok time - $began, '<', 60, 'in time';
  $first->close;
  wait_until('the query is gone', 60, sub { activity() == 0 });
  ok wait_until('others are answered', 60, sub { ask($api, '/v1/daily?tenant=z', viewer => 'root')->{status} == 200 }), 'then there is room again';
  is end_api($api), 0, 'ends well';
};

sub cores () { return 0 + grep { /^cpu\d/ } do { open my $file, '<', '/proc/stat' or die "stat: $!\n"; <$file> } }

# A process that never rests, until it is killed; two minutes at most.
sub spinning () {
  my $pid = fork // die "fork: $!\n";
  return $pid if $pid;
  alarm 120;
  POSIX::nice(19);    # this test's own work is to be seen, whatever runs beside it
  1 while 1;
}

subtest 'a web server that wants the cores for events' => sub {
  my $api = ready(api('--busy-share' => 10, '--queue-seconds' => 2, '--statement-seconds' => 60));
  my $figure = sub ($name) { ask($api, "/v1/daily?tenant=$name", viewer => 'root') };
  is $figure->('x')->{status}, 200, 'is not known to be so at first';
  my @busy = map { spinning() } 1 .. 2 * cores();
  # Who asks is the web server; it is busy too.
  my $held = wait_until('figures are held to their share', 60, sub { 1 for 1 .. 1e6; metric($api, 'weir_api_figure_seconds_allowed') <= 0.1 });
  ok $held, 'is found to be so';
  my $slow = send_ask($api, '/v1/daily?tenant=5%20s');
  my $works = sub ($seconds) { my $until = time + $seconds; 1 while time < $until };
  $works->(3);
  my $waits = send_ask($api, '/v1/daily?tenant=y');
  $works->(5);
  is $slow->read_answer('GET')->{status}, 200, 'one that takes long is answered';
  my $refused = $waits->read_answer('GET');
  problem_is($refused, 503, 'busy', 'the next one has to wait for its turn');
  like $refused->{body}, qr/nothing left to spare/, 'and is told why';
  kill 'KILL', @busy;
  waitpid $_, 0 for @busy;
  is end_api($api), 0, 'ends well';
};

subtest 'a long CSV, read slowly and not at all' => sub {
  my $api = ready(api('--stream-sessions' => 1, '--write-seconds' => 2));
  my $whole = ask($api, '/v1/daily?tenant=200000%20rows&format=csv', viewer => 'root');
  is $whole->{status}, 200, 'one is answered';
  is $whole->{headers}{'transfer-encoding'}, 'chunked', 'in chunks';
  is scalar(() = $whole->{body} =~ /\r\n/g), 200_001, 'to its last line';
  my $before = resident($api);
  my $stalled = send_ask($api, '/v1/daily?tenant=20000000%20rows&format=csv');
  wait_until('it runs', 60, sub { activity() == 1 });
  is ask($api, '/v1/daily?tenant=x', viewer => 'root')->{status}, 200, 'figures are answered meanwhile';
  ok wait_until('it is cut off', 60, sub { activity() == 0 }), 'who does not read is cut off';
  cmp_ok resident($api) - $before, '<', 30_000, 'and has cost little memory';
  $stalled->close;
  my $half = send_ask($api, '/v1/daily?tenant=20000000%20rows&format=csv');
  $half->read_until("2026-11-01,1,");
  database()->do(q{SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'weir_api' AND state = 'active'});
  ok !eval { $half->read_chunks; 1 }, 'what fails in its midst';
  like $@, qr/in the middle of an answer|without an answer|bad chunk/, 'has no end';
  problem_is(ask($api, '/v1/daily?tenant=5%20rows%20then%20fail&format=csv', viewer => 'root'), 500, 'internal', 'what fails before its first byte is told');
  like api_log($api), qr/level=error .*failed by the test/, 'and the log says why';
  is end_api($api), 0, 'ends well';
};

subtest 'PostgreSQL killed, and back' => sub {
  my $api = ready(api('--cache-seconds' => 0));
  my $waiting = send_ask($api, '/v1/daily?tenant=60%20s');
  wait_until('the query runs', 60, sub { activity() == 1 });
  private()->end('postgres', 'QUIT');
  problem_is($waiting->read_answer('GET'), 503, 'database_away', 'who waits is told');
  wait_until('the outage is known', 60, sub { ask($api, '/health')->{status} == 503 });
  problem_is(ask($api, $_), 503, 'database_away', $_) for '/health', '/v1/daily', '/v1/daily?format=csv';
  is metric($api, 'weir_api_postgres_up{pool="figures"}'), 0, 'and the metrics say so';
  private()->start('postgres');
  ok wait_until('figures are back', 60, sub { ask($api, '/v1/daily')->{status} == 200 }), 'by itself';
  ok wait_until('CSV too', 60, sub { ask($api, '/v1/daily?format=csv')->{status} == 200 }), 'CSV too';
  is ask($api, '/health')->{status}, 200, 'and /health says so';
  is scalar(() = api_log($api) =~ /PostgreSQL cannot be asked/g), 1, 'one line said that it was away';
  is end_api($api), 0, 'ends well';
};

subtest 'PostgreSQL hangs' => sub {
  my $api = ready(api('--statement-seconds' => 1, '--cache-seconds' => 0));
  is ask($api, '/v1/daily')->{status}, 200, 'answered before';
  my @stopped = map { $_->[0] } database()->selectall_arrayref(q{SELECT pid FROM pg_stat_activity WHERE usename = 'weir_api'})->@*;
  kill STOP => @stopped, private()->pid('postgres');
  my $answer = ask($api, '/v1/daily?to=2026-11-03');
  kill CONT => private()->pid('postgres'), @stopped;
  problem_is($answer, 503, 'database_away', 'is told in time');
  ok wait_until('figures are back', 60, sub { ask($api, '/v1/daily')->{status} == 200 }), 'and back by itself';
  is end_api($api), 0, 'ends well';
};

subtest 'a session that an operator ends' => sub {
  my $api = ready(api('--cache-seconds' => 0));
  database()->do(q{SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'weir_api'});
  ok wait_until('figures are there', 60, sub { ask($api, '/v1/daily')->{status} == 200 }), 'is replaced';
  is end_api($api), 0, 'ends well';
};

subtest 'a thousand connections, and one more' => sub {
  my $api = ready(api());
  my @clients = map { client($api) } 1 .. 1000;
  $_->open_socket for @clients;
  wait_until('all are there', 60, sub { eval { problem_of_one_more($api)->{json}{reason} } eq 'too_many_connections' });
  problem_is(problem_of_one_more($api), 503, 'too_many_connections', 'one more');
  my @tenth = @clients[ map { $_ * 10 } 0 .. 99 ];
  $_->send_bytes($_->format_request(GET => '/v1/daily', undef, 'X-Weir-Viewer' => 'ada')) for @tenth;
  is scalar(grep { $_->read_answer('GET')->{status} == 200 } @tenth), 100, 'those that are open are answered';
  $_->close for @clients;
  ok wait_until('there is room', 60, sub { ask($api, '/v1/daily')->{status} == 200 }), 'and then there is room again';
  is end_api($api), 0, 'ends well';
};

sub problem_of_one_more ($api) { return ask($api, '/health') }

subtest 'its end' => sub {
  my $api = ready(api());
  my $idle = client($api);
  is $idle->request(GET => '/health')->{status}, 200, 'a connection is open';
  my $busy = send_ask($api, '/v1/daily?tenant=2%20s');
  wait_until('the query runs', 60, sub { activity() == 1 });
  kill TERM => $api->{pid};
  ok $idle->ended, 'who waits for nothing is let go';
  my $answer = $busy->read_answer('GET');
  is $answer->{status}, 200, 'who waits is answered';
  is $answer->{headers}{connection}, 'close', 'for the last time';
  is private()->wait_for($api->{pid}), 0, 'then it ends';
};

subtest 'a socket that is left, taken, or impossible' => sub {
  my $api = ready(api());
  my ($status, $said) = try_api('--socket' => $api->{socket});
  is $status, 1, 'a second one does not start';
  like $said, qr/is served by another process/, 'and says why';
  end_api($api, 'KILL');
  ok -S $api->{socket}, 'a socket is left by a kill';
  my $next = ready(api('--socket' => $api->{socket}));
  is ask($next, '/v1/daily')->{status}, 200, 'the next one takes its place';
  is sprintf('%o', (stat $next->{socket})[2] & 0777), 660, 'with mode 0660';
  is end_api($next), 0, 'ends well';
  for my $case ([ [ '--socket' => '/nowhere/api.sock' ], qr/nothing can listen at \S+ \(No such file or directory\): make its folder, writable for this user, or choose another/ ], [ [ '--socket' => '/' . 'x' x 120 ], qr/too long for a socket/ ],
    [ [ '--socket' => private()->{dir} . '/x.sock', '--group' => 'nosuchgroup' ], qr/there is no group/ ]) {
    my ($failed, $why) = try_api($case->[0]->@*);
    is $failed, 1, "@{$case->[0]}" =~ s/x{20,}/x…/r;
    like $why, $case->[1], 'says why';
  }
  my $path  = private()->{dir} . '/other.sock';
  my $other = IO::Socket::UNIX->new(Local => $path, Type => SOCK_DGRAM) or die "cannot listen at $path: $!\n";
  like((try_api('--socket' => $path))[1], qr/nothing can listen at \S+ \(Protocol wrong type for socket\)/, 'one that speaks otherwise');
  ok -S $path, 'is left where it is';
};

subtest 'a proof that everybody can read is taken with a warning, and one that is none refused' => sub {
  my $file = private()->{dir} . '/proof';
  my $with = sub ($text, $mode) {
    open my $proof, '>', $file or die "$file: $!\n";
    print {$proof} $text;
    close $proof or die "$file: $!\n";
    chmod $mode, $file or die "chmod: $!\n";
    return api_log(ready_with_proof($file)) if length $text > 16;
    return (try_api('--socket' => private()->{dir} . '/x.sock', '--proof-file' => $file))[1];
  };
  like $with->("0123456789-s3cret\n", 0644), qr/level=warning msg="everybody on this machine can read the secret file \S+proof\S+: chmod o-r it"/, 'a warning';
  unlike $with->("0123456789-s3cret\n", 0640), qr/chmod/, 'none where only the group can';
  like $with->("s3cret\n", 0600), qr/level=error msg="the secret file \S+proof\S+ is too short/, 'one that is too short';
  like $with->('', 0600), qr/level=error .*cannot be used: it has to hold the secret on its first line/, 'one that is empty';
  unlike private()->all_logs, qr/s3cret/, 'no log shows it';
};

sub ready_with_proof ($file) {
  my $api = api('--proof-file' => $file);
  ok ask($api, '/health', headers => { 'X-Weir-Proof' => '0123456789-s3cret' })->{status}, 'it answers';
  end_api($api);
  return $api;
}

sub try_api (@options) {
  my $pid = private()->spawn('try', api_command('--postgres' => private()->conninfo('weir', 'weir_api'), @options));
  my $status = private()->wait_for($pid);
  return ($status, private()->log_of('try'));
}

# What figures are asked by then hears nothing of it: no question gets so far.
subtest 'PostgreSQL hangs while the permission is asked for' => sub {
  my $api = ready(api('--cache-seconds' => 0));
  my @stopped = map { $_->[0] } database()->selectall_arrayref(q{SELECT pid FROM pg_stat_activity WHERE usename = 'weir_api'})->@*;
  kill STOP => @stopped, private()->pid('postgres');
  my $answer = ask($api, '/v1/daily', viewer => 'root');
  # Whether it was that session alone, the next one tells.
  my $known = wait_until('the outage is known', 60, sub { ask($api, '/health')->{status} == 503 });
  my $up = metric($api, 'weir_api_postgres_up{pool="permissions"}');
  kill CONT => private()->pid('postgres'), @stopped;
  problem_is($answer, 503, 'database_away', 'is told in time');
  ok $known, '/health says so';
  is $up, 0, 'the metrics say which';
  ok wait_until('it is back', 60, sub { ask($api, '/health')->{status} == 200 }), 'and back by itself';
  is ask($api, '/v1/daily', viewer => 'root')->{status}, 200, 'with its figures';
  is scalar(() = api_log($api) =~ /PostgreSQL cannot be asked/g), 1, 'the log says so, once';
  is end_api($api), 0, 'ends well';
};

# Only who may mount something can hide a file from a process.
subtest 'what the machine works is hidden' => sub {
  my @hiding = ('unshare', '--mount', 'sh', '-c', 'mount --bind /dev/null /proc/stat && exec "$@"', 'sh');
  return pass('nothing can be mounted here') if system("unshare --mount sh -c 'mount --bind /dev/null /proc/stat' 2>/dev/null") != 0;
  my $socket = private()->{dir} . '/hidden.sock';
  my $pid = private()->spawn('hidden', @hiding, api_command('--socket' => $socket, '--postgres' => private()->conninfo('weir', 'weir_api')));
  my $told = qr{level=warning msg="figures do not give way [^\n]*hidden=/proc/stat advice=[^\n]*ProcSubset=};
  ok wait_until('it says so', 60, sub { private()->log_of('hidden') =~ $told }), 'is told, with the remedy';
  is private()->end($pid, 'TERM'), 0, 'ends well';
  is scalar(() = private()->log_of('hidden') =~ /figures do not give way/g), 1, 'once';
};

subtest 'the command line' => sub {
  my ($status, $said) = try_api('--check');
  is $status, 0, '--check';
  like $said, qr/PostgreSQL can be asked/, 'says so';
  ($status, $said) = try_api('--check', '--postgres' => 'host=/nowhere');
  is $status, 1, '--check without PostgreSQL';
  like $said, qr/cannot connect/, 'says so';
  ($status, $said) = try_api('--check', '--proof-file' => '/nowhere/proof');
  is $status, 1, '--check without the proof that is asked for';
  like $said, qr{^weir-api: the secret file "/nowhere/proof" cannot be read \(No such file or directory\): make one}m, 'says so, as the start does';
  ($status, $said) = try_api('--check', '--group' => 'nosuchgroup');
  is $status, 1, '--check with a group that there is not';
  like $said, qr/^weir-api: there is no group nosuchgroup: name the web server's with --group$/m, 'says so, as the start does';
  my $beside = private()->{dir} . '/no_socket';
  open my $file, '>', $beside or die "$beside: $!\n";
  close $file or die "$beside: $!\n";
  my %wrong = ('' => 'is no path from / on', 'api.sock' => 'is no path from / on', "\@abstract" => 'is no path from / on',
    '/' . 'x' x 107 => 'is too long for a socket: 107 bytes are the most', $beside => 'is there and is no socket');
  for my $path (sort keys %wrong) {
    for my $how ([], ['--check']) {
      ($status, $said) = try_api(@$how, '--socket' => $path);
      is $status, 1, "--socket '$path' is refused: @{[@$how ? '--check' : 'the start']}";
      like $said, qr/\Q$wrong{$path}\E/, 'and it is said why';
    }
  }
  my $own = getgrgid $);
  is((try_api('--check', '--group' => $own))[0], 0, 'of one that there is nothing is said');
  like((try_api('--version'))[1], qr/weir-api \d+\.\d+\.\d+, for version \d+ of the schema/, '--version');
  like((try_api('--help'))[1], qr/--connections NUMBER/, '--help');
  is((try_api('--connections' => 0))[0], 2, 'a bound that cannot be');
};

done_testing;
