// A segment: one file of the spool, byte by byte as docs/spool.md has it. A header of 64 bytes,
// then frames of 20 bytes and a record each, then zeros up to what was reserved.
//
//   SegmentHeader header{kSpoolVersion, salt, created, pid, {}};
//   write(fd, encode_segment_header(header), 0);
//   fill_frame_header(frame, header.salt, replicas);   // 20 bytes and the record, in one buffer
//
//   SegmentHeader header;
//   if (read_segment_header(bytes, header) == HeaderState::fine) …
//
// Every checksum begins with the segment's salt, which no client can know: a record whose bytes
// look like frames is not taken for some when a damaged segment is searched.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "core/event/timestamp.h"

namespace weir {

constexpr std::uint32_t kSpoolVersion = 1;
constexpr std::size_t kSegmentHeaderSize = 64;
constexpr std::size_t kFrameHeaderSize = 20;
constexpr std::size_t kProgressAt = 32, kProgressSize = 20;

// A record that is longer makes no frame.
constexpr std::size_t kMostSpoolRecord = 256U << 20;

// How far a segment is synced. It is written without a sync of its own, so after a power cut it may
// tell of less, or of nothing; never of more than was synced.
struct SegmentProgress {
  std::uint64_t bytes = 0;  // of the file, from its beginning
  std::uint64_t records = 0;
};

struct SegmentHeader {
  std::uint32_t version = kSpoolVersion;
  std::uint32_t salt = 0;
  Timestamp created = 0;
  std::uint32_t writer = 0;  // its process id
  SegmentProgress progress;
};

std::array<char, kSegmentHeaderSize> encode_segment_header(const SegmentHeader& header);

// What stands at kProgressAt.
std::array<char, kProgressSize> encode_progress(const SegmentHeader& header);

enum class HeaderState : std::uint8_t {
  fine,
  empty,    // nothing but zeros: nothing was ever synced here
  damaged,  // not a segment of the spool, or not any more
  newer,    // a version that this program does not know
};

// `bytes` are the file's first 64, or all that there are.
HeaderState read_segment_header(std::string_view bytes, SegmentHeader& header);

struct FrameHeader {
  std::uint32_t length = 0;  // of the record
  std::uint8_t replicas = 0;
  std::uint32_t checksum = 0;  // of the record
};

// `frame` points at kFrameHeaderSize bytes to be filled and, behind them, `length` of the record.
void fill_frame_header(char* frame, std::uint32_t length, std::uint32_t salt,
                       std::uint8_t replicas);

// None where no frame begins. `bytes` holds kFrameHeaderSize bytes at least.
std::optional<FrameHeader> read_frame_header(std::string_view bytes, std::uint32_t salt);

bool record_is_whole(const FrameHeader& header, std::string_view record, std::uint32_t salt);

// Where the next frame's header begins in `bytes`; where there is none, the first place at which
// one might begin that is not wholly there.
std::size_t find_frame(std::string_view bytes, std::uint32_t salt);

}  // namespace weir
