# Makes the faults of docs/operations.md and looks whether the table tells the truth: what a client
# hears, which lines are logged, what /health and /metrics say, and that nothing which was answered 200
# is lost or there twice. What it looks for is read from the document.
#
#   use WeirTest; use WeirTest::Operations;
#   my $weir = start_for_faults();
#   in_trouble 'Redis is killed' => sub {      # the first column of a row
#     $weir->signal(redis => 'KILL');
#     clients_see();                      # posts events; the answers are those of the second column
#     operators_see();                    # all that the third column names, within a minute
#     $weir->repair;
#   };                                    # ends when all is stored, and compares
#   faults_done();
#
# In the third column, a word says where what follows in backticks is seen: **web** and **flusher** are
# lines of the log, in which … stands for anything; **nginx** and **Apache** are lines that this web server
# alone has; **health** is part of what GET /health answers (`503` is its status), **flusher's health** the
# same of the flusher; **metrics** are conditions on what GET /metrics shows: `weir_workers = 2`.
package WeirTest::Operations;
use v5.36;

use File::Temp qw(tempfile);

use WeirTest;
use WeirTest::Server;

use parent 'Exporter';
our @EXPORT = qw(in_trouble clients_see operators_see says post_event redis_is_used_again reconfigure lost_to_the_disk
  administrator end_sessions set_for_flusher another_session start_for_faults faults_done);

my %log_of = (web => 'web', nginx => 'web', Apache => 'web', flusher => 'flusher', PostgreSQL => 'postgres');
my ($row, %mark, @taken, %answered);

sub start_for_faults (%options) {
  my ($file, $path) = tempfile('weir-flusher-XXXXXX', TMPDIR => 1, UNLINK => 1);
  print {$file} "stalled-seconds = 15\n";
  close $file or die "$path: $!\n";
  my @locations = (WeirTest::Server::default_locations()->@*, { path => '/metrics', what => 'metrics' });
  return start(locations => \@locations, %options, env => { WEIR_FLUSHER_CONF => $path, ($options{env} // {})->%* });
}

# The document ---------------------------------------------------------------------------------

# heading => [rows], each {fault, client, operator, do}
sub fault_sections () {
  my $page = WeirTest::Server::read_file(WeirTest::Server->root . '/docs/operations.md');
  my %rows;
  for my $section (split /^## /m, $page) {
    my ($heading) = $section =~ /\A(.*)/;
    for my $line ($section =~ /^\| (?!fault |---)(.*) \|$/mg) {
      my %columns;
      @columns{qw(fault client operator do)} = split / \| /, $line;
      push $rows{$heading}->@*, \%columns;
    }
  }
  return %rows;
}

sub fault_rows () {
  my %sections = fault_sections();
  return map { $_->@* } @sections{ sort keys %sections };
}

# What a row names: web => ['weir has no Redis at …', …], health => […], …
sub signs ($operator) {
  my ($where, %signs) = ('');
  while ($operator =~ /\*\*([\w' ]+)\*\*|`([^`]+)`/g) {
    if (defined $1) { $where = $1 }
    else            { push $signs{$where}->@*, $2 }
  }
  return %signs;
}

sub pattern ($text) { return join '.*?', map { quotemeta } split /…/, $text, -1 }

# Faults ---------------------------------------------------------------------------------------

sub in_trouble ($name, $code) {
  ($row) = grep { $_->{fault} eq $name } fault_rows();
  die "docs/operations.md has no row \"$name\"\n" unless $row;
  @taken = ();
  %mark = map { $_ => -s path_of($_) // 0 } keys %log_of;
  return subtest $name => sub {
    $code->();
    all_stored_once();
  };
}

sub path_of ($part) { return weir->{run} . "/log/$log_of{$part}.log" }

# What was logged since the fault began.
sub log_since ($part) {
  open my $file, '<', path_of($part) or return '';
  seek $file, $mark{$part} // 0, 0;
  local $/;
  return readline($file) // '';
}

# Waits for a line that is no sign of the table's, such as that a server is back.
sub says ($part, $text, $name = $text) {
  local $Test::Builder::Level = $Test::Builder::Level + 1;
  my $pattern = pattern($text);
  return ok(wait_for(sub { log_since($part) =~ /$pattern/ }), "$part logs: $name")
    || diag(log_since($part));
}

# Posts one event over a connection of its own, and notes what was answered.
sub post_event (%more) {
  my $id = uuid();
  my $answer = eval {
    connection()->request(POST => '/track',
      json({ event => 'fault', user_id => 'u1', event_id => $id, timestamp => '2026-10-11T12:13:14Z', %more }));
  } // { status => 0, body => $@ };
  push @taken, $id if $answer->{status} == 200;
  $answered{$id} = $answer->{status};
  return $answer;
}

sub clients_see ($count = 10) {
  local $Test::Builder::Level = $Test::Builder::Level + 1;
  my ($status) = $row->{client} =~ /\A(\d{3})/ or die "the row \"$row->{fault}\" does not begin with an answer\n";
  my @others = grep { $_->{status} != $status } map { post_event() } 1 .. $count;
  return is(scalar @others, 0, "$count clients see $status")
    || diag("$others[0]{status} $others[0]{body}");
}

sub operators_see (@only) {
  local $Test::Builder::Level = $Test::Builder::Level + 1;
  my %signs = signs($row->{operator});
  for my $where (@only ? @only : sort keys %signs) {
    for my $sign ($signs{$where}->@*) {
      if    (is_of_another_server($where)) { next }
      elsif ($log_of{$where})      { says($where, $sign) }
      elsif ($where eq 'health')   { health_says($sign) }
      elsif ($where eq "flusher's health") { flusher_health_says($sign) }
      elsif ($where eq 'metrics')  { metrics_say($sign) }
      else                         { die "the row \"$row->{fault}\" names `$sign` behind **$where**\n" }
    }
  }
  return;
}

# What another web server than this one logs.
sub is_of_another_server ($where) {
  return $where =~ /\A(?:nginx|Apache)\z/ && $where ne weir->adapter->title;
}

sub health_says ($sign) {
  local $Test::Builder::Level = $Test::Builder::Level + 1;
  my $last;
  my $holds = wait_for(sub {
    my $answer = connection()->request(GET => '/health');
    $last = "$answer->{status} $answer->{body}";
    return index($last, $sign) >= 0;
  });
  return ok($holds, "health says $sign") || diag($last);
}

# The flusher serves it where its log says.
sub flusher_health_says ($sign) {
  local $Test::Builder::Level = $Test::Builder::Level + 1;
  my $last;
  my $holds = wait_for(sub {
    my @ports = WeirTest::Server::read_file(path_of('flusher')) =~ m{"serving /metrics and /health" address=127\.0\.0\.1:(\d+)}g;
    my $answer = WeirTest::Client->new(port => $ports[-1])->request(GET => '/health');
    $last = "$answer->{status} $answer->{body}";
    return index($last, $sign) >= 0;
  });
  return ok($holds, "the flusher's health says $sign") || diag($last);
}

sub metrics_say ($sign) {
  local $Test::Builder::Level = $Test::Builder::Level + 1;
  my ($name, $operator, $value) = $sign =~ /\A(\w+(?:\{[^}]*\})?) (=|>|<) (\S+)\z/ or die "`$sign` is no condition\n";
  my $last;
  my $holds = wait_for(sub {
    my ($found) = connection()->request(GET => '/metrics')->{body} =~ /^\Q$name\E (\S+)$/m or return;
    $last = $found;
    return $operator eq '=' ? $found == $value : $operator eq '>' ? $found > $value : $found < $value;
  });
  return ok($holds, "metrics show $sign") || diag("$name is " . ($last // 'missing'));
}

# The end of a fault: every event that was answered 200 is in the table, once.
sub all_stored_once () {
  local $Test::Builder::Level = $Test::Builder::Level + 2;
  return 1 unless @taken;
  my $stored = sub { value('SELECT count(*) FROM events WHERE event_id = ANY(?)', \@taken) };
  wait_for(sub { $stored->() >= @taken }, 60);
  return is($stored->(), scalar @taken, 'all that was answered 200 is stored once');
}

# Damage to a file of the spool that costs `count` events, which no program can bring back.
sub lost_to_the_disk ($count) {
  local $Test::Builder::Level = $Test::Builder::Level + 1;
  stored(60);
  my %stored = map { $_->[0] => 1 } db()->selectall_arrayref('SELECT event_id FROM events')->@*;
  my @missing = grep { !$stored{$_} } @taken;
  @taken = grep { $stored{$_} } @taken;
  return is scalar @missing, $count, "what is lost: $count";
}

sub redis_is_used_again () {
  local $Test::Builder::Level = $Test::Builder::Level + 1;
  return ok wait_for(sub { connection()->request(GET => '/health')->{body} =~ /"redis":"ready"/ }), 'then Redis is used again';
}

# Changes a directive as an administrator would, and reloads the web server:
#
#   reconfigure(redis => sub ($words) { "$words stream_length=1000" });
#   reconfigure(spool => sub ($words) { undef });                        # takes it out
sub reconfigure ($directive, $change) {
  local $Test::Builder::Level = $Test::Builder::Level + 1;
  weir->change_directive($directive, $change);
  my %old = map { $_ => 1 } weir->reload;
  return ok wait_for(sub { my @now = weir->workers; @now && !grep { $old{$_} } @now }), 'the web server is reloaded';
}

# PostgreSQL's administrator -------------------------------------------------------------------

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
  return stored(60);
}

# A second session of the administrator's, in a transaction.
sub another_session () { return administrator()->clone({ AutoCommit => 0 }) }

# The end --------------------------------------------------------------------------------------

# Over all faults of the file: nothing came twice, and nothing that nobody sent.
sub faults_done () {
  my ($all, $different) = db()->selectrow_array('SELECT count(*), count(DISTINCT event_id) FROM events');
  is $all, $different, 'no event is there twice';
  my @unknown = grep { !defined $answered{$_} } map { $_->[0] } db()->selectall_arrayref('SELECT event_id FROM events')->@*;
  is scalar @unknown, 0, 'and none that nobody sent';
  is value('SELECT coalesce(sum(events), 0) FROM user_days'), $all, 'the daily figures count each once';
  return done_testing();
}

1;
