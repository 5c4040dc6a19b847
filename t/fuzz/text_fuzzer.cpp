// find_bad_text() agrees with a decoder that knows nothing of table 3-7 and goes byte by byte;
// strings that are written come back the same; escapes are read as by the plainest unescaping.
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

// Unescaping of the plainest kind: code units first, then pairs. Up to what is no escape.
struct Slow {
  std::vector<long> units;  // UTF-16 of escapes; bytes as they stand are -1 - byte
  std::optional<std::size_t> bad_at;
};

Slow slow_units(std::string_view escaped) {
  Slow slow;
  for (std::size_t i = 0; i < escaped.size(); ++i) {
    const auto byte = static_cast<unsigned char>(escaped[i]);
    if (byte != '\\') {
      slow.units.push_back(-1 - byte);
      continue;
    }
    ++i;
    const std::string_view names = "\"\\/bfnrt", values = "\"\\/\b\f\n\r\t";
    if (i < escaped.size() && names.find(escaped[i]) != names.npos) {
      slow.units.push_back(-1 - values[names.find(escaped[i])]);
      continue;
    }
    const std::string hex = "0123456789abcdefABCDEF";
    std::size_t end = i;
    if (i < escaped.size() && escaped[i] == 'u') ++end;
    while (end > i && end < i + 5 && end < escaped.size() && hex.find(escaped[end]) != hex.npos)
      ++end;
    if (end < i + 5) return slow.bad_at = end, slow;
    slow.units.push_back(std::stol(std::string(escaped.substr(i + 1, 4)), nullptr, 16));
    i += 4;
  }
  return slow;
}

void append_slowly(std::string& out, long c) {
  const int more = c < 0x80 ? 0 : c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
  const int marks[] = {0, 0xC0, 0xE0, 0xF0};
  out += static_cast<char>(marks[more] + (c >> 6 * more));
  for (int i = more; i-- > 0;) out += static_cast<char>(0x80 + (c >> 6 * i) % 64);
}

void check_unescape(std::string_view escaped) {
  const Slow slow = slow_units(escaped);
  std::string expected;
  Reason fault = Reason::none;
  for (std::size_t i = 0; i < slow.units.size(); ++i) {
    const long unit = slow.units[i], next = i + 1 < slow.units.size() ? slow.units[i + 1] : -1;
    if (unit < 0) {
      expected += static_cast<char>(-1 - unit);
    } else if (unit >= 0xD800 && unit < 0xDC00 && next >= 0xDC00 && next < 0xE000) {
      append_slowly(expected, 0x10000 + (unit - 0xD800) * 0x400 + next - 0xDC00);
      ++i;
    } else {
      const bool lone = unit >= 0xD800 && unit < 0xE000;
      append_slowly(expected, lone ? 0xFFFD : unit);
      if (fault == Reason::none && lone) fault = Reason::lone_surrogate;
      if (fault == Reason::none && unit == 0) fault = Reason::nul_character;
    }
  }
  std::vector<char> out(escaped.size());
  const weir::Unescaped read = weir::unescape(escaped, out.data());
  REQUIRE(read.bad_at == slow.bad_at.value_or(weir::Unescaped::kNone));
  if (slow.bad_at) return;
  REQUIRE(read.fault == fault);
  REQUIRE(std::string_view(out.data(), read.size) == expected);
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
  check_unescape(text);

  std::string json;
  weir::append_json_string(json, text);
  REQUIRE(read_back(json) == text);
  check_unescape(json);
  return 0;
}
