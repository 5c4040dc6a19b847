// The settings of Redis on which Weir's promise hangs, and what to say where they are others. Edge
// and flusher ask for them in their own ways and say the same.
//
//   for (const SafetySetting& setting : kSafetySettings) ask({"CONFIG", "GET", setting.name});
//   if (value != setting.safe) warn(safety_warning(setting, value));
//   if (is_only_config(error)) warn(safety_unchecked(error_word(error, password)));
#pragma once

#include <array>
#include <string>
#include <string_view>

namespace weir {

struct SafetySetting {
  std::string_view name;
  std::string_view safe;
  // What `value`, which is not the safe one, risks.
  std::string_view (*risk)(std::string_view value);
};

// appendonly, appendfsync and maxmemory-policy, in this order. (One CONFIG GET for all of them is
// new in Redis 7.)
extern const std::array<SafetySetting, 3> kSafetySettings;

// "EVENTS CAN BE LOST: Redis has appendonly no, so that …; set appendonly yes". A value that no
// Redis has is not repeated.
std::string safety_warning(const SafetySetting& setting, std::string_view value);

// The settings could not be looked at; `why` is what Redis answered instead, in a word.
std::string safety_unchecked(std::string_view why);

// True for an error that only means that there is no CONFIG for this user, as managed servers and
// narrow rights have it: the rest may still go well.
bool is_only_config(std::string_view error);

// A server that has all the clients that it takes says so to whatever it was asked, and hangs up.
bool is_full_of_clients(std::string_view error);

}  // namespace weir
