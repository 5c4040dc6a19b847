// How long to wait before the next try: doubling from a least to a most, each wait drawn at random
// from its upper half, so that many workers do not come back at the same moment.
#pragma once

#include <chrono>
#include <cstdint>

namespace weir {

class Backoff {
 public:
  using Millis = std::chrono::milliseconds;

  // `seed` should differ between workers (a process id will do).
  Backoff(Millis least, Millis most, std::uint64_t seed);

  // The wait before the next try; longer each time until reset().
  Millis next();
  void reset() { current_ = least_; }

 private:
  Millis least_, most_, current_;
  std::uint64_t state_;
};

}  // namespace weir
