# A connection to weir-api's socket that a test has in its own hand.
#
#   my $client = Weir::ApiClient->new(socket_path => $path);     # and on as WeirTest::Client
package Weir::ApiClient;
use v5.36;

use parent 'WeirTest::Client';

use IO::Socket::UNIX;
use Socket qw(SOL_SOCKET SO_RCVTIMEO SO_SNDTIMEO);

# Names for the header Host, as a web server sends it.
sub new ($class, %options) { return $class->SUPER::new(host => 'weir-api', port => 80, %options) }

sub open_socket ($self) {
  return $self->{socket} if $self->{socket};
  my $socket = IO::Socket::UNIX->new(Peer => $self->{socket_path}) or die "cannot connect to $self->{socket_path}: $!\n";
  my $limit = pack 'l!l!', $self->{timeout}, 0;
  setsockopt $socket, SOL_SOCKET, $_, $limit or die "setsockopt: $!\n" for SO_RCVTIMEO, SO_SNDTIMEO;
  $self->{unread} = '';
  return $self->{socket} = $socket;
}

1;
