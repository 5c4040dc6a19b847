// A secret in a file: a password of Redis, the proof of a web server. Every program takes them
// alike: a plain file (a link to one will do) of kMostSecretFile bytes at most, whose first line it
// is (core/redis/secret.h).
//
//   std::string secret, warning;
//   if (auto fault = read_secret_file(path, secret, warning); !fault.empty()) return fail(fault);
//   if (!warning.empty()) warn(warning);
//
// What everybody on the machine can read is warned of and taken, since a container's secrets often
// have the mode 0444.
#pragma once

#include <string>

namespace weir {

// Returns an empty string, or a sentence that says what to do; `secret` is then as it was. No
// sentence shows anything of the file but its name.
std::string read_secret_file(const std::string& path, std::string& secret, std::string& warning);

}  // namespace weir
