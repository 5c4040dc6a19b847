#include "api/proof.h"

#include <openssl/crypto.h>

#include <utility>

#include "core/config/words.h"
#include "files/secret_file.h"

namespace weir::api {
namespace {

constexpr const char* kRemedy =
    " (16 bytes or more, openssl rand -hex 32; the web server is handed the same)";

}  // namespace

std::string read_proof(const std::string& path, std::string& secret, std::string& warning) {
  std::string line;
  if (const auto fault = read_secret_file(path, line, warning); !fault.empty())
    return fault + kRemedy;
  if (line.size() < kLeastProof)
    return "the secret file " + quoted(path) + " is too short: put a longer one there" + kRemedy;
  secret = std::move(line);
  return {};
}

bool is_proof(const std::string& secret, const std::vector<std::string>& proofs) {
  if (secret.empty()) return true;
  return proofs.size() == 1 && proofs[0].size() == secret.size() &&
         CRYPTO_memcmp(proofs[0].data(), secret.data(), secret.size()) == 0;
}

}  // namespace weir::api
