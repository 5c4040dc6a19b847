#include "core/json/arena.h"

#include <algorithm>
#include <cstring>

namespace weir {
namespace {

constexpr std::size_t kBlockSize = 64 << 10;
constexpr std::size_t kAlignment = alignof(std::max_align_t);

constexpr std::size_t round_up(std::size_t size) {
  return (size + kAlignment - 1) / kAlignment * kAlignment;
}

}  // namespace

Arena::Arena() { add_block(kBlockSize); }

void Arena::add_block(std::size_t least) {
  const std::size_t size = std::max(least, kBlockSize);
  blocks_.push_back({std::unique_ptr<char[]>(new char[size]), size});
  next_ = blocks_.back().bytes.get();
  left_ = size;
  bytes_ += size;
}

void* Arena::allocate(std::size_t size) {
  const std::size_t needed = round_up(size);
  if (needed > left_) add_block(needed);
  void* block = next_;
  next_ += needed;
  left_ -= needed;
  return block;
}

std::string_view Arena::copy(std::string_view text) {
  if (text.empty()) return {};
  char* bytes = static_cast<char*>(allocate(text.size()));
  std::memcpy(bytes, text.data(), text.size());
  return {bytes, text.size()};
}

void Arena::reset() {
  if (blocks_.size() > 1) blocks_.resize(1);
  next_ = blocks_.front().bytes.get();
  left_ = bytes_ = blocks_.front().size;
}

}  // namespace weir
