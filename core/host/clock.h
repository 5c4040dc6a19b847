// The two clocks that a server lends: a server with an event loop reads the time once a turn.
//
//   if (clock.steady() >= deadline) give_up();
#pragma once

#include <chrono>

#include "core/event/timestamp.h"

namespace weir {

class Clock {
 public:
  using Time = std::chrono::steady_clock::time_point;

  // For waiting and deadlines; never goes back, and is at most one turn of the loop old.
  virtual Time steady() const noexcept = 0;

  // The time of day, in microseconds since 1970.
  virtual Timestamp wall() const noexcept = 0;

 protected:
  ~Clock() = default;
};

}  // namespace weir
