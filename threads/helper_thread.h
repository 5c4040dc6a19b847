// A thread beside those of the server: no signal reaches it, and whoever ends it waits only so
// long.
//
//   HelperThread thread;
//   if (!thread.start([this] { work(); })) …        // no thread is to be had
//   if (!thread.join_within(2s)) …                  // it goes on to the end of the process
//
// join_within() may be called by a signal's handler: it allocates nothing and takes no lock.
// httpd's prefork MPM ends a child that way, in the middle of whatever its one thread does.
#pragma once

#include <pthread.h>
#include <semaphore.h>

#include <chrono>
#include <functional>

namespace weir {

class HelperThread {
 public:
  HelperThread();
  ~HelperThread();  // it has to be joined, or else it must outlive the process
  HelperThread(const HelperThread&) = delete;
  HelperThread& operator=(const HelperThread&) = delete;

  // Once. What `work` throws ends the process.
  [[nodiscard]] bool start(std::function<void()> work) noexcept;

  // True: it has ended, or never began. False: it is left to itself, so that nothing of it may be
  // freed, and nobody may wait for it again.
  [[nodiscard]] bool join_within(std::chrono::milliseconds most) noexcept;

 private:
  static void* run(void* self) noexcept;

  std::function<void()> work_;
  pthread_t thread_{};
  bool running_ = false;
  sem_t ended_;
};

}  // namespace weir
