#include "ngx_module/background.h"

#include <atomic>
#include <memory>
#include <new>

namespace weir {

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
  // nginx hands a task back under a spin lock of its own, which ThreadSanitizer cannot see, since
  // nginx is not built with it: this says the same where it can.
  std::atomic<bool> worked{false};
};

ngx_thread_pool_t* add_thread_pool(ngx_conf_t* cf) { return ngx_thread_pool_add(cf, nullptr); }

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
// again by then. Where the pool's queue is full, which nginx tells itself, the loop has to wait.
void ThreadPool::hand_over(ngx_event_t* event) noexcept {
  auto* task = static_cast<Task*>(event->data);
  task->job.gather();
  if (ngx_thread_task_post(task->pool.pool_, &task->task) == NGX_OK) return;
  task->job.work();
  finished(&task->task.event);
}

void ThreadPool::finished(ngx_event_t* event) noexcept {
  const std::unique_ptr<Task> task(static_cast<Task*>(event->data));
  static_cast<void>(task->worked.load(std::memory_order_acquire));
  --task->pool.running_;
  task->job.done();
  task->pool.time_keeper_.watch();
}

}  // namespace weir
