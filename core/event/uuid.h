// The identity of an event: the client's own UUID, or a version 7 one (RFC 9562 section 5.7) made
// at the edge.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/event/timestamp.h"

namespace weir {

using Uuid = std::array<unsigned char, 16>;  // in the order in which it is printed

// Parses 8-4-4-4-12 hexadecimal digits of either case. The nil UUID is refused: clients send it by
// mistake, and all their events would count as one.
std::optional<Uuid> parse_uuid(std::string_view text);

std::string format_uuid(const Uuid& uuid);

constexpr int uuid_version(const Uuid& uuid) { return uuid[6] >> 4; }

// The time inside a version 7 UUID, to the millisecond; none for other versions.
std::optional<Timestamp> uuid_time(const Uuid& uuid);

// Makes version 7 UUIDs. Random bytes come from libcrypto, 16 KiB at a time: each time its code has
// to come into the cache, which takes far longer than making some thousand bytes. One a worker,
// made after the fork; not for two threads at once.
class UuidSource {
 public:
  // `now` gives the 48-bit millisecond part. Throws std::runtime_error when the system has no
  // random bytes to give.
  Uuid next(Timestamp now);

 private:
  std::array<unsigned char, 16 << 10> random_;
  std::size_t used_ = sizeof random_;
};

}  // namespace weir
