# The documents say what the code does: reasons, limits and their defaults, and the commands that a
# newcomer pastes.
use v5.36;
use FindBin;
use lib "$FindBin::Bin/lib";
use Weir::ApiClient;
use WeirTest;

my $root = WeirTest::Server->root;
sub text_of ($path) { return WeirTest::Server::read_file("$root/$path") }

# The words in the first column of the table under a heading, `a`, `b` in one row included.
sub first_column ($page, $heading) {
  my ($section) = $page =~ /^#+ \Q$heading\E\n(.*?)(?=^#|\z)/ms or return ();
  return map { /`([^`]+)`/g } $section =~ /^\| (`[^|]*) \|/mg;
}

my $api = text_of('docs/api.md');

subtest 'every reason for refusing an event is listed, and no other' => sub {
  my ($enum) = text_of('core/event/reason.h') =~ /enum class Reason \{(.*?)\};/s;
  my @known = grep { $_ ne 'none' } $enum =~ /^  (\w+),/mg;
  cmp_ok scalar @known, '>', 10, 'there are some';
  is_deeply [ sort { $a cmp $b } first_column($api, 'Reasons for refusing an event') ], [ sort @known ],
    'api.md and reason.h agree';
};

subtest 'every reason for refusing a body is listed' => sub {
  my %listed = map { $_ => 1 } first_column($api, 'Reasons for refusing a body');
  my $code = text_of('core/json/capture.cpp') . text_of('core/http/intake.cpp');
  ok $code =~ /"$_"/, "$_ is in the code" for sort keys %listed;
  ok $listed{$_}, "$_ is listed" for $code =~ /invalid(?:_json)?\([^;]*?"(\w+)"\)/g;
};

subtest 'every limit is listed with its default' => sub {
  my %default = map { $_->[0] => $_->[1] } limits_of_code();
  cmp_ok scalar keys %default, '>', 10, 'there are some';
  my ($section) = $api =~ /^## Limits\n(.*?)^## /ms;
  my %listed;
  for my $row ($section =~ /^\| (`.*)$/mg) {
    my ($names, $values) = split / *\| */, $row;
    my @values = split /, */, $values;
    $listed{$_} = shift @values for $names =~ /`(\w+)`/g;
  }
  is_deeply \%listed, \%default, 'api.md and limits.h agree';
};

subtest 'the most that each limit can be set to is said' => sub {
  my ($said) = text_of('docs/directives.md') =~ /^The most that each can be set to: (.*?)\.\n/ms;
  my (%said, @names);
  for my $word ($said =~ /`(\w+)`|\b(\d+[km]?)\b/g) {
    next unless defined $word;
    if ($word =~ /\A\d/) { $said{$_} = $word for splice @names }
    else { push @names, $word }
  }
  is_deeply \%said, { most_of_code() }, 'directives.md and limits.cpp agree';
};

sub most_of_code {
  my %most;
  for my $row (text_of('core/event/limits.cpp') =~ /^    \{("\w+", &Limits::\w+, 1, [^}]+)\}/mg) {
    my ($name, $value) = $row =~ /\A"(\w+)", \S+ 1, (.*), (?:true|false)\z/;
    $most{$name} = $value =~ s/'//gr =~ s/ \* kMiB/m/r =~ s/ << 10/k/r;
  }
  return %most;
}

# [name, default as api.md writes it]
sub limits_of_code {
  my %unit = (10 => 'k', 20 => 'm');
  return map {
    my ($name, $value) = /(\w+) = ([^;]+);/;
    $value =~ s/\A(\d+) << (\d+)\z/$1$unit{$2}/;
    [ $name, $value ]
  } text_of('core/event/limits.h') =~ /^  (?:std::size_t|int) (\w+ = [^;]+;)/mg;
}

my $weir = start(locations => [
  { path => '/track',   what => 'track' },
  { path => '/health',  what => 'health' },
  { path => '/metrics', what => 'metrics' },
]);

# The shell blocks of a page, as they are pasted into a shell next to this Weir.
sub shell_blocks ($page) {
  return map {
    my $block = $_;
    $block =~ s/127\.0\.0\.1:8080/127.0.0.1:$weir->{port}/g;
    $block =~ s{\brun/env\b}{$weir->{run}/env}g;
    $block
  } $page =~ /^```sh\n(.*?)^```/msg;
}

subtest 'the README\'s event is taken, and its row is shown' => sub {
  my ($block) = grep { /curl/ } shell_blocks(text_of('README.md'));
  my ($curl, $psql) = $block =~ /\A(curl.*?)\n(\(set.*)\z/s or die "the README's commands look otherwise:\n$block";
  is `$curl`, '{"status":"ok","accepted":1}', 'the answer';
  stored();
  like `$psql`, qr/app_opened .* u1 .* ES /x, 'the row';
};

subtest 'the answers that api.md shows are those that come' => sub {
  for my $shown ('{"status":"ok","accepted":3}', '{"status":"ok"}', '{"error":"Method not allowed"}') {
    ok index($api, "`$shown`") >= 0, "api.md shows $shown";
  }
  my $event = '{"event":"e","user_id":"u"}';
  is post('/track', "[$event,$event,$event]")->{body}, '{"status":"ok","accepted":3}', 'three events';
  my ($health) = $api =~ /^```json\n(\{"status":"ok","redis".*?)^```/ms;
  is_deeply names_in(get('/health')->{body}), names_in($health), 'health: the same names in the same order';
  is get('/track')->{body}, '{"error":"Method not allowed"}', 'a wrong method';
};

sub names_in ($json) { return [ $json =~ /"(\w+)":/g ] }

# name => "type; labels; help" of each family on a page of metrics.
sub metrics_shown ($page) {
  my %help = $page =~ /^# HELP (\w+) (.+)$/mg;
  my %type = $page =~ /^# TYPE (\w+) (.+)$/mg;
  my %labels = map { my ($name, $labels) = /\A(\w+)\{(.*)\}\z/; $name =~ s/_bucket\z//r => join ', ', $labels =~ /(\w+)=/g }
    $page =~ /^(\w+\{.*\}) /mg;
  return map { $_ => join '; ', $type{$_}, $labels{$_} // '', $help{$_} } keys %type;
}

# The same of the table under a heading of metrics.md.
sub metrics_listed ($heading) {
  my ($section) = text_of('docs/metrics.md') =~ /^## \Q$heading\E\n(.*?)(?=^## |\z)/ms;
  return map {
    my ($name, $type, $labels, $means) = map { tr/`//dr } split / *\| */, $_;
    $name => join '; ', $type, $labels, $means
  } $section =~ /^\| (`\w+` \| .*?) \|$/mg;
}

subtest 'metrics.md lists what the edge shows, and no more' => sub {
  is_deeply { metrics_listed('At the edge') }, { metrics_shown(get('/metrics')->{body}) }, 'the page and the table agree';
};

sub ask_api ($path) { return Weir::ApiClient->new(socket_path => $weir->setting('API_SOCKET'))->request(GET => $path) }

subtest 'metrics.md lists what weir-api shows, and no more' => sub {
  my %shown = metrics_shown(ask_api('/metrics')->{body});
  cmp_ok scalar keys %shown, '>', 10, 'there are some';
  is_deeply { metrics_listed('In weir-api') }, { map { $_ => $shown{$_} =~ s/\.\z//r } keys %shown }, 'the page and the table agree';
};

# "path parameter" of each that paths of weir-api have of their own, as its table says: `a`, `b` | of `/v1/x` and `/v1/y`: …
sub parameters_listed {
  my ($section) = text_of('docs/api-server.md') =~ /^## Parameters\n(.*?)^## /ms;
  my (%everywhere, @own);
  for my $row ($section =~ /^\| (`.*)$/mg) {
    my ($names, $about) = split / *\| */, $row;
    my @names = $names =~ /`(\w+)`/g;
    my ($paths) = $about =~ /\Aof (`.*?): /;
    push @own, map { my $path = $_; map { "$path $_" } @names } ($paths // '') =~ /`([^`]+)`/g;
    $everywhere{$_} = 1 for defined $paths ? () : @names;
  }
  return (\%everywhere, [ sort { $a cmp $b } @own ]);
}

subtest 'api-server.md lists the parameters of each path of weir-api, and no more' => sub {
  my ($everywhere, $own) = parameters_listed();
  my $paths = ask_api('/v1/openapi.json')->{json}{paths};
  my @had = map { my $path = $_; map { "$path $_->{name}" } ($paths->{$path}{get}{parameters} // [])->@* } keys %$paths;
  cmp_ok scalar @had, '>', 100, 'there are some';
  is_deeply $own, [ sort { $a cmp $b } grep { !$everywhere->{ (split / /)[1] } } @had ], 'those of single paths';
  my %had = map { (split / /)[1] => 1 } @had;
  is_deeply [ grep { !$had{$_} } sort keys %$everywhere ], [], 'and those of many';
};

subtest 'the tests that the documents name are there' => sub {
  my @pages = map { s{\A\Q$root\E/}{}r } glob "$root/{README,CONTRIBUTING}.md $root/docs/*.md $root/docs/decisions/*.md";
  my %named = map { $_ => 1 } map { text_of($_) =~ m{`(t/\w+\.t)`}g } @pages;
  cmp_ok scalar keys %named, '>', 20, 'there are some';
  ok -e "$root/$_", $_ for sort keys %named;
};

subtest 'api.md says where the answers of the servers differ' => sub {
  my ($section) = $api =~ /^## Where the servers differ\n(.*?)^## /ms;
  my $text = $section =~ s/\s+/ /gr;
  ok $text =~ /\u$WeirTest::Web::differences{$_} \Q$_\E/, $_ for sort keys %WeirTest::Web::differences;
};

done_testing;
