// The kinds of location: what a server's configuration calls them, and metrics too.
//
//   const auto endpoint = endpoint_from_word("track");
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace weir {

enum class Endpoint : std::uint8_t { track, crash, cli, health, metrics };
constexpr std::size_t kEndpointCount = 5;

// Whether a location of this kind takes events; the others tell something.
constexpr bool takes_events(Endpoint endpoint) {
  return endpoint != Endpoint::health && endpoint != Endpoint::metrics;
}

// The word for it in a configuration: "track", "crash", "cli", "health", "metrics".
std::string_view endpoint_word(Endpoint endpoint);
std::optional<Endpoint> endpoint_from_word(std::string_view word);

// All of them for a sentence, each behind `before`: "weir track, weir crash, …or weir metrics".
std::string endpoint_words(std::string_view before);

}  // namespace weir
