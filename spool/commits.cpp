#include "spool/commits.h"

#include <unistd.h>

#include <cerrno>
#include <utility>

#include "spool/spool.h"

namespace weir {
namespace {

using std::chrono::milliseconds;
constexpr milliseconds kFirstProbe{50}, kLastProbe{1000};

}  // namespace

Commits::Commits(const Directory& directory, Background& background, Lines& lines,
                 SpoolStatus& status)
    : directory_(directory),
      background_(background),
      lines_(lines),
      status_(status),
      backoff_(kFirstProbe, kLastProbe, static_cast<std::uint64_t>(getpid())),
      writer_(directory) {}

// A record that no segment within `size` could hold is refused at once: it says nothing of the
// disk.
bool Commits::fits(std::string_view record) const {
  const std::size_t frame = kFrameHeaderSize + record.size();
  if (record.size() > Spool::kMostRecord) return false;
  if (frame + kLeastSegment > directory_.settings().size) return false;
  if (pending_.empty()) return true;
  return pending_.items.size() < Spool::kMostWaiting &&
         pending_.bytes.size() + frame <= Spool::kMostWaitingBytes;
}

bool Commits::submit(std::string_view record, SpoolCustomer& customer,
                     std::uint8_t replicas) noexcept {
  bool taken = false;
  try {
    if (!failing_ && fits(record)) {
      pending_.add(record, customer, replicas);
      taken = running_ || begin(Task::commit);
      if (!taken) pending_.drop_last();
    }
  } catch (...) {
    taken = false;  // no memory
  }
  if (!taken) ++status_.refused;
  return taken;
}

bool Commits::begin(Task task) noexcept {
  task_ = task;
  running_ = true;
  if (background_.start(*this)) return true;
  running_ = false;
  return false;
}

void Commits::gather() noexcept {
  if (task_ == Task::commit) std::swap(batch_, pending_);
}

void Commits::work() noexcept {
  result_ = {};
  try {
    switch (task_) {
      case Task::commit:
        result_ = writer_.commit(batch_);
        break;
      case Task::probe:
        result_.fault = writer_.probe();
        break;
      case Task::seal:
        writer_.seal();
        break;
    }
  } catch (...) {
    result_.fault = Fault::of(ENOMEM);
  }
}

// running_ stays true meanwhile: what a customer submits from here waits for the next batch.
void Commits::tell() noexcept {
  for (std::size_t i = 0; i < batch_.items.size(); ++i) {
    const bool kept = i < result_.kept;
    if (kept) {
      ++status_.spooled;
      status_.spooled_bytes += batch_.items[i].length;
    } else {
      ++status_.refused;
    }
    batch_.items[i].customer->synced(kept);
  }
}

void Commits::done() noexcept {
  has_segment_ = writer_.has_segment();
  status_.syncs += result_.syncs;
  if (result_.fault) {
    failed();
  } else if (task_ != Task::seal) {
    recovered();
  }
  tell();
  batch_.clear();
  running_ = false;
  go_on();
}

// Nothing was touched: what is in the segment is as good as before.
void Commits::refused() noexcept {
  result_ = {};
  result_.fault = Fault(kNoThread);
  result_.none_to_open = true;
  done();
}

void Commits::failed() noexcept {
  ++status_.failures;
  ++failures_;
  const char* const told = failing_ ? fault_.why() : nullptr;
  fault_ = result_.fault;
  failing_ = failing_ || result_.none_to_open || task_ == Task::probe || failures_ > 1;
  if (failing_) probe_at_ = now_ + backoff_.next();
  try {
    const std::string where = "the spool in " + directory_.settings().directory;
    if (!failing_) {
      lines_.warn(where + " could not write to a segment and begins another: " + fault_.sentence());
    } else if (told != fault_.why()) {
      lines_.warn(where + " takes no records: " + fault_.sentence());
    }
  } catch (...) {
    return;  // no memory for a line of the log
  }
}

void Commits::recovered() noexcept {
  failures_ = 0;
  if (!failing_) return;
  failing_ = false;
  fault_ = {};
  backoff_.reset();
  try {
    lines_.note("the spool in " + directory_.settings().directory + " takes records again");
  } catch (...) {
    return;
  }
}

void Commits::go_on() noexcept {
  if (failing_) {
    refuse_pending();
  } else if (!pending_.empty()) {
    if (!begin(Task::commit)) refuse_pending();
  } else if (failures_ > 0 && !begin(Task::probe)) {
    failing_ = true;
    probe_at_ = now_ + kFirstProbe;
  }
}

void Commits::refuse_pending() noexcept {
  if (pending_.empty()) return;
  running_ = true;  // as in tell()
  std::swap(batch_, pending_);
  for (const Batch::Item& item : batch_.items) {
    ++status_.refused;
    item.customer->synced(false);
  }
  batch_.clear();
  running_ = false;
  // Who submits again on being refused is not heard in a circle.
  if (!pending_.empty() && !failing_ && !begin(Task::commit)) probe_at_ = now_;
}

void Commits::tick(Time now) noexcept {
  now_ = now;
  if (running_) return;
  if (!pending_.empty()) {
    go_on();
  } else if (failing_ && now >= probe_at_ && !begin(Task::probe)) {
    probe_at_ = now + kFirstProbe;
  } else if (leaving_) {
    seal();
  }
}

std::optional<Commits::Time> Commits::due() const {
  if (running_) return std::nullopt;
  if (!pending_.empty()) return now_;
  if (failing_) return probe_at_;
  return std::nullopt;
}

bool Commits::seal() noexcept {
  if (running_ || !has_segment_ || failing_) return false;
  return begin(Task::seal);
}

}  // namespace weir
