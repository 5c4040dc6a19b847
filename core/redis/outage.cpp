#include "core/redis/outage.h"

namespace weir {
namespace {

using namespace std::chrono_literals;

constexpr auto kLeastWait = 50ms;
constexpr auto kMostWait = 2000ms;
constexpr auto kTellFirst = 1s;
constexpr auto kTellAgain = 30s;

}  // namespace

Outage::Outage(std::uint64_t seed) : backoff_(kLeastWait, kMostWait, seed) {}

Outage::Loss Outage::lost(Time now) {
  const Time::duration silence = ready_ ? kTellFirst : kTellAgain;
  const bool tell = !told_ || now - *told_ >= silence;
  ready_ = false;
  if (tell) {
    told_ = now;
    tell_ready_ = true;
  }
  return {backoff_.next(), tell};
}

bool Outage::over() {
  backoff_.reset();
  ready_ = true;
  const bool tell = tell_ready_;
  tell_ready_ = false;
  return tell;
}

}  // namespace weir
