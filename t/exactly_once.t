# The promise: every accepted event is in the table exactly once, every refused one nowhere, the
# daily figures equal what the rows say, and sending all of it again changes nothing.
use v5.36;
use FindBin;
use lib "$FindBin::Bin/lib";
use WeirTest;
use WeirTest::Traffic;
use WeirTest::RollUps;

my $events = $ENV{WEIR_TEST_EVENTS} // 20_000;    # single ones, and as many in batches
my $connections = 64;
my $crashes = 500;
my $batch = 50;

start(env => { WEIR_POSTGRES_FSYNC => 'on' });

my %traffic = map { $_ => WeirTest::Traffic->new(name => $_, now => now()) } qw(single batch crash);

# Numbers come until `events` valid ones are among them.
my $numbers = 0;
for (my $valid = 0 ; $valid < $events ; ++$numbers) { ++$valid unless $numbers % 11 == 4 }

sub requests_of ($client) {
  my @mine = grep { $_ % $connections == $client } 0 .. $numbers - 1;
  my @singles = map { [ $traffic{single}->event($_) ] } @mine;
  my @batches;
  push @batches, [ map { $traffic{batch}->event($_) } splice @mine, 0, $batch ] while @mine;
  my @crashes = map { $traffic{crash}->crash($_) } grep { $_ % $connections == $client } 0 .. $crashes - 1;
  return (\@singles, \@batches, \@crashes);
}

# The answer that a batch (or a single event) has to get.
sub wanted (@events) {
  my @rejected = map { $events[$_]{field}
    ? { index => $_, field => $events[$_]{field}, reason => $events[$_]{reason} } : () } 0 .. $#events;
  my $accepted = @events - @rejected;
  return json({ error => 'Invalid data', details => \@rejected }) unless $accepted;
  return json({ status => 'ok', accepted => $accepted, @rejected ? (rejected => \@rejected) : () });
}

sub run_client ($client) {
  my ($singles, $batches, $crashes) = requests_of($client);
  my $connection = connection(timeout => 60);
  my @wrong;
  my $try = sub ($path, $body, @events) {
    my $answer = $connection->request(POST => $path, $body, 'Content-Type' => 'application/json');
    push @wrong, "$answer->{body} for $body" if json($answer->{json}) ne wanted(@events);
  };
  $try->('/track', $_->[0]{json}, @$_) for @$singles;
  my $turn = 0;
  for my $events (@$batches) {
    my $list = '[' . join(',', map { $_->{json} } @$events) . ']';
    $try->('/track', ($list, qq({"events":$list}), qq({"batch":$list}))[ $turn++ % 3 ], @$events);
  }
  $try->('/crash', $_->{json}, {}) for @$crashes;
  return { wrong => \@wrong, requests => @$singles + @$batches + @$crashes };
}

sub send_all ($name) {
  my $before = time;
  my @results = in_parallel($connections, \&run_client);
  my @wrong = map { $_->{wrong}->@* } @results;
  my $requests = 0;
  $requests += $_->{requests} for @results;
  is scalar @wrong, 0, "$name: each of $requests requests gets the answer it should" or diag substr $wrong[0], 0, 600;
  note sprintf '%s: %d requests in %.1f s', $name, $requests, time - $before;
  return;
}

sub difference ($left, $right) { my %right = map { $_ => 1 } @$right; return grep { !$right{$_} } @$left }

send_all('first time');
my $answered = time;

my (@accepted, @refused);
for my $kind (qw(single batch)) {
  push @{ $_->{field} ? \@refused : \@accepted }, $_->{id} for map { $traffic{$kind}->event($_) } 0 .. $numbers - 1;
}

ok wait_for(sub { value('SELECT count(*) FROM events') >= @accepted }),
  'all are in the table soon after the last answer';
note sprintf '%.1f s', time - $answered;
stored();

subtest 'every accepted event exactly once, every refused one nowhere' => sub {
  my @kept = map { $_->[0] } db()->selectall_arrayref('SELECT event_id FROM events')->@*;
  is @kept, @accepted, 'as many rows as accepted events';
  is scalar(difference(\@accepted, \@kept)), 0, 'no accepted one is missing';
  is scalar(difference(\@kept, \@accepted)), 0, 'nothing else is there';
  is scalar(difference(\@refused, \@kept)), scalar @refused, 'no refused one is there';
  is value('SELECT count(DISTINCT event_id) FROM events'), scalar @accepted, 'none is twice';
  is value('SELECT count(*) FROM crashes'), $crashes, 'crashes';
  is value('SELECT count(*) FROM dead_letters'), 0, 'dead letters';
};

roll_ups_equal_rows();

my $before = tables_digest();
send_all('second time');
stored();
is_deeply tables_digest(), $before, 'the same requests again change nothing in any table';

done_testing;
