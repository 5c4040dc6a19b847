# weirctl migrate, against a PostgreSQL of its own.
use v5.36;

use FindBin;
use lib "$FindBin::Bin/lib";

use Digest::SHA qw(sha256_hex);
use File::Basename qw(basename);
use File::Copy qw(copy);
use File::Temp qw(tempdir);
use IO::Socket::UNIX;
use PrivatePostgres;
use Test::More;

my $root    = "$FindBin::Bin/..";
my $build   = $ENV{BUILD} // 'build';
my $weirctl = ($build =~ m{^/} ? '' : "$root/") . "$build/weirctl";
-x $weirctl or BAIL_OUT("there is no $weirctl: run make");

my @migrations = sort map { basename($_) } glob "$root/sql/migrations/*.sql";
my $last       = @migrations;
my $postgres   = PrivatePostgres->start;

sub weirctl ($database, @arguments) {
  return PrivatePostgres::run_command({ $postgres->env($database) }, $weirctl, @arguments);
}

sub migrate ($database, @arguments) {
  unshift @arguments, '--sql', "$root/sql/migrations" unless grep { /^--(?:sql|help)$/ } @arguments;
  return weirctl($database, 'migrate', @arguments);
}

# One sentence on standard error, and status 1.
sub refused ($result, $pattern, $name) {
  local $Test::Builder::Level = $Test::Builder::Level + 1;
  return subtest $name => sub {
    is $result->{status}, 1, 'exits with 1';
    like $result->{err}, $pattern, 'says why';
    like $result->{err}, qr/\Aweirctl: [^\n]+\n\z/, 'in one line';
  };
}

# A copy of the migrations, with more files beside them.
sub migrations_with (%files) {
  my $folder = tempdir('weir-sql-XXXXXX', TMPDIR => 1, CLEANUP => 1);
  copy("$root/sql/migrations/$_", $folder) or die "copy: $!\n" for @migrations;
  write_file("$folder/$_", $files{$_}) for keys %files;
  return $folder;
}

sub write_file ($path, $text) {
  open my $file, '>', $path or die "$path: $!\n";
  print {$file} $text;
  close $file or die "$path: $!\n";
  return;
}

sub next_name ($subject) { return sprintf '%04d_%s.sql', $last + 1, $subject }

sub value ($db, $sql) { return scalar $db->selectrow_array($sql) }

subtest 'usage' => sub {
  my $help = weirctl(postgres => '--help');
  is $help->{status}, 0, '--help succeeds';
  like $help->{out}, qr/migrate/, 'and lists the subcommands';
  $help = migrate(postgres => '--help');
  like $help->{out}, qr/$_/, "migrate --help names $_" for qw(--postgres --sql --check);
  my $version = weirctl(postgres => '--version');
  is $version->{status}, 0, '--version succeeds';
  my ($newest) = PrivatePostgres::slurp("$root/CHANGELOG.md") =~ /^## (\d+\.\d+\.\d+)/m;
  like $version->{out}, qr/\Aweirctl \Q$newest\E, for version \d+ of the schema\n\z/, 'and says the newest of the changelog';
  is weirctl('postgres')->{status}, 2, 'no subcommand: 2';
  my $misnamed = weirctl(postgres => 'dead-leters', 'list');
  is $misnamed->{status}, 2, 'an unknown subcommand: 2';
  like $misnamed->{err}, qr/no subcommand dead-leters/, 'and its name';
  my $unknown = migrate(postgres => '--nonsense');
  is $unknown->{status}, 2, 'an unknown option: 2';
  like $unknown->{err}, qr/nonsense/, 'and its name';
};

subtest 'without a server' => sub {
  refused(PrivatePostgres::run_command({ PGHOST => '/nonexistent' }, $weirctl, 'migrate', '--sql', "$root/sql"),
    qr/cannot connect to PostgreSQL: .*nonexistent/, 'the environment says where');
  refused(migrate(postgres => '--postgres', 'host=/elsewhere'), qr/cannot connect.*elsewhere/, '--postgres overrides it');
  refused(migrate(postgres => '--postgres', 'hoost=x dbname=y'), qr/cannot connect.*hoost/, 'an option that is none');
  refused(migrate('nowhere'), qr/cannot connect.*database "nowhere" does not exist/, 'no such database');
};

# Speaks just enough of the protocol to be PostgreSQL 14.
subtest 'an old server' => sub {
  my $folder = tempdir('weir-old-XXXXXX', TMPDIR => 1, CLEANUP => 1);
  my $server = IO::Socket::UNIX->new(Local => "$folder/.s.PGSQL.5432", Listen => 1) or die "socket: $!\n";
  my $pid = fork // die "fork: $!\n";
  if (!$pid) {
    my $client = $server->accept;
    sysread $client, my $startup, 4096;
    my $version = "server_version\0" . "14.9\0";
    syswrite $client, pack('A1 N N', 'R', 8, 0) . pack('A1 N a*', 'S', 4 + length $version, $version) . pack('A1 N A1', 'Z', 5, 'I');
    my $query;
    while (sysread($client, $query, 4096) && $query =~ /\AQ/) {
      syswrite $client, pack('A1 N a*', 'C', 8, "SET\0") . pack('A1 N A1', 'Z', 5, 'I');
    }
    POSIX::_exit(0);
  }
  refused(migrate(postgres => '--postgres', "host=$folder sslmode=disable"), qr/version 14: Weir needs 15 or newer/, 'is refused');
  waitpid $pid, 0;
};

subtest 'a directory of no use' => sub {
  refused(migrate(postgres => '--sql', '/nonexistent'), qr{/nonexistent.*--sql}, 'missing');
  refused(migrate(postgres => '--sql', tempdir(CLEANUP => 1)), qr/no migrations in .*--sql/, 'empty');
  refused(migrate(postgres => '--sql', migrations_with('notes.sql' => '')), qr/notes\.sql is not named/, 'a file of another name');
  refused(migrate(postgres => '--sql', migrations_with('0002_other.sql' => '')), qr/0002_\w+\.sql and 0002_\w+\.sql have the same number/, 'two of one number');
  my $gap = sprintf '%04d_far.sql', $last + 2;
  refused(migrate(postgres => '--sql', migrations_with($gap => '')), qr/no migration number ${\($last + 1)} before $gap/, 'a gap');
};

# Roles belong to the cluster, so this comes before any migration.
subtest 'a role that may not create roles' => sub {
  my $db = $postgres->database('poor');
  $db->do('CREATE ROLE poor LOGIN; GRANT CREATE ON DATABASE poor TO poor');
  my @as_poor = (poor => '--postgres', 'user=poor');
  refused(migrate(@as_poor), qr/the role poor .*CREATEROLE/, 'is told so');
  is value($db, "SELECT to_regnamespace('weir')"), undef, 'and nothing was made';
  $db->do('ALTER ROLE poor CREATEROLE; REVOKE CREATE ON DATABASE poor FROM poor');
  refused(migrate(@as_poor), qr/GRANT CREATE ON DATABASE poor TO poor/, 'without CREATE on the database too');
  $db->do('GRANT CREATE ON DATABASE poor TO poor');
  my $done = migrate(@as_poor);
  is $done->{status}, 0, 'with both it is enough' or diag $done->{err};
  is value($db, "SELECT count(*) FROM pg_class WHERE relnamespace = 'weir'::regnamespace AND relowner <> 'weir_owner'::regrole"),
    0, 'and weir_owner owns it all';
};

subtest 'roles that an administrator made' => sub {
  my $db = $postgres->database('given');
  $db->do('CREATE ROLE member LOGIN; GRANT CREATE ON DATABASE given TO member');
  my @as_member = (given => '--postgres', 'user=member');
  refused(migrate(@as_member), qr/the role member /, 'are of no use to a stranger');
  $db->do('GRANT weir_owner TO member');
  is migrate(@as_member)->{status}, 0, 'a member of weir_owner needs no CREATEROLE';
};

# Here they lose what an administrator who makes them later has not given.
subtest 'roles that were made later than the database' => sub {
  my $db = $postgres->database('later');
  my @roles = qw(weir_api weir_bi weir_ledger);
  $db->do('REVOKE CONNECT ON DATABASE later FROM PUBLIC');
  is migrate('later')->{status}, 0, 'a database';
  $db->do("REVOKE ALL ON DATABASE later FROM $_; REVOKE ALL ON SCHEMA $_ FROM $_; REVOKE ALL ON ALL TABLES IN SCHEMA $_ FROM $_;"
    . "REVOKE ALL ON ALL FUNCTIONS IN SCHEMA $_ FROM $_") for @roles;
  my $may = sub {
    return join ' ', map { value($db, "SELECT has_database_privilege('$_', 'later', 'CONNECT') AND has_schema_privilege('$_', '$_', 'USAGE')") ? $_ : () } @roles;
  };
  is $may->(), '', 'that none of them may enter';
  is migrate('later')->{status}, 0, 'is migrated again, with nothing to apply';
  is $may->(), "@roles", 'and lets them in';
  is $postgres->connect(later => 'weir_api')->selectrow_array(q{SELECT count(*) FROM weir_api.tenants('ada')}), 0, 'one asks';
  is $postgres->connect(later => 'weir_ledger')->selectrow_array('SELECT current_user'), 'weir_ledger', 'another one enters';
  ok value($db, q{SELECT has_table_privilege('weir_bi', 'weir_bi.daily', 'SELECT')}), 'and the third reads its views';
  $db->do('SET ROLE weir_bi');
  ok !eval { $db->do('SELECT * FROM weir.day_counts'); 1 }, 'and no table';
  $db->do('RESET ROLE');
};

subtest 'a fresh database' => sub {
  my $db    = $postgres->database('fresh');
  my $check = migrate(fresh => '--check');
  is $check->{status}, 1, '--check: 1';
  is_deeply [ $check->{out} =~ /^missing (\S+)$/mg ], \@migrations, 'it names what is missing';
  is value($db, "SELECT to_regnamespace('weir')"), undef, 'and changes nothing';

  my $done = migrate('fresh');
  is $done->{status}, 0, 'migrate: 0' or diag $done->{err};
  is_deeply [ split /\n/, $done->{out} ],
    [ (map { "applied $_" } @migrations), "$last applied: the database is at version $last" ],
    'a line for each file, and a summary';
  is $done->{err}, '', 'nothing else';
  is value($db, 'SELECT weir.schema_version()'), $last, 'the database knows its version';
  my $sums = { map { $_->[0] => $_->[1] } $db->selectall_arrayref('SELECT name, checksum FROM weir.schema_migrations')->@* };
  is_deeply $sums, { map { $_ => sha256_hex(PrivatePostgres::slurp("$root/sql/migrations/$_")) } @migrations },
    'and what was applied';

  my $again = migrate('fresh');
  is $again->{status}, 0, 'a second time: 0';
  is $again->{out}, "nothing to apply: the database is at version $last\n", 'and nothing to do';
  is migrate(fresh => '--check')->{status}, 0, '--check: 0';
  is migrate(fresh => '--sql', "$root/sql")->{status}, 0, '--sql takes sql/ as well as sql/migrations';
};

subtest 'where the files are' => sub {
  $postgres->database('found');
  my $tree = tempdir('weir-tree-XXXXXX', TMPDIR => 1, CLEANUP => 1);
  mkdir "$tree/$_" or die "mkdir: $!\n" for qw(build build/asan);
  for my $place ('build', 'build/asan') {
    copy($weirctl, "$tree/$place/weirctl") && chmod 0755, "$tree/$place/weirctl" or die "copy: $!\n";
    symlink "$root/sql", "$tree/sql" or die "symlink: $!\n" unless -e "$tree/sql";
    my $done = PrivatePostgres::run_command({ $postgres->env('found') }, "$tree/$place/weirctl", 'migrate');
    is $done->{status}, 0, "a program in $place/ finds those of its checkout" or diag $done->{err};
  }
};

subtest 'another migration that runs' => sub {
  my $db     = $postgres->database('busy');
  my $folder = tempdir(CLEANUP => 1);
  $db->do(q{SELECT pg_advisory_lock(hashtextextended('weir.migrate', 0))});
  my @running = map { PrivatePostgres::start_command({ $postgres->env('busy') }, "$folder/$_", "$folder/$_.err", $weirctl, 'migrate', '--sql', "$root/sql") } 1 .. 3;
  my $waiting = sub { value($db, q{SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted}) };
  ok PrivatePostgres::wait_until(sub { $waiting->() == 3 }), 'three wait for it';
  $db->do('SELECT pg_advisory_unlock_all()');
  is PrivatePostgres::finish_command($_), 0, 'and succeed' for @running;
  my @said = map { PrivatePostgres::slurp("$folder/$_") } 1 .. 3;
  is scalar(grep { /^another migration is running: waiting for it$/m } @said), 3, 'they say that they wait';
  is_deeply [ grep { !m{/} } map { /^applied (\S+)$/mg } grep { /^applied/m } @said ], \@migrations, 'one of them did all';
  is scalar(grep { /^nothing to apply/m } @said), 2, 'the others had nothing to do';
};

# What 0032 and later make of days that are built and packed; and a function of theirs that stood in sql/analytics/ before.
subtest 'a database of before tallies, with events' => sub {
  my $db     = $postgres->database('upgraded');
  my $before = tempdir('weir-sql-XXXXXX', TMPDIR => 1, CLEANUP => 1);
  copy("$root/sql/migrations/$_", $before) or die "copy: $!\n" for @migrations[ 0 .. 30 ];
  is migrate(upgraded => '--sql', $before)->{status}, 0, 'is made';
  $db->do('CREATE FUNCTION weir.quick_slot(number float8) RETURNS integer LANGUAGE sql IMMUTABLE AS $$ SELECT 0 $$');
  $db->do('ALTER FUNCTION weir.quick_slot(float8) OWNER TO weir_owner');
  $db->do(<<~'SQL');
    INSERT INTO weir.events (event_id, tenant_id, user_id, event, platform, properties, "timestamp", client_timestamp)
    SELECT gen_random_uuid(), 'acme', 'u', 'screen', 'iOS', '{"screen": "home", "load_ms": 100}', at, at FROM (VALUES (timestamptz '2026-03-04T10:00Z')) AS t (at)
    SQL
  $db->do(q{INSERT INTO weir.touched_days (tenant_id, day) VALUES ('acme', '2026-03-04')});
  ok PrivatePostgres::wait_until(sub { value($db, 'SELECT state FROM weir.refresh_roll_ups()') ne 'built' }), 'its days are built';
  is value($db, 'SELECT count(*) FROM weir.packed_days'), 1, 'and packed';
  my $done = migrate('upgraded');
  is $done->{status}, 0, 'it is brought up to date' or diag $done->{err};
  is_deeply $db->selectcol_arrayref('SELECT DISTINCT subject FROM weir.day_tallies ORDER BY 1'), [ 'long way', 'page', 'step', 'way' ], 'its packed days have tallies';
  for my $table ('day_tallies', 'day_viewers') {
    is_deeply $db->selectcol_arrayref("SELECT DISTINCT value FROM weir.$table WHERE dimension = 'platform'"), ['iOS'], "of each value, too: $table";
  }
  is value($db, q{SELECT count(*) FROM weir.day_viewers WHERE dimension = 'properties.screen' AND value = '"home"'}), 1, 'and of a property';
  is value($db, q{SELECT count(*) FROM weir.week_sets WHERE subject = 'load'}), 1, 'and its weeks have loads';
  is value($db, q{SELECT count(*) FROM weir.verify_day('acme', 'UTC', '2026-03-04')}), 0, 'and all is as its rows say';
};

subtest 'a day that is being built' => sub {
  my $db     = $postgres->database('building');
  my $folder = tempdir(CLEANUP => 1);
  $db->do(q{SELECT pg_advisory_lock_shared(hashtextextended('weir.roll_ups', 0))});
  my $running = PrivatePostgres::start_command({ $postgres->env('building') }, "$folder/out", "$folder/err", $weirctl, 'migrate', '--sql', "$root/sql");
  ok PrivatePostgres::wait_until(sub { value($db, q{SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted}) == 1 }),
    'what comes after it waits for it';
  $db->do('SELECT pg_advisory_unlock_all()');
  is PrivatePostgres::finish_command($running), 0, 'and succeeds';
  like PrivatePostgres::slurp("$folder/out"), qr/^days are being built: waiting for the one at hand$/m, 'it says so';
  is value($db, 'SELECT weir.builder_key()'), value($db, q{SELECT hashtextextended('weir.roll_ups', 0)}), 'by the key of those who build';
};

subtest 'files that can be repeated' => sub {
  my $db     = $postgres->database('repeated');
  my $folder = tempdir('weir-sql-XXXXXX', TMPDIR => 1, CLEANUP => 1);
  mkdir "$folder/$_" or die "mkdir: $!\n" for qw(migrations analytics);
  copy("$root/sql/migrations/$_", "$folder/migrations") or die "copy: $!\n" for @migrations;
  my $function = sub ($answer) { "SET LOCAL ROLE weir_owner;\nCREATE OR REPLACE FUNCTION weir.one() RETURNS integer LANGUAGE sql AS 'SELECT $answer';\n" };
  write_file("$folder/analytics/one.sql", $function->(1));
  my @here = (repeated => '--sql', $folder);
  like migrate(@here, '--check')->{out}, qr{^missing analytics/one\.sql$}m, '--check names one that is missing';
  like migrate(@here)->{out}, qr{^applied analytics/one\.sql\n\d+ applied}m, 'it comes after the numbered ones';
  is value($db, 'SELECT weir.one()'), 1, 'and holds';
  like migrate(@here)->{out}, qr/\Anothing to apply/, 'one that has not changed is left alone';
  write_file("$folder/analytics/one.sql", $function->(2));
  my $check = migrate(@here, '--check');
  is $check->{status}, 1, '--check fails where one has changed';
  like $check->{out}, qr{\Amissing analytics/one\.sql\n\z}, 'and names it';
  is migrate(@here)->{out}, "applied analytics/one.sql\n1 applied: the database is at version $last\n", 'it is applied again';
  is value($db, 'SELECT weir.one()'), 2, 'and holds as it is now';
  write_file("$folder/analytics/one.sql", $function->(3) . 'SELECT nonsense');
  refused(migrate(@here), qr{analytics/one\.sql:3: column "nonsense" does not exist; nothing of this file was applied}, 'one with a mistake');
  is value($db, 'SELECT weir.one()'), 2, 'changes nothing';
  is migrate('repeated', '--sql', "$root/sql")->{status}, 0, 'those of the project are applied';
  is value($db, 'SELECT count(*) FROM weir.repeatable_files'), 1 + (() = glob "$root/sql/analytics/*.sql"), 'each of them';
};

subtest 'a file that has changed' => sub {
  my $folder = migrations_with(next_name('more') => 'CREATE TABLE weir.more ()');
  my $third  = $migrations[2];
  write_file("$folder/$third", PrivatePostgres::slurp("$folder/$third") . "-- a late thought\n");
  for my $arguments ([], ['--check']) {
    refused(migrate(fresh => '--sql', $folder, $arguments->@*),
      qr{\Q$folder/$third\E has changed since it was applied.*restore it.*new migration}, "is refused (@$arguments)");
  }
  is value($postgres->connect('fresh'), q{SELECT to_regclass('weir.more')}), undef, 'and nothing is applied';
};

subtest 'a database that is ahead' => sub {
  my $folder = migrations_with();
  unlink "$folder/$migrations[-1]" or die "unlink: $!\n";
  refused(migrate(fresh => '--sql', $folder), qr/the database has \Q$migrations[-1]\E, which is not among/, 'is left alone');
};

# Each file is tried on a database of its own.
sub broken ($name, $sql, $line, $pattern) {
  state $count = 0;
  my $database = 'broken' . ++$count;
  my $db       = $postgres->database($database);
  my $file     = next_name('broken');
  my $folder   = migrations_with($file => $sql);
  subtest "a file with $name" => sub {
    my $result = migrate($database, '--sql', $folder);
    refused($result, qr{\Aweirctl: \Q$folder/$file\E:$line: $pattern.*nothing of this file was applied}, 'is named, with the line');
    is scalar(() = $result->{out} =~ /^applied/mg), $last, 'the files before it are applied';
    is value($db, 'SELECT weir.schema_version()'), $last, 'and stay';
    is value($db, q{SELECT to_regclass('weir.made')}), undef, 'nothing of it is';
  };
  return;
}

broken('a mistake in its syntax', "CREATE TABLE weir.made ();\n-- é; '\n\nCREATE TABEL\n  weir.x ();\n", 4, qr/syntax error at or near "TABEL"/);
broken('a mistake on a later line of a statement', "CREATE TABLE weir.made ();\nSELECT 'éé',\n\n  nothing FROM weir.made;\n", 4, qr/column "nothing" does not exist/);
broken('an error that has no place', "CREATE TABLE weir.made ();\n\n/* ; */ CREATE TABLE\n  weir.made ();\n", 3, qr/relation "made" already exists/);
broken('an error inside a function', "CREATE TABLE weir.made ();\nDO \$\$\nBEGIN\n  RAISE 'no; not \$1' USING HINT = 'do not';\nEND\n\$\$;\n", 2, qr/no; not \$1.*do not/);
broken('a quote that is not closed', "CREATE TABLE weir.made ();\n\nSELECT 'it''s;\n", 3, qr/this quote is never closed/);
broken('a dollar quote that is not closed', "CREATE TABLE weir.made ();\nDO \$x\$\nSELECT \$\$;\n", 2, qr/this quote is never closed/);
broken('a comment that is not closed', "CREATE TABLE weir.made ();\n/* /* */\n", 2, qr/this comment is never closed/);
broken('a parenthesis that is not closed', "CREATE TABLE weir.made ();\nSELECT (1;\n", 2, qr/this parenthesis is never closed/);
broken('COMMIT', "CREATE TABLE weir.made ();\ncommit;\n", 2, qr/a migration may not begin or end a transaction/);
broken('BEGIN', "Begin;\nCREATE TABLE weir.made ();\n", 1, qr/a migration may not begin or end a transaction/);

subtest 'semicolons that end nothing' => sub {
  my $db     = $postgres->database('semicolons');
  my $folder = migrations_with(next_name('quotes') => <<'END');
-- a comment; with one
/* and; /* nested; */ one; */
CREATE TABLE weir.tried ("a;b" text DEFAULT 'x;''y', c text DEFAULT E'\';', money$d int);;
CREATE FUNCTION weir.tried(int) RETURNS int LANGUAGE plpgsql AS $body$
BEGIN -- it's; $$ not the end
  RETURN $1 + 1;
END $body$;
CREATE RULE tried AS ON DELETE TO weir.tried DO ALSO (SELECT 1; SELECT 2);
INSERT INTO weir.tried (money$d) VALUES (weir.tried(41)) -- no semicolon at the end
END
  my $done = migrate(semicolons => '--sql', $folder);
  is $done->{status}, 0, 'a file with all of them is applied' or diag $done->{err};
  is_deeply $db->selectrow_arrayref('SELECT * FROM weir.tried'), [ q{x;'y}, q{';}, 42 ], 'as it stands';
};

subtest 'a reader who goes away' => sub {
  my $db = $postgres->database('pipe');
  pipe my $read, my $write or die "pipe: $!\n";
  close $read;
  my $pid = fork // die "fork: $!\n";
  if (!$pid) {
    local %ENV = (%ENV, $postgres->env('pipe'));
    open STDOUT, '>&', $write or POSIX::_exit(127);
    { exec $weirctl, 'migrate', '--sql', "$root/sql" }
    POSIX::_exit(127);
  }
  is PrivatePostgres::finish_command($pid), 0, 'does not end a migration in its midst';
  is value($db, 'SELECT weir.schema_version()'), $last, 'all of it is applied';
};

done_testing;
