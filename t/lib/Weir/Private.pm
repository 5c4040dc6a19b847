# A PostgreSQL and a Redis for one test file, in a folder of their own and reached over unix sockets,
# which the test may kill and start again as it likes; and flushers over them.
#
#   my $private = Weir::Private->new;
#   $private->start('redis', 'postgres');
#   $private->migrate('weir');
#   my $flusher = $private->flusher('--stream' => 'weir:{1}');   # runs in the background
#   $private->end($flusher, 'TERM');                             # its exit status
#   $private->stop;                                              # at the test's end in any case
package Weir::Private;
use v5.36;

use DBI;
use File::Basename qw(dirname);
use File::Path qw(remove_tree);
use File::Spec;
use File::Temp qw(tempdir);
use List::Util qw(sum);
use POSIX qw(WNOHANG);
use Redis;
use Time::HiRes qw(time);

my $root = File::Spec->rel2abs(dirname(__FILE__) . '/../../..');
my @all;
my $build = File::Spec->rel2abs($ENV{BUILD} // "$root/build");

sub new ($class) {
  my $self = bless { dir => tempdir('weir-flusher-XXXXXX', TMPDIR => 1), owner => $$, pids => {}, runs => 0 }, $class;
  push @all, $self;
  chmod 0755, $self->{dir} or die "chmod $self->{dir}: $!\n";
  mkdir "$self->{dir}/$_" or die "mkdir $self->{dir}/$_: $!\n" for qw(redis postgres log);
  $self->{as_postgres} = [];
  if ($> == 0) {    # PostgreSQL refuses to run as root
    $self->{as_postgres} = [qw(setpriv --reuid=postgres --regid=postgres --clear-groups)];
    chown +(getpwnam 'postgres')[ 2, 3 ], "$self->{dir}/postgres" or die "chown: $!\n";
  }
  return $self;
}

# However the test ends, nothing is left behind.
END {
  local $?;
  $_->stop for grep { defined } @all;
}

# Between two looks at what a test waits for.
sub pause { return select undef, undef, undef, 0.02 }

# Waits until `condition` holds, and dies of `what` when it does not within `seconds`.
sub wait_until ($what, $seconds, $condition) {
  for (my $end = time + $seconds ; ;) {
    my $value = $condition->();
    return $value if $value;
    die "$what did not come true within $seconds s\n" if time > $end;
    pause();
  }
}

sub postgres_program ($name) {
  my ($path) = grep { -x } map { "$_/$name" } glob '/usr/lib/postgresql/*/bin';
  return $path // die "PostgreSQL's $name is missing: install postgresql-15\n";
}

# Servers ------------------------------------------------------------------------------------

sub start ($self, @names) {
  for my $name (@names) {
    my ($launch, $answers) = $self->can("${name}_command")->($self);
    $self->{pids}{$name} = $self->spawn($name, @$launch);
    wait_until("$name answers", 60, sub { eval { $answers->() } });
  }
  return;
}

sub redis_command ($self, $name = 'redis') {
  my @settings = (qw(--port 0 --appendonly yes --appendfsync always --save), '');
  push @settings, $self->{redis_settings}->@* if $self->{redis_settings};
  my @command = ('redis-server', '--unixsocket', "$self->{dir}/$name/socket", '--dir', "$self->{dir}/$name", @settings);
  return (\@command, sub { $self->redis($name)->ping });
}

# A second Redis, to be made a replica of the first.
sub replica_command ($self) {
  mkdir "$self->{dir}/replica";
  return $self->redis_command('replica');
}

# A copy of what Redis has on its disk, and back again while it does not run.
sub save_redis ($self) { return $self->copy_redis('redis', 'saved') }
sub restore_redis ($self) { return $self->copy_redis('saved', 'redis') }

sub copy_redis ($self, $from, $to) {
  remove_tree("$self->{dir}/$to/appendonlydir");
  mkdir "$self->{dir}/$to";
  system('cp', '-r', "$self->{dir}/$from/appendonlydir", "$self->{dir}/$to/appendonlydir") == 0 or die "cp failed\n";
  return;
}

# fsync only matters when the machine itself goes down.
sub postgres_command ($self) {
  my $data = "$self->{dir}/postgres/data";
  if (!-e "$data/PG_VERSION") {
    $self->run('initdb', $self->{as_postgres}->@*, postgres_program('initdb'), qw(-U postgres -A trust -E UTF8 --locale=C.UTF-8 --no-sync -D), $data);
  }
  unlink "$data/postmaster.pid";
  my @settings = map { ('-c', $_) } 'listen_addresses=', "unix_socket_directories=$self->{dir}/postgres", 'fsync=off', 'timezone=UTC';
  return ([ $self->{as_postgres}->@*, postgres_program('postgres'), '-D', $data, @settings ], sub { $self->connect('postgres') });
}

sub pid ($self, $name) { return $self->{pids}{$name} }

sub spawn ($self, $name, @command) {
  my $pid = fork // die "fork: $!\n";
  return $pid if $pid;
  chdir '/';
  open STDIN, '<', '/dev/null' or POSIX::_exit(127);
  open STDOUT, '>>', "$self->{dir}/log/$name" or POSIX::_exit(127);
  open STDERR, '>&', \*STDOUT or POSIX::_exit(127);
  exec { $command[0] } @command or POSIX::_exit(127);
}

# Runs a program to its end and dies if it fails.
sub run ($self, $name, @command) {
  my $status = $self->wait_for($self->spawn($name, @command), 60);
  die "$name failed:\n" . $self->log_of($name) if $status;
  return;
}

# The exit status of a child, or "signal N"; dies when it does not end in time.
sub wait_for ($self, $pid, $seconds = 60) {
  my $status;
  wait_until("the end of process $pid", $seconds, sub { my $ended = waitpid($pid, WNOHANG) == $pid; $status = $?; $ended });
  delete $self->{flushers}{$pid};
  return $status & 127 ? 'signal ' . ($status & 127) : $status >> 8;
}

# The signals that a process was sent and has not taken, as a number of bits.
sub pending_signals ($pid) {
  open my $file, '<', "/proc/$pid/status" or return 0;
  local $/;
  return sum(map { hex } readline($file) =~ /^(?:SigPnd|ShdPnd):\s+([0-9a-f]+)/mg);
}

# Ends a server (by its name) or a flusher (by its pid) with a signal; what wait_for() says of it.
# For PostgreSQL, QUIT is an immediate shutdown: it recovers from its log when it starts again.
sub end ($self, $who, $signal) {
  my $pid = $self->{pids}{$who} ? delete $self->{pids}{$who} : $who;
  kill $signal => $pid or die "process $pid is gone already\n";
  return $self->wait_for($pid);
}

sub stop ($self) {
  return if $self->{owner} != $$ || $self->{stopped}++;
  kill CONT => values $self->{pids}->%*;    # should a test have stopped one and died
  my %signal = (postgres => 'QUIT', redis => 'TERM', map { $_ => 'KILL' } keys $self->{flushers}->%*);
  for my $who (grep { /\A\d/ || $self->{pids}{$_} } sort keys %signal) {
    eval { $self->end($who, $signal{$who}); 1 } or warn $@;
  }
  remove_tree($self->{dir}) unless $ENV{WEIR_KEEP};
  return;
}

# Clients ------------------------------------------------------------------------------------

sub redis ($self, $name = 'redis') { return Redis->new(sock => "$self->{dir}/$name/socket", encoding => undef) }

sub connect ($self, $database, $user = 'postgres') {
  return DBI->connect("dbi:Pg:dbname=$database;host=$self->{dir}/postgres", $user, '', { RaiseError => 1, PrintError => 0, AutoCommit => 1, AutoInactiveDestroy => 1 });
}

sub conninfo ($self, $database, $user = 'weir_flusher') { return "host=$self->{dir}/postgres dbname=$database user=$user" }

sub create_database ($self, $database, $template = 'template0') {
  $self->connect('postgres')->do("CREATE DATABASE $database TEMPLATE $template");
  return;
}

sub migrate ($self, $database) {
  $self->run('migrate', "$build/weirctl", 'migrate', '--postgres', $self->conninfo($database, 'postgres'), '--sql', "$root/sql");
  return;
}

# Flushers -----------------------------------------------------------------------------------

# The ordinary one, or the one with fault points while a test has armed some.
sub flusher_program { return $ENV{WEIR_FAULTS} ? "$build/faults/weir-flusher" : "$build/weir-flusher" }

# Runs `code` with a folder for fault points (fault/fault_point.h) in which `point` is armed.
sub with_fault ($self, $point, $code) {
  local $ENV{WEIR_FAULTS} = "$self->{dir}/faults";
  mkdir $ENV{WEIR_FAULTS};
  $self->arm($point);
  return $code->();
}

# `point` is "after_commit.kill" or "after_commit.stop".
sub arm ($self, $point) {
  unlink map { "$self->{dir}/faults/$point$_" } 'ed', 'ped';
  open my $file, '>', "$self->{dir}/faults/$point" or die "$point: $!\n";
  close $file or die "$point: $!\n";
  return;
}

# True once somebody was killed or stopped there.
sub was_at ($self, $point) { return -e "$self->{dir}/faults/$point" . ($point =~ /stop\z/ ? 'ped' : 'ed') }

sub flusher_command ($self, @options) {
  my @places;
  push @places, '--postgres', $self->conninfo('weir') unless grep { $_ eq '--postgres' } @options;
  push @places, '--redis', "unix:$self->{dir}/redis/socket" unless grep { $_ eq '--redis' } @options;
  return (flusher_program(), @places, @options);
}

# One in the background; its log has its pid's name.
sub flusher ($self, @options) {
  my $log = 'flusher-' . ++$self->{runs};
  my $pid = $self->spawn($log, $self->flusher_command(@options));
  $self->{flushers}{$pid} = $log;
  $self->{logs}{$pid} = $log;
  return $pid;
}

# One that runs to its end: its exit status and what it logged.
sub run_flusher ($self, @options) {
  my $pid = $self->flusher(@options);
  my $status = $self->wait_for($pid, 60);
  return ($status, $self->said_by($pid));
}

sub drain ($self, @options) {
  my ($status, $said) = $self->run_flusher('--once', @options);
  die "weir-flusher --once failed ($status):\n$said" if $status;
  return $said;
}

sub said_by ($self, $pid) { return $self->log_of($self->{logs}{$pid}) }

sub log_of ($self, $name) {
  open my $file, '<', "$self->{dir}/log/$name" or return '';
  local $/;
  return scalar(<$file>) // '';
}

# The names of all flushers' logs, for log_of().
sub flusher_logs ($self) { return map { "flusher-$_" } 1 .. $self->{runs} }

# All that any program of this folder has logged.
sub all_logs ($self) { return join '', map { $self->log_of($_) } map { m{([^/]+)\z} } glob "$self->{dir}/log/*" }

1;
