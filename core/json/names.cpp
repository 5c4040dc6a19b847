#include "core/json/names.h"

#include <algorithm>

namespace weir {

MemberNames::MemberNames(const std::string_view* names, std::size_t count) : size_(count) {
  std::copy_n(names, count, names_.begin());
  for (std::size_t place = 0; place < count; ++place) {
    std::size_t slot = first_slot(names[place]);
    while (slots_[slot] != 0) slot = next_slot(slot);
    slots_[slot] = static_cast<std::uint8_t>(place + 1);
  }
}

}  // namespace weir
