# A program that inserts into tables of its own in a private PostgreSQL.
package Bench::Subject::Inserting;
use v5.36;
use utf8;

use parent 'Bench::Subject';

my $tables = 'CREATE SCHEMA bench; CREATE TABLE bench.events (event_id uuid PRIMARY KEY DEFAULT gen_random_uuid(), '
  . 'user_id text NOT NULL, event text NOT NULL, timestamp timestamptz NOT NULL, received_at timestamptz NOT NULL '
  . 'DEFAULT now(), properties jsonb); CREATE INDEX ON bench.events (timestamp); '
  . 'CREATE TABLE bench.crashes (crash_id uuid PRIMARY KEY DEFAULT gen_random_uuid(), crash_type text NOT NULL, '
  . 'error_message text NOT NULL, stack_trace text NOT NULL, timestamp timestamptz NOT NULL, received_at timestamptz NOT NULL '
  . 'DEFAULT now(), context jsonb); CREATE INDEX ON bench.crashes (timestamp)';

sub start ($self) {
  $self->{database} = Bench::Subject->make('Weir, nginx', $self->{dir}, port => $self->{port} + 50, small => $self->{small}, parts => ['postgres']);
  $self->{database}->start;
  $self->sql($tables);
  my $socket = $self->{database}->setting('PGHOST');
  $self->{web} = $self->launch({ NODE_ENV => 'production', BENCH_DSN => $self->dsn($socket), PORT => $self->{port} }, $self->command);
  return $self->await_port;
}

sub sql ($self, $text) { return $self->{database}->sql($text) }

sub processes ($self) { return { web => [ $self->{web} ], postgres => [ $self->{database}->pid('postgres') ] } }
sub clear ($self) { return $self->sql('TRUNCATE bench.events, bench.crashes') }
sub events ($self, $body = undef) { return $self->sql('SELECT (SELECT count(*) FROM bench.events) + (SELECT count(*) FROM bench.crashes)') }

# So that thousands of requests do not take thousands of syncs. What the program itself does is the same.
sub hurry ($self, $on) {
  $self->sql('ALTER SYSTEM ' . ($on ? 'SET synchronous_commit = off' : 'RESET synchronous_commit'));
  return $self->sql('SELECT pg_reload_conf()');
}

sub facts ($self) {
  my $root = Bench::Subject::root();
  return { $self->{database}->facts->%*, $self->{name} => join ' ', map { s{\A\Q$root\E/}{}r =~ s/\A[\d.]+:\d+\z/…/r } $self->command };
}

sub stop ($self) {
  $self->SUPER::stop;
  return $self->{database} && $self->{database}->stop;
}

1;
