# weir-api behind the web server and its Basic authentication: from an event to its figure, and no way for a
# client to be somebody else.
use v5.36;
use FindBin;
use lib "$FindBin::Bin/lib";

use Digest::SHA qw(sha1_base64);
use File::Temp;
use MIME::Base64 qw(encode_base64);

use Weir::ApiClient;
use WeirTest;
use WeirTest::Server;

my $passwords = File::Temp->new;
print {$passwords} map { "$_:{SHA}" . sha1_base64("secret of $_") . "=\n" } qw(ada bob);
close $passwords or die "passwords: $!\n";
chmod 0644, "$passwords" or die "chmod: $!\n";

# What weir-api and the web server both know. As root, weir-api runs as PostgreSQL's user.
my $proof = join '', map { sprintf '%02x', rand 256 } 1 .. 16;
sub file_with ($text, $mode, $owner = undef) {
  my $file = File::Temp->new;
  print {$file} $text;
  close $file or die "$file: $!\n";
  chmod $mode, "$file" or die "chmod: $!\n";
  chown((getpwnam $owner)[ 2, 3 ], "$file") or die "chown: $!\n" if $owner && $> == 0;
  return $file;
}
my $secret = file_with("$proof\n", 0400, 'postgres');
my $api_conf = file_with("proof-file = \"$secret\"\nbusy-share = 6400\n", 0644);
local $ENV{WEIR_API_CONF} = "$api_conf";

# The lines of the example for an installation, with names of files of this test.
my $server = $ENV{WEIR_SERVER} || 'nginx';
my $handed = file_with($server eq 'nginx' ? "proxy_set_header X-Weir-Proof \"$proof\";\n" : "RequestHeader set X-Weir-Proof \"$proof\"\n", 0400);
my $shipped = do { local (@ARGV, $/) = "$FindBin::Bin/../conf/weir-api.$server.conf"; <> };
my $from = $server eq 'nginx' ? qr/^ +auth_basic "Weir";.*?^    \}\n/ms : qr/^ +ProxyPass.*?^    <\/LocationMatch>\n/ms;
my ($lines) = $shipped =~ /($from)/;
$lines =~ s{/etc/\w+/weir-viewers}{$passwords}g;
$lines =~ s{/etc/\w+/weir-api\.proof}{$handed}g;
$lines =~ s{unix:/run/weir-api/api.sock\|http://weir-api}{\${WEIR_API}}g;

my %config = (nginx => <<"NGINX", apache => <<"APACHE");
location = /track { auth_basic off; weir track; }
$lines
NGINX
LoadModule proxy_module \${WEIR_MODULES}/mod_proxy.so
LoadModule proxy_http_module \${WEIR_MODULES}/mod_proxy_http.so
LoadModule headers_module \${WEIR_MODULES}/mod_headers.so
LoadModule auth_basic_module \${WEIR_MODULES}/mod_auth_basic.so
LoadModule authn_core_module \${WEIR_MODULES}/mod_authn_core.so
LoadModule authn_file_module \${WEIR_MODULES}/mod_authn_file.so
LoadModule authz_user_module \${WEIR_MODULES}/mod_authz_user.so
<Location "/track">
    SetHandler weir-track
</Location>
$lines
APACHE

start(config => $config{$server});
db('postgres')->do(q{INSERT INTO weir.viewers (viewer, tenant_id) VALUES ('ada', 'default'), ('bob', 'globex'), ('root', '*')});

sub basic ($name, $secret = "secret of $name") { return (Authorization => 'Basic ' . encode_base64("$name:$secret", '')) }

subtest 'an event becomes a figure' => sub {
  accepted(post('/track', { event => 'opened', user_id => $_ }), 1, "an event of $_") for qw(u1 u2);
  stored();
  my $answer = get('/v1/daily', basic('ada'));
  is $answer->{status}, 200, 'ada asks' or diag $answer->{body};
  is $answer->{json}{days}[-1]{active_users}, 2, 'and both users are counted';
  is get('/v1/daily', basic('ada'), 'If-None-Match' => $answer->{headers}{etag})->{status}, 304, 'an unchanged one is told so';
  my $csv = get('/v1/daily?format=csv', basic('ada'));
  like $csv->{body}, qr/\Adate,total_users,.*\r\n\d{4}-\d\d-\d\d,2,2,2,/, 'as CSV, too';
};

subtest 'nobody is somebody else' => sub {
  is get('/v1/daily')->{status}, 401, 'no name';
  is get('/v1/daily', 'X-Weir-Viewer' => 'ada')->{status}, 401, 'a name in the header alone';
  is get('/v1/daily', basic('ada', 'wrong'))->{status}, 401, 'a wrong password';
  is get('/v1/daily', basic('root'))->{status}, 401, 'a viewer whom the web server does not know';
  for my $header ('X-Weir-Viewer', 'x-weir-viewer', 'X_Weir_Viewer') {
    my $answer = get('/v1/daily?tenant=default', basic('bob'), $header => 'ada');
    is $answer->{status}, 403, "bob who says in $header that he is ada";
    is get('/v1/daily', basic('bob'), $header => 'ada')->{json}{tenant}, 'globex', 'is bob all the same';
  }
};

subtest 'the socket alone proves nothing' => sub {
  my $socket = weir()->setting('API_SOCKET');
  my $ask = sub (%headers) { Weir::ApiClient->new(socket_path => $socket)->request(GET => '/v1/daily', undef, 'X-Weir-Viewer' => 'root', %headers) };
  is $ask->()->{json}{reason}, 'no_proof', 'who can open it and says a name';
  is $ask->('X-Weir-Proof' => $_)->{json}{reason}, 'no_proof', "with the wrong secret: $_" for '', 'x' x 32, substr($proof, 0, 31), "${proof}0";
  is $ask->('X-Weir-Proof' => $proof)->{status}, 200, 'who knows it is believed';
  is get('/v1/daily', basic('bob'), 'X-Weir-Proof' => 'x')->{status}, 200, 'what a client sends of it is replaced';
};

subtest 'errors come through as they are' => sub {
  my $answer = get('/v1/daily?from=x', basic('ada'));
  is $answer->{status}, 400, 'status';
  is $answer->{headers}{'content-type'}, 'application/problem+json', 'type';
  is $answer->{json}{parameter}, 'from', 'parameter';
  my $method = request(DELETE => '/v1/daily', undef, basic('ada'));
  is_deeply [ $method->{status}, $method->{headers}{allow} ], [ 405, 'GET, HEAD' ], 'Allow';
};

subtest 'a body is refused by weir-api itself, however large' => sub {
  for my $bytes (1, 20_000, (900_000) x 10) {
    my $answer = request(GET => '/v1/daily', 'x' x $bytes, basic('ada'));
    is_deeply [ $answer->{status}, $answer->{json}{reason} ], [ 413, 'body_too_large' ], "$bytes bytes";
  }
};

subtest 'make up starts one that was killed' => sub {
  ok weir()->signal(api => 'KILL'), 'it is killed';
  wait_for(sub { !weir()->alive('api') });
  weir()->repair;
  ok weir()->alive('api'), 'and is there again';
  ok wait_for(sub { get('/v1/daily', basic('ada'))->{status} == 200 }), 'with figures';
};

done_testing;
