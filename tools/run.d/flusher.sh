# shellcheck shell=bash
# The private weir-flusher. Sourced by tools/run.

check_flusher() {
  need_built weir-flusher
  need_program perl perl-base
  local owner port=${WEIR_METRICS_PORT:-}
  [[ -n $port ]] || return 0
  find_processes flusher
  ((${#FOUND[@]})) && return # what holds the port is ours, and ends before the new one starts
  owner=$(port_owner "$port") || return 0
  fail "port $port is taken by $owner: end that, or choose another port with WEIR_METRICS_PORT=…"
}

# Sets METRICS_PORT: the same after a repair so long as it is free, and none of those that the kernel gives
# to clients, who might get it while the flusher is dead.
find_metrics_port() {
  METRICS_PORT=${WEIR_METRICS_PORT:-$((20000 + 0x${HASH:0:6} % 10000))}
  [[ -z ${WEIR_METRICS_PORT:-} ]] || return 0
  while port_owner "$METRICS_PORT" >/dev/null; do METRICS_PORT=$((METRICS_PORT + 1)); done
}

start_flusher() {
  local program=$BUILD/weir-flusher notify=$SOCKETS/redis/notify
  # The user that it runs as for root may not reach the checkout.
  [[ -z $DATA_USER ]] || { install_file "$program" "$DATA/bin/weir-flusher" && program=$DATA/bin/weir-flusher; }
  find_metrics_port
  write_file "$DATA/flusher/flusher.conf" "\
# Written by tools/run at each start.
redis = \"unix:${WEIR_REDIS_VIA:-$REDIS_SOCKET}\"
postgres = \"host='$SOCKETS/postgres' user=weir_flusher dbname=weir\"
metrics = \"127.0.0.1:$METRICS_PORT\"
${WEIR_SHARDS:+shards = $WEIR_SHARDS}
${WEIR_FLUSHER_CONF:+$(<"$WEIR_FLUSHER_CONF")}"
  listen_for_ready "$notify"
  find_needs
  spawn flusher "$DATA_USER" "$WEB_GROUP" env "NOTIFY_SOCKET=$notify" \
    "$program" --config "$DATA/flusher/flusher.conf"
  await flusher 60 flusher_is_ready
}

install_file() { # from, to; a program that runs keeps its old file
  install -m 755 "$1" "$2.new" && mv -f "$2.new" "$2" || fail "$2 cannot be written: $(why_not "$(dirname "$2")")"
}

# systemd's protocol: the flusher says READY=1 to the socket in NOTIFY_SOCKET. The listener removes the
# socket when it has heard that, and only then; it also ends when nobody waits for it any more.
listen_for_ready() { # path
  local parent=$BASHPID # behind the & it would be the listener's own
  NOTIFY=$1
  [[ ! -e $1 ]] || rm -f "$1"
  perl -e '
    use Socket;
    my ($path, $parent) = @ARGV;
    umask 0;
    socket my $socket, AF_UNIX, SOCK_DGRAM, 0 or exit 1;
    bind $socket, pack_sockaddr_un($path) or exit 1;
    local $SIG{ALRM} = sub { exit 1 if getppid != $parent; alarm 1 };
    alarm 1;
    while (1) {
      defined recv $socket, my $said, 4096, 0 or next;
      last if $said =~ /^READY=1$/m;
    }
    unlink $path;' "$1" "$parent" </dev/null 9>&- &
  LISTENER=$!
  disown "$LISTENER"
  local deadline=$((SECONDS + 10))
  until [[ -S $1 ]]; do
    ((SECONDS <= deadline)) && is_alive "$LISTENER" || fail "a socket cannot be made at $1: $(why_not "$(dirname "$1")")"
    nap 0.01
  done
}

# It waits for its servers as long as that takes. Where one that was there has been killed meanwhile,
# that one comes first.
flusher_is_ready() { is_alive "$PID" && { [[ ! -S $NOTIFY ]] || ! needs_live; }; }

find_needs() {
  local part
  NEEDS=''
  for part in redis postgres; do
    [[ -s $RUN/pid/$part ]] && NEEDS+=" $part"
  done
}

needs_live() {
  local part
  for part in $NEEDS; do is_up "$part" || return 1; done
}

# Where it serves /metrics and /health, which it has told in its log.
flusher_url() {
  local told
  told=$(sed -nE 's:.*msg="serving /metrics and /health" address=([0-9.]+\:[0-9]+)$:http\://\1:p' "$RUN/log/flusher.log" 2>/dev/null)
  echo "${told##*$'\n'}"
}

# Nobody waits for an answer of it.
flusher_answers() { is_up flusher; }

# TERM finishes the batch in hand.
end_flusher() { end_all flusher 30 TERM; }
