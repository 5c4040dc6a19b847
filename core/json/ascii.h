// What single bytes are, whatever the locale says. White space is JSON's (RFC 8259 section 2).
//
//   while (at != end && is_digit(*at)) ++at;
#pragma once

namespace weir {

constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }
constexpr bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

}  // namespace weir
