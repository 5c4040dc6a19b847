# Figures of several rounds as one line: the median, and how far the rounds lie apart.
#
#   spread('%.2f', 0.71, 0.68, 0.75);    # "0.71 (0.68 to 0.75)"
#   table(['', 'requests/s'], ['Weir', 61_229]);
package Bench::Table;
use v5.36;
use utf8;

use parent 'Exporter';
our @EXPORT_OK = qw(median spread table thousands spread_of_thousands);

sub median (@values) {
  my @sorted = sort { $a <=> $b } @values;
  return 0 unless @sorted;
  return ($sorted[ $#sorted / 2 ] + $sorted[ @sorted / 2 ]) / 2;
}

sub spread ($format, @values) {
  return spread_by(sub ($value) { sprintf $format, $value }, @values);
}

sub spread_of_thousands (@values) { return spread_by(\&thousands, @values) }

sub spread_by ($as_text, @values) {
  my @sorted = sort { $a <=> $b } @values;
  return '' unless @sorted;
  my ($middle, $low, $high) = map { $as_text->($_) } median(@values), $sorted[0], $sorted[-1];
  return @sorted == 1 ? $middle : "$middle ($low to $high)";
}

sub thousands ($value) {
  my $text = sprintf '%.0f', $value;
  1 while $text =~ s/^(-?\d+)(\d{3})/$1,$2/;
  return $text;
}

# A table in Markdown whose columns also line up on a terminal. Rows are references to arrays.
sub table ($head, @rows) {
  my @width = map { length } @$head;
  for my $row (@rows) {
    for my $i (0 .. $#$row) { $width[$i] = length $row->[$i] if length $row->[$i] > $width[$i] }
  }
  my $line = sub (@cells) {
    return '| ' . join(' | ', map { sprintf '%-*s', $width[$_], $cells[$_] // '' } 0 .. $#width) . " |\n";
  };
  return join '', $line->(@$head), $line->(map { '-' x ($_ || 1) } @width), map { $line->(@$_) } @rows;
}

1;
