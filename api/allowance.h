// How long sessions of PostgreSQL may work on figures, so that reading never slows taking in: as
// long as they like, and a share of each second while the cores are wanted by those who take events
// in.
//
//   Allowance allowance(/*least=*/0.2, /*most=*/3);        // seconds of work in a second
//   allowance.look(now, is_wanted);                        // twice a second
//   if (allowance.lets_begin(now, under_way)) …            // what those at work have taken so far
//   allowance.worked(taken, now);                          // by one that is through
//
//   most  ──╮     ╭──      halves with each look while they are wanted,
//            ╲   ╱         grows by a quarter while they are not,
//   least ────╰─╯          begins at the most
//
// What is not used is saved up, to a second's worth: a page of figures comes at once. What was
// overdrawn is worked off before another one begins, for five seconds at most. At the most nothing
// is counted.
//
// A session's time stands for its CPU: on a machine that is full it waits for a core as well, so
// that what it takes of the cores is less.
#pragma once

#include <chrono>

namespace weir::api {

class Allowance {
 public:
  using Time = std::chrono::steady_clock::time_point;
  using Seconds = std::chrono::duration<double>;

  static constexpr Seconds kMostSaved{1.0};

  // For longer nobody pays off what was overdrawn: a session may have waited for somebody else.
  static constexpr Seconds kMostRest{5.0};

  // What a session that has just begun counts for: it is not known how long it will take.
  static constexpr Seconds kLeastWork{0.05};

  Allowance(double least, double most) : least_(least < most ? least : most), most_(most) {}

  void look(Time now, bool is_wanted);
  bool lets_begin(Time now, Seconds under_way);
  void worked(Seconds taken, Time now);

  double rate() const { return rate_; }
  bool is_short() const { return rate_ < most_; }

 private:
  void save_up(Time now);

  const double least_, most_;
  double rate_ = most_;
  Seconds saved_{kMostSaved};
  Time counted_until_{};
};

}  // namespace weir::api
