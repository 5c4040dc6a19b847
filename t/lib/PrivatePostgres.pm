# A PostgreSQL cluster of a test's own: in a temporary folder, reached over a socket in it, gone
# afterwards. PostgreSQL refuses to run as root, so there it runs as the user postgres.
#
#   my $postgres = PrivatePostgres->start;
#   my $db = $postgres->database('weir');          # made if need be; a DBI handle
#   local %ENV = (%ENV, $postgres->env('weir'));   # for programs that read PGHOST and its kin
#   my $result = $postgres->run('psql', '-c', '…'); # {status, out, err}
#
# It is stopped when the object goes, at the latest when the program ends.
package PrivatePostgres;
use v5.36;

use DBI;
use File::Path qw(remove_tree);
use File::Temp qw(tempdir);
use POSIX qw(WNOHANG);
use Scalar::Util qw(weaken);
use Time::HiRes qw(sleep time);

my @started;

sub start ($class, %settings) {
  my $self = bless {
    folder => tempdir('weir-postgres-XXXXXX', TMPDIR => 1),
    user   => $> == 0 ? 'postgres' : '',
    owner  => $$,
  }, $class;
  push @started, $self;
  weaken $started[-1];
  chown((getpwnam $self->{user})[ 2, 3 ], $self->{folder}) or die "chown: $!\n" if $self->{user};
  my $made = $self->as_user($self->program('initdb'),
    '-D', "$self->{folder}/data", qw(-U postgres -A trust -E UTF8 --locale=C.UTF-8 --no-sync));
  die "initdb: $made->{err}\n" if $made->{status};
  $self->start_server(%settings);
  return $self;
}

# Debian keeps the server's programs out of PATH, in one folder a version.
sub program ($self, $name) {
  my ($path) = grep { -x } map { "$_/$name" } reverse(sort glob '/usr/lib/postgresql/*/bin'),
    split /:/, $ENV{PATH};
  return $path // die "PostgreSQL's $name is not installed\n";
}

sub start_server ($self, %settings) {
  %settings = (
    listen_addresses => '', unix_socket_directories => $self->{folder}, fsync => 'off', timezone => 'UTC',
    %settings
  );
  my @command = (
    $self->program('postgres'), '-D', "$self->{folder}/data", map { ('-c', "$_=$settings{$_}") } sort keys %settings
  );
  $self->{pid} = $self->spawn("$self->{folder}/log", $self->wrapped(@command));
  my $ready = wait_until(sub { eval { $self->connect('postgres') } }, 60);
  die "PostgreSQL does not come up: see $self->{folder}/log\n" unless $ready;
  return;
}

# setpriv replaces itself by the command: the process is ours to end.
sub wrapped ($self, @command) {
  return @command unless $self->{user};
  return ('setpriv', "--reuid=$self->{user}", "--regid=$self->{user}", '--clear-groups', @command);
}

sub spawn ($self, $log, @command) {
  my $pid = fork // die "fork: $!\n";
  return $pid if $pid;
  open STDOUT, '>>', $log and open STDERR, '>&', \*STDOUT and open STDIN, '<', '/dev/null'
    or POSIX::_exit(127);
  { exec {$command[0]} @command }
  POSIX::_exit(127);
}

sub as_user ($self, @command) { return run_command({}, $self->wrapped(@command)) }

# Runs a program that finds the cluster by its environment.
sub run ($self, @command) { return run_command({ $self->env }, @command) }

sub env ($self, $database = 'postgres') {
  return (PGHOST => $self->{folder}, PGPORT => 5432, PGUSER => 'postgres', PGDATABASE => $database);
}

sub connect ($self, $database, $user = 'postgres') {
  return DBI->connect("dbi:Pg:host=$self->{folder};port=5432;dbname=$database", $user, undef,
    { RaiseError => 1, PrintError => 0, AutoCommit => 1, AutoInactiveDestroy => 1 });
}

# A new and empty database.
sub database ($self, $name) {
  $self->connect('postgres')->do("CREATE DATABASE $name");
  return $self->connect($name);
}

# {status, out, err}; status is the exit status, or 128 and the signal. 300 s are enough for anything, on a machine that has much else to do, too.
sub run_command ($env, @command) {
  my $folder = tempdir('weir-run-XXXXXX', TMPDIR => 1, CLEANUP => 1);
  my $result = finish_command(start_command($env, "$folder/out", "$folder/err", @command));
  return { status => $result, out => slurp("$folder/out"), err => slurp("$folder/err") };
}

# Starts it with its output in two files; returns the pid for finish_command().
sub start_command ($env, $out, $err, @command) {
  my $pid = fork // die "fork: $!\n";
  return $pid if $pid;
  local %ENV = (%ENV, $env->%*);
  open STDOUT, '>', $out and open STDERR, '>', $err and open STDIN, '<', '/dev/null'
    or POSIX::_exit(127);
  { exec {$command[0]} @command }
  POSIX::_exit(127);
}

sub finish_command ($pid, $seconds = 300) {
  my $status;
  wait_until(sub { waitpid($pid, WNOHANG) == $pid && defined($status = $?) }, $seconds)
    or kill(KILL => $pid), die "it did not end within $seconds s\n";
  return $status & 127 ? 128 + ($status & 127) : $status >> 8;
}

sub wait_until ($condition, $seconds = 60) {
  my $deadline = time + $seconds;
  until ($condition->()) {
    return 0 if time > $deadline;
    select undef, undef, undef, 0.02;
  }
  return 1;
}

sub slurp ($path) {
  open my $file, '<:raw', $path or die "$path: $!\n";
  local $/ = undef;
  return <$file> // '';
}

# Once, and only by the process that started it. At the end of a test file an END block does it: in
# global destruction too much of Perl is gone already.
sub stop ($self) {
  return if $self->{owner} != $$ || $self->{stopped}++;
  local ($?, $@);
  if ($self->{pid}) {
    kill INT => $self->{pid};
    wait_until(sub { waitpid($self->{pid}, WNOHANG) != 0 }, 30);
  }
  remove_tree($self->{folder});
  return;
}

sub DESTROY ($self) { return $self->stop }

# An interrupted test cleans up too.
for my $signal (qw(INT TERM HUP PIPE)) {
  $SIG{$signal} //= sub { exit 1 };
}

END { $_->stop for grep { defined } @started }

1;
