# nginx -t: a wrong configuration is refused with its line and what would be right.
use v5.36;
use FindBin;
use lib "$FindBin::Bin/lib";
use WeirTest;
use File::Spec;
use File::Temp qw(tempdir);
use WeirTest::Server;
use WeirTest::Web::nginx;

my $module = File::Spec->rel2abs(($ENV{BUILD} // 'build') . '/ngx_http_weir_module.so', WeirTest::Server->root);
my $dir = tempdir('weir-config-XXXXXX', TMPDIR => 1, CLEANUP => 1);

sub write_file ($name, $text, $mode = 0600) {
  open my $file, '>', "$dir/$name" or die "$name: $!\n";
  print {$file} $text;
  close $file;
  chmod $mode, "$dir/$name";
  return "$dir/$name";
}

my $redis = 'weir_redis unix:/run/redis/redis.sock;';

# The first line of what is given is line 6 of the file.
sub accepts ($name, @lines) {
  my ($status, $said) = WeirTest::Web::nginx::check_config($module, join "\n", @lines);
  return is($status, 0, "accepted: $name") && unlike($said, qr/warn|emerg/, "without a word: $name") || diag $said;
}

sub refuses ($name, $line, $pattern, @lines) {
  my ($status, $said) = WeirTest::Web::nginx::check_config($module, join "\n", @lines);
  isnt $status, 0, "refused: $name" or diag $said;
  like $said, qr/nginx\.conf:$line\b/, "$name: names the line";
  like $said, $pattern, "$name: says why, and what would be right";
  return;
}

sub at ($lines) { return "server { location /t { $lines } }" }

subtest 'what is right' => sub {
  my $password = write_file('password', "secret\n");
  accepts('one location', $redis, at('weir track;'));
  accepts('every kind', $redis, 'server {',
    (map { my $path = $_ =~ tr/ ;//dr; "location /$path { $_ }" } 'weir track strict;', 'weir crash;', 'weir cli;',
    'weir health;', 'weir metrics;'), '}');
  accepts('Redis by TCP', 'weir_redis 127.0.0.1:6379 timeout=500ms inflight=100 "stream=weir:{7}" user=edge;',
    at('weir track;'));
  accepts('Redis by IPv6', 'weir_redis [::1]:6379;', at('weir track;'));
  accepts('a password from a file', "weir_redis 127.0.0.1:6379 user=edge password_file=$password;", at('weir track;'));
  accepts('weir_redis after the locations', at('weir track;'), $redis);
  accepts('limits at every level', $redis, 'weir_limit body=2m events=10;',
    'server { weir_limit depth=5; location /t { weir track; weir_limit string=1k key=64; } }');
  accepts('every limit', $redis,
    at('weir track; weir_limit body=1m inflated=8m ratio=50 events=10 depth=5 string=1k stack_trace=2k properties=7 key=64 name=100 exponent=300 first_year=2010 last_year=2050;'));
  accepts('a return on a condition', $redis, at('weir track; if ($http_x) { return 403; }'));
  accepts('years, one of them further out', $redis, 'weir_limit first_year=2200;',
    at('weir track; weir_limit last_year=2300;'));
  accepts('origins', $redis, at('weir track; weir_cors https://app.example http://localhost:3000;'));
  accepts('no Weir at all', at('return 204;'));
  accepts('Redis without a location', $redis);
};

subtest 'weir_spool' => sub {
  mkdir "$dir/$_" or die "$_: $!\n" for 'vacant', 'used', 'spools';
  write_file('used/letter.txt', 'dear');
  write_file('spools/lock', '');
  write_file('file', '');
  accepts('an empty folder', $redis, "weir_spool $dir/vacant size=8m segment=64k free=0 drain=1m;", at('weir track;'));
  accepts('a folder that is not there yet', $redis, "weir_spool $dir/new/;", at('weir track;'));
  ok -d "$dir/new", 'and is made';
  accepts('a spool that was used before', $redis, "weir_spool $dir/spools;", at('weir track;'));
  refuses('a folder without one above it', 7, qr{"\Q$dir\E/no".*not there: make it}, $redis, "weir_spool $dir/no/where;");
  refuses('a folder of somebody else', 7, qr{holds "letter\.txt".*folder of its own}, $redis, "weir_spool $dir/used;");
  refuses('a file', 7, qr{is no folder}, $redis, "weir_spool $dir/file;");
  refuses('nothing', 7, qr{needs a directory}, $redis, 'weir_spool;');
  refuses('a word that it does not know', 7, qr{"sise=1g".*size=}, $redis, "weir_spool $dir/vacant sise=1g;");
  refuses('no size', 7, qr{"1x" is not a size}, $redis, "weir_spool $dir/vacant size=1x;");
  refuses('twice', 8, qr{twice: remove one}, $redis, "weir_spool $dir/vacant;", "weir_spool $dir/new;");
  refuses('in a server', 7, qr{http block}, $redis, "server { weir_spool $dir/vacant; }");
};

subtest 'weir' => sub {
  refuses('a kind that there is not', 7, qr/"tracks".*weir track/, $redis, at('weir tracks;'));
  refuses('a word too many', 7, qr/"strictly".*"strict"/, $redis, at('weir track strictly;'));
  refuses('nothing', 7, qr/write weir track/, $redis, at('weir;'));
  refuses('three words', 7, qr/write weir track|"strict"/, $redis, at('weir track strict strict;'));
  refuses('twice', 7, qr/already.*remove one/, $redis, at('weir track; weir crash;'));
  refuses('outside a location', 7, qr/location = \/track/, $redis, 'weir track;');
  refuses('beside another handler', 7, qr/location of its own/, $redis,
    at('proxy_pass http://127.0.0.1:1; weir track;'));
  refuses('before another handler', 7, qr/location of its own/, $redis,
    at('weir track; proxy_pass http://127.0.0.1:1;'));
  refuses('behind a return', 7, qr/"return" ends every request here/, $redis, at('weir track; return 204;'));
  refuses('before a return', 7, qr/"return" ends every request here/, $redis, at('return 204; weir track;'));
  refuses('without a Redis', 7, qr/add "weir_redis/, '', at('weir track;'));
};

subtest 'weir_redis' => sub {
  refuses('nothing', 6, qr/needs an address: write unix:/, 'weir_redis;');
  refuses('an address that is none', 6, qr/weir_redis.*"localhost"/, 'weir_redis localhost;');
  refuses('a port that is none', 6, qr/weir_redis.*port/, 'weir_redis localhost:99999;');
  refuses('a path that is relative', 6, qr/weir_redis.*unix:/, 'weir_redis unix:redis.sock;');
  refuses('a socket without a path', 6, qr/weir_redis/, 'weir_redis unix:;');
  refuses('a URL', 6, qr/weir_redis/, 'weir_redis redis://localhost:6379;');
  refuses('a path that is too long', 6, qr/weir_redis/, 'weir_redis unix:/' . 'x' x 200 . ';');
  refuses('twice', 7, qr/twice.*remove one/, $redis, $redis);
  refuses('in a server block', 6, qr/move it to the http block/, "server { $redis }");
  refuses('a parameter that there is not', 6, qr/"wait=1s".*timeout=/, 'weir_redis 127.0.0.1:6379 wait=1s;');
  refuses('a parameter without a value', 6, qr/"timeout=".*timeout=/, 'weir_redis 127.0.0.1:6379 timeout=;');
  refuses('a parameter twice', 6, qr/"timeout" twice/, 'weir_redis 127.0.0.1:6379 timeout=1s timeout=2s;');
  refuses("timeout $_", 6, qr/timeout=2s/, "weir_redis 127.0.0.1:6379 timeout=$_;") for 'soon', '0', '5ms', '2h', '-1s';
  refuses("inflight $_", 6, qr/inflight=16384/, "weir_redis 127.0.0.1:6379 inflight=$_;") for 'many', '0', '-5', '1e3';
  refuses('no such password file', 6, qr/cannot be read.*make one/,
    "weir_redis 127.0.0.1:6379 password_file=$dir/none;");
  refuses('an empty password file', 6, qr/first line/, 'weir_redis 127.0.0.1:6379 password_file='
    . write_file('empty', '') . ';');
  refuses('a folder for a password file', 6, qr/it is a folder: name a plain file/, "weir_redis 127.0.0.1:6379 password_file=$dir;");
};

subtest 'a password that everybody can read is warned about, and never shown' => sub {
  my $path = write_file('exposed', "hunter2-canary\n", 0644);
  my ($status, $said) = WeirTest::Web::nginx::check_config($module, join "\n",
    "weir_redis 127.0.0.1:6379 password_file=$path;", at('weir track;'));
  is $status, 0, 'accepted';
  like $said, qr/\[warn\].*everybody on this machine can read the secret file "\Q$path\E": chmod o-r it/, 'with a warning';
  unlike $said, qr/hunter2/, 'that does not show it';
};

subtest 'weir_limit' => sub {
  refuses('a limit that there is not', 7, qr/"size".*\bbody\b/, $redis, at('weir track; weir_limit size=1m;'));
  refuses('no value', 7, qr/NAME=VALUE/, $redis, at('weir track; weir_limit body;'));
  refuses("body=$_", 7, qr/body/, $redis, at("weir track; weir_limit body=$_;")) for 'big', '-1', '0', '1x',
    '99999999999999999999', '1.5m';
  refuses('twice', 7, qr/twice/, $redis, at('weir track; weir_limit body=1m body=2m;'));
  refuses('years', 7, qr/first_year/, $redis, at('weir track; weir_limit first_year=soon;'));
  refuses('years the wrong way round', 7, qr/"first_year" \(2050\).*"last_year" \(2040\).*set both/, $redis,
    at('weir track; weir_limit first_year=2050 last_year=2040;'));
  refuses('years the wrong way round once inherited', 8, qr/"first_year" \(2200\).*"last_year" \(2100\)/, $redis,
    'weir_limit first_year=2200;', at('weir track;'));
};

subtest 'weir_cors' => sub {
  refuses('everything', 7, qr/name each origin/, $redis, at('weir track; weir_cors *;'));
  refuses('null', 7, qr/name each origin/, $redis, at('weir track; weir_cors null;'));
  refuses('a wildcard', 7, qr/wildcard/, $redis, at('weir track; weir_cors https://*.example;'));
  refuses('a path', 7, qr/path|slash/, $redis, at("weir track; weir_cors https://app.example$_;")) for '/', '/app';
  refuses('no scheme', 7, qr/scheme/, $redis, at('weir track; weir_cors app.example;'));
  refuses('a bad port', 7, qr/port/, $redis, at('weir track; weir_cors https://app.example:99999;'));
};

# The examples of a page: those that are a whole configuration, and those that are part of one.
subtest 'the examples of the documents are accepted' => sub {
  my $password = write_file('example-password', "secret\n");
  my $text_of = sub ($page) { WeirTest::Server::read_file(WeirTest::Server->root . "/$page") };
  my %examples = (
    'README.md' => [ blocks($text_of->('README.md')) ],
    'docs/directives.md' => [ blocks($text_of->('docs/directives.md')) ],
    'conf/weir.nginx.conf' => [ $text_of->('conf/weir.nginx.conf') ],
  );
  for my $page (sort keys %examples) {
    ok scalar $examples{$page}->@*, "$page has some";
    for my $example ($examples{$page}->@*) {
      my $inside = $example =~ s{password_file=[^;\s]+}{password_file=$password}gr =~ s{weir_spool /\S+}{weir_spool $password.spool}gr;
      my ($status, $said) = WeirTest::Web::nginx::check_config($module, $inside);
      is $status, 0, $page or diag $said;
    }
  }
};

# The insides of the http blocks in a page's examples.
sub blocks ($text) {
  return map { /^http \{\n(.*)^\}/ms ? $1 : () } $text =~ /^```nginx\n(.*?)^```/msg;
}

done_testing;
