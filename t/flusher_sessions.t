# The flusher has three sessions of PostgreSQL: for storing, for leases, for roll-ups. They stay with one server, each is left when
# nobody answers in it, and a statement that takes long is told from a server that hangs.
use v5.36;
use FindBin;
use lib "$FindBin::Bin/lib";

use Test::More;
use Time::HiRes qw(time);

use Weir::FlusherTest;
use Weir::Record;

my $private = private();
$private->start('redis', 'postgres');
$private->create_database('weir');
$private->migrate('weir');

# Once all days that are marked are built.
sub is_built ($database = database()) {
  return wait_until('built', 120, sub { ($database->selectrow_array('SELECT count(*) FROM weir.touched_days'))[0] == 0 });
}

subtest 'a primary that becomes read-only is left for the new one by all of them' => sub {
  my $other = Weir::Private->new;
  $other->start('postgres');
  $other->create_database('weir');
  $other->migrate('weir');
  my $there = $other->connect('weir');
  my ($stream, $tenant) = fresh('fenced');
  my $flusher = $private->flusher('--stream' => $stream, '--linger-ms' => 0,
    '--postgres' => "host=$private->{dir}/postgres,$other->{dir}/postgres dbname=weir user=weir_flusher target_session_attrs=read-write");
  add_event($stream, $tenant);
  is_drained($stream, $tenant, 1);
  is_built();
  database()->do('ALTER SYSTEM SET default_transaction_read_only = on');
  database()->do('SELECT pg_reload_conf()');
  wait_until('read-only', 60, sub { $private->connect('weir')->selectrow_array('SHOW default_transaction_read_only') eq 'on' });
  add_event($stream, $tenant);
  wait_until('stored in the new primary', 60, sub { ($there->selectrow_array('SELECT count(*) FROM weir.events'))[0] == 1 });
  is_built($there);
  is(redis()->xlen($stream), 0, 'and the stream is empty');
  unlike($private->said_by($flusher), qr/standing by/, 'it never took itself for another flusher');
  is($private->end($flusher, 'TERM'), 0, 'leaves in order');
  my $here = $private->connect('weir');
  $here->do($_) for 'SET default_transaction_read_only = off', 'ALTER SYSTEM RESET default_transaction_read_only', 'SELECT pg_reload_conf()';
  wait_until('writable', 60, sub { $private->connect('weir')->selectrow_array('SHOW default_transaction_read_only') eq 'off' });
};

subtest 'where nobody answers in any of them, all are left, that of roll-ups in the midst of a statement, too' => sub {
  my ($stream, $tenant) = fresh('deaf');
  my $flusher = $private->flusher('--stream' => $stream, '--linger-ms' => 0);
  add_event($stream, $tenant);
  is_drained($stream, $tenant, 1);
  is_built();
  my @deaf = database()->selectcol_arrayref(q{SELECT pid FROM pg_stat_activity WHERE application_name LIKE 'weir-flusher%'})->@*;
  is(scalar @deaf, 3, 'three sessions');
  kill STOP => @deaf;
  add_event($stream, $tenant);
  is_drained($stream, $tenant, 2);
  is_built();
  kill CONT => @deaf;
  unlike($private->said_by($flusher), qr/cannot build roll-ups/, 'and nobody is alarmed for the roll-ups');
  is($private->end($flusher, 'TERM'), 0, 'leaves in order');
};

subtest 'with a lease of any length, a statement may take longer than a server may be silent' => sub {
  my ($stream, $tenant) = fresh('slow');
  database()->do(q{CREATE FUNCTION public.slow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(12); RETURN NULL; END'});
  database()->do('CREATE TRIGGER slow BEFORE INSERT ON weir.events FOR EACH STATEMENT EXECUTE FUNCTION public.slow()');
  add_event($stream, $tenant);
  my $flusher = $private->flusher('--stream' => $stream, '--lease-seconds' => 300);
  is_drained($stream, $tenant, 1);
  unlike($private->said_by($flusher), qr/does not answer/, 'and is not given up');
  database()->do('DROP TRIGGER slow ON weir.events');
  is($private->end($flusher, 'TERM'), 0, 'leaves in order');
};

no_alarm();
done_testing;
