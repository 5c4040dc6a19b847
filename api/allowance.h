// How long sessions of PostgreSQL may work on figures, so that reading never slows taking in: as
// long as the machine has something left, and a little whatever.
//
//   Allowance allowance(/*least=*/0.5, /*most=*/3);       // seconds of work in a second
//   allowance.look(now, idle);                             // twice a second, see idle.h
//   if (allowance.lets_begin(now, under_way)) …            // what those at work have taken so far
//   allowance.worked(taken, now);                          // by one that is through
//
//   most  ──╮     ╭──╮      halves while next to nothing of the machine is idle,
//            ╲   ╱    ╲     grows by a quarter while some of it is,
//   least ────╰─╯      ╰──  begins at the most
//
// What is not used is saved up, to three seconds' worth: a page of figures comes at once. What was
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

  static constexpr double kLittleIdle = 0.05, kSomeIdle = 0.15;

  static constexpr Seconds kMostSaved{3.0};

  // For longer nobody pays off what was overdrawn: a session may have waited for somebody else.
  static constexpr Seconds kMostRest{5.0};

  // What a session that has just begun counts for: it is not known how long it will take.
  static constexpr Seconds kLeastWork{0.05};

  Allowance(double least, double most) : least_(least < most ? least : most), most_(most) {}

  // `idle` is the part of the machine's CPU time, 0 to 1, that nobody had since the last look.
  void look(Time now, double idle);
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
