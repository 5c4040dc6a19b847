# One HTTP/2 connection without TLS (RFC 9113), frame by frame: as many streams at once as a test
# wants, and streams that end early.
#
#   my $client = WeirTest::Http2->new(port => 18300);
#   my $stream = $client->post('/track', $body);
#   my $answer = $client->answer($stream);        # {status, body, reset}
#
# Of an answer's header fields only the status is read, which has to be the first, as RFC 9113 wants it; the
# server is told to keep no table of fields, so that each stands there for itself.
package WeirTest::Http2;
use v5.36;

use WeirTest::Client;

my %type = (data => 0, headers => 1, reset => 3, settings => 4, ping => 6, goaway => 7, window => 8);
my ($end_stream, $end_headers, $ack) = (1, 4, 1);
my @status_of_index = (200, 204, 206, 304, 400, 404, 500);    # of index 8 and on, RFC 7541 appendix A
my $largest_frame = 16_384;

sub new ($class, %options) {
  my $self = bless {
    socket => WeirTest::Client->new(%options), next_stream => 1, initial_window => 65_535, window => 65_535,
      streams => {},
  }, $class;
  $self->{socket}->send_bytes("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
  $self->send_frame(settings => 0, 0, pack 'n N', 1, 0);    # HEADER_TABLE_SIZE
  $self->read_frame until $self->{greeted};
  return $self;
}

sub close ($self) { return $self->{socket}->close }

sub send_frame ($self, $kind, $flags, $stream, $payload) {
  my $head = substr(pack('N', length $payload), 1) . pack 'CCN', $type{$kind}, $flags, $stream;
  $self->{socket}->send_bytes($head . $payload);
  return;
}

# A literal header field that enters no table, RFC 7541 section 6.2.2.
sub field ($name, $value) { return pack 'C C/a C/a', 0, $name, $value }

sub open_stream ($self, $method, $path, $ends, %headers) {
  my $id = $self->{next_stream};
  $self->{next_stream} += 2;
  my %pseudo = (':method' => $method, ':path' => $path, ':scheme' => 'http', ':authority' => 'weir');
  my $block = join '', (map { field($_, $pseudo{$_}) } sort keys %pseudo),
    map { field(lc, $headers{$_}) } sort keys %headers;
  $self->{streams}{$id} = { window => $self->{initial_window}, body => '', ended => 0 };
  $self->send_frame(headers => $end_headers | ($ends ? $end_stream : 0), $id, $block);
  return $id;
}

# Sends data as the windows allow; what the server says meanwhile is noted.
sub send_data ($self, $id, $bytes, $ends = 1) {
  my $stream = $self->{streams}{$id};
  do {
    my $room = $stream->{window} < $self->{window} ? $stream->{window} : $self->{window};
    $room = $largest_frame if $room > $largest_frame;
    if ($room <= 0 && length $bytes) {
      $self->read_frame;
    } else {
      my $piece = substr $bytes, 0, $room, '';
      $stream->{window} -= length $piece;
      $self->{window} -= length $piece;
      $self->send_frame(data => $ends && !length $bytes ? $end_stream : 0, $id, $piece);
    }
  } while length $bytes && !$stream->{ended};
  return;
}

sub post ($self, $path, $body, %headers) {
  my $id = $self->open_stream(POST => $path, 0, 'content-type' => 'application/json', %headers);
  $self->send_data($id, $body);
  return $id;
}

# Ends a stream without waiting for its answer.
sub reset_stream ($self, $id) {
  $self->send_frame(reset => 0, $id, pack 'N', 8);    # CANCEL
  delete $self->{streams}{$id};
  return;
}

sub answer ($self, $id) {
  $self->read_frame until $self->{streams}{$id}{ended};
  return delete $self->{streams}{$id};
}

sub read_frame ($self) {
  my ($high, $low, $kind, $flags, $id) = unpack 'C n C C N', $self->{socket}->take(9);
  my $payload = $self->{socket}->take($high << 16 | $low);
  my $handler = $self->can("take_$kind");
  $handler->($self, $flags, $id & 0x7FFFFFFF, $payload) if $handler;
  return;
}

sub take_0 ($self, $flags, $id, $payload) {    # DATA
  my $stream = $self->{streams}{$id} or return;
  $stream->{body} .= $payload;
  $stream->{ended} = 1 if $flags & $end_stream;
  return;
}

sub take_1 ($self, $flags, $id, $payload) {    # HEADERS
  my $stream = $self->{streams}{$id} or return;
  $payload =~ s/\A[\x20-\x3F]//;               # a new size of the table
  $stream->{status} = status_in($payload);
  $stream->{ended} = 1 if $flags & $end_stream;
  return;
}

# By its index, or as a string: plain, or in Huffman's code, in which RFC 7541's appendix B gives the digits
# 0 to 2 five bits, and the others six.
sub status_in ($block) {
  my ($first, $length) = unpack 'C C', $block;
  return $status_of_index[ ($first & 0x7F) - 8 ] if $first & 0x80;
  return substr $block, 2, $length unless $length & 0x80;
  my $bits = unpack 'B*', substr $block, 2, $length & 0x7F;
  my $status = '';
  $status .= substr($bits, 0, 2) eq '00' ? oct '0b' . substr $bits, 0, 5, '' : oct('0b' . substr $bits, 0, 6, '') - 22
    while length $status < 3;
  return $status;
}

sub take_3 ($self, $flags, $id, $payload) {    # RST_STREAM
  my $stream = $self->{streams}{$id} or return;
  @$stream{qw(ended reset)} = (1, unpack 'N', $payload);
  return;
}

sub take_4 ($self, $flags, $id, $payload) {    # SETTINGS
  return if $flags & $ack;
  my %settings = unpack '(n N)*', $payload;
  $self->{initial_window} = $settings{4} // $self->{initial_window};
  $self->{greeted} = 1;
  $self->send_frame(settings => $ack, 0, '');
  return;
}

sub take_6 ($self, $flags, $id, $payload) {    # PING
  $self->send_frame(ping => $ack, 0, $payload) unless $flags & $ack;
  return;
}

sub take_7 ($self, $flags, $id, $payload) {    # GOAWAY
  my ($last, $error) = unpack 'N N', $payload;
  die "the server ends the connection: error $error after stream $last\n" if $error;
  return;
}

sub take_8 ($self, $flags, $id, $payload) {    # WINDOW_UPDATE
  my $holder = $id ? $self->{streams}{$id} : $self;
  $holder->{window} += unpack 'N', $payload if $holder;
  return;
}

1;
