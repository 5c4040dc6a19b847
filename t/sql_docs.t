# docs/sql.md word for word: the login that it makes, its questions over a demo's events, and that the columns which
# it lists are those that there are.
use v5.36;
use FindBin;
use lib "$FindBin::Bin/lib";

use List::Util qw(sum0);
use PrivatePostgres;
use WeirTest;

my $root    = WeirTest::Server->root;
my $build   = $ENV{BUILD} // 'build';
my $weirctl = ($build =~ m{^/} ? '' : "$root/") . "$build/weirctl";
-x $weirctl or BAIL_OUT("there is no $weirctl: run make");

my $page = WeirTest::Server::read_file("$root/docs/sql.md");
my ($views)     = $page =~ /^## The views\n(.*?)^## /ms;
my ($questions) = $page =~ /^## Ten questions\n(.*?)^## /ms;
my ($taken)     = $page =~ /^### What PostgreSQL lets everybody do\n.*?^```sql\n(.*?)^```/ms;
my ($login)     = $page =~ /^## A login\n.*?^```sql\n(.*?)^```/ms;

my $weir = start();

sub weirctl (@arguments) {
  my %env = map { $_ => $weir->setting($_) } qw(PGHOST PGPORT PGDATABASE);
  return PrivatePostgres::run_command({ %env, PGUSER => 'postgres' }, $weirctl, @arguments);
}

# An event on a day on which there is no other, as a new day begins with a service that has no users.
sub store_of_no_user ($days_from_now) {
  return db('postgres')->do(<<~'SQL', undef, $days_from_now);
    INSERT INTO weir.events (event_id, tenant_id, event, app_version, properties, "timestamp", client_timestamp)
    SELECT gen_random_uuid(), 'default', 'recording_completed', '1.0.0', '{"estimated_cost_usd": 0.5}', t.at, t.at
    FROM (SELECT date_trunc('day', now(), 'UTC') + ? * interval '1 day' AS at) AS t
    SQL
}

subtest 'a demo, and its figures' => sub {
  my $demo = weirctl(qw(demo --users 300 --days 35 --url), "http://127.0.0.1:$weir->{port}");
  is $demo->{status}, 0, 'events' or diag $demo->{err};
  stored();
  ok store_of_no_user($_), "and one of no user on a day of its own, in $_ days" for -100, 1;
  my $rebuild = weirctl(qw(rollup rebuild));
  is $rebuild->{status}, 0, 'roll-ups' or diag $rebuild->{err};
};

subtest 'the login is made as the page says, and sees nothing before it was given a tenant' => sub {
  my ($grant) = $login =~ /^(INSERT INTO weir\.viewers .*;)$/m;
  my $make = $login =~ s/\Q$grant\E//r;
  ok db('postgres')->do($make), 'the role';
  is db('metabase')->selectrow_array('SELECT count(*) FROM weir_bi.daily'), 0, 'it sees nothing';
  ok db('postgres')->do($grant), 'a tenant';
  cmp_ok db('metabase')->selectrow_array('SELECT count(*) FROM daily'), '>', 30, 'it sees its days, by the short name';
  is db('metabase')->selectrow_array('SHOW statement_timeout'), '30s', 'for so long at most';
  is eval { db('metabase')->do('CREATE TEMPORARY TABLE mine ()') }, undef, 'and reads only';
  is db('postgres')->selectrow_array(q{SELECT rolconnlimit FROM pg_roles WHERE rolname = 'metabase'}), 5, 'over five connections at most';
};

subtest 'weirctl viewers does what the page says it does' => sub {
  my $add = weirctl(qw(viewers add metabase default));
  is $add->{status}, 0, 'it is there already' or diag $add->{err};
  like weirctl(qw(viewers list metabase))->{out}, qr/^metabase\tdefault$/m, 'as the same line';
};

subtest 'the ten questions have answers' => sub {
  my @asked = $questions =~ /^([A-Z][^\n]*\?)[^\n]*\n\n```sql\n(.*?)^```/msg;
  is scalar @asked, 20, 'there are ten';
  while (my ($question, $sql) = splice @asked, 0, 2) {
    my $answer = eval { db('metabase')->selectall_arrayref($sql) };
    is $@, '', $question;
    cmp_ok scalar(($answer // [])->@*), '>', 0, 'lines came';
  }
};

# Grafana puts the dashboard's time range into the place of its macro.
subtest 'what Grafana is given runs once its macros are filled in' => sub {
  my @asked = $page =~ /^```grafana\n(.*?)^```/msg;
  is scalar @asked, 4, 'there are four';
  for my $sql (@asked) {
    $sql =~ s/\$__timeFilter\((\w+)\)/$1 BETWEEN '2020-01-01T00:00:00Z' AND '2100-01-01T00:00:00Z'/g;
    my $answer = eval { db('metabase')->selectall_arrayref($sql) };
    is $@, '', (split /\n/, $sql)[0];
    cmp_ok scalar(($answer // [])->@*), '>', 0, 'lines came';
  }
};

subtest 'the columns on the page are those of the views' => sub {
  my %found;
  push $found{ $_->[0] }->@*, $_->[1] for db('postgres')->selectall_arrayref(
    q{SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'weir_bi' AND column_name <> 'tenant'
      ORDER BY table_name, ordinal_position})->@*;
  my %listed;
  for my $row ($views =~ /^\| (`.*) \|$/mg) {
    my ($names, undef, $columns) = split / \| /, $row;
    my ($first) = $columns =~ /`([^`]+)`/;
    my @names = $names =~ /`(\w+)`/g;
    $listed{$_} = $first for @names;
    next if @names == 1;
    $listed{ $names[0] } = 'day, version, events, users';
    $listed{ $names[$_] } = 'day, ' . ('', 'platform', 'country')[$_] . ', events, users' for 1 .. $#names;
  }
  is_deeply \%listed, { map { $_ => join ', ', $found{$_}->@* } keys %found }, 'the table and the database agree';
};

subtest 'the figures are those of the rows' => sub {
  my $asked = sub ($sql) { return db('metabase')->selectall_arrayref($sql) };
  my $said = $asked->('SELECT day, events, active_users FROM daily WHERE events > 0 ORDER BY day');
  is_deeply $said, [ map { [ $_->@{qw(day events users)} ] } rows(
    q{SELECT ("timestamp" AT TIME ZONE 'UTC')::date AS day, count(*) AS events, count(DISTINCT user_id) AS users FROM events GROUP BY 1 ORDER BY 1}) ],
    'daily';
  is $asked->('SELECT max(total_users) FROM daily')->[0][0], value('SELECT count(DISTINCT user_id) FROM events'), 'users in all';
  is sum0(map { $_->[0] } $asked->('SELECT events FROM events_by_hour')->@*), value('SELECT count(*) FROM events'), 'hours add up to all events';
  is $asked->('SELECT sum(crashes) FROM daily')->[0][0], value('SELECT count(*) FROM crashes'), 'crashes';
  is $asked->('SELECT sum(new_users) FROM cohorts_by_week WHERE weeks_later = 0')->[0][0], value('SELECT count(DISTINCT user_id) FROM events'), 'cohorts';
};

# Of no use to who reads, and so taken away; from Weir itself nothing.
subtest 'what PostgreSQL lets everybody do is taken away as the page says, and Weir goes on' => sub {
  my @asked = ('SELECT lo_from_bytea(0, $$x$$)', 'SELECT lo_create(0)', 'SELECT lo_creat(-1)', 'CREATE TEMPORARY TABLE mine ()',
    map { ("SELECT pg_${_}lock(5)", "SELECT pg_${_}lock_shared(5, 6)") } qw(advisory_ advisory_xact_ try_advisory_ try_advisory_xact_));
  my $db = db('metabase');
  $db->do('SET default_transaction_read_only = off');
  my $may = sub ($sql) {
    $db->begin_work;
    my $done = eval { $db->do($sql) };
    $db->rollback;
    $db->do('SELECT pg_advisory_unlock_all()');
    return $done;
  };
  is_deeply [ grep { !$may->($_) } @asked ], [], 'each is everybody\'s';
  db('postgres')->do($taken);
  is_deeply [ grep { $may->($_) } @asked ], [], 'none is any more';
  db('postgres')->do('CREATE ROLE mender LOGIN IN ROLE weir_owner');
  my $demo = weirctl(qw(demo --users 5 --days 2 --url), "http://127.0.0.1:$weir->{port}");
  is $demo->{status}, 0, 'events are stored' or diag $demo->{err};
  for my $verb (qw(refresh rebuild verify)) {
    my $done = weirctl('rollup', $verb, '--postgres', sprintf('host=%s port=%s dbname=%s user=mender', map { $weir->setting($_) } qw(PGHOST PGPORT PGDATABASE)));
    is $done->{status}, 0, "rollup $verb, by a member of weir_owner" or diag $done->{out}, $done->{err};
  }
};

done_testing;
