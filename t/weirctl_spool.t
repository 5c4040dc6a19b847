# weirctl spool: a look into a directory of segments, which changes nothing in it.
use v5.36;

use FindBin;
use lib "$FindBin::Bin/lib";

use File::Temp qw(tempdir);
use PrivatePostgres;
use Test::More;

my $root    = "$FindBin::Bin/..";
my $build   = $ENV{BUILD} // 'build';
my $weirctl = ($build =~ m{^/} ? '' : "$root/") . "$build/weirctl";
-x $weirctl or BAIL_OUT("there is no $weirctl: run make");

my $directory = tempdir('weir-spool-XXXXXX', TMPDIR => 1, CLEANUP => 1);

sub weirctl (@arguments) { return PrivatePostgres::run_command({}, $weirctl, 'spool', @arguments) }

# The bytes of a golden file: hexadecimal digits, and comments from a '#' on.
sub golden ($name) {
  open my $file, '<', "$root/t/golden/$name" or die "$name: $!\n";
  my $digits = join '', map { s/#.*//sr } <$file>;
  close $file;
  return pack 'H*', $digits =~ s/\s//gr;
}

sub write_file ($name, $bytes) {
  open my $file, '>:raw', "$directory/$name" or die "$name: $!\n";
  print {$file} $bytes;
  close $file or die "$name: $!\n";
  return;
}

sub listing () { return join "\n", map { "$_ " . join ' ', (stat "$directory/$_")[7, 9] } qw(a.spool b.spool c.spool) }

subtest 'an empty directory, and none' => sub {
  my $empty = weirctl(list => $directory);
  is $empty->{status}, 0, 'list: exits with 0';
  like $empty->{out}, qr/^0 segments, 0 files with what was set aside$/m, 'list: says so';
  my $none = weirctl(list => "$directory/none");
  is $none->{status}, 1, 'no directory: exits with 1';
  like $none->{err}, qr/\Aweirctl: cannot list \Q$directory\E\/none: there is no such directory\n\z/, 'no directory: says so';
  like weirctl(list => '/etc/passwd')->{err}, qr/\Aweirctl: cannot list \/etc\/passwd: it is no directory; name the one/, 'a file: says so';
  is weirctl('list')->{status}, 2, 'no argument: exits with 2';
};

subtest 'whole segments' => sub {
  write_file('a.spool', golden('segment-v1.hex'));
  my $list = weirctl(list => $directory);
  is $list->{status}, 0, 'list: exits with 0';
  like $list->{out}, qr/^a\.spool +132 bytes  2 records, begun \d+ \w+ ago by process 4711$/m, 'list: tells of it';
  like $list->{out}, qr/^1 segment, 0 files with what was set aside$/m, 'list: counts';
  my $check = weirctl(check => $directory);
  is $check->{status}, 0, 'check: exits with 0';
  like $check->{out}, qr/process 4711; 2 whole records of 12 bytes$/m, 'check: has read it';
};

subtest 'damage' => sub {
  write_file('b.spool',     golden('segment-v1-damaged.hex'));
  write_file('c.spool',     'this is none');
  write_file('d.spool.bad', 'xyz');
  write_file('e.spool.refused', 'xyz');
  my $before = listing();
  my $check  = weirctl(check => $directory);
  is $check->{status}, 1, 'check: exits with 1';
  like $check->{out}, qr/^b\.spool .*; 2 whole records of 10 bytes, 1 damaged place, a torn tail of 8 bytes$/m, 'check: tells of it';
  like $check->{out}, qr/^c\.spool .* no segment, or its header is damaged$/m,       'check: and of what is no segment';
  like $check->{out}, qr/^3 segments, 2 files with what was set aside$/m,           'check: counts';
  like $check->{err}, qr/\Aweirctl: 2 of them are damaged, [^\n]+docs\/spool\.md/, 'check: says what to do';
  is listing(), $before, 'nothing was changed';
};

done_testing;
