// Takes segments and reads them, piece by piece, for somebody who sends the records away. Runs in
// the background, one call at a time; the records of a piece are views that stay valid until the
// next read().
//
//   none --look(true)--> taken --read()…, the last with `end`--> read --retire()--> none
//                          |                                            |
//                          +-- cannot be read: left for a minute        +-- cannot be removed: kept
//
// A segment that was read and sent but cannot be removed is kept, locked, so that nobody sends it
// again; its removal is tried again at each look(). At most kMostKept of them: then no other is
// taken.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/spool/delivery.h"
#include "core/spool/reader.h"
#include "spool/directory.h"

namespace weir {

class SegmentDrainer {
 public:
  using Time = std::chrono::steady_clock::time_point;

  static constexpr std::size_t kChunk = 1U << 20;
  static constexpr std::size_t kMostKept = 64;
  static constexpr std::size_t kMostRanges = 256;  // that are set aside of a segment, one by one
  static constexpr std::chrono::seconds kUnreadableFor{60};

  struct Piece {
    std::vector<DrainRecord> records;
    std::uint64_t corrupt = 0;  // ranges without a whole record
    std::uint64_t torn = 0;     // bytes of a torn tail
    bool end = false;           // nothing follows
    Fault fault;                // it could not be read: the segment is let go of
  };

  explicit SegmentDrainer(const Directory& directory) : directory_(directory) {}

  // True with a segment taken over; it is asked for only while none is.
  bool look(bool take, Time now, SpoolView& view);

  const std::string& name() const { return segment_.name; }
  std::uint64_t size() const { return segment_.size; }

  void read(Time now, Piece& piece);

  // A record of the segment in hand that Redis does not take: retire() sets it aside.
  void refuse(const DrainRecord& record);

  // Sets aside what was damaged or refused and removes the segment.
  Fault retire();

  // Leaves the segment to whoever takes it next.
  void let_go();

  // Segments that are kept because they cannot be removed.
  std::size_t kept() const { return kept_.size(); }

  // Bytes of the file that it has room for.
  std::size_t memory() const { return window_.capacity(); }

 private:
  struct Kept {
    Segment segment;
    Directory::Ranges damaged, refused;
  };

  bool hidden(const std::string& name, Time now) const;
  Fault fill();
  static void add_range(Directory::Ranges& ranges, std::uint64_t from, std::uint64_t to);
  Fault discard(Kept& kept) const;

  const Directory& directory_;
  Segment segment_;
  std::optional<SegmentReader> reader_;
  std::string window_;    // of the file
  std::size_t used_ = 0;  // of it, that the reader is done with
  std::uint64_t at_ = 0;  // where in the file the window ends
  Directory::Ranges damaged_, refused_;
  std::vector<Kept> kept_;
  std::map<std::string, Time> unreadable_;  // until when
};

}  // namespace weir
