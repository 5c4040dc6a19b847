// Words of a configuration, as every server hands them over: NAME=VALUE, and words in sentences.
//
//   const auto parameter = name_and_value("timeout=2s");   // {"timeout", "2s"}, or none
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace weir {

// Split at the first '='. None where there is none.
inline std::optional<std::pair<std::string_view, std::string_view>> name_and_value(
    std::string_view word) {
  const std::size_t equals = word.find('=');
  if (equals == std::string_view::npos) return std::nullopt;
  return std::pair(word.substr(0, equals), word.substr(equals + 1));
}

inline std::string quoted(std::string_view word) { return '"' + std::string(word) + '"'; }

}  // namespace weir
