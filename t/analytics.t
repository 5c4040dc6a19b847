# The answers of sql/analytics equal what another program computes from the rows: for several windows, zones (also with
# a change of clock, kept and not), tenants; with rows that came twice, late and out of order. And two databases with
# the users split between them say together what one says.
use v5.36;

use FindBin;
use lib "$FindBin::Bin/lib";

use List::Util qw(shuffle);
use Test::More;
use WeirTest::AtRandom;
use WeirTest::CrashOracle;
use WeirTest::FigureOracle qw(named value_list);
use WeirTest::Figures;
use WeirTest::RiskOracle;
use WeirTest::RollUpOracle;
use WeirTest::StatsOracle;
use WeirTest::ToggleOracle;
use WeirTest::UserOracle;

my %number = (users => 0, crashes => 0);

sub properties ($event) {
  my @failed = maybe(0.3, error_type => one_of('network', 'quota'));
  return { audio_duration_seconds => 1 + int rand 900, estimated_cost_usd => (1 + int rand 999) / 1000, success => @failed ? \0 : \1, @failed,
    maybe(0.8, source => one_of('widget', 'window')),
    maybe(0.7, processing_time_seconds => int(rand 90) / 10) } if $event eq 'recording_completed';
  return { command => one_of('icon', 'logo'), success => @failed ? \0 : \1, @failed, prompt_length => int rand 90,
    execution_time => 1 + int rand 5000, maybe(0.7, output_format => one_of('png', 'svg')), maybe(0.6, model_used => one_of('small', 'large')) } if $event eq 'cli_command';
  return { feature => one_of(qw(search export)), enabled => one_of(\0, \1) } if $event eq 'feature_toggled';
  return { maybe(0.8, startup_time_seconds => int(rand 90) / 10), maybe(0.4, startup_ms => int rand 9000),
    maybe(0.5, response_time_seconds => int(rand 90) / 100), maybe(0.4, response_time_ms => int rand 900) } if $event eq 'opened';
  return { feature => one_of(('search') x 3, 'export', 'print'), maybe(0.4, source => 'menu'), maybe(0.4, enabled => one_of(\0, \1)) } if $event eq 'feature_usage';
  return { maybe(0.8, workspace_id => one_of('north', 'south', '')) } if $event =~ /operation|stored/;
  return { browser => one_of('firefox', 'chrome'), maybe(0.5, device => one_of('phone', 'desktop')), @failed } if $event eq 'page_viewed';
  return;
}

sub random_event ($tenant) {
  my $event = one_of(qw(opened recording_completed recording_completed feature_usage feature_usage page_viewed cli_command retry_attempted operation_started stored_report_created feature_toggled));
  my $user = $event eq 'cli_command' ? undef : 'user-' . int 30 * rand() ** 2;
  return {
    tenant => $tenant, user => $user, at => $first + int(($last - $first) * rand), event => $event, properties => scalar properties($event),
    session => one_of(undef, map { "s-$_" } 1 .. 6), version => one_of(undef, '1.0', '1.1', '2.0'), platform => one_of(undef, 'linux', 'mac'),
    country => one_of('DE', 'US', 'US'),
  };
}

sub random_crash ($tenant) {
  my $group = 1 + int rand 5;
  return {
    tenant => $tenant, user => one_of(undef, 'crasher', map { "user-$_" } 0 .. 12), at => $first + int(($last - $first) * rand) + ++$number{crashes} / 100,
    version => one_of(undef, '1.0', '1.1', '2.0'), os => one_of('12', '13'), type => one_of('panic', 'oom'), fingerprint => "group-$group", message => "m$group",
  };
}

my $figures = WeirTest::Figures->new(qw(whole server_1 server_2));

my (@events, @crashes);
for my $batch (300, 60) {
  my @rows = map { my $tenant = one_of('acme', 'acme', 'acme', 'other'); rand() < 0.15 ? random_crash($tenant) : random_event($tenant) } 1 .. $batch;
  push @rows, { %{ random_event('other') }, event => 'page_viewed', user => undef, at => $last + 86_400 };    # a day of nobody known, alone
  $_->{id} = sprintf '%08x-0000-4000-8000-000000000000', ++$number{rows} for @rows;
  push @events, grep { exists $_->{event} } @rows;
  push @crashes, grep { !exists $_->{event} } @rows;
  for my $database (qw(whole server_1 server_2)) {
    my @own = grep { my $row = $_; grep { $_ eq $database } databases_of($row) } @rows, @rows[ 0 .. 50 ];
    $figures->store($database, shuffle(@own));
    $figures->db($database)->do('SELECT weir.keep_zone(?, ?)', undef, 'acme', 'Europe/Berlin') if $batch == 300;
    $figures->refresh($database);
  }
}

sub asked_of ($tenant, $zone, @window) {
  my ($from, $to) = map { WeirTest::RollUpOracle::number_of_day($_) } @window;
  return WeirTest::FigureOracle->new(\@events, \@crashes, tenant => $tenant, zone => $zone, from => $from, to => $to);
}

sub agrees_by_measure ($where, $tenant, $window, $zone, $oracle) {
  $figures->agrees("heavy users by $_->[0], $where", $figures->answer('heavy_users', $tenant, @$window, $zone, $_->[0]), WeirTest::UserOracle::heavy_users($oracle, $_->[1]))
    for [ seconds => 'audio_duration_seconds' ], [ cost_usd => 'estimated_cost_usd' ], [ recordings => undef ];
  return;
}

for my $tenant (sort keys %zones) {
  for my $zone ($zones{$tenant}->@*) {
    for my $window (@windows) {
      my $oracle = asked_of($tenant, $zone, @$window);
      subtest "$tenant in $zone, @$window" => sub {
        $figures->agrees($_, $figures->answer($_, $tenant, @$window, $zone), $oracle->$_) for qw(usage features audience costs ledger);
        $figures->agrees($_->[0], $figures->answer($_->[0], $tenant, @$window, $zone), $_->[1]->($oracle))
          for [ users => \&WeirTest::UserOracle::users ], [ crashes => \&WeirTest::CrashOracle::crashes ], [ crash_releases => \&WeirTest::CrashOracle::crash_releases ],
          $zone eq 'America/St_Johns' ? () : ([ segments => \&WeirTest::UserOracle::segments ], [ stats => \&WeirTest::StatsOracle::stats ]);
        agrees_by_measure('in packs', $tenant, $window, $zone, $oracle);
        my $db = $figures->db('whole');
        $db->begin_work;
        cmp_ok $db->do('DELETE FROM weir.packed_days'), '>', 0, 'days are packed';
        agrees_by_measure('in rows', $tenant, $window, $zone, $oracle);
        $db->rollback;
        $figures->agrees("usage of $_->[0]", $figures->answer('usage', $tenant, @$window, $zone, @$_), $oracle->usage(@$_))
          for [ recording_completed => 'audio_duration_seconds' ], [ page_viewed => undef ], [ cli_command => 'execution_time' ];
        $figures->agrees('toggled features', $figures->answer('features', $tenant, @$window, $zone, 'toggled', 'toggled_on'),
          { $oracle->features(map { named($_ => 'feature_toggled') } qw(feature enabled))->%*, toggles => WeirTest::ToggleOracle::toggles($oracle) });
        $figures->agrees('where recordings come from', $figures->answer('features', $tenant, @$window, $zone, 'feature', 'recording_source')->{split},
          value_list(named(source => 'recording_completed'), undef, $oracle->within));
      };
    }
  }
}

# From days that are kept, by users' numbers of days and of events.
for my $asked ([ acme => 'UTC' ], [ acme => 'Europe/Berlin' ], [ other => 'UTC' ]) {
  my ($tenant, $zone) = @$asked;
  $figures->agrees("heavy users by events: $tenant in $zone, @$_", $figures->answer('heavy_users', $tenant, @$_, $zone), WeirTest::UserOracle::heavy_users_by_events(asked_of($tenant, $zone, @$_)))
    for @windows;
  $figures->agrees("risk of churn: $tenant in $zone on $_", $figures->answer('churn_risk', $tenant, $_, $zone), WeirTest::RiskOracle::churn_risk(asked_of($tenant, $zone, $_, $_)))
    for qw(2026-03-29 2026-04-16 2026-04-25 2026-05-07 2026-06-20 2026-09-01);
}

# Of both servers. What is asked for in a second round is told the parts of the first.
sub parts_of_both ($what, $asked, $details, @most) {
  my @first = map { $figures->parts($_, "${what}_partial", @$asked) } qw(server_1 server_2);
  return [ @first, $details ? map({ $figures->parts($_, $details, @$asked, \@first, @most) } qw(server_1 server_2)) : () ];
}

subtest 'two servers with the users split between them say together what one says' => sub {
  for my $zone ($zones{acme}->@*) {
    for my $window (@windows) {
      my @asked = ('acme', @$window, $zone);
      my %merged = (
        users => [ parts_of_both('users', \@asked, undef), @$window ],
        usage => [ parts_of_both('usage', [ @asked, undef, 'audio_duration_seconds' ], undef), @$window, 'audio_duration_seconds' ],
        features => [ parts_of_both('features', [ @asked, 'feature', 'source' ], undef) ],
        toggles => [ parts_of_both('features', [ @asked, 'toggled', 'toggled_on' ], undef) ],
        cli => [ parts_of_both('usage', [ @asked, 'cli_command', undef ], undef), @$window, undef ],
        costs => [ parts_of_both('costs', [ @asked, 'cost_usd' ], undef), @$window ],
        crashes => [ parts_of_both('crashes', \@asked, 'crash_details_partial', 20), @$window, 20 ],
        audience => [ parts_of_both('audience', \@asked, 'audience_details_partial', 20), @$window, 20 ],
        minutes => [ parts_of_both('costs', [ @asked, 'seconds' ], undef), @$window ],
        heavy_users => [ parts_of_both('heavy_users', [ @asked, 'seconds', 20 ], undef), 20 ],
        heavy_payers => [ parts_of_both('heavy_users', [ @asked, 'cost_usd', 20 ], undef), 20 ],
        heavy_by_events => [ parts_of_both('heavy_users', [ @asked, 'events', 20 ], undef), 20 ],
        $zone eq 'America/St_Johns' ? () : (stats => [ parts_of_both('stats', \@asked, 'stats_details_partial'), @$window ]),
        $zone eq 'America/St_Johns' ? () : (churn_risk => [ parts_of_both('churn_risk', [ 'acme', '2026-05-07', $zone, 20 ], undef), 20 ]),
        ledger => [ parts_of_both('ledger', \@asked, undef), @$window ],
        $zone eq 'America/St_Johns' ? () : (segments => [ parts_of_both('segments', \@asked, undef) ]),
        crash_releases => [ parts_of_both('crash_releases', \@asked, 'crash_releases_details_partial', 20), $window->[0], $zone, 20 ],
      );
      for my $what (sort keys %merged) {
        my ($parts, @more) = $merged{$what}->@*;
        my $figure = { cli => 'usage', toggles => 'features', minutes => 'costs', map({ ($_ => 'heavy_users') } qw(heavy_payers heavy_by_events)) }->{$what} // $what;
        my %asked_for = (usage => [ undef, 'audio_duration_seconds' ], cli => ['cli_command'], toggles => [qw(toggled toggled_on)], minutes => ['seconds'],
          heavy_users => ['seconds'], heavy_payers => ['cost_usd'], heavy_by_events => ['events']);
        my $one = $what eq 'churn_risk' ? $figures->answer($what, 'acme', '2026-05-07', $zone) : $figures->answer($figure, @asked, ($asked_for{$what} // [])->@*);
        $figures->agrees("$what in $zone, @$window", $one, $figures->merged($figure, $parts, @more));
      }
    }
  }
};

# These are sums that the flusher keeps; of rows that came without it a rebuild makes them.
subtest 'the figures of each day' => sub {
  for my $database (qw(whole server_1 server_2)) {
    is $figures->weirctl($database, qw(rollup rebuild))->{status}, 0, "$database: made anew";
  }
  for my $tenant (sort keys %zones) {
    for my $window (@windows) {
      my @asked = ($tenant, @$window);
      my $one = $figures->rows('SELECT * FROM weir.daily_figures(?, ?, ?) ORDER BY date', @asked);
      $figures->agrees("daily of $tenant, @$window", $one, WeirTest::StatsOracle::daily(asked_of($tenant, 'UTC', @$window)));
      $figures->agrees("daily of both servers, @$window", $figures->rows('SELECT * FROM weir.daily_merge(?) ORDER BY date', parts_of_both('daily', \@asked, undef)), $one)
        if $tenant eq 'acme';
    }
  }
};

done_testing;
