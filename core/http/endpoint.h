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

enum class Endpoint : std::uint8_t { track, crash, cli, health };
constexpr std::size_t kEndpointCount = 4;

// Whether a location of this kind takes events.
constexpr bool takes_events(Endpoint endpoint) { return endpoint != Endpoint::health; }

// The word for it in a configuration: "track", "crash", "cli", "health".
std::string_view endpoint_word(Endpoint endpoint);
std::optional<Endpoint> endpoint_from_word(std::string_view word);

// All of them for a sentence, each behind `before`: "weir track, weir crash, …or weir health".
std::string endpoint_words(std::string_view before);

}  // namespace weir
