// What a client is told, and with which headers. A server sets Content-Type (`media`) and
// Content-Length by its own means and copies the others.
//
//   for (const Header& header : answer.headers()) add_header(header.name, header.value);
//
// `body` points into static memory or into the Intake that made the answer, and holds until that
// Intake's next call: a server copies what it sends later. All else points into static memory or
// into the request's head.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "core/http/cors.h"

namespace weir {

struct Header {
  std::string_view name;
  std::string_view value;
};

// The headers of one answer, in order. No answer has more than kMost; what is added past them is
// left out.
class Headers {
 public:
  static constexpr std::size_t kMost = 8;

  void add(std::string_view name, std::string_view value) {
    if (size_ < kMost) items_[size_++] = {name, value};
  }

  const Header* begin() const { return items_.data(); }
  const Header* end() const { return items_.data() + size_; }
  std::size_t size() const { return size_; }

 private:
  std::array<Header, kMost> items_;
  std::size_t size_ = 0;
};

// Seconds after which a client may send again what could not be kept.
constexpr std::string_view kRetryAfter = "2";

struct Answer {
  int status = 200;
  std::string_view body;
  std::string_view media = "application/json";
  std::string_view allow;        // the methods, where the request's was not one of them
  std::string_view retry_after;  // seconds, where the client should come again
  CorsGrant cors;

  // All but Content-Type and Content-Length.
  Headers headers() const;
};

}  // namespace weir
