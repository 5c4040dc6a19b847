# A Sentinel fails Redis over under load: the web server and the flusher, which know the addresses of both
# Redis and nothing of the Sentinel, find the new master, no request fails, and with wait=1 nothing that
# was answered 200 is lost.
use v5.36;
use FindBin;
use lib "$FindBin::Bin/lib";
use WeirTest;
use WeirTest::Replica;

use File::Temp qw(tempdir);
use POSIX ();

my $replica = WeirTest::Replica->new(listens => 1);
my $weir = start(
  locations => [ { path => '/sure', what => 'track wait=1' }, { path => '/health', what => 'health' } ],
  env => { WEIR_REDIS_OPTIONS => "127.0.0.1:$replica->{own_port}" },
);
$replica->follow(redis());

# A flusher that knows both, in the place of the one that knows the first.
sub start_flusher () {
  my ($data) = $weir->setting('WEIR_SPOOL') =~ m{(.*)/spool\z};
  $weir->signal(flusher => 'TERM');
  my $pid = fork // die "fork: $!\n";
  return $pid if $pid;
  open STDOUT, '>', '/dev/null' or POSIX::_exit(126);
  open STDERR, '>>', "$weir->{run}/log/flusher.log" or POSIX::_exit(126);
  exec(($ENV{BUILD} // WeirTest::Server->root . '/build') . '/weir-flusher', '--config', "$data/flusher/flusher.conf",
    '--metrics', '127.0.0.1:0', '--redis', 'unix:' . $weir->setting('REDIS_SOCKET') . ",127.0.0.1:$replica->{own_port}")
    or POSIX::_exit(127);
}

# A Sentinel of one, which is enough to fail over; its pid.
sub start_sentinel ($port) {
  my $folder = tempdir('weir-sentinel-XXXXXX', TMPDIR => 1, CLEANUP => 1);
  WeirTest::Server::write_file("$folder/sentinel.conf", <<"END");
port $port
bind 127.0.0.1
dir $folder
sentinel monitor weir 127.0.0.1 $replica->{port} 1
sentinel down-after-milliseconds weir 1000
sentinel failover-timeout weir 5000
END
  my $pid = fork // die "fork: $!\n";
  return $pid if $pid;
  open STDOUT, '>', '/dev/null' and open STDERR, '>&', \*STDOUT or POSIX::_exit(126);
  exec 'redis-server', "$folder/sentinel.conf", '--sentinel' or POSIX::_exit(127);
}

my ($owner, @ours) = ($$);
push @ours, start_flusher();
my $sentinel_port = WeirTest::Replica::free_port();
unshift @ours, start_sentinel($sentinel_port);
my $sentinel;
ok wait_for(sub { $sentinel = eval { Redis->new(server => "127.0.0.1:$sentinel_port") } }), 'a Sentinel runs';

sub master_port () { return ($sentinel->sentinel('get-master-addr-by-name', 'weir'))[1] }
sub replicas_known () { return scalar(my @replicas = $sentinel->sentinel('replicas', 'weir')) }
sub role ($client) { return eval { ($client->role)[0] } // 'none' }

my (@taken, @others);

# One event after the other, until `until` holds, and a few more.
sub under_load ($until) {
  my $more = 50;
  my $deadline = time + 120;
  while ($more > 0 && time < $deadline) {
    my $id = uuid('sentinel', @taken + @others);
    my $answer = connection()->request(POST => '/sure',
      json({ event => 'sure', user_id => 'u', event_id => $id, timestamp => '2026-10-11T12:13:14Z' }));
    push @{ $answer->{status} == 200 ? \@taken : \@others }, $id;
    --$more if $until->();
  }
  return $more == 0;
}

sub all_are_stored_once () {
  ok wait_for(sub { !spool_files() && value('SELECT count(*) FROM events') >= @taken }, 120), 'all of it is stored';
  is value('SELECT count(*) FROM events WHERE event_id = ANY(?)', \@taken), scalar @taken, 'nothing is lost';
  is value('SELECT coalesce(sum(events), 0) FROM user_days'), scalar @taken, 'nothing is counted twice';
  is scalar @others, 0, 'no request failed';
  return;
}

subtest 'a failover that somebody asks for' => sub {
  ok wait_for(sub { replicas_known() == 1 }), 'the Sentinel knows the replica';
  under_load(sub { 1 });
  # It promotes nobody of whom it has not heard yet that he follows.
  ok wait_for(sub { $sentinel->sentinel('failover', 'weir') eq 'OK' }), 'the Sentinel begins it';
  ok under_load(sub { master_port() == $replica->{own_port} && role(redis()) eq 'slave' }), 'they have changed places';
  all_are_stored_once();
};

subtest 'the master dies' => sub {
  $replica->end;
  ok under_load(sub { master_port() == $replica->{port} && role(redis()) eq 'master' }), 'the Sentinel makes the other one the master';
  $replica->follow(redis());
  all_are_stored_once();
};

end_both();
done_testing;

sub end_both () {
  for my $pid (splice @ours) {
    kill TERM => $pid;
    waitpid $pid, 0;
  }
  return;
}

END {
  my $status = $?;
  end_both() if $$ == $owner;
  $? = $status;
}
