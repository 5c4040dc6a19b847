# How the cost of a request grows: with the properties of an event, the events of a batch, the connections,
# and the streams, which take a worker each.
package Bench::Group::Curves;
use v5.36;

use Bench::Turns;
use POSIX ();

sub run ($settings, $stage) {
  my $curve = $settings->curve;
  my ($bare, $weir) = map { $stage->subject($_) } 'bare nginx', 'Weir, nginx';
  my @rows;
  for my $count ($settings->count([ 0, 4, 8, 16, 32, 64 ], [ 0, 64 ])->@*) {
    push @rows, point($curve, properties => $count, with_properties($settings, $count), $bare, $weir);
  }
  for my $count ($settings->count([ 1, 3, 10, 30, 100, 300, 1000 ], [ 1, 1000 ])->@*) {
    push @rows, point($curve, batch => $count, batch_of($settings, $count), $bare, $weir);
  }
  for my $count ($settings->count([ 1, 8, 64, 256, 512 ], [ 1, 512 ])->@*) {
    push @rows, point((bless { %$curve, connections => $count }, ref $curve), connections => $count, $settings->body('single'), $bare, $weir);
  }
  $stage->clear_all;
  for my $count ($settings->count([ 1, 2, 4, 8 ], [2])->@*) {
    my @subjects = ($stage->subject('bare nginx', workers => $count), $stage->subject('Weir, nginx', workers => $count, shards => $count));
    push @rows, point($curve, shards => $count, $settings->body('single'), @subjects);
    $stage->clear_all;
  }
  return \@rows;
}

sub point ($settings, $case, $x, $body, @subjects) {
  return map { { %$_, case => $case, x => $x, bytes => $body->{size} } } Bench::Turns::take($settings, "$case $x", $body, @subjects);
}

sub event ($properties) {
  my @values = map { $_ % 3 == 0 ? "\"word_$_\":\"value number $_\"" : $_ % 3 == 1 ? "\"count_$_\":" . $_ * 37 : "\"share_$_\":0.$_" } 1 .. $properties;
  return '{"event":"recording_finished","user_id":"3f6c1f52-8f0a-4c57-b1d4-0a9e5b7c0001","timestamp":"' . today()
    . 'T00:00:01.250Z","app_version":"2.14.3","platform":"macos","country":"DE","properties":{' . join(',', @values) . '}}';
}

sub today { return POSIX::strftime('%Y-%m-%d', gmtime time - 3600) }

sub with_properties ($settings, $count) {
  my $text = event($count);
  return { path => '/track', events => 1, size => length $text, file => $settings->write("properties-$count.json", $text) };
}

sub batch_of ($settings, $count) {
  my $text = '[' . join(',', (event(4)) x $count) . ']';
  return { path => '/track', events => $count, size => length $text, file => $settings->write("batch-$count.json", $text) };
}

1;
