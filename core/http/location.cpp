#include "core/http/location.h"

#include <algorithm>

#include "core/config/words.h"

namespace weir {
std::string LocationSettings::add_limit(std::string_view word) {
  const auto pair = name_and_value(word);
  if (!pair) return quoted(word) + " names no value: write NAME=VALUE, such as body=2m";
  const auto& [name, value] = *pair;
  Limits probe;
  if (auto fault = set_limit(probe, name, value); !fault.empty()) return fault;
  const bool again = std::any_of(limits_.begin(), limits_.end(),
                                 [name = name](const Limit& known) { return known.first == name; });
  if (again) return "the limit " + quoted(name) + " stands here twice: remove one";
  limits_.emplace_back(name, value);
  return {};
}

std::string LocationSettings::add_origins(const std::vector<std::string_view>& words) {
  const bool off = words.size() == 1 && words.front() == "off";
  if (names_origins_ && (off || !location_.cors.configured())) {
    return "\"off\" stands beside origins or a second time: keep one of them";
  }
  names_origins_ = true;
  if (off) return {};
  for (const std::string_view word : words) {
    if (auto fault = location_.cors.add_origin(word); !fault.empty()) return fault;
  }
  return {};
}

void LocationSettings::inherit(const LocationSettings& outer) {
  if (!names_origins_) location_.cors = outer.location_.cors;
  limits_.insert(limits_.begin(), outer.limits_.begin(), outer.limits_.end());
  for (const auto& [name, value] : limits_) {
    set_limit(location_.limits, name, value);  // passed when it was read
  }
}

}  // namespace weir
