# Records of version 1, built from docs/record.md and nothing else: an encoder that does not share a
# line with the one that it is held against.
#
#   my $bytes = record(events => 'default', $received_at, { event_id => uuid(), event => 'x' }, …);
#
# Times are whole microseconds since 1970; properties and context are JSON texts. What a row does not
# name is NULL, except tenant_id and the three times: those are the record's.
package Weir::Record;
use v5.36;

use Exporter 'import';
use Time::HiRes ();

our @EXPORT = qw(record uuid uuid7 now);

my $COPY_EPOCH = 946_684_800 * 1_000_000;
my %KIND = (events => 1, crashes => 2);
my %COLUMNS = (
  events => [
    qw(event_id tenant_id user_id session_id event app_version platform country properties timestamp
      client_timestamp received_at)
  ],
  crashes => [
    qw(crash_id tenant_id user_id app_version os_version crash_type error_message stack_trace
      fingerprint context timestamp client_timestamp received_at)
  ],
);
my %ENCODE = (
  event_id         => \&encode_uuid,
  crash_id         => \&encode_uuid,
  properties       => sub ($json) { "\x01" . encode_text($json) },
  context          => sub ($json) { "\x01" . encode_text($json) },
  timestamp        => \&encode_time,
  client_timestamp => \&encode_time,
  received_at      => \&encode_time,
);

sub record ($kind, $tenant, $received_at, @rows) {
  my $header = pack 'C C N q> C/a*', 1, $KIND{$kind}, scalar @rows, $received_at - $COPY_EPOCH, encode_text($tenant);
  my %same = (
    tenant_id => $tenant,
    map { $_ => $received_at } qw(timestamp client_timestamp received_at)
  );
  return $header . join '', map { tuple($kind, { %same, %$_ }) } @rows;
}

sub tuple ($kind, $row) {
  my @columns = $COLUMNS{$kind}->@*;
  return pack 'n (a*)*', scalar @columns, map { value($_, $row->{$_}) } @columns;
}

sub value ($column, $value) {
  return pack 'l>', -1 unless defined $value;
  return pack 'l>/a*', ($ENCODE{$column} // \&encode_text)->($value);
}

sub encode_text ($text) { utf8::encode($text) if utf8::is_utf8($text); return $text }
sub encode_uuid ($text) { return pack 'H*', $text =~ s/-//gr }
sub encode_time ($time) { return pack 'q>', $time - $COPY_EPOCH }

sub now () { return int(Time::HiRes::time() * 1_000_000) }

sub format_uuid ($bytes) { return join '-', unpack 'H8 H4 H4 H4 H12', $bytes }

sub random_bytes ($count) { return pack 'C*', map { int rand 256 } 1 .. $count }

# A random one of version 4.
sub uuid () {
  my $bytes = random_bytes(16);
  vec($bytes, 6, 8) = vec($bytes, 6, 8) & 0x0F | 0x40;
  vec($bytes, 8, 8) = vec($bytes, 8, 8) & 0x3F | 0x80;
  return format_uuid($bytes);
}

# One of version 7, of a time in microseconds since 1970.
sub uuid7 ($time = now()) {
  my $bytes = substr(pack('Q>', int($time / 1000)), 2) . random_bytes(10);
  vec($bytes, 6, 8) = vec($bytes, 6, 8) & 0x0F | 0x70;
  vec($bytes, 8, 8) = vec($bytes, 8, 8) & 0x3F | 0x80;
  return format_uuid($bytes);
}

1;
