// What is used from request to request keeps its memory, so that a worker in its steady state asks
// the system for nothing; but not all that one huge request needed, which may be the last for days.
//
//   empty_keeping(bytes, 64 << 10);   // elements: chars of a string, events of a vector
#pragma once

#include <cstddef>

namespace weir {

template <class Container>
void empty_keeping(Container& container, std::size_t most) noexcept {
  container.clear();
  if (container.capacity() > most) Container().swap(container);
}

}  // namespace weir
