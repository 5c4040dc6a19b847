# docs/operations.md tells the truth about what goes wrong within a session of the flusher's in
# PostgreSQL: each fault is made, looked at from outside, and mended.
use v5.36;
use FindBin;
use lib "$FindBin::Bin/lib";
use WeirTest;
use WeirTest::Operations;

my $weir = start_for_faults();

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

# The partition of our events moves to a disk of 3 MB, where that can be made; else a trigger says what
# PostgreSQL would say.
my $small = "$weir->{run}/small-disk";
my $is_mounted;
END { system "umount -l '$small'" if $is_mounted }

sub with_full_disk ($code) {
  mkdir $small;
  $is_mounted = $> == 0 && !system "mount -t tmpfs -o size=3m tmpfs '$small' 2>/dev/null";
  return with_imitated_full_disk($code) unless $is_mounted;
  chown +(getpwnam 'postgres')[ 2, 3 ], $small or die "chown: $!\n";
  administrator()->do("CREATE TABLESPACE small LOCATION '$small'");
  administrator()->do('ALTER TABLE weir.events_2026w41 SET TABLESPACE small');
  system "head -c 4m /dev/zero >'$small/ballast' 2>/dev/null";
  $code->();
  unlink "$small/ballast";
  return;
}

sub with_imitated_full_disk ($code) {
  administrator()->do(q{
    CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS
      $$ BEGIN RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = '53100'; END $$});
  administrator()->do('CREATE TRIGGER full_disk BEFORE INSERT ON weir.user_days EXECUTE FUNCTION full_disk()');
  $code->();
  administrator()->do('DROP TRIGGER full_disk ON weir.user_days');
  return;
}

in_trouble "PostgreSQL's disk is full" => sub {
  with_full_disk(sub {
    my $noise = join '', map { chr 33 + rand 90 } 1 .. 3000;
    post_event(properties => { noise => "$_ $noise" }) for 1 .. 20;
    clients_see();
    operators_see();
  });
};

faults_done();
