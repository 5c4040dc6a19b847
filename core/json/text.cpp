#include "core/json/text.h"

#include <algorithm>
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

bool is_high_surrogate(int unit) { return unit >= 0xD800 && unit <= 0xDBFF; }
bool is_low_surrogate(int unit) { return unit >= 0xDC00 && unit <= 0xDFFF; }

// What a backslash and `c` stand for; 0 if they are no such escape.
char short_unescape(char c) {
  switch (c) {
    case '"':
    case '\\':
    case '/':
      return c;
    case 'b':
      return '\b';
    case 'f':
      return '\f';
    case 'n':
      return '\n';
    case 'r':
      return '\r';
    case 't':
      return '\t';
    default:
      return 0;
  }
}

char* append_utf8(char* out, int c) {
  const auto put = [&out](int byte) { *out++ = static_cast<char>(byte); };
  if (c < 0x80) return put(c), out;
  if (c < 0x800) {
    put(0xC0 | c >> 6);
  } else if (c < 0x10000) {
    put(0xE0 | c >> 12);
    put(0x80 | (c >> 6 & 0x3F));
  } else {
    put(0xF0 | c >> 18);
    put(0x80 | (c >> 12 & 0x3F));
    put(0x80 | (c >> 6 & 0x3F));
  }
  return put(0x80 | (c & 0x3F)), out;
}

// Reads one string, from escape to escape.
class Unescaping {
 public:
  Unescaping(std::string_view inside, char* out) : inside_(inside), begin_(out), out_(out) {}

  Unescaped read() {
    for (;;) {
      const std::size_t escape = std::min(inside_.find('\\', at_), inside_.size());
      copy_to(escape);
      if (escape == inside_.size() || !read_escape()) break;
    }
    result_.size = static_cast<std::size_t>(out_ - begin_);
    return result_;
  }

 private:
  void copy_to(std::size_t end) {
    if (end > at_) std::memcpy(out_, inside_.data() + at_, end - at_);
    out_ += end - at_;
    at_ = end;
  }

  // at_ stands at a backslash, and then behind the escape.
  bool read_escape() {
    const char kind = at_ + 1 < inside_.size() ? inside_[at_ + 1] : '\0';
    if (const char plain = short_unescape(kind); plain != 0) {
      *out_++ = plain;
      at_ += 2;
      return true;
    }
    if (kind != 'u') return stop(at_ + 1);
    return read_character();
  }

  bool read_character() {
    const int unit = read_unit();
    if (unit < 0) return false;
    if (unit == 0) note(Reason::nul_character);
    if (is_high_surrogate(unit) && inside_.substr(at_, 2) == "\\u") {
      const std::size_t second_at = at_;
      const int second = read_unit();
      if (second < 0) return false;
      if (is_low_surrogate(second)) {
        out_ = append_utf8(out_, 0x10000 + ((unit - 0xD800) << 10) + (second - 0xDC00));
        return true;
      }
      at_ = second_at;
    }
    const bool lone = is_high_surrogate(unit) || is_low_surrogate(unit);
    if (lone) note(Reason::lone_surrogate);
    out_ = append_utf8(out_, lone ? 0xFFFD : unit);
    return true;
  }

  // The four digits behind the \u at at_, which then stands behind them; -1 and stopped without.
  int read_unit() {
    int unit = 0;
    for (std::size_t i = at_ + 2; i < at_ + 6; ++i) {
      const int digit = i < inside_.size() ? hex_value(inside_[i]) : -1;
      if (digit < 0) return stop(i), -1;
      unit = unit * 16 + digit;
    }
    at_ += 6;
    return unit;
  }

  void note(Reason fault) {
    if (result_.fault == Reason::none) result_.fault = fault;
  }

  bool stop(std::size_t at) {
    result_.bad_at = at;
    return false;
  }

  std::string_view inside_;
  std::size_t at_ = 0;
  char* begin_;
  char* out_;
  Unescaped result_;
};

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

Unescaped unescape(std::string_view inside, char* out) { return Unescaping(inside, out).read(); }

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
