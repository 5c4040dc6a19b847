// Why an event was refused. The words are part of the interface (docs/api.md lists them): they are
// never renamed, and clients may act on them.
#pragma once

#include <cstddef>
#include <string_view>

namespace weir {

enum class Reason {
  none,
  missing,        // a required member is absent or null
  empty,          // a required string, or a batch, has nothing in it
  not_an_object,  // an event, properties or context is not a JSON object
  not_a_string,
  not_an_integer,  // a whole number from 0 to 2147483647 is wanted
  not_a_boolean,
  not_a_timestamp,  // neither RFC 3339 nor milliseconds since 1970
  out_of_range,     // a time outside the years that are taken
  not_a_uuid,
  not_a_country,        // not an ISO 3166-1 alpha-2 code
  too_long,             // a string or a member's name over its limit
  too_deep,             // nested over its limit
  too_many_properties,  // more members in one object than the limit
  number_out_of_range,  // an exponent over its limit
  nul_character,        // U+0000, which PostgreSQL cannot store
  lone_surrogate,       // half of a \uD83D\uDE00 pair
  unknown_field,        // strict locations only
};

// How many there are besides Reason::none.
constexpr std::size_t kReasonCount = static_cast<std::size_t>(Reason::unknown_field);

// The stable word for `reason`; "" for Reason::none.
std::string_view reason_word(Reason reason);

// What is wrong with the event at `index` of its batch. `field` is one of Weir's own names, or with
// unknown_field a slice of the request's body.
struct Rejection {
  std::size_t index = 0;
  std::string_view field;
  Reason reason = Reason::none;
};

}  // namespace weir
