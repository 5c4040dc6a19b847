#include "core/http/location.h"

#include <algorithm>
#include <charconv>

#include "core/config/words.h"

namespace weir {

std::string LocationSettings::set_kind(const std::vector<std::string_view>& words) {
  if (words.empty()) return "it needs a kind of location: write " + endpoint_words("weir ");
  const auto endpoint = endpoint_from_word(words.front());
  if (!endpoint) {
    return "it does not know " + quoted(words.front()) + ": write " + endpoint_words("weir ");
  }
  location_.endpoint = *endpoint;
  names_options_ = true;
  std::string fault;
  for (std::size_t i = 1; i < words.size() && fault.empty(); ++i) {
    fault = add_option(words[i], "after the kind of location it takes");
  }
  return fault;
}

std::string LocationSettings::set_options(const std::vector<std::string_view>& words) {
  if (names_options_) return "it stands here twice: write all options behind one of them";
  if (words.empty()) return "it names no option: write \"strict\", \"wait=1\", both, or \"off\"";
  names_options_ = true;
  if (words.size() == 1 && words.front() == "off") return {};
  std::string fault;
  for (std::size_t i = 0; i < words.size() && fault.empty(); ++i) {
    fault = add_option(words[i], "it takes");
  }
  return fault;
}

// `takes` begins the sentence that says which words there are.
std::string LocationSettings::add_option(std::string_view word, std::string_view takes) {
  if (word == "strict") {
    if (location_.strict) return "it has \"strict\" twice: remove one";
    location_.strict = true;
    return {};
  }
  const auto pair = name_and_value(word);
  if (!pair || pair->first != "wait") {
    return "it does not know " + quoted(word) + ": " + std::string(takes) +
           " \"strict\" and \"wait=1\"";
  }
  if (!takes_events(location_.endpoint)) {
    return "such a location keeps nothing that replicas could have: remove " + quoted(word);
  }
  const std::string_view value = pair->second;
  unsigned replicas = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), replicas);
  const bool whole = error == std::errc() && end == value.data() + value.size();
  if (!whole || replicas < 1 || replicas > kMostReplicas || location_.replicas != 0) {
    return quoted(word) + " is no number of replicas, 1 to 16: write it once, as wait=1";
  }
  location_.replicas = static_cast<std::uint8_t>(replicas);
  return {};
}

void LocationSettings::take_kind(const LocationSettings& outer) {
  location_.endpoint = outer.location_.endpoint;
  location_.strict = outer.location_.strict;
  location_.replicas = outer.location_.replicas;
}

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
  if (!names_options_) {
    location_.strict = outer.location_.strict;
    location_.replicas = outer.location_.replicas;
  }
  limits_.insert(limits_.begin(), outer.limits_.begin(), outer.limits_.end());
  for (const auto& [name, value] : limits_) {
    set_limit(location_.limits, name, value);  // passed when it was read
  }
}

}  // namespace weir
