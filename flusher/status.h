// How the flusher fares, for those who ask from outside (a thread that answers HTTP, say): the
// flusher's own thread publishes now and then, anybody reads.
//
//   StatusBoard board;
//   board.publish(status);             // at least once a second, however long an outage lasts
//   const Status now = board.read();
//
// Times are of the steady clock; those that never were are none.
#pragma once

#include <chrono>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <prometheus/client_metric.h>

#include "flusher/unread_streams.h"

namespace weir::flusher {

using SteadyTime = std::chrono::steady_clock::time_point;

struct ShardStatus {
  std::string stream;
  bool is_held = false;              // we hold its lease
  std::string token;                 // of the lease
  std::string position;              // stored last, "" if nothing was yet or it is not known
  std::uint64_t backlog = 0;         // entries in Redis, as seen last
  std::uint64_t backlog_events = 0;  // of those, see event_lag.h
  double backlog_seconds = 0;  // age of the oldest of them, by Redis' clock in its id and ours
  std::optional<SteadyTime> backlog_at;     // when that was looked at
  std::optional<SteadyTime> last_progress;  // a batch was stored, or there was nothing to store
  std::optional<SteadyTime> storing_since;  // a batch is in hand since then
  bool needs_upgrade = false;               // a record of a newer Weir waits
};

struct ServerStatus {
  bool is_up = false;          // connected, and what was asked last it has answered
  bool is_away = false;        // or does not take what it is told
  std::string error;           // why, while it is away
  std::uint64_t outages = 0;   // changes from there to away
  std::uint64_t failures = 0;  // each of them followed by a wait
};

// Of the thread that builds roll-ups (roll_up_keeper.h).
struct RollUpStatus {
  std::uint64_t steps = 0;     // days of a tenant that were built
  std::uint64_t failures = 0;  // of steps, and of the session
  double seconds = 0;          // that steps took
  std::uint64_t days = 0;      // that are marked and not built, as seen last
  double oldest_seconds = 0;   // age of the oldest mark then
};

struct Status {
  ServerStatus postgres, redis;
  std::vector<ShardStatus> shards;  // all that it was told to read, held or not
  std::uint64_t stored = 0, duplicates = 0, dead = 0, batches = 0, entries = 0;
  prometheus::ClientMetric::Histogram batch_rows, batch_seconds;
  std::optional<SteadyTime> started, published;
  std::vector<UnreadStream> unread;  // that nobody reads, ours not among them
  std::uint64_t session = 0;         // of PostgreSQL, for storing: another number for each
  bool stands_by = false;            // others hold all leases
  RollUpStatus roll_ups;
};

class StatusBoard {
 public:
  void publish(Status status) {
    const std::lock_guard<std::mutex> lock(mutex_);
    status_ = std::move(status);
  }
  Status read() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return status_;
  }

 private:
  mutable std::mutex mutex_;
  Status status_;
};

}  // namespace weir::flusher
