// A request's body, read from httpd's filters into one piece of memory.
//
//   switch (read_body(r, location.limits.body, body, status)) …
#pragma once

#include "apache_module/apache.h"

#include <cstddef>
#include <string>

namespace weir {

enum class BodyRead { ok, too_large, failed };

// Replaces `body`. too_large: over `most` bytes, and what is left is not read. failed: `status` is
// what the handler has to return. Throws std::bad_alloc.
BodyRead read_body(request_rec* r, std::size_t most, std::string& body, int& status);

// httpd's own LimitRequestBody, where it is less than `most`. It is taken over as Weir's limit,
// which answers in Weir's words, and lifted from this request, since httpd would answer in its own.
std::size_t take_over_limit(request_rec* r, std::size_t most);

}  // namespace weir
