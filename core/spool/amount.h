// A number with what it counts, for a person: "1 segment", "12 segments".
#pragma once

#include <cstdint>
#include <string>

namespace weir {

inline std::string amount(std::uint64_t count, const char* one, const char* many) {
  return std::to_string(count) + ' ' + (count == 1 ? one : many);
}

}  // namespace weir
