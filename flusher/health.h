// Whether the flusher does its work, judged by what it published: health means progress. Pure, so
// that any thread may ask, a flusher that hangs included.
//
//   const Status status = board.read();
//   const Health health = judge(status, now, limit);   // now: of the steady clock
//   health.reason == Reason::none                      // 200, else 503
//   const std::string body = health_json(status, health, now);
//
//                     +-- a server is away, or refuses ------------► postgres_away, redis_away
//   published lately? |
//     │ no            +-- a record of a newer Weir waits ----------► needs_upgrade
//     ▼               |
//   starting, hangs   +-- a stream of ours has neither stored a batch
//                     |   nor been found empty for `limit` --------► no_progress
//                     +-- else ------------------------------------► none: working, or standing by
//
// A restart mends only what is wrong in this process. So systemd's watchdog is starved for less:
// docs/decisions/0012.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "flusher/status.h"

namespace weir::flusher {

enum class Reason : std::uint8_t {
  none,
  starting,
  hangs,
  postgres_away,
  redis_away,
  needs_upgrade,
  no_progress,
};

struct Health {
  Reason reason = Reason::none;
  std::string detail;  // a sentence for a person; "" for none
};

std::string_view word_for(Reason reason);

// A stream may go without progress for `limit`.
Health judge(const Status& status, SteadyTime now, std::chrono::seconds limit);

std::string health_json(const Status& status, const Health& health, SteadyTime now);

// Nothing that it waits for is away, it holds a stream, and still moves nothing, for long.
bool is_case_for_restart(const Status& status, SteadyTime now);

}  // namespace weir::flusher
