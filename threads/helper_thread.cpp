#include "threads/helper_thread.h"

#include <cerrno>
#include <csignal>
#include <ctime>
#include <utility>

namespace weir {

HelperThread::HelperThread() { sem_init(&ended_, 0, 0); }

HelperThread::~HelperThread() { sem_destroy(&ended_); }

bool HelperThread::start(std::function<void()> work) noexcept {
  work_ = std::move(work);
  // A thread begins with the mask of the one that made it: so no signal ever finds it open.
  sigset_t all, before;
  sigfillset(&all);
  if (pthread_sigmask(SIG_SETMASK, &all, &before) != 0) return false;
  running_ = pthread_create(&thread_, nullptr, run, this) == 0;
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return running_;
}

void* HelperThread::run(void* self) noexcept {
  auto* thread = static_cast<HelperThread*>(self);
  thread->work_();
  sem_post(&thread->ended_);
  return nullptr;
}

bool HelperThread::join_within(std::chrono::milliseconds most) noexcept {
  if (!running_) return true;
  timespec until{};
  clock_gettime(CLOCK_MONOTONIC, &until);
  const auto nanos = until.tv_nsec + most.count() % 1000 * 1'000'000;
  until.tv_sec += most.count() / 1000 + nanos / 1'000'000'000;
  until.tv_nsec = nanos % 1'000'000'000;
  int rc = 0;
  do {
    rc = sem_clockwait(&ended_, CLOCK_MONOTONIC, &until);
  } while (rc != 0 && errno == EINTR);
  if (rc != 0) {
    pthread_detach(thread_);
    return false;
  }
  running_ = false;
  return pthread_join(thread_, nullptr) == 0;
}

}  // namespace weir
