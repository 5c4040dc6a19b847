// Builds the roll-ups of days that were touched (sql/migrations/0017_roll_up_steps.sql), in a
// thread and a session of its own, so that storing never waits for it. A step is a day of a tenant:
// one transaction chooses it, another builds it; several flushers ask, and PostgreSQL lets one of
// them build.
//
//   RollUpKeeper keeper(options, board);
//   keeper.start();                 // begins once the board says that PostgreSQL is up
//   const RollUpStatus now = keeper.read();
//   keeper.stop();                  // at once: a step in hand is given up, and its marks stay
//
//   nap ──► PostgreSQL up? ──► session? ──► step ──► built: as long a nap as leaves it --roll-ups
//    ▲         no │            no │           │       percent of the time (flusher/roll_up_nap.h)
//    └────────────┴───────────────┴───────────┘       idle: 1 s; busy: 5 s; failed: more and more
//
// A thread that builds without a pause would take a core of PostgreSQL's from those who store.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>

#include "core/redis/backoff.h"
#include "flusher/options.h"
#include "flusher/status.h"
#include "pg/connection.h"

namespace weir::flusher {

class RollUpKeeper {
 public:
  RollUpKeeper(const Options& options, const StatusBoard& board);
  ~RollUpKeeper() { stop(); }
  RollUpKeeper(const RollUpKeeper&) = delete;
  RollUpKeeper& operator=(const RollUpKeeper&) = delete;

  void start();
  void stop();

  // From any thread.
  RollUpStatus read() const;

 private:
  using Millis = std::chrono::milliseconds;
  using Clock = std::chrono::steady_clock;

  struct Step {
    std::string state, tenant, day, trouble;
    Millis took;
  };

  // How long one statement may take though those who store have another session by now: a day takes
  // seconds to build, and all of it is thrown away when the session is left.
  static constexpr Millis kDeaf{30'000};

  // Gives a step up as soon as somebody wants to stop.
  class Leave : public pg::Patience {
   public:
    explicit Leave(const RollUpKeeper& keeper) : keeper_(keeper) {}
    bool go_on(Millis silent) override {
      return silent < kDeaf ? !keeper_.is_stopping() : !keeper_.has_to_leave();
    }

   private:
    const RollUpKeeper& keeper_;
  };

  bool is_stopping() const;
  bool has_to_leave() const;
  void work() noexcept;
  void nap(Millis time);
  Millis round();
  Millis step();
  Millis after(const Step& step);
  void note_gone_days();
  void look();
  Millis failed(std::string error, std::string_view advice);
  Millis failed_by_session();
  Millis failed_badly(const char* cause) noexcept;

  const Options& options_;
  const StatusBoard& board_;
  Leave leave_;
  Backoff backoff_;
  std::optional<pg::Connection> connection_;
  std::uint64_t session_ = 0;  // of those who store, when ours began
  std::string told_;           // of a failure, until a step succeeds
  std::optional<Clock::time_point> noted_gone_at_;
  std::atomic<bool> stopping_{false};
  mutable std::mutex mutex_;
  std::condition_variable stopped_;
  RollUpStatus status_;
  Clock::time_point looked_at_ = Clock::now();
  std::thread thread_;
};

}  // namespace weir::flusher
