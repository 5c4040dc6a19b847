# Every row of docs/operations.md says all that it should, and is made by a test.
use v5.36;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use WeirTest::Operations ();
use WeirTest::Server;

my %made;
for my $path (map { glob "$FindBin::Bin/$_" } qw(operations_*.t *_operations.t)) {
  my $text = WeirTest::Server::read_file($path);
  ++$made{$2} while $text =~ /^in_trouble (['"])(.+?)\1 =>/mg;
}

my %sections = WeirTest::Operations::fault_sections();
for my $heading (sort keys %sections) {
  for my $row ($sections{$heading}->@*) {
    my $name = $row->{fault};
    ok !(grep { !length($row->{$_} // '') } qw(client operator do)), "$name: clients, operators and what to do";
    is delete $made{$name}, $heading =~ /\ADescribed/ ? undef : 1, "$name: made by one test";
  }
}
is_deeply [ keys %made ], [], 'every fault that is made stands in the document';
done_testing;
