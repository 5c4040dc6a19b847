# make install DESTDIR=…: all that a unit, a document or weirctl names is there.
use v5.36;

use File::Basename qw(basename dirname);
use File::Find qw(find);
use File::Spec;
use File::Temp qw(tempdir);
use FindBin;
use Test::More;

my $root  = File::Spec->rel2abs("$FindBin::Bin/..");
my $build = File::Spec->rel2abs($ENV{BUILD} // 'build');
my $there = tempdir(CLEANUP => 1);

sub contents ($path) {
  open my $file, '<', $path or die "$path: $!\n";
  return join '', <$file>;
}

# What is built already, as `make all` left it: whoever runs the tests has done so.
my $said = `make -C '$root' -s -o all install BUILD='$build' DESTDIR='$there' 2>&1`;
is $?, 0, 'installs' or diag $said;

for my $unit (glob "$there/usr/lib/systemd/system/*.service") {
  my $name = basename($unit, '.service');
  my %line = contents($unit) =~ /^(ExecStart|User|Documentation)=(\S+)/mg;
  ok -x "$there$line{ExecStart}", "$name: $line{ExecStart} is there";
  like `'$there$line{ExecStart}' --version`, qr/\A\Q$name\E \d/, 'and runs';
  like contents("$there/usr/lib/sysusers.d/$name.conf"), qr/^u $line{User} /m, "$line{User} is made";
  ok -f $there . $line{Documentation} =~ s{^file://}{}r, 'what it points to can be read';
  ok -f "$there/usr/share/doc/weir/examples/$name.conf", 'and there is a configuration to begin with';
}

# It reads there what the machine and the web server work, so as to give way.
unlike contents("$there/usr/lib/systemd/system/weir-api.service"), qr/^(?:ProtectProc|ProcSubset|PrivatePIDs)=/m, 'weir-api sees /proc';

for my $folder (qw(migrations analytics)) {
  my @wanted = sort map { basename($_) } glob "$root/sql/$folder/*.sql";
  is_deeply [ sort map { basename($_) } glob "$there/usr/share/weir/sql/$folder/*.sql" ], \@wanted, "sql/$folder, which weirctl migrate applies";
}
like `'$there/usr/bin/weirctl' migrate --help`, qr{/usr/share/weir/sql}, 'where it looks for them';

my @lost;
find(sub {
  return unless /\.md\z/;
  for my $link (contents($_) =~ /\]\(([^)#:]+)(?:#[^)]*)?\)/g) {
    push @lost, substr($File::Find::name, length $there) . " -> $link" unless -e $link;
  }
}, "$there/usr/share/doc/weir");
is_deeply \@lost, [], 'links of the documents lead on' or diag join "\n", @lost;

my @open;
find(sub { push @open, $File::Find::name if -f && (stat)[2] & 0022 }, $there);
is_deeply \@open, [], 'nobody but its owner may write any of it';

done_testing;
