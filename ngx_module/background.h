// Work off the event loop, by nginx's own thread pool (the one called "default").
//
//   auto* pool = add_thread_pool(cf);                  // when the configuration is read
//   ThreadPool background(pool, observer);             // one a worker
//   background.start(job);                             // job.done() comes on the event loop
//
// A worker that was told to quit stays while a job runs: nobody would hear of its end otherwise.
// nginx joins the pool's threads before a module's exit_process, so no job outlives what it works
// on.
#pragma once

#include "ngx_module/nginx.h"

#include <cstddef>

#include "core/host/background.h"

#if !(NGX_THREADS)
#error "Weir's spool waits for disks in threads: configure nginx --with-threads"
#endif

namespace weir {

// Null: no memory. `thread_pool default threads=4;` sets its size.
ngx_thread_pool_t* add_thread_pool(ngx_conf_t* cf);

class ThreadPool final : public Background {
 public:
  // Told on the event loop, when a job starts and after its done().
  class Observer {
   public:
    virtual void job_started() noexcept = 0;
    virtual void job_done() noexcept = 0;

   protected:
    ~Observer() = default;
  };

  ThreadPool(ngx_thread_pool_t* pool, Observer& observer) : pool_(pool), observer_(observer) {}
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  bool start(Job& job) noexcept override;

  // Jobs that were started and are not done.
  std::size_t running() const { return running_; }

 private:
  struct Task;
  static void finished(ngx_event_t* event) noexcept;

  ngx_thread_pool_t* pool_;
  Observer& observer_;
  std::size_t running_ = 0;
};

}  // namespace weir
