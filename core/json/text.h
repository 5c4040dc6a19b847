// Text inside JSON: what is well formed, what PostgreSQL could not store, and how to read and write
// it.
//
//   if (auto at = find_bad_text(body)) …  // invalid JSON at offset *at
//   Unescaped read = unescape("\\ud83d\\ude00!", out);  // of a string, what is between the quotes
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "core/event/reason.h"

namespace weir {

// The offset of the first byte that begins no well-formed UTF-8 sequence (Unicode, table 3-7), or
// that is a control character other than tab, line feed and carriage return. JSON knows no other
// raw control character.
std::optional<std::size_t> find_bad_text(std::string_view text);

// What a JSON string says.
struct Unescaped {
  static constexpr std::size_t kNone = ~std::size_t{0};

  std::size_t size = 0;         // in bytes of UTF-8
  Reason fault = Reason::none;  // its first nul_character (\u0000) or lone_surrogate
  std::size_t bad_at = kNone;   // where it is no JSON string: the first byte that no escape has
};

// Reads `inside`, what stands between the quotes of a JSON string, to `out`, which has room for as
// many bytes. Half of a surrogate pair becomes U+FFFD. What is no escape ends the reading.
Unescaped unescape(std::string_view inside, char* out);

// Appends `utf8` as a JSON string with its quotes. Escapes what JSON demands and nothing else.
void append_json_string(std::string& out, std::string_view utf8);

}  // namespace weir
