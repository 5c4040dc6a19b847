#include "core/redis/safety.h"

#include <algorithm>

namespace weir {
namespace {

constexpr std::size_t kLongestValue = 32;

std::string_view appendonly_risk(std::string_view) {
  return "when it stops or crashes, acknowledged events that are not in PostgreSQL yet are lost";
}

std::string_view appendfsync_risk(std::string_view value) {
  return value == "everysec"
             ? "when the machine loses power, the last two seconds of acknowledged events are lost"
             : "when the machine loses power, half a minute of acknowledged events can be lost";
}

std::string_view policy_risk(std::string_view value) {
  return value.substr(0, 9) == "volatile-"
             ? "at its maxmemory it drops the stream, should anything ever set an expiry on it"
             : "at its maxmemory it may drop the stream with all events that are not in PostgreSQL";
}

std::string_view printable(std::string_view value) {
  const auto fits = [](char c) { return (c >= 'a' && c <= 'z') || c == '-'; };
  const bool sane = !value.empty() && value.size() <= kLongestValue;
  return sane && std::all_of(value.begin(), value.end(), fits) ? value : "an unknown value";
}

}  // namespace

const std::array<SafetySetting, 3> kSafetySettings = {{
    {"appendonly", "yes", appendonly_risk},
    {"appendfsync", "always", appendfsync_risk},
    {"maxmemory-policy", "noeviction", policy_risk},
}};

std::string safety_warning(const SafetySetting& setting, std::string_view value) {
  std::string sentence = "EVENTS CAN BE LOST: Redis has ";
  sentence.append(setting.name).append(" ").append(printable(value)).append(", so that ");
  sentence.append(setting.risk(value)).append("; set ").append(setting.name).append(" ");
  return sentence.append(setting.safe);
}

std::string safety_unchecked(std::string_view why) {
  std::string sentence = "Redis answered CONFIG GET with ";
  sentence.append(why).append(
      ", so that Weir cannot see whether events are safe there: "
      "make sure of appendonly yes, appendfsync always and maxmemory-policy noeviction");
  return sentence;
}

bool is_full_of_clients(std::string_view error) {
  return error.find("max number of clients") != std::string_view::npos;
}

bool is_only_config(std::string_view error) {
  const std::string_view word = error.substr(0, error.find(' '));
  return word == "NOPERM" || (word == "ERR" && !is_full_of_clients(error));
}

}  // namespace weir
