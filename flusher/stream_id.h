// Ids of a Redis stream's entries, and where in the stream to read on.
//
//   auto id = parse_stream_id("1763713800000-0");
//   trim_below(next_stream_id(*id));                    // the entries up to and with *id
//   auto from = resume_point(stored_position, stream_life);
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>

namespace weir::flusher {

struct StreamId {
  std::uint64_t milliseconds = 0;
  std::uint64_t sequence = 0;
};

inline bool operator==(StreamId a, StreamId b) {
  return a.milliseconds == b.milliseconds && a.sequence == b.sequence;
}
inline bool operator<(StreamId a, StreamId b) {
  return std::tie(a.milliseconds, a.sequence) < std::tie(b.milliseconds, b.sequence);
}

// "milliseconds-sequence", both decimal, as Redis prints it; none for anything else.
std::optional<StreamId> parse_stream_id(std::string_view text);

std::string format_stream_id(StreamId id);

// The smallest id behind `id`; the last id of all stays itself.
StreamId next_stream_id(StreamId id);

// What PostgreSQL holds: the id of the last entry that is stored, as text and, if it is one, as id.
struct StoredPosition {
  std::string text;
  std::optional<StreamId> id;
  std::string epoch;
};

// What Redis says of the stream: the name of its present life, and the last id it ever gave.
struct StreamLife {
  std::string epoch;
  StreamId last_id;
};

enum class Resume : std::uint8_t {
  at_position,   // everything up to the stored position is stored
  first_time,    // nothing was ever stored of this stream
  another_life,  // the stream began anew: the stored position means nothing to it
  behind,        // the stream lost entries: ids to come may be smaller than the position
};

struct ResumePoint {
  Resume reason;
  StreamId after;  // read the entries behind this id
};

// Where to read on. All but at_position read the stream from its start: entries that are stored
// already are then found by their event_id and ignored.
ResumePoint resume_point(const std::optional<StoredPosition>& stored, const StreamLife& life);

}  // namespace weir::flusher
