# A day at the office in numbered events: the same number always gives the same bytes, so that a test
# can send them again and knows without a note what has to be in the tables.
#
#   my $traffic = WeirTest::Traffic->new(name => 'single', now => now());
#   my $event = $traffic->event(17);      # {id, json, field, reason}: field is '' for a valid one
#   my $crash = $traffic->crash(3);
#
# Every eleventh event is invalid, each in one of many ways. Of the valid ones some have no timestamp,
# some a wrong clock, some a version 7 event_id, some come weeks late.
package WeirTest::Traffic;
use v5.36;

use Digest::MD5 qw(md5_hex);

my @invalid = (
  [ user_id    => missing             => sub ($m) { delete $m->{user_id} } ],
  [ user_id    => empty               => sub ($m) { $m->{user_id} = '""' } ],
  [ event      => not_a_string        => sub ($m) { $m->{event} = '7' } ],
  [ event      => missing             => sub ($m) { $m->{event} = 'null' } ],
  [ timestamp  => not_a_timestamp     => sub ($m) { $m->{timestamp} = '"yesterday"' } ],
  [ timestamp  => out_of_range        => sub ($m) { $m->{timestamp} = '12345'; delete $m->{sent_at} } ],
  [ properties => not_an_object       => sub ($m) { $m->{properties} = '[1]' } ],
  [ properties => nul_character       => sub ($m) { $m->{properties} = '{"a":"\u0000"}' } ],
  [ properties => lone_surrogate      => sub ($m) { $m->{properties} = '{"a":["\udc00"]}' } ],
  [ properties => number_out_of_range => sub ($m) { $m->{properties} = '{"a":1e999}' } ],
  [ properties => too_deep            => sub ($m) { $m->{properties} = '{"a":' . '[' x 20 . ']' x 20 . '}' } ],
  [ user_id    => too_long            => sub ($m) { $m->{user_id} = '"' . 'u' x 201 . '"' } ],
  [ country    => not_a_country       => sub ($m) { $m->{country} = '"Atlantis"' } ],
);

sub new ($class, %options) { return bless { users => 500, %options }, $class }

sub id ($self, $kind, $number, $version, $millis = 0) {
  my $hex = md5_hex("$self->{name} $kind $number");
  substr $hex, 0, 12, sprintf '%012x', $millis if $version == 7;
  substr $hex, 12, 1, $version;
  substr $hex, 16, 1, 'b';
  return join '-', unpack 'A8 A4 A4 A4 A12', $hex;
}

# Milliseconds: most of the last hours, some of the last weeks.
sub time_of ($self, $number) {
  my $age = $number % 6 == 0 ? ($number * 7919 % (40 * 24)) * 3_600_000 : ($number * 104_729) % 14_400_000;
  return $self->{now} - $age - $number % 1000;
}

sub event ($self, $number) {
  my $millis = $self->time_of($number);
  my $id = $self->id(event => $number, $number % 3 ? 4 : 7, $millis);
  my %members = (
    event_id => qq("$id"), user_id => sprintf('"user-%d"', $number * 7919 % $self->{users}), event => '"app_opened"',
    properties => sprintf('{"n":%d,"text":"Grüße \ud83c\udf0d","nested":{"a":[1,2,%d.5]}}', $number, $number),
  );
  $members{timestamp} = $number % 2 ? $millis : rfc3339($millis) if $number % 10;
  $members{sent_at} = $self->{now} + ($number % 200 - 100) * 60_000 if $number % 13 == 0;
  $members{country} = '"ES"' if $number % 4 == 0;
  $self->make_recording(\%members, $number) if $number % 7 == 0;
  my ($field, $reason) = $number % 11 == 4 ? spoil(\%members, $number) : ('', '');
  return { id => $id, field => $field, reason => $reason, json => object(\%members) };
}

sub make_recording ($self, $members, $number) {
  $members->{event} = '"recording_completed"';
  my $seconds = $number % 5 == 0 ? '"unknown"' : sprintf '%d.%d', $number % 600, $number % 10;
  $members->{properties} = sprintf '{"audio_duration_seconds":%s,"estimated_cost_usd":0.%03d}', $seconds,
    $number % 1000;
  return;
}

sub spoil ($members, $number) {
  my ($field, $reason, $how) = $invalid[ $number % @invalid ]->@*;
  $how->($members);
  return ($field, $reason);
}

sub crash ($self, $number) {
  my $id = $self->id(crash => $number, 4);
  my %members = (
    crash_id => qq("$id"), user_id => sprintf('"user-%d"', $number % $self->{users}), app_version => '"1.0"',
      crash_type => '"main_crash"',
    error_message => '"boom"', timestamp => $self->time_of($number),
  );
  return { id => $id, json => object(\%members) };
}

sub object ($members) {
  return '{' . join(',', map { qq("$_":$members->{$_}) } sort keys %$members) . '}';
}

sub rfc3339 ($millis) {
  my @t = gmtime int($millis / 1000);
  return sprintf '"%04d-%02d-%02dT%02d:%02d:%02d.%03dZ"', $t[5] + 1900, $t[4] + 1, @t[ 3, 2, 1, 0 ], $millis % 1000;
}

1;
