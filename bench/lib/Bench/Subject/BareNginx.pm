package Bench::Subject::BareNginx;
use v5.36;

use parent 'Bench::Subject::Nginx';

sub start ($self) {
  $self->fill(Bench::Subject::root() . '/bench/bare/nginx.conf.in', "$self->{dir}/nginx.conf", PORT => $self->{port},
    WORKERS => $self->{workers} // 1,    TOP => $> == 0 ? 'user www-data;' : '', DIR => $self->{dir}, MODULE => Bench::Subject::build() . '/bench/ngx_http_bare_module.so');
  return $self->run_nginx;
}

1;
