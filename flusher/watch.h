// The patience with PostgreSQL while a batch is stored. It beats for the leases meanwhile, so that
// a batch may take as long as it has to; and it tells a server that is slow (the lease session is
// answered) from one that hangs (neither is): the first is waited for, the second is given up.
//
//   asked to stop:   no  → given up after kSilence without any answer
//                    yes → after kSilenceAtStop; and one that answers has kLastBatch to finish
#pragma once

#include <chrono>
#include <optional>

#include "flusher/leases.h"
#include "pg/patience.h"

namespace weir::flusher {

class Watch : public pg::Patience {
 public:
  static constexpr std::chrono::seconds kSilence{10};
  static constexpr std::chrono::seconds kSilenceAtStop{2};
  static constexpr std::chrono::seconds kLastBatch{20};  // less than systemd's TimeoutStopSec

  explicit Watch(Leases& leases) : leases_(leases) {}

  bool go_on(std::chrono::milliseconds silent) override;

 private:
  void tell(std::chrono::milliseconds silent);

  Leases& leases_;
  bool told_ = false;
  std::optional<std::chrono::steady_clock::time_point> stopping_since_;
};

}  // namespace weir::flusher
