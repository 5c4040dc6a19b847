#include "core/spool/name.h"

#include <algorithm>

namespace weir {
namespace {

constexpr std::string_view kEnding = ".spool";
constexpr std::string_view kBad = ".bad", kRefused = ".refused", kLong = ".long";

bool ends_in(std::string_view text, std::string_view ending) {
  return text.size() >= ending.size() && text.substr(text.size() - ending.size()) == ending;
}

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
         ends_in(name, kEnding) && std::all_of(name.begin(), name.end(), is_plain);
}

std::string bad_name(std::string_view segment) { return std::string(segment).append(kBad); }

std::string refused_name(std::string_view segment) {
  const std::string_view stem =
      segment.substr(0, segment.size() - std::min(segment.size(), kEnding.size()));
  const bool again = ends_in(stem, kLong);
  std::string name(again ? stem.substr(0, stem.size() - kLong.size()) : stem);
  if (!again) name.append(kLong);
  return name.append(kEnding).append(kRefused);
}

bool is_set_aside_name(std::string_view name) {
  for (const std::string_view ending : {kBad, kRefused}) {
    if (!ends_in(name, ending)) continue;
    if (is_segment_name(name.substr(0, name.size() - ending.size()))) return true;
  }
  return false;
}

}  // namespace weir
