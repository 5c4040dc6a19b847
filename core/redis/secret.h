// A secret, such as the password of Redis, as a file holds it: the first line, without what ends
// it. More lines may follow. files/secret_file.h reads the file.
//
//   if (auto fault = read_secret(bytes, password); !fault.empty()) report(path, fault);
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace weir {

// The largest file that is taken; so read one byte more than this.
constexpr std::size_t kMostSecretFile = 4096;

// Returns an empty string, or a sentence on "it", the file; `secret` is then as it was. No sentence
// shows anything of the file.
std::string read_secret(std::string_view bytes, std::string& secret);

}  // namespace weir
