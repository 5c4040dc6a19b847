#include "ctl/progress.h"

#include <unistd.h>

#include <cmath>
#include <iostream>

namespace weir::ctl {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr milliseconds kFirst{1000}, kOnTerminal{200}, kElsewhere{10'000};
constexpr const char* kClearLine = "\r\x1b[K";

}  // namespace

std::string duration_text(seconds time) {
  const auto count = time.count();
  if (count < 60) return std::to_string(count) + " s";
  if (count < 3600) return std::to_string(count / 60) + " min " + std::to_string(count % 60) + " s";
  return std::to_string(count / 3600) + " h " + std::to_string(count % 3600 / 60) + " min";
}

Progress::Progress(const char* what, std::size_t total, const char* unit, std::size_t shares)
    : what_(what),
      unit_(unit),
      shares_(shares),
      total_(total * shares),
      on_terminal_(isatty(STDERR_FILENO) != 0) {}

Progress::~Progress() { clear(); }

void Progress::step(std::size_t done) {
  done_ += done;
  const auto now = Clock::now();
  const bool is_due = now - said_ >= (on_terminal_ ? kOnTerminal : kElsewhere);
  if (is_due && now - began_ >= kFirst) say();
}

void Progress::step_to(std::size_t still_marked) {
  is_open_ = true;
  total_ = done_ + (1 + still_marked) * shares_;
  step(shares_);
}

void Progress::say() {
  said_ = Clock::now();
  const auto spent = std::chrono::duration<double>(said_ - began_).count();
  const std::size_t rest = total_ > done_ ? total_ - done_ : 0;
  const double left = spent / static_cast<double>(done_) * static_cast<double>(rest);
  std::cerr << (on_terminal_ ? kClearLine : "") << what_ << ": ";
  say_how_far(spent);
  std::cerr << ", about " << duration_text(seconds(static_cast<long>(left) + 1)) << " left"
            << (on_terminal_ ? "" : "\n") << std::flush;
  has_line_ = on_terminal_;
}

void Progress::say_how_far(double spent) const {
  if (is_open_) {
    std::cerr << done_ / shares_ << " built, " << (total_ - done_) / shares_ << " still marked";
    return;
  }
  std::cerr << done_ / shares_ << " of " << total_ / shares_;
  if (unit_ == nullptr) return;
  std::cerr << " " << unit_ << ", " << std::llround(static_cast<double>(done_) / spent) << "/s";
}

void Progress::clear() {
  if (has_line_) std::cerr << kClearLine << std::flush;
  has_line_ = false;
}

}  // namespace weir::ctl
