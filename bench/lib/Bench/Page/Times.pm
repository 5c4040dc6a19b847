# The sections on rates, latencies and memory.
package Bench::Page::Times;
use v5.36;
use utf8;

use Bench::Plot;
use Bench::Results qw(rows_of values_of ratios);
use Bench::Table qw(median spread spread_of_thousands table thousands);

my @ways = (
  [ no       => '`appendfsync no`' ],
  [ everysec => '`appendfsync everysec`' ],
  [ always   => '`appendfsync always`' ],
  [ away     => 'Redis away: the spool, synced before each answer' ],
);

sub redis ($group) {
  my $text = "## Redis' settings, and no Redis\n\nSingle events, as many as go through. With `always`, and with the spool, an answer waits for the disk; requests that\n"
    . "come meanwhile share the next sync.\n\n![Requests a second, by what Redis does](plots/redis.svg)\n";
  for my $server ('Weir, nginx', 'Weir, Apache') {
    my @rows;
    for my $way (@ways) {
      my %is = (subject => "$server, $way->[0]");
      push @rows, [ $way->[1], spread_of_thousands(values_of($group, 'rate', %is)), spread('%.2f', values_of($group, 'web', %is)),
        $way->[0] eq 'away' ? '' : spread('%.2f', values_of($group, 'redis', %is)), spread('%.1f', values_of($group, 'p99', %is)),
        spread('%.2f', ratios($group, 'rate', \%is, { subject => "$server, everysec" })) ];
    }
    $text .= "\n" . table([ $server, 'requests/s', 'web server, µs of CPU', 'Redis, µs', 'p99 at full load, ms', 'rate, to everysec' ], @rows);
  }
  return $text;
}

sub plots_of_redis ($group, $folder) {
  my @panels;
  for my $server ('Weir, nginx', 'Weir, Apache') {
    push @panels, [ $server, map { my $name = "$server, $_->[0]"; [ $name, [ values_of($group, 'rate', subject => $name) ], [], $_->[0] ] } @ways ];
  }
  Bench::Plot->new("$folder/redis.svg", width => 900, y => 'requests a second')->bars(@panels)->write;
  return 'redis.svg';
}

my @parts = (qw(p50 p75 p90 p99 p999));

sub latency ($group) {
  my @rows;
  for my $case ('Weir, nginx', 'Weir, nginx, no', 'Weir, nginx, always', 'Weir, nginx, away', 'Weir, Apache') {
    for my $name ($case, $case =~ /Apache/ ? 'bare Apache' : 'bare nginx') {
      my %is = (case => $case, subject => $name);
      next unless values_of($group, 'p99', %is);
      push @rows, [ $name, thousands((values_of($group, 'half', %is))[0] // 0), map { spread('%.2f', values_of($group, $_, %is)) } qw(p50 p90 p99 p999 late) ];
      push $rows[-1]->@*, spread('%.0f', values_of($group, 'waited', %is));
    }
  }
  return "## How long an answer takes, at half load\n\nRequests come evenly, at half of the rate that Weir reached just before with all connections busy; below each stands the\n"
    . "bare handler at the same rate. A time counts from when a request was due, not from when it could be sent\n"
    . "(`bench/paced.cpp`): what the generator itself is late by, since it shares the cores, is in both. A request that Redis\n"
    . "keeps waiting changes over to the spool after 250 ms, as by default.\n\n"
    . "![Latencies at half load](plots/latency.svg)\n\n" . table([ 'ms', 'requests/s', 'p50', 'p90', 'p99', 'p99.9', 'the generator itself late by, p99', 'servers without a core, µs a request' ], @rows);
}

sub plots_of_latency ($group, $folder) {
  my $line = sub ($case, $name, %more) {
    return { name => $name, points => [] } unless rows_of($group, case => $case, subject => $name);
    my @points = map { [ $_, median(values_of($group, $parts[$_], case => $case, subject => $name)) ] } 0 .. $#parts;
    return { name => $name, points => \@points, %more };
  };
  my @lines = ($line->('Weir, nginx', 'bare nginx'), $line->('Weir, nginx', 'Weir, nginx'),
    $line->('Weir, nginx, always', 'Weir, nginx, always', dashed => 2), $line->('Weir, nginx, away', 'Weir, nginx, away', dashed => 4),
    $line->('Weir, Apache', 'bare Apache'), $line->('Weir, Apache', 'Weir, Apache'));
  my @before = ('set logscale y', 'set yrange [*:*]', 'set xtics ("p50" 0, "p75" 1, "p90" 2, "p99" 3, "p99.9" 4)');
  Bench::Plot->new("$folder/latency.svg", x => 'part of the requests', y => 'ms', before => \@before)->lines(grep { $_->{points}->@* } @lines)->write;
  return 'latency.svg';
}

sub row ($group) {
  my %rates = map { $_->{wanted} => 1 } rows_of($group);
  my @rows;
  for my $rate (sort { $a <=> $b } keys %rates) {
    push @rows, [ thousands($rate), map { spread('%.0f', values_of($group, $_, wanted => $rate)) } qw(p50 p99 max) ];
  }
  return "## From the answer to the row\n\nFrom when the client had its 200 to the commit of the row's transaction, by PostgreSQL's own record of it. The flusher\n"
    . "waits `linger-ms` (200 ms unless it is told otherwise) for a batch to fill, and takes a full one at once.\n\n"
    . table([ 'events/s', 'p50, ms', 'p99, ms', 'longest, ms' ], @rows);
}

my @with_memory = ('bare nginx', 'Weir, nginx', 'bare Apache', 'Weir, Apache');

sub memory ($group) {
  my @rows;
  for my $name (@with_memory) {
    my @rss = values_of($group, 'rss', case => 'memory', subject => $name) or next;
    my @requests = values_of($group, 'requests', case => 'memory', subject => $name);
    my ($after) = reverse rows_of($group, case => 'afterwards', subject => $name);
    push @rows, [ $name, thousands($requests[-1]), map { defined ? sprintf '%.1f', $_ : '' } $rss[0], $rss[ @rss / 10 + 1 ] // $rss[-1], $rss[-1], $after->@{qw(rss peak)} ];
  }
  return "## Memory\n\nResident memory of nginx' worker, or of Apache's child with its threads, as requests go by over connections that come\n"
    . "and go; pages that are shared with others are counted in full. Then batches are among the requests, whose gzip inflates to\n"
    . "7 MB, and *afterwards* all are small again. The peak is the kernel's (`VmHWM`), of all of that.\n\n"
    . "![Memory over requests](plots/memory.svg)\n\n" . table([ 'MB', 'requests', 'at first', 'after a tenth', 'in the end', 'after large bodies', 'peak' ], @rows);
}

sub plots_of_memory ($group, $folder) {
  my @lines = map { { name => $_, points => [ map { [ $_->{requests} / 1e6, $_->{rss} ] } rows_of($group, case => 'memory', subject => $_) ] } } @with_memory;
  my $plot = Bench::Plot->new("$folder/memory.svg", x => 'million requests', y => 'MB', height => 320);
  $plot->lines(grep { $_->{points}->@* } @lines)->write;
  return 'memory.svg';
}

1;
