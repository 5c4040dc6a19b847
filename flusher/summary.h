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

  // Since the start.
  std::uint64_t rows() const { return all_rows_; }
  std::uint64_t duplicates() const { return all_duplicates_; }
  std::uint64_t dead() const { return all_dead_; }
  std::uint64_t batches() const { return all_batches_; }
  std::uint64_t entries() const { return all_entries_; }

 private:
  Stored stored_;
  std::size_t entries_ = 0, batches_ = 0;
  Clock::duration took_{};
  Clock::time_point told_at_{};
  std::uint64_t all_rows_ = 0, all_duplicates_ = 0, all_dead_ = 0;
  std::uint64_t all_batches_ = 0, all_entries_ = 0;
};

}  // namespace weir::flusher
