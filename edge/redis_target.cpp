#include "edge/redis_target.h"

#include <netdb.h>
#include <sys/un.h>

#include <cstring>
#include <memory>
#include <utility>

#include "core/config/words.h"
#include "core/redis/settings.h"
#include "files/secret_file.h"

namespace weir {
namespace {

// These return an empty string, or the sentence that refuses the configuration.

RedisTarget::Address unix_address(const std::string& path) {
  RedisTarget::Address address;
  sockaddr_un socket{};
  socket.sun_family = AF_UNIX;
  path.copy(socket.sun_path, sizeof socket.sun_path - 1);
  address.length = sizeof socket;
  std::memcpy(&address.sockaddr, &socket, sizeof socket);
  return address;
}

// One name may stand for several addresses.
std::string look_up_host(const RedisAddress& redis, std::vector<RedisTarget::Address>& addresses) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const int error =
      getaddrinfo(redis.host.c_str(), std::to_string(redis.port).c_str(), &hints, &found);
  if (error == EAI_MEMORY) return "there is no memory";
  if (error != 0) {
    return "it cannot use " + quoted(redis.host) + " (" + gai_strerror(error) +
           "): give a name that this machine can look up, or an address";
  }
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> owned(found, freeaddrinfo);
  for (const addrinfo* one = found; one != nullptr; one = one->ai_next) {
    RedisTarget::Address address;
    address.length = one->ai_addrlen;
    std::memcpy(&address.sockaddr, one->ai_addr, one->ai_addrlen);
    addresses.push_back(address);
  }
  return {};
}

std::string look_up(const RedisAddress& redis, const std::string& name, RedisTarget& target) {
  std::vector<RedisTarget::Address> found;
  if (redis.is_unix()) {
    found.push_back(unix_address(redis.path));
  } else if (auto fault = look_up_host(redis, found); !fault.empty()) {
    return fault;
  }
  for (auto& address : found) {
    address.name = name;
    target.addresses.push_back(std::move(address));
  }
  target.name += (target.name.empty() ? "" : ", ") + name;
  return {};
}

}  // namespace

std::string read_redis_target(const std::vector<std::string_view>& words, const std::string& folder,
                              RedisTarget& target, std::string& warning) {
  RedisSettings settings;
  if (auto fault = read_redis_settings(words, settings); !fault.empty()) return fault;
  if (std::string path = settings.password_file; !path.empty()) {
    const char* const slash = !folder.empty() && folder.back() == '/' ? "" : "/";
    if (path.front() != '/') path.insert(0, folder + slash);
    auto fault = read_secret_file(path, settings.courier.password, warning);
    if (!fault.empty()) return fault;
  }
  target.courier = std::move(settings.courier);
  target.names_patience = settings.names_patience;
  target.shards = settings.shards;
  for (std::size_t i = 0; i < settings.names.size(); ++i) {
    auto fault = look_up(settings.addresses[i], settings.names[i], target);
    if (!fault.empty()) return fault;
  }
  return {};
}

}  // namespace weir
