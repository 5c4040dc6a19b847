// What a worker process has one of: an edge (edge/edge.h) among nginx's connections, threads and
// timers. Made after the fork, in init_process, and ended in exit_process: connections, random
// state and buffers never cross a fork or a reload.
#pragma once

#include "ngx_module/nginx.h"

#include <chrono>
#include <optional>

#include "core/http/intake.h"
#include "edge/edge.h"
#include "ngx_module/background.h"
#include "ngx_module/body.h"
#include "ngx_module/directives.h"
#include "ngx_module/host.h"
#include "ngx_module/keepalive_grace.h"
#include "ngx_module/redis_transport.h"

namespace weir {

class Worker final : private TimeKeeper {
 public:
  explicit Worker(const MainConf& conf);
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  // Looks for Redis and into the spool, and waits a moment for Redis' greeting, so that a worker
  // that a reload starts refuses none of its first requests. For init_process, where no request
  // waits yet.
  void start();

  // Now, read once for all that a turn of nginx's loop brings: what it brings was there when it
  // began. For how long something took; nginx's own clock tells milliseconds only.
  //
  // It holds until nginx runs what was posted, which it does after connections and timers and
  // before it sleeps: no moment outlives its turn, whatever happens in one.
  std::chrono::steady_clock::time_point moment() noexcept;

  KeepAliveGrace grace;  // first: it wants a place before all connections to come
  NginxClock clock;
  BodySpace body_space;

 private:
  static void on_timer(ngx_event_t* event) noexcept;
  static void on_turn_end(ngx_event_t* event) noexcept;

  void look_for_redis() noexcept;
  void tick() noexcept;
  void watch() noexcept override;

  NginxLog log_;
  NginxTransport redis_;
  NginxTransport replicated_;
  ThreadPool threads_;
  ngx_connection_t timer_owner_;  // nginx reads the fd of a timer's data for its debug log
  ngx_event_t timer_;
  std::optional<std::chrono::steady_clock::time_point> moment_;  // none: not read in this turn
  ngx_event_t turn_end_;  // posted while there is a moment, which it takes away

 public:
  Edge edge;  // after all that it is lent
  Intake intake{edge.metrics};
};

// Null in processes that serve no requests, and where no `weir_redis` is configured.
Worker* current_worker();

}  // namespace weir
