# docs/operations.md tells the truth about locks that others hold in PostgreSQL: each fault is made, looked
# at from outside, and mended.
use v5.36;
use FindBin;
use lib "$FindBin::Bin/lib";
use WeirTest;
use WeirTest::Operations;

my $weir = start_for_faults();

sub flusher_waits_for ($table) {
  return wait_for(sub {
    value('SELECT count(*) FROM pg_locks l JOIN pg_stat_activity a USING (pid)
            WHERE NOT l.granted AND l.relation = ?::regclass', "weir.$table")
  });
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

faults_done();
