#include "spool/segment_drainer.h"

#include <algorithm>
#include <cerrno>

#include "fault/fault_point.h"

namespace weir {

bool SegmentDrainer::hidden(const std::string& name, Time now) const {
  const auto unreadable = unreadable_.find(name);
  if (unreadable != unreadable_.end() && now < unreadable->second) return true;
  return std::any_of(kept_.begin(), kept_.end(),
                     [&](const Kept& kept) { return kept.segment.name == name; });
}

bool SegmentDrainer::look(bool take, Time now, SpoolView& view) {
  kept_.erase(
      std::remove_if(kept_.begin(), kept_.end(), [&](Kept& kept) { return !discard(kept); }),
      kept_.end());
  for (auto it = unreadable_.begin(); it != unreadable_.end();) {
    it = now >= it->second ? unreadable_.erase(it) : std::next(it);
  }
  const Directory::Hidden hide = [&](const std::string& name) { return hidden(name, now); };
  static_cast<void>(directory_.look(hide, view));
  for (const auto& [name, until] : unreadable_)
    view.left_alone.push_back({name, "it cannot be read"});
  for (const Kept& kept : kept_) {
    view.left_alone.push_back({kept.segment.name, "it is drained and cannot be removed"});
  }
  if (!take || segment_.fd || kept_.size() >= kMostKept) return false;
  Segment taken;
  view.take_fault = directory_.take(hide, taken);
  if (view.take_fault || !taken.fd) return false;
  segment_ = std::move(taken);
  reader_.emplace(segment_.header, segment_.size);
  at_ = kSegmentHeaderSize;
  return true;
}

// Reads on behind what the reader has not used yet.
Fault SegmentDrainer::fill() {
  window_.erase(0, used_);
  used_ = 0;
  const std::uint64_t rest = segment_.size - at_;
  const std::size_t target = std::max(kChunk, reader_->wanted());
  std::size_t held = window_.size();
  const std::size_t size = held + static_cast<std::size_t>(std::min<std::uint64_t>(
                                      rest, target > held ? target - held : 0));
  if (size == held) return Fault::of(EIO);
  window_.resize(size);
  while (held < size) {
    const std::int64_t count =
        directory_.files().read(segment_.fd.number(), window_.data() + held, size - held, at_);
    // It was shortened under our hands.
    if (count <= 0) return Fault::of(count == 0 ? EIO : static_cast<int>(-count));
    held += static_cast<std::size_t>(count);
    at_ += static_cast<std::uint64_t>(count);
  }
  return {};
}

void SegmentDrainer::add_range(Directory::Ranges& ranges, std::uint64_t from, std::uint64_t to) {
  if (ranges.size() < kMostRanges) {
    ranges.emplace_back(from, to);
  } else {
    ranges.back().second = to;
  }
}

// Past kMostRanges what was delivered in between goes along, and is sent again one day, no worse.
void SegmentDrainer::refuse(const DrainRecord& record) {
  add_range(refused_, record.at, record.at + kFrameHeaderSize + record.bytes.size());
}

void SegmentDrainer::read(Time now, Piece& piece) {
  if (at_ > kSegmentHeaderSize) WEIR_FAULT_POINT(in_drain);
  piece = {};
  for (;;) {
    const auto step = reader_->next(std::string_view(window_).substr(used_));
    used_ += step.used;
    switch (step.what) {
      case SegmentReader::What::record:
        piece.records.push_back({step.record, step.replicas,
                                 reader_->position() - kFrameHeaderSize - step.record.size()});
        break;
      case SegmentReader::What::damage:
        if (step.to > step.from) add_range(damaged_, step.from, step.to);
        ++piece.corrupt;
        break;
      case SegmentReader::What::end:
        piece.end = true;
        piece.torn = reader_->torn();
        return;
      case SegmentReader::What::more:
        if (!piece.records.empty()) return;
        piece.fault = fill();
        if (!piece.fault) break;
        unreadable_[segment_.name] = now + kUnreadableFor;
        let_go();
        return;
    }
  }
}

Fault SegmentDrainer::discard(Kept& kept) const {
  if (!kept.damaged.empty()) {
    if (auto fault = directory_.set_aside(kept.segment, kept.damaged)) return fault;
    kept.damaged.clear();
  }
  if (!kept.refused.empty()) {
    if (auto fault = directory_.set_refused_aside(kept.segment, kept.refused)) return fault;
    WEIR_FAULT_POINT(after_setting_aside);
    kept.refused.clear();
  }
  return directory_.remove(kept.segment);
}

Fault SegmentDrainer::retire() {
  WEIR_FAULT_POINT(before_removal);
  Kept done{std::move(segment_), std::move(damaged_), std::move(refused_)};
  let_go();
  const Fault fault = discard(done);
  if (fault) kept_.push_back(std::move(done));
  return fault;
}

void SegmentDrainer::let_go() {
  segment_ = {};
  damaged_.clear();
  refused_.clear();
  reader_.reset();
  used_ = 0;
  std::string().swap(window_);  // there may be no other segment for months
}

}  // namespace weir
