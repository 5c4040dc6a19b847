# Who is measured: each starts what it needs in a folder of its own on loopback, says where to post
# and which processes do the work, and ends all of it.
#
#   my $subject = Bench::Subject->make('weir-nginx', $folder, port => 18500);
#   $subject->start;
#   $subject->url('/track');  $subject->processes;      # {web => [pids], redis => [pids], …}
#   $subject->stop;
package Bench::Subject;
use v5.36;
use utf8;

use Cwd qw(abs_path);
use File::Path qw(make_path);
use FindBin;
use IO::Socket::INET;
use POSIX qw(setsid);
use Time::HiRes qw(sleep time);

my $root = abs_path("$FindBin::Bin/..");
my $build = abs_path($ENV{BUILD} // "$root/build");

my %kinds = (
  'bare nginx'   => 'BareNginx',
  'bare Apache'  => 'BareApache',
  'Weir, nginx'  => 'Weir',
  'Weir, Apache' => 'Weir',
  'nginx + Lua'  => 'Lua',
  'Flask'        => 'Flask',
  'Express'      => 'Express',
);

sub make ($class, $name, $folder, %options) {
  my $kind = 'Bench::Subject::' . ($kinds{$name} // die "there is no $name to measure\n");
  eval "require $kind; 1" or die $@;
  (my $place = lc $name) =~ s/[^a-z]+/-/g;
  $options{as} //= $name;
  my $self = bless { name => $name, dir => "$folder/$place-$options{port}", %options }, $kind;
  make_path($self->{dir});
  chmod 0755, $self->{dir};
  return $self;
}

sub name ($self) { return $self->{as} // $self->{name} }
sub url ($self, $path) { return "http://127.0.0.1:$self->{port}$path" }
sub root { return $root }
sub build { return $build }

# Before and after each run: what a run leaves behind must not slow the next one.
sub clear ($self) { return }

# How many seconds without work mean that it has nothing in hand.
sub quiet ($self) { return 0.1 }

# After a run: does what is put off and has to be paid for all the same.
sub finish ($self) { return }

# Whether all that was answered is where it has to be. The question may cost its processes CPU.
sub settled ($self) { return 1 }

# Whether it may leave out waiting for the disk, as it warms up.
sub hurry ($self, $on) { return }

# As what its servers run, by the servers themselves: {'Redis' => 'appendonly yes, …', …}.
sub facts ($self) { return {} }

# Lines of a configuration that match, without the places of files.
sub lines_of ($self, $path, $pattern) {
  open my $file, '<', $path or die "$path: $!\n";
  my @lines = map { s/\A\s+|\s+\z//gr } grep { /$pattern/ } <$file>;
  return join '; ', map { s{"?(?:unix:)?/[\w./-]*"?}{…}gr =~ s/;\z//r =~ s/ +/ /gr } @lines;
}

# How many events are there since clear(); undef for what keeps none.
sub events ($self, $body) { return }

# Starts a program in a session of its own; its pid.
sub launch ($self, $env, @command) {
  my $pid = fork // die "fork: $!\n";
  return $self->{pids}{$pid} = $pid if $pid;
  setsid();
  open STDIN,  '<',  '/dev/null';
  open STDOUT, '>>', "$self->{dir}.log";
  open STDERR, '>&', \*STDOUT;
  @ENV{ keys %$env } = values %$env;
  exec @command or POSIX::_exit(127);
}

sub await_port ($self, $seconds = 60) {
  my $deadline = time + $seconds;
  until (IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $self->{port})) {
    die "$self->{name} does not answer: see $self->{dir}.log\n" if time > $deadline;
    sleep 0.05;
  }
  return;
}

sub stop ($self) {
  for my $pid (values %{ $self->{pids} // {} }) {
    kill TERM => $pid;
    waitpid $pid, 0;
  }
  $self->{pids} = {};
  return;
}

# A template's words between @ signs.
sub fill ($self, $template, $target, %words) {
  open my $in, '<', $template or die "$template: $!\n";
  my $text = do { local $/; <$in> };
  $text =~ s/\@([A-Z_]+)\@/$words{$1} \/\/ die "$template: no $1\n"/ge;
  open my $out, '>', $target or die "$target: $!\n";
  print {$out} $text;
  return close $out;
}

1;
