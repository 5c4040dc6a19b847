// The loop's side of writing: gathers records while a batch is being synced, sends the next batch
// to the background, tells the customers, and stops trying for a while when the disk fails.
//
//              submit()                       done(), nothing waits
//   +------+ -----------> +---------+ ----------------------------------> +------+
//   | idle |              | writing | <--+ done(), more waits             | idle |
//   +------+              +---------+ ---+                                +------+
//                              | no segment can be made, no thread comes to it for long, or two
//                              | batches in a row failed
//                              v
//                         +---------+  at each probe: nothing is taken, and the disk is tried by
//                         | failing |  making a segment, after 50 ms, then up to each second
//                         +---------+ ---- a probe succeeded ------------> idle
#pragma once

#include <chrono>
#include <optional>

#include "core/host/background.h"
#include "core/redis/backoff.h"
#include "core/spool/lines.h"
#include "spool/segment_writer.h"

namespace weir {

class Commits final : private Job {
 public:
  using Time = std::chrono::steady_clock::time_point;

  // `status` is brought up to date in what it says of this worker's writing.
  Commits(const Directory& directory, Background& background, Lines& lines, SpoolStatus& status);

  bool submit(std::string_view record, SpoolCustomer& customer, std::uint8_t replicas) noexcept;
  void tick(Time now) noexcept;

  std::optional<Time> due() const;  // the next probe
  bool busy() const { return running_ || !pending_.empty(); }
  bool failing() const { return failing_; }
  const Fault& fault() const { return fault_; }
  bool has_segment() const { return has_segment_; }

  // From now on the segment is closed whenever nothing is being written.
  void leave() noexcept { leaving_ = true; }

  // Closes the segment so that it can be drained; one that is empty is removed. False: not now.
  bool seal() noexcept;

 private:
  enum class Task : std::uint8_t { commit, probe, seal };

  void gather() noexcept override;
  void work() noexcept override;
  void done() noexcept override;
  void refused() noexcept override;
  bool begin(Task task) noexcept;
  void tell() noexcept;
  void failed() noexcept;
  void recovered() noexcept;
  void go_on() noexcept;
  void refuse_pending() noexcept;
  bool fits(std::string_view record) const;

  const Directory& directory_;
  Background& background_;
  Lines& lines_;
  SpoolStatus& status_;
  Time now_{};

  Batch pending_;
  bool running_ = false;
  bool failing_ = false;
  unsigned failures_ = 0;  // in a row
  Fault fault_;            // the last one, while failing
  Backoff backoff_;
  Time probe_at_{};
  bool has_segment_ = false;
  bool leaving_ = false;

  // The background's while running_.
  Task task_ = Task::commit;
  Batch batch_;
  SegmentWriter writer_;
  SegmentWriter::Result result_;
};

}  // namespace weir
