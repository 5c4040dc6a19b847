# make up, down, repair and clean-run; a port that is taken; two runs side by side.
use v5.36;
use FindBin;
use lib "$FindBin::Bin/lib";
use WeirTest;
use IO::Socket::INET;
use WeirTest::Server;

my @parts = qw(web redis postgres flusher api);

# Runs a target of the Makefile as a person would, with RUN and WEIR_PORT only.
sub make_target ($weir, $target) {
  local %ENV = %ENV;
  delete @ENV{qw(MAKEFLAGS MFLAGS MAKELEVEL WEIR_WEB_CONF)};
  my $root = WeirTest::Server->root;
  open my $said, '-|',
    "make --no-print-directory -C '$root' $target RUN='$weir->{run}' WEIR_PORT=$weir->{port} 2>&1 </dev/null"
    or die "make: $!\n";
  my $text = do { local $/; <$said> };
  close $said;
  return ($? >> 8, $text);
}

sub works ($weir, $name) {
  local $Test::Builder::Level = $Test::Builder::Level + 1;
  my $client = WeirTest::Client->new(port => $weir->{port});
  my $body = json({ event => 'run', user_id => 'u1', event_id => uuid() });
  return accepted wait_for(sub { $client->request(POST => '/track', $body) }), 1, $name;
}

sub flusher_health ($weir) {
  my ($port) = $weir->setting('WEIR_FLUSHER_URL') =~ m{\Ahttp://127\.0\.0\.1:(\d+)\z} or return 'no address';
  my $answer;
  wait_for(sub { ($answer = WeirTest::Client->new(port => $port)->request(GET => '/health'))->{status} == 200 });
  return $answer ? $answer->{status} : 'no answer';
}

sub pids ($weir) { return { map { $_ => $weir->alive($_) } @parts } }

my $weir = start();
my $other = WeirTest::Server->prepare(workers => 1);

subtest 'make up, and what it leaves for others' => sub {
  my ($status, $said) = make_target($other, 'up');
  is $status, 0, 'make up' or diag $said;
  works($other, 'an event is taken');
  is $other->setting('WEIR_URL'), "http://127.0.0.1:$other->{port}", 'env: WEIR_URL';
  is $other->setting('WEIR_SERVER'), $other->{kind}, 'env: WEIR_SERVER';
  ok length $other->setting($_), "env: $_" for qw(PGHOST PGPORT PGDATABASE PGUSER REDIS_SOCKET WEIR_SPOOL);
  my $limit = WeirTest::Client->new(port => $other->{port})->request(GET => '/health')->{json}{spool}{limit};
  is $limit, 8 << 30, 'the spool is large enough for a long outage';
  is flusher_health($_), 200, 'env: WEIR_FLUSHER_URL, where the flusher tells how it fares' for $weir, $other;
  isnt $other->setting('WEIR_FLUSHER_URL'), $weir->setting('WEIR_FLUSHER_URL'), 'each its own';
  ok $other->alive($_), "pid/$_" for @parts;
  for my $part (@parts) { ok -e "$other->{run}/log/$part.log", "log/$part.log" }
  my $rows = `. '$other->{run}/env' && export PGHOST PGPORT PGDATABASE PGUSER && psql -Atc 'SELECT count(*) >= 0 FROM events'`;
  is $rows, "t\n", 'psql works with what env says, and events needs no schema';
};

subtest 'make up again leaves alone what runs' => sub {
  my $before = pids($other);
  my ($status) = make_target($other, 'up');
  is $status, 0, 'make up';
  is_deeply pids($other), $before, 'the same processes';
};

subtest 'make up repairs after kills' => sub {
  for my $part (@parts) {
    my ($before, $address) = (pids($other), $other->setting('WEIR_FLUSHER_URL'));
    $other->signal($part => 'KILL');
    ok wait_for(sub { !$other->alive($part) }), "$part is dead";
    my ($status, $said) = make_target($other, 'up');
    is $status, 0, "$part: make up" or diag $said;
    works($other, "$part: an event is taken");
    my $after = pids($other);
    isnt $after->{$part}, $before->{$part}, "$part: started again";
    is $other->setting('WEIR_FLUSHER_URL'), $address, "$part: the flusher's pages are where they were";
    is flusher_health($other), 200, "$part: and say that it is well";
    is_deeply { %$after, $part => 0 }, { %$before, $part => 0 }, "$part: the others were left alone";
  }
};

subtest 'two runs do not know of each other' => sub {
  works($_, "port $_->{port}") for $weir, $other;
  stored();
  is value('SELECT count(*) FROM events'), 1, 'each has its own tables';
};

subtest 'a port that is taken is named, with what to do' => sub {
  my $third = WeirTest::Server->prepare(port => $weir->{port});
  my ($status, $said) = make_target($third, 'up');
  isnt $status, 0, 'make up fails';
  like $said, qr/port $weir->{port} is taken.*WEIR_PORT/, 'and says why';
  works($weir, 'whoever has the port keeps it');
  $third->stop;
  $third->remove;
  ok !-e $third->{run}, 'nothing is left of it';
};

subtest 'make down ends all of it and keeps the data; make up has it again' => sub {
  my $before = pids($other);
  my $count = sub {
    my $psql = ". '$other->{run}/env' && export PGHOST PGPORT PGDATABASE PGUSER && psql -Atc 'SELECT count(*) FROM events'";
    return `$psql` + 0;
  };
  wait_for(sub { $count->() >= 6 });
  my $rows = $count->();
  my ($status, $said) = make_target($other, 'down');
  is $status, 0, 'make down' or diag $said;
  is_deeply [ grep { WeirTest::Server::runs($_) } values %$before ], [], 'no process is left';
  ok !-e "$other->{run}/pid/$_", "no pid/$_" for @parts;
  is((make_target($other, 'down'))[0], 0, 'make down again does no harm');
  is((make_target($other, 'up'))[0], 0, 'make up');
  is $count->(), $rows, 'the rows are there';
  works($other, 'and more are taken');
  works($weir, 'the other run never noticed');
};

# Runs `make run` in a process group of its own, as a terminal does, until it is ready.
sub start_run ($weir) {
  my $pid = open my $said, '-|' // die "fork: $!\n";
  if ($pid == 0) {
    setpgrp;
    delete @ENV{qw(MAKEFLAGS MFLAGS MAKELEVEL)};
    chdir(WeirTest::Server->root) && exec 'make', '--no-print-directory', 'run', "RUN=$weir->{run}",
      "WEIR_PORT=$weir->{port}" or exit 1;
  }
  my $text = '';
  while (my $line = readline $said) {
    $text .= $line;
    last if $line =~ /Ctrl-C/;
  }
  return ($pid, $said, $text);
}

subtest 'make run says when it is ready, its lines work when pasted, and Ctrl-C ends all of it' => sub {
  make_target($other, 'down');
  my ($pid, $said, $text) = start_run($other);
  like $text, qr{^ready: http://127\.0\.0\.1:$other->{port}$}m, 'ready';
  my ($curl) = $text =~ /^\s+(curl .*)$/m;
  is `$curl`, '{"status":"ok","accepted":1}', 'the curl line';
  my $figures = sub ($path, $host) { `curl -s -o /dev/null -w '%{http_code}' -H 'Host: $host' http://127.0.0.1:$other->{port}$path` };
  for my $path ('/v1/daily', '/stats') {
    ok wait_for(sub { $figures->($path, 'localhost') eq '200' }), "$path is answered to this machine";
    like $figures->($path, $_), qr/\A4(?:03|21)\z/, "and not to a page of $_" for 'evil.example', '127.0.0.1.evil.example';
  }
  my ($psql) = $text =~ /^\s+(psql .*)$/m;
  ok wait_for(sub { `$psql` =~ /app_opened.*ada/ }), 'the psql line';
  my $pids = pids($other);
  kill INT => -$pid;
  1 while readline $said;
  ok wait_for(sub { !grep { WeirTest::Server::runs($_) } values %$pids }), 'no process is left';
  close $said;
};

subtest 'make clean-run drops the data' => sub {
  make_target($other, 'up');
  my $before = pids($other);
  is_deeply [ $other->dirty_lines ], [], 'its logs were clean';
  my ($status, $said) = make_target($other, 'clean-run');
  is $status, 0, 'make clean-run' or diag $said;
  is_deeply [ grep { WeirTest::Server::runs($_) } values %$before ], [], 'no process is left';
  ok !-e "$other->{run}/$_", "no $_" for qw(data env pid log);
  $other->{stopped} = 1;
  $other->remove;
};

END { $other->stop && $other->remove if $other && $other->{owner} == $$ && !$other->{stopped} }

done_testing;
