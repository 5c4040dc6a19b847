package Bench::Subject::Flask;
use v5.36;

use parent 'Bench::Subject::Inserting';

sub dsn ($self, $socket) { return "host=$socket user=postgres dbname=weir" }

sub command ($self) {
  return ('gunicorn', '--workers', '2', '--bind', "127.0.0.1:$self->{port}", '--chdir',
    Bench::Subject::root() . '/bench/peers/flask', 'app:app');
}

1;
