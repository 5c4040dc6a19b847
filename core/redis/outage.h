// What a process does about a Redis that is away: how long it waits before each try to connect, and
// which losses its operator hears of. The first one at once, then two a minute until Redis is ready
// again; never more than one a second, should Redis come and go.
//
//   Outage outage(getpid());
//   const auto loss = outage.lost(now);       // the connection went, or could not be made
//   if (loss.tell) log("no Redis…");
//   start_timer(loss.wait);
//   if (outage.over()) log("Redis is ready");
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "core/redis/backoff.h"

namespace weir {

class Outage {
 public:
  using Time = std::chrono::steady_clock::time_point;

  struct Loss {
    std::chrono::milliseconds wait;  // until the next try: 25 to 50 ms at first, 1 to 2 s later on
    bool tell;
  };

  // `seed` as for Backoff.
  explicit Outage(std::uint64_t seed);

  Loss lost(Time now);

  // Redis is ready. True: the operator should hear of it, who has heard of nothing yet, or of a
  // loss.
  bool over();

 private:
  Backoff backoff_;
  bool ready_ = true;  // no loss since it was ready
  bool tell_ready_ = true;
  std::optional<Time> told_;  // of a loss, last
};

}  // namespace weir
