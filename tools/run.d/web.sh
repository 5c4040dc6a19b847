# shellcheck shell=bash
# The private web server with Weir's module: what is the same for each of them. nginx.sh and apache.sh
# have the rest, under their own names:
#
#   check_NAME           what has to be there; sets MODULE
#   write_NAME_conf      writes the configuration to a path
#   spawn_NAME           starts the server with the configuration at a path, after the words in PRELOAD
#   end_NAME             ends it, requests in hand first
#
# WEIR_SERVER is the name. Sourced by tools/run.

SERVERS="nginx apache"

declare -A PROGRAM_OF_SERVER=([nginx]=nginx [apache]=apache2)

# Whether a process is of a server.
is_server() { # name, pid
  find_program "$2"
  [[ $PROGRAM == "${PROGRAM_OF_SERVER[$1]}" ]]
}

check_web() {
  "check_$WEIR_SERVER"
  local file
  for file in "${WEIR_WEB_CONF:-}" "${WEIR_HTTP_CONF:-}" "${WEIR_MAIN_CONF:-}"; do
    [[ -z $file || -r $file ]] ||
      fail "$file cannot be read: WEIR_WEB_CONF, WEIR_HTTP_CONF and WEIR_MAIN_CONF name files with lines for the web server"
  done
  find_processes web
  ((${#FOUND[@]})) || check_port # else what holds the port is ours, and ends before the new one starts
}

# A process that was killed holds its port until the system has taken it down, when nobody is seen to hold it.
check_port() {
  local owner deadline=$((SECONDS + 5))
  while owner=$(port_owner "$WEIR_PORT"); do
    [[ $owner == "$UNSEEN" ]] && ((SECONDS < deadline)) ||
      fail "port $WEIR_PORT is taken by $owner: end that, or choose another port with WEIR_PORT=…"
    nap 0.1
  done
}

UNSEEN="another user's process"

# Says who listens on a port, so far as this user may know. False: nobody does.
port_owner() { # port
  local inode link pid
  inode=$(awk -v port="$(printf '%04X' "$1")" '
    $4 == "0A" && $2 ~ (":" port "$") && $2 ~ /^(0100007F|00000000|0+):/ { print $10; exit }' \
    /proc/net/tcp /proc/net/tcp6 2>/dev/null)
  [[ -n $inode ]] || return 1
  link=$(find /proc/[1-9]*/fd -lname "socket:\[$inode\]" -print -quit 2>/dev/null)
  pid=${link#/proc/} pid=${pid%%/*}
  if [[ -n $pid ]]; then
    echo "$(tr -d '\0' <"/proc/$pid/comm") (pid $pid)"
  else
    echo "$UNSEEN"
  fi
}

start_web() {
  local conf=$DATA/web/$WEIR_SERVER.conf
  check_port
  "check_$WEIR_SERVER"
  set_preload "$MODULE"
  "write_${WEIR_SERVER}_conf" "$conf"
  "spawn_$WEIR_SERVER" "$conf"
  await web 30 web_answers
}

# A module built with sanitizers wants their runtime in the process before anything else: PRELOAD is what
# stands before the command. Servers keep their pools to the end on purpose, so leaks are not looked for.
set_preload() { # module
  local sanitizer
  PRELOAD=()
  for sanitizer in asan tsan; do
    grep -q "__${sanitizer}_init" "$1" || continue
    PRELOAD=(env "LD_PRELOAD=$(gcc "-print-file-name=lib$sanitizer.so")" "ASAN_OPTIONS=detect_leaks=0:${ASAN_OPTIONS:-}"
      "UBSAN_OPTIONS=print_stacktrace=1:${UBSAN_OPTIONS:-}"
      "TSAN_OPTIONS=suppressions='$ROOT/tools/tsan.supp':${TSAN_OPTIONS:-}")
  done
}

# Fills in the words of a template, NAME=VALUE for each @NAME@, and those that every server has.
fill_in() { # template, path, name=value…
  local text path=$2 word
  text=$(<"$1")
  shift 2
  for word in "$@" "MODULE=$MODULE" "WORKERS=$WEIR_WORKERS" "DIR=$DATA/web" "LOG=$RUN/log/web.log" \
    "REDIS_SOCKET=${WEIR_REDIS_VIA:-$REDIS_SOCKET}" "API_SOCKET=$API_SOCKET" \
    "REDIS_OPTIONS=${WEIR_SHARDS:+shards=$WEIR_SHARDS }${WEIR_REDIS_OPTIONS:-}"; do
    text=${text//@${word%%=*}@/"${word#*=}"}
  done
  write_file "$path" "$text"
}

# The file with what is served, and whether it says itself where it listens.
locations_file() { # the file of an ordinary run
  if [[ -n ${WEIR_WEB_CONF:-} ]]; then realpath "$WEIR_WEB_CONF"; else echo "$1"; fi
}

listens_itself() { [[ -n ${WEIR_WEB_CONF:-} ]] && grep -qiE '^[[:space:]]*listen[[:space:]]' "$WEIR_WEB_CONF"; }

# Up means that the port answers. A configuration of a test's own may speak HTTP/2 or TLS there: any
# byte, or an orderly end, is an answer.
web_answers() { [[ $(ask_health) != none ]]; }

# The first line that /health answers.
ask_health() {
  local first=''
  if { exec 8<>"/dev/tcp/127.0.0.1/$WEIR_PORT"; } 2>/dev/null; then
    printf 'GET /health HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n' >&8
    IFS= read -r -t 5 -u 8 first 2>/dev/null
    (($? <= 128)) && echo "$first" && return
  fi
  echo none
}

# Waits a little until every worker has found Redis, so that the first request is not told to come
# again. Requests spread over the workers, so several in a row have to be answered well.
await_health() {
  local deadline=$((SECONDS + 5)) good=0
  is_up web || return 0
  while ((good < 2 * WEIR_WORKERS && SECONDS < deadline)); do
    case $(ask_health) in
      'HTTP/1.1 503'*) good=0 && nap 0.05 ;;
      *) good=$((good + 1)) ;;
    esac
  done
}

# Sets MAIN to the pid that the server wrote down; after a binary upgrade of nginx (USR2) that is the new
# master's. False if it is none of ours, as after a kill.
find_main() { # server
  MAIN=''
  { read -r MAIN <"$DATA/web/$1.pid"; } 2>/dev/null
  [[ -n $MAIN ]] && is_ours web "$MAIN"
}

adopt_main() { find_main "$WEIR_SERVER" && write_file "$RUN/pid/web" "$MAIN"; }

# Whatever of them runs: WEIR_SERVER may have been another one when it was started.
end_web() {
  local name
  for name in $SERVERS; do
    find_processes web
    ((${#FOUND[@]})) || return 0
    is_server "$name" "${FOUND[0]}" && "end_$name"
  done
}
