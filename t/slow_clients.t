# A thousand connections of which two hundred are slow: their bodies come in small pieces over seconds.
# They are answered, the workers' memory stays bounded, and nobody else is held up.
use v5.36;
use FindBin;
use lib "$FindBin::Bin/lib";
use WeirTest;
use List::Util qw(sum);
use Weir::Chaos::Load;
use Weir::Chaos::Verdict qw(compare);

my ($slow, $quick, $pieces, $seconds) = (200, 800, 40, 8);
my $weir = start();
my @workers = $weir->workers;

sub resident_kib () { return sum map { (WeirTest::Server::read_file("/proc/$_/status") =~ /^VmRSS:\s+(\d+)/m)[0] } @workers }

# The quick ones, while `meanwhile` runs; what the load generator says in the end.
sub load_during ($name, $meanwhile) {
  my $load = Weir::Chaos::Load->start($weir->{port}, "$weir->{run}/$name", seed => 1, connections => $quick,
    rate => 4000, rude => 0);
  $meanwhile->($load);
  my $total = $load->finish;
  is_deeply { map { $_ => $total->{$_} } qw(wrong unknown cut unreached timeouts) },
    { map { $_ => 0 } qw(wrong unknown cut unreached timeouts) }, "$name: no quick request failed";
  is $total->{status_503} // 0, 0, "$name: nor was refused";
  return $total;
}

sub pause ($load) { $load->listen; return select undef, undef, undef, 0.02 }

my $alone = load_during('alone', sub ($load) {
  wait_for(sub { pause($load); ($load->{last}{sent} // 0) > 1500 });
});

sub event ($client, $number) {
  return json({ event => 'slow', user_id => "slow-$client", event_id => uuid($client, $number), properties => { text => 'x' x 150 } });
}

sub slow_request ($client) {
  my $body = '[' . join(',', map { event($client, $_) } 1 .. 250) . ']';
  return "POST /track HTTP/1.1\r\nHost: slow\r\nContent-Type: application/json\r\nContent-Length: " . length($body) . "\r\n\r\n$body";
}

my @requests = map { slow_request($_) } 1 .. $slow;
my $before = resident_kib();
my $most = 0;
my @clients;

sub send_piece ($piece) {
  for my $n (0 .. $#clients) {
    my $size = int(length($requests[$n]) / $pieces) + 1;
    $clients[$n]->send_bytes(substr $requests[$n], $piece * $size, $size);
  }
  return;
}

sub look_at_memory () {
  my $now = resident_kib();
  $most = $now if $now > $most;
  return;
}

my $beside = load_during('beside slow ones', sub ($load) {
  @clients = map { connection(timeout => 60) } @requests;
  my $began = time;
  for my $piece (0 .. $pieces - 2) {
    send_piece($piece);
    pause($load) while time - $began < $seconds * $piece / $pieces;
    look_at_memory();
  }
});

# Fifty thousand events at once, which is work for the machine: quick ones are answered, however long that takes.
my @answers;
load_during('as slow ones end', sub ($load) {
  send_piece($pieces - 1);
  look_at_memory();
  @answers = map { $_->read_answer('POST') } @clients;
});

is scalar(grep { $_->{status} == 200 && $_->{json}{accepted} == 250 } @answers), $slow, 'every slow request is answered in the end';
is_deeply [ $weir->workers ], \@workers, 'the workers are the same';

# A body is kept in memory while it comes: here some 60 KB for each slow client, in a buffer of its size.
my $each = 2 * length($requests[0]) / 1024 + $weir->adapter->kib_of_a_request;
my $bound = $slow * $each + 32 * 1024;
cmp_ok $most - $before, '<', $bound, 'the workers\' memory is bounded by the bodies that are on their way';
note sprintf 'workers: %d KiB before, %d KiB at most', $before, $most;

note sprintf '%s: p50 %.1f ms, p99 %.1f ms, max %.1f ms', $_->[0], map { $_ / 1000 } $_->[1]->@{qw(p50 p99 max)}
  for [ alone => $alone ], [ 'beside slow ones' => $beside ];
# Others load the machine, too; whoever waited for a slow one would wait for seconds.
cmp_ok $beside->{p99}, '<', 3 * $alone->{p99} + 2_000_000, 'nobody else is held up';

stored(60);
is value(q(SELECT count(*) FROM events WHERE event = 'slow')), $slow * 250, 'what slow ones sent is stored';
is compare("$weir->{run}/$_")->{lost}, 0, "$_: nothing is lost" for 'alone', 'beside slow ones', 'as slow ones end';

done_testing;
