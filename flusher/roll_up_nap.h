// How long the builder of roll-ups rests after a step, so that it takes no more than its percent of
// the time from those who store.
//
//   const auto rest = roll_up_nap(took, 10);     // nine times as long as the step took
//
// At least 100 ms, and a minute at most: a step holds up the days of all tenants, and one that took
// minutes would else be followed by a rest of as many times that, in which nobody's figures go on.
// So a step of more than a ninth of a minute takes a larger part of the time than was asked for.
#pragma once

#include <algorithm>
#include <chrono>

namespace weir::flusher {

constexpr std::chrono::milliseconds kLeastRollUpNap{100}, kMostRollUpNap{60'000};

inline std::chrono::milliseconds roll_up_nap(std::chrono::milliseconds took, int percent) {
  const auto rest = took * (100 - percent) / std::max(percent, 1);
  return std::clamp<std::chrono::milliseconds>(rest, kLeastRollUpNap, kMostRollUpNap);
}

}  // namespace weir::flusher
