# What stands in the way of a start: a program that is missing, a server that does not come up, a RUN
# under which nothing runs. One sentence says what and what to do, and no process is left behind.
use v5.36;
use FindBin;
use lib "$FindBin::Bin/lib";
use File::Temp qw(tempdir);
use WeirTest;
use WeirTest::Server;

my $build = File::Spec->rel2abs($ENV{BUILD} // WeirTest::Server->root . '/build');
my $weir = WeirTest::Server->prepare(workers => 1);

# Where a part works; with root that is not in RUN.
my $base = do {
  my ($status, $said) = $weir->tool('up redis');
  die "tools/run up redis: $said\n" if $status;
  readlink('/proc/' . $weir->pid('redis') . '/cwd') =~ s{redis\z}{}r;
};
$weir->down;

# Processes that work in this Weir's folders.
sub left_over {
  return grep { (readlink($_) // '') =~ m{\A(?:\Q$base\E|\Q$weir->{run}\E/)} } glob '/proc/[0-9]*/cwd';
}

sub fails_well ($verb, $pattern, $name, %environment) {
  local $Test::Builder::Level = $Test::Builder::Level + 1;
  return subtest $name => sub {
    local $weir->{env} = \%environment;
    my $before = time;
    my ($status, $said) = $weir->tool($verb);
    is $status, 1, 'fails';
    like $said, $pattern, 'says what, and what to do';
    is scalar(() = $said =~ /^weir: /mg), 1, 'in one sentence' or diag $said;
    cmp_ok time - $before, '<', 90, 'soon';
    ok wait_for(sub { !left_over() }), 'no process is left';
  };
}

# A folder with links to every program but the named ones, to stand for PATH.
sub path_without (@names) {
  my $folder = tempdir('weir-path-XXXXXX', TMPDIR => 1, CLEANUP => 1);
  my %without = map { $_ => 1 } @names;
  for my $path (map { glob "$_/*" } qw(/usr/local/bin /usr/bin /bin)) {
    my ($name) = $path =~ m{([^/]+)\z};
    symlink $path, "$folder/$name" unless $without{$name} || -l "$folder/$name";
  }
  return $folder;
}

# A folder of programs as `make` builds it, some of them replaced: name => text of a script, or undef.
sub build_with (%instead) {
  my $folder = tempdir('weir-build-XXXXXX', TMPDIR => 1, CLEANUP => 1);
  chmod 0755, $folder or die "chmod: $!\n";
  for my $name (qw(weir-flusher weir-api weirctl), $weir->adapter->module) {
    symlink "$build/$name", "$folder/$name" or die "symlink: $!\n" unless exists $instead{$name};
    next unless defined $instead{$name};
    WeirTest::Server::write_file("$folder/$name", $instead{$name});
    chmod 0755, "$folder/$name" or die "chmod: $!\n";
  }
  return $folder;
}

subtest 'a program that is missing' => sub {
  my %package = ('redis-server' => 'redis-server', 'redis-cli' => 'redis-tools', psql => 'postgresql-client-15', perl => 'perl-base');
  for my $program (sort keys %package) {
    fails_well('up', qr/$program is missing: install it with `apt-get install $package{$program}`/, $program, PATH => path_without($program));
  }
  for my $built ('weir-flusher', 'weir-api', $weir->adapter->module) {
    fails_well('up', qr/$built is missing: build it with `make`/, $built, BUILD => build_with($built => undef));
  }
};

# Replaces a file for as long as `body` runs.
sub with_spoilt ($path, $body) {
  rename $path, "$path.good" or die "rename $path: $!\n";
  WeirTest::Server::write_file($path, "spoilt\n");
  chown +(stat "$path.good")[ 4, 5 ], $path or die "chown $path: $!\n";
  $body->();
  rename "$path.good", $path or die "rename $path: $!\n";
  return;
}

subtest 'a server that does not come up' => sub {
  my ($status, $said) = $weir->tool('up');
  is $status, 0, 'first all is well' or diag $said;
  $weir->down;
  my ($manifest) = glob("${base}redis/appendonlydir/*.manifest");
  with_spoilt($manifest, sub { fails_well('up', qr/redis did not come up: .*see \S+redis\.log/, 'Redis') });
  with_spoilt("${base}postgres/global/pg_control", sub { fails_well('up', qr/postgres did not come up: .*see \S+postgres\.log/, 'PostgreSQL') });
  fails_well('up', qr/flusher did not come up: "no luck today"; see \S+flusher\.log/, 'the flusher',
    BUILD => build_with('weir-flusher' => "#!/bin/sh\necho no luck today\nexit 1\n"));
  fails_well('up', qr/the schema cannot be brought up to date: no luck/, 'weirctl',
    BUILD => build_with('weirctl' => "#!/bin/sh\necho no luck\nexit 1\n"));
  WeirTest::Server::write_file("$weir->{run}/wrong.conf", "nonsense;\n");
  fails_well('up', qr/web did not come up: .*(?:unknown directive|Invalid command).*see \S+web\.log/, 'the web server', WEIR_WEB_CONF => "$weir->{run}/wrong.conf");
  is(($weir->tool('up'))[0], 0, 'and all is well again');
  ok $weir->alive($_), "$_ runs" for qw(redis postgres web flusher api);
};

subtest 'make down and make clean-run where nothing runs name the Weir that does' => sub {
  my $none = tempdir('weir-none-XXXXXX', TMPDIR => 1, CLEANUP => 1) . '/run';
  for my $verb (qw(down clean-run)) {
    local $weir->{env} = { RUN => $none };
    my ($status, $said) = $weir->tool($verb);
    is $status, 0, "$verb: nothing had to be done";
    like $said, qr/^weir: nothing of RUN=\Q$none\E runs$/m, "$verb: but it is said";
    like $said, qr/^weir: a Weir of yours runs in \Q$weir->{run}\E: `make down RUN=\Q$weir->{run}\E` ends it$/m, "$verb: and which one runs";
    ok $weir->alive($_), "$verb: $_ still runs" for qw(redis postgres web flusher api);
  }
  my ($status, $said) = $weir->tool('down');
  is $status, 0, 'down';
  is $said, '', 'says nothing where it did what it was asked';
  ($status, $said) = $weir->tool('down');
  is $status, 0, 'down again';
  like $said, qr/nothing of RUN=\Q$weir->{run}\E runs/, 'says so';
  unlike $said, qr/runs in \Q$weir->{run}\E/, 'and names itself no more';
};

END { $weir->stop && $weir->remove if $weir && $weir->{owner} == $$ }

done_testing;
