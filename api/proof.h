// What the web server proves itself by, beside that it could open the socket: a secret that its
// master process reads as root, and that whatever else runs as the web server's user cannot.
//
//   std::string secret, warning;
//   if (auto fault = read_proof("/etc/weir/api.secret", secret, warning); !fault.empty()) …
//   if (!is_proof(secret, request.proofs)) …                                         // 401
//
// Compared in a time that tells nothing of where two differ.
#pragma once

#include <string>
#include <vector>

namespace weir::api {

constexpr std::size_t kLeastProof = 16;  // bytes

// As read_secret_file() (files/secret_file.h); a line that is too short is refused.
std::string read_proof(const std::string& path, std::string& secret, std::string& warning);

// Whether it is exactly one, and that. Always, where there is no secret.
bool is_proof(const std::string& secret, const std::vector<std::string>& proofs);

}  // namespace weir::api
