# docs/operations.md tells the truth about what goes wrong within a session of the flusher's in
# PostgreSQL: each fault is made, looked at from outside, and mended.
use v5.36;
use FindBin;
use lib "$FindBin::Bin/lib";
use WeirTest;
use WeirTest::Operations;

my $weir = start(locations => [ WeirTest::Server::default_locations()->@*, { path => '/metrics', what => 'metrics' } ]);

sub administrator () { return db('postgres') }

# The flusher has to open its sessions anew.
sub end_sessions () {
  return administrator()->do(q{SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'weir_flusher'});
}

# Sets something for the flusher's role, and waits until it works with that.
sub set_for_flusher ($setting) {
  administrator()->do("ALTER ROLE weir_flusher $setting");
  end_sessions();
  post_event();
  return stored();
}

# A second session of the administrator's, in a transaction.
sub another_session () {
  return administrator()->clone({ AutoCommit => 0 });
}

sub flusher_waits_for ($table) {
  return wait_for(sub {
    value('SELECT count(*) FROM pg_locks l JOIN pg_stat_activity a USING (pid)
            WHERE NOT l.granted AND l.relation = ?::regclass', "weir.$table")
  }, 20);
}

in_trouble 'Somebody holds a lock on a table' => sub {
  my $other = another_session();
  $other->do('LOCK TABLE weir.user_days IN ACCESS EXCLUSIVE MODE');
  clients_see();
  ok flusher_waits_for('user_days'), 'the flusher waits for it';
  operators_see();
  $other->rollback;
};

in_trouble 'A deadlock' => sub {
  set_for_flusher(q{SET deadlock_timeout = '5s'});
  my $other = another_session();
  $other->do(q{SET deadlock_timeout = '1h'});
  $other->do('LOCK TABLE weir.user_days IN ACCESS EXCLUSIVE MODE');
  clients_see();
  ok flusher_waits_for('user_days'), 'the flusher waits for another session';
  $other->do('LOCK TABLE weir.events IN ACCESS EXCLUSIVE MODE');
  $other->rollback;
  operators_see();
  administrator()->do('ALTER ROLE weir_flusher RESET deadlock_timeout');
};

in_trouble 'A statement takes longer than it may' => sub {
  set_for_flusher(q{SET statement_timeout = '2s'});
  my $other = another_session();
  $other->do('LOCK TABLE weir.user_days IN ACCESS EXCLUSIVE MODE');
  clients_see();
  operators_see();
  $other->rollback;
  administrator()->do('ALTER ROLE weir_flusher RESET statement_timeout');
  end_sessions();
};

in_trouble "An administrator ends the flusher's session" => sub {
  end_sessions();
  clients_see();
  operators_see();
};

in_trouble 'A right of the flusher was taken away' => sub {
  administrator()->do('REVOKE INSERT ON weir.events FROM weir_flusher');
  clients_see();
  operators_see();
  administrator()->do('GRANT INSERT ON weir.events TO weir_flusher');
};

in_trouble 'PostgreSQL is read-only' => sub {
  administrator()->do('ALTER ROLE weir_flusher SET default_transaction_read_only = on');
  end_sessions();
  clients_see();
  operators_see();
  administrator()->do('ALTER ROLE weir_flusher RESET default_transaction_read_only');
  end_sessions();
};

in_trouble "PostgreSQL's disk is full" => sub {
  administrator()->do(q{
    CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS
      $$ BEGIN RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = '53100'; END $$});
  administrator()->do('CREATE TRIGGER full_disk BEFORE INSERT ON weir.user_days EXECUTE FUNCTION full_disk()');
  clients_see();
  operators_see();
  administrator()->do('DROP TRIGGER full_disk ON weir.user_days');
};

faults_done();
