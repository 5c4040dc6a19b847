# Many clients at once, each a process of its own with its own connection.
#
#   my @results = in_parallel(64, sub ($number) { …; return {answers => 12} });
#
# A client that dies makes the whole call die with its words.
package WeirTest::Clients;
use v5.36;

use Exporter 'import';
use POSIX ();
use Storable qw(freeze thaw);

our @EXPORT_OK = qw(in_parallel start_clients);

# Starts `count` processes that run `work->(number)`, and returns a function that waits for them and
# gives their results.
sub start_clients ($count, $work) {
  my @running = map { start_one($_, $work) } 0 .. $count - 1;
  return sub { return map { result_of($_) } @running };
}

sub in_parallel ($count, $work) { return start_clients($count, $work)->() }

sub start_one ($number, $work) {
  pipe my $from, my $to or die "pipe: $!\n";
  my $pid = fork // die "fork: $!\n";
  if ($pid == 0) {
    close $from;
    my $result = eval { { value => scalar $work->($number) } } // { error => $@ || 'died' };
    print {$to} freeze($result);
    close $to;
    POSIX::_exit(0);
  }
  close $to;
  return { pid => $pid, from => $from, number => $number };
}

sub result_of ($client) {
  my $bytes = do { local $/; readline $client->{from} };
  close $client->{from};
  waitpid $client->{pid}, 0;
  my $result = length($bytes // '') ? thaw($bytes) : { error => 'ended without a result' };
  die "client $client->{number}: $result->{error}" if defined $result->{error};
  return $result->{value};
}

1;
