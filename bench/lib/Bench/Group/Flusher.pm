# The flusher beside psql's COPY of the same rows, as bench/flusher measures it; see there.
package Bench::Group::Flusher;
use v5.36;

use Bench::Subject;

sub run ($settings, $stage) {
  my %env = (ROWS => $settings->count(1_000_000, 20_000), RUNS => $settings->fewer->{rounds}, ENTRIES => $settings->count('1 10', '1'));
  local %ENV = (%ENV, map { $_ => $ENV{$_} // $env{$_} } keys %env);
  my $root = Bench::Subject::root();
  open my $said, '-|', "$root/bench/flusher" or die "bench/flusher: $!\n";
  my (@head, @rows);
  while (my $line = <$said>) {
    print "  $line";
    next unless $line =~ /\A\| .* \|$/ && $line !~ /---/;
    my @cells = split /\s*\|\s*/, $line =~ s/\A\|\s*|\s*\|\s*\z//gr;
    if (!@head) { @head = @cells; next }
    push @rows, row_of(\@head, \@cells);
  }
  close $said or die "bench/flusher failed\n";
  die "bench/flusher has said nothing that can be read\n" unless @rows;
  return \@rows;
}

# A ratio stands there as "0.81 (0.79 to 0.84)".
sub row_of ($head, $cells) {
  my %cell;
  @cell{@$head} = @$cells;
  my ($per_entry, $way) = @cell{ 'rows an entry', 'way' };
  my %row = (case => "entries of $per_entry", per_entry => $per_entry, subject => $way, rate => $cell{'rows/s'} + 0, peak => ($cell{'peak MB'} // 0) + 0);
  $row{by_clock} = [ $cell{'ratio by the clock'} =~ /([\d.]+)/g ];
  $row{by_cpu}   = [ $cell{'ratio by CPU'} =~ /([\d.]+)/g ];
  return \%row;
}

1;
