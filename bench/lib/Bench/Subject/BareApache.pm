# The handler that only reads and answers (bench/bare/mod_bare.cpp), in an httpd set up as Weir's is.
package Bench::Subject::BareApache;
use v5.36;

use parent 'Bench::Subject::Weir';

sub start ($self) {
  my $conf = "$self->{dir}/bare.conf";
  open my $file, '>', $conf or die "$conf: $!\n";
  print {$file} 'LoadModule bare_module "' . Bench::Subject::build() . qq(/mod_bare.so"\n<Location "/bare">\nSetHandler bare\n</Location>\n);
  close $file or die "$conf: $!\n";
  $self->{env} = { WEIR_HTTP_CONF => $conf };
  return $self->SUPER::start;
}

sub clear ($self) { return }
sub events ($self, $body) { return }
sub url ($self, $path) { return $self->SUPER::url('/bare') }

1;
