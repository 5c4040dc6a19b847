// Strong entity tags (RFC 9110, section 8.8): the same for the same bytes, and for no others.
//
//   const std::string etag = etag_of(body);              // "\"…\"", with its quotes
//   if (matches(if_none_match, etag)) …                  // 304
#pragma once

#include <string>
#include <string_view>

namespace weir::api {

// 128 bits of SHA-256.
std::string etag_of(std::string_view body);

// Whether an If-None-Match names the tag: "*", or a list of tags, weak ones too.
bool matches(std::string_view if_none_match, std::string_view etag);

}  // namespace weir::api
