# nginx's thread pool is for all that waits for disks, and its queue may be full: the spool then waits for
# room, and gives up after ten seconds, but the event loop never waits with it.
use v5.36;
use FindBin;
use lib "$FindBin::Bin/lib";
use WeirTest;
use File::Spec;
use File::Temp qw(tempdir);

my $build = File::Spec->rel2abs($ENV{BUILD} // 'build', WeirTest::Server->root);
my $faults = tempdir('weir-faults-XXXXXX', TMPDIR => 1, CLEANUP => 1);
chmod 0777, $faults or die "chmod $faults: $!\n";
WeirTest::Server::write_file("$faults/file", 'x' x 100_000);
chmod 0644, "$faults/file" or die "chmod: $!\n";

sub pool ($options) { return WeirTest::Server::write_file("$faults/main.conf", "thread_pool default threads=1 $options;") }
pool('max_queue=1');

sub arm ($point) { return WeirTest::Server::write_file("$faults/$point.hold", '') }
sub is_held ($point) { return ok wait_for(sub { -e "$faults/$point.held" }, 30), "a thread is held at $point" }
sub let_go ($point) { return unlink "$faults/$point.held" }

my $weir = start(
  workers => 1,
  env     => { BUILD => "$build/faults", WEIR_FAULTS => $faults, WEIR_MAIN_CONF => "$faults/main.conf" },
  config  => join "\n",
  'location = /track { weir track; }', 'location = /health { weir health; }',
  # All of the file at once: for a second piece, the queue may be full again, and nginx then gives the answer up.
  "location /file { root $faults; aio threads; sendfile off; output_buffers 1 128k; }",
);

sub sent ($method, $path, $body = undef) {
  my $client = connection();
  return $client->send_bytes($client->format_request($method => $path, $body));
}
sub event ($id) { return json({ event => 'crowded', user_id => 'u1', event_id => uuid($id), timestamp => '2026-10-11T12:13:14Z' }) }
sub taken ($id) { return (eval { post('/track', event($id)) } // { status => 0 })->{status} == 200 }
sub health () { return connection()->request(GET => '/health') }

# While the one thread does nothing: were the loop waiting with it, nobody would answer.
sub health_answers ($name) { return ok eval { health()->{status} }, "the loop goes on $name" }

subtest 'a queue that is full for long' => sub {
  $weir->signal(redis => 'KILL');
  ok wait_for(sub { taken('first') }, 20), 'the spool takes over';
  arm('before_removal');
  $weir->repair;
  is_held('before_removal');
  $weir->signal(redis => 'KILL');
  my $file = sent(GET => '/file');
  my $post = sent(POST => '/track', event('second'));
  ok wait_for(sub { $weir->web_log =~ /thread pool "default" queue overflow/ }, 20), 'the queue is full';
  health_answers('while the spool waits for room');
  is $post->read_answer->{status}, 503, 'in vain: the event is refused in the end';
  like health()->{json}{spool}{why}, qr/threads has had time/, 'which GET /health says';
  let_go('before_removal');
  ok wait_for(sub { taken('second') }, 60), 'once a thread has time, events are taken again';
  is $file->read_answer('GET')->{status}, 200, 'and others get what they wait for, too';
};

subtest 'a thread that waits for the disk' => sub {
  arm('before_sync');
  my $post = sent(POST => '/track', event('third'));
  is_held('before_sync');
  health_answers('meanwhile');
  let_go('before_sync');
  is $post->read_answer->{status}, 200, 'the event is answered once it is kept';
};

subtest 'max_queue=0: a pool in which nothing waits' => sub {
  $weir->repair;
  pool('max_queue=0');
  my ($old) = $weir->reload;
  ok wait_for(sub { !grep { $_ == $old } $weir->workers }, 30), 'a reload ends the worker whose pool had a queue';
  $weir->signal(redis => 'KILL');
  ok wait_for(sub { taken('fourth') }, 30), 'a thread that has nothing to do takes what comes';
  $weir->repair;
};

stored(60);
is value('SELECT count(*) FROM events WHERE event_id = ?', uuid($_)), 1, "stored once: $_" for 'first', 'second', 'third', 'fourth';

allow_in_logs(qr/thread pool "default" queue overflow/);
done_testing;
