// Lets at most one line a second through to the log. What comes in between waits for its turn, up
// to a few; past these the oldest is dropped: counters tell of all.
//
//   Lines lines(log);
//   lines.warn("…");  lines.note("…");
//   lines.tick(now);            // says what waited
#pragma once

#include <chrono>
#include <deque>
#include <string>

#include "core/spool/log.h"

namespace weir {

class Lines {
 public:
  using Time = std::chrono::steady_clock::time_point;
  static constexpr std::chrono::seconds kBetween{1};
  static constexpr std::size_t kMostWaiting = 8;

  explicit Lines(SpoolLog& log) : log_(log) {}

  void note(std::string sentence) noexcept { add({std::move(sentence), false}); }
  void warn(std::string sentence) noexcept { add({std::move(sentence), true}); }
  void tick(Time now) noexcept;

 private:
  struct Line {
    std::string sentence;
    bool warning;
  };

  void add(Line line) noexcept;
  void say_one() noexcept;

  SpoolLog& log_;
  std::deque<Line> waiting_;
  Time now_{};
  Time quiet_until_{};
};

}  // namespace weir
