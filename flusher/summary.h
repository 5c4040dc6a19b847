// What has been stored since the last line about it, told at most once a second.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

#include "flusher/store.h"

namespace weir::flusher {

class Summary {
 public:
  using Clock = std::chrono::steady_clock;

  void add(const Stored& stored, std::size_t entries, Clock::duration took);

  // Logs, if there is something to say and the last line is a second old or `now`.
  void tell(bool now = false);

  std::uint64_t rows() const { return all_rows_; }

 private:
  Stored stored_;
  std::size_t entries_ = 0, batches_ = 0;
  Clock::duration took_{};
  Clock::time_point told_at_{};
  std::uint64_t all_rows_ = 0;
};

}  // namespace weir::flusher
