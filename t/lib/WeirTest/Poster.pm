# Clients that post one event after the other while processes of the web server come and go.
#
#   my $finish = start_posters(8, "$weir->{run}/stop", 'reload');
#   …
#   my $all = $finish->();       # {failed => [why…], cut => [why…], sent => [event_id…], done => [event_id…]}
#
# Every other client keeps its connection, the others open one for each request. An answer that is not 200 is
# `failed`. A connection that ends without a byte of an answer is `cut`, and the request is sent again. It is `late`
# instead where the client said nothing on it for so long that a worker which leaves may close it: on a machine that
# is busy enough, a client sleeps that long between two steps. How many were late is noted.
package WeirTest::Poster;
use v5.36;

use List::Util qw(sum0);

use WeirTest;

use parent 'Exporter';
our @EXPORT = qw(start_posters);

# Seconds without a word. After an answer there is a second of grace (docs/decisions/0008), which begins when the first
# connection of the worker is to be closed. A new connection on which nothing came yet has none with nginx: its client
# meets the closing where a reload falls between its connecting and its sending, which takes it no time when it runs.
my ($silent_after_an_answer, $silent_at_first) = (0.5, 0.05);

sub start_posters ($count, $stop, $name) {
  my $finish = start_clients($count, sub ($client) { post_until($stop, $name, $client) });
  return sub {
    WeirTest::Server::write_file($stop, '');
    my @results = $finish->();
    note "$name: " . sum0(map { $_->{late} } @results) . ' requests came late';
    return { map { my $what = $_; $what => [ map { $_->{$what}->@* } @results ] } qw(failed cut sent done) };
  };
}

sub post_until ($stop, $name, $client) {
  my ($connection, $began) = (connection(timeout => 60), 0);
  my %result = (failed => [], cut => [], late => 0, sent => [], done => []);
  my @headers = $client % 2 ? () : (Connection => 'close');
  for (my $n = 0 ; !-e $stop ; ++$n) {
    my $id = uuid($name, $client, $n);
    my $body = json({ event => $name, user_id => "u$client", event_id => $id, timestamp => '2026-11-01T00:00:00Z' });
    push $result{sent}->@*, $id;
    my ($silent_since, $most) = $connection->connected ? ($began, $silent_after_an_answer) : (time, $silent_at_first);
    ($began, my $said) = (time);
    my $answer = eval {
      $connection->send_bytes($connection->format_request(POST => '/track', $body, @headers));
      $said = time;
      $connection->read_answer;
    };
    if    ($answer && $answer->{status} == 200)      { push $result{done}->@*, $id; next }
    elsif ($answer)                                  { push $result{failed}->@*, "$answer->{status} $answer->{body}" }
    elsif (($said // time) - $silent_since >= $most) { ++$result{late}; --$n }
    else                                             { push $result{cut}->@*, $@; --$n }
    $connection->close;
  }
  return \%result;
}

1;
