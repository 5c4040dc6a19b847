// Text inside JSON: what is well formed, what PostgreSQL could not store, and how to write it.
// yajl takes bytes that are not UTF-8 and escapes that are no characters, so a body is looked
// through here before it is parsed, and a string with a backslash after it.
//
//   if (auto at = find_bad_text(body)) …  // invalid JSON at offset *at
//   Reason fault = check_escapes("\"\\ud83d\\ude00\"");
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "core/event/reason.h"

namespace weir {

// The offset of the first byte that begins no well-formed UTF-8 sequence (Unicode, table 3-7), or
// that is a control character other than tab, line feed and carriage return. JSON knows no other
// raw control character; yajl takes form feed and vertical tab for white space.
std::optional<std::size_t> find_bad_text(std::string_view text);

// Looks through a raw JSON string, with or without its quotes, that a parser has accepted. Returns
// the first of: nul_character for \u0000, lone_surrogate for half of a pair; none otherwise.
Reason check_escapes(std::string_view raw_string);

// Appends `utf8` as a JSON string with its quotes. Escapes what JSON demands and nothing else.
void append_json_string(std::string& out, std::string_view utf8);

}  // namespace weir
