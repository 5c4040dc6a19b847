// Finds the records in a segment, whatever became of the file since it was written.
//
//   SegmentReader reader(header, file_size);
//   // `window`: the file's bytes from reader.position() on, as many as were read
//   const auto step = reader.next(window);
//   window.remove_prefix(step.used);
//   record:  step.record, a view into the window
//   damage:  step.from to step.to of the file hold no record that is whole; more may follow.
//            They are the same where the file was cut between two records
//   more:    read on, until the window has reader.wanted() bytes
//   end:     nothing follows; reader.torn() tells whether a torn tail was cut
//
//        +--------+-------+-------+--- - - ---+-------+- - -+------ - - -+
//        | header | frame | frame |  damage   | frame |torn | zeros      |
//        +--------+-------+-------+--- - - ---+-------+- - -+------ - - -+
//
// Behind the last whole frame a segment ends in zeros (reserved and never written), at once (closed
// in order), or in bytes that a crash left in the middle of a write: a torn tail, which nobody was
// told is kept. Where the header says that the bytes were synced, it is damage instead, and so is
// whatever has a whole frame behind it. So is the end of a segment that lacks what was synced: it
// was cut short, and what stood there had been told that it is kept.
//
// Each byte is looked at a few times at most: a frame's header has a checksum of its own, so that
// its length can be believed, and a record that is not whole is stepped over.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "core/spool/format.h"

namespace weir {

class SegmentReader {
 public:
  enum class What : std::uint8_t { record, damage, more, end };

  struct Step {
    What what = What::end;
    std::size_t used = 0;  // bytes of the window that are done with
    std::string_view record;
    std::uint8_t replicas = 0;
    std::uint64_t from = 0, to = 0;
  };

  SegmentReader(const SegmentHeader& header, std::uint64_t file_size);

  Step next(std::string_view window);

  std::uint64_t position() const { return position_; }

  // Never past the end of the file, and at most a frame of kMostSpoolRecord.
  std::size_t wanted() const { return wanted_; }

  // Bytes of a torn tail, once the end is reached.
  std::uint64_t torn() const { return torn_; }

 private:
  Step more(std::size_t used, std::uint64_t wanted);
  Step finish(std::size_t used);
  // A whole frame, unless the gap before it has to be told first.
  Step whole(const FrameHeader& header, std::string_view record, std::size_t used);
  void skip(std::string_view& window, std::uint64_t bytes, std::size_t& used);

  std::uint32_t salt_;
  std::uint64_t synced_;
  std::uint64_t size_;
  std::uint64_t position_;
  std::size_t wanted_ = kFrameHeaderSize;
  std::optional<std::uint64_t> gap_;  // where the bytes began that are no frame
  std::uint64_t gap_written_ = 0;     // the end of the last of them that is not zero
  bool cut_short_ = false;
  std::uint64_t torn_ = 0;
};

}  // namespace weir
