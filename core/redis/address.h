// Where Redis listens, as a configuration names it: "unix:/run/redis/redis.sock" or "host:port".
//
//   RedisAddress address;
//   if (auto error = parse_redis_address(word, address); !error.empty()) report(error);
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace weir {

struct RedisAddress {
  std::string path;  // of a unix socket; empty for TCP
  std::string host;  // a name or an address; "[::1]:6379" gives "::1"
  int port = 0;

  bool is_unix() const { return !path.empty(); }
};

// The longest path that fits into a sockaddr_un with its terminator (unix(7)).
constexpr std::size_t kMaxSocketPath = 107;

// The longest name that DNS can hold (RFC 1035 section 2.3.4).
constexpr std::size_t kMaxHostName = 253;

// Returns an empty string, or one sentence that says what is wrong with `text` and what would be
// right; `address` is then as it was. Paths are absolute, ports 1 to 65535, and an IPv6 address
// stands in brackets. Names are not looked up.
std::string parse_redis_address(std::string_view text, RedisAddress& address);

}  // namespace weir
