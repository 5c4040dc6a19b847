// How long to wait before the next try: doubling from a least to a most, each wait drawn at random
// from its upper half, so that many workers do not come back at the same moment.
//
//   Backoff backoff(100ms, 5s, getpid());
//   start_timer(backoff.next());     // 50 to 100 ms, then 100 to 200 ms, … then 2.5 to 5 s
//   backoff.reset();                 // once it worked
#pragma once

#include <chrono>
#include <cstdint>

namespace weir {

class Backoff {
 public:
  using Millis = std::chrono::milliseconds;

  // `seed` should differ between workers (a process id will do). A `least` under 1 ms counts as
  // 1 ms, a `most` under `least` as `least`.
  Backoff(Millis least, Millis most, std::uint64_t seed);

  // The wait before the next try; longer each time until reset(). Never under 1 ms.
  Millis next();
  void reset() { current_ = least_; }

 private:
  std::uint64_t random();

  Millis least_, most_, current_;
  std::uint64_t state_;
};

}  // namespace weir
