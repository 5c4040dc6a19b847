#include "core/spool/lines.h"

#include <utility>

namespace weir {

void Lines::say_one() noexcept {
  if (waiting_.empty() || now_ < quiet_until_) return;
  const Line& line = waiting_.front();
  if (line.warning) {
    log_.warn(line.sentence);
  } else {
    log_.note(line.sentence);
  }
  waiting_.pop_front();
  quiet_until_ = now_ + kBetween;
}

void Lines::add(Line line) noexcept {
  try {
    for (const Line& other : waiting_) {
      if (other.sentence == line.sentence) return;
    }
    waiting_.push_back(std::move(line));
    if (waiting_.size() > kMostWaiting) waiting_.pop_front();
  } catch (...) {
    return;  // no memory for a line of the log
  }
  say_one();
}

void Lines::tick(Time now) noexcept {
  now_ = now;
  say_one();
}

}  // namespace weir
