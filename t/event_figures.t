# The figures that look at single events (funnels, paths, tasks, pages, rage clicks, scores, correlations, cohorts by a
# rule) equal what another program computes from the rows: for several windows, zones (also with a change of clock, kept and
# not), tenants and filters; with rows that came twice, late, out of order, and at one moment; from packed days and from
# rows. And two databases with the users split between them say together what one says.
use v5.36;

use FindBin;
use lib "$FindBin::Bin/lib";

use List::Util qw(shuffle);
use Test::More;
use WeirTest::AtRandom;
use WeirTest::EventOracle;
use WeirTest::FigureOracle;
use WeirTest::Figures;
use WeirTest::RollUpOracle;

my @filters = ({ platform => 'mac' }, { properties => { browser => 'firefox' } }, { version => '2.0', country => 'DE' });

# Those that paths and pages have tallies for, or read from visits. A visit's plan hardly changes.
my @by_value = (
  { version => '2.0' }, { platform => 'mac' }, { country => 'DE' }, { version => 'none' },
  map({ { properties => $_ } } { plan => 'free' }, { seats => 5 }, { seats => '5' }, { plan => 'none' }, { never => \1 }, { plan => 'paid', seats => 5 }),
  { properties => { plan => 'free' }, platform => 'mac' },
);

# Pages differ so much in what they take that the slowest is the slowest by any percentile.
my %page = map { ("page-$_" => 10**$_) } 1 .. 5;

# What takes no time is a view all the same, and a text is no number.
sub shown ($page = undef) {
  my $about = defined $page ? $page{$page} : 3;
  return (defined $page ? (page => $page) : (), maybe(0.8, load_ms => one_of((int $about * (0.9 + rand 0.2)) x 5, "$about")));
}

my ($plan, $seats);

sub properties ($event) {
  my @said = (maybe(0.6, browser => one_of('firefox', 'chrome')), maybe(0.3, device => one_of('phone', '')), maybe(0.99, plan => $plan), maybe(0.99, seats => $seats));
  return { @said, shown(maybe(0.9, one_of(keys %page))) } if $event =~ /viewed/;
  return { @said, maybe(0.9, element => one_of('#pay', '#back')), maybe(0.8, screen => one_of('cart', 'home')) } if $event =~ /click/;
  return { @said, maybe(0.8, recording_id => one_of(1 .. 3)), maybe(0.5, seconds => int rand 900) } if $event =~ /recording/;
  return { @said, maybe(0.9, score => one_of(0 .. 10, 11, 7.5, '9')) } if $event =~ /answered/;
  return { @said, paid => one_of('pix', 'card'), maybe(0.9, amount => int rand 5000) } if $event eq 'sale';
  return { @said, maybe(0.9, workspace_id => one_of('north', 'south', 'west')) } if $event eq 'operation_started';
  return rand() < 0.7 ? {@said} : undef;
}

# What shows a screen, is a click or an answer is called by one name by one tenant, by two by the other.
my @kinds = (('page_viewed') x 8, ('clicked') x 6, qw(login login sale sale recording_started recording_started recording_completed nps_answered rage_click operation_started));
my %kinds = (other => \@kinds, acme => [ @kinds, qw(screen_viewed screen_viewed click click click survey_answered) ]);

# A user is there for a while, and what is done follows closely, at one moment even, or after a pause.
sub visit ($tenant) {
  my $at = $first + int(($last - $first) * rand);
  ($plan, $seats) = (one_of(qw(free free paid)), one_of(5, '5', 7));
  my %common = (
    tenant => $tenant, user => rand() < 0.95 ? 'user-' . int 25 * rand() ** 1.5 : undef, session => one_of(undef, map { "s-$_" } 1 .. 4),
    version => one_of(undef, '1.0', '2.0', '2.0'), platform => one_of('mac', 'mac', 'linux', undef), country => one_of('DE', 'DE', 'US'),
  );
  my @rows;
  for (1 .. 1 + int rand 12) {
    my $event = @rows && rand() < 0.4 ? $rows[-1]{event} : one_of($kinds{$tenant}->@*);
    push @rows, { %common, at => $at, event => $event, properties => rand() < 0.3 && @rows && $rows[-1]{event} eq $event ? $rows[-1]{properties} : scalar properties($event) };
    $at += one_of(0, 0.25, 0.25, 0.5, 3, 40, 700, 2400);
  }
  return @rows;
}

my $figures = WeirTest::Figures->new(qw(whole server_1 server_2));
my ($number, @events) = (0);

# Some of them twice.
sub arrive ($visits) {
  my @rows = map { visit(one_of('acme', 'acme', 'acme', 'other')) } 1 .. $visits;
  $_->{id} = sprintf '%08x-0000-4000-8000-000000000000', ++$number for @rows;
  push @events, @rows;
  for my $database (qw(whole server_1 server_2)) {
    $figures->store($database, shuffle(grep { my $row = $_; grep { $_ eq $database } databases_of($row) } @rows, @rows[ 0 .. $visits ]));
  }
  return;
}

arrive(80);
$figures->db($_)->do('SELECT weir.keep_zone(?, ?)', undef, 'acme', 'Europe/Berlin') for qw(whole server_1 server_2);
$figures->refresh($_) for qw(whole server_1 server_2);
arrive(20);
$figures->refresh($_) for qw(whole server_1 server_2);

my @funnels = (
  [ [ { event => 'login' }, { event => 'page_viewed' }, { event => 'sale' } ], 86_400, undef ],
  [ [ { event => 'page_viewed', properties => { page => 'page-1' } }, { event => 'page_viewed' }, { event => 'clicked' } ], 3600, 'country' ],
  # As many steps as there may be.
  [ [ map({ { event => $_ } } qw(clicked clicked clicked)), { event => 'sale', properties => { paid => 'pix' } },
      map({ { event => $_ } } qw(clicked page_viewed page_viewed clicked)) ], 2_592_000, 'browser' ],
);
my @tasks = (
  [ { event => 'recording_started' }, { event => 'recording_completed' }, undef, 86_400 ],
  [ { event => 'recording_started' }, { event => 'recording_completed' }, 'recording_id', 604_800 ],
  [ { event => 'page_viewed', properties => { page => 'page-1' } }, { event => 'page_viewed', properties => { page => 'page-2' } }, undef, 3600 ],
);

# [what, arguments of the answer, what it has to be], of those that read single events alone.
sub row_figures ($oracle) {
  return (
    map({ [ funnels => { steps => $_->[0], within => $_->[1], split => $_->[2] }, $oracle->funnels(@$_) ] } @funnels),
    map({ [ paths => { length => $_ }, $oracle->paths($_) ] } 3, 10),
    map({ [ tasks => { start => $_->[0], finish => $_->[1], key => $_->[2], within => $_->[3] }, $oracle->tasks(@$_) ] } @tasks),
    map({ [ pages => { at_least => $_ }, $oracle->pages($_) ] } 1, 10),
    # What all screens and durations come from.
    [ paths => { length => 4, property => 'page' }, $oracle->paths(4) ],
    [ pages => { at_least => 1, property => 'load_ms', page => 'page' }, $oracle->pages(1) ],
    map({ [ rage_clicks => { clicks => $_->[0], seconds => $_->[1] }, $oracle->rage_clicks(@$_) ] } [ 3, 1 ], [ 2, 3 ]),
    [ nps => {}, $oracle->nps ],
  );
}

# Of one event, be it the only one of its kind or not.
sub figures_of_one_event ($oracle) {
  return (
    [ paths => { length => 4, event => 'page_viewed' }, $oracle->paths(4, 'page_viewed') ],
    [ pages => { at_least => 1, event => 'page_viewed' }, $oracle->pages(1, 'page_viewed') ],
    map({ [ rage_clicks => { clicks => $_->[0], seconds => $_->[1], event => 'clicked' }, $oracle->rage_clicks(@$_, 'clicked') ] } [ 3, 1 ], [ 2, 3 ]),
    [ nps => { event => 'nps_answered' }, $oracle->nps('nps_answered') ],
  );
}

my @correlations = (
  [ { event => 'clicked' }, { event => 'sale' } ], [ { event => 'login' }, { event => 'sale', sum => 'amount' } ],
  [ { event => 'page_viewed', properties => { page => 'page-3' } }, { event => 'nps_answered', last => 'score' } ], [ { event => 'sale' }, { retained => 7 } ],
  [ { event => 'login', platform => 'mac' }, { event => 'sale', properties => { paid => 'pix' }, sum => 'amount' } ],
  [ { event => 'clicked' }, { event => 'sale', country => 'DE', properties => { paid => 'pix' }, last => 'amount' } ],
);
my @rules = (
  { did => [ { event => 'page_viewed', at_least => 3 } ], not => [ { event => 'sale', at_least => 2 } ] },
  { did => [ { event => 'clicked' }, { event => 'sale', properties => { paid => 'pix' } } ], where => { country => 'DE' } },
);

# Those beside, whose users' activity comes from the roll-ups.
sub user_figures ($oracle) {
  return (
    map({ [ correlation => { feature => $_->[0], outcome => $_->[1] }, $oracle->correlation(@$_) ] } @correlations),
    map({ [ cohorts => { rule => $_ }, $oracle->cohorts($_) ] } @rules),
  );
}

sub called ($filter) { return join(' and ', sort keys %$filter) || 'no filter' }

sub asked_by ($filter) { return %$filter ? (filter => $filter) : () }

sub asked_of ($tenant, $zone, $window, $filter) {
  my ($from, $to) = map { WeirTest::RollUpOracle::number_of_day($_) } @$window;
  return WeirTest::EventOracle->new(\@events, tenant => $tenant, zone => $zone, from => $from, to => $to, filter => $filter);
}

sub agree ($tenant, $zone, $window, $filter, @figures) {
  for my $figure (@figures) {
    my ($what, $given, $wanted) = @$figure;
    my $asked = { %$given, asked_by($filter) };
    $figures->agrees("$what " . join(' ', map { ref $asked->{$_} ? $_ : $asked->{$_} // () } sort keys %$asked), $figures->answer($what, $tenant, @$window, $zone, $asked), $wanted);
  }
  return;
}

sub compare_rows ($when, @some_windows) {
  for my $tenant (sort keys %zones) {
    for my $zone ($zones{$tenant}->@*) {
      for my $window (@some_windows) {
        for my $filter ({}, one_of(@filters)) {
          subtest "$when: $tenant in $zone, @$window, by " . called($filter) => sub {
            agree($tenant, $zone, $window, $filter, row_figures(asked_of($tenant, $zone, $window, $filter)));
          };
        }
        my $narrowed = one_of({}, @filters);
        subtest "$when: $tenant in $zone, @$window, of one event by " . called($narrowed) => sub {
          agree($tenant, $zone, $window, $narrowed, figures_of_one_event(asked_of($tenant, $zone, $window, $narrowed)));
        };
        subtest "$when: $tenant in $zone, @$window, by one value" => sub {
          for my $filter (@by_value) {
            my $oracle = asked_of($tenant, $zone, $window, $filter);
            agree($tenant, $zone, $window, $filter, [ paths => { length => 4 }, $oracle->paths(4) ], [ pages => { at_least => 1 }, $oracle->pages(1) ]);
          }
        };
      }
    }
  }
  return;
}

compare_rows('packed days', @windows);

for my $tenant (sort keys %zones) {
  for my $zone ($zones{$tenant}->@*) {
    for my $window (@windows) {
      subtest "users of $tenant in $zone, @$window" => sub { agree($tenant, $zone, $window, {}, user_figures(asked_of($tenant, $zone, $window, {}))) };
    }
  }
}

# What is told by both servers, as their parts are put together.
sub together ($what, $tenant, $zone, $window, $asked, @more) {
  my @parts = map { $figures->parts($_, "${what}_partial", $tenant, @$window, $zone, $asked) } qw(server_1 server_2);
  return $figures->merged($what, \@parts, @more);
}

subtest 'two servers with the users split between them say together what one says' => sub {
  for my $zone ($zones{acme}->@*) {
    for my $window (@windows) {
      my @asked = ('acme', $zone, $window);
      my $is = sub ($what, $merged, $given = {}, $by = '') {
        $figures->agrees("$what in $zone, @$window$by", $figures->answer($what, 'acme', @$window, $zone, $given), $merged);
      };
      my $is_by_some = sub ($what, $given, @more) {
        my $filter = one_of({}, one_of(@filters), one_of(@by_value));
        my %given = (%$given, asked_by($filter));
        $is->($what => together($what => @asked, \%given, @more), \%given, ', by ' . called($filter));
      };
      $is_by_some->(funnels => { steps => $_->[0], within => $_->[1], split => $_->[2] }, { steps => $_->[0], split => $_->[2] }) for @funnels;
      $is_by_some->(tasks => { start => $_->[0], finish => $_->[1], key => $_->[2], within => $_->[3] }) for @tasks;
      $is_by_some->(@$_) for [ paths => { length => 3 } ], [ pages => {} ], [ rage_clicks => { clicks => 2 } ], [ nps => {} ];
      $is->(ledger => together(ledger => @asked, {}, @$window));
      $is->(segments => together(segments => @asked, {})) if $zone ne 'America/St_Johns';
      for (@correlations) {
        my ($feature, $outcome) = @$_;
        my $checked = $figures->db('whole')->selectrow_array("SELECT weir.outcome_of('outcome', ?)", undef, JSON::XS::encode_json($outcome));
        $is->(correlation => together(correlation => @asked, { feature => $feature, outcome => \$checked }, $checked), { feature => $feature, outcome => $outcome });
      }
      for (@rules) {
        my $checked = $figures->db('whole')->selectrow_array("SELECT weir.rule_of('rule', ?)", undef, JSON::XS::encode_json($_));
        $is->(cohorts => together(cohorts_by_rule => @asked, { rule => \$checked }, @$window, $checked, '2026-11-26'), { rule => $_ });
      }
    }
  }
};

# What is not counted yet is read from the rows.
arrive(10);
compare_rows('packed days and rows', $windows[1]);

done_testing;
