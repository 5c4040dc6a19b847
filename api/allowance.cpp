#include "api/allowance.h"

#include <algorithm>

namespace weir::api {

void Allowance::save_up(Time now) {
  saved_ = std::min(kMostSaved, saved_ + rate_ * Seconds(now - counted_until_));
  counted_until_ = now;
}

void Allowance::look(Time now, bool is_wanted) {
  save_up(now);
  rate_ = is_wanted ? std::max(least_, rate_ / 2) : std::min(most_, rate_ * 1.25);
  if (!is_short()) saved_ = kMostSaved;
}

bool Allowance::lets_begin(Time now, Seconds under_way) {
  if (!is_short()) return true;
  save_up(now);
  return saved_ > under_way;
}

void Allowance::worked(Seconds taken, Time now) {
  if (!is_short()) return;
  save_up(now);
  saved_ = std::max(saved_ - taken, -rate_ * kMostRest);
}

}  // namespace weir::api
