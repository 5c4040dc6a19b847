// Memory for the length of one request: handed out from large blocks, never given back singly,
// forgotten all at once. It keeps one block between requests, so that a worker in its steady state
// asks the system for nothing.
//
//   Arena arena;
//   char* text = static_cast<char*>(arena.allocate(100));
//   arena.reset();                                             // all of it is gone
#pragma once

#include <cstddef>
#include <memory>
#include <string_view>
#include <vector>

namespace weir {

class Arena {
 public:
  Arena();
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;

  // `size` bytes, aligned for any type. Throws std::bad_alloc.
  void* allocate(std::size_t size);

  // A copy of `text` that lives until reset().
  std::string_view copy(std::string_view text);

  void reset();

  std::size_t memory() const { return bytes_; }

 private:
  void add_block(std::size_t least);

  struct Block {
    std::unique_ptr<char[]> bytes;
    std::size_t size;
  };
  std::vector<Block> blocks_;
  char* next_ = nullptr;
  std::size_t left_ = 0;
  std::size_t bytes_ = 0;  // of all blocks
};

}  // namespace weir
