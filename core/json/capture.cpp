#include "core/json/capture.h"

#include <cstring>

#include "core/host/memory.h"
#include "core/json/number.h"
#include "core/json/text.h"
#include "core/json/ascii.h"

namespace weir {

using Type = JsonValue::Type;

// For what each string and each member passes through: calls cost as much as the work there.
#define WEIR_INLINE [[gnu::always_inline]] inline

namespace {

constexpr std::size_t kEventsKept = 128;  // room for so many, over a forget()

bool is_batch_name(std::string_view name) { return name == "events" || name == "batch"; }

bool is_opening(char c) { return c == '{' || c == '['; }

void note(JsonValue& value, Reason fault) {
  if (value.fault == Reason::none) value.fault = fault;
}

// The next backslash in the text from `at` on, or its end.
const char* find_backslash(const char* at, const char* end) {
  const void* found = std::memchr(at, '\\', static_cast<std::size_t>(end - at));
  return found != nullptr ? static_cast<const char*>(found) : end;
}

}  // namespace

CaptureStatus Capture::read(std::string_view body, const MemberNames& names, const Limits& limits) {
  takes_batches_ = true;
  return read_any(body, names, limits);
}

CaptureStatus Capture::read_inner(std::string_view body, const MemberNames& names,
                                  const Limits& limits) {
  takes_batches_ = false;
  return read_any(body, names, limits);
}

CaptureStatus Capture::read_any(std::string_view body, const MemberNames& names,
                                const Limits& limits) {
  body_ = body;
  names_ = &names;
  limits_ = &limits;
  broken_ = SlowTokens::kNone;
  const bool found = tokens_.find(body);
  if (found && walk(tokens_.begin(), tokens_.end()) == CaptureStatus::ok) return status_;
  return refuse(found);
}

// Says what is wrong, and where. Bytes that no JSON text has anywhere are told before all else.
CaptureStatus Capture::refuse(bool walked) {
  if (body_.empty()) {
    invalid(0, "empty_body");
  } else if (const auto bad = find_bad_text(body_)) {
    const bool control = static_cast<unsigned char>(body_[*bad]) < 0x20;
    invalid(*bad, control ? "control_character" : "not_utf8");
  } else if (!walked) {
    const SlowTokens slow = find_tokens_slowly(body_);
    broken_ = slow.broken;
    broken_at_ = slow.broken_at;
    walk(slow.places.data(), slow.places.data() + slow.places.size() - 1);
  }
  return status_;
}

CaptureStatus Capture::walk(const std::uint32_t* first, const std::uint32_t* end) {
  at_ = first;
  end_ = end;
  backslash_ = find_backslash(body_.data(), body_.data() + body_.size());
  level_ = event_level_ = 0;
  arena_.reset();
  is_batch_ = false;
  outer_ = {};
  events_.clear();
  unknown_fields_ = 0;
  status_ = CaptureStatus::ok;
  if (read_document() && at_ != end_) unexpected();
  return status_;
}

CapturedEvents Capture::events() const {
  if (status_ == CaptureStatus::invalid_json) return {nullptr, 0};
  return is_batch_ ? CapturedEvents(events_.data(), events_.size()) : CapturedEvents(&outer_, 1);
}

const CapturedEvent& Capture::envelope() const {
  static const CapturedEvent kNothing;
  return is_batch_ ? outer_ : kNothing;
}

void Capture::forget() noexcept {
  tokens_.forget();
  arena_.reset();
  empty_keeping(events_, kEventsKept);
  is_batch_ = false;
  status_ = CaptureStatus::invalid_json;  // so that there are no events
}

bool Capture::invalid(std::size_t offset, std::string_view reason) {
  status_ = CaptureStatus::invalid_json;
  error_offset_ = offset;
  error_reason_ = reason;
  return false;
}

// The byte at `offset` cannot stand there; or there is none.
bool Capture::unexpected_at(std::size_t offset) {
  return offset < body_.size() ? invalid(offset, "unexpected_character")
                               : invalid(offset, "unexpected_end");
}

bool Capture::unexpected() { return unexpected_at(*at_); }

// Strings --------------------------------------------------------------------------------------

// A string, without its quotes and as it stands there.
WEIR_INLINE bool Capture::read_text(std::string_view& inside) {
  if (peek() != '"') return unexpected();
  if (*at_ == broken_) return broken_text();
  const char* start = body_.data() + *at_ + 1;
  const char* end = body_.data() + *++at_ - 1;
  while (*end != '"') --end;  // over white space
  inside = {start, static_cast<std::size_t>(end - start)};
  return true;
}

// What `inside` says, to unescaped_; for a string that was just read.
bool Capture::read_escapes(std::string_view inside) {
  char* out = static_cast<char*>(arena_.allocate(inside.size()));
  const Unescaped read = unescape(inside, out);
  if (read.bad_at != Unescaped::kNone) {
    return unexpected_at(static_cast<std::size_t>(inside.data() - body_.data()) + read.bad_at);
  }
  backslash_ = find_backslash(inside.data() + inside.size(), body_.data() + body_.size());
  unescaped_ = {{out, read.size}, read.fault};
  return true;
}

// It has a bad escape, or else it is bad where it breaks off.
bool Capture::broken_text() {
  const std::size_t start = std::size_t{broken_} + 1;
  const std::string_view inside = body_.substr(start, broken_at_ - start);
  const Unescaped read = unescape(inside, static_cast<char*>(arena_.allocate(inside.size())));
  return unexpected_at(read.bad_at < inside.size() ? start + read.bad_at : broken_at_);
}

// Values ---------------------------------------------------------------------------------------

WEIR_INLINE bool Capture::read_value(JsonValue& value) {
  const char first = peek();
  if (first == '"') return read_string(value);
  return is_opening(first) ? read_container(value) : read_word(value);
}

WEIR_INLINE bool Capture::read_string(JsonValue& value) {
  std::string_view inside;
  if (!read_text(inside)) return false;
  value = {Type::string, Reason::none, {inside.data() - 1, inside.size() + 2}, inside};
  if (!is_escaped(inside)) return true;
  if (!read_escapes(inside)) return false;
  value.text = unescaped_.text;
  value.fault = unescaped_.fault;
  return true;
}

bool Capture::read_container(JsonValue& value) {
  value = {};
  value.type = peek() == '{' ? Type::object : Type::array;
  const std::size_t start = *at_;
  if (!read_nested(value)) return false;
  value.raw = value.text = body_.substr(start, at_[-1] + 1 - start);
  return true;
}

// A number, true, false or null.
bool Capture::read_word(JsonValue& value) {
  switch (peek()) {
    case 't':
      return read_literal("true", Type::boolean, value);
    case 'f':
      return read_literal("false", Type::boolean, value);
    case 'n':
      return read_literal("null", Type::null, value);
    default:  // or what begins no value
      return at_ != end_ ? read_number(value) : unexpected();
  }
}

bool Capture::read_literal(std::string_view word, Type type, JsonValue& value) {
  const std::string_view rest = body_.substr(*at_);
  std::size_t same = 0;
  while (same < word.size() && same < rest.size() && rest[same] == word[same]) ++same;
  if (same < word.size() || !token_ends_at(*at_ + same)) return unexpected_at(*at_ + same);
  value = {type, Reason::none, rest.substr(0, same), rest.substr(0, same)};
  ++at_;
  return true;
}

bool Capture::read_number(JsonValue& value) {
  const std::size_t start = *at_;
  const NumberExtent number = number_extent({body_.data() + start, at_[1] - start});
  if (!number.whole || !token_ends_at(start + number.size)) {
    return unexpected_at(start + number.size);
  }
  const std::string_view literal(body_.data() + start, number.size);
  const Reason fault = check_number(literal, limits_->exponent, number.has_exponent);
  value = {Type::number, fault, literal, literal};
  ++at_;
  return true;
}

WEIR_INLINE bool Capture::token_ends_at(std::size_t offset) const {
  return offset == at_[1] || is_space(body_[offset]);
}

// What lies inside a member's value --------------------------------------------------------------

// An array or an object, by a loop: it may be nested a thousand deep.
WEIR_INLINE bool Capture::read_nested(JsonValue& value) {
  const std::size_t outside = level_;
  if (!open_nested(value)) return false;
  while (level_ > outside) {
    Container& inner = nested_[level_];
    if (take(inner.closing)) {
      --level_;
      continue;
    }
    if (inner.members++ > 0 && !expect(',')) return false;
    if (inner.closing == '}' && !read_nested_name(value)) return false;
    if (!read_nested_value(value)) return false;
  }
  return true;
}

WEIR_INLINE bool Capture::open_nested(JsonValue& value) {
  if (level_ == kMaxNesting) return invalid(*at_, "too_deep");
  const char closing = body_[*at_++] == '{' ? '}' : ']';
  nested_[++level_] = {closing, 0};
  if (level_ - event_level_ + 1 > limits_->depth) note(value, Reason::too_deep);
  return true;
}

WEIR_INLINE bool Capture::read_nested_name(JsonValue& value) {
  if (!read_nested_text(value, limits_->key) || !expect(':')) return false;
  if (nested_[level_].members > limits_->properties) note(value, Reason::too_many_properties);
  return true;
}

WEIR_INLINE bool Capture::read_nested_value(JsonValue& value) {
  const char first = peek();
  if (first == '"') return read_nested_text(value, limits_->string);
  if (is_opening(first)) return open_nested(value);
  JsonValue word;
  if (!read_word(word)) return false;
  note(value, word.fault);
  return true;
}

WEIR_INLINE bool Capture::read_nested_text(JsonValue& value, std::size_t most) {
  std::string_view text;
  if (!read_text(text)) return false;
  const bool escaped = is_escaped(text);
  if (escaped) {
    if (!read_escapes(text)) return false;
    text = unescaped_.text;
  }
  if (text.size() > most) note(value, Reason::too_long);
  if (escaped) note(value, unescaped_.fault);
  return true;
}

// The document and its events ------------------------------------------------------------------

bool Capture::read_document() {
  if (peek() == '[' && takes_batches_) return read_list();
  if (take('{')) {
    event_level_ = ++level_;
    return read_members(outer_);
  }
  outer_.is_object = false;
  return read_value(ignored_);
}

bool Capture::read_list() {
  is_batch_ = true;
  ++at_;
  ++level_;
  if (!take(']')) {
    do {
      if (!read_element()) return false;
    } while (take(','));
    if (!expect(']')) return false;
  }
  --level_;
  return true;
}

bool Capture::read_element() {
  const char first = peek();
  if (!is_opening(first)) return read_value(ignored_) && open_event(false);
  if (!open_event(first == '{')) return false;
  event_level_ = level_ + 1;
  if (first == '[') return read_nested(ignored_);
  ++at_;
  ++level_;
  return read_members(events_.back());
}

bool Capture::open_event(bool is_object) {
  if (events_.size() == limits_->events) {
    status_ = CaptureStatus::too_many_events;
    return false;
  }
  events_.emplace_back().is_object = is_object;
  return true;
}

bool Capture::read_members(CapturedEvent& event) {
  if (!take('}')) {
    do {
      if (!read_member(event)) return false;
    } while (take(','));
    if (!expect('}')) return false;
  }
  --level_;
  return true;
}

// Of two members of one name the last counts, as in jsonb.
WEIR_INLINE bool Capture::read_member(CapturedEvent& event) {
  std::string_view raw_name;
  if (!read_text(raw_name)) return false;
  std::string_view name = raw_name;
  if (is_escaped(raw_name)) {
    if (!read_escapes(raw_name)) return false;
    name = unescaped_.text;
  }
  if (!expect(':')) return false;
  const std::size_t place = names_->find(name);
  if (place != MemberNames::kNone) return read_value(event.members[place]);
  return read_other_member(event, name, raw_name);
}

bool Capture::read_other_member(CapturedEvent& event, std::string_view name,
                                std::string_view raw_name) {
  const bool is_batch = takes_batches_ && &event == &outer_ && is_batch_name(name);
  if (is_batch && peek() == '[') {
    if (!read_list()) return false;
    event_level_ = level_;
    return true;
  }
  // Of one that is named as a batch, null counts as not given.
  if (!is_batch || peek() != 'n') note_unknown(event, raw_name);
  return read_value(ignored_);
}

void Capture::note_unknown(CapturedEvent& event, std::string_view raw_name) {
  ++unknown_fields_;
  if (!event.unknown_field.empty()) return;
  event.unknown_field = raw_name.size() > limits_->key ? "(too long)" : raw_name;
}

}  // namespace weir
