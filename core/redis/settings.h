// Where Redis is and how to speak to it, from the words of a configuration: an address, then
// parameters in any order.
//
//   unix:/run/redis/redis.sock user=weir password_file=/etc/weir/password timeout=500ms
//
//   RedisSettings settings;
//   if (auto fault = read_redis_settings(words, settings); !fault.empty()) report(fault);
//
// The caller reads `password_file` (core/redis/secret.h) and looks names up.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/redis/address.h"
#include "core/redis/courier.h"

namespace weir {

struct RedisSettings {
  RedisAddress address;
  std::string password_file;  // as written; empty: none
  CourierSettings courier;    // all but the password
};

// "timeout": how long Redis may take for an answer.
constexpr std::chrono::milliseconds kLeastRedisTimeout{10};
constexpr std::chrono::milliseconds kMostRedisTimeout{60'000};

// "inflight": records that wait for Redis at a time.
constexpr std::size_t kMostRedisInFlight = 10'000'000;

// Returns an empty string, or a sentence that says what is wrong and what would be right, and that
// does not name the directive.
std::string read_redis_settings(const std::vector<std::string_view>& words,
                                RedisSettings& settings);

}  // namespace weir
