# A small disk for the spool, which can be filled.
#
#   my $disk = Weir::Chaos::Disk->mount($folder, '48m');    # where root may mount
#   $disk->fill; … $disk->empty; … $disk->unmount;
#
# Where nothing may be mounted, mount() returns undef and says why in $Weir::Chaos::Disk::why. Then
# closed() stands in: a folder in which no file can be made any more.
package Weir::Chaos::Disk;
use v5.36;

use File::Path qw(make_path);

our $why;

sub mount ($class, $folder, $size) {
  make_path($folder);
  my $said = `mount -t tmpfs -o size=$size,mode=700 weir-chaos '$folder' 2>&1`;
  if ($?) { ($why = $said) =~ s/\s+\z//; return }
  return bless { folder => $folder, owner => $$ }, $class;
}

sub closed ($class, $folder) { return bless { folder => $folder, owner => $$, unmounted => 1, closed => 1 }, $class }

sub fill ($self) {
  return chmod 0500, $self->{folder} if $self->{closed};
  open my $file, '>', "$self->{folder}/.filler" or return;
  my $block = "\0" x 65_536;
  while (syswrite $file, $block) { }
  $block = "\0" x 512;
  while (syswrite $file, $block) { }
  close $file;
  return;
}

sub empty ($self) {
  return chmod 0700, $self->{folder} if $self->{closed};
  return unlink "$self->{folder}/.filler";
}

sub unmount ($self) {
  return if $self->{owner} != $$ || $self->{unmounted}++;
  $self->empty;
  # Lazily, for after a test that died something may still have it open.
  system 'umount', '-l', $self->{folder};
  return;
}

sub DESTROY ($self) { local $?; $self->unmount; return }

1;
