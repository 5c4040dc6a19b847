// Where Redis is and how to speak to it, from the words of a configuration: an address, or several
// of which one is the master's at any time, then parameters in any order.
//
//   unix:/run/redis/redis.sock user=weir password_file=/etc/weir/password timeout=500ms
//   10.0.0.1:6379 10.0.0.2:6379 stream_memory=4g
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
  std::vector<RedisAddress> addresses;
  std::vector<std::string> names;  // of these, as written
  std::string password_file;       // as written; empty: none
  CourierSettings courier;         // all but the password
  bool names_patience = false;     // or else it is the default
  std::uint32_t shards = 0;        // that share the records, in place of courier.stream; 0: none
};

constexpr std::size_t kMostRedisAddresses = 16;

// "timeout": how long Redis may take for an answer; "patience": until a request does not wait for
// it any longer, which is never more than "timeout".
constexpr std::chrono::milliseconds kLeastRedisTimeout{10};
constexpr std::chrono::milliseconds kMostRedisTimeout{60'000};

// "inflight": records that wait for Redis at a time.
constexpr std::size_t kMostRedisInFlight = 10'000'000;

// "stream_length" and "stream_memory": entries, and bytes of Redis' memory, from which on it gets
// no more records.
constexpr std::uint64_t kLeastStreamLength = 1000, kMostStreamLength = 1'000'000'000'000;
constexpr std::uint64_t kLeastStreamMemory = 1 << 20, kMostStreamMemory = 1ULL << 42;

// Which stream the worker with this number writes to, from 0: with shards, each to one of them.
std::string stream_of(const CourierSettings& courier, std::uint32_t shards, std::size_t worker);

// The worker is the first that writes to its stream, and so the one that tells of it where figures
// of all workers are added up.
inline bool is_first_of_stream(std::uint32_t shards, std::size_t worker) {
  return worker < (shards == 0 ? 1 : shards);
}

// Returns an empty string, or a sentence that says what is wrong and what would be right, and that
// does not name the directive.
std::string read_redis_settings(const std::vector<std::string_view>& words,
                                RedisSettings& settings);

}  // namespace weir
