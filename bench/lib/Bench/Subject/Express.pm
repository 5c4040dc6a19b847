package Bench::Subject::Express;
use v5.36;

use parent 'Bench::Subject::Inserting';

sub dsn ($self, $socket) { return "postgresql://postgres\@/weir?host=$socket" }

# Its packages come from npm, in the versions that package-lock.json names.
sub start ($self) {
  -d Bench::Subject::root() . '/bench/peers/express/node_modules' or die "Express is not there: run tools/install-deps bench\n";
  return $self->SUPER::start;
}

sub command ($self) { return ('node', Bench::Subject::root() . '/bench/peers/express/app.js') }

1;
