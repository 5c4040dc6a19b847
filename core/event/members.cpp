#include "core/event/members.h"

#include <charconv>

namespace weir {

using Type = JsonValue::Type;

Members::Members(const CapturedEvent& event, const WireForm& form, const FormContext& context)
    : event_(event), form_(form), context_(context) {
  if (!event.is_object) {
    rejection_.reason = Reason::not_an_object;
  } else if (context.strict && event.unknown_field.data() != nullptr) {
    rejection_ = {0, event.unknown_field, Reason::unknown_field};
  }
}

void Members::reject(std::size_t place, Reason reason) {
  if (!rejected()) rejection_ = {0, form_.names[place], reason};
}

const JsonValue* Members::take(std::size_t place, Type type, Required required, Reason wrong_type) {
  const JsonValue& value = event_.members[place];
  if (!value.given()) {
    if (required == Required::yes) reject(place, Reason::missing);
    return nullptr;
  }
  const Reason reason = value.type != type ? wrong_type : value.fault;
  if (reason == Reason::none) return &value;
  reject(place, reason);
  return nullptr;
}

std::string_view Members::text(std::size_t place, Required required, std::size_t most) {
  const JsonValue* value = take(place, Type::string, required, Reason::not_a_string);
  if (value == nullptr) return {};
  if (value->text.size() > most) reject(place, Reason::too_long);
  return value->text.empty() ? std::string_view("") : value->text;
}

std::string_view Members::odd_name(std::size_t place, Required required) {
  if (!event_.members[place].given() && required == Required::no) return {};
  const std::string_view name = text(place, required, context_.limits.name);
  if (required == Required::yes && name.empty()) reject(place, Reason::empty);
  return name;
}

std::string_view Members::object(std::size_t place) {
  const JsonValue* value = take(place, Type::object, Required::no, Reason::not_an_object);
  return value == nullptr ? std::string_view() : value->raw;
}

std::string_view Members::boolean(std::size_t place) {
  const JsonValue* value = take(place, Type::boolean, Required::yes, Reason::not_a_boolean);
  return value == nullptr ? std::string_view() : value->raw;
}

std::string_view Members::whole_number(std::size_t place) {
  const JsonValue* value = take(place, Type::number, Required::no, Reason::not_an_integer);
  if (value == nullptr) return {};
  std::int32_t number = 0;
  const char* end = value->raw.data() + value->raw.size();
  const auto [stopped, error] = std::from_chars(value->raw.data(), end, number);
  if (error != std::errc() || stopped != end || number < 0) reject(place, Reason::not_an_integer);
  return value->raw;
}

std::optional<Uuid> Members::uuid(std::size_t place, Required required) {
  const JsonValue* value = take(place, Type::string, required, Reason::not_a_uuid);
  if (value == nullptr) return std::nullopt;
  const auto uuid = parse_uuid(value->text);
  if (!uuid) reject(place, Reason::not_a_uuid);
  return uuid;
}

std::optional<Timestamp> read_time(const JsonValue& value, Reason& reason) {
  std::optional<Timestamp> time;
  reason = Reason::not_a_timestamp;
  if (value.type == Type::string) {
    time = parse_rfc3339(value.text);
  } else if (value.type == Type::number) {
    time = parse_milliseconds(value.raw);
    reason = Reason::out_of_range;
  }
  if (time) reason = Reason::none;
  return time;
}

std::optional<Timestamp> Members::time(std::size_t place) {
  const JsonValue& value = event_.members[place];
  if (!value.given()) return std::nullopt;
  Reason reason;
  const auto time = read_time(value, reason);
  if (!time) reject(place, reason);
  return time;
}

std::optional<Country> Members::country(std::size_t code, std::size_t zone) {
  const std::string_view text = name(code, Required::no);
  if (!text.empty()) {
    const auto country = text.size() == 2 ? country_from_iso(text) : country_from_time_zone(text);
    if (!country) reject(code, Reason::not_a_country);
    return country;
  }
  return country_from_time_zone(name(zone, Required::no));
}

Identity Members::identity(std::initializer_list<std::size_t> places) {
  for (const std::size_t place : places) {
    if (!event_.members[place].given()) continue;
    if (const auto id = uuid(place, Required::no)) return {*id, true};
  }
  return {rejected() ? Uuid{} : context_.ids.next(context_.now), false};
}

// A version 7 id may hold any 48 bits: what lies outside the years is no time.
std::optional<Timestamp> Members::time_in(const Identity& identity) const {
  const auto time = identity.from_client ? uuid_time(identity.id) : std::nullopt;
  return time && taken_year(*time) ? time : std::nullopt;
}

EventTimes Members::times(std::size_t timestamp, const Identity& identity, Required required) {
  const std::optional<Timestamp> client = time(timestamp);
  if (!client) {
    if (required == Required::yes) reject(timestamp, Reason::missing);
    return {context_.now, time_in(identity).value_or(context_.now)};
  }
  std::optional<Timestamp> sent_at = time(form_.sent_at);
  if (!sent_at) sent_at = context_.sent_at;
  const Timestamp skew = sent_at ? *sent_at - context_.now : 0;
  if (!taken_year(*client - skew)) reject(timestamp, Reason::out_of_range);
  return {correct_for_skew(*client, sent_at, context_.now), *client};
}

}  // namespace weir
