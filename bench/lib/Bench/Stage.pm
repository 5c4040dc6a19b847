# Who is on the stage: starts subjects, each on a port of its own, and ends all of them, whatever happens.
#
#   my $stage = Bench::Stage->new($settings);
#   my $weir = $stage->subject('Weir, nginx', as => 'everysec', fsync => 'everysec');
#   $stage->clear_all;
package Bench::Stage;
use v5.36;

use Bench::Subject;
use IO::Socket::INET;

sub new ($class, $settings) {
  return bless { settings => $settings, port => $settings->{port}, running => [], facts => {}, owner => $$ }, $class;
}

# The next port that nobody listens at; what a subject starts beside itself listens at one 50 above.
sub free_port ($self) {
  my $port = $self->{port}++;
  while (grep { !IO::Socket::INET->new(LocalAddr => '127.0.0.1', LocalPort => $_, Listen => 1, ReuseAddr => 1) } $port, $port + 50) {
    $port = $self->{port}++;
    die "no port is free from $self->{settings}{port} on: choose others with BENCH_PORT\n" if $port > 65_000;
  }
  return $port;
}

# `as` is the name under which its figures stand.
sub subject ($self, $name, %options) {
  my $subject = Bench::Subject->make($name, $self->{settings}{folder}, port => $self->free_port, small => $self->{settings}{small}, %options);
  push $self->{running}->@*, $subject;
  say "  start $name" . (defined $options{as} ? " ($options{as})" : '');
  $subject->start;
  $self->note($subject->facts);
  return $subject;
}

sub note ($self, $facts) {
  $self->{facts}{$_}{ $facts->{$_} } = 1 for keys %$facts;
  return;
}

# As what the servers ran since the last call: {'Redis' => ['appendonly yes, …', …], …}.
sub facts ($self) {
  my %facts = map { $_ => [ sort keys $self->{facts}{$_}->%* ] } keys $self->{facts}->%*;
  $self->{facts} = {};
  return \%facts;
}

sub end ($self, $subject) {
  $self->{running} = [ grep { $_ != $subject } $self->{running}->@* ];
  $subject->stop;
  return;
}

sub clear_all ($self) {
  $_->stop for splice $self->{running}->@*;
  return;
}

sub DESTROY ($self) {
  return if $$ != $self->{owner};
  local ($?, $@);
  eval { $self->clear_all; 1 } or warn $@;
  return;
}

1;
