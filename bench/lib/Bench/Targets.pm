# What was wanted, and whether it is reached: each target takes its values from the results, round by round, so that
# a median and a spread can be told. It is the median that is judged.
#
#   my @rows = Bench::Targets::rows($results);    # [what, wanted, measured, reached]
#   my $row = Bench::Targets::one($results, 'edge-single');
#
# A target that is not reached by what was measured says **no**; one that was measured over less than it asks
# for says nothing, and so does one that was not measured.
package Bench::Targets;
use v5.36;
use utf8;

use Bench::Results qw(rows_of values_of ratios);
use Bench::Table qw(median spread thousands);
use List::Util qw(max);

my ($weir, $bare, $lua) = ('Weir, nginx', 'bare nginx', 'nginx + Lua');
my $many = 10_000_000;

sub edge_ratio ($what, $case, $one, $other) {
  return sub ($all) { ratios($all->{edge}, $what, { case => $case, subject => $one }, { case => $case, subject => $other }) };
}

sub whole_ratio ($peer, $ours = $weir) {
  return sub ($all) { ratios($all->{whole}, 'all', { case => 'single', subject => $peer }, { case => 'single', subject => $ours }) };
}

sub without_roll_ups ($peer) {
  return sub ($all) {
    my @values = whole_ratio($peer, "$weir, no roll-ups")->($all);
    return @values ? '; without roll-ups ' . spread('%.1f', @values) : '';
  };
}

# The flusher's speed as a part of the other's.
sub flusher_ratio ($per_entry, $way) {
  return sub ($all) { ratios($all->{flusher}, 'rate', { per_entry => $per_entry, subject => 'flusher' }, { per_entry => $per_entry, subject => $way }) };
}

sub commands ($case) {
  return sub ($all) { values_of($all->{buffer}, 'commands', case => $case, subject => $weir) };
}

sub redis_ratio ($all) { return ratios($all->{buffer}, 'redis', { case => 'xadd', subject => $weir }, { case => 'xadd', subject => 'redis-benchmark' }) }

sub above_bare ($all) {
  my %bare = map { $_->{round} => $_->{p99} } rows_of($all->{latency}, case => $weir, subject => $bare);
  return map { $_->{p99} - $bare{ $_->{round} } } grep { defined $bare{ $_->{round} } } rows_of($all->{latency}, case => $weir, subject => $weir);
}

sub spool_ratio ($all) {
  return ratios($all->{redis}, 'rate', { subject => "$weir, away" }, { subject => "$weir, everysec" });
}

# What the worker has in the end, above what the bare one has then.
sub over_bare ($case) {
  return sub ($all) {
    my ($ours, $limit) = map { (values_of($all->{memory}, 'rss', case => $case, subject => $_))[-1] } $weir, $bare;
    return defined $ours && defined $limit ? $ours - $limit : ();
  };
}

# Growth once buffers have what they need: after the first tenth.
sub growth ($all) {
  my @rss = values_of($all->{memory}, 'rss', case => 'memory', subject => $weir);
  return @rss > 2 ? $rss[-1] - $rss[ @rss / 10 + 1 ] : ();
}

sub requests ($all) { return max(0, values_of($all->{memory}, 'requests', case => 'memory', subject => $weir)) }
sub peak ($all) { return values_of($all->{backlog}, 'peak', case => 'backlog') }
sub backlog_rows ($all) { return max(0, values_of($all->{backlog}, 'rows', case => 'backlog')) }

my @targets = (
  { id => 'edge-single', what => 'nginx\' CPU for a single event, to the bare handler', most => 1.5, format => '%.2f', unit => 'times', values => edge_ratio('web', 'single', $weir, $bare) },
  { id => 'edge-ten', what => 'nginx\' CPU for a batch of ten, to the bare handler', most => 2.5, format => '%.2f', unit => 'times', values => edge_ratio('web', 'ten', $weir, $bare) },
  { id => 'lua-single', what => 'CPU of nginx and Redis for a single event: Lua, to Weir', least => 3, format => '%.2f', unit => 'times', values => edge_ratio('all', 'single', $lua, $weir) },
  { id => 'lua-ten', what => 'the same for a batch of ten', least => 5, format => '%.2f', unit => 'times', values => edge_ratio('all', 'ten', $lua, $weir) },
  { id => 'commands-single', what => 'all commands of Redis for an answered request, a single event', wanted => 'one', most => 1.005, format => '%.4f', values => commands('xadd') },
  { id => 'commands-ten', what => 'the same for a batch of ten', wanted => 'one', most => 1.005, format => '%.4f', values => commands('xadd of ten') },
  { id => 'redis-cpu', what => 'Redis\' CPU for a request, to a pipelined XADD by redis-benchmark', wanted => 'at most 1.35 times (3.5 to 2.6 µs)', most => 1.35, format => '%.2f', unit => 'times', values => \&redis_ratio },
  { id => 'whole-flask', what => 'the whole way with its roll-ups, CPU for a stored event: Flask, to Weir', least => 20, format => '%.1f', unit => 'times', values => whole_ratio('Flask'), beside => without_roll_ups('Flask') },
  { id => 'whole-express', what => 'the same: Express, to Weir', least => 10, format => '%.1f', unit => 'times', values => whole_ratio('Express'), beside => without_roll_ups('Express') },
  (map {
    my ($per_entry, $entries) = ($_, $_ == 1 ? 'entries of one event' : "entries of $_ events");
    ({ id => "flusher-copy-$_", what => "the flusher's rows a second from $entries, to COPY into the same table", least => 0.8, format => '%.2f', unit => 'times', values => flusher_ratio($_, 'copy') },
      { id => "flusher-bare-$_", what => 'the same, to COPY into a table without any index', least => 0.4, format => '%.2f', unit => 'times', values => flusher_ratio($_, 'bare') })
  } 1, 10),
  { id => 'latency', what => 'p99 of the answer at half load, above the bare handler\'s', most => 1, format => '%.2f', unit => 'ms', values => \&above_bare },
  { id => 'spool', what => 'events a second without Redis, to the rate with it', least => 0.5, format => '%.2f', unit => 'times', values => \&spool_ratio },
  { id => 'memory', what => 'memory of nginx\' worker, above that of a bare one', most => 8, format => '%.1f', unit => 'MB', values => over_bare('memory') },
  { id => 'memory-large', what => 'the same after bodies that inflate to 7 MB were among them', most => 8, format => '%.1f', unit => 'MB', values => over_bare('afterwards') },
  { id => 'memory-growth', what => sub ($all) { 'its growth over ' . thousands(requests($all)) . ' of 10,000,000 requests' }, wanted => 'none (less than 1 MB)', most => 1, format => '%.2f', unit => 'MB', values => \&growth, enough => sub ($all) { requests($all) >= $many } },
  { id => 'flusher-memory', what => sub ($all) { 'the flusher\'s peak with a backlog of ' . thousands(backlog_rows($all)) . ' of 10,000,000' }, most => 64, format => '%.0f', unit => 'MB', values => \&peak, enough => sub ($all) { backlog_rows($all) >= $many } },
);

sub rows ($all) { return map { row($all, $_) } @targets }

sub ids () { return map { $_->{id} } @targets }

sub one ($all, $id) {
  my ($target) = grep { $_->{id} eq $id } @targets;
  return $target ? row($all, $target) : die "there is no target $id\n";
}

sub wanted ($target) {
  return $target->{wanted} if $target->{wanted};
  return join ' ', defined $target->{most} ? "at most $target->{most}" : "at least $target->{least}", $target->{unit} // ();
}

sub row ($all, $target) {
  my $what = ref $target->{what} ? $target->{what}->($all) : $target->{what};
  my @values = $target->{values}->($all);
  return [ $what, wanted($target), 'not measured', '' ] unless @values;
  my $measured = join(' ', spread($target->{format}, @values), $target->{unit} // ()) . ($target->{beside} ? $target->{beside}->($all) : '');
  return [ $what, wanted($target), $measured, '' ] if $target->{enough} && !$target->{enough}->($all);
  my $middle = median(@values);
  return [ $what, wanted($target), $measured, (defined $target->{most} ? $middle <= $target->{most} : $middle >= $target->{least}) ? 'yes' : '**no**' ];
}

1;
