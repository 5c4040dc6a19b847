# What was acknowledged, held against what is in the tables.
#
#   drained(120);                              # streams and spool are empty
#   my $found = compare("$dir/ledger");        # {acknowledged, lost, twice, refused, strange, changed}
#
# The comparison is done by PostgreSQL, in a table that only this session sees.
package Weir::Chaos::Verdict;
use v5.36;

use WeirTest;

use parent 'Exporter';
our @EXPORT_OK = qw(drained compare left_in_redis);

# Records that no flusher has stored yet, over all streams.
sub left_in_redis {
  my $left = 0;
  for my $key (redis()->keys('weir:*')) {
    $left += redis()->xlen($key) if redis()->type($key) eq 'stream';
  }
  return $left;
}

sub drained ($seconds) {
  return wait_for(sub { !spool_files() && left_in_redis() == 0 }, $seconds);
}

sub load_ledger ($path) {
  my $db = db('postgres');
  $db->do('SET client_min_messages = warning');
  $db->do('DROP TABLE IF EXISTS told, kept');
  $db->do('CREATE TEMPORARY TABLE told (kind char, state char, tries int, user_id text, id uuid)');
  $db->do('COPY told FROM STDIN (FORMAT csv)');
  open my $file, '<', $path or die "$path: $!\n";
  while (read $file, my $bytes, 1 << 16) { $db->pg_putcopydata($bytes) }
  close $file;
  $db->pg_putcopyend;
  $db->do('ANALYZE told');
  return;
}

my $kept = q(SELECT 'e'::char AS kind, event_id AS id, user_id FROM events
  UNION ALL SELECT 'c', crash_id, user_id FROM crashes);

my %question = (
  acknowledged => q(SELECT count(*) FROM told WHERE state = 'a'),
  retried => q(SELECT count(*) FROM told WHERE state = 'a' AND tries > 1),
  unknown => q(SELECT count(*) FROM told WHERE state = 'u'),
  rows => 'SELECT count(*) FROM kept',
  lost => q(SELECT count(*) FROM told WHERE state = 'a' AND NOT EXISTS
    (SELECT FROM kept WHERE kept.id = told.id AND kept.kind = told.kind)),
  twice => 'SELECT count(*) FROM (SELECT FROM kept GROUP BY kind, id HAVING count(*) > 1) AS several',
  refused => q(SELECT count(*) FROM told JOIN kept USING (kind, id) WHERE state = 'r'),
  strange => 'SELECT count(*) FROM kept WHERE NOT EXISTS (SELECT FROM told WHERE kept.id = told.id AND kept.kind = told.kind)',
  changed => q(SELECT count(*) FROM told JOIN kept USING (kind, id) WHERE state <> 'r' AND told.user_id <> kept.user_id),
);

sub compare ($ledger) {
  load_ledger($ledger);
  my $db = db('postgres');
  $db->do("CREATE TEMPORARY TABLE kept AS $kept");
  $db->do('ANALYZE kept');
  my %found = map { $_ => scalar $db->selectrow_array($question{$_}) } keys %question;
  # Some of what is lost, for a person who looks into it.
  $found{examples} = join "\n", map { join ' ', @$_ } $db->selectall_arrayref(
    q(SELECT kind, tries, user_id, id FROM told WHERE state = 'a' AND NOT EXISTS
      (SELECT FROM kept WHERE kept.id = told.id AND kept.kind = told.kind) LIMIT 10))->@*;
  return \%found;
}

1;
