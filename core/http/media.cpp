#include "core/http/media.h"

#include <algorithm>
#include <cctype>

#include "core/http/blanks.h"

namespace weir {
namespace {

// What nearly all clients and browsers send, in so many words.
constexpr std::string_view kUsual[] = {"application/json", "application/json; charset=utf-8",
                                       "application/json;charset=utf-8",
                                       "text/plain;charset=UTF-8"};

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  const auto same = [](unsigned char x, unsigned char y) {
    return std::tolower(x) == std::tolower(y);
  };
  return a == b || std::equal(a.begin(), a.end(), b.begin(), b.end(), same);
}

// Splits `text` at its first `separator` and leaves the rest in it.
std::string_view take_until(std::string_view& text, char separator) {
  const auto end = text.find(separator);
  const std::string_view taken = text.substr(0, end);
  text = end == text.npos ? std::string_view() : text.substr(end + 1);
  return trim(taken);
}

bool is_utf8_charset(std::string_view value) {
  if (value.size() >= 2 && value.front() == '"' && value.back() == '"') {
    value = value.substr(1, value.size() - 2);
  }
  return equal_ignoring_case(value, "utf-8") || equal_ignoring_case(value, "utf8") ||
         equal_ignoring_case(value, "us-ascii");
}

}  // namespace

bool takes_media_type(std::string_view header) {
  for (const std::string_view usual : kUsual) {
    if (header == usual) return true;
  }
  const std::string_view type = take_until(header, ';');
  if (!type.empty() && !equal_ignoring_case(type, "application/json") &&
      !equal_ignoring_case(type, "text/plain")) {
    return false;
  }
  while (!header.empty()) {
    std::string_view parameter = take_until(header, ';');
    const std::string_view name = take_until(parameter, '=');
    if (equal_ignoring_case(name, "charset") && !is_utf8_charset(trim(parameter))) return false;
  }
  return true;
}

}  // namespace weir
