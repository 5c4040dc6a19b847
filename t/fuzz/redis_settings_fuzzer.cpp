// The words of weir_redis, one a line: they are refused with a sentence, or what came of them lies
// within its bounds, and the same words read again mean the same.
#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/redis/settings.h"
#include "core/redis/stream.h"
#include "t/fuzz/require.h"

namespace {

using weir::RedisSettings;

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    lines.push_back(text.substr(0, text.find('\n')));
    text.remove_prefix(std::min(text.size(), lines.back().size() + 1));
  }
  return lines;
}

bool holds(const std::vector<std::string_view>& words, const std::string& word) {
  return std::find(words.begin() + 1, words.end(), word) != words.end();
}

void check(const std::vector<std::string_view>& words, const RedisSettings& settings) {
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
  const auto words = lines_of({reinterpret_cast<const char*>(data), size});
  RedisSettings settings, again;
  const std::string fault = weir::read_redis_settings(words, settings);
  REQUIRE(weir::read_redis_settings(words, again) == fault);
  if (!fault.empty()) return 0;
  check(words, settings);
  REQUIRE(again.courier.timeout == settings.courier.timeout);
  REQUIRE(again.courier.max_waiting == settings.courier.max_waiting);
  RedisSettings other;
  auto twice = words;
  if (words.size() > 1) twice.push_back(words.back());
  REQUIRE(words.size() == 1 || !weir::read_redis_settings(twice, other).empty());
  return 0;
}
