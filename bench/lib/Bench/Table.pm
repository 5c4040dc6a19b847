# Figures of several rounds as one line: the median, and how far the rounds lie apart.
package Bench::Table;
use v5.36;

use parent 'Exporter';
our @EXPORT_OK = qw(median spread table);

sub median (@values) {
  my @sorted = sort { $a <=> $b } @values;
  return 0 unless @sorted;
  return ($sorted[ $#sorted / 2 ] + $sorted[ @sorted / 2 ]) / 2;
}

# "0.71 (0.68 to 0.75)"
sub spread ($format, @values) {
  my @sorted = sort { $a <=> $b } @values;
  return '' unless @sorted;
  return sprintf "$format ($format to $format)", median(@values), $sorted[0], $sorted[-1];
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
  return join '', $line->(@$head), $line->(map { '-' x $_ } @width), map { $line->(@$_) } @rows;
}

1;
