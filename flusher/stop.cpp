#include "flusher/stop.h"

#include <poll.h>

#include <algorithm>
#include <csignal>
#include <utility>

namespace weir::flusher {
namespace {

volatile std::sig_atomic_t stop_flag = 0;

// A signal that arrives between the look at the flag and poll() is noticed this much later.
constexpr std::chrono::milliseconds kSlice{100};

extern "C" void ask_to_stop(int) { stop_flag = 1; }

std::function<void()>& other_work() {
  static std::function<void()> work = [] {};
  return work;
}

// `fd` -1: only the time counts.
Wake wait(int fd, std::chrono::milliseconds time, Heed heed) {
  using Clock = std::chrono::steady_clock;
  const auto end = Clock::now() + time;
  while (heed == Heed::nothing || !stop_requested()) {
    other_work()();
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - Clock::now());
    pollfd poll_fd{fd, POLLIN, 0};
    const auto slice = std::clamp(left, std::chrono::milliseconds(0), kSlice);
    if (poll(&poll_fd, 1, static_cast<int>(slice.count())) > 0) return Wake::readable;
    if (left <= kSlice && Clock::now() >= end) return Wake::timeout;
  }
  return Wake::stop;
}

}  // namespace

void catch_stop_signals() {
  struct sigaction action {};
  action.sa_handler = ask_to_stop;
  for (const int number : {SIGTERM, SIGINT, SIGHUP}) sigaction(number, &action, nullptr);
  action.sa_handler = SIG_IGN;
  sigaction(SIGPIPE, &action, nullptr);
}

bool stop_requested() { return stop_flag != 0; }

void wait_for(std::chrono::milliseconds time) { wait(-1, time, Heed::stop); }

Wake wait_readable(int fd, std::chrono::milliseconds time, Heed heed) {
  return wait(fd, time, heed);
}

void work_meanwhile() { other_work()(); }

void while_waiting(std::function<void()> work) { other_work() = std::move(work); }

}  // namespace weir::flusher
