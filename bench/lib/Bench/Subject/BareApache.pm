# The handler that only reads and answers (bench/bare/mod_bare.cpp), in an httpd with one child, as many threads
# as Weir's has, and without mod_weir.
package Bench::Subject::BareApache;
use v5.36;

use parent 'Bench::Subject';

use Bench::Proc;

# As tools/run.d/apache.sh has them for one child.
my @processes = ('ServerLimit 16', 'ThreadLimit 512', 'ThreadsPerChild 512', 'StartServers 1', 'MaxRequestWorkers 512',
  'MinSpareThreads 1', 'MaxSpareThreads 513', 'KeepAliveTimeout 75');

sub start ($self) {
  my $conf = "$self->{dir}/httpd.conf";
  $self->fill(Bench::Subject::root() . '/bench/bare/httpd.conf.in', $conf, PORT => $self->{port}, DIR => $self->{dir},
    MODULE => Bench::Subject::build() . '/mod_bare.so', PROCESSES => join("\n", @processes), USER => $> == 0 ? "User www-data\nGroup www-data" : '');
  $self->{web} = $self->launch({}, '/usr/sbin/apache2', '-DFOREGROUND', '-f', $conf);
  $self->await_port;
  # What is loaded costs each request a little, even where it declines it.
  die "the bare Apache has loaded mod_weir\n" if grep { Bench::Proc::slurp("/proc/$_/maps") =~ /mod_weir/ } Bench::Proc::tree($self->{web});
  return;
}

sub processes ($self) { return { web => [ $self->{web} ] } }
sub facts ($self) { return { $self->{name} => $self->lines_of("$self->{dir}/httpd.conf", qr/^\s*(?:ThreadsPerChild|StartServers|KeepAliveTimeout)/) } }

1;
