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
  }

  ngx_thread_task_t task{};
  ThreadPool& pool;
  Job& job;
  // nginx hands a task back under a spin lock of its own, which ThreadSanitizer cannot see, since
  // nginx is not built with it: this says the same where it can.
  std::atomic<bool> worked{false};
};

ngx_thread_pool_t* add_thread_pool(ngx_conf_t* cf) { return ngx_thread_pool_add(cf, nullptr); }

bool ThreadPool::start(Job& job) noexcept {
  std::unique_ptr<Task> task(new (std::nothrow) Task(*this, job));
  if (task == nullptr || ngx_thread_task_post(pool_, &task->task) != NGX_OK) return false;
  static_cast<void>(task.release());  // finished() has it
  ++running_;
  time_keeper_.watch();
  return true;
}

void ThreadPool::finished(ngx_event_t* event) noexcept {
  const std::unique_ptr<Task> task(static_cast<Task*>(event->data));
  static_cast<void>(task->worked.load(std::memory_order_acquire));
  --task->pool.running_;
  task->job.done();
  task->pool.time_keeper_.watch();
}

}  // namespace weir
