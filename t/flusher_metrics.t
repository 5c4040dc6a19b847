# /metrics and /health of weir-flusher: counters are what the tables say, and health means progress.
use v5.36;
use FindBin;
use lib "$FindBin::Bin/lib";

use IO::Socket::UNIX;
use JSON::XS ();
use Socket qw(SOCK_DGRAM);
use Test::More;

use Weir::FlusherTest;
use Weir::Record;
use WeirTest::Client;

my $private = private();
$private->start('redis', 'postgres');
$private->create_database('weir');
$private->migrate('weir');

# A flusher that serves, and the port at which it does.
sub serving (@options) {
  my $flusher = $private->flusher('--metrics' => '127.0.0.1:0', @options);
  has_said($flusher, qr/serving.*address=127\.0\.0\.1:\d/);
  my ($port) = $private->said_by($flusher) =~ /address=127\.0\.0\.1:(\d+)/;
  return ($flusher, $port);
}

sub ask ($port, $path, $method = 'GET') { return WeirTest::Client->new(port => $port)->request($method, $path) }

# series => figure
sub figures ($port) { return { ask($port, '/metrics')->{body} =~ /^(\w\S*) (\S+)$/mg } }

sub of_stream ($name, $stream) { return qq(weir_flusher_$name\{stream="$stream"}) }
sub of_server ($name, $server) { return qq(weir_flusher_$name\{server="$server"}) }

sub becomes ($port, $series, $wanted, $name) {
  local $Test::Builder::Level = $Test::Builder::Level + 1;
  my $last = 'none';
  my $holds = ref $wanted ? $wanted : sub ($figure) { $figure eq $wanted };
  eval { wait_until($name, 60, sub { $holds->($last = figures($port)->{$series} // 'none') }) };
  return ok($holds->($last), $name) || diag "$series is $last";
}

# Waits until /health answers as it should, and returns its JSON.
sub health_becomes ($port, $status, $reason, $name) {
  local $Test::Builder::Level = $Test::Builder::Level + 1;
  my ($answer, $json);
  eval {
    wait_until($name, 60, sub {
      $answer = ask($port, '/health');
      $json = JSON::XS::decode_json($answer->{body});
      return $answer->{status} == $status && ($json->{reason} // $json->{status}) eq $reason;
    });
  };
  is("$answer->{status} " . ($json->{reason} // $json->{status}), "$status $reason", $name) or diag $answer->{body};
  # What is stalled comes and goes with each batch, and a busy machine makes slow ones.
  becomes($port, 'weir_flusher_healthy', $status == 200 ? 1 : 0, 'and /metrics says the same') if $reason ne 'no_progress';
  return $json;
}

subtest 'what is counted is what the tables say' => sub {
  my ($stream, $tenant) = fresh('counted');
  my ($flusher, $port) = serving('--stream' => $stream);
  my @ids = map { uuid() } 1 .. 20;
  add($stream, record(events => $tenant, now(), map { event(event_id => $_, client_timestamp => 1_700_000_000_000_000) } @ids)) for 1 .. 2;
  add_event($stream, $tenant) for 1 .. 5;
  add_event($stream, $tenant, properties => '{"a":"\u0000"}') for 1 .. 2;
  add($stream, "\x01 no record");
  is_drained($stream, $tenant, 25);
  becomes($port, 'weir_flusher_stored_entries_total', 10, 'entries');
  my $now = figures($port);
  is($now->{weir_flusher_stored_rows_total}, events_of($tenant), 'rows');
  is($now->{weir_flusher_duplicate_rows_total}, 20, 'duplicates');
  is($now->{weir_flusher_dead_rows_total}, value('SELECT count(*) FROM weir.dead_letters'), 'dead letters');
  is($now->{weir_flusher_dead_rows_total}, 3, 'of which there are three');
  is($now->{weir_flusher_batch_rows_count}, $now->{weir_flusher_batches_total}, 'each batch has a size');
  is($now->{weir_flusher_batch_rows_sum}, 25 + 20 + 3, 'which make up all rows');
  is($now->{weir_flusher_batch_seconds_count}, $now->{weir_flusher_batches_total}, 'and a duration');
  is($now->{'weir_flusher_batch_seconds_bucket{le="+Inf"}'}, $now->{weir_flusher_batches_total}, 'in one of the buckets');
  cmp_ok($now->{weir_flusher_batch_seconds_sum}, '>', 0, 'of some time');
  is($now->{ of_stream(lease_held => $stream) }, 1, 'it holds the lease');
  becomes($port, of_stream(lag_entries => $stream), 0, 'nothing waits');
  my ($milliseconds) = position_of($stream) =~ /\A(\d+)-/;
  becomes($port, of_stream(position_timestamp_seconds => $stream), sub ($at) { abs($at - $milliseconds / 1000) < 0.01 }, 'the position');
  cmp_ok(abs(figures($port)->{ of_stream(progress_timestamp_seconds => $stream) } - time), '<', 60, 'progress was just now');
  cmp_ok(abs($now->{weir_flusher_start_timestamp_seconds} - time), '<', 120, 'started a little before');
  my $health = health_becomes($port, 200, 'ok', 'healthy');
  is_deeply([ $health->@{qw(postgres redis)} ], [ 'up', 'up' ], 'with both servers');
  is($health->{streams}[0]{stream}, $stream, 'and its stream');
  is($private->end($flusher, 'TERM'), 0, 'leaves in order');
};

subtest 'the page, and what else may be asked for' => sub {
  my ($stream) = fresh('page');
  my ($flusher, $port) = serving('--stream' => $stream);
  health_becomes($port, 200, 'ok', 'healthy');
  my $page = ask($port, '/metrics');
  is($page->{status}, 200, 'is there');
  is($page->{headers}{'content-type'}, 'text/plain; version=0.0.4', 'in the text format of Prometheus');
  unlike($page->{body}, qr/^(?!# |weir_flusher_)/m, 'only what is Weir\'s');
  is(ask($port, '/health')->{headers}{'content-type'}, 'application/json', 'health is JSON');
  for my $path ('/metrics', '/health') {
    my $head = ask($port, $path, 'HEAD');
    is("$head->{status} $head->{body}", '200 ', "HEAD $path");
    my $post = ask($port, $path, 'POST');
    is("$post->{status} $post->{headers}{allow}", '405 GET, HEAD', "POST $path");
  }
  is(ask($port, $_)->{status}, 404, "$_ is not there") for '/', '/metrics/x', '/healthy';
  is($private->end($flusher, 'TERM'), 0, 'leaves in order');
};

subtest 'the lag rises while PostgreSQL is away, health says so, and both come back' => sub {
  my ($stream, $tenant) = fresh('postgres');
  my ($flusher, $port) = serving('--stream' => $stream);
  add_event($stream, $tenant);
  is_drained($stream, $tenant, 1);
  health_becomes($port, 200, 'ok', 'before');
  is(figures($port)->{ of_server(server_up => 'postgres') }, 1, 'PostgreSQL is up');
  $private->end(postgres => 'QUIT');
  my $health = health_becomes($port, 503, 'postgres_away', 'while it is away');
  like($health->{detail}, qr/PostgreSQL is away/, 'with a sentence');
  is($health->{redis}, 'up', 'Redis is not');
  add_event($stream, $tenant) for 1 .. 3;
  becomes($port, of_stream(lag_entries => $stream), 3, 'entries wait');
  becomes($port, of_stream(lag_seconds => $stream), sub ($age) { $age =~ /\d/ && $age > 1.5 }, 'and get older');
  my $now = figures($port);
  is($now->{ of_server(server_up => 'postgres') }, 0, 'PostgreSQL is down');
  is($now->{ of_server(server_up => 'redis') }, 1, 'Redis is up');
  is($now->{ of_server(outages_total => 'postgres') }, 1, 'one outage');
  cmp_ok($now->{ of_server(failures_total => 'postgres') }, '>', 1, 'and several tries');
  $private->start('postgres');
  is_drained($stream, $tenant, 4);
  becomes($port, of_stream(lag_entries => $stream), 0, 'nothing waits any more');
  becomes($port, of_stream(lag_seconds => $stream), 0, 'nor is old');
  health_becomes($port, 200, 'ok', 'after');
  is($private->end($flusher, 'TERM'), 0, 'leaves in order');
};

# An entry of `count` events.
sub add_events ($stream, $tenant, $count) {
  return add($stream, record(events => $tenant, now(), map { event() } 1 .. $count));
}

subtest 'the lag in events is exact of what was read, and follows the mean of what was not' => sub {
  my ($stream, $tenant) = fresh('events');
  my ($flusher, $port) = serving('--stream' => $stream);
  add_events($stream, $tenant, 10) for 1 .. 4;
  is_drained($stream, $tenant, 40);
  becomes($port, of_stream(lag_events => $stream), 0, 'nothing waits');
  database()->do('REVOKE INSERT ON weir.events FROM weir_flusher');
  add_events($stream, $tenant, $_) for 1, 2, 3;
  becomes($port, of_stream(lag_entries => $stream), 3, 'entries wait');
  becomes($port, of_stream(lag_events => $stream), 6, 'whose events it has counted');
  $private->end(postgres => 'QUIT');
  health_becomes($port, 503, 'postgres_away', 'while PostgreSQL is away');
  add($stream, record(events => $tenant, now(), event()));
  becomes($port, of_stream(lag_entries => $stream), 4, 'another one waits, which it has not read');
  my $guess = figures($port)->{ of_stream(lag_events => $stream) };
  ok($guess > 7 && $guess <= 16, 'and counts as much as those before it') or diag $guess;
  is(health_becomes($port, 503, 'postgres_away', 'still')->{streams}[0]{lag_events}, $guess, 'as health says, too');
  $private->start('postgres');
  database()->do('GRANT INSERT ON weir.events TO weir_flusher');
  is_drained($stream, $tenant, 47);
  becomes($port, of_stream(lag_events => $stream), 0, 'nothing waits any more');
  is($private->end($flusher, 'TERM'), 0, 'leaves in order');
};

subtest 'health is bad while Redis is away, and good again after' => sub {
  my ($stream, $tenant) = fresh('redis');
  my ($flusher, $port) = serving('--stream' => $stream);
  health_becomes($port, 200, 'ok', 'before');
  $private->end(redis => 'KILL');
  health_becomes($port, 503, 'redis_away', 'while it is away');
  is(figures($port)->{ of_server(server_up => 'redis') }, 0, 'Redis is down');
  becomes($port, of_stream(lease_held => $stream), 0, 'after a while it leaves the stream to others');
  $private->start('redis');
  add_event($stream, $tenant);
  is_drained($stream, $tenant, 1);
  health_becomes($port, 200, 'ok', 'after');
  is($private->end($flusher, 'TERM'), 0, 'leaves in order');
};

subtest 'a flusher that lives and moves nothing is not healthy' => sub {
  my ($stream, $tenant) = fresh('stalled');
  my ($flusher, $port) = serving('--stream' => $stream, '--stalled-seconds' => 2);
  health_becomes($port, 200, 'ok', 'before');
  my $lock = held_at_users();
  add_event($stream, $tenant);
  waits_for_users();
  my $health = health_becomes($port, 503, 'no_progress', 'while PostgreSQL is at it and does not come to an end');
  like($health->{detail}, qr/\Q$stream\E/, 'which stream');
  is($health->{postgres}, 'up', 'the server is there');
  $lock->rollback;
  is_drained($stream, $tenant, 1);
  health_becomes($port, 200, 'ok', 'after');
  kill STOP => $flusher;
  kill CONT => $flusher;
  health_becomes($port, 200, 'ok', 'one that was stopped and goes on');
  is($private->end($flusher, 'TERM'), 0, 'leaves in order');
};

subtest 'one that stands by is healthy' => sub {
  my ($stream, $tenant) = fresh('standby');
  my ($first, $port_of_first) = serving('--stream' => $stream);
  health_becomes($port_of_first, 200, 'ok', 'the one that reads');
  my ($second, $port) = serving('--stream' => $stream, '--stalled-seconds' => 1);
  health_becomes($port, 200, 'standby', 'the one that stands by');
  add_event($stream, $tenant) for 1 .. 3;
  is_drained($stream, $tenant, 3);
  my $now = figures($port);
  is($now->{weir_flusher_standing_by}, 1, 'it says that it stands by');
  is($now->{ of_stream(lease_held => $stream) }, 0, 'without a lease');
  health_becomes($port, 200, 'standby', 'and is healthy after its patience, too');
  is($private->end($_, 'TERM'), 0, 'leaves in order') for $first, $second;
};

subtest 'a stream that nobody reads is told, and is no reason to be unhealthy' => sub {
  my ($first, $other, $unread) = map { "weir:{$_}" } 80 .. 82;
  my ($flusher, $port) = serving('--stream' => $first);
  my ($second) = serving('--stream' => $other);
  health_becomes($port, 200, 'ok', 'before');
  redis()->set('weir:{83}', 'no stream');
  add_event($unread, 'unread') for 1 .. 3;
  becomes($port, 'weir_flusher_unread_streams', 1, 'one stream');
  my $health = health_becomes($port, 200, 'ok', 'which is no reason');
  is_deeply($health->{unread_streams}, [ { stream => $unread, entries => 3 } ], 'health names it');
  has_said($_, qr/level=warning msg="entries wait in streams that no flusher reads[^"]*" streams=weir:\{82}$/m) for $flusher, $second;
  is((() = $private->said_by($flusher) =~ /no flusher reads/g), 1, 'it is logged once');
  is($private->end($_, 'TERM'), 0, 'leaves in order') for $flusher, $second;
  my ($third) = serving('--stream' => $unread);
  is_drained($unread, 'unread', 3);
  is($private->end($third, 'TERM'), 0, 'leaves in order');
  redis()->del('weir:{83}');
};

subtest 'a record of a newer Weir is a reason until somebody has stored it' => sub {
  my ($stream, $tenant) = fresh('newer');
  my ($flusher, $port) = serving('--stream' => $stream);
  health_becomes($port, 200, 'ok', 'before');
  my $newer = record(events => $tenant, now(), event());
  substr($newer, 0, 1) = "\x02";
  add($stream, $newer);
  my $health = health_becomes($port, 503, 'needs_upgrade', 'while it waits');
  like($health->{detail}, qr/upgrade weir-flusher/, 'with what to do');
  redis()->xtrim($stream, 'MAXLEN', 0);
  health_becomes($port, 200, 'ok', 'and no more once a newer flusher has stored it');
  is($private->end($flusher, 'TERM'), 0, 'leaves in order');
};

subtest 'a port that is taken, and an address that is none, are one sentence' => sub {
  my ($stream) = fresh('taken');
  my ($flusher, $port) = serving('--stream' => $stream);
  my ($status, $said) = $private->run_flusher('--stream' => $stream, '--metrics' => $port);
  is($status, 2, 'taken: it leaves');
  is((() = $said =~ /\n/g), 1, 'with one line') or diag $said;
  like($said, qr/127\.0\.0\.1:$port.*taken.*--metrics/, 'that says what to do');
  for my $address ('localhost:1', '1.2.3.4', 'x', '127.0.0.1:65536', '127.0.0.1:', '8080,9090', '127.0.0.1:8080s', '[::1]') {
    my ($left_with, $words) = $private->run_flusher('--stream' => $stream, '--metrics' => $address);
    is($left_with, 2, "$address is no address");
    like($words, qr/--metrics: "\Q$address\E" is no address/, 'which it says');
  }
  is($private->end($flusher, 'TERM'), 0, 'leaves in order');
};

# What systemd would hear.
sub notify_socket ($path) {
  unlink $path;
  my $socket = IO::Socket::UNIX->new(Local => $path, Type => SOCK_DGRAM) or die "$path: $!\n";
  $socket->blocking(0);
  return $socket;
}

sub is_fed ($socket, $name) {
  local $Test::Builder::Level = $Test::Builder::Level + 1;
  while (defined $socket->recv(my $old, 4096)) { }
  my $beats = 0;
  eval { wait_until($name, 60, sub { while (defined $socket->recv(my $said, 4096)) { ++$beats if $said =~ /^WATCHDOG=1/m } return $beats >= 3 }) };
  return cmp_ok($beats, '>=', 3, $name);
}

subtest 'a client that says nothing holds up neither others nor the end, and systemd hears of life in an outage' => sub {
  my ($stream, $tenant) = fresh('watchdog');
  local $ENV{NOTIFY_SOCKET} = "$private->{dir}/notify";
  my $socket = notify_socket($ENV{NOTIFY_SOCKET});
  my ($flusher, $port) = serving('--stream' => $stream, '--stalled-seconds' => 1);
  is_fed($socket, 'at work');
  my @silent = map { IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $port) // die "connect: $!\n" } 1 .. 10;
  health_becomes($port, 200, 'ok', 'others are answered');
  my $lock = held_at_users();
  add_event($stream, $tenant);
  health_becomes($port, 503, 'no_progress', 'a batch that waits for a lock');
  is_fed($socket, 'is no case for a restart, which would wait for the same');
  $lock->rollback;
  $private->end(postgres => 'QUIT');
  health_becomes($port, 503, 'postgres_away', 'PostgreSQL away');
  is_fed($socket, 'nor is an outage');
  $private->start('postgres');
  is_drained($stream, $tenant, 1);
  @silent = map { IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $port) // die "connect: $!\n" } 1 .. 10;
  my $begun = time;
  is($private->end($flusher, 'TERM'), 0, 'leaves in order');
  cmp_ok(time - $begun, '<', 30, 'soon');
};

sub text_of ($path) {
  open my $file, '<', "$FindBin::Bin/../$path" or die "$path: $!\n";
  local $/;
  return scalar readline $file;
}

# name => "type; labels; help" of each family on the page.
sub shown ($page) {
  my %help = $page =~ /^# HELP (\w+) (.+)$/mg;
  my %type = $page =~ /^# TYPE (\w+) (.+)$/mg;
  my %labels = map { my ($name, $labels) = /\A(\w+)\{(.*)\}\z/; $name =~ s/_bucket\z//r => join ', ', $labels =~ /(\w+)=/g }
    $page =~ /^(\w+\{.*\}) /mg;
  return map { $_ => join '; ', $type{$_}, $labels{$_} // '', $help{$_} } keys %type;
}

subtest 'metrics.md lists what the flusher shows, and no more' => sub {
  my ($stream) = fresh('docs');
  my ($flusher, $port) = serving('--stream' => $stream);
  my ($section) = text_of('docs/metrics.md') =~ /^## In the flusher\n(.*?)(?=^## |\z)/ms;
  my %listed = map {
    my ($name, $type, $labels, $means) = map { tr/`//dr } split / *\| */, $_;
    $name => join '; ', $type, $labels, $means
  } $section =~ /^\| (`weir_flusher_\w+` \| \w+ .*?) \|$/mg;
  is_deeply({ shown(ask($port, '/metrics')->{body}) }, \%listed, 'the page and the table agree');
  my ($known) = text_of('flusher/health.cpp') =~ /kWords\[\] = \{(.*?)\}/s;
  my ($reasons) = text_of('docs/flusher.md') =~ /^\| `reason`.*?\n(.*?)\n\n/ms;
  my @listed = map { /`(\w+)`/g } $reasons =~ /^\| (`.*?) \|/mg;
  is_deeply([ sort @listed ], [ sort grep { $_ ne 'none' } $known =~ /"(\w+)"/g ], 'flusher.md lists the reasons');
  is($private->end($flusher, 'TERM'), 0, 'leaves in order');
};

no_alarm();
done_testing;
