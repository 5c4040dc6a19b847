#include "ctl/demo/release.h"

namespace weir::demo {
namespace {

// How long people take to have a new version, in days on average.
struct Speed {
  double days, weight;
};
constexpr Speed kSpeeds[] = {{1.4, 0.62}, {8, 0.28}, {150, 0.1}};

constexpr double kHourOfReleases = 9;  // UTC

}  // namespace

void Releases::add(const Release& release, Day first, int days) {
  const Day day = first + static_cast<Day>(release.at * days);
  const auto at = static_cast<std::int64_t>(kHourOfReleases * 3'600'000);
  train_.push_back({release.version, train_.empty() ? 0 : day * kMillisecondsPerDay + at});
}

std::size_t Releases::used_by(std::uint64_t seed, std::uint64_t who, std::int64_t began,
                              std::int64_t now) const {
  const double mean = Random({seed, who, 0}).one_of(kSpeeds).days;
  std::size_t used = 0;
  for (std::size_t number = 1; number < train_.size(); ++number) {
    const double days = Random({seed, who, number}).wait(mean);
    const auto wait = static_cast<std::int64_t>(days * static_cast<double>(kMillisecondsPerDay));
    const bool was_there = train_[number].at <= began;
    if (was_there || train_[number].at + wait <= now) used = number;
  }
  return used;
}

}  // namespace weir::demo
