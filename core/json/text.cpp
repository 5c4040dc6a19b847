#include "core/json/text.h"

#include <cstdint>
#include <cstring>

namespace weir {
namespace {

// Are all of these eight bytes within 0x20 to 0x7f? The subtraction borrows into a byte's high bit
// exactly where some byte is below 0x20.
bool is_plain_word(const unsigned char* bytes) {
  constexpr std::uint64_t kHighBits = 0x8080808080808080;
  constexpr std::uint64_t kSpaces = 0x2020202020202020;
  std::uint64_t word;
  std::memcpy(&word, bytes, sizeof word);
  return ((word | (word - kSpaces)) & kHighBits) == 0;
}

// A row of Unicode's table 3-7, chosen by the first byte: how long the sequence is, and what its
// second byte may be. Later bytes are 80 to BF in every row.
struct Row {
  std::size_t length;
  unsigned char low;
  unsigned char high;
};

constexpr Row row_of(unsigned char first) {
  if (first < 0xC2) return {0, 0, 0};  // a continuation, or overlong
  if (first < 0xE0) return {2, 0x80, 0xBF};
  if (first == 0xE0) return {3, 0xA0, 0xBF};
  if (first == 0xED) return {3, 0x80, 0x9F};  // no surrogates
  if (first < 0xF0) return {3, 0x80, 0xBF};
  if (first == 0xF0) return {4, 0x90, 0xBF};
  if (first < 0xF4) return {4, 0x80, 0xBF};
  if (first == 0xF4) return {4, 0x80, 0x8F};  // up to U+10FFFF
  return {0, 0, 0};
}

bool is_ascii_text(unsigned char c) { return c >= 0x20 || c == '\t' || c == '\n' || c == '\r'; }

// The length of the good sequence that `bytes` begins with; 0 if it begins with none.
std::size_t good_sequence(const unsigned char* bytes, std::size_t left) {
  if (bytes[0] < 0x80) return is_ascii_text(bytes[0]) ? 1 : 0;
  const Row row = row_of(bytes[0]);
  if (row.length == 0 || row.length > left) return 0;
  if (bytes[1] < row.low || bytes[1] > row.high) return 0;
  for (std::size_t i = 2; i < row.length; ++i) {
    if ((bytes[i] & 0xC0) != 0x80) return 0;
  }
  return row.length;
}

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// The code unit of the \uXXXX that stands at `at`; -1 if none does.
int code_unit(std::string_view text, std::size_t at) {
  const std::string_view escape = text.substr(at, 6);
  if (escape.size() < 6 || escape[0] != '\\' || escape[1] != 'u') return -1;
  int value = 0;
  for (const char c : escape.substr(2)) {
    const int digit = hex_value(c);
    if (digit < 0) return -1;
    value = value * 16 + digit;
  }
  return value;
}

bool is_high_surrogate(int unit) { return unit >= 0xD800 && unit <= 0xDBFF; }
bool is_low_surrogate(int unit) { return unit >= 0xDC00 && unit <= 0xDFFF; }

// What has to stand for `c` in a JSON string; empty if `c` may stand there itself.
std::string_view short_escape(char c) {
  switch (c) {
    case '"':
      return "\\\"";
    case '\\':
      return "\\\\";
    case '\b':
      return "\\b";
    case '\f':
      return "\\f";
    case '\n':
      return "\\n";
    case '\r':
      return "\\r";
    case '\t':
      return "\\t";
    default:
      return {};
  }
}

bool needs_escape(char c) { return static_cast<unsigned char>(c) < 0x20 || c == '"' || c == '\\'; }

void append_escape(std::string& out, char c) {
  constexpr char kHex[] = "0123456789abcdef";
  if (const auto escape = short_escape(c); !escape.empty()) {
    out += escape;
    return;
  }
  out += "\\u00";
  out += kHex[(c >> 4) & 15];
  out += kHex[c & 15];
}

}  // namespace

std::optional<std::size_t> find_bad_text(std::string_view text) {
  const auto* bytes = reinterpret_cast<const unsigned char*>(text.data());
  std::size_t at = 0;
  while (at < text.size()) {
    if (text.size() - at >= 8 && is_plain_word(bytes + at)) {
      at += 8;
      continue;
    }
    const std::size_t length = good_sequence(bytes + at, text.size() - at);
    if (length == 0) return at;
    at += length;
  }
  return std::nullopt;
}

Reason check_escapes(std::string_view raw_string) {
  std::size_t at = raw_string.find('\\');
  while (at != raw_string.npos) {
    const int unit = code_unit(raw_string, at);
    if (unit == 0) return Reason::nul_character;
    if (is_low_surrogate(unit)) return Reason::lone_surrogate;
    if (is_high_surrogate(unit)) {
      if (!is_low_surrogate(code_unit(raw_string, at + 6))) return Reason::lone_surrogate;
      at += 12;
    } else {
      at += 2;  // past "\\\\" and "\\\"", so that neither is taken for the start of another
    }
    at = raw_string.find('\\', at);
  }
  return Reason::none;
}

void append_json_string(std::string& out, std::string_view utf8) {
  out += '"';
  std::size_t start = 0;
  for (std::size_t i = 0; i < utf8.size(); ++i) {
    if (!needs_escape(utf8[i])) continue;
    out.append(utf8.data() + start, i - start);
    append_escape(out, utf8[i]);
    start = i + 1;
  }
  out.append(utf8.data() + start, utf8.size() - start);
  out += '"';
}

}  // namespace weir
