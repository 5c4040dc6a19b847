# Parts by themselves: the spool's syncs, and the two forms that a record could have.
package Bench::Group::Parts;
use v5.36;

use Bench::Subject;
use Bench::Turns;
use File::Path qw(remove_tree);

sub run ($settings, $stage) {
  my @parts = ([ spool => \&spool ], [ record => \&formats ], [ copy => \&copies ]);
  return [ map { my ($what, $do) = @$_; (Bench::Turns::attempt($what, sub ($try) { [ $do->($settings) ] }) // [])->@* } @parts ];
}

sub lines_of (@command) {
  my $pid = open(my $said, '-|') // die "fork: $!\n";
  if (!$pid) {
    open STDERR, '>&', \*STDOUT;
    exec @command or POSIX::_exit(127);
  }
  my @lines = <$said>;
  close $said or die "@command failed:\n", @lines;
  return @lines;
}

# Records a second that are synced, with so many waiting at a time.
sub spool ($settings) {
  my @rows;
  for my $waiting (1, 64, 1000) {
    my $folder = "$settings->{folder}/spool-$waiting";
    remove_tree($folder);
    mkdir $folder or die "$folder: $!\n";
    my ($line) = lines_of(Bench::Subject::build() . '/spool_commit', $folder, 'reserved', $waiting, $settings->count(3, 1));
    print "  spool        $line";
    my ($rate) = $line =~ m{(\d+(?:\.\d+)?) ?(?:records/s|records a second|a second|/s)} or die "spool_commit said: $line";
    push @rows, { case => 'spool', subject => 'spool', x => $waiting, rate => $rate };
  }
  return @rows;
}

# Instructions to write a row.
sub formats ($settings) {
  my ($count, @rows) = ($settings->count(10_000, 200));
  for my $way (qw(binary text)) {
    my $text = join '', lines_of('valgrind', '--tool=callgrind', '--callgrind-out-file=/dev/null', Bench::Subject::build() . '/record_formats', $way, $count);
    my ($bytes) = $text =~ /(\d+(?:\.\d+)?) bytes each/;
    my ($collected) = $text =~ /Collected : (\d+)/ or die "callgrind said: $text";
    printf "  record       %-6s %.0f instructions, %s bytes a row\n", $way, $collected / $count, $bytes // '?';
    push @rows, { case => 'record', subject => $way, instructions => $collected / $count, bytes => $bytes };
  }
  return @rows;
}

sub copies ($settings) {
  local %ENV = (%ENV, ROWS => $settings->count(200_000, 10_000), RUNS => $settings->count(3, 1));
  my @rows;
  for my $line (lines_of(Bench::Subject::root() . '/bench/copy-formats.sh')) {
    my ($way, @cells) = $line =~ /\A\| (binary|text|binary, staged|text, staged) \| ([\d.]+) \| ([\d.]+) \| (\d+) / or next;
    printf "  copy         %-15s %d rows/s, %.2f s of CPU\n", $way, @cells[ 2, 1 ];
    push @rows, { case => 'copy', subject => $way, rate => $cells[2], cpu => $cells[1] };
  }
  die "bench/copy-formats.sh has said nothing that can be read\n" unless @rows;
  return @rows;
}

1;
