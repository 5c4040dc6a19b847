// How many events wait in a stream, of which Redis counts the entries only. Pure.
//
//   EventLag lag;
//   lag.read(first_id, entries, events);    // a batch came, and is on its way into the tables
//   lag.stored();                           // it is there, and its entries are deleted
//   lag.events(waiting, first_waiting)      // exact where all that waits has been read
//
//   the stream:   first ▓▓▓▓▓▓▓▓▓▓▓▓░░░░░░░░░░░░░░░░░ last
//                       read: exact  × mean of an entry
//
// The mean is that of the last thousand entries or so that this flusher has read, of this stream; 1
// before it has read any. An exact figure for all that waits would have to be kept in Redis, by a
// second command for each request.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "flusher/stream_id.h"

namespace weir::flusher {

class EventLag {
 public:
  // `events` counts what is no record as one.
  void read(StreamId first, std::size_t entries, std::size_t events) {
    in_hand_ = {first, entries, events};
    while (seen_entries_ > kLately) {
      seen_entries_ /= 2;
      seen_events_ /= 2;
    }
    seen_entries_ += static_cast<double>(entries);
    seen_events_ += static_cast<double>(events);
  }

  void stored() { in_hand_ = {}; }

  // In a stream with `entries`, of which `first` is the oldest.
  std::uint64_t events(std::size_t entries, std::optional<StreamId> first) const {
    const bool holds_batch =
        in_hand_.entries > 0 && first && *first == in_hand_.first && in_hand_.entries <= entries;
    const std::size_t exact = holds_batch ? in_hand_.events : 0;
    const std::size_t rest = entries - (holds_batch ? in_hand_.entries : 0);
    return exact + static_cast<std::uint64_t>(std::llround(static_cast<double>(rest) * mean()));
  }

 private:
  static constexpr double kLately = 1000;  // entries

  struct InHand {
    StreamId first;
    std::size_t entries = 0, events = 0;
  };

  double mean() const { return seen_entries_ > 0 ? seen_events_ / seen_entries_ : 1; }

  InHand in_hand_;  // read, and not known to be stored
  double seen_entries_ = 0, seen_events_ = 0;
};

}  // namespace weir::flusher
