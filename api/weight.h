// How many bytes of answers are held at this moment: each is counted once, by whomever it is held,
// from when it came until its last reader has it.
//
//   Scale scale(64 << 20);
//   answer->weight.put(scale, 4096);       // and it is taken off when the answer goes
//   if (scale.is_full()) …                 // nothing further is begun
#pragma once

#include <cstddef>
#include <memory>

namespace weir::api {

class Scale {
 public:
  explicit Scale(std::size_t most) : most_(most) {}
  std::size_t bytes() const { return *bytes_; }
  bool is_full() const { return *bytes_ >= most_; }

 private:
  friend class Weight;
  const std::size_t most_;
  std::shared_ptr<std::size_t> bytes_ = std::make_shared<std::size_t>(0);
};

// What one thing weighs. It may outlive the scale.
class Weight {
 public:
  Weight() = default;
  Weight(const Weight&) = delete;
  Weight& operator=(const Weight&) = delete;
  ~Weight() { take_off(); }

  void put(const Scale& scale, std::size_t bytes) {
    take_off();
    on_ = scale.bytes_;
    bytes_ = bytes;
    *on_ += bytes_;
  }

 private:
  void take_off() {
    if (on_) *on_ -= bytes_;
    on_.reset();
  }

  std::shared_ptr<std::size_t> on_;
  std::size_t bytes_ = 0;
};

}  // namespace weir::api
