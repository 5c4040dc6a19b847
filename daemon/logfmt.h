// A log line's message and fields in logfmt (https://brandur.org/logfmt): msg="…" key=value. Values
// that need it are quoted; control characters are escaped, so that no value can begin a line of its
// own or speak to a terminal.
//
//   logfmt("stored", {{"rows", 12}, {"stream", name}})  →  msg=stored rows=12 stream=weir:{0}
#pragma once

#include <cstddef>
#include <initializer_list>
#include <string>
#include <string_view>
#include <type_traits>

namespace weir::daemon {

struct LogField {
  std::string_view key;
  std::string value;

  LogField(std::string_view name, std::string_view text) : key(name), value(text) {}
  LogField(std::string_view name, const std::string& text) : key(name), value(text) {}
  LogField(std::string_view name, const char* text) : key(name), value(text) {}
  template <typename Number, typename = std::enable_if_t<std::is_arithmetic_v<Number>>>
  LogField(std::string_view name, Number number) : key(name), value(std::to_string(number)) {}
};

namespace logfmt_detail {

inline void append_escape(std::string& out, unsigned char c) {
  static constexpr char kHex[] = "0123456789abcdef";
  switch (c) {
    case '"':
    case '\\':
      (out += '\\') += static_cast<char>(c);
      return;
    case '\n':
      out += "\\n";
      return;
    case '\t':
      out += "\\t";
      return;
    default:
      ((out += "\\x") += kHex[c >> 4]) += kHex[c & 15];
  }
}

// C0 and DEL, and the C1 controls in UTF-8 (C2 80 to C2 9F), of which `second` is the end.
inline bool is_control(unsigned char c) { return c < 0x20 || c == 0x7F; }
inline bool is_c1(unsigned char c, unsigned char second) {
  return c == 0xC2 && second >= 0x80 && second <= 0x9F;
}

inline bool is_bare(std::string_view value) {
  if (value.empty()) return false;
  for (const char letter : value) {
    const auto c = static_cast<unsigned char>(letter);
    if (c <= ' ' || c >= 0x7F || c == '"' || c == '=' || c == '\\') return false;
  }
  return true;
}

inline void append_value(std::string& out, std::string_view value) {
  if (is_bare(value)) {
    out += value;
    return;
  }
  out += '"';
  for (std::size_t i = 0; i < value.size(); ++i) {
    const auto c = static_cast<unsigned char>(value[i]);
    const unsigned char second = i + 1 < value.size() ? static_cast<unsigned char>(value[i + 1])
                                                      : static_cast<unsigned char>(0);
    if (is_c1(c, second)) {
      append_escape(out, c);
      append_escape(out, second);
      ++i;
    } else if (is_control(c) || c == '"' || c == '\\') {
      append_escape(out, c);
    } else {
      out += value[i];
    }
  }
  out += '"';
}

}  // namespace logfmt_detail

inline std::string logfmt(std::string_view message, std::initializer_list<LogField> fields) {
  std::string line = "msg=";
  logfmt_detail::append_value(line, message);
  for (const LogField& field : fields) {
    ((line += ' ') += field.key) += '=';
    logfmt_detail::append_value(line, field.value);
  }
  return line;
}

}  // namespace weir::daemon
