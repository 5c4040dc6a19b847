#include "core/event/reason.h"

#include <cstddef>
#include <iterator>

namespace weir {
namespace {

struct Word {
  Reason reason;
  std::string_view word;
};

// In the order of the enumeration, so that a word is found by its index.
constexpr Word kWords[] = {
    {Reason::none, ""},
    {Reason::missing, "missing"},
    {Reason::empty, "empty"},
    {Reason::not_an_object, "not_an_object"},
    {Reason::not_a_string, "not_a_string"},
    {Reason::not_an_integer, "not_an_integer"},
    {Reason::not_a_boolean, "not_a_boolean"},
    {Reason::not_a_timestamp, "not_a_timestamp"},
    {Reason::out_of_range, "out_of_range"},
    {Reason::not_a_uuid, "not_a_uuid"},
    {Reason::not_a_country, "not_a_country"},
    {Reason::too_long, "too_long"},
    {Reason::too_deep, "too_deep"},
    {Reason::too_many_properties, "too_many_properties"},
    {Reason::number_out_of_range, "number_out_of_range"},
    {Reason::nul_character, "nul_character"},
    {Reason::lone_surrogate, "lone_surrogate"},
    {Reason::unknown_field, "unknown_field"},
};

constexpr bool is_in_order() {
  for (std::size_t i = 0; i < std::size(kWords); ++i) {
    if (kWords[i].reason != static_cast<Reason>(i)) return false;
  }
  return true;
}

static_assert(is_in_order() && std::size(kWords) == kReasonCount + 1,
              "every reason has its word, at its own index");

}  // namespace

std::string_view reason_word(Reason reason) {
  return kWords[static_cast<std::size_t>(reason)].word;
}

}  // namespace weir
