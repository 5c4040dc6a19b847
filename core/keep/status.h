// What one worker knows of the places where records are kept: for /health (core/http/health.h) and
// for metrics.
//
//   publish(status, now, metrics);        // from time to time, about once a second
#pragma once

#include <cstdint>
#include <optional>

#include "core/event/timestamp.h"
#include "core/metrics/metrics.h"
#include "core/redis/courier.h"
#include "core/spool/writer.h"

namespace weir {

// The stream in Redis, as this worker looked at it last: up to a second ago, or longer while Redis
// does not answer. What was never learnt is absent.
struct StreamStatus {
  std::optional<std::uint64_t> entries;  // not stored by the flusher yet
  std::optional<std::uint64_t> bytes;    // of Redis' memory
  std::optional<Timestamp> oldest_at;    // when its oldest entry was added; none in an empty one
  bool too_long = false;                 // so that nothing is added to it
};

enum class BreakerState : std::uint8_t { closed, half_open, open };

struct KeepStatus {
  Courier::State redis = Courier::State::away;
  std::optional<Courier::State> replicated;  // the connection of locations with wait=, if any has
  BreakerState breaker = BreakerState::closed;
  std::size_t in_flight = 0;  // records that wait for Redis to answer
  StreamStatus stream;
  bool tells_of_stream = true;  // where streams are added up; of several workers one should
  SpoolStatus spool;

  // A record handed in now would be kept, as far as is known.
  bool can_keep() const { return redis == Courier::State::ready || spool.can_take; }
};

// Tells `metrics` what is now and how far the counts have come.
void publish(const KeepStatus& status, Timestamp now, Metrics& metrics) noexcept;

}  // namespace weir
