# The load generator as a process of its own, and what it says: see t/chaos/load.cpp.
#
#   my $load = Weir::Chaos::Load->start($port, "$dir/ledger", connections => 64, rate => 5000, seed => 7);
#   $load->listen;                       # takes in what it has reported, never waits
#   $load->{last}{acknowledged};
#   my $total = $load->finish;           # every request answered, or given up
package Weir::Chaos::Load;
use v5.36;

use Errno qw(EAGAIN EINTR);
use Fcntl qw(F_GETFL F_SETFL O_NONBLOCK);
use File::Spec;
use Time::HiRes qw(time);

use WeirTest::Server;

sub start ($class, $port, $ledger, %options) {
  my $program = program('load');
  my $pid = open my $from, '-|', $program, $port, $ledger, map { "$_=$options{$_}" } sort keys %options
    or die "$program: $!\n";
  fcntl $from, F_SETFL, fcntl($from, F_GETFL, 0) | O_NONBLOCK or die "fcntl: $!\n";
  return bless { pid => $pid, from => $from, ledger => $ledger, text => '', last => {}, wrong => [], refusals => [] },
    $class;
}

sub program ($name) {
  my $path = File::Spec->rel2abs($ENV{BUILD} // 'build', WeirTest::Server->root) . "/chaos/$name";
  -x $path or die "$path is missing: build it with `make test` or `make chaos`\n";
  return $path;
}

# False once it has ended.
sub listen ($self) {
  while (1) {
    my $count = sysread $self->{from}, my $bytes, 65_536;
    return 1 if !defined $count && ($! == EAGAIN || $! == EINTR);
    return 0 unless $count;
    $self->{text} .= $bytes;
    $self->take($1) while $self->{text} =~ s/\A(.*)\n//;
  }
}

sub take ($self, $line) {
  if ($line =~ /\Awrong: (.*)/) { push $self->{wrong}->@*, $1; return }
  my ($word, $rest) = $line =~ /\A(report|total) (.*)/ or return;
  my %now = $rest =~ /(\w+)=(\d+)/g;
  # When 503 was answered: between the report before and this one.
  push $self->{refusals}->@*, [ $self->{last}{ms} // $now{ms}, $now{ms} ]
    if ($now{status_503} // 0) > ($self->{last}{status_503} // 0);
  $self->{last} = \%now;
  $self->{total} = \%now if $word eq 'total';
  return;
}

sub finish ($self, $seconds = 90) {
  kill TERM => $self->{pid};
  my $end = time + $seconds;
  while ($self->listen) {
    last if time > $end;
    select undef, undef, undef, 0.02;
  }
  kill KILL => $self->{pid} unless $self->{total};
  close $self->{from};
  die "the load generator failed\n" if $? || !$self->{total};
  return $self->{total};
}

1;
