#include "spool/segment_writer.h"

#include <algorithm>
#include <cerrno>
#include <utility>

#include "fault/fault_point.h"

namespace weir {
namespace {

// Of each fill; and the most that a batch may have to get one, since it costs as much again.
constexpr std::size_t kFill = 256 << 10;
constexpr std::size_t kMostToFill = 64 << 10;

char zeros[kFill];  // never written to, so that it takes no memory

}  // namespace

Fault SegmentWriter::open(std::uint64_t frame) {
  const std::uint64_t size = std::max(directory_.settings().segment, kSegmentHeaderSize + frame);
  Segment made;
  if (auto fault = directory_.create(size, made)) return fault;
  segment_ = std::move(made);
  fresh_ = true;
  filled_ = 0;
  return {};
}

// What is written to for the first time has the file system write its own notes with the sync, too.
// So every now and then, small batches have zeros written ahead of them. Where these find no room,
// which a file system may not have though it was reserved, the records before them still have
// theirs.
void SegmentWriter::fill_ahead(std::uint64_t end, std::size_t bytes) {
  if (end <= filled_ || bytes > kMostToFill) return;
  const auto fill = static_cast<std::size_t>(std::min<std::uint64_t>(kFill, segment_.size - end));
  const bool filled = !write_all(directory_.files(), segment_.fd.number(), {zeros, fill}, end);
  filled_ = filled ? end + fill : segment_.size;
}

Fault SegmentWriter::sync() {
  Files& files = directory_.files();
  if (!fresh_) return Fault::of(-files.sync_data(segment_.fd.number()));
  if (auto fault = Fault::of(-files.sync(segment_.fd.number()))) return fault;
  if (auto fault = directory_.sync()) return fault;
  fresh_ = false;
  return {};
}

Fault SegmentWriter::write(char* frames, std::size_t bytes, const Batch::Item* items,
                           std::size_t count) {
  SegmentHeader& header = segment_.header;
  char* frame = frames;
  for (std::size_t i = 0; i < count; ++i) {
    fill_frame_header(frame, items[i].length, header.salt, items[i].replicas);
    frame += kFrameHeaderSize + items[i].length;
  }
  Files& files = directory_.files();
  const int fd = segment_.fd.number();
  if (auto fault = write_all(files, fd, {frames, bytes}, used())) return fault;
  fill_ahead(used() + bytes, bytes);
  WEIR_FAULT_POINT(before_sync);
  if (auto fault = sync()) return fault;
  WEIR_FAULT_POINT(after_sync);
  // Synced, but nobody would find it: the directory was removed or moved away.
  if (!directory_.has(segment_)) return Fault::of(ENOENT);
  if (directory_.is_shortened(segment_)) return Fault("somebody shortened a file in it");
  header.progress.bytes += bytes;
  header.progress.records += count;
  // It helps whoever reads the segment; the records are safe without it.
  const auto progress = encode_progress(header);
  static_cast<void>(write_all(files, fd, {progress.data(), progress.size()}, kProgressAt));
  return {};
}

SegmentWriter::Result SegmentWriter::commit(Batch& batch) {
  Result result;
  char* frames = batch.bytes.data();
  while (result.kept < batch.items.size()) {
    const Batch::Item* items = batch.items.data() + result.kept;
    const std::size_t left = batch.items.size() - result.kept;
    const std::uint64_t first = kFrameHeaderSize + items->length;
    if (segment_.fd && used() + first > segment_.size) seal();
    if (!segment_.fd) {
      result.fault = open(first);
      result.none_to_open = static_cast<bool>(result.fault);
      if (result.fault) return result;
    }
    std::size_t count = 0, bytes = 0;
    while (count < left) {
      const std::size_t frame = kFrameHeaderSize + items[count].length;
      if (used() + bytes + frame > segment_.size) break;
      bytes += frame;
      ++count;
    }
    result.fault = write(frames, bytes, items, count);
    if (result.fault) {
      abandon();
      return result;
    }
    frames += bytes;
    result.kept += count;
    ++result.syncs;
  }
  return result;
}

Fault SegmentWriter::probe() {
  if (segment_.fd) return {};
  Fault fault = open(0);
  if (!fault) fault = sync();
  if (fault && segment_.fd) abandon();
  return fault;
}

void SegmentWriter::seal() {
  if (!segment_.fd) return;
  if (records() == 0) {
    static_cast<void>(directory_.remove(segment_));
  } else {
    // Gives back what was reserved; should it fail, the segment ends in zeros.
    directory_.files().truncate(segment_.fd.number(), used());
  }
  segment_.fd.close();
}

// What was written behind the last sync was told to nobody: it is cut, as well as may be.
void SegmentWriter::abandon() { seal(); }

}  // namespace weir
