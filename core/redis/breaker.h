// The circuit breaker: whether a Redis that is connected is worth a try. Without it, each request
// would find out for itself, and wait for it, that Redis hangs or refuses.
//
//             failed(): late, refused, timed out
//   +--------+ ------------------------------> +------+ <--------------+
//   | closed |                                 | open |                | failed(): a longer wait
//   +--------+ <-+                             +------+                |
//     all pass   |                   none pass    | probed(): the courier's own question, due()
//                | worked()                       v after a wait at random, was answered in time
//                |                           +-----------+             |
//                +-------------------------- | half open | ------------+
//                                            +-----------+
//                                              one passes: the trial
//
//   if (!breaker.lets_pass()) spool();  else { submit(); breaker.passed(); }
//   breaker.worked(now) / breaker.failed(now);        // as answers come, or do not
//   if (breaker.due() <= now) { ask(); breaker.asked(); }
//
// The probe costs no client anything, but writes nothing either: a Redis whose disk is slow answers
// it at once. So one record has to get through before all are let through.
//
// Waits double from 200 ms to 5 s, each drawn at random from its upper half, and start over only
// when Redis has worked for ten seconds: one that stalls again and again gets less and less to
// stall.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "core/redis/backoff.h"

namespace weir {

class Breaker {
 public:
  using Time = std::chrono::steady_clock::time_point;

  enum class State : std::uint8_t { closed, open, half_open };

  // `seed` as for Backoff.
  explicit Breaker(std::uint64_t seed);

  State state() const { return state_; }
  std::uint64_t openings() const { return openings_; }  // from closed, since it was made

  bool lets_pass() const {
    return state_ == State::closed || (state_ == State::half_open && !out_);
  }

  // A record is on its way.
  void passed() { out_ = true; }

  // A record was acknowledged in time.
  void worked(Time now) {
    if (state_ == State::half_open) close(now);
  }

  // Something was not answered in time, or with an error.
  void failed(Time now);

  // When to ask; none unless open, and while an answer to the last question is awaited.
  std::optional<Time> due() const;
  void asked() { out_ = true; }
  void probed();

  // The connection is gone, and with it all that was out; there is a new one, which greets.
  void lost();
  void connected();

 private:
  void close(Time now);

  Backoff backoff_;
  State state_ = State::closed;
  bool out_ = false;  // a probe while open, the trial while half open
  bool lost_ = false;
  Time due_{};
  std::optional<Time> closed_at_;
  std::uint64_t openings_ = 0;
};

}  // namespace weir
