# The arithmetic of the benchmark, by numbers that were worked out by hand: medians, spreads, ratios within a round,
# units, and when a target counts as reached. No server is started.
use v5.36;
use utf8;
use FindBin;
use lib "$FindBin::Bin/../bench/lib";
use open qw(:std :encoding(UTF-8));
use Test::More;

use Bench::Machine;
use Bench::Page;
use Bench::Proc;
use Bench::Results qw(rows_of values_of ratios);
use Bench::Settings;
use Bench::Table qw(median spread spread_of_thousands table thousands);
use Bench::Targets;
use Bench::Turns;
use File::Temp qw(tempdir);

binmode Test::More->builder->$_, ':encoding(UTF-8)' for qw(output failure_output todo_output);

# The one row of the targets by its name.
sub target ($id, %all) { return Bench::Targets::one(\%all, $id) }

# Rows of a case, {subject => [a value for each round]}.
sub rows ($case, $what, %values) {
  return map { my $name = $_; my $round = 0; map { { case => $case, subject => $name, round => ++$round, $what => $_ } } $values{$name}->@* } sort keys %values;
}

subtest 'a median is the middle one, or the mean of the two in the middle' => sub {
  is median(3, 1, 2), 2;
  is median(4, 1, 3, 2), 2.5;
  is median(10, 9), 9.5, 'as numbers, not as texts';
  is median(7), 7;
};

subtest 'a spread tells median, lowest and highest; one value has none' => sub {
  is spread('%.2f', 0.71, 0.68, 0.75), '0.71 (0.68 to 0.75)';
  is spread('%.1f', 2, 4), '3.0 (2.0 to 4.0)';
  is spread('%.2f', 0.71), '0.71';
  is spread('%.2f'), '';
  is spread_of_thousands(61_229, 58_000, 1_200_000), '61,229 (58,000 to 1,200,000)';
  is thousands(999.6), '1,000';
  is thousands(-1234), '-1,234';
};

subtest 'a table is Markdown whose columns line up' => sub {
  is table([ '', 'µs' ], [ 'Weir', 7.1 ], [ 'a', 10.25 ]), "|      | µs    |\n| ---- | ----- |\n| Weir | 7.1   |\n| a    | 10.25 |\n";
};

subtest 'a ratio is taken within each round, and only of rounds that both have' => sub {
  my $group = { rows => [ rows(single => 'web', Weir => [ 9, 8, 30 ], bare => [ 6, 5 ]) ] };
  is_deeply [ ratios($group, 'web', { subject => 'Weir' }, { subject => 'bare' }) ], [ 1.5, 1.6 ];
  is_deeply [ ratios($group, 'web', { subject => 'bare' }, { subject => 'Weir' }) ], [ 6 / 9, 5 / 8 ];
  is_deeply [ values_of($group, 'web', subject => 'Weir', round => 3) ], [30];
  is scalar(rows_of($group, case => 'ten')), 0;
  is_deeply [ ratios(undef, 'web', { subject => 'Weir' }, { subject => 'bare' }) ], [], 'nothing was measured';
};

subtest 'a target tells median, spread and then the unit, once' => sub {
  my $edge = { rows => [ rows(single => 'web', 'Weir, nginx' => [ 9, 8, 12 ], 'bare nginx' => [ 6, 5, 6 ]) ] };
  is_deeply target('edge-single', edge => $edge),
    [ 'nginx\' CPU for a single event, to the bare handler', 'at most 1.5 times', '1.60 (1.50 to 2.00) times', '**no**' ];
  is target('edge-ten', edge => $edge)->[2], 'not measured', 'another case';
  is target('edge-ten', edge => $edge)->[3], '';
  my $latency = { rows => [ rows('Weir, nginx' => 'p99', 'Weir, nginx' => [ 1.5, 2.25, 1.75 ], 'bare nginx' => [ 1, 1.5, 1.25 ]) ] };
  is_deeply [ target('latency', latency => $latency)->@[ 1 .. 3 ] ], [ 'at most 1 ms', '0.50 (0.50 to 0.75) ms', 'yes' ];
};

subtest 'the limit itself is reached, from either side' => sub {
  my $one = sub ($ours) { { rows => [ rows(single => 'web', 'Weir, nginx' => [$ours], 'bare nginx' => [2]) ] } };
  is target('edge-single', edge => $one->(3))->[3], 'yes';
  is target('edge-single', edge => $one->(3.01))->[3], '**no**';
  my $lua = sub ($theirs) { { rows => [ rows(single => 'all', 'Weir, nginx' => [10], 'nginx + Lua' => [$theirs]) ] } };
  is target('lua-single', edge => $lua->(30))->[3], 'yes';
  is target('lua-single', edge => $lua->(29.8))->[3], '**no**';
};

subtest 'the whole way is judged with its roll-ups, and told without them beside it' => sub {
  my $whole = { rows => [ rows(single => 'all', 'Weir, nginx' => [ 30, 25 ], 'Weir, nginx, no roll-ups' => [ 15, 20 ], Flask => [ 540, 500 ]) ] };
  is_deeply [ target('whole-flask', whole => $whole)->@[ 2, 3 ] ], [ '19.0 (18.0 to 20.0) times; without roll-ups 30.5 (25.0 to 36.0)', '**no**' ];
};

subtest 'the flusher is judged for entries of one event and of ten, each by itself' => sub {
  my @rows = map { my $n = $_; map { { %$_, per_entry => $n } } rows("entries of $n" => 'rate', flusher => [ $n == 1 ? 90 : 70 ], copy => [100], bare => [200]) } 1, 10;
  my %all = (flusher => { rows => \@rows });
  is_deeply [ map { target($_, %all)->[2] } qw(flusher-copy-1 flusher-copy-10 flusher-bare-1 flusher-bare-10) ], [ '0.90 times', '0.70 times', '0.45 times', '0.35 times' ];
  is_deeply [ map { target($_, %all)->[3] } qw(flusher-copy-1 flusher-copy-10 flusher-bare-1 flusher-bare-10) ], [ 'yes', '**no**', 'yes', '**no**' ];
};

subtest 'one command a request is missed by a second one' => sub {
  my $buffer = sub ($each, $case) { { rows => [ rows($case => 'commands', 'Weir, nginx' => [$each]) ] } };
  is target('commands-single', buffer => $buffer->(1.0002, 'xadd'))->[3], 'yes';
  is target('commands-single', buffer => $buffer->(2, 'xadd'))->[3], '**no**';
  is target('commands-ten', buffer => $buffer->(10, 'xadd of ten'))->[3], '**no**';
};

subtest 'what asks for ten million says nothing of less' => sub {
  my $memory = sub ($last) {
    my $number = 0;
    return { rows => [ map { { case => 'memory', subject => 'Weir, nginx', requests => $last * $number++ / 3, rss => $_ } } 9, 11, 11.25, 11.5 ] };
  };
  is_deeply [ target('memory-growth', memory => $memory->(3_000_000))->@[ 0, 2, 3 ] ], [ 'its growth over 3,000,000 of 10,000,000 requests', '0.50 MB', '' ];
  is target('memory-growth', memory => $memory->(10_000_000))->[3], 'yes';
  my $backlog = sub ($rows, $peak) { { rows => [ { case => 'backlog', rows => $rows, peak => $peak } ] } };
  is target('flusher-memory', backlog => $backlog->(1_000_000, 30))->[3], '';
  is target('flusher-memory', backlog => $backlog->(10_000_000, 65))->[3], '**no**';
};

subtest 'memory after large bodies is above what the bare worker has after the same' => sub {
  my @rows = map { my ($name, @rss) = @$_; map { { case => 'afterwards', subject => $name, rss => $_ } } @rss } [ 'Weir, nginx', 40, 15 ], [ 'bare nginx', 8, 8.5 ];
  is_deeply [ target('memory-large', memory => { rows => \@rows })->@[ 2, 3 ] ], [ '6.5 MB', 'yes' ];
};

subtest 'a run that is no figure is repeated, and told by its name when that does not help' => sub {
  my $tries = 0;
  open my $quiet, '>', \my $said or die;
  my $shown = select $quiet;
  is Bench::Turns::attempt('single, Weir, round 2', sub ($try) { ++$tries < 3 ? die "nothing was answered\n" : 7 }), 7;
  is Bench::Turns::attempt('ten, Express, round 1', sub ($try) { die "nothing was answered\n" }), undef;
  select $shown;
  my ($repeated, $failed) = Bench::Turns::troubles();
  is_deeply $repeated, [ ('single, Weir, round 2: nothing was answered') x 2, ('ten, Express, round 1: nothing was answered') x 2 ];
  is_deeply $failed, ['ten, Express, round 1: nothing was answered'];
  is_deeply [ Bench::Turns::troubles() ], [ [], [] ], 'once';
  my $page = Bench::Page::troubles({ whole => { failed => $failed, repeated => [] } });
  like $page, qr/^- `whole`: ten, Express, round 1: nothing was answered$/m;
};

subtest 'events have to be as many as were answered, and no more than were under way' => sub {
  no warnings 'once';    ## no critic (ProhibitNoWarnings)
  local *Subject::events = sub ($self, $body) { $self->{events} };
  my $hold = sub ($events) { Bench::Turns::must_hold(bless({ events => $events }, 'Subject'), { events => 10 }, { ok => 100 }, 4) };
  is $hold->(1000), 100;
  is $hold->(1040), 104, 'with one under way on each connection';
  ok !eval { $hold->(990) };
  is $@, "1000 events were answered with 200, and 990 are there\n";
  ok !eval { $hold->(1050) };
};

subtest 'CPU and memory are read as proc(5) has them' => sub {
  my $ticks = POSIX::sysconf(POSIX::_SC_CLK_TCK());
  is Bench::Proc::of_ended_children("4711 (a) b) S 1 2 3 4 5 6 7 8 9 10 11 12 " . 3 * $ticks . " " . 2 * $ticks . " 20"), 5e9, 'a name with a bracket in it';
  is Bench::Proc::kib(VmHWM => "Name:\tx\nVmHWM:\t    2048 kB\nVmRSS:\t    1024 kB\n"), 2048;
  is Bench::Proc::kib(VmRSS => "Name:\tx\n"), 0, 'a process that has ended';
  ok !eval { Bench::Proc::must_count(''); 1 };
  like $@, qr/CPU time cannot be measured.*CONFIG_SCHED_INFO/, 'a kernel that does not count is no free lunch';
  cmp_ok Bench::Proc::seconds($$), '>', 0;
};

subtest 'the machine tells of changes to what is measured, and not of those by measuring' => sub {
  my $folder = tempdir(CLEANUP => 1);
  my $git = sub (@words) { system('git', '-C', $folder, '-c', 'user.name=a', '-c', 'user.email=a@b', @words) == 0 or die };
  my $write = sub ($name) { open my $file, '>>', "$folder/$name" or die; say {$file} 'x'; close $file };
  mkdir "$folder/docs";
  $write->($_) for 'code', 'docs/performance.md';
  $git->(qw(init -q));
  $git->(qw(add .));
  $git->(qw(commit -q -m first));
  ok !Bench::Machine::changed($folder);
  $write->($_) for 'new', 'docs/performance.md';
  ok !Bench::Machine::changed($folder), 'the page, and a file that git does not keep';
  $write->('code');
  ok Bench::Machine::changed($folder);
};

subtest 'what was tried stands beside the figures of now' => sub {
  my $words = Bench::Page::words_of_tried("# Head\n\n## latency\n\nWaits.\n\n## spool\nSyncs.\n");
  is_deeply $words, { latency => 'Waits.', spool => 'Syncs.' };
  like Bench::Page::tried({}, $words), qr/wanted at most 1 ms; measured: not measured\.\n\nWaits\.\n/;
  ok !eval { Bench::Page::tried({}, { speed => 'x' }) }, 'a name that is no target';
  ok eval { Bench::Page::tried({}); 1 }, 'bench/tried.md itself' or diag $@;
};

subtest 'the large batch inflates to 7 MB within the default limits' => sub {
  my $large = Bench::Settings->new(small => 1, folder => tempdir(CLEANUP => 1))->large;
  cmp_ok $large->{size}, '>', 6_900_000;
  cmp_ok $large->{size}, '<', 8 << 20, 'inflated';
  cmp_ok $large->{packed}, '<', 1 << 20, 'body';
  cmp_ok $large->{size} / $large->{packed}, '<', 100, 'ratio';
};

done_testing;
