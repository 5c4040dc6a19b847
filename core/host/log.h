// The server's log, for what concerns the operator: sentences that are complete, hold no secret,
// nothing of a record and nothing unprintable, and end without a full stop or a newline.
//
//   log.write(Log::Level::error, "weir has no Redis at unix:/run/redis.sock: …");
#pragma once

#include <cstdint>
#include <string_view>

namespace weir {

class Log {
 public:
  enum class Level : std::uint8_t { notice, warning, error };

  virtual void write(Level level, std::string_view sentence) noexcept = 0;

 protected:
  ~Log() = default;
};

}  // namespace weir
