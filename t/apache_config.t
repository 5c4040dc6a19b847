# apachectl configtest: a wrong configuration is refused with its line and what would be right.
use v5.36;
use FindBin;
use lib "$FindBin::Bin/lib";
use WeirTest;
use File::Spec;
use File::Temp qw(tempdir);
use WeirTest::Server;
use WeirTest::Web::apache;

my $module = File::Spec->rel2abs(($ENV{BUILD} // 'build') . '/mod_weir.so', WeirTest::Server->root);
my $dir = tempdir('weir-config-XXXXXX', TMPDIR => 1, CLEANUP => 1);

sub write_file ($name, $text, $mode = 0600) {
  WeirTest::Server::write_file("$dir/$name", $text);
  chmod $mode, "$dir/$name";
  return "$dir/$name";
}

my $redis = 'WeirRedis unix:/run/redis/redis.sock';

# The first line of what is given is line 8 of the file.
sub accepts ($name, @lines) {
  local $Test::Builder::Level = $Test::Builder::Level + 1;
  my ($status, $said) = WeirTest::Web::apache::check_config($module, join "\n", @lines);
  return is($status, 0, "accepted: $name") && is($said, "Syntax OK\n", "without a word: $name") || diag $said;
}

sub refuses ($name, $line, $pattern, @lines) {
  local $Test::Builder::Level = $Test::Builder::Level + 1;
  my ($status, $said) = WeirTest::Web::apache::check_config($module, join "\n", @lines);
  isnt $status, 0, "refused: $name" or diag $said;
  like $said, qr/line $line of \S+apache\.conf|apache\.conf:$line\b/, "$name: names the line";
  like $said, $pattern, "$name: says why, and what would be right";
  return;
}

sub at (@lines) { return ('<Location "/t">', @lines, '</Location>') }

subtest 'what is right' => sub {
  my $password = write_file('password', "secret\n");
  accepts('one location', $redis, at('SetHandler weir-track'));
  accepts('every kind', $redis, map { ("<Location \"/$_\">", "SetHandler weir-$_", '</Location>') }
    qw(track crash cli health metrics));
  accepts('options', $redis, at('SetHandler weir-track', 'WeirOptions strict wait=1'));
  accepts('Redis by TCP', 'WeirRedis 127.0.0.1:6379 timeout=500ms inflight=100 "stream=weir:{7}" user=edge', at('SetHandler weir-track'));
  accepts('Redis by IPv6', 'WeirRedis [::1]:6379', at('SetHandler weir-track'));
  accepts('a password from a file', "WeirRedis 127.0.0.1:6379 user=edge password_file=$password", at('SetHandler weir-track'));
  accepts('WeirRedis after the locations', at('SetHandler weir-track'), $redis);
  accepts('limits at every level', $redis, 'WeirLimit body=2m events=10', '<VirtualHost *:1>', 'WeirLimit depth=5',
    at('SetHandler weir-track', 'WeirLimit string=1k key=64'), '</VirtualHost>');
  accepts('every limit', $redis, at('SetHandler weir-track',
    'WeirLimit body=1m inflated=8m ratio=50 events=10 depth=5 string=1k stack_trace=2k properties=7 key=64 name=100 exponent=300 first_year=2010 last_year=2050'));
  accepts('a directory', $redis, '<Directory "/srv">', 'SetHandler weir-track', 'WeirLimit body=3m', '</Directory>');
  accepts('years, one of them further out', $redis, 'WeirLimit first_year=2200 last_year=2250', at('SetHandler weir-track', 'WeirLimit last_year=2300'));
  accepts('origins', $redis, at('SetHandler weir-track', 'WeirCors https://app.example http://localhost:3000'));
  accepts('no Weir at all', 'Timeout 60');
  accepts('Redis without a location', $redis);
};

subtest 'WeirSpool' => sub {
  mkdir "$dir/$_" or die "$_: $!\n" for 'vacant', 'used', 'spools';
  write_file('used/letter.txt', 'dear');
  write_file('spools/lock', '');
  write_file('file', '');
  accepts('an empty folder', $redis, "WeirSpool $dir/vacant size=8m segment=64k free=0 drain=1m", at('SetHandler weir-track'));
  accepts('a folder that is not there yet', $redis, "WeirSpool $dir/new/", at('SetHandler weir-track'));
  accepts('a spool that was used before', $redis, "WeirSpool $dir/spools", at('SetHandler weir-track'));
  refuses('a folder without one above it', 9, qr{"\Q$dir\E/no".*not there: make it}, $redis, "WeirSpool $dir/no/where");
  refuses('a folder of somebody else', 9, qr{holds "letter\.txt".*folder of its own}, $redis, "WeirSpool $dir/used");
  refuses('a file', 9, qr{is no folder}, $redis, "WeirSpool $dir/file");
  refuses('nothing', 9, qr{needs a directory}, $redis, 'WeirSpool');
  refuses('a word that it does not know', 9, qr{"sise=1g".*size=}, $redis, "WeirSpool $dir/vacant sise=1g");
  refuses('no size', 9, qr{"1x" is not a size}, $redis, "WeirSpool $dir/vacant size=1x");
  refuses('twice', 10, qr{twice: remove one}, $redis, "WeirSpool $dir/vacant", "WeirSpool $dir/new");
  refuses('in a virtual host', 10, qr{move it out of the section}, $redis, '<VirtualHost *:1>', "WeirSpool $dir/vacant", '</VirtualHost>');
};

subtest 'SetHandler' => sub {
  refuses('a kind that there is not', 10, qr/"weir-tracks".*write weir-track/, $redis, at('SetHandler weir-tracks'));
  refuses('inside a virtual host', 11, qr/"weir-tracks"/, $redis, '<VirtualHost *:1>', at('SetHandler weir-tracks'), '</VirtualHost>');
  refuses('without a Redis', 9, qr/add "WeirRedis/, at('SetHandler weir-track'));
};

subtest 'WeirOptions' => sub {
  refuses('a word that it does not know', 9, qr/"strictly".*"strict"/, $redis, 'WeirOptions strictly');
  refuses('twice the same', 9, qr/twice: remove one/, $redis, 'WeirOptions strict strict');
  refuses('nothing', 9, qr/write "strict"/, $redis, 'WeirOptions');
  refuses('too many replicas', 9, qr/"wait=99".*wait=1/, $redis, 'WeirOptions wait=99');
};

subtest 'WeirRedis' => sub {
  refuses('nothing', 8, qr/needs an address: write unix:/, 'WeirRedis');
  refuses('an address that is none', 8, qr/WeirRedis.*"localhost"/, 'WeirRedis localhost');
  refuses('a port that is none', 8, qr/WeirRedis.*port/, 'WeirRedis localhost:99999');
  refuses('a path that is relative', 8, qr/WeirRedis.*unix:/, 'WeirRedis unix:redis.sock');
  refuses('twice', 9, qr/twice: remove one/, $redis, $redis);
  refuses('in a section', 9, qr/move it out of the section/, at($redis));
  refuses('a parameter that there is not', 8, qr/"wait=1s".*timeout=/, 'WeirRedis 127.0.0.1:6379 wait=1s');
  refuses("timeout $_", 8, qr/timeout=2s/, "WeirRedis 127.0.0.1:6379 timeout=$_") for 'soon', '0', '2h';
  refuses('no such password file', 8, qr/cannot be read.*make one/, "WeirRedis 127.0.0.1:6379 password_file=$dir/none");
  refuses('an empty password file', 8, qr/first line/, 'WeirRedis 127.0.0.1:6379 password_file=' . write_file('empty', ''));
};

subtest 'a password that everybody can read is warned about, and never shown' => sub {
  my $path = write_file('exposed', "hunter2-canary\n", 0644);
  my ($status, $said) = WeirTest::Web::apache::check_config($module, join "\n",
    "WeirRedis 127.0.0.1:6379 password_file=$path", at('SetHandler weir-track'));
  is $status, 0, 'accepted';
  like $said, qr/\[weir:warn\].*everybody on this machine can read the secret file "\Q$path\E": chmod o-r it/, 'with a warning';
  unlike $said, qr/hunter2/, 'that does not show it';
};

subtest 'WeirLimit' => sub {
  refuses('a limit that there is not', 9, qr/"size".*\bbody\b/, $redis, 'WeirLimit size=1m');
  refuses('no value', 9, qr/NAME=VALUE/, $redis, 'WeirLimit body');
  refuses('nothing', 9, qr/NAME=VALUE/, $redis, 'WeirLimit');
  refuses("body=$_", 9, qr/body/, $redis, "WeirLimit body=$_") for 'big', '-1', '0', '1x', '99999999999999999999';
  refuses('twice', 9, qr/twice/, $redis, 'WeirLimit body=1m body=2m');
  refuses('years the wrong way round', 11, qr/"first_year" \(2050\).*"last_year" \(2040\).*set both/, $redis,
    at('SetHandler weir-track', 'WeirLimit first_year=2050 last_year=2040'));
  refuses('years the wrong way round once inherited', 12, qr/"first_year" \(2200\).*"last_year" \(2150\)/, $redis,
    'WeirLimit first_year=2200 last_year=2300', at('SetHandler weir-track', 'WeirLimit last_year=2150'));
  refuses('years the wrong way round in Files', 12, qr/"first_year" \(2200\).*"last_year" \(2150\)/, $redis, '<Directory "/srv">',
    'WeirLimit first_year=2200 last_year=2300', '<Files "track">', 'WeirLimit last_year=2150', '</Files>', '</Directory>');
  refuses('years the wrong way round in If', 11, qr/"first_year" \(2050\).*"last_year" \(2040\)/, $redis,
    at('<If "true">', 'WeirLimit first_year=2050 last_year=2040', '</If>'));
  refuses('the same in no other section', 10, qr/"first_year" \(2050\).*"last_year" \(2040\)/, $redis,
    '<If "true">', 'WeirLimit first_year=2050 last_year=2040', '</If>');
};

subtest 'WeirCors' => sub {
  refuses('everything', 9, qr/name each origin/, $redis, 'WeirCors *');
  refuses('nothing', 9, qr/"off"/, $redis, 'WeirCors');
  refuses('a wildcard', 9, qr/wildcard/, $redis, 'WeirCors https://*.example');
  refuses('a path', 9, qr/path|slash/, $redis, "WeirCors https://app.example$_") for '/', '/app';
  refuses('no scheme', 9, qr/scheme/, $redis, 'WeirCors app.example');
};

# Those that are a whole configuration.
subtest 'the examples of the documents are accepted' => sub {
  my $password = write_file('example-password', "secret\n");
  my $text_of = sub ($page) { WeirTest::Server::read_file(WeirTest::Server->root . "/$page") };
  my $blocks = sub ($page) { return grep { /^WeirRedis/m } $text_of->($page) =~ /^```apache\n(.*?)^```/msg };
  my %examples = (
    'README.md' => [ $blocks->('README.md') ],
    'docs/directives.md' => [ $blocks->('docs/directives.md') ],
    'conf/weir.apache.conf' => [ $text_of->('conf/weir.apache.conf') ],
  );
  for my $page (sort keys %examples) {
    ok scalar $examples{$page}->@*, "$page has some";
    for my $example ($examples{$page}->@*) {
      my $here = $example =~ s{password_file=\S+}{password_file=$password}gr =~ s{^(WeirSpool) /\S+}{$1 $password.spool}gmr
        =~ s{^LoadModule weir_module .*\n}{}mr =~ s{CustomLog \S+}{CustomLog $dir/access.log}r;
      my ($status, $said) = WeirTest::Web::apache::check_config($module, WeirTest::Web::apache::load('authz_host') . $here);
      is $status, 0, $page or diag $said;
    }
  }
  like $text_of->('conf/weir.load'), qr{\ALoadModule weir_module \S+/mod_weir\.so\n\z}, 'conf/weir.load';
};

done_testing;
