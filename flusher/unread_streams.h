// Streams beside ours that hold entries and that no flusher reads: those who fill them were told
// other names (weir_redis … shards= or stream=) than the flushers. Nothing of it is lost, but
// nobody would notice. Pure.
//
//   const auto others = neighbours_of(options.streams);   // worth a look, where nobody reads them
//   UnreadStreams unread;
//   if (unread.took({{"weir:{2}", 12}})) log_warn(…, unread.found());
//   look_again_in(unread.pause());
//
// A flusher that is just being restarted reads nothing for a moment. So what is seen counts once it
// is seen twice in a row, and is then told once until it changes.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace weir::flusher {

struct UnreadStream {
  std::string stream;
  std::uint64_t entries = 0;
};

// The first of the family weir:{N}, and the next kNeighbours behind the last of it in `streams`:
// workers fill their streams from 0 on.
constexpr std::uint32_t kNeighbours = 16;
std::vector<std::string> neighbours_of(const std::vector<std::string>& streams);

class UnreadStreams {
 public:
  // What a look saw. True: other streams are unread than were before.
  bool took(std::vector<UnreadStream> seen);

  const std::vector<UnreadStream>& found() const { return found_; }

  // Until the next look.
  std::chrono::seconds pause() const { return is_sure_ ? kPause : kDoubt; }

 private:
  static constexpr std::chrono::seconds kPause{30}, kDoubt{5};

  std::vector<UnreadStream> seen_, found_;
  bool is_sure_ = false;
};

}  // namespace weir::flusher
