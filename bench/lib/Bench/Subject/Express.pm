package Bench::Subject::Express;
use v5.36;

use parent 'Bench::Subject::Inserting';

sub dsn ($self, $socket) { return "postgresql://postgres\@/weir?host=$socket" }
# Its packages come from npm, in the versions that package-lock.json names.
sub start ($self) {
  my $folder = Bench::Subject::root() . '/bench/peers/express';
  -d "$folder/node_modules" || system('npm', 'ci', '--silent', '--no-audit', '--no-fund', '--prefix', $folder) == 0
    or die "npm cannot fetch Express: is it there (apt-get install npm), and a registry within reach?\n";
  return $self->SUPER::start;
}

sub command ($self) { return ('node', Bench::Subject::root() . '/bench/peers/express/app.js') }

1;
