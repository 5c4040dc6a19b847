// The limits that a request has to keep. Every limit has a default, a name under which a server's
// configuration can change it, and an answer: a limit on a request answers 413, a limit on an event
// refuses that event with a reason (core/event/reason.h). docs/api.md lists them.
//
//   Limits limits;
//   if (auto error = set_limit(limits, "events", "500"); !error.empty()) report(error);
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace weir {

struct Limits {
  std::size_t body = 1 << 20;          // "body": bytes of a request's body as sent
  std::size_t inflated = 8 << 20;      // "inflated": bytes of a body after its content coding
  std::size_t ratio = 100;             // "ratio": inflated bytes for each byte sent
  std::size_t events = 1000;           // "events": events in one request
  std::size_t depth = 16;              // "depth": nesting, the event itself being 1
  std::size_t string = 8 << 10;        // "string": bytes of a string value
  std::size_t stack_trace = 64 << 10;  // "stack_trace": bytes of a crash's stack_trace
  std::size_t properties = 100;        // "properties": members of one object inside an event
  std::size_t key = 128;               // "key": bytes of a member's name
  std::size_t name = 200;              // "name": bytes of user_id, event, app_version and their kin
  std::size_t exponent = 308;          // "exponent": decimal exponent of a number, either way
  int first_year = 2000;               // "first_year": earliest year of an event, after correction
  int last_year = 2100;                // "last_year": latest year that a client may send
};

// Inflating below this many bytes never trips Limits::ratio: a small body is harmless at any ratio.
constexpr std::size_t kRatioFloor = 64 << 10;

// Sets the limit called `name` from a configuration word such as "500", "64k" or "1m".
// Returns an empty string, or one sentence that says what is wrong and what would be right.
std::string set_limit(Limits& limits, std::string_view name, std::string_view value);

// What is wrong with the limits together, as one sentence; empty if nothing is.
std::string contradiction_in(const Limits& limits);

}  // namespace weir
