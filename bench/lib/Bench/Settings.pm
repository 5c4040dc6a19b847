# How long and how often is measured, and with what bodies; from the environment, and small on demand.
#
#   my $settings = Bench::Settings->new(small => 1, folder => '/tmp/x');
#   $settings->{rounds}; $settings->count(1_000_000, 2000); $settings->body('single')->{file}
package Bench::Settings;
use v5.36;

use FindBin;
use IO::Compress::Gzip qw(gzip);
use POSIX qw(strftime);

my %bodies = (
  single => { path => '/track', file => 'event.json', events => 1 },
  ten    => { path => '/track', file => 'batch.json', events => 10 },
  crash  => { path => '/crash', file => 'crash.json', events => 1 },
);

sub new ($class, %with) {
  my ($small, $long) = @with{qw(small long)};
  my $self = bless {
    %with,
    rounds      => $ENV{BENCH_ROUNDS}      // ($small ? 1 : 5),
    seconds     => $ENV{BENCH_SECONDS}     // ($small ? 0.15 : 4),
    warm        => $small ? 0 : 2,
    connections => $ENV{BENCH_CONNECTIONS} // 64,
    port        => $ENV{BENCH_PORT}        // 18500,
    requests    => $ENV{BENCH_REQUESTS}    // ($small ? 5000 : $long ? 10_000_000 : 1_000_000),
    rows        => $ENV{BENCH_ROWS}        // ($small ? 20_000 : $long ? 10_000_000 : 1_000_000),
  }, $class;
  return $self;
}

# The one figure or, where everything is small, the other.
sub count ($self, $full, $small) { return $self->{small} ? $small : $full }

# A busy machine is given more time at each try; where little is measured, soon much more.
sub longer ($self, $seconds, $try) { return $seconds * ($self->{small} ? 5**($try - 1) : $try) }

# How many more events may be there than were answered with 200: what was under way on the connections as the load
# ended. Where time is to fail nothing, what Redis kept waiting may be in it twice, as it is until the flusher finds that
# out; so may what a try before this one had left under way.
sub spare ($self, $run, $connections) { return $self->{small} ? $run->{ok} + 2 * $connections : $connections }

# For what is told by its ratio or its curve, and not by the last percent.
sub fewer ($self, $rounds = 3) {
  return bless { %$self, rounds => $rounds < $self->{rounds} ? $rounds : $self->{rounds} }, ref $self;
}

# For who has had his turns already.
sub warmed ($self) { return bless { %$self, warm => 0 }, ref $self }

# Points of a curve take their turns less often, and each is shorter.
sub curve ($self) {
  return $self->{small} ? $self : bless { %$self, rounds => $self->{rounds} > 2 ? 2 : $self->{rounds}, seconds => 2, warm => 0.5 }, ref $self;
}

# The bodies are fixed, but for their day, which is today's: another year an event of today would be too
# old to be taken as it is.
sub body ($self, $name) {
  my $body = $bodies{$name};
  open my $in, '<', "$FindBin::Bin/bodies/$body->{file}" or die "$body->{file}: $!\n";
  my $text = do { local $/; <$in> };
  my $today = strftime('%Y-%m-%d', gmtime time - 3600);
  $text =~ s/\b20\d\d-\d\d-\d\dT\d\d:\d\d/${today}T00:00/g;
  return { %$body, file => $self->write($body->{file}, $text), size => length $text };
}

# A batch of 990 events whose gzip inflates to 7 MB, below the limit of 8 MiB: texts that repeat as words of people
# do, the same each time.
sub large ($self) {
  srand 7;
  my ($today, @events) = (strftime('%Y-%m-%d', gmtime time - 3600));
  for my $number (1 .. 990) {
    my $text = join ' ', map { sprintf '%x', int rand 1 << 20 } 1 .. 100;
    push @events, sprintf '{"event":"note_taken","user_id":"user %d","timestamp":"%sT00:00:01Z","properties":{"text":"%s"}}', $number, $today,
      substr "$text " x 12, 0, 7000;
  }
  my $batch = '[' . join(',', @events) . ']';
  gzip(\$batch => \my $packed) or die "the large batch cannot be packed\n";
  return { path => '/track', events => 990, size => length $batch, packed => length $packed, file => $self->write('large.gz', $packed) };
}

sub write ($self, $name, $text) {
  my $path = "$self->{folder}/$name";
  open my $out, '>:raw', $path or die "$path: $!\n";
  print {$out} $text;
  close $out or die "$path: $!\n";
  return $path;
}

1;
