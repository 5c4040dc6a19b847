# shellcheck shell=bash
# Apache httpd as the private web server, with the multi-processing module that WEIR_MPM names. Sourced by
# tools/run.

APACHE_MODULES=/usr/lib/apache2/modules

# Threads of a child. Each holds one request at a time, and with it a client that is slow.
APACHE_THREADS=512

check_apache() {
  local needed
  need_program /usr/sbin/apache2 apache2-bin
  [[ $WEIR_MPM =~ ^(event|worker|prefork)$ ]] || fail "WEIR_MPM=$WEIR_MPM is none of event, worker and prefork"
  MODULE=$BUILD/mod_weir.so
  need_built "${MODULE##*/}"
  for needed in "mod_mpm_$WEIR_MPM" mod_authz_core; do
    [[ -e $APACHE_MODULES/$needed.so ]] ||
      fail "$APACHE_MODULES/$needed.so is missing: install it with \`apt-get install apache2-bin\` (or tools/install-deps run)"
  done
}

write_apache_conf() { # path
  local user='' spool='' http='' listen="Listen 127.0.0.1:$WEIR_PORT"
  [[ -z $WEB_USER ]] || user="User $WEB_USER"$'\n'"Group $WEB_GROUP"
  if [[ ${WEIR_SPOOL_OPTIONS:-} != off ]]; then spool="WeirSpool \"$DATA/spool\" ${WEIR_SPOOL_OPTIONS:-size=8g}"; fi
  if [[ -n ${WEIR_HTTP_CONF:-} ]]; then http="Include \"$(realpath "$WEIR_HTTP_CONF")\""; fi
  if listens_itself; then listen=''; fi
  fill_in "$ROOT/conf/httpd.conf.in" "$1" "MODULES=$APACHE_MODULES" "MPM=$WEIR_MPM" "PROCESSES=$(apache_processes)" \
    "USER=$user" "SPOOL=$spool" "HTTP=$http" "LISTEN=$listen" \
    "LOCATIONS=$(locations_file "$ROOT/conf/httpd.locations.conf")"
}

# As many children as WEIR_WORKERS says, and always: Apache starts one where fewer than the spare threads
# are idle, as when a child has died, and ends some only where more are. Children that finish what they
# have in hand keep their places among ServerLimit's until they leave.
apache_processes() {
  local places=$((WEIR_WORKERS * 8 + 8))
  if [[ $WEIR_MPM == prefork ]]; then
    printf '%s\n' "ServerLimit $places" "StartServers $WEIR_WORKERS" "MaxRequestWorkers $WEIR_WORKERS" \
      "MinSpareServers $WEIR_WORKERS" "MaxSpareServers $((WEIR_WORKERS + 1))" "KeepAliveTimeout 5"
  else
    local threads=$((WEIR_WORKERS * APACHE_THREADS))
    printf '%s\n' "ServerLimit $places" "ThreadLimit $APACHE_THREADS" "ThreadsPerChild $APACHE_THREADS" \
      "StartServers $WEIR_WORKERS" "MaxRequestWorkers $threads" "MinSpareThreads $((threads - APACHE_THREADS + 1))" \
      "MaxSpareThreads $((threads + 1))" "KeepAliveTimeout $([[ $WEIR_MPM == event ]] && echo 75 || echo 5)"
  fi
}

# httpd takes the number that a parent wrote down which was killed for a running one, if any process has it
# by now, be it one that nobody has waited for.
spawn_apache() { # configuration
  rm -f "$DATA/web/apache.pid"
  spawn web '' '' "${PRELOAD[@]}" /usr/sbin/apache2 -DFOREGROUND -f "$1"
}

# WINCH lets requests in hand come to their end. Children whose parent was killed listen to nobody else
# (prefork's alone hear TERM): they are killed, which costs answers, but nothing that was answered.
end_apache() {
  if find_main apache; then
    end_main web 10 WINCH "$MAIN" || end_main web 10 TERM "$MAIN"
  fi
  end_all web 1 TERM
}
