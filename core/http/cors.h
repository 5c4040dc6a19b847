// Which pages of other origins may read Weir's answers. Origins are named exactly (scheme, host and
// port); there is no wildcard, since an answer allows credentials (sendBeacon always sends them).
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace weir {

class Cors {
 public:
  // Adds one origin, such as "https://app.example" or "http://localhost:3000". Returns an empty
  // string, or one sentence that says what is wrong with it.
  std::string add_origin(std::string_view origin);

  bool configured() const { return !origins_.empty(); }
  bool allows(std::string_view origin) const;

 private:
  std::vector<std::string> origins_;
};

// Headers of an answer to a request whose Origin is allowed; Vary: Origin goes with every answer of
// a location that has origins configured.
constexpr std::string_view kCorsAllowMethods = "POST, OPTIONS";
constexpr std::string_view kCorsAllowHeaders =
    "Content-Type, Content-Encoding, Authorization, X-Weir-Key";
constexpr std::string_view kCorsMaxAge = "86400";

}  // namespace weir
