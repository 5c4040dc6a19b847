#include "core/redis/safety.h"

#include <algorithm>
#include <charconv>

namespace weir {
namespace {

constexpr std::size_t kLongestValue = 32;

constexpr std::string_view kLoss = "EVENTS CAN BE LOST";
constexpr std::string_view kYes = "yes", kAlways = "always", kNoEviction = "noeviction";

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

std::string_view length_risk(std::string_view) {
  return "it takes no request whose events are larger, and cuts the connection at each";
}

template <const std::string_view& Safe>
bool is_just(std::string_view value) {
  return value == Safe;
}

bool is_long_enough(std::string_view value) {
  std::uint64_t bytes = 0;
  const auto read = std::from_chars(value.data(), value.data() + value.size(), bytes);
  return read.ec == std::errc() && bytes >= kLargestRecord;
}

std::string_view printable(std::string_view value) {
  const auto fits = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
  };
  const bool sane = !value.empty() && value.size() <= kLongestValue;
  return sane && std::all_of(value.begin(), value.end(), fits) ? value : "an unknown value";
}

}  // namespace

const std::array<SafetySetting, kSafetyCount> kSafetySettings = {{
    {"appendonly", kYes, kLoss, appendonly_risk, is_just<kYes>},
    {"appendfsync", kAlways, kLoss, appendfsync_risk, is_just<kAlways>},
    {"maxmemory-policy", kNoEviction, kLoss, policy_risk, is_just<kNoEviction>},
    {"proto-max-bulk-len", "512mb", "LARGE REQUESTS CAN FAIL", length_risk, is_long_enough},
}};

std::string safety_warning(const SafetySetting& setting, std::string_view value) {
  std::string sentence(setting.danger);
  sentence.append(": Redis has ")
      .append(setting.name)
      .append(" ")
      .append(printable(value))
      .append(", so that ");
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

bool is_protocol_error(std::string_view error) {
  constexpr std::string_view kBeginning = "ERR Protocol error";
  return error.substr(0, kBeginning.size()) == kBeginning;
}

bool is_full_of_clients(std::string_view error) {
  return error.find("max number of clients") != std::string_view::npos;
}

bool is_only_config(std::string_view error) {
  const std::string_view word = error.substr(0, error.find(' '));
  return word == "NOPERM" || (word == "ERR" && !is_full_of_clients(error));
}

}  // namespace weir
