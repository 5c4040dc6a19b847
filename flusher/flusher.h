// The flusher's work: stream in, tables out, until it is asked to stop.
//
//            database open,           stream found,
//            lease taken              place to read from known
//   +------+ ------------> +--------+ ------------> +------+   read a batch, store it, trim
//   | away |               | leased |               | ready | ──┐
//   +------+ <------------ +--------+ <------------ +------+ <─┘
//            PostgreSQL gone           Redis gone, or the stream began another life
//
// Nothing survives a step back but what the servers hold: the position is read from PostgreSQL
// again, the epoch from Redis. So a COMMIT whose answer was lost needs no case of its own.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "flusher/batch.h"
#include "flusher/database.h"
#include "flusher/options.h"
#include "flusher/outage.h"
#include "flusher/read_size.h"
#include "flusher/redis_stream.h"
#include "flusher/store.h"
#include "flusher/summary.h"

namespace weir::flusher {

class Flusher {
 public:
  explicit Flusher(const Options& options);

  // Returns what the process leaves with: 0 after a stop or when --once is done, 1 if the database
  // is none that it can work with.
  int run();

 private:
  using Clock = std::chrono::steady_clock;

  // Each returns true if there is more to do at once, as opposed to having failed and waited.
  bool ensure_database();
  bool ensure_lease();
  bool ensure_stream();
  void step();

  void find_place(const StreamLife& life, const std::optional<StoredPosition>& stored);
  bool fill(Batch& batch, std::vector<Read>& reads);
  bool read_into(Batch& batch, std::vector<Read>& reads, std::size_t count,
                 std::chrono::milliseconds wait);
  bool may_linger(const Batch& batch) const;
  void store_batch(const Batch& batch);
  void trim();
  void rest();
  void make_partitions();
  void lose_database(const std::string& error);
  void lose_stream(const std::string& error);

  const Options options_;
  Database database_;
  RedisStream stream_;
  Outage postgres_outage_, redis_outage_;
  Summary summary_;
  ReadSize read_size_;
  std::optional<Store> store_;  // while the lease is held

  bool in_place_ = false;  // what follows is known
  StreamId after_;         // entries up to here are read
  std::optional<std::string> stored_position_;
  std::string epoch_;
  std::optional<StreamId> once_until_;

  Clock::time_point partitions_due_{};
  bool is_standby_ = false, trim_refused_ = false, partitions_failed_ = false;
  std::optional<int> exit_code_;  // set: leave
};

}  // namespace weir::flusher
