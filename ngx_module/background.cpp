#include "ngx_module/background.h"

#include <algorithm>
#include <atomic>
#include <memory>
#include <new>
#include <utility>

namespace weir {
namespace {

// Of asking again for room in the queue, in milliseconds. nginx logs a line each time.
constexpr ngx_msec_t kFirstPause = 5, kLastPause = 1000;

}  // namespace

// nginx keeps a task by its address until the event has run; it reads no task after that.
struct ThreadPool::Task {
  Task(ThreadPool& the_pool, Job& the_job) : pool(the_pool), job(the_job) {
    task.ctx = this;
    task.handler = [](void* ctx, ngx_log_t*) {
      auto* self = static_cast<Task*>(ctx);
      self->job.work();
      self->worked.store(true, std::memory_order_release);
    };
    task.event.data = this;
    task.event.handler = finished;
    turn_end.data = this;
    turn_end.handler = hand_over;
    turn_end.log = ngx_cycle->log;
  }

  ngx_thread_task_t task{};
  ngx_event_t turn_end{};
  ThreadPool& pool;
  Job& job;
  Task* behind = nullptr;      // the next of those that found no room
  ngx_msec_t waits_until = 0;  // for it
  // nginx hands a task back under a spin lock of its own, which ThreadSanitizer cannot see, since
  // nginx is not built with it: this says the same where it can.
  std::atomic<bool> worked{false};
};

ngx_thread_pool_t* add_thread_pool(ngx_conf_t* cf) { return ngx_thread_pool_add(cf, nullptr); }

ThreadPool::ThreadPool(ngx_thread_pool_t* pool, TimeKeeper& time_keeper)
    : pool_(pool), time_keeper_(time_keeper), owner_(), again_(), pause_(kFirstPause) {
  owner_.fd = -1;
  owner_.data = this;
  again_.data = &owner_;
  again_.log = ngx_cycle->log;
  again_.handler = ask_again;
}

ThreadPool::~ThreadPool() {
  if (again_.timer_set) ngx_del_timer(&again_);
  while (crowded_ != nullptr) {
    const std::unique_ptr<Task> task(std::exchange(crowded_, crowded_->behind));
  }
}

bool ThreadPool::start(Job& job) noexcept {
  std::unique_ptr<Task> task(new (std::nothrow) Task(*this, job));
  if (task == nullptr) return false;
  ngx_post_event(&task->turn_end, &ngx_posted_next_events);
  static_cast<void>(task.release());  // hand_over() has it, and then finished()
  ++running_;
  time_keeper_.watch();
  return true;
}

// Behind all that the next turn of nginx's loop brings: those who were just answered are heard
// again by then.
void ThreadPool::hand_over(ngx_event_t* event) noexcept {
  auto* task = static_cast<Task*>(event->data);
  ThreadPool& pool = task->pool;
  task->job.gather();
  if (pool.crowded_ == nullptr && pool.post(*task)) return;
  task->waits_until = ngx_current_msec + kLongestWait;
  Task** place = &pool.crowded_;
  while (*place != nullptr) place = &(*place)->behind;
  *place = task;
  pool.ask_later();
}

bool ThreadPool::post(Task& task) noexcept {
  return ngx_thread_task_post(pool_, &task.task) == NGX_OK;
}

void ThreadPool::ask_later() noexcept {
  if (!again_.timer_set) ngx_add_timer(&again_, pause_);
  pause_ = std::min(2 * pause_, kLastPause);
}

void ThreadPool::ask_again(ngx_event_t* event) noexcept {
  auto& pool = *static_cast<ThreadPool*>(static_cast<ngx_connection_t*>(event->data)->data);
  while (pool.crowded_ != nullptr && pool.post(*pool.crowded_)) {
    pool.crowded_ = std::exchange(pool.crowded_->behind, nullptr);
    pool.pause_ = kFirstPause;
  }
  pool.give_up_those_of(ngx_current_msec);
  if (pool.crowded_ != nullptr) pool.ask_later();
}

// Whoever is told may start another job, which comes behind the others in a later turn.
void ThreadPool::give_up_those_of(ngx_msec_t now) noexcept {
  while (crowded_ != nullptr && static_cast<ngx_msec_int_t>(crowded_->waits_until - now) <= 0) {
    const std::unique_ptr<Task> task(std::exchange(crowded_, crowded_->behind));
    --running_;
    task->job.refused();
    time_keeper_.watch();
  }
}

void ThreadPool::finished(ngx_event_t* event) noexcept {
  const std::unique_ptr<Task> task(static_cast<Task*>(event->data));
  static_cast<void>(task->worked.load(std::memory_order_acquire));
  --task->pool.running_;
  task->job.done();
  task->pool.time_keeper_.watch();
}

}  // namespace weir
