# Turns the locations of a test into nginx's syntax. Another web server gets a file beside this one
# with server_config(); the rest is for the tests that are about nginx only.
package WeirTest::Web::nginx;
use v5.36;

use File::Temp qw(tempdir);

# The inside of the server block. A test that is about nginx may bring its own, as `config`.
sub server_config ($class, %options) {
  return $options{config} if $options{config};
  my $listen = $options{http2} ? "listen 127.0.0.1:$options{port} http2;\n" : '';
  return join '', $listen, map { location($_) } $options{locations}->@*;
}

sub location ($place) {
  my @lines = (join(' ', 'weir', $place->{what}, $place->{strict} ? 'strict' : ()) . ';');
  push @lines, 'weir_limit ' . join(' ', pairs($place->{limits})) . ';' if $place->{limits};
  push @lines, "weir_cors @{$place->{cors}};" if $place->{cors};
  push @lines, "client_body_buffer_size $place->{body_buffer};" if $place->{body_buffer};
  return "location = $place->{path} {\n" . join('', map { "    $_\n" } @lines) . "}\n";
}

sub pairs ($limits) {
  return map { "$_=$limits->{$_}" } sort keys %$limits;
}

# What `nginx -t` says about a whole configuration of which the text is the inside of http{}. The
# text's first line is line 6 of the file. (exit status, output)
sub check_config ($module, $http) {
  my $dir = tempdir('weir-nginx-XXXXXX', TMPDIR => 1, CLEANUP => 1);
  open my $file, '>', "$dir/nginx.conf" or die "$dir: $!\n";
  print {$file} qq(load_module "$module";\npid "$dir/nginx.pid";\nerror_log stderr;\nevents {}\nhttp {\n$http\n}\n);
  close $file;
  my @preload = preload($module);
  open my $said, '-|',
    join(' ', map { "'$_'" } @preload, '/usr/sbin/nginx', '-t', '-e', 'stderr', '-p', $dir, '-c', "$dir/nginx.conf")
    . ' 2>&1' or die "nginx: $!\n";
  my $text = do { local $/; <$said> };
  close $said;
  return ($? >> 8, $text);
}

# A module built with sanitizers wants their runtime in the process before anything else.
sub preload ($module) {
  open my $file, '<:raw', $module or die "$module: $! (build it with make)\n";
  my $bytes = do { local $/; <$file> };
  my ($sanitizer) = $bytes =~ /__([at]san)_init/ or return ();
  chomp(my $runtime = `gcc -print-file-name=lib$sanitizer.so`);
  return ('env', "LD_PRELOAD=$runtime", 'ASAN_OPTIONS=detect_leaks=0');
}

1;
