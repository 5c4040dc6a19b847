# Turns the locations of a test into nginx's syntax. Another web server gets a file beside this one
# with the same two functions.
package WeirTest::Web::nginx;
use v5.36;

# The inside of the server block.
sub server_config ($class, %options) {
  return join '', map { location($_) } $options{locations}->@*;
}

# Lines for the http block.
sub http_config ($class, %options) {
  return $options{http_lines} // '';
}

sub location ($place) {
  my $what = join ' ', 'weir', $place->{what}, $place->{strict} ? 'strict' : ();
  my @lines = ("$what;");
  push @lines, 'weir_limit ' . join(' ', pairs($place->{limits})) . ';' if $place->{limits};
  push @lines, "weir_cors @{$place->{cors}};" if $place->{cors};
  push @lines, "client_body_buffer_size $place->{body_buffer};" if $place->{body_buffer};
  push @lines, $place->{lines} // ();
  return "location = $place->{path} {\n" . join('', map { "    $_\n" } @lines) . "}\n";
}

sub pairs ($limits) {
  return map { "$_=$limits->{$_}" } sort keys %$limits;
}

1;
