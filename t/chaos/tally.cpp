#include "t/chaos/tally.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cinttypes>
#include <cmath>
#include <cstdio>

namespace weir_chaos {

namespace {
constexpr double kWiden = 1.01;
constexpr std::size_t kFlushAt = 64 << 10;
}  // namespace

Tally::Tally(const std::string& path)
    : fd_(open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644)), failed_(fd_ < 0) {}

Tally::~Tally() {
  flush();
  if (fd_ >= 0) close(fd_);
}

void Tally::answered(int status, std::uint64_t micros) {
  ++by_status_[status];
  if (status != 200) return;
  const double place = std::log(static_cast<double>(micros) + 1) / std::log(kWiden);
  ++times_[static_cast<std::size_t>(std::min(place, kBuckets - 1.0))];
  ++timed_;
  slowest_ = std::max(slowest_, micros);
}

void Tally::settle(char kind, char state, std::uint32_t tries, std::uint64_t user,
                   const std::string& id) {
  if (state == 'a') ++acknowledged, retried += tries > 1;
  if (state == 'r') ++refused;
  if (state == 'u') ++unknown;
  char head[64];
  std::snprintf(head, sizeof head, "%c,%c,%" PRIu32 ",user-%" PRIu64 ",", kind, state, tries, user);
  ((lines_ += head) += id) += '\n';
  if (lines_.size() > kFlushAt) flush();
}

bool Tally::flush() {
  std::size_t done = 0;
  while (!failed_ && done < lines_.size()) {
    const ssize_t count = write(fd_, lines_.data() + done, lines_.size() - done);
    if (count < 0)
      failed_ = true;
    else
      done += static_cast<std::size_t>(count);
  }
  lines_.clear();
  return !failed_;
}

std::uint64_t Tally::quantile(double part) const {
  auto left = static_cast<std::uint64_t>(part * static_cast<double>(timed_));
  for (int bucket = 0; bucket < kBuckets; ++bucket) {
    if (times_[static_cast<std::size_t>(bucket)] > left)
      return static_cast<std::uint64_t>(std::pow(kWiden, bucket + 1));
    left -= times_[static_cast<std::size_t>(bucket)];
  }
  return slowest_;
}

void Tally::report(std::uint64_t millis, const char* word) {
  flush();
  std::printf("%s ms=%" PRIu64 " acknowledged=%" PRIu64 " retried=%" PRIu64 " refused=%" PRIu64
              " unknown=%" PRIu64 " sent=%" PRIu64 " repeated=%" PRIu64 " abandoned=%" PRIu64
              " cut=%" PRIu64 " unreached=%" PRIu64 " timeouts=%" PRIu64 " wrong=%" PRIu64,
              word, millis, acknowledged, retried, refused, unknown, sent, repeated, abandoned, cut,
              unreached, timeouts, wrong);
  for (const auto& [status, count] : by_status_) std::printf(" status_%d=%" PRIu64, status, count);
  std::printf(" p50=%" PRIu64 " p99=%" PRIu64 " max=%" PRIu64 "\n", quantile(0.5), quantile(0.99),
              slowest_);
  if (!first_wrong.empty()) std::printf("wrong: %s\n", first_wrong.c_str());
  first_wrong.clear();
  std::fflush(stdout);
}

}  // namespace weir_chaos
