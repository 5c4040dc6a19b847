// What has been stored since the last line about it, told at most once a second.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

#include <prometheus/histogram.h>

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
  prometheus::ClientMetric::Histogram batch_rows() const { return rows_.Collect().histogram; }
  prometheus::ClientMetric::Histogram batch_seconds() const { return seconds_.Collect().histogram; }

 private:
  Stored stored_;
  std::size_t entries_ = 0, batches_ = 0;
  Clock::duration took_{};
  Clock::time_point told_at_{};
  std::uint64_t all_rows_ = 0, all_duplicates_ = 0, all_dead_ = 0;
  std::uint64_t all_batches_ = 0, all_entries_ = 0;
  prometheus::Histogram rows_{{1, 10, 100, 500, 1000, 2500, 5000, 10'000, 25'000, 100'000}};
  prometheus::Histogram seconds_{
      {0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30}};
};

}  // namespace weir::flusher
