// Small steps for reading text that people and runtimes wrote: used by the crash fingerprint's
// parsers. ASCII only; whatever the locale says.
#pragma once

#include <cstddef>
#include <cstring>
#include <string_view>

#include "core/json/ascii.h"

namespace weir::scan {

using weir::is_digit;
using weir::is_space;

inline bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
inline bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
inline bool is_letter(char c) { return is_lower(c) || is_upper(c); }
inline bool is_word(char c) { return is_letter(c) || is_digit(c) || c == '_'; }
inline bool is_hex(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

// With a literal to look for, the size to compare is known when this is compiled.
inline bool starts_with(std::string_view text, std::string_view prefix) {
  return text.size() >= prefix.size() &&
         std::memcmp(text.data(), prefix.data(), prefix.size()) == 0;
}

inline bool ends_with(std::string_view text, std::string_view suffix) {
  return text.size() >= suffix.size() &&
         std::memcmp(text.data() + text.size() - suffix.size(), suffix.data(), suffix.size()) == 0;
}

inline bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != text.npos;
}

inline std::string_view trim(std::string_view text) {
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

// Where the last `part` of `text` begins, which has at least one character; npos if there is none.
inline std::size_t find_last(std::string_view text, std::string_view part) {
  if (text.size() < part.size()) return text.npos;
  std::size_t ends = text.size() - part.size() + 1;
  while (const void* found = memrchr(text.data(), part.front(), ends)) {
    const auto at = static_cast<std::size_t>(static_cast<const char*>(found) - text.data());
    if (starts_with(text.substr(at), part)) return at;
    ends = at;
  }
  return text.npos;
}

// Where the first, or the last, character is that is `a` or `b`; npos if none is.
inline std::size_t find_either(std::string_view text, char a, char b, std::size_t from = 0) {
  for (std::size_t i = from; i < text.size(); ++i) {
    if (text[i] == a || text[i] == b) return i;
  }
  return text.npos;
}
inline std::size_t find_last_either(std::string_view text, char a, char b) {
  for (std::size_t i = text.size(); i-- > 0;) {
    if (text[i] == a || text[i] == b) return i;
  }
  return text.npos;
}

// Takes `prefix` away from the front of `text`, if it is there.
inline bool take(std::string_view& text, std::string_view prefix) {
  if (!starts_with(text, prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

// How many of the first characters of `text` fit.
template <typename Fits>
std::size_t count_front(std::string_view text, Fits fits) {
  std::size_t count = 0;
  while (count < text.size() && fits(text[count])) ++count;
  return count;
}

// Takes away the characters at the front that fit, and returns them.
template <typename Fits>
std::string_view take_while(std::string_view& text, Fits fits) {
  const std::string_view taken = text.substr(0, count_front(text, fits));
  text.remove_prefix(taken.size());
  return taken;
}

// Where the parenthesis opens that the last character of `text` closes; npos if none does.
inline std::size_t opening_parenthesis(std::string_view text) {
  if (!ends_with(text, ")")) return text.npos;
  const auto last = find_last(text, "(");
  if (last == text.npos || text.find(')', last) == text.size() - 1) return last;
  std::size_t depth = 1;  // others stand between
  for (std::size_t i = text.size() - 1; i-- > 0;) {
    if (text[i] == ')') ++depth;
    if (text[i] == '(' && --depth == 0) return i;
  }
  return text.npos;
}

// Takes ":12" away from the end of `text`; false if there is nothing of the kind.
inline bool drop_line_number(std::string_view& text) {
  std::size_t end = text.size();
  while (end > 0 && is_digit(text[end - 1])) --end;
  if (end == text.size() || end == 0 || text[end - 1] != ':') return false;
  text.remove_suffix(text.size() - end + 1);
  return true;
}

}  // namespace weir::scan
