# shellcheck shell=bash
# The private Redis: the buffer between edge and flusher. What it acknowledges is on disk.
# Sourced by tools/run.

check_redis() { need_program redis-server redis-server && need_program redis-cli redis-tools; }

start_redis() {
  local group='' perm=700
  if [[ -n $DATA_USER ]]; then
    group=$WEB_GROUP perm=770
  fi
  write_file "$DATA/redis/redis.conf" "\
# Written by tools/run at each start.
port 0
unixsocket \"$REDIS_SOCKET\"
unixsocketperm $perm
protected-mode yes
daemonize no
dir \"$DATA/redis\"
appendonly yes
appendfsync $WEIR_REDIS_FSYNC
# A kill in the middle of a write leaves half a command at the end, which nobody was told about.
aof-load-truncated yes
save \"\"
# Full means an error that the edge hears, never an entry that goes away.
maxmemory-policy noeviction
${WEIR_REDIS_CONF:+include \"$(realpath "$WEIR_REDIS_CONF")\"}"
  spawn redis "$DATA_USER" "$group" redis-server "$DATA/redis/redis.conf"
  await redis 30 redis_answers
}

redis_answers() {
  local answer
  [[ -S $REDIS_SOCKET ]] || return 1
  answer=$(timeout 5 redis-cli -s "$REDIS_SOCKET" PING 2>/dev/null)
  [[ $answer != *LOADING* ]] || BUSY=yes
  [[ $answer == PONG ]]
}

# TERM writes and syncs what is left, and answers nobody any more.
end_redis() { end_all redis 30 TERM; }
