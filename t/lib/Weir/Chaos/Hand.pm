# The hand that breaks things: carries out the steps of a plan against one Weir, and repairs it with
# tools/run up after each.
#
#   my $hand = Weir::Chaos::Hand->new($weir);
#   $hand->do($step);
#   $hand->{kills}            # {redis => 3, worker => 2, …}
#   $hand->{trouble}          # sentences about what did not go as it should
#   $hand->{full}             # [[from, to], …] in ms: when neither Redis nor the spool's disk had room
package Weir::Chaos::Hand;
use v5.36;

use Time::HiRes qw(time);

use WeirTest ();
use Weir::Chaos::Plan;

sub new ($class, $weir) {
  return bless { weir => $weir, kills => {}, steps => {}, trouble => [], full => [] }, $class;
}

# Lets time pass, for a fault lasts as long as the plan says; `meanwhile` is called all along.
sub let_pass ($self, $seconds) {
  my $end = time + $seconds;
  do {
    $self->{meanwhile}->() if $self->{meanwhile};
    select undef, undef, undef, 0.02;
  } while time < $end;
  return;
}

sub do ($self, $step) {
  $self->let_pass($step->{pause});
  $self->{steps}{ $step->{fault} }++;
  my $method = "do_$step->{fault}";
  $self->{broken} = 1;    # whoever asks a server now may wait for it until the hand lets it go on
  $self->$method($step);
  $self->repair(Weir::Chaos::Plan::describe($step));
  $self->{broken} = 0;
  return;
}

# Who -----------------------------------------------------------------------------------------

# The pids that a word of the plan means at this moment.
sub pids ($self, $who, $pick) {
  my $weir = $self->{weir};
  return grep { defined } $weir->alive('web') if $who eq 'master';
  return $self->{cutter} if $who eq 'cutter';
  return grep { defined } $weir->alive($who) unless $who =~ /\A(?:worker|web|backend)\z/;
  my $main = $weir->alive($who eq 'backend' ? 'postgres' : 'web') or return;
  my @children = WeirTest::Server::workers_of($main);
  return ($main, @children) if $who eq 'web';
  # Those that serve sessions matter most, but the others die, too.
  return @children ? $children[ $pick % @children ] : ();
}

sub send_signal ($self, $step, $signal) {
  for my $who ($step->{who}->@*) {
    for my $pid ($self->pids($who, $step->{pick})) {
      kill $signal => $pid or next;
      $self->{kills}{$who}++ if $signal eq 'KILL';
    }
  }
  return;
}

# What ---------------------------------------------------------------------------------------

sub do_kill ($self, $step) {
  $self->send_signal($step, 'KILL');
  return $self->let_pass($step->{hold});
}

# The same processes go on, or die, that were stopped.
sub do_stop ($self, $step, $then = 'CONT') {
  my @stopped;
  for my $who ($step->{who}->@*) {
    push @stopped, map { [ $who, $_ ] } grep { kill STOP => $_ } $self->pids($who, $step->{pick});
  }
  $self->let_pass($step->{hold});
  for my $one (@stopped) {
    kill $then => $one->[1] or next;
    $self->{kills}{ $one->[0] }++ if $then eq 'KILL';
  }
  return;
}

sub do_stop_kill ($self, $step) { return $self->do_stop($step, 'KILL') }

my %cut_by_signal = (reply => 'USR1', command => 'USR2', answer => 'HUP');

sub do_cut ($self, $step) {
  my $what = $step->{who}[0];
  my $done = eval {
    if (my $signal = $cut_by_signal{$what}) {
      kill $signal => $self->{cutter} or die "the cutter is gone\n";
    } elsif ($what eq 'redis') {
      WeirTest::redis()->client_kill('TYPE', 'normal', 'SKIPME', 'yes');
    } else {
      WeirTest::db('postgres')->do(
        q(SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'weir_flusher'));
    }
    1;
  };
  push $self->{trouble}->@*, "$what was not cut: $@" unless $done;
  return $self->let_pass($step->{hold} / 2);
}

sub do_full ($self, $step) {
  my $began = int(time * 1000);
  $self->{disk}->fill if $self->{disk};
  $self->send_signal($step, 'KILL');
  $self->let_pass($step->{hold});
  $self->{disk}->empty if $self->{disk};
  $self->repair('a full disk');
  push $self->{full}->@*, [ $began, int(time * 1000) ];
  return;
}

sub do_reload ($self, $step) {
  $self->send_signal($step, $self->{weir}->adapter->reload_signal);
  return $self->let_pass($step->{hold});
}

sub do_restart ($self, $step) {
  $self->send_signal($step, 'HUP');
  return $self->let_pass($step->{hold});
}

# https://nginx.org/en/docs/control.html#upgrade; a master that is no daemon takes no WINCH, but one
# that an upgrade started does.
sub do_upgrade ($self, $step) {
  my ($old) = $self->pids('master', 0) or return;
  my %known = map { $_ => 1 } WeirTest::Server::workers_of($old);
  kill USR2 => $old;
  my $new = WeirTest::wait_for(sub {
    my ($master) = grep { !$known{$_} && WeirTest::Server::workers_of($_) } WeirTest::Server::workers_of($old);
    $master;
  });
  push $self->{trouble}->@*, 'an upgrade of nginx brought no new master within a minute' unless $new;
  kill WINCH => $old;
  $self->let_pass($step->{hold});
  kill QUIT => $old if $new;
  WeirTest::wait_for(sub { !WeirTest::Server::runs($old) })
    || push $self->{trouble}->@*, 'the old master of an upgrade did not leave within a minute'
    if $new;
  return;
}

# After -----------------------------------------------------------------------------------------

sub repair ($self, $after) {
  my $began = time;
  for my $try (1 .. 3) {
    my ($status, $said) = $self->{weir}->tool('up');
    $self->{meanwhile}->() if $self->{meanwhile};
    last unless $status;
    push $self->{trouble}->@*, "tools/run up failed after '$after' ($status): $said";
  }
  # Sessions of this process may have been among what was ended.
  WeirTest::disconnect();
  my $took = time - $began;
  $self->{slowest_repair} = $took if $took > ($self->{slowest_repair} // 0);
  return;
}

sub kills ($self) {
  my $sum = 0;
  $sum += $_ for values $self->{kills}->%*;
  return $sum;
}

1;
