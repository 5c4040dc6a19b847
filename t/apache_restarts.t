# Apache's processes come and go under load, with each of its MPMs: graceful restarts each second, children
# that have served as many connections as they may, children that are killed. No request fails that the
# server did not die of, and every event that was answered 200 is stored once.
use v5.36;
use FindBin;
use lib "$FindBin::Bin/lib";
use WeirTest;
use WeirTest::Poster;

my %mpm = (
  event   => { workers => 2 },
  worker  => { workers => 2 },
  prefork => { workers => 24 },
);

# Runs `code` under load and looks at what became of the requests; those that were cut.
sub under_load ($name, $code) {
  my $finish = start_posters(8, weir->{run} . "/stop-$name" =~ s/ /-/gr, $name);
  my $first = value('SELECT count(*) FROM events');
  ok wait_for(sub { value('SELECT count(*) FROM events') > $first + 100 }), "$name: requests are answered";
  $code->();
  my $rows = value('SELECT count(*) FROM events');
  ok wait_for(sub { value('SELECT count(*) FROM events') > $rows + 100 }), "$name: requests go on";
  my $all = $finish->();
  my @done = $all->{done}->@*;
  is_deeply $all->{failed}, [], "$name: no answer but 200";
  stored(60);
  is value('SELECT count(*) FROM events WHERE event_id = ANY(?)', \@done), scalar @done, "$name: all " . @done . ' are stored';
  return $all->{cut};
}

sub replaced ($name, @old) {
  local $Test::Builder::Level = $Test::Builder::Level + 1;
  return ok wait_for(sub { my %now = map { $_ => 1 } weir->workers; %now && !grep { $now{$_} } @old }), "$name: the old children left";
}

for my $mpm (sort keys %mpm) {
  subtest "mpm_$mpm" => sub {
    my $weir = start(kind => 'apache', workers => $mpm{$mpm}{workers}, env => { WEIR_MPM => $mpm });
    ok wait_for(sub { $weir->web_log =~ /\[mpm_$mpm:notice\]/ }), 'it is the one';
    my $cut = under_load('graceful restarts', sub {
      for my $round (1 .. 5) {
        my @old = $weir->reload;
        replaced("restart $round", @old);
      }
    });
    is_deeply $cut, [], 'graceful restarts: no request fails';
    my @old = $weir->workers;
    under_load('killed children', sub {
      kill KILL => $_ for @old;
      replaced('killed', @old);
    });
    is scalar(() = $weir->web_log =~ /exit signal/g), 0, 'no child died of itself';
    $weir->stop;
    is_deeply [ $weir->dirty_lines ], [], 'the logs are clean';
    WeirTest::disconnect();
    $weir->remove;
  };
}

subtest 'children that leave after some connections' => sub {
  my $weir = start(kind => 'apache', workers => 2, top => "MaxConnectionsPerChild 40\n");
  my %seen;
  my $cut = under_load('short lives', sub {
    wait_for(sub { ++$seen{$_} for $weir->workers; keys %seen >= 8 }, 60);
  });
  cmp_ok scalar keys %seen, '>=', 8, 'they came and went';
  is_deeply $cut, [], 'and no request failed';
};

done_testing;
