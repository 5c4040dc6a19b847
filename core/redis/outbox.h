// Commands on their way to a socket that takes them piece by piece, kept until they are answered,
// so that whoever hears that one has failed can still put it somewhere else. Appending, writing and
// answering cost a constant time for each byte, whatever the pieces; an outbox that was huge in a
// burst gives its memory back.
//
//   outbox.room_for(bytes.size()).append(bytes);
//   outbox.wrote(write(fd, outbox.unwritten()));
//   outbox.answered(bytes.size());                  // the oldest ones; then, or later:
//   outbox.tidy();
//
//   | dropped | kept: not answered, or not written (an answer may come before wrote() is told) |
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
  std::string_view unanswered() const noexcept {
    return {bytes_.data() + answered_, bytes_.size() - answered_};
  }

  // Bytes that are not written or not answered.
  std::size_t size() const { return bytes_.size() - dropped(); }

  // The first `count` unwritten bytes are out.
  void wrote(std::size_t count) noexcept {
    written_ += std::min(count, bytes_.size() - written_);
    tidy();
  }

  // The first `count` unanswered bytes are answered. They stay in their place until the next call
  // of something else.
  void answered(std::size_t count) noexcept {
    answered_ += std::min(count, bytes_.size() - answered_);
  }

  // Gives back what nobody needs any more. What is kept moves only when it is the smaller half, so
  // that no byte moves more often than another one was dropped.
  void tidy() noexcept {
    const std::size_t done = dropped();
    if (done == bytes_.size()) {
      clear();
    } else if (done >= kMoved && done >= bytes_.size() - done) {
      move_to_front(done);
    }
  }

  void clear() noexcept {
    written_ = answered_ = 0;
    bytes_.clear();
    if (bytes_.capacity() > kKept) bytes_.shrink_to_fit();
  }

  std::size_t capacity() const { return bytes_.capacity(); }

 private:
  static constexpr std::size_t kMoved = 64 << 10;  // less is not worth a move

  std::size_t dropped() const { return std::min(written_, answered_); }

  // Under a load that never pauses an outbox is never empty: a burst has to be forgotten here too.
  void move_to_front(std::size_t done) noexcept {
    bytes_.erase(0, done);
    written_ -= done;
    answered_ -= done;
    if (bytes_.capacity() > kKept && bytes_.size() < bytes_.capacity() / 4) bytes_.shrink_to_fit();
  }

  std::string bytes_;
  std::size_t written_ = 0, answered_ = 0;
};

}  // namespace weir
