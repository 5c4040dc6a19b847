// find_bad_text() agrees with a decoder that knows nothing of table 3-7 and goes byte by byte;
// strings that are written come back the same; escapes are judged as by a plain unescaping.
#include "core/json/text.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "t/fuzz/require.h"

namespace {

using weir::Reason;

// The length of the character at the front of `text`, by arithmetic alone; 0 if it is none.
std::size_t slow_character(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  std::size_t ones = 0;
  while (ones < 8 && (byte(0) & (0x80u >> ones))) ++ones;
  if (ones == 1 || ones > 4) return 0;
  const std::size_t length = ones == 0 ? 1 : ones;
  if (length > text.size()) return 0;
  std::uint32_t code = ones == 0 ? byte(0) : byte(0) & (0x7Fu >> ones);
  for (std::size_t i = 1; i < length; ++i) {
    if (byte(i) / 64 != 2) return 0;
    code = code * 64 + byte(i) % 64;
  }
  const std::uint32_t shortest[] = {0, 0, 0x80, 0x800, 0x10000};
  if (code < shortest[length] || code > 0x10FFFF || code / 0x800 == 0xD800 / 0x800) return 0;
  if (code < 0x20 && code != 9 && code != 10 && code != 13) return 0;
  return length;
}

std::optional<std::size_t> slow_find(std::string_view text) {
  std::size_t at = 0;
  while (at < text.size()) {
    const std::size_t length = slow_character(text.substr(at));
    if (length == 0) return at;
    at += length;
  }
  return std::nullopt;
}

// The code units that a raw string's \u escapes give, and -1 for anything else in it.
std::vector<long> units(std::string_view raw) {
  std::vector<long> out;
  for (std::size_t i = 0; i < raw.size(); ++i) {
    out.push_back(-1);
    if (raw[i] != '\\' || ++i >= raw.size() || raw[i] != 'u') continue;
    const std::string hex(raw.substr(i + 1, 4));
    if (hex.size() < 4 || hex.find_first_not_of("0123456789abcdefABCDEF") != hex.npos) continue;
    out.back() = std::stol(hex, nullptr, 16);
    i += 4;
  }
  return out;
}

Reason slow_escapes(std::string_view raw) {
  const auto all = units(raw);
  for (std::size_t i = 0; i < all.size(); ++i) {
    const long kind = all[i] < 0 ? -1 : all[i] & 0xFC00;
    const long next = i + 1 < all.size() && all[i + 1] >= 0 ? all[i + 1] & 0xFC00 : -1;
    if (all[i] == 0) return Reason::nul_character;
    if (kind == 0xDC00) return Reason::lone_surrogate;
    if (kind == 0xD800 && next != 0xDC00) return Reason::lone_surrogate;
    if (kind == 0xD800) ++i;
  }
  return Reason::none;
}

// Undoes what append_json_string() writes.
std::string read_back(std::string_view json) {
  REQUIRE(json.size() >= 2 && json.front() == '"' && json.back() == '"');
  const std::string_view raw = json.substr(1, json.size() - 2);
  std::string out;
  for (std::size_t i = 0; i < raw.size(); ++i) {
    REQUIRE(raw[i] != '"' && static_cast<unsigned char>(raw[i]) >= 0x20);
    if (raw[i] != '\\') {
      out += raw[i];
      continue;
    }
    REQUIRE(++i < raw.size());
    const std::string_view names = "\"\\bfnrt", values = "\"\\\b\f\n\r\t";
    if (const auto at = names.find(raw[i]); at != names.npos) {
      out += values[at];
      continue;
    }
    REQUIRE(raw[i] == 'u' && i + 4 < raw.size());
    out += static_cast<char>(std::stol(std::string(raw.substr(i + 1, 4)), nullptr, 16));
    i += 4;
  }
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  REQUIRE(weir::find_bad_text(text) == slow_find(text));
  REQUIRE(weir::check_escapes(text) == slow_escapes(text));

  std::string json;
  weir::append_json_string(json, text);
  REQUIRE(read_back(json) == text);
  const bool has_nul = text.find('\0') != text.npos;
  REQUIRE(weir::check_escapes(json) == (has_nul ? Reason::nul_character : Reason::none));
  return 0;
}
