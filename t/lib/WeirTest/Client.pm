# One HTTP/1.1 connection that a test has in its own hand: what is sent goes out byte for byte, and
# what comes back is taken apart strictly.
#
#   my $client = WeirTest::Client->new(port => 18300);
#   my $answer = $client->request(POST => '/track', $body, 'Content-Type' => 'application/json');
#   $client->send_bytes("POST /track HTTP/1.1\r\n…"); $answer = $client->read_answer;
#
# An answer is {status, headers => {lower-case name => value}, body, json}. All strings are bytes.
# A connection that the server closed is opened again by the next request(). What goes wrong dies.
package WeirTest::Client;
use v5.36;

use IO::Socket::INET;
use JSON::XS ();
use Socket qw(SOL_SOCKET SO_RCVTIMEO SO_SNDTIMEO IPPROTO_TCP TCP_NODELAY);

my $json = JSON::XS->new->allow_nonref;

sub new ($class, %options) {
  my $self = { host => '127.0.0.1', timeout => 30, unread => '', %options };
  return bless $self, $class;
}

sub connected ($self) { return defined $self->{socket} }

sub open_socket ($self) {
  return $self->{socket} if $self->{socket};
  my $socket = IO::Socket::INET->new(
    PeerHost => $self->{host}, PeerPort => $self->{port}, Timeout => $self->{timeout}
  ) or die "cannot connect to port $self->{port}: $@\n";
  my $limit = pack 'l!l!', $self->{timeout}, 0;
  setsockopt $socket, SOL_SOCKET, $_, $limit or die "setsockopt: $!\n" for SO_RCVTIMEO, SO_SNDTIMEO;
  setsockopt $socket, IPPROTO_TCP, TCP_NODELAY, 1 or die "setsockopt: $!\n";
  $self->{unread} = '';
  return $self->{socket} = $socket;
}

sub close ($self) {
  close delete $self->{socket} if $self->{socket};
  $self->{unread} = '';
  return;
}

sub send_bytes ($self, $bytes) {
  my $socket = $self->open_socket;
  local $SIG{PIPE} = 'IGNORE';
  for (my $done = 0 ; $done < length $bytes ;) {
    my $n = syswrite $socket, $bytes, length($bytes) - $done, $done;
    next if !defined $n && $!{EINTR};
    die "the server stopped reading: $!\n" unless $n;
    $done += $n;
  }
  return $self;
}

# The bytes of a request. A body without a length or a transfer coding of its own gets a length.
sub format_request ($self, $method, $path, $body = undef, %headers) {
  $headers{Host} //= "$self->{host}:$self->{port}";
  my $framed = grep { /\A(?:content-length|transfer-encoding)\z/i } keys %headers;
  $headers{'Content-Length'} = length $body if defined $body && !$framed;
  my @lines = map { "$_: $headers{$_}" } grep { defined $headers{$_} } sort keys %headers;
  return join "\r\n", "$method $path HTTP/1.1", @lines, '', $body // '';
}

sub request ($self, $method, $path, $body = undef, %headers) {
  $self->send_bytes($self->format_request($method, $path, $body, %headers));
  return $self->read_answer($method);
}

sub read_answer ($self, $method = 'POST') {
  my $head = $self->read_until("\r\n\r\n");
  my ($status, $rest) = $head =~ m{\AHTTP/1\.1 (\d{3})[^\r\n]*\r\n(.*)\r\n\z}s
    or die "not an HTTP/1.1 answer: $head\n";
  return { status => $status, headers => {}, body => '' } if $status == 100;
  my %headers;
  for my $line (split /\r\n/, $rest) {
    my ($name, $value) = $line =~ /\A([^:\s]+):[ \t]*(.*?)[ \t]*\z/s or die "bad header line: $line\n";
    $name = lc $name;
    $headers{$name} = exists $headers{$name} ? "$headers{$name}, $value" : $value;
  }
  my $body = $method eq 'HEAD' || $status == 204 || $status == 304 ? '' : $self->read_body(\%headers);
  $self->close if lc($headers{connection} // '') eq 'close';
  return answer($status, \%headers, $body);
}

sub answer ($status, $headers, $body) {
  my $decoded = length $body ? eval { $json->decode($body) } : undef;
  return { status => $status, headers => $headers, body => $body, json => $decoded };
}

sub read_body ($self, $headers) {
  return $self->read_chunks if lc($headers->{'transfer-encoding'} // '') eq 'chunked';
  return $self->take($headers->{'content-length'}) if defined $headers->{'content-length'};
  1 while $self->more;
  return $self->take(length $self->{unread});
}

sub read_chunks ($self) {
  my $body = '';
  while (1) {
    my ($size) = $self->read_until("\r\n") =~ /\A([0-9a-f]+)/i or die "bad chunk\n";
    my $chunk = $self->take(hex($size) + 2);
    return $body if hex $size == 0;
    $body .= substr $chunk, 0, -2;
  }
}

sub read_until ($self, $mark) {
  until (index($self->{unread}, $mark) >= 0) {
    $self->more or die "the server closed the connection without an answer\n";
  }
  return $self->take(index($self->{unread}, $mark) + length $mark);
}

sub take ($self, $length) {
  while (length $self->{unread} < $length) {
    $self->more or die "the server closed the connection in the middle of an answer\n";
  }
  return substr $self->{unread}, 0, $length, '';
}

# Reads what is there; false at the end of the connection.
sub more ($self) {
  my $socket = $self->{socket} or return 0;
  my $n = sysread $socket, $self->{unread}, 1 << 16, length $self->{unread};
  return $self->more if !defined $n && $!{EINTR};
  die "no answer within $self->{timeout} s\n" if !defined $n && ($!{EAGAIN} || $!{EWOULDBLOCK});
  return 1 if $n;
  my $rest = $self->{unread};
  $self->close;
  $self->{unread} = $rest;
  return 0;
}

# True if the server ends the connection within the client's timeout, having sent nothing more.
sub ended ($self) {
  return !eval { $self->more } && $@ !~ /no answer/;
}

1;
