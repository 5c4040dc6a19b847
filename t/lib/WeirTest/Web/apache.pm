# Apache as the web server of a test: a test's locations in Apache's syntax, and what Apache calls the
# things that every web server has. nginx.pm beside it has the same subs.
package WeirTest::Web::apache;
use v5.36;

use File::Temp qw(tempdir);
use WeirTest::Web;

our $modules = '/usr/lib/apache2/modules';

sub title ($class) { return 'Apache' }
sub module ($class) { return 'mod_weir.so' }

# A graceful restart, and a graceful stop.
sub reload_signal ($class) { return 'USR1' }
sub quit_signal ($class) { return 'WINCH' }

# Of signal 9 Apache says nothing.
sub killed_worker ($class) { return () }
sub level ($class, $word) { return qr/\[weir:$word\]/ }

# A thread with its stack, and Apache's own pools and buffers.
sub kib_of_a_request ($class) { return 256 }

# The parent tells for all of its children.
sub is_leaving ($class, $log, $pid) {
  return $log =~ /Doing graceful restart|shutting down gracefully/;
}

# What stands at the end of the configuration, outside of any section. A test that is about Apache may
# bring its own, as `config`, and lines to stand before that, as `top`.
sub server_config ($class, %options) {
  return $options{config} if $options{config};
  return join '', map { location($_) } $options{locations}->@*;
}

sub top_config ($class, %options) {
  my $http2 = $options{http2} ? load('http2') . "Protocols h2c http/1.1\n" : '';
  return $http2 . ($options{top} // '');
}

# Lines that load Apache's own modules.
sub load (@names) { return join '', map { "LoadModule ${_}_module $modules/mod_$_.so\n" } @names }

sub location ($place) {
  my ($kind, @options) = split ' ', $place->{what};
  push @options, 'strict' if $place->{strict};
  my @lines = "SetHandler weir-$kind";
  push @lines, "WeirOptions @options" if @options;
  push @lines, 'WeirLimit ' . join(' ', WeirTest::Web::pairs($place->{limits})) if $place->{limits};
  push @lines, "WeirCors @{$place->{cors}}" if $place->{cors};
  return qq(<LocationMatch "^$place->{path}\$">\n) . join('', map { "    $_\n" } @lines) . "</LocationMatch>\n";
}

sub directive ($class, $name) { return ('Weir' . ucfirst $name, qr/^( *)(#?)Weir\u$name +([^\n]*)/m) }
sub directive_end ($class) { return '' }

# What `apachectl configtest` says about a whole configuration which the text completes. The text's first
# line is line 8 of the file. (exit status, output)
sub check_config ($module, $text, $mpm = 'event') {
  my $dir = tempdir('weir-apache-XXXXXX', TMPDIR => 1, CLEANUP => 1);
  open my $file, '>', "$dir/apache.conf" or die "$dir: $!\n";
  print {$file} qq(ServerRoot "$dir"\nServerName localhost\n), load("mpm_$mpm", 'authz_core'),
    qq(LoadModule weir_module "$module"\nListen 127.0.0.1:1\nErrorLog "$dir/error.log"\n$text\n);
  close $file;
  return WeirTest::Web::output_of(WeirTest::Web::preload($module), '/usr/sbin/apache2', '-t', '-f', "$dir/apache.conf");
}

1;
