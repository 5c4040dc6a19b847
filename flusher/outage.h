// One server that comes and goes: how long to wait before the next try, and what to log. A change
// is logged once; while the server stays away, another reason than the last is logged too, at most
// every 10 s. What waits meanwhile waits in Redis.
//
//   Outage redis("Redis");
//   if (!connect(error)) return redis.failed(error);       // logs, waits
//   redis.recovered();                                     // logs if it had failed
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/redis/backoff.h"

namespace weir::flusher {

class Outage {
 public:
  explicit Outage(const char* server);

  // Waits until the next try is due, or until the flusher is asked to stop. `advice` says what to
  // do, if anything is known.
  void failed(const std::string& error, std::string_view advice = {});

  // The same without waiting: for how long to wait is returned.
  std::chrono::milliseconds noted(const std::string& error, std::string_view advice = {});

  void recovered();

  bool is_on() const { return away_; }
  const std::string& error() const { return last_error_; }
  std::uint64_t outages() const { return outages_; }
  std::uint64_t failures() const { return failures_; }
  std::chrono::steady_clock::duration lasts() const;

 private:
  void tell(const std::string& error, std::string_view advice);

  const char* server_;
  Backoff backoff_;
  bool away_ = false;
  std::uint64_t outages_ = 0, failures_ = 0;
  std::string last_error_, told_error_;
  std::chrono::steady_clock::time_point since_, logged_at_;
};

}  // namespace weir::flusher
