# What the files about weir-api share: one PostgreSQL of their own with a few days of two tenants, servers over
# it, and requests to their sockets.
#
#   use Weir::ApiTest;
#   database_ready();
#   my $api = api('--sessions' => 1);                  # runs in the background; {pid, socket}
#   my $answer = ask($api, '/v1/daily?tenant=acme');   # as the viewer ada; ask($api, $path, viewer => 'bob')
#   end_api($api);                                     # its exit status
#
# Viewers: ada sees acme, bob sees globex, both sees both, root sees all, and nobody is not known.
package Weir::ApiTest;
use v5.36;

use Exporter 'import';
use File::Spec;
use Test::More;

use Weir::Private;
use Weir::ApiClient;

our @EXPORT = qw(private database database_ready api end_api ask client problem_is metric api_log wait_until slow_door activity api_command);

my ($private, $database);
my $count = 0;
my $build = File::Spec->rel2abs($ENV{BUILD} // 'build');

sub private () { return $private //= Weir::Private->new }
sub wait_until { goto &Weir::Private::wait_until }

sub database () {
  $database = undef if $database && !$database->ping;
  return $database //= private()->connect('weir');
}

sub database_ready () {
  private()->start('postgres');
  private()->create_database('weir');
  private()->migrate('weir');
  database()->do(<<'ROWS');
INSERT INTO weir.user_days (tenant_id, user_id, day, events, first_at, last_at)
SELECT tenant, 'u' || i, date '2026-11-01' + i % 10, 1, timestamptz '2026-11-01', timestamptz '2026-11-01'
FROM (VALUES ('acme', 50), ('globex', 20)) AS t (tenant, users), generate_series(1, users) AS i;
INSERT INTO weir.users (tenant_id, user_id, first_day)
SELECT tenant_id, user_id, min(day) FROM weir.user_days GROUP BY tenant_id, user_id;
INSERT INTO weir.viewers (viewer, tenant_id)
VALUES ('ada', 'acme'), ('bob', 'globex'), ('both', 'acme'), ('both', 'globex'), ('root', '*'), ('head', '*'), ('head', 'acme');
ROWS
  return;
}

# Lets the doors of /v1/daily take as long as tenant `N s` asks for, and return as many rows or bytes as
# tenant `N rows` or `N bytes` asks for.
sub slow_door () {
  database()->do(<<'DOORS');
CREATE FUNCTION public.dawdle(tenant text) RETURNS text LANGUAGE plpgsql STABLE AS $$
BEGIN
  IF tenant ~ '^[0-9]+ s' THEN PERFORM pg_sleep(split_part(tenant, ' ', 1)::int); END IF;
  -- As PostgreSQL says it of one that was dropped between the call's parse and its run.
  IF tenant = 'dropped' THEN RAISE EXCEPTION USING ERRCODE = 'XX000', MESSAGE = 'cache lookup failed for function 16384'; END IF;
  RETURN tenant;
END $$;
CREATE OR REPLACE FUNCTION weir_api.daily(viewer text, tenant text, first_day date, last_day date) RETURNS json
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, weir, pg_temp AS $$
  SELECT json_build_object('tenant', public.dawdle(weir.viewed_tenant(viewer, daily.tenant)), 'from', first_day,
    'filling', repeat('x', substring(daily.tenant FROM '^([0-9]+) bytes')::int))
$$;
CREATE OR REPLACE FUNCTION weir_api.daily_rows(viewer text, tenant text, first_day date, last_day date)
RETURNS TABLE (date date, total_users bigint, active_users bigint, new_users bigint, total_recordings bigint,
  total_minutes numeric, total_cost_usd numeric, crash_count bigint, crash_rate numeric)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, weir, pg_temp AS $$
BEGIN
  PERFORM public.dawdle(weir.viewed_tenant(viewer, daily_rows.tenant));
  RETURN QUERY SELECT date '2026-11-01', i::bigint, 2::bigint, 3::bigint, 4::bigint, 5.0, 6.0, 7::bigint, 8.0
  FROM generate_series(1, substring(daily_rows.tenant FROM '^([0-9]+) rows')::int) AS i;
  IF daily_rows.tenant ~ 'then fail' THEN RAISE EXCEPTION 'failed by the test'; END IF;
END $$;
DOORS
  return;
}

sub api_command (@options) { return ("$build/weir-api", @options) }

sub api (@options) {
  my $name = 'api-' . ++$count;
  my %said = @options;
  my $socket = $said{'--socket'} // "$private->{dir}/$name.sock";
  # Other tests fill the machine: what figures are held to then, a test asks for that is about it.
  my @places = ('--busy-share' => 6400, '--socket' => $socket, '--postgres' => private()->conninfo('weir', 'weir_api'));
  my $pid = private()->spawn($name, api_command(@places, @options));
  private()->{flushers}{$pid} = $name;
  my $api = { pid => $pid, socket => $socket, log => $name };
  wait_until('weir-api listens', 60, sub { eval { client($api)->open_socket; 1 } });
  return $api;
}

sub api_log ($api) { return private()->log_of($api->{log}) }

sub end_api ($api, $signal = 'TERM') { return private()->end($api->{pid}, $signal) }

sub client ($api, %options) { return Weir::ApiClient->new(socket_path => $api->{socket}, %options) }

# One request over a connection of its own.
sub ask ($api, $path, %options) {
  my %headers = ('X-Weir-Viewer' => $options{viewer} // 'ada', ($options{headers} // {})->%*);
  return client($api)->request($options{method} // 'GET', $path, undef, %headers);
}

sub problem_is ($answer, $status, $reason, $name, %more) {
  local $Test::Builder::Level = $Test::Builder::Level + 1;
  return subtest $name => sub {
    is $answer->{status}, $status, "status $status" or diag $answer->{body};
    is $answer->{headers}{'content-type'}, 'application/problem+json', 'a problem';
    my $problem = $answer->{json} // {};
    is $problem->{reason}, $reason, "reason $reason";
    is $problem->{status}, $status, 'the body says the status, too';
    is $problem->{type}, 'about:blank', 'type';
    like $problem->{detail}, qr/\A\S+ .+[\w`=]\z/, 'a sentence';
    is $problem->{parameter}, $more{parameter}, 'the parameter' if exists $more{parameter};
    like $answer->{headers}{'retry-after'} // '', qr/\A\d+\z/, 'Retry-After' if $status == 503;
  };
}

sub metric ($api, $name) {
  my ($value) = ask($api, '/metrics')->{body} =~ /^\Q$name\E ([\d.]+)$/m;
  return $value;
}

# How many sessions of weir_api do something.
sub activity () {
  return database()->selectrow_array(
    q{SELECT count(*) FROM pg_stat_activity WHERE usename = 'weir_api' AND state = 'active'});
}

1;
