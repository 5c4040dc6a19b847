// Waits for the disk in a thread of its own, for a spool that lives on another one (core/host/
// background.h): jobs run one after the other, in the order in which they were started.
//
//   DiskThread disk(bell);
//   disk.start(job);                 // rings the bell when it has been worked
//   disk.hand_over();                // at the end of the turn: job.gather()
//   disk.deliver();                  // once it rang: job.done(), here
//   if (disk.stop_within(2s)) …      // nothing works any more
//
// The thread begins with the first job. As many wait as their owner has, which starts none twice.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <vector>

#include "core/host/background.h"
#include "threads/bell.h"
#include "threads/helper_thread.h"

namespace weir {

class DiskThread final : public Background {
 public:
  explicit DiskThread(Bell& bell) : bell_(bell) {}

  bool start(Job& job) noexcept override;

  // Before the owner sleeps: the thread gets what was started.
  void hand_over() noexcept;

  // Calls done() of those that have been worked.
  void deliver() noexcept;

  // Jobs that were started and of which done() was not called yet.
  std::size_t running() const { return running_; }

  // Lets the job that is being worked come to its end, and drops those behind it. False: it does
  // not end in time, and still has hold of what it works on.
  [[nodiscard]] bool stop_within(std::chrono::milliseconds most) noexcept;

 private:
  void work() noexcept;
  Job* next() noexcept;
  Job* next_worked() noexcept;

  Bell& bell_;
  HelperThread thread_;
  bool begun_ = false;
  std::size_t running_ = 0;
  std::vector<Job*> started_;  // and not handed over

  std::mutex lock_;  // of what follows
  std::condition_variable more_;
  bool stopping_ = false;
  std::vector<Job*> to_work_, worked_;  // with room for all that run
};

}  // namespace weir
