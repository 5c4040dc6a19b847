// Any word of a configuration: it is refused with one sentence and nothing is changed, or what came
// of it can be written down and read again.
#include <cstdint>
#include <string>
#include <string_view>

#include "core/http/cors.h"
#include "core/redis/address.h"
#include "t/fuzz/require.h"

namespace {

using weir::RedisAddress;

bool same(const RedisAddress& a, const RedisAddress& b) {
  return a.path == b.path && a.host == b.host && a.port == b.port;
}

std::string written(const RedisAddress& address) {
  if (address.is_unix()) return "unix:" + address.path;
  const bool ipv6 = address.host.find(':') != std::string::npos;
  return (ipv6 ? "[" + address.host + "]" : address.host) + ":" + std::to_string(address.port);
}

void try_address(std::string_view text) {
  const RedisAddress before{"/before", "before", 1};
  RedisAddress address = before, again;
  const std::string error = weir::parse_redis_address(text, address);
  if (!error.empty()) {
    for (const char c : error) REQUIRE(c >= 0x20 && c < 0x7f);
    REQUIRE(same(address, before));
    return;
  }
  REQUIRE(address.path.size() <= weir::kMaxSocketPath);
  REQUIRE(address.is_unix() == address.host.empty());
  REQUIRE(address.is_unix() || (address.port >= 1 && address.port <= 65535));
  REQUIRE(weir::parse_redis_address(written(address), again).empty() && same(address, again));
}

void try_origin(std::string_view text) {
  weir::Cors cors;
  const std::string error = cors.add_origin(text);
  REQUIRE(cors.configured() == error.empty());
  for (const char c : error) REQUIRE(static_cast<unsigned char>(c) >= 0x20 && c != 0x7f);
  if (!error.empty()) {
    REQUIRE(!cors.allows(text));
    return;
  }
  for (const char c : text) REQUIRE(c > 0x20 && c < 0x7f);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  try_address(text);
  try_origin(text);
  return 0;
}
