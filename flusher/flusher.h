// The flusher's work: streams in, tables out, until it is asked to stop. Everything but building
// roll-ups (roll_up_keeper.h) happens in one thread, in rounds; what has to go on all the time (the
// leases' heartbeat, word to systemd) is done from the waits too.
//
//   round:  Redis there? ──► PostgreSQL there? ──► leases renewed? ──► each stream that we hold:
//             │ no              │ no                  │ none             a batch (shard.h)
//             ▼                 ▼                     ▼                  │
//           wait, try again   wait, try again       stand by             ▼
//                                                            nothing left: wait for news
//
// A stream is given up in order when others lack their share, when Redis has been away for kGiveUp
// (others may still reach it), and when its next record is of a newer Weir.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "flusher/database.h"
#include "flusher/leases.h"
#include "flusher/options.h"
#include "flusher/outage.h"
#include "flusher/redis_link.h"
#include "flusher/roll_up_keeper.h"
#include "flusher/shard.h"
#include "flusher/status.h"
#include "flusher/store.h"
#include "flusher/summary.h"
#include "flusher/unread_streams.h"
#include "flusher/watch.h"

namespace weir::flusher {

class Flusher {
 public:
  explicit Flusher(const Options& options);

  // Returns what the process leaves with: 0 after a stop or when --once is done, 1 if the database
  // is none that it can work with.
  int run();

  // For those who ask how it fares, from any thread; empty before run().
  const StatusBoard& board() const { return board_; }

 private:
  using Clock = std::chrono::steady_clock;

  // Whoever starts together with us is there by then.
  static constexpr std::chrono::seconds kUnreadAtStart{5};

  // A stream whose next record is too new, and when it is looked at again.
  struct TooNew {
    std::string stream;
    Clock::time_point until;
  };

  // Each returns true if there is more to do at once, as opposed to having failed and waited.
  bool ensure_redis();
  bool measure();
  bool ensure_database();
  bool ensure_leases();
  void take_leases();
  void round();
  bool step(Shard& shard);
  void want();
  void stand_by();
  void rest();
  void make_partitions();
  void look_for_unread();
  void tell_unread() const;
  void set_aside(Shard& shard);
  void postgres_failed(Shard& shard);
  void lose_database(const std::string& error, const std::string& sqlstate);
  void lose_redis(const std::string& error);
  bool is_done() const;
  void ready();
  void publish();
  Status status() const;

  const Options options_;
  Leases leases_;
  Watch watch_;
  Database database_;
  RedisLink link_;
  Outage postgres_outage_, redis_outage_;
  Summary summary_;
  std::optional<Store> store_;  // while the database is open
  std::vector<std::unique_ptr<Shard>> shards_;
  std::vector<TooNew> too_new_;
  const std::vector<std::string> neighbours_;
  UnreadStreams unread_;
  StatusBoard board_;
  RollUpKeeper keeper_;

  Clock::time_point started_ = Clock::now(), measured_at_{}, published_at_{}, partitions_due_{},
                    unread_due_ = started_ + kUnreadAtStart;
  std::uint64_t sessions_ = 0;  // of PostgreSQL, for storing, that were opened
  bool is_ready_ = false, stands_by_ = false, partitions_failed_ = false;
  std::optional<int> exit_code_;  // set: leave
};

}  // namespace weir::flusher
