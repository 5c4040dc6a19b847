// A first-in, first-out queue that allocates only when it has to grow. std::deque takes and frees a
// node for every few dozen elements that pass through; this passes them through one array.
//
//   ring.push({customer, now});
//   Waiting oldest = ring.front(); ring.pop();
//   ring[3] is the fourth from the front.
#pragma once

#include <cstddef>
#include <vector>

namespace weir {

// T is copied freely and is cheap to copy.
template <class T>
class Ring {
 public:
  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }

  // Throws std::bad_alloc, with nothing changed, when it has to grow and there is no memory.
  void push(const T& value) {
    if (size_ == slots_.size()) grow();
    slots_[(head_ + size_) & (slots_.size() - 1)] = value;
    ++size_;
  }

  T& operator[](std::size_t index) { return slots_[(head_ + index) & (slots_.size() - 1)]; }
  const T& operator[](std::size_t index) const {
    return slots_[(head_ + index) & (slots_.size() - 1)];
  }

  const T& front() const { return slots_[head_]; }
  T& back() { return (*this)[size_ - 1]; }

  void pop() {
    head_ = (head_ + 1) & (slots_.size() - 1);
    --size_;
  }

 private:
  static constexpr std::size_t kFirstSlots = 64;  // their number is always a power of two

  void grow() {
    std::vector<T> larger(slots_.empty() ? kFirstSlots : slots_.size() * 2);
    for (std::size_t i = 0; i < size_; ++i) larger[i] = (*this)[i];
    slots_.swap(larger);
    head_ = 0;
  }

  std::vector<T> slots_;
  std::size_t head_ = 0, size_ = 0;
};

}  // namespace weir
