# The sections on what a request costs: nginx, Apache, where it goes, Redis' part, and how it grows.
package Bench::Page::Costs;
use v5.36;
use utf8;

use Bench::Plot;
use Bench::Results qw(rows_of values_of ratios);
use Bench::Table qw(median spread spread_of_thousands table);

my %titles = (single => 'one event', ten => 'a batch of ten', crash => 'a crash report');

sub costs ($group, $case, $limit, @names) {
  my @rows;
  for my $name (grep { rows_of($group, case => $case, subject => $_) } @names) {
    my %is = (case => $case, subject => $name);
    push @rows, [ $name, spread_of_thousands(values_of($group, 'rate', %is)), spread('%.2f', values_of($group, 'web', %is)),
      $name =~ /bare/ ? '' : spread('%.2f', values_of($group, 'redis', %is)),
      spread('%.2f', ratios($group, 'web', \%is, { case => $case, subject => $limit })) ];
  }
  return table([ '', 'requests/s', 'web server, µs of CPU', 'Redis, µs of CPU', "web server, to $limit" ], @rows);
}

sub edge ($group) {
  my $text = "## nginx\n\nCPU for each request. The lower part of a bar is nginx, the upper one Redis.\n\n"
    . "![CPU for a request, nginx](plots/edge.svg)\n";
  for my $case (qw(single ten crash)) {
    $text .= "\n**\u$titles{$case}**\n\n" . costs($group, $case, 'bare nginx', 'bare nginx', 'Weir, nginx', 'nginx + Lua');
    my @lua = ratios($group, 'all', { case => $case, subject => 'nginx + Lua' }, { case => $case, subject => 'Weir, nginx' });
    $text .= "\nnginx and Redis together: Lua needs " . spread('%.2f', @lua) . " times as much as Weir.\n" if @lua;
  }
  return $text;
}

sub apache ($group) {
  my $text = "## Apache\n\nA request costs Apache itself several times what it costs nginx, so that Weir's share is smaller. The event MPM,\n"
    . "one child. The lower part of a bar is Apache, the upper one Redis.\n\n![CPU for a request, Apache](plots/apache.svg)\n";
  for my $case (qw(single ten crash)) {
    $text .= "\n**\u$titles{$case}**\n\n" . costs($group, $case, 'bare Apache', 'bare Apache', 'Weir, Apache');
  }
  return $text;
}

sub panels ($group, @names) {
  my @panels;
  for my $case (qw(single ten crash)) {
    my @bars;
    for my $name (grep { rows_of($group, case => $case, subject => $_) } @names) {
      my %is = (case => $case, subject => $name);
      push @bars, [ $name, [ values_of($group, 'web', %is) ], $name =~ /bare/ ? [] : [ values_of($group, 'redis', %is) ] ];
    }
    push @panels, [ $titles{$case}, @bars ] if @bars;
  }
  return @panels;
}

sub plots_of_edge ($group, $folder) {
  my $plot = Bench::Plot->new("$folder/edge.svg", width => 900, y => 'µs of CPU a request');
  $plot->bars(panels($group, 'bare nginx', 'Weir, nginx', 'nginx + Lua'))->write;
  return 'edge.svg';
}

sub plots_of_apache ($group, $folder) {
  my $plot = Bench::Plot->new("$folder/apache.svg", y => 'µs of CPU a request');
  $plot->bars(panels($group, 'bare Apache', 'Weir, Apache'))->write;
  return 'apache.svg';
}

# Parts below one percent are added up.
sub profile ($group) {
  my $text = "## A profile of a request\n\nBy `perf`, which looks two thousand times a second where a process is; single events. A part is the kernel, a\n"
    . "program or a library.\n";
  for my $process ([ web => 'nginx with Weir' ], [ bare => 'nginx with the bare handler' ], [ redis => 'Redis' ]) {
    my @rows = sort { $b->{share} <=> $a->{share} } rows_of($group, case => 'profile', subject => $process->[0]) or next;
    my ($rest, $micros) = (0, 0);
    for my $row (grep { $_->{share} < 0.01 } @rows) { $rest += $row->{share}; $micros += $row->{micros} }
    my @shown = grep { $_->{share} >= 0.01 } @rows;
    push @shown, { part => 'others', share => $rest, micros => $micros } if $rest > 0.005;
    $text .= "\n" . table([ $process->[1], 'part', 'µs a request' ],
      map { [ $_->{part}, sprintf('%.0f %%', $_->{share} * 100), sprintf '%.2f', $_->{micros} ] } @shown);
  }
  my @dearest = map { [ "`$_->{part}`", sprintf '%.2f', $_->{micros} ] } rows_of($group, case => 'function', subject => 'web');
  return $text unless @dearest;
  return "$text\nThe dearest functions of nginx with Weir, outside of the kernel:\n\n" . table([ 'function', 'µs a request' ], @dearest);
}

sub buffer ($group) {
  my @rows;
  for my $case ([ xadd => 'one event' ], [ 'xadd of ten' => 'a batch of ten' ]) {
    my ($size) = values_of($group, 'size', case => $case->[0]) or next;
    for my $name ('Weir, nginx', 'redis-benchmark') {
      my %is = (case => $case->[0], subject => $name);
      push @rows, [ "$case->[1], $name", $size, spread('%.2f', values_of($group, 'redis', %is)), $name =~ /Weir/ ? spread('%.4f', values_of($group, 'commands', %is)) : '',
        spread('%.2f', ratios($group, 'redis', \%is, { case => $case->[0], subject => 'redis-benchmark' })) ];
    }
  }
  return "## What a request costs Redis\n\nCommands are all that Redis has counted (`total_commands_processed`), whoever sent them, over the requests that were\n"
    . "answered; those besides XADD are the worker's looks at how full Redis is, one a second. redis-benchmark sends an entry of the\n"
    . "same size to the same Redis over one connection, 64 at a time.\n\n"
    . table([ '', 'bytes of an entry', 'Redis, µs of CPU', 'commands a request', 'to redis-benchmark' ], @rows);
}

my @curves = (
  [ properties  => 'properties of an event', 'µs of CPU a request' ],
  [ batch       => 'events in a batch',      'µs of CPU an event' ],
  [ connections => 'connections',            'µs of CPU a request' ],
  [ shards      => 'streams, and workers',   'µs of CPU a request' ],
);
my @lines = ([ 'bare nginx', 'web', 'bare nginx' ], [ 'Weir, nginx', 'web', 'Weir, nginx' ], [ 'Weir, nginx', 'redis', 'Weir, Redis' ]);

sub points ($group, $case, $name, $what) {
  my %at;
  for my $row (rows_of($group, case => $case, subject => $name)) {
    push $at{ $row->{x} }->@*, ($row->{$what} // 0) / ($case eq 'batch' ? $row->{events} : 1);
  }
  return map { [ $_, median($at{$_}->@*) ] } sort { $a <=> $b } keys %at;
}

sub curves ($group) {
  my $text = "## How the cost grows\n\nMany connections let one turn of nginx' loop, and one write to Redis, serve many requests; with one connection, each\n"
    . "request wakes every process by itself.\n";
  for my $curve (@curves) {
    my ($case, $title, $unit) = @$curve;
    my (@x, @rows);
    for my $line (@lines) {
      my @points = points($group, $case, $line->@[ 0, 1 ]) or next;
      @x = map { $_->[0] } @points;
      push @rows, [ $line->[2], map { sprintf '%.2f', $_->[1] } @points ];
    }
    $text .= "\n![$unit, by $title](plots/curve-$case.svg)\n\n" . table([ "$unit, by $title", @x ], @rows) if @rows;
  }
  return $text;
}

sub plots_of_curves ($group, $folder) {
  my @drawn;
  for my $curve (@curves) {
    my ($case, $title, $unit) = @$curve;
    my @drawable = map { { name => $_->[2], of => $_->[0], dashed => $_->[1] eq 'redis' ? 2 : 0, points => [ points($group, $case, $_->@[ 0, 1 ]) ] } } @lines;
    my @x = map { $_->[0] } $drawable[1]{points}->@* or next;
    my @before = ('set xtics (' . join(', ', map {qq("$_" $_)} @x) . ')', $case eq 'properties' ? () : 'set logscale x 2');
    push @before, 'set logscale y', 'set yrange [*:*]' if $case eq 'batch';
    my $plot = Bench::Plot->new("$folder/curve-$case.svg", x => $title, y => $unit, height => 320, before => \@before);
    $plot->lines(@drawable)->write;
    push @drawn, "curve-$case.svg";
  }
  return @drawn;
}

1;
