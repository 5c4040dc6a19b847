// Ids of a Redis stream's entries, and where in the stream to read on.
//
//   auto id = parse_stream_id("1763713800000-0");
//   trim_below(next_stream_id(*id));                    // the entries up to and with *id
//   auto from = resume_point(stored_position, stream_life, watched);
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

// What PostgreSQL holds: the id of the last entry that is stored, as text and, if it is one, as id;
// and what it was one batch before.
struct StoredPosition {
  std::string text;
  std::optional<StreamId> id;
  std::string epoch;
  std::string previous;  // "" if there was none
};

// What Redis says of the stream: the name of its present life, the last id it ever gave, and the
// note on it, before we left ours and after.
struct StreamLife {
  std::string epoch;
  StreamId last_id;
  std::string last_note;
  std::string note;
};

// A note: the token of whoever reads, and the position up to which it has deleted.
std::string make_note(const std::string& token, const std::string& position);
std::string_view position_in_note(std::string_view note);  // "" if it has none

enum class Resume : std::uint8_t {
  at_position,         // nothing has come between: everything up to the position was read by us
  first_time,          // nothing was ever stored of this stream
  unwatched,           // as it should be; but only who watched without a gap knows that for sure
  another_life,        // the stream began anew: the stored position means nothing to it
  behind,              // the stream lost entries: ids to come may be smaller than the position
  redis_went_back,     // the note is older than the position: entries are there, or lost, again
  postgres_went_back,  // the note is newer: what was stored and deleted is not stored any more
};

struct ResumePoint {
  Resume reason;
  StreamId after;  // read the entries behind this id
};

// Where to read on. `watched` says that this same connection to Redis brought all entries up to the
// stored position, and that epoch and note are still those of then. All but at_position read the
// stream from its start: entries that are stored already are then found by their event_id and
// ignored, whereas one that is skipped is lost, and no comparison of ids can rule that out (a Redis
// that went back and whose clock did so too gives out ids below the position). It costs little,
// since what is stored is deleted.
ResumePoint resume_point(const std::optional<StoredPosition>& stored, const StreamLife& life,
                         bool watched);

}  // namespace weir::flusher
