# shellcheck shell=bash
# Settings, folders and files of a run. Sourced by tools/run.
#
# Where things lie:
#                    ordinary user                      root
#   $RUN             env, lock, log/, pid/              the same
#   $DATA            $RUN/data                          /var/tmp/weir-HASH/data
#   $SOCKETS         $RUN/sockets, or, where that is    /var/tmp/weir-HASH/sockets
#                    too long for a socket's address,
#                    /var/tmp/weir-HASH/sockets
# HASH is that of RUN's path.
#
# PostgreSQL refuses to run as root, and nothing that takes bytes from elsewhere should. So with root
#   - PostgreSQL, Redis, the flusher and weir-api run as `postgres`, who cannot reach a checkout in /root: hence
#     /var/tmp;
#   - the web server's workers run as `www-data`, which may reach Redis' socket (it belongs to www-data's
#     group) but not the database's (its folder is open to `postgres` alone): the edge speaks only to Redis.
# Its main process stays root, as everywhere: it reads the configuration and the module, wherever they lie.
#
# A test run calls this hundreds of times, and a program that is started costs more than all that bash does
# itself: what is done often, and what polls, starts as few as it can.

ALL_PARTS="redis postgres api web flusher"
MARKER=.weir-run
STARTED=   # parts that this call started, the last one first
ROUSED=    # parts that this call let go on
ENDED=0    # whether this call ended anything
PID=       # of the server that was spawned last
NAP=       # a pipe in which nothing is ever written

say() { printf 'weir: %s\n' "$*"; }

# Ends with one sentence that says what is wrong and what to do.
fail() {
  printf 'weir: %s\n' "$*" >&2
  trap '' INT TERM HUP
  undo
  exit 1
}

# A word as a shell wants it; plain where it can be.
quote() {
  case $1 in
    *[!A-Za-z0-9_./:@%+,=-]* | '') printf "'%s'" "$1" ;;
    *) printf '%s' "$1" ;;
  esac
}

# Sleeps without the program.
nap() { # seconds
  [[ -n $NAP ]] || exec {NAP}<> <(:)
  read -r -t "$1" -u "$NAP" || true
}

# Writes a file so that readers see the old or the new, never a half.
write_file() { # path, lines
  { printf '%s\n' "$2" >"$1.new" && mv -f "$1.new" "$1"; } 2>/dev/null || fail "$1 cannot be written: $(why_not "${1%/*}")"
}

why_not() { # folder
  find_room "$1"
  if [[ -n $FREE && $FREE -lt 10 ]]; then
    echo "the disk is full; make room or choose another folder with RUN=…"
  else
    echo "make $1 writable, or choose another folder with RUN=…"
  fi
}

# Sets FREE to the megabytes that are free where a folder lies, or to nothing.
find_room() { # folder
  FREE=$(df --output=avail -B1M "$1" 2>/dev/null)
  FREE=${FREE##*[!0-9]}
}

# Fills in the defaults and decides where things lie. Touches nothing.
settle() {
  unset "${!PG@}" # what a shell says about other databases is not meant for this one
  export LC_ALL=C.UTF-8
  umask 022
  PATH=$PATH:/usr/sbin:/sbin
  WEIR_PORT=${WEIR_PORT:-8080} WEIR_SERVER=${WEIR_SERVER:-nginx}
  WEIR_MPM=${WEIR_MPM:-event} WEIR_WORKERS=${WEIR_WORKERS:-$(default_workers)} WEIR_REDIS_FSYNC=${WEIR_REDIS_FSYNC:-always}
  WEIR_POSTGRES_FSYNC=${WEIR_POSTGRES_FSYNC:-on}
  RUN=$(cd "$ROOT" && realpath -m -- "${RUN:-run}")
  BUILD=$(cd "$ROOT" && realpath -m -- "${BUILD:-build}")
  [[ $RUN != *[\'\"\\\$\`\;{}\#\*\?\[\]\|$'\n']* ]] ||
    fail "RUN=$RUN has characters in it that configuration files take for something else: choose a plainer path"
  HASH=$(printf %s "$RUN" | sha256sum)
  SHORT=/var/tmp/weir-${HASH:0:12}
  settle_users
}

# One process a core; where each takes one request at a time, as many as there may be clients.
default_workers() {
  if [[ $WEIR_SERVER == apache && $WEIR_MPM == prefork ]]; then echo 100; else nproc; fi
}

settle_users() {
  DATA=$RUN/data SOCKETS=$RUN/sockets DATA_USER='' DATA_GROUP='' WEB_USER='' WEB_GROUP=''
  if ((EUID == 0)); then
    DATA=$SHORT/data SOCKETS=$SHORT/sockets
    read -r DATA_USER DATA_GROUP <<<"$(first_user postgres nobody)"
    read -r WEB_USER WEB_GROUP <<<"$(first_user www-data nobody)"
  elif ((${#SOCKETS} > 80)); then # 107 bytes, less /postgres/.s.PGSQL.5432.lock
    SOCKETS=$SHORT/sockets
  fi
  REDIS_SOCKET=$SOCKETS/redis/redis.sock API_SOCKET=$SOCKETS/api/api.sock
}

# Prints its name and its group's.
first_user() { # name…
  local name group
  for name; do group=$(id -gn "$name" 2>/dev/null) && echo "$name $group" && return; done
}

check_settings() { # wanted parts, each between spaces
  [[ " $SERVERS " == *" $WEIR_SERVER "* ]] ||
    fail "WEIR_SERVER=$WEIR_SERVER is not a web server that Weir has a module for: use one of $SERVERS"
  [[ $WEIR_PORT =~ ^[1-9][0-9]{0,4}$ && $WEIR_PORT -le 65535 ]] ||
    fail "WEIR_PORT=$WEIR_PORT is not a port: choose a number from 1 to 65535"
  [[ ${WEIR_METRICS_PORT:-1} =~ ^[1-9][0-9]{0,4}$ && ${WEIR_METRICS_PORT:-1} -le 65535 ]] ||
    fail "WEIR_METRICS_PORT=$WEIR_METRICS_PORT is not a port: choose a number from 1 to 65535"
  [[ $WEIR_WORKERS =~ ^[1-9][0-9]{0,2}$ ]] || fail "WEIR_WORKERS=$WEIR_WORKERS is not a number of processes from 1 to 999"
  [[ $WEIR_REDIS_FSYNC =~ ^(always|everysec|no)$ ]] ||
    fail "WEIR_REDIS_FSYNC=$WEIR_REDIS_FSYNC is none of always, everysec and no"
  [[ $WEIR_POSTGRES_FSYNC =~ ^(on|off)$ ]] || fail "WEIR_POSTGRES_FSYNC=$WEIR_POSTGRES_FSYNC is neither on nor off"
  local part
  for part in $1; do
    [[ " $ALL_PARTS " == *" $part "* ]] || fail "there is no part $part: name some of $ALL_PARTS"
    is_up "$part" || "check_$part"
  done
}

need_program() { # path or name, package
  command -v "$1" >/dev/null || fail "$1 is missing: install it with \`apt-get install $2\` (or tools/install-deps run)"
}

need_built() { # file
  [[ -e $BUILD/$1 ]] || fail "$BUILD/$1 is missing: build it with \`make\`"
}

# The folder itself, so that it can be locked.
make_run() {
  if [[ -d $RUN && ! -f $RUN/$MARKER && -e $RUN/data ]]; then
    fail "$RUN holds a folder data that is not Weir's: choose another folder with RUN=…"
  fi
  { [[ -d $RUN ]] || mkdir -p "$RUN" 2>/dev/null; } && [[ -w $RUN ]] || fail "RUN=$RUN cannot be written: $(why_not "$RUN")"
  [[ -f $RUN/$MARKER ]] || write_file "$RUN/$MARKER" "Made by tools/run; \`make clean-run\` removes what it put here."
  [[ -O $RUN/$MARKER ]] ||
    fail "RUN=$RUN belongs to the user $(stat -c %U "$RUN/$MARKER"): run Weir as that user, or choose another folder with RUN=…"
}

make_folders() {
  local data=() web=() between=()
  [[ $DATA$SOCKETS != *"$SHORT"* ]] || make_short
  need_room "$RUN"
  [[ $DATA == "$RUN"/* ]] || need_room "${DATA%/*}"
  if [[ -n $DATA_USER ]]; then
    data=(-o "$DATA_USER" -g "$DATA_GROUP") web=(-o "$WEB_USER" -g "$WEB_GROUP") between=(-o "$DATA_USER" -g "$WEB_GROUP")
  fi
  install -d "$RUN"/{log,pid} &&
    install -d -m 711 "$DATA" "$SOCKETS" "$DATA"/{web,web/temp} ${DATA_USER:+"$DATA/bin"} &&
    install -d -m 700 "${data[@]}" "$DATA"/{redis,flusher,api} "$SOCKETS/postgres" &&
    install -d -m 700 "${web[@]}" "$DATA/spool" &&
    install -d -m 750 "${between[@]}" "$SOCKETS"/{redis,api} ||
    fail "folders in $RUN and $DATA cannot be made: $(why_not "$RUN")"
}

need_room() { # folder
  find_room "$1"
  [[ -z $FREE || $FREE -ge 100 ]] ||
    fail "only $FREE MB are free where $1 lies, too little for Redis and PostgreSQL: make room, or choose another folder with RUN=…"
}

# A folder in /var/tmp: anybody may make one there, so it is believed only if it is ours alone.
make_short() {
  [[ -d $SHORT ]] || mkdir -m 711 "$SHORT" 2>/dev/null
  [[ -d $SHORT && ! -L $SHORT && -O $SHORT && $(stat -c %a "$SHORT") == 711 ]] ||
    fail "$SHORT is not a folder that is yours alone: remove it, or choose another folder with RUN=…"
}

# Something of this run is there. With root, data outlives a RUN that was removed by hand.
is_there() { [[ -f $RUN/$MARKER || (-d $DATA && -O $DATA && $DATA != "$RUN"*) ]]; }

remove_data() {
  rm -rf "$RUN"/{data,sockets,log,pid,env,env.new}
  if [[ -d $SHORT && -O $SHORT && ! -L $SHORT ]]; then rm -rf "$SHORT"; fi
  rm -f "$RUN"/{lock,$MARKER}
  rmdir "$RUN" 2>/dev/null || true
}

# One call at a time works on a run. The servers do not inherit the lock (see spawn).
take_lock() { # with an argument: make the folder too
  local tries
  for ((tries = 0; tries < 100; tries++)); do
    [[ -z ${1:-} ]] || make_run
    { exec 9>>"$RUN/lock"; } 2>/dev/null || fail "$RUN/lock cannot be written: $(why_not "$RUN")"
    if ! flock -n 9; then
      say "waiting for another call that works on $RUN"
      flock -w 300 9 || fail "another call has worked on $RUN for 5 minutes: look for it with \`fuser $RUN/lock\`"
    fi
    [[ $RUN/lock -ef /proc/self/fd/9 ]] && return # else clean-run removed it meanwhile
  done
  fail "$RUN is removed again and again by another call"
}

drop_lock() { exec 9>&-; }

write_env() {
  local name text=
  local WEIR_URL=http://127.0.0.1:$WEIR_PORT WEIR_SPOOL=$DATA/spool
  local WEIR_FLUSHER_URL
  WEIR_FLUSHER_URL=$(flusher_url)
  local PGHOST=$SOCKETS/postgres PGPORT=5432 PGDATABASE=weir PGUSER=weir_reader
  for name in WEIR_URL WEIR_SERVER PGHOST PGPORT PGDATABASE PGUSER REDIS_SOCKET API_SOCKET WEIR_SPOOL WEIR_FLUSHER_URL; do
    text+=$name=$(quote "${!name}")$'\n'
  done
  write_file "$RUN/env" "${text%$'\n'}"
}
