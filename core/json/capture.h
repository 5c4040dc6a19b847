// Reads a request's JSON and captures the members of its events, without deciding anything about
// them: what is required, and of which type, is the wire form's business (core/event/*_form.h).
//
// One pass with yajl's callbacks. A member's value is captured as a slice of the body, nothing is
// built for what lies inside it; what PostgreSQL could not store, and what exceeds a bound, is noted
// as the value's fault. The accepted shapes are one object, an array of them, and an object with
// such an array as its member "events" or "batch".
//
//   Capture capture;                              // one a worker, reused
//   auto status = capture.read(body, names, limits);
//   for (const CapturedEvent& event : capture.events()) …
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "core/event/limits.h"
#include "core/event/reason.h"
#include "core/json/arena.h"

namespace weir {

struct JsonValue {
  enum class Type : std::uint8_t { absent, null, boolean, number, string, object, array };

  Type type = Type::absent;
  Reason fault = Reason::none;  // the first thing inside that cannot be stored
  std::string_view raw;         // the value as it stands in the body
  std::string_view text;        // a string's decoded bytes; otherwise the same as raw

  bool given() const { return type != Type::absent && type != Type::null; }
};

// The most members that a wire form may know.
constexpr std::size_t kMaxMembers = 16;

struct CapturedEvent {
  bool is_object = true;
  JsonValue members[kMaxMembers];  // by the index of the member's name in the form's list
  std::string_view unknown_field;  // the first member that the form does not know
};

enum class CaptureStatus { ok, invalid_json, too_many_events };

class Capture {
 public:
  Capture();
  ~Capture();
  Capture(const Capture&) = delete;
  Capture& operator=(const Capture&) = delete;

  // Reads all of `body`. `names` (at most kMaxMembers) are the members to capture; "sent_at" must be
  // among them for a batch's own sent_at to be found. Views stay valid until the next read() or the
  // end of `body`, whichever is first.
  CaptureStatus read(std::string_view body, const std::vector<std::string_view>& names,
                     const Limits& limits);

  const std::vector<CapturedEvent>& events() const { return events_; }

  // The members beside "events" or "batch"; all absent where the body is no such object.
  const CapturedEvent& envelope() const { return envelope_; }

  // Members that no form knows, in all events of the last read().
  std::size_t unknown_fields() const { return unknown_fields_; }

  // After invalid_json: the offset in the body, and a stable word.
  std::size_t error_offset() const { return error_offset_; }
  std::string_view error_reason() const { return error_reason_; }

 private:
  friend struct CaptureCallbacks;
  // (private state is the implementer's)
  std::vector<CapturedEvent> events_;
  CapturedEvent envelope_;
  std::size_t unknown_fields_ = 0;
  std::size_t error_offset_ = 0;
  std::string_view error_reason_;
};

}  // namespace weir
