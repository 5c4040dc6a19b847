# What was measured, one file of JSON for each group, so that groups can be measured again one by one and
# the page is made from all of them (bench/report).
#
#   Bench::Results::save('edge', $settings, \@rows, servers => {…}, repeated => […], failed => […]);
#   my $all = Bench::Results::load();            # {edge => {rows => […], settings => {…}, machine => {…}, servers => {…}, …}}
#   rows_of($all->{edge}, case => 'single', subject => 'Weir, nginx');
#   ratios($group, 'web', {case => …, subject => …}, {case => …, subject => …});  # round by round
package Bench::Results;
use v5.36;

use parent 'Exporter';
our @EXPORT_OK = qw(rows_of values_of ratios);

use Bench::Machine;
use Bench::Subject;
use File::Path qw(make_path);
use JSON::PP;

my $json = JSON::PP->new->utf8->canonical->pretty;

sub folder ($small = 0) { return Bench::Subject::build() . '/bench/' . ($small ? 'small' : 'results') }

sub save ($group, $settings, $rows, %more) {
  my $folder = folder($settings->{small});
  make_path($folder);
  my %settings = map { $_ => $settings->{$_} } qw(rounds seconds connections requests rows small);
  my $text = $json->encode({ group => $group, settings => \%settings, machine => Bench::Machine::describe(), rows => $rows, %more });
  open my $file, '>', "$folder/$group.json.new" or die "$folder/$group.json.new: $!\n";
  print {$file} $text;
  close $file or die "$folder/$group.json.new: $!\n";
  rename "$folder/$group.json.new", "$folder/$group.json" or die "$folder/$group.json: $!\n";
  return;
}

sub load ($small = 0) {
  my %all;
  for my $path (glob folder($small) . '/*.json') {
    open my $file, '<', $path or die "$path: $!\n";
    my $group = $json->decode(do { local $/; <$file> });
    $all{ $group->{group} } = $group;
  }
  return \%all;
}

# Those rows in which each of the given names has the given value.
sub rows_of ($group, %is) {
  my @rows = ($group // {})->{rows} ? $group->{rows}->@* : ();
  for my $name (keys %is) { @rows = grep { defined $_->{$name} && $_->{$name} eq $is{$name} } @rows }
  return @rows;
}

sub values_of ($group, $what, %is) {
  return map { $_->{$what} } grep { defined $_->{$what} } rows_of($group, %is);
}

# How many times as much the one takes as the other, in each round that both have.
sub ratios ($group, $what, $one, $other) {
  my %base = map { $_->{round} => $_->{$what} } rows_of($group, %$other);
  return map { $_->{$what} / $base{ $_->{round} } } grep { $base{ $_->{round} } } rows_of($group, %$one);
}

1;
