#include "core/event/uuid.h"

#include <openssl/rand.h>

#include <algorithm>
#include <stdexcept>

namespace weir {
namespace {

constexpr std::size_t kTextLength = 36;
constexpr std::size_t kRandomPerUuid = 10;

// Is a hyphen due at this offset of the text?
constexpr bool is_hyphen_place(std::size_t at) {
  return at == 8 || at == 13 || at == 18 || at == 23;
}

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

std::optional<Uuid> parse_uuid(std::string_view text) {
  if (text.size() != kTextLength) return std::nullopt;
  Uuid uuid{};
  std::size_t nibble = 0;
  for (std::size_t at = 0; at < kTextLength; ++at) {
    if (is_hyphen_place(at)) {
      if (text[at] != '-') return std::nullopt;
      continue;
    }
    const int value = hex_value(text[at]);
    if (value < 0) return std::nullopt;
    unsigned char& byte = uuid[nibble++ / 2];
    byte = static_cast<unsigned char>(byte << 4 | value);
  }
  if (uuid == Uuid{}) return std::nullopt;
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
  for (std::size_t i = 0; i < 6; ++i) {
    uuid[i] = static_cast<unsigned char>(milliseconds >> (40 - 8 * i));
  }
  std::copy_n(random_.begin() + static_cast<std::ptrdiff_t>(used_), kRandomPerUuid,
              uuid.begin() + 6);
  used_ += kRandomPerUuid;
  uuid[6] = static_cast<unsigned char>(0x70 | (uuid[6] & 0x0F));  // version 7
  uuid[8] = static_cast<unsigned char>(0x80 | (uuid[8] & 0x3F));  // the RFC's variant
  return uuid;
}

}  // namespace weir
