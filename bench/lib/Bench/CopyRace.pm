# The flusher against psql's COPY of the same rows, on a private Redis and PostgreSQL (fsync on) below TMPDIR.
# They take turns within a round, each with the tables emptied before, and after a round that does not count, in
# which PostgreSQL makes the files of its log that it uses again and again later. CPU is that of all of
# PostgreSQL's processes and of the flusher or psql: another program on the machine stretches it less than the
# time on the clock. Redis' CPU stands beside it.
#
#   my $rows = Bench::CopyRace::run(rows => 1_000_000, rounds => 3, entries => [1, 10], note => sub ($facts) { … });
#                                   # [{case, per_entry, subject, round, rate, seconds, cpu, postgres, own, redis, peak}]
package Bench::CopyRace;
use v5.36;
use utf8;

use Bench::Proc;
use Bench::Subject;
use Bench::Subject::Weir;
use Bench::Turns;
use File::Temp qw(tempdir);
use FindBin;
use List::Util qw(max);
use POSIX qw(WNOHANG);
use Time::HiRes qw(sleep time);

use lib "$FindBin::Bin/../t/lib";
use PrivatePostgres;

my %default = (rows => 1_000_000, rounds => 3, entries => [ 1, 10 ], users => 10_000, days => 3, ids => 'v7', flusher => '', postgres => '');

sub run (%with) {
  my $race = bless { %default, %with, owner => $$ }, __PACKAGE__;
  $race->start;
  if ($with{note}) { $with{note}->($race->facts) }
  my @rows;
  $race->round($race->{entries}[0], 0) unless $race->{small};
  for my $per_entry ($race->{entries}->@*) {
    for my $number (1 .. $race->{rounds}) {
      push @rows, (Bench::Turns::attempt("entries of $per_entry, round $number", sub ($try) { $race->round($per_entry, $number) }) // [])->@*;
    }
  }
  $race->end;
  return \@rows;
}

sub start ($self) {
  $self->{folder} = tempdir('weir-bench-XXXXXX', TMPDIR => 1, CLEANUP => 1);
  chmod 0755, $self->{folder} or die "chmod $self->{folder}: $!\n";
  my ($root, $build) = (Bench::Subject::root(), Bench::Subject::build());
  $self->{server} = PrivatePostgres->start(fsync => 'on', max_wal_size => '8GB', checkpoint_timeout => '1h', shared_buffers => '256MB',
    split /[ =]/, $self->{postgres});
  $self->{server}->database('weir');
  must_run($self->{server}->run("$build/weirctl", 'migrate', '--postgres', 'dbname=weir', '--sql', "$root/sql"));
  $self->{db} = $self->{server}->connect('weir');
  $self->{db}->do('CREATE TABLE bare (LIKE weir.events)');
  return $self->start_redis;
}

sub start_redis ($self) {
  $self->{socket} = "$self->{folder}/redis";
  my $pid = fork // die "fork: $!\n";
  if (!$pid) {
    open STDOUT, '>', "$self->{folder}/redis.log" or POSIX::_exit(127);
    exec qw(redis-server --port 0 --appendonly yes --appendfsync everysec --save), '', '--dir', $self->{folder}, '--unixsocket', $self->{socket} or POSIX::_exit(127);
  }
  $self->{redis} = $pid;
  PrivatePostgres::wait_until(sub { -S $self->{socket} }, 30) or die "Redis does not come up: see $self->{folder}/redis.log\n";
  return;
}

# What the two servers say about how they run.
sub facts ($self) {
  my $said = $self->{db}->selectcol_arrayref($Bench::Subject::Weir::postgres_says);
  return { PostgreSQL => join(', ', @$said), Redis => Bench::Subject::Weir::redis_says($self->{socket}) };
}

sub end ($self) {
  return if $$ != $self->{owner} || $self->{ended}++;
  local $?;
  if ($self->{redis}) { kill TERM => $self->{redis}; waitpid $self->{redis}, 0 }
  $self->{db}->disconnect if $self->{db};
  $self->{server}->stop   if $self->{server};
  return;
}

sub DESTROY ($self) { return $self->end }

sub must_run ($result) { $result->{status} == 0 or die "a program failed: $result->{err}$result->{out}\n"; return }

# PostgreSQL's processes but for the session that watches: those that live, and those that have ended.
sub postgres_seconds ($self) { return Bench::Proc::seconds($self->{server}{pid}) }

sub children () { my @times = times; return $times[2] + $times[3] }

# Runs a program to its end: seconds on the clock, of CPU (PostgreSQL's, its own, Redis'), and its peak in MB.
sub measured ($self, @command) {
  my @servers = ($self->{server}{pid}, $self->{redis});
  Bench::Proc::until_idle(0.2, @servers);
  my ($postgres, $redis, $own, $began, $peak) = ($self->postgres_seconds, Bench::Proc::seconds($self->{redis}), children(), time, 0);
  my $pid = PrivatePostgres::start_command({ $self->{server}->env('weir') }, "$self->{folder}/out", "$self->{folder}/err", @command);
  while (waitpid($pid, WNOHANG) == 0) {
    $peak = max($peak, Bench::Proc::peak($pid));
    sleep 0.02;
  }
  die "@command failed: ", PrivatePostgres::slurp("$self->{folder}/err") if $?;
  my ($seconds, $cpu) = (time - $began, children() - $own);
  Bench::Proc::until_idle(0.1, @servers);    # its session ends a little later
  $postgres = $self->postgres_seconds - $postgres;
  return { rate => $self->{rows} / $seconds, seconds => $seconds, postgres => $postgres, own => $cpu, cpu => $postgres + $cpu,
    redis => Bench::Proc::seconds($self->{redis}) - $redis, peak => $peak };
}

# All that comes of events, as in Bench::Subject::Weir.
sub empty_tables ($self) {
  local $self->{db}{PrintWarn} = 0;
  my ($tables) = $self->{db}->selectrow_array(q{SELECT string_agg(oid::regclass::text, ', ') FROM pg_class
    WHERE relnamespace = 'weir'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition
      AND relname ~ '^(events|users|user_days|user_numbers|touched_days|stream_positions|day_.*|week_sets|pack(s|ed_days))$'});
  $self->{db}->do("TRUNCATE $tables, bare");
  $self->{db}->do('CHECKPOINT');
  return;
}

sub has_all ($self, $table) {
  my ($count) = $self->{db}->selectrow_array("SELECT count(*) FROM $table");
  $count == $self->{rows} or die "$table has $count rows instead of $self->{rows}\n";
  return;
}

sub copy ($self, $table, $rows = 'rows', $format = 'binary') {
  my $columns = join ', ', $self->{db}->selectcol_arrayref(q{SELECT quote_ident(attname) FROM pg_attribute
    WHERE attrelid = 'weir.events'::regclass AND attnum > 0 ORDER BY attnum})->@*;
  my $result = $self->measured('psql', '-Xq', '-v', 'ON_ERROR_STOP=1', '-c', "\\copy $table ($columns) FROM '$self->{folder}/$rows' (FORMAT $format)");
  $self->has_all($table);
  return $result;
}

# The rows that the flusher has brought, as text.
sub text ($self) {
  must_run($self->{server}->run('psql', '-Xq', '-d', 'weir', '-c', "\\copy (SELECT * FROM weir.events) TO '$self->{folder}/text'"));
  $self->empty_tables;
  return $self->copy('weir.events', 'text', 'text');
}

sub flusher ($self, $per_entry) {
  # The streams' life begins anew: the flusher reads from the start without a word of warning.
  my ($build, $socket) = (Bench::Subject::build(), $self->{socket});
  my $made = "$build/backlog $self->{rows} $per_entry $self->{users} $self->{days} $self->{ids} '$self->{folder}/rows'";
  system('bash', '-c', "set -o pipefail; redis-cli -s '$socket' FLUSHALL >/dev/null && $made | redis-cli -s '$socket' --pipe >/dev/null") == 0
    or die "the backlog cannot be made\n";
  my $result = $self->measured("$build/weir-flusher", '--once', '--redis', "unix:$socket", '--postgres', 'dbname=weir user=weir_flusher',
    split ' ', $self->{flusher});
  $self->has_all('weir.events');
  my ($counted) = $self->{db}->selectrow_array('SELECT sum(events) FROM weir.user_days');
  $counted == $self->{rows} or die "the daily figures count $counted rows instead of $self->{rows}\n";
  return $result;
}

# In every other round they go in the other order, but for the flusher, whose rows the others copy.
sub round ($self, $per_entry, $number) {
  my %ways = (
    flusher => sub { $self->flusher($per_entry) }, text => sub { $self->text },
    copy    => sub { $self->copy('weir.events') }, bare => sub { $self->copy('bare') },
  );
  my @rows;
  for my $way (qw(flusher text), $number % 2 ? qw(copy bare) : qw(bare copy)) {
    $self->empty_tables if $way ne 'text';
    my $result = $ways{$way}->();
    printf "  entries of %-4d round %d  %-8s %8.0f rows/s  %6.1f µs of CPU a row\n", $per_entry, $number, $way, $result->{rate}, $result->{cpu} / $self->{rows} * 1e6;
    push @rows, { case => "entries of $per_entry", per_entry => $per_entry, subject => $way, round => $number, %$result };
  }
  return \@rows;
}

1;
