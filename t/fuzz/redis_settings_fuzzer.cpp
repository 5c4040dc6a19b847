// The words of weir_redis, one a line: they are refused with a sentence, or what came of them lies
// within its bounds, and the same words read again mean the same.
#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/redis/settings.h"
#include "core/redis/stream.h"
#include "t/fuzz/words.h"

namespace {

using weir::RedisSettings;
using weir_fuzz::Words;

bool holds(const Words& words, const std::string& word) {
  return std::find(words.begin() + 1, words.end(), word) != words.end();
}

void check(const Words& words, const RedisSettings& settings) {
  const weir::CourierSettings& courier = settings.courier;
  REQUIRE(!settings.addresses.empty() && settings.addresses.size() <= weir::kMostRedisAddresses);
  for (const weir::RedisAddress& address : settings.addresses) {
    REQUIRE(address.is_unix() == address.host.empty());
  }
  REQUIRE(courier.patience <= courier.timeout && settings.shards <= weir::kMostShards);
  REQUIRE(courier.timeout >= weir::kLeastRedisTimeout &&
          courier.timeout <= weir::kMostRedisTimeout);
  REQUIRE(courier.max_waiting >= 1 && courier.max_waiting <= weir::kMostRedisInFlight);
  REQUIRE(!courier.stream.empty() && courier.password.empty());
  REQUIRE(courier.user.empty() || holds(words, "user=" + courier.user));
  REQUIRE(settings.password_file.empty() ||
          holds(words, "password_file=" + settings.password_file));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto words = weir_fuzz::words_of({reinterpret_cast<const char*>(data), size});
  RedisSettings settings, again;
  if (!weir_fuzz::read_twice(weir::read_redis_settings, words, settings, again)) return 0;
  check(words, settings);
  REQUIRE(again.courier.timeout == settings.courier.timeout);
  REQUIRE(again.courier.max_waiting == settings.courier.max_waiting);
  return 0;
}
