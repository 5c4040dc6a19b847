# A way to a server's Unix socket on which bytes come slowly, in one direction or both.
#
#   my $way = Weir::SlowWay->start("$folder/slow", "$folder/redis/socket", answers => 1_000_000);    # bytes a second
#   … connect to "$folder/slow" …
#   $way->end;
package Weir::SlowWay;
use v5.36;

use IO::Select;
use IO::Socket::UNIX;
use POSIX ();

# Directions that are not named are as quick as they can be.
sub start ($class, $from, $to, %rates) {
  my $listener = IO::Socket::UNIX->new(Local => $from, Listen => 9) or die "$from: $!\n";
  chmod 0777, $from or die "$from: $!\n";
  my $pid = fork // die "fork: $!\n";
  return bless { pid => $pid }, $class if $pid;
  $SIG{CHLD} = 'IGNORE';
  while (my $client = $listener->accept) {
    fork // die "fork: $!\n" or carry($client, IO::Socket::UNIX->new(Peer => $to), %rates);
  }
  POSIX::_exit(0);
}

# Until either side is gone.
sub carry ($client, $server, %rates) {
  my $both = IO::Select->new($client, $server // POSIX::_exit(1));
  while (1) {
    for my $ready ($both->can_read) {
      my ($rate, $to) = $ready == $server ? ($rates{answers}, $client) : ($rates{requests}, $server);
      sysread($ready, my $bytes, $rate ? $rate / 20 : 65_536) or POSIX::_exit(0);
      select undef, undef, undef, length($bytes) / $rate if $rate;
      print {$to} $bytes or POSIX::_exit(0);
    }
  }
}

# Those who are connected go on until they leave.
sub end ($self) {
  kill TERM => $self->{pid};
  waitpid $self->{pid}, 0;
  return;
}

1;
