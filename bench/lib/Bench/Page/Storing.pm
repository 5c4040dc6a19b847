# The sections on the way into PostgreSQL.
package Bench::Page::Storing;
use v5.36;
use utf8;

use Bench::Plot;
use Bench::Results qw(rows_of values_of ratios);
use Bench::Table qw(median spread spread_of_thousands table thousands);

my @subjects = ('Weir, nginx', 'Weir, nginx, no roll-ups', 'Weir, Apache', 'Flask', 'Express');
my @cases = ([ single => 'one event a request' ], [ ten => 'ten events a request' ], [ crash => 'a crash report' ]);

sub events ($group, %is) { return (values_of($group, 'events', %is))[0] // 1 }

sub whole ($group) {
  my $text = "## The whole way: from a POST to a row and its figures\n\nCPU of all processes that a stored event takes: the web server, Redis, the flusher and PostgreSQL with Weir; the program\n"
    . "and PostgreSQL with the others. With Weir the account goes on until every row is there and no day is marked any more, so\n"
    . "until all [roll-ups](rollups.md) are built; the line without them (`--roll-ups=0`) is what the others do, who keep no figures.\n"
    . "What asks PostgreSQL and Redis whether all is done comes after the account is closed.\n\n![CPU for a stored event](plots/whole.svg)\n";
  for my $case (@cases) {
    my @rows;
    for my $name (@subjects) {
      my %is = (case => $case->[0], subject => $name);
      my $events = events($group, %is);
      next unless values_of($group, 'all', %is);
      push @rows, [ $name, spread_of_thousands(map { $_ * $events } values_of($group, 'rate', %is)), spread('%.1f', map { $_ / $events } values_of($group, 'all', %is)),
        parts($group, $events, %is), spread('%.1f', ratios($group, 'all', \%is, { case => $case->[0], subject => 'Weir, nginx' })) ];
    }
    $text .= "\n**\u$case->[1]**\n\n" . table([ '', 'events/s answered', 'all, µs of CPU an event', 'web + Redis + flusher + PostgreSQL', 'to Weir, nginx' ], @rows) if @rows;
  }
  return $text;
}

sub parts ($group, $events, %is) {
  my @medians;
  for my $part (qw(web redis flusher postgres)) {
    my @values = values_of($group, $part, %is);
    push @medians, @values ? sprintf('%.1f', median(@values) / $events) : '-';
  }
  return join ' + ', @medians;
}

sub plots_of_whole ($group, $folder) {
  my @panels;
  for my $case (@cases) {
    my @bars;
    for my $name (@subjects) {
      my %is = (case => $case->[0], subject => $name);
      my $events = events($group, %is);
      next unless values_of($group, 'all', %is);
      push @bars, [ $name, [ map { $_ / $events } values_of($group, 'all', %is) ], [], $name =~ s/, no /,\nno /r =~ s/, (nginx|Apache)/,\n$1/r ];
    }
    push @panels, [ $case->[1], @bars ] if @bars;
  }
  Bench::Plot->new("$folder/whole.svg", width => 1200, y => 'µs of CPU a stored event')->bars(@panels)->write;
  return 'whole.svg';
}

my @ways = ([ flusher => 'the flusher' ], [ copy => 'COPY into the same table' ], [ text => 'the same, as text' ], [ bare => 'COPY into a table without any index' ]);

sub entries ($group) {
  my %seen;
  return grep { !$seen{$_}++ } map { $_->{per_entry} } rows_of($group);
}

sub flusher ($group) {
  my @rows;
  for my $count (entries($group)) {
    for my $way (@ways) {
      my ($ours, $is) = map { { per_entry => $count, subject => $_ } } 'flusher', $way->[0];
      my ($clock, $cpu) = $way->[0] eq 'flusher' ? ('', '') : (spread('%.2f', ratios($group, 'rate', $ours, $is)), spread('%.2f', ratios($group, 'cpu', $is, $ours)));
      push @rows, [ $way->[1], $count, spread_of_thousands(values_of($group, 'rate', %$is)), $clock, $cpu, spread('%.0f', values_of($group, 'peak', %$is)) ];
    }
  }
  return "## The flusher, to COPY\n\nThe same rows, by the flusher from Redis with roll-ups and its position, and by psql's COPY in binary form from a file\n"
    . "(`bench/flusher`). The flusher's speed is told as its part of the other's: 1 is as many rows a second, or as much CPU\n"
    . "for each.\n\n![Rows a second](plots/flusher.svg)\n\n"
    . table([ '', 'events an entry', 'rows/s', 'the flusher\'s speed, by the clock', 'by CPU', 'peak of the program, MB' ], @rows);
}

sub plots_of_flusher ($group, $folder) {
  my @panels;
  for my $count (entries($group)) {
    my @bars = map { [ $_, [ values_of($group, 'rate', per_entry => $count, subject => $_) ], [], $_ eq 'copy' ? "COPY,\nsame table" : $_ eq 'bare' ? "COPY,\nno index" : $_ ] }
      qw(flusher copy bare);
    push @panels, [ $count == 1 ? 'entries of one event' : "entries of $count events", @bars ];
  }
  Bench::Plot->new("$folder/flusher.svg", y => 'rows a second')->bars(@panels)->write;
  return 'flusher.svg';
}

my %backlogs = (backlog => 'a backlog, an entry an event', duplicates => 'the same once more: all are duplicates');

sub backlog ($group) {
  my @rows;
  for my $row (rows_of($group)) {
    my $what = $backlogs{ $row->{case} } // "entries of ten in $row->{x} stream" . ($row->{x} > 1 ? 's, a flusher each' : '');
    my @cpu = map { sprintf '%.1f', $_ / $row->{rows} * 1e6 } $row->@{qw(flusher postgres redis)};
    push @rows, [ $what, thousands($row->{rows}), thousands($row->{rate}), @cpu, sprintf '%.0f', $row->{peak} ];
  }
  return "## A backlog, duplicates, several streams\n\nMemory does not depend on how much is waiting. Rows that are there already are looked up and left alone.\n\n"
    . "![The flusher's memory as it stores a backlog](plots/backlog.svg)\n\n"
    . table([ '', 'rows', 'rows/s', 'µs of CPU a row: flusher', 'PostgreSQL', 'Redis', 'peak of a flusher, MB' ], @rows)
    . "\n![Rows a second, by streams](plots/streams.svg)\n";
}

sub plots_of_backlog ($group, $folder) {
  my ($row) = rows_of($group, case => 'backlog') or return;
  my @points = map { [ $_->{t}, $_->{rss} ] } grep { $_->{rss} > 0 } $row->{samples}->@*;
  my $plot = Bench::Plot->new("$folder/backlog.svg", x => 'seconds, until all is stored', y => 'MB', height => 300);
  $plot->lines({ name => 'flusher', points => \@points })->write;
  my @streams = rows_of($group, case => 'streams');
  my @before = ('set xtics (' . join(', ', map {qq("$_->{x}" $_->{x})} @streams) . ')');
  $plot = Bench::Plot->new("$folder/streams.svg", x => 'streams, a flusher each', y => 'rows a second', height => 300, before => \@before);
  $plot->lines({ name => 'flusher', points => [ map { [ $_->{x}, $_->{rate} ] } @streams ] })->write;
  return qw(backlog.svg streams.svg);
}

sub alone ($group) {
  my @spool = map { [ $_->{x}, thousands($_->{rate}) ] } rows_of($group, case => 'spool');
  my @forms = map { [ $_->{subject}, thousands($_->{instructions}), sprintf '%.0f', $_->{bytes} ] } rows_of($group, case => 'record');
  my ($base) = values_of($group, 'cpu', case => 'copy', subject => 'binary');
  my @copies = map { [ $_->{subject}, thousands($_->{rate}), sprintf '%.2f', $_->{cpu} / ($base || 1) ] } rows_of($group, case => 'copy');
  return "## Parts by themselves\n\nThe spool, synced before each answer; what waits shares a sync:\n\n" . table([ 'records waiting at a time', 'records/s' ], @spool)
    . "\nThe form of a record ([why it is what it is](record.md#why-this-form)): to write a row\n\n" . table([ '', 'instructions', 'bytes' ], @forms)
    . "\nand to copy it into PostgreSQL, where *staged* is by way of a temporary table:\n\n" . table([ '', 'rows/s', 'CPU, to binary' ], @copies);
}

1;
