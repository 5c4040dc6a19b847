// The segment that a worker writes to: reserved as it is opened, one write and one fdatasync for
// each batch, closed when it is full, asked for, or failed. Runs in the background, one call at a
// time.
//
//   none --open()--> fresh --first sync, of the directory too--> open --full, seal()--> none
//                      |                                           |
//                      +--- a write or a sync fails: abandon() ----+-----------------> none
//
// A closed segment is shortened to what is in it. It belongs to nobody then, and whoever drains
// first takes it.
//
// The kernel tells of a failed fsync() once, and may drop the pages that it could not write: a
// second one that succeeds proves nothing. So a segment whose write or sync failed is never written
// to again.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "spool/batch.h"
#include "spool/directory.h"

namespace weir {

class SegmentWriter {
 public:
  struct Result {
    std::size_t kept = 0;       // the first so many items of the batch are on the disk
    std::size_t syncs = 0;      // that it took
    Fault fault;                // why not the rest
    bool none_to_open = false;  // since no new segment could be made
  };

  explicit SegmentWriter(const Directory& directory) : directory_(directory) {}

  Result commit(Batch& batch);

  // Shows that the disk takes something: makes a segment, unless there is one, and syncs it.
  Fault probe();

  // Closes the segment, so that it can be drained.
  void seal();

  bool has_segment() const { return static_cast<bool>(segment_.fd); }

 private:
  Fault open(std::uint64_t frame);
  Fault write(char* frames, std::size_t bytes, const Batch::Item* items, std::size_t count);
  void fill_ahead(std::uint64_t end, std::size_t bytes);
  Fault sync();
  void abandon();
  std::uint64_t records() const { return segment_.header.progress.records; }
  std::uint64_t used() const { return segment_.header.progress.bytes; }

  const Directory& directory_;
  Segment segment_;
  bool fresh_ = false;  // the directory has not been synced since it was made
  std::uint64_t filled_ =
      0;  // up to here, something was written since then, were it zeros, or will not be
};

}  // namespace weir
