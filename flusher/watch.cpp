#include "flusher/watch.h"

#include <algorithm>

#include "daemon/log.h"
#include "flusher/stop.h"

namespace weir::flusher {
namespace {

constexpr std::chrono::seconds kTellAfter{30};

}  // namespace

bool Watch::go_on(std::chrono::milliseconds silent) {
  work_meanwhile();
  tell(silent);
  const auto deaf = std::min(silent, leases_.silent());
  if (!stop_requested()) return deaf < kSilence;
  const auto now = std::chrono::steady_clock::now();
  if (!stopping_since_) stopping_since_ = now;
  return deaf < kSilenceAtStop && now - *stopping_since_ < kLastBatch;
}

// Once for each statement that takes long.
void Watch::tell(std::chrono::milliseconds silent) {
  if (silent < kTellAfter) {
    told_ = false;
  } else if (!told_) {
    told_ = true;
    daemon::log_warn("PostgreSQL answers, but has been at one statement for long: see pg_locks",
                     {{"seconds", silent.count() / 1000}});
  }
}

}  // namespace weir::flusher
