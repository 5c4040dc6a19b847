// Which pages of other origins may read Weir's answers. Origins are named exactly (scheme, host and
// port); there is no wildcard, since an answer allows credentials (sendBeacon always sends them).
//
//   Cors cors;
//   if (auto error = cors.add_origin("https://app.example"); !error.empty()) report(error);
//   answer.cors = cors.grant(origin_header);   // which Answer::headers() turns into headers
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace weir {

// What one answer tells browsers. It points into the request's head.
struct CorsGrant {
  bool varies = false;      // the location names origins: its answers differ by Origin
  bool preflight = false;   // this answers the question whether a request may be made
  std::string_view origin;  // whose pages may read the answer; empty: none
};

class Cors {
 public:
  // Adds one origin, such as "https://app.example" or "http://localhost:3000". It is kept as
  // browsers write it (RFC 6454 section 6.2): scheme and host in lower case, and without the port
  // that http (80) or https (443) has by default. Returns an empty string, or one sentence that
  // says what is wrong with it; `origin` stands in it with everything unprintable as '?'.
  std::string add_origin(std::string_view origin);

  bool configured() const { return origins_ != nullptr; }

  // True if the Origin header's value is, byte for byte, an origin that was added. An allowed value
  // may be echoed as it is: it holds printable ASCII alone.
  bool allows(std::string_view origin) const;

  // For an answer to a request with this Origin header, which may be empty.
  CorsGrant grant(std::string_view origin) const;

 private:
  void add(std::string origin);

  // Shared by copies: Apache has one of a location for each request. Null: none.
  std::shared_ptr<const std::vector<std::string>> origins_;
};

// What a preflight from an allowed origin is told. A client may send its write key also where no
// keys are configured.
constexpr std::string_view kCorsAllowMethods = "POST, OPTIONS";
constexpr std::string_view kCorsAllowHeaders =
    "Content-Type, Content-Encoding, Authorization, X-Weir-Key";
constexpr std::string_view kCorsMaxAge = "86400";

}  // namespace weir
