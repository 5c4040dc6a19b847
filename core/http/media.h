// Which media types a request's body may have: JSON, text/plain (what sendBeacon sends for a
// string) and none at all, in UTF-8.
#pragma once

#include <string_view>

namespace weir {

// `header` is a Content-Type with its parameters, or empty.
bool takes_media_type(std::string_view header);

}  // namespace weir
