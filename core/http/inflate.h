// Undoes a request's content coding within bounds (zlib; RFC 1950, 1951, 1952). Servers do not
// inflate request bodies themselves.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/event/limits.h"

namespace weir {

enum class Coding : std::uint8_t { identity, gzip, deflate, unsupported };

// Reads a Content-Encoding header. "deflate" means RFC 1950; many clients send bare RFC 1951, which
// is taken too.
Coding parse_content_encoding(std::string_view header);

// gzip's magic number: some clients send gzip without saying so.
bool looks_like_gzip(std::string_view body);

enum class InflateStatus : std::uint8_t { ok, broken, too_large, too_dense };

// Inflates all of `body` into `out` (cleared first). too_large and too_dense name Limits::inflated
// and Limits::ratio; `out` never grows past the former.
InflateStatus inflate_body(Coding coding, std::string_view body, const Limits& limits,
                           std::string& out);

}  // namespace weir
