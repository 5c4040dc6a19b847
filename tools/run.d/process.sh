# shellcheck shell=bash
# Processes of a run: started, recognised, ended. Sourced by tools/run.
#
# A process is one of ours if its working directory is $DATA/PART and its program is PART's. That
# holds for children whose parent was killed, needs no note that could get lost or torn, and cannot be
# mistaken: a number in a pid file may belong to somebody else by now, a working directory cannot.

# Sets PROGRAM to the name of the one that a process has started, or to nothing.
find_program() { # pid
  PROGRAM=
  { read -r PROGRAM <"/proc/$1/comm"; } 2>/dev/null
}

runs_program_of() { # part, pid
  find_program "$2"
  case $1:$PROGRAM in
    redis:redis-server | postgres:postgres | web:nginx | web:apache2 | flusher:weir-flusher | api:weir-api) true ;;
    *) false ;;
  esac
}

is_ours() { # part, pid
  [[ /proc/$2/cwd -ef $DATA/$1 ]] && runs_program_of "$1" "$2"
}

# Sets FOUND to the pids of all of a part's processes.
find_processes() { # part
  local cwd pid
  FOUND=()
  for cwd in /proc/[1-9]*/cwd; do
    [[ $cwd -ef $DATA/$1 ]] || continue
    pid=${cwd#/proc/} pid=${pid%/cwd}
    is_ours "$1" "$pid" && FOUND+=("$pid")
  done
}

# The main process answered once, and lives.
is_up() { # part
  local pid
  { read -r pid <"$RUN/pid/$1"; } 2>/dev/null && [[ -n $pid ]] || return 1
  if [[ $1 == web ]]; then
    # Another web server than the one that is wanted has to go first.
    { is_ours web "$pid" && is_server "$WEIR_SERVER" "$pid"; } || adopt_main
  else
    is_ours "$1" "$pid"
  fi
}

is_alive() { # pid; a process that ended and was not waited for is not
  local stat
  { read -r stat <"/proc/$1/stat"; } 2>/dev/null || return 1
  [[ ${stat##*) } != [ZX]* ]]
}

# A part that was stopped (SIGSTOP), or a worker or session of it, is not running. It is let go on and not
# ended: it may hold what it has acknowledged and not yet written down, and whoever waited for it has
# asked elsewhere by now, which storing by event_id makes harmless. One that a debugger holds is left to
# it. A server that lives and does not answer is never ended here: it may be reading back its log.
rouse() { # part
  local part=$1 pid stopped=() deadline=$((SECONDS + 60)) BUSY
  find_processes "$part"
  for pid in "${FOUND[@]}"; do
    is_stopped "$pid" && stopped+=("$pid")
  done
  ((${#stopped[@]})) || [[ $part == postgres ]] || return 0
  if ((${#stopped[@]})); then
    say "$part was stopped by a signal: letting it go on"
    ROUSED="$part $ROUSED"
    kill -s CONT "${stopped[@]}" 2>/dev/null
  fi
  # PostgreSQL, too, where one of its sessions was killed: it ends the others and starts anew by itself.
  # One that is killed meanwhile is started in its turn.
  until BUSY='' && ! is_up "$part" || "${part}_answers"; do
    [[ -z $BUSY ]] || deadline=$((SECONDS + 60))
    ((SECONDS <= deadline)) || fail "$part runs and does not answer: $(last_line "$part")"
    nap 0.03
  done
}

is_stopped() { # pid
  local stat
  { read -r stat <"/proc/$1/stat"; } 2>/dev/null && [[ ${stat##*) } == T* ]]
}

# The folders of other runs, by the logs that their servers write to, so far as this user may know. One look at all
# processes of the machine: a program started for each of them takes seconds.
other_runs() {
  local at log part
  # Some end meanwhile, and others are not to be looked at: find fails.
  { find /proc/[1-9]*/fd/1 -maxdepth 0 -lname '*/log/*.log' -printf '%h %l\n' 2>/dev/null || true; } | while read -r at log; do
    part=${log##*/} part=${part%.log} at=${at%/fd}
    if [[ $at/cwd -ef $at/cwd/../$part && -O ${log%/log/*}/$MARKER ]] && runs_program_of "$part" "${at#/proc/}"; then
      echo "${log%/log/*}"
    fi
  done | sort -u
}

# Starts a server in a session of its own, so that Ctrl-C in a terminal does not reach it, and sets
# PID. The subshell closes the lock, or a server would hold it for ever.
spawn() { # part, user or '', group or '', command…
  local part=$1 user=$2 group=$3 as=()
  shift 3
  [[ -z $user ]] || as=(setpriv "--reuid=$user" "--regid=${group:-$DATA_GROUP}" --init-groups)
  [[ -z $user || -z $group ]] || as[3]=--clear-groups
  (
    exec 9>&-
    [[ -z $NAP ]] || exec {NAP}>&-
    cd "$DATA/$part" || exit 1
    raise_open_files
    exec setsid "${as[@]}" "$@" </dev/null >>"$RUN/log/$part.log" 2>&1
  ) &
  PID=$!
  disown "$PID"
}

raise_open_files() { ulimit -Sn 65536 2>/dev/null || ulimit -Sn hard; }

# Waits until `probe` holds for the server just spawned. A probe that sets BUSY (a log that is being
# replayed) gets its time anew.
await() { # part, seconds, probe
  local part=$1 seconds=$2 probe=$3 deadline=$((SECONDS + $2)) BUSY
  until BUSY='' && "$probe"; do
    is_alive "$PID" || fail "$part did not come up: $(last_line "$part")"
    [[ -z $BUSY ]] || deadline=$((SECONDS + seconds))
    ((SECONDS <= deadline)) || fail "$part did not answer within $seconds s: $(last_line "$part")"
    nap 0.03
  done
}

last_line() { # part
  local log=$RUN/log/$1.log line
  line=$(tail -n 1 "$log" 2>/dev/null)
  [[ -n $line ]] && printf '%s; ' "\"$line\""
  printf 'see %s' "$log"
}

# Ends a part: its main process in the part's own way, then whatever is left of it.
end_part() { # part
  find_processes "$1"
  ((${#FOUND[@]})) || return 0
  ENDED=1
  "end_$1"
  end_all "$1" 5 KILL
  end_all "$1" 5 KILL
}

# Sends a signal to all of a part's processes and waits until none is left. False when time is up.
end_all() { # part, seconds, signal
  local deadline=$((SECONDS + $2))
  find_processes "$1"
  signal_all "$3"
  while ((${#FOUND[@]})); do
    ((SECONDS <= deadline)) || return 1
    nap 0.03
    find_processes "$1"
  done
}

# The same for one process, waiting until all of its part are gone.
end_main() { # part, seconds, signal, pid
  local deadline=$((SECONDS + $2))
  FOUND=("$4")
  signal_all "$3"
  while find_processes "$1" && ((${#FOUND[@]})); do
    ((SECONDS <= deadline)) || return 1
    nap 0.03
  done
}

# CONT, for a process that was stopped hears of nothing else.
signal_all() { # signal
  local pid
  for pid in "${FOUND[@]}"; do
    kill -s "$1" "$pid" 2>/dev/null && kill -s CONT "$pid" 2>/dev/null
  done
  return 0
}
