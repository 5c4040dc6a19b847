# shellcheck shell=bash
# The private weir-api, at a socket that the web server's group may open. Sourced by tools/run.

check_api() { need_built weir-api; }

start_api() {
  local program=$BUILD/weir-api
  [[ -z $DATA_USER ]] || { install_file "$program" "$DATA/bin/weir-api" && program=$DATA/bin/weir-api; }
  [[ ! -e $API_SOCKET ]] || rm -f "$API_SOCKET"
  write_file "$DATA/api/api.conf" "\
# Written by tools/run at each start.
socket = \"$API_SOCKET\"
postgres = \"host='$SOCKETS/postgres' user=weir_api dbname=weir\"
${WEIR_API_CONF:+$(<"$WEIR_API_CONF")}"
  spawn api "$DATA_USER" "$WEB_GROUP" "$program" --config "$DATA/api/api.conf"
  await api 30 api_listens
}

api_listens() { [[ -S $API_SOCKET ]]; }

# What is served by itself calls everybody who reaches it on this machine the viewer `local`.
add_local_viewer() {
  local said
  [[ -z ${WEIR_WEB_CONF:-} ]] || return 0
  said=$("$BUILD/weirctl" viewers add --postgres "host='$SOCKETS/postgres' user=postgres dbname=weir" local '*' 2>&1) ||
    fail "the viewer \`local\` cannot be added: $(tail -n 1 <<<"$said")"
}

# Nobody waits for an answer of it.
api_answers() { is_up api; }

# TERM answers what is in hand.
end_api() { end_all api 15 TERM; }
