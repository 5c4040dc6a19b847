# shellcheck shell=bash
# The private PostgreSQL: reached over a socket in a folder that only its user can enter, hence trust.
# Sourced by tools/run.

POSTGRES_BIN=

check_postgres() {
  find_postgres
  [[ -n $POSTGRES_BIN ]] || fail "PostgreSQL 15 or later is missing: install it with \`apt-get install postgresql-15\` (or tools/install-deps run)"
  need_program psql postgresql-client-15
  need_built weirctl
}

# Debian keeps the server's programs out of PATH, one folder a version. The oldest that will do: a
# newer one that is installed later must not find the older one's data.
find_postgres() {
  local folder version oldest=
  [[ -z $POSTGRES_BIN ]] || return 0
  for folder in /usr/lib/postgresql/*/bin; do
    version=${folder%/bin} version=${version##*/}
    [[ -x $folder/postgres && -x $folder/initdb && $version =~ ^[0-9]+$ && $version -ge 15 ]] || continue
    [[ -n $oldest && $version -ge $oldest ]] || { oldest=$version POSTGRES_BIN=$folder; }
  done
}

start_postgres() {
  find_postgres
  [[ -e $DATA/postgres/PG_VERSION ]] || make_cluster
  write_file "$DATA/postgres/postgresql.conf" "\
# Written by tools/run at each start.
listen_addresses = ''
unix_socket_directories = '$SOCKETS/postgres'
unix_socket_permissions = 0700
max_connections = 50
fsync = $WEIR_POSTGRES_FSYNC
timezone = 'UTC'
log_timezone = 'UTC'
log_line_prefix = '%m [%p] %q%u '"
  # end_part has made sure that none of its processes is left: a number in a lock file that is alive
  # all the same is somebody else's.
  rm -f "$DATA/postgres/postmaster.pid" "$SOCKETS"/postgres/.s.PGSQL.*
  spawn postgres "$DATA_USER" '' "$POSTGRES_BIN/postgres" -D "$DATA/postgres"
  ASKED=$SECONDS
  await postgres 60 postgres_has_started
  make_database
  migrate
  add_local_viewer
}

# initdb works in a folder of another name, so that a kill in its midst leaves no half a cluster.
make_cluster() {
  local new=$DATA/postgres.new
  [[ ! -e $new ]] || rm -rf "$new"
  mkdir -p "$DATA/postgres" && mkdir -m 700 "$new" || fail "folders in $DATA cannot be made: $(why_not "$DATA")"
  [[ -z $DATA_USER ]] || chown "$DATA_USER:$DATA_GROUP" "$new"
  if [[ -n ${WEIR_POSTGRES_COPY:-} ]]; then
    cp -a --reflink=auto "$WEIR_POSTGRES_COPY/." "$new" || fail "$WEIR_POSTGRES_COPY cannot be copied"
  else
    init_cluster
  fi
  rmdir "$DATA/postgres" && mv "$new" "$DATA/postgres" || fail "$DATA/postgres is in the way: remove it"
}

init_cluster() {
  local said no_sync=()
  [[ $WEIR_POSTGRES_FSYNC == on ]] || no_sync=(--no-sync)
  said=$(cd / && as_data_user "$POSTGRES_BIN/initdb" -D "$new" -U postgres -A trust -E UTF8 --locale=C.UTF-8 "${no_sync[@]}" 2>&1) ||
    fail "PostgreSQL's files cannot be made in $new: $(tail -n 1 <<<"$said")"
}

as_data_user() { # command…
  if [[ -n $DATA_USER ]]; then
    setpriv "--reuid=$DATA_USER" "--regid=$DATA_GROUP" --init-groups "$@"
  else
    "$@"
  fi
}

# A postmaster writes down that it is ready (line 8, as pg_ctl has it from there), which costs less to read than
# pg_isready to start: until then it is asked once a second, whether it replays its log.
postgres_has_started() {
  local said=()
  { mapfile -t said <"$DATA/postgres/postmaster.pid"; } 2>/dev/null
  [[ ${said[7]-} == ready* ]] || ((SECONDS > ASKED)) || return 1
  ASKED=$SECONDS
  postgres_answers
}

postgres_answers() {
  find_postgres
  "$POSTGRES_BIN/pg_isready" -q -h "$SOCKETS/postgres" -U postgres -d postgres
  case $? in
    0) true ;;
    1) BUSY=yes && false ;; # it replays its log
    *) false ;;
  esac
}

sql() { # database, psql's arguments…
  local database=$1
  shift
  psql -XqAt -v ON_ERROR_STOP=1 -h "$SOCKETS/postgres" -U postgres -d "$database" "$@" 2>&1
}

make_database() {
  local said
  said=$(set_up_database) && return
  [[ $said == *'database "weir" does not exist' ]] || fail "PostgreSQL refuses: $said"
  said=$(sql postgres -c 'CREATE DATABASE weir') || fail "the database cannot be made: $said"
  said=$(set_up_database) || fail "the database cannot be set up: $said"
}

set_up_database() { sql weir -c 'ALTER ROLE postgres IN DATABASE weir SET search_path = weir, public'; }

migrate() {
  local said
  said=$("$BUILD/weirctl" migrate --postgres "host='$SOCKETS/postgres' user=postgres dbname=weir" --sql "$ROOT/sql" 2>&1) ||
    fail "the schema cannot be brought up to date: $(tail -n 1 <<<"$said")"
}

# INT ends the sessions and writes all down. Without a postmaster (killed) its children have nothing
# to save: the next start replays the log. Nor has one that replays its log at this moment because a
# process of its own was killed, and that one does not end of INT (15.x waits for its checkpointer,
# which nobody tells).
end_postgres() {
  local pid main=
  find_postgres
  { read -r main <"$DATA/postgres/postmaster.pid"; } 2>/dev/null
  for pid in "${FOUND[@]}"; do
    [[ $pid == "$main" ]] || continue
    postgres_answers || end_main postgres 10 QUIT "$pid"
    end_main postgres 60 INT "$pid" || end_main postgres 10 QUIT "$pid"
    return
  done
  end_all postgres 10 QUIT
}
