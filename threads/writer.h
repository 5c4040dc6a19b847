// What a process has whose requests run in threads: one more thread that alone has the Edge (the
// connections to Redis, the spool), a second one that waits for the disk, and the errands by which
// the others ask it.
//
//   Writer writer(settings, metrics, seats, log);
//   if (!writer.start()) …                                     // after the fork
//   if (writer.hand_in(errand)) errand.wait(); else answer_503();
//   writer.leave();                                            // the process will end
//   writer.stop();                                             // nobody hands in any more
//
//   request ──errand──►┌──────────────────────────┐
//   request ──errand──►│ writer: one turn         │◄──bytes──► Redis
//   request ◄──done────│  sleep, read, run, write │◄──jobs───► disk
//                      └──────────────────────────┘
//
// What is handed in while a turn lasts, or while Redis has something to answer, is taken together
// by the next: one write for all of it.
//
// Bounds: kMostErrands; start() waits kGreetingWait for Redis; stop() waits kStopWait in all, and
// then leaves the threads to the end of the process, so the writer must not be destroyed after
// that.
#pragma once

#include <semaphore.h>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <memory>

#include "core/host/clock.h"
#include "core/host/log.h"
#include "edge/edge.h"
#include "threads/bell.h"
#include "threads/disk_thread.h"
#include "threads/errands.h"
#include "threads/helper_thread.h"
#include "threads/poll_transport.h"
#include "threads/seats.h"

namespace weir {

class Writer {
 public:
  static constexpr std::size_t kMostErrands = 65536;
  static constexpr std::chrono::milliseconds kGreetingWait{250};
  static constexpr std::chrono::milliseconds kStopWait{2500};

  // All of it outlives the writer. Throws where there is no memory or no descriptor to be had.
  Writer(const EdgeSettings& settings, MetricsMemory& metrics, Seats seats, Log& log);
  ~Writer() { sem_destroy(&settled_); }
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  // False: there is no thread to be had.
  [[nodiscard]] bool start() noexcept;

  // From any thread. False: too many wait, or it has stopped.
  [[nodiscard]] bool hand_in(Errand& errand) noexcept { return errands_.hand_in(errand, bell_); }

  // For any thread to count, until stop().
  Metrics& metrics() { return edge_->metrics; }

  // The process has been told to end and answers what it has: see Edge::leave().
  void leave() noexcept;

  // Refuses the errands that are left, waits for the records on their way, and ends both threads. A
  // signal's handler may call it. False: it took too long.
  bool stop() noexcept;

 private:
  // As old as the turn. Of the writer's thread alone.
  class TurnClock final : public Clock {
   public:
    Time steady() const noexcept override { return steady_; }
    Timestamp wall() const noexcept override;
    void read() noexcept { steady_ = std::chrono::steady_clock::now(); }

   private:
    Time steady_ = std::chrono::steady_clock::now();
  };

  void work() noexcept;
  void turn() noexcept;
  void sleep() noexcept;
  std::chrono::milliseconds time_to_sleep() noexcept;
  void look_after() noexcept;
  bool may_end() noexcept;
  void end() noexcept;

  Bell bell_;
  Errands errands_{kMostErrands};
  TurnClock clock_;
  Seats seats_;
  const std::uint64_t process_;
  const std::size_t seat_;
  const std::size_t shards_;
  PollTransport redis_, replicated_;
  DiskThread disk_;
  std::unique_ptr<Edge> edge_;  // ended by the writer's thread
  HelperThread thread_;
  sem_t settled_;
  bool said_settled_ = false;
  std::atomic<bool> leaving_{false}, stopping_{false};
  bool left_ = false;
  Clock::Time look_at_{}, stop_by_{};
};

}  // namespace weir
