# docs/operations.md tells the truth about the spool and its disk: each fault of its table is made,
# looked at from outside, and mended. Redis is away in most of them, since else nobody needs the spool.
use v5.36;
use FindBin;
use lib "$FindBin::Bin/lib";
use WeirTest;
use WeirTest::Operations;

my $weir = start_for_faults(env => { WEIR_SPOOL_OPTIONS => 'size=2m segment=256k' });
my $spool = $weir->setting('WEIR_SPOOL');

# Workers leave their segments behind, and nobody has one open.
sub kill_workers () {
  my @old = $weir->workers;
  kill KILL => @old;
  ok wait_for(sub { 2 == grep { my $pid = $_; !grep { $_ == $pid } @old } $weir->workers }), 'new workers came';
  return;
}

# The bytes of a segment up to the last that was written, as its header tells: the last record may
# end in a zero.
sub written ($path) {
  my $bytes = WeirTest::Server::read_file($path);
  return substr $bytes, 0, unpack 'Q>', substr $bytes, 32, 8;
}

sub change ($path, $at, $bytes) {
  open my $file, '+<:raw', $path or die "$path: $!\n";
  seek $file, $at, 0;
  print {$file} $bytes;
  close $file or die "$path: $!\n";
  return;
}

in_trouble 'The spool has reached its `size=`' => sub {
  $weir->signal(redis => 'KILL');
  my %much = map { ("p$_" => 'x' x 4000) } 1 .. 12;
  my $answer;
  ok wait_for(sub { $answer = post_event(properties => \%much); $answer->{status} == 503 }), 'it takes events until it is full';
  like $answer->{headers}{'retry-after'}, qr/\A[1-9]/, '503 has Retry-After';
  operators_see();
  $weir->repair;
};

in_trouble 'The folder of the spool is removed' => sub {
  $weir->signal(redis => 'KILL');
  # What filled it before is drained by now, or will be noticed within a second to be.
  ok wait_for(sub { post_event()->{status} == 200 }), 'a worker has a segment open';
  rename $spool, "$spool.away" or die "rename: $!\n";
  clients_see();
  operators_see();
  rename "$spool.away", $spool or die "rename: $!\n";
  $weir->repair;
};

in_trouble 'The folder of the spool may not be written, or belongs to somebody else' => sub {
  $weir->signal(redis => 'KILL');
  kill_workers();
  my ($uid, $gid) = (stat $spool)[ 4, 5 ];
  chmod 0500, $spool or die "chmod: $!\n";
  clients_see();
  operators_see();
  chmod 0700, $spool or die "chmod: $!\n";
  if ($> == 0) {    # an ordinary user cannot give it away
    chown 0, 0, $spool or die "chown: $!\n";
    ok wait_for(sub { post_event()->{status} == 503 }), 'nor do workers write to what belongs to root';
    chown $uid, $gid, $spool or die "chown: $!\n";
  }
  $weir->repair;
};

in_trouble "The spool's disk is full" => sub {
  my ($free) = `df --output=avail -B1M '$spool'` =~ /(\d+)\s*\z/;
  reconfigure(spool => sub ($words) { "$words free=@{[ $free + 10_000 ]}m" });
  $weir->signal(redis => 'KILL');
  clients_see();
  operators_see();
  reconfigure(spool => sub ($words) { $words =~ s/ free=\d+m//r });
  $weir->repair;
};

in_trouble 'A reload names another folder while the old one holds records' => sub {
  $weir->signal(redis => 'KILL');
  clients_see();
  reconfigure(spool => sub ($words) { $words =~ s/\A("[^"]*)"/$1-new"/r });
  operators_see();
  rename $_, s{/spool/}{/spool-new/}r or die "rename: $!\n" for spool_files();
  $weir->repair;
  redis_is_used_again();
  ok wait_for(sub { !(() = glob "$spool-new/*.spool") }), 'the new folder is drained';
  reconfigure(spool => sub ($words) { $words =~ s/\A("[^"]*)-new"/$1"/r });
};

in_trouble 'A segment has damage' => sub {
  $weir->signal(redis => 'KILL');
  clients_see();
  kill_workers();
  my ($path) = sort { length written($b) <=> length written($a) } spool_files();
  change($path, int(length(written($path)) / 2), 'damage');
  $weir->repair;
  operators_see();
  ok wait_for(sub { scalar(() = glob "$spool/*.bad") }), 'what cannot be read is set aside';
  lost_to_the_disk(1);
};

in_trouble 'A segment has a torn tail' => sub {
  $weir->signal(redis => 'KILL');
  clients_see();
  kill_workers();
  my ($path) = spool_files();
  my $bytes = written($path);
  change($path, length $bytes, substr $bytes, 64, 40);
  $weir->repair;
  operators_see();
};

in_trouble 'A file in the spool cannot be used' => sub {
  my $path = "$spool/0000000000000001-1.spool";
  # Under its name only when it is unreadable: a look in between would log another cause for a minute.
  WeirTest::Server::write_file("$path.new", 'no segment');
  chmod 0000, "$path.new" or die "chmod: $!\n";
  rename "$path.new", $path or die "rename: $!\n";
  clients_see();
  operators_see();
  unlink $path;
};

allow_killed_workers();
faults_done();
