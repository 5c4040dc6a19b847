# Databases for the figures of sql/analytics, and what their answers are held against.
#
#   my $figures = WeirTest::Figures->new(qw(whole server_1 server_2));     # migrated, on a PostgreSQL of their own
#   $figures->store('whole', @rows);                                       # events and crashes: those have no `event`
#   $figures->refresh('whole');                                            # the roll-ups of what was stored
#   $figures->agrees('users', $figures->answer('users', 'acme', '2026-03-20', '2026-04-16', 'UTC'), { active => 3 });
#
# Rows are hashes of the columns, with `at` in seconds since 1970.
package WeirTest::Figures;
use v5.36;

use FindBin;
use JSON::XS ();
use PrivatePostgres;
use Test::More;

my $root    = "$FindBin::Bin/..";
my $build   = $ENV{BUILD} // 'build';
my $weirctl = ($build =~ m{^/} ? '' : "$root/") . "$build/weirctl";

sub new ($class, @databases) {
  -x $weirctl or BAIL_OUT("there is no $weirctl: run make");
  my $postgres = PrivatePostgres->start;
  my $self = bless { postgres => $postgres, db => { map { $_ => $postgres->database($_) } @databases } }, $class;
  for my $database (@databases) {
    my $made = $self->weirctl($database, 'migrate');
    is $made->{status}, 0, "a database: $database" or diag $made->{err};
  }
  return $self;
}

sub db ($self, $database) { return $self->{db}{$database} }

sub weirctl ($self, $database, @arguments) {
  return PrivatePostgres::run_command({ $self->{postgres}->env($database) }, $weirctl, @arguments);
}

sub refresh ($self, $database) {
  my $made = $self->weirctl($database, 'rollup', 'refresh');
  is $made->{status}, 0, "$database: the roll-ups are built" or diag $made->{err};
  return;
}

# In one transaction, and with the mark that the flusher would leave.
sub store ($self, $database, @rows) {
  my $db = $self->{db}{$database};
  $db->begin_work;
  for my $row (@rows) {
    exists $row->{event} ? store_event($db, $row) : store_crash($db, $row);
    $db->do(q{INSERT INTO weir.touched_days (tenant_id, day) SELECT ?, (to_timestamp(?) AT TIME ZONE 'UTC')::date}, undef, $row->@{qw(tenant at)});
  }
  $db->commit;
  return;
}

sub store_event ($db, $row) {
  return $db->do(
    'INSERT INTO weir.events (event_id, tenant_id, user_id, session_id, event, app_version, platform, country, properties,'
      . ' "timestamp", client_timestamp) SELECT ?, ?, ?, ?, ?, ?, ?, ?, ?::jsonb, to_timestamp(?), to_timestamp(?) ON CONFLICT DO NOTHING',
    undef, $row->@{qw(id tenant user session event version platform country)},
    defined $row->{properties} ? JSON::XS::encode_json($row->{properties}) : undef, $row->{at}, $row->{at});
}

sub store_crash ($db, $row) {
  return $db->do(
    'INSERT INTO weir.crashes (crash_id, tenant_id, user_id, app_version, os_version, crash_type, error_message, fingerprint, "timestamp",'
      . ' client_timestamp) SELECT ?, ?, ?, ?, ?, ?, ?, ?, to_timestamp(?), to_timestamp(?) ON CONFLICT DO NOTHING',
    undef, $row->@{qw(id tenant user version os type message fingerprint at at)});
}

# An argument that is a hash holds some that go by their names: lists and hashes among these as JSON, and a text that is JSON
# already as a reference to it.
sub arguments (@arguments) {
  my (@places, @values);
  for my $argument (@arguments) {
    my $named = ref $argument eq 'HASH' ? $argument : undef;
    push @places, $named ? map({ "$_ => ?" } sort keys %$named) : '?';
    push @values, $named ? map({ as_json($named->{$_}) } sort keys %$named) : $argument;
  }
  return (join(', ', @places), @values);
}

sub as_json ($value) {
  return $value unless ref $value;
  return ref $value eq 'SCALAR' ? $$value : JSON::XS::encode_json($value);
}

sub answer ($self, $what, @arguments) {
  my ($places, @values) = arguments(@arguments);
  return JSON::XS::decode_json($self->{db}{whole}->selectrow_array("SELECT weir.${what}_answer($places)", undef, @values));
}

# Of a server; each as the text that weir.part[] is made of.
sub parts ($self, $server, $function, @arguments) {
  my ($places, @values) = arguments(@arguments);
  return $self->{db}{$server}->selectcol_arrayref("SELECT p::text FROM weir.$function($places) AS p", undef, @values)->@*;
}

sub merged ($self, $what, $parts, @arguments) {
  my ($places, @values) = arguments(@arguments);
  return JSON::XS::decode_json($self->{db}{whole}->selectrow_array("SELECT weir.${what}_merge(" . join(', ', '?', $places || ()) . ')', undef, $parts, @values));
}

# Of the whole, what is no JSON: hashes of the columns.
sub rows ($self, $query, @arguments) { return $self->{db}{whole}->selectall_arrayref($query, { Slice => {} }, @arguments) }

# What a path has that is wanted otherwise; what is not wanted is not looked at. Numbers are equal to six places, and one
# that is wanted as { about => NUMBER } to one in a hundred.
sub differences ($path, $found, $wanted) {
  if (ref $wanted eq 'HASH' && exists $wanted->{about}) {
    return defined $found && abs($found - $wanted->{about}) <= 0.0101 * abs $wanted->{about} ? () : "$path: " . ($found // 'null') . " is not about $wanted->{about}";
  }
  if (ref $wanted eq 'HASH') {
    return map { differences("$path.$_", ref $found eq 'HASH' ? $found->{$_} : undef, $wanted->{$_}) } grep { $_ ne 'whole' } sort keys %$wanted;
  }
  if (ref $wanted eq 'ARRAY') {
    my @found = ref $found eq 'ARRAY' ? @$found : ();
    return ("$path: " . @found . ' instead of ' . @$wanted) x (@found != @$wanted), map { differences("$path.$_", $found[$_], $wanted->[$_]) } 0 .. $#$wanted;
  }
  return () if !defined $found && !defined $wanted;
  return "$path: " . ($found // 'null') . ' instead of ' . ($wanted // 'null') if !defined $found || !defined $wanted;
  return () if $found eq $wanted;
  my $numbers = grep { /\A-?[\d.]+(?:e-?\d+)?\z/ } $found, $wanted;
  return $numbers == 2 && abs($found - $wanted) <= 1e-6 + 1e-9 * abs $wanted ? () : "$path: $found instead of $wanted";
}

sub agrees ($self, $name, $found, $wanted) {
  my @differences = differences('', $found, $wanted);
  is scalar @differences, 0, $name or diag join "\n", @differences[ 0 .. ($#differences > 9 ? 9 : $#differences) ];
  return;
}

1;
