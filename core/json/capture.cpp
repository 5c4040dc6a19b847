#include "core/json/capture.h"

#include <cstring>

#include "core/json/number.h"
#include "core/json/text.h"

namespace weir {

using Type = JsonValue::Type;

namespace {

constexpr std::size_t kEventsKept = 64;  // room for so many, over a forget()

bool is_batch_name(std::string_view name) { return name == "events" || name == "batch"; }

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

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
  body_ = body;
  names_ = &names;
  limits_ = &limits;
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
    slow_ = &slow;
    walk(slow.places.data(), slow.places.data() + slow.places.size() - 1);
    slow_ = nullptr;
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

void Capture::forget() {
  tokens_.forget();
  arena_.reset();
  events_.clear();
  if (events_.capacity() > kEventsKept) events_.shrink_to_fit();
  is_batch_ = true;  // an empty one
  outer_ = {};
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

bool Capture::take(char mark) {
  if (peek() != mark) return false;
  ++at_;
  return true;
}

bool Capture::expect(char mark) { return take(mark) || unexpected(); }

// The document and its events ------------------------------------------------------------------

bool Capture::read_document() {
  if (peek() == '[') return read_list();
  if (take('{')) {
    event_level_ = ++level_;
    return read_members(outer_);
  }
  outer_.is_object = false;
  return read_scalar(ignored_);
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
  if (first != '{' && first != '[') return read_scalar(ignored_) && open_event(false);
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
bool Capture::read_member(CapturedEvent& event) {
  Text name;
  if (!read_text(name) || !expect(':')) return false;
  const std::size_t place = names_->find(name.decoded);
  if (place != MemberNames::kNone) return read_value(event.members[place]);
  if (&event != &outer_ || !is_batch_name(name.decoded)) {
    note_unknown(event, name.inside);
  } else if (peek() == '[') {
    if (!read_list()) return false;
    event_level_ = level_;
    return true;
  } else if (peek() != 'n') {  // null counts as not given; anything else is no batch
    note_unknown(event, name.decoded);
  }
  return read_value(ignored_);
}

void Capture::note_unknown(CapturedEvent& event, std::string_view raw_name) {
  ++unknown_fields_;
  if (!event.unknown_field.empty()) return;
  event.unknown_field = raw_name.size() > limits_->key ? "(too long)" : raw_name;
}

// Values ---------------------------------------------------------------------------------------

bool Capture::read_value(JsonValue& value) {
  const char first = peek();
  if (first != '{' && first != '[') return read_scalar(value);
  value = {};
  value.type = first == '{' ? Type::object : Type::array;
  const std::size_t start = *at_;
  if (!read_nested(value)) return false;
  value.raw = value.text = body_.substr(start, at_[-1] + 1 - start);
  return true;
}

bool Capture::read_scalar(JsonValue& value) {
  switch (peek()) {
    case '"':
      return read_string(value);
    case 't':
      return read_literal("true", Type::boolean, value);
    case 'f':
      return read_literal("false", Type::boolean, value);
    case 'n':
      return read_literal("null", Type::null, value);
    default:  // a number, or what begins no value
      return at_ != end_ ? read_number(value) : unexpected();
  }
}

bool Capture::read_string(JsonValue& value) {
  Text text;
  if (!read_text(text)) return false;
  value = {
      Type::string, text.fault, {text.inside.data() - 1, text.inside.size() + 2}, text.decoded};
  return true;
}

bool Capture::read_literal(std::string_view word, Type type, JsonValue& value) {
  const std::string_view rest = body_.substr(*at_);
  std::size_t same = 0;
  while (same < word.size() && same < rest.size() && rest[same] == word[same]) ++same;
  if (same < word.size() || !token_ends_at(*at_ + same)) return unexpected_at(*at_ + same);
  ++at_;
  value = {type, Reason::none, word, word};
  return true;
}

bool Capture::read_number(JsonValue& value) {
  const std::size_t start = *at_;
  const std::string_view rest(body_.data() + start, at_[1] - start);
  const NumberExtent number = number_extent(rest);
  if (!number.whole || !token_ends_at(start + number.size)) {
    return unexpected_at(start + number.size);
  }
  const std::string_view literal = rest.substr(0, number.size);
  value = {Type::number, check_number(literal, limits_->exponent), literal, literal};
  ++at_;
  return true;
}

bool Capture::token_ends_at(std::size_t offset) const {
  return offset == at_[1] || is_space(body_[offset]);
}

// Strings --------------------------------------------------------------------------------------

bool Capture::read_text(Text& text) {
  if (peek() != '"') return unexpected();
  const std::size_t start = *at_ + 1;
  if (slow_ != nullptr && slow_->broken == *at_) return broken_text();
  std::size_t end = *++at_ - 1;
  while (body_[end] != '"') --end;  // over white space
  text.inside = {body_.data() + start, end - start};
  if (backslash_ < body_.data() + end) return read_escapes(text);
  text.decoded = text.inside;
  return true;
}

bool Capture::read_escapes(Text& text) {
  char* out = static_cast<char*>(arena_.allocate(text.inside.size()));
  const Unescaped read = unescape(text.inside, out);
  const char* end = text.inside.data() + text.inside.size();
  if (read.bad_at != Unescaped::kNone) {
    return unexpected_at(static_cast<std::size_t>(text.inside.data() - body_.data()) + read.bad_at);
  }
  text.decoded = {out, read.size};
  text.fault = read.fault;
  backslash_ = find_backslash(end, body_.data() + body_.size());
  return true;
}

// It has a bad escape, or else it is bad where it breaks off.
bool Capture::broken_text() {
  const std::size_t start = slow_->broken + 1;
  const std::string_view inside = body_.substr(start, slow_->broken_at - start);
  const std::size_t bad_at =
      unescape(inside, static_cast<char*>(arena_.allocate(inside.size()))).bad_at;
  return unexpected_at(bad_at < inside.size() ? start + bad_at : slow_->broken_at);
}

// What lies inside a member's value --------------------------------------------------------------

// An array or an object, by a loop: it may be nested a thousand deep.
bool Capture::read_nested(JsonValue& value) {
  const std::size_t outside = level_;
  if (!open_nested(value)) return false;
  while (level_ > outside) {
    Container& inner = nested_[level_];
    if (take(inner.closing)) {
      --level_;
      continue;
    }
    if (inner.members++ > 0 && !expect(',')) return false;
    if (inner.closing == '}' && !read_nested_key(value)) return false;
    const char first = peek();
    const bool opens = first == '{' || first == '[';
    if (!(opens ? open_nested(value) : read_nested_scalar(value))) return false;
  }
  return true;
}

bool Capture::open_nested(JsonValue& value) {
  if (level_ == kMaxNesting) return invalid(*at_, "too_deep");
  const char closing = body_[*at_++] == '{' ? '}' : ']';
  nested_[++level_] = {closing, 0};
  if (level_ - event_level_ + 1 > limits_->depth) note(value, Reason::too_deep);
  return true;
}

bool Capture::read_nested_key(JsonValue& value) {
  Text name;
  if (!read_text(name) || !expect(':')) return false;
  if (name.decoded.size() > limits_->key) note(value, Reason::too_long);
  note(value, name.fault);
  if (nested_[level_].members > limits_->properties) note(value, Reason::too_many_properties);
  return true;
}

bool Capture::read_nested_scalar(JsonValue& value) {
  JsonValue inner;
  if (!read_scalar(inner)) return false;
  const bool is_string = inner.type == Type::string;
  if (is_string && inner.text.size() > limits_->string) note(value, Reason::too_long);
  note(value, inner.fault);
  return true;
}

}  // namespace weir
