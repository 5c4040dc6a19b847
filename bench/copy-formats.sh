#!/usr/bin/env bash
# Which way into weir.events is the fastest? Compares, on a private PostgreSQL that it makes and drops:
#
#   binary            COPY … (FORMAT binary) into weir.events, as the flusher does it
#   text              COPY … (FORMAT text) into weir.events
#   binary, staged    COPY binary into a temporary table, then INSERT … ON CONFLICT DO NOTHING
#   text, staged      COPY text into a temporary table, then the same INSERT
#
# The same rows each time, in transactions of 10,000 as the flusher has them, over a socket; the ways
# take turns, and the middle one of each way's runs counts. Beside the time on the clock stands the CPU
# time of PostgreSQL's process, which a busy machine does not stretch as much.
#
#   bench/copy-formats.sh            # ROWS=500000 RUNS=3 TMPDIR=/tmp
set -u -o pipefail

ROOT=$(cd -P "$(dirname "${BASH_SOURCE[0]}")/.." && pwd) || exit 1
ROWS=${ROWS:-500000} RUNS=${RUNS:-3} BATCH=10000
WAYS=("binary" "text" "binary, staged" "text, staged")

fail() {
  echo "copy-formats: $*" >&2
  exit 1
}

# PostgreSQL refuses to run as root.
as_postgres() {
  if ((EUID == 0)); then
    (cd / && setpriv --reuid=postgres --regid=postgres --clear-groups "$@")
  else
    "$@"
  fi
}

find_postgres() {
  local folder
  for folder in $(printf '%s\n' /usr/lib/postgresql/*/bin | sort -V); do
    [[ -x $folder/initdb && ${folder//[!0-9]/} -ge 15 ]] && PG_BIN=$folder
  done
  [[ -n ${PG_BIN:-} ]] || fail "PostgreSQL 15 or later is missing: apt-get install postgresql-15"
}

start_cluster() {
  PLACE=$(mktemp -d "${TMPDIR:-/tmp}/weir-bench-XXXXXX") || fail "cannot make a folder"
  trap stop_cluster EXIT
  ((EUID != 0)) || chown postgres: "$PLACE"
  as_postgres "$PG_BIN/initdb" -D "$PLACE/data" -U postgres -A trust -E UTF8 --locale=C.UTF-8 \
    >"$PLACE/initdb.log" 2>&1 || fail "initdb: $(tail -n 1 "$PLACE/initdb.log")"
  # Room enough in the log that no checkpoint falls into a run.
  as_postgres "$PG_BIN/pg_ctl" -D "$PLACE/data" -w -s -l "$PLACE/log" start \
    -o "-k $PLACE -c listen_addresses= -c max_wal_size=8GB -c checkpoint_timeout=1h -c shared_buffers=256MB" ||
    fail "PostgreSQL does not start: $(tail -n 1 "$PLACE/log")"
}

stop_cluster() {
  [[ ! -e $PLACE/data/postmaster.pid ]] || as_postgres "$PG_BIN/pg_ctl" -D "$PLACE/data" -s -m immediate stop
  rm -rf "$PLACE"
}

sql() { psql -XqAt -v ON_ERROR_STOP=1 -h "$PLACE" -U postgres "$@"; }

# Rows as the edge makes them: some 300 bytes, nearly all of the last two days, a few late ones.
make_rows() {
  local file
  for file in "$ROOT"/sql/migrations/*.sql; do
    sql -1 -f "$file" >"$PLACE/migrate.log" || fail "$file cannot be applied"
  done
  sql <<SQL || fail "the rows cannot be made"
CREATE UNLOGGED TABLE source AS
SELECT n / $BATCH AS batch, gen_random_uuid() AS event_id, 'default' AS tenant_id,
  md5((n % 20000)::text)::uuid::text AS user_id, NULL::text AS session_id,
  (ARRAY['app_opened', 'recording_started', 'recording_completed', 'transcription_completed'])[1 + n % 4] AS event,
  '1.' || n % 7 || '.0' AS app_version, 'macOS 14.' || n % 5 AS platform,
  (ARRAY['DE', 'US', 'MX', 'ES', NULL])[1 + n % 5] AS country,
  jsonb_build_object('audio_duration_seconds', n % 600, 'processing_time_seconds', round((random() * 9)::numeric, 3),
    'source', CASE n % 2 WHEN 0 THEN 'widget' ELSE 'main_window' END, 'success', n % 20 <> 0,
    'estimated_cost_usd', round((n % 600) / 60.0 * 0.006, 6)) AS properties,
  now() - age AS "timestamp", now() - age AS client_timestamp, now() AS received_at
FROM generate_series(0, $ROWS - 1) AS n,
  LATERAL (SELECT random() * CASE WHEN n % 100 = 0 THEN interval '30 days' ELSE interval '2 days' END AS age) AS late;
CREATE INDEX ON source (batch);
ANALYZE source;
SQL
  BATCHES=$(sql -c 'SELECT max(batch) FROM source')
  COLUMNS_LIST=$(sql -c "SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) FROM pg_attribute
    WHERE attrelid = 'weir.events'::regclass AND attnum > 0")
  local batch format
  for format in text binary; do
    for ((batch = 0; batch <= BATCHES; ++batch)); do
      echo "\\copy (SELECT $COLUMNS_LIST FROM source WHERE batch = $batch) TO '$PLACE/$format.$batch' (FORMAT $format)"
    done
  done | sql || fail "the rows cannot be written to files"
}

# The statements of one run: a transaction for each batch.
script_of() { # way
  local batch format=${1%%,*} table=weir.events
  [[ $1 != *staged ]] || table=staged
  [[ $table == weir.events ]] ||
    echo 'CREATE TEMPORARY TABLE staged (LIKE weir.events INCLUDING DEFAULTS) ON COMMIT DELETE ROWS;'
  for ((batch = 0; batch <= BATCHES; ++batch)); do
    echo 'BEGIN;'
    echo "\\copy $table FROM '$PLACE/$format.$batch' (FORMAT $format)"
    [[ $table == weir.events ]] || echo 'INSERT INTO weir.events SELECT * FROM staged ON CONFLICT DO NOTHING;'
    echo 'COMMIT;'
  done
  # User and system time so far, in ticks.
  echo "SELECT split_part(s, ' ', 14)::int + split_part(s, ' ', 15)::int FROM pg_read_file('/proc/self/stat') AS s;"
}

run() { # way; prints its seconds by the clock and of CPU
  local begin end ticks
  sql -c 'TRUNCATE weir.events' -c CHECKPOINT
  script_of "$1" >"$PLACE/script"
  begin=$(date +%s%N)
  ticks=$(sql -f "$PLACE/script") || fail "$1: a run failed"
  end=$(date +%s%N)
  [[ $(sql -c 'SELECT count(*) FROM weir.events') == "$ROWS" ]] || fail "$1: rows are missing"
  awk -v ns=$((end - begin)) -v ticks="$ticks" -v hz="$(getconf CLK_TCK)" \
    'BEGIN { printf "%.2f %.2f\n", ns / 1e9, ticks / hz }'
}

median() { # way, column
  awk -v column="$2" '{ print $column }' "$PLACE/runs.$1" | sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'
}

size_of() { echo $(($(cat "$PLACE/$1".* | wc -c) / ROWS)); } # format

report() {
  local way
  echo "$ROWS rows of $(size_of binary) bytes as binary, $(size_of text) as text; median of $RUNS runs"
  printf '\n| way | seconds | CPU s | rows/s | time / binary | CPU / binary | all runs: seconds (CPU s) |\n|---|---|---|---|---|---|---|\n'
  for way in "${WAYS[@]}"; do
    awk -v way="$way" -v m="$(median "$way" 1)" -v c="$(median "$way" 2)" -v bm="$(median binary 1)" \
      -v bc="$(median binary 2)" -v rows="$ROWS" -v runs="$(awk '{ printf "%s (%s) ", $1, $2 }' "$PLACE/runs.$way")" \
      'BEGIN { printf "| %s | %.2f | %.2f | %d | %.2f | %.2f | %s|\n", way, m, c, rows / m, m / bm, c / bc, runs }'
  done
}

find_postgres
start_cluster
make_rows
for ((turn = 1; turn <= RUNS; ++turn)); do
  for way in "${WAYS[@]}"; do run "$way" >>"$PLACE/runs.$way" || exit 1; done
done
report
