// What is read as a time is the time that libc's calendar and long arithmetic make of the same
// text.
#include "core/event/timestamp.h"

#include <time.h>

#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <regex>
#include <string>

#include "t/fuzz/require.h"

namespace {

using weir::Timestamp;

const std::regex& rfc3339() {
  static const std::regex kForm(
      R"((\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d):(\d\d)(\.\d+)?([Zz]|[-+]\d\d:\d\d))");
  return kForm;
}

long field(const std::smatch& match, std::size_t index) {
  return std::stol(match[index].str(), nullptr, 10);
}

// None for a date that the calendar does not have: timegm() then makes another one of it.
std::optional<Timestamp> slow_rfc3339(const std::string& text) {
  std::smatch match;
  if (!std::regex_match(text, match, rfc3339())) return std::nullopt;
  std::tm wanted{};
  wanted.tm_year = static_cast<int>(field(match, 1)) - 1900;
  wanted.tm_mon = static_cast<int>(field(match, 2)) - 1;
  wanted.tm_mday = static_cast<int>(field(match, 3));
  wanted.tm_hour = static_cast<int>(field(match, 4));
  wanted.tm_min = static_cast<int>(field(match, 5));
  const long second = field(match, 6);
  std::tm made = wanted;
  Timestamp seconds = timegm(&made) + second;
  const bool same = made.tm_mday == wanted.tm_mday && made.tm_mon == wanted.tm_mon &&
                    made.tm_hour == wanted.tm_hour && made.tm_min == wanted.tm_min;
  if (!same || second > 60) return std::nullopt;
  const std::string offset = match[8].str();
  if (offset.size() == 6) {
    const long hours = std::stol(offset.substr(1, 2)), minutes = std::stol(offset.substr(4));
    if (hours > 23 || minutes > 59) return std::nullopt;
    seconds -= (offset[0] == '-' ? -60 : 60) * (hours * 60 + minutes);
  }
  if (second == 60) {
    const time_t after = seconds;
    std::tm utc{};
    gmtime_r(&after, &utc);
    if (utc.tm_mday != 1 || after % 86400 != 0) return std::nullopt;
    return seconds * weir::kMicrosPerSecond;
  }
  const std::string fraction = (match[7].str() + "0000000").substr(match[7].length() ? 1 : 0, 6);
  return seconds * weir::kMicrosPerSecond + std::stol(fraction);
}

void check_milliseconds(const std::string& text) {
  const auto parsed = weir::parse_milliseconds(text);
  static const std::regex kNumber(R"(-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?)");
  if (!std::regex_match(text, kNumber)) {
    REQUIRE(!parsed);
    return;
  }
  const long double micros = std::strtold(text.c_str(), nullptr) * 1000;
  if (!parsed) {
    REQUIRE(micros < -62135596800'000000.0L + 1 || micros > 253402300800'000000.0L - 1);
    return;
  }
  REQUIRE(*parsed >= weir::start_of_year(1) && *parsed < weir::start_of_year(10'000));
  const long double rest = micros - static_cast<long double>(*parsed);
  REQUIRE(rest > -0.05L && rest < 1.05L);
}

// Three times of the years 0 to 9999 out of the input's first bytes.
void check_skew(const std::uint8_t* data, std::size_t size) {
  std::uint64_t words[3];
  if (size < sizeof words) return;
  std::memcpy(words, data, sizeof words);
  const auto time = [](std::uint64_t word) {
    const Timestamp first = weir::start_of_year(1), end = weir::start_of_year(10'000);
    return first + static_cast<Timestamp>(word % static_cast<std::uint64_t>(end - first));
  };
  const Timestamp client = time(words[0]), sent = time(words[1]), now = time(words[2]);
  const Timestamp corrected = weir::correct_for_skew(client, sent, now);
  REQUIRE(corrected <= now + weir::kMaxAhead);
  REQUIRE(corrected == now || now - corrected == sent - client);
  REQUIRE(weir::correct_for_skew(client, std::nullopt, now) ==
          (client > now + weir::kMaxAhead ? now : client));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  check_skew(data, size);
  if (size > 500) return 0;  // std::regex recurses
  const std::string text(reinterpret_cast<const char*>(data), size);
  REQUIRE(weir::parse_rfc3339(text) == slow_rfc3339(text));
  check_milliseconds(text);
  return 0;
}
