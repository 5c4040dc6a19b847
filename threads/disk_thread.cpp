#include "threads/disk_thread.h"

namespace weir {

bool DiskThread::start(Job& job) noexcept {
  try {
    if (!begun_) begun_ = thread_.start([this] { work(); });
    if (!begun_) return false;
    started_.push_back(&job);
    const std::lock_guard guard(lock_);
    worked_.reserve(running_ + 1);
    to_work_.reserve(running_ + 1);
  } catch (...) {
    if (!started_.empty() && started_.back() == &job) started_.pop_back();
    return false;  // no memory
  }
  ++running_;
  return true;
}

void DiskThread::hand_over() noexcept {
  if (started_.empty()) return;
  for (Job* const job : started_) job->gather();
  {
    const std::lock_guard guard(lock_);
    to_work_.insert(to_work_.end(), started_.begin(), started_.end());
  }
  started_.clear();
  more_.notify_one();
}

void DiskThread::work() noexcept {
  while (Job* const job = next()) {
    job->work();
    {
      const std::lock_guard guard(lock_);
      worked_.push_back(job);
    }
    bell_.ring();
  }
}

// Null: there will be none.
Job* DiskThread::next() noexcept {
  std::unique_lock guard(lock_);
  more_.wait(guard, [this] { return stopping_ || !to_work_.empty(); });
  if (stopping_) return nullptr;
  Job* const job = to_work_.front();
  to_work_.erase(to_work_.begin());
  return job;
}

// A job's done() may start the next one, which is for another time.
void DiskThread::deliver() noexcept {
  for (std::size_t most = running_; most > 0; --most) {
    Job* const job = next_worked();
    if (job == nullptr) return;
    --running_;
    job->done();
  }
}

Job* DiskThread::next_worked() noexcept {
  const std::lock_guard guard(lock_);
  if (worked_.empty()) return nullptr;
  Job* const job = worked_.front();
  worked_.erase(worked_.begin());
  return job;
}

bool DiskThread::stop_within(std::chrono::milliseconds most) noexcept {
  {
    const std::lock_guard guard(lock_);
    stopping_ = true;
  }
  more_.notify_one();
  return thread_.join_within(most);
}

}  // namespace weir
