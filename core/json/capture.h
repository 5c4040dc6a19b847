// Reads a request's JSON and captures the members of its events, without deciding anything about
// them: what is required, and of which type, is the wire form's business (core/event/form.h).
//
// One pass with yajl's callbacks. A member's value is captured as a slice of the body, nothing is
// built for what lies inside it; what PostgreSQL could not store, and what exceeds a limit, is
// noted as the value's fault. The accepted shapes are one object, an array of them, and an object
// with such an array as its member "events" or "batch".
//
//   Capture capture;                              // one a worker, reused
//   auto status = capture.read(body, names, limits);
//   for (const CapturedEvent& event : capture.events()) …
//
// yajl reads more than JSON allows and decodes some escapes wrongly; the text is checked before
// (core/json/text.h), and escapes are checked where they stand.
#pragma once

#include <cstddef>
#include <cstdint>
#include <exception>
#include <string_view>
#include <vector>

#include "core/event/limits.h"
#include "core/event/reason.h"
#include "core/json/arena.h"

struct yajl_handle_t;

namespace weir {

struct JsonValue {
  enum class Type : std::uint8_t { absent, null, boolean, number, string, object, array };

  Type type = Type::absent;
  Reason fault = Reason::none;  // the first thing in it that cannot be stored
  std::string_view raw;         // the value as it stands in the body
  std::string_view text;        // a string's decoded bytes; of other types the same as raw

  bool given() const { return type != Type::absent && type != Type::null; }
};

// The most members that a wire form may know.
constexpr std::size_t kMaxMembers = 16;

struct CapturedEvent {
  bool is_object = true;
  JsonValue members[kMaxMembers];  // by the place of the member's name in the form's list
  std::string_view unknown_field;  // the first member that the form does not know, as in the body
};

// A body that is nested deeper than any event may be (set_limit() takes no larger depth), with its
// batch around it, is refused whole: yajl's own stack would grow with it.
constexpr std::size_t kMaxNesting = 1002;

enum class CaptureStatus : std::uint8_t { ok, invalid_json, too_many_events };

class Capture {
 public:
  using Names = std::vector<std::string_view>;

  // Reads all of `body`, capturing the members called `names`, at most kMaxMembers. What is
  // captured holds until the next read() or the end of `body`, whichever comes first.
  CaptureStatus read(std::string_view body, const Names& names, const Limits& limits);

  const std::vector<CapturedEvent>& events() const { return events_; }

  // Gives back what it grew by; what was captured is gone.
  void forget();

  // The members beside "events" or "batch"; all absent where the body has neither.
  const CapturedEvent& envelope() const { return envelope_; }

  // Members that the form does not know, of events and beside a batch, in all of the last read().
  std::size_t unknown_fields() const { return unknown_fields_; }

  // After invalid_json: where in the body, and a stable word (docs/api.md).
  std::size_t error_offset() const { return error_offset_; }
  std::string_view error_reason() const { return error_reason_; }

 private:
  friend struct CaptureCallbacks;

  void start(std::string_view body, const Names& names, const Limits& limits);
  CaptureStatus invalid(std::size_t offset, std::string_view reason);
  CaptureStatus parse();
  std::size_t find_trailing_garbage() const;
  void finish();

  // What yajl reports. `false` ends the parse.
  bool scalar(JsonValue::Type type, std::string_view text);
  bool open(JsonValue::Type type);
  bool close();
  void key(std::string_view name);

  void open_document(JsonValue::Type type);
  void open_list();
  bool open_element(JsonValue::Type type);
  void open_nested();
  void close_nested();
  void close_list();
  bool begin_event(bool is_object);
  JsonValue* begin_value(JsonValue::Type type);
  void note_unknown(std::string_view raw_name);
  void check_scalar(JsonValue& value, JsonValue::Type type, std::string_view raw,
                    std::string_view text);
  void check_nested_key(std::string_view name);
  void note(Reason fault);

  bool in_event() const { return event_ != nullptr && level_ == event_level_; }
  std::size_t consumed() const;
  std::string_view raw_string(std::string_view text) const;
  bool inside_body(std::string_view text) const;

  // One request's input.
  std::string_view body_;
  const Names* names_ = nullptr;
  const Limits* limits_ = nullptr;
  Arena arena_;
  yajl_handle_t* parser_ = nullptr;

  // Where the parse is. Levels count open containers.
  std::size_t level_ = 0;
  std::size_t list_level_ = 0;      // of the array whose elements are events; 0: none
  std::size_t event_level_ = 0;     // of the object whose members are captured
  CapturedEvent* event_ = nullptr;  // that object
  JsonValue* value_ = nullptr;      // the member's value that is being read
  std::size_t value_start_ = 0;     // where in the body it began
  std::size_t token_end_ = 0;       // where the token before this one ended
  JsonValue ignored_;               // stands in for values of unknown members
  JsonValue* member_ = nullptr;     // where the next value of event_ goes
  std::string_view batch_key_;      // "events" or "batch": an array that comes next is the batch
  bool is_batch_ = false;
  std::size_t envelope_unknown_ = 0;
  std::vector<std::size_t> member_counts_;  // of the open containers inside value_

  std::vector<CapturedEvent> events_;
  CapturedEvent envelope_;
  std::size_t unknown_fields_ = 0;
  std::exception_ptr thrown_;  // by a step, inside yajl
  std::size_t error_offset_ = 0;
  std::string_view error_reason_;
};

}  // namespace weir
