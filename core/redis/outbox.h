// Bytes on their way to a socket that takes them piece by piece. Appending and writing cost a
// constant time for each byte, whatever the pieces; an outbox that was huge in a burst gives its
// memory back once it is empty.
//
//   outbox.room_for(bytes.size()).append(bytes);
//   outbox.wrote(write(fd, outbox.unwritten()));
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>

namespace weir {

class Outbox {
 public:
  // An empty outbox keeps at most this much memory.
  static constexpr std::size_t kKept = 1 << 20;

  // The string to append to; appending up to `bytes` does not throw. Throws std::bad_alloc, with
  // nothing changed, when there is no memory.
  std::string& room_for(std::size_t bytes) {
    if (bytes_.capacity() - bytes_.size() < bytes) bytes_.reserve(bytes_.size() + bytes);
    return bytes_;
  }

  std::string_view unwritten() const noexcept {
    return {bytes_.data() + written_, bytes_.size() - written_};
  }
  std::size_t size() const { return bytes_.size() - written_; }

  // The first `count` unwritten bytes are out. What was written is dropped once it is the larger
  // half, so that no byte moves more often than another one was written.
  void wrote(std::size_t count) noexcept {
    written_ += std::min(count, size());
    if (written_ == bytes_.size()) {
      clear();
    } else if (written_ >= kMoved && written_ >= size()) {
      bytes_.erase(0, written_);
      written_ = 0;
    }
  }

  void clear() noexcept {
    written_ = 0;
    bytes_.clear();
    if (bytes_.capacity() > kKept) bytes_.shrink_to_fit();
  }

  std::size_t capacity() const { return bytes_.capacity(); }

 private:
  static constexpr std::size_t kMoved = 64 << 10;  // less is not worth a move

  std::string bytes_;
  std::size_t written_ = 0;
};

}  // namespace weir
