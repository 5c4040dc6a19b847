#include "core/json/capture.h"

#include <yajl/yajl_parse.h>

#include <algorithm>
#include <utility>

#include "core/json/number.h"
#include "core/json/text.h"

namespace weir {

using Type = JsonValue::Type;

// yajl calls with what it has just read; consumed() then stands behind that token.
struct CaptureCallbacks {
  static Capture& capture(void* context) { return *static_cast<Capture*>(context); }
  static std::string_view view(const unsigned char* bytes, std::size_t size) {
    return {reinterpret_cast<const char*>(bytes), size};
  }

  // Runs one step and remembers where its token ended. yajl is C: what is thrown waits until it has
  // returned.
  template <typename Step>
  static int step(void* context, Step take) noexcept {
    Capture& self = capture(context);
    try {
      const bool go_on = take(self);
      self.token_end_ = self.consumed();
      return go_on ? 1 : 0;
    } catch (...) {
      self.thrown_ = std::current_exception();
      return 0;
    }
  }

  static int null(void* context) {
    return step(context, [](Capture& c) { return c.scalar(Type::null, "null"); });
  }
  static int boolean(void* context, int value) {
    return step(context, [value](Capture& c) {
      return c.scalar(Type::boolean, value != 0 ? "true" : "false");
    });
  }
  static int number(void* context, const char* bytes, std::size_t size) {
    return step(context, [=](Capture& c) { return c.scalar(Type::number, {bytes, size}); });
  }
  static int string(void* context, const unsigned char* bytes, std::size_t size) {
    return step(context, [=](Capture& c) { return c.scalar(Type::string, view(bytes, size)); });
  }
  static int key(void* context, const unsigned char* bytes, std::size_t size) {
    return step(context, [=](Capture& c) {
      c.key(view(bytes, size));
      return true;
    });
  }
  static int open_object(void* context) {
    return step(context, [](Capture& c) { return c.open(Type::object); });
  }
  static int open_array(void* context) {
    return step(context, [](Capture& c) { return c.open(Type::array); });
  }
  static int close(void* context) {
    return step(context, [](Capture& c) { return c.close(); });
  }

  static constexpr yajl_callbacks kTable = {
      null, boolean, nullptr, nullptr, number, string, open_object, key, close, open_array, close};
};

namespace {

constexpr std::size_t kEventsKept = 64;  // room for so many, over a forget()

// The name if it is one that a batch has; else nothing.
std::string_view batch_name(std::string_view name) {
  if (name == "events") return "events";
  return name == "batch" ? std::string_view("batch") : std::string_view();
}

}  // namespace

CaptureStatus Capture::read(std::string_view body, const Names& names, const Limits& limits) {
  start(body, names, limits);
  if (body.empty()) return invalid(0, "empty_body");
  if (const auto bad = find_bad_text(body)) {
    return invalid(
        *bad, static_cast<unsigned char>(body[*bad]) < 0x20 ? "control_character" : "not_utf8");
  }
  parser_ = yajl_alloc(&CaptureCallbacks::kTable, arena_.yajl_functions(), this);
  yajl_config(parser_, yajl_dont_validate_strings, 1);  // find_bad_text() has, and better
  const CaptureStatus status = parse();
  parser_ = nullptr;  // its memory is the arena's
  if (status == CaptureStatus::ok) finish();
  return status;
}

void Capture::forget() {
  arena_.reset();
  events_.clear();
  if (events_.capacity() > kEventsKept) events_.shrink_to_fit();
  envelope_ = {};
}

void Capture::start(std::string_view body, const Names& names, const Limits& limits) {
  arena_.reset();
  body_ = body;
  names_ = &names;
  limits_ = &limits;
  level_ = list_level_ = event_level_ = token_end_ = 0;
  event_ = nullptr;
  value_ = member_ = nullptr;
  batch_key_ = {};
  is_batch_ = false;
  envelope_unknown_ = unknown_fields_ = 0;
  member_counts_.clear();
  events_.clear();
  envelope_ = {};
}

CaptureStatus Capture::invalid(std::size_t offset, std::string_view reason) {
  error_offset_ = offset;
  error_reason_ = reason;
  events_.clear();
  return CaptureStatus::invalid_json;
}

CaptureStatus Capture::parse() {
  const auto* bytes = reinterpret_cast<const unsigned char*>(body_.data());
  const yajl_status status = yajl_parse(parser_, bytes, body_.size());
  if (thrown_) std::rethrow_exception(std::exchange(thrown_, nullptr));
  if (level_ > kMaxNesting) return invalid(consumed() - 1, "too_deep");
  if (status == yajl_status_client_canceled) return CaptureStatus::too_many_events;
  if (status != yajl_status_ok) {
    const std::size_t end = consumed();
    return invalid(end > 0 ? end - 1 : 0, "unexpected_character");
  }
  if (const auto garbage = find_trailing_garbage(); garbage != body_.npos) {
    return invalid(garbage, "unexpected_character");
  }
  if (yajl_complete_parse(parser_) != yajl_status_ok) {
    return invalid(body_.size(), "unexpected_end");
  }
  return CaptureStatus::ok;
}

// yajl overlooks the beginning of a string behind the document, as in {}".
std::size_t Capture::find_trailing_garbage() const {
  const bool at_end = level_ == 0 && token_end_ > 0;
  return at_end ? body_.find_first_not_of(" \t\r\n", token_end_) : body_.npos;
}

// An object without "events" or "batch" was an event after all.
void Capture::finish() {
  unknown_fields_ += envelope_unknown_;
  if (is_batch_ || !events_.empty()) return;
  events_.push_back(envelope_);
  envelope_ = {};
}

std::size_t Capture::consumed() const { return yajl_get_bytes_consumed(parser_); }

bool Capture::inside_body(std::string_view text) const {
  return text.data() >= body_.data() && text.data() < body_.data() + body_.size();
}

// The string that was just read as it stands in the body, with its quotes. A string without escapes
// is a slice of the body already; before one with escapes stands nothing but white space, ':' and
// ',', back to the token before.
std::string_view Capture::raw_string(std::string_view text) const {
  if (inside_body(text)) return {text.data() - 1, text.size() + 2};
  const std::size_t start = body_.find('"', token_end_);
  return body_.substr(start, consumed() - start);
}

void Capture::note(Reason fault) {
  if (value_->fault == Reason::none) value_->fault = fault;
}

bool Capture::begin_event(bool is_object) {
  if (events_.size() == limits_->events) return false;
  events_.emplace_back();
  events_.back().is_object = is_object;
  return true;
}

void Capture::key(std::string_view name) {
  if (!in_event()) {
    if (value_ != nullptr) check_nested_key(name);
    return;
  }
  batch_key_ = event_ == &envelope_ ? batch_name(name) : std::string_view();
  const auto known = std::find(names_->begin(), names_->end(), name);
  if (known != names_->end()) {
    member_ = &event_->members[known - names_->begin()];
    return;
  }
  member_ = &ignored_;
  if (!batch_key_.empty()) return;
  const std::string_view raw = raw_string(name);
  note_unknown(raw.substr(1, raw.size() - 2));
}

void Capture::note_unknown(std::string_view raw_name) {
  ++(event_ == &envelope_ ? envelope_unknown_ : unknown_fields_);
  if (!event_->unknown_field.empty()) return;
  event_->unknown_field = raw_name.size() > limits_->key ? "(too long)" : raw_name;
}

void Capture::check_nested_key(std::string_view name) {
  if (name.size() > limits_->key) note(Reason::too_long);
  if (!inside_body(name)) note(check_escapes(raw_string(name)));
  if (!member_counts_.empty() && ++member_counts_.back() > limits_->properties) {
    note(Reason::too_many_properties);
  }
}

// Points value_ at the place of event_'s next member and empties it: of two members of one name the
// last counts, as in jsonb.
JsonValue* Capture::begin_value(Type type) {
  if (!batch_key_.empty() && type != Type::null) note_unknown(batch_key_);  // no array: no batch
  *member_ = {};
  member_->type = type;
  value_ = member_;
  return value_;
}

bool Capture::scalar(Type type, std::string_view text) {
  if (level_ == list_level_) {  // an element of a batch, or all of the body
    return begin_event(false);
  }
  const std::string_view raw = type == Type::string ? raw_string(text) : text;
  if (in_event()) {
    JsonValue* value = begin_value(type);
    value->raw = raw;
    value->text = type == Type::string && !inside_body(text) ? arena_.copy(text) : text;
    check_scalar(*value, type, raw, text);
    value_ = nullptr;
  } else if (value_ != nullptr) {
    if (type == Type::string && text.size() > limits_->string) note(Reason::too_long);
    check_scalar(*value_, type, raw, text);
  }
  return true;
}

void Capture::check_scalar(JsonValue& value, Type type, std::string_view raw,
                           std::string_view text) {
  if (value.fault != Reason::none) return;
  if (type == Type::number) value.fault = check_number(raw, limits_->exponent);
  if (type == Type::string && !inside_body(text)) value.fault = check_escapes(raw);
}

bool Capture::open(Type type) {
  if (++level_ > kMaxNesting) return false;
  if (value_ != nullptr) {
    open_nested();
  } else if (level_ == 1) {
    open_document(type);
  } else if (level_ == list_level_ + 1 && event_ == nullptr) {
    return open_element(type);
  } else if (!batch_key_.empty() && type == Type::array) {
    open_list();
  } else {
    begin_value(type);
    value_start_ = consumed() - 1;
    open_nested();
  }
  return true;
}

void Capture::open_document(Type type) {
  if (type == Type::array) {
    open_list();
  } else {
    event_ = &envelope_;
    event_level_ = 1;
  }
}

void Capture::open_list() {
  is_batch_ = true;
  list_level_ = level_;
  event_ = nullptr;
}

bool Capture::open_element(Type type) {
  if (!begin_event(type == Type::object)) return false;
  event_level_ = level_;
  if (type == Type::object) {
    event_ = &events_.back();
  } else {  // read past it
    value_ = &ignored_;
    open_nested();
  }
  return true;
}

void Capture::open_nested() {
  if (level_ - event_level_ + 1 > limits_->depth) note(Reason::too_deep);
  member_counts_.push_back(0);
}

bool Capture::close() {
  if (value_ != nullptr) {
    close_nested();
  } else if (level_ == event_level_) {
    event_ = nullptr;
  }
  --level_;
  if (level_ + 1 == list_level_) close_list();
  return true;
}

void Capture::close_nested() {
  member_counts_.pop_back();
  if (!member_counts_.empty()) return;
  if (event_ != nullptr) {
    value_->raw = value_->text = body_.substr(value_start_, consumed() - value_start_);
  }
  value_ = nullptr;
}

// Back to the members beside the list, or to the end of the document.
void Capture::close_list() {
  list_level_ = 0;
  event_level_ = level_;
  event_ = level_ == 1 ? &envelope_ : nullptr;
}

}  // namespace weir
