// Undoes a request's content coding within limits (zlib; RFC 1950, 1951, 1952). Servers do not
// inflate request bodies themselves.
//
//   std::string plain;                                    // one a worker, reused
//   switch (inflate_body(parse_content_encoding(header), body, limits, plain)) …
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/event/limits.h"

namespace weir {

enum class Coding : std::uint8_t { identity, gzip, deflate, unsupported };

// Reads a Content-Encoding header, in any case: "gzip", "x-gzip", "deflate", "identity", or none.
// "deflate" means RFC 1950; many clients send bare RFC 1951, which is taken too. Several codings on
// top of each other are unsupported.
Coding parse_content_encoding(std::string_view header);

// gzip's magic number: some clients send gzip without saying so. No JSON begins with it.
bool looks_like_gzip(std::string_view body);

enum class InflateStatus : std::uint8_t {
  ok,
  broken,     // not of this coding, damaged, cut short, or followed by something else
  too_large,  // over Limits::inflated
  too_dense,  // over Limits::ratio, and over kRatioFloor
};

// Inflates all of `body` into `out` (cleared first). Work and memory end at the limits: `out` never
// holds more than they allow and one byte; where both are exceeded, the tighter one is named. gzip
// may have several members, one after the other (RFC 1952 section 2.2). An empty body is broken,
// since even nothing has a trailer when it is compressed. After anything but ok, `out` is empty.
// Throws std::bad_alloc when there is no memory.
InflateStatus inflate_body(Coding coding, std::string_view body, const Limits& limits,
                           std::string& out);

}  // namespace weir
