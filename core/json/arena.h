// Memory for the length of one request: handed out from large blocks, never given back singly,
// forgotten all at once. It keeps one block between requests, so that a worker in its steady state
// asks the system for nothing.
//
//   Arena arena;
//   yajl_alloc(&callbacks, arena.yajl_functions(), context);   // yajl's allocations are free ones
//   arena.reset();                                             // all of it is gone
#pragma once

#include <yajl/yajl_common.h>

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

  yajl_alloc_funcs* yajl_functions() { return &functions_; }

 private:
  void* grow(void* block, std::size_t size);
  void add_block(std::size_t least);

  struct Block {
    std::unique_ptr<char[]> bytes;
    std::size_t size;
  };
  std::vector<Block> blocks_;
  char* next_ = nullptr;
  std::size_t left_ = 0;
  yajl_alloc_funcs functions_;
};

}  // namespace weir
