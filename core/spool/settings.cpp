#include "core/spool/settings.h"

#include <algorithm>

#include "core/config/size.h"
#include "core/config/words.h"

namespace weir {
namespace {

constexpr std::uint64_t kBlock = 4096;
constexpr std::uint64_t kDefaultFree = 64ULL << 20;

// Reads `value` into `target` if it is a size from `least` to `most`.
bool read_size(std::string_view value, std::uint64_t least, std::uint64_t most,
               std::uint64_t& target) {
  const auto size = parse_size(value);
  if (!size || *size < least || *size > most) return false;
  target = *size;
  return true;
}

// Setters return an empty string, or what is wrong with the value.
std::string set_size(std::string_view value, SpoolSettings& settings) {
  if (read_size(value, kLeastSpoolSize, kMostSpoolSize, settings.size)) return {};
  return "is not a size from 1m to 4t: write it as size=1g";
}

std::string set_segment(std::string_view value, SpoolSettings& settings) {
  if (read_size(value, kLeastSegment, kMostSegment, settings.segment)) return {};
  return "is not a size from 64k to 1g: write it as segment=16m";
}

std::string set_free(std::string_view value, SpoolSettings& settings) {
  std::uint64_t free = 0;
  if (!read_size(value, 0, kMostSpoolSize, free)) {
    return "is not a size from 0 to 4t: write it as free=64m";
  }
  settings.free = free;
  return {};
}

std::string set_drain(std::string_view value, SpoolSettings& settings) {
  if (read_size(value, kLeastDrain, kMostDrain, settings.drain)) return {};
  return "is not a number of bytes a second from 64k to 16g: write it as drain=16m";
}

struct Parameter {
  std::string_view name;
  std::string (*set)(std::string_view value, SpoolSettings& settings);
};

constexpr Parameter kParameters[] = {
    {"size", set_size}, {"segment", set_segment}, {"free", set_free}, {"drain", set_drain}};

const Parameter* find_parameter(std::string_view name) {
  const auto* found = std::find_if(std::begin(kParameters), std::end(kParameters),
                                   [&](const Parameter& known) { return known.name == name; });
  return found == std::end(kParameters) ? nullptr : found;
}

std::string set_parameter(std::string_view word, SpoolSettings& settings,
                          std::vector<const Parameter*>& seen) {
  const auto pair = name_and_value(word);
  const Parameter* parameter = pair ? find_parameter(pair->first) : nullptr;
  if (parameter == nullptr || pair->second.empty()) {
    return "it does not know " + quoted(word) +
           ": after the directory it takes size=, segment=, free= and drain=";
  }
  if (std::find(seen.begin(), seen.end(), parameter) != seen.end()) {
    return "it has " + quoted(parameter->name) + " twice: remove one";
  }
  seen.push_back(parameter);
  const std::string fault = parameter->set(pair->second, settings);
  return fault.empty() ? fault : quoted(pair->second) + ' ' + fault;
}

// What does not fit together, though each word is right.
std::string check_segment(const SpoolSettings& settings) {
  if (settings.segment > settings.size / 4) {
    return "its segment= is more than a quarter of its size=: make it smaller, or leave it out";
  }
  if (settings.segment < settings.size / kMostSegments) {
    return "its segment= would make more than 4096 files of its size=: make it larger, or leave it "
           "out";
  }
  return {};
}

}  // namespace

std::uint64_t default_segment(std::uint64_t size) {
  const std::uint64_t least = std::max(kLeastSegment, size / kMostSegments);
  const std::uint64_t share = std::min<std::uint64_t>(size / 64, 16ULL << 20);
  return (std::max(least, share) + kBlock - 1) / kBlock * kBlock;
}

std::uint64_t reserve(const SpoolSettings& settings, std::uint64_t capacity) {
  return settings.free.value_or(std::min(kDefaultFree, capacity / 20));
}

std::string read_spool_settings(const std::vector<std::string_view>& words,
                                SpoolSettings& settings) {
  if (words.empty()) return "it needs a directory: write /var/spool/weir size=1g";
  if (words.front().empty() || name_and_value(words.front())) {
    return "it needs a directory first, not " + quoted(words.front()) +
           ": write /var/spool/weir size=1g";
  }
  settings.directory = words.front();
  settings.segment = 0;
  std::vector<const Parameter*> seen;
  for (std::size_t i = 1; i < words.size(); i++) {
    if (auto fault = set_parameter(words[i], settings, seen); !fault.empty()) return fault;
  }
  if (settings.segment == 0) settings.segment = default_segment(settings.size);
  return check_segment(settings);
}

}  // namespace weir
