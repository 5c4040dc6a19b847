// One server that comes and goes: how long to wait before the next try, and what to log. A change
// is logged once; while the server stays away, another reason than the last is logged too, at most
// every 30 s.
//
//   Outage redis("Redis");
//   if (!connect(error)) return redis.failed(error);       // logs, waits
//   redis.recovered();                                     // logs if it had failed
#pragma once

#include <chrono>
#include <string>

#include "core/redis/backoff.h"

namespace weir::flusher {

class Outage {
 public:
  explicit Outage(const char* server);

  // Waits until the next try is due, or until the flusher is asked to stop.
  void failed(const std::string& error);

  void recovered();

 private:
  const char* server_;
  Backoff backoff_;
  bool away_ = false;
  std::string last_error_;
  std::chrono::steady_clock::time_point logged_at_;
};

}  // namespace weir::flusher
