# nginx with a configuration of its own.
package Bench::Subject::Nginx;
use v5.36;

use parent 'Bench::Subject';

sub run_nginx ($self) {
  my $pid = $self->launch({}, '/usr/sbin/nginx', '-e', "$self->{dir}/error.log", '-p', $self->{dir}, '-c',
    "$self->{dir}/nginx.conf");
  $self->{web} = $pid;
  return $self->await_port;
}

sub facts ($self) { return { $self->{name} => $self->lines_of("$self->{dir}/nginx.conf", qr/^\s*(?:worker_processes|access_log|\w+_pool_size|client_body_buffer_size)/) } }

sub processes ($self) { return { web => [ $self->{web} ] } }

1;
