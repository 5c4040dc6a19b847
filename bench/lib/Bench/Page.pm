# docs/performance.md, made of what was measured. Each group has its section, with a table and plots.
#
#   my $page = Bench::Page::text($results, plots => 'plots');     # Markdown
#   Bench::Page::draw($results, "$folder/plots");                 # the plots that it shows
#   Bench::Page::section('edge', $results);                       # one group's, for the terminal
#
# What was tried for a target, and where its time goes, no measurement can tell: bench/tried.md has it, by the
# target's name, and the page shows it beside the figures of now.
package Bench::Page;
use v5.36;
use utf8;

use Bench::Page::Costs;
use Bench::Page::Times;
use Bench::Page::Storing;
use Bench::Subject;
use Bench::Table qw(table);
use Bench::Targets;
use Text::Wrap qw(wrap);

# group => module; in the order of the page.
my @sections = (
  [ edge    => 'Bench::Page::Costs' ],
  [ apache  => 'Bench::Page::Costs' ],
  [ profile => 'Bench::Page::Costs' ],
  [ buffer  => 'Bench::Page::Costs' ],
  [ redis   => 'Bench::Page::Times' ],
  [ latency => 'Bench::Page::Times' ],
  [ row     => 'Bench::Page::Times' ],
  [ whole   => 'Bench::Page::Storing' ],
  [ flusher => 'Bench::Page::Storing' ],
  [ backlog => 'Bench::Page::Storing' ],
  [ memory  => 'Bench::Page::Times' ],
  [ curves  => 'Bench::Page::Costs' ],
  [ parts   => 'Bench::Page::Storing', 'alone' ],
);

sub section ($name, $all) {
  my ($section) = grep { $_->[0] eq $name } @sections;
  return '' unless $all->{$name} && $all->{$name}{rows}->@*;
  my (undef, $module, $function) = @$section;
  return $module->can($function // $name)->($all->{$name});
}

sub draw ($all, $folder) {
  my @drawn;
  for my $section (@sections) {
    my ($name, $module) = @$section;
    my $plots = $module->can("plots_of_$name");
    next unless $plots && $all->{$name} && $all->{$name}{rows}->@*;
    push @drawn, $plots->($all->{$name}, $folder);
  }
  return @drawn;
}

sub targets ($all) { return table([ 'what', 'wanted', 'measured', 'reached' ], Bench::Targets::rows($all)) }

# A measurement alone makes a load of two to five on two cores.
sub busy ($all) {
  my @busy = grep { $all->{$_}{machine}{load} > 2 * $all->{$_}{machine}{cores} } sort keys %$all;
  return '' unless @busy;
  return "\n**The machine had other work to do** while these parts were measured, so their figures are none to quote: " . join(', ', map {"`$_`"} @busy) . ".\n";
}

sub text ($all) {
  my $text = head($all) . busy($all) . "\n## What was wanted\n\n" . targets($all) . "\n" . about_targets() . troubles($all) . "\n" . tried($all);
  for my $section (@sections) {
    my $name = $section->[0];
    my $said = section($name, $all);
    $text .= "\n$said" if $said;
  }
  return $text . "\n" . servers($all) . "\n" . tail($all);
}

sub list (@lines) { return join '', map {"- $_\n"} @lines }

# Runs that were no figures, by name: a page that leaves them out would be of the good runs only.
sub troubles ($all) {
  my @repeated = map { my $name = $_; map {"`$name`: $_"} ($all->{$name}{repeated} // [])->@* } sort keys %$all;
  my @failed   = map { my $name = $_; map {"`$name`: $_"} ($all->{$name}{failed} // [])->@* } sort keys %$all;
  my $text = '';
  $text .= "\n**No figure** came of these, though each was tried three times:\n\n" . list(@failed) if @failed;
  $text .= "\nThese runs were no figures, and were repeated:\n\n" . list(@repeated) if @repeated;
  return $text;
}

# {name of a target => what bench/tried.md says of it}.
sub words_of_tried ($text) {
  my (undef, %words) = split /^## (\S+)\n/m, $text;
  return { map { $_ => $words{$_} =~ s/\A\s+|\s+\z//gr } keys %words };
}

sub read_tried () {
  my $path = Bench::Subject::root() . '/bench/tried.md';
  open my $file, '<:encoding(UTF-8)', $path or die "$path: $!\n";
  return words_of_tried(do { local $/; <$file> });
}

sub tried ($all, $words = read_tried()) {
  my %known = map { $_ => 1 } Bench::Targets::ids();
  for my $id (keys %$words) { $known{$id} or die "bench/tried.md speaks of $id, which is no target\n" }
  my $text = "## Where the time goes, and what was tried\n\nFor the targets that are near or missed.\n";
  for my $id (grep { $words->{$_} } Bench::Targets::ids()) {
    my ($what, $wanted, $measured, $reached) = Bench::Targets::one($all, $id)->@*;
    $text .= "\n**\u$what**: wanted $wanted; measured: $measured" . ($reached =~ /no/ ? ', **missed**' : '') . ".\n\n$words->{$id}\n";
  }
  return $text;
}

# As the servers said of themselves when they were measured.
sub servers ($all) {
  my (%parts, @rows);
  for my $group (sort keys %$all) {
    my $servers = $all->{$group}{servers} // {};
    for my $name (keys %$servers) { push $parts{$name}{$_}->@*, $group for $servers->{$name}->@* }
  }
  for my $name (sort keys %parts) {
    for my $said (sort keys $parts{$name}->%*) { push @rows, [ $name, $said =~ s/\|/\\|/gr, join ', ', map {"`$_`"} $parts{$name}{$said}->@* ] }
  }
  return '' unless @rows;
  return "## What the servers had\n\nRead from the servers as they ran: `CONFIG GET` of Redis, `current_setting()` of PostgreSQL, the configuration or the\n"
    . "command with which the others were started, without addresses. What does not stand here is as after an installation.\n\n" . table([ '', 'as it ran', 'in the parts' ], @rows);
}

sub newest ($all) { return (sort { $b->{machine}{at} cmp $a->{machine}{at} } values %$all)[0] }

sub head ($all) {
  my $machine = newest($all)->{machine};
  my %commits = map { $_->{machine}{commit} => 1 } values %$all;
  my $commits = join ', ', map {"`$_`"} sort keys %commits;
  local $Text::Wrap::columns = 120;
  my $about = wrap('', '', "**The machine:** $machine->{cores} cores of $machine->{cpu}, $machine->{memory} of memory, $machine->{virtual};"
    . " Linux $machine->{kernel}, $machine->{system}; " . join(', ', map {"$_->[0] $_->[1]"} $machine->{versions}->@*) . '.');
  return <<"END" =~ s/\n\n\n/\n\n/gr;
# How fast it is

Every number and plot here was written by `bench/report` from what `make bench` measured on $machine->{at}, at
the commits $commits.
To measure it again on Debian 12, which takes about half an hour:

```sh
make bench                          # all of it, and writes this page anew
bench/run edge && bench/report      # one part; `bench/run --help` lists them
```

$about

**How it is measured.** All that is compared runs on this one machine, each with processes of its own on loopback, and takes
turns: A B C A B C and so on. The load generator shares the cores with what it loads, so requests a second tell what this
machine does with both, and on two cores they say little about a server alone. What carries over is *CPU time*: the
operating system's account of each process and its children, divided by the requests. A figure reads "median (lowest to
highest)" of the rounds; a ratio is taken within each round. On another machine all times will be others; the ratios
should be near to these.

**What is alike.** The same bodies for all: a single event of some 300 bytes, a batch of ten, a crash report of 4 kB
(`bench/bodies`). The same number of connections over TCP, kept alive by all servers but gunicorn, whose ordinary workers
close them. One worker of nginx, or one child of Apache with its threads; Redis over a unix socket. [What the servers
had](#what-the-servers-had) is read from them. After each run the events are counted where they have to be: a run of which
one is missing, or of which a request was not answered with 200, is no figure; it is repeated, and told where that did not
help. CPU is read before anybody counts, since counting costs CPU too. Settings that are not those of a new installation
are so for a reason: nothing reads the streams in most parts, so Weir is told of more room in Redis and in the spool, and
Redis rewrites its file only between runs, for Lua too; and but for the latencies a request of Weir waits up to 2 s for Redis until it changes
over to the spool (`patience`), so that it is the way over Redis which is measured. Programs that insert warm up without
waiting for the disk, and are measured with it. Why it is measured so is told in
[decision 0017](decisions/0017-cpu-time-within-a-round.md).
END
}

sub about_targets () {
  return <<'END';
The bare handler is a module for the same server that reads the body and answers 200, and does nothing else
(`bench/bare`). Lua, Flask and Express are what one would write instead (`bench/peers`): Lua decodes, checks three
fields and sends an XADD for each event over a kept connection; Flask and Express insert each event into a table with a
key and a time index, and commit before they answer. Weir checks every field, gives ids, corrects clocks, and keeps more
indexes, daily figures and roll-ups. A median is judged; what was measured over fewer requests or rows than were wanted
is not.
END
}

sub tail ($all) {
  my @rows = map {
    my $one = $all->{$_};
    [ "`$_`", $one->{machine}{at}, "`$one->{machine}{commit}`", $one->{settings}->@{qw(rounds seconds connections)}, $one->{machine}{load} ]
  } sort keys %$all;
  my $table = table([ 'part', 'when', 'commit', 'rounds', 'seconds', 'connections', 'load of the machine at its end' ], @rows);
  return "## When each part was measured\n\n$table" . <<'END';

Where a part takes fewer rounds or shorter ones, it says so in `bench/lib/Bench/Group`. `BENCH_ROUNDS`, `BENCH_SECONDS`
and `BENCH_CONNECTIONS` change all of them; `bench/run --long memory backlog` takes ten million requests and rows.
Instructions of the core for each body, which do not depend on the machine's mood, are counted by `make instructions`
against the budget in `bench/instructions.budget`.
END
}

1;
