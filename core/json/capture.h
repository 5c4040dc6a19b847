// Reads a request's JSON and captures the members of its events, without deciding anything about
// them: what is required, and of which type, is the wire form's business (core/event/form.h).
//
// One walk over the body's tokens (core/json/tokens.h). A member's value is captured as a slice of
// the body, nothing is built for what lies inside it; what PostgreSQL could not store, and what
// exceeds a limit, is noted as the value's fault. The accepted shapes are one object, an array of
// them, and an object with such an array as its member "events" or "batch".
//
//   Capture capture;                              // one a worker, reused
//   auto status = capture.read(body, names, limits);
//   for (const CapturedEvent& event : capture.events()) …
//
// All of the body is looked at, what is captured and what is not: after CaptureStatus::ok it is
// JSON as RFC 8259 has it, in UTF-8.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "core/event/limits.h"
#include "core/event/reason.h"
#include "core/json/arena.h"
#include "core/json/names.h"
#include "core/json/tokens.h"

namespace weir {

struct JsonValue {
  enum class Type : std::uint8_t { absent, null, boolean, number, string, object, array };

  Type type = Type::absent;
  Reason fault = Reason::none;  // the first thing in it that cannot be stored
  std::string_view raw;         // the value as it stands in the body
  std::string_view text;        // a string's decoded bytes; of other types the same as raw

  bool given() const { return type != Type::absent && type != Type::null; }
};

struct CapturedEvent {
  bool is_object = true;
  JsonValue members[MemberNames::kMost];  // by the place of the member's name in the form's list
  std::string_view unknown_field;  // the first member that the form does not know, as in the body
};

// The events of a body, one after another in memory.
class CapturedEvents {
 public:
  CapturedEvents(const CapturedEvent* first, std::size_t count) : first_(first), count_(count) {}
  const CapturedEvent* begin() const { return first_; }
  const CapturedEvent* end() const { return first_ + count_; }
  std::size_t size() const { return count_; }
  bool empty() const { return count_ == 0; }
  const CapturedEvent& operator[](std::size_t index) const { return first_[index]; }

 private:
  const CapturedEvent* first_;
  std::size_t count_;
};

// A body that is nested deeper than any event may be (set_limit() takes no larger depth), with its
// batch around it, is refused whole.
constexpr std::size_t kMaxNesting = 1002;

enum class CaptureStatus : std::uint8_t { ok, invalid_json, too_many_events };

class Capture {
 public:
  // Reads all of `body`, capturing the members called `names`. What is captured holds until the
  // next read() or the end of `body`, whichever comes first.
  CaptureStatus read(std::string_view body, const MemberNames& names, const Limits& limits);

  // The same for an object that is no event but lies in one: "events" and "batch" are members like
  // others there, and what is no object is an event that is none, an array too.
  CaptureStatus read_inner(std::string_view body, const MemberNames& names, const Limits& limits);

  CapturedEvents events() const;

  // The members beside "events" or "batch"; all absent where the body has neither.
  const CapturedEvent& envelope() const;

  // Gives back what it grew by; what was captured is gone. Bytes that it then still has.
  void forget() noexcept;
  std::size_t memory() const {
    return tokens_.memory() + arena_.memory() + events_.capacity() * sizeof(CapturedEvent);
  }

  // Members that the form does not know, of events and beside a batch, in all of the last read().
  std::size_t unknown_fields() const { return unknown_fields_; }

  // After invalid_json: where in the body, and a stable word (docs/api.md). The offset is that of
  // the first byte that no JSON text has after those before it.
  std::size_t error_offset() const { return error_offset_; }
  std::string_view error_reason() const { return error_reason_; }

 private:
  // An open array or object inside of a member's value.
  struct Container {
    char closing;
    std::uint32_t members;  // or elements, so far
  };

  CaptureStatus read_any(std::string_view body, const MemberNames& names, const Limits& limits);
  CaptureStatus refuse(bool walked);
  CaptureStatus walk(const std::uint32_t* first, const std::uint32_t* end);

  // Each reads from the token at_ to behind the last of what it is called for. `false`: the body
  // is refused, and status_ says why.
  bool read_document();
  bool read_list();
  bool read_element();
  bool read_members(CapturedEvent& event);
  bool read_member(CapturedEvent& event);
  bool read_other_member(CapturedEvent& event, std::string_view name, std::string_view raw_name);
  bool read_value(JsonValue& value);
  bool read_string(JsonValue& value);
  bool read_word(JsonValue& value);
  bool read_literal(std::string_view word, JsonValue::Type type, JsonValue& value);
  bool read_number(JsonValue& value);
  bool read_container(JsonValue& value);
  bool read_nested(JsonValue& value);
  bool open_nested(JsonValue& value);
  bool read_nested_name(JsonValue& value);
  bool read_nested_value(JsonValue& value);
  bool read_nested_text(JsonValue& value, std::size_t most);
  bool read_text(std::string_view& inside);
  bool read_escapes(std::string_view inside);
  bool broken_text();

  bool open_event(bool is_object);
  void note_unknown(CapturedEvent& event, std::string_view raw_name);

  char peek() const { return at_ != end_ ? body_[*at_] : '\0'; }
  bool take(char mark) {
    if (peek() != mark) return false;
    ++at_;
    return true;
  }
  bool expect(char mark) { return take(mark) || unexpected(); }
  bool token_ends_at(std::size_t offset) const;
  bool is_escaped(std::string_view inside) const {
    return backslash_ < inside.data() + inside.size();
  }
  bool unexpected();
  bool unexpected_at(std::size_t offset);
  bool invalid(std::size_t offset, std::string_view reason);

  // One request's input.
  std::string_view body_;
  const MemberNames* names_ = nullptr;
  const Limits* limits_ = nullptr;
  bool takes_batches_ = true;

  // Where the walk is.
  const std::uint32_t* at_ = nullptr;              // the next token
  const std::uint32_t* end_ = nullptr;             // behind the last
  const char* backslash_ = nullptr;                // the next one, or the end of the body
  std::size_t level_ = 0;                          // how many containers are open
  std::size_t event_level_ = 0;                    // of the object whose members are captured
  std::array<Container, kMaxNesting + 1> nested_;  // by level, those inside a member's value
  JsonValue ignored_;                              // stands in for values of unknown members

  TokenIndex tokens_;
  std::uint32_t broken_ = SlowTokens::kNone;  // where a string begins that breaks off,
  std::size_t broken_at_ = 0;                 // and where it does
  Arena arena_;                               // of strings that are not as they stand in the body
  struct {
    std::string_view text;
    Reason fault;
  } unescaped_{};  // the last of them

  bool is_batch_ = true;
  CapturedEvent outer_;                // the event, or what stands around a batch
  std::vector<CapturedEvent> events_;  // of a batch
  std::size_t unknown_fields_ = 0;
  CaptureStatus status_ = CaptureStatus::ok;
  std::size_t error_offset_ = 0;
  std::string_view error_reason_;
};

}  // namespace weir
