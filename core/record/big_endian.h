// Integers as COPY's binary format has them: the first byte counts most.
//
//   store_big_endian(at, std::uint32_t{8});   // writes 4 bytes
#pragma once

#include <endian.h>

#include <cstdint>
#include <cstring>

namespace weir {

inline void store_big_endian(char* at, std::uint16_t value) {
  value = htobe16(value);
  std::memcpy(at, &value, sizeof value);
}

inline void store_big_endian(char* at, std::uint32_t value) {
  value = htobe32(value);
  std::memcpy(at, &value, sizeof value);
}

inline void store_big_endian(char* at, std::uint64_t value) {
  value = htobe64(value);
  std::memcpy(at, &value, sizeof value);
}

}  // namespace weir
