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

// Before each allocation stands its size, for grow().
std::size_t& size_of(void* block) {
  return *reinterpret_cast<std::size_t*>(static_cast<char*>(block) - kAlignment);
}

}  // namespace

// yajl neither checks what it gets nor lets an exception through: without memory the process ends.
Arena::Arena() {
  functions_.malloc = [](void* arena, std::size_t size) noexcept {
    return static_cast<Arena*>(arena)->allocate(size);
  };
  functions_.realloc = [](void* arena, void* block, std::size_t size) noexcept {
    return static_cast<Arena*>(arena)->grow(block, size);
  };
  functions_.free = [](void*, void*) {};
  functions_.ctx = this;
  add_block(kBlockSize);
}

void Arena::add_block(std::size_t least) {
  const std::size_t size = std::max(least, kBlockSize);
  blocks_.push_back({std::unique_ptr<char[]>(new char[size]), size});
  next_ = blocks_.back().bytes.get();
  left_ = size;
}

void* Arena::allocate(std::size_t size) {
  const std::size_t needed = kAlignment + round_up(size);
  if (needed > left_) add_block(needed);
  void* block = next_ + kAlignment;
  next_ += needed;
  left_ -= needed;
  size_of(block) = size;
  return block;
}

void* Arena::grow(void* block, std::size_t size) {
  if (block == nullptr) return allocate(size);
  const std::size_t old_size = size_of(block);
  if (size <= round_up(old_size)) {
    size_of(block) = size;
    return block;
  }
  void* moved = allocate(size);
  std::memcpy(moved, block, old_size);
  return moved;
}

std::string_view Arena::copy(std::string_view text) {
  if (text.empty()) return {};
  char* bytes = static_cast<char*>(allocate(text.size()));
  std::memcpy(bytes, text.data(), text.size());
  return {bytes, text.size()};
}

void Arena::reset() {
  blocks_.resize(1);
  next_ = blocks_.front().bytes.get();
  left_ = blocks_.front().size;
}

}  // namespace weir
