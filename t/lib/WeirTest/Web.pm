# What the web servers of the tests have in common: see Web/nginx.pm and Web/apache.pm.
package WeirTest::Web;
use v5.36;

# Where one server's answer has to differ from the other's, in the words of docs/api.md, section "Where the
# servers differ" (t/docs.t compares): what, and which server's answer that is.
our %differences = (
  'closes the connection after 400, 413 and 503' => 'apache',
);

# name=value words of limits.
sub pairs ($limits) { return map { "$_=$limits->{$_}" } sort keys %$limits }

# Runs a command to its end: (exit status, all that it printed).
sub output_of (@command) {
  open my $said, '-|', join(' ', map { "'$_'" } @command) . ' 2>&1' or die "$command[0]: $!\n";
  my $text = do { local $/; <$said> };
  close $said;
  return ($? >> 8, $text // '');
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
