# weirctl demo: what it says it sent is what is stored, once, however often it is said and wherever it was
# stopped.
use v5.36;
use FindBin;
use lib "$FindBin::Bin/lib";

use Digest::MD5 qw(md5_hex);
use File::Temp qw(tempdir);
use JSON::XS;
use IO::Socket::INET;
use POSIX ();
use PrivatePostgres;
use WeirTest;

my $root    = WeirTest::Server->root;
my $build   = $ENV{BUILD} // 'build';
my $weirctl = ($build =~ m{^/} ? '' : "$root/") . "$build/weirctl";
-x $weirctl or BAIL_OUT("there is no $weirctl: run make");

my $weir = start();
my $url  = "http://127.0.0.1:$weir->{port}";
my @days = qw(--days 25 --until 2026-03-31);

sub demo (@options) { return PrivatePostgres::run_command({ WEIR_URL => $url }, $weirctl, 'demo', @options) }

# The four sums that a line of the program names.
sub sums ($text, $word) {
  my ($line) = $text =~ /^\Q$word\E(\d+ events of .*)$/m or return [];
  return [ $line =~ /(\d+)/g ];
}

# The same of what is stored.
sub stored_sums () {
  return [ map { 0 + value($_) } q{SELECT count(*) FROM events WHERE event <> 'cli_command'}, 'SELECT count(DISTINCT user_id) FROM events',
    'SELECT count(*) FROM crashes', q{SELECT count(*) FROM events WHERE event = 'cli_command'} ];
}

sub difference ($more, $less) { return [ map { $more->[$_] - $less->[$_] } 0 .. $#$more ] }

# How many requests with events were ever taken. What is stored is seen later, in large transactions.
sub taken () {
  my %stream = redis()->xinfo('STREAM', 'weir:{0}');
  return $stream{'entries-added'};
}

# One sentence on standard error, and status 1.
sub fails ($result, $pattern, $name) {
  local $Test::Builder::Level = $Test::Builder::Level + 1;
  return subtest $name => sub {
    is $result->{status}, 1, 'exits with 1';
    like $result->{err}, qr/^weirctl: [^\n]+\n\z/m, 'one sentence';
    like $result->{err}, $pattern, 'says what is wrong';
  };
}

subtest 'what it says is what is stored when it ends' => sub {
  my $result = demo(qw(--users 120), @days);
  is $result->{status}, 0, 'it ends well' or diag $result->{err};
  my $sums = sums($result->{out}, 'stored: ');
  is_deeply $sums, stored_sums(), 'the sums' or diag $result->{out};
  is_deeply $sums, sums($result->{out}, ''), 'which it had said before';
  cmp_ok $sums->[$_], '>', 0, 'there are some' for 0 .. 3;
  is value('SELECT count(*) FROM dead_letters'), 0, 'nothing that PostgreSQL refused';
  is value(q{SELECT count(*) FROM events WHERE NOT "timestamp" BETWEEN '2026-03-07' AND '2026-04-01'}), 0, 'all within the days';
  is value('SELECT count(*) FROM events WHERE "timestamp" <> client_timestamp'), 0, 'at the times that were sent';
  like $result->{out}, qr{curl -s '$url/v1/users\?from=2026-03-07&to=2026-03-31'}, 'it says where to look';
  like $result->{out}, qr{weirctl demo --url $url --seed 1 --users 120 --days 25 --until 2026-03-31$}m, 'and how to repeat it';
};

# The places of an answer at which there is nothing. Of single days, hours and weeks there may be.
sub nothing_at ($value, $place = '') {
  return map { nothing_at($value->{$_}, length $place ? "$place.$_" : $_) } sort keys %$value if ref $value eq 'HASH';
  return $value->@* ? () : $place if ref $value eq 'ARRAY';
  return defined $value && $value ne '0' ? () : $place;
}

subtest 'no key figure is left without anything, nor a family of the ledger' => sub {
  my $db = db('postgres');
  my %place    = (host => 'PGHOST', port => 'PGPORT', dbname => 'PGDATABASE');
  my $conninfo = join ' ', 'user=postgres', map { "$_=" . $weir->setting($place{$_}) } sort keys %place;
  my $result = PrivatePostgres::run_command({}, $weirctl, qw(rollup refresh --postgres), $conninfo);
  is $result->{status}, 0, 'its days are counted' or diag $result->{err};
  my ($stats, $ledger) = map { JSON::XS->new->decode($db->selectrow_array("SELECT weir.${_}_answer('default', '2026-03-07', '2026-03-31')")) } qw(stats ledger);
  # Ten features at most, all of them used, some on a first day; and in 25 days nobody can be away for thirty, nor back after them.
  my $none = qr/\Afeatures\.(?:more|unused|first_use\.mean_days)\z|\Ausers\.(?:churn|retention\.day_30\.)/;
  is join(' ', grep { !/$none/ } nothing_at($stats)), '', 'every figure of /stats';
  is scalar $ledger->{families}->@*, 5, 'five families';
  is_deeply [ map { my $family = $_; map { "$family->{family}: $_" } grep { !$family->{$_} } qw(events users workspaces) } $ledger->{families}->@* ], [], 'each with events, users and workspaces';
};

subtest 'the same again is stored once' => sub {
  my $before = tables_digest();
  my $result = demo(qw(--users 120), @days);
  is $result->{status}, 0, 'it ends well' or diag $result->{err};
  is_deeply tables_digest(), $before, 'no table has changed';
};

subtest 'another seed is another demo' => sub {
  my $before = stored_sums();
  my $result = demo(qw(--users 60 --seed 2), @days);
  is $result->{status}, 0, 'it ends well' or diag $result->{err};
  is_deeply difference(stored_sums(), $before), sums($result->{out}, 'stored: '), 'all of it came to what was there';
};

subtest 'one that was stopped is completed by the same again' => sub {
  my ($before, $taken_before) = (stored_sums(), taken());
  my $folder = tempdir('weir-demo-XXXXXX', TMPDIR => 1, CLEANUP => 1);
  my @same   = (qw(--events 60000 --seed 3), @days);
  my $pid = PrivatePostgres::start_command({ WEIR_URL => $url }, "$folder/out", "$folder/err", $weirctl, 'demo', @same);
  ok wait_for(sub { taken() > $taken_before }, 60), 'some of it is taken';
  kill INT => $pid;
  my %result = (status => PrivatePostgres::finish_command($pid), err => PrivatePostgres::slurp("$folder/err"));
  fails(\%result, qr/it was stopped; \d+ of \d+ were taken\. The same again completes it/, 'it says how far it came');
  my ($taken, $all) = $result{err} =~ /(\d+) of (\d+) were taken/;
  cmp_ok $taken, '<', $all, 'it was in the middle';
  cmp_ok abs($all - 60000), '<', 1200, 'all are as many as were asked for, within 2 %';
  my $again = demo(@same);
  is $again->{status}, 0, 'the same again ends well' or diag $again->{err};
  is_deeply difference(stored_sums(), $before), sums($again->{out}, 'stored: '), 'all of it is there, nothing twice';
};

subtest 'a web server that restarts meanwhile loses nothing' => sub {
  my ($before, $taken_before) = (stored_sums(), taken());
  my $folder = tempdir('weir-demo-XXXXXX', TMPDIR => 1, CLEANUP => 1);
  my $pid = PrivatePostgres::start_command({ WEIR_URL => $url }, "$folder/out", "$folder/err", $weirctl, 'demo', qw(--events 60000 --seed 4), @days);
  ok wait_for(sub { taken() > $taken_before }, 60), 'some of it is taken';
  $weir->signal(web => 'KILL');
  allow_killed_workers();
  $weir->repair;
  is PrivatePostgres::finish_command($pid, 120), 0, 'it ends well' or diag PrivatePostgres::slurp("$folder/err");
  is_deeply difference(stored_sums(), $before), sums(PrivatePostgres::slurp("$folder/out"), 'stored: '), 'all of it is there, nothing twice';
};

# A server of a few words: it answers each POST with the next of these, and the last of them from then on, and
# writes down when, what came and what it said.
sub scripted (@answers) {
  my $listener = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 5) or die "listen: $!\n";
  my $log = tempdir('weir-demo-XXXXXX', TMPDIR => 1, CLEANUP => 1) . '/log';
  my $pid = fork // die "fork: $!\n";
  return { url => 'http://127.0.0.1:' . $listener->sockport, pid => $pid, log => $log } if $pid;
  open my $out, '>>', $log or POSIX::_exit(1);
  $out->autoflush;
  while (my $client = $listener->accept) {
    while (defined(my $line = <$client>)) {
      my ($method) = $line =~ /^(\w+)/;
      my $length = 0;
      while (($line = <$client>) =~ /\S/) { $length = $1 if $line =~ /^Content-Length: (\d+)/i }
      my $body = '';
      read $client, $body, $length;
      my ($status, $header, $said) = ('404 Not Found', '', 'no such page');
      if ($method eq 'POST') {
        ($status, $header, $said) = (@answers > 1 ? shift @answers : $answers[0])->@*;
        print {$out} join("\t", time, md5_hex($body), $status), "\n";
      }
      print {$client} "HTTP/1.1 $status\r\n${header}Content-Length: " . length($said) . "\r\n\r\n$said";
    }
  }
  POSIX::_exit(0);
}

sub end_scripted ($server) {
  kill KILL => $server->{pid};
  waitpid $server->{pid}, 0;
  return map { [ split /\t/ ] } split /\n/, PrivatePostgres::slurp($server->{log});
}

my $fine = [ '200 OK', '', '{"status":"ok","accepted":1}' ];

subtest 'what is not taken is sent again as it was, when it was told' => sub {
  my $server = scripted([ '429 Too Many Requests', "Retry-After: 2\r\n", '{"error":"slowly"}' ],
    [ '503 Service Unavailable', '', '{"error":"later"}' ], [ '502 Bad Gateway', '', 'odd' ], $fine);
  my $result = demo('--url', $server->{url}, qw(--users 5 --days 2 --until 2026-03-31));
  my @asked = end_scripted($server);
  is $result->{status}, 0, 'it ends well' or diag $result->{err};
  is scalar(grep { $_->[1] eq $asked[0][1] } @asked), 4, 'the first batch was sent four times, byte for byte';
  cmp_ok $asked[1][0] - $asked[0][0], '>=', 1.9, 'the second time after Retry-After';
  like $result->{out}, qr/health does not tell/, 'whether it is stored nobody said, and so it says';
};

subtest 'it gives up where nothing is taken for too long' => sub {
  my $server = scripted([ '503 Service Unavailable', '', '{"error":"Redis is away"}' ]);
  my $result = demo('--url', $server->{url}, qw(--users 5 --days 2 --until 2026-03-31 --patience 1));
  end_scripted($server);
  fails($result, qr/has not taken events for 1 s: 503: \{"error":"Redis is away"\}; 0 of \d+ were taken/, 'with the reason');
};

subtest 'what is refused ends it with the words of the server' => sub {
  for my $answer ([ '401 Unauthorized', '', '{"error":"unknown key"}' ], [ '200 OK', '', '{"status":"ok","accepted":1,"rejected":[{"index":0}]}' ]) {
    my $server = scripted($answer);
    my $result = demo('--url', $server->{url}, qw(--users 5 --days 2 --until 2026-03-31));
    is scalar(() = end_scripted($server)), 1, 'it asked once';
    my ($status) = $answer->[0] =~ /(\d+)/;
    fails($result, qr/does not take what a demo sends; it says $status: \Q$answer->[2]\E/, $answer->[0]);
  }
};

subtest 'where nobody answers it says what to do' => sub {
  fails(demo(qw(--url http://127.0.0.1:1)), qr/no web server answers at .* start it \(make up\), or name another with --url/, 'a port without a server');
  fails(demo('--url', $_), qr/--url \Q$_\E is no address of a web server: /, $_) for 'ftp://x', 'http://', 'http://a/?b';
};

subtest 'options that cannot be are refused by name' => sub {
  fails(demo('--until', $_), qr/--until \Q$_\E is no day: give one as/, "--until $_") for 'yesterday', '2026-02-30';
  fails(demo(qw(--until 2999-01-01)), qr/--until 2999-01-01 is still to come/, 'a day to come');
  for my $options ([qw(--users 0)], [qw(--users x)], [qw(--days 731)], [qw(--seed -1)], [qw(--users 5 --events 500)], [qw(--patience 0)], ['--evnts']) {
    my $result = demo(@$options);
    is $result->{status}, 2, "@$options";
    like $result->{err}, qr/\Q$options->[0]\E/, 'which it names';
  }
  my $help = demo('--help');
  is $help->{status}, 0, '--help';
  like $help->{out}, qr/--$_ /, "has --$_" for qw(url seed users events days until patience);
};

done_testing;
