// What a location of a server's configuration says, and the rules for the words that say it, which
// are the same on every server.
//
//   LocationSettings settings;                                   // one for each block
//   if (auto fault = settings.add_limit("body=2m"); !fault.empty()) report(fault);
//   settings.inherit(outer);                                     // once all of it is read
//   intake.screen(settings.location(), …);
//
// Faults are sentences that say what is wrong and what would be right, and that do not name the
// directive.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/event/limits.h"
#include "core/http/cors.h"
#include "core/http/endpoint.h"

namespace weir {

// More of them only make each answer later.
constexpr unsigned kMostReplicas = 16;

// Read-only once requests come in.
struct Location {
  Endpoint endpoint = Endpoint::track;
  bool strict = false;        // refuse members that Weir does not know
  std::uint8_t replicas = 0;  // of Redis that have to have an event before it counts as kept there
  Limits limits;
  Cors cors;
};

// A block's own limits, origins and options. A limit that it does not name is that of the block
// around it; origins and options are replaced by its own, if it names any.
class LocationSettings {
 public:
  // What `weir` says: a kind of location, and then "strict" and "wait=N" in any order.
  std::string set_kind(const std::vector<std::string_view>& words);

  // On a server that says the kind elsewhere: "strict" and "wait=N" in any order, or "off" alone:
  // neither, whatever the outer block says.
  std::string set_options(const std::vector<std::string_view>& words);

  // What belongs to a location belongs to the parts of it, such as `if`.
  void take_kind(const LocationSettings& outer);

  // One NAME=VALUE, of several. Once for each name.
  std::string add_limit(std::string_view word);

  // One or more origins, or "off" alone: none, whatever the outer block names.
  std::string add_origins(const std::vector<std::string_view>& words);

  void inherit(const LocationSettings& outer);

  const Location& location() const { return location_; }
  Location& location() { return location_; }

 private:
  using Limit = std::pair<std::string, std::string>;  // name and value

  std::string add_option(std::string_view word, std::string_view takes);

  Location location_;
  std::vector<Limit> limits_;  // those of outer blocks first, once inherited
  bool names_origins_ = false;
  bool names_options_ = false;  // a kind of location says them all
};

}  // namespace weir
