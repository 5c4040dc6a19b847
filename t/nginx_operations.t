# docs/operations.md tells the truth about what only nginx does.
use v5.36;
use FindBin;
use lib "$FindBin::Bin/lib";
use WeirTest;
use WeirTest::Operations;

my $weir = start_for_faults(kind => 'nginx');

sub are_gone (@pids) {
  return ok wait_for(sub { !grep { WeirTest::Server::runs($_) } @pids }), 'the old processes have left';
}

in_trouble 'The binary of nginx is upgraded' => sub {
  my $master = $weir->pid('web');
  my %old = map { $_ => 1 } $weir->workers;
  $weir->signal(web => 'USR2');
  my ($new) = (0);
  ok wait_for(sub {
    ($new) = grep { !$old{$_} && 2 == (() = WeirTest::Server::workers_of($_)) } $weir->workers;
    $new;
  }), 'a new master came, with workers of its own';
  clients_see();
  $weir->signal(web => 'QUIT');
  clients_see(50);
  operators_see();
  are_gone($master, keys %old);
  $weir->repair;
  is $weir->pid('web'), $new, 'the new master is the one';
};

faults_done();
