# nginx as the web server of a test: a test's locations in nginx's syntax, and what nginx calls the
# things that every web server has. apache.pm beside it has the same subs.
package WeirTest::Web::nginx;
use v5.36;

use File::Temp qw(tempdir);
use WeirTest::Web;

sub title ($class) { return 'nginx' }
sub module ($class) { return 'ngx_http_weir_module.so' }

# The main process takes these: to begin anew with its configuration, and to end; each lets requests
# come to their end.
sub reload_signal ($class) { return 'HUP' }
sub quit_signal ($class) { return 'QUIT' }

# What the error log says of a worker that was killed, and before a line of a level.
sub killed_worker ($class) { return qr/worker process \d+ exited on signal 9/ }
sub level ($class, $word) { return qr/\[$word\]/ }

# What a request costs besides its body while it is read: here next to nothing.
sub kib_of_a_request ($class) { return 0 }

# Once a worker knows that it is to leave.
sub is_leaving ($class, $log, $pid) { return $log =~ /$pid#\d+: gracefully shutting down/ }

# The inside of the server block. A test that is about nginx may bring its own, as `config`, and lines
# for the http block, as `top`.
sub server_config ($class, %options) {
  return $options{config} if $options{config};
  my $listen = $options{http2} ? "listen 127.0.0.1:$options{port} http2;\n" : '';
  return join '', $listen, map { location($_) } $options{locations}->@*;
}

sub top_config ($class, %options) { return $options{top} // '' }

sub location ($place) {
  my @lines = (join(' ', 'weir', $place->{what}, $place->{strict} ? 'strict' : ()) . ';');
  push @lines, 'weir_limit ' . join(' ', WeirTest::Web::pairs($place->{limits})) . ';' if $place->{limits};
  push @lines, "weir_cors @{$place->{cors}};" if $place->{cors};
  push @lines, "client_body_buffer_size $place->{body_buffer};" if $place->{body_buffer};
  return "location = $place->{path} {\n" . join('', map { "    $_\n" } @lines) . "}\n";
}

# The name of a directive, such as `redis`, and a pattern of its line: blanks, a # where it was taken out,
# and the words.
sub directive ($class, $name) { return ("weir_$name", qr/^( *)(#?)weir_$name +([^;\n]*);/m) }
sub directive_end ($class) { return ';' }

# What `nginx -t` says about a whole configuration of which the text is the inside of http{}. The
# text's first line is line 6 of the file. (exit status, output)
sub check_config ($module, $http) {
  my $dir = tempdir('weir-nginx-XXXXXX', TMPDIR => 1, CLEANUP => 1);
  open my $file, '>', "$dir/nginx.conf" or die "$dir: $!\n";
  print {$file} qq(load_module "$module";\npid "$dir/nginx.pid";\nerror_log stderr;\nevents {}\nhttp {\n$http\n}\n);
  close $file;
  return WeirTest::Web::output_of(WeirTest::Web::preload($module), '/usr/sbin/nginx', '-t', '-e', 'stderr', '-p', $dir,
    '-c', "$dir/nginx.conf");
}

1;
