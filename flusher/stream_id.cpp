#include "flusher/stream_id.h"

#include <charconv>
#include <limits>

namespace weir::flusher {
namespace {

constexpr std::uint64_t kMost = std::numeric_limits<std::uint64_t>::max();

bool parse_number(std::string_view digits, std::uint64_t& value) {
  const char* end = digits.data() + digits.size();
  const auto [stop, error] = std::from_chars(digits.data(), end, value);
  return error == std::errc() && stop == end;
}

}  // namespace

std::optional<StreamId> parse_stream_id(std::string_view text) {
  const std::size_t dash = text.find('-');
  StreamId id;
  if (dash == std::string_view::npos) return std::nullopt;
  if (!parse_number(text.substr(0, dash), id.milliseconds)) return std::nullopt;
  if (!parse_number(text.substr(dash + 1), id.sequence)) return std::nullopt;
  return id;
}

std::string format_stream_id(StreamId id) {
  return std::to_string(id.milliseconds) + '-' + std::to_string(id.sequence);
}

StreamId next_stream_id(StreamId id) {
  if (id.sequence != kMost) return {id.milliseconds, id.sequence + 1};
  if (id.milliseconds != kMost) return {id.milliseconds + 1, 0};
  return id;
}

std::string make_note(const std::string& token, const std::string& position) {
  return token + ' ' + position;
}

std::string_view position_in_note(std::string_view note) {
  const std::size_t blank = note.find(' ');
  return blank == std::string_view::npos ? std::string_view() : note.substr(blank + 1);
}

ResumePoint resume_point(const std::optional<StoredPosition>& stored, const StreamLife& life,
                         bool watched) {
  if (!stored) return {Resume::first_time, {}};
  if (stored->epoch != life.epoch) return {Resume::another_life, {}};
  if (!stored->id || life.last_id < *stored->id) return {Resume::behind, {}};
  if (watched) return {Resume::at_position, *stored->id};
  // A flusher that died between COMMIT and trim leaves the position before. A Redis that was full
  // takes no note.
  const std::string_view noted = position_in_note(life.last_note);
  if (noted == stored->text || noted == stored->previous || life.last_note.empty()) {
    return {Resume::unwatched, {}};
  }
  const auto id = parse_stream_id(noted);
  return {id && *stored->id < *id ? Resume::postgres_went_back : Resume::redis_went_back, {}};
}

}  // namespace weir::flusher
