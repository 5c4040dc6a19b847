// How far a long piece of work is, and about how long it goes on, on standard error: in one line
// that is written over and over on a terminal, in a line every ten seconds elsewhere. Work that is
// done within a second says nothing.
//
//   Progress progress("rebuilding", days.size());
//   for (…) { …; progress.step(); }      // rebuilding: 12 of 90, about 1 min 20 s left
//   Progress progress("sending", 90000, "events");
//   progress.step(500);                  // sending: 500 of 90000 events, 20000/s, about 5 s left
//   Progress progress("building", marked);
//   progress.step_to(still_marked);      // building: 12 built, 78 still marked, about 40 s left
#pragma once

#include <chrono>
#include <cstddef>
#include <string>

namespace weir::ctl {

// As "45 s", "3 min 20 s" or "2 h 5 min".
std::string duration_text(std::chrono::seconds time);

class Progress {
 public:
  // With `unit`, the rate is told too. Where a piece is done in parts that take different times,
  // `shares` says into how many shares it falls, and step() how many of them are done.
  Progress(const char* what, std::size_t total, const char* unit = nullptr, std::size_t shares = 1);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void step(std::size_t done = 1);
  // One more is built of what can become more meanwhile, and so many are left.
  void step_to(std::size_t still_marked);
  // Leaves the line to another word.
  void clear();

 private:
  using Clock = std::chrono::steady_clock;

  void say();
  void say_how_far(double spent) const;

  const char *what_, *unit_;
  std::size_t shares_, total_, done_ = 0;  // the latter two in shares
  bool on_terminal_, has_line_ = false, is_open_ = false;
  Clock::time_point began_ = Clock::now(), said_ = began_;
};

}  // namespace weir::ctl
