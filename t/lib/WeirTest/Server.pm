# A private Weir for one test file: web server, Redis, PostgreSQL and flusher in a folder of their
# own, started and ended by tools/run.
#
#   my $weir = WeirTest::Server->prepare(locations => [{path => '/track', what => 'track'}])->up;
#   $weir->signal(redis => 'STOP'); … $weir->repair;
#   $weir->stop;      # in WeirTest's END in any case
#
# Options of prepare():
#   locations  what the web server takes where: {path, what, strict, limits => {name => value},
#              cors => [origins], body_buffer => '1k'}
#   workers    processes of the web server (2; with WEIR_MPM=prefork, where each serves one client, 80)
#   http2      speak HTTP/2 without TLS (as nginx does it, no HTTP/1.1 then)
#   kind       the web server, for tests that are about one ($WEIR_SERVER, or nginx)
#   config     for such tests: what is served, in the server's own words, instead of locations
#   top        for such tests: more lines before that
#   env        more variables for tools/run
package WeirTest::Server;
use v5.36;

use Fcntl qw(LOCK_EX LOCK_NB);
use File::Basename qw(dirname);
use File::Path qw(remove_tree);
use File::Spec;
use File::Temp qw(tempdir);
use IO::Socket::INET;

my $root = File::Spec->rel2abs(dirname(__FILE__) . '/../../..');

sub root { return $root }

sub default_locations {
  return [
    { path => '/track',    what => 'track' },
    { path => '/crash',    what => 'crash' },
    { path => '/v1/track', what => 'cli' },
    { path => '/health',   what => 'health' },
  ];
}

# The folder, the port and the configuration, with nothing running yet.
sub prepare ($class, %options) {
  my $self = bless {
    run     => $options{run} // tempdir('weir-test-XXXXXX', TMPDIR => 1),
    kind    => $options{kind} // ($ENV{WEIR_SERVER} || 'nginx'),
    workers => $options{workers} // (($ENV{WEIR_MPM} // '') eq 'prefork' ? 80 : 2),
    env     => $options{env} // {},
    owner   => $$,
  }, $class;
  $self->{port} = $options{port} // $self->reserve_port;
  chmod 0755, $self->{run} or die "chmod $self->{run}: $!\n";
  my %all = (locations => default_locations(), %options, port => $self->{port});
  write_file("$self->{run}/test-server.conf", $self->adapter->server_config(%all));
  write_file("$self->{run}/test-top.conf", $self->adapter->top_config(%all));
  return $self;
}

# A port that nobody listens on, kept for this test by a lock that ends with the process.
sub reserve_port ($self) {
  for my $port (18300 .. 18399) {
    open my $lock, '>>', "/tmp/weir-test-port-$port" or next;    # where every other test looks, too
    flock $lock, LOCK_EX | LOCK_NB or next;
    my $probe = IO::Socket::INET->new(LocalAddr => '127.0.0.1', LocalPort => $port, Listen => 1, ReuseAddr => 1);
    next unless $probe;
    close $probe;
    $self->{port_lock} = $lock;
    return $port;
  }
  die "no free port between 18300 and 18399\n";
}

sub adapter ($self) {
  my $adapter = "WeirTest::Web::$self->{kind}";
  eval "require $adapter; 1" or die "WEIR_SERVER=$self->{kind} is not a server that the tests know: $@";
  return $adapter;
}

sub write_file ($path, $text) {
  open my $file, '>', $path or die "$path: $!\n";
  print {$file} $text;
  close $file or die "$path: $!\n";
  return;
}

sub read_file ($path) {
  open my $file, '<', $path or die "$path: $!\n";
  local $/;
  return scalar <$file>;
}

# Runs tools/run with a verb; its exit status and all that it printed.
sub tool ($self, $verb) {
  local %ENV = (%ENV, $self->environment);
  delete @ENV{qw(MAKEFLAGS MFLAGS MAKELEVEL)};
  open my $said, '-|', "$root/tools/run $verb 2>&1 </dev/null" or die "tools/run: $!\n";
  my $text = do { local $/; <$said> };
  close $said;
  return ($? >> 8, $text // '');
}

sub environment ($self) {
  return (
    RUN           => $self->{run},
    WEIR_PORT     => $self->{port},
    WEIR_SERVER   => $self->{kind},
    WEIR_WORKERS  => $self->{workers},
    WEIR_WEB_CONF => "$self->{run}/test-server.conf",
    WEIR_HTTP_CONF => "$self->{run}/test-top.conf",
    WEIR_POSTGRES_FSYNC => 'off',    # the machine is not going to lose its power in mid-test
    WEIR_POSTGRES_COPY => $ENV{TEST_CLUSTER} // '',    # of tools/test
    $self->{env}->%*,
  );
}

sub up ($self) {
  my ($status, $said) = $self->tool('up');
  die "tools/run up failed ($status):\n$said\n" if $status;
  $self->{settings} = undef;
  return $self;
}

sub repair ($self) { return $self->up }

sub down ($self) {
  my ($status, $said) = $self->tool('down');
  die "tools/run down failed ($status):\n$said\n" if $status;
  return;
}

# Ends everything and leaves nothing behind. Safe to call twice, and in a process that was forked.
sub stop ($self) {
  return if $self->{stopped} || $self->{owner} != $$;
  $self->{stopped} = 1;
  $self->signal($_ => 'CONT') for 'redis', 'postgres', 'flusher', 'web';
  my ($status, $said) = $self->tool('down');
  warn "tools/run down failed ($status):\n$said\n" if $status;
  return $status == 0;
}

sub remove ($self) {
  return if $self->{owner} != $$ || $ENV{WEIR_KEEP};
  $self->tool('clean-run');
  remove_tree($self->{run}, { safe => 0 });
  return;
}

# The NAME=value lines of $RUN/env.
sub setting ($self, $name) {
  $self->{settings} //= { read_file("$self->{run}/env") =~ /^(\w+)='?(.*?)'?$/mg };
  return $self->{settings}{$name} // die "no $name in $self->{run}/env\n";
}

sub pid ($self, $part) {
  my $path = "$self->{run}/pid/$part";
  return -s $path ? (read_file($path) =~ /(\d+)/)[0] : undef;
}

# Whether a process runs; one that ended and was not waited for does not.
sub runs ($pid) {
  open my $file, '<', "/proc/$pid/stat" or return 0;
  return (readline($file) // '') =~ /\) [^ZX] /;
}

sub alive ($self, $part) {
  my $pid = $self->pid($part);
  return $pid && runs($pid) ? $pid : undef;
}

# Sends a signal to one part of this Weir, by its own pid; false where it does not run.
sub signal ($self, $part, $signal) {
  my $pid = $self->pid($part);
  return $pid && kill $signal => $pid;
}

# The pids of the web server's workers: its children.
sub workers_of ($pid) {
  my @children;
  for my $path (glob '/proc/[0-9]*/stat') {
    open my $file, '<', $path or next;
    my ($child, $parent) = (readline($file) // '') =~ /\A(\d+) \(.*\) \S (\d+)/s or next;
    push @children, $child if $parent == $pid;
  }
  @children = sort { $a <=> $b } @children;
  return @children;
}

sub workers ($self) { return workers_of($self->pid('web')) }

# Lets the web server begin anew with its configuration; the pids of the workers that are to leave.
sub reload ($self) {
  my @old = $self->workers;
  $self->signal(web => $self->adapter->reload_signal);
  return @old;
}

# Lets the web server end once what it has in hand is answered.
sub quit ($self) { return $self->signal(web => $self->adapter->quit_signal) }

sub web_log ($self) { return read_file("$self->{run}/log/web.log") }

# Whether a worker knows that it is to leave.
sub is_leaving ($self, $pid) { return $self->adapter->is_leaving($self->web_log, $pid) }

# Changes the words of a directive such as `redis` in the configuration that the web server has been
# started with; undef for the new words takes it out, and later ones bring it back.
sub change_directive ($self, $name, $change) {
  my $path = $self->setting('WEIR_SPOOL') =~ s{/spool\z}{/web/$self->{kind}.conf}r;
  my ($word, $line) = $self->adapter->directive($name);
  my $text = read_file($path);
  $text =~ s{$line}{
    my ($blanks, $old, $new) = ($1, $3, $change->($3));
    join '', $blanks, defined $new ? '' : '#', $word, ' ', $new // $old, $self->adapter->directive_end
  }e or die "no $word in $path\n";
  write_file($path, $text);
  return;
}

sub log_files ($self) { return glob "$self->{run}/log/*" }

# Lines that no log of a healthy Weir holds: alarms, sanitizer reports, workers that died.
sub dirty_lines ($self, @allowed) {
  my $bad = qr/\[(?:\w+:)?(?:alert|crit|emerg)\]|exit signal|did not exit|AddressSanitizer|LeakSanitizer|ThreadSanitizer|runtime error:|exited on signal|terminate called|PANIC:/;
  my @dirty;
  for my $path ($self->log_files) {
    my ($name) = $path =~ m{([^/]+)\z};
    LINE: for my $line (split /\n/, read_file($path)) {
      next unless $line =~ $bad;
      $line =~ $_ && next LINE for @allowed;
      push @dirty, "$name: $line";
    }
  }
  return @dirty;
}

# The end of every log, for a person who looks into a failure.
sub log_tails ($self, $lines = 15) {
  return map {
    my @all = split /\n/, read_file($_);
    my $from = @all > $lines ? @all - $lines : 0;
    ("== $_", @all[ $from .. $#all ])
  } $self->log_files;
}

1;
