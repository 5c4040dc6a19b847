# What weir-flusher does with a batch that PostgreSQL refuses: which refusal is a row's fault, and which
# is the server's trouble. A trigger that stands in PostgreSQL's place refuses rows by their event.
use v5.36;
use utf8;
use FindBin;
use lib "$FindBin::Bin/lib";

use Test::More;

use Weir::FlusherTest;
use Weir::Record;

my $private = private();
$private->start('redis', 'postgres');
$private->create_database('weir');
$private->migrate('weir');
database()->do(<<'SETUP');
CREATE SEQUENCE public.refusals;
GRANT USAGE ON SEQUENCE public.refusals TO weir_flusher;
CREATE TABLE public.refused (event text PRIMARY KEY, sqlstate text NOT NULL, times integer NOT NULL);
GRANT SELECT ON public.refused TO weir_flusher;
-- What a sequence counts stays counted when its transaction is undone.
CREATE FUNCTION public.refuse() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  rule public.refused;
BEGIN
  SELECT * INTO rule FROM public.refused WHERE refused.event = NEW.event;
  IF FOUND AND nextval('public.refusals') <= rule.times THEN
    RAISE EXCEPTION 'refused' USING ERRCODE = rule.sqlstate;
  END IF;
  RETURN NEW;
END
$$;
CREATE TRIGGER refuse BEFORE INSERT ON weir.events FOR EACH ROW EXECUTE FUNCTION public.refuse();
SETUP

# From now on, rows of `event` fail with `sqlstate`, the first `times` of them.
sub refuse ($event, $sqlstate, $times = 1_000_000) {
  database()->do('TRUNCATE public.refused');
  database()->do('ALTER SEQUENCE public.refusals RESTART');
  database()->do('INSERT INTO public.refused VALUES (?, ?, ?)', undef, $event, $sqlstate, $times);
  return;
}

# One record with an event for each name.
sub add_events ($stream, $tenant, @names) {
  add($stream, record(events => $tenant, now(), map { event(event => $_) } @names));
  return;
}

sub names_of ($tenant) {
  return join ' ', database()->selectcol_arrayref('SELECT event FROM weir.events WHERE tenant_id = ? ORDER BY event', undef, $tenant)->@*;
}

sub reasons_of ($tenant) { return [ map { $_->{reason} } dead_of($tenant)->@* ] }

subtest 'an internal error of one row that fails twice, while others pass, is the row\'s fault' => sub {
  my ($stream, $tenant) = fresh('odd-row');
  refuse('odd', 'XX000');
  add_events($stream, $tenant, qw(a b odd c d));
  $private->drain('--stream' => $stream);
  is(names_of($tenant), 'a b c d', 'the others are stored');
  is_deeply(reasons_of($tenant), ['XX000: refused'], 'the one is a dead letter, and says why');
  is(rolled_up($tenant), 4, 'and not counted');
};

subtest 'an internal error that passes is forgotten' => sub {
  my ($stream, $tenant) = fresh('odd-once');
  refuse('odd', 'XX000', 4);    # the batch, the batch again, its half, the row alone
  add_events($stream, $tenant, qw(odd a b c));
  $private->drain('--stream' => $stream);
  is(names_of($tenant), 'a b c odd', 'all are stored');
  is_deeply(reasons_of($tenant), [], 'nothing is a dead letter');
  is(rolled_up($tenant), 4, 'each is counted once');
};

subtest 'internal errors of many rows, or of all, are the server\'s trouble' => sub {
  my ($stream, $tenant) = fresh('odd-server');
  refuse('odd', 'XX000');
  add_events($stream, $tenant, qw(odd odd odd a b));
  my $flusher = $private->flusher('--stream' => $stream, '--log-level' => 'debug');
  has_said($flusher, qr/cannot go on without this server.*server=PostgreSQL error="refused \(XX000\)/);
  has_said($flusher, qr/(?:still away.*){2}/s);
  is(names_of($tenant), '', 'nothing is stored in halves');
  is_deeply(reasons_of($tenant), [], 'nothing is thrown away');
  database()->do('TRUNCATE public.refused');
  is_drained($stream, $tenant, 5);
  is(names_of($tenant), 'a b odd odd odd', 'when it is over, all are stored');
  is($private->end($flusher, 'TERM'), 0, 'leaves in order');
};

subtest 'a row that fails so alone in the stream waits for company' => sub {
  my ($stream, $tenant) = fresh('odd-alone');
  refuse('odd', 'XX000');
  add_events($stream, $tenant, 'odd');
  my $flusher = $private->flusher('--stream' => $stream);
  has_said($flusher, qr/server=PostgreSQL error="refused \(XX000\)/);
  is_deeply(reasons_of($tenant), [], 'one row says nothing about the server');
  add_events($stream, $tenant, qw(a b));
  is_drained($stream, $tenant, 2);
  is_deeply(reasons_of($tenant), ['XX000: refused'], 'others that pass do');
  is($private->end($flusher, 'TERM'), 0, 'leaves in order');
};

subtest 'a partition that is made while a batch is taken apart costs no row' => sub {
  my ($stream, $tenant) = fresh('partition');
  refuse('late', '23514', 4);    # the batch twice, then the batch and its half behind savepoints
  add($stream, record(events => $tenant, now(), map { event(%$_) } { event => 'late' }, { event => 'bad', properties => '{"n": 1e999999}' }));
  $private->drain('--stream' => $stream);
  is(names_of($tenant), 'late', 'it is stored');
  is_deeply([ map { substr $_, 0, 2 } reasons_of($tenant)->@* ], ['22'], 'what no partition helps is a dead letter');
};

no_alarm();
done_testing;
