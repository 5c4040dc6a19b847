# What a worker that is told to quit does with kept connections: those that Weir has answered get one
# more second, all others are closed as nginx does it.
use v5.36;
use FindBin;
use lib "$FindBin::Bin/lib";
use WeirTest;

my $weir = start(kind => 'nginx', workers => 1, config => <<'END');
location = /track  { weir track; }
location = /health { weir health; }
location = /page   { return 200 "nginx's own"; }
END

my $event = '{"event":"grace","user_id":"u"}';

sub ask ($connection, $path) {
  return $connection->request($path eq '/track' ? ('POST', $path, $event) : ('GET', $path));
}

# Connections over which each path was asked for once.
sub kept (@paths) {
  my @connections = map { connection(timeout => 5) } @paths;
  for my $n (0 .. $#paths) {
    my $answer = ask($connections[$n], $paths[$n]);
    is_deeply [ $answer->{status}, $answer->{headers}{connection} ], [ 200, 'keep-alive' ], "$paths[$n] is kept alive";
  }
  return @connections;
}

sub quits ($pid) {
  return wait_for(sub { WeirTest::Server::read_file("$weir->{run}/log/web.log") =~ /$pid#\d+: gracefully shutting down/ });
}

# Reloads, and returns the old worker once it knows.
sub reload {
  my ($old) = $weir->workers;
  $weir->signal(web => 'HUP');
  ok quits($old), 'the old worker is told to quit';
  return $old;
}

# Long before nginx itself would close them; after how many seconds.
sub leaves ($pid) {
  my $from = time;
  ok wait_for(sub { !WeirTest::Server::runs($pid) }, 30), 'the worker leaves';
  return time - $from;
}

subtest 'a request within the second is answered, and told that it is the last' => sub {
  my @connections = kept(('/track') x 4, '/health');
  my $old = reload();
  for my $connection (@connections) {
    my $answer = ask($connection, '/track');
    accepted $answer, 1, 'taken';
    is $answer->{headers}{connection}, 'close', 'the last one';
  }
  leaves($old);
};

subtest 'a connection that says nothing is closed after the second, and the worker leaves' => sub {
  my @connections = kept(('/track') x 16);
  my $old = reload();
  my $seconds = leaves($old);
  cmp_ok $seconds, '>', 0.5, 'not before';
  is scalar(grep { $_->ended } @connections), 16, 'all are closed';
};

# By the time that nginx has closed these, another connection still has its second.
sub closed_at_once ($witness, @connections) {
  my $old = reload();
  is scalar(grep { $_->ended } @connections), scalar @connections, 'closed';
  accepted ask($witness, '/track'), 1, 'while another one still has its second';
  return leaves($old);
}

subtest 'what Weir never answered gets no second' => sub {
  my ($page, $witness) = kept('/page', '/track');
  closed_at_once($witness, $page);
};

subtest 'a place that another connection has by now gets no second from the one before' => sub {
  my ($first, $witness) = kept('/track', '/track');
  $first->close;
  closed_at_once($witness, kept(('/page') x 4));
};

subtest 'TERM does not wait for the second' => sub {
  my ($connection) = kept('/track');
  my $old = reload();
  kill TERM => $old;
  leaves($old);
  ok $connection->ended, 'closed';
};

subtest 'QUIT for all of nginx gives the second, too' => sub {
  my ($connection, $silent) = kept('/track', '/track');
  my ($worker) = $weir->workers;
  $weir->signal(web => 'QUIT');
  ok quits($worker), 'the worker is told to quit';
  accepted ask($connection, '/track'), 1, 'taken';
  leaves($worker);
  ok $silent->ended, 'closed';
};

done_testing;
