// Parsing and printing undo each other, and only what is a UUID is taken for one.
#include "core/event/uuid.h"

#include <algorithm>
#include <cctype>
#include <cstdint>
#include <cstring>
#include <string>

#include "t/fuzz/require.h"

namespace {

bool looks_like_uuid(const std::string& text) {
  if (text.size() != 36) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool hyphen = i == 8 || i == 13 || i == 18 || i == 23;
    const bool fits = hyphen ? text[i] == '-' : std::isxdigit(static_cast<unsigned char>(text[i]));
    if (!fits) return false;
  }
  return text != "00000000-0000-0000-0000-000000000000";
}

void check_text(std::string text) {
  const auto uuid = weir::parse_uuid(text);
  REQUIRE(uuid.has_value() == looks_like_uuid(text));
  if (!uuid) return;
  for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  REQUIRE(weir::format_uuid(*uuid) == text);
}

void check_bytes(const std::uint8_t* data) {
  weir::Uuid uuid;
  std::copy_n(data, uuid.size(), uuid.begin());
  const std::string text = weir::format_uuid(uuid);
  REQUIRE(text.size() == 36);
  const bool is_nil = std::all_of(uuid.begin(), uuid.end(), [](auto byte) { return byte == 0; });
  REQUIRE(weir::parse_uuid(text).has_value() != is_nil);
  REQUIRE(is_nil || *weir::parse_uuid(text) == uuid);
  const auto time = weir::uuid_time(uuid);
  REQUIRE(time.has_value() == (text[14] == '7'));
  REQUIRE(!time || (*time >= 0 && *time % 1000 == 0));
}

void check_source(const std::uint8_t* data) {
  static weir::UuidSource source;
  weir::Timestamp now;
  std::memcpy(&now, data, sizeof now);
  const weir::Uuid made = source.next(now);
  REQUIRE(weir::uuid_version(made) == 7 && made[8] >> 6 == 2);
  const weir::Timestamp milliseconds = std::max<weir::Timestamp>(now, 0) / 1000;
  REQUIRE(*weir::uuid_time(made) == milliseconds % (weir::Timestamp{1} << 48) * 1000);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  check_text(std::string(reinterpret_cast<const char*>(data), size));
  if (size >= 16) {
    check_bytes(data);
    check_source(data);
  }
  return 0;
}
