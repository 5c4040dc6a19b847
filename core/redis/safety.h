// The settings of Redis on which Weir's promise hangs, and what to say where they are others. Edge
// and flusher ask for them in their own ways and say the same.
//
//   for (const SafetySetting& setting : kSafetySettings) ask({"CONFIG", "GET", setting.name});
//   if (!setting.is_safe(value)) warn(safety_warning(setting, value));
//   if (is_only_config(error)) warn(safety_unchecked(error_word(error, password)));
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace weir {

struct SafetySetting {
  std::string_view name;
  std::string_view safe;
  std::string_view danger;  // in a word, where it is another
  // What `value`, which is not the safe one, risks.
  std::string_view (*risk)(std::string_view value);
  bool (*is_safe)(std::string_view value);
};

constexpr std::size_t kSafetyCount = 4;

// appendonly, appendfsync, maxmemory-policy and proto-max-bulk-len, in this order. (One CONFIG GET
// for all of them is new in Redis 7.)
extern const std::array<SafetySetting, kSafetyCount> kSafetySettings;

// The largest record that limits allow, which a courier's buffer holds. A Redis whose
// proto-max-bulk-len is less answers a larger one with a protocol error, and hangs up.
constexpr std::uint64_t kLargestRecord = 64 << 20;

// "EVENTS CAN BE LOST: Redis has appendonly no, so that …; set appendonly yes". A value that no
// Redis has is not repeated.
std::string safety_warning(const SafetySetting& setting, std::string_view value);

// The settings could not be looked at; `why` is what Redis answered instead, in a word.
std::string safety_unchecked(std::string_view why);

// True for an error that only means that there is no CONFIG for this user, as managed servers and
// narrow rights have it: the rest may still go well.
bool is_only_config(std::string_view error);

// What Redis says of a command that it cannot read, a word longer than its proto-max-bulk-len among
// it, before it hangs up.
bool is_protocol_error(std::string_view error);

// A server that has all the clients that it takes says so to whatever it was asked, and hangs up.
bool is_full_of_clients(std::string_view error);

}  // namespace weir
