# A private Weir by tools/run, or a part of one: `parts` are those that are started. `shards`, `workers` and
# `fsync` are as tools/run has them, `env` holds more of its settings. So that the way over Redis is what is
# measured on a busy machine too, a request waits for Redis longer than by default until it changes over to
# the spool; `impatient` leaves the default.
package Bench::Subject::Weir;
use v5.36;

use parent 'Bench::Subject';

use HTTP::Tiny;
use Time::HiRes qw(sleep time);

# A file that grows to this is rewritten between two runs.
my $most_appended = 256 << 20;

sub start ($self) {
  my %env = (
    RUN => $self->{dir}, WEIR_PORT => $self->{port}, WEIR_WORKERS => $self->{workers} // 1, BUILD => Bench::Subject::build(),
    WEIR_SERVER => $self->{name} =~ /Apache/ ? 'apache' : 'nginx', WEIR_REDIS_FSYNC => $self->{fsync} // 'everysec',
    WEIR_REDIS_OPTIONS => 'stream_memory=8g stream_length=100000000' . ($self->{impatient} ? '' : ' patience=2s'), WEIR_REDIS_CONF => $self->redis_conf,
    WEIR_SHARDS => $self->{shards} || '',
    WEIR_POSTGRES_FSYNC => $self->{small} ? 'off' : 'on', $self->{env} ? $self->{env}->%* : (),
  );
  $self->{environment} = \%env;
  $self->tool('up', @{ $self->{parts} // [qw(redis web)] });
  return;
}

# Nothing is read from the streams of most that is measured, so they grow as they do not in use, and Redis
# would copy all of them into a new file in the midst of a run.
sub redis_conf ($self) {
  my $path = "$self->{dir}.redis.conf";
  open my $file, '>', $path or die "$path: $!\n";
  print {$file} "auto-aof-rewrite-percentage 0\n";
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

# What waits for a flusher goes away, and what went into the spool comes out of it again.
sub settle ($self) {
  return $self->until_quiet(sub { $self->metric('weir_spool_records_total') }) if $self->{away};
  my $must_go = $self->has('flusher') ? sub { $self->waiting + $self->spooled } : sub { $self->spooled };
  return $self->until_quiet(sub { my $left = $must_go->(); return $left ? $left + rand 0.5 : -$self->waiting });
}

sub spooled ($self) { return $self->has('web') ? $self->metric('weir_spool_records') : 0 }

sub clear ($self) {
  if ($self->{away}) { $self->{spooled} = $self->metric('weir_spool_records_total') }
  elsif ($self->has('flusher')) { $self->sql('TRUNCATE weir.events, weir.user_days, weir.users, weir.day_measures') }
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

sub events ($self, $body) {
  return ($self->metric('weir_spool_records_total') - $self->{spooled}) * $body->{events} if $self->{away};
  return $self->sql('SELECT count(*) FROM weir.events') if $self->has('flusher');
  return $self->waiting * $body->{events};
}

sub stop ($self) { return $self->tool('clean-run') }

1;
