// The file that holds a password: it is refused with a sentence that shows nothing of it, or the
// password is its first line.
#include <cstdint>
#include <string>
#include <string_view>

#include "core/redis/secret.h"
#include "t/fuzz/require.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  std::string secret = "before";
  const std::string fault = weir::read_secret(bytes, secret);
  for (const char c : fault) REQUIRE(c >= 0x20 && c < 0x7f);
  if (!fault.empty()) {
    REQUIRE(secret == "before");
    return 0;
  }
  REQUIRE(!secret.empty() && secret.size() <= weir::kMostSecretFile);
  REQUIRE(bytes.substr(0, secret.size()) == secret);
  REQUIRE(secret.find('\n') == std::string::npos);
  return 0;
}
