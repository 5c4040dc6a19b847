# docs/operations.md tells the truth about the web server itself: each fault of its table is made, looked
# at from outside, and mended.
use v5.36;
use FindBin;
use lib "$FindBin::Bin/lib";
use WeirTest;
use WeirTest::Operations;

my $weir = start_for_faults();

sub are_gone (@pids) {
  return ok wait_for(sub { !grep { WeirTest::Server::runs($_) } @pids }), 'the old processes have left';
}

in_trouble 'A worker is killed' => sub {
  my ($worker) = $weir->workers;
  kill KILL => $worker;
  ok wait_for(sub { 2 == grep { $_ != $worker } $weir->workers }), 'another one comes';
  clients_see();
  operators_see();
};

in_trouble 'The main process is killed' => sub {
  my @workers = $weir->workers;
  $weir->signal(web => 'KILL');
  are_gone($weir->pid('web'));
  clients_see();
  operators_see();
  $weir->repair;
  are_gone(@workers);
  clients_see();
};

in_trouble 'The web server is reloaded while Redis is away' => sub {
  $weir->signal(redis => 'KILL');
  clients_see();
  my @old = $weir->reload;
  clients_see(50);
  operators_see();
  are_gone(@old);
  $weir->repair;
};

allow_killed_workers();
faults_done();
