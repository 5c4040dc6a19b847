# docs/operations.md tells the truth about a PostgreSQL that is away or refuses: each fault of its table is made, looked at from
# outside, and mended.
use v5.36;
use FindBin;
use lib "$FindBin::Bin/lib";
use WeirTest;
use WeirTest::Operations;

my $weir = start_for_faults();

in_trouble 'PostgreSQL is killed, or does not run' => sub {
  WeirTest::disconnect();
  $weir->signal(postgres => 'QUIT');
  clients_see();
  operators_see();
  $weir->repair;
  says flusher => 'msg="the server is back" server=PostgreSQL';
};

in_trouble 'PostgreSQL hangs' => sub {
  my @sessions = map { $_->{pid} } rows(q{SELECT pid FROM pg_stat_activity WHERE usename = 'weir_flusher'});
  my @all = ($weir->pid('postgres'), @sessions);
  kill STOP => @all;
  clients_see();
  operators_see();
  kill CONT => @all;
};

in_trouble 'PostgreSQL has too many connections' => sub {
  administrator()->do('ALTER ROLE weir_flusher CONNECTION LIMIT 0');
  end_sessions();
  clients_see();
  operators_see();
  administrator()->do('ALTER ROLE weir_flusher CONNECTION LIMIT -1');
};

in_trouble 'The flusher may not log in' => sub {
  administrator()->do('ALTER ROLE weir_flusher NOLOGIN');
  end_sessions();
  clients_see();
  operators_see();
  administrator()->do('ALTER ROLE weir_flusher LOGIN');
};

faults_done();
