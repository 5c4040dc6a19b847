# The judge of the chaos tests finds what it looks for: a row that is missing, one that is there twice,
# one that nobody sent, and a figure that differs. Else its zeros would prove nothing.
use v5.36;
use FindBin;
use lib "$FindBin::Bin/lib";
use WeirTest;
use WeirTest::RollUps;
use Weir::Chaos::Load;
use Weir::Chaos::Verdict qw(compare drained);

my $weir = start();
my $load = Weir::Chaos::Load->start($weir->{port}, "$weir->{run}/ledger", seed => 1, connections => 8, rate => 10_000);
ok wait_for(sub { $load->listen && ($load->{last}{acknowledged} // 0) > 20_000 }), 'the load runs';
my $total = $load->finish;
ok drained(30), 'all is stored';

my @faults = qw(lost twice refused strange changed);

sub found { my $found = compare($load->{ledger}); return { map { $_ => $found->{$_} } @faults } }

my $found = compare($load->{ledger});
is $found->{acknowledged}, $total->{acknowledged}, 'the ledger has a line for each acknowledged event';
is $found->{rows}, $total->{acknowledged}, 'and the tables a row';
cmp_ok $total->{refused}, '>', 0, 'some events are invalid, and written down as refused';
cmp_ok $found->{retried}, '>', 0, 'some came at a later try';
is_deeply found(), { map { $_ => 0 } @faults }, 'nothing is found where nothing is wrong';
is_deeply [ roll_ups_that_differ() ], [], 'and no figure differs';

# What a Weir that breaks its promise would leave behind.
my $db = db('postgres');
$db->do(q(CREATE TEMPORARY TABLE few AS SELECT * FROM events WHERE user_id IS NOT NULL ORDER BY event_id LIMIT 3));
my ($lost, $twice, $changed) = map { $_->[0] } $db->selectall_arrayref('SELECT event_id FROM few ORDER BY 1')->@*;
$db->do('DELETE FROM events WHERE event_id = ?', undef, $lost);
$db->do(q(UPDATE few SET client_timestamp = client_timestamp - interval '21 days'));
$db->do('INSERT INTO events SELECT * FROM few WHERE event_id = ?', undef, $twice);
$db->do(q(UPDATE events SET user_id = 'user-of-nobody' WHERE event_id = ?), undef, $changed);
$db->do('UPDATE few SET event_id = ?', undef, uuid('strange'));
$db->do('INSERT INTO events SELECT * FROM few LIMIT 1');
my ($refused) = WeirTest::Server::read_file($load->{ledger}) =~ /^e,r,\d+,[^,]*,(\S+)/m;
$db->do('UPDATE few SET event_id = ?', undef, $refused);
$db->do('INSERT INTO events SELECT * FROM few LIMIT 1');

is_deeply found(), { map { $_ => 1 } @faults }, 'each fault is found, once';
is_deeply [ roll_ups_that_differ() ], [qw(user_stats user_days users day_measures)], 'figures that differ from the rows are found';
$db->do('DELETE FROM crashes WHERE crash_id = (SELECT crash_id FROM crashes LIMIT 1)');
ok scalar(grep { $_ eq 'crash_days' } roll_ups_that_differ()), 'those of crashes, too';
is compare($load->{ledger})->{lost}, 2, 'and a crash that is missing';

done_testing;
