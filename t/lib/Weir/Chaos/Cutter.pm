# The proxy between the servers and Redis that cuts connections: see t/chaos/cutter.cpp.
#
#   my $cutter = Weir::Chaos::Cutter->start("$dir/via.sock", $redis_socket);
#   kill USR1 => $cutter->{pid};
package Weir::Chaos::Cutter;
use v5.36;

use POSIX ();

use Weir::Chaos::Load;
use WeirTest ();

sub start ($class, $path, $target) {
  my $program = Weir::Chaos::Load::program('cutter');
  my $pid = fork // die "fork: $!\n";
  if ($pid == 0) { exec $program, $path, $target or POSIX::_exit(127) }
  WeirTest::wait_for(sub { -S $path }) or die "$program does not listen at $path\n";
  return bless { pid => $pid, owner => $$ }, $class;
}

# Whether it ran to the end.
sub end ($self) {
  return if $self->{owner} != $$ || $self->{ended}++;
  my $ran = kill CONT => $self->{pid};
  kill TERM => $self->{pid};
  waitpid $self->{pid}, 0;
  return $ran;
}

sub DESTROY ($self) { local $?; $self->end; return }

1;
