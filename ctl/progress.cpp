#include "ctl/progress.h"

#include <unistd.h>

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

Progress::Progress(const char* what, std::size_t total)
    : what_(what), total_(total), on_terminal_(isatty(STDERR_FILENO) != 0) {}

Progress::~Progress() { clear(); }

void Progress::step() {
  ++done_;
  const auto now = Clock::now();
  const bool is_due = now - said_ >= (on_terminal_ ? kOnTerminal : kElsewhere);
  if (is_due && now - began_ >= kFirst) say();
}

void Progress::say() {
  said_ = Clock::now();
  const auto spent = std::chrono::duration<double>(said_ - began_).count();
  const double left = spent / static_cast<double>(done_) * static_cast<double>(total_ - done_);
  std::cerr << (on_terminal_ ? kClearLine : "") << what_ << ": " << done_ << " of " << total_
            << ", about " << duration_text(seconds(static_cast<long>(left) + 1)) << " left"
            << (on_terminal_ ? "" : "\n") << std::flush;
  has_line_ = on_terminal_;
}

void Progress::clear() {
  if (has_line_) std::cerr << kClearLine << std::flush;
  has_line_ = false;
}

}  // namespace weir::ctl
