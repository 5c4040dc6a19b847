# Plots as SVG by gnuplot. No background, and grey letters that can be read on white and on black; a subject
# has the same colour in every plot.
#
#   my $plot = Bench::Plot->new("$folder/edge.svg", y => 'µs of CPU a request');
#   $plot->bars(['one event' => ['Weir, nginx', [7.1, 6.9, 7.3], [2.3, 2.2, 2.4]], …], …);   # panels, side by side
#   $plot->lines({ name => 'Weir, nginx', points => [[1, 7.1], …] }, …);
#   $plot->write;
package Bench::Plot;
use v5.36;
use utf8;

use Bench::Table qw(median);
use List::Util qw(max min);

my $grey = '#767676';
my %colors = (
  'Weir, nginx' => '#1f86d8', 'Weir, Apache' => '#9160e8', 'bare nginx' => '#8c8c8c', 'bare Apache' => '#b08d57',
  'nginx + Lua' => '#d9822b', 'Flask' => '#2f9e62', 'Express' => '#d64b5c', 'flusher' => '#1f86d8',
  'copy' => '#d9822b', 'bare' => '#8c8c8c', 'redis-benchmark' => '#8c8c8c',
);

sub new ($class, $path, %with) {
  return bless { path => $path, width => 760, height => 380, commands => [], %with }, $class;
}

# "Weir, nginx, away" has the colour of "Weir, nginx".
sub color ($name) {
  my ($subject) = grep { index($name, $_) == 0 } sort { length $b <=> length $a } keys %colors;
  return $subject ? $colors{$subject} : '#666666';
}

sub text ($words) { return '"' . ($words =~ s/(["\\])/\\$1/gr) . '"' }

sub say_it ($self, @lines) {
  push $self->{commands}->@*, @lines;
  return;
}

# Panels of bars, each [title, [name, values of the lower part, values of the upper part, label], …]. The whisker
# goes from the lowest to the highest sum.
sub bars ($self, @panels) {
  $self->say_it(sprintf 'set multiplot layout 1,%d', scalar @panels) if @panels > 1;
  $self->say_it('unset key', 'set style fill solid 1 noborder', 'set boxwidth 0.66', 'set xtics scale 0', 'set bmargin 3.5');
  for my $number (0 .. $#panels) { $self->panel($number, $panels[$number]->@*) }
  $self->say_it('unset multiplot') if @panels > 1;
  return $self;
}

sub panel ($self, $number, $title, @bars) {
  my (@lower, @upper, @tics, $most);
  for my $i (0 .. $#bars) {
    my ($name, $low, $high, $label) = $bars[$i]->@*;
    $label //= $name =~ s/, /,\n/r;
    my @sums = map { $low->[$_] + ($high->[$_] // 0) } 0 .. $#$low;
    my ($middle, $color) = (median(@sums), hex substr color($name), 1);
    push @lower, join ' ', $i, median(@$low), $color;
    push @upper, join ' ', $i, $middle, min(@sums), max(@sums), $color, text($self->figure($middle));
    push @tics, text($label) =~ s/\n/\\n/gr . " $i";
    $most = max($most // 0, @sums);
  }
  $self->say_it("\$lower$number << EOD", @lower, 'EOD', "\$upper$number << EOD", @upper, 'EOD',
    $title eq '' ? 'unset title' : sprintf('set title %s textcolor rgb "%s" font ",13"', text($title), $grey),
    sprintf('set ylabel %s textcolor rgb "%s"', $number ? '""' : text($self->{y}), $grey),
    'set xtics (' . join(', ', @tics) . ')', sprintf('set xrange [-0.6:%.1f]', $#bars + 0.6), sprintf('set yrange [0:%g]', $most * 1.15 || 1),
    "plot \$upper$number using 1:2:(\$5+0x90000000) with boxes lc rgb variable, \$lower$number using 1:2:3 with boxes lc rgb variable, "
      . "\$upper$number using 1:3:(0):(\$4-\$3) with vectors heads size 0.07,90 lw 1.4 lc rgb '$grey', "
      . "\$upper$number using 1:4:6 with labels offset 0,0.7 textcolor rgb '$grey'");
  return;
}

sub figure ($self, $value) {
  return Bench::Table::thousands($value) if $value >= 1000;
  return sprintf $value >= 100 ? '%.0f' : $value >= 10 ? '%.1f' : '%.2f', $value;
}

# Lines, each {name, points => [[x, y], …], dashed, color of}.
sub lines ($self, @lines) {
  my (@plots, $number);
  my %x = map { $_->[0] => 1 } map { $_->{points}->@* } @lines;
  $self->say_it(map { sprintf 'set xrange [%g:%g]', $_ - 1, $_ + 1 } keys %x) if keys %x == 1;
  for my $line (@lines) {
    my $data = '$line' . $number++;
    $self->say_it("$data << EOD", (map {"$_->[0] $_->[1]"} $line->{points}->@*), 'EOD');
    push @plots, sprintf '%s using 1:2 with %s lw 2 %s lc rgb "%s" title %s', $data, $line->{points}->@* > 40 ? 'lines' : 'linespoints pt 7 ps 0.5',
      $line->{dashed} ? "dt $line->{dashed}" : '', color($line->{of} // $line->{name}), text($line->{name});
  }
  $self->say_it(sprintf('set ylabel %s textcolor rgb "%s"', text($self->{y}), $grey),
    sprintf('set xlabel %s textcolor rgb "%s"', text($self->{x}), $grey), sprintf('set key outside top center horizontal textcolor rgb "%s"', $grey),
    "set offsets 0, graph 0.04, 0, 0", (keys %x == 1 ? () : 'set xrange [*:*] noextend'), ($self->{before} // [])->@*,
    'plot ' . join ', ', @plots);
  return $self;
}

sub write ($self) {
  my $script = join "\n", sprintf("set terminal svg size %d,%d dynamic font 'sans-serif,12'", $self->@{qw(width height)}),
    "set output '$self->{path}.new'", 'set encoding utf8', "set border 3 lc rgb '$grey'", "set tics nomirror textcolor rgb '$grey'",
    "set grid y lc rgb '$grey' lw 0.4 dt 3", 'set yrange [0:*]', $self->{commands}->@*, '';
  open my $gnuplot, '|-', 'gnuplot', '-' or die "gnuplot: $!: install it with tools/install-deps bench\n";
  binmode $gnuplot, ':encoding(UTF-8)';
  print {$gnuplot} $script;
  close $gnuplot or die "gnuplot cannot draw $self->{path}\n";
  rename "$self->{path}.new", $self->{path} or die "$self->{path}: $!\n";
  return;
}

1;
