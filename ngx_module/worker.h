// What a worker process has one of. Made after the fork, in init_process, and ended in
// exit_process: connections, random state and buffers never cross a fork or a reload.
#pragma once

#include "ngx_module/nginx.h"

#include <memory>
#include <optional>

#include "core/http/intake.h"
#include "core/keep/keeper.h"
#include "core/keep/status.h"
#include "ngx_module/clock.h"
#include "ngx_module/directives.h"
#include "ngx_module/keepalive_grace.h"
#include "ngx_module/metrics_zone.h"
#include "ngx_module/publisher.h"
#include "ngx_module/redis_link.h"
#include "ngx_module/spool_link.h"

namespace weir {

struct Worker {
  explicit Worker(const MainConf& conf);

  // Looks for Redis, and into the spool.
  void start();

  KeepStatus keep_status();

  // Shows the others how it is.
  void publish() { weir::publish(keep_status(), wall_time(), metrics); }

  KeepAliveGrace grace;  // first: it wants a place before all connections to come
  Metrics metrics;
  const MetricsMemory& shared_metrics;  // what all workers count
  const bool tells_of_stream;           // one worker does for each stream
  Intake intake{metrics};
  RedisLink redis;
  std::unique_ptr<RedisLink> replicated;  // null: no location has wait=
  std::optional<SpoolLink> spool;
  Keeper keeper;  // it knows the others
  Publisher publisher;
};

// Null in processes that serve no requests, and where no `weir_redis` is configured.
Worker* current_worker();

}  // namespace weir
