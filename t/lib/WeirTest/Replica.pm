# A replica of the Redis that a test has, on a socket of its own, which can be known before it runs.
#
#   my $replica = WeirTest::Replica->new;
#   start(env => { WEIR_REDIS_OPTIONS => "unix:$replica->{socket}" });
#   $replica->follow(redis());                 # starts it, as a replica of that one
#   $replica->signal('STOP'); $replica->client->xlen('weir:{0}'); $replica->end;
#
# With `listens => 1` it has a port too, own_port, as a Sentinel wants it, and syncs what it takes.
#
# It ends with the test.
package WeirTest::Replica;
use v5.36;

use File::Temp qw(tempdir);
use IO::Socket::INET;
use POSIX ();
use Redis;

sub new ($class, %options) {
  my $folder = tempdir('weir-replica-XXXXXX', TMPDIR => 1, CLEANUP => 1);
  chmod 0755, $folder;
  my $own_port = $options{listens} ? free_port() : 0;
  return bless { folder => $folder, socket => "$folder/replica.sock", own_port => $own_port, owner => $$ }, $class;
}

# The master gets a port on which a replica can reach it: over a socket none can.
sub follow ($self, $master) {
  if (!$self->{port}) {
    $self->{port} = free_port();
    $master->config_set(port => $self->{port});
    $master->config_set('repl-diskless-sync-delay', 0);
  }
  my @synced = $self->{own_port} ? ('--appendonly', 'yes', '--appendfsync', 'always') : ();
  $self->{pid} = fork // die "cannot fork: $!\n";
  return $self if $self->{pid};
  open STDOUT, '>', '/dev/null' and open STDERR, '>&', \*STDOUT or POSIX::_exit(126);
  exec 'redis-server', '--port', $self->{own_port}, @synced, '--unixsocket', $self->{socket}, '--unixsocketperm', 777,
    '--dir', $self->{folder}, '--save', '', '--replicaof', '127.0.0.1', $self->{port} or POSIX::_exit(127);
}

sub free_port () {
  my $listener = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 1, Proto => 'tcp');
  my $port = $listener->sockport;
  close $listener;
  return $port;
}

sub client ($self) { return Redis->new(sock => $self->{socket}) }
sub signal ($self, $signal) { return kill $signal => $self->{pid} }

sub end ($self) {
  my $pid = delete $self->{pid} or return;
  kill CONT => $pid;
  kill KILL => $pid;
  return waitpid $pid, 0;
}

sub DESTROY ($self) {
  local $?;
  $self->end if $self->{owner} == $$;
  return;
}

1;
