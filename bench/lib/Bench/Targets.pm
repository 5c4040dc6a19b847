# What was wanted, and whether it is reached: each row of the table takes its values from the results, round
# by round, so that a median and a spread can be told.
#
#   my @rows = Bench::Targets::rows($results);    # [what, wanted, measured, reached]
package Bench::Targets;
use v5.36;
use utf8;

use Bench::Results qw(rows_of values_of ratios);
use Bench::Table qw(median spread thousands);
use List::Util qw(max);

my ($weir, $bare, $lua) = ('Weir, nginx', 'bare nginx', 'nginx + Lua');

sub edge_ratio ($what, $case, $one, $other) {
  return sub ($all) { ratios($all->{edge}, $what, { case => $case, subject => $one }, { case => $case, subject => $other }) };
}

sub whole_ratio ($peer) {
  return sub ($all) { ratios($all->{whole}, 'all', { case => 'single', subject => $peer }, { case => 'single', subject => $weir }) };
}

# The flusher's speed as a part of the other's; bench/flusher says median, lowest and highest.
sub flusher_ratio ($way) {
  return sub ($all) { map { $_->{by_clock}->@* } rows_of($all->{flusher}, case => 'entries of 1', subject => $way) };
}

sub above_bare ($all) {
  my %bare = map { $_->{round} => $_->{p99} } rows_of($all->{latency}, case => $weir, subject => $bare);
  return map { $_->{p99} - $bare{ $_->{round} } } rows_of($all->{latency}, case => $weir, subject => $weir);
}

sub spool_ratio ($all) {
  return ratios($all->{redis}, 'rate', { subject => "$weir, away" }, { subject => "$weir, everysec" });
}

sub last_rss ($all, $name) { return (values_of($all->{memory}, 'rss', subject => $name))[-1] }

sub over_bare ($all) {
  my ($ours, $limit) = map { last_rss($all, $_) } $weir, $bare;
  return defined $ours && defined $limit ? $ours - $limit : ();
}

# Growth once buffers have what they need: after the first tenth.
sub growth ($all) {
  my @rss = values_of($all->{memory}, 'rss', subject => $weir);
  return @rss > 2 ? $rss[-1] - $rss[ @rss / 10 + 1 ] : ();
}

sub requests ($all) { return thousands(max(0, values_of($all->{memory}, 'requests', subject => $weir))) }
sub peak ($all) { return values_of($all->{backlog}, 'peak', case => 'backlog') }
sub backlog_rows ($all) { return thousands((values_of($all->{backlog}, 'rows', case => 'backlog'))[0] // 0) }

# What, how the limit reads, the limit, whether more is better, format, values.
my @targets = (
  [ 'nginx\' CPU for a single event, to the bare handler', 'at most 1.5 times', 1.5, 0, '%.2f times', edge_ratio('web', 'single', $weir, $bare) ],
  [ 'nginx\' CPU for a batch of ten, to the bare handler', 'at most 2.5 times', 2.5, 0, '%.2f times', edge_ratio('web', 'ten', $weir, $bare) ],
  [ 'CPU of nginx and Redis for a single event: Lua, to Weir', 'at least 3 times', 3, 1, '%.2f times', edge_ratio('all', 'single', $lua, $weir) ],
  [ 'the same for a batch of ten', 'at least 5 times', 5, 1, '%.2f times', edge_ratio('all', 'ten', $lua, $weir) ],
  [ 'Redis\' commands for a request', 'one', 1.0005, 0, '%.3f', sub ($all) { values_of($all->{buffer}, 'xadds', subject => $weir) } ],
  [ 'Redis\' CPU for a request, to a pipelined XADD by redis-benchmark', 'at most 1.35 times (3.5 to 2.6 µs)', 1.35, 0, '%.2f times',
    sub ($all) { ratios($all->{buffer}, 'redis', { subject => $weir }, { subject => 'redis-benchmark' }) } ],
  [ 'the whole way, CPU for a stored event: Flask, to Weir', 'at least 20 times', 20, 1, '%.1f times', whole_ratio('Flask') ],
  [ 'the same: Express, to Weir', 'at least 10 times', 10, 1, '%.1f times', whole_ratio('Express') ],
  [ 'the flusher\'s rows a second, to COPY into the same table', 'at least 0.8 times', 0.8, 1, '%.2f times', flusher_ratio('copy') ],
  [ 'the same, to COPY into a table without any index', 'at least 0.4 times', 0.4, 1, '%.2f times', flusher_ratio('bare') ],
  [ 'p99 of the answer at half load, above the bare handler\'s', 'at most 1 ms', 1, 0, '%.2f ms', \&above_bare ],
  [ 'events a second without Redis, to the rate with it', 'at least 0.5 times', 0.5, 1, '%.2f times', \&spool_ratio ],
  [ 'memory of nginx\' worker, above that of a bare one', 'at most 8 MB', 8, 0, '%.1f MB', \&over_bare ],
  [ sub ($all) { 'its growth over ' . requests($all) . ' requests' }, 'none (less than 1 MB)', 1, 0, '%.2f MB', \&growth ],
  [ sub ($all) { 'the flusher\'s memory with a backlog of ' . backlog_rows($all) }, 'at most 64 MB', 64, 0, '%.0f MB', \&peak ],
);

sub rows ($all) { return map { row($all, @$_) } @targets }

sub row ($all, $what, $wanted, $limit, $more, $format, $values) {
  $what = $what->($all) if ref $what;
  my @values = $values->($all);
  return [ $what, $wanted, 'not measured', '' ] unless @values;
  my $middle = median(@values);
  return [ $what, $wanted, spread($format, @values) =~ s/ (times|ms|MB)(?= \(| to )//gr, ($more ? $middle >= $limit : $middle <= $limit) ? 'yes' : '**no**' ];
}

1;
