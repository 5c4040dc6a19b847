# A private Weir by tools/run, or a part of one: `parts` are those that are started.
package Bench::Subject::Weir;
use v5.36;

use parent 'Bench::Subject';

sub start ($self) {
  my %env = (
    RUN => $self->{dir}, WEIR_PORT => $self->{port}, WEIR_WORKERS => 1, BUILD => Bench::Subject::build(),
    WEIR_SERVER => $self->{name} =~ /Apache/ ? 'apache' : 'nginx', WEIR_REDIS_FSYNC => $self->{fsync} // 'everysec',
    WEIR_REDIS_OPTIONS => 'stream_memory=8g stream_length=100000000', $self->{env} ? $self->{env}->%* : (),
  );
  $self->{environment} = \%env;
  $self->tool('up', @{ $self->{parts} // [qw(redis web)] });
  return;
}

sub tool ($self, @words) {
  local %ENV = (%ENV, $self->{environment}->%*);
  delete @ENV{qw(MAKEFLAGS MFLAGS MAKELEVEL)};
  open my $said, '-|', Bench::Subject::root() . "/tools/run @words 2>&1 </dev/null" or die "tools/run: $!\n";
  my $text = do { local $/; <$said> };
  close $said;
  die "tools/run @words failed:\n$text\n" if $?;
  return;
}

sub setting ($self, $name) {
  open my $file, '<', "$self->{dir}/env" or die "$self->{dir}/env: $!\n";
  my %all = join('', <$file>) =~ /^(\w+)='?(.*?)'?$/mg;
  return $all{$name};
}

sub pid ($self, $part) {
  open my $file, '<', "$self->{dir}/pid/$part" or return;
  return (<$file> =~ /(\d+)/)[0];
}

sub processes ($self) {
  return { map { $_ => [ $self->pid($_) // () ] } qw(web redis flusher postgres) };
}

sub redis ($self, @words) {
  my $socket = $self->setting('REDIS_SOCKET');
  return scalar qx(redis-cli -s '$socket' @words 2>&1);
}

sub clear ($self) {
  return if ($self->{parts} // '') && grep { $_ eq 'flusher' } $self->{parts}->@*;
  return $self->redis(qw(UNLINK 'weir:{0}'));
}

sub stop ($self) { return $self->tool('clean-run') }

1;
