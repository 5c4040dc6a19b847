#include "api/etag.h"

#include <algorithm>
#include <array>
#include <cstddef>

#include <openssl/sha.h>

#include "core/http/blanks.h"

namespace weir::api {
namespace {

constexpr std::size_t kTagBytes = 16;
constexpr char kDigits[] = "0123456789abcdef";

}  // namespace

std::string etag_of(std::string_view body) {
  std::array<unsigned char, SHA256_DIGEST_LENGTH> digest{};
  SHA256(reinterpret_cast<const unsigned char*>(body.data()), body.size(), digest.data());
  std::string tag = "\"";
  for (std::size_t i = 0; i < kTagBytes; ++i) {
    tag += kDigits[digest[i] >> 4];
    tag += kDigits[digest[i] & 15];
  }
  return tag + '"';
}

bool matches(std::string_view if_none_match, std::string_view etag) {
  // Our tags hold no comma, so that a list may be cut at each.
  while (!if_none_match.empty()) {
    const std::size_t comma = std::min(if_none_match.find(','), if_none_match.size());
    std::string_view one = trim(if_none_match.substr(0, comma));
    if (one == "*") return true;
    if (one.substr(0, 2) == "W/") one.remove_prefix(2);
    if (one == etag) return true;
    if_none_match.remove_prefix(std::min(comma + 1, if_none_match.size()));
  }
  return false;
}

}  // namespace weir::api
