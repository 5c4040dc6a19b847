// The loop's side of draining: looks at the directory about each second, and while Redis is ready
// takes the oldest segment that nobody holds, sends its records piece by piece, and removes it.
//
//           look, each second           taken                     acknowledged, all
//   +------+ ------------> +---------+ -------> +---------+ ---------------------> +----------+
//   | idle |               | looking |          | sending | --+                    | retiring |
//   +------+ <------------ +---------+          +---------+   | next piece         +----------+
//                 none          ^                    ^--------+                         |
//                               +-------------------------------------------------------+
//
// Where nothing is left but what this worker itself writes to, that segment is closed and follows,
// so that records come in order and none stays behind. No more often than each kSealEvery: while a
// slow Redis makes some records come here, they come in bunches.
//
// A record that Redis never takes, since it is longer than its proto-max-bulk-len, is set aside
// after a few tries, in NAME.refused beside the spool, so that the rest goes on; it is named in the
// log.
//
// What else Redis did not take stays where it is: the same records are offered again, and a segment
// is removed only when all of it was acknowledged. Ending before that sends it again from its
// beginning, which is harmless, since storing is idempotent by event_id.
#pragma once

#include <chrono>

#include "core/host/background.h"
#include "core/spool/delivery.h"
#include "core/spool/lines.h"
#include "spool/commits.h"
#include "spool/segment_drainer.h"

namespace weir {

class Drains final : private Job {
 public:
  using Time = std::chrono::steady_clock::time_point;

  static constexpr std::chrono::milliseconds kLookEvery{1000};
  static constexpr std::chrono::milliseconds kSealEvery{250};
  static constexpr std::chrono::milliseconds kStep{
      5};  // between ticks while there is something to do
  static constexpr std::chrono::seconds kProgressEvery{10};
  static constexpr std::chrono::seconds kLeftAloneEvery{60};

  Drains(const Directory& directory, Background& background, Lines& lines, Commits& commits,
         SpoolStatus& status);

  void start(Time now) noexcept;
  void tick(Time now, DrainSink* sink) noexcept;
  Time due() const;

  // Takes nothing any more, and lets go of what it has once none of it is on its way.
  void leave() noexcept { leaving_ = true; }

  // Why no segment could be made when the directory was looked at last; before that, a reason too.
  const Fault& fault() const { return fault_; }

  void fill(SpoolStatus& status) const noexcept;

 private:
  enum class Task : std::uint8_t { none, look, read, retire };

  void work() noexcept override;
  void done() noexcept override;
  void refused() noexcept override;
  bool begin(Task task) noexcept;
  void looked();
  void took();
  void nothing_to_take();
  void read();
  void refuse_unfit();
  void finish_piece() noexcept;
  void retired();
  void tell_progress();
  void tell_left_alone();
  std::string where() const;

  const Directory& directory_;
  Background& background_;
  Lines& lines_;
  Commits& commits_;
  SpoolStatus& status_;

  Time now_{};
  bool redis_ready_ = false;
  bool leaving_ = false;
  Time look_at_{}, seal_at_{}, progress_at_{}, left_alone_at_{};
  bool running_ = false;
  bool holding_ = false;  // a segment
  bool loaded_ = false;   // a piece of it is in delivery_
  bool last_piece_ = false;
  bool draining_ = false;  // from the first segment until there is none
  std::uint64_t before_records_ = 0, before_bytes_ = 0;  // drained before this drain began
  std::uint64_t before_segment_ = 0;                     // records, before the segment in hand
  Fault fault_;
  Delivery delivery_;

  // Copied from what the background found, for the status.
  std::uint64_t oldest_age_ = 0;
  std::size_t left_alone_ = 0;

  // The background's while running_.
  Task task_ = Task::none;
  bool take_ = false, taken_ = false, no_memory_ = false;
  Time started_{};
  Timestamp clock_ = 0;
  SpoolView view_;
  SegmentDrainer drainer_;
  SegmentDrainer::Piece piece_;
  Fault retire_fault_;
};

}  // namespace weir
