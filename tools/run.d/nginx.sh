# shellcheck shell=bash
# nginx as the private web server. Sourced by tools/run.

check_nginx() {
  need_program /usr/sbin/nginx nginx
  MODULE=$BUILD/ngx_http_weir_module.so
  need_built "${MODULE##*/}"
}

write_nginx_conf() { # path
  local top='' http='' spool='' listen="listen 127.0.0.1:$WEIR_PORT;"
  [[ -z $WEB_USER ]] || top="user $WEB_USER $WEB_GROUP;"
  # A binary upgrade has these for its new master, too.
  ((!${#PRELOAD[@]})) || top+=' env LD_PRELOAD; env ASAN_OPTIONS; env UBSAN_OPTIONS; env TSAN_OPTIONS;'
  [[ -z ${WEIR_FAULTS:-} ]] || top+=' env WEIR_FAULTS;' # for fault/fault_point.h in the workers
  [[ -z ${WEIR_MAIN_CONF:-} ]] || top+=" include \"$(realpath "$WEIR_MAIN_CONF")\";"
  if [[ ${WEIR_SPOOL_OPTIONS:-} != off ]]; then spool="weir_spool \"$DATA/spool\" ${WEIR_SPOOL_OPTIONS:-size=8g};"; fi
  if [[ -n ${WEIR_HTTP_CONF:-} ]]; then http="include \"$(realpath "$WEIR_HTTP_CONF")\";"; fi
  if listens_itself; then listen=''; fi
  fill_in "$ROOT/conf/nginx.conf.in" "$1" "TOP=$top" "SPOOL=$spool" "HTTP=$http" "LISTEN=$listen" \
    "LOCATIONS=$(locations_file "$ROOT/conf/nginx.locations.conf")"
}

spawn_nginx() { # configuration
  spawn web '' '' "${PRELOAD[@]}" /usr/sbin/nginx -e "$RUN/log/web.log" -p "$DATA/web/" -c "$1"
}

# QUIT lets requests in hand come to their end. Workers whose master was killed are told one by one.
end_nginx() {
  if find_main nginx; then
    end_main web 10 QUIT "$MAIN" || end_main web 5 TERM "$MAIN"
  fi
  end_all web 10 QUIT || end_all web 5 TERM
}
