# A private Weir by tools/run, or a part of one: `parts` are those that are started. `shards`, `workers` and
# `fsync` are as tools/run has them, `env` holds more of its settings. So that the way over Redis is what is
# measured on a busy machine too, a request waits for Redis longer than by default until it changes over to
# the spool; `impatient` leaves the default. `roll_ups => 0`: its flusher builds none.
package Bench::Subject::Weir;
use v5.36;

use parent 'Bench::Subject';

use Bench::Proc;
use HTTP::Tiny;
use Time::HiRes qw(sleep time);

# A file that grows to this is rewritten between two runs.
my $most_appended = 256 << 20;

sub start ($self) {
  my %env = (
    RUN => $self->{dir}, WEIR_PORT => $self->{port}, WEIR_WORKERS => $self->{workers} // 1, BUILD => Bench::Subject::build(),
    WEIR_SERVER => $self->{name} =~ /Apache/ ? 'apache' : 'nginx', WEIR_REDIS_FSYNC => $self->{fsync} // 'everysec',
    WEIR_REDIS_OPTIONS => 'stream_memory=8g stream_length=100000000' . ($self->{impatient} ? '' : ' patience=2s'),
    WEIR_REDIS_CONF => $self->conf('redis', 'auto-aof-rewrite-percentage 0'), WEIR_SHARDS => $self->{shards} || '',
    WEIR_POSTGRES_FSYNC => $self->{small} ? 'off' : 'on', $self->{env} ? $self->{env}->%* : (),
  );
  $env{WEIR_FLUSHER_CONF} = $self->conf('flusher', 'roll-ups = 0') unless $self->rolls_up;
  $self->{environment} = \%env;
  $self->tool('up', @{ $self->{parts} // [qw(redis web)] });
  return;
}

sub rolls_up ($self) { return $self->{roll_ups} // 1 }

# Nothing is read from the streams of most that is measured, so they grow as they do not in use, and Redis
# would copy all of them into a new file in the midst of a run: hence its line.
sub conf ($self, $part, $line) {
  my $path = "$self->{dir}.$part.conf";
  open my $file, '>', $path or die "$path: $!\n";
  print {$file} "$line\n";
  close $file or die "$path: $!\n";
  return $path;
}

sub tool ($self, @words) {
  local %ENV = (%ENV, $self->{environment}->%*);
  delete @ENV{qw(MAKEFLAGS MFLAGS MAKELEVEL)};
  open my $said, '-|', Bench::Subject::root() . "/tools/run @words 2>&1 </dev/null" or die "tools/run: $!\n";
  my $text = do { local $/; <$said> };
  close $said;
  die "tools/run @words failed:\n$text\n" if $?;
  return;
}

sub setting ($self, $name) {
  open my $file, '<', "$self->{dir}/env" or die "$self->{dir}/env: $!\n";
  my %all = join('', <$file>) =~ /^(\w+)='?(.*?)'?$/mg;
  return $all{$name};
}

sub pid ($self, $part) {
  open my $file, '<', "$self->{dir}/pid/$part" or return;
  return (<$file> =~ /(\d+)/)[0];
}

sub has ($self, $part) { return scalar grep { $_ eq $part } @{ $self->{parts} // [qw(redis web)] } }

sub processes ($self) {
  return { map { my $pid = $self->pid($_); $pid ? ($_ => [$pid]) : () } qw(web redis flusher postgres) };
}

sub redis ($self, @words) {
  my $socket = $self->setting('REDIS_SOCKET');
  open my $said, '-|', 'redis-cli', '-s', $socket, @words or die "redis-cli: $!\n";
  my $text = do { local $/; <$said> } // '';
  close $said;
  return $text;
}

# Lines of psql's answer, as the database's owner.
sub sql ($self, $text) {
  open my $said, '-|', 'psql', '-XqAt', '-h', $self->setting('PGHOST'), '-U', 'postgres', '-v', 'ON_ERROR_STOP=1', '-d', 'weir', '-c', $text
    or die "psql: $!\n";
  chomp(my @lines = <$said>);
  close $said or die "psql failed at: $text\n";
  return wantarray ? @lines : $lines[0];
}

sub metric ($self, $name) {
  my $answer = HTTP::Tiny->new->get($self->url('/metrics'));
  my $sum = 0;
  $sum += $1 while $answer->{content} =~ /^\Q$name\E(?:\{[^}]*\})? (\d+)/mg;
  return $sum;
}

sub streams ($self) { return map {"weir:{$_}"} 0 .. ($self->{shards} || 1) - 1 }

sub waiting ($self) {
  my $sum = 0;
  $sum += $self->redis('XLEN', $_) for $self->streams;
  return $sum;
}

# Redis dies, and what comes goes into the spool.
sub take_redis_away ($self) {
  kill KILL => $self->pid('redis');
  $self->{away} = 1;
  return;
}

# The flusher lingers 200 ms for a batch to fill, and looks after days to build each second.
sub quiet ($self) { return $self->has('flusher') ? 0.5 : 0.1 }

# Days that were touched are built at once, and not when the flusher's builder has rested: the work is the
# same, and so is what PostgreSQL's account says of it.
sub finish ($self) {
  return unless $self->has('flusher') && $self->rolls_up;
  my $said = qx('$self->{environment}{BUILD}/weirctl' rollup refresh --postgres 'host=@{[$self->setting('PGHOST')]} user=postgres dbname=weir' 2>&1);
  die "weirctl rollup refresh failed: $said" if $?;
  return;
}

# What waits for a flusher has gone away, what went into the spool has come out of it, and no day is marked.
sub settled ($self) {
  return 1 if $self->{away};
  return 0 if $self->spooled;
  return 1 unless $self->has('flusher');
  return $self->waiting == 0 && !($self->rolls_up && $self->sql('SELECT count(*) FROM weir.touched_days'));
}

sub spooled ($self) { return $self->has('web') ? $self->metric('weir_spool_records') : 0 }

# All that comes of events: nothing that one run stored makes the next one cheaper or dearer.
my $emptied = q{DO $$ BEGIN EXECUTE (SELECT 'TRUNCATE ' || string_agg(oid::regclass::text, ', ') FROM pg_class
  WHERE relnamespace = 'weir'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition
    AND relname ~ '^(events|crashes|users|user_days|user_numbers|crash_days|touched_days|dead_letters|day_.*|week_sets|pack(s|ed_days))$'); END $$};

sub clear ($self) {
  if ($self->{away}) { $self->{spooled} = $self->metric('weir_spool_records_total') }
  elsif ($self->has('postgres')) { $self->sql($emptied) }
  elsif ($self->has('redis')) { $self->empty_redis }
  return;
}

# DEL, since what UNLINK leaves to a thread would be counted in the next run.
sub empty_redis ($self, @keys) {
  $self->redis('DEL', @keys ? @keys : $self->streams);
  my ($size) = $self->redis('INFO', 'persistence') =~ /aof_current_size:(\d+)/;
  return if ($size // 0) < $most_appended;
  $self->redis('BGREWRITEAOF');
  sleep 0.05 while $self->redis('INFO', 'persistence') =~ /aof_rewrite_(?:in_progress|scheduled):1/;
  return;
}

my $stored = 'SELECT (SELECT count(*) FROM weir.events) + (SELECT count(*) FROM weir.crashes)';

sub events ($self, $body) {
  return ($self->metric('weir_spool_records_total') - $self->{spooled}) * $body->{events} if $self->{away};
  return $self->sql($stored) if $self->has('flusher');
  return $self->waiting * $body->{events};
}

# What the servers themselves say about how they run.
my @of_redis = qw(appendonly appendfsync auto-aof-rewrite-percentage auto-aof-rewrite-min-size save maxmemory);
our $postgres_says = q{SELECT name || ' ' || current_setting(name) FROM string_to_table('fsync synchronous_commit full_page_writes }
  . q{shared_buffers max_wal_size checkpoint_timeout max_connections', ' ') AS name};

sub redis_says ($socket) {
  open my $said, '-|', 'redis-cli', '-s', $socket, 'CONFIG', 'GET', @of_redis or die "redis-cli: $!\n";
  chomp(my @lines = <$said>);
  close $said;
  my %set = map { $lines[ 2 * $_ ] => $lines[ 2 * $_ + 1 ] } 0 .. $#lines / 2;
  return join ', ', map { "$_ " . (($set{$_} // '') eq '' ? 'none' : $set{$_}) } @of_redis;
}

sub facts ($self) {
  my %facts;
  $facts{Redis} = redis_says($self->setting('REDIS_SOCKET')) if $self->has('redis');
  $facts{PostgreSQL} = join ', ', $self->sql($postgres_says) if $self->has('postgres');
  $facts{ $self->{name} } = $self->lines_of($self->started_with('web', qr/-[cf]/), qr/^\s*(?:weir_|Weir|worker_processes|\w+_pool_size|ThreadsPerChild|StartServers|KeepAliveTimeout|access_log)/) if $self->has('web');
  $facts{flusher} = $self->lines_of($self->started_with('flusher', qr/--config/), qr/^(?!#|redis|postgres|metrics)\S/) || 'all by default'
    if $self->has('flusher');
  return \%facts;
}

# The configuration that a part's process was started with.
sub started_with ($self, $part, $option) {
  my $words = Bench::Proc::slurp('/proc/' . $self->pid($part) . '/cmdline') =~ s/\0/ /gr;
  return ($words =~ /\s$option\s(\S+)/)[0] // die "$part was started with no configuration: $words\n";
}

sub stop ($self) { return $self->tool('clean-run') }

1;
