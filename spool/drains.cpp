#include "spool/drains.h"

#include <algorithm>
#include <cerrno>
#include <string>
#include <utility>

#include "core/spool/amount.h"
#include "core/spool/name.h"

namespace weir {
namespace {

// When the directory is looked at again while this worker is writing.
constexpr std::chrono::milliseconds kBusyStep{50};

std::string segments(std::uint64_t count) { return amount(count, "segment", "segments"); }
std::string records(std::uint64_t count) { return amount(count, "record", "records"); }

std::string size(std::uint64_t bytes) {
  if (bytes < 10 << 10) return std::to_string(bytes) + " bytes";
  if (bytes < 10 << 20) return std::to_string(bytes >> 10) + " KiB";
  return std::to_string(bytes >> 20) + " MiB";
}

}  // namespace

Drains::Drains(const Directory& directory, Background& background, Lines& lines, Commits& commits,
               SpoolStatus& status)
    : directory_(directory),
      background_(background),
      lines_(lines),
      commits_(commits),
      status_(status),
      fault_("it has not been looked at yet"),
      delivery_(directory.settings().drain),
      drainer_(directory) {}

std::string Drains::where() const { return "the spool in " + directory_.settings().directory; }

bool Drains::begin(Task task) noexcept {
  task_ = task;
  take_ = redis_ready_ && !holding_;
  started_ = now_;
  running_ = true;
  if (background_.start(*this)) return true;
  running_ = false;
  return false;
}

void Drains::start(Time now) noexcept {
  now_ = now;
  look_at_ = now;
  begin(Task::look);
}

void Drains::work() noexcept {
  try {
    switch (task_) {
      case Task::none:
        break;
      case Task::look:
        taken_ = drainer_.look(take_, started_, view_);
        clock_ = directory_.files().clock();
        break;
      case Task::read:
        drainer_.read(started_, piece_);
        break;
      case Task::retire:
        retire_fault_ = drainer_.retire();
        break;
    }
  } catch (...) {
    if (task_ == Task::read) drainer_.let_go();
    no_memory_ = task_ == Task::read;
    piece_ = {};
    piece_.fault = Fault::of(ENOMEM);
    retire_fault_ = Fault::of(ENOMEM);
  }
}

void Drains::done() noexcept {
  running_ = false;
  try {
    switch (std::exchange(task_, Task::none)) {
      case Task::none:
        break;
      case Task::look:
        looked();
        break;
      case Task::read:
        read();
        break;
      case Task::retire:
        retired();
        break;
    }
  } catch (...) {
    look_at_ = now_ + kLookEvery;  // no memory, for a line of the log
  }
}

// A segment in hand stays in hand: what was not done is begun again by tick().
void Drains::refused() noexcept {
  running_ = false;
  task_ = Task::none;
  fault_ = Fault(kNoThread);
  look_at_ = now_ + kLookEvery;
}

void Drains::looked() {
  look_at_ = now_ + kLookEvery;
  fault_ = view_.fault;
  left_alone_ = view_.left_alone.size();
  status_.bytes = view_.bytes;
  status_.segments = view_.segments;
  status_.records = view_.records;
  oldest_age_ = view_.oldest == 0 || clock_ < view_.oldest
                    ? 0
                    : static_cast<std::uint64_t>((clock_ - view_.oldest) / kMicrosPerSecond);
  if (std::exchange(taken_, false)) {
    took();
  } else if (take_ && !holding_) {
    nothing_to_take();
  }
  tell_left_alone();
}

void Drains::took() {
  holding_ = true;
  loaded_ = false;
  before_segment_ = delivery_.delivered();
  if (!draining_) {
    draining_ = true;
    before_records_ = delivery_.delivered();
    before_bytes_ = delivery_.delivered_bytes();
    progress_at_ = now_ + kProgressEvery;
    lines_.note(where() + " is being sent to Redis: " + segments(view_.segments) + " with about " +
                records(view_.records) + ", " + size(view_.bytes) + " on the disk");
  }
  begin(Task::read);
}

void Drains::nothing_to_take() {
  if (commits_.busy()) {
    if (draining_) look_at_ = now_ + kBusyStep;
    return;
  }
  if (commits_.has_segment()) {
    look_at_ = std::max(now_ + kStep, seal_at_);
    if (now_ >= seal_at_ && commits_.seal()) seal_at_ = now_ + kSealEvery;
    return;
  }
  if (!std::exchange(draining_, false)) return;
  lines_.note(where() + " was sent to Redis: " + records(delivery_.delivered() - before_records_) +
              ", " + size(delivery_.delivered_bytes() - before_bytes_) + "; " +
              segments(view_.segments) + " left, which others hold");
}

void Drains::read() {
  if (piece_.fault) {
    holding_ = false;
    ++status_.failures;
    if (std::exchange(no_memory_, false)) {
      look_at_ = now_ + kLookEvery;
      lines_.warn("there is no memory to read a segment of " + where() + ", which is tried again");
      return;
    }
    look_at_ = now_;
    lines_.warn(where() + " has a segment that cannot be read and is left alone for a minute: " +
                piece_.fault.sentence());
    return;
  }
  last_piece_ = piece_.end;
  loaded_ = true;
  delivery_.load(std::move(piece_.records), now_);
  if (piece_.corrupt > 0) {
    status_.corrupt += piece_.corrupt;
    lines_.warn(where() + " has damage in " + drainer_.name() +
                ": what holds no whole record is set aside beside it, and the rest is read on");
  }
  if (piece_.torn > 0) {
    ++status_.torn_tails;
    lines_.warn(where() + " has a torn tail in " + drainer_.name() + ": " + size(piece_.torn) +
                " of a write that was not finished are cut");
  }
}

// The piece is done with, but for what Redis never takes.
void Drains::refuse_unfit() {
  std::uint64_t count = 0, largest = 0;
  for (const DrainRecord& record : delivery_.records()) {
    if (record.state != DrainRecord::State::unfit) continue;
    drainer_.refuse(record);
    ++count;
    largest = std::max<std::uint64_t>(largest, record.bytes.size());
  }
  if (count == 0) return;
  status_.unfit += count;
  lines_.warn(where() + " has " + records(count) + " of up to " + std::to_string(largest) +
              " bytes that Redis refuses as too long: set aside in " +
              refused_name(drainer_.name()) +
              ", and the rest is sent; raise proto-max-bulk-len in Redis, then rename the file to "
              "end in .spool");
}

// Without memory to note what was refused, the whole segment is begun anew.
void Drains::finish_piece() noexcept {
  loaded_ = false;
  try {
    refuse_unfit();
    begin(last_piece_ ? Task::retire : Task::read);
  } catch (...) {
    delivery_.load({}, now_);
    drainer_.let_go();
    holding_ = false;
  }
}

void Drains::retired() {
  holding_ = false;
  if (retire_fault_) {
    ++status_.failures;
    lines_.warn(where() +
                " cannot remove a segment that is drained, and keeps it without sending "
                "it again: " +
                retire_fault_.sentence());
  } else {
    ++status_.drained_segments;
  }
  if (!begin(Task::look)) look_at_ = now_;
}

void Drains::tell_left_alone() {
  if (now_ < left_alone_at_) return;
  if (view_.take_fault && view_.segments > 0) {
    left_alone_at_ = now_ + kLeftAloneEvery;
    lines_.warn(where() + " cannot be drained: " + view_.take_fault.sentence());
  }
  if (view_.left_alone.empty()) return;
  left_alone_at_ = now_ + kLeftAloneEvery;
  const auto& first = view_.left_alone.front();
  lines_.warn(where() + " leaves " + segments(view_.left_alone.size()) + " alone; " + first.name +
              ": " + first.why + ". docs/spool.md says what to do with it");
}

void Drains::tell_progress() {
  if (!draining_ || now_ < progress_at_) return;
  progress_at_ = now_ + kProgressEvery;
  lines_.note(where() +
              " is being sent to Redis: " + records(delivery_.delivered() - before_records_) +
              ", " + size(delivery_.delivered_bytes() - before_bytes_) + " done; about " +
              records(status_.records) + " in " + segments(status_.segments) + ", " +
              size(status_.bytes) + " left");
}

void Drains::tick(Time now, DrainSink* sink) noexcept {
  now_ = now;
  if (leaving_) sink = nullptr;
  if (!redis_ready_ && sink != nullptr) look_at_ = now;
  redis_ready_ = sink != nullptr;
  if (holding_ && loaded_ && sink != nullptr) delivery_.offer(now, *sink);
  try {
    tell_progress();
  } catch (...) {
    progress_at_ = now + kProgressEvery;
  }
  if (running_) return;
  if (leaving_ && holding_ && delivery_.out() == 0) {
    delivery_.load({}, now);
    drainer_.let_go();
    holding_ = loaded_ = false;
  }
  if (now >= look_at_) {
    if (!begin(Task::look)) look_at_ = now + kStep;
  } else if (holding_ && !loaded_) {
    begin(Task::read);
  } else if (holding_ && delivery_.done()) {
    finish_piece();
  }
}

Drains::Time Drains::due() const {
  const bool near = redis_ready_ && (running_ || holding_);
  return near ? std::min(look_at_, now_ + kStep) : look_at_;
}

void Drains::fill(SpoolStatus& status) const noexcept {
  status.left_alone = left_alone_;
  status.draining = holding_;
  status.oldest_age = status.segments == 0 ? 0 : std::max<std::uint64_t>(oldest_age_, 1);
  status.drained = delivery_.delivered();
  status.drained_bytes = delivery_.delivered_bytes();
  const std::uint64_t here = holding_ ? delivery_.delivered() - before_segment_ : 0;
  status.records -= std::min(status.records, here);
}

}  // namespace weir
