// The blanks that HTTP allows around what a header lists (RFC 9110 section 5.6.3).
//
//   trim(" gzip\t")   // "gzip"
#pragma once

#include <string_view>

namespace weir {

inline std::string_view trim(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == text.npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

}  // namespace weir
