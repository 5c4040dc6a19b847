# shellcheck shell=bash
# The private nginx with Weir's module. Sourced by tools/run.

check_web() {
  need_program /usr/sbin/nginx nginx
  need_built ngx_http_weir_module.so
  local file
  for file in "${WEIR_WEB_CONF:-}" "${WEIR_HTTP_CONF:-}"; do
    [[ -z $file || -r $file ]] || fail "$file cannot be read: WEIR_WEB_CONF and WEIR_HTTP_CONF name files with lines for nginx"
  done
  find_processes web
  ((${#FOUND[@]})) || check_port # else what holds the port is ours, and ends before the new one starts
}

check_port() {
  local owner
  owner=$(port_owner "$WEIR_PORT") || return 0
  fail "port $WEIR_PORT is taken by $owner: end that, or choose another port with WEIR_PORT=…"
}

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
    echo "another user's process"
  fi
}

start_web() {
  check_port
  local dir=$DATA/web preload=() module=$BUILD/ngx_http_weir_module.so
  mkdir -p "$dir/temp"
  [[ -z $WEB_USER ]] || chmod 711 "$dir/temp"
  # A module built with sanitizers wants their runtime in the process before anything else, in that of
  # a binary upgrade too (`env`). nginx keeps its pools to the end on purpose, so leaks are not looked
  # for here.
  local keep='' sanitizer
  for sanitizer in asan tsan; do
    grep -q "__${sanitizer}_init" "$module" || continue
    keep='env LD_PRELOAD; env ASAN_OPTIONS; env UBSAN_OPTIONS; env TSAN_OPTIONS;'
    preload=(env "LD_PRELOAD=$(gcc "-print-file-name=lib$sanitizer.so")" "ASAN_OPTIONS=detect_leaks=0:${ASAN_OPTIONS:-}"
      "UBSAN_OPTIONS=print_stacktrace=1:${UBSAN_OPTIONS:-}"
      "TSAN_OPTIONS=suppressions='$ROOT/tools/tsan.supp':${TSAN_OPTIONS:-}")
  done
  [[ -z ${WEIR_FAULTS:-} ]] || keep+=' env WEIR_FAULTS;' # for fault/fault_point.h in the workers
  write_nginx_conf "$dir/nginx.conf" "$keep"
  spawn web '' '' "${preload[@]}" /usr/sbin/nginx -e "$RUN/log/web.log" -p "$dir/" -c "$dir/nginx.conf"
  await web 30 web_answers
}

write_nginx_conf() { # path, lines for the top
  local text user='' http='' spool='' locations=$ROOT/conf/nginx.locations.conf listen="listen 127.0.0.1:$WEIR_PORT;"
  [[ -z $WEB_USER ]] || user="user $WEB_USER $(id -gn "$WEB_USER");"
  if [[ ${WEIR_SPOOL_OPTIONS:-} != off ]]; then spool="weir_spool \"$DATA/spool\" ${WEIR_SPOOL_OPTIONS:-size=8g};"; fi
  if [[ -n ${WEIR_HTTP_CONF:-} ]]; then http="include \"$(realpath "$WEIR_HTTP_CONF")\";"; fi
  if [[ -n ${WEIR_WEB_CONF:-} ]]; then
    locations=$(realpath "$WEIR_WEB_CONF")
    if grep -qE '^[[:space:]]*listen[[:space:]]' "$locations"; then listen=''; fi
  fi
  text=$(<"$ROOT/conf/nginx.conf.in")
  text=${text//@TOP@/"$user $2"} text=${text//@MODULE@/"$BUILD/ngx_http_weir_module.so"}
  text=${text//@WORKERS@/"$WEIR_WORKERS"} text=${text//@DIR@/"$DATA/web"}
  text=${text//@LOG@/"$RUN/log/web.log"} text=${text//@REDIS_SOCKET@/"${WEIR_REDIS_VIA:-$REDIS_SOCKET}"}
  text=${text//@REDIS_OPTIONS@/"${WEIR_SHARDS:+shards=$WEIR_SHARDS }${WEIR_REDIS_OPTIONS:-}"}
  text=${text//@SPOOL@/"$spool"}
  text=${text//@HTTP@/"$http"} text=${text//@LISTEN@/"$listen"} text=${text//@LOCATIONS@/"$locations"}
  write_file "$1" <<<"$text"
}

# Up means that the port answers. A server block of a test's own may speak HTTP/2 or TLS there: any
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
      'HTTP/1.1 503'*) good=0 && sleep 0.05 ;;
      *) good=$((good + 1)) ;;
    esac
  done
}

# Sets MASTER to the pid that nginx wrote down; after a binary upgrade (USR2) that is the new master's.
# False if it is none of ours, as after a kill.
find_master() {
  MASTER=''
  { read -r MASTER <"$DATA/web/nginx.pid"; } 2>/dev/null
  [[ -n $MASTER ]] && is_ours web "$MASTER"
}

adopt_master() { find_master && write_file "$RUN/pid/web" <<<"$MASTER"; }

# QUIT lets requests in hand come to their end. Workers whose master was killed are told one by one.
end_web() {
  if find_master; then
    end_main web 10 QUIT "$MASTER" || end_main web 5 TERM "$MASTER"
  fi
  end_all web 10 QUIT || end_all web 5 TERM
}
