#include "core/spool/name.h"

#include <algorithm>

namespace weir {
namespace {

constexpr std::string_view kEnding = ".spool";

bool is_plain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
         c == '_' || c == '-';
}

}  // namespace

std::string segment_name(Timestamp created, std::uint32_t writer) {
  const std::string digits = std::to_string(std::max<Timestamp>(created, 0));
  std::string name(16 - std::min<std::size_t>(digits.size(), 16), '0');
  name.append(digits).append(1, '-').append(std::to_string(writer)).append(kEnding);
  return name;
}

bool is_segment_name(std::string_view name) {
  return name.size() > kEnding.size() && name.size() <= 200 && name.front() != '.' &&
         name.substr(name.size() - kEnding.size()) == kEnding &&
         std::all_of(name.begin(), name.end(), is_plain);
}

std::string bad_name(std::string_view segment) { return std::string(segment) + ".bad"; }

}  // namespace weir
