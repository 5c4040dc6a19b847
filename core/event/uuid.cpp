#include "core/event/uuid.h"

#include <endian.h>
#include <openssl/rand.h>

#include <algorithm>
#include <cstring>
#include <stdexcept>

#include "core/json/ascii.h"

namespace weir {
namespace {

constexpr std::size_t kTextLength = 36;
constexpr std::size_t kRandomPerUuid = 10;

// Is a hyphen due at this offset of the text?
constexpr bool is_hyphen_place(std::size_t at) {
  return at == 8 || at == 13 || at == 18 || at == 23;
}

// Where each byte's two digits stand.
constexpr std::size_t kDigitsAt[] = {0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34};

}  // namespace

std::optional<Uuid> parse_uuid(std::string_view text) {
  if (text.size() != kTextLength) return std::nullopt;
  if (text[8] != '-' || text[13] != '-' || text[18] != '-' || text[23] != '-') return std::nullopt;
  Uuid uuid;
  int seen = 0;  // negative once there was what is no digit
  for (std::size_t i = 0; i < uuid.size(); ++i) {
    const int byte = hex_value(text[kDigitsAt[i]]) * 16 | hex_value(text[kDigitsAt[i] + 1]);
    seen |= byte;
    uuid[i] = static_cast<unsigned char>(byte);
  }
  if (seen <= 0) return std::nullopt;  // all of it is zeros, or not all are digits
  return uuid;
}

std::string format_uuid(const Uuid& uuid) {
  constexpr char kHex[] = "0123456789abcdef";
  std::string text;
  text.reserve(kTextLength);
  for (const unsigned char byte : uuid) {
    if (is_hyphen_place(text.size())) text += '-';
    text += kHex[byte >> 4];
    text += kHex[byte & 15];
  }
  return text;
}

std::optional<Timestamp> uuid_time(const Uuid& uuid) {
  if (uuid_version(uuid) != 7) return std::nullopt;
  Timestamp milliseconds = 0;
  for (std::size_t i = 0; i < 6; ++i) milliseconds = milliseconds << 8 | uuid[i];
  return milliseconds * 1000;
}

Uuid UuidSource::next(Timestamp now) {
  if (used_ + kRandomPerUuid > random_.size()) {
    if (RAND_bytes(random_.data(), static_cast<int>(random_.size())) != 1) {
      throw std::runtime_error("the system has no random bytes to give");
    }
    used_ = 0;
  }
  Uuid uuid;
  const auto milliseconds = static_cast<std::uint64_t>(std::max<Timestamp>(now, 0) / 1000);
  const std::uint64_t in_front = htobe64(milliseconds << 16);  // its first six bytes
  std::memcpy(uuid.data(), &in_front, sizeof in_front);
  std::memcpy(uuid.data() + 6, random_.data() + used_, kRandomPerUuid);
  used_ += kRandomPerUuid;
  uuid[6] = static_cast<unsigned char>(0x70 | (uuid[6] & 0x0F));  // version 7
  uuid[8] = static_cast<unsigned char>(0x80 | (uuid[8] & 0x3F));  // the RFC's variant
  return uuid;
}

}  // namespace weir
