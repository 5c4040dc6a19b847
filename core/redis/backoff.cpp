#include "core/redis/backoff.h"

#include <algorithm>

namespace weir {

Backoff::Backoff(Millis least, Millis most, std::uint64_t seed)
    : least_(std::max(least, Millis(1))),
      most_(std::max(most, least_)),
      current_(least_),
      state_(seed) {}

Backoff::Millis Backoff::next() {
  const auto whole = static_cast<std::uint64_t>(current_.count());
  const std::uint64_t half = (whole + 1) / 2;
  const std::uint64_t wait = half + random() % (whole - half + 1);
  current_ = current_ > most_ / 2 ? most_ : current_ * 2;
  return Millis(static_cast<Millis::rep>(wait));
}

// SplitMix64 (Steele, Lea, Flood, 2014): neighbouring seeds, as process ids are, give sequences
// that have nothing in common.
std::uint64_t Backoff::random() {
  std::uint64_t z = (state_ += 0x9e3779b97f4a7c15U);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
  return z ^ (z >> 31);
}

}  // namespace weir
