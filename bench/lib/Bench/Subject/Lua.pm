# Its Redis is a private one of Weir's, set up alike.
package Bench::Subject::Lua;
use v5.36;

use parent 'Bench::Subject::Nginx';

sub start ($self) {
  $self->{redis} = Bench::Subject->make('Weir, nginx', $self->{dir}, port => $self->{port} + 50, small => $self->{small}, parts => ['redis'],
    fsync => $self->{fsync});
  $self->{redis}->start;
  $self->fill(Bench::Subject::root() . '/bench/peers/lua/nginx.conf.in', "$self->{dir}/nginx.conf", PORT => $self->{port},
    TOP => $> == 0 ? 'user www-data;' : '', DIR => $self->{dir}, SOURCE => Bench::Subject::root() . '/bench/peers/lua',
    REDIS_SOCKET => $self->{redis}->setting('REDIS_SOCKET'));
  return $self->run_nginx;
}

sub processes ($self) { return { web => [ $self->{web} ], redis => [ $self->{redis}->pid('redis') ] } }
sub clear ($self) { return $self->{redis}->empty_redis('lua') }
sub events ($self, $body = undef) { return 0 + $self->{redis}->redis('XLEN', 'lua') }    # an entry an event

sub facts ($self) {
  return { $self->{redis}->facts->%*, 'nginx + Lua' => $self->lines_of("$self->{dir}/nginx.conf", qr/^\s*(?:worker_processes|access_log|\w+_pool_size|client_body_buffer_size)/)
      . '; ' . $self->lines_of(Bench::Subject::root() . '/bench/peers/lua/track.lua', qr/set_keepalive|set_timeout/) };
}

sub stop ($self) {
  $self->SUPER::stop;
  return $self->{redis} && $self->{redis}->stop;
}

1;
