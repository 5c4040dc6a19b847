// Work off the event loop, by nginx's own thread pool (the one called "default").
//
//   auto* pool = add_thread_pool(cf);                  // when the configuration is read
//   ThreadPool background(pool, time_keeper);          // one a worker
//   background.start(job);                             // job.done() comes on the event loop
//
// What comes in the turn of nginx's loop in which a job starts, and in the next, is gathered for
// it.
//
// Where the pool's queue (max_queue=) is full, jobs wait for room, in their order, while the loop
// goes on: whoever started them waits as for a slow disk, but no longer than kLongestWait, so that
// threads that hang cost answers of 503. With max_queue=0 there is room while a thread is idle.
//
//   start() ──► gather() ──► in the pool's queue ──► work() ──► done()
//                  │ full          ▲
//                  └──► crowded_ ──┤  asked again after 5 ms, then up to each second
//                                  └──► refused()   after 10 s
//
// A worker that was told to quit stays while a job runs: nobody would hear of its end otherwise.
// nginx joins the pool's threads before a module's exit_process, so no job outlives what it works
// on.
#pragma once

#include "ngx_module/nginx.h"

#include <cstddef>

#include "core/host/background.h"
#include "ngx_module/time_keeper.h"

#if !(NGX_THREADS)
#error "Weir's spool waits for disks in threads: configure nginx --with-threads"
#endif

namespace weir {

// Null: no memory. `thread_pool default threads=4;` sets its size.
ngx_thread_pool_t* add_thread_pool(ngx_conf_t* cf);

class ThreadPool final : public Background {
 public:
  // `time_keeper` is told when a job starts, and after its done().
  ThreadPool(ngx_thread_pool_t* pool, TimeKeeper& time_keeper);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  static constexpr ngx_msec_t kLongestWait = 10'000;  // for room in the queue, in milliseconds

  bool start(Job& job) noexcept override;

  // Jobs that were started and are neither done nor refused.
  std::size_t running() const { return running_; }

 private:
  struct Task;
  static void hand_over(ngx_event_t* event) noexcept;
  static void finished(ngx_event_t* event) noexcept;
  static void ask_again(ngx_event_t* event) noexcept;
  bool post(Task& task) noexcept;
  void give_up_those_of(ngx_msec_t now) noexcept;
  void ask_later() noexcept;

  ngx_thread_pool_t* pool_;
  TimeKeeper& time_keeper_;
  std::size_t running_ = 0;
  Task* crowded_ = nullptr;  // the first of those that found no room
  ngx_connection_t owner_;   // nginx reads the fd of a timer's data for its debug log
  ngx_event_t again_;
  ngx_msec_t pause_;
};

}  // namespace weir
