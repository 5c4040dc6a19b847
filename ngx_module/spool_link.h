// The worker's spool among nginx's events: a timer that lets it look after its files, threads that
// wait for the disk, and its words in nginx's log. What is done to files is the spool's business
// (spool/spool.h).
//
//   SpoolLink spool(target);
//   Keeper keeper({&redis, nullptr, &spool.writer()});
//   spool.start(keeper);                                 // in init_process
#pragma once

#include "ngx_module/nginx.h"

#include "core/keep/keeper.h"
#include "ngx_module/background.h"
#include "spool/spool.h"

namespace weir {

// What the configuration says of the spool; copied into each worker.
struct SpoolTarget {
  SpoolSettings settings;
  ngx_thread_pool_t* threads = nullptr;  // lives as long as the configuration
};

class SpoolLink final : private ThreadPool::Observer, private SpoolLog {
 public:
  explicit SpoolLink(const SpoolTarget& target);
  ~SpoolLink();
  SpoolLink(const SpoolLink&) = delete;
  SpoolLink& operator=(const SpoolLink&) = delete;

  SpoolWriter& writer() { return spool_; }

  // `keeper` is where drained records go; it has to outlive the link's last event.
  void start(Keeper& keeper);

 private:
  static void on_timer(ngx_event_t* event) noexcept;

  void tick() noexcept;
  void watch() noexcept;
  void job_started() noexcept override { timer_.cancelable = 0; }
  void job_done() noexcept override { watch(); }
  void note(std::string_view sentence) noexcept override;
  void warn(std::string_view sentence) noexcept override;

  ThreadPool threads_;
  Spool spool_;
  Keeper* keeper_ = nullptr;
  ngx_connection_t timer_owner_;  // nginx reads the fd of a timer's data for its debug log
  ngx_event_t timer_;
};

}  // namespace weir
