#include "core/json/names.h"

namespace weir {

MemberNames::MemberNames(std::initializer_list<std::string_view> names) : names_(names) {
  for (std::size_t place = 0; place < names_.size(); ++place) {
    std::size_t slot = first_slot(names_[place]);
    while (slots_[slot] != 0) slot = next_slot(slot);
    slots_[slot] = static_cast<std::uint8_t>(place + 1);
  }
}

}  // namespace weir
