#include "core/spool/reader.h"

#include <algorithm>

namespace weir {

SegmentReader::SegmentReader(const SegmentHeader& header, std::uint64_t file_size)
    : salt_(header.salt),
      synced_(header.progress.bytes),
      size_(std::max<std::uint64_t>(file_size, kSegmentHeaderSize)),
      position_(kSegmentHeaderSize) {}

SegmentReader::Step SegmentReader::more(std::size_t used, std::uint64_t wanted) {
  wanted_ = static_cast<std::size_t>(std::min(wanted, size_ - position_));
  Step step;
  step.what = What::more;
  step.used = used;
  return step;
}

// `bytes` of the file, of which the window holds the first or all, belong to no frame.
void SegmentReader::skip(std::string_view& window, std::uint64_t bytes, std::size_t& used) {
  const std::size_t here = static_cast<std::size_t>(std::min<std::uint64_t>(bytes, window.size()));
  if (!gap_) gap_ = position_;
  const std::size_t last = window.substr(0, here).find_last_not_of('\0');
  if (last != std::string_view::npos) gap_written_ = position_ + last + 1;
  position_ += bytes;
  window.remove_prefix(here);
  used += here;
}

SegmentReader::Step SegmentReader::finish(std::size_t used) {
  Step step;
  step.used = used;
  const bool lacks_records = synced_ > size_;
  if (!gap_ && !lacks_records) return step;
  const std::uint64_t from = gap_.value_or(size_);
  const std::uint64_t to = cut_short_ ? size_ : std::max(gap_written_, std::min(synced_, size_));
  gap_.reset();
  if (to <= from && !lacks_records) return step;
  if (from >= synced_) {
    torn_ = to - from;
    return step;
  }
  synced_ = from;  // told once
  step.what = What::damage;
  step.from = from;
  step.to = to;
  return step;
}

SegmentReader::Step SegmentReader::whole(const FrameHeader& header, std::string_view record,
                                         std::size_t used) {
  Step step;
  step.used = used;
  if (gap_) {
    step.what = What::damage;
    step.from = *gap_;
    step.to = position_;
    gap_.reset();
    return step;
  }
  const std::size_t frame = kFrameHeaderSize + record.size();
  step.what = What::record;
  step.record = record;
  step.replicas = header.replicas;
  step.used += frame;
  position_ += frame;
  return step;
}

SegmentReader::Step SegmentReader::next(std::string_view window) {
  std::size_t used = 0;
  for (;;) {
    const std::uint64_t rest = size_ - position_;
    if (rest == 0) return finish(used);
    if (window.size() < std::min<std::uint64_t>(rest, kFrameHeaderSize)) {
      return more(used, kFrameHeaderSize);
    }
    if (rest < kFrameHeaderSize) {
      skip(window, rest, used);
      continue;
    }
    const auto header = read_frame_header(window, salt_);
    if (!header) {
      // What is left of the window may be the beginning of a header.
      const std::size_t found = 1 + find_frame(window.substr(1), salt_);
      skip(window, found, used);
      continue;
    }
    const std::uint64_t frame = kFrameHeaderSize + header->length;
    if (frame > rest) {
      cut_short_ = true;
      skip(window, rest, used);
      continue;
    }
    if (window.size() < frame) return more(used, frame);
    const std::string_view record = window.substr(kFrameHeaderSize, header->length);
    if (!record_is_whole(*header, record, salt_)) {
      skip(window, frame, used);
      continue;
    }
    return whole(*header, record, used);
  }
}

}  // namespace weir
