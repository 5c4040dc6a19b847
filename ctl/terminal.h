// What came from outside, made fit for a terminal: bytes that would speak to it are shown, not
// sent.
//
//   std::cout << terminal_text(reason) << "\n";      // "a\x1b[2Jb" for an ESC in it
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace weir::ctl {

// `text` with control characters (C0, DEL, C1), characters that turn the direction of writing, and
// bytes that are no UTF-8 as \xNN, and a backslash doubled. With `most`, at most so many bytes of
// it are read, and "…" says that there were more.
std::string terminal_text(std::string_view text, std::size_t most = std::string_view::npos);

// Microseconds since 1970 as RFC 3339 in UTC, for the years 1 to 9999.
std::string format_time(std::int64_t micros);

}  // namespace weir::ctl
