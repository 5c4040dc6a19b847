#include "core/json/text.h"

#include <endian.h>

#include <cstdint>
#include <cstring>

#include "core/json/ascii.h"

namespace weir {

// For what every escape passes through: in a call its place would have to be kept in memory.
#define WEIR_INLINE [[gnu::always_inline]] inline

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

// The first byte of a sequence begins with its length's mark, later ones with 10.
constexpr char head(int mark, int bits) { return static_cast<char>(mark | bits); }
constexpr char tail(int bits) { return static_cast<char>(0x80 | (bits & 0x3F)); }

WEIR_INLINE char* append_unit(char* out, int c) {
  if (c < 0x80) {
    out[0] = static_cast<char>(c);
    return out + 1;
  }
  if (c < 0x800) {
    out[0] = head(0xC0, c >> 6);
    out[1] = tail(c);
    return out + 2;
  }
  out[0] = head(0xE0, c >> 12);
  out[1] = tail(c >> 6);
  out[2] = tail(c);
  return out + 3;
}

WEIR_INLINE char* append_pair(char* out, int high, int low) {
  const int c = 0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00);
  out[0] = head(0xF0, c >> 18);
  out[1] = tail(c >> 12);
  out[2] = tail(c >> 6);
  out[3] = tail(c);
  return out + 4;
}

// How many of these eight bytes stand before the first backslash. The subtraction borrows into the
// high bit of the first byte that is one, and maybe of later ones.
std::size_t before_backslash(std::uint64_t word) {
  constexpr std::uint64_t kOnes = 0x0101010101010101;
  const std::uint64_t zero_where_it_is = le64toh(word) ^ kOnes * '\\';
  const std::uint64_t found = (zero_where_it_is - kOnes) & ~zero_where_it_is & kOnes << 7;
  return found == 0 ? 8 : static_cast<std::size_t>(__builtin_ctzll(found)) / 8;
}

// Reads one string, from escape to escape. What was written is never longer than what was read, so
// that a word may be written wherever one may be read.
class Unescaping {
 public:
  Unescaping(std::string_view inside, char* out)
      : begin_(inside.data()), at_(begin_), end_(begin_ + inside.size()), start_(out), out_(out) {}

  WEIR_INLINE Unescaped read() {
    while (at_ != end_ && (*at_ == '\\' ? read_escape() : copy())) continue;
    result_.size = static_cast<std::size_t>(out_ - start_);
    return result_;
  }

 private:
  // Up to the next escape, where most runs are short, so that calls cost more than they are: \u
  // stands among its like.
  WEIR_INLINE bool copy() {
    std::uint64_t word;
    if (left() < sizeof word) return *out_++ = *at_++, true;
    std::memcpy(&word, at_, sizeof word);
    std::memcpy(out_, &word, sizeof word);
    const std::size_t size = before_backslash(word);
    at_ += size;
    out_ += size;
    return size < sizeof word || copy_long();
  }

  // The same where lines of text end, or quotes stand in it.
  WEIR_INLINE bool copy_long() {
    const void* escape = std::memchr(at_, '\\', left());
    const auto size = escape == nullptr
                          ? left()
                          : static_cast<std::size_t>(static_cast<const char*>(escape) - at_);
    std::memcpy(out_, at_, size);
    at_ += size;
    out_ += size;
    return true;
  }

  // at_ stands at a backslash, and then behind the escape.
  WEIR_INLINE bool read_escape() {
    const char kind = left() > 1 ? at_[1] : '\0';
    if (kind == 'u') return read_character();
    const char plain = short_unescape(kind);
    if (plain == 0) return stop(1);
    *out_++ = plain;
    at_ += 2;
    return copy_long();
  }

  WEIR_INLINE bool read_character() {
    const int unit = unit_at(at_);
    if (unit < 0) return stop_in_unit();
    at_ += kUnitSize;
    if ((unit & 0xF800) == 0xD800) return read_surrogate(unit);
    if (unit == 0) note(Reason::nul_character);
    out_ = append_unit(out_, unit);
    return true;
  }

  // What is no second half is read by itself, behind this one.
  WEIR_INLINE bool read_surrogate(int unit) {
    if (unit < 0xDC00 && left() > 1 && at_[0] == '\\' && at_[1] == 'u') {
      const int second = unit_at(at_);
      if (second < 0) return stop_in_unit();
      if ((second & 0xFC00) == 0xDC00) {
        out_ = append_pair(out_, unit, second);
        at_ += kUnitSize;
        return true;
      }
    }
    note(Reason::lone_surrogate);
    out_ = append_unit(out_, 0xFFFD);
    return true;
  }

  // What the four digits behind a backslash and its u say; negative if they are not four digits.
  WEIR_INLINE int unit_at(const char* escape) const {
    if (static_cast<std::size_t>(end_ - escape) < kUnitSize) return -1;
    return hex_value(escape[2]) * 4096 | hex_value(escape[3]) * 256 | hex_value(escape[4]) * 16 |
           hex_value(escape[5]);
  }

  // At the first byte that is no digit.
  bool stop_in_unit() {
    std::size_t digits = 2;
    while (digits < left() && hex_value(at_[digits]) >= 0) ++digits;
    return stop(digits);
  }

  bool stop(std::size_t behind) {
    result_.bad_at = static_cast<std::size_t>(at_ - begin_) + behind;
    return false;
  }

  void note(Reason fault) {
    if (result_.fault == Reason::none) result_.fault = fault;
  }

  std::size_t left() const { return static_cast<std::size_t>(end_ - at_); }

  static constexpr std::size_t kUnitSize = 6;

  const char* const begin_;
  const char* at_;
  const char* const end_;
  char* const start_;
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
