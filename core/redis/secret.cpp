#include "core/redis/secret.h"

namespace weir {

std::string read_secret(std::string_view bytes, std::string& secret) {
  if (bytes.size() > kMostSecretFile) {
    return "it is longer than " + std::to_string(kMostSecretFile) +
           " bytes: put the secret on its first line, and nothing else";
  }
  std::string_view line = bytes.substr(0, bytes.find('\n'));
  if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
  if (line.empty()) return "it has to hold the secret on its first line, which is empty";
  secret = line;
  return {};
}

}  // namespace weir
