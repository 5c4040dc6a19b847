// Where Redis listens, as a configuration names it: "unix:/run/redis/redis.sock" or "host:port".
#pragma once

#include <string>
#include <string_view>

namespace weir {

struct RedisAddress {
  std::string path;  // of a unix socket; empty for TCP
  std::string host;  // a name or an address; "[::1]:6379" gives "::1"
  int port = 0;

  bool is_unix() const { return !path.empty(); }
};

// Returns an empty string, or one sentence that says what is wrong with `text`.
std::string parse_redis_address(std::string_view text, RedisAddress& address);

}  // namespace weir
