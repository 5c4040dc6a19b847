#include "api/proof.h"

#include <openssl/crypto.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <utility>

#include "core/redis/secret.h"

namespace weir::api {
namespace {

constexpr const char* kRemedy =
    ": let it hold a line of 16 bytes or more that only weir-api's user can read (openssl rand "
    "-hex "
    "32, chmod 0400), and hand the web server the same";

}  // namespace

std::string read_proof(const std::string& path, std::string& secret) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return path + " cannot be read (" + std::strerror(errno) + ")" + kRemedy;
  struct stat status {};
  if (::stat(path.c_str(), &status) == 0 && (status.st_mode & S_IROTH) != 0) {
    return path + " can be read by everybody" + kRemedy;
  }
  std::string bytes(kMostSecretFile + 1, '\0');
  file.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  bytes.resize(static_cast<std::size_t>(file.gcount()));
  std::string line;
  if (const auto fault = read_secret(bytes, line); !fault.empty()) {
    return path + ": " + fault + kRemedy;
  }
  if (line.size() < kLeastProof) return path + " is too short" + kRemedy;
  secret = std::move(line);
  return {};
}

bool is_proof(const std::string& secret, const std::vector<std::string>& proofs) {
  if (secret.empty()) return true;
  return proofs.size() == 1 && proofs[0].size() == secret.size() &&
         CRYPTO_memcmp(proofs[0].data(), secret.data(), secret.size()) == 0;
}

}  // namespace weir::api
