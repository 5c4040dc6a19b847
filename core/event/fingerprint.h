// Which crashes are the same crash. docs/fingerprint.md describes version 1 and why it is what it
// is; a change of the rules is a new version, since fingerprints are compared over months.
#pragma once

#include <string>
#include <string_view>

namespace weir {

// "1-" and 32 hexadecimal digits. Made of the crash's type and the names in its upper stack frames,
// without line numbers, columns, addresses and directories; where the place of the crash has no
// name, or there is no stack trace, also of the message with its numbers, quoted texts and
// identifiers taken out. Empty inputs are allowed, and so are bytes of any kind.
std::string fingerprint(std::string_view crash_type, std::string_view error_message,
                        std::string_view stack_trace);

}  // namespace weir
