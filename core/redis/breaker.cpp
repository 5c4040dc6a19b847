#include "core/redis/breaker.h"

namespace weir {
namespace {

using namespace std::chrono_literals;

constexpr auto kLeastWait = 200ms;
constexpr auto kMostWait = 5s;
constexpr auto kCalm = 10s;

}  // namespace

Breaker::Breaker(std::uint64_t seed) : backoff_(kLeastWait, kMostWait, seed) {}

void Breaker::failed(Time now) {
  if (state_ == State::open && !out_) return;  // a late answer to what went before
  if (state_ == State::closed) {
    ++openings_;
    if (!closed_at_ || now - *closed_at_ >= kCalm) backoff_.reset();
  }
  state_ = State::open;
  out_ = false;
  due_ = now + backoff_.next();
}

std::optional<Breaker::Time> Breaker::due() const {
  if (state_ != State::open || out_) return std::nullopt;
  return due_;
}

void Breaker::probed() {
  if (state_ != State::open || !out_) return;  // the question has failed already
  state_ = State::half_open;
  out_ = false;
}

void Breaker::close(Time now) {
  state_ = State::closed;
  closed_at_ = now;
}

void Breaker::lost() {
  if (state_ == State::closed) ++openings_;
  state_ = State::open;
  lost_ = true;
  out_ = true;  // the next greeting is the question
}

// A server that had been there and went has to show first that it works.
void Breaker::connected() {
  if (lost_) probed();
  lost_ = false;
}

}  // namespace weir
