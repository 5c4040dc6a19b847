// What single bytes are, whatever the locale says. White space is JSON's (RFC 8259 section 2).
//
//   while (at != end && is_digit(*at)) ++at;
//   const int byte = hex_value(text[0]) * 16 | hex_value(text[1]);  // negative: not two digits
#pragma once

namespace weir {

constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }
constexpr bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

struct HexValues {
  signed char of[256];
};

constexpr HexValues make_hex_values() {
  HexValues values{};
  for (signed char& value : values.of) value = -1;
  for (int i = 0; i < 10; ++i) values.of['0' + i] = static_cast<signed char>(i);
  for (int i = 0; i < 6; ++i) {
    values.of['a' + i] = values.of['A' + i] = static_cast<signed char>(10 + i);
  }
  return values;
}

inline constexpr HexValues kHexValues = make_hex_values();

// What a hexadecimal digit of either case says, or -1. A number that is put together by `*` and `|`
// is negative where one of its digits is none.
constexpr int hex_value(char c) { return kHexValues.of[static_cast<unsigned char>(c)]; }

}  // namespace weir
