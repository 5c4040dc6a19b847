# What a large batch takes of a worker's memory, the worker gives back: `docs/performance.md` promises
# 8 MiB over the bare web server, and that it stays so.
use v5.36;
use FindBin;
use lib "$FindBin::Bin/lib";
use WeirTest;
use IO::Compress::Gzip qw(gzip);

my $events = 1000;
my $weir = start(workers => 1, locations => [
  { path => '/track', what => 'track' },
  { path => '/wide', what => 'track', limits => { body => '16m', inflated => '32m', events => 20_000 } },
]);

# Of what it allocated: pages of programs come and go as the kernel likes.
sub resident_kib {
  my $most = 0;
  for my $worker ($weir->workers) {
    my ($kib) = WeirTest::Server::read_file("/proc/$worker/status") =~ /^RssAnon:\s+(\d+)/m or next;
    $most = $kib if $kib > $most;
  }
  return $most;
}

sub small_requests ($count) {
  my $failed = 0;
  for (1 .. $count) { $failed++ if post('/track', { event => 'small', user_id => "u$_" })->{status} != 200 }
  return is $failed, 0, "$count small requests are taken";
}

sub words () { return join ' ', map { int rand 1e9 } 1 .. 35 }

# Some 7 MB of JSON, of which gzip makes less than the 1 MiB that a body may have.
sub large_batch () {
  srand 1;
  my @events = map { { event => "large$_", user_id => 'u', properties => { text => words() x 20 } } } 1 .. $events;
  return json({ events => \@events });
}

sub is_flat ($before, $name, $growth = 4096) {
  my $kib = 0;
  my $flat = wait_for(sub { $kib = resident_kib(); return $kib < $before + $growth });
  ok $flat, "$name: memory is given back" or diag "before: $before KiB, after: $kib KiB";
  return note "$name: $before KiB before, $kib KiB after";
}

small_requests(300);
my $before = resident_kib();

subtest 'batches that inflate to 7 MB' => sub {
  my $batch = large_batch();
  cmp_ok length $batch, '>', 6_500_000, 'it is large';
  gzip \$batch => \my $zipped;
  for (1 .. 3) { accepted post('/track', $zipped, 'Content-Encoding' => 'gzip'), $events, 'it is taken' }
  small_requests(20);
  is_flat($before, 'after large batches');
};

subtest 'one of very many events' => sub {
  my $batch = json([map { { event => "e$_", user_id => 'u' } } 1 .. 20_000]);
  for (1 .. 2) { accepted post('/wide', $batch), 20_000, 'it is taken' }
  small_requests(20);
  is_flat($before, 'after very many events');
};

# Answered with a line for each.
my $faulty = json([map { { event => "e$_" } } 1 .. 20_000]);

subtest 'one of which nothing is taken' => sub {
  for (1 .. 2) { is post('/wide', $faulty)->{status}, 400, 'it is refused' }
  small_requests(20);
  is_flat($before, 'after very many refusals');
};

# Apache has a thread for each, and httpd and the allocator have something for each thread, too.
subtest 'several of these at once' => sub {
  my @statuses = in_parallel(6, sub ($number) { [ map { post('/wide', $faulty)->{status} } 1 .. 4 ] });
  is_deeply [ map { @$_ } @statuses ], [ (400) x 24 ], 'they are refused';
  small_requests(40);
  is_flat($before, 'after refusals at once', 8192);
};

done_testing;
