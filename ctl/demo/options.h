// What a demo is asked for. The same options make the same events, each with the same id.
#pragma once

#include <cstdint>

#include "ctl/demo/calendar.h"

namespace weir::demo {

inline constexpr int kMostUsers = 1'000'000;

struct Options {
  std::uint64_t seed = 1;
  int users = 2000;  // 1 to kMostUsers
  int days = 90;
  Day until = 0;                 // the last of these days
  std::int64_t end = INT64_MAX;  // milliseconds since 1970; what would happen later is left out

  Day first() const { return until - days + 1; }
};

}  // namespace weir::demo
