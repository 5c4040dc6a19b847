# weirctl dead-letters: lists, shows, puts back and drops what could not be stored, as weir_operator. What
# is put back is stored exactly once, however often it is said and wherever it is interrupted.
use v5.36;
use utf8;
use FindBin;
use lib "$FindBin::Bin/lib";

use File::Spec;
use JSON::XS ();
use PrivatePostgres;
use Test::More;

use Weir::FlusherTest;
use Weir::Record;

my $private = private();
our $build = File::Spec->rel2abs($ENV{BUILD} // "$FindBin::Bin/../build");
my ($stream) = fresh('dead-letters');
my $redis_address = "unix:$private->{dir}/redis/socket";

sub dead_letters ($verb, @arguments) {
  my $user = $verb =~ s/ as (\w+)// ? $1 : 'weir_operator';
  my @redis = $verb eq 'retry' && !grep({ $_ eq '--redis' } @arguments) ? ('--redis' => $redis_address, '--stream' => $stream) : ();
  return PrivatePostgres::run_command({}, "$build/weirctl", 'dead-letters', $verb, '--postgres', $private->conninfo('weir', $user), @redis, @arguments);
}

sub says ($result, $status, $pattern, $name) {
  local $Test::Builder::Level = $Test::Builder::Level + 1;
  return subtest $name => sub {
    is($result->{status}, $status, "exits with $status") or diag "$result->{out}$result->{err}";
    like("$result->{out}$result->{err}", $pattern, 'says so');
  };
}

$private->start('redis', 'postgres');
$private->create_database('weir');

subtest 'usage' => sub {
  my $help = dead_letters('list', '--help');
  is($help->{status}, 0, 'list --help succeeds');
  like($help->{out}, qr/$_/, "and names $_") for qw(--postgres --tenant --reason --older-than --newer-than --json --by-reason);
  my $all = PrivatePostgres::run_command({}, "$build/weirctl", 'dead-letters', '--help');
  like($all->{out}, qr/weirctl dead-letters $_ /, "--help has an example of $_") for qw(list show retry drop);
  says(dead_letters('list as postgres'), 1, qr/weirctl migrate/, 'a database without the schema');
  says(dead_letters('list', '--older-than'), 2, qr/older-than/, 'an option without its value');
};

$private->migrate('weir');
database()->do(<<'SETUP');
CREATE FUNCTION public.refuse() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'refused by the test' USING ERRCODE = '22023'; END $$;
CREATE TRIGGER refuse BEFORE INSERT ON weir.events FOR EACH ROW WHEN (NEW.event = 'refused')
  EXECUTE FUNCTION public.refuse();
SETUP

# Makes dead letters as the flusher does: their event ids.
sub make_dead ($tenant, $count) {
  my @ids = map { uuid() } 1 .. $count;
  add($stream, record(events => $tenant, now(), map { event(event_id => $_, event => 'refused', user_id => "\e[2J\x{202E}ada\\ñ", properties => '{"a": 1}') } @ids));
  $private->drain('--stream' => $stream);
  return @ids;
}

sub ids_of ($tenant) { return database()->selectcol_arrayref('SELECT id FROM weir.dead_letters WHERE tenant_id = ? ORDER BY id', undef, $tenant)->@* }

my @acme = make_dead('acme', 3);
my @other = make_dead('other', 1);
my $garbage = "\x01\x01garbage\e[31m" . ("x" x 600);
add($stream, $garbage);
$private->drain('--stream' => $stream);

subtest 'list: a line for each, by filter, as a table, as JSON, by reason' => sub {
  my $all = dead_letters('list');
  is($all->{status}, 0, 'succeeds');
  my ($first) = ids_of('acme');
  like($all->{out}, qr/^$first  \d{4}-\S+ \S+  acme  \d+  22023: refused by the test$/m, 'id, time, tenant, bytes, reason');
  like($all->{out}, qr/^5 dead letters$/m, 'and how many');
  like(dead_letters('list', '--tenant' => 'other')->{out}, qr/^1 dead letter$/m, '--tenant');
  like(dead_letters('list', '--reason' => '22023')->{out}, qr/^4 dead letters$/m, '--reason');
  like(dead_letters('list', '--older-than' => '1 hour')->{out}, qr/^0 dead letters$/m, '--older-than');
  like(dead_letters('list', '--newer-than' => '1 hour')->{out}, qr/^5 dead letters$/m, '--newer-than');
  says(dead_letters('list', '--older-than' => 'long'), 1, qr/invalid input syntax for type interval/, 'an interval that is none');
  my @objects = map { JSON::XS::decode_json($_) } split /\n/, dead_letters('list', '--json', '--tenant' => 'acme')->{out};
  is_deeply([ map { $_->{id} } @objects ], [ ids_of('acme') ], '--json: one object a line');
  is_deeply([ sort keys $objects[0]->%* ], [qw(bytes id reason received_at tenant_id)], 'with these members');
  like(dead_letters('list', '--by-reason')->{out}, qr/\A +4  \S+ \S+  \S+ \S+  22023: refused by the test\n +1  /, '--by-reason: the most frequent first');
  my ($most) = map { JSON::XS::decode_json($_) } split /\n/, dead_letters('list', '--by-reason', '--json')->{out};
  is_deeply([ $most->@{qw(count reason)} ], [ 4, '22023: refused by the test' ], 'and as JSON');
};

subtest 'more letters than a page has are all listed' => sub {
  database()->do(q{INSERT INTO weir.dead_letters (tenant_id, reason, payload) SELECT 'many', 'many', '' FROM generate_series(1, 1100)});
  like(dead_letters('list', '--tenant' => 'many')->{out}, qr/^1100 dead letters$/m, 'as a table');
  is(scalar(() = dead_letters('list', '--tenant' => 'many', '--json')->{out} =~ /\n/g), 1100, 'as JSON');
  says(dead_letters('drop', '--tenant' => 'many', '--yes'), 0, qr/^1100 dropped$/m, 'and dropped');
};

subtest 'show: every column, and nothing that speaks to the terminal' => sub {
  my ($first) = ids_of('acme');
  my $shown = dead_letters('show', $first);
  is($shown->{status}, 0, 'succeeds');
  my $said = $shown->{out};
  utf8::decode($said);
  like($said, qr/^dead letter  $first$/m, 'its number');
  like($said, qr/^reason +22023: refused by the test$/m, 'its reason');
  like($said, qr/^record +version 1, events, 1 row, received \d{4}-\d\d-\d\dT[\d:.]+Z$/m, 'its record');
  like($said, qr/^  event_id +$acme[0]$/m, 'an id');
  like($said, qr/^  user_id +\\x1b\[2J\\xe2\\x80\\xaeada\\\\ñ$/m, 'a text, with what would speak to the terminal escaped');
  like($said, qr/^  properties +\{"a": ?1\}$/m, 'JSON');
  like($said, qr/^  session_id +NULL$/m, 'what is not there');
  like($said, qr/^  client_timestamp +\d{4}-\d\d-\d\dT[\d:.]+Z$/m, 'a time');
  my ($garbled) = ids_of('');
  my $dump = dead_letters('show', $garbled)->{out};
  utf8::decode($dump);
  like($dump, qr/^record +none: /m, 'what is no record');
  like($dump, qr/^  0101676172626167651b5b33316d/m, 'is shown in hexadecimal');
  like($dump, qr/ … and \d+ bytes more$/m, 'as far as is good for a terminal');
  unlike($said . $dump, qr/[\x00-\x09\x0b-\x1f\x7f]/, 'no control character in either');
  says(dead_letters('show', 999_999), 1, qr/no such dead letter/, 'a number that nobody has');
};

subtest 'what changes something wants to be told which' => sub {
  says(dead_letters($_), 2, qr/say which/, $_) for qw(retry drop);
  says(dead_letters('drop', '--all'), 1, qr/nothing was dropped: 5 dead letters would go; say --yes/, 'drop without --yes, and nobody to ask');
  is(value('SELECT count(*) FROM weir.dead_letters'), 5, 'all are there');
};

subtest 'retry that is interrupted loses nothing and doubles nothing' => sub {
  says(dead_letters('retry', '--tenant' => 'acme', '--redis' => 'unix:/nonexistent'), 1, qr/cannot connect to Redis at unix:.nonexistent/, 'without Redis');
  # A letter that is put where no flusher reads is lost.
  says(dead_letters('retry', '--tenant' => 'acme', '--redis' => $redis_address, '--stream' => 'weir:{o}'), 1, qr/^0 put back.*this Redis has no stream weir:\{o\}: name/ms, 'into a stream that is not there');
  is(redis()->exists('weir:{o}'), 0, 'it is not made');
  my $file = "$private->{dir}/password";
  my @as_operator = ('--tenant' => 'acme', '--redis' => $redis_address, '--stream' => 'weir:{o}', '--redis-user' => 'operator', '--redis-password-file' => $file);
  redis()->acl('SETUSER', 'operator', 'on', '>s3cret', '~weir:*', '+auth', '+xadd');
  open my $password, '>', $file or die "$file: $!\n";
  print {$password} "s3cret\n";
  close $password or die "$file: $!\n";
  chmod 0644, $file or die "chmod: $!\n";
  my $said = dead_letters('retry', @as_operator);
  says($said, 1, qr/weirctl: everybody on this machine can read the secret file "\Q$file\E": chmod o-r it\n.*no stream weir:\{o\}/s, 'with a password that everybody can read, but for a warning');
  unlike("$said->{out}$said->{err}", qr/s3cret/, 'which does not show it');
  chmod 0600, $file or die "chmod: $!\n";
  unlike(dead_letters('retry', @as_operator)->{err}, qr/chmod/, 'and without one when only its owner can');
  unlink $file or die "$file: $!\n";
  says(dead_letters('retry', @as_operator), 1, qr/the secret file "\Q$file\E" cannot be read \(No such file or directory\): make one/, 'with a password file that is not there');
  is(scalar ids_of('acme'), 3, 'the letters stay');
  database()->do('DROP TRIGGER refuse ON weir.events');
  # The record is in the stream, and the letter cannot be deleted: as a kill between the two leaves it.
  says(dead_letters('retry as weir_reader', '--tenant' => 'acme'), 1, qr/permission denied.*weir_operator.*say it again/, 'as one who may not delete');
  is(redis()->xlen($stream), 1, 'its record is in the stream');
  is(scalar ids_of('acme'), 3, 'and its letter still there');
  says(dead_letters('retry', '--tenant' => 'acme', '--limit' => 2), 0, qr/^2 put back into \Q$stream\E$/m, 'again, with a limit');
  is(scalar ids_of('acme'), 1, 'two letters are gone');
  says(dead_letters('retry', ids_of('acme')), 0, qr/^1 put back/m, 'the last one by its number');
  $private->drain('--stream' => $stream);
  is_exactly('acme', \@acme);
  is_deeply([ ids_of('acme') ], [], 'no letter is left');
};

subtest 'retry that is killed between Redis and PostgreSQL, said again, stores each event once' => sub {
  database()->do(q{CREATE TRIGGER refuse BEFORE INSERT ON weir.events FOR EACH ROW WHEN (NEW.event = 'refused') EXECUTE FUNCTION public.refuse()});
  my @ids = make_dead('killed', 3);
  database()->do('DROP TRIGGER refuse ON weir.events');
  my $killed = $private->with_fault('before_forgetting.kill', sub {
    local $build = "$build/faults";
    return dead_letters('retry', '--tenant' => 'killed');
  });
  isnt($killed->{status}, 0, 'it dies');
  ok($private->was_at('before_forgetting.kill'), 'just there');
  is(redis()->xlen($stream), 1, 'a record is in the stream');
  is(scalar ids_of('killed'), 3, 'and its letter still there');
  $private->drain('--stream' => $stream);
  is(events_of('killed'), 1, 'the flusher stores it meanwhile');
  says(dead_letters('retry', '--tenant' => 'killed'), 0, qr/^3 put back/m, 'said again');
  $private->drain('--stream' => $stream);
  is_exactly('killed', \@ids);
  is_deeply([ ids_of('killed') ], [], 'no letter is left');
};

subtest 'retry --all leaves what is no record' => sub {
  my $result = dead_letters('retry', '--all');
  says($result, 1, qr/^1 put back into \S+, 1 left: no record that can be read$/m, 'and says so');
  $private->drain('--stream' => $stream);
  is_exactly('other', \@other);
  is_deeply([ dead_of('')->[0]{payload} ], [$garbage], 'it is as it was');
};

subtest 'a record that Redis does not take stays a dead letter' => sub {
  database()->do(q{CREATE TRIGGER refuse BEFORE INSERT ON weir.events FOR EACH ROW WHEN (NEW.event = 'refused') EXECUTE FUNCTION public.refuse()});
  make_dead('full', 2);
  redis()->config_set('maxmemory-policy', 'noeviction');
  redis()->config_set('maxmemory', 1);
  says(dead_letters('retry', '--tenant' => 'full'), 1, qr/^0 put back.*Redis refuses XADD: OOM .*the rest is untouched/ms, 'a full Redis');
  redis()->config_set('maxmemory', 0);
  is(scalar ids_of('full'), 2, 'both are there');
  says(dead_letters('retry', '--tenant' => 'full'), 0, qr/^2 put back/m, 'later it takes them');
  $private->drain('--stream' => $stream);
  is(scalar ids_of('full'), 2, 'what is refused again is a dead letter again, once');
};

subtest 'drop' => sub {
  says(dead_letters('drop', '--tenant' => 'full', '--yes'), 0, qr/^2 dropped$/m, 'by filter');
  says(dead_letters('drop', '--tenant' => 'full', '--yes'), 0, qr/^0 dropped$/m, 'none is left');
  says(dead_letters('drop as weir_reader', '--all', '--yes'), 1, qr/permission denied.*weir_operator/, 'not as weir_reader');
  says(dead_letters('drop', '--all', '--yes'), 0, qr/^1 dropped$/m, 'all');
  is(value('SELECT count(*) FROM weir.dead_letters'), 0, 'nothing is left');
};

no_alarm();
done_testing;
