# A program that inserts into a table of its own in a private PostgreSQL.
package Bench::Subject::Inserting;
use v5.36;

use parent 'Bench::Subject';

my $table = 'CREATE SCHEMA bench; CREATE TABLE bench.events (event_id uuid PRIMARY KEY DEFAULT gen_random_uuid(), '
  . 'user_id text NOT NULL, event text NOT NULL, timestamp timestamptz NOT NULL, received_at timestamptz NOT NULL '
  . 'DEFAULT now(), properties jsonb); CREATE INDEX ON bench.events (timestamp)';

sub start ($self) {
  $self->{database} = Bench::Subject->make('Weir, nginx', $self->{dir}, port => $self->{port} + 50, small => $self->{small}, parts => ['postgres']);
  $self->{database}->start;
  $self->sql($table);
  my $socket = $self->{database}->setting('PGHOST');
  $self->{web} = $self->launch({ NODE_ENV => 'production', BENCH_DSN => $self->dsn($socket), PORT => $self->{port} }, $self->command);
  return $self->await_port;
}

sub sql ($self, $text) { return $self->{database}->sql($text) }

sub processes ($self) { return { web => [ $self->{web} ], postgres => [ $self->{database}->pid('postgres') ] } }
sub clear ($self) { return $self->sql('TRUNCATE bench.events') }
sub settle ($self) {
  return $self->until_quiet(sub { $self->events });
}
sub events ($self, $body = undef) { return $self->sql('SELECT count(*) FROM bench.events') }

sub stop ($self) {
  $self->SUPER::stop;
  return $self->{database} && $self->{database}->stop;
}

1;
