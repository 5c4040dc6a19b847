// What a demo is made of: an event as JSON, and who takes it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace weir::demo {

enum class Door { track, crash, command };  // POST /track, /crash, /v1/track
constexpr int kDoors = 3;

struct Event {
  Door door;
  std::int64_t at;  // milliseconds since 1970
  std::string json;
};

class Sink {
 public:
  virtual ~Sink() = default;
  // False: no more is wanted.
  virtual bool take(const Event& event) = 0;
};

}  // namespace weir::demo
