// Takes the members of one event out of its capture, by type, and remembers the first that is
// wrong. The rules that all wire forms share stand here: what counts as given (null does not), how
// long a name may be, which of an event's times is which.
//
//   Members members(event, form, context);
//   const auto user = members.name(kUserId, Required::yes);
//   const auto id = members.identity({kEventId});
//   const auto times = members.times(kTimestamp, id);
//   if (members.rejected()) return members.rejection();
#pragma once

#include <cstddef>
#include <initializer_list>
#include <optional>
#include <string_view>

#include "core/event/country.h"
#include "core/event/form.h"

namespace weir {

enum class Required : bool { no, yes };

struct Identity {
  Uuid id;
  bool from_client;
};

// docs/api.md has the rules of time in words.
struct EventTimes {
  Timestamp event;   // corrected for clock skew, never more than kMaxAhead past receipt
  Timestamp client;  // as the client sent it; without it, from its version 7 id, or of receipt
};

class Members {
 public:
  Members(const CapturedEvent& event, const WireForm& form, const FormContext& context);

  bool rejected() const { return rejection_.reason != Reason::none; }
  const Rejection& rejection() const { return rejection_; }

  // Each returns something usable even where it rejects: an empty view, zero, none. A view without
  // data() stands for a member that was not given.

  // At most limits.name bytes; not empty, if it is required.
  std::string_view name(std::size_t place, Required required) {
    const JsonValue& value = event_.members[place];
    const bool is_good = value.type == JsonValue::Type::string && value.fault == Reason::none &&
                         !value.text.empty() && value.text.size() <= context_.limits.name;
    return is_good ? value.text : odd_name(place, required);
  }
  std::string_view text(std::size_t place, Required required, std::size_t most);
  std::string_view object(std::size_t place);        // as JSON
  std::string_view boolean(std::size_t place);       // "true" or "false"
  std::string_view whole_number(std::size_t place);  // 0 to 2147483647, as sent
  std::optional<Uuid> uuid(std::size_t place, Required required);
  std::optional<Timestamp> time(std::size_t place);
  std::optional<Country> country(std::size_t code, std::size_t zone);

  // The first of `places` that is given, or a new one.
  Identity identity(std::initializer_list<std::size_t> places);

  // `required`: whether the client has to give a time at all.
  EventTimes times(std::size_t timestamp, const Identity& identity, Required required);

 private:
  // The member if it is given and of `type` without a fault; otherwise notes `wrong_type` or the
  // fault.
  const JsonValue* take(std::size_t place, JsonValue::Type type, Required required,
                        Reason wrong_type);
  std::string_view odd_name(std::size_t place, Required required);  // absent, empty or wrong
  void reject(std::size_t place, Reason reason);
  bool taken_year(Timestamp time) const {
    return time >= context_.years.begin && time < context_.years.end;
  }
  std::optional<Timestamp> time_in(const Identity& identity) const;

  const CapturedEvent& event_;
  const WireForm& form_;
  const FormContext& context_;
  Rejection rejection_;
};

// A timestamp member of an event or of a batch: RFC 3339 text or a number of milliseconds. None,
// and `reason` set, for anything else.
std::optional<Timestamp> read_time(const JsonValue& value, Reason& reason);

// Writes a view from Members into the record: null where the member was not given.
inline void put_text(RecordWriter& record, std::string_view text) {
  text.data() == nullptr ? record.null() : record.text(text);
}
inline void put_json(RecordWriter& record, std::string_view document) {
  document.data() == nullptr ? record.null() : record.json(document);
}

}  // namespace weir
