#include "core/http/endpoint.h"

namespace weir {
namespace {

// In the order of the enumeration.
constexpr std::string_view kWords[] = {"track", "crash", "cli", "health", "metrics"};

static_assert(std::size(kWords) == kEndpointCount, "every kind of location has its word");

}  // namespace

std::string_view endpoint_word(Endpoint endpoint) {
  return kWords[static_cast<std::size_t>(endpoint)];
}

std::optional<Endpoint> endpoint_from_word(std::string_view word) {
  for (std::size_t i = 0; i < kEndpointCount; ++i) {
    if (kWords[i] == word) return static_cast<Endpoint>(i);
  }
  return std::nullopt;
}

std::string endpoint_words(std::string_view before) {
  std::string words;
  for (const std::string_view word : kWords) {
    const bool last = word == kWords[kEndpointCount - 1];
    if (!words.empty()) words += last ? " or " : ", ";
    words.append(before).append(word);
  }
  return words;
}

}  // namespace weir
